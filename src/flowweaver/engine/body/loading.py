"""Tells code that is loaded by a name or a path in data from what import statements load.

What the text of code imports is followed from there, and counts by its meaning. What a library
imports by a name that it was given, or a loader by a path, is known only once it happens.
"""

from __future__ import annotations

import dis
from types import CodeType, FrameType

from flowweaver.engine.body.watching import top_of
from flowweaver.fingerprint.owners import OURSELVES, Owner, owner_of_file

_IMPORT = dis.opmap["IMPORT_NAME"]
_MODULE = "<module>"
# By these a module is found by its name. What else of `importlib` is called is given a file.
_BY_NAME = frozenset(
    {"", "__import__", "_find_and_load", "_gcd_import", "_handle_fromlist"}
    | {"import_module", "reload"}
)


def is_project_module(code: object) -> bool:
    """Whether code is that of a whole file of the project."""
    return (
        isinstance(code, CodeType)
        and code.co_name == _MODULE
        and code.co_filename.endswith(".py")
        and owner_of_file(code.co_filename) is Owner.PROJECT
    )


def is_told_by_text(frame: FrameType | None) -> bool:
    """Whether the text of the project's code says that the file is loaded which `frame` executes.

    An import statement does, also in a file that is loaded for another one. So do names given to
    `import_module`: those that can't be told from the text were said not to be seen.
    """
    while frame is not None:
        by = ""
        while frame is not None and top_of(frame) == "importlib":
            by, frame = frame.f_code.co_name, frame.f_back
        if frame is None or top_of(frame) == OURSELVES:
            return True
        is_statement = frame.f_code.co_code[frame.f_lasti] == _IMPORT
        if owner_of_file(frame.f_code.co_filename) is not Owner.PROJECT or by not in _BY_NAME:
            return False
        if not is_statement or frame.f_code.co_name != _MODULE:
            return True
        frame = frame.f_back
    return True
