"""Ask for an audit, draw who makes it, take answers and reports, call who stands in, and remind."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables as base_tables
from node.governance.answering import answer_each
from node.governance.auditing import tables
from node.governance.auditing.auditors import Auditor, Subject, choose_candidates, find_conflict
from node.governance.auditing.audits_store import (
    Audit,
    find_auditor_of,
    find_last_report,
    list_auditors,
    list_audits,
    list_missions,
    list_standings,
    load_audit,
    load_auditor,
    load_mission,
    load_report,
)
from node.governance.auditing.gate import find_running
from node.governance.auditing.missions import (
    HOLDS_PLACE,
    IS_OPEN,
    AuditState,
    MissionEvent,
    MissionState,
    ReminderKind,
    advance,
    choose_next,
    require_report,
    tell_audit,
)
from node.governance.auditing.rules_store import AuditRules, load_audit_rules
from node.governance.auditing.words import (
    WORDS_VERSION,
    MissionWords,
    ReplyWords,
    ReportWords,
    SignedWords,
    compute_words_digest,
    read_words,
    sign_words,
)
from node.governance.bearers import DIGEST_BYTES
from node.governance.committee_service import load_drawing, save_draw_list, take_draw_number
from node.governance.days import add_days, format_day, local_day, read_day, write_day
from node.governance.drawing import AUDITORS, SOURCE_MAX, make_list
from node.governance.errors import (
    DrawStepRefused,
    FileUnknown,
    HasConflict,
    InvalidAudit,
    MissionStepRefused,
    NotEnoughAuditors,
    ProjectStepRefused,
    ReasonMissing,
    SignatureRefused,
)
from node.governance.instalments import AuditVerdict
from node.governance.projects import ProjectState
from node.governance.projects_service import require_proposer
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import require_signature
from node.governance.skills import SkillCode
from node.governance.skills_store import load_skills
from node.governance.store import Project, change, load_bearer, load_project, note_asked, save, was_asked
from node.governance.texts import is_line, is_prose
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id, require_id
from protocol.keys import Domain, SecretKeys

_audits, _missions, _reports = tables.audits, tables.missions, tables.reports
_answers, _reminders, _auditors = tables.report_answers, tables.audit_reminders, tables.auditors
REASON_MAX: Final = 200
ANSWER_MAX: Final = 2_000
DUE_DAYS_MAX: Final = 366
UNTOLD_DAYS: Final = 14  # a public draw without a number after them did not take place


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAudit:
    """An audit of one instalment (from 1), or of the whole (0), by so many; drawn on a day to come (yyyymmdd) by `source`."""

    id: Id16
    project: Id16
    instalment: int
    seats: int
    source: str
    drawn_on: int
    due_on: int
    reason: str
    by: str
    needed: tuple[SkillCode, ...] = ()

    def __post_init__(self) -> None:
        require_id(self.id)
        read_day(self.drawn_on)
        read_day(self.due_on)
        for what, text in (("by", self.by), ("audit", self.reason)):
            if not is_line(text, REASON_MAX):
                raise ReasonMissing(what=what)
        if not is_line(self.source, SOURCE_MAX):
            raise InvalidAudit(field="source", reason="the public draw, in one line")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawAudit:
    """The public number of an audit's drawing."""

    audit: Id16
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropAudit:
    """An audit that nobody needs any more, with its reason for everybody to read."""

    id: Id16
    audit: Id16
    by: str
    reason: str

    def __post_init__(self) -> None:
        require_id(self.id)
        for what, text in (("by", self.by), ("dropped", self.reason)):
            if not is_line(text, REASON_MAX):
                raise ReasonMissing(what=what)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReport:
    """What the bearer, or somebody, says to a report. `digest` is the SHA-256 of a file that proves it, or nothing."""

    id: Id16
    report: Id16
    by: str
    text: str
    digest: bytes = b""

    def __post_init__(self) -> None:
        require_id(self.id)
        require_proposer(self.by)
        if not is_prose(self.text, ANSWER_MAX):
            raise InvalidAudit(field="text", reason=f"a text of 1 to {ANSWER_MAX} symbols")
        if self.digest and len(self.digest) != DIGEST_BYTES:
            raise InvalidAudit(field="digest", reason="the SHA-256 of the file")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldReminder:
    """Somebody passed a reminder on to the auditor."""

    mission: Id16
    kind: ReminderKind


