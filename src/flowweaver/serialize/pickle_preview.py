"""What a pickle holds, told from its opcodes alone."""

from __future__ import annotations

from collections.abc import Iterator
from pickletools import genops

from flowweaver.serialize.describe import clean, contained, shorten, size_text

_BYTES_READ = 4_096
_CONTAINERS = {"EMPTY_LIST": "list", "EMPTY_DICT": "dict", "EMPTY_SET": "set", "MARK": "tuple"}
_TEXTS = frozenset({"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"})
_FRAMING = frozenset({"PROTO", "FRAME"})
# How bound methods, and members of enums in an early Python 3.11, are found, whatever they are of.
_MEANS = "builtins.getattr"


def preview_pickle(data: bytes) -> str:
    """Return "<pickle, 1.2 KB: module.Class>"; nothing is loaded, whatever the bytes say."""
    found: list[str] = []
    # Cut short, and perhaps no pickle at all: what was read until then is shown.
    contained(lambda: found.extend([_container(data)]))
    contained(lambda: found.extend([next(name for name in _globals(data) if name != _MEANS)]))
    names = " of ".join(filter(None, found))
    size = size_text(len(data))
    return f"<pickle, {size}: {shorten(clean(names), 120)}>" if names else f"<pickle, {size}>"


def _container(data: bytes) -> str:
    """Return "list", "dict" or so if the value is one, else ""."""
    opcodes = genops(data[:_BYTES_READ])
    first = next(opcode.name for opcode, _, _ in opcodes if opcode.name not in _FRAMING)
    return _CONTAINERS.get(first, "")


def _globals(data: bytes) -> Iterator[str]:
    """Yield the "module.name" of each global in the order the pickle asks for them."""
    texts: list[str | None] = []
    memo: list[str | None] = []
    top: str | None = None
    for opcode, arg, _ in genops(data[:_BYTES_READ]):
        if opcode.name == "MEMOIZE":
            memo.append(top)
        elif opcode.name == "GLOBAL":
            yield str(arg).replace(" ", ".")
        elif opcode.name == "STACK_GLOBAL":
            yield f"{texts[-2]}.{texts[-1]}"
        elif opcode.name in _TEXTS:
            top = str(arg)
            texts.append(top)
        elif opcode.name == "BINGET":
            top = memo[int(str(arg))]
            texts.append(top)
        elif opcode.name not in _FRAMING:
            top = None
