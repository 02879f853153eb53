"""What the stores share: leases and locks, files of large results, what can be wrong."""
