"""Parameters on the command line: ``--param name=value``, read as the annotations say.

Text becomes what the functions that take the parameter are annotated with; `conversion` has the
rules. ``name=@file.json`` reads JSON from a file; ``name=@@text`` is text that begins with @.
Secrets come from the environment, ``--secret name=VARIABLE``: everybody can read a command line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from types import GenericAlias
from typing import Any, TypeVar

from flowweaver.cli.conversion import (
    MISFITS,
    from_json,
    from_text,
    how_to_write,
    parse_json,
    shown,
)
from flowweaver.cli.output import Problem
from flowweaver.definitions.annotations import annotations_of
from flowweaver.definitions.typecheck import fits
from flowweaver.definitions.wiring import Wiring
from flowweaver.engine.parameters import takers
from flowweaver.engine.secrets import asks_for_secret
from flowweaver.errors import ParameterError
from flowweaver.secret import Secret, secret_env

T = TypeVar("T")


def read_parameters(
    items: Iterable[str], wiring: Wiring, secrets: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the values of ``name=value`` and ``name=VARIABLE`` items for a workflow.

    Whether all that is needed is there, and fits, is checked by the run.

    Raises:
        ParameterError: An item is malformed, doubled, or can't be read as annotated.
    """
    values: dict[str, Any] = {}
    for item in items:
        name, text = _split("--param", item, "value", values)
        use = wiring.parameters.get(name)
        asked = [(taker.task, taker.annotation) for taker in takers(wiring, use)] if use else []
        values[name] = _read(text, name, asked)
    return values | read_secrets(secrets, values)


def read_secrets(items: Iterable[str], given: Collection[str] = ()) -> dict[str, Secret[str]]:
    """Return the secrets of ``name=VARIABLE`` items, besides those parameters that are given.

    Raises:
        ParameterError: An item is malformed or doubled, or there is no such variable.
    """
    found: dict[str, Secret[str]] = {}
    for item in items:
        name, variable = _split("--secret", item, "VARIABLE", {*given, *found})
        found[name] = secret_env(variable)
        if not found[name].is_there:
            raise ParameterError(f"--secret {name}: {found[name].lack()}.")
    return found


def _split(option: str, item: str, what: str, given: Collection[str]) -> tuple[str, str]:
    name, equals, text = item.partition("=")
    if not equals or not name or (what.isupper() and not text):
        raise ParameterError(f"{option} {item!r}: write it as name={what}.")
    if name in given:
        raise ParameterError(f"{option} {name} is given twice.")
    return name, text


def read_overrides(items: Iterable[str] | None, wiring: Wiring) -> dict[str, Any]:
    """Return the values of ``task=value`` items, read as the tasks are annotated to return them.

    Whether there are such tasks is checked by the run.

    Raises:
        ParameterError: An item is malformed, doubled, or can't be read as annotated.
    """
    values: dict[str, Any] = {}
    for item in items or ():
        name, text = _split("--override", item, "value", values)
        node = wiring.index.get(name)
        asked = [] if node is None else _returned(wiring, node)
        values[name] = _read(text, name, asked, what="What is given in place")
    return values


def _returned(wiring: Wiring, node: int) -> list[tuple[str, Any]]:
    """Return what a task is annotated to return; of a mapped one it is a list of that."""
    task = wiring.tasks[node]
    hints = annotations_of(task.fn)
    if "return" not in hints:
        return []
    annotation: Any = hints["return"]
    for _ in range(wiring.mapped[node].key_length if node in wiring.mapped else 0):
        annotation = GenericAlias(list, (annotation,))
    return [(task.name, annotation)]


def _read(text: str, name: str, annotations: list[tuple[str, Any]], what: str = "") -> Any:
    convert: Callable[[Any, Any], Any]
    value: Any
    if text.startswith("@@"):
        convert, value = from_text, text[1:]
    elif text.startswith("@"):
        convert, value = from_json, _read_file(text[1:], name)
    else:
        convert, value = from_text, text
    if not annotations:
        return convert(value, Any)
    return _first_that_fits(convert, value, what or f"Parameter {name!r}", annotations)


def _first_that_fits(
    convert: Callable[[Any, Any], Any], value: Any, what: str, annotations: list[tuple[str, Any]]
) -> Any:
    """Read as one taker says, if that suits all of them; else the run's check says who differs."""
    readings = []
    for _, annotation in annotations:
        try:
            reading = convert(value, annotation)
        except MISFITS:
            continue
        if all(fits(reading, other) for _, other in annotations):
            return reading
        if fits(reading, annotation):
            readings.append(reading)
    if readings:
        return readings[0]
    task, annotation = annotations[0]
    how = how_to_write(annotation, value)
    if asks_for_secret(asked for _, asked in annotations):
        value = Secret(value)
    raise ParameterError(
        f"{what} of task {task!r} must be {shown(annotation)}, not {value!r}{how}."
    )


def _read_file(path: str, name: str) -> Any:
    try:
        return parse_json(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ParameterError(
            f"Parameter {name!r}: {path} can't be read: {reason}. For text that begins with @ "
            f"write {name}=@@text."
        ) from None
    except ValueError as error:
        raise ParameterError(f"Parameter {name!r}: {path} is not JSON: {error}.") from None


def by_tag(option: str, given: Iterable[str], kind: Callable[[str], T]) -> dict[str, T]:
    """Return what an option says of tags as ``TAG=VALUE``, as it was said last.

    Raises:
        Problem: One of them can't be read.
    """
    found: dict[str, T] = {}
    for text in given:
        tag, equals, value = text.partition("=")
        try:
            found[tag] = kind(value)
        except ValueError:
            equals = ""
        if not tag or not equals:
            raise Problem(f"{option} takes TAG=VALUE, not {text!r}.")
    return found
