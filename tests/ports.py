"""Ports for processes that come back where others look for them.

The system gives any port of its range to whoever asks for one while the process is away. These lie below that range, and no
two test processes that run at once choose the same.
"""

from __future__ import annotations

import itertools
import os
import socket
from pathlib import Path
from typing import Final

_FIRST: Final = 10_000
_EACH: Final = 64  # for one test process
_numbers = itertools.count()


def choose_port() -> int:
    """Return a port of this machine that is free, and that nobody is given by chance."""
    end = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first = _FIRST + os.getpid() % max(1, (end - _FIRST) // _EACH) * _EACH
    for _ in range(_EACH):
        port = first + next(_numbers) % _EACH
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as our servers do
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError(f"no port is free from {first} on")
