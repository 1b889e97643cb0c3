"""SQL of the accounts base: loads a page's desk, saves what it decided. Decides nothing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, func, select, update

from node.ledger import tables
from node.ledger.accounts import SystemAccount
from node.ledger.credits import CreditRun
from node.ledger.desk import Desk, Outcome, Sheet, make_sheet
from node.ledger.errors import remake
from node.ledger.lots import Lot, LotId
from node.ledger.postings import Kept, Posted, PostingKind
from node.ledger.recent_ids import RecentIds
from node.ledger.reservations import Reservation, ReservationState
from protocol.amounts import Cents
from protocol.book.rows_store import change_whole_rows, insert_or_add, insert_rows, select_rows, update_rows
from protocol.identifiers import Id16, TerritoryCode
from protocol.times import Instant

_accounts = tables.accounts
_transfers = tables.transfers
_ACCOUNT = ("id", "number", "kind", "peer", "state")
_BALANCE = ("account_id", "cents", "reserved", "head", "length")
_HOLDING = ("account_id", "lot_id", "cents")
_TRANSFER = (
    "id",
    "op",
    "part",
    "at",
    "kind",
    "debit",
    "credit",
    "lot",
    "cents",
    "reference",
    "undoes",
    "debit_prev",
    "debit_seq",
    "debit_after",
    "credit_prev",
    "credit_seq",
    "credit_after",
)
_RESERVATION = ("op", "account_id", "cents", "expires_at", "at", "state", "used_by")
_newest = select(_transfers.c.id, _transfers.c.at).order_by(_transfers.c.id.desc()).limit(1)
_RECENT = 1_000
_newest_ops = (
    select(_transfers.c.op).where(_transfers.c.part == 0).order_by(_transfers.c.op.desc()).limit(_RECENT),
    select(tables.refusals.c.op).order_by(tables.refusals.c.op.desc()).limit(_RECENT),
)


def load_desk(connection: Connection, home: TerritoryCode, now: Instant) -> Desk:
    """Return an empty desk at the end of the book."""
    newest = connection.execute(_newest).first()
    ops = [connection.execute(statement).scalars().all() for statement in _newest_ops]
    # Fewer than were asked for are all there are.
    floor = max((found[-1] for found in ops if len(found) == _RECENT), default=b"")
    return Desk(
        home=home,
        now=now if newest is None else max(now, newest[1]),
        next_transfer=1 if newest is None else newest[0] + 1,
        recent=RecentIds(chain.from_iterable(ops), floor),
    )


def load_next_account(connection: Connection) -> int:
    """Return the id of the next account to open."""
    return (connection.execute(select(func.max(_accounts.c.id))).scalar() or 0) + 1


def load_next_lot(connection: Connection) -> int:
    """Return the id of the next lot to make."""
    return (connection.execute(select(func.max(tables.lots.c.id))).scalar() or 0) + 1


def _lay(connection: Connection, desk: Desk, accounts: Sequence[tuple[Any, ...]]) -> None:
    ids = [row[0] for row in accounts]
    balances = {
        row[0]: row[1:] for row in select_rows(connection, tables.balances, _BALANCE, column="account_id", values=ids)
    }
    for row in accounts:
        sheet = make_sheet(row, balances[row[0]])
        if sheet.key not in desk.sheets:
            desk.sheets[sheet.key] = sheet
            desk.sheets_by_id[sheet.id] = sheet


def load_numbers(connection: Connection, desk: Desk, numbers: Collection[str]) -> None:
    """Lay out the accounts that have these numbers; the others stay unknown."""
    _lay(connection, desk, select_rows(connection, _accounts, _ACCOUNT, column="number", values=numbers))


def load_accounts(connection: Connection, desk: Desk, ids: Iterable[int]) -> None:
    """Lay out these accounts, which exist."""
    wanted = [account_id for account_id in ids if account_id not in desk.sheets_by_id]
    _lay(connection, desk, select_rows(connection, _accounts, _ACCOUNT, column="id", values=wanted))


def load_system(connection: Connection, desk: Desk, keys: Collection[SystemAccount]) -> None:
    """Lay out these system accounts; one that was never used is opened."""
    columns = [_accounts.c[name] for name in _ACCOUNT]
    for key in keys:
        found = select(*columns).where(
            _accounts.c.number.is_(None), _accounts.c.kind == key.kind, _accounts.c.peer == key.peer
        )
        row = connection.execute(found).first()
        if row is None:
            new = {
                "id": load_next_account(connection),
                "kind": key.kind,
                "peer": key.peer,
                "state": "open",
                "opened_at": desk.now,
            }
            connection.execute(_accounts.insert().values(**new))
            insert_rows(connection, tables.balances, _BALANCE, [(new["id"], 0, 0, None, 0)])
            row = connection.execute(found).one()
        _lay(connection, desk, [tuple(row)])


def load_holdings(connection: Connection, desk: Desk, sheets: Collection[Sheet]) -> None:
    """Make these sheets whole, with all that the accounts hold. They are not waiting to be saved."""
    found = select_rows(
        connection,
        tables.holdings,
        ("account_id", "lot_id", "cents"),
        column="account_id",
        values=[sheet.id for sheet in sheets],
    )
    for sheet in sheets:
        assert not sheet.is_touched
        sheet.holdings = {}
        sheet.is_whole = True
        sheet.is_ordered = False
    for account_id, lot_id, cents in found:
        if cents:
            desk.sheets_by_id[account_id].holdings[lot_id] = cents
    load_lots(connection, desk, {lot_id for _, lot_id, cents in found if cents})


def load_holdings_of(connection: Connection, desk: Desk, sheet: Sheet, lots: Collection[LotId]) -> None:
    """Lay out what the account holds of these lots, zero where it holds nothing. It is not waiting to be saved."""
    assert not sheet.is_touched
    table = tables.holdings
    wanted = sorted(lots)
    for lot_id in wanted:
        sheet.holdings[lot_id] = 0
    for start in range(0, len(wanted), 1_000):
        part = wanted[start : start + 1_000]
        for lot_id, cents in connection.execute(
            select(table.c.lot_id, table.c.cents).where(table.c.account_id == sheet.id, table.c.lot_id.in_(part))
        ):
            sheet.holdings[lot_id] = cents


def load_lots(connection: Connection, desk: Desk, ids: Collection[LotId]) -> None:
    """Lay out these lots; the others stay unknown."""
    wanted = [lot_id for lot_id in ids if lot_id not in desk.lots]
    for row in select_rows(connection, tables.lots, ("id", "issuer", "month"), column="id", values=wanted):
        desk.lots[row[0]] = Lot(*row)


def load_outcomes(connection: Connection, desk: Desk, ops: Collection[Id16]) -> None:
    """Lay out what became of these ids, where something did."""
    parts: dict[Id16, list[tuple[Any, ...]]] = defaultdict(list)
    for row in select_rows(connection, _transfers, _TRANSFER, column="op", values=ops):
        parts[row[1]].append(row)
    if parts:
        _lay_posted(connection, desk, parts)
    refused = select_rows(connection, tables.refusals, ("op", "asked", "code", "facts"), column="op", values=ops)
    for op, asked, code, facts in refused:
        desk.outcomes[op] = Outcome(remake(code, json.loads(facts)), None, asked)


def _lay_posted(connection: Connection, desk: Desk, parts: dict[Id16, list[tuple[Any, ...]]]) -> None:
    load_accounts(connection, desk, {side for rows in parts.values() for row in rows for side in (row[5], row[6])})
    used = select_rows(connection, tables.reservations, ("used_by", "op"), column="used_by", values=parts)
    reservation_of = {row[0]: row[1] for row in used}
    moved = select_rows(connection, tables.diversions, ("op", "account_id"), column="op", values=parts)
    diverted = {row[0]: row[1] for row in moved}
    load_accounts(connection, desk, diverted.values())
    for op, rows in parts.items():
        rows.sort()
        first, last = rows[0], rows[-1]
        cents = Cents(sum(row[8] for row in rows))
        credit_id = diverted.get(op, first[6])
        kept = Kept(
            kind=PostingKind(first[4]),
            debit=desk.sheets_by_id[first[5]].key,
            credit=desk.sheets_by_id[credit_id].key,
            cents=cents,
            reference=first[9],
            reservation=reservation_of.get(op),
        )
        posted = Posted(
            op=op,
            at=first[3],
            cents=cents,
            draws=tuple((row[7], row[8]) for row in rows),
            first=first[0],
            debit_after=last[13],
            credit_after=last[16],
            is_unclaimed=op in diverted,
        )
        desk.outcomes[op] = Outcome(posted, kept)


def load_reservations(connection: Connection, desk: Desk, ops: Collection[Id16]) -> None:
    """Lay out these reservations and their accounts; unknown ids stay unknown."""
    wanted = [op for op in ops if op not in desk.reservations]
    rows = select_rows(connection, tables.reservations, _RESERVATION, column="op", values=wanted)
    load_accounts(connection, desk, {row[1] for row in rows})
    for op, account_id, cents, expires_at, at, state, used_by in rows:
        desk.reservations[op] = Reservation(
            op=op,
            account=desk.sheets_by_id[account_id].key,
            cents=cents,
            expires_at=expires_at,
            at=at,
            state=ReservationState(state),
            used_by=used_by,
        )


def find_expired(connection: Connection, now: Instant, limit: int) -> list[Id16]:
    """Return active reservations whose time is over, the oldest first."""
    table = tables.reservations
    return [
        row[0]
        for row in connection.execute(
            select(table.c.op)
            .where(table.c.state == "active", table.c.expires_at <= now)
            .order_by(table.c.expires_at, table.c.op)
            .limit(limit)
        )
    ]


def insert_reservation(connection: Connection, reservation: Reservation, account_id: int) -> None:
    """Save a reservation just made; its effect on the account is on the desk."""
    insert_rows(
        connection,
        tables.reservations,
        _RESERVATION,
        [
            (
                reservation.op,
                account_id,
                reservation.cents,
                reservation.expires_at,
                reservation.at,
                reservation.state,
                reservation.used_by,
            )
        ],
    )


def save_desk(connection: Connection, desk: Desk) -> None:
    """Save all that was decided since the last time. Afterwards the desk is clean and goes on being true."""
    if desk.is_saved:
        return
    update_rows(
        connection,
        tables.lots,
        [(cents, lot_id) for lot_id, cents in desk.issued.items() if cents],
        adding=("issued",),
        key=("id",),
    )
    for run in desk.runs:
        _insert_run(connection, run)
    insert_rows(connection, _transfers, _TRANSFER, desk.transfers)
    _save_changes(connection, desk)
    _save_balances(connection, desk.touched)
    insert_rows(connection, tables.history_marks, ("account_id", "seq", "transfer_id", "at"), desk.marks)
    insert_or_add(
        connection,
        tables.tallies,
        ("kind", "entries", "cents"),
        [(kind, entries, cents) for kind, (entries, cents) in desk.tallies.items()],
        key=("kind",),
        adding=("entries", "cents"),
    )
    insert_rows(connection, tables.refusals, ("op", "asked", "code", "facts", "at"), desk.refusals)
    insert_rows(connection, tables.diversions, ("op", "account_id"), desk.diversions)
    update_rows(
        connection,
        tables.reservations,
        [(reservation.state, reservation.used_by, reservation.op) for reservation in desk.ended],
        setting=("state", "used_by"),
        key=("op",),
    )
    _clean(desk)


# Of a run's transfers these columns differ from line to line.
_RUN_SHARED = ("part", "at", "kind", "debit", "lot", "undoes")
_RUN = tuple(name for name in _TRANSFER if name not in _RUN_SHARED)


def _insert_run(connection: Connection, run: CreditRun) -> None:
    count = len(run.ops)
    columns: tuple[Iterable[Any], ...] = (
        range(run.first, run.first + count),
        run.ops,
        run.account_ids,
        run.cents,
        run.references,
        chain((run.debit_head,), range(run.first, run.first + count - 1)),
        range(run.debit_length + 1, run.debit_length + 1 + count),
        run.debit_after,
        run.credit_prev,
        run.credit_seq,
        run.credit_after,
    )
    shared = (0, run.at, PostingKind.CREDIT.value, run.pool_id, run.lot, None)
    rows = list(zip(*columns, strict=True))
    insert_rows(connection, _transfers, _RUN, rows, shared=dict(zip(_RUN_SHARED, shared, strict=True)))


def _save_changes(connection: Connection, desk: Desk) -> None:
    """Add what came, take what went: a row that loses was loaded, so it exists, and CHECK guards its sum.

    In the order of their keys the rows touch each page of the base once.
    """
    came: list[tuple[int, int, int]] = []
    went: list[tuple[int, int, int]] = []
    for lot_id, accounts in desk.changes.items():
        for account_id, cents in accounts.items():
            if cents > 0:
                came.append((account_id, lot_id, cents))
            elif cents < 0:
                went.append((account_id, lot_id, -cents))
    came.sort()
    went.sort()
    key = ("account_id", "lot_id")
    insert_or_add(connection, tables.holdings, _HOLDING, came, key=key, adding=("cents",))
    change_whole_rows(connection, tables.holdings, went, key=key, lessening=("cents",))


def _save_balances(connection: Connection, sheets: Sequence[Sheet]) -> None:
    rows = [(sheet.id, sheet.cents, sheet.reserved, sheet.head, sheet.length) for sheet in sheets]
    rows.sort()
    change_whole_rows(connection, tables.balances, rows, key=("account_id",), setting=_BALANCE[1:])


def _clean(desk: Desk) -> None:
    for sheet in desk.touched:
        sheet.is_touched = False
    desk.transfers = []
    desk.runs = []
    desk.changes = {}
    desk.issued = {}
    desk.marks = []
    desk.touched = []
    desk.tallies = {}
    desk.refusals = []
    desk.diversions = []
    desk.ended = []


def save_state(connection: Connection, account_id: int, state: str, closed_at: Instant | None) -> None:
    """Save the new state of an account."""
    connection.execute(update(_accounts).where(_accounts.c.id == account_id).values(state=state, closed_at=closed_at))


def save_shown_name(connection: Connection, account_id: int, shown_name: str | None) -> None:
    """Save the name that payers see, or none."""
    connection.execute(update(_accounts).where(_accounts.c.id == account_id).values(shown_name=shown_name))


def insert_accounts(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Save accounts just opened: (id, op, number, kind, shown_name, opened_at)."""
    columns = ("id", "op", "number", "kind", "shown_name", "opened_at", "peer", "state")
    insert_rows(connection, _accounts, columns, [(*row, "", "open") for row in rows])
    insert_rows(connection, tables.balances, _BALANCE, [(row[0], 0, 0, None, 0) for row in rows])
