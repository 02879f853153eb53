"""Why a form can't store a value; raised and caught inside this folder only."""

from __future__ import annotations


class Verdict(Exception):
    """A reason, complete in its message."""


class Unfit(Verdict):
    """No form that runs no code keeps the value exactly; pickle is tried if it is allowed."""


class CodecFailure(Verdict):
    """A user's codec raised, or gave something else back."""


class SecretMet(Exception):
    """The value contains a secret, which no form may store."""
