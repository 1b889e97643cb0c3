"""The accounts base adds itself up again: every figure kept beside the transfers is computed anew from them.

One walk over the transfers, in the order in which they were written, rebuilds every chain, balance, holding and lot;
then each table is compared with what the walk says. The first row where the two part is named: a byte changed by hand
in a transfer, a holding, a balance, a lot or a mark cannot agree with the rest.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, select

from node.ledger import tables
from node.ledger.accounts import SOURCES
from node.ledger.errors import remake
from node.ledger.lots import LotName, compute_seal
from node.ledger.postings import JOINS, PostingKind
from node.ledger.statements import MARK_EVERY
from protocol.book.stream_store import ROWS_AT_ONCE, stream
from protocol.findings import Checked, Finding
from protocol.identifiers import TerritoryCode

OnProgress = Callable[[str, int], None]


@dataclass(slots=True)
class _Account:
    """An account as its transfers say it must be."""

    kind: str
    state: str
    cents: int = 0
    head: int | None = None
    length: int = 0


@dataclass(slots=True)
class _Walked:
    """What the walk over the transfers says of everything else."""

    accounts: dict[int, _Account]
    holdings: dict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    issued: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    marks: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    tallies: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    undone: dict[int, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class _Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    invariant: str
    rule: str
    looked_at: int = 0
    first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        """Note the place if what is found is not what is expected. A number stored as text is not that number."""
        if self.first is None and (expected != found or type(expected) is not type(found)):
            self.first = Finding(self.invariant, place, str(expected), str(found))

    def require(self, is_held: bool, place: str, expected: str, found: object) -> None:
        """Note the place if the rule does not hold there."""
        if self.first is None and not is_held:
            self.first = Finding(self.invariant, place, expected, str(found))

    def close(self) -> Checked:
        return Checked(self.invariant, self.rule, self.looked_at, () if self.first is None else (self.first,))


def check_ledger(
    connection: Connection, on_progress: OnProgress = lambda _table, _rows: None, *, home: TerritoryCode | None = None
) -> list[Checked]:
    """Return what was checked, each invariant with its first broken row. Give it one snapshot: `ledger.read_now`.

    With `home`, home lots must have a donor and foreign lots none.
    """
    walked, checked = _walk_transfers(connection, on_progress)
    checked.append(_check_lots(connection, walked, on_progress))
    checked.append(_check_holdings(connection, walked, on_progress))
    checked.append(_check_accounts(connection, walked, on_progress))
    checked.append(_check_marks(connection, walked, on_progress))
    checked.append(_check_reservations(connection, on_progress))
    checked.append(_check_lot_origins(connection, home, on_progress))
    checked.append(_check_reversals(connection, walked, on_progress))
    checked.append(_check_answers(connection, on_progress))
    checked.append(_check_tallies(connection, walked))
    return checked


def _rows(connection: Connection, table: Table, order: tuple[str, ...], on_progress: OnProgress) -> Iterator[Any]:
    """Yield every row of a table in order, a few thousand at a time."""
    statement = select(table).order_by(*(table.c[name] for name in order))
    seen = 0
    for seen, row in enumerate(stream(connection, statement), 1):
        yield row
        if seen % ROWS_AT_ONCE == 0:
            on_progress(table.name, seen)
    on_progress(table.name, seen)


def _is_whole(*values: object) -> bool:
    return all(type(value) is int for value in values)


def _hex(value: object) -> str:
    """Return bytes as text; what should be bytes and is not, as it is."""
    return value.hex() if isinstance(value, bytes) else repr(value)


def _walk_transfers(connection: Connection, on_progress: OnProgress) -> tuple[_Walked, list[Checked]]:
    """Tell every balance, holding, lot and mark again from the transfers, in the order in which they were written.

    Ten million rows go through this loop: a row that is as it must be costs comparisons only, and its place is put into
    words when something is wrong with it.
    """
    shape = _Rule("transfers", "ids rise one by one, parts too, time never goes back, every side and lot is known")
    chain = _Rule("chains", "prev, seq and after of each side continue the account's transfer before")
    below = _Rule("I3", "no balance below zero after any transfer")
    joins = _Rule("joins", "each kind of posting joins the accounts that it may join")
    accounts = tables.accounts
    walked = _Walked(
        {
            row[0]: _Account(row[1], row[2])
            for row in connection.execute(select(accounts.c.id, accounts.c.kind, accounts.c.state))
        }
    )
    lots = set(connection.execute(select(tables.lots.c.id)).scalars())
    allowed = {
        (str(kind), str(a), str(b)) for kind, (debits, credits) in JOINS.items() for a in debits for b in credits
    }
    known, tallies = walked.accounts, walked.tallies
    expected_id, last_op, last_part, last_at, looked_at = 1, b"", -1, 0, 0
    for row in _rows(connection, tables.transfers, ("id",), on_progress):
        id_, op, part, at, kind, debit_id, credit_id, lot, cents, _reference, undoes, *told = row
        looked_at += 1
        is_next = op == last_op and part == last_part + 1 if part else op != last_op
        if (
            id_ != expected_id
            or type(id_) is not int
            or not is_next
            or type(cents) is not int
            or cents <= 0
            or type(at) is not int
            or at < last_at
            or lot not in lots
            or debit_id not in known
            or credit_id not in known
        ):
            _name_shape(shape, row, expected_id, (last_op, last_part, last_at), walked, lots)
        expected_id, last_op, last_part = id_ + 1, op, part
        debit, credit = known.get(debit_id), known.get(credit_id)
        if debit is None or credit is None or type(cents) is not int or type(at) is not int:
            continue
        last_at = max(last_at, at)
        if (kind, debit.kind, credit.kind) not in allowed:
            joins.require(False, f"transfers id={id_}", "accounts of the kind", kind)
        _walk_side(walked, chain, row, debit_id, debit, -cents, told[:3])
        _walk_side(walked, chain, row, credit_id, credit, cents, told[3:])
        if debit.cents < 0 and debit.kind not in SOURCES:
            below.require(False, f"transfers id={id_}", "a balance of zero or more", debit.cents)
        tally = tallies[kind]
        tally[0] += 1
        tally[1] += cents
        if undoes is not None:
            walked.undone[undoes] += cents
    for rule in (shape, chain, below, joins):
        rule.looked_at = looked_at
    return walked, [shape.close(), chain.close(), below.close(), joins.close()]


def _name_shape(
    shape: _Rule, row: Any, expected_id: int, last: tuple[bytes, int, int], walked: _Walked, lots: set[int]
) -> None:
    """Say what is wrong with the shape of a transfer."""
    op, part, at = last
    place = f"transfers id={row.id}"
    shape.compare(place, expected_id, row.id)
    shape.require(
        row.op != op if row.part == 0 else row.op == op and row.part == part + 1,
        place,
        "a new id at part 0, the same id at the part after",
        f"part {row.part}",
    )
    shape.require(_is_whole(row.cents, row.at) and row.cents > 0, place, "an amount above zero", row.cents)
    shape.require(row.at >= at, place, f"at >= {at}", row.at)
    shape.require(row.lot in lots, place, "a lot of this book", row.lot)
    is_known = row.debit in walked.accounts and row.credit in walked.accounts
    shape.require(is_known, place, "accounts of this book", (row.debit, row.credit))


def _walk_side(
    walked: _Walked,
    chain: _Rule,
    row: Any,
    account_id: int,
    account: _Account,
    cents: int,
    told: list[int | None],
) -> None:
    if account.kind in SOURCES:
        if told != [None, None, None]:
            chain.compare(f"transfers id={row[0]} account={account_id}", (None, None, None), tuple(told))
        walked.issued[row[7]] -= cents
        return
    length, after = account.length + 1, account.cents + cents
    if told != [account.head, length, after]:
        chain.compare(f"transfers id={row[0]} account={account_id}", (account.head, length, after), tuple(told))
    account.head, account.length, account.cents = row[0], length, after
    walked.holdings[account_id, row[7]] += cents
    if length % MARK_EVERY == 0:
        walked.marks[account_id, length] = (row[0], row[3])


def _check_lots(connection: Connection, walked: _Walked, on_progress: OnProgress) -> Checked:
    rule = _Rule("I1", "of each lot: issued here = what sources gave less what went back = the sum of its holdings")
    held: dict[int, int] = defaultdict(int)
    table = tables.holdings
    for lot_id, cents in connection.execute(select(table.c.lot_id, table.c.cents)):
        held[lot_id] += cents if _is_whole(cents) else 0
    for row in _rows(connection, tables.lots, ("id",), on_progress):
        rule.looked_at += 1
        place = f"lots id={row.id}"
        rule.compare(place, walked.issued.get(row.id, 0), row.issued)
        rule.compare(f"{place} holdings", row.issued, held.get(row.id, 0))
        seal = compute_seal(LotName(row.issuer, row.ref, row.lot_class, row.month))
        rule.compare(f"{place} seal", seal.hex(), _hex(row.seal))
    return rule.close()


def _check_holdings(connection: Connection, walked: _Walked, on_progress: OnProgress) -> Checked:
    rule = _Rule("holdings", "each holding = what the account received of the lot less what it gave")
    expected = dict(walked.holdings)
    for row in _rows(connection, tables.holdings, ("account_id", "lot_id"), on_progress):
        rule.looked_at += 1
        place = f"holdings account_id={row.account_id} lot_id={row.lot_id}"
        rule.compare(place, expected.pop((row.account_id, row.lot_id), 0), row.cents)
    for (account_id, lot_id), cents in sorted(expected.items()):
        rule.compare(f"holdings account_id={account_id} lot_id={lot_id}", cents, 0)
    return rule.close()


def _check_accounts(connection: Connection, walked: _Walked, on_progress: OnProgress) -> Checked:
    rule = _Rule("balances", "cents, head and length of each account are what its transfers say; a closed one is empty")
    expected = dict(walked.accounts)
    for row in _rows(connection, tables.balances, ("account_id",), on_progress):
        rule.looked_at += 1
        place = f"balances account_id={row.account_id}"
        account = expected.pop(row.account_id)
        rule.compare(f"{place} cents", account.cents, row.cents)
        rule.compare(f"{place} head", account.head, row.head)
        rule.compare(f"{place} length", account.length, row.length)
        rule.require(account.state != "closed" or row.cents == 0, place, "a closed account is empty", row.cents)
    for account_id in sorted(expected):
        rule.require(False, f"balances account_id={account_id}", f"a balance of {expected[account_id].cents}", None)
    return rule.close()


def _check_marks(connection: Connection, walked: _Walked, on_progress: OnProgress) -> Checked:
    rule = _Rule("marks", f"every {MARK_EVERY}th entry of an account is marked, and nothing else")
    expected = dict(walked.marks)
    for row in _rows(connection, tables.history_marks, ("account_id", "seq"), on_progress):
        rule.looked_at += 1
        place = f"history_marks account_id={row.account_id} seq={row.seq}"
        rule.compare(place, expected.pop((row.account_id, row.seq), None), (row.transfer_id, row.at))
    for (account_id, seq), mark in sorted(expected.items()):
        rule.compare(f"history_marks account_id={account_id} seq={seq}", mark, None)
    return rule.close()


def _check_reservations(connection: Connection, on_progress: OnProgress) -> Checked:
    rule = _Rule("reservations", "reserved = the sum of the account's active reservations, and not above its cents")
    active: dict[int, int] = defaultdict(int)
    posted = set(
        connection.execute(
            select(tables.transfers.c.op).join(
                tables.reservations, tables.reservations.c.used_by == tables.transfers.c.op
            )
        ).scalars()
    )
    for row in _rows(connection, tables.reservations, ("op",), on_progress):
        rule.looked_at += 1
        place = f"reservations op={_hex(row.op)}"
        rule.require(_is_whole(row.cents, row.expires_at), place, "whole numbers", row.cents)
        if row.state == "active" and _is_whole(row.cents):
            active[row.account_id] += row.cents
        rule.require(row.used_by is None or row.used_by in posted, place, "used by a posting", row.used_by)
    table = tables.balances
    for account_id, reserved, cents in connection.execute(
        select(table.c.account_id, table.c.reserved, table.c.cents).order_by(table.c.account_id)
    ):
        rule.looked_at += 1
        rule.compare(f"balances account_id={account_id} reserved", active.get(account_id, 0), reserved)
        held = not _is_whole(reserved, cents) or reserved <= cents
        rule.require(held, f"balances account_id={account_id}", f"reserved <= {cents}", reserved)
    return rule.close()


def _check_lot_origins(connection: Connection, home: TerritoryCode | None, on_progress: OnProgress) -> Checked:
    rule = _Rule("origins", "each home lot has a donor, its month and class; each endowment is a transfer of its lot")
    lots, transfers = tables.lots, tables.transfers
    named = {
        row.id: row for row in connection.execute(select(lots.c.id, lots.c.issuer, lots.c.month, lots.c.lot_class))
    }
    origins: set[int] = set()
    for row in _rows(connection, tables.origins, ("lot_id",), on_progress):
        rule.looked_at += 1
        origins.add(row.lot_id)
        lot = named.get(row.lot_id)
        told = None if lot is None else (lot.month, lot.lot_class)
        rule.compare(f"origins lot_id={row.lot_id}", told, (row.month, row.lot_class))
    for lot in named.values():
        if home is not None:
            rule.compare(f"origins lot_id={lot.id}", lot.issuer == home, lot.id in origins)
    endowed = {
        row.id: row
        for row in connection.execute(
            select(transfers.c.id, transfers.c.op, transfers.c.lot).where(transfers.c.kind == PostingKind.ENDOWMENT)
        )
    }
    for row in _rows(connection, tables.endowments, ("op",), on_progress):
        rule.looked_at += 1
        transfer = endowed.pop(row.transfer_id, None)
        told = None if transfer is None else (transfer.op, transfer.lot)
        rule.compare(f"endowments op={_hex(row.op)}", told, (row.op, row.lot_id))
    for transfer_id in sorted(endowed):
        rule.require(False, f"transfers id={transfer_id}", "an endowment with its reason", None)
    return rule.close()


def _check_reversals(connection: Connection, walked: _Walked, on_progress: OnProgress) -> Checked:
    rule = _Rule("reversals", "no transfer is undone for more than it moved, nor with another lot or other accounts")
    undoing, undone = tables.transfers.alias("undoing"), tables.transfers.alias("undone")
    for row in connection.execute(
        select(undoing.c.id, undone.c.id, undoing.c.lot, undone.c.lot, undoing.c.debit, undone.c.credit, undone.c.cents)
        .join_from(undoing, undone, undone.c.id == undoing.c.undoes, isouter=True)
        .where(undoing.c.undoes.is_not(None))
        .order_by(undoing.c.id)
    ):
        rule.looked_at += 1
        place = f"transfers id={row[0]}"
        rule.compare(place, (row[3], row[5]), (row[2], row[4]))
        if row[1] is not None:
            rule.require(walked.undone[row[1]] <= row[6], place, f"at most {row[6]} undone", walked.undone[row[1]])
    table, transfers = tables.reversals, tables.transfers
    taken = select(transfers.c.op, transfers.c.cents).where(transfers.c.kind == PostingKind.REVERSAL)
    sums: dict[bytes, int] = defaultdict(int)
    for op, cents in connection.execute(taken):
        sums[op] += cents
    for row in _rows(connection, table, ("op",), on_progress):
        cents = sums.pop(row.op, 0)
        rule.require(0 < cents <= row.asked, f"reversals op={_hex(row.op)}", f"1 to {row.asked} taken", cents)
    for op in sorted(sums):
        rule.require(False, f"reversals op={_hex(op)}", "what was asked", None)
    return rule.close()


def _check_answers(connection: Connection, on_progress: OnProgress) -> Checked:
    rule = _Rule("answers", "no id was both posted and refused, and every refusal can be said again")
    table = tables.refusals
    both = set(
        connection.execute(select(table.c.op).join(tables.transfers, tables.transfers.c.op == table.c.op)).scalars()
    )
    for row in _rows(connection, table, ("op",), on_progress):
        rule.looked_at += 1
        place = f"refusals op={_hex(row.op)}"
        rule.require(row.op not in both, place, "posted or refused", "both")
        try:
            remake(row.code, json.loads(row.facts))
        except (ValueError, TypeError) as error:
            rule.require(False, place, "a refusal of this version", error)
    return rule.close()


def _check_tallies(connection: Connection, walked: _Walked) -> Checked:
    rule = _Rule("tallies", "the running figures of each kind = its transfers")
    expected = {kind: (tally[0], tally[1]) for kind, tally in walked.tallies.items()}
    for row in connection.execute(select(tables.tallies).order_by(tables.tallies.c.kind)):
        rule.looked_at += 1
        rule.compare(f"tallies kind={row.kind}", expected.pop(row.kind, None), (row.entries, row.cents))
    for kind in sorted(expected):
        rule.compare(f"tallies kind={kind}", expected[kind], None)
    return rule.close()
