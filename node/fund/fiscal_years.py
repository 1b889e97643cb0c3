"""The fund's fiscal years, whatever the day on which they close. Pure.

A year is the `FiscalYear` of `declarations.py`. Years follow each other without a gap. A closing on 29 February, or on a
day that a month does not have that year, is the last day of the month. A year after a change of the closing day is as
short or long as the change makes it, from two days to a year and a day.
"""

from __future__ import annotations

import calendar
import datetime
from dataclasses import dataclass
from typing import Final

from node.fund.books_errors import InvalidFundYear
from node.fund.declarations import FiscalYear

_DAY: Final = datetime.timedelta(days=1)
_LEAP_YEAR: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The day of the year on which the books close, as the statutes say. Raises InvalidFundYear."""

    month: int
    day: int

    def __post_init__(self) -> None:
        if type(self.month) is not int or not 1 <= self.month <= 12:
            raise InvalidFundYear(field="closing", reason="a month is 1 to 12")
        if type(self.day) is not int or not 1 <= self.day <= calendar.monthrange(_LEAP_YEAR, self.month)[1]:
            raise InvalidFundYear(field="closing", reason="no such day in that month")

    def on(self, year: int) -> datetime.date:
        """Return the closing day of a civil year."""
        return datetime.date(year, self.month, min(self.day, calendar.monthrange(year, self.month)[1]))


def make_first_year(first_on: datetime.date, closing: Closing, *, months_max: int, is_long: bool = False) -> FiscalYear:
    """Return the first fiscal year: to the next closing, or if `is_long` to the one after it.

    Raises InvalidFundYear when it lasts more than `months_max` months.
    """
    last_on = _next_closing(first_on, closing)
    if is_long:
        last_on = _next_closing(last_on, closing)
    if last_on >= _add_months(first_on, months_max):
        raise InvalidFundYear(field="last_on", reason=f"longer than {months_max} months")
    return FiscalYear(first_on=first_on, last_on=last_on)


def make_next_year(year: FiscalYear, closing: Closing) -> FiscalYear:
    """Return the fiscal year that follows, to the next closing; `closing` may have changed meanwhile."""
    first_on = year.last_on + _DAY
    return FiscalYear(first_on=first_on, last_on=_next_closing(first_on, closing))


def find_year(first: FiscalYear, closing: Closing, day: datetime.date) -> FiscalYear:
    """Return the fiscal year that has the day. Raises InvalidFundYear for a day before the first."""
    if day < first.first_on:
        raise InvalidFundYear(field="day", reason="before the fund's first fiscal year")
    year = first
    while not year.has(day):
        year = make_next_year(year, closing)
    return year


def require_next(before: FiscalYear, after: FiscalYear) -> None:
    """Raises InvalidFundYear unless the second year begins on the day after the first."""
    if after.first_on != before.last_on + _DAY:
        raise InvalidFundYear(field="first_on", reason="fiscal years follow each other without a gap")


def _next_closing(day: datetime.date, closing: Closing) -> datetime.date:
    """Return the first closing after the day."""
    found = closing.on(day.year)
    return found if found > day else closing.on(day.year + 1)


def _add_months(day: datetime.date, months: int) -> datetime.date:
    """Return the same day of the month so many months later, or its last one where there is no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return datetime.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
