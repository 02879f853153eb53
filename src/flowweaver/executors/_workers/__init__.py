"""Warm worker processes: kept between calls, supervised, and killable one by one.

`pool` hands calls to workers, `nursery` and `handle` are the supervisor's ends of the processes
that `server` and `worker` are.
"""
