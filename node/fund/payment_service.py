"""Payments to bearers, and back to payers: asked and signed by two people, ordered once a day, followed until the bank's word.

The fund's base holds no officer's key: it checks signatures, and can neither make nor change one. What an order holds
is decided in the page that writes it, so two processes never order the same payment.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.books_service import Books
from node.fund.days import day_at, day_of, number_of
from node.fund.decision_service import find_answer, keep_answer
from node.fund.due_payment_service import DEAD, DuePayments, find_proposal
from node.fund.fund_errors import (
    BearerNotEligible,
    FundUnknown,
    NothingToOrder,
    OfficerRefused,
    PaymentStepRefused,
    RefundRefused,
)
from node.fund.netting_service import NettingDesk, SignedNetting
from node.fund.outgoing_payments import (
    NEXT_STATE,
    SIGNERS,
    WORDS_VERSION,
    DueWords,
    IbanWords,
    NettingWords,
    NetWords,
    Payable,
    PaymentEvent,
    PaymentState,
    PaymentWords,
    PledgeWords,
    RefundWords,
    Words,
    end_to_end_id,
    read_dues,
    write_dues,
    write_words,
)
from node.fund.payment_order import OwnAccount
from node.fund.payment_schema_store import require_schema
from node.fund.payment_status import PaymentState as BankState
from node.fund.payment_status import StatusReport
from node.fund.recovery_service import require_stated
from node.fund.references import NAME_MAX, TEXT_MAX, EndToEndId, Iban, require_sepa_iban, write_for_banks
from node.fund.seal_store import change
from node.fund.statements import Movement
from node.fund.tables import bearers, iban_changes, movements, officers, orders, payments, signatures
from node.fund.target_days import TargetCalendar
from node.fund.transfers import SCHEMA, Transfer, write_transfers
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import DueState as Settlement
from protocol.identifiers import Id16
from protocol.keys import Domain, is_signed
from protocol.times import HOUR_MS, Instant

ORDER_MAX: Final = 5_000  # payments in one order; the rest goes out the next day
DECISION_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOfficer:
    """Somebody who may sign for the fund: the public half of a key that stays with that person."""

    key: bytes
    name: str
    signing: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_MAX or not self.name.isprintable():
            raise OfficerRefused(officer=self.name[:40], reason="a name of one line")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeOfficer:
    key: bytes
    id: Id16 | None = None  # the caller's: asked again under it, it is answered as before


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A body that the fund may pay. `proven_until` (yyyymmdd): how long the proof of its eligibility holds."""

    id: Id16
    name: str
    registry: str
    category: str
    proof: str
    proven_until: int
    holder_name: str
    iban: Iban
    seat: str = ""  # with mail and phone: what the list for the prefect asks
    mail: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        day_of(self.proven_until)
        for field in ("seat", "mail", "phone"):
            text = getattr(self, field)
            if len(text) > DECISION_MAX or not (text.isprintable() or not text):
                raise BearerNotEligible(bearer=self.registry, reason=f"{field}: a line of up to {DECISION_MAX} symbols")
        write_for_banks(self.holder_name, field="holder_name", length_max=NAME_MAX)
        for field in ("name", "category", "proof"):
            text = getattr(self, field)
            if not 0 < len(text) <= DECISION_MAX or not text.isprintable():
                raise BearerNotEligible(bearer=self.registry, reason=f"{field}: a line of 1 to {DECISION_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An officer's signature over the words of a payment, of a change of account, or of a pledge."""

    words: Words
    officer: bytes
    signature: bytes


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
        netting: NettingDesk,
        fund: str,
        account: OwnAccount,
        sepa_countries: frozenset[str],
        calendar: TargetCalendar,
        iban_change_ms: int,
    ) -> None:
        self._books = books
        self._dues = dues
        self._netting = netting
        self._fund = fund
        self._account = account
        self._countries = sepa_countries
        self._calendar = calendar
        self._iban_change_ms = iban_change_ms

    # Who may sign.

    def add_officers(self, page: Page, items: Sequence[NewOfficer]) -> list[NewOfficer | Refusal]:
        """Register public keys. The same again is the same."""
        for one in items:
            known = page.connection.execute(select(officers.c.signing).where(officers.c.key == one.key)).scalar()
            if known is None:
                page.connection.execute(
                    insert(officers).values(key=one.key, name=one.name, signing=one.signing, made_at=page.now)
                )
        return list(items)

    def revoke_officers(self, page: Page, items: Sequence[RevokeOfficer]) -> list[bytes | Refusal]:
        """From now on these sign nothing; what they signed and was ordered stands."""
        results: list[bytes | Refusal] = []
        for asked in items:
            try:
                if find_answer(page.connection, asked.id, asked) is None:
                    self._revoke(page, asked.key)
                    keep_answer(page, asked.id, asked, asked.key.hex())
                results.append(asked.key)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _revoke(self, page: Page, key: bytes) -> None:
        done = change(
            page.connection,
            update(officers).where(officers.c.key == key, officers.c.revoked_at.is_(None)).values(revoked_at=page.now),
        )
        if not done:
            raise OfficerRefused(officer=key.hex(), reason="unknown or revoked before")

    # Who may be paid.

    def keep_bearers(self, page: Page, items: Sequence[Bearer]) -> list[Bearer | Refusal]:
        """Register bearers, or newer proofs of theirs. An account is changed by two officers only."""
        results: list[Bearer | Refusal] = []
        for one in items:
            try:
                results.append(self._keep_bearer(page, one))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _keep_bearer(self, page: Page, one: Bearer) -> Bearer:
        require_sepa_iban(one.iban, self._countries)
        known = page.connection.execute(select(bearers).where(bearers.c.id == one.id)).first()
        values = {
            "name": one.name,
            "registry": one.registry,
            "category": one.category,
            "proof": one.proof,
            "proven_until": one.proven_until,
            "seat": one.seat,
            "mail": one.mail,
            "phone": one.phone,
        }
        if known is None:
            page.connection.execute(
                insert(bearers).values(id=one.id, holder_name=one.holder_name, iban=one.iban, at=page.now, **values)
            )
        elif (known.iban, known.holder_name) != (one.iban, one.holder_name):
            raise IdMismatch(id=one.id.hex(), field="iban")
        else:
            change(page.connection, update(bearers).where(bearers.c.id == one.id).values(**values))
        return one

    def change_ibans(self, page: Page, items: Sequence[Signed]) -> list[str | Refusal]:
        """Take one officer's wish for another account, or a second officer's word on it; return what it waits for."""
        results: list[str | Refusal] = []
        for signed in items:
            try:
                results.append(self._change_iban(page, signed))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _change_iban(self, page: Page, signed: Signed) -> str:
        words, connection = signed.words, page.connection
        if not isinstance(words, IbanWords):
            raise OfficerRefused(officer=signed.officer.hex(), reason="these are not the words of a change")
        require_officer(connection, signed, self._fund)
        require_sepa_iban(words.iban, self._countries)
        write_for_banks(words.holder_name, field="holder_name", length_max=NAME_MAX)
        _load_bearer(connection, words.bearer)
        known = connection.execute(select(iban_changes).where(iban_changes.c.id == words.id)).first()
        if known is None:
            connection.execute(
                insert(iban_changes).values(
                    id=words.id,
                    bearer=words.bearer,
                    holder_name=words.holder_name,
                    iban=words.iban,
                    asked_by=signed.officer,
                    asked_signature=signed.signature,
                    at=page.now,
                    effective_at=page.now + self._iban_change_ms,
                )
            )
            return "a second officer"
        if (bytes(known.bearer), known.holder_name, known.iban) != (words.bearer, words.holder_name, words.iban):
            raise IdMismatch(id=words.id.hex(), field="iban")
        if bytes(known.asked_by) == signed.officer:
            raise OfficerRefused(officer=signed.officer.hex(), reason="a second person confirms, not the same")
        if known.confirmed_by is None:
            change(
                connection,
                update(iban_changes)
                .where(iban_changes.c.id == words.id)
                .values(confirmed_by=signed.officer, confirmed_signature=signed.signature),
            )
        return f"{max(0, known.effective_at - page.now) // HOUR_MS} hours"

    def apply_changes(self, page: Page) -> int:
        """Use the accounts whose change was confirmed and whose delay is over; return how many."""
        table = iban_changes.c
        due = page.connection.execute(
            select(iban_changes)
            .where(table.confirmed_by.is_not(None), table.applied_at.is_(None), table.effective_at <= page.now)
            .order_by(table.at)
        ).all()
        for row in due:
            change(
                page.connection,
                update(bearers).where(bearers.c.id == row.bearer).values(iban=row.iban, holder_name=row.holder_name),
            )
            change(page.connection, update(iban_changes).where(table.id == row.id).values(applied_at=page.now))
        return len(due)

    def apply_due(self, page: Page, items: Sequence[object]) -> list[int]:
        """The same as an operation of its own. Run twice is run once."""
        return [self.apply_changes(page) for _ in items]

    # Payments.

    def make_words(
        self, connection: Connection, id_: Id16, bearer: Id16, cents: Cents, text: str, decision: str
    ) -> Payable:
        """Return what two officers are to sign: of a payment that is known, its own words. Raises FundUnknown."""
        row = connection.execute(select(payments).where(payments.c.id == id_)).first()
        if row is not None:
            return words_of(row, self._fund)
        found = _load_bearer(connection, bearer)
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
        return self._netting.find_words(connection, id_, now) if row is None else words_of(row, self._fund)

    def sign(self, page: Page, items: Sequence[Signed]) -> list[PaymentState | Refusal]:
        """Take officers' signatures: the first makes the payment known, the second lets it go out."""
        results: list[PaymentState | Refusal] = []
        for signed in items:
            try:
                results.append(self._sign_one(page, signed))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _sign_one(self, page: Page, signed: Signed) -> PaymentState:
        words, connection = signed.words, page.connection
        if isinstance(words, IbanWords | PledgeWords | NettingWords):
            raise OfficerRefused(officer=signed.officer.hex(), reason="these are not the words of a payment")
        require_officer(connection, signed, self._fund)
        row = connection.execute(select(payments).where(payments.c.id == words.id)).first()
        if row is None:
            self._insert(page, words)
            state = PaymentState.ASKED
        else:
            if words_of(row, self._fund) != words:
                raise IdMismatch(id=words.id.hex(), field="words")
            state = PaymentState(row.state)
        by = set(
            connection.execute(select(signatures.c.officer).where(signatures.c.payment == words.id)).scalars().all()
        )
        if signed.officer in by:
            return state  # the same person again is the same signature
        if state is not PaymentState.ASKED:
            raise PaymentStepRefused(payment=words.id.hex(), state=state, event=PaymentEvent.SIGN)
        connection.execute(
            insert(signatures).values(payment=words.id, officer=signed.officer, signature=signed.signature, at=page.now)
        )
        if len(by) + 1 >= SIGNERS:
            payment = _load_payment(connection, words.id)
            if isinstance(words, RefundWords):
                self._require_refundable(connection, words)
            else:
                self._require_eligible(connection, words.bearer, day_at(page.now))
            state = PaymentState.SIGNED
            _set_state(connection, words.id, state)
            self._owe(page, payment)
        return state

    def _owe(self, page: Page, payment: Any) -> bool:
        """The fund owes what was signed; tell whether it can: what waits may be less by now than what goes back."""
        if payment.window_no is not None:
            # It is owed since its window was closed. One that was thought dead: another payment may be on its way by now.
            return payment.state != PaymentState.REJECTED or not self._is_paid_again(page.connection, payment)
        if payment.refund_of is None:
            # One that the bank had rejected, and confirms: another payment may pay its dues by now. Then a person looks.
            if payment.state == PaymentState.REJECTED and not self._take_dues_again(page, payment):
                return False
            self._books.decide_aid(page, payment)
            return True
        taken = change(
            page.connection,
            update(movements)
            .where(movements.c.id == payment.refund_of, movements.c.waiting >= payment.cents)
            .values(waiting=movements.c.waiting - payment.cents),
        )
        if taken:
            self._books.owe_refund(page, payment)
        return bool(taken)

    def _take_dues_again(self, page: Page, payment: Any) -> bool:
        words = words_of(payment, self._fund)
        return not isinstance(words, DueWords) or self._dues.take_again(page.connection, words, day_at(page.now))

    def _is_paid_again(self, connection: Connection, payment: Any) -> bool:
        others = select(payments.c.id).where(
            payments.c.window_no == payment.window_no,
            payments.c.paid_fund == payment.paid_fund,
            payments.c.id != payment.id,
            payments.c.state.not_in(DEAD),
        )
        return connection.execute(others).first() is not None

    def _withdraw(self, page: Page, payment: Any) -> None:
        """The fund owes it no more; what was to go back waits again. What a window lets it owe, it owes still."""
        if payment.window_no is not None:
            return
        if payment.refund_of is None:
            self._dues.free(page.connection, payment)
            self._books.withdraw_aid(page, payment)
            return
        self._let_wait(page, payment)
        self._books.withdraw_refund(page, payment)

    def _let_wait(self, page: Page, payment: Any) -> None:
        change(
            page.connection,
            update(movements)
            .where(movements.c.id == payment.refund_of)
            .values(waiting=movements.c.waiting + payment.cents),
        )

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
            self._netting.keep_payee(page, words)
        if isinstance(words, RefundWords):
            self._require_refundable(connection, words)
        else:
            found = self._require_eligible(connection, words.bearer, day_at(page.now))
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

    def _require_eligible(self, connection: Connection, bearer: bytes, today: datetime.date) -> Any:
        found = _load_bearer(connection, bearer)
        if found.proven_until < number_of(today):
            raise BearerNotEligible(bearer=found.registry, reason=f"its proof held until {found.proven_until}")
        return found

    def cancel(self, page: Page, items: Sequence[Id16]) -> list[PaymentState | Refusal]:
        """Take back payments that are not in the bank's hands yet."""
        results: list[PaymentState | Refusal] = []
        for id_ in items:
            try:
                was_signed = _load_payment(page.connection, id_).state == PaymentState.SIGNED
                state = self._step(page.connection, id_, PaymentEvent.CANCEL)
                payment = _load_payment(page.connection, id_)
                if was_signed:
                    self._withdraw(page, payment)
                else:
                    self._dues.free(page.connection, payment)
                results.append(state)
            except Refusal as refusal:
                results.append(refusal)
        return results

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
        self.apply_changes(page)
        # What a statement shows leaving was ordered once, whatever is known of it here.
        has_left = select(movements.c.end_to_end_id).where(movements.c.cents < 0)
        rows = connection.execute(
            select(payments)
            .where(payments.c.state == PaymentState.SIGNED, payments.c.end_to_end_id.not_in(has_left))
            .order_by(payments.c.number)
            .limit(ORDER_MAX)
        ).all()
        # Between two signatures and the order a proof may have run out, or another account have come into force: then
        # the payment waits, and is shown so, until somebody takes it back.
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

    def _may_leave(self, connection: Connection, payment: Any, day: datetime.date) -> bool:
        """Tell whether a bearer is eligible still, and its account the one that was signed."""
        try:
            found = self._require_eligible(connection, bytes(payment.bearer), day)
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
        if event is PaymentEvent.CONFIRM and before.state == PaymentState.REJECTED and not self._owe(page, before):
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
            self._withdraw(page, before)
            self._dues.settle(page, before, Settlement.REJECTED, movement.booked_on)
        else:
            self._let_wait(page, before)
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
                    self._withdraw(page, row)
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


