"""The parts of the conformance kit for stores."""
