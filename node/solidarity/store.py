"""SQL of solidarity: loads and saves, decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from node.federation.arrivals import foreign_op
from node.ledger.lots import LotId
from node.solidarity.operations import GiftState, Operation, OperationState, Origin
from node.solidarity.rules import PoolRule
from node.solidarity.tables import (
    solidarity_asks,
    solidarity_gifts,
    solidarity_givers,
    solidarity_lots,
    solidarity_operations,
    solidarity_pools,
    solidarity_receivers,
    solidarity_shares,
)
from protocol.book.rows_store import insert_or_add, insert_rows, select_rows, update_rows
from protocol.identifiers import AccountNumber, Id16
from protocol.times import Instant

_OPERATION = Operation.__struct_fields__


class Pool(NamedTuple):
    """A pool."""

    id: int
    op: bytes
    title: str
    rule: PoolRule
    at: int


class Gift(NamedTuple):
    """What reached an operation's account under one id."""

    id: int
    op: bytes
    operation_id: int
    origin: str
    giver: str
    cents: int
    state: str
    code: str
    back_op: bytes | None
    at: int


class Share(NamedTuple):
    """What one receiver gets."""

    place: int
    account: str
    units: int
    held: int
    cents: int
    state: str


class KeptAsk(NamedTuple):
    """What was asked under an id, and the answer."""

    op: bytes
    asked: bytes
    code: str
    facts: str
    answer: str


# What was asked


def find_ask(connection: Connection, op: bytes) -> KeptAsk | None:
    found = select_rows(connection, solidarity_asks, KeptAsk._fields, column="op", values=(op,))
    return KeptAsk(*found[0]) if found else None


def insert_ask(connection: Connection, ask: KeptAsk, now: Instant) -> None:
    insert_rows(connection, solidarity_asks, (*KeptAsk._fields, "at"), [(*ask, now)])


# Pools


def _pool(row: Sequence[Any]) -> Pool:
    return Pool(row[0], bytes(row[1]), row[2], msgspec.json.decode(row[3], type=PoolRule), row[4])


def insert_pool(connection: Connection, *, op: Id16, title: str, rule: PoolRule, now: Instant) -> int:
    id_ = int(connection.execute(select(func.max(solidarity_pools.c.id))).scalar() or 0) + 1
    row = (id_, op, title, msgspec.json.encode(rule).decode(), now)
    insert_rows(connection, solidarity_pools, Pool._fields, [row])
    return id_


def find_pool(connection: Connection, op: bytes) -> Pool | None:
    found = select_rows(connection, solidarity_pools, Pool._fields, column="op", values=(op,))
    return _pool(found[0]) if found else None


def load_pool(connection: Connection, id_: int) -> Pool:
    return _pool(select_rows(connection, solidarity_pools, Pool._fields, column="id", values=(id_,))[0])


def list_pools(connection: Connection) -> list[Pool]:
    """Return every pool, the oldest first."""
    table = solidarity_pools.c
    rows = connection.execute(select(*(table[name] for name in Pool._fields)).order_by(table.id))
    return [_pool(row) for row in rows]


def save_givers(connection: Connection, pool_id: int, givers: Iterable[str], *, is_listed: bool) -> None:
    """Put givers on a pool's list, or take them off it."""
    table = solidarity_givers
    if is_listed:
        rows = [(pool_id, giver) for giver in sorted(set(givers))]
        insert_or_add(connection, table, ("pool_id", "giver"), rows, key=("pool_id", "giver"), adding=())
        return
    for giver in givers:
        connection.execute(delete(table).where(table.c.pool_id == pool_id, table.c.giver == giver))


def find_listed(connection: Connection, pool_id: int, givers: Collection[str]) -> set[str]:
    """Return which of these are on a pool's list."""
    found = select_rows(connection, solidarity_givers, ("pool_id", "giver"), column="giver", values=set(givers))
    return {giver for pool, giver in found if pool == pool_id}


# Who receives


