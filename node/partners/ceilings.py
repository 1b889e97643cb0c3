"""A company's fiscal years, and how much of its gifts the law lets it count in each of them. Pure.

Each year has a ceiling: the greater of a fixed sum and so many thousandths of the turnover of that year. What was paid
in the year comes first; what room is left goes to the excess of earlier years, the oldest first. An excess can be used
in the five fiscal years that follow its own; then it is lost. Fiscal years count as the company has them: a short first
one or a short one between two closing dates is one year like any other, and its fixed sum is not cut.
The thousandths are rounded down, so the odd part of a cent never counts in the company's favour.
Source: CGI art. 238 bis; BOI-BIC-RICI-20-30-20. All values are passed in. Order of use and the whole fixed sum in a
short year are recalled or deduced ([R], [D]), not read.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.partners.companies import YearEnd
from node.partners.errors import InvalidFiscalYear
from protocol.amounts import Cents, require_balance

_DAY: Final = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FiscalYear:
    """Both days are included. Raises InvalidFiscalYear."""

    starts_on: datetime.date
    ends_on: datetime.date

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise InvalidFiscalYear(field="ends_on", reason="it ends before it starts")

    def holds(self, day: datetime.date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalCalendar:
    """A company's fiscal years: those that are named one by one, then one each time the year end comes round.

    The named ones are the first, which may be short or long, and any that a change of the closing date made. They
    follow each other without a gap, and the last ends on a year end. Raises InvalidFiscalYear.
    """

    named: tuple[FiscalYear, ...]
    year_end: YearEnd
    months_max: int  # of a named year: 24 would let a company founded in January close with the next calendar year

    def __post_init__(self) -> None:
        if not self.named:
            raise InvalidFiscalYear(field="named", reason="the first fiscal year is named")
        for before, after in itertools.pairwise(self.named):
            if after.starts_on != before.ends_on + _DAY:
                raise InvalidFiscalYear(field="starts_on", reason="fiscal years follow each other without a gap")
        for year in self.named:
            if year.ends_on >= _add_months(year.starts_on, self.months_max):
                raise InvalidFiscalYear(field="ends_on", reason=f"longer than {self.months_max} months")
        last = self.named[-1].ends_on
        if last != self.year_end.on(last.year):
            raise InvalidFiscalYear(field="ends_on", reason="the last named year ends on the company's year end")


def _add_months(day: datetime.date, months: int) -> datetime.date:
    """Return the same day of the month so many months later, or its last one where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return YearEnd(month=month + 1, day=day.day).on(year)


def list_years(calendar: FiscalCalendar, until: datetime.date) -> tuple[FiscalYear, ...]:
    """Return the fiscal years from the first to the one that holds `until`.

    Raises InvalidFiscalYear for a day before the first.
    """
    if until < calendar.named[0].starts_on:
        raise InvalidFiscalYear(field="day", reason="before the company's first fiscal year")
    years = [year for year in calendar.named if year.starts_on <= until]
    while years[-1].ends_on < until:
        starts_on = years[-1].ends_on + _DAY
        ends_on = calendar.year_end.on(starts_on.year)
        if ends_on < starts_on:
            ends_on = calendar.year_end.on(starts_on.year + 1)
        years.append(FiscalYear(starts_on=starts_on, ends_on=ends_on))
    return tuple(years)


def year_of(calendar: FiscalCalendar, day: datetime.date) -> FiscalYear:
    """Return the fiscal year that holds the day. Raises InvalidFiscalYear for a day before the first."""
    return list_years(calendar, day)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CeilingRules:
    """What the law says for one fiscal year. Raises InvalidAmount, ValueError."""

    fixed: Cents  # 20 000 euros in 2026
    per_mille: int  # of the turnover without tax; 5 in 2026
    carry_years: int  # 5 in 2026

    def __post_init__(self) -> None:
        require_balance(self.fixed)
        if not 0 <= self.per_mille <= 1000 or self.carry_years < 0:
            raise ValueError("thousandths are 0 to 1000, and years are not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFigures:
    """What one fiscal year came to: euros received from the company, and its turnover without tax. Cents."""

    year: FiscalYear
    paid: Cents
    turnover: Cents
    rules: CeilingRules

    def __post_init__(self) -> None:
        require_balance(self.paid)
        require_balance(self.turnover)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """An excess of a year that is not used yet. `years_left`: how many more fiscal years may use it."""

    origin: FiscalYear
    cents: Cents
    years_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearUse:
    """How the ceiling of one year is used. Cents."""

    year: FiscalYear
    ceiling: Cents
    of_year: Cents  # of what was paid in the year
    of_earlier: tuple[tuple[FiscalYear, Cents], ...]  # of the excess of earlier years, the oldest first
    lost: tuple[tuple[FiscalYear, Cents], ...]  # could be used in this year for the last time, and was not
    carried: tuple[Carried, ...]  # to the next year, the oldest first

    @property
    def used(self) -> Cents:
        return Cents(self.of_year + sum(cents for _, cents in self.of_earlier))

    @property
    def left(self) -> Cents:
        """What the company may still give in this year and count in it."""
        return Cents(self.ceiling - self.used)


def compute_ceiling(turnover: Cents, rules: CeilingRules) -> Cents:
    """Return the ceiling of a year, in cents; the thousandths are rounded down."""
    return Cents(max(rules.fixed, turnover * rules.per_mille // 1000))


def use_ceilings(years: Sequence[YearFigures]) -> tuple[YearUse, ...]:
    """Return how each year's ceiling is used. An excess lives by the rules of the year in which it was paid.

    Raises InvalidFiscalYear where the years do not follow each other without a gap.
    """
    for before, after in itertools.pairwise(years):
        if after.year.starts_on != before.year.ends_on + _DAY:
            raise InvalidFiscalYear(field="starts_on", reason="fiscal years follow each other without a gap")
    uses: list[YearUse] = []
    carried: list[Carried] = []
    for figures in years:
        ceiling = compute_ceiling(figures.turnover, figures.rules)
        of_year = min(figures.paid, ceiling)
        room = ceiling - of_year
        of_earlier: list[tuple[FiscalYear, Cents]] = []
        lost: list[tuple[FiscalYear, Cents]] = []
        onward: list[Carried] = []
        for excess in carried:
            taken = min(excess.cents, room)
            room -= taken
            if taken:
                of_earlier.append((excess.origin, Cents(taken)))
            rest = Cents(excess.cents - taken)
            if rest and excess.years_left == 1:
                lost.append((excess.origin, rest))
            elif rest:
                onward.append(Carried(origin=excess.origin, cents=rest, years_left=excess.years_left - 1))
        over = Cents(figures.paid - of_year)
        if over and figures.rules.carry_years:
            onward.append(Carried(origin=figures.year, cents=over, years_left=figures.rules.carry_years))
        elif over:
            lost.append((figures.year, over))
        uses.append(
            YearUse(
                year=figures.year,
                ceiling=ceiling,
                of_year=Cents(of_year),
                of_earlier=tuple(of_earlier),
                lost=tuple(lost),
                carried=tuple(onward),
            )
        )
        carried = onward
    return tuple(uses)