def make_mission_id(audit: bytes, rank: int) -> Id16:
    """Return the id of a mission: it follows from the audit and the place in its drawing, so that none is made twice."""
    return Id16(hashlib.sha256(b"citizen-miles/mission/v1\0" + audit + rank.to_bytes(4, "big")).digest()[:16])


def write_source(source: str, audit: Id16) -> str:
    """Return what the closed list says of its draw: the audit is named, so that no two audits draw the same order."""
    return f"{source}; audit {format_id(audit)}"


class AuditDesk:
    """Operations for the book's writer, on audits and their missions. `keys` sign lists and missions."""

    def __init__(self, settings: ProjectsSettings, *, keys: SecretKeys) -> None:
        self._settings = settings
        self._keys = keys

    def use_keys(self, keys: SecretKeys) -> None:
        """Sign with these keys from now on."""
        self._keys = keys

    def ask(self, page: Page, items: Sequence[AskAudit]) -> list[AuditState | Refusal]:
        """Close the list of who may be drawn for each audit; from now on the next instalment waits for it."""
        return answer_each(items, lambda item: self._ask(page, item))

    def draw(self, page: Page, items: Sequence[DrawAudit]) -> list[AuditState | Refusal]:
        """Take the public number of each audit's drawing, once, and offer its missions."""
        return answer_each(items, lambda item: self._draw(page, item))

    def reply(self, page: Page, items: Sequence[SignedWords]) -> list[MissionState | Refusal]:
        """Take what auditors signed: who declines has somebody else called."""
        return answer_each(items, lambda item: self.take_reply(page, item))

    def report(self, page: Page, items: Sequence[SignedWords]) -> list[AuditVerdict | Refusal]:
        """Keep what auditors found and signed; the last report of a mission counts."""
        return answer_each(items, lambda item: self.take_report(page, item))

    def answer(self, page: Page, items: Sequence[AnswerReport]) -> list[Id16 | Refusal]:
        """Keep what somebody says to a report, so that its auditor may look again."""
        return answer_each(items, lambda item: self._answer(page, item))

    def drop(self, page: Page, items: Sequence[DropAudit]) -> list[AuditState | Refusal]:
        """End audits that nobody needs any more; one that is required is then still required."""
        return answer_each(items, lambda item: self._drop(page, item))

    def tell_reminders(self, page: Page, items: Sequence[ToldReminder]) -> list[bool]:
        """Note that reminders were passed on; tell whether there was one that was not."""
        return [
            bool(
                change(
                    page.connection,
                    _reminders,
                    _reminders.c.mission == one.mission,
                    _reminders.c.kind == one.kind,
                    _reminders.c.told_at.is_(None),
                    told_at=page.now,
                )
            )
            for one in items
        ]

    def catch_up(self, page: Page, items: Sequence[None]) -> list[int]:
        """Do what days have made due: reminders, missions that lapse, who stands in. Run twice is run once."""
        running = list_audits(page.connection, _audits.c.state.in_((AuditState.LISTED, AuditState.CALLED)))
        done = sum(self._catch_up(page, audit) for audit in running)
        return [done for _ in items]

    # One at a time.

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _ask(self, page: Page, asked: AskAudit) -> AuditState:
        content = (
            *("audit", asked.project, asked.instalment, asked.seats, asked.source, asked.drawn_on, asked.due_on),
            *(asked.reason, asked.by, list(asked.needed)),
        )
        if was_asked(page.connection, asked.id, *content):
            return load_audit(page.connection, asked.id).state
        project, today = load_project(page.connection, asked.project), self._today(page)
        rules = load_audit_rules(today)
        self._require_asked(asked, project, rules)
        standings = list_standings(page.connection, project.id)
        listed = [one for one in standings if (one.instalment, one.state) == (asked.instalment, AuditState.LISTED)]
        if (waiting := find_running(listed)) is not None:
            raise waiting  # of several lists somebody would choose one, once the number is known
        subject = make_subject(page.connection, project, asked.due_on, self._today(page), asked.needed)
        found = choose_candidates(list_auditors(page.connection), subject, today, load_skills())
        if len(found) < asked.seats:
            raise NotEnoughAuditors(found=len(found), needed=asked.seats)
        told = make_list(
            territory=self._settings.home,
            college=AUDITORS,
            seats=asked.seats,
            source=write_source(asked.source, asked.id),
            drawn_on=asked.drawn_on,
            candidates=found,
        )
        note_asked(page, asked.id, *content)
        draw = Id16(hashlib.sha256(b"citizen-miles/audit-draw/v1\0" + asked.id).digest()[:16])
        save_draw_list(page, draw, told, keys=self._keys, zone=self._settings.zone)
        save(
            page.connection,
            _audits,
            id=asked.id,
            project=asked.project,
            instalment=asked.instalment,
            seats=asked.seats,
            draw=draw,
            criteria=" ".join(one.key for one in rules.criteria),
            due_on=asked.due_on,
            state=AuditState.LISTED,
            reason=asked.reason,
            by=asked.by,
            at=page.now,
            dropped_reason="",
        )
        return AuditState.LISTED

    def _require_asked(self, asked: AskAudit, project: Project, rules: AuditRules) -> None:
        if project.state is not ProjectState.IN_PROGRESS:
            raise ProjectStepRefused(state=project.state, event="audit asked")
        last = len(project.sheet.milestones)
        if not 0 <= asked.instalment <= last:
            raise InvalidAudit(field="instalment", reason=f"1 to {last}, or 0 for the whole")
        if not 1 <= asked.seats <= rules.auditors_max:
            raise InvalidAudit(field="auditors", reason=f"1 to {rules.auditors_max}")
        days = (read_day(asked.due_on) - read_day(asked.drawn_on)).days
        if not rules.mission_days_min <= days <= DUE_DAYS_MAX:
            raise InvalidAudit(
                field="due_on", reason=f"{rules.mission_days_min} to {DUE_DAYS_MAX} days after the drawing"
            )

    def _draw(self, page: Page, told: DrawAudit) -> AuditState:
        audit = load_audit(page.connection, told.audit)
        take_draw_number(page, audit.draw, told.number, zone=self._settings.zone)
        if audit.state is AuditState.LISTED:
            self._call(page, audit)
        return load_audit(page.connection, audit.id).state

    def _call(self, page: Page, audit: Audit) -> int:
        """Offer missions until each place has somebody, or nobody is left; return how many rows there are more."""
        drawing, made = load_drawing(page.connection, audit.draw), 0
        if not drawing.number:
            return 0
        while True:
            missions = list_missions(page.connection, _missions.c.audit == audit.id)
            states = [MissionState(row.state) for row in missions]
            after = tell_audit(states, audit.seats, is_drawn=True, is_dropped=False)
            called = choose_next(drawing.ranked, len(missions), states, audit.seats)
            if after is AuditState.ENDED or not called:
                change(page.connection, _audits, _audits.c.id == audit.id, state=after)
                return made
            for rank, account in enumerate(called, len(missions)):
                self._offer(page, audit, rank, account)
                made += 1

    def _offer(self, page: Page, audit: Audit, rank: int, account: str) -> None:
        """Offer a mission to who is next; one who cannot take it any more has a row that says why."""
        project, today = load_project(page.connection, audit.project), self._today(page)
        auditor = find_auditor_of(page.connection, _auditors.c.account == account, _auditors.c.at <= audit.at)
        assert auditor is not None  # nobody is deleted from the register
        rules = load_audit_rules(today)
        first = read_day(today)
        due_on = max(audit.due_on, write_day(first + datetime.timedelta(days=rules.mission_days_min)))
        answer_by = write_day(first + datetime.timedelta(days=rules.answer_days))
        words = MissionWords(
            version=WORDS_VERSION,
            territory=self._settings.home,
            id=make_mission_id(audit.id, rank),
            audit=audit.id,
            project=project.id,
            title=project.sheet.title,
            sheet=project.digest,
            instalment=audit.instalment,
            rank=rank,
            key=auditor.key,
            criteria=audit.criteria,
            answer_by=answer_by,
            due_on=due_on,
        )
        signed = sign_words(words, self._keys)
        conflict = find_conflict(auditor, make_subject(page.connection, project, due_on, today, ()))
        state = (
            MissionState.CONFLICTED if conflict else MissionState.LAPSED if auditor.has_left else MissionState.OFFERED
        )
        save(
            page.connection,
            _missions,
            id=words.id,
            audit=audit.id,
            auditor=auditor.id,
            rank=rank,
            words=signed.body,
            signature=signed.signature,
            signer=signed.key,
            answer_by=answer_by,
            due_on=due_on,
            state=state,
            reason=conflict or ("left the register" if auditor.has_left else ""),
            at=page.now,
            ended_at=None if state is MissionState.OFFERED else page.now,
        )

    def take_reply(self, page: Page, signed: SignedWords) -> MissionState:
        """Take one reply; raises its refusal before anything is written."""
        words = read_words(signed.body)
        if not isinstance(words, ReplyWords):
            raise InvalidAudit(field="words", reason="an auditor answers a mission with a reply")
        mission, auditor = self._require_own(page, signed, words.territory, words.mission)
        id_, content = Id16(words.id), ("audit_reply", signed.body, signed.key)
        if was_asked(page.connection, id_, *content):
            return MissionState(mission.state)
        if words.digest != compute_words_digest(bytes(mission.words)):
            raise InvalidAudit(field="digest", reason="of other words than this mission's")
        if words.reason and not is_line(words.reason, REASON_MAX):
            raise InvalidAudit(field="reason", reason=f"one line of up to {REASON_MAX} symbols")
        event = MissionEvent.ACCEPTED if words.is_accepted else MissionEvent.DECLINED
        after = advance(MissionState(mission.state), event)
        audit = load_audit(page.connection, mission.audit)
        if words.is_accepted:
            project = load_project(page.connection, audit.project)
            conflict = find_conflict(
                auditor, make_subject(page.connection, project, mission.due_on, self._today(page), ())
            )
            if conflict:
                raise HasConflict(member=auditor.account, reason=conflict)
        note_asked(page, id_, *content)
        told: dict[str, Any] = {} if words.is_accepted else {"ended_at": page.now}
        change(
            page.connection,
            _missions,
            _missions.c.id == mission.id,
            state=after,
            reason=words.reason,
            reply=signed.body,
            reply_signature=signed.signature,
            replied_at=page.now,
            **told,
        )
        if not words.is_accepted:
            self._call(page, audit)
        return after

    def take_report(self, page: Page, signed: SignedWords) -> AuditVerdict:
        """Keep one report; raises its refusal before anything is written."""
        words = read_words(signed.body)
        if not isinstance(words, ReportWords):
            raise InvalidAudit(field="words", reason="an auditor signs a report")
        mission, _ = self._require_own(page, signed, words.territory, words.mission)
        id_, content = Id16(words.id), ("audit_report", signed.body, signed.key)
        if was_asked(page.connection, id_, *content):
            return AuditVerdict(load_report(page.connection, id_).verdict)
        audit = load_audit(page.connection, mission.audit)
        project = load_project(page.connection, audit.project)
        after = advance(MissionState(mission.state), MissionEvent.REPORTED)
        if project.state is not ProjectState.IN_PROGRESS:
            raise ProjectStepRefused(state=project.state, event="found")
        verdict = require_report(words, audit.criteria, find_last_report(page.connection, bytes(mission.id)))
        files = base_tables.files
        for digest in words.pictures:
            if page.connection.execute(select(files.c.at).where(files.c.digest == digest)).first() is None:
                raise FileUnknown(digest=digest.hex())
        note_asked(page, id_, *content)
        save(
            page.connection,
            _reports,
            id=words.id,
            mission=mission.id,
            verdict=verdict,
            follows=words.follows or None,
            words=signed.body,
            key=signed.key,
            signature=signed.signature,
            at=page.now,
        )
        if mission.state != after:
            change(page.connection, _missions, _missions.c.id == mission.id, state=after, ended_at=page.now)
            self._call(page, audit)
        return verdict

    def _require_own(self, page: Page, signed: SignedWords, territory: str, mission: bytes) -> tuple[Any, Auditor]:
        """Return a mission as a row, and its auditor, whose signature this is. Raises SignatureRefused, MissionUnknown."""
        if territory != self._settings.home:
            raise SignatureRefused(signer=signed.key.hex(), reason=f"signed for {territory}")
        require_signature(page.connection, signed.key, SignerRole.AUDITOR, Domain.AUDIT, signed.body, signed.signature)
        row = load_mission(page.connection, mission)
        auditor = load_auditor(page.connection, bytes(row.auditor))
        if auditor.key != signed.key:
            raise SignatureRefused(signer=signed.key.hex(), reason="another auditor's mission")
        return row, auditor

    def _answer(self, page: Page, asked: AnswerReport) -> Id16:
        content = ("audit_answer", asked.report, asked.by, asked.text, asked.digest)
        if was_asked(page.connection, asked.id, *content):
            return asked.id
        report = load_report(page.connection, asked.report)
        last = find_last_report(page.connection, bytes(report.mission))
        if last is None or last.id != asked.report:
            raise MissionStepRefused(state="followed by another report", event="answered")
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _answers,
            id=asked.id,
            report=asked.report,
            text=asked.text,
            digest=asked.digest or None,
            by=asked.by,
            at=page.now,
        )
        return asked.id

    def _drop(self, page: Page, asked: DropAudit) -> AuditState:
        content = ("audit_drop", asked.audit, asked.by, asked.reason)
        audit = load_audit(page.connection, asked.audit)
        if was_asked(page.connection, asked.id, *content):
            return audit.state
        if audit.state not in (AuditState.LISTED, AuditState.CALLED):
            raise MissionStepRefused(state=audit.state, event=AuditState.DROPPED)
        drawing = load_drawing(page.connection, audit.draw)
        drawn_on, today = drawing.told.drawn_on, self._today(page)
        if not drawing.number and drawn_on <= today <= add_days(drawn_on, UNTOLD_DAYS):
            raise DrawStepRefused(reason="the public draw was held: its number is told first, whoever it names")
        note_asked(page, asked.id, *content)
        self._end(page, audit, f"{asked.by}: {asked.reason}")
        return AuditState.DROPPED

    def _end(self, page: Page, audit: Audit, reason: str) -> None:
        change(
            page.connection,
            _missions,
            _missions.c.audit == audit.id,
            _missions.c.state.in_(IS_OPEN),
            state=MissionState.DROPPED,
            reason="",
            ended_at=page.now,
        )
        change(
            page.connection,
            _audits,
            _audits.c.id == audit.id,
            state=AuditState.DROPPED,
            dropped_at=page.now,
            dropped_reason=reason,
        )

    def _catch_up(self, page: Page, audit: Audit) -> int:
        if load_project(page.connection, audit.project).state is not ProjectState.IN_PROGRESS:
            self._end(page, audit, "the project ended")
            return 1
        today, done = self._today(page), 0
        rules = load_audit_rules(today)
        for row in list_missions(page.connection, _missions.c.audit == audit.id, _missions.c.state.in_(IS_OPEN)):
            done += self._look_at(page, row, today, rules)
        return done + self._call(page, audit)

    def _look_at(self, page: Page, row: Any, today: int, rules: AuditRules) -> int:
        """Remind of a mission, or let it lapse; return how much was done."""
        if load_auditor(page.connection, bytes(row.auditor)).has_left:
            return self._lapse(page, row, "left the register")
        if row.state == MissionState.OFFERED:
            if today > row.answer_by:
                return self._lapse(page, row, f"no answer by {format_day(row.answer_by)}")
            left = (read_day(row.answer_by) - read_day(today)).days
            return self._remind(page, row, ReminderKind.ANSWER) if left <= rules.answer_days // 2 else 0
        late = (read_day(today) - read_day(row.due_on)).days
        if late > rules.overdue_days:
            return self._lapse(page, row, f"no report, due on {format_day(row.due_on)}")
        if late > 0:
            return self._remind(page, row, ReminderKind.OVERDUE)
        return self._remind(page, row, ReminderKind.DUE_SOON) if -late <= rules.remind_days else 0

    def _lapse(self, page: Page, row: Any, reason: str) -> int:
        after = advance(MissionState(row.state), MissionEvent.LAPSED)
        return change(
            page.connection, _missions, _missions.c.id == row.id, state=after, reason=reason, ended_at=page.now
        )

    def _remind(self, page: Page, row: Any, kind: ReminderKind) -> int:
        known = page.connection.execute(
            select(_reminders.c.at).where(_reminders.c.mission == row.id, _reminders.c.kind == kind)
        ).first()
        if known is not None:
            return 0
        save(page.connection, _reminders, mission=row.id, kind=kind, at=page.now)
        return 1

    def call_again(self, page: Page, id_: Id16) -> None:
        """Call who stands in after a place became empty."""
        self._call(page, load_audit(page.connection, id_))


