"""Random projects of several modules, made of shapes; and what an edit of one thing concerns.

Each symbol of a program is something that can be called and gives its own number, plus what the
symbols give that it uses. So an edit of a number concerns just the symbols that reach it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from textwrap import dedent

# How a symbol can be made: `name` is its name, `number` its own number, `rest` what it adds.
_KINDS = (
    "def {name}(): return {number} + {rest}",
    "{name} = lambda: {number} + {rest}",
    "def {name}(x={number}): return x + {rest}",
    "def {name}(*, x={number} * 1): return x + {rest}",
    "def {name}(): return {name}.number + {rest}\n{name}.number = {number}",
    "{name}_n = [{number}]\ndef {name}(): return {name}_n[0] + {rest}",
    """
    from decimal import Decimal
    {name}_n = Decimal({number})
    def {name}(): return int({name}_n) + {rest}
    """,
    """
    from functools import partial
    def {name}_f(x): return x + {rest}
    {name} = partial({name}_f, {number})
    """,
    """
    def {name}_make(x):
        def inner(): return x + {rest}
        return inner
    {name} = {name}_make({number})
    """,
    """
    class {name}_C:
        number = {number}
        def __call__(self): return self.number + {rest}
    {name} = {name}_C()
    """,
    """
    class {name}_C:
        def __init__(self, x): self.x = x
        def get(self): return self.x + {rest}
    {name} = {name}_C({number}).get
    """,
    """
    class {name}_C: pass
    {name}_C.number = {number}
    def {name}(): return {name}_C.number + {rest}
    """,
    """
    class {name}_B:
        kinds = []
        def __init_subclass__(cls): {name}_B.kinds.append(cls)
    class {name}_K({name}_B):
        def get(self): return {number} + {rest}
    def {name}(): return {name}_B.kinds[0]().get()
    """,
    """
    {name}_T = {{}}
    def {name}_add(fn): {name}_T["f"] = fn
    @{name}_add
    def {name}_f(): return {number} + {rest}
    def {name}(): return {name}_T["f"]()
    """,
    """
    import dataclasses
    @dataclasses.dataclass(frozen=True, slots=True)
    class {name}_D:
        x: int = {number}
    def {name}(): return {name}_D().x + {rest}
    """,
    """
    import attrs
    @attrs.frozen
    class {name}_A:
        x: int = {number}
    def {name}(): return {name}_A().x + {rest}
    """,
    """
    import pydantic
    class {name}_M(pydantic.BaseModel):
        x: int = {number}
    def {name}(): return {name}_M().x + {rest}
    """,
    """
    from collections import namedtuple
    {name}_P = namedtuple("{name}_P", "x", defaults=({number},))
    def {name}(): return {name}_P().x + {rest}
    """,
    """
    import enum
    class {name}_E(enum.Enum):
        A = {number}
    def {name}(): return {name}_E.A.value + {rest}
    """,
    "import functools\n@functools.lru_cache\ndef {name}(): return {number} + {rest}",
    "import tenacity\n@tenacity.retry\ndef {name}(): return {number} + {rest}",
    "import cachetools\n@cachetools.cached({{}})\ndef {name}(): return {number} + {rest}",
    "import toolz\n@toolz.curry\ndef {name}(): return {number} + {rest}",
    """
    import cytoolz
    def {name}_f(x): return x + {number} + {rest}
    def {name}_zero(x): return 0
    {name}_g = cytoolz.compose({name}_f, {name}_zero)
    def {name}(): return {name}_g(1)
    """,
    """
    import yaml
    class {name}_L(yaml.SafeLoader): pass
    def {name}_c(loader, node): return {number} + {rest}
    {name}_L.add_constructor("!x", {name}_c)
    def {name}(): return yaml.load("!x 1", {name}_L)
    """,
    """
    import wrapt
    @wrapt.decorator
    def {name}_w(wrapped, instance, args, kwargs): return wrapped() + {number}
    @{name}_w
    def {name}(): return {rest}
    """,
)


@dataclass(frozen=True, slots=True)
class Program:
    """A project before and after one edit; `concerned` are the symbols of `symbols` it reaches."""

    before: dict[str, str]
    after: dict[str, str]
    symbols: tuple[str, ...]
    concerned: frozenset[str]


def program(seed: int, modules: int = 4, each: int = 5) -> Program:
    """Return a random program; the same for the same seed."""
    rng = random.Random(seed)
    uses: dict[str, list[str]] = {}
    texts: dict[str, list[str]] = {f"m{m}": [] for m in range(modules)}
    numbers: dict[str, int] = {}
    for module, text in texts.items():
        for place in range(each):
            name = f"{module}_s{place}"
            uses[name] = rng.sample([*uses], min(len(uses), rng.randrange(3)))
            numbers[name] = rng.randrange(100, 999)
            text.append(_symbol(rng, name, module, uses[name]))
    edited = rng.choice([*uses])
    before = _written(texts, numbers)
    after = _written(texts, {**numbers, edited: numbers[edited] + 1000})
    concerned = frozenset(name for name in uses if edited in _reached(name, uses))
    return Program(before, after, tuple(uses), concerned)


def _symbol(rng: random.Random, name: str, module: str, uses: list[str]) -> str:
    """Return a symbol's definition, with its number still to be put in."""
    imports, calls = [], []
    for other in uses:
        home = other.partition("_")[0]
        way = 0 if home == module else rng.randrange(1, 4)
        imports += ["", f"import {home}", f"from {home} import {other}", ""][way : way + 1]
        calls.append(
            (f"{other}()", f"{home}.{other}()", f"{other}()", f"__import__('{home}').{other}()")[
                way
            ]
        )
    kind = dedent(rng.choice(_KINDS)).strip("\n")
    text = kind.format(name=name, number=f"<{name}>", rest=" + ".join([*calls, "0"]))
    return "\n".join([*filter(None, imports), text])


def _written(texts: dict[str, list[str]], numbers: dict[str, int]) -> dict[str, str]:
    files = {}
    for module, parts in texts.items():
        text = "\n\n".join(parts) + "\n"
        for name, number in numbers.items():
            text = text.replace(f"<{name}>", str(number))
        files[f"{module}.py"] = text
    return files


def _reached(name: str, uses: dict[str, list[str]]) -> set[str]:
    reached, waiting = set(), [name]
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.add(each)
            waiting += uses[each]
    return reached
