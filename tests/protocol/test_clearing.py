"""The clearing rule against an oracle in plain Python: rows of rights, moved one draw at a time."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.clearing import Ceded, Ended, Outcome, Positions, apply_outcome, clear, repeat, sum_by_lot
from protocol.directory import Limits, Member, MemberKind, MemberStatus
from protocol.messages import Cede, Lot
from protocol.times import DAY_MS, Instant

BREST, LYON, LILLE, SOUTH, HUB = "242900314", "200046977", "200093201", "S00000000", "HUB-FR"
NOBODY = "200000000"
KINDS = {HUB: MemberKind.HUB, SOUTH: MemberKind.SOUTH}
Draw = tuple[int, int]


@dataclass
class Book:
    """The oracle's book. Transit rows remember each draw that is on the road."""

    limits: dict[str, tuple[int, int, int]]
    status: dict[str, str]
    position: dict[tuple[str, int, str], int] = field(default_factory=dict)
    classes: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    abroad: dict[str, int] = field(default_factory=dict)
    ceded: dict[tuple[str, int], int] = field(default_factory=dict)
    road: dict[tuple[str, int], int] = field(default_factory=dict)


def judge_slip(
    book: Book, giver: str, taker: str, lots: list[Lot], draws: list[list[Draw]], terms: list[int], now: int
) -> tuple[str, list[tuple[int, str]]]:
    """Return the slip's code and the refusals, and move the book."""
    if book.status.get(giver) != "active":
        return "sender_not_active", []
    if taker not in book.status:
        return "unknown_member", []
    if giver == taker:
        return "to_itself", []
    if taker == HUB or book.status[taker] != "active":
        return "receiver_not_active", []
    announced = dict(book.classes)
    refused = []
    for place, one in enumerate(draws):
        after = deepcopy(book)
        code = judge_cession(after, announced, giver, taker, lots, one, terms[place] if terms else 0, now)
        if code:
            refused.append((place, code))
        else:
            book.__dict__.update(after.__dict__)
    return "", refused


