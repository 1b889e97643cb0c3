"""SQL of where the work is done that the fund pays for: the orders of dues say it, signed by who decides. Decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, select

from node.fund.due_orders import find_place, read_order
from node.fund.tables import dues
from node.fund.tags import Place

_CHUNK: Final = 500


def load_places(connection: Connection, ids: Iterable[bytes]) -> dict[bytes, Place]:
    """Return where the work of each of these dues is done; those that were refused, or are not here, are left out."""
    all_ = list(ids)
    found: dict[bytes, Place] = {}
    for start in range(0, len(all_), _CHUNK):
        asked = select(dues.c.id, dues.c.signed).where(dues.c.id.in_(all_[start : start + _CHUNK]))
        for row in connection.execute(asked):
            if signed := bytes(row.signed):
                found[bytes(row.id)] = find_place(read_order(signed))
    return found


def load_sums_by_place(connection: Connection, paid: Mapping[bytes, int]) -> dict[Place, int]:
    """Return how many of these cents, by due, go where. Raises KeyError for a due that is not here."""
    places = load_places(connection, paid)
    sums: dict[Place, int] = defaultdict(int)
    for due, cents in paid.items():
        sums[places[due]] += cents
    return dict(sums)
