"""Code that a body finds by a name in data, as ``pickle.load`` does: its name, and what it means.

That is told by what the files say: a plan need not load the module.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowweaver.fingerprint.cache import digest_of_symbol
from flowweaver.fingerprint.imported import imported_with, owner_of
from flowweaver.fingerprint.owners import Owner, top_of_module
from flowweaver.main_module import known_as

_SEPARATOR = ":"


def name_of_code(module: str, name: str) -> str:
    """Return what code is kept by: ``shop.models:Price``; "" if it is nobody's.

    Of a package it is the package's name.
    """
    module = known_as(module)
    owner = owner_of(module)
    if owner is Owner.PROJECT:
        return f"{module}{_SEPARATOR}{name}"
    return top_of_module(module) if owner is Owner.PACKAGE else ""


def meaning_of(name: str) -> str:
    """Return the digest of what code of that name means: of a package, its version."""
    module, _, attributes = name.partition(_SEPARATOR)
    return digest_of_symbol(module, tuple(filter(None, attributes.split("."))))


def files_of_code(names: Iterable[str]) -> set[str]:
    """Return the files of the project that are loaded for code of these names."""
    modules = {module for name in names for module, mark, _ in [name.partition(_SEPARATOR)] if mark}
    found = imported_with(modules)
    return {each.source.filename for each in found if each.source is not None}
