"""Offers and applications against plain models; distances and matches said again."""

from __future__ import annotations

import dataclasses
import datetime
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.governance.passes.errors import ApplicationStepRefused, InvalidOffer, OfferFull, OfferStepRefused
from node.governance.skills import SkillCode
from node.governance.skills_store import load_skills
from node.governance.volunteering import offers
from node.governance.volunteering.matching import Wishes, match_offers
from node.governance.volunteering.offers import (
    NEXT_APPLICATION,
    NEXT_OFFER,
    Application,
    ApplicationEvent,
    ApplicationState,
    Domain,
    Offer,
    OfferEvent,
    OfferState,
    Remote,
    accept,
    advance_application,
    advance_offer,
    leave,
)
from node.governance.volunteering.places import Place, compute_distance
from protocol.errors import Refusal
from protocol.identifiers import Id16, make_account_number

BREST = Place(code="29019", name="Brest", latitude=48_390_394, longitude=-4_486_076)
PLOUZANE = Place(code="29212", name="Plouzané", latitude=48_381_100, longitude=-4_620_200)
PARIS = Place(code="75056", name="Paris", latitude=48_856_613, longitude=2_352_222)
PODOR = Place(code="SN-POD1", name="Podor", latitude=16_650_000, longitude=-14_966_667)
NEW_YORK = Place(code="US-NYC", name="New York", latitude=40_712_800, longitude=-74_006_000)
TODAY = datetime.date(2026, 11, 28)
SKILLS = load_skills()
INSTRUCT, TEACHING = SkillCode("esco:699e7c26-6502-4e78-a823-3656ff5a5b8b"), SkillCode("esco:S1.3")
FIRST_AID = SkillCode("rome:300045")


def make_offer(number: int = 1, **changes: Any) -> Offer:
    told: dict[str, Any] = {
        "id": Id16(number.to_bytes(16, "big")),
        "project": Id16(b"a project of 16."),
        "title": "Planter un verger",
        "words": "Deux matinées avec les classes.",
        "domain": Domain.ENVIRONMENT,
        "remote": Remote.NO,
        "place": BREST,
        "first_on": datetime.date(2026, 12, 1),
        "last_on": datetime.date(2026, 12, 20),
        "minutes": 360,
        "places": 2,
        "state": OfferState.OPEN,
    }
    return Offer(**{**told, **changes})


def make_application(number: int = 1, **changes: Any) -> Application:
    return Application(
        id=Id16(number.to_bytes(16, "big")),
        offer=make_offer().id,
        account=make_account_number(b"an account " + number.to_bytes(8, "big")),
        **changes,
    )


# ---------------------------------------------------------------- distances


@pytest.mark.parametrize(
    ("first", "second", "kilometres"),
    [(BREST, PARIS, 505), (PARIS, NEW_YORK, 5_837), (BREST, PLOUZANE, 10), (PARIS, PARIS, 0)],
)
def test_known_distances(first: Place, second: Place, kilometres: int) -> None:
    assert round(compute_distance(first, second) / 1_000) == kilometres


places = st.builds(
    Place,
    code=st.just("29019"),
    name=st.just("x"),
    latitude=st.integers(-90_000_000, 90_000_000),
    longitude=st.integers(-180_000_000, 180_000_000),
)


def by_vectors(first: Place, second: Place) -> float:
    """The same by the angle between two directions from the centre: another formula, sound for far places too."""

    def direction(place: Place) -> tuple[float, float, float]:
        up, across = math.radians(place.latitude / 1e6), math.radians(place.longitude / 1e6)
        return math.cos(up) * math.cos(across), math.cos(up) * math.sin(across), math.sin(up)

    a, b = direction(first), direction(second)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return 6_371_009 * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))


@settings(max_examples=100, deadline=None)
@given(places, places)
def test_distances_are_those_of_another_formula_and_the_same_both_ways(first: Place, second: Place) -> None:
    metres = compute_distance(first, second)
    assert metres == compute_distance(second, first)
    assert abs(metres - by_vectors(first, second)) <= 1


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "2901"},
        {"code": "29O19"},
        {"name": ""},
        {"latitude": 90_000_001},
        {"latitude": 48.4},
        {"longitude": -180_000_001},
    ],
)
def test_what_is_no_place_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidOffer):
        dataclasses.replace(BREST, **changes)


