"""Which cents of which lots go to which project, when a holder directs them to one or several. Pure.

Choices are served in the caller's order. What a full project does not take goes to the next choice, or stays with the
holder (`Overflow`); what the last one does not take stays. Within a choice the oldest fitting lots go first, and of one
month those that are bound before those that could go elsewhere; or the lots that the caller names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from node.ledger.draws import Draws, take_in_order
from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotClass, LotId
from node.orientation.errors import LotsUnfit, NotDirected, ProjectFull
from node.orientation.projects import LotTerms
from protocol.amounts import Cents, require_amount
from protocol.errors import Fact, Malformed, Refusal
from protocol.identifiers import AccountNumber, Address, Id16, format_address, require_id

CHOICES_MAX: Final = 20
NAMED_LOTS_MAX: Final = 500


class Overflow(StrEnum):
    """Where the cents go that a project does not take."""

    NEXT = "next"  # to the next choice of the list
    BACK = "back"  # they stay with their holder


class Choice(Struct, frozen=True, kw_only=True):
    """One project of the list. `cents` None is all that the others leave; `draws` names lots and cents."""

    to: Address
    cents: int | None = None
    draws: Draws | None = None

    def __post_init__(self) -> None:
        if self.cents is not None:
            require_amount(self.cents)
        if self.draws is None:
            return
        if not 0 < len(self.draws) <= NAMED_LOTS_MAX:
            raise Malformed(field="lots", reason=f"1 to {NAMED_LOTS_MAX} lots")
        if len({lot for lot, _ in self.draws}) != len(self.draws):
            raise Malformed(field="lots", reason="a lot is named once")
        for _, cents in self.draws:
            require_amount(cents)
        if self.cents != sum(cents for _, cents in self.draws):
            raise Malformed(field="lots", reason="the lots named make up the cents")


class Direct(Struct, frozen=True, kw_only=True):
    """What a holder asks, under an id of his own. `giver` is the address shown abroad (empty: anonymous)."""

    op: Id16
    account: AccountNumber
    choices: tuple[Choice, ...]
    overflow: Overflow = Overflow.BACK
    giver: str = ""

    def __post_init__(self) -> None:
        require_id(self.op)
        if not 0 < len(self.choices) <= CHOICES_MAX:
            raise Malformed(field="choices", reason=f"1 to {CHOICES_MAX} projects")
        if len({choice.to for choice in self.choices}) != len(self.choices):
            raise Malformed(field="choices", reason="a project is chosen once")
        if sum(choice.cents is None for choice in self.choices) > 1:
            raise Malformed(field="choices", reason="one choice at most takes what the others leave")


ASKED_FIELDS: Final = ("from", "choices", "overflow", "anonymous")


def asked_values(asked: Direct) -> tuple[object, ...]:
    """Return the content in the order of ASKED_FIELDS."""
    choices = [(format_address(one.to), one.cents, one.draws) for one in asked.choices]
    return (asked.account, choices, str(asked.overflow), asked.giver)


class Held(Struct, frozen=True):
    """What the holder has of one lot."""

    lot: LotId
    cents: int
    terms: LotTerms


class Road(Struct, frozen=True):
    """What a choice can take: `room` cents (None: nobody here knows), of lots that `is_fit`, or why nothing."""

    room: int | None = None
    is_fit: Callable[[LotTerms], bool] = lambda _terms: True
    hindrance: Refusal | None = None


class Placement(Struct, frozen=True):
    """What one choice gets: perhaps nothing, and then why; less than wished where `code` says so."""

    place: int
    cents: int
    draws: Draws
    code: str
    facts: dict[str, Fact]


def derive_placed_op(op: Id16, place: int) -> Id16:
    """Return the id under which a choice of the list is posted: the caller's own for the first."""
    if place == 0:
        return op
    return Id16(hashlib.blake2b(op, digest_size=16, salt=place.to_bytes(2, "big"), person=b"cm-direct").digest())


def derive_onward_op(op: Id16, place: int) -> Id16:
    """Return the id under which what came back as `op` goes on, to the choice at that place of those that came after it."""
    return Id16(hashlib.blake2b(op, digest_size=16, salt=place.to_bytes(2, "big"), person=b"cm-onward").digest())


