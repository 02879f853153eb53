"""Paths of whose content nobody has said anything: a plan tells of them."""

from __future__ import annotations

from collections.abc import Iterator

from flowweaver.definitions.file_uses import file_uses
from flowweaver.definitions.wiring import Wiring


def unfollowed_paths(wiring: Wiring) -> dict[str, tuple[str, ...]]:
    """Return by task the parameters that take a path which says nothing of its content.

    The paths that tasks hand on are results, and what they lead to is part of those.
    """
    nodes = sorted({*wiring.uses, *wiring.mapped, *wiring.conditions})
    found = {wiring.tasks[node].name: tuple(_unmarked(wiring, node)) for node in nodes}
    return {name: parameters for name, parameters in found.items() if parameters}


def _unmarked(wiring: Wiring, node: int) -> Iterator[str]:
    given = {name for name, _ in wiring.uses.get(node, ())}
    if node in wiring.mapped:
        given |= {item.name for item in wiring.mapped[node].inputs if item.node is None}
    task = wiring.tasks[node]
    uses = file_uses(task.fn)
    if task.options.when is not None:
        given |= {name for name, _ in wiring.conditions[node].uses}
        uses += file_uses(task.options.when)
    yield from dict.fromkeys(
        use.parameter for use in uses if use.kind == "unmarked" and use.is_given(given)
    )