# ---------------------------------------------------------------- matching


def wish(**changes: Any) -> Wishes:
    return Wishes(**{"home": PLOUZANE, "radius": 20_000, "skills": (INSTRUCT,), "today": TODAY, **changes})


def found(wishes: Wishes, *given_offers: Offer) -> list[int]:
    return [match.offer.id[-1] for match in match_offers(wishes, given_offers, SKILLS)]


def test_near_offers_with_their_reasons_the_best_first() -> None:
    told = match_offers(
        wish(),
        [
            make_offer(1),
            make_offer(2, wanted=(TEACHING,)),
            make_offer(3, needed=(INSTRUCT,)),
            make_offer(4, place=PLOUZANE),
            make_offer(5, remote=Remote.FULL, place=None),
        ],
        SKILLS,
    )
    assert [match.offer.id[-1] for match in told] == [3, 2, 4, 1, 5]
    assert [(one.asked, one.held, one.steps) for one in told[1].met] == [(TEACHING, INSTRUCT, 1)]
    assert told[2].metres == 0
    assert told[4].metres is None


@pytest.mark.parametrize(
    "changes",
    [
        {"place": PARIS},
        {"needed": (FIRST_AID,)},
        {"last_on": TODAY - datetime.timedelta(days=1), "first_on": datetime.date(2026, 11, 1)},
        *({"state": state} for state in OfferState if state is not OfferState.OPEN),
    ],
)
def test_what_does_not_fit_is_left_out(changes: dict[str, Any]) -> None:
    assert found(wish(), make_offer(1, **changes)) == []


def test_a_wider_skill_does_not_answer_to_a_narrower_one() -> None:
    assert found(wish(skills=(TEACHING,)), make_offer(needed=(INSTRUCT,))) == []
    assert found(wish(skills=(TEACHING,)), make_offer(wanted=(INSTRUCT,))) == [1]


def test_what_can_be_done_from_afar_has_no_distance() -> None:
    far = make_offer(remote=Remote.POSSIBLE, place=PARIS)
    (match,) = match_offers(wish(), [far], SKILLS)
    assert match.metres is None
    assert found(wish(takes_remote=False), far) == []
    assert found(wish(radius=600_000, takes_remote=False), far) == [1]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda place, needed, wanted: (place, needed, wanted),
            st.sampled_from([BREST, PLOUZANE, PARIS, PODOR]),
            st.sets(st.sampled_from([INSTRUCT, TEACHING, FIRST_AID]), max_size=2),
            st.sets(st.sampled_from([SkillCode("esco:S1"), SkillCode("esco:S4.5")]), max_size=2),
        ),
        max_size=6,
    ),
    st.integers(0, 5_000_000),
    st.sets(st.sampled_from([INSTRUCT, TEACHING, FIRST_AID, SkillCode("rome:300031")])),
    st.randoms(use_true_random=False),
)
def test_matches_are_those_of_a_plain_look_and_do_not_depend_on_the_order(
    told: list[Any], radius: int, held: set[SkillCode], chance: Any
) -> None:
    made = [
        make_offer(at, place=place, needed=tuple(sorted(needed)), wanted=tuple(sorted(wanted)))
        for at, (place, needed, wanted) in enumerate(told, 1)
    ]
    wishes = wish(radius=radius, skills=tuple(sorted(held)))
    covered = {wider for code in held for wider in SKILLS.widen(code)}
    plain = {
        offer.id[-1]
        for offer in made
        if offer.place is not None and by_vectors(PLOUZANE, offer.place) <= radius and set(offer.needed) <= covered
    }
    ordered = found(wishes, *made)
    assert set(ordered) == plain
    chance.shuffle(made)
    assert found(wishes, *made) == ordered
    met = {match.offer.id: {one.asked for one in match.met} for match in match_offers(wishes, made, SKILLS)}
    assert all(met[offer.id] == {*offer.needed, *offer.wanted} & covered for offer in made if offer.id in met)


# ---------------------------------------------------------------- lives


