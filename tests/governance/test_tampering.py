"""One value changed by hand in any column of the projects' base is found; where euros and decisions stand, even where the
seal is made right again: by what people signed, by the minutes, and by the logs that the accounts hold too.
"""

from __future__ import annotations

import datetime
import functools
import sqlite3
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Table, Text

from node.doors.duties import Duty as DoorDuty
from node.doors.keys_service import KeyDesk, NewDoorKey
from node.governance import attestations_checks, checks, committee_checks, minutes, project_checks, tables, votes
from node.governance.attestations import AttestationKind
from node.governance.auditing import tables as audit_tables
from node.governance.auditing import words
from node.governance.auditing.auditors import AuditorKind, ConflictKind
from node.governance.auditing.auditors_service import MoveAuditor
from node.governance.auditing.audits_service import DropAudit, ToldReminder
from node.governance.auditing.missions import AuditState, MissionState, ReminderKind
from node.governance.bearers import Bearer, ProofKind
from node.governance.comments import CommentKind, CommentState
from node.governance.comments_service import AddComment, Moderate
from node.governance.committee_service import CloseList, DeclareConflict, EndMember, TellNumber
from node.governance.instalments import AuditVerdict, DueMark, ProofState, RoundState
from node.governance.pictures import require_picture
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.projects_service import LeadProject
from node.governance.rounds_service import ConfirmDue, Payer
from node.governance.sheets import Picture
from node.governance.signers import IbanWords, SignerRole, write_words
from node.governance.signers_service import SignedChange
from node.governance.skills import SkillCode
from node.governance.south import south_checks
from node.governance.south import tables as south_tables
from node.governance.south.guide_service import EndGuide
from node.governance.south.guides import GuideEnd
from node.governance.south.programme_service import EndIt
from node.governance.south.programmes import PartnerKind
from node.governance.store import seal_values
from node.governance.volunteering import offers
from node.governance.volunteering import tables as volunteer_tables
from node.governance.volunteering.hours import HoursState
from node.governance.volunteering.offers import ApplicationEvent
from node.governance.volunteering.volunteering_service import NewRequest
from node.governance.votes import Choice, College, Outcome
from protocol import keys
from protocol.book.seals import compute_seal
from protocol.house import GuideKnown, PayerKey, Refused, make_due_id
from protocol.identifiers import AccountNumber, Id16
from protocol.keys import Domain, make_keys, sign
from tests.governance.audit_makers import Audits
from tests.governance.south_world import SENEGAL, add_partner, agree, approve, complete, guide_words, report
from tests.governance.test_life import convert, find, prove
from tests.governance.test_sheets import png
from tests.governance.test_volunteering import BREST as BREST_TOWN
from tests.governance.test_volunteers import Field
from tests.governance.world import BREST, OTHER, RENNES, World

STATES: dict[str, type[StrEnum]] = {
    "projects.state": ProjectState,
    "steps.state": ProjectState,
    "steps.event": ProjectEvent,
    "proofs.kind": ProofKind,
    "signers.role": SignerRole,
    "members.college": College,
    "draws.college": College,
    "comments.kind": CommentKind,
    "comments.state": CommentState,
    "sessions.outcome": Outcome,
    "spendings.state": ProofState,
    "findings.verdict": AuditVerdict,
    "attestations.kind": AttestationKind,
    "rounds.state": RoundState,
    "dues.mark": DueMark,
    "auditors.kind": AuditorKind,
    "audit_conflicts.kind": ConflictKind,
    "audits.state": AuditState,
    "missions.state": MissionState,
    "reports.verdict": AuditVerdict,
    "audit_reminders.kind": ReminderKind,
    "programme_partners.kind": PartnerKind,
    "guides.ended_code": GuideEnd,
    "volunteer_offers.domain": offers.Domain,
    "volunteer_offers.remote": offers.Remote,
    "volunteer_offers.state": offers.OfferState,
    "applications.state": offers.ApplicationState,
    "told_hours.state": HoursState,
}

