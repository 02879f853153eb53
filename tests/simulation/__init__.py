"""The engine in a simulated world: random workflows, faults and kills, told by a seed."""

from tests.simulation.seeds import Tally, simulate
from tests.simulation.watch import ViolationError

__all__ = ["Tally", "ViolationError", "simulate"]
