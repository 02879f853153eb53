"""The parameters of a run, checked for the whole graph before any body starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from flowweaver.definitions.annotations import annotation_for, bare
from flowweaver.definitions.typecheck import as_asked, fits
from flowweaver.definitions.wiring import ParameterUse, Wiring
from flowweaver.engine.secrets import asks_for_secret, secret_defaults
from flowweaver.errors import ParameterError, near_matches
from flowweaver.secret import Secret, withheld
from flowweaver.serialize import Encoded, encode_without_secrets


def check_parameters(
    wiring: Wiring, params: Mapping[str, Any], part: Wiring | None = None
) -> dict[str, Any]:
    """Check that all that is needed is given, nothing unknown, and of the annotated types.

    Args:
        wiring: The workflow.
        params: Its parameters by name.
        part: The part of it that is to run, if that is not all: what it does not take may be left
            out.

    Returns:
        The parameters as the run takes them: text is a path where those who take it ask for one.

    Raises:
        ParameterError: Says all that is wrong at once.
    """
    problems, missing, needed = [], [], (part or wiring).parameters
    taken: dict[str, Any] = {**secret_defaults(wiring, params)}
    for name, use in wiring.parameters.items():
        if not use.required or name in params:
            continue
        if asks_for_secret(taker.annotation for taker in takers(wiring, use)):
            taken[name] = withheld()  # for what is restored it need not be given
        elif name in needed and needed[name].required:
            missing.append(name)
            problems.append(
                f"Missing parameter {name!r}, taken by {_users(part or wiring, needed[name])}"
                f"{near_matches(name, wiring.index)}"
            )
    for name, value in params.items():
        known = wiring.parameters.get(name) if isinstance(name, str) else None
        if known is None:
            problems.append(_unknown(wiring, name))
        else:
            asked = takers(wiring, known)
            problems += _mismatches(name, asked, value)
            taken[name] = _as_taken(asked, value)
    if problems:
        raise ParameterError(f"Workflow {wiring.name!r} can't run. " + " ".join(problems), missing)
    return taken


class Taker(NamedTuple):
    """A task that takes a parameter, and what its function is annotated to be given.

    `by_element` says that the task takes one element at a time; `annotation` is that of the whole.
    """

    task: str
    annotation: Any
    by_element: bool = False


def takers(wiring: Wiring, use: ParameterUse) -> list[Taker]:
    """Return who takes a parameter and as what, without those who don't say."""
    nodes = dict.fromkeys(node for node, _ in use.users)
    found = (taker for node in nodes for taker in _takers_at(wiring, node, use.name))
    return [taker for taker in found if taker.annotation is not Any]


def _takers_at(wiring: Wiring, node: int, parameter: str) -> Iterator[Taker]:
    """Yield what a task's function, and its condition, take of a parameter of the workflow."""
    task = wiring.tasks[node]
    taken = [name for name, use in wiring.uses.get(node, ()) if use == parameter]
    for name in taken:
        yield Taker(task.name, annotation_for(task.fn, name))
    for item in wiring.mapped[node].inputs if node in wiring.mapped else ():
        if item.node is None and item.parameter == parameter:
            whole = _list_of(annotation_for(task.fn, item.name), item.depth)
            yield Taker(task.name, whole, by_element=True)
    if task.options.when is not None:
        condition = wiring.conditions[node]
        taken += [name for name, use in condition.uses if use == parameter]
        for name in taken:
            yield Taker(task.name, annotation_for(task.options.when, name))


def _list_of(element: Any, depth: int) -> Any:
    """Return the annotation of what a task takes one by one."""
    for _ in range(depth if element is not Any else 0):
        element = Sequence[element]
    return element


def _unknown(wiring: Wiring, name: object) -> str:
    if name in wiring.index:
        return f"{name!r} is a task, so its value can't be given as a parameter."
    return f"Unknown parameter {name!r}{near_matches(str(name), wiring.parameters)}"


def _mismatches(name: str, takers: Sequence[Taker], value: object) -> list[str]:
    # The task that takes the elements judges them.
    whole = (taker for taker in takers if not taker.by_element)
    for task, annotation in ((taker.task, taker.annotation) for taker in whole):
        if not fits(as_asked(value, annotation), annotation):
            return [
                f"Parameter {name!r} of task {task!r} must be {_shown(annotation)}, "
                f"not {type(value).__name__}."
            ]
    return []


def _shown(annotation: Any) -> str:
    annotation = bare(annotation)
    # The name of `list[int]` would be "list".
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _as_taken(takers: Sequence[Taker], value: Any) -> Any:
    for taker in takers:
        made = as_asked(value, taker.annotation)
        if made is not value and all(fits(made, other.annotation) for other in takers):
            return made
    return value


def _users(wiring: Wiring, use: ParameterUse) -> str:
    names = wiring.names(node for node, _ in use.users[:3])
    more = len(use.users) - len(names)
    return ", ".join(map(repr, names)) + (f" and {more} more" if more else "")


def encode_parameters(
    params: Mapping[str, Any],
) -> dict[str, tuple[Encoded, tuple[Secret[Any], ...]]]:
    """Return the parameters as they are stored, each with the secrets that were in it.

    Raises:
        UnstorableError: Names the parameter and the place inside it.
    """
    return {
        name: encode_without_secrets(value, root=f"parameter {name!r}")
        for name, value in params.items()
    }


def key_of(encoded: Mapping[str, Encoded], overrides: Mapping[str, str] | None = None) -> str:
    """Return the digest of all parameters: with the workflow, what a run is continued by.

    `overrides` are the digests of what is given in place of tasks, by name; those are part of it.
    """
    state = blake2b(digest_size=16)
    for name in sorted(encoded):
        state.update(f"{len(name)}:{name}={encoded[name].known_by};".encode())
    for name, digest in sorted((overrides or {}).items()):
        state.update(f"override {len(name)}:{name}={digest};".encode())
    return state.hexdigest()
