"""How the tests get at the examples."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

from flowweaver import Task

EXAMPLES = Path(__file__).parents[2] / "examples"


def load_example(file: str) -> ModuleType:
    """Import an example afresh, with no state left from an earlier import."""
    name = file.removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def with_body(task: Task[..., Any], body: Callable[..., Any]) -> Task[..., Any]:
    """Return a task like `task` whose function is `body`."""
    options = {item.name: getattr(task.options, item.name) for item in fields(task.options)}
    edges = {"depends_on": task.depends_on, "inputs": task.inputs}
    return Task(task.name, body, **options, **edges)
