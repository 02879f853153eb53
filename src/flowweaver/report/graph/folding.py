"""Which tasks belong to a nested workflow, which is drawn as one box until it is opened.

A workflow that is a task ``ingest`` of another has been inlined as ``ingest.fetch``,
``ingest.clean`` and so on, and ``ingest`` itself, which has its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folded:
    """One level: boxes that are tasks (their place) or groups (their name), and what leads in.

    `members` are the tasks each box stands for.
    """

    boxes: tuple[int | str, ...]
    members: tuple[tuple[int, ...], ...]
    preds: tuple[tuple[int, ...], ...]


def fold(names: Sequence[str], preds: Sequence[Sequence[int]]) -> dict[str, Folded]:
    """Return each level by the name of its group; the outermost is ""."""
    homes = _homes(names)
    inside: dict[str, list[int]] = {"": []}
    for task, path in enumerate(homes):
        for group in ("", *path):
            inside.setdefault(group, []).append(task)
    return {group: _level(group, tasks, homes, preds) for group, tasks in inside.items()}


def _homes(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return for each task the groups it is in, the outermost first."""
    known = set(names)
    groups = {
        name[:dot]
        for name in names
        for dot in range(len(name))
        if name[dot] == "." and name[:dot] in known
    }
    if not groups:
        return [()] * len(names)
    return [
        tuple(
            name[:end]
            for end in range(1, len(name) + 1)
            if (end == len(name) or name[end] == ".") and name[:end] in groups
        )
        for name in names
    ]


def _level(
    group: str,
    tasks: Sequence[int],
    homes: Sequence[tuple[str, ...]],
    preds: Sequence[Sequence[int]],
) -> Folded:
    boxes: dict[int | str, list[int]] = {}
    box_of: dict[int, int | str] = {}
    for task in tasks:
        inner = homes[task][homes[task].index(group) + 1 :] if group else homes[task]
        box_of[task] = inner[0] if inner else task
        boxes.setdefault(box_of[task], []).append(task)
    place = {box: index for index, box in enumerate(boxes)}
    return Folded(
        tuple(boxes),
        tuple(map(tuple, boxes.values())),
        tuple(
            tuple(
                dict.fromkeys(
                    place[box_of[pred]]
                    for task in members
                    for pred in preds[task]
                    if pred in box_of and box_of[pred] != box
                )
            )
            for box, members in boxes.items()
        ),
    )
