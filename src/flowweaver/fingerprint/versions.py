"""The versions of installed packages, and what stands for a version where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

_CODE = frozenset({".py", ".so", ".pyd", ".pyx"})
_MOST_FILES = 2000


@lru_cache(maxsize=8)
def _providers(_path: tuple[str, ...]) -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


@lru_cache(maxsize=1024)
def package_version(top: str) -> str | None:
    """Return the version of whatever distributions provide a top-level module, if known."""
    try:
        named = metadata.distribution(top)
        # Reading one distribution is quick; asking all of them which modules they have is not.
        if top in (named.read_text("top_level.txt") or top).split():
            return str(named.version)
    except (metadata.PackageNotFoundError, ValueError):
        pass
    providers = sorted(set(_providers(tuple(sys.path)).get(top, ())))
    if not providers:
        return None
    return ", ".join(f"{provider} {metadata.version(provider)}" for provider in providers)


@lru_cache(maxsize=1024)
def package_content(top: str) -> str | None:
    """Return what stands for the version of a package without a distribution.

    That is a digest of its files, or that it is not installed; None if there are too many.
    """
    spec = PathFinder.find_spec(top)
    if spec is None:
        return "(not installed)"
    files = list(_files([*(spec.submodule_search_locations or ()), spec.origin or ""]))
    if len(files) > _MOST_FILES:
        return None
    state = blake2b(digest_size=16)
    for name, path in files:
        state.update(f"{name} ".encode())
        state.update(blake2b(path.read_bytes()).digest())
    return f"(no version) {state.hexdigest()}"


def _files(places: list[str]) -> Iterator[tuple[str, Path]]:
    for place in places:
        path = Path(place)
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for each in found:
            if each.suffix in _CODE and each.is_file():
                yield each.relative_to(path.parent).as_posix(), each
