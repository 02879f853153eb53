"""What is kept of fingerprints, and when it is worked out again."""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flowweaver import DefinitionError, Workflow, task
from flowweaver.fingerprint import CodeFingerprint, fingerprint_callable, forget_values

from .conftest import Project


def names(found: CodeFingerprint) -> list[str]:
    return [part.name for part in found.parts]


def digest(fn: Callable[..., object]) -> str:
    return fingerprint_callable(fn).digest


def test_first_part_is_the_callable_and_the_rest_is_sorted(project: Project) -> None:
    steps = project(
        steps="""
        def b(): return 1
        def a(): return b()
        def run(): return b(), a()
        """
    )
    assert names(fingerprint_callable(steps.run)) == ["steps.run", "steps.a", "steps.b"]


def test_what_is_not_callable_is_refused() -> None:
    with pytest.raises(DefinitionError, match="3 is not callable"):
        fingerprint_callable(3)  # type: ignore[arg-type]


def test_result_is_kept_for_a_function(project: Project) -> None:
    steps = project(steps="def run(): return 1\n")
    assert fingerprint_callable(steps.run) is fingerprint_callable(steps.run)


def test_task_stands_for_its_function(project: Project) -> None:
    steps = project(steps="def run(): return 1\n")
    assert fingerprint_callable(task(steps.run)) is fingerprint_callable(steps.run)


def test_workflow_that_a_body_runs_stands_for_its_tasks(project: Project) -> None:
    steps = project(
        steps="""
        from flowweaver import Workflow

        def part(): return 1

        inner = Workflow("inner", [part])

        def run(): return inner
        """
    )
    assert isinstance(steps.inner, Workflow)
    assert names(fingerprint_callable(steps.run)) == [
        "steps.run",
        "constant steps.inner",
        "steps.part",
    ]


def test_function_is_not_kept_alive() -> None:
    def make() -> Callable[[], object]:
        def inner() -> object:
            return inner

        return inner

    fn = make()
    fingerprint_callable(fn)
    gone = weakref.ref(fn)
    del fn
    gc.collect()
    assert gone() is None


def test_helper_defined_anew_is_seen(project: Project) -> None:
    steps = project(steps="def helper(): return 1\ndef run(): return helper()\n")
    before = digest(steps.run)
    steps.helper = lambda: 2
    assert digest(steps.run) != before


def test_constant_bound_anew_is_seen_and_bound_back_too(project: Project) -> None:
    steps = project(steps="LIMIT = 1\ndef run(): return LIMIT\n")
    before = digest(steps.run)
    steps.LIMIT = 2
    changed = digest(steps.run)
    steps.LIMIT = 1
    assert (changed != before, digest(steps.run)) == (True, before)


def test_name_defined_later_is_seen(project: Project) -> None:
    steps = project(steps="def run(): return later()\n")
    before = digest(steps.run)
    steps.later = lambda: 2
    assert digest(steps.run) != before


def test_value_changed_in_place_is_seen_once_values_are_forgotten(project: Project) -> None:
    steps = project(
        steps="""
        CONFIG = {"a": 1}

        class Held:
            x = [1]

        held = Held()

        def run(): return CONFIG

        def of_object(): return held
        """
    )
    before = [digest(steps.run), digest(steps.of_object)]
    steps.CONFIG["a"] = 2
    steps.held.y = 1
    assert [digest(steps.run), digest(steps.of_object)] == before
    forget_values()
    after = [digest(steps.run), digest(steps.of_object)]
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_value_not_changed_is_the_same_after_values_are_forgotten(project: Project) -> None:
    steps = project(steps="CONFIG = {'a': 1}\ndef run(): return CONFIG\n")
    before = fingerprint_callable(steps.run)
    forget_values()
    assert fingerprint_callable(steps.run) == before


FILLS = [
    "CACHE[key] = 1",
    "CACHE[key].x += 1",
    "del CACHE[key]",
    "CACHE.note(key)",
    "CACHE[key].append(1)",
    "x = CACHE.setdefault(key, [])",
    "x = next(CACHE)",
    "async def later(): await CACHE.put(key)",
]


