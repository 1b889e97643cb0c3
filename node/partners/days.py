"""Days as they are kept and sent: the whole number yyyymmdd. Pure."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from protocol.errors import InvalidTime
from protocol.times import Instant


def write_day(day: datetime.date) -> int:
    """Return 20261128 for 28 November 2026."""
    return day.year * 10_000 + day.month * 100 + day.day


def read_day(number: int) -> datetime.date:
    """Return the day of such a number. Raises ValueError."""
    return datetime.date(number // 10_000, number // 100 % 100, number % 100)


def local_day(at: Instant, zone: str) -> datetime.date:
    """Return the day of an instant where the clocks show that zone."""
    return datetime.datetime.fromtimestamp(at / 1_000, ZoneInfo(zone)).date()


def parse_day(text: object, field: str) -> datetime.date:
    """Return the day of 2026-11-28. Raises InvalidTime."""
    if isinstance(text, str) and len(text) == 10:
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidTime(field=field, reason="a day is written yyyy-mm-dd")
