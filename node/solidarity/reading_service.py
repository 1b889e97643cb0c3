"""What is shown of solidarity: to everybody an operation's count, to the office its pools and who is enrolled."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from node.solidarity import store
from node.solidarity.errors import GiftUnknown, OperationUnknown, PoolUnknown
from node.solidarity.operations import Operation, OperationState
from node.solidarity.store import Gift, Pool

_TOLD: Final = frozenset({OperationState.SHARED, OperationState.CLOSED})


class PublicCount(Struct, frozen=True, kw_only=True):
    """What anybody may read of an operation. Givers and receivers are None where they are too few to hide in."""

    operation: Operation
    pool: bytes
    shared: int
    givers: int | None
    receivers: int | None


class PoolSheet(Struct, frozen=True):
    """A pool as the office sees it."""

    pool: Pool
    receivers: int


def load_count(connection: Connection, op: bytes, *, people_min: int) -> PublicCount:
    """Return the public count of an operation. Raises OperationUnknown."""
    operation = store.find_operation(connection, op)
    if operation is None:
        raise OperationUnknown(id=op.hex())
    return _count(operation, store.load_pool(connection, operation.pool_id).op, people_min)


def list_counts(connection: Connection, *, people_min: int) -> list[PublicCount]:
    """Return the public count of every operation, the oldest first."""
    pools = {pool.id: pool.op for pool in store.list_pools(connection)}
    return [_count(one, pools[one.pool_id], people_min) for one in store.list_operations(connection)]


def _count(operation: Operation, pool: bytes, people_min: int) -> PublicCount:
    """While it is being shared nothing is told of it: who watches the figures would see whose account moves with them."""
    is_told = operation.state in _TOLD
    return PublicCount(
        operation=operation,
        pool=pool,
        shared=operation.shared - operation.missed if is_told else 0,
        givers=operation.givers if operation.givers >= people_min else None,
        receivers=operation.receivers if is_told and operation.receivers >= people_min else None,
    )


def list_pool_sheets(connection: Connection) -> list[PoolSheet]:
    """Return every pool with how many are enrolled, the oldest first."""
    return [PoolSheet(pool, store.count_receivers(connection, pool.id)) for pool in store.list_pools(connection)]


def list_receivers(connection: Connection, pool: bytes, *, after: str, limit: int) -> dict[str, int]:
    """Return the class of each enrolled account, in the order of their numbers, after one of them. Raises PoolUnknown."""
    found = store.find_pool(connection, pool)
    if found is None:
        raise PoolUnknown(id=pool.hex())
    return store.load_receivers(connection, found.id, after=after, limit=limit)


def load_gift(connection: Connection, op: bytes) -> Gift:
    """Return what became of a gift. Raises GiftUnknown (also in the seconds before it is noted)."""
    gifts = store.find_gifts(connection, op)
    if not gifts:
        raise GiftUnknown(id=op.hex())
    return gifts[0]._replace(op=op, cents=sum(gift.cents for gift in gifts))
