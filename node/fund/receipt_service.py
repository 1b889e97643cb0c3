"""Receipts: numbered without a gap in the page that writes them, frozen, cancelled but never deleted.

A receipt covers deposits, each at most once at a time: a deposit of a cancelled receipt waits for the next one.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from node.fund.days import day_at, day_of, number_of
from node.fund.decision_service import find_answer, keep_answer
from node.fund.deposits import DepositState
from node.fund.donor_service import load_sheet
from node.fund.expectations import Purpose
from node.fund.frozen_receipts import compute_digest, freeze, thaw
from node.fund.fund_errors import DebitsNotFinal, FundUnknown, NothingToReceipt
from node.fund.issued_receipts import Cancellation, IssuedReceipt, ReceiptState, cancel, issue, mark_duplicate
from node.fund.receipt_numbers import ReceiptNumber, parse_number
from node.fund.receipt_parameters_store import load_form_in_force
from node.fund.receipt_proof import make_proof
from node.fund.receipts import PAYMENTS_MAX, Company, GiftForm, Payment, PaymentMeans, Receipt, ReceiptKind
from node.fund.recovery_service import require_stated
from node.fund.seal_store import change
from node.fund.settings import FundSettings
from node.fund.tables import debits, deposits, expectations, receipt_counters, receipts
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16

ELIGIBLE: Final = 1  # the flag of a lot class; its meaning is the accounts': here it says that a receipt is due


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReceipt:
    """A receipt for what a donor gave in a period and has no receipt for. `replaces` names a cancelled one."""

    donor: Id16
    first_on: datetime.date
    last_on: datetime.date
    replaces: str = ""
    id: Id16 | None = None  # the caller's: asked again under it, the same receipt is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReceipt:
    number: str
    reason: str
    id: Id16 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReceipt:
    number: str
    id: Id16 | None = None


class ReceiptDesk:
    """Issues, cancels and copies receipts."""

    def __init__(self, settings: FundSettings, refund_weeks: int) -> None:
        self._settings = settings
        self._final_after = datetime.timedelta(weeks=refund_weeks)

    def issue(self, page: Page, items: Sequence[IssueReceipt]) -> list[IssuedReceipt | Refusal]:
        """Issue receipts. A refused one takes no number."""
        results: list[IssuedReceipt | Refusal] = []
        for asked in items:
            try:
                number = find_answer(page.connection, asked.id, asked)
                if number is None:
                    issued = self._issue_one(page, asked)
                    keep_answer(page, asked.id, asked, str(issued.receipt.number))
                else:
                    issued = load_issued(page.connection, number)
                results.append(issued)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _issue_one(self, page: Page, asked: IssueReceipt) -> IssuedReceipt:
        connection = page.connection
        require_stated(connection)
        today = day_at(page.now)
        donor, _year_end = load_sheet(connection, asked.donor)
        waiting = load_unreceipted(connection, asked.donor, asked.first_on, asked.last_on)[:PAYMENTS_MAX]
        if not waiting:
            raise NothingToReceipt(donor=asked.donor.hex())
        # In these weeks a payer takes a debit back without a reason; a year's receipt leaves none of its gifts out.
        final_on = max((day_of(row.received_on) + self._final_after for row in waiting if row.debit), default=today)
        if final_on > today:
            raise DebitsNotFinal(donor=asked.donor.hex(), until=final_on.isoformat())
        replaces = None
        if asked.replaces:
            replaces = load_issued(connection, asked.replaces)
            if replaces.state is not ReceiptState.CANCELLED:
                raise NothingToReceipt(donor=asked.donor.hex())
        kind = ReceiptKind.COMPANY if isinstance(donor, Company) else ReceiptKind.INDIVIDUAL
        number = self._next_number(connection, today)
        form = load_form_in_force(kind, today)
        receipt = Receipt(
            number=number,
            form_version=form.version,
            issuer=self._settings.issuer,
            donor=donor,
            cents=Cents(sum(row.cents for row in waiting)),
            payments=tuple(
                Payment(
                    received_on=day_of(row.received_on),
                    cents=Cents(row.cents),
                    means=PaymentMeans.DIRECT_DEBIT if row.debit else PaymentMeans.TRANSFER,
                    reference=row.end_to_end_id or f"{row.reference}/{row.no}",
                )
                for row in waiting
            ),
            gift_form=None if kind is ReceiptKind.COMPANY else GiftForm.MANUAL_GIFT,
            issued_on=today,
            signatory=self._settings.signatory,
            replaces=None if replaces is None else replaces.receipt.number,
        )
        form.require_fit(receipt)  # a receipt that cannot be drawn takes no number
        make_proof(self._settings.public_url, number, compute_digest(receipt))
        issued = issue(receipt)
        self._keep(page, issued, asked.donor)
        for row in waiting:
            change(connection, update(deposits).where(deposits.c.id == row.id).values(receipt=str(number)))
        if replaces is not None:
            change(
                connection, update(receipts).where(receipts.c.number == asked.replaces).values(replaced_by=str(number))
            )
        return issued

    def _next_number(self, connection: Connection, today: datetime.date) -> ReceiptNumber:
        """Return the number after the last of the fiscal year. It is taken when the page is committed, or not at all."""
        code = self._settings.siren or self._settings.rna
        year = self._settings.close_of(today).year
        last = connection.execute(
            select(receipt_counters.c.last).where(receipt_counters.c.issuer == code, receipt_counters.c.year == year)
        ).scalar()
        return ReceiptNumber(issuer=code, year=year, sequence=(last or 0) + 1)

    def _keep(self, page: Page, issued: IssuedReceipt, donor: Id16) -> None:
        connection, receipt = page.connection, issued.receipt
        number = receipt.number
        if number.sequence == 1:
            connection.execute(insert(receipt_counters).values(issuer=number.issuer, year=number.year, last=1))
        else:
            change(
                connection,
                update(receipt_counters)
                .where(receipt_counters.c.issuer == number.issuer, receipt_counters.c.year == number.year)
                .values(last=number.sequence),
            )
        connection.execute(
            insert(receipts).values(
                number=str(number),
                year=number.year,
                seq=number.sequence,
                donor=donor,
                cents=receipt.cents,
                body=freeze(receipt),
                digest=issued.digest,
                issued_on=number_of(receipt.issued_on),
                state=ReceiptState.ISSUED,
                cancelled_on=None,
                reason="",
                replaced_by="",
                duplicates="[]",
            )
        )

    def cancel(self, page: Page, items: Sequence[CancelReceipt]) -> list[IssuedReceipt | Refusal]:
        """Cancel receipts; what they covered waits for another."""
        results: list[IssuedReceipt | Refusal] = []
        for asked in items:
            try:
                issued = load_issued(page.connection, asked.number)
                if find_answer(page.connection, asked.id, asked) is not None:
                    results.append(issued)
                    continue
                issued = cancel(issued, Cancellation(on=day_at(page.now), reason=asked.reason))
            except Refusal as refusal:
                results.append(refusal)
                continue
            change(
                page.connection,
                update(receipts)
                .where(receipts.c.number == asked.number)
                .values(state=ReceiptState.CANCELLED, cancelled_on=number_of(day_at(page.now)), reason=asked.reason),
            )
            change(page.connection, update(deposits).where(deposits.c.receipt == asked.number).values(receipt=None))
            keep_answer(page, asked.id, asked, asked.number)
            results.append(issued)
        return results

    def void(self, page: Page, number: str, reason: str) -> None:
        """Cancel a receipt of which a euro was taken back. Raises Refusal."""
        for told in self.cancel(page, [CancelReceipt(number=number, reason=reason)]):
            if isinstance(told, Refusal):
                raise told

    def copy(self, page: Page, items: Sequence[CopyReceipt]) -> list[IssuedReceipt | Refusal]:
        """Note that a copy was asked, and return the receipt as a copy is drawn."""
        results: list[IssuedReceipt | Refusal] = []
        for asked in items:
            try:
                issued = load_issued(page.connection, asked.number)
                if find_answer(page.connection, asked.id, asked) is None:
                    issued = mark_duplicate(issued, day_at(page.now))
                    days = json.dumps([day.isoformat() for day in issued.duplicates])
                    change(
                        page.connection,
                        update(receipts).where(receipts.c.number == asked.number).values(duplicates=days),
                    )
                    keep_answer(page, asked.id, asked, asked.number)
            except Refusal as refusal:
                results.append(refusal)
                continue
            results.append(issued)
        return results


def load_unreceipted(
    connection: Connection, donor: bytes, first_on: datetime.date, last_on: datetime.date
) -> list[Any]:
    """Return the deposits of a donor and a period that wait for a receipt and give a right to one."""
    return list(
        connection.execute(
            select(
                deposits.c.no,
                deposits.c.id,
                deposits.c.cents,
                deposits.c.received_on,
                deposits.c.debit,
                expectations.c.reference,
                debits.c.end_to_end_id,
            )
            .outerjoin(expectations, expectations.c.id == deposits.c.expectation)
            .outerjoin(debits, debits.c.id == deposits.c.debit)
            .where(
                deposits.c.donor == donor,
                deposits.c.receipt.is_(None),
                deposits.c.state != DepositState.UNDONE,
                deposits.c.received_on.between(number_of(first_on), number_of(last_on)),
                deposits.c.debit.is_not(None)
                | (expectations.c.purpose == Purpose.GIFT)
                | (expectations.c.lot_class.op("%")(2 * ELIGIBLE) == ELIGIBLE),
            )
            .order_by(deposits.c.received_on, deposits.c.no)
        ).all()
    )


def load_issued(connection: Connection, number: str) -> IssuedReceipt:
    """Return a receipt as it was issued. Raises FundUnknown; InvalidReceipt where its row was changed by hand."""
    row = connection.execute(select(receipts).where(receipts.c.number == number)).first()
    if row is None:
        raise FundUnknown(path=f"receipt {number[:40]}")
    return make_issued(row)


def make_issued(row: Any) -> IssuedReceipt:
    """Return the receipt of a row. Raises InvalidReceipt where the row was changed by hand."""
    cancellation = None
    if row.state == ReceiptState.CANCELLED:
        replaced_by = parse_number(row.replaced_by) if row.replaced_by else None
        cancellation = Cancellation(on=day_of(row.cancelled_on), reason=row.reason, replaced_by=replaced_by)
    return IssuedReceipt(
        receipt=thaw(bytes(row.body)),
        digest=bytes(row.digest),
        cancellation=cancellation,
        duplicates=tuple(datetime.date.fromisoformat(day) for day in json.loads(row.duplicates)),
    )


def load_all_issued(connection: Connection) -> list[IssuedReceipt]:
    """Return every receipt in the order of its number."""
    rows = connection.execute(select(receipts).order_by(receipts.c.year, receipts.c.seq)).all()
    return [make_issued(row) for row in rows]
