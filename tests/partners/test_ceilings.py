"""Fiscal years, the ceiling of each, and what is carried on."""

from __future__ import annotations

import calendar
import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.ceilings import (
    CeilingRules,
    FiscalCalendar,
    FiscalYear,
    YearFigures,
    compute_ceiling,
    list_years,
    use_ceilings,
    year_of,
)
from node.partners.companies import YearEnd
from node.partners.errors import InvalidFiscalYear
from protocol.amounts import Cents

_DAY = datetime.timedelta(days=1)
RULES = CeilingRules(fixed=Cents(2_000_000), per_mille=5, carry_years=5)
date = datetime.date


def _year(start: datetime.date, end: datetime.date) -> FiscalYear:
    return FiscalYear(starts_on=start, ends_on=end)


def _calendar(*named: FiscalYear, end: YearEnd) -> FiscalCalendar:
    return FiscalCalendar(named=named, year_end=end, months_max=24)


# ---------------------------------------------------------------- fiscal years


def test_a_short_first_year_is_followed_by_years_of_twelve_months() -> None:
    told = _calendar(_year(date(2023, 11, 15), date(2024, 6, 30)), end=YearEnd(month=6, day=30))
    assert list_years(told, date(2026, 6, 30)) == (
        _year(date(2023, 11, 15), date(2024, 6, 30)),
        _year(date(2024, 7, 1), date(2025, 6, 30)),
        _year(date(2025, 7, 1), date(2026, 6, 30)),
    )
    assert year_of(told, date(2026, 7, 1)).starts_on == date(2026, 7, 1)


def test_a_long_first_year_reaches_into_the_next_calendar_year() -> None:
    told = _calendar(_year(date(2024, 2, 1), date(2025, 12, 31)), end=YearEnd(month=12, day=31))
    assert year_of(told, date(2025, 12, 31)).starts_on == date(2024, 2, 1)
    assert year_of(told, date(2026, 1, 1)) == _year(date(2026, 1, 1), date(2026, 12, 31))


def test_a_changed_closing_date_makes_one_short_year() -> None:
    told = _calendar(
        _year(date(2023, 1, 1), date(2023, 12, 31)),
        _year(date(2024, 1, 1), date(2024, 9, 30)),
        end=YearEnd(month=9, day=30),
    )
    assert [year.ends_on for year in list_years(told, date(2025, 10, 1))] == [
        *(date(2023, 12, 31), date(2024, 9, 30), date(2025, 9, 30), date(2026, 9, 30))
    ]


def test_the_last_of_february_is_the_29th_in_leap_years() -> None:
    told = _calendar(_year(date(2023, 3, 1), date(2024, 2, 29)), end=YearEnd(month=2, day=29))
    assert [year.ends_on for year in list_years(told, date(2028, 2, 29))] == [
        *(date(2024, 2, 29), date(2025, 2, 28), date(2026, 2, 28), date(2027, 2, 28), date(2028, 2, 29))
    ]


@given(st.integers(1, 12), st.dates(date(1995, 1, 1), date(2030, 1, 1)), st.integers(0, 1), st.integers(0, 9000))
def test_every_day_is_in_one_fiscal_year_and_regular_ones_end_as_the_company_says(
    month: int, start: datetime.date, later: int, days: int
) -> None:
    end = YearEnd(month=month, day=calendar.monthrange(2000, month)[1])
    first_end = end.on(start.year + later)
    if not start <= first_end:
        first_end = end.on(start.year + later + 1)
    if (first_end - start).days > 700:
        first_end = end.on(first_end.year - 1)
    told = _calendar(_year(start, first_end), end=end)
    until = start + days * _DAY
    years = list_years(told, until)
    # Said again day by day at the borders: no gap, no overlap, the last one holds the day, ends of months.
    assert years[0] == told.named[0]
    assert years[-1].starts_on <= until <= years[-1].ends_on
    for before, after in itertools.pairwise(years):
        assert after.starts_on - before.ends_on == _DAY
        assert (after.ends_on + _DAY).day == 1
        assert after.ends_on.month == month
        assert 365 <= (after.ends_on - before.ends_on).days <= 366


@pytest.mark.parametrize(
    ("named", "end"),
    [
        ((), YearEnd(month=12, day=31)),
        (((2024, 1, 1), (2024, 11, 30)), YearEnd(month=12, day=31)),
        (((2024, 1, 1), (2026, 1, 1)), YearEnd(month=1, day=1)),
        (((2024, 1, 1), (2024, 6, 30), (2024, 7, 2), (2024, 12, 31)), YearEnd(month=12, day=31)),
        (((2024, 1, 1), (2024, 6, 30), (2024, 6, 30), (2024, 12, 31)), YearEnd(month=12, day=31)),
    ],
)
def test_years_with_a_gap_too_long_or_of_another_end_are_refused(
    named: tuple[tuple[int, int, int], ...], end: YearEnd
) -> None:
    days = [date(*told) for told in named]
    years = [_year(start, stop) for start, stop in zip(days[::2], days[1::2], strict=True)]
    with pytest.raises(InvalidFiscalYear):
        _calendar(*years, end=end)


def test_a_first_year_of_exactly_the_longest_is_taken() -> None:
    told = _calendar(_year(date(2024, 1, 1), date(2025, 12, 31)), end=YearEnd(month=12, day=31))
    assert year_of(told, date(2025, 6, 1)).starts_on == date(2024, 1, 1)
    with pytest.raises(InvalidFiscalYear):
        year_of(told, date(2023, 12, 31))
    with pytest.raises(InvalidFiscalYear):
        _year(date(2024, 1, 2), date(2024, 1, 1))


