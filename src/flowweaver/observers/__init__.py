"""Observers, which are told of events: progress for people, records for logs."""
