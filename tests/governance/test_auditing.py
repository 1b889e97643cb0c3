"""Auditors who are drawn: who may be, who stands in, what a report does, and what waits for it."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.governance.auditing.auditors_service import FoundConflict, MoveAuditor
from node.governance.auditing.audits_service import (
    UNTOLD_DAYS,
    DropAudit,
    ToldReminder,
    list_reminders,
    write_source,
)
from node.governance.auditing.audits_store import list_answers, load_audit
from node.governance.auditing.gate import AuditStanding, AuditTier, find_missing, find_running, find_tier, tell_verdict
from node.governance.auditing.missions import AuditState, MissionState, ReminderKind, choose_next
from node.governance.auditing.tables import report_answers
from node.governance.auditing.words import (
    WORDS_VERSION,
    JoinWords,
    MissionWords,
    SignedWords,
    is_words_signed,
    read_words,
    write_words,
)
from node.governance.committee_service import CloseList, TellNumber, load_drawing
from node.governance.days import local_day, write_day
from node.governance.drawing import AUDITORS, make_list, rank_candidates
from node.governance.errors import (
    AuditNotEnded,
    AuditRequired,
    DrawStepRefused,
    FileUnknown,
    InvalidAudit,
    InvalidDraw,
    MissionStepRefused,
    NotEnoughAuditors,
    ProjectStepRefused,
    ReasonMissing,
    RoundRefused,
    SignatureRefused,
)
from node.governance.instalments import AuditVerdict
from node.governance.pictures import require_picture
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.rounds_service import ConfirmDue, load_progress_report
from node.governance.sheets import BudgetLine, Milestone
from node.governance.signers import SignerRole
from node.governance.votes import College
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16
from tests.governance.audit_makers import Audits
from tests.governance.test_life import convert, find, funded, prove
from tests.governance.test_sheets import png
from tests.governance.world import BREST, PROJECTS, World

V = AuditVerdict


async def started(world: World) -> tuple[Audits, Id16]:
    """A project whose first instalment is converted and proven, and four auditors."""
    project = await funded(world)
    world.lead(project, ProjectEvent.STARTED)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 6_000})
    await world.settle()
    prove(world, project, 1, 6_000)
    return Audits(world), project


def reason_of(world: World, project: Id16) -> str:
    with pytest.raises(RoundRefused) as refusal:
        convert(world, project)
    return str(refusal.value.facts["reason"])


# ---------------------------------------------------------------- the whole way


async def test_an_instalment_waits_for_the_audit_that_was_asked_for(world: World) -> None:
    audits, project = await started(world)
    audits.people(["ada", "bea", "cleo", "dan"])
    audit = audits.ask(project, 2)
    assert "waits for its drawing" in reason_of(world, project)
    world.later(days=31)
    assert audits.draw(audit) is AuditState.CALLED
    assert audits.states(audit) == ["offered", "offered"]
    assert "is due on 2027-01-31" in reason_of(world, project)
    first, second = audits.missions(audit)
    words = read_words(bytes(first.words))
    assert isinstance(words, MissionWords)
    assert (words.instalment, words.criteria, words.due_on) == (1, ("done", "spent", "serves", "open"), 20270131)
    signed = SignedWords(bytes(first.words), bytes(first.signer), bytes(first.signature))
    assert is_words_signed(signed, world.keys[PROJECTS].public)
    assert audits.reply(first) is MissionState.ACCEPTED
    picture = require_picture(png())
    with pytest.raises(FileUnknown):
        audits.report(first, pictures=(picture.digest,))
    world.write(world.projects.projects.keep_pictures, picture)
    assert audits.report(first, pictures=(picture.digest,)) is V.SOUND
    assert audits.state(audit) is AuditState.CALLED
    assert "has not ended" in reason_of(world, project)
    audits.reply(second)
    assert audits.report(second, V.RESERVED) is V.RESERVED
    assert audits.state(audit) is AuditState.ENDED
    assert [one.verdict for one in audits.standings(project)] == [V.RESERVED]
    assert convert(world, project)[1] == 4_000  # a reserve lets it go on


async def test_a_failed_audit_blocks_until_somebody_answered_and_its_auditor_looked_again(world: World) -> None:
    audits, project = await started(world)
    audits.join("ada")
    audit = audits.ask(project)
    world.later(days=31)
    audits.draw(audit)
    [mission] = audits.missions(audit)
    audits.reply(mission)
    assert audits.report(mission, V.SOUND, V.FAILED) is V.FAILED
    assert "failed" in reason_of(world, project)
    [report] = audits.reports(mission)
    with pytest.raises(MissionStepRefused, match="without an answer"):
        audits.report(mission, V.RESERVED, follows=bytes(report.id))
    with pytest.raises(InvalidAudit, match="follows"):
        audits.report(mission, V.SOUND)
    answer = audits.answer(report)
    with pytest.raises(InvalidAudit, match="answer"):
        audits.report(mission, V.SOUND, follows=bytes(report.id), answer=world.id())
    assert audits.report(mission, V.RESERVED, follows=bytes(report.id), answer=answer) is V.RESERVED
    with pytest.raises(MissionStepRefused, match="followed"):
        audits.answer(report)
    assert convert(world, project)[1] == 4_000
    again = audits.reports(mission)[-1]
    # What got worse needs nobody's answer.
    assert audits.report(mission, V.FAILED, follows=bytes(again.id)) is V.FAILED
    assert world.read(lambda line: load_progress_report(line, world.project(project), 20261230)).progress.verdict is (
        V.FAILED
    )


async def test_who_declines_lapses_or_has_a_conflict_is_followed_by_the_next_of_the_drawing(world: World) -> None:
    audits, project = await started(world)
    people = audits.people(["ada", "bea", "cleo", "dan", "eve"])
    audit = audits.ask(project)
    world.later(days=31)
    audits.draw(audit)
    [first] = audits.missions(audit)
    audits.reply(first, accepts=False)
    assert audits.states(audit) == ["declined", "offered"]
    with pytest.raises(MissionStepRefused):
        audits.reply(first)
    world.later(days=9)
    await world.projects.catch_up()  # no answer within seven days
    assert audits.states(audit) == ["declined", "lapsed", "offered"]
    third = audits.missions(audit)[2]
    audits.reply(third)
    audits.report(third)
    assert audits.state(audit) is AuditState.ENDED
    # Somebody finds that the auditor comes from the bearer: what was reported counts no more.
    found = FoundConflict(
        id=world.id(),
        auditor=people[audits.name_of(third)],
        kind="organisation",
        project=b"",
        organisation="W291000001",
        reason="sits in its board",
        by="the office",
    )
    world.write(world.projects.auditors.find, found)
    world.write(world.projects.auditors.find, found)  # the same again is the same
    assert audits.states(audit) == ["declined", "lapsed", "conflicted", "offered"]
    assert audits.state(audit) is AuditState.CALLED
    fourth = audits.missions(audit)[3]
    assert fourth.due_on == 20270131
    audits.reply(fourth)
    left = MoveAuditor(id=world.id(), auditor=people[audits.name_of(fourth)], leaves="moved away")
    world.write(world.projects.auditors.move, left)
    assert audits.states(audit)[3:] == ["lapsed", "offered"]
    fifth = audits.missions(audit)[4]
    audits.reply(fifth)
    audits.declare(audits.name_of(fifth), project=project, kind="support")
    assert audits.states(audit)[4:] == ["conflicted"]
    assert "has no auditor left" in reason_of(world, project)
    with pytest.raises(AuditNotEnded) as stuck:
        convert(world, project)
    assert stuck.value.facts["state"] == "exhausted"
    dropped = DropAudit(id=world.id(), audit=audit, by="the office", reason="nobody is left")
    assert world.write(world.projects.audits.drop, dropped) is AuditState.DROPPED
    assert world.write(world.projects.audits.drop, dropped) is AuditState.DROPPED
    assert convert(world, project)[1] == 4_000


async def test_the_day_reminds_once_and_passes_late_missions_on(world: World) -> None:
    audits, project = await started(world)
    audits.people(["ada", "bea"])
    audit = audits.ask(project)
    await world.projects.catch_up()
    assert audits.states(audit) == []  # nothing is drawn yet
    world.later(days=31)
    told = TellNumber(id=Id16(bytes(world.read(lambda line: load_audit(line, audit)).draw)), number="112233")
    world.write(world.projects.committee.draw, told)  # the number alone: the day's work calls
    assert await world.projects.catch_up() == 1
    assert audits.states(audit) == ["offered"]

    def reminders() -> list[str]:
        return [row.kind for row in world.read(list_reminders)]

    world.later(days=4)
    assert (await world.projects.catch_up(), await world.projects.catch_up()) == (1, 0)
    assert reminders() == ["answer"]
    [mission] = audits.missions(audit)
    passed = ToldReminder(mission=Id16(bytes(mission.id)), kind=ReminderKind.ANSWER)
    assert world.write(world.projects.audits.tell_reminders, passed) is True
    assert world.write(world.projects.audits.tell_reminders, passed) is False
    assert reminders() == []
    audits.reply(mission)
    world.later(days=22)  # 27 January
    assert (await world.projects.catch_up(), await world.projects.catch_up()) == (1, 0)
    world.later(days=8)  # 4 February: overdue
    assert (await world.projects.catch_up(), await world.projects.catch_up()) == (1, 0)
    assert reminders() == ["due_soon", "overdue"]
    world.later(days=12)
    await world.projects.catch_up()
    assert audits.states(audit) == ["lapsed", "offered"]
    assert audits.missions(audit)[1].due_on == 20270302  # fourteen days at least for who stands in
    world.lead(project, ProjectEvent.WITHDRAWN, "the land is sold")
    await world.projects.catch_up()
    assert (audits.state(audit), audits.states(audit)) == (AuditState.DROPPED, ["lapsed", "dropped"])


# ---------------------------------------------------------------- who may be drawn


async def test_the_list_is_of_those_without_conflict_and_anybody_draws_it_again(world: World) -> None:
    audits, project = await started(world)
    proposer, bearer = world.project(project).proposer, world.bearer_of(project).registry
    audits.join("fit")
    audits.join("proposer", proposer)
    audits.join("kin"), audits.declare("kin", project=project)
    audits.join("staff"), audits.declare("staff", organisation=bearer)
    audits.join("other"), audits.declare("other", organisation="W291000009")
    audits.join("short", until_day=20270130)
    audits.join("far", place="75056", place_name="Paris", latitude=48_856_613, longitude=2_352_222)
    away = audits.join("away")
    world.write(world.projects.auditors.move, MoveAuditor(id=world.id(), auditor=away, away_until=20270101))
    left = audits.join("left")
    world.write(world.projects.auditors.move, MoveAuditor(id=world.id(), auditor=left, leaves="done"))
    audits.join("revoked")
    world.write(world.projects.signers.revoke, world.people["revoked"].public.id)
    sitting = world.account()
    world.seat("sitting", College.QUALIFIED, account=sitting)
    audits.join("member-too", sitting)
    audit = audits.ask(project)
    row = world.read(lambda line: load_audit(line, audit))
    drawing = world.read(lambda line: load_drawing(line, row.draw))
    by_name = {name: account for account, name in audits.accounts.items()}
    expected = sorted(by_name[name] for name in ("fit", "other"))
    assert list(drawing.told.candidates) == expected
    world.later(days=31)
    audits.draw(audit, "44 12 07")
    again = make_list(
        territory=BREST,
        college=AUDITORS,
        seats=1,
        source=write_source("Loto", audit),
        drawn_on=20261224,
        candidates=tuple(expected),
    )
    assert audits.name_of(audits.missions(audit)[0]) == audits.accounts[rank_candidates(again, "441207")[0]]
    with pytest.raises(NotEnoughAuditors):
        audits.ask(project, 3, drawn_on=20270105)


async def test_nobody_chooses_among_lists_once_the_number_is_known(world: World) -> None:
    """One list at a time for an instalment, and none is dropped between the public draw and its number."""
    audits, project = await started(world)
    audits.people(["ada", "bea", "cleo", "dan"])
    audit = audits.ask(project)
    with pytest.raises(AuditNotEnded):
        audits.ask(project)
    world.later(days=31)
    dropped = DropAudit(id=world.id(), audit=audit, by="the office", reason="another one is better")
    with pytest.raises(DrawStepRefused, match="was held"):
        world.write(world.projects.audits.drop, dropped)
    audits.draw(audit)
    assert world.write(world.projects.audits.drop, dropped) is AuditState.DROPPED
    audits.ask(project, drawn_on=20270120, due_on=20270228)


async def test_a_public_draw_that_never_took_place_holds_no_audit_for_ever(world: World) -> None:
    audits, project = await started(world)
    audits.people(["ada", "bea", "cleo", "dan"])
    audit = audits.ask(project)
    dropped = DropAudit(id=world.id(), audit=audit, by="the office", reason="the draw was cancelled")
    drawn_on = world.read(lambda line: load_drawing(line, load_audit(line, audit).draw)).told.drawn_on
    while write_day(local_day(world.now, world.settings.zone)) < drawn_on:
        world.later(days=1)
    world.later(days=UNTOLD_DAYS)
    with pytest.raises(DrawStepRefused, match="was held"):
        world.write(world.projects.audits.drop, dropped)
    world.later(days=1)
    assert world.write(world.projects.audits.drop, dropped) is AuditState.DROPPED
    audits.ask(project, drawn_on=20270220, due_on=20270328)


async def test_what_was_signed_otherwise_is_refused(world: World) -> None:
    audits, project = await started(world)
    audits.people(["ada", "bea"])
    audit = audits.ask(project)
    with pytest.raises(IdMismatch):
        world.write(world.projects.audits.ask, audits.asking(project, seats=2, id=audit))
    world.later(days=31)
    audits.draw(audit)
    [mission] = audits.missions(audit)
    name = audits.name_of(mission)
    other = next(one for one in ("ada", "bea") if one != name)
    for wrong in (
        lambda: audits.reply(mission, name=other),
        lambda: audits.reply(mission, territory="243500139"),
        lambda: audits.report(mission, name=other),
    ):
        with pytest.raises(SignatureRefused):
            wrong()
    with pytest.raises(InvalidAudit, match="digest"):
        audits.reply(mission, digest=bytes(32))
    with pytest.raises(InvalidAudit, match="reason"):
        audits.reply(mission, accepts=False, reason="a\0b")
    with pytest.raises(MissionStepRefused):
        audits.report(mission)  # not accepted yet
    fine = audits.sign(name, audits.reporting(mission))
    with pytest.raises(InvalidAudit):
        world.write(world.projects.audits.reply, fine)
    with pytest.raises(SignatureRefused):
        world.write(world.projects.audits.report, SignedWords(fine.body, fine.key, bytes(64)))
    audits.reply(mission)
    lines = audits.reporting(mission).lines
    for broken in (lines[:3], (*lines[1:], lines[0])):
        with pytest.raises(InvalidAudit, match="criterion"):
            audits.report(mission, lines=broken)
    silent = (type(lines[0])("done", V.FAILED, ""), *lines[1:])
    with pytest.raises(InvalidAudit, match="why"):
        audits.report(mission, lines=silent)
    once = audits.sign(name, audits.reporting(mission))
    assert world.write(world.projects.audits.report, once) is V.SOUND
    assert world.write(world.projects.audits.report, once) is V.SOUND
    for more in ({"instalment": 3}, {"seats": 9}, {"due_on": 20270101}):
        with pytest.raises(InvalidAudit):
            world.write(world.projects.audits.ask, audits.asking(project, **{"drawn_on": 20261230} | more))
    with pytest.raises(InvalidDraw):
        world.write(world.projects.audits.ask, audits.asking(project))  # its drawing is over
    closed = CloseList(
        id=world.id(), college=AUDITORS, seats=1, source="x", drawn_on=20270301, candidates=(world.account(),)
    )
    with pytest.raises(InvalidDraw):  # the office does not write such a list by hand
        world.write(world.projects.committee.close_lists, closed)
    with pytest.raises(ReasonMissing):
        audits.asking(project, by="")
    with pytest.raises(InvalidAudit, match="already"):
        audits.join("ada")


async def test_only_an_auditor_joins_and_only_with_words_of_joining(world: World) -> None:
    audits = Audits(world)
    world.signer("voter", SignerRole.MEMBER)
    with pytest.raises(IdMismatch):
        audits.join("voter")
    audits.join("ada")
    words = audits.reporting(type("M", (), {"id": world.id()}))
    with pytest.raises(InvalidAudit):
        world.write(world.projects.auditors.join, audits.sign("ada", words))
    with pytest.raises(InvalidAudit):
        audits.join("bea", kind="boss")
    proposed = world.propose(world.bearer())
    with pytest.raises(ProjectStepRefused):
        audits.ask(proposed)


# ---------------------------------------------------------------- what is required


async def test_a_large_project_needs_its_audits(world: World) -> None:
    members = world.committee()
    large = {
        "target": 6_000_000,
        "minimum": 4_000_000,
        "lines": (BudgetLine("arbres", 6_000_000),),
        "milestones": (Milestone("arbres", 3_000_000, "facture"), Milestone("outils", 3_000_000, "facture")),
    }
    project = world.propose(world.bearer(), **large)
    await world.open(project, list(members))
    world.accounts.support(project, 6_000_000, 3)
    await world.settle()
    await world.settle()
    world.lead(project, ProjectEvent.STARTED)
    audits = Audits(world)
    audits.people(["ada", "bea", "cleo"])

    async def paid(cents: int) -> None:
        round_, asked = convert(world, project)
        assert asked == cents
        await world.settle()
        world.accounts.convert(round_, {BREST: cents})
        world.accounts.settle(round_, BREST, cents)
        await world.settle()
        world.write(world.projects.rounds.confirm, ConfirmDue(round=round_, payer=BREST, on=20261201))

    await paid(3_000_000)
    prove(world, project, 1, 3_000_000)
    assert "audit of instalment 1 by 2 drawn auditors is required" in reason_of(world, project)
    find(world, project, V.SOUND)  # somebody's word is no audit
    assert "is required" in reason_of(world, project)
    audit = audits.ask(project, 2)
    world.later(days=31)
    audits.draw(audit)
    audits.make(audit)
    await paid(3_000_000)
    prove(world, project, 2, 3_000_000)
    with pytest.raises(AuditRequired) as required:
        world.lead(project, ProjectEvent.AUDITED)
    assert {name: required.value.facts[name] for name in ("auditors", "instalment")} == {"auditors": 2, "instalment": 0}
    closing = audits.ask(project, 2, instalment=0, drawn_on=20270110, due_on=20270301)
    world.later(days=20)
    audits.draw(closing)
    with pytest.raises(AuditNotEnded) as running:
        world.lead(project, ProjectEvent.AUDITED)
    assert (running.value.facts["state"], running.value.facts["due_on"]) == ("called", "2027-03-01")
    audits.make(closing, V.RESERVED)
    with pytest.raises(RoundRefused, match="sound"):
        world.lead(project, ProjectEvent.AUDITED)
    for mission in audits.missions(closing):
        [report] = audits.reports(mission)
        audits.report(mission, follows=bytes(report.id), answer=audits.answer(report))
    assert world.lead(project, ProjectEvent.AUDITED) is ProjectState.AUDITED


# ---------------------------------------------------------------- plain models

STANDINGS = st.lists(
    st.builds(
        AuditStanding,
        id=st.just(b""),
        instalment=st.integers(0, 2),
        state=st.sampled_from(list(AuditState)),
        seats=st.integers(1, 3),
        due_on=st.just(20270131),
        verdict=st.sampled_from(list(V)),
        ended_at=st.integers(1, 50),
        is_exhausted=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: one.ended_at,
)


@settings(max_examples=40)
@given(STANDINGS, st.none() | st.tuples(st.integers(1, 50), st.sampled_from(list(V))))
def test_the_worst_of_what_still_counts_is_the_verdict(
    audits: list[AuditStanding], outside: tuple[int, AuditVerdict] | None
) -> None:
    ended = sorted((one for one in audits if one.state is AuditState.ENDED), key=lambda one: one.ended_at or 0)
    counting = {one.instalment: one.verdict for one in ended}  # the later one replaces the earlier
    said = [str(one) for one in counting.values()]
    if outside and (not ended or outside[0] > (ended[-1].ended_at or 0)):
        said.append(str(outside[1]))
    expected = next((one for one in ("failed", "reserved", "sound") if one in said), None)
    found = tell_verdict(outside, audits)
    assert (None if found is None else str(found)) == expected
    assert bool(find_running(audits)) is any(str(one.state) in ("listed", "called") for one in audits)


@settings(max_examples=40)
@given(STANDINGS, st.integers(0, 9_000_000), st.booleans())
def test_what_is_required_is_missing_until_enough_have_ended_it(
    audits: list[AuditStanding], target: int, is_end: bool
) -> None:
    tiers = (
        AuditTier(target_min=1_000_000, auditors_min=1, before_second=False, before_end=True),
        AuditTier(target_min=5_000_000, auditors_min=2, before_second=True, before_end=True),
    )
    needed = 2 if target >= 5_000_000 else 1 if target >= 1_000_000 and is_end else 0
    enough = [one for one in audits if str(one.state) == "ended" and one.seats >= needed]
    if is_end:
        enough = [one for one in enough if one.instalment == 0]
    assert bool(find_missing(audits, find_tier(tiers, target), is_end=is_end)) is (needed > 0 and not enough)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(list(MissionState)), max_size=8), st.integers(1, 4), st.integers(0, 9))
def test_as_many_are_called_as_places_are_empty_in_the_order_of_the_drawing(
    states: list[MissionState], seats: int, more: int
) -> None:
    ranked = [f"n{at}" for at in range(len(states) + more)]
    called = choose_next(ranked, len(states), states, seats)
    taken = [one for one in states if str(one) in ("offered", "accepted", "done")]
    assert len(called) == min(max(seats - len(taken), 0), more)
    assert list(called) == ranked[len(states) : len(states) + len(called)]


def test_words_are_read_as_they_were_written() -> None:
    words = JoinWords(
        *(WORDS_VERSION, BREST, bytes(16), "D715K6AF", "student", "29019", "Brest", 48_390_394, -4_486_076, 5_000),
        *(("rome:300031",), 20260101, 20261231, 2),
    )
    body = write_words(words)
    assert body.startswith(b"citizen-miles/projects/audit-join/v1\0")
    assert read_words(body) == words
    for wrong in (body[:-1], body + b"\0", b"x" + body, write_words(msgspec.structs.replace(words, version=2))):
        with pytest.raises(InvalidAudit):
            read_words(wrong)


async def test_whatever_auditors_do_in_whatever_order_the_gate_is_that_of_a_plain_model(world: World) -> None:
    audits, project = await started(world)
    people = audits.people([f"a{at}" for at in range(14)])
    asked = {audits.ask(project, seats, instalment=at): seats for at, seats in ((1, 1), (2, 2), (0, 3))}
    world.later(days=31)
    dice, order = random.Random(5), list(asked)
    calls: dict[Id16, list[str]] = {}  # by audit: the auditors called, in their order
    states: dict[tuple[Id16, str], str] = {}
    verdicts: dict[tuple[Id16, str], list[str]] = {}
    answered: set[bytes] = set()
    struck: set[str] = set()

    def top_up(audit: Id16) -> None:
        """The model: the ranked order, nobody passed over, nobody with a conflict offered anything."""
        drawn = world.read(lambda line: load_drawing(line, load_audit(line, audit).draw))
        ranked = [audits.accounts[one] for one in drawn.ranked]
        called = calls.setdefault(audit, [])
        while sum(states[audit, one] in ("offered", "accepted", "done") for one in called) < asked[audit] and len(
            called
        ) < len(ranked):
            called.append(ranked[len(called)])
            states[audit, called[-1]] = "conflicted" if called[-1] in struck else "offered"

    for audit in order:
        audits.draw(audit, f"{dice.randrange(10**6):06d}")
        top_up(audit)
    for _ in range(60):
        audit = dice.choice(order)
        rank = dice.randrange(len(calls[audit]))
        name, row = calls[audit][rank], audits.missions(audit)[rank]
        state, before = states[audit, name], verdicts.get((audit, name), [])
        action = dice.choice(["accept", "decline", "report", "report", "answer", "conflict"])
        if action == "conflict":
            if dice.random() < 0.6:
                continue
            audits.declare(name, project=project)
            struck.add(name)
            for other in order:
                if states.get((other, name)) in ("offered", "accepted", "done"):
                    states[other, name] = "conflicted"
                    top_up(other)
            continue
        if action == "answer":
            made = audits.reports(row)
            if made:
                audits.answer(made[-1])
                answered.add(bytes(made[-1].id))
            continue
        made = audits.reports(row)
        found = dice.choice(list(V))
        may = {
            "accept": state == "offered",
            "decline": state in ("offered", "accepted"),
            "report": state in ("accepted", "done"),
        }[action]
        more = {}
        if action == "report" and made:
            last = bytes(made[-1].id)
            more = {"follows": last, "answer": last_answer(world, last) if last in answered else b""}
            is_better = ["sound", "reserved", "failed"].index(found) < ["sound", "reserved", "failed"].index(before[-1])
            may = may and (not is_better or last in answered)
        try:
            if action == "report":
                audits.report(row, found, **more)
            else:
                audits.reply(row, accepts=action == "accept")
        except Refusal:
            assert not may, (action, state)
            continue
        assert may, (action, state)
        if action == "report":
            verdicts[audit, name] = [*before, str(found)]
        states[audit, name] = {"accept": "accepted", "decline": "declined", "report": "done"}[action]
        top_up(audit)
    assert len(people) == 14
    said = []
    is_open = False
    for audit in order:
        assert audits.states(audit) == [states[audit, one] for one in calls[audit]]
        done = [one for one in calls[audit] if states[audit, one] == "done"]
        if len(done) >= asked[audit]:
            said += [verdicts[audit, one][-1] for one in done]
        else:
            is_open = True
    progress = world.read(lambda line: load_progress_report(line, world.project(project), 20270101)).progress
    expected = next((one for one in ("failed", "reserved", "sound") if one in said), None)
    assert (None if progress.verdict is None else str(progress.verdict)) == expected
    assert bool(progress.audit_running) is is_open


def last_answer(world: World, report: bytes) -> bytes:
    found = world.read(lambda line: list_answers(line, report_answers.c.report == report))
    return bytes(found[-1].id)
