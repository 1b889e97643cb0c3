"""Loads auditors, audits, missions and reports. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from node.governance import tables as base_tables
from node.governance.auditing import tables
from node.governance.auditing.auditors import Auditor, AuditorKind, Conflict, ConflictKind
from node.governance.auditing.gate import AuditStanding
from node.governance.auditing.missions import IS_OPEN, AuditState, LastReport, MissionState, find_worst
from node.governance.auditing.notices import Notice, choose_notices
from node.governance.auditing.words import JoinWords, MissionWords, read_words
from node.governance.errors import AuditorUnknown, AuditUnknown, MissionUnknown, ReportUnknown
from node.governance.instalments import AuditVerdict
from node.governance.skills import SkillCode
from node.governance.volunteering.places import Place
from protocol.identifiers import AccountNumber, Id16, format_id

_auditors, _conflicts, _audits = tables.auditors, tables.audit_conflicts, tables.audits
_missions, _reports, _answers = tables.missions, tables.reports, tables.report_answers
_reminders = tables.audit_reminders


# ---------------------------------------------------------------- auditors


def list_auditors(connection: Connection, *where: ColumnElement[bool]) -> list[Auditor]:
    """Return the auditors that fit, the oldest entry first."""
    rows = connection.execute(
        select(_auditors, base_tables.signers.c.revoked_at)
        .join(base_tables.signers, base_tables.signers.c.key == _auditors.c.key)
        .where(*where)
        .order_by(_auditors.c.at, _auditors.c.id)
    ).all()
    ids = [row.id for row in rows]
    conflicts: dict[bytes, list[Conflict]] = {}
    for row in connection.execute(select(_conflicts).where(_conflicts.c.auditor.in_(ids)).order_by(_conflicts.c.at)):
        conflicts.setdefault(bytes(row.auditor), []).append(
            Conflict(
                kind=ConflictKind(row.kind),
                project=bytes(row.project or b""),
                organisation=row.organisation,
                reason=row.reason,
            )
        )
    busy = {
        bytes(auditor): count
        for auditor, count in connection.execute(
            select(_missions.c.auditor, func.count())
            .where(_missions.c.auditor.in_(ids), _missions.c.state.in_(IS_OPEN))
            .group_by(_missions.c.auditor)
        )
    }
    return [_make(row, conflicts.get(bytes(row.id), []), busy.get(bytes(row.id), 0)) for row in rows]


def _make(row: Any, conflicts: Sequence[Conflict], busy: int) -> Auditor:
    words = read_words(bytes(row.words))
    assert isinstance(words, JoinWords)  # nothing else is kept there
    return Auditor(
        id=Id16(bytes(row.id)),
        key=bytes(row.key),
        account=AccountNumber(row.account),
        kind=AuditorKind(row.kind),
        place=Place(code=words.place, name=words.place_name, latitude=words.latitude, longitude=words.longitude),
        radius=words.radius,
        skills=tuple(SkillCode(one) for one in words.skills),
        from_day=row.from_day,
        until_day=row.until_day,
        missions_max=words.missions_max,
        away_until=row.away_until,
        has_left=row.ended_at is not None or row.revoked_at is not None,
        open=busy,
        conflicts=tuple(conflicts),
    )


def load_auditor(connection: Connection, id_: bytes) -> Auditor:
    """Return an auditor. Raises AuditorUnknown."""
    found = list_auditors(connection, _auditors.c.id == id_)
    if not found:
        raise AuditorUnknown(auditor=format_id(Id16(bytes(id_))))
    return found[0]


def find_auditor_of(connection: Connection, *where: ColumnElement[bool]) -> Auditor | None:
    """Return the newest entry that fits, or None."""
    found = list_auditors(connection, *where)
    return found[-1] if found else None


# ---------------------------------------------------------------- audits


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """An audit as its row has it."""

    id: Id16
    project: Id16
    instalment: int
    seats: int
    draw: Id16
    criteria: tuple[str, ...]
    due_on: int
    state: AuditState
    reason: str
    by: str
    at: int
    dropped_reason: str


def load_audit(connection: Connection, id_: bytes) -> Audit:
    """Return an audit. Raises AuditUnknown."""
    found = list_audits(connection, _audits.c.id == id_)
    if not found:
        raise AuditUnknown(audit=format_id(Id16(bytes(id_))))
    return found[0]


def list_audits(connection: Connection, *where: ColumnElement[bool]) -> list[Audit]:
    """Return the audits that fit, the oldest first."""
    rows = connection.execute(select(_audits).where(*where).order_by(_audits.c.at, _audits.c.id))
    return [
        Audit(
            id=Id16(bytes(row.id)),
            project=Id16(bytes(row.project)),
            instalment=row.instalment,
            seats=row.seats,
            draw=Id16(bytes(row.draw)),
            criteria=tuple(row.criteria.split()),
            due_on=row.due_on,
            state=AuditState(row.state),
            reason=row.reason,
            by=row.by,
            at=row.at,
            dropped_reason=row.dropped_reason,
        )
        for row in rows
    ]


def load_mission(connection: Connection, id_: bytes) -> Any:
    """Return a mission as a row. Raises MissionUnknown."""
    row = connection.execute(select(_missions).where(_missions.c.id == id_)).first()
    if row is None:
        raise MissionUnknown(mission=format_id(Id16(bytes(id_))))
    return row


def list_missions(connection: Connection, *where: ColumnElement[bool]) -> list[Any]:
    """Return missions as rows, in the order of their drawings."""
    return list(connection.execute(select(_missions).where(*where).order_by(_missions.c.audit, _missions.c.rank)).all())


def list_missions_of(connection: Connection, account: str) -> set[bytes]:
    """Return the missions that the auditor of an account was ever offered, by id."""
    asked = (
        select(_missions.c.id)
        .join(_auditors, _auditors.c.id == _missions.c.auditor)
        .where(_auditors.c.account == account)
    )
    return {bytes(id_) for id_ in connection.execute(asked).scalars()}


def list_notices(connection: Connection, account: str) -> list[Notice]:
    """Return what an auditor is to be told of missions that are open: offers, and reminders that nobody passed on."""
    waiting: dict[bytes, dict[str, int]] = {}
    for row in connection.execute(select(_reminders).where(_reminders.c.told_at.is_(None))):
        waiting.setdefault(bytes(row.mission), {})[row.kind] = row.at
    rows = connection.execute(
        select(_missions)
        .join(_auditors, _auditors.c.id == _missions.c.auditor)
        .where(_auditors.c.account == account, _missions.c.state.in_(IS_OPEN))
        .order_by(_missions.c.at, _missions.c.id)
    ).all()
    notices = []
    for row in rows:
        words = read_words(bytes(row.words))
        assert isinstance(words, MissionWords)  # nothing else is kept there
        reminders = waiting.get(bytes(row.id), {})
        for kind, at in choose_notices(MissionState(row.state), row.at, reminders):
            notices.append(
                Notice(
                    mission=bytes(row.id),
                    title=words.title,
                    kind=kind,
                    answer_by=row.answer_by,
                    due_on=row.due_on,
                    at=at,
                )
            )
    return notices


def list_reports(connection: Connection, *where: ColumnElement[bool]) -> list[Any]:
    """Return reports as rows, the oldest first."""
    return list(connection.execute(select(_reports).where(*where).order_by(_reports.c.at, _reports.c.id)).all())


def list_answers(connection: Connection, *where: ColumnElement[bool]) -> list[Any]:
    """Return answers to reports as rows, the oldest first."""
    return list(connection.execute(select(_answers).where(*where).order_by(_answers.c.at, _answers.c.id)).all())


def load_report(connection: Connection, id_: bytes) -> Any:
    """Return a report as a row. Raises ReportUnknown."""
    found = list_reports(connection, _reports.c.id == id_)
    if not found:
        raise ReportUnknown(report=format_id(Id16(bytes(id_))))
    return found[0]


def find_last_report(connection: Connection, mission: bytes) -> LastReport | None:
    """Return the report of a mission that counts today, with the last answer to it; or None."""
    found = list_reports(connection, _reports.c.mission == mission)
    if not found:
        return None
    last = found[-1]
    answers = list_answers(connection, _answers.c.report == last.id)
    return LastReport(
        id=bytes(last.id), verdict=AuditVerdict(last.verdict), answer=bytes(answers[-1].id) if answers else b""
    )


def list_standings(connection: Connection, project: bytes) -> list[AuditStanding]:
    """Return how the audits of a project stand, the oldest first."""
    found = []
    for audit in list_audits(connection, _audits.c.project == project):
        missions = list_missions(connection, _missions.c.audit == audit.id)
        done = [row.id for row in missions if row.state == MissionState.DONE]
        last: dict[bytes, Any] = {
            bytes(row.mission): row for row in list_reports(connection, _reports.c.mission.in_(done))
        }
        is_ended = audit.state is AuditState.ENDED
        held = sum(row.state in IS_OPEN or row.state == MissionState.DONE for row in missions)
        found.append(
            AuditStanding(
                id=audit.id,
                instalment=audit.instalment,
                state=audit.state,
                seats=audit.seats,
                due_on=max([audit.due_on, *(row.due_on for row in missions if row.state in IS_OPEN)]),
                verdict=find_worst(row.verdict for row in last.values()) if is_ended else None,
                ended_at=max(row.at for row in last.values()) if is_ended else None,
                is_exhausted=audit.state is AuditState.CALLED and held < audit.seats,
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """An audit with its missions, reports and answers, as rows."""

    audit: Audit
    standing: AuditStanding
    missions: tuple[Any, ...]
    reports: tuple[Any, ...]
    answers: tuple[Any, ...]


def list_views(connection: Connection, project: bytes) -> list[AuditView]:
    """Return the audits of a project with all that belongs to them, the oldest first."""
    standings = {one.id: one for one in list_standings(connection, project)}
    views = []
    for audit in list_audits(connection, _audits.c.project == project):
        missions = list_missions(connection, _missions.c.audit == audit.id)
        reports = list_reports(connection, _reports.c.mission.in_([row.id for row in missions]))
        answers = list_answers(connection, _answers.c.report.in_([row.id for row in reports]))
        views.append(
            AuditView(
                audit=audit,
                standing=standings[audit.id],
                missions=tuple(missions),
                reports=tuple(reports),
                answers=tuple(answers),
            )
        )
    return views