def strike_out(page: Page, desk: AuditDesk, auditor_id: Id16) -> None:
    """Let missions fall that their auditor may not make, or does not make any more, and call who stands in.

    A report of one who has a conflict counts no more, as long as the project goes on; who only left has reported all the same.
    """
    auditor, connection = load_auditor(page.connection, auditor_id), page.connection
    for row in list_missions(connection, _missions.c.auditor == auditor_id, _missions.c.state.in_(HOLDS_PLACE)):
        audit = load_audit(connection, row.audit)
        project = load_project(connection, audit.project)
        if project.state is not ProjectState.IN_PROGRESS:
            continue
        conflict = find_conflict(auditor, make_subject(connection, project, row.due_on, None, ()))
        state = MissionState(row.state)
        if conflict:
            after = advance(state, MissionEvent.CONFLICTED)
        elif auditor.has_left and state in IS_OPEN:
            after, conflict = advance(state, MissionEvent.LAPSED), "left the register"
        else:
            continue
        change(connection, _missions, _missions.c.id == row.id, state=after, reason=conflict, ended_at=page.now)
        desk.call_again(page, audit.id)


def make_subject(
    connection: Connection, project: Project, due_on: int, today: int | None, needed: tuple[SkillCode, ...]
) -> Subject:
    """Return what decides of who may audit a project. Of the committee: who sits on that day, or nobody looked at (None)."""
    members = base_tables.members
    sitting: frozenset[str] = frozenset()
    if today is not None:
        rows = connection.execute(
            select(members.c.account).where(
                members.c.from_day <= today, members.c.until_day >= today, members.c.ended_at.is_(None)
            )
        )
        sitting = frozenset(account for (account,) in rows if account)
    return Subject(
        project=project.id,
        proposer=project.proposer,
        bearer=load_bearer(connection, project.bearer).registry if project.bearer else "",
        latitude=project.sheet.latitude,
        longitude=project.sheet.longitude,
        due_on=due_on,
        needed=needed,
        sitting=sitting,
    )


def list_reminders(connection: Connection) -> list[Any]:
    """Return reminders that nobody passed on yet, as rows with the mission's account and days, the oldest first."""
    return list(
        connection.execute(
            select(_reminders, _auditors.c.account, _missions.c.answer_by, _missions.c.due_on, _missions.c.audit)
            .join(_missions, _missions.c.id == _reminders.c.mission)
            .join(_auditors, _auditors.c.id == _missions.c.auditor)
            .where(_reminders.c.told_at.is_(None))
            .order_by(_reminders.c.at, _reminders.c.mission)
        ).all()
    )
