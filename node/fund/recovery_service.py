"""After the base was put back from an old copy: nothing is numbered, ordered or collected before a person has looked.

What the last pages of a lost base wrote may be with nobody: a receipt that was printed, an order that the bank has. The
base cannot know of them, and would give their numbers, or their euros, a second time. So it holds receipts, orders and
debits until somebody says, from paper and from the bank's own pages, which were the last. A receipt that the base does not
hold is void: it verifies nowhere, and is taken back from its donor. An order that it does not hold is given back as a file.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.bank_xml import open_message
from node.fund.days import day_of, number_of
from node.fund.fund_errors import NumbersNotStated, NumbersRefused
from node.fund.monthly_gifts import CollectionState
from node.fund.outgoing_payments import NEXT_STATE, PaymentEvent, PaymentState
from node.fund.receipt_numbers import ReceiptNumber, parse_number
from node.fund.seal_store import change
from node.fund.tables import (
    collections,
    orders,
    payments,
    receipt_counters,
    recoveries,
    stated_numbers,
    void_receipts,
)
from protocol.book.worker import Page
from protocol.errors import Refusal

ORDERS_KNOWN: Final = frozenset({"pain.001.001.09"})
VOID_MAX: Final = 10_000
BY_MAX: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class StateNumbers:
    """What a person says after a recovery: the last receipt and the last order that left, empty where none ever did;
    the last month that was collected (yyyymm, or 0). `order_file`: the last order, where the base does not hold it.
    """

    by: str
    last_receipt: str
    last_order: str
    last_collection: int
    order_file: bytes = b""

    def __post_init__(self) -> None:
        if not 0 < len(self.by) <= BY_MAX or not self.by.isprintable():
            raise NumbersRefused(reason="who says so, in a line")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersStated:
    """What came of it: receipts that are void, and the order that was taken back into the base."""

    void: tuple[str, ...]
    order: str


def note_recovery(page: Page) -> None:
    """The base came back in this page: hold what is numbered."""
    known = page.connection.execute(select(func.max(recoveries.c.no))).scalar()
    page.connection.execute(insert(recoveries).values(no=(known or 0) + 1, at=page.now))


def find_unstated(connection: Connection) -> Any:
    """Return the recovery after which nobody has said the last numbers yet, or None."""
    stated = select(stated_numbers.c.recovery)
    return connection.execute(
        select(recoveries).where(recoveries.c.no.not_in(stated)).order_by(recoveries.c.no).limit(1)
    ).first()


def require_stated(connection: Connection) -> None:
    """Raises NumbersNotStated."""
    if find_unstated(connection) is not None:
        raise NumbersNotStated()


def find_left(connection: Connection, month: int) -> bool:
    """Tell whether the collection of a month left before a recovery, although the base wrote its message again."""
    return (
        connection.execute(
            select(stated_numbers.c.recovery).where(
                stated_numbers.c.left_after < month, stated_numbers.c.left_until >= month
            )
        ).first()
        is not None
    )


class RecoveryDesk:
    """Takes what a person says of the last numbers."""

    def __init__(self, *, fund: str, account: str, bytes_max: int) -> None:
        self._fund = fund
        self._account = account
        self._bytes_max = bytes_max

    def state(self, page: Page, items: Sequence[StateNumbers]) -> list[NumbersStated | Refusal]:
        """Take it, whole or not at all, for all recoveries that wait for it."""
        results: list[NumbersStated | Refusal] = []
        for asked in items:
            point = page.connection.begin_nested()
            try:
                results.append(self._state(page, asked))
            except Refusal as refusal:
                point.rollback()
                results.append(refusal)
            else:
                point.commit()
        return results

    def _state(self, page: Page, asked: StateNumbers) -> NumbersStated:
        connection = page.connection
        waiting = find_unstated(connection)
        if waiting is None:
            return self._state_again(connection, asked)
        void = self._void(page, asked.last_receipt, waiting.no)
        order = self._take_order(page, asked)
        left_after = self._last_ordered(connection)
        if asked.last_collection < left_after:
            raise NumbersRefused(reason=f"{left_after} was collected")
        while waiting is not None:
            connection.execute(
                insert(stated_numbers).values(
                    recovery=waiting.no,
                    stated_by=asked.by,
                    last_receipt=asked.last_receipt,
                    last_order=asked.last_order,
                    left_after=left_after,
                    left_until=asked.last_collection,
                    at=page.now,
                )
            )
            waiting = find_unstated(connection)
        return NumbersStated(void=void, order=order)

    @staticmethod
    def _state_again(connection: Connection, asked: StateNumbers) -> NumbersStated:
        """Answer what was stated before in the same words. Raises NumbersRefused."""
        last = connection.execute(select(stated_numbers).order_by(stated_numbers.c.recovery.desc()).limit(1)).first()
        told = (asked.by, asked.last_receipt, asked.last_order, asked.last_collection)
        if last is None or told != (last.stated_by, last.last_receipt, last.last_order, last.left_until):
            raise NumbersRefused(reason="no recovery waits for it")
        of_recovery = void_receipts.c.recovery == last.recovery
        void = connection.execute(select(void_receipts.c.number).where(of_recovery).order_by(void_receipts.c.number))
        return NumbersStated(void=tuple(void.scalars()), order="")

    def _void(self, page: Page, text: str, recovery: int) -> tuple[str, ...]:
        """Give up the numbers that were printed and are not here; return them."""
        connection = page.connection
        lasts = {
            row.year: int(row.last)
            for row in connection.execute(select(receipt_counters).where(receipt_counters.c.issuer == self._fund))
        }
        newest = max(lasts, default=0)
        if not text:
            if lasts:
                known = ReceiptNumber(issuer=self._fund, year=newest, sequence=lasts[newest])
                raise NumbersRefused(reason=f"{known} was issued")
            return ()
        stated = parse_number(text)
        known_last = lasts.get(stated.year, 0)
        if stated.issuer != self._fund:
            raise NumbersRefused(reason=f"the receipts of this fund are numbered FD-{self._fund}-…")
        if stated.year < newest or stated.sequence < known_last:
            known = ReceiptNumber(issuer=self._fund, year=newest, sequence=lasts[newest])
            raise NumbersRefused(reason=f"{known} was issued")
        if stated.sequence - known_last > VOID_MAX:
            raise NumbersRefused(reason=f"{stated.sequence - known_last} receipts would be lost: is it this number?")
        void = [
            ReceiptNumber(issuer=self._fund, year=stated.year, sequence=sequence)
            for sequence in range(known_last + 1, stated.sequence + 1)
        ]
        for number in void:
            connection.execute(
                insert(void_receipts).values(
                    number=str(number), year=number.year, seq=number.sequence, recovery=recovery, at=page.now
                )
            )
        is_counter = (receipt_counters.c.issuer == self._fund, receipt_counters.c.year == stated.year)
        if void and known_last:
            change(connection, update(receipt_counters).where(*is_counter).values(last=stated.sequence))
        elif void:
            connection.execute(
                insert(receipt_counters).values(issuer=self._fund, year=stated.year, last=stated.sequence)
            )
        return tuple(map(str, void))

    def _take_order(self, page: Page, asked: StateNumbers) -> str:
        """See that the last order that left is in the base, from its file where it was not; return it if so."""
        connection = page.connection
        last = connection.execute(select(orders).order_by(orders.c.day.desc()).limit(1)).first()
        if not asked.last_order:
            if last is not None:
                raise NumbersRefused(reason=f"the order {last.id} was made")
            return ""
        known = connection.execute(select(orders).where(orders.c.id == asked.last_order)).first()
        if known is not None:
            if last is not None and known.day < last.day:
                raise NumbersRefused(reason=f"the order {last.id} was made")
            return ""
        if not asked.order_file:
            raise NumbersRefused(reason=f"the order {asked.last_order[:40]} is not here: give its file")
        day, sent = self._read_order(asked.order_file, asked.last_order)
        if last is not None and number_of(day) <= last.day:
            raise NumbersRefused(reason=f"the order {last.id} was made")
        self._note_order(page, asked.last_order, day, sent, asked.order_file)
        return asked.last_order

    def _note_order(
        self, page: Page, id_: str, day: datetime.date, sent: Sequence[tuple[str, int, str]], body: bytes
    ) -> None:
        connection = page.connection
        connection.execute(
            insert(orders).values(
                id=id_,
                day=number_of(day),
                transfers=len(sent),
                cents=sum(cents for _, cents, _ in sent),
                body=body,
                at=page.now,
            )
        )
        for end_to_end_id, cents, iban in sent:
            row = connection.execute(select(payments).where(payments.c.end_to_end_id == end_to_end_id)).first()
            if row is None or row.state != PaymentState.SIGNED:
                state = "not known here" if row is None else row.state
                raise NumbersRefused(
                    reason=f"the payment {end_to_end_id} is {state}: let its officers sign the same words first"
                )
            if (row.cents, row.iban) != (cents, iban):
                raise NumbersRefused(reason=f"the payment {end_to_end_id} is another in this file")
            change(
                connection,
                update(payments)
                .where(payments.c.id == row.id)
                .values(state=NEXT_STATE[PaymentState.SIGNED][PaymentEvent.ORDER], order_id=id_),
            )

    def _read_order(self, data: bytes, id_: str) -> tuple[datetime.date, list[tuple[str, int, str]]]:
        """Return the day of an order and its payments: EndToEndId, cents, IBAN. Raises BankFileRefused, InvalidTime, NumbersRefused."""
        _, document = open_message(data, known=ORDERS_KNOWN, bytes_max=self._bytes_max)
        body = document.need("CstmrCdtTrfInitn")
        told = body.need("GrpHdr").need_text("MsgId")
        prefix, _, day = told.rpartition("-")
        if told != id_ or prefix != self._fund or len(day) != 8 or not day.isdecimal():
            raise NumbersRefused(reason=f"this is the file of {told[:40]}")
        sent = []
        for group in body.each("PmtInf"):
            if group.need_text("DbtrAcct/Id/IBAN") != self._account:
                raise NumbersRefused(reason="this order is not from our account")
            for one in group.each("CdtTrfTxInf"):
                iban = one.need_text("CdtrAcct/Id/IBAN")
                sent.append((one.need_text("PmtId/EndToEndId"), one.cents("Amt/InstdAmt"), iban))
        return day_of(int(day)), sent

    @staticmethod
    def _last_ordered(connection: Connection) -> int:
        month = connection.execute(
            select(func.max(collections.c.month)).where(collections.c.state == CollectionState.ORDERED)
        ).scalar()
        return int(month or 0)
