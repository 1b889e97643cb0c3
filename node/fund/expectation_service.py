"""Announced payments: each gets an RF reference, and is known again by it when the bank tells of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from node.fund.days import day_of
from node.fund.expectations import Expectation, ExpectationState, Purpose
from node.fund.fund_errors import FundUnknown, PledgeRefused
from node.fund.pledges import CALLED
from node.fund.references import Reference, make_reference
from node.fund.seal_store import change
from node.fund.tables import donors, expectations
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch
from protocol.identifiers import Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """A payment to be expected. Raises InvalidAmount, InvalidTime."""

    id: Id16
    purpose: Purpose
    donor: Id16
    cents: Cents
    due: int
    campaign: str = ""
    lot_class: int = 0
    restriction: str = ""
    pool: str = ""
    payer_iban: str = ""
    asked_by: str = ""

    def __post_init__(self) -> None:
        require_amount(self.cents)
        day_of(self.due)


_COMPARED = ("purpose", "donor", "cents", "due", "campaign", "lot_class", "restriction", "pool")


def announce(page: Page, asked: Announce) -> Expectation:
    """Keep an expectation and give it a reference; the same again is answered again.

    Raises FundUnknown (the donor), IdMismatch, PledgeRefused (for called lots, which no payment issues).
    """
    connection = page.connection
    if asked.purpose is Purpose.CAMPAIGN and asked.lot_class & CALLED:
        raise PledgeRefused(reason="a called lot hangs on a pledge, not on a payment")
    known = find_expectation(connection, asked.id)
    if known is not None:
        for field in _COMPARED:
            if getattr(known, field) != getattr(asked, field):
                raise IdMismatch(id=asked.id.hex(), field=field)
        return known
    if connection.execute(select(donors.c.id).where(donors.c.id == asked.donor)).first() is None:
        raise FundUnknown(path=f"donor {asked.donor.hex()}")
    number = int(connection.execute(select(func.coalesce(func.max(expectations.c.number), 0))).scalar_one()) + 1
    connection.execute(
        insert(expectations).values(
            number=number,
            id=asked.id,
            purpose=asked.purpose,
            donor=asked.donor,
            campaign=asked.campaign,
            lot_class=asked.lot_class,
            restriction=asked.restriction,
            pool=asked.pool,
            cents=asked.cents,
            received=0,
            due=asked.due,
            reference=make_reference(number),
            payer_iban=asked.payer_iban,
            asked_by=asked.asked_by,
            state=ExpectationState.OPEN,
            closed_by="",
            at=page.now,
        )
    )
    return load_expectation(connection, asked.id)


def receive(page: Page, expectation: Expectation, cents: Cents) -> None:
    """Count what has come; it is paid when nothing is left."""
    received = expectation.received + cents
    state = expectation.state
    if state is ExpectationState.OPEN and received >= expectation.cents:
        state = ExpectationState.PAID
    change(
        page.connection,
        update(expectations).where(expectations.c.id == expectation.id).values(received=received, state=state),
    )


def load_expectation(connection: Connection, id_: bytes) -> Expectation:
    """Raises FundUnknown."""
    found = find_expectation(connection, id_)
    if found is None:
        raise FundUnknown(path=f"payment expected {id_.hex()}")
    return found


def find_expectation(connection: Connection, id_: bytes) -> Expectation | None:
    row = connection.execute(select(expectations).where(expectations.c.id == id_)).first()
    return None if row is None else _make(row)


def load_expectations(connection: Connection, *, open_only: bool = False) -> list[Expectation]:
    """Return them in the order in which they were announced."""
    asked = select(expectations).order_by(expectations.c.number)
    if open_only:
        asked = asked.where(expectations.c.state == ExpectationState.OPEN)
    return [_make(row) for row in connection.execute(asked)]


def load_candidates(
    connection: Connection, references: Iterable[str], ibans: Iterable[str], cents: Sequence[int]
) -> list[Expectation]:
    """Return the expectations that movements may be held against: named by a reference, or by payer and sum."""
    asked = select(expectations).where(
        expectations.c.reference.in_(sorted(set(references)))
        | (
            expectations.c.payer_iban.in_(sorted(set(ibans) - {""}))
            & (expectations.c.cents - expectations.c.received).in_(sorted(set(cents)))
        )
    )
    return [_make(row) for row in connection.execute(asked.order_by(expectations.c.number))]


def _make(row: Any) -> Expectation:
    return Expectation(
        id=Id16(bytes(row.id)),
        number=row.number,
        purpose=Purpose(row.purpose),
        donor=Id16(bytes(row.donor)),
        campaign=row.campaign,
        lot_class=row.lot_class,
        restriction=row.restriction,
        pool=row.pool,
        cents=Cents(row.cents),
        received=Cents(row.received),
        due=row.due,
        reference=Reference(row.reference),
        payer_iban=row.payer_iban,
        asked_by=row.asked_by,
        state=ExpectationState(row.state),
    )
