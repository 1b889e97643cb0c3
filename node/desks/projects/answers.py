"""What anybody is answered about projects, as typed structs. Pure. No account, no IBAN, nobody who supports."""

from __future__ import annotations

from msgspec import Struct

from node.desks.projects.requests import SheetRequest, write_sheet_request
from node.governance.committee_service import Drawing
from node.governance.days import format_day, local_day
from node.governance.instalments import DueMark, count_waiting_days
from node.governance.minutes import Minutes
from node.governance.projects import ProjectState
from node.governance.reading_service import ProjectView
from node.governance.store import Project
from node.governance.votes import read_words
from protocol.identifiers import Id16, format_id, write_address
from protocol.times import format_instant


class ProjectLine(Struct, frozen=True):
    """A project in a list. `address` is what rights are directed to, empty until it is open at the accounts."""

    id: str
    title: str
    state: str
    theme: str
    commune: str
    need_by: str
    target_cents: int
    minimum_cents: int
    support_cents: int
    supporters: int
    address: str


class ProjectsAnswer(Struct, frozen=True):
    """Those whose need-by day comes first in front."""

    projects: list[ProjectLine]


class StepLine(Struct, frozen=True):
    event: str
    state: str
    at: str
    reason: str


class VoteLine(Struct, frozen=True):
    """A vote on a project: `decision` names its minutes, once it is closed."""

    session: str
    opens_at: str
    closes_at: str
    appeal: bool
    outcome: str
    decision: str


class RoundLine(Struct, frozen=True):
    round: int
    instalment: int
    cents: int
    state: str
    waiting_cents: int


class DueLine(Struct, frozen=True):
    """What the fund of one territory owes or paid for a round."""

    round: int
    payer: str
    cents: int
    state: str
    on: str
    confirmed_on: str
    waiting_days: int
    late: bool


class SpendingLine(Struct, frozen=True):
    instalment: int
    words: str
    cents: int
    sha256: str
    state: str
    reason: str


class FindingLine(Struct, frozen=True):
    verdict: str
    at: str


class ProjectAnswer(Struct, frozen=True):
    """All that anybody may read of a project."""

    project: ProjectLine
    version: int
    sheet_digest: str
    sheet: SheetRequest
    bearer: str
    bearer_registry: str
    decision: str
    decided_on: str
    converted_cents: int
    confirmed_cents: int
    returned_cents: int
    steps: list[StepLine]
    votes: list[VoteLine]
    rounds: list[RoundLine]
    payments: list[DueLine]
    spendings: list[SpendingLine]
    findings: list[FindingLine]


class CommentLine(Struct, frozen=True):
    """`author` is citizen or bearer: nobody is named."""

    id: str
    kind: str
    author: str
    text: str
    answers: str
    at: str


class CommentsAnswer(Struct, frozen=True):
    comments: list[CommentLine]


class CollegeLine(Struct, frozen=True):
    college: str
    seats: int
    conflicted: int
    votes_for: int
    votes_against: int
    abstentions: int
    quorum: bool
    voice: str


class SeatLine(Struct, frozen=True):
    college: str
    title: str
    key: str
    choice: str
    grid: list[int]
    reason: str
    conflict: str


class MinutesAnswer(Struct, frozen=True):
    """Minutes in words; `document` holds their bytes, `signature` and `key` are the projects' base's."""

    decision: str
    project: str
    title: str
    sheet_digest: str
    appeal: bool
    opened_at: str
    closed_at: str
    decided_on: str
    outcome: str
    reason: str
    colleges: list[CollegeLine]
    seats: list[SeatLine]
    document: str
    signature: str
    key: str


class DrawLine(Struct, frozen=True):
    """A drawing by lot: the list that was closed, by digest and signature, then the number and whom it called."""

    id: str
    college: str
    seats: int
    source: str
    drawn_on: str
    list_digest: str
    signature: str
    candidates: list[str]
    number: str
    chosen: list[str]
    stand_ins: list[str]


class DrawsAnswer(Struct, frozen=True):
    draws: list[DrawLine]


class WordLine(Struct, frozen=True):
    key: str
    fr: str
    en: str


class VocabularyAnswer(Struct, frozen=True):
    """Themes that take projects today, and the criteria of the committee's grid."""

    themes: list[WordLine]
    criteria: list[WordLine]
    states: list[str]


def tell_line(project: Project, home: str) -> ProjectLine:
    sheet = project.sheet
    return ProjectLine(
        id=format_id(project.id),
        title=sheet.title,
        state=project.state,
        theme=sheet.theme,
        commune=sheet.commune,
        need_by=format_day(sheet.need_by),
        target_cents=sheet.target,
        minimum_cents=sheet.minimum,
        support_cents=project.support,
        supporters=project.supporters,
        address=write_address(project.number, home) if project.number else "",
    )


