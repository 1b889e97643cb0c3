"""The one place where time and chance enter a process."""

from __future__ import annotations

import secrets
import time

from protocol.times import Instant


def now() -> Instant:
    """Return the instant, by the machine's clock."""
    return Instant(time.time_ns() // 1_000_000)


def entropy(count: int) -> bytes:
    """Return fresh random bytes."""
    return secrets.token_bytes(count)


def chance() -> float:
    """Return a fresh random number from 0 to 1."""
    return secrets.randbelow(1 << 53) / (1 << 53)
