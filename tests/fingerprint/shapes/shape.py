"""What an entry of the catalogue of shapes is: a small program, and an edit of it that matters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import dedent

_CHOICE = re.compile(r"\[\[(.*?)\|\|(.*?)\]\]", re.DOTALL)
_HARMLESS = '''"""Some steps."""
# Nothing of this matters.


'''
_WHOLE = "whole module"
_UNRELATED = '''

# Nor does this.
def unrelated_to_all(value):
    """Return nothing."""
    return None
'''


@dataclass(frozen=True, slots=True)
class Shape:
    """A program of some files, whose function `run` reaches something in some way.

    `before` and `after` are its files by path: the edit changes what `run` returns, unless the
    environment variable V alone does. `cosmetic` is an edit of the project's files that means
    nothing. Where a module counts as a whole, nothing is added to it. An edit of what stands near
    it, and that it does not reach, does not matter.
    """

    name: str
    before: dict[str, str]
    after: dict[str, str]
    matters: bool = True

    @property
    def cosmetic(self) -> dict[str, str]:
        """The files before the edit, with comments, docstrings and definitions added."""
        added = "" if _WHOLE in self.name else _UNRELATED
        return {
            path: f"{_HARMLESS}{text}{added}" if _is_of_project(path) else text
            for path, text in self.before.items()
        }


def shapes_from(
    family: str, programs: Mapping[str, str | Mapping[str, str]], *, matters: bool = True
) -> list[Shape]:
    """Return the shapes of programs in which ``[[1||2]]`` stands for what is edited."""
    return [_shape(f"{family}: {name}", files, matters) for name, files in programs.items()]


def _shape(name: str, files: str | Mapping[str, str], matters: bool) -> Shape:
    texts = {"steps.py": files} if isinstance(files, str) else files
    whole = {path: dedent(text).lstrip("\n") for path, text in texts.items()}
    before, after = (
        {_CHOICE.sub(rf"\{n}", p): _CHOICE.sub(rf"\{n}", t) for p, t in whole.items()}
        for n in (1, 2)
    )
    assert before != after or any("environ" in text for text in before.values()), name
    return Shape(name, before, after, matters)


def _is_of_project(path: str) -> bool:
    return path.endswith(".py") and "site-packages" not in path