def require_officer(connection: Connection, signed: Signed | SignedNetting, fund: str) -> str:
    """Return the name of the officer whose signature it is. Raises OfficerRefused."""
    row = connection.execute(select(officers).where(officers.c.key == signed.officer)).first()
    shown = signed.officer.hex()
    if row is None or row.revoked_at is not None:
        raise OfficerRefused(officer=shown, reason="unknown or revoked")
    if signed.words.fund != fund:
        raise OfficerRefused(officer=row.name, reason=f"signed for {signed.words.fund}")
    if not is_signed(bytes(row.signing), Domain.OFFICER, write_words(signed.words), signed.signature):
        raise OfficerRefused(officer=row.name, reason="the signature does not fit these words")
    return str(row.name)


def _set_state(connection: Connection, id_: bytes, state: PaymentState, **told: str) -> None:
    change(connection, update(payments).where(payments.c.id == id_).values(state=state, **told))


def _load_payment(connection: Connection, id_: bytes) -> Any:
    row = connection.execute(select(payments).where(payments.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"payment {id_.hex()}")
    return row


def _load_bearer(connection: Connection, id_: bytes) -> Any:
    row = connection.execute(select(bearers).where(bearers.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"bearer {id_.hex()}")
    return row


def _load_movement(connection: Connection, id_: str) -> Any:
    row = connection.execute(select(movements).where(movements.c.id == id_)).first()
    if row is None:
        raise FundUnknown(path=f"movement {id_[:40]}")
    return row


def words_of(row: Any, fund: str) -> Payable:
    """Return what officers sign of the payment of a row. Raises NotCanonical where its dues were changed by hand."""
    if row.dues:
        paid = read_dues(bytes(row.dues))
        return DueWords(
            version=WORDS_VERSION,
            fund=fund,
            id=bytes(row.id),
            bearer=bytes(row.bearer),
            holder_name=row.holder_name,
            iban=row.iban,
            cents=row.cents,
            text=row.words,
            decision=row.decision,
            share=paid.share,
            dues=paid.dues,
        )
    if row.window_no is not None:
        return NetWords(
            version=WORDS_VERSION,
            fund=fund,
            id=bytes(row.id),
            bearer=bytes(row.bearer),
            holder_name=row.holder_name,
            iban=row.iban,
            cents=row.cents,
            text=row.words,
            decision=row.decision,
            window=row.window_no,
            paid_fund=row.paid_fund,
        )
    if row.refund_of is not None:
        return RefundWords(
            version=WORDS_VERSION,
            fund=fund,
            id=bytes(row.id),
            movement=row.refund_of,
            holder_name=row.holder_name,
            iban=row.iban,
            cents=row.cents,
            text=row.words,
            decision=row.decision,
        )
    return PaymentWords(
        version=WORDS_VERSION,
        fund=fund,
        id=bytes(row.id),
        bearer=bytes(row.bearer),
        holder_name=row.holder_name,
        iban=row.iban,
        cents=row.cents,
        text=row.words,
        decision=row.decision,
    )


def load_payments(connection: Connection) -> list[Any]:
    """Return payments as rows, with how many signatures each has."""
    counted = (
        select(func.count()).select_from(signatures).where(signatures.c.payment == payments.c.id).scalar_subquery()
    )
    return list(connection.execute(select(payments, counted.label("signed")).order_by(payments.c.number)).all())
