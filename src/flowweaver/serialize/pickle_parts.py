"""The parts of a pickle, read from its opcodes alone: nothing of it is loaded or called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowweaver.serialize.describe import contained
from flowweaver.serialize.encoded import Data
from flowweaver.serialize.pickle_names import fields_in

_BYTES_READ = 65_536
_OPCODES_READ = 4_000


@dataclass(frozen=True, slots=True)
class Name:
    """Something that a pickle asks for by its module and name; `fields` are noted of a class."""

    module: str
    name: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Group:
    """A list, tuple, set, frozenset or dict; the `items` of a dict are keys and values in turn."""

    kind: str
    items: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Made:
    """An object that the pickle would have `by` make, and what it would put into it."""

    by: object
    arguments: list[Any]
    keywords: list[Any] = field(default_factory=list)
    state: object = None
    items: list[Any] = field(default_factory=list)
    pairs: list[Any] = field(default_factory=list)


class More:
    """Stands for the rest, which was not read."""


MORE = More()


def parts_of(data: Data) -> object:
    """Return what the bytes hold: builtin scalars, and the classes above for all else.

    Only the beginning is read, and `MORE` stands for the rest; it is all that is returned for
    bytes that are no pickle.
    """
    reader = _Reader(fields_in(data))
    contained(reader.read, bytes(data[:_BYTES_READ]))
    return reader.found()


class _Reader:
    """Carries out a pickle's opcodes on a stack of parts instead of objects."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._noted = fields
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self._is_whole = False

    def read(self, data: bytes) -> None:
        """Carry out the opcodes, up to a limit that keeps previews quick."""
        from pickletools import genops  # most values are shown otherwise

        for number, (opcode, argument, _) in enumerate(genops(data)):
            if opcode.name == "STOP" or number >= _OPCODES_READ:
                self._is_whole = opcode.name == "STOP"
                return
            _DOES[opcode.name](self, argument)

    def named(self, module: str, name: str) -> Name:
        """Return what has a name, with the fields that are noted of it."""
        return Name(module, name, tuple(self._noted.get(f"{module}:{name}", ())))

    def found(self) -> object:
        """Return the part that was read, or what can be made of the beginning of one."""
        stack = self.stack
        if self._is_whole:
            return stack[-1] if stack else MORE
        stack.append(MORE)
        while self.marks:
            self.stack.append(self.since_mark())
        while len(stack) > 1:
            last = stack.pop()
            stack[-1] = _joined(stack[-1], last)
        return Group("tuple", stack[0]) if isinstance(stack[0], list) else stack[0]

    def since_mark(self) -> list[Any]:
        """Take off the parts above the last mark."""
        place = self.marks.pop()
        return self.taken(len(self.stack) - place)

    def taken(self, count: int) -> list[Any]:
        """Take off the last `count` parts."""
        place = len(self.stack) - count
        parts = self.stack[place:]
        del self.stack[place:]
        return parts


def _joined(holder: Any, part: Any) -> Any:
    """Return what holds a part that was about to be put into it, as far as that can be told."""
    parts = part if isinstance(part, list) else [part]
    if isinstance(holder, Name):
        return Made(holder, parts)
    if isinstance(holder, Group | Made) and (parts != [MORE] or isinstance(holder, Group)):
        holder.items.extend(parts)
    elif not isinstance(holder, Made):
        return Group("tuple", [*(holder if isinstance(holder, list) else [holder]), *parts])
    return holder


# What opcodes do -----------------------------------------------------------------------------


def _push(reader: _Reader, argument: object) -> None:
    reader.stack.append(argument)


def _constant(value: object) -> Callable[[_Reader, object], None]:
    return lambda reader, _: reader.stack.append(value)


def _empty(kind: str) -> Callable[[_Reader, object], None]:
    return lambda reader, _: reader.stack.append(Group(kind))


def _group_of(kind: str, count: int | None) -> Callable[[_Reader, object], None]:
    def group(reader: _Reader, _: object) -> None:
        parts = reader.since_mark() if count is None else reader.taken(count)
        reader.stack.append(Group(kind, parts))

    return group


