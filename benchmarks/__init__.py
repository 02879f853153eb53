"""Measures FlowWeaver beside floors and peers, in one sitting: ``python -m benchmarks --help``."""
