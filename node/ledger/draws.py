"""Which lots a sum is drawn from: the oldest first, so that rights are used before they grow old. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotId
from protocol.amounts import Cents

Draw = tuple[LotId, Cents]
Draws = tuple[Draw, ...]


class Holding(NamedTuple):
    """What an account holds of one lot; `month` is the lot's."""

    lot: LotId
    month: int
    cents: Cents


def oldest_first(holdings: Iterable[Holding]) -> list[Holding]:
    """Return the holdings in the order in which they are drawn: by month, then by age in this book."""
    return sorted(holdings, key=lambda held: (held.month, held.lot))


def choose_draws(holdings: Sequence[Holding], amount: Cents) -> Draws:
    """Return what to draw from each lot, oldest lots first, to make up `amount`. Raises InsufficientRights."""
    return take_in_order([(held.lot, held.cents) for held in oldest_first(holdings)], amount)


def take_in_order(held: Iterable[Draw], amount: Cents) -> Draws:
    """Return the draws that make up `amount`, taken in the order given. Raises InsufficientRights."""
    draws: list[Draw] = []
    missing: int = amount
    for lot, cents in held:
        if cents >= missing:
            draws.append((lot, Cents(missing)))
            return tuple(draws)
        if cents:
            draws.append((lot, cents))
            missing -= cents
    raise InsufficientRights(available=amount - missing, asked=amount, missing=missing)
