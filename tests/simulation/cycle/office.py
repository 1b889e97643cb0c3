"""What a projects' office does: propose, call votes, open, start, convert round by round, take proofs, confirm, withdraw."""

from __future__ import annotations

import datetime
from typing import Any

from node.governance.bearers import Bearer, Proof, ProofKind, Registry
from node.governance.instalments import AuditVerdict
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.projects_service import LeadProject, ProposeProject
from node.governance.rounds_service import ConfirmDue, ConvertRound, GiveSpending, JudgeSpending, SignedFinding
from node.governance.sheets import BudgetLine, Milestone
from node.governance.signers import WORDS_VERSION, FindingWords, write_words
from node.governance.votes import BALLOT_VERSION, BallotWords, Choice, sign_ballot
from node.governance.votes_service import CallVote, CloseVote
from protocol.errors import Refusal
from protocol.house import make_due_id
from protocol.identifiers import Id16, make_account_number
from protocol.keys import Domain, sign
from protocol.times import DAY_MS
from tests.governance.world import FOR, OTHER, OURS, make_sheet
from tests.simulation.cycle.oracle import Project, Round
from tests.simulation.cycle.stage import PROJECTS, Stage
from tests.simulation.house.oracle import Wrong

VOTE_DAYS = 3
PROJECTS_MAX = 14


def propose(stage: Stage) -> None:
    if len(stage.oracle.projects) < PROJECTS_MAX:
        propose_one(stage, stage.choose_code())


