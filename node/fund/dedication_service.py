"""The close of a fiscal year: dedicated funds (fonds dédiés) are brought to what is bound and not spent, once."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, select

from node.fund.bookings import BoundSource, Writing, book_dedicated, book_dedicated_used
from node.fund.books_service import Books
from node.fund.chart import earmark_auxiliary
from node.fund.days import number_of
from node.fund.dedication_store import load_kept, load_received, load_spent
from node.fund.dedications import Dedication, compute_dedications
from node.fund.entries import Draft, Piece
from node.fund.fund_errors import YearClosed
from node.fund.tables import entries
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.times import DAY_MS

_EPOCH: Final = datetime.date(1970, 1, 1)
_WORDS: Final = {
    BoundSource.GRANTS: "Subvention",
    BoundSource.CONTRIBUTIONS: "Projet",
    BoundSource.GENEROSITY: "Opération",
}


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
        received, spent, kept = load_received(connection, day), load_spent(connection, day), load_kept(connection)
        written = 0
        for source in BoundSource:
            for change in compute_dedications(received[source], spent[source], kept[source]):
                piece = Piece(reference=f"CLOTURE-{day}", on=closing)
                self._books.write(page, f"{event} {change.earmark}", closing, piece, _writer_of(source, change))
                written += 1
        return written


def _writer_of(source: BoundSource, change: Dedication) -> Callable[[Writing], Draft]:
    earmark = earmark_auxiliary(change.earmark, f"{_WORDS[source]} {change.earmark}")

    def write(writing: Writing) -> Draft:
        cents = Cents(abs(change.cents))
        if change.cents > 0:
            return book_dedicated(writing, source=source, earmark=earmark, cents=cents, is_public_appeal=False)
        return book_dedicated_used(
            writing, source=source, earmark=earmark, cents=cents, kept=Cents(change.kept), is_public_appeal=False
        )

    return write


def _has_event(connection: Connection, start: str) -> bool:
    asked = select(entries.c.no).where(entries.c.event.startswith(start, autoescape=True))
    return connection.execute(asked.limit(1)).first() is not None
