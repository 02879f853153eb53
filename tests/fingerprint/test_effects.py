"""What modules do to installed packages: for which tasks it counts."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from flowweaver.fingerprint import fingerprint_callable, forget_values, settle_values, sources
from flowweaver.fingerprint.effects import effects_present
from flowweaver.fingerprint.owners import Owner, owner_of_file
from flowweaver.fingerprint.versions import needed_by

STEPS = """
    import yaml
    import json

    def reading(): return yaml.safe_load("a: 1")
    def plain(): return json.loads("1")
    """
POINT = """
    import {module}
    def point(loader, node): return {number}
    {module}.{register}("!point", point)
    """


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "steps_of_effects.py").write_text(dedent(STEPS))
    yield tmp_path
    for name in ("steps_of_effects", "handing", "registry_of_effects", "plug_of_effects"):
        sys.modules.pop(name, None)
    forget_values()


def loaded(folder: Path, name: str, text: str = "") -> ModuleType:
    if text:
        (folder / f"{name}.py").write_text(dedent(text))
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    forget_values()
    return module


def test_what_is_handed_over_counts_for_what_reaches_the_package_alone(folder: Path) -> None:
    steps = loaded(folder, "steps_of_effects")
    reading, plain = fingerprint_callable(steps.reading), fingerprint_callable(steps.plain)
    text = POINT.format(module="yaml", register="add_constructor", number=1)
    loaded(folder, "handing", text)
    after = fingerprint_callable(steps.reading)
    assert after.digest != reading.digest
    assert "handing.point" in {part.name for part in after.parts}
    assert fingerprint_callable(steps.plain) == plain


def test_only_files_of_the_project_are_read_for_what_statements_mean(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_known", known := {})
    text = """
        from json import JSONDecoder
        from flowweaver import Workflow, task
        from tenacity import Retrying
        from steps_of_effects import reading

        @task
        def read(): return reading()

        WORKFLOW = Workflow("w", [read])
        RETRYING = Retrying()
        DECODER = JSONDecoder()
        """
    module = loaded(folder, "handing", text)
    fingerprint_callable(module.read)
    effects_present()
    main = getattr(sys.modules["__main__"], "__file__", None)  # pytest's own here
    read = {name for name, (_, source) in known.items() if source is not None} - {main}
    assert str(folder / "handing.py") in read
    assert not [name for name in read if owner_of_file(name) is not Owner.PROJECT]


@pytest.mark.parametrize(
    "text",
    [
        "import logging\nlogging.basicConfig(level=10)",
        "import yaml\nif __name__ == '__main__':\n    yaml.add_constructor('!x', print)",
        "import functools\n@functools.wraps(len)\ndef f(): return 1",
        "import attrs\n@attrs.define\nclass A:\n    x: int = 1",
        "import tenacity, yaml\n@tenacity.retry\ndef f(): return yaml.safe_load('1')",
        "import yaml\nclass Mine(yaml.SafeLoader):\n    x: int = 1",
        "import yaml\nTABLE = yaml.safe_load('a: 1')\nLOADER = yaml.SafeLoader('1')",
        "import yaml\ndef load():\n    return yaml.safe_load('1')\nTABLE = [load() for _ in '1']",
        "import random, yaml\ndef load():\n    random.random()\n    return 1\nTABLE = load()",
        "import yaml\nADD = lambda tag: yaml.add_constructor(tag, print)",
    ],
    ids=[
        *["logging", "script", "standard wrapper", "fields", "wrapper", "subclass"],
        *["values", "value of a function", "what a function calls", "made later"],
    ],
)
def test_what_hands_nothing_over_counts_for_no_other_task(folder: Path, text: str) -> None:
    steps = loaded(folder, "steps_of_effects")
    before = fingerprint_callable(steps.reading)
    loaded(folder, "handing", text)
    assert fingerprint_callable(steps.reading) == before


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nTABLE = np.append(np.zeros(3), 1)",
        "import pandas as pd\nFRAME = pd.DataFrame({'a': [1]}).set_index('a')",
        "import sqlalchemy as sa\nENGINE = sa.create_engine('sqlite://')",
        "import fastapi\napp = fastapi.FastAPI()",
        "import numpy as np\nwith np.errstate(all='ignore'):\n    X = np.float64(1) / 3",
    ],
    ids=["array", "frame", "engine", "application", "entered"],
)
def test_what_is_made_by_installed_code_is_no_effect_on_it(folder: Path, text: str) -> None:
    loaded(folder, "handing", text)
    assert "done in handing" not in {effect.thing.name for effect in effects_present()}


def test_module_that_a_body_loads_while_it_runs_changes_nothing(folder: Path) -> None:
    steps = loaded(folder, "steps_of_effects")
    before = fingerprint_callable(steps.reading)
    text = POINT.format(module="yaml", register="add_constructor", number=1)
    (folder / "handing.py").write_text(dedent(text))
    importlib.invalidate_caches()
    importlib.import_module("handing")
    settle_values()
    forget_values()
    assert fingerprint_callable(steps.reading) == before


def test_what_a_module_loaded_in_a_body_fills_is_no_change_for_the_next_run(folder: Path) -> None:
    registry = "HANDLERS = {}\ndef register(fn): return HANDLERS.setdefault(fn.__name__, fn)\n"
    (folder / "registry_of_effects.py").write_text(registry)
    plug = "from registry_of_effects import register\n@register\ndef a(): return 1\n"
    (folder / "plug_of_effects.py").write_text(plug)
    text = """
        import registry_of_effects
        def running():
            import plug_of_effects
            return registry_of_effects.HANDLERS["a"]()
        """
    running = loaded(folder, "steps_of_effects", text).running
    before = fingerprint_callable(running)
    assert running() == 1
    settle_values()
    forget_values()
    assert fingerprint_callable(running) == before


def test_module_that_is_given_its_file_late_counts_from_then_on(folder: Path) -> None:
    steps = loaded(folder, "steps_of_effects")
    path = folder / "handing.py"
    path.write_text(dedent(POINT.format(module="yaml", register="add_constructor", number=1)))
    module = sys.modules["handing"] = ModuleType("handing")
    forget_values()
    before = fingerprint_callable(steps.reading)
    exec(compile(path.read_bytes(), path, "exec"), vars(module))
    module.__file__ = str(path)
    forget_values()
    assert fingerprint_callable(steps.reading).digest != before.digest


def test_module_that_is_dropped_or_replaced_counts_no_more(folder: Path) -> None:
    steps = loaded(folder, "steps_of_effects")
    before = fingerprint_callable(steps.reading)
    text = POINT.format(module="yaml", register="add_constructor", number=1)
    loaded(folder, "handing", text)
    with_it = fingerprint_callable(steps.reading)
    assert with_it != before
    sys.modules["handing"] = ModuleType("handing")
    forget_values()
    assert fingerprint_callable(steps.reading) == before
    del sys.modules["handing"]
    loaded(folder, "handing", text)
    assert fingerprint_callable(steps.reading) == with_it


def test_what_packages_need_is_asked_only_where_it_decides(folder: Path) -> None:
    steps = loaded(folder, "steps_of_effects")
    needed_by.cache_clear()
    fingerprint_callable(steps.reading)
    text = POINT.format(module="yaml", register="add_constructor", number=1)
    loaded(folder, "handing", text)
    fingerprint_callable(steps.reading)
    assert needed_by.cache_info().misses == 0
    fingerprint_callable(steps.plain)
    assert needed_by.cache_info().misses > 0


REGISTRY = """
    HANDLERS = {}
    def register(fn):
        HANDLERS[fn.__name__] = fn
        return fn
    def timed(fn): return lambda: fn()
    class Base: pass
    def norm(value): return value
    """
LOADING = """
    def running():
        import registry_of_effects, plug_of_effects
        return registry_of_effects.HANDLERS
    """


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("@registry.register\ndef a(): return {}", True),
        ("@registry.timed\ndef a(): return {}", False),
        ("class A(registry.Base): x = {}", False),
        ("X = registry.norm({})", False),
        ("X = [{}]\nX.append(1)", False),
        ("import logging\nlogging.getLogger('mine').setLevel({})", False),
        ("import yaml\nX = yaml.SafeLoader('{}')", False),
        ("import yaml\ndef setup(): yaml.add_constructor('!e', {})", False),
        ("import enum\nclass A(enum.Enum):\n    x = {}", False),
    ],
    ids=[
        *["registered", "wrapped", "derived", "value", "its own", "logging", "installed value"],
        *["not called", "enumeration"],
    ],
)
def test_module_loaded_in_a_body_counts_with_what_it_does_to_others(
    folder: Path, text: str, counts: bool
) -> None:
    (folder / "registry_of_effects.py").write_text(dedent(REGISTRY))
    (folder / "loading_of_effects.py").write_text(dedent(LOADING))
    seen = set()
    for number in (1, 2):
        plug = f"import registry_of_effects as registry\n{text.format(number)}\n"
        (folder / "plug_of_effects.py").write_text(plug)
        sys.modules.pop("loading_of_effects", None)
        steps = loaded(folder, "loading_of_effects")
        seen.add(fingerprint_callable(steps.running).digest)
    sys.modules.pop("loading_of_effects", None)
    assert (len(seen) == 2) is counts
