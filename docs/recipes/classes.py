"""Code in classes: methods are tasks, and objects count by what they hold.

Another column or factor runs again what depends on it; the same object, made anew, restores.

    flowweaver run classes.py:build
"""

from dataclasses import dataclass, field

from flowweaver import Workflow


@dataclass(frozen=True)
class Source:
    """Where rows come from."""

    rows: tuple[dict[str, float], ...]

    def load(self) -> list[dict[str, float]]:
        return list(self.rows)


@dataclass
class Scaler:
    """Scales one column."""

    column: str
    factor: float = 1.0
    notes: list[str] = field(default_factory=list)

    def scale(self, load: list[dict[str, float]]) -> list[float]:
        return [self.factor * row[self.column] for row in load]


class Report:
    """Keeps to a title."""

    def __init__(self, title: str) -> None:
        self.title = title

    def __call__(self, scale: list[float]) -> str:
        return f"{self.title}: {sum(scale):g}"


def build(column: str = "price", factor: float = 2.0) -> Workflow:
    source = Source(({"price": 1.5, "tax": 0.5}, {"price": 2.5, "tax": 0.25}))
    workflow = Workflow("classes", [source.load, Scaler(column, factor).scale])
    workflow.add_task(Report(f"Sum of {column}"), name="report")
    return workflow
