"""What functions and classes say of themselves, the same under every version of Python.

From Python 3.14 on, annotations are evaluated when somebody asks for them; and what they name may
be nowhere to be found at run time, as what is imported for type checkers alone.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FunctionType
from typing import Any

if sys.version_info >= (3, 14):
    import annotationlib
    from annotationlib import Format

    def _first_of(where: Any, *forms: Format) -> dict[str, Any]:
        """Return annotations in the first of these forms that they have; none if there are none.

        A class keeps them once it was asked for them; so what makes them is asked instead.
        """
        if isinstance(where, type):
            annotate = annotationlib.get_annotate_from_class_namespace(vars(where))
            if annotate is None:
                held = vars(where)
                kept = held.get("__annotations__", held.get("__annotations_cache__"))
                return dict(kept) if isinstance(kept, Mapping) else {}
        else:
            annotate = getattr(where, "__annotate__", None)
        for form in forms:
            with suppress(Exception):
                if annotate is None:
                    return annotationlib.get_annotations(where, format=form)
                return annotationlib.call_annotate_function(annotate, form, owner=where)
        return {}


def signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """Return the parameters of what is called by `fn`, whose annotations may be text.

    Raises:
        TypeError, ValueError: It is none that Python can say this of.
    """
    if sys.version_info >= (3, 14):
        return inspect.signature(fn, annotation_format=Format.STRING)
    return inspect.signature(fn)


def is_annotated(fn: Callable[..., Any]) -> bool:
    """Whether there may be annotations to `fn`."""
    try:
        return bool(getattr(fn, "__annotations__", True))
    except Exception:  # they can't be evaluated
        return True


def evaluated_annotations(where: FunctionType | type) -> dict[str, Any]:
    """Return the annotations of a function or class, without those of its bases.

    They are as Python gives them, or all of them text where one can't be evaluated.
    """
    if sys.version_info >= (3, 14):
        return _first_of(where, Format.VALUE, Format.STRING)
    return _kept(where)


def written_annotations(where: Any) -> dict[str, Any]:
    """Return the annotations of a function or class, without those of its bases.

    They are as they stand there: values, text, or values with text (or references) in them.
    """
    if sys.version_info >= (3, 14):
        return _first_of(where, Format.VALUE, Format.FORWARDREF, Format.STRING)
    return _kept(where)


def _kept(where: Any) -> dict[str, Any]:
    found = (
        vars(where).get("__annotations__")
        if isinstance(where, type)
        else getattr(where, "__annotations__", None)
    )
    return dict(found) if isinstance(found, Mapping) else {}
