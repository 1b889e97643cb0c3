"""Enter what a company received in return, against the running limit of its fiscal year."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, union_all

from node.partners import tables
from node.partners.answering import answer_each
from node.partners.ceilings import FiscalCalendar, FiscalYear, year_of
from node.partners.companies import Siren
from node.partners.companies_service import find_years, load_company
from node.partners.counterparts import Counterpart, Gift, Register, Valuation, add_counterpart
from node.partners.errors import InvalidFiscalYear
from node.partners.parameters_store import load_counterpart_limit
from node.partners.seals import seal
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id
from protocol.times import read_day, write_day

_counterparts = tables.counterparts


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterCounterpart:
    """A counterpart for the register of its company."""

    company: Siren
    counterpart: Counterpart


class CounterpartDesk:
    """Operations for the book's writer, on counterparts."""

    def __init__(self, *, months_max: int) -> None:
        self._months_max = months_max

    def enter(self, page: Page, items: Sequence[EnterCounterpart]) -> list[Id16 | Refusal]:
        """Enter each. Raises CounterpartTooLarge where the company would receive more than a donor may."""
        return answer_each(items, lambda item: self._enter(page, item))

    def _enter(self, page: Page, asked: EnterCounterpart) -> Id16:
        told = asked.counterpart
        calendar = load_calendar(page.connection, asked.company, months_max=self._months_max)
        known = page.connection.execute(select(_counterparts).where(_counterparts.c.id == told.id)).first()
        if known is not None:
            if known.siren != asked.company or _make(known) != told:
                raise IdMismatch(id=format_id(told.id), field="counterpart")
            return told.id
        register = load_register(page.connection, asked.company, year_of(calendar, told.day))
        add_counterpart(register, told, basis_points=load_counterpart_limit(told.day))
        page.connection.execute(
            _counterparts.insert().values(
                **seal(
                    "counterparts",
                    {
                        "id": told.id,
                        "siren": asked.company,
                        "day": write_day(told.day),
                        "value": told.value,
                        "description": told.description,
                        "valuation": told.valuation,
                        "giver": told.giver,
                        "at": page.now,
                    },
                )
            )
        )
        return told.id


def load_calendar(connection: Connection, siren: Siren, *, months_max: int) -> FiscalCalendar:
    """Return the fiscal years of a company. Raises CompanyUnknown; InvalidFiscalYear where its first is not named."""
    company = load_company(connection, siren)
    named = find_years(connection, siren)
    if not named:
        raise InvalidFiscalYear(field="named", reason="the company's first fiscal year is not entered yet")
    return FiscalCalendar(named=named, year_end=company.year_end, months_max=months_max)


def load_gifts(connection: Connection, siren: Siren) -> list[Gift]:
    """Return the euros that the fund received from a company, the oldest first."""
    payments, campaigns = tables.payments, tables.campaigns
    called, calls = tables.call_payments, tables.calls
    paid = union_all(
        select(payments.c.on_day, payments.c.cents, payments.c.deposit)
        .join_from(payments, campaigns, campaigns.c.id == payments.c.campaign_id)
        .where(campaigns.c.siren == siren),
        select(called.c.on_day, called.c.cents, called.c.deposit)
        .join_from(called, calls, calls.c.id == called.c.call)
        .where(calls.c.siren == siren),
    ).subquery()
    rows = connection.execute(select(paid.c.on_day, paid.c.cents).order_by(paid.c.on_day, paid.c.deposit))
    return [Gift(day=read_day(row[0]), cents=Cents(row[1])) for row in rows]


def load_register(connection: Connection, siren: Siren, year: FiscalYear) -> Register:
    """Return the gifts and counterparts of a company in one fiscal year."""
    rows = connection.execute(
        select(_counterparts)
        .where(
            _counterparts.c.siren == siren,
            _counterparts.c.day >= write_day(year.starts_on),
            _counterparts.c.day <= write_day(year.ends_on),
        )
        .order_by(_counterparts.c.day, _counterparts.c.id)
    )
    gifts = [gift for gift in load_gifts(connection, siren) if year.holds(gift.day)]
    return Register(company=siren, year=year, gifts=tuple(gifts), counterparts=tuple(_make(row) for row in rows))


def _make(row: object) -> Counterpart:
    told = row._mapping  # type: ignore[attr-defined]
    day: datetime.date = read_day(told["day"])
    return Counterpart(
        id=Id16(bytes(told["id"])),
        day=day,
        description=told["description"],
        value=Cents(told["value"]),
        valuation=Valuation(told["valuation"]),
        giver=told["giver"],
    )
