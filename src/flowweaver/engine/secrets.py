"""The secrets among a run's parameters: which there are, which are missing, and what counts.

What is kept of a secret is that there is one. Which one it is plays no part in which run is
continued, and in what is reused only where the secret says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from types import FunctionType
from typing import Any, get_origin

from flowweaver.definitions.annotations import bare
from flowweaver.definitions.wiring import Wiring
from flowweaver.errors import ParameterError, near_matches
from flowweaver.fingerprint.keyed import keyed_digest
from flowweaver.introspection import signature_of
from flowweaver.masking import masker
from flowweaver.secret import Secret
from flowweaver.serialize import Encoded, digest_of

_NO_DEFAULT = object()


def secret_defaults(wiring: Wiring, given: Collection[str]) -> dict[str, Secret[Any]]:
    """Return the secrets that parameters default to which were not given.

    They are handed out like those that were given, since the process that a body runs in may have
    another environment. Where those who take a parameter have different ones, each keeps its own.
    """
    if not masker.is_used:
        return {}
    found = {}
    for name, use in wiring.parameters.items():
        if name not in given and not use.required:
            first = _default(wiring, *use.users[0])
            if isinstance(first, Secret) and all(
                first == _default(wiring, *user) for user in use.users
            ):
                found[name] = first
    return found


def asks_for_secret(annotations: Iterable[Any]) -> bool:
    """Whether all who take a parameter are annotated to be given a secret."""
    kinds = [bare(annotation) for annotation in annotations]
    return bool(kinds) and all(kind is Secret or get_origin(kind) is Secret for kind in kinds)


def missing_secrets(params: Mapping[str, Any]) -> dict[str, Secret[Any]]:
    """Return the parameters that are secrets which nobody gave."""
    return {
        name: value
        for name, value in params.items()
        if type(value) is Secret and not value.is_there
    }


def check_given(
    wiring: Wiring, missing: Mapping[str, Secret[Any]], has_result: Callable[[str], bool]
) -> None:
    """Check that secrets are missing only for tasks that may be restored.

    Raises:
        ParameterError: Names those that are needed for certain.
    """
    problems = []
    for name, secret in missing.items():
        if name not in wiring.parameters:
            continue  # what is asked for does not take it
        takers = dict.fromkeys(wiring.tasks[node].name for node, _ in wiring.parameters[name].users)
        needed = next((task for task in takers if not has_result(task)), None)
        if needed is not None:
            problems.append(lack(name, secret, needed))
    if problems:
        raise ParameterError(f"Workflow {wiring.name!r} can't run. " + " ".join(problems))


def lack(name: str, secret: Secret[Any], task: str) -> str:
    """Return in words that a task can't be given its secret."""
    return f"Task {task!r} takes the secret {name!r}: {secret.lack()}."


def with_secrets(
    wiring: Wiring, kept: Mapping[str, Any], given: Mapping[str, Secret[Any]]
) -> dict[str, Any]:
    """Return a past run's parameters with the secrets that were not kept of them.

    Raises:
        ParameterError: A parameter of that name is no secret.
    """
    missing = missing_secrets(kept)
    for name in given.keys() - missing.keys():
        raise ParameterError(
            f"The run has no secret {name!r} among its parameters{near_matches(name, missing)}"
        )
    defaults = secret_defaults(wiring, given)
    return {**kept, **{name: defaults[name] for name in missing if name in defaults}, **given}


def digest_that_counts(encoded: Encoded, secrets: Iterable[Secret[Any]]) -> str:
    """Return the digest of a parameter, with those of its secrets' values that count."""
    counted = [keyed_digest(digest_of(each.reveal())) for each in secrets if _counts(each)]
    if not counted:
        return encoded.known_by
    return blake2b(" ".join([encoded.known_by, *counted]).encode(), digest_size=20).hexdigest()


def _counts(secret: Secret[Any]) -> bool:
    return secret.counts and secret.is_there


def _default(wiring: Wiring, node: int, parameter: str) -> Any:
    """Return the default that a task's function has for a parameter."""
    fn = wiring.tasks[node].fn
    if not parameter:  # its condition takes it, or it is taken by element
        return _NO_DEFAULT
    if isinstance(fn, FunctionType) and not fn.__dict__:
        code, defaults = fn.__code__, fn.__defaults__ or ()
        named = code.co_varnames[: code.co_argcount]
        return {
            **dict(zip(named[len(named) - len(defaults) :], defaults, strict=True)),
            **(fn.__kwdefaults__ or {}),
        }.get(parameter, _NO_DEFAULT)
    with suppress(TypeError, ValueError):
        return signature_of(fn).parameters[parameter].default
    return _NO_DEFAULT
