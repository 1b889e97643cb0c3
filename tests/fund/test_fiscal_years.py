"""The fund's fiscal years: any closing day, no gap, no day in two of them."""

from __future__ import annotations

import calendar
import datetime
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.books_errors import InvalidFundYear
from node.fund.declarations import FiscalYear
from node.fund.fiscal_years import Closing, find_year, make_first_year, make_next_year, require_next

DECEMBER = Closing(month=12, day=31)
DAY = datetime.timedelta(days=1)
closings = st.tuples(st.integers(1, 12), st.integers(1, 31)).filter(
    lambda told: told[1] <= calendar.monthrange(2000, told[0])[1]
)


@pytest.mark.parametrize(
    ("first", "closing", "is_long", "last"),
    [
        (date(2026, 1, 1), DECEMBER, False, date(2026, 12, 31)),
        (date(2026, 9, 15), DECEMBER, False, date(2026, 12, 31)),
        (date(2026, 9, 15), DECEMBER, True, date(2027, 12, 31)),
        (date(2026, 9, 15), Closing(month=8, day=31), False, date(2027, 8, 31)),
        (date(2026, 12, 31), DECEMBER, False, date(2027, 12, 31)),
        (date(2027, 3, 1), Closing(month=2, day=29), False, date(2028, 2, 29)),
        (date(2026, 3, 1), Closing(month=2, day=29), False, date(2027, 2, 28)),
        (date(2026, 7, 1), Closing(month=6, day=15), False, date(2027, 6, 15)),
    ],
)
def test_the_first_year_goes_to_a_closing(first: date, closing: Closing, is_long: bool, last: date) -> None:
    year = make_first_year(first, closing, months_max=24, is_long=is_long)
    assert (year.first_on, year.last_on) == (first, last)


def test_a_first_year_is_not_longer_than_it_may_be() -> None:
    assert make_first_year(date(2026, 1, 1), DECEMBER, months_max=12).last_on == date(2026, 12, 31)
    assert make_first_year(date(2026, 1, 1), DECEMBER, months_max=24, is_long=True).last_on == date(2027, 12, 31)
    with pytest.raises(InvalidFundYear):
        make_first_year(date(2026, 1, 1), DECEMBER, months_max=23, is_long=True)
    with pytest.raises(InvalidFundYear):
        make_first_year(date(2025, 12, 31), DECEMBER, months_max=12)


@given(closings, st.dates(date(1990, 1, 1), date(2050, 1, 1)), st.integers(0, 5_000))
def test_every_day_is_in_one_year_and_years_end_on_the_closing(
    told: tuple[int, int], first_on: date, days: int
) -> None:
    closing = Closing(month=told[0], day=told[1])
    first = make_first_year(first_on, closing, months_max=25)
    day = first_on + days * DAY
    year = find_year(first, closing, day)
    assert year.first_on <= day <= year.last_on
    # Said again without the code: the last day has the month of the closing, and its day or the month's last.
    assert year.last_on.month == told[0]
    assert year.last_on.day == min(told[1], calendar.monthrange(year.last_on.year, told[0])[1])
    after = make_next_year(year, closing)
    require_next(year, after)
    assert 365 <= (after.last_on - year.last_on).days <= 366


def test_a_new_closing_makes_a_short_or_a_long_year() -> None:
    year = FiscalYear(first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
    assert make_next_year(year, Closing(month=6, day=30)).last_on == date(2027, 6, 30)
    assert make_next_year(year, Closing(month=1, day=1)).last_on == date(2028, 1, 1)


def test_years_with_a_gap_or_an_overlap_do_not_follow() -> None:
    year = FiscalYear(first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
    for first_on in (date(2026, 12, 31), date(2027, 1, 2)):
        with pytest.raises(InvalidFundYear):
            require_next(year, FiscalYear(first_on=first_on, last_on=date(2027, 12, 31)))
    with pytest.raises(InvalidFundYear):
        find_year(year, DECEMBER, date(2025, 12, 31))


@pytest.mark.parametrize(("month", "day"), [(0, 1), (13, 1), (2, 30), (4, 31), (1, 0), (True, 1)])
def test_a_day_that_no_year_has_is_no_closing(month: int, day: int) -> None:
    with pytest.raises(InvalidFundYear):
        Closing(month=month, day=day)
