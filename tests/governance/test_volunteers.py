"""Volunteering in the projects' base: from an offer near home to hours in a pass, and places that are never taken twice."""

from __future__ import annotations

import dataclasses
import datetime
import random
from collections.abc import Sequence
from typing import Any

import pytest

from node.governance.attestations import AttestationKind
from node.governance.bearers import ProofKind, Registry
from node.governance.errors import SignatureRefused
from node.governance.passes.errors import (
    ApplicationStepRefused,
    HoursRefused,
    InvalidOffer,
    InvalidSkill,
    OfferFull,
    OfferStepRefused,
    ValidatorRefused,
)
from node.governance.passes.pass_service import StepPass
from node.governance.passes.pass_store import load_pass
from node.governance.passes.passes import Duty, PassEvent, PassState
from node.governance.projects import ProjectEvent
from node.governance.skills import SkillCode
from node.governance.store import change
from node.governance.volunteering.hours import Hours, HoursState
from node.governance.volunteering.matching import Wishes
from node.governance.volunteering.offers import (
    Application,
    ApplicationEvent,
    ApplicationState,
    Domain,
    Offer,
    OfferEvent,
    OfferState,
    Remote,
)
from node.governance.volunteering.tables import told_hours
from node.governance.volunteering.volunteering_service import (
    ClaimHours,
    LeaveOffer,
    NewOffer,
    NewRequest,
    StepApplication,
    StepOffer,
    TellHours,
    find_matches,
    find_requests,
)
from node.governance.volunteering.volunteering_store import count_placed, load_application, load_offer
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import AccountNumber, Id16
from tests.governance.test_volunteering import BREST as TOWN
from tests.governance.test_volunteering import PARIS, PLOUZANE
from tests.governance.world import BREST, World

TEACHING, INSTRUCT = SkillCode("esco:S1.3"), SkillCode("esco:699e7c26-6502-4e78-a823-3656ff5a5b8b")
ASSOCIATION = "W291000001"


class Field:
    """A project that people work for, and what they do, by accounts."""

    def __init__(self, world: World, project: Id16) -> None:
        self.world, self.project = world, project
        self.desk = world.projects.volunteers

    def offering(self, **more: Any) -> Offer:
        told: dict[str, Any] = {
            "id": self.world.id(),
            "project": self.project,
            "title": "Planter un verger",
            "words": "Deux matinées avec les classes.",
            "domain": Domain.ENVIRONMENT,
            "remote": Remote.NO,
            "place": TOWN,
            "first_on": datetime.date(2026, 11, 20),
            "last_on": datetime.date(2027, 1, 20),
            "minutes": 360,
            "places": 3,
            "needed": (TEACHING,),
        }
        return Offer(**told | more)

    def offer(self, **more: Any) -> Id16:
        new = NewOffer(offer=self.offering(**more), by=ASSOCIATION)
        assert self.world.write(self.desk.offer, new) is OfferState.DRAFT
        assert self.step(new.offer.id, OfferEvent.PUBLISHED) is OfferState.OPEN
        return new.offer.id

    def step(self, offer: Id16, event: OfferEvent, **more: Any) -> OfferState:
        told: dict[str, Any] = {"id": self.world.id(), "offer": offer, "event": event, "by": ASSOCIATION}
        state: OfferState = self.world.write(self.desk.step_offers, StepOffer(**told | more))
        return state

    def apply(self, offer: Id16, account: str = "", **more: Any) -> Application:
        account = account or self.world.account()
        new = Application(id=self.world.id(), offer=offer, account=AccountNumber(account), **more)
        assert self.world.write(self.desk.apply, new) is ApplicationState.SENT
        return new

    def decide(self, application: Application, event: ApplicationEvent, **more: Any) -> ApplicationState:
        told: dict[str, Any] = {
            "id": self.world.id(),
            "application": application.id,
            "event": event,
            "by": ASSOCIATION,
        }
        state: ApplicationState = self.world.write(self.desk.step_applications, StepApplication(**told | more))
        return state

    def leave(self, application: Application) -> ApplicationState:
        asked = LeaveOffer(id=self.world.id(), application=application.id, account=application.account)
        state: ApplicationState = self.world.write(self.desk.leave, asked)
        return state

    def tell(self, application: Application, day: int, minutes: int, account: str = "", **more: Any) -> Id16:
        hours = Hours(id=more.pop("id", None) or self.world.id(), on_day=day, minutes=minutes, words="planté")
        told = TellHours(hours=hours, application=application.id, account=AccountNumber(account or application.account))
        assert self.world.write(self.desk.tell_hours, told) is HoursState.TOLD
        return hours.id

    def judge(self, hours: Id16, reason: str = "", by: str = "") -> HoursState:
        speaker = by or self.world.speaker(self.world.bearer_of(self.project))
        return HoursState(self.world.attest(speaker, AttestationKind.HOURS, hours, reason).state)

    def claim(self, application: Application, id_: Id16 | None = None, **more: Any) -> Any:
        told: dict[str, Any] = {
            "id": id_ or self.world.id(),
            "application": application.id,
            "role": "Encadrante du chantier",
            "duty": Duty.SUPERVISING,
        }
        return self.world.write(self.desk.claim, ClaimHours(**told | more))

    def state(self, offer: Id16) -> OfferState:
        found: Offer = self.world.read(lambda line: load_offer(line, offer))
        return found.state


