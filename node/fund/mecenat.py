"""What a company's gifts take off its tax: the reduction of art. 238 bis CGI, and what is left of it for later. Pure.

How much of its gifts a company may count in a fiscal year (ceiling, excess carried on for five years) is computed in
the companies' base, `node/partners/ceilings.py`, and not a second time here: `counted` is what it says is used.
Gifts to bodies that give free meals, housing or care to people in difficulty keep the full rate above the bound and do
not fill it. The reduction is rounded down to the cent, once, on the sum: the odd part of a cent is the State's.
A reduction that is more than the tax can be used in the fiscal years that follow, the oldest first; then it is lost.
Source: CGI art. 238 bis, 220 E, 199 ter-0; shared design, DOMAIN.md, 1.1. All values are passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protocol.amounts import Cents, require_balance

BASIS_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRates:
    """What the law says for one fiscal year; rates in basis points. Raises InvalidAmount, ValueError.

    `full_rate_max` is None where there is no bound; `rate_above` holds above it.
    """

    rate: int
    full_rate_max: Cents | None
    rate_above: int
    reduction_carry_years: int

    def __post_init__(self) -> None:
        if self.full_rate_max is not None:
            require_balance(self.full_rate_max)
        if not 0 <= self.rate_above <= self.rate <= BASIS_POINTS or self.reduction_carry_years < 0:
            raise ValueError("rates are 0 to 10 000 basis points, the higher first, and years are not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyReduction:
    """The reduction of one fiscal year, and the bases that made it. Cents."""

    at_full_rate: Cents  # of the ordinary gifts
    above: Cents  # of the ordinary gifts
    for_people_in_need: Cents  # always at the full rate
    reduction: Cents

    @property
    def counted(self) -> Cents:
        return Cents(self.at_full_rate + self.above + self.for_people_in_need)


def split_counted(*, counted: Cents, paid: Cents, paid_for_people_in_need: Cents) -> tuple[Cents, Cents]:
    """Return what counts of ordinary gifts and of gifts for people in need, when not all that was paid counts.

    In proportion; the odd cent counts as ordinary, never in the company's favour [D: the law names no order].
    Raises InvalidAmount, ValueError.
    """
    for cents in (counted, paid, paid_for_people_in_need):
        require_balance(cents)
    if counted > paid or paid_for_people_in_need > paid:
        raise ValueError("what counts, and what was for people in need, are parts of what was paid")
    in_need = counted * paid_for_people_in_need // paid if paid else 0
    return Cents(counted - in_need), Cents(in_need)


def compute_reduction(*, counted: Cents, for_people_in_need: Cents, rates: CompanyRates) -> CompanyReduction:
    """Return the reduction of a fiscal year for the gifts that count in it; the second sum is not part of the first.

    Raises InvalidAmount.
    """
    require_balance(counted)
    require_balance(for_people_in_need)
    full = counted if rates.full_rate_max is None else min(counted, rates.full_rate_max)
    above = counted - full
    points = (full + for_people_in_need) * rates.rate + above * rates.rate_above
    return CompanyReduction(
        at_full_rate=Cents(full),
        above=Cents(above),
        for_people_in_need=for_people_in_need,
        reduction=Cents(points // BASIS_POINTS),
    )


# ---------------------------------------------------------------- a reduction that is more than the tax


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxYear:
    """One fiscal year: the reduction it gave rise to, and the tax there was before it. Raises InvalidAmount."""

    reduction: Cents
    tax: Cents
    rates: CompanyRates

    def __post_init__(self) -> None:
        require_balance(self.reduction)
        require_balance(self.tax)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """A rest of the reduction of year `origin` (its place, from 0), and how many more years may use it."""

    origin: int
    cents: Cents
    years_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxYearUse:
    """What was taken off the tax of one year. Cents; `of_earlier` and `lost` name the year by its place, from 0."""

    of_year: Cents
    of_earlier: tuple[tuple[int, Cents], ...]
    lost: tuple[tuple[int, Cents], ...]
    carried: tuple[Unused, ...]
    tax_left: Cents

    @property
    def used(self) -> Cents:
        return Cents(self.of_year + sum(cents for _, cents in self.of_earlier))


def use_reductions(years: Sequence[TaxYear]) -> tuple[TaxYearUse, ...]:
    """Return what is taken off the tax of each of the fiscal years, which follow one another.

    The reduction of the year comes first, then rests of earlier years, the oldest first [D]. A rest lives by the rules
    of the year in which it arose.
    """
    uses: list[TaxYearUse] = []
    waiting: list[Unused] = []
    for place, year in enumerate(years):
        of_year = min(year.reduction, year.tax)
        tax_left = year.tax - of_year
        of_earlier: list[tuple[int, Cents]] = []
        lost: list[tuple[int, Cents]] = []
        onward: list[Unused] = []
        # What the year itself could not use waits with `years_left` + 1: the year is over for it too.
        own = Unused(
            origin=place, cents=Cents(year.reduction - of_year), years_left=year.rates.reduction_carry_years + 1
        )
        for unused in (*waiting, own):
            taken = 0 if unused is own else min(unused.cents, tax_left)
            tax_left -= taken
            if taken:
                of_earlier.append((unused.origin, Cents(taken)))
            rest = Cents(unused.cents - taken)
            if rest and unused.years_left == 1:
                lost.append((unused.origin, rest))
            elif rest:
                onward.append(Unused(origin=unused.origin, cents=rest, years_left=unused.years_left - 1))
        uses.append(
            TaxYearUse(
                of_year=Cents(of_year),
                of_earlier=tuple(of_earlier),
                lost=tuple(lost),
                carried=tuple(onward),
                tax_left=Cents(tax_left),
            )
        )
        waiting = onward
    return tuple(uses)
