"""Votes as they happen: who may vote when, what a quorum that is lost does, and minutes that anybody counts again."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec
import pytest

from node.governance.committee_service import CloseList, DeclareConflict, EndMember, TellNumber
from node.governance.drawing import rank_candidates
from node.governance.errors import (
    AlreadyVoted,
    CommitteeTooSmall,
    DrawStepRefused,
    HasConflict,
    InvalidBallot,
    InvalidDraw,
    InvalidMember,
    NotSeated,
    ReasonMissing,
    SessionUnknown,
    SignatureRefused,
    VoteClosed,
    VoteNotOpen,
    VoteRunning,
    VoteStillOpen,
)
from node.governance.minutes import compute_decision, read_minutes, verify_minutes, write_minutes
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.signers import SignerRole
from node.governance.votes import Choice, College, Outcome
from node.governance.votes_service import LATE_MS, CallVote, Session
from protocol.errors import IdMismatch
from protocol.identifiers import Id16
from protocol.keys import Domain, make_keys, sign
from protocol.times import DAY_MS
from tests.governance.world import PROJECTS, World


def examined(world: World) -> Id16:
    project = world.propose(world.bearer())
    world.lead(project, ProjectEvent.EXAMINED)
    return project


async def test_a_vote_is_taken_once_while_it_runs_from_who_may(world: World) -> None:
    world.committee()
    project = examined(world)
    session = world.call(project)
    with pytest.raises(VoteRunning):
        world.call(project)
    first = world.ballot("citizens-1", session)
    taken = world.write(world.projects.votes.cast, first)
    assert world.write(world.projects.votes.cast, first) == taken  # the same paper again
    with pytest.raises(AlreadyVoted):
        world.cast("citizens-1", session, Choice.AGAINST)
    world.people["nobody"] = make_keys(world.entropy(64))
    with pytest.raises(SignatureRefused, match="unknown"):
        world.cast("nobody", session)
    world.signer("auditor", SignerRole.AUDITOR)
    with pytest.raises(SignatureRefused):
        world.cast("auditor", session)
    world.signer("waits", SignerRole.MEMBER)
    with pytest.raises(NotSeated):
        world.cast("waits", session)
    forged = world.ballot("companies-1", session)
    with pytest.raises(SignatureRefused, match="does not fit"):
        world.write(world.projects.votes.cast, msgspec.structs.replace(forged, signature=bytes(64)))
    for wrong in ({"territory": "243500139"}, {"project": bytes(16)}, {"sheet": bytes(32)}):
        with pytest.raises(InvalidBallot, match="another project"):
            world.cast("companies-1", session, **wrong)
    with pytest.raises(SessionUnknown):
        world.cast("companies-1", replace(session, id=world.id()))
    with pytest.raises(InvalidBallot, match="4 marks"):
        world.cast("companies-1", session, grid=(1, 2))
    with pytest.raises(VoteStillOpen):
        world.close_vote(session)
    world.later(days=7)
    with pytest.raises(VoteClosed):
        world.cast("companies-1", session)
    assert world.write(world.projects.votes.cast, first) == taken  # said again after the end, it is still the same


async def test_before_it_opens_nobody_votes(world: World) -> None:
    world.seat("zoé", College.CITIZENS)
    project = examined(world)
    called = CallVote(id=world.id(), project=project, opens_at=world.now + DAY_MS, closes_at=world.now + 2 * DAY_MS)
    session = world.write(world.projects.votes.call, called)
    with pytest.raises(VoteNotOpen):
        world.cast("zoé", session)
    assert world.write(world.projects.votes.call, called) == session
    with pytest.raises(IdMismatch):
        world.write(world.projects.votes.call, replace(called, closes_at=called.closes_at + 1))


async def test_no_vote_was_open_before_it_was_called(world: World) -> None:
    world.seat("zoé", College.CITIZENS)
    called = CallVote(id=world.id(), project=examined(world), opens_at=world.now - DAY_MS, closes_at=world.now + DAY_MS)
    with pytest.raises(InvalidBallot, match="before it was called"):
        world.write(world.projects.votes.call, called)
    assert world.write(world.projects.votes.call, replace(called, opens_at=world.now - LATE_MS // 2)).outcome is None


async def test_a_term_that_is_over_or_not_begun_holds_nobody_in_the_room(world: World) -> None:
    world.seat("old", College.CITIZENS, until_day=20261122)
    world.seat("new", College.CITIZENS, from_day=20261124)
    world.seat("now", College.CITIZENS, until_day=20261123)
    project = examined(world)
    session = world.call(project)
    for name in ("old", "new"):
        with pytest.raises(NotSeated):
            world.cast(name, session)
    world.cast("now", session)  # the last day of the term
    world.later(days=8)
    closed = world.close_vote(session)
    # When the vote ended the one who had voted sat no more, and who sat had not voted.
    assert closed.outcome is Outcome.NO_QUORUM
    assert world.project(project).state is ProjectState.UNDER_EXAMINATION


async def test_who_has_a_conflict_abstains_and_a_quorum_can_be_lost(world: World) -> None:
    members = world.committee(each=2)
    kin = world.seat("kin", College.ASSOCIATIONS, organisation="W291000001")
    project = examined(world)
    session = world.call(project)
    with pytest.raises(HasConflict):
        world.cast("kin", session)
    for name in members:
        if name != "qualified-2":
            world.cast(name, session)
    # All but one have voted, and every quorum is reached. Then both companies say that they have an interest.
    for name in ("companies-1", "qualified-1"):
        told = DeclareConflict(member=members[name], project=project, reason="fournit les arbres")
        world.write(world.projects.committee.declare, told)
    with pytest.raises(ReasonMissing):
        world.write(world.projects.committee.declare, DeclareConflict(member=kin, project=project, reason=""))
    world.later(days=8)
    closed = world.close_vote(session)
    assert closed.outcome is Outcome.NO_QUORUM  # of the qualified only one may vote, and has not
    assert closed.minutes is not None
    minutes = read_minutes(closed.minutes)
    assert {one.college: (one.seats, one.conflicted) for one in minutes.tallies} == {
        "associations": (2, 1),
        "citizens": (2, 0),
        "companies": (1, 1),
        "municipality": (2, 0),
        "qualified": (1, 1),
    }
    assert len(minutes.ballots) == 7  # those of the two are struck out
    again = world.call(project)
    with pytest.raises(HasConflict):
        world.cast("companies-1", again)
    for name in members:
        if name not in ("companies-1", "qualified-1"):
            world.cast(name, again)
    world.later(days=8)
    assert world.close_vote(again).outcome is Outcome.VALIDATED


async def test_who_leaves_or_loses_the_key_before_the_end_is_struck_out(world: World) -> None:
    world.committee()
    leaver = world.seat("leaver", College.CITIZENS)
    world.seat("loser", College.CITIZENS)
    project = examined(world)
    session = world.call(project)
    for name in ("leaver", "loser", *(f"{one}-1" for one in College)):
        world.cast(name, session)
    world.write(world.projects.committee.end, EndMember(id=leaver, reason="a déménagé"))
    world.write(world.projects.signers.revoke, world.people["loser"].public.id)
    world.later(days=8)
    closed = world.close_vote(session)
    assert closed.minutes is not None
    assert len(read_minutes(closed.minutes).ballots) == 5
    assert closed.outcome is Outcome.VALIDATED


async def test_what_happens_after_the_end_changes_no_count(world: World) -> None:
    members = world.committee()
    project = examined(world)
    session = world.call(project)
    for name in members:
        world.cast(name, session)
    world.later(days=8)
    told = DeclareConflict(member=members["companies-1"], project=project, reason="trop tard")
    world.write(world.projects.committee.declare, told)
    closed = world.close_vote(session)
    assert closed.minutes is not None
    assert len(read_minutes(closed.minutes).ballots) == 5
    assert world.close_vote(session) == closed


async def test_the_proposer_abstains(world: World) -> None:
    project = examined(world)
    world.seat("proposer", College.CITIZENS, account=world.project(project).proposer)
    with pytest.raises(HasConflict):
        world.cast("proposer", world.call(project))


async def test_what_is_withdrawn_while_it_is_voted_on_is_decided_no_more(world: World) -> None:
    *members, late = world.committee()
    project = examined(world)
    session = world.call(project)
    for name in members:
        world.cast(name, session)
    world.lead(project, ProjectEvent.WITHDRAWN, "plus besoin")
    assert world.session(session.id).outcome is Outcome.VOID
    with pytest.raises(VoteClosed):
        world.cast(late, session)
    world.later(days=8)
    closed = world.close_vote(session)
    assert (closed.outcome, closed.reason, closed.minutes, closed.decision) == (Outcome.VOID, "withdrawn", None, None)
    assert world.project(project).state is ProjectState.WITHDRAWN


async def test_a_college_below_its_minimum_neither_votes_nor_decides(world: World) -> None:
    members = world.committee()
    project = examined(world)
    session = world.call(project)
    for name in members:
        world.cast(name, session)
    world.write(world.projects.committee.end, EndMember(id=members["citizens-1"], reason="left"))
    world.later(days=8)
    assert world.close_vote(session).outcome is Outcome.NO_QUORUM
    with pytest.raises(CommitteeTooSmall) as refusal:
        world.call(project)
    assert refusal.value.facts == {"college": "citizens", "members": 0, "least": 1}
    world.seat("newcomer", College.CITIZENS)
    world.call(project)


async def test_anybody_counts_the_minutes_again(world: World) -> None:
    members = world.committee()
    project = world.propose(world.bearer())
    closed: Session = world.validate(project, list(members))
    assert closed.minutes is not None
    assert closed.signature is not None
    bases = [world.keys[PROJECTS].public]
    minutes = verify_minutes(closed.minutes, closed.signature, bases)
    assert minutes.outcome == Outcome.VALIDATED
    assert world.project(project).decision == closed.decision == compute_decision(closed.minutes)
    with pytest.raises(SignatureRefused):
        verify_minutes(closed.minutes, closed.signature, [make_keys(world.entropy(64)).public])

    def forge(**changed: object) -> None:
        """A base that signs minutes which their ballots do not give."""
        body = write_minutes(msgspec.structs.replace(minutes, **changed))
        verify_minutes(body, sign(world.keys[PROJECTS], Domain.MINUTES, body), bases)

    forge()
    first = minutes.ballots[0]
    for changed in (
        {"outcome": "refused"},
        {"outcome": "?"},
        {"version": 2},
        {"ballots": minutes.ballots[1:]},
        {"ballots": (*minutes.ballots, first)},
        {"ballots": (msgspec.structs.replace(first, signature=bytes(64)), *minutes.ballots[1:])},
        {"seats": minutes.seats[1:]},
        {"sheet": bytes(32)},
        {"session": bytes(16)},
        {"seats": (msgspec.structs.replace(minutes.seats[0], conflict="?"), *minutes.seats[1:])},
    ):
        with pytest.raises((InvalidBallot, SignatureRefused)):
            forge(**changed)


async def test_one_person_has_one_seat(world: World) -> None:
    seated = world.seat("zoé", College.CITIZENS, until_day=20261231)
    with pytest.raises(InvalidMember, match="one person"):
        world.seat("zoé", College.COMPANIES, from_day=20261231)
    world.seat("zoé", College.COMPANIES, from_day=20270101)
    world.write(world.projects.committee.end, EndMember(id=seated, reason="a changé d'avis"))
    world.seat("zoé", College.CITIZENS, until_day=20261231)
    world.signer("auditor", SignerRole.AUDITOR)
    with pytest.raises(InvalidMember, match="not a member"):
        world.seat_key("auditor", College.CITIZENS)


# ---------------------------------------------------------------- drawn by lot


async def test_members_are_drawn_so_that_anybody_draws_the_same(world: World) -> None:
    candidates = tuple(world.account() for _ in range(30))
    told = CloseList(
        id=world.id(),
        college="citizens",
        seats=4,
        source="Loto du 25 novembre 2026, les cinq numéros",
        drawn_on=20261125,
        candidates=candidates,
    )
    closed = world.write(world.projects.committee.close_lists, told)
    assert closed.told.candidates == tuple(sorted(candidates))
    assert world.write(world.projects.committee.close_lists, told) == closed
    with pytest.raises(InvalidDraw, match="that day"):  # nobody chooses among lists once the number is known
        world.write(world.projects.committee.close_lists, replace(told, id=world.id(), source="the same, otherwise"))
    with pytest.raises(DrawStepRefused, match="2026-11-25"):
        world.write(world.projects.committee.draw, TellNumber(id=told.id, number="1123354049"))
    world.later(days=2)
    drawn = world.write(world.projects.committee.draw, TellNumber(id=told.id, number="11 23 35 40 49"))
    head = b"citizen-miles/draw/v1\0" + closed.digest + b"1123354049\0"
    by_hand = sorted(candidates, key=lambda one: hashlib.sha256(head + one.encode()).hexdigest())
    assert list(drawn.ranked) == by_hand
    assert drawn.chosen == tuple(by_hand[:4])
    assert rank_candidates(drawn.told, "1123354050") != drawn.ranked
    with pytest.raises(DrawStepRefused, match="it was drawn"):
        world.write(world.projects.committee.draw, TellNumber(id=told.id, number="1123354050"))
    world.seat("drawn", College.CITIZENS, account=by_hand[0], draw=told.id)
    for wrong in ({"account": world.account()}, {"college": College.COMPANIES}):
        with pytest.raises(InvalidMember, match="not drawn"):
            world.seat("other", **{"college": College.CITIZENS, "account": by_hand[1], "draw": told.id} | wrong)


async def test_a_list_is_closed_before_its_number_can_be_known(world: World) -> None:
    values = {"id": world.id(), "college": "citizens", "seats": 1, "source": "Loto", "drawn_on": 20261124}
    candidates = (world.account(), world.account())
    for wrong, field in (
        ({"drawn_on": 20261123}, "drawn_on"),
        ({"seats": 3}, "seats"),
        ({"seats": 0}, "seats"),
        ({"college": "friends"}, "college"),
        ({"source": ""}, "source"),
        ({"candidates": (candidates[0], candidates[0])}, "candidates"),
        ({"candidates": ("no", "body")}, "candidates"),
    ):
        with pytest.raises(InvalidDraw) as refused:
            world.write(
                world.projects.committee.close_lists,
                CloseList(**values | {"candidates": candidates} | wrong),  # type: ignore[arg-type]
            )
        assert refused.value.facts["field"] == field
    for number in ("123", "12a4", "1" * 65, ""):
        with pytest.raises(InvalidDraw):
            world.write(world.projects.committee.draw, TellNumber(id=world.id(), number=number))
