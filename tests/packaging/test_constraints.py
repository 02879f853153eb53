"""The versions that make installs by: that they are all there, and go with what is declared."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PIN = re.compile(r"[a-z0-9-]+==[\w.+!]+( ; [\w.'<>=! ]+)?")


def lines() -> list[str]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def declared() -> dict[str, list[Requirement]]:
    """Return what `pyproject.toml` asks for, list by list."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = settings["project"]
    listed = {
        "build": settings["build-system"]["requires"],
        "run": project["dependencies"],
        **{f"extra {name}": extra for name, extra in project["optional-dependencies"].items()},
        **{f"group {name}": group for name, group in settings["dependency-groups"].items()},
    }
    return {
        name: [Requirement(item) for item in items if isinstance(item, str)]
        for name, items in listed.items()
    }


def applies(marker: Marker | None, python: str) -> bool:
    versions = {"python_version": python, "python_full_version": f"{python}.9"}
    return marker is None or marker.evaluate(versions)


def pins(python: str) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines()]
    return {canonicalize_name(pin.name): pin for pin in found if applies(pin.marker, python)}


def test_constraints_are_names_and_versions_alone():
    assert [line for line in lines() if not PIN.fullmatch(line)] == []


def test_every_declared_requirement_is_pinned_within_its_bounds_on_every_python():
    for python in PYTHONS:
        pinned = pins(python)
        for requirement in (item for items in declared().values() for item in items):
            if requirement.name != "flowweaver" and applies(requirement.marker, python):
                (pin,) = pinned[canonicalize_name(requirement.name)].specifier
                assert requirement.specifier.contains(pin.version), (requirement, python)


@pytest.mark.parametrize("items", declared().values(), ids=declared())
def test_nothing_is_listed_twice(items: list[Requirement]):
    names = [canonicalize_name(item.name) for item in items]
    assert sorted(names) == sorted(set(names))
