"""Texts of a task's options that are filled in with the arguments of its function."""

from __future__ import annotations

from flowweaver.definitions.signature import Signature
from flowweaver.errors import DefinitionError, near_matches

_HOW = "write it like '{city}', with parameters of the function, and double braces meant as such"


def check_template(task: str, option: str, template: str, signature: Signature) -> None:
    """Raise `DefinitionError` for what can't be filled in with the arguments of a function."""
    if "{" not in template and "}" not in template:
        return
    from string import Formatter  # few tasks have something to fill in

    what = f"Task {task!r}: {option} {template!r}"
    try:
        fields = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise DefinitionError(f"{what} can't be read ({error}); {_HOW}") from None
    for field in fields:
        name = field.partition(".")[0].partition("[")[0]
        if not name.isidentifier():
            raise DefinitionError(f"{what}: {{{field}}} names no parameter; {_HOW}")
        if name not in signature.named and not signature.takes_any:
            hint = near_matches(name, signature.named)
            raise DefinitionError(f"{what}: {{{field}}} is no parameter of its function{hint}")
