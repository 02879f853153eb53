"""Ports that nobody listens on."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port of this machine that is free at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
