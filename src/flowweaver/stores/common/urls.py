"""URLs of stores on disk: ``sqlite:///relative.db?durability=process`` and the like."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

from flowweaver.errors import StoreError

Durability = Literal["full", "process"]
DURABILITIES: tuple[Durability, ...] = get_args(Durability)
DEFAULT_DURABILITY: Durability = "full"

WAIT_SECONDS = 30.0
"""How long stores wait for whoever is in their way, unless told otherwise."""


def checked_durability(durability: str) -> Durability:
    """Return the durability if there is such a one."""
    if durability not in DURABILITIES:
        raise StoreError(
            f"There is no durability {durability!r}; it is 'full' (survives power loss) or "
            "'process' (survives any kill)."
        )
    return durability


def path_and_options(url: str, scheme: str) -> tuple[Path, Durability]:
    """Return the path and the durability that a URL of a file store gives."""
    parts = urlsplit(url)
    path = os.fsdecode(unquote_to_bytes(parts.path.removeprefix("/")))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    durability = checked_durability(options.pop("durability", DEFAULT_DURABILITY))
    if parts.scheme != scheme or parts.netloc or not path or options or parts.fragment:
        raise StoreError(
            f"{url!r} is not the URL of a store; write '{scheme}:///relative/path' or "
            f"'{scheme}:////absolute/path', with '?durability=process' at most."
        )
    return Path(path), durability


def url_of(scheme: str, path: Path, durability: Durability) -> str:
    """Return the URL of a file store."""
    options = "" if durability == DEFAULT_DURABILITY else f"?durability={durability}"
    # A path need not be text: what is not UTF-8 stands in the URL as the bytes it is.
    return f"{scheme}:///{quote(os.fsencode(path.as_posix()), safe='/:')}{options}"


def absolute(path: str | os.PathLike[str]) -> Path:
    """Return where a path leads from the present directory, links followed."""
    return Path(os.path.realpath(path))