# ---------------------------------------------------------------- ceilings


def _figures(*told: tuple[int, int], rules: CeilingRules = RULES) -> list[YearFigures]:
    return [
        YearFigures(
            year=_year(date(2020 + at, 1, 1), date(2020 + at, 12, 31)),
            paid=Cents(paid),
            turnover=Cents(turnover),
            rules=rules,
        )
        for at, (paid, turnover) in enumerate(told)
    ]


@pytest.mark.parametrize(
    ("turnover", "ceiling"),
    [(0, 2_000_000), (400_000_000, 2_000_000), (400_000_199, 2_000_000), (400_000_200, 2_000_001), (10**12, 5 * 10**9)],
)
def test_the_ceiling_is_the_greater_of_the_two_rounded_down(turnover: int, ceiling: int) -> None:
    assert compute_ceiling(Cents(turnover), RULES) == ceiling


def test_the_worked_example_of_bofip_with_its_old_ceiling() -> None:
    # Turnover 1.5 million, gift 9 000: 5 per mille are 7 500, below the 10 000 of that time; the whole gift counts.
    old = CeilingRules(fixed=Cents(1_000_000), per_mille=5, carry_years=5)
    (use,) = use_ceilings(_figures((900_000, 150_000_000), rules=old))
    assert (use.ceiling, use.used, use.left, use.carried) == (1_000_000, 900_000, 100_000, ())


def test_this_years_gifts_come_first_and_then_the_oldest_excess() -> None:
    uses = use_ceilings(_figures((2_500_000, 0), (2_300_000, 0), (1_400_000, 0)))
    first, second = uses[0].year, uses[1].year
    assert [(carried.origin, carried.cents, carried.years_left) for carried in uses[1].carried] == [
        (first, 500_000, 4),
        (second, 300_000, 5),
    ]
    assert uses[2].of_year == 1_400_000
    assert uses[2].of_earlier == ((first, 500_000), (second, 100_000))
    assert uses[2].left == 0


def test_an_excess_is_used_in_the_fifth_following_year_and_lost_after_it() -> None:
    full = (2_000_000, 0)
    used = use_ceilings(_figures((2_000_100, 0), full, full, full, full, (1_999_960, 0), (0, 0)))
    assert used[5].of_earlier == ((used[0].year, 40),)
    assert used[5].lost == ((used[0].year, 60),)
    assert used[5].carried == ()
    assert used[6].of_earlier == ()
    assert [use.lost for use in used[:5]] == [()] * 5


def test_short_years_age_an_excess_as_long_ones_do() -> None:
    borders = [date(2020, 1, 1), date(2020, 4, 1), date(2020, 7, 1), date(2022, 6, 30), date(2022, 7, 1)]
    figures = [
        YearFigures(
            year=_year(start, stop - _DAY),
            paid=Cents(2_000_001 if at == 0 else 2_000_000),
            turnover=Cents(0),
            rules=CeilingRules(fixed=Cents(2_000_000), per_mille=5, carry_years=2),
        )
        for at, (start, stop) in enumerate(itertools.pairwise(borders))
    ]
    uses = use_ceilings(figures)
    assert [use.lost for use in uses] == [(), (), ((uses[0].year, 1),), ()]


def test_years_with_a_gap_between_them_are_refused() -> None:
    figures = _figures((1, 0), (1, 0), (1, 0))
    with pytest.raises(InvalidFiscalYear):
        use_ceilings([figures[0], figures[2]])
    with pytest.raises(InvalidFiscalYear):
        use_ceilings([figures[1], figures[0]])


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 12_000)), max_size=14),
    st.integers(0, 30),
    st.integers(0, 6),
)
def test_each_cent_paid_counts_once_is_carried_or_is_lost(
    told: list[tuple[int, int]], fixed: int, carry_years: int
) -> None:
    rules = CeilingRules(fixed=Cents(fixed), per_mille=5, carry_years=carry_years)
    uses = use_ceilings(_figures(*told, rules=rules))

    # Said again cent by cent: each waits in line, named by the year it was paid in.
    waiting: list[int] = []
    for at, (paid, turnover) in enumerate(told):
        room = max(fixed, turnover * 5 // 1000)
        line = [at] * paid + sorted(waiting)
        counted, rest = line[:room], line[room:]
        waiting = [origin for origin in rest if at - origin < carry_years]
        lost = [origin for origin in rest if at - origin >= carry_years]
        use = uses[at]
        assert use.of_year == counted.count(at)
        of_earlier = {origin.starts_on.year - 2020: cents for origin, cents in use.of_earlier}
        assert of_earlier == {origin: counted.count(origin) for origin in counted if origin != at}
        assert {origin.starts_on.year - 2020: cents for origin, cents in use.lost} == {
            origin: lost.count(origin) for origin in lost
        }
        assert {told.origin.starts_on.year - 2020: told.cents for told in use.carried} == {
            origin: waiting.count(origin) for origin in waiting
        }
        assert use.used + use.left == use.ceiling == room
        assert use.left >= 0
    paid_in_all = sum(paid for paid, _ in told)
    lost_in_all = sum(cents for use in uses for _, cents in use.lost)
    still = sum(carried.cents for carried in uses[-1].carried) if uses else 0
    assert paid_in_all == sum(use.used for use in uses) + lost_in_all + still


def test_rules_out_of_range_are_bugs() -> None:
    with pytest.raises(ValueError):
        CeilingRules(fixed=Cents(0), per_mille=1001, carry_years=5)
    with pytest.raises(ValueError):
        CeilingRules(fixed=Cents(0), per_mille=5, carry_years=-1)
