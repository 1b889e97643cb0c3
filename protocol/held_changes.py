"""A change that waits before it counts: of a key or an account that others tell us. Pure.

Who could change in one night which account is paid, or whose word moves euros, needs one stolen key only. So a change is
shown at once and counts after a while: whoever is robbed has that long to say so. What takes something away counts at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from protocol.times import Instant

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Generic[Value]):
    """What was told at an instant, and from when on it counts."""

    value: Value
    at: Instant
    from_at: Instant


def find_in_force(told: Sequence[Told[Value]], now: int) -> Value | None:
    """Return what counts now of what was told, the oldest first; what was overtaken while it waited never counts."""
    found: Value | None = None
    for place, one in enumerate(told):
        is_overtaken = place + 1 < len(told) and told[place + 1].at < one.from_at
        if one.from_at <= now and not is_overtaken:
            found = one.value
    return found


def find_waiting(told: Sequence[Told[Value]], now: int) -> Told[Value] | None:
    """Return the change that waits now, or None."""
    return told[-1] if told and told[-1].from_at > now else None


def compute_start(told: Sequence[Told[Value]], value: Value, now: Instant, wait_ms: int) -> Instant:
    """Return from when on `value` counts, told now: at once where nothing was known before, or where it counts already."""
    if not told or find_in_force(told, now) == value:
        return now
    return Instant(now + wait_ms)
