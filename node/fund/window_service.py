"""Windows of netting that the hub closed, as our book takes them: what is told is held against our dues, or not taken.

told by the accounts ── it fits ──▶ taken: dues stand in it, what is left is to be paid (net_payment_service.py)
                    └── it does not ──▶ named by `check`, nothing is paid ── the book is mended, `netting retake` ──▶ taken
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from node.fund.books_service import Books
from node.fund.days import day_of
from node.fund.decision_service import find_answer, keep_answer
from node.fund.fund_errors import FundUnknown, NettingRefused
from node.fund.netting import NetOutcome, read_window
from node.fund.netting_store import chunks, load_awaited, save_awaited
from node.fund.seal_store import change
from node.fund.tables import dues, net_payments, windows
from protocol.book.worker import Page
from protocol.canonical import encode_typed
from protocol.errors import Refusal
from protocol.exchange.talk_store import load_talk
from protocol.house import BaseName, NetPaid, WindowTold
from protocol.identifiers import Id16


@dataclass(frozen=True, slots=True, kw_only=True)
class RetakeWindow:
    """Take a window that was told and did not fit. `id` is the caller's: asked again under it, it is answered as before."""

    window: int
    id: Id16 | None = None


class WindowDesk:
    """Only the book's writer thread runs its operations."""

    def __init__(self, *, home: str, books: Books) -> None:
        self._home = home
        self._books = books

    def take(self, page: Page, told: WindowTold) -> None:
        """Close a window here, if it is right: what is wrong with it `check` names, and nothing is paid."""
        if not _is_known(page.connection, told.window):
            self._take(page, told)

    def _take(self, page: Page, told: WindowTold) -> str | None:
        """Return what is wrong with a window, in words, or None: then it is closed here."""
        connection = page.connection
        outcome = read_window(told, self._home)
        if isinstance(outcome, str):
            return outcome
        fault = find_fault(connection, told)
        if fault is not None:
            return fault
        connection.execute(insert(windows).values(window_no=told.window, told=encode_typed(told), at=page.now))
        here: set[bytes] = set()
        for some in chunks(told.ids):
            here |= {bytes(id_) for id_ in connection.execute(select(dues.c.id).where(dues.c.id.in_(some))).scalars()}
            change(connection, update(dues).where(dues.c.id.in_(some)).values(window_no=told.window))
        save_awaited(connection, told.window, [id_ for id_ in told.ids if id_ not in here])
        rows = _make_payments(outcome)
        if rows:
            connection.execute(insert(net_payments), rows)
        self._books.close_window(page, outcome, day_of(told.on))
        return None

    def hear_paid(self, page: Page, told: NetPaid) -> None:
        """Keep what another fund says of a payment between us."""
        change(
            page.connection,
            update(net_payments)
            .where(net_payments.c.window_no == told.window, net_payments.c.other == told.other)
            .values(said=int(told.state), said_on=told.on),
        )

    def retake(self, page: Page, items: Sequence[RetakeWindow]) -> list[int | Refusal]:
        """Take windows that were told and did not fit, once the book is mended; return their numbers. One that is taken
        is taken. Refused with what does not fit still."""
        results: list[int | Refusal] = []
        for asked in items:
            try:
                if find_answer(page.connection, asked.id, asked) is None:
                    self._retake(page, asked.window)
                    keep_answer(page, asked.id, asked, str(asked.window))
                results.append(asked.window)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _retake(self, page: Page, window: int) -> None:
        if _is_known(page.connection, window):
            return
        # The accounts told it when nobody could take it, and what funds said of its payments since then fell on nothing.
        told: list[WindowTold] = []
        said: dict[str, NetPaid] = {}
        for message in load_talk(page.connection, BaseName.ACCOUNTS, BaseName.FUND):
            if isinstance(message, WindowTold) and message.window == window:
                told.append(message)
            elif isinstance(message, NetPaid) and message.window == window:
                said[message.other] = message
        if not told:
            raise FundUnknown(path=f"window {window}")
        fault = self._take(page, told[-1])  # told anew, the later counts, and no other
        if fault is not None:
            raise NettingRefused(reason=f"window {window}: {fault}")
        for word in said.values():
            self.hear_paid(page, word)


def find_fault(connection: Connection, told: WindowTold) -> str | None:
    """Return what a window says of our dues that our book does not, in words, or None."""
    known: dict[bytes, Any] = {}
    for some in chunks(told.ids):
        known |= {bytes(row.id): row for row in connection.execute(select(dues).where(dues.c.id.in_(some)))}
    awaited = load_awaited(connection, [id_ for id_ in told.ids if id_ not in known])
    for id_, other, cents in zip(told.ids, told.others, told.cents, strict=True):
        row, name = known.get(id_), told.members[other]
        # What others owe us may be told before our projects' order of it came: then it is no due here yet.
        if row is None and cents > 0 and awaited.get(id_, told.window) == told.window:
            continue
        if row is None or row.cents != abs(cents) or row.window_no not in (None, told.window):
            return f"due {id_.hex()} is not one of {abs(cents)} cents that no window holds"
        if cents < 0 and (row.netted_on is None or row.territory != name):
            return f"due {id_.hex()} is none that we net with {name}"
        if cents > 0 and row.debtor != name:
            return f"due {id_.hex()} is not owed by {name}"
    return None


def _is_known(connection: Connection, window: int) -> bool:
    return connection.execute(select(windows.c.window_no).where(windows.c.window_no == window)).first() is not None


def _make_payments(outcome: NetOutcome) -> list[dict[str, Any]]:
    return [
        {
            "window_no": outcome.window,
            "other": other,
            "is_ours": is_ours,
            "cents": cents,
            "received": 0,
            "said": 0,
            "said_on": 0,
        }
        for is_ours, side in ((True, outcome.pays), (False, outcome.receives))
        for other, cents in side.items()
    ]