def plan(asked: Direct, roads: Sequence[Road], held: Sequence[Held], *, available: int) -> list[Placement]:
    """Return what each choice gets, in their order. `available` is what the holder has less what is reserved.

    Raises InsufficientRights, LotsUnfit: then nothing is directed at all. Raises the first hindrance where every
    choice is closed to the holder.
    """
    named = sum(choice.cents or 0 for choice in asked.choices)
    wanted = max(named, 1)
    if available < wanted:
        raise InsufficientRights(available=available, asked=wanted, missing=wanted - available)
    left = {one.lot: one.cents for one in held}
    ordered = sorted(held, key=_age)
    budget, carried = available, 0
    placements: list[Placement] = []
    for place, (choice, road) in enumerate(zip(asked.choices, roads, strict=True)):
        own = available - named if choice.cents is None else choice.cents
        wish = own + carried
        placed = _place(asked, place, road, wish, own, ordered, left, budget)
        for lot, cents in placed.draws:
            left[lot] -= cents
        budget -= placed.cents
        carried = wish - placed.cents if asked.overflow is Overflow.NEXT else 0
        placements.append(placed)
    if not any(placement.cents for placement in placements):
        raise next((road.hindrance for road in roads if road.hindrance is not None), _unfit(asked, 0, 0, available))
    return placements


def _age(held: Held) -> tuple[int, bool, int]:
    return held.terms.month, not held.terms.lot_class & LotClass.RESTRICTED, held.lot


def _place(
    asked: Direct,
    place: int,
    road: Road,
    wish: int,
    own: int,
    ordered: Sequence[Held],
    left: dict[LotId, int],
    budget: int,
) -> Placement:
    if road.hindrance is not None:
        return Placement(place, 0, (), road.hindrance.code, road.hindrance.facts)
    choice = asked.choices[place]
    number = choice.to.number
    amount = wish if road.room is None else min(wish, road.room)
    if choice.draws is not None:
        fitting = _require_named(asked, place, road, choice.draws, ordered, left)
        others = [one for one in ordered if one.lot not in dict(choice.draws) and road.is_fit(one.terms)]
        fitting += [(one.lot, left[one.lot]) for one in others] if amount > own else []
    else:
        fitting = [(one.lot, left[one.lot]) for one in ordered if left[one.lot] and road.is_fit(one.terms)]
    most = min(sum(cents for _, cents in fitting), budget)
    if most < amount:
        # What was not asked of this very project, or not in figures, is directed as far as it fits.
        if choice.cents is not None and most < min(own, amount):
            raise _unfit(asked, place, most, min(own, amount))
        code = LotsUnfit.code
        amount = most
    else:
        code = ProjectFull.code if amount < wish else ""
    facts: dict[str, Fact] = {"account": number, "room": road.room or 0} if code == ProjectFull.code else {}
    if code == LotsUnfit.code:
        facts = {"account": number, "available": most, "asked": wish}
    draws = take_in_order([(lot, Cents(cents)) for lot, cents in fitting], Cents(amount)) if amount else ()
    return Placement(place, amount, draws, code, facts)


def _require_named(
    asked: Direct, place: int, road: Road, draws: Draws, ordered: Sequence[Held], left: dict[LotId, int]
) -> list[tuple[LotId, int]]:
    terms = {one.lot: one.terms for one in ordered}
    for lot, cents in draws:
        if left.get(lot, 0) < cents:
            here = left.get(lot, 0)
            raise InsufficientRights(available=here, asked=cents, missing=cents - here, lot=lot)
        if not road.is_fit(terms[lot]):
            raise _unfit(asked, place, 0, cents)
    return [(lot, int(cents)) for lot, cents in draws]


def _unfit(asked: Direct, place: int, available: int, wanted: int) -> LotsUnfit:
    return LotsUnfit(account=asked.choices[place].to.number, available=available, asked=wanted)


def choose_back(op: bytes, held: Sequence[tuple[LotId, int, int]], cents: int | None) -> Draws:
    """Return which lots of an orientation go back: (lot, month, cents), the youngest first; all where `cents` is None.

    What stays directed is the oldest, which should be used before it grows older. Raises NotDirected.
    """
    there = sum(here for _, _, here in held)
    wanted = there if cents is None else cents
    if not 0 < wanted <= there:
        raise NotDirected(id=op.hex(), available=there, asked=wanted)
    youngest = sorted(held, key=lambda one: (-one[1], -one[0]))
    return take_in_order([(lot, Cents(here)) for lot, _, here in youngest if here], Cents(wanted))
