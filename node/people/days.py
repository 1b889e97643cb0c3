"""Days of the territory as whole numbers yyyymmdd, the way the base keeps them. Pure."""

from __future__ import annotations

import datetime
import re
from typing import Final
from zoneinfo import ZoneInfo

from protocol.errors import InvalidTime
from protocol.times import Instant

_SHAPE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def write_day(day: datetime.date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def read_day(number: int) -> datetime.date:
    return datetime.date(number // 10_000, number // 100 % 100, number % 100)


def require_day(number: int, field: str) -> int:
    """Return the number if it is a day from 1900 on. Raises InvalidTime."""
    try:
        read_day(number)
    except ValueError:
        raise InvalidTime(field=field, reason="no such day") from None
    if number < 19000101:
        raise InvalidTime(field=field, reason="before 1900")
    return number


def parse_day(text: str, field: str) -> int:
    """Return the day of yyyy-mm-dd. Raises InvalidTime."""
    if _SHAPE.fullmatch(text) is None:
        raise InvalidTime(field=field, reason="a day is written yyyy-mm-dd")
    try:
        day = write_day(datetime.date.fromisoformat(text))
    except ValueError:
        raise InvalidTime(field=field, reason="no such day") from None
    return require_day(day, field)


def format_day(number: int | None) -> str:
    """Return yyyy-mm-dd, or nothing where there is no day."""
    return read_day(number).isoformat() if number else ""


def local_day(instant: Instant, zone: str) -> int:
    """Return on which day of the zone an instant falls."""
    moment = datetime.datetime.fromtimestamp(instant / 1000, datetime.UTC)
    return write_day(moment.astimezone(ZoneInfo(zone)).date())


def start_of_day(day: int, zone: str) -> Instant:
    """Return the instant of the zone's midnight with which a day begins."""
    midnight = datetime.datetime.combine(read_day(day), datetime.time(), ZoneInfo(zone))
    return Instant(int(midnight.timestamp()) * 1000)


def add_days(day: int, count: int) -> int:
    return write_day(read_day(day) + datetime.timedelta(days=count))
