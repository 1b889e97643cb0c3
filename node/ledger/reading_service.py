"""Readings: an account, its balance now and then, its history, its statement, an id's fate, a territory's figures.

Each takes a connection, so that it runs on a snapshot (`ledger.read`) or inside another room's own reading.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, case, func, literal, or_, select

from node.ledger import tables
from node.ledger.accounts import ORDINARY, AccountKey, AccountKind, AccountState, SystemAccount
from node.ledger.draws import Draws
from node.ledger.errors import AccountUnknown
from node.ledger.lots import LotId, LotName
from node.ledger.postings import PostingKind
from node.ledger.statements import (
    MARK_EVERY,
    AccountView,
    Balance,
    Entry,
    HeldLot,
    HistoryPage,
    OperationView,
    PeerTotal,
    Statement,
    Totals,
    choose_span,
    next_cursor,
    sum_by_kind,
)
from protocol.amounts import Cents
from protocol.book.stream_store import stream
from protocol.errors import Malformed
from protocol.identifiers import AccountNumber, Id16, TerritoryCode
from protocol.times import Instant

_accounts = tables.accounts
_balances = tables.balances
_transfers = tables.transfers
_marks = tables.history_marks


class Moved(NamedTuple):
    """What was posted under an id; an account of the book itself has no number."""

    kind: str
    debit: str | None
    credit: str | None
    cents: int


class Standing(NamedTuple):
    """How an account stands: `length` is how many transfers touched it."""

    kind: AccountKind
    state: AccountState
    cents: int
    reserved: int
    length: int


def load_standings(connection: Connection, numbers: Collection[str]) -> dict[str, Standing]:
    """Return how each of these accounts stands; a number that nobody has is missing."""
    found: dict[str, Standing] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), 1_000):
        for number, kind, state, *figures in connection.execute(
            select(
                _accounts.c.number,
                _accounts.c.kind,
                _accounts.c.state,
                _balances.c.cents,
                _balances.c.reserved,
                _balances.c.length,
            )
            .join_from(_accounts, _balances)
            .where(_accounts.c.number.in_(wanted[start : start + 1_000]))
        ):
            found[number] = Standing(AccountKind(kind), AccountState(state), *figures)
    return found


def load_entries_after(connection: Connection, number: AccountNumber, seq: int, limit: int) -> list[Entry]:
    """Return up to `limit` entries of an account after the one numbered `seq`, the oldest first. Raises AccountUnknown."""
    account_id, _, _, head, length = _load_chain(connection, number)
    return _load_entries(connection, account_id, head, length, range(seq + 1, min(length, seq + limit) + 1))


def find_account(connection: Connection, number: AccountNumber) -> AccountView | None:
    """Return the account that has this number, or None."""
    row = connection.execute(
        select(
            _accounts.c.number,
            _accounts.c.kind,
            _accounts.c.state,
            _accounts.c.shown_name,
            _accounts.c.opened_at,
            _accounts.c.closed_at,
            _balances.c.cents,
            _balances.c.reserved,
            _balances.c.length,
        )
        .join_from(_accounts, _balances)
        .where(_accounts.c.number == number)
    ).first()
    if row is None:
        return None
    return AccountView(
        number=row[0],
        kind=AccountKind(row[1]),
        state=AccountState(row[2]),
        shown_name=row[3],
        opened_at=row[4],
        closed_at=row[5],
        cents=row[6],
        reserved=row[7],
        length=row[8],
    )


def find_opening(connection: Connection, number: AccountNumber) -> Id16 | None:
    """Return the id under which the account was opened that has this number, or None."""
    op = connection.execute(select(_accounts.c.op).where(_accounts.c.number == number)).scalar()
    return None if op is None else Id16(bytes(op))


def load_balance(connection: Connection, account: AccountKey) -> Balance:
    """Return what the account holds, lot by lot, the oldest first. Raises AccountUnknown."""
    account_id, cents, reserved, _, _ = _load_chain(connection, account)
    holdings, lots = tables.holdings, tables.lots
    rows = connection.execute(
        select(lots.c.id, lots.c.issuer, lots.c.lot_class, lots.c.month, holdings.c.cents)
        .join_from(holdings, lots, lots.c.id == holdings.c.lot_id)
        .where(holdings.c.account_id == account_id, holdings.c.cents > 0)
        .order_by(lots.c.month, lots.c.id)
    )
    held = tuple(HeldLot(lot=row[0], issuer=row[1], lot_class=row[2], month=row[3], cents=row[4]) for row in rows)
    return Balance(cents=cents, reserved=reserved, lots=held)


def load_balance_at(connection: Connection, account: AccountKey, instant: Instant) -> Cents:
    """Return what the account held right after everything of `instant` was written. Raises AccountUnknown.

    Walks 64 entries at most, however long the history.
    """
    account_id, _, _, head, length = _load_chain(connection, account)
    found = _find_entry_at(connection, account_id, head, length, instant)
    return Cents(0) if found is None else found[1]


def load_history(
    connection: Connection,
    account: AccountKey,
    *,
    cursor: int | None = None,
    limit: int = 50,
    is_newest_first: bool = True,
) -> HistoryPage:
    """Return a page of the account's entries, and the cursor of the next. Raises AccountUnknown, Malformed."""
    account_id, _, _, head, length = _load_chain(connection, account)
    span = choose_span(length, cursor=cursor, limit=limit, is_newest_first=is_newest_first)
    entries = _load_entries(connection, account_id, head, length, span)
    if is_newest_first:
        entries.reverse()
    return HistoryPage(entries=tuple(entries), cursor=next_cursor(length, span, is_newest_first=is_newest_first))


