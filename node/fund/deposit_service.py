"""Deposits: euros that arrived for an expectation. The accounts are told, in the page that counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from node.fund.books_service import Books
from node.fund.days import day_of, number_of
from node.fund.deposits import DepositState, deposit_id
from node.fund.expectation_service import load_expectation, receive
from node.fund.expectations import Expectation, Purpose
from node.fund.seal_store import change
from node.fund.statements import Movement
from node.fund.tables import deposits
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import BaseName, Deposit, DepositTaken, HouseMessage, PaymentArrived, Refused
from protocol.identifiers import Id16

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
_STATES = {
    Purpose.CAMPAIGN: DepositState.TOLD,
    Purpose.CALL: DepositState.CALLED,
    Purpose.GIFT: DepositState.GIFT,
}


class DepositDesk:
    """Counts what arrived, and has its miles issued by the accounts."""

    def __init__(self, tell: Tell, books: Books) -> None:
        self._tell = tell
        self._books = books

    def deposit(
        self, page: Page, movement: Movement, expectation: Expectation, cents: Cents, *, was_waiting: bool
    ) -> DepositState:
        """Count `cents` of a booked movement for an expectation, and tell the accounts where miles are due.

        `was_waiting`: they were in the books already, among what nobody knew.
        """
        assert movement.booked_on is not None
        connection = page.connection
        parts = connection.execute(
            select(func.count()).select_from(deposits).where(deposits.c.movement == movement.id)
        ).scalar_one()
        id_ = deposit_id(movement.id, expectation.id, int(parts))
        state = _STATES[expectation.purpose]
        number = int(connection.execute(select(func.coalesce(func.max(deposits.c.no), 0))).scalar_one()) + 1
        received_on = movement.booked_on
        connection.execute(
            insert(deposits).values(
                no=number,
                id=id_,
                expectation=expectation.id,
                debit=None,
                movement=movement.id,
                donor=expectation.donor,
                cents=cents,
                received_on=number_of(received_on),
                state=state,
                lot_ref=None,
                code="",
                receipt=None,
            )
        )
        receive(page, expectation, cents)
        self._books.receive(page, movement, expectation.donor, cents, was_waiting=was_waiting)
        if state is DepositState.TOLD:
            self._tell(page, BaseName.ACCOUNTS, [make_message(id_, expectation, cents, number_of(received_on))])
        elif state is DepositState.CALLED:
            self._books.pay_pledge(page, movement, expectation.donor, cents)
            if expectation.asked_by:
                arrived = PaymentArrived(expectation.id, id_, cents, number_of(received_on))
                self._tell(page, expectation.asked_by, [arrived])
        return state

    def hear(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Keep what the accounts answered, and tell the base that announced the payment."""
        for message in messages:
            if isinstance(message, DepositTaken):
                self._settle(page, Id16(message.id), DepositState.ISSUED, message.ref, "")
            elif isinstance(message, Refused):
                self._settle(page, Id16(message.id), DepositState.REFUSED, None, message.code)

    def _settle(self, page: Page, id_: Id16, state: DepositState, lot_ref: bytes | None, code: str) -> None:
        row = page.connection.execute(select(deposits).where(deposits.c.id == id_)).first()
        if row is None or row.state != DepositState.TOLD:
            return  # answered before, or an answer to nothing of ours: `check` holds the logs against the table
        change(
            page.connection,
            update(deposits).where(deposits.c.id == id_).values(state=state, lot_ref=lot_ref, code=code),
        )
        expectation = load_expectation(page.connection, bytes(row.expectation))
        if state is DepositState.ISSUED and expectation.asked_by:
            arrived = PaymentArrived(expectation.id, id_, row.cents, row.received_on)
            self._tell(page, expectation.asked_by, [arrived])


def make_message(id_: Id16, expectation: Expectation, cents: Cents, received_on: int) -> Deposit:
    """Return what the accounts are told of a deposit: its month is that of the day when the euros arrived."""
    day = day_of(received_on)
    return Deposit(
        id=id_,
        donor=expectation.donor,
        campaign=expectation.campaign,
        month=day.year * 100 + day.month,
        lot_class=expectation.lot_class,
        restriction=expectation.restriction,
        into=expectation.pool,
        cents=cents,
    )


def load_deposits(connection: Connection, **wanted: Any) -> list[Any]:
    """Return deposits as rows, in their order, with these values in their columns."""
    asked = select(deposits).order_by(deposits.c.no)
    for column, value in wanted.items():
        asked = asked.where(deposits.c[column] == value)
    return list(connection.execute(asked).all())
