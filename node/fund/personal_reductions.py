"""What a person's gifts take off the income tax: art. 200 CGI, with its two rates, its limit and what is carried. Pure.

Gifts to bodies that give free meals, housing or care have a higher rate up to a sum; what is above it counts with the
other gifts, at the ordinary rate. Other gifts count up to a part of the taxable income, which the first ones do not
eat. What is above that can be used in the years that follow. The limit and each of the two reductions are rounded down
to the cent: the odd part of a cent is the State's. Whole euros are the tax office's own rounding, and not done here.
Nothing here is of art. 978 (IFI), for which endowment funds are not eligible.
Source: CGI art. 200; BOI-IR-RICI-250-30; shared design, DOMAIN.md, 1.2. All values are passed in.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.amounts import Cents, require_amount, require_balance

BASIS_POINTS: Final = 10_000


class RateClass(StrEnum):
    """What the final body does decides; in doubt ordinary."""

    ORDINARY = "ordinary"
    PEOPLE_IN_NEED = "people_in_need"


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRules:
    """The higher rate, in basis points, and the sum of a year up to which it holds, as on the day of a gift."""

    rate: int
    cents_max: Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalRules:
    """What holds for a whole year; `rate` and `income_limit` in basis points.

    `earlier_first`: excess of earlier years is used before the gifts of the year, the oldest first.
    """

    rate: int
    income_limit: int
    carry_years: int
    earlier_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpartRules:
    """What a person may receive for gifts: so many basis points of them, and so many cents a year."""

    rate_max: int
    cents_max: Cents


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalGift:
    """Euros on the day on which they reached the fund. Raises InvalidAmount."""

    received_on: datetime.date
    cents: Cents
    rate_class: RateClass

    def __post_init__(self) -> None:
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedGift:
    """What of the gifts of `year` is above the limit, and can still be used. Raises InvalidAmount."""

    year: int
    cents: Cents

    def __post_init__(self) -> None:
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalReduction:
    """The reduction of one year, in cents, and what is left for later years."""

    at_higher_rate: Cents  # base
    at_ordinary_rate: Cents  # base, earlier years included
    limit: Cents  # of the ordinary base
    used_of_earlier: tuple[CarriedGift, ...]
    lost: tuple[CarriedGift, ...]  # could be used in this year for the last time, and was not
    carried: tuple[CarriedGift, ...]  # to the next year, the oldest first
    reduction: Cents


def compute_personal_reduction(
    *,
    year: int,
    gifts: Sequence[PersonalGift],
    income: Cents,
    carried: Sequence[CarriedGift],
    rules: PersonalRules,
    help_rules_on: Callable[[datetime.date], HelpRules],
) -> PersonalReduction:
    """Return the reduction of a civil year; `income` is the taxable income, `carried` what earlier years left.

    Gifts count in the order of their days: the sum for the higher rate is that of each gift's own day, less what
    earlier gifts of the year used of it [D: simulators apply the last sum to a whole year].
    Raises ValueError for a gift of another year or a carried one of a year that cannot be used; InvalidAmount.
    """
    require_balance(income)
    for gift in gifts:
        if gift.received_on.year != year:
            raise ValueError(f"a gift of {gift.received_on.year} among those of {year}")
    waiting = sorted(carried, key=lambda excess: excess.year)
    for excess in waiting:
        if not year - rules.carry_years <= excess.year < year:
            raise ValueError(f"an excess of {excess.year} cannot be used in {year}")

    higher_base, higher_points = _use_higher_rate(gifts, help_rules_on)
    ordinary = sum(gift.cents for gift in gifts) - higher_base
    limit = income * rules.income_limit // BASIS_POINTS
    room = limit if rules.earlier_first else limit - min(ordinary, limit)
    used: list[CarriedGift] = []
    rests: list[CarriedGift] = []
    for excess in waiting:
        taken = min(excess.cents, room)
        room -= taken
        if taken:
            used.append(CarriedGift(year=excess.year, cents=Cents(taken)))
        if taken < excess.cents:
            rests.append(CarriedGift(year=excess.year, cents=Cents(excess.cents - taken)))
    used_of_earlier = sum(excess.cents for excess in used)
    of_year = min(ordinary, limit - used_of_earlier)
    if of_year < ordinary:
        rests.append(CarriedGift(year=year, cents=Cents(ordinary - of_year)))
    base = used_of_earlier + of_year
    return PersonalReduction(
        at_higher_rate=Cents(higher_base),
        at_ordinary_rate=Cents(base),
        limit=Cents(limit),
        used_of_earlier=tuple(used),
        lost=tuple(rest for rest in rests if rest.year + rules.carry_years <= year),
        carried=tuple(rest for rest in rests if rest.year + rules.carry_years > year),
        reduction=Cents(higher_points // BASIS_POINTS + base * rules.rate // BASIS_POINTS),
    )


def _use_higher_rate(
    gifts: Sequence[PersonalGift], help_rules_on: Callable[[datetime.date], HelpRules]
) -> tuple[int, int]:
    """Return the base at the higher rate, and that base times the rate, in basis points of a cent."""
    base = points = 0
    for gift in sorted(gifts, key=lambda gift: gift.received_on):
        if gift.rate_class is RateClass.PEOPLE_IN_NEED:
            rules = help_rules_on(gift.received_on)
            taken = min(gift.cents, max(0, rules.cents_max - base))
            base += taken
            points += taken * rules.rate
    return base, points


def compute_counterpart_max(given: Cents, rules: CounterpartRules) -> Cents:
    """Return what a person may receive for the gifts of a year, rounded down to the cent. Raises InvalidAmount."""
    return Cents(min(require_balance(given) * rules.rate_max // BASIS_POINTS, rules.cents_max))
