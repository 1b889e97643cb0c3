"""SQL of keys that end with a duty: loads rows, decides nothing."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select

from node.doors.endings import HeldKey


def load_held(connection: Connection, table: Table) -> list[HeldKey]:
    """Return the keys of a base's doors."""
    columns = (table.c.id, table.c.name, table.c.duties, table.c.at, table.c.revoked_at)
    return [
        HeldKey(
            id=row.id,
            name=row.name,
            duties=frozenset(row.duties.split()),
            made_at=row.at,
            is_live=row.revoked_at is None,
        )
        for row in connection.execute(select(*columns).order_by(table.c.at, table.c.id))
    ]


def load_signers(connection: Connection, table: Table) -> dict[bytes, bool]:
    """Return of each key that somebody signs with whether it is in force: `table` has `key` and `revoked_at`."""
    rows = connection.execute(select(table.c.key, table.c.revoked_at))
    return {bytes(row.key): row.revoked_at is None for row in rows}
