"""The engine in a simulated world: random workflows, faults and kills, told by a seed."""

from flowweaver.testing.simulation.seeds import Tally, simulate
from flowweaver.testing.simulation.watch import ViolationError

__all__ = ["Tally", "ViolationError", "simulate"]