def tell_project(view: ProjectView, home: str) -> ProjectAnswer:
    project = view.project
    return ProjectAnswer(
        project=tell_line(project, home),
        version=project.version,
        sheet_digest=project.digest.hex(),
        sheet=write_sheet_request(project.sheet),
        bearer=view.bearer.name if view.bearer else "",
        bearer_registry=view.bearer.registry if view.bearer else "",
        decision=project.decision.hex() if project.decision else "",
        decided_on=format_day(project.decided_on) if project.decided_on else "",
        converted_cents=view.report.progress.converted,
        confirmed_cents=view.report.confirmed,
        returned_cents=project.released or 0,
        steps=[StepLine(row.event, row.state, format_instant(row.at), row.reason) for row in view.steps],
        votes=[
            VoteLine(
                session=format_id(one.id),
                opens_at=format_instant(one.opens_at),
                closes_at=format_instant(one.closes_at),
                appeal=one.is_appeal,
                outcome=one.outcome or "",
                decision=one.decision.hex() if one.decision else "",
            )
            for one in view.sessions
        ],
        rounds=[RoundLine(row.round, row.instalment, row.cents, row.state, row.waiting) for row in view.rounds],
        payments=[
            DueLine(
                round=row.number,
                payer=row.payer,
                cents=row.cents,
                state=row.mark,
                on=format_day(row.on_day) if row.on_day else "",
                confirmed_on=format_day(row.confirmed_on) if row.confirmed_on else "",
                waiting_days=(days := count_waiting_days(DueMark(row.mark), local_day(row.at, "UTC"), view.today)),
                late=days > view.payment_days,
            )
            for row in view.dues
        ],
        spendings=[
            SpendingLine(row.instalment, row.words, row.cents, bytes(row.digest).hex(), row.state, row.reason)
            for row in view.spendings
        ],
        findings=[FindingLine(row.verdict, format_instant(row.at)) for row in view.findings],
    )


def tell_comments(view: ProjectView) -> CommentsAnswer:
    bearer = view.bearer.registry if view.bearer else None
    return CommentsAnswer(
        [
            CommentLine(
                id=format_id(Id16(bytes(row.id))),
                kind=row.kind,
                author="bearer" if row.author == bearer else "citizen",
                text=row.text,
                answers=format_id(Id16(bytes(row.answers))) if row.answers else "",
                at=format_instant(row.at),
            )
            for row in view.comments
        ]
    )


def tell_minutes(minutes: Minutes, *, decision: bytes, body: bytes, signature: bytes, key: bytes) -> MinutesAnswer:
    cast = {ballot.key: read_words(ballot) for ballot in minutes.ballots}
    return MinutesAnswer(
        decision=decision.hex(),
        project=format_id(Id16(minutes.project)),
        title=minutes.title,
        sheet_digest=minutes.sheet.hex(),
        appeal=minutes.is_appeal,
        opened_at=format_instant(minutes.opened_at),
        closed_at=format_instant(minutes.closed_at),
        decided_on=format_day(minutes.decided_on),
        outcome=minutes.outcome,
        reason=minutes.reason,
        colleges=[
            CollegeLine(
                *(one.college, one.seats, one.conflicted, one.votes_for, one.votes_against, one.abstentions),
                one.has_quorum,
                one.voice,
            )
            for one in minutes.tallies
        ],
        seats=[
            SeatLine(
                college=seat.college,
                title=seat.title,
                key=seat.key.hex(),
                choice=cast[seat.key].choice if seat.key in cast else "",
                grid=list(cast[seat.key].grid) if seat.key in cast else [],
                reason=cast[seat.key].reason if seat.key in cast else "",
                conflict=seat.conflict,
            )
            for seat in minutes.seats
        ],
        document=body.hex(),
        signature=signature.hex(),
        key=key.hex(),
    )


def tell_drawing(one: Drawing) -> DrawLine:
    return DrawLine(
        id=format_id(one.id),
        college=one.told.college,
        seats=one.told.seats,
        source=one.told.source,
        drawn_on=format_day(one.told.drawn_on),
        list_digest=one.digest.hex(),
        signature=one.signature.hex(),
        candidates=list(one.told.candidates),
        number=one.number,
        chosen=list(one.chosen),
        stand_ins=list(one.ranked[one.told.seats :]),
    )


PUBLIC_STATES = tuple(state for state in ProjectState if state is not ProjectState.PROPOSED)