def _add(count: int | None) -> Callable[[_Reader, object], None]:
    def add(reader: _Reader, _: object) -> None:
        parts = reader.since_mark() if count is None else reader.taken(count)
        reader.stack[-1].items.extend(parts)

    return add


def _set_items(count: int | None) -> Callable[[_Reader, object], None]:
    def add(reader: _Reader, _: object) -> None:
        parts = reader.since_mark() if count is None else reader.taken(count)
        holder = reader.stack[-1]
        (holder.pairs if isinstance(holder, Made) else holder.items).extend(parts)

    return add


def _mark(reader: _Reader, _: object) -> None:
    reader.marks.append(len(reader.stack))


def _global(reader: _Reader, argument: object) -> None:
    module, _, name = str(argument).partition(" ")
    reader.stack.append(reader.named(module, name))


def _stack_global(reader: _Reader, _: object) -> None:
    module, name = reader.taken(2)
    reader.stack.append(reader.named(str(module), str(name)))


def _make(reader: _Reader, _: object) -> None:
    by, arguments = reader.taken(2)
    reader.stack.append(Made(by, list(arguments.items)))


def _make_with_keywords(reader: _Reader, _: object) -> None:
    by, arguments, keywords = reader.taken(3)
    reader.stack.append(Made(by, list(arguments.items), list(keywords.items)))


def _make_named(reader: _Reader, argument: object) -> None:
    parts = reader.since_mark()
    _global(reader, argument)
    reader.stack.append(Made(reader.stack.pop(), parts))


def _make_first(reader: _Reader, _: object) -> None:
    by, *arguments = reader.since_mark()
    reader.stack.append(Made(by, arguments))


def _build(reader: _Reader, _: object) -> None:
    state = reader.stack.pop()
    if isinstance(reader.stack[-1], Made):
        reader.stack[-1].state = state


def _memoize(reader: _Reader, argument: object) -> None:
    place = len(reader.memo) if argument is None else int(str(argument))
    reader.memo[place] = reader.stack[-1]


def _recall(reader: _Reader, argument: object) -> None:
    reader.stack.append(reader.memo[int(str(argument))])


def _forget_marked(reader: _Reader, _: object) -> None:
    reader.since_mark()


def _pass(_: _Reader, __: object) -> None:
    pass


_NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
_TEXTS = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE")
_BYTES = ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINUNICODE8")

_DOES: dict[str, Callable[[_Reader, object], None]] = {
    **dict.fromkeys((*_NUMBERS, *_TEXTS, *_BYTES), _push),
    "PROTO": _pass,
    "FRAME": _pass,
    "READONLY_BUFFER": _pass,
    "NEXT_BUFFER": _constant(Name("", "buffer")),
    "PERSID": _push,
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "MARK": _mark,
    "POP": lambda reader, _: reader.stack.pop(),
    "POP_MARK": _forget_marked,
    "DUP": lambda reader, _: reader.stack.append(reader.stack[-1]),
    "EMPTY_LIST": _empty("list"),
    "EMPTY_TUPLE": _empty("tuple"),
    "EMPTY_DICT": _empty("dict"),
    "EMPTY_SET": _empty("set"),
    "LIST": _group_of("list", None),
    "TUPLE": _group_of("tuple", None),
    "TUPLE1": _group_of("tuple", 1),
    "TUPLE2": _group_of("tuple", 2),
    "TUPLE3": _group_of("tuple", 3),
    "DICT": _group_of("dict", None),
    "FROZENSET": _group_of("frozenset", None),
    "APPEND": _add(1),
    "APPENDS": _add(None),
    "ADDITEMS": _add(None),
    "SETITEM": _set_items(2),
    "SETITEMS": _set_items(None),
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _make,
    "NEWOBJ": _make,
    "NEWOBJ_EX": _make_with_keywords,
    "INST": _make_named,
    "OBJ": _make_first,
    "BUILD": _build,
    "MEMOIZE": _memoize,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _memoize),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _recall),
}
