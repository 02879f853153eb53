"""Settings: what holds where a command is not told, and where that was said.

They stand in ``flowweaver.toml``, or in ``[tool.flowweaver]`` of ``pyproject.toml``, of the present
folder or the nearest above it that has one, in named profiles there, and in the environment. They
are the command's alone: code runs by what it says itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from flowweaver.cli.output import Problem
from flowweaver.definitions.bounds import check_limits, check_rate
from flowweaver.definitions.units import parse_duration, parse_size
from flowweaver.errors import DefinitionError, near_matches

PREFIX = "FLOWWEAVER_"
PROFILE_VARIABLE = f"{PREFIX}PROFILE"
_OTHER_VARIABLES = frozenset(
    {PROFILE_VARIABLE, f"{PREFIX}KEY", f"{PREFIX}KEY_FILE", f"{PREFIX}TRACEBACK"}
)
_MAY_BE_SECTION = r"""tool["']?\s*(\.\s*["']?flowweaver|\]|=)"""
_RETENTION = ("age", "runs", "bytes")


class Setting(NamedTuple):
    """One setting: its value, as an option of the command takes it, and where it was said."""

    value: Any
    source: str


class Settings:
    """What holds for one command.

    Args:
        values: The settings by name.
    """

    def __init__(self, values: Mapping[str, Setting] | None = None) -> None:
        self.values = dict(values or {})

    def source_of(self, name: str, value: Any) -> str:
        """Return where a value was said, in brackets; "" if it was not said by a setting."""
        setting = self.values.get(name)
        return "" if setting is None or setting.value != value else f" ({setting.source})"

    def defaults(self) -> dict[str, Any]:
        """Return what options take that are not given, by their parameters' names."""
        found: dict[str, Any] = {}
        for name, setting in self.values.items():
            found.update(_KEYS[name].options(setting.value))
        return found


class _Key(NamedTuple):
    """How a setting is checked, read from the environment, and given to options."""

    check: Callable[[Any], str | None]
    read: Callable[[str], Any]
    options: Callable[[Any], dict[str, Any]]


def load_settings(profile: str | None) -> Settings:
    """Return what holds in the present folder, under a profile if one is asked for.

    Raises:
        Problem: A file can't be read, or something in it is unknown or unfit.
    """
    profile = profile or os.environ.get(PROFILE_VARIABLE) or None
    file, table = _found_table(Path.cwd())
    tables = table.pop("profiles", {})
    values = dict(_of_table(table, file, "")) if file else {}
    profiles = _of_profiles(tables, file) if file else {}
    if profile is not None:
        if profile not in profiles:
            where = "no file has settings here" if file is None else f"{file} has none of that name"
            hint = near_matches(profile, profiles)
            raise Problem(f"There is no profile {profile!r}: {where}{hint}")
        values.update(profiles[profile])
    values.update(_of_environment())
    return Settings(values)


# Files ----------------------------------------------------------------------------------------


def _found_table(folder: Path) -> tuple[Path | None, dict[str, Any]]:
    """Return the nearest file with settings, from a folder upwards, and what it says."""
    for place in (folder, *folder.parents):
        own, shared = place / "flowweaver.toml", place / "pyproject.toml"
        there = _read(own) if own.is_file() else None
        within = _section(shared) if shared.is_file() else None
        if there is not None and within is not None:
            raise Problem(f"Both {own} and {shared} have settings of FlowWeaver; keep one of them.")
        if there is not None:
            return own, there
        if within is not None:
            return shared, within
    return None, {}


def _section(path: Path) -> dict[str, Any] | None:
    # Most projects have nothing for FlowWeaver there: reading the text is a tenth of parsing it.
    text = path.read_text(encoding="utf-8", errors="replace")
    if "flowweaver" not in text or not re.search(_MAY_BE_SECTION, text):
        return None
    tool = _read(path).get("tool")
    section = tool.get("flowweaver") if isinstance(tool, dict) else None
    if section is None or isinstance(section, dict):
        return section
    raise Problem(f"{path}: tool.flowweaver must be a table of settings, not {section!r}.")


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{path} is no TOML: {error}.") from None
    except OSError as error:
        raise Problem(f"{path} can't be read: {error.strerror or error}.") from None


def _of_table(table: Mapping[str, Any], file: Path, profile: str) -> Iterator[tuple[str, Setting]]:
    source = f"{file}, profile {profile}" if profile else str(file)
    for name, value in table.items():
        key = _KEYS.get(name)
        if key is None:
            known = tuple(_KEYS) if profile else (*_KEYS, "profiles")
            raise Problem(f"{source}: there is no setting {name!r}{near_matches(name, known)}")
        if (wrong := key.check(value)) is not None:
            raise Problem(f"{source}: {name} must be {wrong}, not {value!r}.")
        yield name, Setting(_beside(file, value) if name == "store" else value, source)


def _of_profiles(tables: Any, file: Path) -> dict[str, dict[str, Setting]]:
    """Return the profiles of a file by name; all are looked at, whichever is asked for."""
    if not isinstance(tables, dict):
        raise Problem(f"{file}: profiles must be a table of tables, not {tables!r}.")
    found = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise Problem(f"{file}: profile {name} must be a table of settings, not {table!r}.")
        found[name] = dict(_of_table(table, file, name))
    return found


def _beside(file: Path, store: str) -> str:
    """Return a store whose path is taken from the folder of the file that names it."""
    if store.startswith("~") or ":" in store or Path(store).is_absolute():
        return store
    if file.parent == Path.cwd():
        return store
    return str(file.parent / store)


# The environment ------------------------------------------------------------------------------


def _of_environment() -> Iterator[tuple[str, Setting]]:
    known = {f"{PREFIX}{name.upper()}": name for name in _KEYS}
    for variable, text in os.environ.items():
        if not variable.startswith(PREFIX) or variable in _OTHER_VARIABLES or not text:
            continue
        if variable not in known:
            _refuse_slip(variable, (*known, *_OTHER_VARIABLES))
            continue
        name = known[variable]
        try:
            value = _KEYS[name].read(text)
        except ValueError:
            value = text
        if (wrong := _KEYS[name].check(value)) is not None:
            raise Problem(f"{variable} must be {wrong}, not {text!r}.")
        yield name, Setting(value, variable)


def _refuse_slip(variable: str, known: tuple[str, ...]) -> None:
    """Refuse a variable that is nearly one of ours; others may be somebody else's."""
    short = [name.removeprefix(PREFIX) for name in known]
    if (hint := near_matches(variable.removeprefix(PREFIX), short)) != ".":
        raise Problem(f"{variable} in the environment is no setting{hint}")


def _pairs(text: str) -> dict[str, str]:
    return {
        name.strip(): value.strip()
        for name, _, value in (part.partition("=") for part in text.split(","))
    }


def _counts(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in _pairs(text).items()}


def _retention(text: str) -> dict[str, Any]:
    return {name: int(value) if name == "runs" else value for name, value in _pairs(text).items()}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


# Checks: each returns what a value must be, None if it is that ----------------------------------


def _is_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "text"


def _is_count(value: Any) -> str | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if fits else "a whole number from 1"


def _are_names(value: Any) -> str | None:
    fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if fits else "a list of names"


def _are_limits(value: Any) -> str | None:
    return _fits(check_limits, value, "whole numbers by tag, as in { db = 2 }")


def _are_rates(value: Any) -> str | None:
    return _fits(check_rate, value, 'rates by tag, as in { api = "10/s" }')


def _fits(check: Callable[[Any], object], value: Any, wanted: str) -> str | None:
    try:
        check(value if isinstance(value, dict) else {"": value})
    except DefinitionError:
        return wanted
    return None if isinstance(value, dict) else wanted


def _is_retention(value: Any) -> str | None:
    wanted = 'what is kept of runs, as in { age = "30d", runs = 20, bytes = "5GB" }'
    if not isinstance(value, dict) or not set(value) <= set(_RETENTION):
        return wanted
    readers = {"age": parse_duration, "bytes": parse_size}
    try:
        for name, read in readers.items():
            if name in value:
                read(value[name], name)
    except (DefinitionError, TypeError):
        return wanted
    return None if _is_count(value.get("runs", 1)) is None else wanted


def _told(pairs: Mapping[str, Any]) -> list[str]:
    return [f"{name}={value}" for name, value in pairs.items()]


_KEYS: dict[str, _Key] = {
    "store": _Key(_is_text, str, lambda value: {"store_url": value}),
    "executor": _Key(_is_text, str, lambda value: {"executor_name": value}),
    "workers": _Key(_is_count, int, lambda value: {"workers": value}),
    "limits": _Key(_are_limits, _counts, lambda value: {"limits": _told(value)}),
    "rate": _Key(_are_rates, _pairs, lambda value: {"rate": _told(value)}),
    "observers": _Key(_are_names, _listed, lambda value: {"observers": value}),
    "retention": _Key(
        _is_retention,
        _retention,
        lambda value: {f"keep_{name}": value[name] for name in _RETENTION if name in value},
    ),
}
NAMES = tuple(_KEYS)
"""The settings there are."""
