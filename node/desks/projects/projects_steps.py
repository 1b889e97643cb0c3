"""Steps of projects: proposed, led and shown, as the doors of the office describe them. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET, Struct, UnsetType

from node.desks.projects.answers import (
    DueLine,
    FindingLine,
    ProjectLine,
    RoundLine,
    SpendingLine,
    StepLine,
    VoteLine,
)
from node.desks.projects.duties import SECRETARY
from node.desks.projects.office_kinds import AUTHOR, Author, OneProjectRequest, Prose, office_step, read_step
from node.desks.projects.requests import SheetRequest
from node.doors.shapes import KnownId, Line, OwnId
from node.doors.steps import Step, Upload
from node.governance.pictures import PICTURE_BYTES_MAX
from node.governance.projects import ProjectEvent, ProjectState


class WordsLine(Struct, frozen=True):
    """A theme or criterion of today."""

    kind: str
    key: str
    fr: str
    en: str


class WordsAnswer(Struct, frozen=True):
    """The vocabulary of today."""

    rows: list[WordsLine]


class PictureAnswer(Struct, frozen=True):
    """What a sheet names a picture by."""

    digest: str
    media: str
    bytes: int


class OfficeProposeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A new project, under the id that becomes its own."""

    id: OwnId
    sheet: SheetRequest
    author: Author


class OfficeEditRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Another sheet of a project."""

    id: OwnId
    project: KnownId
    sheet: SheetRequest
    by: Line = ""


class ProjectLeadRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of a project, with its reason where it needs one."""

    id: OwnId
    project: KnownId
    event: ProjectEvent
    reason: Prose = ""
    by: Line = ""


class ProjectStateAnswer(Struct, frozen=True):
    """The project's state."""

    project: str
    state: str


class ProjectsListRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """By state and theme."""

    state: ProjectState | UnsetType = UNSET
    theme: Line = ""


class OfficeProjectsAnswer(Struct, frozen=True):
    """Those whose need-by day comes first in front."""

    rows: list[ProjectLine]


class OfficeSpending(SpendingLine, frozen=True):
    """An expense with its id."""

    id: str


class OfficeRound(RoundLine, frozen=True):
    """A round with its id, what the accounts said of it, and the account that it pays."""

    id: str
    code: str
    iban: str


class OfficeDue(DueLine, frozen=True):
    """A payment with what its fund said."""

    code: str


class OfficeProjectAnswer(Struct, frozen=True):
    """All that the office sees of a project."""

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
    findings: list[FindingLine]
    proposer: str
    accounts_said: str
    open: str
    waits_for_audit: str
    spendings: list[OfficeSpending]
    rounds: list[OfficeRound]
    payments: list[OfficeDue]


class HomeAnswer(Struct, frozen=True):
    """Whose projects these are, and which day it is there."""

    territory: str
    day: str


PROJECT_STEPS: Final = (
    read_step("home", "Show whose projects these are.", HomeAnswer),
    read_step("words", "List themes and criteria of today.", WordsAnswer),
    Step(
        command="picture",
        summary="Keep a picture for a sheet.",
        answers=PictureAnswer,
        duties=SECRETARY,
        upload=Upload(argument="file", bytes_max=PICTURE_BYTES_MAX, is_kept=True),
    ),
    office_step(
        "propose",
        "Enter a project that somebody proposes.",
        OfficeProposeRequest,
        ProjectStateAnswer,
        passes=AUTHOR,
    ),
    office_step("edit", "Give a project another sheet.", OfficeEditRequest, ProjectStateAnswer, by="by"),
    office_step("lead", "Take one step with a project.", ProjectLeadRequest, ProjectStateAnswer, by="by"),
    office_step("retry", "Ask the accounts again what they refused.", OneProjectRequest, ProjectStateAnswer),
    read_step("list", "List projects.", OfficeProjectsAnswer, ProjectsListRequest),
    read_step("show", "Show all of a project.", OfficeProjectAnswer, OneProjectRequest),
)
