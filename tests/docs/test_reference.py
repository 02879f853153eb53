"""The reference is made from docstrings, so every public name must have one and be listed."""

import inspect
import re
from pathlib import Path

import pytest

import flowweaver
from flowweaver import plugins, testing

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
FOR_USERS, FOR_PLUGINS = PAGE.read_text().split("## Plug-ins")


def listed(text):
    return sorted(re.findall(r"^::: flowweaver\..*?(\w+)$", text, re.MULTILINE))


def test_reference_lists_exactly_the_public_names():
    assert listed(FOR_USERS) == sorted([*flowweaver.__all__, *testing.__all__])


def test_reference_lists_what_else_plugins_are_built_from():
    assert listed(FOR_PLUGINS) == sorted({*plugins.__all__} - {*flowweaver.__all__})
    assert {*plugins.__all__} & {*flowweaver.__all__} <= {*re.findall(r"`(\w+)`", FOR_PLUGINS)}


@pytest.mark.parametrize("name", plugins.__all__)
def test_name_for_plugins_is_there(name):
    assert hasattr(plugins, name)


@pytest.mark.parametrize("name", flowweaver.__all__)
def test_public_name_is_documented(name):
    value = getattr(flowweaver, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
    else:
        assert hasattr(value, "__args__"), f"{name} is neither class, function nor type alias"


def public_methods():
    for name in flowweaver.__all__:
        value = getattr(flowweaver, name)
        if inspect.isclass(value) and value.__module__.startswith("flowweaver"):
            for method, item in vars(value).items():
                if not method.startswith("_") and (
                    inspect.isfunction(item) or isinstance(item, property)
                ):
                    yield pytest.param(item, id=f"{name}.{method}")


@pytest.mark.parametrize("item", list(public_methods()))
def test_public_method_is_documented(item):
    assert inspect.getdoc(item)