def load_statement(connection: Connection, account: AccountNumber, start: Instant, end: Instant) -> Statement:
    """Return the account's statement for start <= at < end. Raises AccountUnknown, Malformed."""
    if not 0 <= start <= end:
        raise Malformed(field="period", reason="a period ends after it starts")
    account_id, _, _, head, length = _load_chain(connection, account)
    before = _find_entry_at(connection, account_id, head, length, Instant(start - 1))
    last = _find_entry_at(connection, account_id, head, length, Instant(end - 1))
    opening = Cents(0) if before is None else before[1]
    closing = Cents(0) if last is None else last[1]
    span = range(1 if before is None else before[0] + 1, 1 if last is None else last[0] + 1)
    entries = tuple(_load_entries(connection, account_id, head, length, span))
    return Statement(
        account=account,
        start=start,
        end=end,
        opening=opening,
        closing=closing,
        entries=entries,
        totals=sum_by_kind(entries),
    )


def find_operation(connection: Connection, op: Id16) -> OperationView:
    """Return what became of an id: posted (endowed, reversed), refused, or unknown."""
    rows = connection.execute(
        select(_transfers.c.at, _transfers.c.kind, _transfers.c.debit, _transfers.c.credit, _transfers.c.cents).where(
            _transfers.c.op == op
        )
    ).all()
    if rows:
        at, kind, debit, credit, _ = rows[0]
        keys = _load_keys(connection, [debit, credit])
        return OperationView(
            op=op,
            state="posted",
            at=at,
            kind=PostingKind(kind),
            debit=keys[debit][0],
            credit=keys[credit][0],
            cents=Cents(sum(row[4] for row in rows)),
        )
    table = tables.refusals
    refused = connection.execute(select(table.c.at, table.c.code, table.c.facts).where(table.c.op == op)).first()
    if refused is not None:
        return OperationView(op=op, state="refused", at=refused[0], code=refused[1], facts=json.loads(refused[2]))
    return OperationView(op=op, state="unknown")


def load_draws(connection: Connection, op: Id16) -> Draws:
    """Return the lots and cents that moved under an id, in order; nothing where nothing did."""
    transfers = tables.transfers
    rows = connection.execute(
        select(transfers.c.lot, transfers.c.cents).where(transfers.c.op == op).order_by(transfers.c.id)
    )
    return tuple((LotId(row[0]), Cents(row[1])) for row in rows)


def load_endowed_ops(connection: Connection) -> list[bytes]:
    """Return the ids by which lots were issued."""
    return [bytes(op) for op in connection.execute(select(tables.endowments.c.op)).scalars()]


def load_moved(connection: Connection, ops: Sequence[bytes]) -> dict[bytes, Moved]:
    """Return what was posted under each of these ids: its kind, its two accounts, its sum."""
    giver, taker = _accounts.alias(), _accounts.alias()
    found: dict[bytes, Moved] = {}
    for start in range(0, len(ops), 500):
        for op, kind, debit, credit, cents in connection.execute(
            select(_transfers.c.op, _transfers.c.kind, giver.c.number, taker.c.number, func.sum(_transfers.c.cents))
            .join_from(_transfers, giver, giver.c.id == _transfers.c.debit)
            .join(taker, taker.c.id == _transfers.c.credit)
            .where(_transfers.c.op.in_(ops[start : start + 500]))
            .group_by(_transfers.c.op, _transfers.c.kind, giver.c.number, taker.c.number)
        ):
            found[bytes(op)] = Moved(kind, debit, credit, int(cents))
    return found


