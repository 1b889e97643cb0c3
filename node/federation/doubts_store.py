"""Arrivals that rest on a stolen key's word alone: to be confirmed with the giver's town, one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from node.federation import store
from node.federation.tables import arrivals, received_slips
from protocol.canonical import decode_typed
from protocol.directory import find_doubts
from protocol.envelopes import STATEMENT_BYTES_MAX, HeadStatement


def load_doubtful(connection: Connection) -> list[dict[str, Any]]:
    """Return what arrived from the slip on that the directory names, under a head that the stolen key signed.

    What came under a later key is not listed: its owner signed the whole log again, and answers for it.
    """
    rows: list[dict[str, Any]] = []
    for doubt in find_doubts(store.load_entries(connection)):
        slips = connection.execute(
            select(
                received_slips.c.epoch,
                received_slips.c.ix,
                received_slips.c.statement,
                arrivals.c.place,
                arrivals.c.account,
                arrivals.c.cents,
                arrivals.c.state,
            )
            .join(
                arrivals,
                (arrivals.c.origin == received_slips.c.origin)
                & (arrivals.c.epoch == received_slips.c.epoch)
                & (arrivals.c.ix == received_slips.c.ix),
            )
            .where(received_slips.c.origin == doubt.member, received_slips.c.ix >= doubt.since)
            .order_by(received_slips.c.ix, arrivals.c.place)
        )
        rows += [
            {
                "cession": f"{doubt.member}/{row.epoch}/{row.ix}/{row.place}",
                "account": row.account,
                "cents": row.cents,
                "state": row.state,
                "key": doubt.key.hex(),
            }
            for row in slips
            if decode_typed(bytes(row.statement), HeadStatement, size_max=STATEMENT_BYTES_MAX).key == doubt.key
        ]
    return rows
