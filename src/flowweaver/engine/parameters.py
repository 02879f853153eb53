"""The parameters of a run, checked for the whole graph before any body starts."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from flowweaver.definitions.typecheck import annotations_of, fits
from flowweaver.definitions.wiring import ParameterUse, Wiring
from flowweaver.errors import ParameterError, near_matches
from flowweaver.serialize import Encoded, encode


def check_parameters(wiring: Wiring, params: Mapping[str, Any]) -> None:
    """Check that all that is needed is given, nothing else, and of the annotated types.

    Raises:
        ParameterError: Says all that is wrong at once.
    """
    problems = [
        f"Missing parameter {name!r}, taken by {_users(wiring, use)}"
        f"{near_matches(name, wiring.index)}"
        for name, use in wiring.parameters.items()
        if use.required and name not in params
    ]
    for name, value in params.items():
        known = wiring.parameters.get(name) if isinstance(name, str) else None
        if known is None:
            problems.append(_unknown(wiring, name))
        else:
            problems += _mismatches(wiring, known, value)
    if problems:
        raise ParameterError(f"Workflow {wiring.name!r} can't run. " + " ".join(problems))


def _unknown(wiring: Wiring, name: object) -> str:
    if name in wiring.index:
        return f"{name!r} is a task, so its value can't be given as a parameter."
    return f"Unknown parameter {name!r}{near_matches(str(name), wiring.parameters)}"


def _mismatches(wiring: Wiring, use: ParameterUse, value: object) -> list[str]:
    found = []
    for node, parameter in use.users:
        task = wiring.tasks[node]
        annotation = annotations_of(task.fn).get(parameter, Any)
        if not fits(value, annotation):
            # Of `list[int]` the name would be "list".
            shown = annotation.__name__ if isinstance(annotation, type) else str(annotation)
            found.append(
                f"Parameter {use.name!r} of task {task.name!r} must be {shown}, "
                f"not {type(value).__name__}."
            )
    return found[:1]


def _users(wiring: Wiring, use: ParameterUse) -> str:
    names = wiring.names(node for node, _ in use.users[:3])
    more = len(use.users) - len(names)
    return ", ".join(map(repr, names)) + (f" and {more} more" if more else "")


def encode_parameters(params: Mapping[str, Any]) -> dict[str, Encoded]:
    """Return the parameters as they are stored.

    Raises:
        UnstorableError: Names the parameter and the place inside it.
    """
    return {name: encode(value, root=f"parameter {name!r}") for name, value in params.items()}


def key_of(encoded: Mapping[str, Encoded]) -> str:
    """Return the digest of all parameters: with the workflow, what a run is continued by."""
    state = blake2b(digest_size=16)
    for name in sorted(encoded):
        state.update(f"{len(name)}:{name}={encoded[name].digest};".encode())
    return state.hexdigest()