@pytest.fixture
async def field(world: World) -> Field:
    committee = world.committee()
    project = world.propose(world.bearer())
    await world.open(project, list(committee))
    return Field(world, project)


async def test_hours_that_the_bearer_confirmed_become_a_pass_that_counts_for_the_year(field: Field) -> None:
    world, passes = field.world, field.world.projects.passes
    offer = field.offer(first_on=datetime.date(2026, 3, 1))
    volunteer = field.apply(offer)
    with pytest.raises(HoursRefused, match="sent"):
        field.tell(volunteer, 20261124, 60)
    assert field.decide(volunteer, ApplicationEvent.ACCEPTED) is ApplicationState.ACCEPTED
    confirmed = [field.tell(volunteer, day, 14 * 60) for day in range(20261110, 20261126)]
    assert {field.judge(one) for one in confirmed} == {HoursState.CONFIRMED}
    assert field.judge(field.tell(volunteer, 20261126, 60), "nobody came") is HoursState.REFUSED
    field.tell(volunteer, 20261127, 60)  # nobody looked at it yet
    other = world.speaker(world.bearer(Registry("W291000009")))
    with pytest.raises(SignatureRefused, match="another body"):
        field.judge(confirmed[0], by=other)
    with pytest.raises(HoursRefused, match="confirmed already"):
        field.judge(confirmed[0], "too much")
    request = world.id()
    claimed = field.claim(volunteer, request)
    assert field.claim(volunteer, request) == claimed
    with pytest.raises(IdMismatch):
        field.claim(volunteer, request, role="Autre")
    with pytest.raises(HoursRefused, match="no confirmed hours"):
        field.claim(volunteer)
    kept = world.read(lambda line: load_pass(line, claimed.pass_id, home=BREST)).value
    assert kept.work.minutes == ((2026, 16 * 14 * 60),)
    assert (kept.work.first_on, kept.work.last_on) == (datetime.date(2026, 11, 10), datetime.date(2026, 11, 25))
    assert (kept.holder.account, kept.work.skills, kept.work.tasks) == (
        volunteer.account,
        (TEACHING,),
        "Planter un verger",
    )
    world.attest(world.speaker(world.bearer_of(field.project)), AttestationKind.WORK, claimed.pass_id)
    for name in ("citizens-1", "companies-1"):
        world.attest(name, AttestationKind.VALIDATION, claimed.pass_id)
    assert await passes.issue(world.id(), claimed.pass_id) is PassState.ISSUED
    [row] = await passes.tell_year(2026)
    assert (row.minutes, row.counts, row.has_reached) == (16 * 14 * 60, False, False)  # declared in this very year
    older = dataclasses.replace(
        world.proof(world.bearer_of(field.project), ProofKind.STATUTES, 20271231), issued_on=20240101
    )
    world.write(world.projects.signers.add_proofs, older)
    [row] = await passes.tell_year(2026)
    assert (row.counts, row.minutes_that_count, row.has_reached) == (True, 16 * 14 * 60, True)
    assert (row.issued.holder.account, row.issued.id) == (volunteer.account, claimed.pass_id)
    assert field.decide(volunteer, ApplicationEvent.DONE) is ApplicationState.DONE
    # A hand that knows of seals is found too: the pass does not say these minutes, nor did the bearer.
    for minutes, places in ((14 * 60 + 1, {"passes", "attestations"}), (14 * 60, set())):

        def alter(page: Page, items: Sequence[int]) -> list[int]:
            return [change(page.connection, told_hours, told_hours.c.id == confirmed[0], minutes=one) for one in items]

        world.write(alter, minutes)
        assert {one.place.partition(" ")[0] for one in world.find_wrongs()} == places


