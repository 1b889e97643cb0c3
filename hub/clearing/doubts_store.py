"""Slips that a stolen key may have signed: to be confirmed by their author, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from hub.clearing.tables import slips
from protocol.book import log_store
from protocol.directory import find_doubts
from protocol.messages import decode_slip
from protocol.national import find_cede
from protocol.times import format_instant


def load_doubtful(connection: Connection, hub: str, entries: Sequence[bytes]) -> list[dict[str, Any]]:
    """Return the slips with cessions from the one on that the directory names, until the key was retired."""
    rows: list[dict[str, Any]] = []
    for doubt in find_doubts(entries):
        log = log_store.open_log_or_empty(connection, doubt.member, hub)
        for row in connection.execute(
            select(slips)
            .where(slips.c.origin == doubt.member, slips.c.ix >= doubt.since, slips.c.taken_at <= doubt.until)
            .order_by(slips.c.ix)
        ):
            cede = find_cede(decode_slip(log_store.load_leaf(connection, log.id, row.ix)))
            assert cede is not None, "a slip stands in this table for its cessions"
            rows.append(
                {
                    "slip": f"{doubt.member}/{row.epoch}/{row.ix}",
                    "taker": row.taker,
                    "cessions": cede.count,
                    "cents": sum(cede.cents),
                    "state": row.state,
                    "taken": format_instant(row.taken_at),
                    "key": doubt.key.hex(),
                }
            )
    return rows
