"""Small projects on disk, imported and forgotten again."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

Project = Callable[..., ModuleType]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Write modules, by their names or their paths, and import the one called ``steps``."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "site-packages"))
    known = {*sys.modules}

    def load(files: Mapping[str, str] | None = None, **modules: str) -> ModuleType:
        for name, text in {**(files or {}), **modules}.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text).lstrip("\n"))
        importlib.invalidate_caches()
        return importlib.import_module("steps")

    yield load
    for name in {*sys.modules} - known:
        del sys.modules[name]
