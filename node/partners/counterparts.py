"""What a company received in return for its gifts, and whether it is still a gift. Pure.

A donor may receive something (its name shown, tickets, a dinner), worth at most so many basis points of what it gave
in the fiscal year; beyond that the gift is a purchase. The limit is rounded down to the cent, so the odd part of a cent
never counts in the company's favour. The test runs: on any day, all returns so far against all euros so far.
Discount coupons stand in `coupons.py` and never here: a merchant's discount is no return for a gift.
Source: CGI art. 238 bis 6 and BOI-BIC-RICI-20-30-10-20; the value passed in (25 % in 2026) is that of practice texts.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from node.partners.ceilings import FiscalYear
from node.partners.companies import Siren, is_line, require_siren
from node.partners.errors import CounterpartTooLarge, InvalidCounterpart
from protocol.amounts import Cents, require_amount
from protocol.identifiers import Id16, require_id

DESCRIPTION_MAX: Final = 200
BASIS_POINTS: Final = 10_000


class Valuation(StrEnum):
    """Where the value comes from; the body that gave the counterpart states it, the first that exists."""

    AGREEMENT = "agreement"  # the value written in the agreement
    SALE_PRICE = "sale_price"  # what others pay for it
    COST = "cost"  # what it cost the body


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """Something that the company received for its gifts. Raises InvalidCounterpart, InvalidAmount, InvalidId."""

    id: Id16
    day: datetime.date
    description: str
    value: Cents
    valuation: Valuation
    giver: str  # the body that gave it, as the declaration names it

    def __post_init__(self) -> None:
        require_id(self.id)
        require_amount(self.value)
        for field, text in (("description", self.description), ("giver", self.giver)):
            if not is_line(text, DESCRIPTION_MAX):
                raise InvalidCounterpart(field=field, reason=f"one line of 1 to {DESCRIPTION_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """Euros that the fund received from the company, on the day it did. Raises InvalidAmount."""

    day: datetime.date
    cents: Cents

    def __post_init__(self) -> None:
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The gifts and counterparts of one company in one fiscal year. Raises InvalidCounterpart, InvalidSiren."""

    company: Siren
    year: FiscalYear
    gifts: tuple[Gift, ...] = ()
    counterparts: tuple[Counterpart, ...] = ()

    def __post_init__(self) -> None:
        require_siren(self.company)
        for day in self.days:
            if not self.year.holds(day):
                raise InvalidCounterpart(field="day", reason="outside this fiscal year")
        if len({counterpart.id for counterpart in self.counterparts}) < len(self.counterparts):
            raise InvalidCounterpart(field="id", reason="a counterpart stands twice")

    @property
    def days(self) -> list[datetime.date]:
        """The days of its entries, in order."""
        return sorted({gift.day for gift in self.gifts} | {counterpart.day for counterpart in self.counterparts})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a company stands on a day. Cents; `over` is what it received too much, 0 where all is well."""

    given: Cents
    received: Cents
    allowed: Cents

    @property
    def over(self) -> Cents:
        return Cents(max(0, self.received - self.allowed))

    @property
    def left(self) -> Cents:
        return Cents(max(0, self.allowed - self.received))


def compute_standing(register: Register, *, on: datetime.date, basis_points: int) -> Standing:
    """Return the standing at the end of that day. Raises ValueError unless basis points are 0 to 10 000."""
    if not 0 <= basis_points <= BASIS_POINTS:
        raise ValueError("basis points are 0 to 10 000")
    given = sum(gift.cents for gift in register.gifts if gift.day <= on)
    received = sum(counterpart.value for counterpart in register.counterparts if counterpart.day <= on)
    return Standing(given=Cents(given), received=Cents(received), allowed=Cents(given * basis_points // BASIS_POINTS))


def find_breaches(register: Register, *, basis_points: int) -> tuple[tuple[datetime.date, Standing], ...]:
    """Return each day of an entry at whose end the company stood over the limit, in order."""
    told = [(day, compute_standing(register, on=day, basis_points=basis_points)) for day in register.days]
    return tuple((day, standing) for day, standing in told if standing.over)


def add_counterpart(register: Register, counterpart: Counterpart, *, basis_points: int) -> Register:
    """Return the register with one more counterpart, if none of its days is then over the limit because of it.

    The one that is recorded late counts from its own day on. Raises CounterpartTooLarge, InvalidCounterpart.
    """
    after = replace(register, counterparts=(*register.counterparts, counterpart))
    for day, standing in find_breaches(after, basis_points=basis_points):
        if day >= counterpart.day:
            raise CounterpartTooLarge(value=standing.received, allowed=standing.allowed, over=standing.over)
    return after
