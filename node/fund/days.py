"""Days as the fund's base keeps them: whole numbers yyyymmdd. Pure."""

from __future__ import annotations

import datetime

from protocol.errors import InvalidTime
from protocol.times import DAY_MS, Instant

_EPOCH = datetime.date(1970, 1, 1)


def number_of(day: datetime.date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(number: int) -> datetime.date:
    """Return the day of a number. Raises InvalidTime."""
    try:
        return datetime.date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        raise InvalidTime(field="day", reason="yyyymmdd") from None


def parse_day(text: str) -> datetime.date:
    """Return the day of `2026-11-28`. Raises InvalidTime."""
    try:
        if len(text) != 10:
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InvalidTime(field="day", reason="written yyyy-mm-dd") from None


def day_at(now: Instant) -> datetime.date:
    """Return the day of an instant, in UTC."""
    return _EPOCH + datetime.timedelta(days=now // DAY_MS)