async def test_hours_of_a_refused_pass_may_be_claimed_again_and_a_group_shares_one_pass(field: Field) -> None:
    world, offer = field.world, field.offer(places=30)
    group = field.apply(offer, people=24, label="Classe de CM2")
    field.decide(group, ApplicationEvent.ACCEPTED)
    with pytest.raises(HoursRefused, match="1440 minutes for each of 24"):
        field.tell(group, 20261124, 24 * 1440 + 1)
    told = field.tell(group, 20261124, 24 * 90)
    with pytest.raises(HoursRefused, match="a day has"):
        field.tell(group, 20261124, 24 * 1440 - 24 * 90 + 1)
    for day in (20261119, 20270121, 20261202):
        with pytest.raises(HoursRefused, match="a day"):
            field.tell(group, day, 60)
    with pytest.raises(ValidatorRefused):
        field.tell(group, 20261125, 60, account=world.account())
    with pytest.raises(IdMismatch):
        field.tell(group, 20261124, 61, id=told)
    field.judge(told)
    first = field.claim(group)
    refused = StepPass(id=world.id(), pass_id=first.pass_id, event=PassEvent.REFUSED, reason="the wrong role")
    world.write(world.projects.passes.desk.step, refused)
    again = field.claim(group, role="Jardiniers")
    assert again.pass_id != first.pass_id
    kept = world.read(lambda line: load_pass(line, again.pass_id, home=BREST)).value
    assert (kept.holder.people, kept.holder.label, kept.work.total) == (24, "Classe de CM2", 24 * 90)


async def test_offers_and_requests_find_each_other_near_home_and_by_skill(field: Field) -> None:
    world, today = field.world, datetime.date(2026, 12, 1)
    near, full = field.offer(), field.offer(places=1)
    far = field.offer(remote=Remote.POSSIBLE, place=PARIS, needed=())
    field.decide(field.apply(full), ApplicationEvent.ACCEPTED)

    def find(people: int = 1, **more: Any) -> list[bytes]:
        wishes = Wishes(**{"home": PLOUZANE, "radius": 20_000, "skills": (INSTRUCT,), "today": today} | more)
        return [one.offer.id for one in world.read(lambda line: find_matches(line, wishes, people=people))]

    assert find() == [near, far]
    assert find(skills=()) == [far]
    assert find(takes_remote=False) == [near]
    assert find(people=4) == []

    def ask(**more: Any) -> Id16:
        told: dict[str, Any] = {
            "id": world.id(),
            "account": world.account(),
            "home": PLOUZANE,
            "radius": 20_000,
            "skills": (INSTRUCT,),
            "takes_remote": False,
            "people": 1,
            "until_day": 20261231,
        }
        asked: Id16 = world.write(world.projects.volunteers.request, NewRequest(**told | more))
        return asked

    one = ask()
    ask(skills=())
    ask(people=9)
    ask(home=PARIS)
    gone = ask()
    world.write(world.projects.volunteers.close_requests, gone)
    assert [bytes(match.request.id) for match in world.read(lambda line: find_requests(line, near, 20261201))] == [one]
    assert world.read(lambda line: find_requests(line, near, 20270101)) == []
    with pytest.raises(InvalidSkill):
        ask(skills=(SkillCode("esco:none"),))
    with pytest.raises(InvalidOffer):
        ask(until_day=20261101)


