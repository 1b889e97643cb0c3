"""A reversal: a credit taken back, wholly or partly, as far as its lots are still there. Pure.

Why the last draws first? The credit drew its lots oldest first; taking back from the end leaves what a smaller credit
would have drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from node.ledger.draws import Draws
from node.ledger.lots import LotId
from node.ledger.postings import require_reference
from protocol.amounts import Cents, require_amount
from protocol.errors import Malformed
from protocol.identifiers import Id16, require_id
from protocol.times import Instant

ASKED_FIELDS = ("undone", "cents", "reference")


class Reverse(msgspec.Struct, frozen=True, kw_only=True):
    """Take back `cents` of the posting `undone`; None means all that is left of it."""

    op: Id16
    undone: Id16
    cents: Cents | None = None
    reference: str = ""

    def __post_init__(self) -> None:
        require_id(self.op)
        require_id(self.undone)
        if self.cents is not None:
            require_amount(self.cents)
        require_reference(self.reference)
        if self.op == self.undone:
            raise Malformed(field="undone", reason="a reversal has an id of its own")


class Reversed(msgspec.Struct, frozen=True, kw_only=True):
    """What could be taken back, and what is missing from the sum asked. `after` is the balance it was taken from."""

    op: Id16
    at: Instant
    undone: Id16
    asked: Cents
    taken: Cents
    draws: Draws
    after: Cents
    is_unclaimed: bool
    is_repeat: bool

    @property
    def missing(self) -> Cents:
        return Cents(self.asked - self.taken)


class Part(NamedTuple):
    """One transfer of the posting to undo, and how much of it was taken back already."""

    transfer: int
    lot: LotId
    cents: int
    undone: int

    @property
    def left(self) -> int:
        return self.cents - self.undone


class Taking(NamedTuple):
    """What to take of one lot, undoing one transfer."""

    transfer: int
    lot: LotId
    cents: int


def choose_takings(
    parts: Sequence[Part], *, wanted: int, held: Mapping[LotId, int], available: int
) -> tuple[Taking, ...]:
    """Return what to take of each part, the last first: no more than is wanted, left of it, still held and available."""
    takings: list[Taking] = []
    for part in reversed(parts):
        cents = min(wanted, part.left, held.get(part.lot, 0), available)
        if cents > 0:
            takings.append(Taking(part.transfer, part.lot, cents))
            wanted -= cents
            available -= cents
    return tuple(takings)


def asked_values(asked: Reverse) -> tuple[object, ...]:
    """Return the content in the order of ASKED_FIELDS."""
    return (asked.undone, asked.cents, asked.reference)
