"""Solidarity against the ledger: for `check`. Each rule is told again from the transfers; the first break is named.

Who is enrolled, and under which class, is the office's word: there is nothing to hold it against before it is shared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, or_, select

from node.ledger import tables as ledger
from node.ledger.accounts import AccountKind
from node.ledger.postings import PostingKind
from node.solidarity import store
from node.solidarity.operations import GiftState, Operation, OperationState
from node.solidarity.shares import Receiver, compute_shares, derive_share_op, draw_lots, order_accounts
from node.solidarity.store import Gift, Share
from node.solidarity.tables import solidarity_asks, solidarity_gifts, solidarity_operations
from protocol.findings import Checked, Finding

INVARIANT: Final = "I1"
_OVER: Final = (OperationState.SHARED, OperationState.CLOSED)


class _Moved(NamedTuple):
    """One transfer that touches an account of an operation."""

    op: bytes
    kind: str
    debit: int
    credit: int
    lot: int
    cents: int
    credit_seq: int | None


@dataclass(slots=True)
class _Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    rule: str
    looked_at: int = 0
    first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        self.looked_at += 1
        if self.first is None and expected != found:
            self.first = Finding(INVARIANT, place, str(expected), str(found))

    def compare_all(self, place: str, expected: Mapping[Any, int], found: Mapping[Any, int]) -> None:
        """Compare two tables of sums: what one lacks is zero there."""
        for key in sorted(expected.keys() | found.keys(), key=str):
            self.compare(f"{place} {_show(key)}", expected.get(key, 0), found.get(key, 0))

    def close(self) -> Checked:
        return Checked(INVARIANT, self.rule, self.looked_at, () if self.first is None else (self.first,))


@dataclass(slots=True)
class _Books:
    """What the rules look at: one snapshot."""

    operations: list[Operation]
    gifts: dict[int, list[Gift]]
    shares: dict[int, list[Share]]
    accounts: dict[str, int]  # the row of each account of an operation, and of each receiver
    moved: list[_Moved]
    by_op: dict[bytes, list[_Moved]]


def check_solidarity(connection: Connection) -> list[Checked]:
    """Return what was checked. Give it one snapshot."""
    books = _load(connection)
    return [
        _check_gifts(books),
        _check_back(connection, books),
        _check_rule(connection, books),
        _check_paid(connection, books),
        _check_left(books),
        _check_figures(books),
        _check_asks(connection),
    ]


def _load(connection: Connection) -> _Books:
    operations = store.list_operations(connection)
    own = {number for one in operations for number in (one.number, one.outlet)}
    shares = {one.id: store.load_shares(connection, one.id) for one in operations}
    wanted = own | {share.account for rows in shares.values() for share in rows}
    accounts: dict[str, int] = {}
    for number, id_ in connection.execute(
        select(ledger.accounts.c.number, ledger.accounts.c.id).where(ledger.accounts.c.number.is_not(None))
    ):
        if number in wanted:
            accounts[number] = int(id_)
    ids = select(ledger.accounts.c.id).where(
        ledger.accounts.c.number.in_(select(solidarity_operations.c.number))
        | ledger.accounts.c.number.in_(select(solidarity_operations.c.outlet))
    )
    table = ledger.transfers.c
    rows = connection.execute(
        select(table.op, table.kind, table.debit, table.credit, table.lot, table.cents, table.credit_seq)
        .where(or_(table.debit.in_(ids), table.credit.in_(ids)))
        .order_by(table.id)
    )
    moved = [_Moved(bytes(row[0]), *row[1:]) for row in rows]
    by_op: dict[bytes, list[_Moved]] = defaultdict(list)
    for one in moved:
        by_op[one.op].append(one)
    gifts = {one.id: store.list_gifts(connection, one.id) for one in operations}
    return _Books(operations, gifts, shares, accounts, moved, by_op)


def _check_gifts(books: _Books) -> Checked:
    rule = _Rule("gifts to solidarity are what reached each operation's account, once and to the cent")
    for one in books.operations:
        number = books.accounts.get(one.number)
        came: dict[bytes, int] = defaultdict(int)
        for move in books.moved:
            if move.credit == number and move.credit_seq is not None and move.credit_seq <= one.noted:
                came[move.op] += move.cents
        noted = {bytes(gift.op): gift.cents for gift in books.gifts[one.id]}
        rule.compare_all(f"operation {one.op.hex()}, gift", came, noted)
    return rule.close()


def _check_back(connection: Connection, books: _Books) -> Checked:
    """What went back left once, the very lots, to its giver (or, where that account is closed, to the unclaimed)."""
    rule = _Rule("gifts that went back went once, lot by lot")
    kinds = {
        int(id_): (kind, number)
        for id_, kind, number in connection.execute(
            select(ledger.accounts.c.id, ledger.accounts.c.kind, ledger.accounts.c.number)
        )
    }
    for one in books.operations:
        for gift in books.gifts[one.id]:
            if gift.back_op is None:
                continue
            place = f"solidarity_gifts op={bytes(gift.op).hex()}"
            back = books.by_op.get(bytes(gift.back_op), [])
            rule.compare(place, _by_lot(books.by_op.get(bytes(gift.op), [])), _by_lot(back))
            for move in back:
                kind, number = kinds[move.credit]
                is_theirs = (
                    kind == AccountKind.TRANSIT
                    if gift.origin == "abroad"
                    else number == gift.giver or kind == AccountKind.UNCLAIMED
                )
                rule.compare(f"{place} to its giver", True, is_theirs)
    return rule.close()


def _check_rule(connection: Connection, books: _Books) -> Checked:
    rule = _Rule("what each receiver gets of solidarity is what the pool's rule gives again, to the cent")
    for one in books.operations:
        if one.shared_at is None:
            continue
        shares = books.shares[one.id]
        terms = store.load_pool(connection, one.pool_id).rule
        place = f"operation {one.op.hex()}"
        accounts = [share.account for share in shares]
        rule.compare(f"{place} order", order_accounts(accounts, one.salt), accounts)
        again = compute_shares(terms, one.shared, [Receiver(share.units, share.held) for share in shares])
        for share, cents in zip(shares, again, strict=True):
            rule.compare(f"{place} share {share.place}", cents, share.cents)
        units = {terms.units_of(number) for number in range(1, terms.classes + 1)}
        rule.compare(f"{place} units", set(), {share.units for share in shares} - units)
        rule.compare(f"{place} shared", one.shared, sum(share.cents for share in shares))
        rule.compare(f"{place} receivers", one.receivers, len(shares))
        rule.compare(f"{place} lots", one.shared, sum(cents for _, cents in store.load_lots(connection, one.id)))
    return rule.close()


def _check_paid(connection: Connection, books: _Books) -> Checked:
    rule = _Rule("shares of solidarity were paid once, in their lots, in their order; what was missed was not")
    for one in books.operations:
        shares = books.shares[one.id]
        lots = store.load_lots(connection, one.id)
        outlet = books.accounts.get(one.outlet)
        cents = [share.cents for share in shares]
        draws = draw_lots(lots, 0, cents) if sum(held for _, held in lots) >= sum(cents) else []
        for share, drawn in zip(shares, draws, strict=False):
            place = f"operation {one.op.hex()} share {share.place}"
            rule.compare(f"{place} looked at", share.place < one.places or share.cents == 0, share.state != "due")
            found = books.by_op.get(derive_share_op(one.salt, share.place), [])
            expected = {int(lot): int(cents) for lot, cents in drawn} if share.state == "paid" else {}
            rule.compare(place, expected, _by_lot(found))
            receiver = books.accounts.get(share.account)
            rule.compare(f"{place} road", set(), {(m.debit, m.credit) for m in found} - {(outlet, receiver)})
        handed = shares[: one.places]
        rule.compare(f"operation {one.op.hex()} handed", one.handed, sum(share.cents for share in handed))
        missed = sum(share.cents for share in handed if share.state == "missed")
        rule.compare(f"operation {one.op.hex()} missed", one.missed, missed)
        is_all = one.state in _OVER
        rule.compare(f"operation {one.op.hex()} shared", is_all, is_all and one.places == one.receivers)
    return rule.close()


def _check_left(books: _Books) -> Checked:
    """Each transfer out of an operation's two accounts has its reason."""
    rule = _Rule("whatever left a solidarity operation is a share, a gift that went back, or what it left to the next")
    pools = {books.accounts.get(one.number): one.pool_id for one in books.operations}
    for one in books.operations:
        number, outlet = books.accounts.get(one.number), books.accounts.get(one.outlet)
        back = {bytes(gift.back_op) for gift in books.gifts[one.id] if gift.back_op is not None}
        paid = {derive_share_op(one.salt, share.place) for share in books.shares[one.id] if share.state == "paid"}
        handed: dict[int, int] = defaultdict(int)
        shared: dict[int, int] = defaultdict(int)
        for move in books.moved:
            if move.debit == number:
                if move.credit == outlet and move.kind == PostingKind.GIFT:
                    handed[move.lot] += move.cents
                    continue
                is_left = move.kind == PostingKind.GIFT and pools.get(move.credit) == one.pool_id
                rule.compare(f"operation {one.op.hex()} left {move.op.hex()}", True, is_left or move.op in back)
            elif move.debit == outlet:
                if move.op in paid:
                    shared[move.lot] += move.cents
                    continue
                rule.compare(f"outlet of {one.op.hex()} left {move.op.hex()}", number, move.credit)
        rule.compare_all(f"operation {one.op.hex()} handed lot", handed, shared)
    return rule.close()