@pytest.mark.parametrize("state", OfferState)
@pytest.mark.parametrize("event", OfferEvent)
def test_an_offer_takes_the_steps_of_its_table_and_no_other(state: OfferState, event: OfferEvent) -> None:
    offer = make_offer(state=state)
    after = NEXT_OFFER[state].get(event)
    if after is None:
        with pytest.raises(OfferStepRefused):
            advance_offer(offer, event)
    else:
        assert advance_offer(offer, event).state is after
        assert (advance_offer(offer, event) is offer) is (after is state)


def test_what_has_ended_stays_so() -> None:
    for state in (OfferState.ENDED, OfferState.WITHDRAWN):
        assert set(NEXT_OFFER[state].values()) == {state}
    for state in (ApplicationState.DECLINED, ApplicationState.LEFT, ApplicationState.DONE, ApplicationState.ABSENT):
        assert set(NEXT_APPLICATION[state].values()) == {state}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["accept", "leave", "decline", "done"]), st.integers(0, 3)), max_size=20))
def test_no_more_are_placed_than_there_are_places(steps: list[tuple[str, int]]) -> None:
    offer = make_offer(places=2)
    known = [make_application(number) for number in range(1, 5)]
    states = ["sent"] * 4  # said again
    for step, who in steps:
        placed = sum(state in {"accepted", "done"} for state in states)
        before = (offer, list(known))
        try:
            if step == "accept":
                offer, known[who] = accept(offer, known[who], placed=placed)
                assert states[who] == "accepted" or (states[who] == "sent" and placed < 2)
                states[who] = "accepted"
            elif step == "leave":
                offer, known[who] = leave(offer, known[who])
                assert states[who] in {"sent", "accepted", "left"}
                states[who] = "left"
            elif step == "decline":
                known[who] = advance_application(known[who], ApplicationEvent.DECLINED, reason="not this time")
                assert states[who] in {"sent", "declined"}
                states[who] = "declined"
            else:
                known[who] = advance_application(known[who], ApplicationEvent.DONE)
                assert states[who] in {"accepted", "done"}
                states[who] = "done"
        except (OfferFull, OfferStepRefused, ApplicationStepRefused):
            assert (offer, known) == before
            assert not (step == "accept" and states[who] == "sent" and placed < 2)
        assert [one.state for one in known] == states
        placed = sum(state in {"accepted", "done"} for state in states)
        assert (offer.state is OfferState.FULL) is (placed == 2)


@pytest.mark.parametrize("state", [OfferState.OPEN, OfferState.FULL])
def test_who_comes_too_late_is_told_that_every_place_is_taken(state: OfferState) -> None:
    with pytest.raises(OfferFull) as refusal:
        accept(make_offer(places=1, state=state), make_application(), placed=1)
    assert refusal.value.facts == {"places": 1}


def test_only_an_offer_that_runs_is_applied_to() -> None:
    assert offers.apply(make_offer(), make_application(), today=TODAY) == make_application()
    offers.apply(make_offer(state=OfferState.FULL), make_application(), today=TODAY)
    for offer, today in (
        (make_offer(state=OfferState.DRAFT), TODAY),
        (make_offer(state=OfferState.ENDED), TODAY),
        (make_offer(), datetime.date(2026, 12, 21)),
    ):
        with pytest.raises(OfferStepRefused):
            offers.apply(offer, make_application(), today=today)
    with pytest.raises(InvalidOffer):
        offers.apply(make_offer(2), make_application(), today=TODAY)


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_offer(title=""),
        lambda: make_offer(words="a\nb"),
        lambda: make_offer(remote=Remote.FULL),
        lambda: make_offer(place=None),
        lambda: make_offer(last_on=datetime.date(2026, 11, 30)),
        lambda: make_offer(minutes=0),
        lambda: make_offer(places=1_001),
        lambda: make_offer(needed=(INSTRUCT,), wanted=(INSTRUCT,)),
        lambda: make_application(reason="why"),
        lambda: make_application(words="x" * 4_001),
        lambda: advance_application(make_application(), ApplicationEvent.DECLINED),
        lambda: advance_application(make_application(), ApplicationEvent.ACCEPTED, reason="because"),
        lambda: wish(radius=-1),
    ],
)
def test_what_no_offer_or_application_can_say_is_refused(make: Any) -> None:
    with pytest.raises(Refusal):
        make()
