"""Any story of projects and votes: after every step each project stands where a plain model says, and no cent is lost.

The model is written again here, with ifs: it asks neither the table of states nor the counting of votes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from node.governance.committee_service import DeclareConflict
from node.governance.instalments import AuditVerdict
from node.governance.projects import ProjectEvent
from node.governance.projects_service import EditProject, LeadProject
from node.governance.reading_service import load_view
from node.governance.rounds_service import ConvertRound
from node.governance.sheets import BudgetLine, Milestone
from node.governance.store import list_projects
from node.governance.votes import Choice, College
from node.governance.votes_service import Session
from protocol.errors import Refusal
from protocol.house import Refused
from protocol.identifiers import Id16
from protocol.times import DAY_MS
from tests.governance.test_life import find, prove
from tests.governance.world import BREST, World, make_sheet

E = ProjectEvent
COLLEGES = [str(one) for one in College]
SHEET: dict[str, Any] = {
    "target": 100,
    "minimum": 40,
    "need_by": 20281201,
    "lines": (BudgetLine("tout", 100),),
    "milestones": (Milestone("a", 60, "x"), Milestone("b", 40, "y")),
}
which = st.integers(0, 2)
stage = st.integers(0, 7)
STORIES = int(os.environ.get("STORIES", "3"))  # a few in every run, as many as asked by hand


@dataclass
class Told:
    """A project as the model has it."""

    id: Id16
    has_bearer: bool
    state: str = "proposed"
    session: Session | None = None
    votes: dict[str, Choice] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    appealed: bool = False
    refused_at: int = 0
    support: int = 0
    converted: int = 0
    waiting_round: Id16 | None = None
    asked: int = 0
    proven: int = 0
    failed: bool = False


class Story(RuleBasedStateMachine):
    """Three projects and a committee of one member for each college; what may happen to them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(lambda name: f"sqlite:///{self.folder / name}.db")
        self.loop = asyncio.new_event_loop()
        self.told: list[Told] = []
        self.is_past = False

    def teardown(self) -> None:
        self.exchange()
        wrongs = self.world.find_wrongs()
        views = [self.world.read(lambda line: load_view(line, one.id, 20261123)) for one in self.told]  # noqa: B023
        released = {one.id: self.world.project(one.id).released for one in self.told}
        self.world.close()
        self.loop.close()
        shutil.rmtree(self.folder)
        assert wrongs == []
        for one, view in zip(self.told, views, strict=True):
            assert view.report.progress.converted == one.converted
            asked = self.world.accounts.released.get(one.id)
            if one.state == "missed" or (one.state == "withdrawn" and one.id in self.world.accounts.opened):
                assert asked is not None
                assert released[one.id] == one.support - one.converted
            else:
                assert asked is None

    def exchange(self) -> None:
        self.loop.run_until_complete(self.world.settle())

    def attempt(self, is_allowed: bool, do: Callable[[], object]) -> bool:
        """Do what the model allows, and see refused what it does not."""
        try:
            do()
        except Refusal:
            if is_allowed:
                raise
            return False
        assert is_allowed, "taken, and the model refuses it"
        return True

    @initialize(last=st.booleans(), stages=st.tuples(stage, stage, stage))
    def begin(self, last: bool, stages: tuple[int, int, int]) -> None:
        self.members = self.world.committee()
        self.people = list(self.members)
        self.bearer = self.world.bearer(until=20291231)
        for has_bearer in (True, True, last):
            id_ = self.world.propose(self.bearer if has_bearer else None, **SHEET)
            self.told.append(Told(id_, has_bearer))
        for at, steps in enumerate(stages):
            self.go_on(at, steps)

    def go_on(self, at: int, steps: int) -> None:
        """Take a project so many steps on, as its model lets it: chance alone would seldom get far."""
        for step in (self.examine, self.call, self.all_agree, self.close, self.open, self.fill, self.start)[:steps]:
            step(at)

    def fill(self, at: int) -> None:
        self.support(at, 100)

    def lead(self, one: Told, event: ProjectEvent, is_allowed: bool, after: str, reason: str = "so") -> None:
        if self.attempt(is_allowed, lambda: self.world.lead(one.id, event, reason)):
            one.state = after

    @rule(at=which)
    def examine(self, at: int) -> None:
        one = self.told[at]
        self.lead(one, E.EXAMINED, one.state == "proposed" and one.has_bearer, "under_examination")

    @rule(at=which)
    def refuse_at_the_door(self, at: int) -> None:
        one = self.told[at]
        self.lead(one, E.REFUSED, one.state == "proposed", "refused")
        if one.state == "refused" and not one.refused_at:
            one.refused_at = self.world.now

    @rule(at=which)
    def open(self, at: int) -> None:
        one = self.told[at]
        self.lead(one, E.OPENED, one.state == "validated" and not self.is_past, "open")

    @rule(at=which)
    def start(self, at: int) -> None:
        one = self.told[at]
        self.lead(one, E.STARTED, one.state == "funded", "in_progress")

    @precondition(lambda self: self.world.dice.random() < 0.1)
    @rule(at=which)
    def withdraw(self, at: int) -> None:
        one = self.told[at]
        if one.waiting_round is not None:
            self.answer(at, True)  # the accounts do what they are asked in its order
        alive = ("proposed", "under_examination", "validated", "open", "funded", "in_progress")
        self.lead(one, E.WITHDRAWN, one.state in alive, "withdrawn")

    @rule(at=which, is_money=st.booleans())
    def edit(self, at: int, is_money: bool) -> None:
        one = self.told[at]
        changed: dict[str, Any] = {"minimum": 41} if is_money else {"need": f"autre {self.world.now}"}
        sheet = make_sheet(self.bearer if one.has_bearer else None, **SHEET | changed)
        asked = EditProject(id=self.world.id(), project=one.id, sheet=sheet, by="the office")
        if self.is_past:
            is_allowed = False
        elif one.state == "validated":
            is_allowed = not is_money
        else:
            is_allowed = one.state in ("proposed", "under_examination") and one.session is None
        if is_money and is_allowed:
            return  # the model keeps one minimum
        if self.attempt(is_allowed, lambda: self.world.write(self.world.projects.projects.edit, asked)):
            one.state = "under_examination" if one.state == "validated" else one.state

    @rule(at=which)
    def appeal(self, at: int) -> None:
        one = self.told[at]
        is_allowed = one.state == "refused" and not one.appealed and self.world.now < one.refused_at + 30 * DAY_MS
        step = LeadProject(id=self.world.id(), project=one.id, event=E.APPEALED, by="someone", reason="si")
        if self.attempt(is_allowed, lambda: self.world.write(self.world.projects.projects.appeal, step)):
            one.state, one.appealed = "under_examination", True

    # Votes.

    @rule(at=which)
    def call(self, at: int) -> None:
        one = self.told[at]
        is_allowed = one.state == "under_examination" and one.session is None and one.has_bearer

        def do() -> None:
            one.session = self.world.call(one.id)
            one.votes = {}

        self.attempt(is_allowed, do)

    @rule(at=which, who=st.lists(st.integers(0, 4), min_size=1, max_size=5), choice=st.sampled_from(list(Choice)))
    def cast(self, at: int, who: list[int], choice: Choice) -> None:
        one = self.told[at]
        if one.session is None:
            return
        for name in (self.people[number] for number in who):
            is_over = self.world.now >= one.session.closes_at
            is_same = one.votes.get(name) is choice
            is_new = name not in one.votes and name not in one.conflicts and not is_over
            session = one.session
            if self.attempt(is_same or is_new, lambda: self.world.cast(name, session, choice)):  # noqa: B023
                one.votes[name] = choice

    @rule(at=which)
    def all_agree(self, at: int) -> None:
        """What chance alone would seldom find: the others vote for it."""
        one = self.told[at]
        if one.session is None or self.world.now >= one.session.closes_at:
            return
        for name in self.people:
            if name not in one.votes and name not in one.conflicts:
                self.world.cast(name, one.session)
                one.votes[name] = Choice.FOR

    @rule(at=which, who=st.integers(0, 4))
    def declare(self, at: int, who: int) -> None:
        one, name = self.told[at], self.people[who]
        told = DeclareConflict(member=self.members[name], project=one.id, reason="kin")
        self.world.write(self.world.projects.committee.declare, told)
        # A conflict that is told after the end changes nothing of that vote, and holds for the next one.
        if one.session is None or self.world.now < one.session.closes_at:
            one.conflicts.add(name)

    @rule(at=which)
    def close(self, at: int) -> None:
        one = self.told[at]
        if one.session is None:
            return
        self.world.later(days=8)
        session = one.session
        is_allowed = one.state == "under_examination"
        if not self.attempt(is_allowed, lambda: self.world.close_vote(session, "voted down")):
            return
        free = [name for name in self.people if name not in one.conflicts]
        ahead = sum(
            {Choice.FOR: 1, Choice.AGAINST: -1, Choice.ABSTAIN: 0}[one.votes[name]]
            for name in free
            if name in one.votes
        )
        if free and all(name in one.votes for name in free):  # each college is its one member
            one.state = "validated" if ahead > 0 else "refused"
            one.refused_at = self.world.now
        one.session = None

    # Money.

    @rule(at=which, cents=st.integers(0, 100))
    def support(self, at: int, cents: int) -> None:
        one = self.told[at]
        if one.state != "open":
            return
        one.support = cents
        self.exchange()
        self.world.accounts.support(one.id, cents)
        self.exchange()
        if cents == 100:
            one.state = "funded"

    @rule(at=which)
    def convert(self, at: int) -> None:
        one = self.told[at]
        first = one.support * 60 // 100
        due = one.support if one.proven >= 0.8 * first and one.proven else first
        cents = due - one.converted
        is_allowed = one.state == "in_progress" and one.waiting_round is None and not one.failed and cents > 0
        asked = ConvertRound(id=self.world.id(), project=one.id)
        if self.attempt(is_allowed, lambda: self.world.write(self.world.projects.rounds.convert, asked)):
            one.waiting_round, one.asked = asked.id, cents
            self.exchange()
            assert self.world.accounts.asked[asked.id].cents == cents

    @rule(at=which, is_done=st.booleans())
    def answer(self, at: int, is_done: bool) -> None:
        one = self.told[at]
        if one.waiting_round is None:
            return
        if is_done:
            self.world.accounts.convert(one.waiting_round, {BREST: one.asked})
            one.converted += one.asked
        else:
            self.world.accounts.say(Refused(one.waiting_round, "insufficient_rights"))
        one.waiting_round = None
        self.exchange()

    @rule(at=which, cents=st.integers(1, 60))
    def prove(self, at: int, cents: int) -> None:
        one = self.told[at]
        if self.attempt(one.state == "in_progress", lambda: prove(self.world, one.id, 1, cents)):
            one.proven += cents

    @rule(at=which, verdict=st.sampled_from(list(AuditVerdict)))
    def audit(self, at: int, verdict: AuditVerdict) -> None:
        one = self.told[at]
        if self.attempt(one.state == "in_progress", lambda: find(self.world, one.id, verdict)):
            one.failed = verdict is AuditVerdict.FAILED

    @precondition(lambda self: not self.is_past and self.world.dice.random() < 0.1)
    @rule()
    def pass_the_day(self) -> None:
        self.world.later(days=800)  # days on which nothing ran: they are caught up
        self.is_past = True
        self.loop.run_until_complete(self.world.projects.catch_up())
        for one in self.told:
            if one.state == "open":
                one.state = "funded" if one.support >= 40 else "missed"

    @invariant()
    def each_stands_where_the_model_says(self) -> None:
        found = {one.id: one for one in self.world.read(list_projects)}
        for one in self.told:
            assert found[one.id].state == one.state
            assert found[one.id].support == one.support >= one.converted


Story.TestCase.settings = settings(
    max_examples=STORIES,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
TestStory = Story.TestCase
