"""Which modules import which: read from the source, the imports for types included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "flowweaver"
MODULES = {
    ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# What a plug-in imports; see "Plug-ins" in docs/reference.md.
PUBLIC_ROOMS = ("errors", "events", "plugins", "records", "serialize", "status")
PUBLIC = {f"flowweaver.{name}" for name in PUBLIC_ROOMS}


def imports_of(module: str) -> Iterator[str]:
    """Yield the modules of FlowWeaver that one of them imports, wherever the import stands."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("flowweaver"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flowweaver"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


@pytest.mark.parametrize("wing", ["executors", "observers", "stores"])
def test_what_comes_with_flowweaver_imports_what_a_plugin_could(wing: str) -> None:
    own = f"flowweaver.{wing}"
    foreign = {
        (module, imported)
        for module in MODULES
        if module.startswith(own)
        for imported in imports_of(module)
        if imported not in PUBLIC and not imported.startswith(own)
    }
    assert foreign == set()


def test_codecs_need_nothing_of_the_engine() -> None:
    own = "flowweaver.serialize"
    imported = {name for module in MODULES if module.startswith(own) for name in imports_of(module)}
    assert {name for name in imported if not name.startswith(own)} == {"flowweaver.errors"}
