"""From objects to what they mean: wrappers, packages, modules, values that can't be seen into."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from flowweaver import SequentialExecutor, SQLiteStateStore, Task, Workflow
from flowweaver.fingerprint import CodeFingerprint, fingerprint_callable, forget_values

from .conftest import Project


def names(found: CodeFingerprint) -> list[str]:
    return [part.name for part in found.parts]


def unseen(fn: Callable[..., object]) -> list[str]:
    return [str(each) for each in fingerprint_callable(fn).unseen]


def reached(module: ModuleType) -> list[str]:
    return names(fingerprint_callable(module.run))[1:]


@pytest.fixture
def package(project: Project) -> Project:
    """Load a project beside an installed package of decorators, without a distribution."""

    def load(**files: str) -> ModuleType:
        wrappers = """
            import functools

            def plain(fn):
                def wrapper():
                    return fn()
                return wrapper

            def wrapping(fn):
                return functools.wraps(fn)(plain(fn))

            class Hiding:
                __slots__ = ("call",)

                def __init__(self, fn):
                    self.call = fn

                def __call__(self):
                    return self.call()

                def __reduce__(self):
                    raise TypeError

            def swallowing(fn):
                return len
            """
        return project({"site-packages/wrappers": wrappers}, **files)

    return load


@pytest.mark.parametrize("decorator", ["plain", "wrapping", "Hiding"])
def test_function_in_a_wrapper_of_a_package_is_reached(package: Project, decorator: str) -> None:
    steps = package(
        steps=f"""
        import wrappers

        @wrappers.{decorator}
        def helper():
            return 1

        def run():
            return helper()
        """
    )
    assert {"steps.helper", "package wrappers"} <= {*reached(steps)}


def test_wrapper_is_the_callable_itself_and_reaches_the_function(package: Project) -> None:
    steps = package(steps="from wrappers import plain\n\n@plain\ndef run(): return 1\n")
    assert names(fingerprint_callable(steps.run)) == [
        "wrapper wrappers.plain.<locals>.wrapper",
        "package wrappers",
        "steps.run",
    ]


def test_package_without_a_distribution_counts_by_its_files(package: Project) -> None:
    steps = package(steps="import wrappers\n\ndef run(): return wrappers.plain\n")
    found = fingerprint_callable(steps.run)
    assert found.parts[1].text.startswith("wrappers (no version) ")
    assert found.unseen == ()


def test_missing_module_imported_in_a_body_is_a_part(project: Project) -> None:
    steps = project(steps="def run():\n    import not_there.at_all\n    return not_there\n")
    assert reached(steps) == ["package not_there"]


def test_standard_library_and_flowweaver_count_for_nothing(project: Project) -> None:
    steps = project(
        steps="""
        import json
        from os import environ
        from sys import argv
        from flowweaver import current_task

        def run():
            import xml.dom.minidom
            return json.dumps(1), environ, argv, current_task, xml.dom.minidom
        """
    )
    assert reached(steps) == []


def test_constant_is_named_where_it_is_made(project: Project) -> None:
    steps = project(
        steps="from middle import SIZE\n\ndef run(): return SIZE\n",
        middle="from config import LIMIT as SIZE\n",
        config="LIMIT = 3\n",
    )
    assert reached(steps) == ["constant config.LIMIT"]


def test_what_a_name_means_is_told_with_the_text(project: Project) -> None:
    steps = project(
        steps="from one import f as g\n\ndef run(): return g()\n", one="def f(): return 1\n"
    )
    assert fingerprint_callable(steps.run).parts[0].text.splitlines()[-1] == "# g: one.f"


def test_local_import_that_is_not_used_reaches_nothing(project: Project) -> None:
    steps = project(
        steps="def run():\n    import parts\n    from parts import piece\n    return 1\n",
        parts="def piece(): return 1\n",
    )
    assert reached(steps) == []


def test_attributes_of_packages_and_submodules_are_followed(project: Project) -> None:
    steps = project(
        steps="import pkg.sub\n\ndef run(): return pkg.sub.inner.f()\n",
        files={
            "pkg/__init__": "",
            "pkg/sub/__init__": "from . import inner\n",
            "pkg/sub/inner": "def f(): return 1\ndef g(): return 2\n",
        },
    )
    assert reached(steps) == ["pkg.sub.inner.f"]


def test_attribute_that_a_module_makes_reaches_what_makes_it(project: Project) -> None:
    steps = project(
        steps="import lazy\n\ndef run(): return lazy.anything\n",
        lazy="def __getattr__(name): return 1\n",
    )
    assert reached(steps) == ["lazy.__getattr__"]


HELD_OPEN = """
    import sqlite3

    def connect():
        return sqlite3.connect(":memory:")

    client = connect()
    client.isolation_level = None

    def run():
        return client
    """


def test_global_that_can_not_be_seen_into_is_said_and_counts_by_its_definition(
    project: Project,
) -> None:
    steps = project(steps=HELD_OPEN)
    found = fingerprint_callable(steps.run)
    assert [(part.name, part.text) for part in found.parts[2:]] == [
        ("definition steps.client", "client = connect()"),
        ("definition steps.client (2)", "client.isolation_level = None"),
        ("steps.connect", 'def connect():\n    return sqlite3.connect(":memory:")'),
    ]
    assert unseen(steps.run) == ["the state of sqlite3.Connection in steps.client"]
    steps.client.close()


def test_closure_that_can_not_be_seen_into_is_said(project: Project) -> None:
    steps = project(
        steps="""
        import sqlite3

        def make():
            client = sqlite3.connect(":memory:")
            def inner():
                return client
            return inner

        run = make()
        """
    )
    assert unseen(steps.run) == [
        "the state of sqlite3.Connection in closure client of steps.make.<locals>.inner"
    ]
    steps.run().close()


def test_rest_of_an_object_counts_beside_what_can_not_be_seen(project: Project) -> None:
    steps = project(
        steps="""
        import socket

        class Held:
            def __init__(self, mark):
                self.client = socket.socket()
                self.mark = mark

        held = Held({})

        def run():
            return held
        """
    )
    before = fingerprint_callable(steps.run).digest
    steps.held.mark = {1}
    forget_values()
    assert fingerprint_callable(steps.run).digest != before
    steps.held.client.close()


def test_tasks_in_a_table_are_reached(project: Project) -> None:
    steps = project(
        steps="""
        from flowweaver import Workflow, task

        def part(): return 1

        @task
        def other(): return 2

        TABLE = {"flow": Workflow("inner", [part]), "task": other}

        def run(): return TABLE
        """
    )
    assert reached(steps) == ["constant steps.TABLE", "steps.other", "steps.part"]


def test_object_is_named_where_it_is_made(project: Project) -> None:
    steps = project(
        steps="from config import settings\n\ndef run(): return settings\n",
        config="class Settings: pass\n\nsettings = Settings()\n",
    )
    assert reached(steps) == ["config.Settings", "constant config.settings"]


def test_locks_and_loggers_have_no_state_that_matters(project: Project) -> None:
    steps = project(
        steps="""
        import logging
        import threading

        class Held:
            def __init__(self):
                self.lock = threading.Lock()
                self.log = logging.getLogger("held")

        held = Held()

        def run():
            return held
        """
    )
    assert fingerprint_callable(steps.run).unseen == ()


def test_global_set_in_passing_counts_by_its_definition(project: Project) -> None:
    steps = project(
        steps="""
        model = None

        def load():
            global model
            model = model or object()
            return model

        def run():
            return load()
        """
    )
    before = fingerprint_callable(steps.run).digest
    steps.run()
    assert fingerprint_callable(steps.run).digest == before


def test_random_state_does_not_differ_from_process_to_process(project: Project) -> None:
    steps = project(
        steps="import random\n\nsource = random.Random()\n\ndef run(): return source.random()\n"
    )
    before = fingerprint_callable(steps.run).digest
    steps.source.random()
    steps.source = type(steps.source)()
    assert fingerprint_callable(steps.run).digest == before


@pytest.mark.parametrize("call", ["eval(text)", "exec(text)", "import_module(text)"])
def test_what_is_found_by_a_name_known_at_run_time_is_said(project: Project, call: str) -> None:
    steps = project(
        steps=f"from importlib import import_module\n\ndef run(text='1'): return {call}\n"
    )
    assert unseen(steps.run) == [f"{call.partition('(')[0]}(...) in steps.run"]


def test_object_that_acts_when_asked_for_its_class_is_left_alone(project: Project) -> None:
    steps = project(
        steps="""
        class Proxy:
            @property
            def __class__(self):
                raise RuntimeError("asked outside of a request")

        proxy = Proxy()

        def run():
            return proxy
        """
    )
    assert {"constant steps.proxy", "steps.Proxy"} <= {*reached(steps)}


def test_classes_and_instances_are_told_apart(project: Project) -> None:
    steps = project(
        steps="""
        class A:
            def f(self): return 1

        one = A()

        def run(): return one

        def of_class(): return A
        """
    )
    assert reached(steps) == ["constant steps.one", "steps.A", "steps.A.f"]
    assert names(fingerprint_callable(steps.of_class)) == ["steps.of_class", "steps.A", "steps.A.f"]


def test_subclasses_count_where_code_asks_for_them(project: Project) -> None:
    steps = project(
        steps="""
        class Base: pass
        class A(Base):
            def f(self): return 1
        class B(A): pass

        def run(): return Base.__subclasses__()
        """
    )
    assert {"steps.A", "steps.A.f", "steps.B"} <= {*reached(steps)}


@pytest.mark.parametrize("also_loaded", [False, True])
def test_value_is_of_the_import_that_gave_it(project: Project, also_loaded: bool) -> None:
    steps = project(
        {
            "site-packages/fw_live_fast": "LIMITS = [1]\n",
            "site-packages/fw_live_slow": "LIMITS = [2]\n",
        },
        steps="""
            try:
                from fw_live_fast import LIMITS
            except ImportError:
                from fw_live_slow import LIMITS

            def run():
                return LIMITS
            """,
    )
    if also_loaded:
        importlib.import_module("fw_live_slow")
    assert reached(steps) == ["package fw_live_fast"]


nameless = ModuleType("nameless")
nameless.number = 1  # type: ignore[attr-defined]
del nameless.__name__


def of_the_nameless() -> int:
    return int(nameless.number) + len(vars(nameless))


def test_module_without_a_name_counts_like_any_other(tmp_path: Path) -> None:
    executor = SequentialExecutor(state_store=SQLiteStateStore(tmp_path / "state.db"))
    workflow = Workflow("w", [Task("t", of_the_nameless)])
    made = executor.execute(workflow)["t"]
    nameless.number = 2  # type: ignore[attr-defined]
    assert executor.execute(workflow)["t"] == made + 1
