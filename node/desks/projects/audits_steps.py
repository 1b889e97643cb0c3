"""Steps of audits, as the doors of the projects' office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.projects.audits_answers import AuditLine
from node.desks.projects.audits_requests import SignedRequest
from node.desks.projects.duties import ALL, BRINGS, SECRETARY
from node.doors.shapes import Day, KnownId, Line, Name, OwnId
from node.doors.steps import Step
from node.governance.auditing.missions import ReminderKind

Prose = Annotated[str, Meta(min_length=1, max_length=8_000)]


class AuditCriterion(Struct, frozen=True):
    """What an auditor looks at."""

    key: str
    fr: str
    en: str


class AuditTier(Struct, frozen=True):
    """Which projects need an audit, of how many, and when."""

    target_min_cents: int
    auditors: int
    before_second: bool
    before_end: bool


class AuditRulesAnswer(Struct, frozen=True):
    """Rules of today."""

    criteria: list[AuditCriterion]
    answer_days: int
    mission_days_min: int
    required: list[AuditTier]


class HandInRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What an auditor signed: his registration, a reply, a report."""

    signed: SignedRequest


class HandInAnswer(Struct, frozen=True):
    """What it was, and where it stands."""

    what: str
    id: str
    state: str


class FoundConflictRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """An interest that an auditor has in a project, or in an organisation by its registry number."""

    id: OwnId
    auditor: KnownId
    kind: Name
    reason: Prose
    project: KnownId | UnsetType = UNSET
    organisation: Line = ""
    by: Line = ""


class FoundConflictAnswer(Struct, frozen=True):
    """The conflict as entered."""

    conflict: str


class MoveAuditorRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """An auditor is away until a day, or leaves with a reason."""

    id: OwnId
    auditor: KnownId
    until: Annotated[str, Meta(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = ""
    leaves: Line = ""


class MoveAuditorAnswer(Struct, frozen=True):
    """Whose entry changed."""

    auditor: str


class AuditorLine(Struct, frozen=True, rename={"first": "from", "last": "until"}):
    """A volunteer of the register: a title, never a name."""

    auditor: str
    title: str
    account: str
    kind: str
    key: str
    place: str
    radius_m: int
    skills: str
    first: str
    last: str
    away_until: str
    missions: str
    conflicts: int
    left: str


class AuditorsAnswer(Struct, frozen=True):
    """The register."""

    rows: list[AuditorLine]


class AuditAskRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """An audit of an instalment (0: the whole); its auditors are drawn by the number of a day to come."""

    id: OwnId
    project: KnownId
    instalment: Annotated[int, Meta(ge=0, le=100)]
    auditors: Annotated[int, Meta(ge=1, le=20)]
    source: Name
    drawn_on: Day
    due_on: Day
    reason: Prose
    skills: Annotated[list[Name], Meta(max_length=12)] = []
    by: Line = ""


class AuditStateAnswer(Struct, frozen=True):
    """The audit's state."""

    audit: str
    state: str


class AuditNumberRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The number that nobody chose."""

    audit: KnownId
    number: Name


class AuditDropRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """An audit that is given up, and why."""

    id: OwnId
    audit: KnownId
    reason: Prose
    by: Line = ""


class AuditsOfRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One project."""

    project: KnownId


class OfficeAuditsAnswer(Struct, frozen=True):
    """Audits of a project."""

    rows: list[AuditLine]


class MissionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One mission."""

    mission: KnownId


class OfficeMissionAnswer(Struct, frozen=True):
    """A mission as the base signed it."""

    mission: str
    audit: str
    state: str
    answer_by: str
    due_on: str
    reason: str
    body: str
    key: str
    signature: str


class ReportReplyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bearer or proposer answers to a report, with the digest of a paper where there is one."""

    id: OwnId
    report: KnownId
    author: Annotated[str, Meta(min_length=1, max_length=40)]
    text: Prose
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


class ReportReplyAnswer(Struct, frozen=True):
    """The answer as entered."""

    answer: str


class ReminderLine(Struct, frozen=True):
    """Who is to be reminded of what."""

    mission: str
    kind: str
    account: str
    answer_by: str
    due_on: str
    since: str


class RemindersAnswer(Struct, frozen=True):
    """Reminders that wait."""

    rows: list[ReminderLine]


class ToldRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A reminder that was given."""

    mission: KnownId
    kind: ReminderKind


class ToldAnswer(Struct, frozen=True):
    """Whether it was waiting."""

    mission: str
    told: bool


AUDITS_STEPS: Final = (
    Step(command="audit_rules", summary="Show the rules of audits.", answers=AuditRulesAnswer, duties=ALL, reads=True),
    Step(
        command="audit_hand_in",
        summary="Bring what an auditor signed.",
        asks=HandInRequest,
        answers=HandInAnswer,
        duties=BRINGS,
    ),
    Step(
        command="audit_found",
        summary="Note an interest of an auditor.",
        asks=FoundConflictRequest,
        answers=FoundConflictAnswer,
        duties=SECRETARY,
        by="by",
    ),
    Step(
        command="audit_move",
        summary="Note that an auditor is away or leaves.",
        asks=MoveAuditorRequest,
        answers=MoveAuditorAnswer,
        duties=SECRETARY,
    ),
    Step(command="auditors", summary="List the register.", answers=AuditorsAnswer, duties=SECRETARY, reads=True),
    Step(
        command="audit_ask",
        summary="Ask for an audit.",
        asks=AuditAskRequest,
        answers=AuditStateAnswer,
        duties=SECRETARY,
        by="by",
    ),
    Step(
        command="audit_number",
        summary="Draw the auditors.",
        asks=AuditNumberRequest,
        answers=AuditStateAnswer,
        duties=SECRETARY,
    ),
    Step(
        command="audit_drop",
        summary="Give an audit up.",
        asks=AuditDropRequest,
        answers=AuditStateAnswer,
        duties=SECRETARY,
        by="by",
    ),
    Step(
        command="audits",
        summary="List audits of a project.",
        asks=AuditsOfRequest,
        answers=OfficeAuditsAnswer,
        duties=ALL,
        reads=True,
    ),
    Step(
        command="audit_mission",
        summary="Show a mission.",
        asks=MissionRequest,
        answers=OfficeMissionAnswer,
        duties=ALL,
        reads=True,
    ),
    Step(
        command="audit_answer",
        summary="Enter what is answered to a report.",
        asks=ReportReplyRequest,
        answers=ReportReplyAnswer,
        duties=SECRETARY,
        passes=(("author", "by"),),
    ),
    Step(command="audit_reminders", summary="List reminders.", answers=RemindersAnswer, duties=SECRETARY, reads=True),
    Step(
        command="audit_told",
        summary="Note that a reminder was given.",
        asks=ToldRequest,
        answers=ToldAnswer,
        duties=SECRETARY,
    ),
)
