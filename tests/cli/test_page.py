"""docs/cli.md has every command with all of its options."""

import re
from pathlib import Path

import click
import pytest

from flowweaver.cli.app import _root

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def sections():
    """Return the page's sections by command."""
    parts = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = [(re.match(r"`flowweaver ((?:store )?\w+)", part), part) for part in parts]
    return {match[1]: part for match, part in found if match}


def commands():
    """Return each command that does something by its name, with that of its group."""
    context = click.Context(_root)
    for name in _root.list_commands(context):
        command = _root.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else {}
        yield from ((f"{name} {other}", inner[other]) for other in inner)
        if not inner:
            yield name, command


COMMANDS = dict(commands())


def test_every_command_has_its_section():
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_listed(name):
    options = [item for item in COMMANDS[name].params if isinstance(item, click.Option)]
    missing = [item.opts[-1] for item in options if f"`{item.opts[-1]}" not in sections()[name]]
    assert missing == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_that_is_listed_exists(name):
    rows = re.findall(r"^\| (`-.*?) \|", sections()[name], re.MULTILINE)
    listed = {option for row in rows for option in re.findall(r"--[a-z-]+", row)}
    assert listed - {text for item in COMMANDS[name].params for text in item.opts} == set()
