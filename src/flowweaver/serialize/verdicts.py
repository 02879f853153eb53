"""Why a form of storage doesn't take a value; met only inside this folder."""

from __future__ import annotations


class Verdict(Exception):
    """A reason, complete in its message."""


class Unfit(Verdict):
    """No form that runs no code keeps the value exactly: pickle shall have it, if it may."""


class CodecFailure(Verdict):
    """A user's codec raised, or gave something else back."""


class SecretMet(Exception):
    """There is a secret in what is to be kept: no form takes it."""
