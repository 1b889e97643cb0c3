"""Any story of a committee against a plain model: terms, keys, conflicts, quorums, appeals, and minutes counted again.

The model keeps who sits when in a list, counts with fractions, and reads minutes with msgpack and PyNaCl alone: it asks
neither the tables of the base nor its counting. Whatever happens, both refuse by the same code and decide alike.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgpack
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from nacl.signing import VerifyKey

from node.governance.committee_service import DeclareConflict, EndMember
from node.governance.projects import ProjectEvent
from node.governance.projects_service import LeadProject
from node.governance.votes import Choice, College
from node.governance.votes_service import CallVote, Session
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.times import DAY_MS
from tests.governance.world import ASSOCIATION, PROJECTS, World

# What the committee's parameters say today, written once more.
QUORUM = {"citizens": 50, "associations": 50, "companies": 34, "municipality": 50, "qualified": 34}
CITIZENS_MIN = 1
APPEAL_DAYS = 30
STORIES = int(os.environ.get("STORIES", "2"))  # a few in every run, as many as asked by hand
PARIS = ZoneInfo("Europe/Paris")
# Whole colleges that speak with one voice: chance alone would seldom bring a tie, or two refusals of one project.
MOODS = {
    "against": dict.fromkeys(QUORUM, Choice.AGAINST),
    "tie": {"citizens": Choice.FOR, "companies": Choice.AGAINST, "associations": Choice.ABSTAIN},
}
STRIKES = st.sampled_from(["conflict", "conflict", "conflict", "leave", "revoke"])
# One who sits, as a count sees it: college, whether he may vote, and his choice if his ballot is in.
Sitting = tuple[str, bool, str | None]


def day_of(at: int) -> int:
    told = datetime.datetime.fromtimestamp(at / 1_000, PARIS)
    return int(told.strftime("%Y%m%d"))


def outcome_of(room: Sequence[Sitting]) -> str:
    """Return what a room decides: each college that may speak has its quorum and one voice; a tie validates nothing."""
    if sum(college == "citizens" for college, _, _ in room) < CITIZENS_MIN:
        return "no_quorum"
    ahead = colleges = 0
    for college, percent in QUORUM.items():
        said = [choice for one, may_vote, choice in room if one == college and may_vote]
        if not said:
            continue
        colleges += 1
        cast = [choice for choice in said if choice is not None]
        if not cast or Fraction(len(cast), len(said)) < Fraction(percent, 100):
            return "no_quorum"
        difference = cast.count("for") - cast.count("against")
        ahead += (difference > 0) - (difference < 0)
    if not colleges:
        return "no_quorum"
    return "validated" if ahead > 0 else "refused"


@dataclass
class Member:
    """Somebody who sits or sat."""

    id: Id16
    name: str
    college: str
    from_day: int
    until_day: int
    is_of_bearer: bool
    ended_at: int | None = None


@dataclass
class Case:
    """The project that is before the committee."""

    id: Id16
    state: str = "under_examination"
    conflicts: dict[bytes, int] = field(default_factory=dict)  # by member: since when
    session: Session | None = None
    ballots: dict[str, tuple[Member, str]] = field(default_factory=dict)  # by whose key
    has_appealed: bool = False
    refused_at: int = 0


class Voting(RuleBasedStateMachine):
    """A small committee of three colleges, and one project after another."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(lambda name: f"sqlite:///{self.folder / name}.db")
        self.members: list[Member] = []
        self.revoked: dict[str, int] = {}
        self.decided = 0

    def teardown(self) -> None:
        wrongs = self.world.find_wrongs()
        self.world.close()
        shutil.rmtree(self.folder)
        assert wrongs == []

    @initialize()
    def begin(self) -> None:
        self.bearer = self.world.bearer(until=20301231)
        for college in (College.CITIZENS, College.CITIZENS, College.COMPANIES, College.ASSOCIATIONS):
            self._seat(f"member {len(self.members)}", college, 20260101, 20291231)
        self._bring()

    def _bring(self) -> None:
        self.case = Case(self.world.propose(self.bearer, need_by=20290101))
        self.world.lead(self.case.id, ProjectEvent.EXAMINED)

    def _seat(self, name: str, college: College, from_day: int, until_day: int, *, of_bearer: bool = False) -> None:
        if name not in self.world.people:
            self.world.signer(name)
        organisation = str(ASSOCIATION) if of_bearer else ""
        term = {"from_day": from_day, "until_day": until_day}
        id_ = self.world.seat_key(name, college, organisation=organisation, **term)
        self.members.append(Member(id_, name, str(college), from_day, until_day, of_bearer))

    def _code_of(self, do: Callable[[], object]) -> str:
        try:
            do()
        except Refusal as refusal:
            return refusal.code
        return ""

    # What the model says.

    def _sits(self, member: Member, at: int) -> bool:
        revoked = self.revoked.get(member.name)
        is_in_term = member.from_day <= day_of(at) <= member.until_day
        return is_in_term and (member.ended_at or at + 1) > at and (revoked or at + 1) > at

    def _abstains(self, member: Member, at: int) -> bool:
        return member.is_of_bearer or self.case.conflicts.get(member.id, at + 1) <= at

    def _room(self, at: int) -> list[Sitting]:
        room: list[Sitting] = []
        for member in self.members:
            if self._sits(member, at):
                voter, choice = self.case.ballots.get(member.name, (None, None))
                is_own = voter is not None and voter.id == member.id
                room.append((member.college, not self._abstains(member, at), choice if is_own else None))
        return room

    # The committee.

    @rule(
        college=st.sampled_from([College.CITIZENS, College.COMPANIES, College.QUALIFIED]),
        begins=st.sampled_from([-90, 0, 3]),
        lasts=st.sampled_from([0, 2, 5, 400]),
        of_bearer=st.booleans(),
        again=st.booleans(),
    )
    def seat(self, college: College, begins: int, lasts: int, of_bearer: bool, again: bool) -> None:
        if len(self.members) > 30:
            return
        today = datetime.datetime.fromtimestamp(self.world.now / 1_000, PARIS).date()
        first = today + datetime.timedelta(days=begins)
        term = [int(day.strftime("%Y%m%d")) for day in (first, first + datetime.timedelta(days=lasts))]
        name = self.members[-1].name if again else f"member {len(self.members)}"
        overlaps = any(
            one.name == name and one.ended_at is None and one.from_day <= term[1] and one.until_day >= term[0]
            for one in self.members
        )
        expected = "signature_refused" if name in self.revoked else "invalid_member" if overlaps else ""
        assert self._code_of(lambda: self._seat(name, college, *term, of_bearer=of_bearer)) == expected

    @rule(who=st.integers(0, 30))
    def leave(self, who: int) -> None:
        member = self.members[who % len(self.members)]
        self.world.write(self.world.projects.committee.end, EndMember(id=member.id, reason="moved away"))
        member.ended_at = member.ended_at or self.world.now

    @rule(who=st.integers(0, 30), chance=st.integers(0, 3))
    def lose_the_key(self, who: int, chance: int) -> None:
        member = self.members[who % len(self.members)]
        if chance or member.name in self.revoked:
            return
        self.world.write(self.world.projects.signers.revoke, self.world.people[member.name].public.id)
        self.revoked[member.name] = self.world.now

    @rule(who=st.integers(0, 30))
    def declare(self, who: int) -> None:
        member = self.members[who % len(self.members)]
        told = DeclareConflict(member=member.id, project=self.case.id, reason="kin")
        self.world.write(self.world.projects.committee.declare, told)
        self.case.conflicts.setdefault(member.id, self.world.now)

    # Votes.

    @rule(opens=st.sampled_from([0, 0, 0, 1]))
    def call(self, opens: int) -> None:
        case, start = self.case, self.world.now + opens * DAY_MS
        asked = CallVote(id=self.world.id(), project=case.id, opens_at=start, closes_at=start + 7 * DAY_MS)
        expected = ""
        if case.state != "under_examination":
            expected = "project_step_refused"
        elif case.session is not None:
            expected = "vote_running"
        elif sum(one.college == "citizens" and self._sits(one, self.world.now) for one in self.members) < CITIZENS_MIN:
            expected = "committee_too_small"
        called: list[Session] = []
        code = self._code_of(lambda: called.append(self.world.write(self.world.projects.votes.call, asked)))
        assert code == expected
        if called:
            [case.session], case.ballots = called, {}

    @rule(
        who=st.lists(st.integers(0, 30), min_size=1, max_size=6),
        choice=st.sampled_from([Choice.FOR, Choice.FOR, Choice.AGAINST, Choice.ABSTAIN]),
        wrong=st.sampled_from(["", "", "", "", "another sheet", "another's key", "no reason", "too many marks"]),
    )
    def cast(self, who: list[int], choice: Choice, wrong: str) -> None:
        session = self.case.session
        if session is None:
            return
        for place in who:
            member = self.members[place % len(self.members)]
            self._cast(member, session, choice, wrong)

    def _cast(self, member: Member, session: Session, choice: Choice, wrong: str) -> None:
        case, now = self.case, self.world.now
        changed: dict[str, Any] = {
            "another sheet": {"sheet": bytes(32)},
            "no reason": {"reason": " "},
            "too many marks": {"grid": (1,) * 5},
        }.get(wrong, {})
        choice = Choice.AGAINST if wrong == "no reason" else choice
        ballot = self.world.ballot(member.name, session, choice, **changed)
        if wrong == "another's key":
            ballot = type(ballot)(ballot.words, ballot.key, bytes(64))
        seats = [one for one in self.members if one.name == member.name and self._sits(one, now)]
        known = case.ballots.get(member.name)
        if member.name in self.revoked or wrong == "another's key":
            expected = "signature_refused"
        elif wrong == "another sheet":
            expected = "invalid_ballot"
        elif known is not None:
            expected = "" if known[1] == choice and not wrong else "already_voted"
        elif now < session.opens_at:
            expected = "vote_not_open"
        elif now >= session.closes_at:
            expected = "vote_closed"
        elif not seats:
            expected = "not_seated"
        elif self._abstains(seats[0], now):
            expected = "has_conflict"
        else:
            expected = "invalid_ballot" if wrong else ""
        assert self._code_of(lambda: self.world.write(self.world.projects.votes.cast, ballot)) == expected
        if not expected and known is None:
            case.ballots[member.name] = (seats[0], str(choice))

    @rule(days=st.sampled_from([1, 2, 8, 8, 31]))
    def wait(self, days: int) -> None:
        self.world.later(days=days)

    @rule(reason=st.sampled_from(["too dear", "too dear", ""]))
    def close(self, reason: str) -> None:
        case, session = self.case, self.case.session
        if session is None:
            return
        room = self._room(session.closes_at)
        outcome = outcome_of(room)
        expected = ""
        if self.world.now < session.closes_at:
            expected = "vote_still_open"
        elif outcome == "refused" and not reason:
            expected = "reason_missing"
        closed: list[Session] = []
        assert self._code_of(lambda: closed.append(self.world.close_vote(session, reason))) == expected
        if expected:
            return
        assert str(closed[0].outcome) == outcome
        self._count_again(closed[0], room, reason if outcome == "refused" else "")
        assert self.world.close_vote(session, "another word") == closed[0], "what was decided is not decided again"
        self.decided += 1
        case.session = None
        if outcome != "no_quorum":
            case.state, case.refused_at = outcome, self.world.now

    def _count_again(self, closed: Session, room: Sequence[Sitting], reason: str) -> None:
        """Read the minutes as somebody far away would, who has the base's public key and nothing else of ours."""
        body, signature = closed.minutes, closed.signature
        assert body is not None
        assert signature is not None
        head = hashlib.blake2b(body).digest()
        VerifyKey(self.world.keys[PROJECTS].public.signing).verify(b"citizen-miles/minutes/v1\0" + head, signature)
        assert hashlib.sha256(b"citizen-miles/decision/v1\0" + body).digest() == closed.decision
        told = msgpack.unpackb(body, raw=False)
        session, project, sheet, seats, ballots, outcome = (told[at] for at in (2, 3, 5, 11, 12, 14))
        assert (session, project) == (closed.id, self.case.id)
        assert bool(told[6]) == self.case.has_appealed
        choices: dict[bytes, str] = {}
        keys = {seat[3]: (seat[0], seat[4]) for seat in seats}
        for words, key, own in ballots:
            member, public = keys[key]
            VerifyKey(public).verify(b"citizen-miles/vote/v1\0" + hashlib.blake2b(words).digest(), own)
            said = msgpack.unpackb(words, raw=False)
            assert said[2:5] == [session, project, sheet]
            assert said[5] != "against" or said[7].strip(), "who votes against says why"
            assert member not in choices
            choices[member] = said[5]
        again = [(seat[1], not seat[5], choices.get(seat[0])) for seat in seats]
        order = [(college, may_vote, choice or "") for college, may_vote, choice in room]
        assert sorted((college, may_vote, choice or "") for college, may_vote, choice in again) == sorted(
            (college, may_vote, choice if may_vote else "") for college, may_vote, choice in order
        )
        assert outcome_of(again) == outcome == str(closed.outcome)
        assert told[15] == reason

    @rule(reason=st.sampled_from(["it is for the whole street", ""]))
    def appeal(self, reason: str) -> None:
        case = self.case
        step = LeadProject(
            id=self.world.id(), project=case.id, event=ProjectEvent.APPEALED, by="someone", reason=reason
        )
        expected = ""
        if not reason:
            expected = "reason_missing"
        elif case.state != "refused":
            expected = "project_step_refused"
        elif case.has_appealed or self.world.now > case.refused_at + APPEAL_DAYS * DAY_MS:
            expected = "appeal_refused"
        assert self._code_of(lambda: self.world.write(self.world.projects.projects.appeal, step)) == expected
        if not expected:
            case.state, case.has_appealed = "under_examination", True

    @rule(says=st.lists(st.sampled_from([*Choice]), min_size=9, max_size=9))
    def refused_and_once_more(self, says: list[Choice | None]) -> None:
        """A project is refused, its appeal heard, and refused again: there is no second one."""
        for _ in range(2):
            self.a_whole_vote(says, [], "against", 400)
            self.appeal("it is for the whole street")

    @rule()
    def bring_another(self) -> None:
        if self.case.state in ("validated", "refused"):
            self._bring()

    @rule(
        says=st.lists(st.sampled_from([*Choice, None]), min_size=9, max_size=9),
        strikes=st.lists(
            st.tuples(st.integers(0, 8), STRIKES, st.sampled_from(["before", "during", "after"])), max_size=5
        ),
        mood=st.sampled_from(["free", "free", "tie", "against", "against"]),
        last_days=st.sampled_from([400, 6, 7, 8]),
    )
    def a_whole_vote(
        self, says: list[Choice | None], strikes: list[tuple[int, str, str]], mood: str, last_days: int
    ) -> None:
        """What chance alone would seldom find: a full room, of which some vote and some are struck out, before or after."""
        if self.case.state != "under_examination":
            return
        room = self._fill_the_room(last_days)
        if self.case.session is None:
            self.call(0)
        session = self.case.session
        if session is None:
            return
        for when in ("before", "during", "after"):
            if when == "during":
                for member, choice in zip(room, says, strict=False):
                    said = MOODS.get(mood, {}).get(member.college, choice)
                    if said is not None:
                        self._cast(member, session, said, "")
            if when == "after":
                self.wait(9)
            for place, what, then in strikes:
                if then == when:
                    self._strike(room[place % len(room)], what)
        self.close("too dear")

    def _fill_the_room(self, last_days: int) -> list[Member]:
        """Let three citizens, three companies and one association sit, for so many days; return all who do."""
        until = day_of(self.world.now + last_days * DAY_MS)
        now, wanted = self.world.now, {College.CITIZENS: 3, College.COMPANIES: 3, College.ASSOCIATIONS: 1}
        for college, count in wanted.items():
            there = sum(one.college == college and self._sits(one, now) for one in self.members)
            for _ in range(count - there):
                self._seat(f"member {len(self.members)}", college, 20260101, until)
        return [one for one in self.members if self._sits(one, now)]

    def _strike(self, member: Member, what: str) -> None:
        place = self.members.index(member)
        match what:
            case "leave":
                self.leave(place)
            case "revoke":
                self.lose_the_key(place, 0)
            case _:
                self.declare(place)

    @invariant()
    def the_project_stands_where_the_model_says(self) -> None:
        if hasattr(self, "case"):
            assert self.world.project(self.case.id).state == self.case.state


Voting.TestCase.settings = settings(
    max_examples=STORIES,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
TestVoting = Voting.TestCase