def stream_out_of_pools(connection: Connection, pools: Collection[str]) -> Iterator[tuple[bytes, bytes | None, int]]:
    """Give out every credit from these pools, and every reversal of one: its id, the id it undoes, its cents.

    A posting of several lots comes once for each. Reads every transfer: for checks.
    """
    undone = _transfers.alias()
    giver = _accounts.alias()
    ids = [row[0] for row in connection.execute(select(giver.c.id).where(giver.c.number.in_(pools)))]
    statement = (
        select(_transfers.c.op, undone.c.op, _transfers.c.cents)
        .join_from(_transfers, undone, undone.c.id == _transfers.c.undoes, isouter=True)
        .where(
            or_(
                and_(_transfers.c.kind == PostingKind.CREDIT, _transfers.c.debit.in_(ids)),
                and_(_transfers.c.kind == PostingKind.REVERSAL, undone.c.debit.in_(ids)),
            )
        )
        .order_by(_transfers.c.id)
    )
    for op, undoes, cents in stream(connection, statement):
        yield bytes(op), None if undoes is None else bytes(undoes), int(cents)


def load_lot_names(connection: Connection, lots: Collection[LotId]) -> dict[LotId, LotName]:
    """Return by what name every book of the federation knows these lots, which must exist."""
    table = tables.lots
    rows = connection.execute(
        select(table.c.id, table.c.issuer, table.c.ref, table.c.lot_class, table.c.month).where(table.c.id.in_(lots))
    )
    return {LotId(row[0]): LotName(TerritoryCode(row[1]), bytes(row[2]), row[3], row[4]) for row in rows}


def load_totals(connection: Connection, home: TerritoryCode) -> Totals:
    """Return the figures of a territory, for a table by territory. Adds up every holding."""
    holdings, lots = tables.holdings, tables.lots
    sums: dict[tuple[str, str, str], int] = {}
    for kind, peer, issuer, cents in connection.execute(
        select(_accounts.c.kind, _accounts.c.peer, lots.c.issuer, func.sum(holdings.c.cents))
        .join_from(holdings, _accounts, _accounts.c.id == holdings.c.account_id)
        .join(lots, lots.c.id == holdings.c.lot_id)
        .where(holdings.c.cents > 0)
        .group_by(_accounts.c.kind, _accounts.c.peer, lots.c.issuer)
    ):
        place = "held" if AccountKind(kind) in ORDINARY else kind
        sums[place, peer, issuer] = sums.get((place, peer, issuer), 0) + int(cents)
    issued = connection.execute(
        select(func.coalesce(func.sum(lots.c.issued), 0)).where(lots.c.issuer == home)
    ).scalar_one()
    by_kind = {
        PostingKind(kind): int(cents)
        for kind, cents in connection.execute(select(tables.tallies.c.kind, tables.tallies.c.cents))
    }

    def foreign(place: str) -> tuple[PeerTotal, ...]:
        return tuple(
            PeerTotal(territory=TerritoryCode(issuer), cents=cents)
            for (where, _, issuer), cents in sorted(sums.items())
            if where == place and issuer != home
        )

    return Totals(
        territory=home,
        issued=int(issued),
        credited=by_kind.get(PostingKind.CREDIT, 0),
        home_held=sums.get(("held", "", home), 0),
        home_in_transit=sums.get((AccountKind.TRANSIT, "", home), 0),
        home_unclaimed=sums.get((AccountKind.UNCLAIMED, "", home), 0),
        home_converted=sums.get((AccountKind.CONVERTED, "", home), 0),
        abroad=tuple(
            PeerTotal(territory=TerritoryCode(peer), cents=cents)
            for (where, peer, _), cents in sorted(sums.items())
            if where == AccountKind.ABROAD
        ),
        foreign_held=foreign("held"),
        foreign_in_transit=foreign(AccountKind.TRANSIT),
        foreign_unclaimed=foreign(AccountKind.UNCLAIMED),
        by_kind=by_kind,
    )


def _load_chain(connection: Connection, account: AccountKey) -> tuple[int, Cents, Cents, int | None, int]:
    """Return (id, cents, reserved, head, length). Raises AccountUnknown; a system account never used is empty."""
    if isinstance(account, SystemAccount):
        where = and_(_accounts.c.number.is_(None), _accounts.c.kind == account.kind, _accounts.c.peer == account.peer)
    else:
        where = _accounts.c.number == account
    row = connection.execute(
        select(_accounts.c.id, _balances.c.cents, _balances.c.reserved, _balances.c.head, _balances.c.length)
        .join_from(_accounts, _balances)
        .where(where)
    ).first()
    if row is not None:
        return row[0], row[1], row[2], row[3], row[4]
    if isinstance(account, SystemAccount):
        return 0, Cents(0), Cents(0), None, 0
    raise AccountUnknown(account=account)