@pytest.mark.parametrize("fill", FILLS)
def test_cache_that_the_code_fills_counts_as_it_was_first_seen(project: Project, fill: str) -> None:
    steps = project(steps=f"CACHE = {{}}\ndef run(key=1):\n    {fill}\n    return CACHE\n")
    before = digest(steps.run)
    steps.CACHE[2] = 3
    forget_values()
    assert digest(steps.run) == before


def test_cache_of_another_module_counts_as_it_was_first_seen(project: Project) -> None:
    files = {
        "caches": "CACHE = []\nOTHER = []\n",
        "steps": """
            import caches
            from caches import CACHE

            def run():
                CACHE.append(1)
                return caches.OTHER.pop()
            """,
    }
    steps = project(**files)
    before = digest(steps.run)
    steps.CACHE.append(2)
    steps.caches.OTHER.append(2)
    forget_values()
    assert digest(steps.run) == before


def recording(seen: list[int], tags: set[str], answers: Iterator[int]) -> Callable[[], int]:
    count = 0

    def run() -> int:
        nonlocal count
        count += 1
        seen.append(count)
        return next(answers) if tags.add("x") else 0

    return run


def test_what_a_closure_holds_for_the_code_to_fill_does_not_count() -> None:
    before = digest(recording([], set(), iter([1, 2])))
    used = recording([1, 2], {"x"}, iter([3]))
    assert digest(used) == before
    used()
    assert digest(used) == before


def test_counter_in_a_closure_counts_as_it_was_first_seen() -> None:
    def counting(start: int) -> Callable[[], int]:
        count = start

        def run() -> int:
            nonlocal count
            count += 1
            return count

        return run

    first, other = counting(1), counting(100)
    before = digest(first)
    first()
    assert digest(first) == before == digest(counting(1))
    assert digest(other) != before


def test_closure_that_is_only_read_counts_by_value() -> None:
    def weighing(weights: list[int]) -> Callable[[], int]:
        return lambda: sum(weights)

    assert digest(weighing([1])) != digest(weighing([2]))


def test_code_without_source_fills_its_closure_and_globals_too() -> None:
    def loaded(seen: list[int], cache: dict[str, int]) -> Callable[[], int]:
        names: dict[str, Any] = {"CACHE": cache}
        exec(
            "def make(seen):\n"
            "    count = 0\n"
            "    def run():\n"
            "        nonlocal count\n"
            "        count += 1\n"
            "        seen.append(1)\n"
            "        return CACHE.setdefault('x', count)\n"
            "    return run\n",
            names,
        )
        run: Callable[[], int] = names["make"](seen)
        return run

    cache: dict[str, int] = {}
    run = loaded([], cache)
    before = digest(run)
    run()
    forget_values()
    assert digest(run) == before
    assert digest(loaded([1], {})) == before


def test_method_put_in_later_is_seen(project: Project) -> None:
    steps = project(steps="class A:\n    def f(self): return 1\n\ndef run(): return A().f()\n")
    before = digest(steps.run)
    steps.A.f = lambda self: 2
    assert digest(steps.run) != before


def test_code_put_into_a_function_is_seen(project: Project) -> None:
    steps = project(steps="def run(): return 1\ndef other(): return 2\n")
    before = digest(steps.run)
    steps.run.__code__ = steps.other.__code__
    assert digest(steps.run) != before


def test_closure_bound_anew_is_seen() -> None:
    rate = 1

    def run() -> int:
        return rate

    before = digest(run)
    rate = 2
    assert digest(run) != before


def test_module_loaded_anew_is_seen(project: Project, tmp_path: Path) -> None:
    steps = project(steps="def run(): return 1\n")
    before = digest(steps.run)
    edit(tmp_path / "steps.py", "def run(): return 2\n")
    assert digest(importlib.reload(steps).run) != before


def edit(path: Path, text: str) -> None:
    """Write a file as if some time after it was last written."""
    later = path.stat().st_mtime + 10
    path.write_text(text)
    os.utime(path, (later, later))


def test_real_edit_of_a_loaded_file_is_not_taken_for_what_runs(
    project: Project, tmp_path: Path
) -> None:
    steps = project(steps="def run(): return 1\n")
    edit(tmp_path / "steps.py", "def run(): return 2\n")
    old = digest(steps.run)
    assert digest(importlib.reload(steps).run) != old


