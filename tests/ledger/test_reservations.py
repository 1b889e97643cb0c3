"""Sums set aside: used, released, expired."""

from __future__ import annotations

from typing import Any

import pytest

from node.ledger.accounts import AccountEvent
from node.ledger.errors import (
    AccountFrozen,
    InsufficientRights,
    LedgerRefusal,
    ReservationEnded,
    ReservationExpired,
    ReservationTooSmall,
    ReservationUnknown,
)
from node.ledger.postings import PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.reservations import NEXT_STATE, ReservationEvent, ReservationState, Reserve, Reserved, advance
from protocol.amounts import Cents
from protocol.errors import IdMismatch, InvalidAmount, InvalidId, InvalidTime, Refusal
from protocol.identifiers import AccountNumber, Id16
from protocol.times import Instant
from tests.ledger.world import START, World


def reserve(world: World, account: AccountNumber, cents: int, *, lasting: int = 1_000) -> Reserved:
    return world.ledger.write_now(world.ledger.reserve, asked(world, account, cents, lasting=lasting))


def asked(world: World, account: AccountNumber, cents: int, *, lasting: int = 1_000) -> Reserve:
    return Reserve(op=world.id(), account=account, cents=Cents(cents), expires_at=Instant(world.clock() + lasting))


def available(world: World, account: AccountNumber) -> tuple[int, int, int]:
    balance = world.ledger.read_now(load_balance, account)
    return balance.cents, balance.reserved, balance.available


def test_every_state_answers_every_event_or_says_how_the_reservation_ended() -> None:
    for state in ReservationState:
        for event in ReservationEvent:
            if event in NEXT_STATE[state]:
                assert advance(state, event, op=Id16(b"r" * 16)) in ReservationState
            else:
                with pytest.raises(ReservationEnded):
                    advance(state, event, op=Id16(b"r" * 16))


def test_states_and_events_are_stored_and_sent_in_their_own_words() -> None:
    assert [str(state) for state in ReservationState] == ["active", "released", "used", "expired"]
    assert [str(event) for event in ReservationEvent] == ["release", "use", "expire"]


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"op": b"short"}, InvalidId, None),
        ({"cents": 0}, InvalidAmount, None),
        ({"expires_at": -1}, InvalidTime, "expires_at"),
        ({"expires_at": "soon"}, InvalidTime, "expires_at"),
    ],
)
def test_a_malformed_reservation_never_reaches_the_book(
    change: dict[str, Any], error: type[Refusal], field: str | None
) -> None:
    content: dict[str, Any] = {"op": b"o" * 16, "account": "AAAAAAAA", "cents": 5, "expires_at": START}
    Reserve(**content)
    with pytest.raises(error) as refusal:
        Reserve(**{**content, **change})
    assert refusal.value.facts.get("field") == field


def test_a_reservation_can_be_used_until_the_instant_at_which_it_ends(world: World) -> None:
    pool, person = world.pool(100), world.open()
    kept = [reserve(world, pool, 10) for _ in range(2)]
    world.clock.now += 999
    world.post(pool, person, 10, reservation=kept[0].op)
    world.clock.now += 1
    with pytest.raises(ReservationExpired):
        world.post(pool, person, 10, reservation=kept[1].op)


def test_what_is_reserved_is_still_held_but_not_available(world: World) -> None:
    pool, person = world.pool(100), world.open()
    reserve(world, pool, 70)
    assert available(world, pool) == (100, 70, 30)
    with pytest.raises(InsufficientRights) as refusal:
        world.post(pool, person, 31)
    assert refusal.value.facts == {"available": 30, "asked": 31, "missing": 1}
    with pytest.raises(InsufficientRights):
        reserve(world, pool, 31)
    world.post(pool, person, 30)
    assert available(world, pool) == (70, 70, 0)


def test_a_posting_uses_a_reservation_once_and_frees_what_it_does_not_take(world: World) -> None:
    pool, person = world.pool(100), world.open()
    kept = reserve(world, pool, 70)
    posting = world.posting(pool, person, 50, reservation=kept.op)
    world.ledger.write_now(world.ledger.post, posting)
    assert available(world, pool) == (50, 0, 50)
    world.reopen()
    assert world.ledger.write_now(world.ledger.post, posting).is_repeat
    with pytest.raises(ReservationEnded) as refusal:
        world.post(pool, person, 1, reservation=kept.op)
    assert refusal.value.facts["state"] == "used"
    with pytest.raises(ReservationEnded):
        world.ledger.write_now(world.ledger.release, kept.op)