# Where euros and decisions stand: signatures, minutes or logs hold each of them, whatever the seal says.
DEEP = (
    *("projects", "versions", "steps", "sessions", "ballots", "draws", "findings", "iban_changes", "rounds", "dues"),
    *("auditors", "audits", "missions", "reports"),
    *("clearances", "field_reports", "guides", "guide_approvals", "attestations"),
)
# But for these: who wrote, who proposed, when. The rest stands once: the seal alone holds it.
SEAL_ONLY = (
    # days and hours that nothing else tells
    *("ballots.at", "draws.at", "draws.drawn_at", "dues.at", "findings.at", "projects.at"),
    *("iban_changes.applied_at", "iban_changes.at", "iban_changes.effective_at", "rounds.answered_at", "rounds.at"),
    *("sessions.at", "sessions.decided_at", "steps.at", "versions.at"),
    # where a bearer was paid before: what it was first told stands nowhere else
    "iban_changes.before_holder_name",
    # which instalment a round was of, and why the accounts refused last
    *("rounds.instalment", "projects.code"),
    # who took a step or wrote a version, and why
    *("steps.by", "steps.reason", "versions.by"),
    # of audits: who asked, why, for when; when things happened; why somebody is away or has left
    *("audits.at", "audits.by", "audits.dropped_at", "audits.dropped_reason", "audits.due_on", "audits.reason"),
    *("auditors.at", "auditors.away_until", "auditors.ended_at", "auditors.ended_reason"),
    *("missions.at", "missions.ended_at", "missions.reason", "missions.replied_at", "reports.at"),
    # when people handed in what they signed, when the accounts said that they know, and why a guide ended
    *("clearances.at", "clearances.confirmed_at", "field_reports.at", "guides.at", "guides.ended_at"),
    *("guides.ended_reason", "guides.heard_at", "attestations.at"),
)


async def live(world: World) -> None:
    """Let everything that has a table of its own happen once or twice."""
    members = world.committee()
    drawn = CloseList(
        id=world.id(), college="citizens", seats=1, source="Loto", drawn_on=20261124, candidates=(world.account(),)
    )
    world.write(world.projects.committee.close_lists, drawn)
    world.later(days=1)
    world.write(world.projects.committee.draw, TellNumber(id=drawn.id, number="123456"))
    world.seat("drawn", College.CITIZENS, account=drawn.candidates[0], draw=drawn.id)
    leaver = world.seat("leaver", College.COMPANIES, organisation="W291000009")
    bearer = world.bearer()
    picture = require_picture(png())
    world.write(world.projects.projects.keep_pictures, picture)
    refused = world.propose(bearer, pictures=(Picture(picture.digest, "un plan"),))
    world.lead(refused, ProjectEvent.EXAMINED)
    session = world.call(refused)
    told = DeclareConflict(member=members["companies-1"], project=refused, reason="vend les arbres")
    world.write(world.projects.committee.declare, told)
    for name in ("citizens-1", "drawn", "associations-1", "municipality-1", "qualified-1", "leaver"):
        world.cast(name, session, Choice.AGAINST)
    world.write(world.projects.committee.end, EndMember(id=leaver, reason="a déménagé"))
    world.later(days=8)
    world.close_vote(session, "trop cher")
    appeal = LeadProject(id=world.id(), project=refused, event=ProjectEvent.APPEALED, by="the bearer", reason="non")
    world.write(world.projects.projects.appeal, appeal)
    world.call(refused)

    project = world.propose(bearer)
    await world.open(project, [*members, "drawn"])
    for state in (CommentState.SHOWN, CommentState.HIDDEN):
        question = AddComment(
            id=world.id(), project=project, kind=CommentKind.QUESTION, author=world.account(), text="Qui arrose ?"
        )
        world.write(world.projects.comments.add, question)
        moderated = Moderate(comment=question.id, state=state, by="the office", reason="insulte")
        world.write(world.projects.comments.moderate, moderated)
    answer = AddComment(
        id=world.id(),
        project=project,
        kind=CommentKind.ANSWER,
        author="W291000001",
        text="L'école",
        answers=question.id,
    )
    world.write(world.projects.comments.add, answer)
    world.accounts.support(project, 10_000, 3)
    await world.settle()
    world.write(world.projects.rounds.save_payers, Payer(territory=RENNES, keys=make_keys(world.entropy(64)).public))
    world.lead(project, ProjectEvent.STARTED)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 3_000, RENNES: 3_000})
    world.accounts.settle(round_, BREST, 3_000)
    world.accounts.say(Refused(make_due_id(round_, RENNES), "order_refused"))
    await world.settle()
    world.write(world.projects.rounds.confirm, ConfirmDue(round=round_, payer=BREST, on=20261205))
    prove(world, project, 1, 6_000)
    prove(world, project, 1, 5, accept=False)
    find(world, project, AuditVerdict.RESERVED)
    convert(world, project)
    await world.settle()
    await live_audits(world, project, picture.digest)
    live_volunteers(world, project)
    live_keys(world)
    there = world.signer("elsewhere").public
    world.accounts.say(PayerKey("243500139", 1, 20261128, there.signing, there.sealing))
    await world.settle()
    world.signer("anne", SignerRole.STEWARD), world.signer("bob", SignerRole.STEWARD)
    changed = IbanWords(1, BREST, world.id(), bearer.id, "LES BLES", OTHER)
    for name in ("anne", "bob"):
        own = world.people[name]
        signature = sign(own, Domain.OFFICER, write_words(changed))
        world.write(
            world.projects.signers.change_ibans, SignedChange(words=changed, key=own.public.id, signature=signature)
        )
    world.later(days=3)
    await world.projects.catch_up()
    world.write(world.projects.signers.revoke, world.people["leaver"].public.id)
    late = world.propose(bearer)
    await world.open(late, [*members, "drawn"])
    world.write(world.projects.catalogue.publish, True)
    world.accounts.support(late, 700)
    await world.settle()
    world.lead(late, ProjectEvent.WITHDRAWN, "le terrain est vendu")
    await world.settle()
    await live_abroad(world, bearer, [*members, "drawn"], picture.digest)


