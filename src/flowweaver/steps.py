"""Steps that are commands of the system: ``shell("gzip -k {file}", outputs=["{file}.gz"])``."""

from __future__ import annotations

import inspect
import os
import shlex
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from flowweaver.definitions.options import OptionArguments
from flowweaver.definitions.task import Task
from flowweaver.engine.body.command import perform_command
from flowweaver.errors import DefinitionError, SecretError
from flowweaver.files.input import InputFile
from flowweaver.fingerprint.keyed import keyed_digest
from flowweaver.secret import Secret

Words = str | os.PathLike[str]


@dataclass(frozen=True)
class Command:
    """What is to be called, with the names of its arguments in braces.

    `words` are the program and its arguments; with `in_shell` there is one, for the system's shell.
    """

    words: tuple[str, ...]
    in_shell: bool
    outputs: tuple[str, ...]
    cwd: str | None
    env: tuple[tuple[str, str | Secret[str]], ...]
    codes: tuple[int, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names in braces, each once, in the order in which they come."""
        given = (value for _, value in self.env if isinstance(value, str))
        texts = (*self.words, *self.outputs, self.cwd or "", *given)
        found = (name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name)
        return tuple(dict.fromkeys(name.partition(".")[0].partition("[")[0] for name in found))

    @property
    def version(self) -> str:
        """What tells this command from others, as the version of its task.

        Values of `env` may be secret, so that they are known by a keyed digest; what is a `Secret`
        is so only if it counts.
        """
        told = f"$ {self.words[0] if self.in_shell else shlex.join(self.words)}"
        if self.cwd is not None:
            told += f"; in {self.cwd}"
        for name, value in self.env:
            told += f"; {name}: {_digest(value)}"
        return told + "".join(f"; makes {output}" for output in self.outputs)

    def __call__(self, **arguments: Any) -> Any:
        """Run it; return the paths of its outputs, or what it printed if it names none."""
        open_to_all = Command(self.words, self.in_shell, self.outputs, self.cwd, (), self.codes)
        for name in open_to_all.fields:
            if isinstance(arguments[name], Secret):
                raise SecretError(
                    f"{name!r} is a secret, and everybody can read a command line; hand it on by "
                    f"a variable instead: env={{'NAME': '{{{name}}}'}}."
                )
        given = {name: shlex.quote(str(value)) for name, value in arguments.items()}
        revealed = {name: _revealed(value) for name, value in arguments.items()}
        words = [word.format_map(given if self.in_shell else arguments) for word in self.words]
        printed = perform_command(
            words[0] if self.in_shell else words,
            cwd=None if self.cwd is None else self.cwd.format_map(arguments),
            env={
                name: value.format_map(revealed) if isinstance(value, str) else value.reveal()
                for name, value in self.env
            },
            codes=self.codes,
            keeps_output=not self.outputs,
        )
        if not self.outputs:
            return printed
        paths = [Path(output.format_map(arguments)) for output in self.outputs]
        return paths[0] if len(paths) == 1 else paths


def _revealed(value: Any) -> Any:
    return value.reveal() if isinstance(value, Secret) else value


def _digest(value: str | Secret[str]) -> str:
    if isinstance(value, str):
        return keyed_digest(value)
    return keyed_digest(value.reveal()) if value.counts and value.is_there else repr(value)


class Step:
    """A command as a function that takes its fields by name.

    Args:
        command: What is called.
        fields: The names that it takes.
        reads: Those that are paths of files whose content counts.
    """

    # See `unstoppable`.
    stops_itself = True

    def __init__(self, command: Command, fields: Sequence[str], reads: frozenset[str]) -> None:
        self.command = command
        self.fields = tuple(fields)
        self.__name__ = "shell"
        self.__annotations__ = {name: InputFile for name in fields if name in reads}

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.Signature(
            [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in self.fields]
        )

    def __call__(self, **arguments: Any) -> Any:
        """Run the command."""
        return self.command(**arguments)


def shell(
    command: str | Sequence[Words],
    *,
    name: str | None = None,
    reads: Iterable[str] = (),
    use_shell: bool = False,
    cwd: Words | None = None,
    env: Mapping[str, str | Secret[str]] | None = None,
    codes: Iterable[int] = (0,),
    **options: Unpack[OptionArguments],
) -> Task[..., Any]:
    """Make a task of a command: what stands in braces is given like a function's parameters.

    The command is split into words before anything is put in their braces, and called without a
    shell: whatever an argument contains, it is one word. What it prints goes to the task's log
    line by line. If it ends with another code than it may, the task fails with that code and the
    last lines. At a limit, or when the run is given up, it is ended with all that it started.

    The task returns the path of its output, a list of them if there are several, or what the
    command wrote to its standard output if it names none.

    Args:
        command: Words as for a shell, or a list of them. "{name}" takes a result or a parameter.
        name: The task's name; that of the program if not given.
        reads: Names in braces that are paths of files whose content counts, as for `InputFile`.
        use_shell: Have the system's shell run it, for pipes and patterns; what is put in the braces
            is quoted for it.
        cwd: The folder to run in.
        env: Variables besides those of this process. A `Secret` goes to the command here alone, as
            a value or in braces: everybody can read a command line.
        codes: What it may end with.
        **options: See `TaskOptions`; `outputs` are the files or folders that it makes, with the
            same braces. The command itself is the `version`, if none is given.

    Raises:
        DefinitionError: The command can't be read.
    """
    words = _words(command, use_shell=use_shell)
    made = tuple(os.fspath(path) for path in _listed(options.get("outputs", ())))
    step = Command(
        words,
        use_shell,
        made,
        None if cwd is None else os.fspath(cwd),
        tuple(dict(env or {}).items()),
        tuple(codes),
    )
    fields, read = _fields(command, step), frozenset(reads)
    for unknown in read.difference(fields):
        raise DefinitionError(
            f"Command {command!r} has no {{{unknown}}}, which it is said to read."
        )
    options.setdefault("version", step.version)
    task: Task[..., Any] = Task(
        _named(words, use_shell=use_shell) if name is None else name,
        Step(step, fields, read),
        **options,
    )
    return task


def _words(command: str | Sequence[Words], *, use_shell: bool) -> tuple[str, ...]:
    if use_shell:
        if not isinstance(command, str):
            raise DefinitionError("shell(..., use_shell=True) takes the command as one text.")
        return (command,)
    try:
        words = (
            shlex.split(command)
            if isinstance(command, str)
            else (os.fspath(word) for word in command)
        )
        found = tuple(words)
    except (ValueError, TypeError) as error:
        raise DefinitionError(f"Command {command!r} can't be split into words: {error}.") from None
    if not found:
        raise DefinitionError("shell() takes a command, and this one is empty.")
    return found


def _fields(command: object, step: Command) -> tuple[str, ...]:
    try:
        fields = step.fields
    except ValueError as error:
        raise DefinitionError(
            f"Command {command!r} has braces that can't be read ({error}); double those that are "
            "meant as such: {{ }}."
        ) from None
    for name in fields:
        if not name.isidentifier():
            raise DefinitionError(
                f"Command {command!r} has {{{name}}}, which is no name of a parameter; double "
                "braces that are meant as such: {{ }}."
            )
    return fields


def _listed(paths: Any) -> tuple[Any, ...]:
    return (paths,) if isinstance(paths, str | os.PathLike) else tuple(paths)


def _named(words: Sequence[str], *, use_shell: bool) -> str:
    program = words[0].split()[0] if use_shell and words[0].split() else words[0]
    return Path(program).name or program