async def test_only_the_bearer_decides_and_each_application_goes_its_way(field: Field) -> None:
    world, offer = field.world, field.offer(places=1)
    first, second = field.apply(offer), field.apply(offer)
    with pytest.raises(ApplicationStepRefused):
        field.apply(offer, first.account)
    with pytest.raises(ValidatorRefused):
        field.decide(first, ApplicationEvent.ACCEPTED, by="W291000009")
    field.decide(first, ApplicationEvent.ACCEPTED)
    assert field.state(offer) is OfferState.FULL
    with pytest.raises(OfferFull):
        field.decide(second, ApplicationEvent.ACCEPTED)
    assert field.leave(first) is ApplicationState.LEFT
    assert field.state(offer) is OfferState.OPEN
    with pytest.raises(InvalidOffer):
        field.decide(second, ApplicationEvent.DECLINED)
    assert field.decide(second, ApplicationEvent.DECLINED, reason="too young") is ApplicationState.DECLINED
    with pytest.raises(ApplicationStepRefused):
        field.decide(second, ApplicationEvent.LEFT)
    again = field.apply(offer, first.account)
    assert field.decide(again, ApplicationEvent.ACCEPTED) is ApplicationState.ACCEPTED
    with pytest.raises(ValidatorRefused):
        world.write(field.desk.offer, NewOffer(offer=field.offering(), by="W291000009"))
    with pytest.raises(InvalidOffer):
        field.step(offer, OfferEvent.WITHDRAWN)
    with pytest.raises(OfferStepRefused):
        field.step(offer, OfferEvent.REOPENED)
    draft = field.offering()
    world.write(field.desk.offer, NewOffer(offer=draft, by=ASSOCIATION))
    with pytest.raises(OfferStepRefused):
        field.apply(draft.id)
    assert field.step(draft.id, OfferEvent.WITHDRAWN, reason="no tools") is OfferState.WITHDRAWN
    world.later(days=60)
    assert await world.projects.catch_up() == 1
    assert (field.state(offer), await world.projects.catch_up()) == (OfferState.ENDED, 0)
    field.judge(field.tell(again, 20270120, 30))  # hours may be told afterwards
    other = field.offer(last_on=datetime.date(2027, 2, 28))
    world.lead(field.project, ProjectEvent.WITHDRAWN, "the land is sold")
    assert await world.projects.catch_up() == 1
    assert field.state(other) is OfferState.ENDED
    with pytest.raises(InvalidOffer):
        world.write(field.desk.offer, NewOffer(offer=field.offering(), by=ASSOCIATION))


async def test_whatever_happens_in_whatever_order_places_and_hours_are_those_of_a_plain_model(field: Field) -> None:
    world, dice = field.world, random.Random(27)
    offers = {field.offer(places=places): places for places in (1, 3, 6)}
    model: dict[Id16, tuple[Id16, int, str]] = {}  # application: offer, people, state
    made: dict[Id16, Application] = {}
    minutes: dict[Id16, int] = {}

    def held(offer: Id16) -> int:
        return sum(people for of, people, state in model.values() if of == offer and state in ("accepted", "done"))

    for _ in range(60):
        offer = dice.choice(list(offers))
        if dice.random() < 0.35 or not model:
            new = field.apply(offer, people=(people := dice.randint(1, 3)))
            model[new.id], made[new.id] = (offer, people, "sent"), new
            continue
        id_ = dice.choice(list(model))
        offer, people, state = model[id_]
        event = dice.choice(["accepted", "declined", "left", "done", "hours"])
        may = {
            "accepted": (state == "sent" and held(offer) + people <= offers[offer]) or state == "accepted",
            "declined": state in ("sent", "declined"),
            "left": state in ("sent", "accepted", "left"),
            "done": state in ("accepted", "done"),
            "hours": state in ("accepted", "done"),
        }[event]
        try:
            if event == "hours":
                field.judge(field.tell(made[id_], 20261124, 30))
                minutes[id_] = minutes.get(id_, 0) + 30
            elif event == "left":
                field.leave(made[id_])
            else:
                field.decide(made[id_], ApplicationEvent(event), **{"reason": "full"} if event == "declined" else {})
        except Refusal:
            assert not may, (event, state)
        else:
            assert may, (event, state)
            model[id_] = (offer, people, state if event == "hours" else event)
    for offer, places in offers.items():
        assert world.read(lambda line, offer=offer: count_placed(line, offer)) == held(offer) <= places
        assert field.state(offer) is (OfferState.FULL if held(offer) == places else OfferState.OPEN)
    for id_, (_, _, state) in model.items():
        assert str(world.read(lambda line, id_=id_: load_application(line, id_)).state) == state
    for id_, total in minutes.items():
        claimed = field.claim(made[id_])
        kept = world.read(lambda line, claimed=claimed: load_pass(line, claimed.pass_id, home=BREST)).value
        assert kept.work.total == total