async def live_abroad(world: World, bearer: Bearer, members: list[str], picture: bytes) -> None:
    """A South programme with two partners, of which one ends; a report, and guides who are accredited, refused and ended."""
    project = world.propose(bearer, commune=SENEGAL)
    partner = complete(world, project)
    gone = add_partner(world, project, name="Autre")
    ended = EndIt(id=world.id(), what=agree(world, gone).id, reason="résiliée")
    world.write(world.projects.programmes.end_agreements, ended)
    world.write(world.projects.programmes.end_partners, EndIt(id=world.id(), what=gone.id, reason="a cessé"))
    await world.open(project, members)
    world.accounts.support(project, 10_000, 3)
    await world.settle()
    await world.settle()
    world.lead(project, ProjectEvent.STARTED)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 6_000})
    await world.settle()
    report(world, project, partner.name, from_day=20261201, until_day=20261201, pictures=(picture,))
    guides = [guide_words(world) for _ in range(2)]
    for asked in guides:
        approve(world, asked, "citizens-1", "companies-1", "qualified-1")
    left = EndGuide(id=world.id(), guide=Id16(guides[0].id), code=GuideEnd.LEFT, reason="a déménagé")
    world.write(world.projects.guides.end, left)
    world.accounts.say(GuideKnown(guides[0].id, True), Refused(guides[1].id, "id_mismatch"))
    await world.settle()


async def live_audits(world: World, project: Id16, picture: bytes) -> None:
    """An auditor declines, the next one reports twice, a third one has a conflict; another audit is dropped."""
    audits = Audits(world)
    people = audits.people(["ada", "bea", "cleo"])
    audits.declare("cleo", organisation="W291000009")
    audit, dropped = audits.ask(project), audits.ask(project, instalment=0)
    world.later(days=31)
    audits.draw(audit)
    audits.draw(dropped)
    why = DropAudit(id=world.id(), audit=dropped, by="the office", reason="asked twice")
    world.write(world.projects.audits.drop, why)
    audits.reply(audits.missions(audit)[0], accepts=False)
    world.later(days=5)
    await world.projects.catch_up()
    mission = audits.missions(audit)[1]
    reminded = ToldReminder(mission=Id16(bytes(mission.id)), kind=ReminderKind.ANSWER)
    world.write(world.projects.audits.tell_reminders, reminded)
    audits.reply(mission)
    audits.report(mission, AuditVerdict.RESERVED, pictures=(picture,))
    [report] = audits.reports(mission)
    audits.report(mission, follows=bytes(report.id), answer=audits.answer(report))
    left = MoveAuditor(id=world.id(), auditor=people["ada"], leaves="moved away")
    world.write(world.projects.auditors.move, left)


def live_volunteers(world: World, project: Id16) -> None:
    """A group works, is confirmed, and claims a pass; another volunteer is declined; somebody still looks for work."""
    field = Field(world, project)
    offer = field.offer(first_on=datetime.date(2026, 11, 24))
    group, other = field.apply(offer, people=3, label="Le club"), field.apply(offer)
    field.decide(group, ApplicationEvent.ACCEPTED)
    field.decide(other, ApplicationEvent.DECLINED, reason="too late")
    field.judge(field.tell(group, 20261130, 500))
    field.judge(field.tell(group, 20261201, 60), "nobody came")
    field.claim(group)
    ask = NewRequest(
        id=world.id(),
        account=AccountNumber(world.account()),
        home=BREST_TOWN,
        radius=9_000,
        skills=(SkillCode("esco:S1.3"),),
        takes_remote=True,
        people=1,
        until_day=20271231,
    )
    world.write(world.projects.volunteers.request, ask)
    world.write(world.projects.volunteers.close_requests, ask.id)