def judge_cession(
    book: Book,
    announced: dict[tuple[str, int], tuple[int, int]],
    giver: str,
    taker: str,
    lots: list[Lot],
    draws: list[Draw],
    term: int,
    now: int,
) -> str:
    abroad_max, message_max, day_max = book.limits[giver]
    total = sum(cents for _, cents in draws)
    today = (giver, now // DAY_MS)
    if term and term <= now:
        return "expired"
    if total > message_max:
        return "message_limit"
    if book.ceded.get(today, 0) + total > day_max:
        return "day_limit"
    for place, _ in draws:
        lot = lots[place]
        known = announced.get((lot.issuer, lot.ref[0]))
        if known is None and lot.issuer != giver:
            return "position_too_small"
        if known is not None and known != (lot.kind, lot.month):
            return "lot_class_mismatch"
        if taker == SOUTH and lot.kind // 4 % 2 == 0:
            return "class_does_not_fit"
    home = sum(cents for place, cents in draws if lots[place].issuer == giver)
    if home and book.abroad.get(giver, 0) + home > abroad_max:
        return "abroad_limit"
    for place, cents in draws:
        lot = lots[place]
        name = (lot.issuer, lot.ref[0])
        book.road[name] = book.road.get(name, 0) + cents
        if lot.issuer == giver:
            book.abroad[giver] = book.abroad.get(giver, 0) + cents
            book.classes[name] = (lot.kind, lot.month)
        else:
            book.position[(*name, giver)] = book.position.get((*name, giver), 0) - cents
            if book.position[(*name, giver)] < 0:
                return "position_too_small"
    book.ceded[today] = book.ceded.get(today, 0) + total
    return ""


def end_draws(book: Book, holder: str, lots: list[Lot], draws: list[Draw]) -> None:
    for place, cents in draws:
        lot = lots[place]
        name = (lot.issuer, lot.ref[0])
        book.road[name] -= cents
        if lot.issuer == holder:
            book.abroad[holder] -= cents
        else:
            book.position[(*name, holder)] = book.position.get((*name, holder), 0) + cents


lots_ = st.lists(
    st.builds(
        lambda issuer, number, kind, month: Lot(issuer, bytes([number]) * 16, kind, month),
        st.sampled_from([BREST, LYON]),
        st.integers(1, 2),
        st.sampled_from([5, 5, 5, 1]),
        st.sampled_from([202611, 202611, 202611, 202612]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda lot: (lot.issuer, lot.ref),
)


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str, list[Lot], list[list[Draw]], list[int], int]:
    lots = draw(lots_)
    one = st.lists(st.tuples(st.integers(0, len(lots) - 1), st.integers(1, 40)), min_size=1, max_size=3)
    draws = draw(st.lists(one, min_size=1, max_size=4))
    now = draw(st.sampled_from([DAY_MS, DAY_MS + 1, 2 * DAY_MS]))
    terms = draw(
        st.one_of(
            st.just([]),
            st.lists(st.sampled_from([0, now, now + 1]), min_size=len(draws), max_size=len(draws)),
        )
    )
    giver = draw(st.sampled_from([BREST, BREST, BREST, LYON, LYON, LILLE, SOUTH, NOBODY]))
    taker = draw(st.sampled_from([BREST, LYON, LYON, LILLE, SOUTH, HUB, NOBODY]))
    return giver, taker, lots, draws, terms, now


def to_cede(lots: list[Lot], draws: list[list[Draw]], terms: list[int]) -> Cede:
    return Cede(
        lots=tuple(lots),
        counts=() if all(len(one) == 1 for one in draws) else tuple(map(len, draws)),
        lot_places=tuple(place for one in draws for place, _ in one),
        cents=tuple(cents for one in draws for _, cents in one),
        terms=tuple(terms),
        seal_key=bytes(8),
        commit=bytes(32),
    )


def assert_same(book: Book, positions: Positions, road: dict[tuple[str, int], int]) -> None:
    def told(rows: dict[object, int]) -> dict[object, int]:
        return {key: cents for key, cents in rows.items() if cents}

    cents = {(key[0], key[1][0], holder): amount for (key, holder), amount in positions.cents.items()}
    assert told(cents) == told(book.position)  # type: ignore[arg-type]
    assert told(positions.abroad) == told(book.abroad)  # type: ignore[arg-type]
    assert told(positions.ceded) == told(book.ceded)  # type: ignore[arg-type]
    assert told(road) == told(book.road)  # type: ignore[arg-type]
    assert {(key[0], key[1][0]): told_class for key, told_class in positions.lots.items()} == book.classes
    for issuer in (BREST, LYON):
        out = sum(amount for (of, _, _), amount in cents.items() if of == issuer)
        out += sum(amount for (of, _), amount in road.items() if of == issuer)
        assert positions.abroad.get(issuer, 0) == out
    assert min([0, *cents.values(), *road.values(), *positions.abroad.values()]) == 0


limits_ = st.tuples(*[st.sampled_from([10, 50, 150, 10**6])] * 3)
status_ = st.sampled_from(["active", "active", "active", "active", "suspended", "enrolled"])


@settings(max_examples=150)
@given(st.data())
def test_any_story_of_slips_and_endings_moves_exactly_what_the_oracle_moves(data: st.DataObject) -> None:
    codes = (BREST, LYON, LILLE, SOUTH, HUB)
    book = Book(
        limits={code: data.draw(limits_) for code in codes},
        status={code: "active" if code == HUB else data.draw(status_) for code in codes},
    )
    members = {
        code: Member(
            code,
            code,
            KINDS.get(code, MemberKind.TERRITORY),
            MemberStatus(book.status[code]),
            (),
            limits=Limits(*book.limits[code]),
        )
        for code in codes
    }
    positions = Positions(members)
    road: dict[tuple[str, int], int] = {}

    def move(outcome: Outcome) -> None:
        apply_outcome(positions, outcome)
        for key, cents in outcome.transit.items():
            name = (key[0], key[1][0])
            road[name] = road.get(name, 0) + cents

    for _ in range(data.draw(st.integers(1, 6))):
        giver, taker, lots, draws, terms, now = data.draw(slips())
        cede = to_cede(lots, draws, terms)
        before = deepcopy((positions.cents, positions.lots, positions.abroad, positions.ceded))
        outcome = clear(positions, Ceded(giver, taker, cede, Instant(now)))
        assert (positions.cents, positions.lots, positions.abroad, positions.ceded) == before
        expected = judge_slip(book, giver, taker, lots, draws, terms, now)
        assert (outcome.slip_code, list(outcome.refused)) == expected
        move(outcome)
        assert_same(book, positions, road)
        if outcome.slip_code:
            continue
        cleared = sorted(set(range(len(draws))) - {place for place, _ in outcome.refused})
        fates = {place: data.draw(st.sampled_from(["delivered", "restored", "on the way"])) for place in cleared}
        delivered = frozenset(place for place, fate in fates.items() if fate == "delivered")
        restored = frozenset(place for place, fate in fates.items() if fate == "restored")
        move(clear(positions, Ended(giver, taker, cede, delivered=delivered, restored=restored)))
        for place in sorted(delivered):
            end_draws(book, taker, lots, draws[place])
        for place in sorted(restored):
            end_draws(book, giver, lots, draws[place])
        assert_same(book, positions, road)


@given(slips(), st.data())
def test_cents_by_lot_are_the_sum_of_the_chosen_draws(
    made: tuple[str, str, list[Lot], list[list[Draw]], list[int], int], data: st.DataObject
) -> None:
    _giver, _taker, lots, draws, _terms, _now = made
    chosen = data.draw(st.sets(st.integers(0, len(draws) - 1)))
    expected: dict[tuple[str, bytes], int] = {}
    for place in chosen:
        for lot_place, cents in draws[place]:
            key = (lots[lot_place].issuer, lots[lot_place].ref)
            expected[key] = expected.get(key, 0) + cents
    assert sum_by_lot(to_cede(lots, draws, []), chosen) == expected


def test_a_broken_book_is_a_bug_and_says_so() -> None:
    with pytest.raises(ValueError):
        apply_outcome(Positions({}), Outcome(cents={((BREST, bytes(16)), LYON): -1}))


def test_rights_of_another_may_go_home_though_the_givers_own_limit_was_lowered() -> None:
    lot = Lot(LYON, bytes([1]) * 16, 5, 202611)
    active = {
        code: Member(code, code, MemberKind.TERRITORY, MemberStatus.ACTIVE, (), limits=Limits(1, 100, 100))
        for code in (BREST, LYON)
    }
    key = (LYON, lot.ref)
    positions = Positions(active, {(key, BREST): 10}, {key: (5, 202611)}, {BREST: 50, LYON: 10})
    outcome = clear(positions, Ceded(BREST, LYON, to_cede([lot], [[(0, 10)]], []), Instant(0)))
    assert outcome.refused == ()


@pytest.mark.parametrize(("abroad", "cents", "refused"), [(0, 50, ()), (0, 51, (0,)), (40, 10, ()), (40, 11, (0,))])
def test_rights_of_an_issuer_abroad_reach_its_limit_and_no_further(
    abroad: int, cents: int, refused: tuple[int, ...]
) -> None:
    lot = Lot(BREST, bytes([1]) * 16, 5, 202611)
    active = {
        code: Member(code, code, MemberKind.TERRITORY, MemberStatus.ACTIVE, (), limits=Limits(50, 100, 100))
        for code in (BREST, LYON)
    }
    outcome = clear(
        Positions(active, abroad={BREST: abroad}), Ceded(BREST, LYON, to_cede([lot], [[(0, cents)]], []), Instant(0))
    )
    assert (outcome.slip_code, list(outcome.refused)) == ("", [(place, "abroad_limit") for place in refused])


def test_what_was_decided_once_moves_again_what_it_moved() -> None:
    home, far = Lot(BREST, bytes([1]) * 16, 5, 202611), Lot(LYON, bytes([2]) * 16, 4, 202612)
    cede = to_cede([home, far], [[(0, 10)], [(1, 7)], [(0, 5)]], [])
    key, other = (BREST, home.ref), (LYON, far.ref)
    assert repeat(BREST, cede, "to_itself", ()) == Outcome(slip_code="to_itself")
    refused = ((2, "abroad_limit"),)
    assert repeat(BREST, cede, "", refused) == Outcome(
        refused=refused,
        cents={(other, BREST): -7},
        abroad={BREST: 10},
        lots={key: (5, 202611), other: (4, 202612)},
        transit={key: 10, other: 7},
    )
    rest = repeat(BREST, cede, "", ((0, "x"), (2, "x")))
    assert (rest.abroad, rest.lots, rest.transit) == ({}, {other: (4, 202612)}, {other: 7})


ACTIVE = {
    code: Member(code, code, MemberKind.TERRITORY, MemberStatus.ACTIVE, (), limits=Limits(50, 20, 100))
    for code in (BREST, LYON)
}
HOME, FAR = Lot(BREST, bytes([1]) * 16, 5, 202611), Lot(LYON, bytes([2]) * 16, 5, 202611)


def refusals(draws: list[list[Draw]], terms: list[int] | None = None, *, now: int = 1, held: int = 0) -> list[object]:
    """What Brest is refused, giving of its own lot (0) and of one of Lyon (1) of which it holds `held`."""
    key = (FAR.issuer, FAR.ref)
    positions = Positions(ACTIVE, {(key, BREST): held} if held else {}, {key: (5, 202611)}, {LYON: held})
    outcome = clear(positions, Ceded(BREST, LYON, to_cede([HOME, FAR], draws, terms or []), Instant(now)))
    assert outcome.slip_code == ""
    return list(outcome.refused)


def test_nothing_is_given_of_a_lot_that_is_known_and_not_held() -> None:
    assert refusals([[(1, 1)]]) == [(0, "position_too_small")]
    assert refusals([[(1, 1)]], held=1) == []
    assert refusals([[(1, 1)], [(1, 1)]], held=1) == [(1, "position_too_small")]


def test_a_term_is_any_instant_after_the_first_and_none_is_no_term() -> None:
    assert refusals([[(0, 1)]], [1]) == [(0, "expired")]
    assert refusals([[(0, 1)]], [1], now=0) == []
    assert refusals([[(0, 1)]], [0]) == []
    assert refusals([[(0, 1)], [(0, 21)]], [1, 0]) == [(0, "expired"), (1, "message_limit")]


def test_the_limit_of_one_cession_counts_all_its_draws() -> None:
    assert refusals([[(0, 11), (0, 9)]]) == []
    assert refusals([[(0, 11), (0, 10)]]) == [(0, "message_limit")]
    assert refusals([[(0, 11)], [(0, 10)]]) == []


def test_rights_abroad_grow_with_each_cession_of_a_slip() -> None:
    assert refusals([[(0, 20)], [(0, 20)], [(0, 10)]]) == []
    assert refusals([[(0, 20)], [(0, 20)], [(0, 11)], [(0, 10)], [(0, 1)]]) == [
        (2, "abroad_limit"),
        (4, "abroad_limit"),
    ]


def test_a_conversion_draws_on_lots_of_its_taker_only() -> None:
    keys = [(lot.issuer, lot.ref) for lot in (FAR, HOME)]
    positions = Positions(ACTIVE, {(keys[0], BREST): 9}, dict.fromkeys(keys, (5, 202611)), {LYON: 9})
    draws = [[(0, 1)], [(1, 4)], [(0, 2), (1, 1)], [(0, 3)]]
    asked = Ceded(BREST, LYON, to_cede([FAR, HOME], draws, []), Instant(1), is_conversion=True)
    outcome = clear(positions, asked)
    assert outcome.refused == ((1, "not_the_issuer"), (2, "not_the_issuer"))
    assert outcome.cents == {(keys[0], BREST): -4}
    assert not outcome.abroad
    assert outcome.transit == {keys[0]: 4}


def test_an_unknown_lot_of_another_is_no_conversion_of_the_takers() -> None:
    positions = Positions(ACTIVE, {}, {}, {})
    asked = Ceded(BREST, LYON, to_cede([HOME], [[(0, 1)]], []), Instant(1), is_conversion=True)
    assert clear(positions, asked).refused == ((0, "not_the_issuer"),)
