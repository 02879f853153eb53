"""The entry point: which commands there are, and how each ends."""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from flowweaver.cli.output import (
    ExitCode,
    drop_output,
    is_of_output,
    open_closed_streams,
    print_error,
    print_unexpected,
    secrets_masked,
)
from flowweaver.errors import FlowWeaverError, ParameterError
from flowweaver.version import __version__

# Where each command lives; its module is imported when the command is asked for.
_COMMANDS = {
    "accept": "flowweaver.cli.plan",
    "completion": "flowweaver.cli.completing",
    "diff": "flowweaver.cli.history",
    "doctor": "flowweaver.cli.upkeep",
    "explain": "flowweaver.cli.history",
    "fork": "flowweaver.cli.fork",
    "gc": "flowweaver.cli.upkeep",
    "graph": "flowweaver.cli.graph",
    "init": "flowweaver.cli.init",
    "logs": "flowweaver.cli.history",
    "plan": "flowweaver.cli.plan",
    "replay": "flowweaver.cli.history",
    "report": "flowweaver.cli.report",
    "resolve": "flowweaver.cli.history",
    "result": "flowweaver.cli.result",
    "run": "flowweaver.cli.run",
    "runs": "flowweaver.cli.runs",
    "show": "flowweaver.cli.show",
    "store": "flowweaver.cli.stores",
    "trace": "flowweaver.cli.report",
    "ui": "flowweaver.cli.ui",
    "watch": "flowweaver.cli.watch",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        home = _COMMANDS.get(cmd_name)
        if home is None:
            return None
        command: click.Command = getattr(import_module(home), f"{cmd_name}_command")
        if ctx.obj is _OWN_PROCESS:
            # All that is there now stays. To look through it again and again for what may go, at
            # the end too, would be a fifth of a short command.
            gc.freeze()
        return command


_OWN_PROCESS = object()
"""What the context has where the process is there for this command alone."""

# Click takes the paragraph after a backspace as it is.
_HELP = """Run a graph of Python functions so that nothing is done twice and nothing is lost.

What is to hold each time stands in flowweaver.toml or in [tool.flowweaver] of pyproject.toml, here
or in a folder above. An option goes before the environment, the environment before a profile of
that file (--profile), the profile before the file. `flowweaver doctor` shows what holds and where
it was said.

\b
Environment:
  FLOWWEAVER_STORE, FLOWWEAVER_EXECUTOR, FLOWWEAVER_WORKERS, FLOWWEAVER_PROFILE
  FLOWWEAVER_LIMITS=db=2    FLOWWEAVER_RATE=api=10/s    FLOWWEAVER_OBSERVERS=log
  FLOWWEAVER_RETENTION=age=30d,runs=20

\b
Exit codes:
  0          done
  1          something failed while running, or was refused or found wrong
  2          something must be fixed before anything can run
  3          `plan --check`: something would or may run
  130, 143   interrupted (Ctrl-C, SIGTERM)
"""


@click.group(
    name="flowweaver",
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_HELP,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def _root() -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code; `arguments` are those of the process if not given."""
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that can't show a character must not end the command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with secrets_masked():
        code = _run(arguments)
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        process = _OWN_PROCESS if arguments is None else None
        code = _root.main(arguments, prog_name="flowweaver", standalone_mode=False, obj=process)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ParameterError as error:
        given = " ".join(f"-p {shlex.quote(name)}=VALUE" for name in error.missing)
        print_error(f"{error} Give it as {given}." if given else str(error))
        return ExitCode.USAGE
    except FlowWeaverError as error:
        print_error(str(error))
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        print_error("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # whoever read the output has seen enough
        drop_output()
        return ExitCode.FAILED
    except Exception as error:
        if isinstance(error, OSError) and is_of_output(error):
            drop_output()
            print_error(f"what this prints can't be written: {error.strerror}.")
            return ExitCode.FAILED
        print_unexpected(error)
        return ExitCode.FAILED
