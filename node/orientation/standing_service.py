"""Standing orders kept and run: one period of each order in a page, once, however often the job is started."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import structs
from sqlalchemy import Connection, select, update

from node.federation.outgoing import derive_op
from node.ledger.accounts import AccountState
from node.ledger.desk import refuse_state
from node.ledger.errors import AccountUnknown
from node.ledger.postings import PostingKind
from node.ledger.reading_service import load_statement
from node.ledger.service import Ledger
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.errors import StandingUnknown
from node.orientation.projects import day_at
from node.orientation.service import DirectedView, Orientations
from node.orientation.standing import (
    Basis,
    StandingOrder,
    Told,
    allot,
    choose_projects,
    compute_share,
    find_period,
    is_catalogue_needed,
)
from node.orientation.store import load_all_projects
from node.orientation.tables import standing_orders, standing_runs
from protocol.book.rows_store import insert_rows
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Address, Id16, format_address
from protocol.times import Instant

ORDERS_AT_ONCE: Final = 100
# Fields that orders had not at first: where they are empty, they do not count for whether it is the same order.
_LATER: Final = frozenset({"is_everywhere", "near", "within_m"})
_CAME_IN: Final = frozenset({PostingKind.CREDIT, PostingKind.CESSION, PostingKind.GIFT, PostingKind.CEDE_IN})


AskCatalogue = Callable[[Connection, StandingOrder], Sequence[Told]]


def _know_nothing(_connection: Connection, _order: StandingOrder) -> Sequence[Told]:
    """Who has no catalogue knows of no project elsewhere but those that are listed."""
    return ()


class StandingView(msgspec.Struct, frozen=True):
    """An order as it stands; `periods` is how many were run."""

    op: bytes
    order: StandingOrder
    since: int
    periods: int
    stopped_at: int | None
    is_repeat: bool = False


class StandingService:
    """Keeps orders, and runs those that are due."""

    def __init__(self, ledger: Ledger, orientations: Orientations, ask_catalogue: AskCatalogue = _know_nothing) -> None:
        self._ledger = ledger
        self._orientations = orientations
        self._ask_catalogue = ask_catalogue

    def give_orders(self, page: Page, items: Sequence[StandingOrder]) -> list[StandingView | Refusal]:
        """Keep each order. The first period begins now; the same id again is answered the same."""
        return [self._give(page, item) for item in items]

    def _give(self, page: Page, order: StandingOrder) -> StandingView | Refusal:
        body = msgspec.json.encode(order)
        # Without what came later, so that an order of before is the same when it is asked again.
        told = {name: value for name, value in structs.asdict(order).items() if name not in _LATER or value}
        asked = hashlib.blake2b(msgspec.json.encode(told), digest_size=16).digest()
        kept = page.connection.execute(select(standing_orders).where(standing_orders.c.op == order.op)).first()
        if kept is not None:
            if bytes(kept.asked) != asked:
                return IdMismatch(id=order.op.hex(), field="content")
            return structs.replace(_view(kept), is_repeat=True)
        sheet = self._ledger.look_at(page, order.account)
        if sheet is None:
            return AccountUnknown(account=order.account)
        if sheet.state is AccountState.CLOSED:
            return refuse_state(sheet)
        due_at = find_period(page.now, order.period_days, 0)[1]
        insert_rows(
            page.connection,
            standing_orders,
            ("op", "account", "asked", "body", "since", "next", "due_at"),
            [(order.op, order.account, asked, body.decode(), page.now, 0, due_at)],
        )
        return StandingView(order.op, order, page.now, 0, None)

    def stop_orders(self, page: Page, items: Sequence[Id16]) -> list[StandingView | Refusal]:
        """Run these no more. Stopped twice is stopped once."""
        answers: list[StandingView | Refusal] = []
        table = standing_orders
        for op in items:
            page.connection.execute(
                update(table).where(table.c.op == op, table.c.stopped_at.is_(None)).values(stopped_at=page.now)
            )
            kept = page.connection.execute(select(table).where(table.c.op == op)).first()
            answers.append(StandingUnknown(id=op.hex()) if kept is None else _view(kept))
        return answers

    def stop_all(self, page: Page) -> None:
        """Run none of the orders that stand: this book is an old copy, and any of them may have been stopped."""
        table = standing_orders
        page.connection.execute(update(table).where(table.c.stopped_at.is_(None)).values(stopped_at=page.now))

    def run_due(self, page: Page, items: Sequence[None]) -> list[int]:
        """Run one period of each order that is due; return of how many. A worker repeats it until it is zero."""
        table = standing_orders
        due = page.connection.execute(
            select(table)
            .where(table.c.stopped_at.is_(None), table.c.due_at <= page.now)
            .order_by(table.c.due_at, table.c.op)
            .limit(ORDERS_AT_ONCE)
        ).all()
        for row in due:
            view = _view(row)
            cents, code = self._run(page, view)
            insert_rows(
                page.connection,
                standing_runs,
                ("order_op", "period", "cents", "code", "at"),
                [(view.op, view.periods, cents, code, page.now)],
            )
            due_at = find_period(Instant(view.since), view.order.period_days, view.periods + 1)[1]
            page.connection.execute(
                update(table).where(table.c.op == view.op).values(next=view.periods + 1, due_at=due_at)
            )
        return [len(due) if place == 0 else 0 for place in range(len(items))]

    def _run(self, page: Page, view: StandingView) -> tuple[int, str]:
        """Direct what one period comes to; return the cents, and why nothing or not all."""
        order = view.order
        sheet = self._ledger.look_at(page, order.account)
        assert sheet is not None, "an account is never deleted"
        base = sheet.available if order.basis is Basis.HELD else self._sum_received(page, view)
        cents = compute_share(order, base, sheet.available)
        told = self._ask_catalogue(page.connection, order) if is_catalogue_needed(order, self._ledger.home) else []
        projects = choose_projects(order, self._ledger.home, load_all_projects(page.connection), day_at(page.now), told)
        shares = allot(cents, projects)
        if not shares:
            return 0, "no_project" if cents else "nothing_to_direct"
        asked = Direct(
            op=Id16(derive_op("standing", order.op.hex(), view.periods)),
            account=order.account,
            choices=tuple(Choice(to=to, cents=part) for to, part in shares),
            overflow=Overflow.NEXT,
            giver=format_address(Address(order.account, self._ledger.home)),
        )
        [done] = self._orientations.direct(page, [asked])
        return (done.cents, "") if isinstance(done, DirectedView) else (0, done.code)

    def _sum_received(self, page: Page, view: StandingView) -> int:
        self._ledger.flush(page)
        start, end = find_period(Instant(view.since), view.order.period_days, view.periods)
        statement = load_statement(page.connection, view.order.account, start, end)
        return sum(one.received for one in statement.totals if one.kind in _CAME_IN)


def load_standing(connection: Connection, account: str) -> list[StandingView]:
    """Return the orders of an account, the oldest first."""
    table = standing_orders
    rows = connection.execute(select(table).where(table.c.account == account).order_by(table.c.since, table.c.op))
    return [_view(row) for row in rows]


def find_standing(connection: Connection, op: bytes) -> StandingView | None:
    row = connection.execute(select(standing_orders).where(standing_orders.c.op == op)).first()
    return None if row is None else _view(row)


def _view(row) -> StandingView:  # type: ignore[no-untyped-def]
    order = msgspec.json.decode(row.body, type=StandingOrder)
    return StandingView(bytes(row.op), order, row.since, row.next, row.stopped_at)