def test_a_reservation_serves_its_own_account_up_to_its_own_sum(world: World) -> None:
    pool, other, person = world.pool(100), world.pool(100), world.open()
    kept = reserve(world, pool, 70)
    with pytest.raises(ReservationUnknown):
        world.post(other, person, 1, reservation=kept.op)
    with pytest.raises(ReservationUnknown):
        world.post(pool, person, 1, reservation=Id16(b"n" * 16))
    with pytest.raises(ReservationTooSmall):
        world.post(pool, person, 71, reservation=kept.op)
    assert available(world, pool) == (100, 70, 30)


def test_releasing_frees_the_sum_once_however_often_it_is_asked(world: World) -> None:
    pool = world.pool(100)
    kept = reserve(world, pool, 70)
    for _ in range(2):
        assert world.ledger.write_now(world.ledger.release, kept.op).state is ReservationState.RELEASED
        assert available(world, pool) == (100, 0, 100)
        world.reopen()
    with pytest.raises(ReservationUnknown):
        world.ledger.write_now(world.ledger.release, Id16(b"n" * 16))


def test_the_sweep_ends_what_is_over_a_part_at_a_time_and_a_second_sweep_ends_nothing(world: World) -> None:
    pool, person = world.pool(100), world.open()
    kept = [reserve(world, pool, 10, lasting=1_000 + k) for k in range(5)]
    late = reserve(world, pool, 10, lasting=9_000)
    world.clock.now += 2_000
    with pytest.raises(ReservationExpired):
        world.post(pool, person, 1, reservation=kept[0].op)
    assert available(world, pool) == (100, 60, 40)
    assert [world.ledger.write_now(world.ledger.expire_reservations, 3) for _ in range(3)] == [3, 2, 0]
    assert available(world, pool) == (100, 10, 90)
    with pytest.raises(ReservationExpired):
        world.post(pool, person, 1, reservation=kept[4].op)
    assert world.ledger.write_now(world.ledger.release, kept[0].op).state is ReservationState.EXPIRED
    world.post(pool, person, 10, reservation=late.op)


def test_reserving_again_under_the_same_id_reserves_once(world: World) -> None:
    pool, other = world.pool(100), world.pool(100)
    item = asked(world, pool, 70)
    first, again = world.book.write_all_now(world.ledger.reserve, [item, item])
    assert (first.is_repeat, again.is_repeat) == (False, True)
    world.reopen()
    assert world.ledger.write_now(world.ledger.reserve, item).is_repeat
    assert available(world, pool) == (100, 70, 30)
    for field, changed in (
        ("account", Reserve(op=item.op, account=other, cents=item.cents, expires_at=item.expires_at)),
        ("cents", Reserve(op=item.op, account=pool, cents=Cents(71), expires_at=item.expires_at)),
        ("expires_at", Reserve(op=item.op, account=pool, cents=item.cents, expires_at=Instant(START + 1))),
    ):
        with pytest.raises(IdMismatch) as refusal:
            world.ledger.write_now(world.ledger.reserve, changed)
        assert refusal.value.facts["field"] == field


def test_a_refused_reservation_is_refused_for_ever_and_one_in_the_past_is_never_made(world: World) -> None:
    pool = world.pool(10)
    item = asked(world, pool, 11)
    for _ in range(2):
        with pytest.raises(InsufficientRights) as refusal:
            world.ledger.write_now(world.ledger.reserve, item)
        assert isinstance(refusal.value, LedgerRefusal)
        world.endow(pool, 100)
        world.reopen()
    with pytest.raises(InvalidTime):
        reserve(world, pool, 1, lasting=0)


def test_nothing_is_reserved_on_a_frozen_account(world: World) -> None:
    pool = world.pool(10)
    world.change(pool, AccountEvent.FREEZE)
    with pytest.raises(AccountFrozen):
        reserve(world, pool, 1)


def test_reserve_use_and_release_in_one_page_leave_the_account_right(world: World) -> None:
    pool, person = world.pool(100), world.open()

    def work(page: object) -> None:
        first, second = asked(world, pool, 60), asked(world, pool, 40)
        world.ledger.reserve(page, [first, second])  # type: ignore[arg-type]
        posting = world.posting(pool, person, 60, PostingKind.CREDIT, reservation=first.op)
        world.ledger.post(page, [posting])  # type: ignore[arg-type]
        world.ledger.release(page, [second.op])  # type: ignore[arg-type]

    world.run_in_page(work)
    assert available(world, pool) == (40, 0, 40)
