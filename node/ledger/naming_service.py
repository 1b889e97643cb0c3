"""The names of lots, for rooms of the same base that speak of them to other books."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from node.ledger.lots import LotId, LotName
from node.ledger.tables import lots
from protocol.book.rows_store import select_rows
from protocol.identifiers import TerritoryCode


def load_lot_names(connection: Connection, ids: Iterable[int]) -> dict[LotId, LotName]:
    """Return issuer, reference, class and month of these lots."""
    rows = select_rows(
        connection, lots, ("id", "issuer", "ref", "lot_class", "month"), column="id", values=sorted(set(ids))
    )
    return {
        LotId(id_): LotName(TerritoryCode(issuer), bytes(ref), lot_class, month)
        for id_, issuer, ref, lot_class, month in rows
    }


def find_lot_ids(connection: Connection, names: Iterable[tuple[str, bytes]]) -> dict[tuple[str, bytes], LotId]:
    """Return the ids of the lots (issuer, ref) that this book knows."""
    wanted = set(names)
    rows = select_rows(connection, lots, ("id", "issuer", "ref"), column="ref", values={ref for _, ref in wanted})
    return {(issuer, bytes(ref)): LotId(id_) for id_, issuer, ref in rows if (issuer, bytes(ref)) in wanted}
