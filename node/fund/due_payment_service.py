"""Which parts of which conversions a payment pays: taken when the first officer signs, let go where it comes to nothing."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, select, update

from node.fund.days import day_of, number_of
from node.fund.due_orders import read_order
from node.fund.dues import DUES_MAX, DueState, Share, count_covered, due_payment_id
from node.fund.fund_errors import DuesChanged, FundUnknown
from node.fund.netting_store import load_unpaid_windows
from node.fund.outgoing_payments import (
    WORDS_VERSION,
    DueWords,
    PaidDues,
    PaymentState,
    read_dues,
)
from node.fund.seal_store import change
from node.fund.tables import bearers, due_lots, dues, expectations, iban_changes, payments
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import BaseName, DueSettled, HouseMessage, NetPaid
from protocol.house import DueState as Settlement
from protocol.identifiers import Id16
from protocol.messages import SettledState

Tell = Callable[[Page, str, Sequence[HouseMessage]], object]
DEAD = (PaymentState.CANCELLED, PaymentState.REJECTED, PaymentState.RETURNED)


class Wait(StrEnum):
    """What a part of a due waits for."""

    NOTHING = "nothing"  # two officers may pay it
    CALL = "call"  # the month in which it was converted is not called yet
    DONOR = "donor"  # its donor has not paid what was called
    ACCOUNT = "account"  # the order names another account than the bearer's: two officers change it, after the delay
    WINDOW = "window"  # another fund owes it, and its window is not closed, or not all paid to us
    PROOF = "proof"  # the proof that the bearer may be paid has run out


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPart:
    """Cents of one lot of a due that no payment pays yet. `since` is when the due came, in milliseconds."""

    due: bytes
    no: int
    ix: int
    territory: str
    project: bytes
    round: int
    title: str
    bearer: bytes
    bearer_name: str
    share: Share
    cents: int
    since: int
    waits_for: Wait


def load_open_parts(connection: Connection, today: datetime.date) -> list[OpenPart]:
    """Return what the fund owes and pays by no payment yet, the oldest first."""
    rows = connection.execute(
        select(
            *(due_lots.c[name] for name in ("due", "ix", "share", "cents", "call")),
            *(dues.c[name] for name in ("id", "territory", "project", "round", "title", "bearer", "iban", "at")),
            dues.c.window_no,
            bearers.c.name,
            bearers.c.iban.label("paid_on"),
            bearers.c.proven_until,
        )
        .join(dues, dues.c.no == due_lots.c.due)
        .join(bearers, bearers.c.id == dues.c.bearer)
        .where(due_lots.c.payment.is_(None), dues.c.state == DueState.TAKEN, dues.c.netted_on.is_(None))
        .order_by(due_lots.c.due, due_lots.c.ix)
    ).all()
    paid = _load_covered(connection)
    changed = {
        bytes(row[0]): int(row[1])
        for row in connection.execute(
            select(iban_changes.c.bearer, func.max(iban_changes.c.at))
            .where(iban_changes.c.applied_at.is_not(None))
            .group_by(iban_changes.c.bearer)
        )
    }
    unpaid = load_unpaid_windows(connection)
    found = []
    for row in rows:
        waits_for = Wait.NOTHING
        if row.share == Share.CALLED and row.call is None:
            waits_for = Wait.CALL
        elif row.share == Share.CALLED and (row.due, row.ix) not in paid:
            waits_for = Wait.DONOR
        elif row.share == Share.NETTED and (row.window_no is None or row.window_no in unpaid):
            waits_for = Wait.WINDOW
        elif row.iban != row.paid_on and changed.get(bytes(row.bearer), -1) < row.at:
            waits_for = Wait.ACCOUNT  # two officers may have confirmed another one since the order came: then that one
        elif row.proven_until < number_of(today):
            waits_for = Wait.PROOF
        found.append(
            OpenPart(
                due=bytes(row.id),
                no=row.due,
                ix=row.ix,
                territory=row.territory,
                project=bytes(row.project),
                round=row.round,
                title=row.title,
                bearer=bytes(row.bearer),
                bearer_name=row.name,
                share=Share(row.share),
                cents=row.cents,
                since=row.at,
                waits_for=waits_for,
            )
        )
    return found


def _load_covered(connection: Connection) -> set[tuple[int, int]]:
    """Return the called parts (due, ix) that their donors have paid: of each call the first ones, as far as it reaches."""
    of_call: dict[bytes, list[Any]] = defaultdict(list)
    received: dict[bytes, int] = {}
    for row in connection.execute(
        select(due_lots.c.due, due_lots.c.ix, due_lots.c.cents, due_lots.c.call, expectations.c.received)
        .join(expectations, expectations.c.id == due_lots.c.call)
        .order_by(due_lots.c.due, due_lots.c.ix)
    ):
        of_call[bytes(row.call)].append(row)
        received[bytes(row.call)] = row.received
    covered = set()
    for call, parts in of_call.items():
        count = count_covered([Cents(part.cents) for part in parts], Cents(received[call]))
        covered |= {(part.due, part.ix) for part in parts[:count]}
    return covered


def load_proposals(connection: Connection, fund: str, today: datetime.date) -> list[DueWords]:
    """Return what two officers may sign now: one payment for each bearer, round and share."""
    groups: dict[tuple[str, bytes, int, bytes, str], dict[bytes, int]] = {}
    for part in load_open_parts(connection, today):
        if part.waits_for is Wait.NOTHING:
            key = (part.territory, part.project, part.round, part.bearer, part.share.value)
            sums = groups.setdefault(key, {})
            if part.due in sums or len(sums) < DUES_MAX:
                sums[part.due] = sums.get(part.due, 0) + part.cents
    tried = [
        (row.state, read_dues(bytes(row.dues)))
        for row in connection.execute(
            select(payments.c.state, payments.c.dues).where(
                func.length(payments.c.dues) > 0, payments.c.state.in_(DEAD)
            )
        )
    ]
    found = []
    for (_, _, _, bearer, share), sums in groups.items():
        paid = tuple(sums.items())
        payee = connection.execute(select(bearers).where(bearers.c.id == bearer)).one()
        due = connection.execute(select(dues).where(dues.c.id == paid[0][0])).one()
        order = read_order(bytes(due.signed))
        attempt = sum(1 for _, told in tried if told == PaidDues(share, paid))
        found.append(
            DueWords(
                version=WORDS_VERSION,
                fund=fund,
                id=due_payment_id(Share(share), paid, attempt),
                bearer=bearer,
                holder_name=payee.holder_name,
                iban=payee.iban,
                cents=sum(sums.values()),
                text=order.title,
                decision=f"{order.territory}, {day_of(order.decided_on).isoformat()}, {order.decision.hex()}",
                share=share,
                dues=paid,
            )
        )
    return found


def find_proposal(connection: Connection, fund: str, today: datetime.date, id_: Id16) -> DueWords:
    """Raises FundUnknown."""
    found = next((words for words in load_proposals(connection, fund, today) if words.id == id_), None)
    if found is None:
        raise FundUnknown(path=f"payment of dues {id_.hex()}")
    return found


class DuePayments:
    """Binds parts of dues to payments, and says what became of them."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def find_parts(self, connection: Connection, words: DueWords, today: datetime.date) -> list[tuple[int, int]]:
        """Return the parts (due's number, place) that these words pay: all that are open of each due. Raises DuesChanged."""
        open_ = [
            part
            for part in load_open_parts(connection, today)
            if part.waits_for is Wait.NOTHING and part.share == words.share and part.bearer == words.bearer
        ]
        sums: dict[bytes, int] = defaultdict(int)
        for part in open_:
            sums[part.due] += part.cents
        wanted = dict(words.dues)
        is_sound = len(wanted) == len(words.dues) and sum(wanted.values()) == words.cents
        if not is_sound or any(sums[due] != cents for due, cents in wanted.items()):
            raise DuesChanged(payment=words.id.hex())
        return [(part.no, part.ix) for part in open_ if part.due in wanted]

    def bind(self, connection: Connection, payment: bytes, parts: Sequence[tuple[int, int]]) -> None:
        """These parts are paid by this payment, and by no other."""
        for no, ix in parts:
            change(
                connection, update(due_lots).where(due_lots.c.due == no, due_lots.c.ix == ix).values(payment=payment)
            )

    def free(self, connection: Connection, payment: Any) -> None:
        """The payment comes to nothing: what it was to pay stays owed."""
        change(connection, update(due_lots).where(due_lots.c.payment == payment.id).values(payment=None))

    def take_again(self, connection: Connection, words: DueWords, today: datetime.date) -> bool:
        """Take the parts once more of a payment that was thought dead; tell whether they are all still open."""
        try:
            parts = self.find_parts(connection, words, today)
        except DuesChanged:
            return False
        self.bind(connection, words.id, parts)
        return True

    def settle(self, page: Page, payment: Any, state: Settlement, on: datetime.date) -> None:
        """Tell the accounts what became of the euros of each conversion: paid, once no part of it is missing.

        Of a payment at the end of a window the other fund is told.
        """
        told: list[HouseMessage] = []
        if payment.window_no is not None:
            told.append(NetPaid(payment.window_no, payment.paid_fund, SettledState(int(state)), number_of(on)))
        for due, cents in read_dues(bytes(payment.dues)).dues:
            if state is not Settlement.PAID:
                told.append(DueSettled(due, state, cents, number_of(on)))
            elif (whole := find_whole(page.connection, due)) is not None:
                told.append(DueSettled(due, state, whole, number_of(on)))
        if told:
            self._tell(page, BaseName.ACCOUNTS, told)


def find_whole(connection: Connection, due: bytes) -> int | None:
    """Return the cents of a due that the bank has paid to the last part; None where a part is missing."""
    rows = connection.execute(
        select(due_lots.c.cents, payments.c.state)
        .join(dues, dues.c.no == due_lots.c.due)
        .outerjoin(payments, payments.c.id == due_lots.c.payment)
        .where(dues.c.id == due)
    ).all()
    is_whole = all(row.state == PaymentState.CONFIRMED for row in rows)
    return sum(row.cents for row in rows) if is_whole else None
