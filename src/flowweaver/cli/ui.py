"""``flowweaver ui``: all runs of a store, live in the browser."""

from __future__ import annotations

import click

from flowweaver.cli.output import Problem, say
from flowweaver.cli.store import open_history, store_option


@click.command("ui", short_help="Watch the runs of a store in the browser.")
@click.argument("targets", metavar="[TARGET]...", nargs=-1)
@store_option("Whose runs are shown.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8642,
    show_default=True,
    help="Where to listen, on this machine only; 0: anywhere free.",
)
@click.option("--no-open", is_flag=True, help="Don't open the browser.")
@click.option("--allow-actions", is_flag=True, help="Let the page start, stop, retry and resolve.")
def ui_command(
    targets: tuple[str, ...], store_url: str, port: int, no_open: bool, allow_actions: bool
) -> None:
    """Show all runs of a store, live, in the browser, until Ctrl-C.

    TARGETs (pipeline.py:etl) can be planned there and, with --allow-actions, started. The page is
    served on this machine only and to its user only; from elsewhere use an SSH tunnel.
    """
    from flowweaver.cli.targets import check_target

    try:
        from flowweaver.ui.serving import Server
    except ModuleNotFoundError as error:
        raise Problem(
            f"`flowweaver ui` needs {error.name}: pip install 'flowweaver[ui]'."
        ) from None

    for target in targets:
        check_target(target)
    store = open_history(store_url)
    try:
        server = Server(store, store_url, targets, port=port, allow_actions=allow_actions)
    except OSError as error:
        raise Problem(
            f"Port {port} can't be listened on ({error.strerror}); choose another with --port."
        ) from None

    def ready() -> None:
        say(f"FlowWeaver shows {store.url} at {server.url}")
        say("Ctrl-C ends the page, not what runs.")
        if not no_open:
            click.launch(server.url)

    server.run(ready)
