"""Which modules import which: read from the source, imports for types and in functions included."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import flowweaver
from flowweaver.parsing import parsed

PACKAGE = Path(__file__).parents[1] / "src" / "flowweaver"

# The wings and rooms from the top of the house to its ground. Each imports from below alone.
FLOORS = (
    "__main__",
    "cli",
    "ui",
    "report",
    "observers",
    "testing",
    "executors",
    "stores",
    "plugins",
    "steps",
    "engine",
    "definitions",
    "fingerprint",
    "files",
    "events",
    "run",
    "frozen",
    "run_source",
    "planned",
    "reasons",
    "facts",
    "shown",
    "which_run",
    "state_store",
    "records",
    "blueprint",
    "serialize",
    "secret",
    "masking",
    "forks",
    "lazy",
    "introspection",
    "parsing",
    "names",
    "main_module",
    "graph",
    "cache_scope",
    "raised",
    "status",
    "syncing",
    "errors",
    "version",
)

# What a plug-in imports; see "Plug-ins" in docs/reference.md.
PUBLIC_ROOMS = ("errors", "events", "plugins", "records", "serialize", "status", "syncing")
PUBLIC = {f"flowweaver.{name}" for name in PUBLIC_ROOMS}

# What a room below offers and one above does, by name and called late: see `lazy.late`.
CALLED_LATE = {
    ("definitions", "engine"),  # Workflow.plan
    ("serialize", "fingerprint"),  # what a class means
    ("engine", "observers"),  # progress, where nobody asked for another observer
    ("shown", "report"),  # runs, plans and workflows as text, picture and page
}

# Private names of other packages that one here has, too.
OF_OTHERS = {("flowweaver.executors._cluster.on_dask", "self._client._run")}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


TREES = {name_of(path): parsed(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(module: str) -> Iterator[str]:
    """Yield the modules of FlowWeaver that one of them imports, wherever the import stands."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("flowweaver"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowweaver"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in TREES else str(node.module)


IMPORTS = {module: set(imports_of(module)) for module in TREES}


def wing_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "flowweaver"


def test_every_wing_has_its_floor() -> None:
    assert {*map(wing_of, TREES)} - {"flowweaver"} == {*FLOORS}


def test_nothing_is_imported_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_public_exceptions_are_called_by_the_name_that_users_import() -> None:
    public = [getattr(flowweaver, name) for name in flowweaver.__all__]
    raised = [each for each in public if isinstance(each, type) and issubclass(each, Exception)]
    assert {each.__module__ for each in raised} == {"flowweaver"}
    assert [pickle.loads(pickle.dumps(each)) for each in raised] == raised


def test_imports_run_downwards_only() -> None:
    upward = {
        (module, imported)
        for module in TREES
        if module != "flowweaver"
        for imported in IMPORTS[module]
        if imported == "flowweaver"
        or FLOORS.index(wing_of(module)) > FLOORS.index(wing_of(imported))
    }
    assert upward == set()


def test_little_is_called_above_and_by_name_only() -> None:
    late = {
        (wing_of(module), str(node.args[0].value).split(".")[0])
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "late"
        and isinstance(node.args[0], ast.Constant)
    }
    assert late == CALLED_LATE


@pytest.mark.parametrize("wing", ["executors", "observers", "stores"])
def test_what_comes_with_flowweaver_imports_what_a_plugin_could(wing: str) -> None:
    foreign = {
        (module, imported)
        for module in TREES
        if wing_of(module) == wing
        for imported in IMPORTS[module]
        if imported not in PUBLIC and wing_of(imported) != wing
    }
    assert foreign == set()


def test_codecs_need_nothing_of_the_engine() -> None:
    codecs = [module for module in TREES if wing_of(module) == "serialize"]
    needed = set().union(*map(IMPORTS.__getitem__, codecs))
    ground = {"errors", "lazy", "main_module", "masking", "secret", "serialize", "syncing"}
    assert {*map(wing_of, needed)} == ground


def private_names_of(tree: ast.AST) -> set[str]:
    """Return the private names that the classes of a module define or set on themselves."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    names = set()
    for node in (node for each in classes for node in ast.walk(each)):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and is_own(node):
            names.add(node.attr)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if is_private(name)}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def test_private_attributes_are_read_in_their_own_room_alone() -> None:
    owned = {module: private_names_of(tree) for module, tree in TREES.items()}
    everywhere = set().union(*owned.values())
    foreign = {
        (module, ast.unparse(node))
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and not is_own(node)
        if node.attr in everywhere - owned[module]
    }
    assert foreign - OF_OTHERS == set()


def test_private_names_are_imported_by_nobody() -> None:
    taken = {
        (module, alias.name)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowweaver")
        for alias in node.names
        if is_private(alias.name)
    }
    assert taken == set()
