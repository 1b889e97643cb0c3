"""One round of a project: which orientations it takes, the oldest first, and who owes the euros. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotId
from protocol.house import DUE_LOTS_MAX


class Directed(Struct, frozen=True, order=True):
    """What one orientation still holds of one lot, in the order in which rounds take it."""

    orientation: int
    month: int
    lot: LotId
    cents: int
    issuer: str


class Taken(Struct, frozen=True):
    """The part of it that a round converts."""

    orientation: int
    lot: LotId
    cents: int
    issuer: str


class Round(Struct, frozen=True):
    """What a round takes. `waiting` is in its cents, and had no order: it stays directed."""

    taken: tuple[Taken, ...]
    waiting: int


def choose_round(held: Iterable[Directed], cents: int, payers: Collection[str]) -> Round:
    """Return what a round of `cents` takes: whole orientations, the oldest first, and a part of the last.

    Lots of an issuer that is no payer of this round are passed by, and counted; so are those of more lots of one
    issuer than a message may name. Raises InsufficientRights.
    """
    missing, waiting = cents, 0
    taken: list[Taken] = []
    named: dict[str, set[LotId]] = {payer: set() for payer in payers}
    for one in sorted(held):
        if not missing:
            break
        part = min(missing, one.cents)
        if not part:
            continue
        missing -= part
        lots = named.get(one.issuer)
        if lots is not None and (one.lot in lots or len(lots) < DUE_LOTS_MAX):
            lots.add(one.lot)
            taken.append(Taken(one.orientation, one.lot, part, one.issuer))
        else:
            waiting += part
    if missing:
        raise InsufficientRights(available=cents - missing, asked=cents, missing=missing)
    return Round(tuple(taken), waiting)


def sum_by_lot(taken: Iterable[Taken]) -> dict[str, dict[LotId, int]]:
    """Return cents by issuer and lot, lots in the order in which they were met."""
    sums: dict[str, dict[LotId, int]] = {}
    for one in taken:
        lots = sums.setdefault(one.issuer, {})
        lots[one.lot] = lots.get(one.lot, 0) + one.cents
    return sums
