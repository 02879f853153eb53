"""The versions of installed packages, and what stands for a version where there is none."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path

_NAME = re.compile(r"[\w.-]+")
# A line of a record names a file and what it was: here, one in a package, or a module by itself.
_TOP = re.compile(r"^([^/.,\"\n]+)(?:/|\.py,|(?:\.[\w-]+)?\.(?:so|pyd),)", re.MULTILINE)
_CODE = frozenset({".py", ".so", ".pyd", ".pyx"})
_MOST_FILES = 2000


@lru_cache(maxsize=8)
def _distributions(_path: tuple[str, ...]) -> Mapping[str, list[metadata.Distribution]]:
    """Return the distributions by the top-level modules that they bring.

    `metadata.packages_distributions` also looks whether each file of each is there, which takes a
    second where many are installed.
    """
    found: dict[str, list[metadata.Distribution]] = {}
    for each in metadata.distributions():
        for top in _tops_in(each):
            found.setdefault(top, []).append(each)
    return found


def _tops_in(distribution: metadata.Distribution) -> frozenset[str]:
    tops = (distribution.read_text("top_level.txt") or "").split()
    if not tops:
        record = distribution.read_text("RECORD")
        if record is None:
            record = "".join(f"{each},\n" for each in distribution.files or ())
        tops = _TOP.findall(record)
    return frozenset(tops) - {"__pycache__"}


def _named_providers(top: str) -> list[str]:
    found = _distributions(tuple(sys.path)).get(top, ())
    return sorted({name for each in found if (name := each.metadata["Name"])})


@lru_cache(maxsize=512)
def needed_by(tops: frozenset[str]) -> frozenset[str]:
    """Return top-level modules, and those of all packages that their own can't do without."""
    found: set[str] = set()
    waiting = [*tops]
    while waiting:
        top = waiting.pop()
        if top not in found:
            found.add(top)
            waiting += _needed_by(top)
    return frozenset(found)


@lru_cache(maxsize=1024)
def _needed_by(top: str) -> frozenset[str]:
    found: set[str] = set()
    for provider in _providers_of(top):
        for requirement in metadata.requires(provider) or ():
            name = _NAME.match(requirement)
            if name and "extra ==" not in requirement:
                found |= _tops_of(name[0])
    return frozenset(found)


@lru_cache(maxsize=1024)
def _tops_of(distribution: str) -> frozenset[str]:
    try:
        named = metadata.distribution(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return frozenset()
    return _tops_in(named)


def _providers_of(top: str) -> list[str]:
    try:
        # Reading one distribution is quick; asking all of them which modules they have is not.
        if top in _tops_of(top):
            return [top]
    except ValueError:
        pass
    return _named_providers(top)


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
    providers = _named_providers(top)
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