def save_receivers(connection: Connection, pool_id: int, receivers: Mapping[str, int]) -> None:
    """Enrol accounts, or change the class of those that are."""
    key = ("pool_id", "account")
    known = load_classes(connection, pool_id, receivers)
    fresh = [(pool_id, account, number) for account, number in receivers.items() if account not in known]
    insert_rows(connection, solidarity_receivers, (*key, "receiver_class"), sorted(fresh))
    changed = [(number, pool_id, account) for account, number in receivers.items() if account in known]
    update_rows(connection, solidarity_receivers, changed, setting=("receiver_class",), key=key)


def delete_receivers(connection: Connection, pool_id: int, accounts: Sequence[str]) -> int:
    """Take accounts out of a pool; return how many were in it."""
    table = solidarity_receivers
    gone = 0
    for start in range(0, len(accounts), 500):
        part = accounts[start : start + 500]
        gone += connection.execute(delete(table).where(table.c.pool_id == pool_id, table.c.account.in_(part))).rowcount
    return gone


def load_classes(connection: Connection, pool_id: int, accounts: Iterable[str]) -> dict[str, int]:
    """Return the class of those of these accounts that a pool has."""
    columns = ("pool_id", "account", "receiver_class")
    found = select_rows(connection, solidarity_receivers, columns, column="account", values=accounts)
    return {account: number for pool, account, number in found if pool == pool_id}


def load_receivers(
    connection: Connection, pool_id: int, *, after: str = "", limit: int | None = None
) -> dict[str, int]:
    """Return the class of each account that a pool has, in the order of their numbers, after one of them."""
    table = solidarity_receivers.c
    query = select(table.account, table.receiver_class).where(table.pool_id == pool_id, table.account > after)
    return {row[0]: row[1] for row in connection.execute(query.order_by(table.account).limit(limit))}


def count_receivers(connection: Connection, pool_id: int) -> int:
    table = solidarity_receivers
    return int(
        connection.execute(select(func.count()).select_from(table).where(table.c.pool_id == pool_id)).scalar_one()
    )


def load_enrolled(connection: Connection, *, after: str, limit: int) -> list[str]:
    """Return accounts that some pool has, in the order of their numbers, after one of them."""
    table = solidarity_receivers.c
    query = select(table.account).distinct().where(table.account > after).order_by(table.account).limit(limit)
    return [row[0] for row in connection.execute(query)]


# Operations


def _operation(row: Sequence[Any]) -> Operation:
    told = dict(zip(_OPERATION, row, strict=True))
    told |= {name: bytes(told[name]) for name in ("op", "salt")}
    told |= {name: AccountNumber(told[name]) for name in ("number", "outlet")}
    return Operation(**told | {"state": OperationState(told["state"])})


def insert_operation(connection: Connection, operation: Operation) -> None:
    row = tuple(getattr(operation, name) for name in _OPERATION)
    insert_rows(
        connection,
        solidarity_operations,
        _OPERATION,
        [tuple(str(value) if isinstance(value, OperationState) else value for value in row)],
    )


def load_next_operation(connection: Connection) -> int:
    return int(connection.execute(select(func.max(solidarity_operations.c.id))).scalar() or 0) + 1


def find_operation(connection: Connection, op: bytes) -> Operation | None:
    found = select_rows(connection, solidarity_operations, _OPERATION, column="op", values=(op,))
    return _operation(found[0]) if found else None


def load_operation(connection: Connection, id_: int) -> Operation:
    return _operation(select_rows(connection, solidarity_operations, _OPERATION, column="id", values=(id_,))[0])


def list_operations(connection: Connection) -> list[Operation]:
    """Return every operation, the oldest first."""
    table = solidarity_operations.c
    rows = connection.execute(select(*(table[name] for name in _OPERATION)).order_by(table.id))
    return [_operation(row) for row in rows]


def save_operation(connection: Connection, id_: int, **values: Any) -> None:
    """Set columns of an operation."""
    table = solidarity_operations
    connection.execute(update(table).where(table.c.id == id_).values(**values))


# Gifts


def load_next_gift(connection: Connection) -> int:
    return int(connection.execute(select(func.max(solidarity_gifts.c.id))).scalar() or 0) + 1


