"""Take objects apart: into what they hold, as Python keeps it or as they say when pickled.

Nothing that an object is made of is left out without saying so.
"""

from __future__ import annotations

import ast
import copyreg
import gc
import itertools
import sys
import warnings
from contextlib import suppress
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, NamedTuple

from flowweaver.fingerprint.kinds import added_to, is_a, vars_of
from flowweaver.serialize.pickles import reduce_exception

_PROTOCOL = 4
_WORD = 8
_DICT_ELSEWHERE = 1 << 4
"""Flag of classes whose instances have their attributes in front of what `__basicsize__` counts."""
_BASES = (list, dict, tuple, set, frozenset, str, bytes, bytearray, int, float, complex)
_ANSWERS = ("__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__")


class Apart(NamedTuple):
    """What an object is made of.

    `held` are its attributes by name, `parts` what else there is; `is_whole` says whether that is
    all of it. `base` is the built-in class whose content it has, too, if that is not among these.
    `name` is set if it says that it is to be had under that name.
    """

    held: tuple[tuple[str, object], ...] = ()
    parts: tuple[object, ...] = ()
    is_whole: bool = True
    name: str = ""
    base: type = object


def own_apart(value: object) -> Apart:
    """Take apart an instance of one of the project's classes: as Python keeps it."""
    held = held_by(value)
    if _hides_attributes(type(value)):
        return Apart(held, referents_of(value))
    if _is_seen_whole(type(value)):
        return Apart(held)
    reduced = pickled(value)
    return Apart(held, is_whole=False) if reduced is None else Apart(held, reduced.parts)


def foreign_apart(value: object) -> Apart:
    """Take apart an instance of an installed class or of one of Python's own.

    It is asked what it would give to pickle, if it has an answer of its own: its caches and locks
    are not in it.
    """
    cls = type(value)
    if is_a(value, BaseException) or _answers_for_itself(cls):
        reduced = pickled(value)
        if reduced is not None:
            return reduced
    if _is_seen_whole(cls):
        return Apart(held_by(value), base=base_of(cls))
    referents = referents_of(value)
    return Apart(held_by(value), referents, is_whole=bool(referents) and "Proxy" in cls.__name__)


def callable_apart(value: object) -> Apart:
    """Take apart what was installed and can be called, such as a decorator's outcome.

    It is not asked what it would give to pickle if it can be looked into: that may be the name of
    a function instead of the function.
    """
    if _is_seen_whole(type(value)):
        return Apart(held_by(value))
    return Apart((), referents_of(value))


def pickled(value: Any) -> Apart | None:
    """Return what the object would give to pickle; None if it refuses."""
    special = _NO_LONGER_PICKLED.get(type(value)) or copyreg.dispatch_table.get(type(value))
    if is_a(value, BaseException):
        special = reduce_exception
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reduced: Any = special(value) if special else value.__reduce_ex__(_PROTOCOL)
            return _from_pickle(reduced)
        except Exception:
            return None


def _reduced_count(value: object) -> tuple[Any, ...]:
    """Return what a counter gives to pickle before Python 3.14."""
    found = ast.literal_eval(repr(value).removeprefix("count"))
    return itertools.count, found if type(found) is tuple else (found,)


_NO_LONGER_PICKLED = {itertools.count: _reduced_count}


def base_of(cls: type) -> type:
    """Return the built-in class that an object is a kind of and whose content can be seen."""
    return next((base for base in cls.__mro__ if base in _BASES), object)


def referents_of(value: object) -> tuple[object, ...]:
    """Return what an object written in C refers to, as the garbage collector knows it.

    Its dict is there only since somebody asked for it, so it is asked for first.
    """
    if not _hides_attributes(type(value)):
        with suppress(AttributeError, TypeError):
            object.__getattribute__(value, "__dict__")
    return tuple(each for each in gc.get_referents(value) if each is not type(value))


def module_with(name: str, value: object) -> str:
    """Return the loaded module that has this very object under that name; "" if none has."""
    for module_name, module in list(sys.modules.items()):
        if module is not None and vars_of(module).get(name) is value:
            return module_name
    return ""


def held_by(value: object) -> tuple[tuple[str, object], ...]:
    """Return the attributes that an instance holds, by name, as Python keeps them."""
    held: dict[Any, object] = {}
    if not _hides_attributes(type(value)):
        with suppress(AttributeError, TypeError):
            held = dict(object.__getattribute__(value, "__dict__"))
    for cls in type(value).__mro__:
        for name, member in vars(cls).items():
            if is_a(member, MemberDescriptorType) and name not in held:
                try:
                    held[name] = member.__get__(value, cls)
                except (AttributeError, TypeError):  # it was never set
                    continue
    held = added_to(held)
    return tuple((str(name), held[name]) for name in sorted(held, key=str))


def _hides_attributes(cls: type) -> bool:
    """Whether what a class gives for the attributes of an instance is of its own making."""
    own = next((vars(base)["__dict__"] for base in cls.__mro__ if "__dict__" in vars(base)), None)
    return own is not None and not is_a(own, GetSetDescriptorType)


def _is_seen_whole(cls: type) -> bool:
    """Whether attributes, and the content of a built-in base, are all that an instance has."""
    return _hidden_size(cls) <= _hidden_size(base_of(cls))


def _hidden_size(cls: type) -> int:
    """Return how many bytes of an instance no attribute accounts for."""
    if cls is object:
        return 0
    members = sum(
        is_a(member, MemberDescriptorType) for base in cls.__mro__ for member in vars(base).values()
    )
    has_link_to_dict = cls.__dictoffset__ != 0 and not cls.__flags__ & _DICT_ELSEWHERE
    links = has_link_to_dict + (cls.__weakrefoffset__ > 0)
    return cls.__basicsize__ - object.__basicsize__ - _WORD * (members + links) + cls.__itemsize__


def _answers_for_itself(cls: type) -> bool:
    if cls in copyreg.dispatch_table or cls in _NO_LONGER_PICKLED:
        return True
    return any(
        name in vars(base) for base in cls.__mro__ if base is not object for name in _ANSWERS
    )


def _from_pickle(reduced: Any) -> Apart | None:
    if isinstance(reduced, str):
        return Apart(name=reduced)
    if not isinstance(reduced, tuple):
        return None
    make, arguments, state, elements, entries = (*reduced, None, None, None)[:5]
    listed = (None if each is None else list(each) for each in (elements, entries))
    return Apart(parts=(make, arguments, state, *listed))
