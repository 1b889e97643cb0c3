"""The close of a fiscal year: dedicated funds (fonds dédiés) are brought to what is bound and not spent, once."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from node.fund.bookings import BoundSource, Writing, book_dedicated, book_dedicated_used
from node.fund.books_service import Books, read_entry
from node.fund.chart import AccountRole, JournalRole, earmark_auxiliary
from node.fund.chart_store import load_chart
from node.fund.days import number_of
from node.fund.dedications import Dedication, compute_dedications, earmark_code
from node.fund.deposits import DepositState
from node.fund.due_payment_service import DEAD
from node.fund.dues import Share
from node.fund.entries import Draft, Piece
from node.fund.expectations import Purpose
from node.fund.fund_errors import YearClosed
from node.fund.outgoing_payments import PaymentState
from node.fund.tables import deposits, due_lots, dues, entries, expectations, payments, signatures, windows
from protocol.amounts import Cents
from protocol.book.stream_store import stream
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.times import DAY_MS

_EPOCH: Final = datetime.date(1970, 1, 1)


class DedicationDesk:
    """Writes what is put aside and used at the close of a year."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def close(self, page: Page, items: Sequence[datetime.date]) -> list[int | Refusal]:
        """Write the entries of the fiscal years that close on these days, once each; return how many. Raises nothing."""
        results: list[int | Refusal] = []
        for closing in items:
            try:
                results.append(self._close(page, closing))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _close(self, page: Page, closing: datetime.date) -> int:
        connection, day = page.connection, number_of(closing)
        event = f"dedicated {day}"
        if _has_event(connection, f"{event} "):
            return 0
        if page.now // DAY_MS <= (closing - _EPOCH).days:
            raise YearClosed(day=closing.isoformat(), reason="the year is not over")
        following = self._books.year_of(closing + datetime.timedelta(days=1))
        if _has_event(connection, f"opening {number_of(following.last_on)}"):
            raise YearClosed(day=closing.isoformat(), reason="the next year is opened on it already")
        received, spent = _load_received(connection, day), _load_spent(connection, closing)
        changes = compute_dedications(received, spent, _load_kept(connection))
        for change in changes:
            piece = Piece(reference=f"CLOTURE-{day}", on=closing)
            self._books.write(page, f"{event} {change.earmark}", closing, piece, _writer_of(change))
        return len(changes)


def _writer_of(change: Dedication) -> Callable[[Writing], Draft]:
    earmark = earmark_auxiliary(change.earmark, f"Opération {change.earmark}")

    def write(writing: Writing) -> Draft:
        source, cents = BoundSource.GENEROSITY, Cents(abs(change.cents))
        if change.cents > 0:
            return book_dedicated(writing, source=source, earmark=earmark, cents=cents, is_public_appeal=False)
        return book_dedicated_used(
            writing, source=source, earmark=earmark, cents=cents, kept=Cents(change.kept), is_public_appeal=False
        )

    return write


def _has_event(connection: Connection, start: str) -> bool:
    asked = select(entries.c.no).where(entries.c.event.startswith(start, autoescape=True))
    return connection.execute(asked.limit(1)).first() is not None


def _load_received(connection: Connection, day: int) -> Mapping[str, int]:
    """Return what came for each campaign until the end of that day."""
    found: dict[str, int] = defaultdict(int)
    for donor, campaign, cents in connection.execute(
        select(expectations.c.donor, expectations.c.campaign, func.sum(deposits.c.cents))
        .join(expectations, expectations.c.id == deposits.c.expectation)
        .where(
            expectations.c.purpose == Purpose.CAMPAIGN,
            deposits.c.state != DepositState.UNDONE,
            deposits.c.received_on <= day,
        )
        .group_by(expectations.c.donor, expectations.c.campaign)
    ):
        found[earmark_code(bytes(donor), campaign)] += int(cents)
    return found


def _load_spent(connection: Connection, closing: datetime.date) -> Mapping[str, int]:
    """Return what was spent of each campaign: parts of dues whose payment had its second signature on that day."""
    of_lot = {
        bytes(row.lot_ref): earmark_code(bytes(row.donor), row.campaign)
        for row in connection.execute(
            select(deposits.c.lot_ref, expectations.c.donor, expectations.c.campaign)
            .join(expectations, expectations.c.id == deposits.c.expectation)
            .where(deposits.c.lot_ref.is_not(None))
        )
    }
    until = ((closing - _EPOCH).days + 1) * DAY_MS
    signed = (
        select(signatures.c.payment, func.max(signatures.c.at).label("at")).group_by(signatures.c.payment).subquery()
    )
    found: dict[str, int] = defaultdict(int)
    for ref, cents in connection.execute(
        select(due_lots.c.ref, func.sum(due_lots.c.cents))
        .join(payments, payments.c.id == due_lots.c.payment)
        .join(signed, signed.c.payment == payments.c.id)
        .where(
            due_lots.c.share == Share.PREFUNDED,
            payments.c.state.not_in((*DEAD, PaymentState.ASKED)),
            signed.c.at < until,
        )
        .group_by(due_lots.c.ref)
    ):
        found[of_lot[bytes(ref)]] += int(cents)
    # What was netted is spent when its window is closed.
    for ref, cents in connection.execute(
        select(due_lots.c.ref, func.sum(due_lots.c.cents))
        .join(dues, dues.c.no == due_lots.c.due)
        .join(windows, windows.c.window_no == dues.c.window_no)
        .where(due_lots.c.share == Share.PREFUNDED, dues.c.debtor == "", windows.c.at < until)
        .group_by(due_lots.c.ref)
    ):
        found[of_lot[bytes(ref)]] += int(cents)
    return found


def _load_kept(connection: Connection) -> Mapping[str, int]:
    """Return what the books have put aside for each earmark, over all years."""
    found: dict[str, int] = defaultdict(int)
    for row in stream(connection, select(entries.c.body).order_by(entries.c.no)):
        entry = read_entry(bytes(row.body))
        chart = load_chart(entry.year.first_on)
        if entry.journal == chart.journals[JournalRole.OPENING]:
            continue
        kept = chart.account(AccountRole.DEDICATED_GENEROSITY).number
        for line in entry.lines:
            if line.account.number == kept and line.auxiliary is not None:
                found[line.auxiliary.number.removeprefix("A")] += line.credit - line.debit
    return found
