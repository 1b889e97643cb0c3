"""Payments to bearers, and back to payers: asked and signed by two people, ordered once a day, followed until the bank's word.

Signatures are taken by `signature_service`. What an order holds is decided in the page that writes it, so two processes
never order the same payment.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.bearer_service import BearerDesk, load_bearer, require_eligible
from node.fund.books_service import Books
from node.fund.days import day_at, number_of
from node.fund.due_payment_service import DuePayments, find_proposal
from node.fund.fund_errors import (
    BearerNotEligible,
    FundUnknown,
    NothingToOrder,
    OfficerRefused,
    PaymentStepRefused,
    RefundRefused,
)
from node.fund.net_payment_service import NetPaymentDesk
from node.fund.outgoing_payments import (
    NEXT_STATE,
    SIGNERS,
    WORDS_VERSION,
    DueWords,
    NetWords,
    Payable,
    PaymentEvent,
    PaymentState,
    PaymentWords,
    RefundWords,
    end_to_end_id,
    write_dues,
)
from node.fund.owing_service import Owing
from node.fund.payment_order import OwnAccount
from node.fund.payment_schema_store import require_schema
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport
from node.fund.payment_words import words_of
from node.fund.recovery_service import require_stated
from node.fund.references import NAME_MAX, TEXT_MAX, EndToEndId, Iban, require_sepa_iban, write_for_banks
from node.fund.seal_store import change
from node.fund.signature_service import Sheet, SignatureDesk, Signed, load_signers
from node.fund.statements import Movement
from node.fund.tables import movements, orders, payments, signatures
from node.fund.target_days import TargetCalendar
from node.fund.transfers import SCHEMA, Transfer, write_transfers
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import DueState as Settlement
from protocol.identifiers import Id16
from protocol.times import Instant

ORDER_MAX: Final = 5_000  # payments in one order; the rest goes out the next day
DECISION_MAX: Final = 200


PAYMENT_SHEET: Final = Sheet(
    kinds=(PaymentWords, RefundWords, DueWords, NetWords), name="payment", table=signatures, subject="payment"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMade:
    """The message for the bank."""

    id: str
    day: datetime.date
    count: int
    cents: int
    body: bytes


class PaymentDesk:
    """Everything that leaves the fund's account."""

    def __init__(
        self,
        *,
        books: Books,
        dues: DuePayments,
        net_payments: NetPaymentDesk,
        bearers: BearerDesk,
        signatures: SignatureDesk,
        fund: str,
        account: OwnAccount,
        sepa_countries: frozenset[str],
        calendar: TargetCalendar,
    ) -> None:
        self._books = books
        self._dues = dues
        self._net_payments = net_payments
        self._bearers = bearers
        self._signatures = signatures
        self._owing = Owing(books, dues, fund)
        self._fund = fund
        self._account = account
        self._countries = sepa_countries
        self._calendar = calendar

    # What is signed.

    def make_words(
        self, connection: Connection, id_: Id16, bearer: Id16, cents: Cents, text: str, decision: str
    ) -> Payable:
        """Return what two officers are to sign: of a payment that is known, its own words. Raises FundUnknown."""
        row = connection.execute(select(payments).where(payments.c.id == id_)).first()
        if row is not None:
            return words_of(row, self._fund)
        found = load_bearer(connection, bearer)
        return PaymentWords(
            version=WORDS_VERSION,
            fund=self._fund,
            id=id_,
            bearer=bearer,
            holder_name=found.holder_name,
            iban=found.iban,
            cents=cents,
            text=text,
            decision=decision,
        )

    def make_refund_words(
        self, connection: Connection, id_: Id16, movement: str, cents: Cents | None, text: str, decision: str
    ) -> Payable:
        """Return what two officers are to sign so that what waits of a movement goes back; None is all that waits.

        Raises FundUnknown, RefundRefused.
        """
        row = connection.execute(select(payments).where(payments.c.id == id_)).first()
        if row is not None:
            return words_of(row, self._fund)
        found = _load_movement(connection, movement)
        return RefundWords(
            version=WORDS_VERSION,
            fund=self._fund,
            id=id_,
            movement=movement,
            holder_name=found.counterpart_name,
            iban=found.counterpart_iban,
            cents=found.waiting if cents is None else cents,
            text=text,
            decision=decision,
        )

    def make_due_words(self, connection: Connection, id_: Id16, today: datetime.date) -> Payable:
        """Return what two officers are to sign to pay dues: a payment that is proposed, or known. Raises FundUnknown."""
        row = connection.execute(select(payments).where(payments.c.id == id_)).first()
        return find_proposal(connection, self._fund, today, id_) if row is None else words_of(row, self._fund)

    def make_net_words(self, connection: Connection, id_: Id16, now: int) -> Payable:
        """Return what two officers are to sign to pay another fund at the end of a window. Raises FundUnknown."""
        row = connection.execute(select(payments).where(payments.c.id == id_)).first()
        return self._net_payments.find_words(connection, id_, now) if row is None else words_of(row, self._fund)

    def sign(self, page: Page, items: Sequence[Signed]) -> list[PaymentState | Refusal]:
        """Take officers' signatures: the first makes the payment known, the second lets it go out."""
        return self._signatures.take(page, items, self)

    @property
    def sheet(self) -> Sheet:
        return PAYMENT_SHEET

    def know(self, page: Page, signed: Signed) -> PaymentState:
        """Keep a payment that is new, and return its state. Raises Refusal where it may not be, or has other words."""
        words = _payable(signed)
        row = page.connection.execute(select(payments).where(payments.c.id == words.id)).first()
        if row is None:
            self._insert(page, words)
            return PaymentState.ASKED
        if words_of(row, self._fund) != words:
            raise IdMismatch(id=words.id.hex(), field="words")
        return PaymentState(row.state)

    def require_open(self, signed: Signed, state: PaymentState) -> None:
        """Raises PaymentStepRefused."""
        if state is not PaymentState.ASKED:
            raise PaymentStepRefused(payment=signed.words.id.hex(), state=state, event=PaymentEvent.SIGN)

    def accept(self, page: Page, signed: Signed) -> PaymentState:
        """Let a payment go out with the next order, and owe it. Raises RefundRefused, BearerNotEligible."""
        words, connection = _payable(signed), page.connection
        payment = _load_payment(connection, words.id)
        if isinstance(words, RefundWords):
            self._require_refundable(connection, words)
        else:
            require_eligible(connection, words.bearer, day_at(page.now))
        _set_state(connection, words.id, PaymentState.SIGNED)
        self._owing.owe(page, payment)
        return PaymentState.SIGNED

    def _require_refundable(self, connection: Connection, words: RefundWords) -> None:
        found = _load_movement(connection, words.movement)
        if (found.counterpart_iban, found.counterpart_name) != (words.iban, words.holder_name):
            raise RefundRefused(reason="it goes back to the account and the holder that it came from")
        if words.cents > found.waiting:
            raise RefundRefused(reason=f"{max(0, found.waiting)} cents wait")
        if not words.iban or not words.holder_name:
            raise RefundRefused(reason="the bank did not say from whom it came: ask it")
        require_sepa_iban(Iban(words.iban), self._countries)
        write_for_banks(words.holder_name, field="holder_name", length_max=NAME_MAX)

    def _insert(self, page: Page, words: Payable) -> None:
        connection = page.connection
        require_amount(words.cents)
        write_for_banks(words.text, field="text", length_max=TEXT_MAX)
        if not 0 < len(words.decision) <= DECISION_MAX or not words.decision.isprintable():
            raise OfficerRefused(officer="", reason=f"the decision in a line of 1 to {DECISION_MAX} symbols")
        if isinstance(words, NetWords):
            self._net_payments.keep_payee(page, words)
        if isinstance(words, RefundWords):
            self._require_refundable(connection, words)
        else:
            found = require_eligible(connection, words.bearer, day_at(page.now))
            if (found.iban, found.holder_name) != (words.iban, words.holder_name):
                raise IdMismatch(id=words.id.hex(), field="iban")
        today = day_at(page.now)
        parts = self._dues.find_parts(connection, words, today) if isinstance(words, DueWords) else []
        number = int(connection.execute(select(func.coalesce(func.max(payments.c.number), 0))).scalar_one()) + 1
        connection.execute(
            insert(payments).values(
                number=number,
                id=words.id,
                bearer=None if isinstance(words, RefundWords) else words.bearer,
                refund_of=words.movement if isinstance(words, RefundWords) else None,
                holder_name=words.holder_name,
                iban=words.iban,
                cents=words.cents,
                words=words.text,
                decision=words.decision,
                dues=write_dues(words) if isinstance(words, DueWords) else b"",
                window_no=words.window if isinstance(words, NetWords) else None,
                paid_fund=words.paid_fund if isinstance(words, NetWords) else "",
                end_to_end_id=end_to_end_id(words.id),
                state=PaymentState.ASKED,
                code="",
                at=page.now,
            )
        )
        self._dues.bind(connection, words.id, parts)

    def cancel(self, page: Page, items: Sequence[Id16]) -> list[PaymentState | Refusal]:
        """Take back payments that are not in the bank's hands yet."""
        results: list[PaymentState | Refusal] = []
        for id_ in items:
            try:
                was_signed = _load_payment(page.connection, id_).state == PaymentState.SIGNED
                state = self._step(page.connection, id_, PaymentEvent.CANCEL)
                payment = _load_payment(page.connection, id_)
                if was_signed:
                    self._owing.withdraw(page, payment)
                else:
                    self._dues.free(page.connection, payment)
                results.append(state)
            except Refusal as refusal:
                results.append(refusal)
        return results

    # What goes out.

    def order(self, page: Page, items: Sequence[datetime.date]) -> list[OrderMade | Refusal]:
        """Make the order of a day from all payments that have two signatures; the same day again is the same order."""
        results: list[OrderMade | Refusal] = []
        for day in items:
            try:
                results.append(self._order_one(page, day))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _order_one(self, page: Page, day: datetime.date) -> OrderMade:
        connection = page.connection
        known = connection.execute(select(orders).where(orders.c.day == number_of(day))).first()
        if known is not None:
            return OrderMade(id=known.id, day=day, count=known.transfers, cents=known.cents, body=bytes(known.body))
        require_stated(connection)
        self._bearers.apply_changes(page)
        # What a statement shows leaving was ordered once, whatever is known of it here.
        has_left = select(movements.c.end_to_end_id).where(movements.c.cents < 0)
        rows = connection.execute(
            select(payments)
            .where(payments.c.state == PaymentState.SIGNED, payments.c.end_to_end_id.not_in(has_left))
            .order_by(payments.c.number)
            .limit(ORDER_MAX)
        ).all()
        # Between two signatures and the order a key may have been revoked, a proof have run out, or another account have
        # come into force: then the payment waits until somebody takes it back.
        rows = [row for row in rows if self._is_signed_still(connection, row)]
        rows = [row for row in rows if row.bearer is None or self._may_leave(connection, row, day)]
        if not rows:
            raise NothingToOrder(day=day.isoformat())
        message_id = f"{self._fund}-{number_of(day)}"
        body = write_transfers(
            [
                Transfer(
                    end_to_end_id=EndToEndId(row.end_to_end_id),
                    holder_name=row.holder_name,
                    iban=Iban(row.iban),
                    cents=Cents(row.cents),
                    text=row.words,
                )
                for row in rows
            ],
            message_id=message_id,
            made_at=Instant(page.now),
            execution_day=self._calendar.on_or_after(day),
            debtor=self._account,
            sepa_countries=self._countries,
        )
        require_schema(body, SCHEMA)
        cents = sum(row.cents for row in rows)
        connection.execute(
            insert(orders).values(
                id=message_id, day=number_of(day), transfers=len(rows), cents=cents, body=body, at=page.now
            )
        )
        for row in rows:
            change(
                connection,
                update(payments)
                .where(payments.c.id == row.id)
                .values(state=NEXT_STATE[PaymentState.SIGNED][PaymentEvent.ORDER], order_id=message_id),
            )
        return OrderMade(id=message_id, day=day, count=len(rows), cents=cents, body=body)

    def _is_signed_still(self, connection: Connection, payment: Any) -> bool:
        """Tell whether two people signed it whose keys hold."""
        return len(set(load_signers(connection, self.sheet, bytes(payment.id)).values())) >= SIGNERS

    def _may_leave(self, connection: Connection, payment: Any, day: datetime.date) -> bool:
        """Tell whether a bearer is eligible still, and its account the one that was signed."""
        try:
            found = require_eligible(connection, bytes(payment.bearer), day)
        except BearerNotEligible:
            return False
        return bool(found.iban == payment.iban)

    # The bank's word.

    def load_orders(self, connection: Connection, end_to_end: str) -> list[tuple[Id16, Cents]]:
        """Return the payments that were ordered under an EndToEndId."""
        if not end_to_end:
            return []
        rows = connection.execute(
            select(payments.c.id, payments.c.cents).where(
                payments.c.end_to_end_id == end_to_end, payments.c.order_id.is_not(None)
            )
        )
        return [(Id16(bytes(row.id)), Cents(row.cents)) for row in rows]

    def follow(self, page: Page, id_: Id16, event: PaymentEvent, movement: Movement, *, was_waiting: bool) -> bool:
        """Note what a statement says of a payment; tell whether its state allows it.

        A confirmation of what a report had rejected is believed: then it is owed again, and paid. What came back is not
        owed any more: another payment needs another decision.
        """
        before = _load_payment(page.connection, id_)
        if event is PaymentEvent.RETURN and before.state == PaymentState.RETURNED:
            return False  # it came back before: this is other money
        if event is PaymentEvent.CONFIRM and before.state == PaymentState.CONFIRMED:
            return False
        if (
            event is PaymentEvent.CONFIRM
            and before.state == PaymentState.REJECTED
            and not self._owing.owe(page, before)
        ):
            return False
        column = "movement" if event is PaymentEvent.CONFIRM else "returned_by"
        told = {column: movement.id, "code": movement.return_reason[:40]}
        try:
            self._step(page.connection, id_, event, **told)
        except PaymentStepRefused:
            return False
        pay = self._books.pay_aid if before.refund_of is None else self._books.pay_refund
        assert movement.booked_on is not None
        if before.window_no is not None:
            is_paid, other, cents = event is PaymentEvent.CONFIRM, before.paid_fund, Cents(before.cents)
            book = self._books.pay_net if is_paid else self._books.receive_net
            book(page, movement, other, cents, was_waiting=was_waiting)
            state = Settlement.PAID if is_paid else Settlement.REJECTED
            self._dues.settle(page, before, state, movement.booked_on)
        elif event is PaymentEvent.CONFIRM:
            pay(page, movement, before, was_waiting=was_waiting)
            self._dues.settle(page, before, Settlement.PAID, movement.booked_on)
        elif before.refund_of is None:
            self._books.return_aid(page, movement, before, was_waiting=was_waiting)
            self._owing.withdraw(page, before)
            self._dues.settle(page, before, Settlement.REJECTED, movement.booked_on)
        else:
            self._owing.let_wait(page, before)
            if not was_waiting:
                self._books.wait(page, movement, before.cents)
        return True

    def take_report(self, page: Page, items: Sequence[StatusReport]) -> list[int | Refusal]:
        """Note what a status report rejects; return how many payments it changed."""
        results: list[int | Refusal] = []
        for report in items:
            changed = 0
            rows = page.connection.execute(
                select(payments).where(
                    payments.c.order_id == report.message_id, payments.c.state == PaymentState.ORDERED
                )
            ).all()
            for row in rows:
                verdict = report.find_verdict(end_to_end_id=row.end_to_end_id, group=f"{report.message_id}-001")
                if verdict is not None and verdict.state is BankState.REJECTED:
                    self._step(page.connection, Id16(bytes(row.id)), PaymentEvent.REJECT)
                    self._owing.withdraw(page, row)
                    self._dues.settle(page, row, Settlement.REJECTED, day_at(page.now))
                    change(
                        page.connection,
                        update(payments).where(payments.c.id == row.id).values(code=verdict.reason[:40]),
                    )
                    changed += 1
            results.append(changed)
        return results

    def _step(self, connection: Connection, id_: Id16, event: PaymentEvent, **told: str) -> PaymentState:
        row = _load_payment(connection, id_)
        state = NEXT_STATE[PaymentState(row.state)].get(event)
        if state is None:
            raise PaymentStepRefused(payment=id_.hex(), state=row.state, event=event)
        _set_state(connection, id_, state, **told)
        return state


def _payable(signed: Signed) -> Payable:
    """The desk of signatures takes no other words for this sheet."""
    assert isinstance(signed.words, Payable)
    return signed.words


def _set_state(connection: Connection, id_: bytes, state: PaymentState, **told: str) -> None:
    change(connection, update(payments).where(payments.c.id == id_).values(state=state, **told))


def _load_payment(connection: Connection, id_: bytes) -> Any:
    """Raises FundUnknown."""
    row = connection.execute(select(payments).where(payments.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"payment {id_.hex()}")
    return row


def _load_movement(connection: Connection, id_: str) -> Any:
    row = connection.execute(select(movements).where(movements.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"movement {id_[:40]}")
    return row


def load_payments(connection: Connection) -> list[Any]:
    """Return payments as rows, with how many signatures each has."""
    counted = (
        select(func.count()).select_from(signatures).where(signatures.c.payment == payments.c.id).scalar_subquery()
    )
    return list(connection.execute(select(payments, counted.label("signed")).order_by(payments.c.number)).all())