def _walk(account_id: int, start: int, steps: int) -> Select[Any]:
    """Return the chain of an account from the transfer `start` backwards, `steps` entries at most."""
    table = _transfers

    def side(of_debit: Any, of_credit: Any) -> Any:
        return case((table.c.debit == account_id, of_debit), else_=of_credit)

    columns = (
        table.c.id,
        side(table.c.debit_prev, table.c.credit_prev).label("prev"),
        literal(1).label("step"),
    )
    walk = select(*columns).where(table.c.id == start).cte("walk", recursive=True)
    walk = walk.union_all(
        select(table.c.id, side(table.c.debit_prev, table.c.credit_prev), walk.c.step + 1)
        .join_from(walk, table, table.c.id == walk.c.prev)
        .where(walk.c.step < steps)
    )
    return (
        select(
            side(table.c.debit_seq, table.c.credit_seq).label("seq"),
            table.c.id,
            table.c.op,
            table.c.part,
            table.c.at,
            table.c.kind,
            side(-table.c.cents, table.c.cents).label("signed"),
            side(table.c.debit_after, table.c.credit_after).label("after"),
            table.c.lot,
            side(table.c.credit, table.c.debit).label("other"),
            table.c.reference,
            table.c.undoes,
        )
        .join_from(walk, table, table.c.id == walk.c.id)
        .order_by(table.c.id)
    )


def _find_entry_at(
    connection: Connection, account_id: int, head: int | None, length: int, instant: Instant
) -> tuple[int, Cents] | None:
    """Return (seq, balance) of the newest entry not after `instant`, or None before the first."""
    if head is None:
        return None
    mark = connection.execute(
        select(_marks.c.transfer_id)
        .where(_marks.c.account_id == account_id, _marks.c.at > instant)
        .order_by(_marks.c.at, _marks.c.seq)
        .limit(1)
    ).scalar()
    # The mark itself is too young, and no mark before it is: what is wanted stands 64 entries before it at most.
    rows = connection.execute(_walk(account_id, head if mark is None else mark, MARK_EVERY + 1)).all()
    fitting = [row for row in rows if row.at <= instant]
    return (fitting[-1].seq, fitting[-1].after) if fitting else None


def _load_entries(connection: Connection, account_id: int, head: int | None, length: int, span: range) -> list[Entry]:
    """Return the entries numbered `span`, rising."""
    if not span or head is None:
        return []
    mark = connection.execute(
        select(_marks.c.seq, _marks.c.transfer_id)
        .where(_marks.c.account_id == account_id, _marks.c.seq >= span[-1])
        .order_by(_marks.c.seq)
        .limit(1)
    ).first()
    seq, start = (length, head) if mark is None else (mark[0], mark[1])
    rows = connection.execute(_walk(account_id, start, seq - span[0] + 1)).all()
    wanted = [row for row in rows if span[0] <= row.seq <= span[-1]]
    keys = _load_keys(connection, [row.other for row in wanted])
    return [
        Entry(
            seq=row.seq,
            transfer=row.id,
            op=row.op,
            part=row.part,
            at=row.at,
            kind=PostingKind(row.kind),
            cents=row.signed,
            after=row.after,
            lot=row.lot,
            other=keys[row.other][0],
            other_name=keys[row.other][1],
            reference=row.reference,
            undoes=row.undoes,
        )
        for row in wanted
    ]


def _load_keys(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[AccountKey, str | None]]:
    """Return the key and the shown name of each account."""
    found: dict[int, tuple[AccountKey, str | None]] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), 1_000):
        for account_id, number, kind, peer, shown_name in connection.execute(
            select(
                _accounts.c.id, _accounts.c.number, _accounts.c.kind, _accounts.c.peer, _accounts.c.shown_name
            ).where(_accounts.c.id.in_(wanted[start : start + 1_000]))
        ):
            key: AccountKey = number if number is not None else SystemAccount(AccountKind(kind), peer)
            found[account_id] = (key, shown_name)
    return found


def load_lot_terms(connection: Connection, lots: Collection[LotId]) -> dict[LotId, tuple[str, int, int, str]]:
    """Return issuer, class, month and restriction of these lots; the text of a restriction is known of home lots only."""
    table, origins = tables.lots, tables.origins
    found: dict[LotId, tuple[str, int, int, str]] = {}
    wanted = sorted(lots)
    for start in range(0, len(wanted), 1_000):
        rows = connection.execute(
            select(table.c.id, table.c.issuer, table.c.lot_class, table.c.month, origins.c.restriction)
            .join_from(table, origins, origins.c.lot_id == table.c.id, isouter=True)
            .where(table.c.id.in_(wanted[start : start + 1_000]))
        )
        found.update({LotId(row[0]): (row[1], row[2], row[3], row[4] or "") for row in rows})
    return found
