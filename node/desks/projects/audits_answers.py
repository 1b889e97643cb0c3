"""What anybody is answered about audits, as typed structs. Pure. No account: who was drawn stands in the drawing."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from node.governance.auditing.audits_store import AuditView
from node.governance.auditing.words import ReportWords, read_words
from node.governance.days import format_day
from protocol.identifiers import Id16, format_id
from protocol.times import format_instant


class ReportCriterion(Struct, frozen=True):
    criterion: str
    verdict: str
    text: str


class ReportAnswerLine(Struct, frozen=True):
    id: str
    text: str
    sha256: str
    at: str


class ReportAnswerOut(Struct, frozen=True):
    """A report as it was signed; `pictures` are read at `files/`."""

    id: str
    verdict: str
    at: str
    follows: str
    lines: list[ReportCriterion]
    pictures: list[str]
    answers: list[ReportAnswerLine]


class MissionLine(Struct, frozen=True):
    """A mission in the order of its drawing, `rank` from 0."""

    id: str
    rank: int
    state: str
    answer_by: str
    due_on: str
    reports: list[ReportAnswerOut]


class AuditLine(Struct, frozen=True):
    """`instalment` 0 is the whole; `draw` is found among the drawings; `verdict` is empty until it ended."""

    id: str
    instalment: int
    auditors: int
    state: str
    verdict: str
    due_on: str
    reason: str
    draw: str
    criteria: list[str]
    missions: list[MissionLine]


class AuditsAnswer(Struct, frozen=True):
    audits: list[AuditLine]


class MissionAnswer(Struct, frozen=True):
    """A mission as the base signed it: `body`, `key` and `signature` are hexadecimal digits, `digest` is what is replied to."""

    mission: str
    audit: str
    project: str
    title: str
    territory: str
    instalment: int
    criteria: list[str]
    answer_by: str
    due_on: str
    state: str
    digest: str
    body: str
    key: str
    signature: str


def _id(value: Any) -> str:
    return format_id(Id16(bytes(value))) if value else ""


def _tell_report(row: Any, view: AuditView) -> ReportAnswerOut:
    words = read_words(bytes(row.words))
    assert isinstance(words, ReportWords)  # nothing else is kept there
    return ReportAnswerOut(
        id=_id(row.id),
        verdict=row.verdict,
        at=format_instant(row.at),
        follows=_id(row.follows),
        lines=[ReportCriterion(one.criterion, one.verdict, one.text) for one in words.lines],
        pictures=[one.hex() for one in words.pictures],
        answers=[
            ReportAnswerLine(_id(one.id), one.text, bytes(one.digest or b"").hex(), format_instant(one.at))
            for one in view.answers
            if one.report == row.id
        ],
    )


def tell_audit(view: AuditView) -> AuditLine:
    audit = view.audit
    return AuditLine(
        id=format_id(audit.id),
        instalment=audit.instalment,
        auditors=audit.seats,
        state=audit.state,
        verdict=view.standing.verdict or "",
        due_on=format_day(audit.due_on),
        reason=audit.dropped_reason or audit.reason,
        draw=format_id(audit.draw),
        criteria=list(audit.criteria),
        missions=[
            MissionLine(
                id=_id(row.id),
                rank=row.rank,
                state=row.state,
                answer_by=format_day(row.answer_by),
                due_on=format_day(row.due_on),
                reports=[_tell_report(one, view) for one in view.reports if one.mission == row.id],
            )
            for row in view.missions
        ],
    )