def live_keys(world: World) -> None:
    """An officer has a key of the office's doors."""
    keys = KeyDesk(world.book, tables.door_keys, partial(seal_values, tables.door_keys))
    duties = (DoorDuty.SECRETARY, DoorDuty.OFFICER)
    world.write(keys.make, NewDoorKey(asked=world.id(), id="1", secret="s", name="the secretary", duties=duties))


def _others(column: Any, value: Any) -> list[Any]:
    """Return what a value is changed to: a state into another one, anything else a little."""
    kind = STATES.get(f"{column.table.name}.{column.name}")
    if kind is not None:
        return [next(str(one) for one in reversed(list(kind)) if one != value)]
    if isinstance(column.type, LargeBinary):
        return [bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1]) if value else b"x"]
    if isinstance(column.type, Text):
        return [value[:-1] + ("x" if value[-1] != "x" else "y") if value else "x"]
    return [1 if value is None else value + 1]


class Hand:
    """Whoever changes rows in the file, and knows of the seals or not."""

    def __init__(self, file: Path) -> None:
        self.base = sqlite3.connect(file, isolation_level=None)
        self.base.execute("PRAGMA ignore_check_constraints = 1")

    def rows(self, table: Table) -> list[int]:
        return [row[0] for row in self.base.execute(f"SELECT rowid FROM {table.name} ORDER BY rowid")]

    def read(self, table: Table, row: int) -> dict[str, Any]:
        names = [column.name for column in table.columns]
        asked = f"SELECT {', '.join(names)} FROM {table.name} WHERE rowid = ?"
        return dict(zip(names, self.base.execute(asked, (row,)).fetchone(), strict=True))

    def count_told(self, table: Table, row: int) -> tuple[int, int]:
        """Return how much a row says: of rows that say the same, the last one."""
        return sum(value is not None and value != "" for value in self.read(table, row).values()), row

    def write(self, table: Table, row: int, values: dict[str, Any]) -> bool:
        """Write values into a row; tell whether the base lets it."""
        sets = ", ".join(f"{name} = ?" for name in values)
        try:
            self.base.execute(f"UPDATE {table.name} SET {sets} WHERE rowid = ?", (*values.values(), row))
        except sqlite3.IntegrityError:
            return False
        return True


async def test_one_value_changed_by_hand_is_found_and_where_money_stands_without_the_seal_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a signature says never changes: it is looked at once, not once for each change.
    remembered = functools.lru_cache(maxsize=None)(keys.is_signed)
    for module in (attestations_checks, committee_checks, project_checks, minutes, votes, words, south_checks):
        monkeypatch.setattr(module, "is_signed", remembered)
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    await live(world)
    assert world.find_wrongs() == []
    hand = Hand(tmp_path / "PROJECTS.db")
    hidden: set[str] = set()
    missed: set[str] = set()
    likely = ""
    rooms = (tables, audit_tables, south_tables, volunteer_tables)  # not that of passes
    own = [table for room in rooms for table in vars(room).values() if isinstance(table, Table)]
    for table in own:
        rows = hand.rows(table)
        assert rows, f"nothing happened in {table.name}"
        row = max(rows, key=lambda one: hand.count_told(table, one))
        before = hand.read(table, row)
        for column in table.columns:
            for other in _others(column, before[column.name]):
                after = before | {column.name: other}
                if column.name != "seal":
                    sealed = compute_seal(table.name, [value for name, value in after.items() if name != "seal"])
                    assert sealed != before["seal"], "a seal is of every column"
                    if table.name not in DEEP:
                        continue
                    after["seal"] = sealed
                if not hand.write(table, row, after):
                    continue  # the base itself refuses it
                # What was found last is looked at first; a seal that is right again is not looked at.
                wrong = world.find_wrong_row(likely=likely, skipped=checks.SEALS if column.name != "seal" else "")
                if wrong is None:
                    hidden.add(f"{table.name}.{column.name}")
                elif not (wrong[1].place and wrong[1].expected):
                    missed.add(f"{table.name}.{column.name}")
                else:
                    likely = wrong[0]
                hand.write(table, row, before)
        # What is not sealed again is found in every table.
        name, other = next(
            (column.name, _others(column, before[column.name])[0])
            for column in reversed(list(table.columns)[:-1])
            if not column.foreign_keys
        )
        hand.write(table, row, {name: other})
        if world.find_wrong_row(likely=checks.SEALS) is None:
            missed.add(table.name)
        hand.write(table, row, before)
    assert world.find_wrongs() == []
    hand.base.close()
    world.close()
    assert not missed
    assert (hidden - set(SEAL_ONLY), set(SEAL_ONLY) - hidden) == (set(), set())
