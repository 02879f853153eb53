"""Past runs: looked at, replayed, compared, pruned."""
