"""A project from its proposal to its closing, and every way in which it ends before."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from node.desks.projects.answers import tell_project
from node.governance.bearers import ProofKind
from node.governance.days import local_day, write_day
from node.governance.errors import (
    AppealRefused,
    DueNotPaid,
    EditRefused,
    EligibilityNotProven,
    InvalidProof,
    ProjectStepRefused,
    ReasonMissing,
    RoundRefused,
)
from node.governance.instalments import AuditVerdict, DueMark, ProofState
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.projects_service import EditProject, LeadProject, ProposeProject
from node.governance.reading_service import load_view
from node.governance.rounds_service import (
    ConfirmDue,
    ConvertRound,
    GiveSpending,
    JudgeSpending,
    Payer,
    SignedFinding,
    list_late_dues,
)
from node.governance.sheets import BudgetLine, Milestone
from node.governance.signers import FindingWords, SignerRole, write_words
from node.governance.votes import Choice
from protocol.conversion import ORDER_VERSION, find_country, unseal_order, verify_order
from protocol.errors import IdMismatch
from protocol.house import DueState, Refused, make_due_id
from protocol.identifiers import Id16
from protocol.keys import Domain, Keyring, make_keys, sign
from tests.governance.world import BREST, FUND, OURS, PROJECTS, RENNES, World, make_sheet

E = ProjectEvent


def convert(world: World, project: Id16, id_: Id16 | None = None) -> tuple[Id16, int]:
    asked = ConvertRound(id=id_ or world.id(), project=project)
    return asked.id, world.write(world.projects.rounds.convert, asked)


def prove(world: World, project: Id16, instalment: int, cents: int, *, accept: bool = True) -> Id16:
    given = GiveSpending(
        id=world.id(), project=project, instalment=instalment, words="facture", cents=cents, digest=world.entropy(32)
    )
    world.write(world.projects.rounds.give_spendings, given)
    judged = JudgeSpending(id=given.id, is_accepted=accept, by="the office", reason="" if accept else "illisible")
    world.write(world.projects.rounds.judge_spendings, judged)
    return given.id


def find(world: World, project: Id16, verdict: AuditVerdict, name: str = "auditor") -> AuditVerdict:
    keys = world.signer(name, SignerRole.AUDITOR)
    words = FindingWords(1, BREST, world.id(), project, 1, verdict, "vu sur place")
    signature = sign(keys, Domain.AUDIT, write_words(words))
    found: AuditVerdict = world.write(
        world.projects.rounds.take_findings, SignedFinding(words=words, key=keys.public.id, signature=signature)
    )
    return found


async def funded(world: World, cents: int = 10_000) -> Id16:
    members = world.committee()
    project = world.propose(world.bearer())
    await world.open(project, list(members))
    world.accounts.support(project, cents, 3)
    await world.settle()
    await world.settle()
    return project


async def test_a_project_lives_from_its_proposal_to_its_closing(world: World) -> None:
    project = await funded(world)
    assert world.project(project).state is ProjectState.FUNDED
    assert world.project(project).number == "PR000001"
    opened = world.accounts.opened[project]
    assert (opened.target, opened.until, opened.theme) == (10_000, 20270301, "environment")
    assert list(world.accounts.committed) == [project]
    rennes = make_keys(world.entropy(64))
    world.write(world.projects.rounds.save_payers, Payer(territory=RENNES, keys=rennes.public))
    assert world.lead(project, E.STARTED) is ProjectState.IN_PROGRESS

    round_, cents = convert(world, project)
    assert cents == 6_000
    with pytest.raises(RoundRefused):  # until the accounts have answered
        convert(world, project)
    await world.settle()
    asked = world.accounts.asked[round_]
    assert (asked.cents, asked.round, asked.payers) == (6_000, 1, (BREST, RENNES))
    for payer, sealed, keys in zip(asked.payers, asked.orders, (world.keys[FUND], rennes), strict=True):
        signed = unseal_order(sealed, Keyring(keys))
        order = verify_order(signed, [world.keys[PROJECTS].public], territory=BREST, payer=payer)
        assert (order.iban, order.bearer, order.legal_category) == (OURS, "W291000001", "9220")
        assert order.decision == world.project(project).decision
        assert (order.version, find_country(order)) == (ORDER_VERSION, "FR")

    world.accounts.convert(round_, {BREST: 3_500, RENNES: 2_500})
    await world.settle()
    with pytest.raises(RoundRefused, match="waits for accepted proofs"):
        convert(world, project)
    world.accounts.settle(round_, BREST, 3_500)
    world.accounts.settle(round_, RENNES, 2_500, DueState.NETTED)
    await world.settle()
    # Netted: our own fund pays, by an order of ours, once the window is paid.
    [ordered] = world.accounts.ordered
    signed = unseal_order(ordered.order, Keyring(world.keys[FUND]))
    assert verify_order(signed, [world.keys[PROJECTS].public], territory=BREST, payer=BREST).iban == OURS
    with pytest.raises(DueNotPaid):
        world.write(world.projects.rounds.confirm, ConfirmDue(round=round_, payer=RENNES, on=20261201))
    world.accounts.settle(round_, RENNES, 2_500)
    await world.settle()
    for payer in (BREST, RENNES):
        mark = world.write(world.projects.rounds.confirm, ConfirmDue(round=round_, payer=payer, on=20261201))
        assert mark is DueMark.CONFIRMED

    prove(world, project, 1, 4_799)
    with pytest.raises(RoundRefused, match="waits for accepted proofs"):  # 80 hundredths of 6 000 are 4 800
        convert(world, project)
    prove(world, project, 1, 9_000, accept=False)
    with pytest.raises(RoundRefused):
        convert(world, project)
    prove(world, project, 1, 1)
    find(world, project, AuditVerdict.FAILED)
    with pytest.raises(RoundRefused, match="audit"):
        convert(world, project)
    find(world, project, AuditVerdict.SOUND)
    second, cents = convert(world, project)
    assert cents == 4_000
    await world.settle()
    world.accounts.convert(second, {BREST: 4_000})
    await world.settle()
    prove(world, project, 2, 4_000)
    with pytest.raises(RoundRefused, match="not confirmed 4000"):
        world.lead(project, E.AUDITED)
    world.accounts.settle(second, BREST, 4_000)
    await world.settle()
    world.write(world.projects.rounds.confirm, ConfirmDue(round=second, payer=BREST, on=20261202))
    assert world.lead(project, E.AUDITED) is ProjectState.AUDITED
    with pytest.raises(ReasonMissing):
        world.lead(project, E.CLOSED)
    assert world.lead(project, E.CLOSED, "attestation 00ff") is ProjectState.CLOSED
    view = world.read(lambda line: load_view(line, project, 20261203))
    assert (view.report.progress.converted, view.report.confirmed) == (10_000, 10_000)


async def test_it_is_funded_at_its_minimum_when_its_day_is_over_and_gets_the_same_shares(world: World) -> None:
    project = await funded(world, 5_001)
    assert world.project(project).state is ProjectState.OPEN
    world.later(days=90)
    assert await world.projects.catch_up() == 0  # 1 March 2027 is not over
    while world.project(project).state is ProjectState.OPEN:
        world.later(hours=6)
        assert world.now < 1_803_963_600_000 + 13 * 3_600_000, "1 March is over, and six hours more"
        await world.projects.catch_up()
    assert world.now >= 1_803_942_000_000 + 6 * 3_600_000, "not before six hours of 2 March in Brest"
    assert world.project(project).state is ProjectState.FUNDED
    assert await world.projects.catch_up() == 0
    world.lead(project, E.STARTED)
    assert convert(world, project)[1] == 3_000  # 5 001 * 6 000 / 10 000, rounded down


async def test_it_misses_its_minimum_and_all_goes_back(world: World) -> None:
    project = await funded(world, 3_999)
    world.later(days=120)  # days off are caught up
    assert await world.projects.catch_up() == 1
    assert await world.projects.catch_up() == 0
    await world.settle()
    found = world.project(project)
    assert (found.state, found.released) == (ProjectState.MISSED, 3_999)
    assert world.accounts.released[project].code == "minimum_missed"
    assert not world.accounts.committed


async def test_it_is_withdrawn_before_and_after_it_opened(world: World) -> None:
    project = await funded(world, 100)
    with pytest.raises(ReasonMissing):
        world.lead(project, E.WITHDRAWN)
    world.lead(project, E.WITHDRAWN, "le terrain est vendu")
    await world.settle()
    assert world.accounts.released[project].code == "withdrawn"
    assert world.project(project).released == 100
    early = world.propose(None)
    world.lead(early, E.WITHDRAWN, "plus besoin")
    await world.settle()
    assert early not in world.accounts.released  # the accounts never heard of it
    with pytest.raises(ProjectStepRefused):
        world.lead(early, E.EXAMINED)


async def test_what_fails_its_audit_gives_the_rest_back_with_that_reason(world: World) -> None:
    project = await funded(world)
    world.lead(project, E.STARTED)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 6_000})
    await world.settle()
    find(world, project, AuditVerdict.FAILED)
    world.lead(project, E.WITHDRAWN, "rien n'est planté")
    await world.settle()
    assert world.accounts.released[project].code == "audit_failed"
    assert world.project(project).released == 4_000


async def test_what_a_fund_does_not_owe_is_converted_again_and_a_rejected_payment_is_shown(world: World) -> None:
    project = await funded(world)
    world.lead(project, E.STARTED)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 2_000, RENNES: 4_000})
    world.accounts.settle(round_, BREST, 2_000)
    world.accounts.settle(round_, BREST, 2_000, DueState.REJECTED)
    world.accounts.say(Refused(make_due_id(round_, RENNES), "order_refused"))
    world.accounts.settle(round_, RENNES, 4_000)  # whoever says so afterwards is not believed
    await world.settle()
    marks = {row.payer: row.mark for row in world.read(lambda line: load_view(line, project, 20261130)).dues}
    assert marks == {BREST: DueMark.REJECTED, RENNES: DueMark.REFUSED}
    # What its bearer waits for too long is listed until it is there.
    owed = local_day(world.now, "UTC")
    on_time, too_late = (write_day(owed + datetime.timedelta(days=days)) for days in (30, 31))
    assert world.read(lambda line: list_late_dues(line, on_time)) == []
    [late] = world.read(lambda line: list_late_dues(line, too_late))
    assert (late.payer, late.number, bytes(late.project)) == (BREST, 1, project)
    for day, days, is_late in ((on_time, 30, False), (too_late, 31, True)):
        lines = tell_project(world.read(lambda line, day=day: load_view(line, project, day)), BREST).payments
        told = {one.payer: (one.waiting_days, one.late) for one in lines}
        assert told == {BREST: (days, is_late), RENNES: (0, False)}
    world.accounts.settle(round_, BREST, 2_000)
    await world.settle()
    assert world.read(lambda line: list_late_dues(line, 20281224)) == []
    assert convert(world, project)[1] == 4_000


async def test_a_round_that_the_accounts_refuse_leaves_room_for_another(world: World) -> None:
    project = await funded(world)
    world.lead(project, E.STARTED)
    round_, cents = convert(world, project)
    assert convert(world, project, round_) == (round_, cents)  # the same question again
    await world.settle()
    world.accounts.say(Refused(round_, "project_not_committed"))
    await world.settle()
    assert convert(world, project)[1] == cents


async def test_what_waits_for_an_order_is_asked_again(world: World) -> None:
    project = await funded(world)
    world.lead(project, E.STARTED)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 1_000}, waiting=5_000)
    await world.settle()
    assert convert(world, project)[1] == 5_000


async def test_what_the_accounts_refused_is_asked_again_on_demand(world: World) -> None:
    project = await funded(world, 1)
    world.accounts.say(Refused(project, "id_mismatch"))
    await world.settle()
    assert world.project(project).code == "id_mismatch"
    world.accounts.opened.clear()
    world.write(world.projects.projects.retry, project)
    await world.settle()
    assert list(world.accounts.opened) == [project]
    assert world.project(project).code == ""


# ---------------------------------------------------------------- edits, refusals, appeals


async def test_after_validation_money_stands_and_other_edits_are_examined_again(world: World) -> None:
    members = world.committee()
    bearer = world.bearer()
    project = world.propose(bearer)
    world.validate(project, list(members))

    def edit(**more: Any) -> ProjectState:
        sheet = more.pop("sheet", None) or make_sheet(bearer, **more)
        asked = EditProject(id=world.id(), project=project, sheet=sheet, by="the office")
        state: ProjectState = world.write(world.projects.projects.edit, asked)
        return state

    for field, changed in (
        ("minimum", {"minimum": 1}),
        ("lines", {"lines": (BudgetLine("tout", 10_000),)}),
        ("milestones", {"milestones": (Milestone("tout", 10_000, "factures"),)}),
    ):
        with pytest.raises(EditRefused) as refused:
            edit(**changed)
        assert refused.value.facts["field"] == field
    with pytest.raises(EditRefused, match="bearer"):
        edit(sheet=make_sheet(None))
    assert edit() is ProjectState.VALIDATED  # nothing new
    assert edit(need="Trente arbres.") is ProjectState.UNDER_EXAMINATION
    found = world.project(project)
    assert (found.version, found.decision, found.sheet.need) == (2, None, "Trente arbres.")
    session = world.call(project)
    with pytest.raises(EditRefused):  # what is voted on does not change under the vote
        edit(need="Cent arbres.")
    assert session.sheet == found.digest
    for name in members:
        world.cast(name, session)
    world.later(days=8)
    world.close_vote(session)
    world.lead(project, E.OPENED)
    with pytest.raises(EditRefused):
        edit(need="Mille arbres.")


async def test_a_refusal_has_a_reason_and_one_appeal_in_its_time(world: World) -> None:
    members = world.committee()
    project = world.propose(world.bearer())

    def appeal(reason: str = "le devis a changé") -> ProjectState:
        asked = LeadProject(id=world.id(), project=project, event=E.APPEALED, by="the bearer", reason=reason)
        state: ProjectState = world.write(world.projects.projects.appeal, asked)
        return state

    world.lead(project, E.EXAMINED)
    with pytest.raises(ProjectStepRefused):  # once it is examined only a vote refuses
        world.lead(project, E.REFUSED, "non")
    session = world.call(project)
    for name in members:
        world.cast(name, session, Choice.AGAINST)
    world.later(days=8)
    with pytest.raises(ReasonMissing):
        world.close_vote(session)
    closed = world.close_vote(session, "trop cher pour dix arbres")
    assert (world.project(project).state, closed.reason) == (ProjectState.REFUSED, "trop cher pour dix arbres")
    with pytest.raises(ReasonMissing):
        appeal("")
    assert appeal() is ProjectState.UNDER_EXAMINATION
    again = world.call(project)
    assert again.is_appeal
    for name in members:
        world.cast(name, again, Choice.AGAINST)
    world.later(days=8)
    world.close_vote(again, "toujours trop cher")
    with pytest.raises(AppealRefused, match="one appeal"):
        appeal()


async def test_an_appeal_that_comes_late_is_refused(world: World) -> None:
    project = world.propose(None)
    world.lead(project, E.REFUSED, "hors du territoire")
    world.later(days=31)
    asked = LeadProject(id=world.id(), project=project, event=E.APPEALED, by="a citizen", reason="si")
    with pytest.raises(AppealRefused, match="30 days"):
        world.write(world.projects.projects.appeal, asked)


async def test_no_project_goes_on_without_a_bearer_whose_proofs_hold(world: World) -> None:
    members = world.committee()
    orphan = world.propose(None)
    with pytest.raises(EligibilityNotProven):
        world.lead(orphan, E.EXAMINED)
    bearer = world.bearer(until=20261206)
    project = world.propose(bearer)
    world.validate(project, list(members))  # voted on 23 November, open until 1 December
    world.later(days=10)
    with pytest.raises(EligibilityNotProven):
        world.lead(project, E.OPENED)
    for kind in (ProofKind.STATUTES, ProofKind.RULING):
        world.prove(bearer, kind, 20270601)
    assert world.lead(project, E.OPENED) is ProjectState.OPEN


async def test_the_same_proposal_again_is_the_same_and_another_under_its_id_is_refused(world: World) -> None:
    first = ProposeProject(id=world.id(), sheet=make_sheet(None), by="D715K6AF")
    for _ in range(2):
        assert world.write(world.projects.projects.propose, first) is ProjectState.PROPOSED
    other = ProposeProject(
        id=first.id,
        sheet=make_sheet(
            None, target=10_001, lines=(BudgetLine("x", 10_001),), milestones=(Milestone("x", 10_001, "y"),)
        ),
        by="D715K6AF",
    )
    with pytest.raises(IdMismatch):
        world.write(world.projects.projects.propose, other)
    with pytest.raises(IdMismatch):
        world.write(
            world.projects.projects.lead,
            LeadProject(id=first.id, project=first.id, event=E.WITHDRAWN, by="x", reason="y"),
        )
    assert world.project(first.id).state is ProjectState.PROPOSED


async def test_proofs_are_judged_once(world: World) -> None:
    project = await funded(world)
    world.lead(project, E.STARTED)
    convert(world, project)
    given = prove(world, project, 1, 10)
    judge = world.projects.rounds.judge_spendings
    assert world.write(judge, JudgeSpending(id=given, is_accepted=True, by="x")) is ProofState.ACCEPTED
    with pytest.raises(ProjectStepRefused):
        world.write(judge, JudgeSpending(id=given, is_accepted=False, by="x", reason="y"))


async def test_one_file_proves_once_whatever_project_or_instalment_it_is_given_for(world: World) -> None:
    """The same invoice a second time, with another sum, frees nothing; one that was refused may come again."""
    project = await funded(world)
    world.lead(project, E.STARTED)
    convert(world, project)
    give, digest = world.projects.rounds.give_spendings, world.entropy(32)
    first = GiveSpending(id=world.id(), project=project, instalment=1, words="facture", cents=2_400, digest=digest)
    assert world.write(give, first) is ProofState.GIVEN
    assert world.write(give, first) is ProofState.GIVEN, "asked again, it is answered"
    for cents in (2_400, 4_800):
        with pytest.raises(InvalidProof, match="proves once"):
            world.write(give, replace(first, id=world.id(), cents=cents))
    refused = JudgeSpending(id=first.id, is_accepted=False, by="the office", reason="illisible")
    world.write(world.projects.rounds.judge_spendings, refused)
    assert world.write(give, replace(first, id=world.id())) is ProofState.GIVEN
