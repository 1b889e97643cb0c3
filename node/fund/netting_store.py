"""SQL of windows that several desks of the fund read: in which one a due stands, and which are still to be paid to us."""

from __future__ import annotations

from sqlalchemy import Connection, select

from node.fund.netting import decode_window
from node.fund.tables import net_payments, windows


def find_window_of(connection: Connection, due: bytes) -> int | None:
    """Return the closed window in which a due stands, if any: it may be told before the due is."""
    for row in connection.execute(select(windows).order_by(windows.c.window_no.desc())):
        if due in decode_window(bytes(row.told)).ids:
            return int(row.window_no)
    return None


def load_unpaid_windows(connection: Connection) -> set[int]:
    """Return the windows of which something is still to come to us."""
    rows = connection.execute(
        select(net_payments.c.window_no).where(
            net_payments.c.is_ours.is_(False), net_payments.c.received < net_payments.c.cents
        )
    )
    return {int(row[0]) for row in rows}
