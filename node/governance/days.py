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
    """Return the day of such a number. Raises InvalidTime."""
    try:
        return datetime.date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        raise InvalidTime(field="day", reason="no such day: yyyymmdd") from None


def add_days(day: int, days: int) -> int:
    """Return the day so many days later. Raises InvalidTime."""
    return write_day(read_day(day) + datetime.timedelta(days=days))


def local_day(at: int, zone: str) -> datetime.date:
    """Return the day of an instant where the clocks show that zone."""
    return datetime.datetime.fromtimestamp(at / 1_000, ZoneInfo(zone)).date()


def end_of(day: int, zone: str) -> Instant:
    """Return the first instant after a day (yyyymmdd) where the clocks show that zone."""
    after = read_day(day) + datetime.timedelta(days=1)
    return Instant(
        int(datetime.datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000
    )


def parse_day(text: object, field: str) -> int:
    """Return 20261128 for 2026-11-28. Raises InvalidTime."""
    if isinstance(text, str) and len(text) == 10:
        try:
            return write_day(datetime.date.fromisoformat(text))
        except ValueError:
            pass
    raise InvalidTime(field=field, reason="a day is written yyyy-mm-dd")


def format_day(number: int) -> str:
    """Return 2026-11-28 for 20261128."""
    return f"{number // 10_000:04d}-{number // 100 % 100:02d}-{number % 100:02d}"