def _check_figures(books: _Books) -> Checked:
    rule = _Rule("the public count of each solidarity operation is that of its gifts")
    for one in books.operations:
        held = [gift for gift in books.gifts[one.id] if gift.state == GiftState.HELD]
        figures = (sum(gift.cents for gift in held), len(held), len({gift.giver for gift in held}))
        rule.compare(f"operation {one.op.hex()}", figures, (one.given, one.gifts, one.givers))
        rule.compare(f"operation {one.op.hex()} codes", set(), _find_odd_codes(books.gifts[one.id]))
    return rule.close()


def _find_odd_codes(gifts: list[Gift]) -> set[str]:
    """Return the gifts that are counted though they were refused, or wait though they were not."""
    return {
        bytes(gift.op).hex()
        for gift in gifts
        if (gift.state == GiftState.HELD and gift.code) or (gift.state == GiftState.WAITS and not gift.code)
    }


def _check_asks(connection: Connection) -> Checked:
    rule = _Rule("what was asked of solidarity is answered for ever, done or refused")
    asks = solidarity_asks.c
    for op, code, facts, answer in connection.execute(select(asks.op, asks.code, asks.facts, asks.answer)):
        rule.compare(f"solidarity_asks op={bytes(op).hex()}", (bool(code), bool(code)), (not answer, bool(facts)))
    known = set(connection.execute(select(solidarity_operations.c.id)).scalars())
    astray = set(connection.execute(select(solidarity_gifts.c.operation_id)).scalars()) - known
    rule.compare("solidarity_gifts", set(), astray)
    return rule.close()


def _by_lot(moved: list[_Moved]) -> dict[int, int]:
    sums: dict[int, int] = defaultdict(int)
    for one in moved:
        sums[int(one.lot)] += one.cents
    return dict(sums)


def _show(key: object) -> str:
    return key.hex() if isinstance(key, bytes) else str(key)
