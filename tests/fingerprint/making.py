"""What an entry of the catalogue of edits is, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent
from typing import TypeAlias

Files: TypeAlias = "Mapping[str, str] | str"
"""The files of a project by path; text alone is ``steps.py``."""
Change: TypeAlias = "tuple[str, str] | str"
"""What to put for what, or a file's new text."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: the files of a project before and after, and the callable it is about.

    `target` is ``module:qualname`` and can be called without arguments. A cosmetic edit changes
    no fingerprint; a real one does, and `culprit` is among the parts that differ. A folder
    ``site-packages`` among the files is to be put on `sys.path` beside the project itself.
    """

    name: str
    files_before: dict[str, str]
    files_after: dict[str, str]
    target: str
    cosmetic: bool
    culprit: str | None = None

    @property
    def module(self) -> str:
        """The module of the target."""
        return self.target.partition(":")[0]

    @property
    def is_one_module(self) -> bool:
        """Whether all of the project is in the target's module, so that it can be a script."""
        return {*self.files_before} == {*self.files_after} == {f"{self.module}.py"}


def cosmetic(
    name: str, files: Files, change: Change | Mapping[str, Change], target: str = "steps:run"
) -> Edit:
    """Return an edit that means nothing."""
    before, after = _before_and_after(name, files, change)
    return Edit(name, before, after, target, cosmetic=True)


def real(
    name: str,
    culprit: str,
    files: Files,
    change: Change | Mapping[str, Change],
    target: str = "steps:run",
) -> Edit:
    """Return an edit that means something."""
    before, after = _before_and_after(name, files, change)
    return Edit(name, before, after, target, cosmetic=False, culprit=culprit)


def _before_and_after(
    name: str, files: Files, change: Change | Mapping[str, Change]
) -> tuple[dict[str, str], dict[str, str]]:
    projects = {"steps.py": files} if isinstance(files, str) else files
    before = {path: _text(text) for path, text in projects.items()}
    after = dict(before)
    for path, each in (change if isinstance(change, Mapping) else {"steps.py": change}).items():
        if isinstance(each, str):
            after[path] = _text(each)
            continue
        old, new = each
        assert before[path].count(old) == 1, f"{name}: {old!r} is not there exactly once"
        after[path] = before[path].replace(old, new)
    assert after != before, f"{name}: nothing is changed"
    return before, after


def _text(text: str) -> str:
    return dedent(text).lstrip("\n")
