"""The days on which banks settle euros, and the dates that are counted in them. Pure. Source: ECB, T2 calendar."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass

_ONE_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCalendar:
    """Closed beside Saturdays and Sundays: (month, day) of each year, and days from Easter Sunday."""

    fixed: Collection[tuple[int, int]]
    from_easter: Collection[int]

    def is_open(self, day: datetime.date) -> bool:
        """Saturday and Sunday are closed."""
        if day.weekday() >= 5 or (day.month, day.day) in self.fixed:
            return False
        return (day - compute_easter(day.year)).days not in self.from_easter

    def on_or_after(self, day: datetime.date) -> datetime.date:
        """Return the first open day from this one."""
        while not self.is_open(day):
            day += _ONE_DAY
        return day

    def before(self, day: datetime.date, count: int) -> datetime.date:
        """Return the open day that is `count` open days before this one."""
        while count:
            day -= _ONE_DAY
            count -= self.is_open(day)
        return day


def compute_easter(year: int) -> datetime.date:
    """Return Easter Sunday of the Gregorian calendar. Source: Meeus, Astronomical Algorithms, chapter 8."""
    golden = year % 19
    century, of_century = divmod(year, 100)
    leaps, century_rest = divmod(century, 4)
    moon_shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - moon_shift + 15) % 30
    four, rest = divmod(of_century, 4)
    weekday = (32 + 2 * century_rest + 2 * four - epact - rest) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return datetime.date(year, month, day + 1)
