"""Guides, members and consent against a plain model: sets and days. Whatever happens, both refuse by the same code, the group
holds the same cents, and the base's own checks find nothing.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16
from tests.guides.world import Village

FIRST = 18  # of November 2026, when the story begins
HELD = 1_000


@dataclass
class Guide:
    id: Id16
    first: int
    last: int
    is_ended: bool = False


@dataclass
class Given:
    """`member` None: a paper."""

    id: Id16
    guide: Id16
    member: AccountNumber | None
    first: int
    last: int
    is_withdrawn: bool = False


@dataclass
class Model:
    day: int = FIRST
    held: int = HELD
    members: set[AccountNumber] = field(default_factory=set)
    guides: list[Guide] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)

    def hinder(self, guide: Guide) -> str:
        """Say why a guide may not act today, or nothing."""
        if guide.is_ended or not guide.first <= self.day <= guide.last:
            return "guide_not_accredited"
        holds = [
            one
            for one in self.given
            if one.guide == guide.id and not one.is_withdrawn and one.first <= self.day <= one.last
        ]
        if any(one.member is None for one in holds):
            return ""
        behind = {one.member for one in holds} & self.members
        return "" if 2 * len(behind) > len(self.members) else "consent_missing"


class Guiding(RuleBasedStateMachine):
    """One group, four people who come and go, guides for some days each."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.village = Village(f"sqlite:///{Path(self.folder.name) / 'accounts.db'}")
        self.model = Model()
        self.people = [self.village.open() for _ in range(4)]
        self.village.give(HELD)
        _, self.project = self.village.project(until=20281231)
        self.directed: list[tuple[bytes, int]] = []

    def code(self, do: object, *arguments: object) -> str:
        try:
            do(*arguments)  # type: ignore[operator]
        except Refusal as refusal:
            return refusal.code
        return ""

    @rule(first=st.integers(-1, 2), days=st.integers(0, 4))
    def accredit(self, first: int, days: int) -> None:
        first += self.model.day
        if len(self.model.guides) < 3 and first + days <= 30:
            id_ = self.village.accredit(from_day=20261100 + first, until_day=20261100 + first + days)
            self.model.guides.append(Guide(id_, first, first + days))

    @precondition(lambda self: self.model.guides)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        guide = data.draw(st.sampled_from(self.model.guides))
        self.village.end(guide.id)
        guide.is_ended = True

    @rule(place=st.integers(0, 3))
    def join(self, place: int) -> None:
        person = self.people[place]
        expected = "group_member_known" if person in self.model.members else ""
        assert self.code(self.village.join, person) == expected
        self.model.members.add(person)

    @precondition(lambda self: self.model.members)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(sorted(self.model.members)))
        self.village.leave(person)
        self.model.members.discard(person)
        for one in self.model.given:
            one.is_withdrawn |= one.member == person

    @precondition(lambda self: self.model.guides)
    @rule(data=st.data(), place=st.none() | st.integers(0, 3), days=st.integers(1, 3))
    def consent(self, data: st.DataObject, place: int | None, days: int) -> None:
        guide = data.draw(st.sampled_from(self.model.guides))
        member = None if place is None else self.people[place]
        is_refused = guide.is_ended or self.model.day > guide.last
        is_refused |= member is not None and member not in self.model.members
        op = self.village.id()
        give = partial(self.village.consent, guide.id, member or "", days=days, op=op)
        assert self.code(give) == ("consent_refused" if is_refused else "")
        if not is_refused:
            self.model.given.append(Given(op, guide.id, member, self.model.day, self.model.day + days - 1))

    @precondition(lambda self: self.model.given)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        given = data.draw(st.sampled_from(self.model.given))
        self.village.withdraw(given.id)
        given.is_withdrawn = True

    @precondition(lambda self: self.model.day < 29)
    @rule()
    def sleep(self) -> None:
        self.village.later(1)
        self.model.day += 1

    @precondition(lambda self: self.model.guides)
    @rule(data=st.data(), cents=st.integers(1, 50), is_cession=st.booleans())
    def act(self, data: st.DataObject, cents: int, is_cession: bool) -> None:
        for guide in self.model.guides:  # each of them: who may and who may not
            hindrance = self.model.hinder(guide)
            op = self.village.id()
            move, to = (
                (self.village.cede, self.people[0])
                if is_cession
                else (self.village.orient, AccountNumber(self.project))
            )
            assert self.code(partial(move, guide.id, to, cents, id=op)) == hindrance
            if not hindrance:
                self.model.held -= cents
                self.directed += [] if is_cession else [(op, cents)]
        if self.directed and self.model.guides:
            guide = data.draw(st.sampled_from(self.model.guides))
            hindrance = self.model.hinder(guide)
            op, back = self.directed[-1]
            assert self.code(self.village.back, guide.id, op) == hindrance
            if not hindrance:
                self.directed.pop()
                self.model.held += back
        assert self.village.balance(self.village.group) == self.model.held

    def teardown(self) -> None:
        if hasattr(self, "village"):
            findings = self.village.findings()
            self.village.close()
            self.folder.cleanup()
            assert findings == []


TestGuiding = Guiding.TestCase
TestGuiding.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
