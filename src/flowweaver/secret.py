"""Secrets: values that bodies use and nobody keeps."""

from __future__ import annotations

import os
from typing import Any, Generic, NoReturn, TypeVar, cast, final

from flowweaver.errors import SecretError
from flowweaver.masking import MASK, masker

T_co = TypeVar("T_co", covariant=True)

_NOTHING: Any = object()


@final
class Secret(Generic[T_co]):
    """A value that is used and never kept: a token, a password, a dict of credentials.

    A parameter annotated ``Secret[str]`` takes one. The body is given the secret and asks it for
    its value with `reveal`; everything else shows it as ``***``. It is in no store, log, message or
    page, and what it is plays no part in whether results are reused.

    Args:
        value: What is to be kept secret.
        counts: Whether another value makes what depends on it run again. It is known by a digest
            with a key, which is kept outside of every store.
    """

    __slots__ = ("_counts", "_value", "_variable")

    _counts: bool
    _value: T_co
    _variable: str | None

    def __init__(self, value: T_co, *, counts: bool = False) -> None:
        if value is None or isinstance(value, Secret):
            what = "None, which is no value" if value is None else "a secret already"
            raise TypeError(f"Secret() was given {what}.")
        self._value = value
        self._variable = None
        self._counts = counts
        masker.note(value)

    def __init_subclass__(cls, **_: Any) -> NoReturn:
        raise TypeError("Secret can't be subclassed: what is done with it goes by its type.")

    @property
    def counts(self) -> bool:
        """Whether another value makes what depends on it run again."""
        return self._counts

    @property
    def is_there(self) -> bool:
        """Whether there is a value to reveal."""
        return self._look() is not _NOTHING

    def reveal(self) -> T_co:
        """Return the value.

        Raises:
            SecretError: (a `LookupError`) It was not given.
        """
        value = self._look()
        if value is _NOTHING:
            raise SecretError(f"A secret has no value: {self.lack()}.")
        masker.note(value)
        return value

    def lack(self) -> str:
        """Return in words why there is no value."""
        if self._variable is None:
            return "it was not given, and as secrets are not kept each start needs it"
        state = "is empty" if self._variable in os.environ else "is not set"
        return f"the environment variable {self._variable} {state}; set it"

    def _look(self) -> T_co:
        if self._value is _NOTHING and self._variable is not None:
            from_environment: Any = os.environ.get(self._variable) or _NOTHING
            return cast("T_co", from_environment)
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, others = self._look(), other._look()
        if mine is _NOTHING or others is _NOTHING:
            return mine is others and self._variable == other._variable
        return bool(mine == others)

    def __hash__(self) -> int:
        try:
            return hash(self._look())
        except TypeError:
            return hash(Secret)

    def __repr__(self) -> str:
        if self._variable is not None:
            return f"secret_env({self._variable!r})"
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret[T_co]:
        return self

    def __deepcopy__(self, memo: object) -> Secret[T_co]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # To other processes it goes with its value: they may have another environment.
        value = self._look()
        held = () if value is _NOTHING else (value,)
        return _arrived, (self._variable, self._counts, held)


def secret_env(variable: str, *, counts: bool = False) -> Secret[str]:
    """Return the secret that an environment variable holds, read whenever it is asked for.

    As the default of a parameter, ``token: Secret[str] = secret_env("API_TOKEN")``, or at the level
    of a module. Without the variable, or if it is empty, only `reveal` fails.

    Args:
        variable: The variable's name.
        counts: See `Secret`.
    """
    if not isinstance(variable, str) or not variable:
        given = "an empty text" if variable == "" else type(variable).__name__
        raise TypeError(f"secret_env takes the name of a variable, not {given}.")
    masker.is_used = True
    return _arrived(variable, counts, ())


def withheld() -> Secret[Any]:
    """Return a secret without a value: what is kept of one."""
    return _arrived(None, False, ())


def _arrived(variable: str | None, counts: bool, held: tuple[Any, ...]) -> Secret[Any]:
    made: Secret[Any] = Secret.__new__(Secret)
    made._value = held[0] if held else _NOTHING
    made._variable = variable
    made._counts = counts
    if made.is_there:
        made.reveal()  # so that it is masked from now on
    return made
