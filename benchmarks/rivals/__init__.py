"""The kill loop of our own harness on public rivals."""