def test_cosmetic_edit_of_a_loaded_file_changes_nothing(project: Project, tmp_path: Path) -> None:
    steps = project(steps="def run():\n    return 1\n")
    before = digest(steps.run)
    edit(tmp_path / "steps.py", "# one\n\n\ndef run():\n    # two\n    return 1\n")
    fingerprint = fingerprint_callable(importlib.reload(steps).run)
    assert (fingerprint.digest, fingerprint.unseen) == (before, ())


def test_locally_imported_module_edited_on_disk_is_seen(project: Project, tmp_path: Path) -> None:
    steps = project(
        steps="def run():\n    from parts import piece\n    return piece()\n",
        parts="def piece(): return 1\n",
    )
    before = digest(steps.run)
    edit(tmp_path / "parts.py", "def piece(): return 2\n")
    assert digest(steps.run) != before


def test_locally_imported_module_edited_after_it_was_loaded_is_not_taken_for_what_runs(
    project: Project, tmp_path: Path
) -> None:
    steps = project(
        steps="def run():\n    from parts import piece\n    return piece()\n",
        parts="def piece(): return 1\n",
    )
    assert steps.run() == 1
    edit(tmp_path / "parts.py", "def piece(): return 2\n")
    old = digest(steps.run)
    importlib.reload(sys.modules["parts"])
    assert digest(steps.run) != old


def test_whether_a_local_import_is_loaded_makes_no_difference(project: Project) -> None:
    steps = project(
        steps="def run():\n    from parts import piece\n    return piece()\n",
        parts="SIZE = 3\nclass A:\n    x = SIZE\ndef piece(): return A().x\n",
    )
    before = digest(steps.run)
    assert "parts" not in sys.modules
    assert steps.run() == 3
    importlib.reload(steps)
    assert digest(steps.run) == before


def test_threads_get_the_same(project: Project) -> None:
    lines = [f"def f{i}(): return f{(i + 1) % 50}()\n" for i in range(50)]
    steps = project(steps="".join(lines))
    functions = [getattr(steps, f"f{i}") for i in range(50)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [digest(fn) for fn in functions], range(8)))
    assert all(each == found[0] for each in found)


def test_long_chain_of_helpers_is_followed_to_its_end(project: Project) -> None:
    lines = [f"def f{i}(): return f{i + 1}()\n" for i in range(2000)]
    steps = project(steps="".join([*lines, "def f2000(): return f0()\n"]))
    assert len(fingerprint_callable(steps.f0).parts) == 2001


@pytest.mark.parametrize("fn", [len, "".join, str.upper, dict, print, os.path.join])
def test_standard_library_counts_by_nothing_but_its_name(fn: Any) -> None:
    found = fingerprint_callable(fn)
    assert (len(found.parts), found.unseen) == (1, ())


def test_made_of_text_counts_by_its_bytecode() -> None:
    def made(text: str) -> CodeFingerprint:
        space: dict[str, Any] = {"__name__": "made"}
        exec(text, space)
        return fingerprint_callable(space["run"])

    one, same, two = (
        made("LIMIT = 1\ndef run(a=[1]): return LIMIT + 2\n"),
        made("LIMIT = 1\n\n# far\ndef run(a=[1]):\n    return LIMIT + 2\n"),
        made("LIMIT = 1\ndef run(a=[1]): return LIMIT + 3\n"),
    )
    assert one.digest == same.digest != two.digest
    assert names(one) == ["made.run", "constant made.LIMIT", "default a"]
    assert one.unseen == ()


def test_lone_surrogates_do_no_harm(project: Project) -> None:
    steps = project(
        steps="""
        import steps as me
        TEXT = "one\\ud800\\ntwo"

        def run(): return TEXT, getattr(me, "\\ud800", None)
        """
    )
    for part in fingerprint_callable(steps.run).parts:
        assert part.text.encode()


def test_without_a_file_it_is_the_same_in_each_process() -> None:
    program = (
        "from flowweaver.fingerprint import fingerprint_callable\n"
        "def run(): return {'a', 'b', 'c'}, run\n"
        "found = fingerprint_callable(run)\n"
        "print(found.digest, found.parts[0].name, len(found.unseen))\n"
    )
    outcomes = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outcomes) == 1
    assert outcomes.pop().split()[1] == "__main__.run"
