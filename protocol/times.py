"""Instants: whole milliseconds since 1970, UTC; days as they are kept and sent: the whole number yyyymmdd.

Pure: the time now is always an argument.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType
from zoneinfo import ZoneInfo

from protocol.errors import InvalidTime

Instant = NewType("Instant", int)

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

# The last millisecond of the year 9999.
INSTANT_MAX: Final = 253_402_300_799_999
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What `datetime.fromisoformat` takes changes with the version of Python: the shape is ours.
_SHAPE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)

_DAY_SHAPE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def require_instant(value: object, field: str) -> Instant:
    """Return the instant if it is a whole number of milliseconds from 1970 to 9999. Raises InvalidTime."""
    if type(value) is not int or not 0 <= value <= INSTANT_MAX:
        raise InvalidTime(field=field, reason="an instant is whole milliseconds since 1970")
    return Instant(value)


@lru_cache(maxsize=256)  # what is written in one page shares its instant
def format_instant(instant: int) -> str:
    """Return 2026-11-23T08:15:00.123Z."""
    moment = _EPOCH + timedelta(milliseconds=instant)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: object, field: str = "time") -> Instant:
    """Return the instant of 2026-11-23T08:15:00.123Z, or of the same with another offset such as +01:00.

    Seconds and their decimals may be left out; what is finer than a millisecond is dropped. Raises InvalidTime.
    """
    if not isinstance(text, str) or _SHAPE.fullmatch(text) is None:
        raise InvalidTime(field=field, reason="not an ISO 8601 time with its time zone")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidTime(field=field, reason="no such day") from None
    return require_instant((moment - _EPOCH) // timedelta(milliseconds=1), field)


def day_of(instant: int) -> int:
    """Return the number of the UTC day since 1970-01-01."""
    return instant // DAY_MS


def day_at(instant: int) -> date:
    """Return the UTC day of an instant."""
    return _EPOCH.date() + timedelta(days=day_of(instant))


def local_day(instant: int, zone: str) -> date:
    """Return the day of an instant where the clocks show that zone. Raises OverflowError, ValueError past the year 9999."""
    return datetime.fromtimestamp(instant / 1_000, ZoneInfo(zone)).date()


def write_day(day: date) -> int:
    """Return 20261128 for 28 November 2026."""
    return day.year * 10_000 + day.month * 100 + day.day


def read_day(number: int) -> date:
    """Return the day of such a number. Raises InvalidTime."""
    try:
        return date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        raise InvalidTime(field="day", reason="no such day: yyyymmdd") from None


def parse_day(text: object, field: str = "day") -> date:
    """Return the day of 2026-11-28. Raises InvalidTime."""
    # Nothing shorter or longer: what else `date.fromisoformat` takes changes with the version of Python.
    if isinstance(text, str) and _DAY_SHAPE.fullmatch(text) is not None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidTime(field=field, reason="a day is written yyyy-mm-dd")
