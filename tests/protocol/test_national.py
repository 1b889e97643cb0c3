"""A slip's record against a plain list: the state of each cession, one by one."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.cession import CessionState
from protocol.clearing import Outcome
from protocol.directory import Accredited, Change, Directory, Enrolled, apply_entries, encode_entry
from protocol.merkle import hash_leaf
from protocol.messages import Answer, Cede, Lot, Slip, encode_slip
from protocol.national import (
    CessionsStopped,
    DirectoryChanged,
    SlipRecord,
    SlipTaken,
    begin_record,
    choose_stopped,
    encode_national,
    read_slip,
    repeat_slip,
    settle_answer,
    stop,
)
from protocol.replay import DoesNotFollow, Replay

TAKER = "200046977"
places_ = st.lists(st.integers(0, 9), max_size=6, unique=True).map(lambda places: tuple(sorted(places)))
orders = st.lists(
    st.one_of(
        st.tuples(st.just("recall"), places_),
        st.tuples(st.just("expire"), places_),
        st.tuples(st.just("hand over"), st.just(())),
        st.tuples(st.just("answer"), places_),
        st.tuples(st.just("answer as told"), places_),
    ),
    max_size=8,
)


def make_cede(count: int) -> Cede:
    lot = Lot("242900314", bytes(16), 5, 202611)
    return Cede((lot,), (), (0,) * count, (1,) * count, (), bytes(8), bytes(32))


def assert_same(record: SlipRecord, states: list[str]) -> None:
    assert [str(record.exceptions.get(place, record.state)) for place in range(record.count)] == states


@given(st.integers(1, 8), places_, orders)
def test_every_cession_of_a_slip_goes_its_own_way_and_ends_once(
    count: int, refused: tuple[int, ...], story: list[tuple[str, tuple[int, ...]]]
) -> None:
    refused = tuple(place for place in refused if place < count)
    record = begin_record(TAKER, make_cede(count), Outcome(refused=tuple((place, "day_limit") for place in refused)))
    states = ["refused" if place in refused else "cleared" for place in range(count)]
    assert_same(record, states)
    told: tuple[int, ...] = ()
    for order, places in story:
        if order in ("recall", "expire"):
            word = "recalled" if order == "recall" else "expired"
            expected = tuple(place for place in places if place < count and states[place] == "cleared")
            stopped = choose_stopped(record, places)
            assert stopped == expected
            if stopped:
                record = stop(record, stopped, CessionState(word))
            for place in expected:
                states[place] = word
        elif order == "hand over":
            if "cleared" in states:
                assert record.state is CessionState.CLEARED
                told = tuple(place for place, state in enumerate(states) if state != "cleared")
                assert record.skipped == told
                record = replace(record, state=CessionState.HANDED_OVER)
                states = ["handed_over" if state == "cleared" else state for state in states]
            else:
                assert record.state is not CessionState.CLEARED
        else:
            skipped = told if order == "answer as told" else places
            answer = Answer(1, 0, skipped, places, ("unreadable",) * len(places))
            settled = settle_answer(record, answer)
            is_right = (
                "handed_over" in states
                and skipped == told
                and all(place < count and states[place] == "handed_over" for place in places)
            )
            assert (settled is not None) == is_right
            if settled is not None:
                before, (record, delivered, returned) = states, settled
                states = [
                    state if state != "handed_over" else "returned" if place in places else "delivered"
                    for place, state in enumerate(states)
                ]
                assert {place for place in range(count) if states[place] == "delivered"} == delivered
                assert returned == set(places)
                assert delivered | returned == {p for p in range(count) if before[p] == "handed_over"}
        assert_same(record, states)


@given(st.integers(1, 8))
def test_a_slip_refused_whole_or_place_by_place_has_no_cession_left(count: int) -> None:
    for outcome in (
        Outcome(slip_code="unknown_member"),
        Outcome(refused=tuple((place, "day_limit") for place in range(count))),
    ):
        record = begin_record(TAKER, make_cede(count), outcome)
        assert_same(record, ["refused"] * count)
        assert choose_stopped(record, tuple(range(count))) == ()


def test_a_receiver_may_return_every_cession_that_it_was_handed() -> None:
    handed = SlipRecord(TAKER, 3, CessionState.HANDED_OVER, {1: CessionState.RECALLED})
    settled = settle_answer(handed, Answer(1, 0, (1,), (0, 2), ("unknown_account", "unknown_account")))
    assert settled is not None
    record, delivered, returned = settled
    assert_same(record, ["returned", "recalled", "returned"])
    assert (record.state, delivered, returned) == (CessionState.RETURNED, frozenset(), {0, 2})


def test_a_slip_that_is_told_again_moves_what_it_moved_whatever_the_rule_would_say_now() -> None:
    cede, key = make_cede(3), ("242900314", bytes(16))
    told = repeat_slip("242900314", cede, "", iter([(1, "day_limit")]))
    assert told == Outcome(
        refused=((1, "day_limit"),), abroad={"242900314": 2}, lots={key: (5, 202611)}, transit={key: 2}
    )
    assert repeat_slip("242900314", cede, "unknown_member", ()) == Outcome(slip_code="unknown_member")


@given(st.binary(max_size=60))
def test_signed_nonsense_is_no_slip_and_no_crash(leaf: bytes) -> None:
    assert read_slip(leaf) is None


@pytest.mark.parametrize("terms", [(), (0,), (501,)])
def test_a_hub_cannot_let_a_cession_expire_that_has_no_term_or_a_later_one(terms: tuple[int, ...]) -> None:
    giver = "242900314"
    leaf = encode_slip(Slip(1, TAKER, 0, (replace_terms(make_cede(1), terms),)))
    replay = Replay({(giver, 1, 0): leaf}.get)
    changes: list[Change] = [Enrolled(code, code, "territory", bytes(32), bytes(32)) for code in (giver, TAKER)]
    changes += [Accredited(code, "", "") for code in (giver, TAKER)]
    directory = Directory()
    for change in changes:
        entry = encode_entry(directory, change, 1)
        directory = apply_entries(directory, [entry])
        replay.take(encode_national(DirectoryChanged(1, entry)))
    replay.take(encode_national(SlipTaken(400, giver, 1, 0, hash_leaf(leaf), "", (), ())))
    with pytest.raises(DoesNotFollow):
        replay.take(encode_national(CessionsStopped(500, giver, 1, 0, (), (0,))))


def replace_terms(cede: Cede, terms: tuple[int, ...]) -> Cede:
    return msgspec.structs.replace(cede, terms=terms)
