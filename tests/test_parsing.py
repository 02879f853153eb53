"""Sources are parsed whatever garbage is collected meanwhile."""

from __future__ import annotations

import ast
import gc

from flowweaver.parsing import parsed


class ParsesAtItsEnd:
    """Garbage whose finalizer parses, from deeper within than those who parse otherwise."""

    def __init__(self) -> None:
        self.cycle = self

    def __del__(self) -> None:
        def deeper(steps: int) -> None:
            if steps:
                deeper(steps - 1)
            else:
                ast.parse("a = 1")

        deeper(20)


def test_source_is_parsed_while_garbage_is_collected_that_parses() -> None:
    text = "def f(a, b):\n" + "    return [a + b, a * b, {a: b}]\n" * 200
    before = gc.get_threshold()
    gc.collect()
    ParsesAtItsEnd()
    gc.set_threshold(50)
    try:
        tree = parsed(text)
    finally:
        gc.set_threshold(*before)
    assert ast.dump(tree) == ast.dump(ast.parse(text))
