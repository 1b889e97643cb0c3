"""SQL of windows that several desks of the fund read: in which one a due stands, and which are still to be paid to us."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from node.fund.tables import awaited_dues, net_payments

_AT_ONCE: Final = 500


def find_window_of(connection: Connection, due: bytes) -> int | None:
    """Return the closed window in which a due stands that comes only now, if any: it may be told before the due is."""
    found = connection.execute(select(awaited_dues.c.window_no).where(awaited_dues.c.id == due)).scalar()
    return None if found is None else int(found)


def load_awaited(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, int]:
    """Return the windows of those of these dues that a window held before they came."""
    return {
        bytes(row.id): int(row.window_no)
        for some in chunks(ids)
        for row in connection.execute(
            select(awaited_dues.c.id, awaited_dues.c.window_no).where(awaited_dues.c.id.in_(some))
        )
    }


def save_awaited(connection: Connection, window: int, ids: Iterable[bytes]) -> None:
    """Keep which dues a window holds that have not come yet."""
    rows = [{"id": id_, "window_no": window} for id_ in ids]
    if rows:
        connection.execute(insert(awaited_dues), rows)


def load_unpaid_windows(connection: Connection) -> set[int]:
    """Return the windows of which something is still to come to us."""
    return {row.window_no for row in load_unreceived(connection)}


def load_unreceived(connection: Connection) -> list[Any]:
    """Return what other funds are still to pay us, as rows."""
    open_ = net_payments.c.received < net_payments.c.cents
    return list(connection.execute(select(net_payments).where(net_payments.c.is_ours.is_(False), open_)))


def chunks(ids: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Go through ids, as many at once as one statement asks of."""
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
