"""A credit taken back, as far as its lots are still there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.accounts import UNCLAIMED, AccountEvent, AccountKind
from node.ledger.errors import AccountFrozen, NothingToReverse, NotReversible, PostingUnknown
from node.ledger.lots import LotId
from node.ledger.postings import PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.reservations import Reserve
from node.ledger.reversals import Part, Reverse, Reversed, choose_takings
from protocol.amounts import Cents
from protocol.errors import IdMismatch, InvalidAmount, InvalidId, InvalidText, Malformed, Refusal
from protocol.identifiers import Id16
from protocol.times import Instant
from tests.ledger.world import START, World

K = PostingKind


def reverse(world: World, undone: Id16, cents: int | None = None, **more: Any) -> Reversed:
    more.setdefault("op", world.id())
    asked = Reverse(undone=undone, cents=None if cents is None else Cents(cents), **more)
    return world.ledger.write_now(world.ledger.reverse, asked)


parts = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 100), st.integers(0, 100)).map(
        lambda drawn: (drawn[0], drawn[1], min(drawn[1], drawn[2]))
    ),
    max_size=4,
    unique_by=lambda drawn: drawn[0],
)


@given(parts, st.integers(0, 300), st.dictionaries(st.integers(1, 5), st.integers(0, 100)), st.integers(0, 300))
def test_a_reversal_takes_all_it_may_and_no_more(
    drawn: list[tuple[int, int, int]], wanted: int, held: dict[int, int], available: int
) -> None:
    made = [Part(place, LotId(lot), cents, undone) for place, (lot, cents, undone) in enumerate(drawn)]
    takings = choose_takings(
        made, wanted=wanted, held={LotId(lot): cents for lot, cents in held.items()}, available=available
    )
    reachable = sum(min(cents - undone, held.get(lot, 0)) for lot, cents, undone in drawn)
    assert sum(taking.cents for taking in takings) == min(wanted, available, reachable)
    for taking in takings:
        lot, cents, undone = drawn[taking.transfer]
        assert taking.lot == lot
        assert 0 < taking.cents <= min(cents - undone, held[lot])
    assert [taking.transfer for taking in takings] == sorted((t.transfer for t in takings), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "available", "taken"),
    [
        (1, 100, [(1, 1)]),
        (6, 100, [(1, 5), (0, 1)]),
        (100, 100, [(1, 5), (0, 3)]),
        (100, 5, [(1, 5)]),
        (100, 7, [(1, 5), (0, 2)]),
        (0, 100, []),
        (100, 0, []),
    ],
)
def test_the_last_draw_is_taken_first_until_nothing_more_is_wanted_or_available(
    wanted: int, available: int, taken: list[tuple[int, int]]
) -> None:
    made = [Part(0, LotId(4), 10, 2), Part(1, LotId(9), 7, 2)]
    takings = choose_takings(made, wanted=wanted, held={LotId(4): 3, LotId(9): 50}, available=available)
    assert [(taking.transfer, taking.cents) for taking in takings] == taken


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"op": b"short"}, InvalidId, None),
        ({"undone": b"short"}, InvalidId, None),
        ({"cents": 0}, InvalidAmount, None),
        ({"reference": "line\nline"}, InvalidText, "reference"),
        ({"reference": "x" * 281}, InvalidText, "reference"),
        ({"undone": b"o" * 16}, Malformed, "undone"),
    ],
)
def test_a_malformed_reversal_never_reaches_the_book(
    change: dict[str, Any], error: type[Refusal], field: str | None
) -> None:
    content: dict[str, Any] = {"op": b"o" * 16, "undone": b"u" * 16}
    asked = Reverse(**content)
    assert (asked.cents, asked.reference) == (None, "")
    with pytest.raises(error) as refusal:
        Reverse(**{**content, **change})
    assert refusal.value.facts.get("field") == field


def test_a_credit_is_taken_back_wholly_and_the_lots_return_to_the_pool(world: World) -> None:
    pool, person = world.pool(), world.open()
    old, young = world.endow(pool, 30, month=202601).lot, world.endow(pool, 70, month=202602).lot
    credit = world.post(pool, person, 100)
    taken = reverse(world, credit.op)
    assert (taken.asked, taken.taken, taken.missing, taken.after) == (100, 100, 0, 0)
    assert taken.draws == ((young, 70), (old, 30))
    held = world.ledger.read_now(load_balance, pool).lots
    assert [(lot.lot, lot.cents) for lot in held] == [(old, 30), (young, 70)]
    with pytest.raises(NothingToReverse) as refusal:
        reverse(world, credit.op)
    assert refusal.value.facts["reversed"] == 100


def test_a_partial_reversal_takes_the_youngest_lots_and_the_rest_can_be_taken_later(world: World) -> None:
    pool, person = world.pool(), world.open()
    old, young = world.endow(pool, 30, month=202601).lot, world.endow(pool, 70, month=202602).lot
    credit = world.post(pool, person, 100)
    assert reverse(world, credit.op, 80).draws == ((young, 70), (old, 10))
    rest = reverse(world, credit.op, 50)
    assert (rest.asked, rest.taken, rest.missing) == (50, 20, 30)
    assert world.balance(person) == 0


def test_only_what_is_still_held_of_that_lot_is_taken_and_the_rest_is_named_missing(world: World) -> None:
    pool, person, project = world.pool(100), world.open(), world.open(AccountKind.PROJECT)
    credit = world.post(pool, person, 100)
    world.post(person, project, 60, K.ORIENTATION)
    other = world.pool()
    world.endow(other, 500, donor=2)
    world.post(other, person, 500)
    taken = reverse(world, credit.op)
    assert (taken.taken, taken.missing, taken.after) == (40, 60, 500)


def test_what_is_reserved_is_not_taken_back(world: World) -> None:
    pool, person = world.pool(100), world.open()
    credit = world.post(pool, person, 100)
    kept = Reserve(op=world.id(), account=person, cents=Cents(70), expires_at=Instant(START + 1_000))
    world.ledger.write_now(world.ledger.reserve, kept)
    assert reverse(world, credit.op).taken == 30
    with pytest.raises(NothingToReverse) as refusal:
        reverse(world, credit.op)
    assert refusal.value.facts == {"posting": credit.op.hex(), "reversed": 30, "available": 0}


def test_the_same_reversal_is_answered_again_and_another_content_is_named(world: World) -> None:
    pool, person, project = world.pool(100), world.open(), world.open(AccountKind.PROJECT)
    credit, other = world.post(pool, person, 50), world.post(pool, person, 50)
    world.post(person, project, 80, K.ORIENTATION)
    op = world.id()
    first = reverse(world, credit.op, 45, op=op)
    assert (first.taken, first.missing) == (20, 25)
    world.reopen()
    again = reverse(world, credit.op, 45, op=op)
    assert (again.taken, again.missing, again.draws, again.after) == (20, 25, first.draws, first.after)
    assert again.is_repeat
    for field, changed in (
        ("undone", Reverse(op=op, undone=other.op, cents=Cents(45))),
        ("cents", Reverse(op=op, undone=credit.op)),
        ("reference", Reverse(op=op, undone=credit.op, cents=Cents(45), reference="x")),
    ):
        with pytest.raises(IdMismatch) as refusal:
            world.ledger.write_now(world.ledger.reverse, changed)
        assert refusal.value.facts["field"] == field
    with pytest.raises(IdMismatch):
        world.post(pool, person, 45, op=op)


def test_only_a_credit_that_was_made_is_taken_back(world: World) -> None:
    pool, person, other = world.pool(100), world.open(), world.open()
    world.post(pool, person, 100)
    gift = world.post(person, other, 10, K.GIFT)
    with pytest.raises(NotReversible) as refusal:
        reverse(world, gift.op)
    assert refusal.value.facts["kind"] == "gift"
    unknown, op = Id16(b"n" * 16), world.id()
    for _ in range(2):
        with pytest.raises(PostingUnknown):
            reverse(world, unknown, op=op)
        world.reopen()


def test_nothing_is_taken_from_a_frozen_account_and_a_closed_pool_is_paid_back_unclaimed(world: World) -> None:
    pool, person = world.pool(100), world.open()
    credit = world.post(pool, person, 100)
    world.change(person, AccountEvent.FREEZE)
    with pytest.raises(AccountFrozen):
        reverse(world, credit.op)
    world.change(person, AccountEvent.REOPEN)
    world.change(pool, AccountEvent.CLOSE)
    taken = reverse(world, credit.op)
    assert taken.is_unclaimed
    assert (world.balance(UNCLAIMED), world.balance(person)) == (100, 0)


def test_a_credit_and_its_reversals_in_one_page_are_decided_in_order(world: World) -> None:
    pool, person = world.pool(100), world.open()

    def work(page: Any) -> list[int]:
        credit = world.posting(pool, person, 100)
        world.ledger.post(page, [credit])
        asked = [Reverse(op=world.id(), undone=credit.op, cents=Cents(60)) for _ in range(2)]
        return [answer.taken for answer in world.ledger.reverse(page, asked)]  # type: ignore[union-attr]

    assert world.run_in_page(work) == [60, 40]
    assert world.balance(pool) == 100
