"""The store to read with one's eyes: an append-only journal of JSON lines."""