def propose_one(stage: Stage, code: str) -> bytes:
    """A bearer proposes a project, the office takes it up, and the committee is called to vote."""
    dice, name = stage.dice, f"{code}/{PROJECTS}"
    bearer = Bearer(
        id=stage.new_id(),
        registry=Registry(f"W29{dice.randrange(10**7):07d}"),
        name="Les Blés",
        category="9220",
        holder_name="LES BLES",
        iban=dice.choice((OURS, OTHER)),
    )
    stage.ask(name, lambda: stage.projects(code).signers.save_bearers, bearer)
    for kind in (ProofKind.STATUTES, ProofKind.DECLARATION):
        proof = Proof(
            id=stage.new_id(),
            bearer=bearer.id,
            kind=kind,
            digest=stage.entropy(32),
            issued_on=20260101,
            valid_until=20301231,
        )
        stage.ask(name, lambda proof=proof: stage.projects(code).signers.add_proofs, proof)
    target = dice.choice((400, 900, 1_800))
    minimum = target * dice.choice((3, 6, 9)) // 10
    shares = dice.choice(((target,), (target // 2, target - target // 2)))
    need_by = stage.today + datetime.timedelta(days=dice.choice((12, 25, 60)))
    sheet = make_sheet(
        bearer,
        need_by=int(need_by.strftime("%Y%m%d")),
        target=target,
        minimum=minimum,
        lines=(BudgetLine("arbres", target),),
        milestones=tuple(Milestone(f"part {at}", cents, "facture") for at, cents in enumerate(shares, 1)),
    )
    new = ProposeProject(id=stage.new_id(), sheet=sheet, by=make_account_number(stage.entropy(16)))
    stage.ask(name, lambda: stage.projects(code).projects.propose, new)
    stage.oracle.projects[new.id] = Project(code, target, minimum, shares, bearer.iban)
    _lead(stage, new.id, ProjectEvent.EXAMINED)
    _call_vote(stage, new.id)
    return bytes(new.id)


def _call_vote(stage: Stage, id_: bytes) -> None:
    """Call a vote, and let every member of the committee cast a ballot for it."""
    code = stage.oracle.projects[id_].code
    name, town = f"{code}/{PROJECTS}", stage.known.towns[code]
    called = CallVote(
        id=stage.new_id(), project=Id16(id_), opens_at=stage.now, closes_at=stage.now + VOTE_DAYS * DAY_MS
    )
    session = stage.ask(name, lambda: stage.projects(code).votes.call, called)
    words = BallotWords(
        version=BALLOT_VERSION,
        territory=code,
        session=session.id,
        project=session.project,
        sheet=session.sheet,
        choice=Choice.FOR,
        grid=FOR,
        reason="",
    )
    ballots = [sign_ballot(words, keys) for keys in town.members.values()]
    answers = stage.ask_together(name, [(lambda: stage.projects(code).votes.cast, ballot) for ballot in ballots])
    if refused := [answer for answer in answers if isinstance(answer, Refusal)]:
        raise Wrong(f"a ballot is refused: {refused[0].code}")
    town.sessions[id_] = session


def decide(stage: Stage) -> None:
    """Votes whose time is over are counted, and what was validated opens."""
    for code, town in stage.known.towns.items():
        for id_, session in list(town.sessions.items()):
            if stage.now <= session.closes_at:
                continue
            asked = CloseVote(session=session.id, by="chair")
            try:
                stage.ask(f"{code}/{PROJECTS}", lambda code=code: stage.projects(code).votes.close, asked)
            except Refusal as refusal:  # it was withdrawn meanwhile
                if not stage.oracle.projects[id_].is_withdrawn:
                    raise
                stage.tell(f"vote {refusal.code}")
            del town.sessions[id_]
            _lead(stage, id_, ProjectEvent.OPENED)


def _lead(stage: Stage, id_: bytes, event: ProjectEvent, reason: str = "") -> str:
    """Take a project a step on; return its state, or the code of a refusal."""
    code = stage.oracle.projects[id_].code
    step = LeadProject(id=stage.new_id(), project=Id16(id_), event=event, by="the office", reason=reason)
    try:
        state = stage.ask(f"{code}/{PROJECTS}", lambda: stage.projects(code).projects.lead, step)
    except Refusal as refusal:
        stage.tell(f"{event} {refusal.code}")
        return refusal.code
    stage.tell(f"project {state}")
    return str(state)


def _choose(stage: Stage, *states: ProjectState) -> bytes | None:
    """Return a project in one of these states, or nothing."""
    found = list_projects(stage, *states)
    return stage.dice.choice(found) if found else None


def list_projects(stage: Stage, *states: ProjectState) -> list[bytes]:
    """Return the projects in these states, as their bases show them now."""
    found: list[bytes] = []
    for code in stage.known.towns:
        rows = stage.read(f"{code}/{PROJECTS}", "SELECT id, state FROM projects ORDER BY at, id")
        found += [bytes(id_) for id_, state in rows if state in states and bytes(id_) in stage.oracle.projects]
    return found


def start(stage: Stage) -> None:
    for id_ in list_projects(stage, ProjectState.FUNDED):
        _lead(stage, id_, ProjectEvent.STARTED)


def withdraw(stage: Stage) -> None:
    """A bearer gives up, perhaps in the middle of it: what was not converted goes back."""
    id_ = _choose(stage, ProjectState.OPEN, ProjectState.FUNDED, ProjectState.IN_PROGRESS)
    if id_ is not None and _lead(stage, id_, ProjectEvent.WITHDRAWN, "given up") == "withdrawn":
        stage.oracle.projects[id_].is_withdrawn = True


async def days_pass(stage: Stage) -> None:
    """The job looks at need-by days: some are funded at their minimum, others missed."""
    for code in stage.known.towns:
        await stage.survive(f"{code}/{PROJECTS}", stage.projects(code).catch_up())


def convert(stage: Stage) -> None:
    """The next round of each project, where its proofs let it; one that is funded is started first."""
    if stage.dice.random() < 0.7:
        start(stage)
    for id_ in list_projects(stage, ProjectState.IN_PROGRESS):
        if stage.dice.random() < 0.7:
            convert_one(stage, id_)


def convert_one(stage: Stage, id_: bytes) -> None:
    code = stage.oracle.projects[id_].code
    asked = ConvertRound(id=stage.new_id(), project=Id16(id_))
    try:
        cents = stage.ask(f"{code}/{PROJECTS}", lambda: stage.projects(code).rounds.convert, asked)
    except Refusal as refusal:
        stage.tell(f"convert {refusal.code}")
        return
    stage.oracle.rounds[asked.id] = Round(id_, cents)
    stage.tell(f"round of {cents}")


def prove(stage: Stage) -> None:
    """A bearer shows what an instalment was spent on, and the office accepts it, or not."""
    id_ = _choose(stage, ProjectState.IN_PROGRESS)
    if id_ is None:
        return
    project = stage.oracle.projects[id_]
    name, code = f"{project.code}/{PROJECTS}", project.code
    given = GiveSpending(
        id=stage.new_id(),
        project=Id16(id_),
        instalment=1,
        words="facture",
        cents=project.shares[0],
        digest=stage.entropy(32),
    )
    stage.ask(name, lambda: stage.projects(code).rounds.give_spendings, given)
    judged = JudgeSpending(id=given.id, is_accepted=stage.dice.random() < 0.8, by="the office", reason="illegible")
    stage.ask(name, lambda: stage.projects(code).rounds.judge_spendings, judged)


def audit(stage: Stage) -> None:
    """An auditor finds a project sound, or failed: then nothing more is converted until another finding."""
    id_ = _choose(stage, ProjectState.IN_PROGRESS)
    if id_ is None:
        return
    code = stage.oracle.projects[id_].code
    keys = stage.known.towns[code].auditor
    assert keys is not None
    words = FindingWords(
        version=WORDS_VERSION,
        territory=code,
        id=stage.new_id(),
        project=id_,
        instalment=1,
        verdict=stage.dice.choice((AuditVerdict.SOUND, AuditVerdict.SOUND, AuditVerdict.FAILED)),
        text="looked at",
    )
    signature = sign(keys, Domain.AUDIT, write_words(words))
    asked = SignedFinding(words=words, key=keys.public.id, signature=signature)
    stage.ask(f"{code}/{PROJECTS}", lambda: stage.projects(code).rounds.take_findings, asked)


def confirm(stage: Stage) -> None:
    """A bearer says that the euros of a round are there."""
    rounds = [(row, payer) for row in stage.oracle.rounds for payer in stage.known.towns]
    for row, payer in rounds[-6:]:
        if make_due_id(row, payer) not in stage.oracle.confirmed:
            _confirm_one(stage, row, payer)


def _confirm_one(stage: Stage, row: bytes, payer: str) -> None:
    code = stage.oracle.projects[stage.oracle.rounds[row].project].code
    asked = ConfirmDue(round=Id16(row), payer=payer, on=stage.day)
    try:
        stage.ask(f"{code}/{PROJECTS}", lambda: stage.projects(code).rounds.confirm, asked)
    except Refusal as refusal:
        stage.tell(f"confirm {refusal.code}")
        return
    stage.oracle.confirmed.add(make_due_id(row, payer))
    stage.tell("confirmed")


def learn_numbers(stage: Stage) -> None:
    """Whoever looks at the catalogue sees the account numbers of open projects."""
    for code in stage.known.towns:
        rows: list[Any] = stage.read(f"{code}/{PROJECTS}", "SELECT id, number FROM projects WHERE number IS NOT NULL")
        for id_, number in rows:
            stage.oracle.projects[bytes(id_)].number = number


ACTIONS = {
    propose: 1.5,
    decide: 3,
    start: 2,
    withdraw: 0.8,
    days_pass: 4,
    convert: 11,
    prove: 3,
    audit: 1,
    confirm: 4,
    learn_numbers: 2,
}