def insert_gifts(connection: Connection, gifts: Sequence[Gift]) -> None:
    insert_rows(connection, solidarity_gifts, Gift._fields, gifts)


def find_gifts(connection: Connection, op: bytes) -> list[Gift]:
    """Return what was given under an id: of an arrival, its home lots and those of others are two."""
    ops = (op, foreign_op(op))
    found = [Gift(*row) for row in select_rows(connection, solidarity_gifts, Gift._fields, column="op", values=ops)]
    return sorted(gift for gift in found if bytes(gift.op) == op or gift.origin == Origin.ABROAD)


def list_gifts(
    connection: Connection, operation_id: int, *, state: str = "", after: int = 0, limit: int = 1_000_000
) -> list[Gift]:
    """Return gifts to an operation after a row, the oldest first; of one state where one is named."""
    table = solidarity_gifts.c
    query = select(*(table[name] for name in Gift._fields)).where(table.operation_id == operation_id, table.id > after)
    if state:
        query = query.where(table.state == state)
    return [Gift(*row) for row in connection.execute(query.order_by(table.id).limit(limit))]


def save_back(connection: Connection, rows: Sequence[tuple[str, bytes, int]]) -> None:
    """Say of gifts that they went back: (code, id of what took them, row)."""
    rows_of_all = [(str(GiftState.BACK), code, back_op, id_) for code, back_op, id_ in rows]
    update_rows(connection, solidarity_gifts, rows_of_all, setting=("state", "code", "back_op"), key=("id",))


def let_all_wait(connection: Connection, operation_id: int, code: str) -> None:
    """Have all that an operation holds of givers who can be given back to go back."""
    table = solidarity_gifts
    connection.execute(
        update(table)
        .where(
            table.c.operation_id == operation_id,
            table.c.state == str(GiftState.HELD),
            table.c.origin.in_(("home", "abroad")),
        )
        .values(state=str(GiftState.WAITS), code=code)
    )


def sum_gifts(connection: Connection, operation_id: int) -> tuple[int, int, int]:
    """Return what an operation holds that was given: cents, gifts, givers."""
    table = solidarity_gifts.c
    row = connection.execute(
        select(func.coalesce(func.sum(table.cents), 0), func.count(), func.count(func.distinct(table.giver))).where(
            table.operation_id == operation_id, table.state == str(GiftState.HELD)
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


# Shares


def insert_lots(connection: Connection, operation_id: int, lots: Sequence[tuple[LotId, int]]) -> None:
    rows = [(operation_id, place, lot, cents) for place, (lot, cents) in enumerate(lots)]
    insert_rows(connection, solidarity_lots, ("operation_id", "place", "lot_id", "cents"), rows)


def load_lots(connection: Connection, operation_id: int) -> list[tuple[LotId, int]]:
    """Return the lots that an operation's shares are drawn from, in their order."""
    table = solidarity_lots.c
    query = select(table.lot_id, table.cents).where(table.operation_id == operation_id).order_by(table.place)
    return [(LotId(row[0]), int(row[1])) for row in connection.execute(query)]


def insert_shares(connection: Connection, operation_id: int, shares: Sequence[Share]) -> None:
    rows = [(*share, operation_id) for share in shares]
    insert_rows(connection, solidarity_shares, (*Share._fields, "operation_id"), rows)


def load_shares(connection: Connection, operation_id: int, *, start: int = 0, limit: int | None = None) -> list[Share]:
    """Return the shares of an operation in their order, from a place on."""
    table = solidarity_shares.c
    query = select(*(table[name] for name in Share._fields)).where(
        table.operation_id == operation_id, table.place >= start
    )
    return [Share(*row) for row in connection.execute(query.order_by(table.place).limit(limit))]


def save_share_states(connection: Connection, operation_id: int, rows: Sequence[tuple[str, int]]) -> None:
    """Rows: (state, place)."""
    update_rows(
        connection,
        solidarity_shares,
        [(state, operation_id, place) for state, place in rows],
        setting=("state",),
        key=("operation_id", "place"),
    )
