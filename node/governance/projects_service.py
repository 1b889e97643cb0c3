"""Propose, edit, examine and lead projects; keep pictures. What the committee decides is in `votes_service`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.bearers import Bearer, Proof, require_eligible, require_registry
from node.governance.days import local_day, write_day
from node.governance.errors import (
    AppealRefused,
    EditRefused,
    EligibilityNotProven,
    FileUnknown,
    InvalidSheet,
    ProjectStepRefused,
    ReasonMissing,
    RoundRefused,
    TooManyWaiting,
)
from node.governance.letters_service import Letters
from node.governance.parameters_store import (
    load_committee_rules,
    load_eligibility,
    load_participation_rules,
    load_themes,
)
from node.governance.pictures import CheckedPicture
from node.governance.projects import FIRST, MAY_BE_EDITED, NEEDS_REASON, ProjectEvent, ProjectState, advance
from node.governance.rounds_service import load_progress_report
from node.governance.settings import ProjectsSettings
from node.governance.sheets import Sheet, compute_sheet_digest, find_money_change, require_sheet, write_sheet
from node.governance.south.programme_service import require_nothing_missing
from node.governance.store import (
    Project,
    change,
    load_bearer,
    load_project,
    load_proofs,
    note_asked,
    save,
    save_step,
    was_asked,
)
from node.governance.texts import is_line, is_prose
from node.governance.votes import Outcome
from protocol.book.worker import Page
from protocol.errors import IdMismatch, InvalidAddress, Refusal
from protocol.identifiers import Id16, format_id, require_id, require_number
from protocol.times import DAY_MS

_projects = tables.projects
BY_MAX: Final = 80
REASON_MAX: Final = 400
# What the office does by itself; the committee validates, the bank's and the accounts' days fund and miss.
LED: Final = frozenset(
    {
        *(ProjectEvent.EXAMINED, ProjectEvent.REFUSED, ProjectEvent.OPENED, ProjectEvent.STARTED),
        *(ProjectEvent.AUDITED, ProjectEvent.CLOSED, ProjectEvent.WITHDRAWN),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeProject:
    """A new project. `by` is its proposer: an account number, or a bearer's registry number.

    One that came by a door `is_limited`: a few of an account may wait.
    """

    id: Id16
    sheet: Sheet
    by: str
    is_limited: bool = False

    def __post_init__(self) -> None:
        require_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditProject:
    """Another sheet of a project."""

    id: Id16
    project: Id16
    sheet: Sheet
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadProject:
    """One step that the office takes. `by` is a function, as "the office"."""

    id: Id16
    project: Id16
    event: ProjectEvent
    by: str
    reason: str = ""


def require_proposer(text: object) -> str:
    """Return an account number or a registry number. Raises InvalidBearer."""
    try:
        return require_number(text)
    except InvalidAddress:
        return require_registry(text)


def require_eligible_now(page: Page, project: Project, zone: str) -> tuple[Bearer, Proof]:
    """Return the bearer and the proof that runs out first. Raises BearerRefused, EligibilityNotProven."""
    if project.bearer is None:
        raise EligibilityNotProven(bearer="-", reason="no bearer yet")
    bearer = load_bearer(page.connection, project.bearer)
    today = write_day(local_day(page.now, zone))
    proofs = load_proofs(page.connection, bearer.id)
    return bearer, require_eligible(bearer, proofs, load_eligibility(today), today)


class ProjectDesk:
    """Operations for the book's writer, on projects."""

    def __init__(self, letters: Letters, settings: ProjectsSettings) -> None:
        self._letters = letters
        self._settings = settings

    def keep_pictures(self, page: Page, items: Sequence[CheckedPicture]) -> list[bytes]:
        """Keep pictures; return what sheets name them by. The same again is the same."""
        files = tables.files
        for one in items:
            known = page.connection.execute(select(files.c.at).where(files.c.digest == one.digest)).first()
            if known is None:
                save(page.connection, files, digest=one.digest, media=one.media, body=one.body, at=page.now)
        return [one.digest for one in items]

    def propose(self, page: Page, items: Sequence[ProposeProject]) -> list[ProjectState | Refusal]:
        """Enter each new project; the same again is answered as before."""
        return answer_each(items, lambda item: self._propose(page, item))

    def edit(self, page: Page, items: Sequence[EditProject]) -> list[ProjectState | Refusal]:
        """Keep another version of each sheet, as far as its state lets it."""
        return answer_each(items, lambda item: self._edit(page, item))

    def lead(self, page: Page, items: Sequence[LeadProject]) -> list[ProjectState | Refusal]:
        """Take each project one step on."""
        return answer_each(items, lambda item: self._lead(page, item))

    def appeal(self, page: Page, items: Sequence[LeadProject]) -> list[ProjectState | Refusal]:
        """Let each refused project be examined once more: one appeal, in its time."""
        return answer_each(items, lambda item: self._appeal(page, item))

    def retry(self, page: Page, items: Sequence[Id16]) -> list[ProjectState | Refusal]:
        """Ask the accounts again what they refused of each project; where they refused nothing, nothing is done."""
        return answer_each(items, lambda item: self._retry(page, item))

    # One at a time.

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _require_sheet(self, page: Page, sheet: Sheet) -> None:
        today = self._today(page)
        require_sheet(sheet, themes=[word.key for word in load_themes(today)], today=today)
        files = tables.files
        for one in sheet.pictures:
            if page.connection.execute(select(files.c.at).where(files.c.digest == one.digest)).first() is None:
                raise FileUnknown(digest=one.digest.hex())
        if sheet.bearer:
            load_bearer(page.connection, sheet.bearer)

    def _propose(self, page: Page, asked: ProposeProject) -> ProjectState:
        body = write_sheet(asked.sheet)
        content = ("propose", body, asked.by)
        if was_asked(page.connection, asked.id, *content):
            return load_project(page.connection, asked.id).state
        by = require_proposer(asked.by)
        self._require_sheet(page, asked.sheet)
        if asked.is_limited:
            self._require_room(page, by)
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _projects,
            id=asked.id,
            state=FIRST,
            proposer=by,
            version=1,
            appeals=0,
            support=0,
            supporters=0,
            code="",
            at=page.now,
            **_columns_of(asked.sheet),
        )
        self._save_version(page, asked.id, 1, body, by)
        save(
            page.connection,
            tables.steps,
            project=asked.id,
            ix=0,
            event="proposed",
            state=FIRST,
            by=by,
            reason="",
            at=page.now,
        )
        return FIRST

    def _require_room(self, page: Page, by: str) -> None:
        most = load_participation_rules(self._today(page)).proposals_waiting_max
        waiting = select(func.count()).where(_projects.c.proposer == by, _projects.c.state == ProjectState.PROPOSED)
        if page.connection.execute(waiting).scalar_one() >= most:
            raise TooManyWaiting(what="proposals", most=most)

    def _save_version(self, page: Page, project: Id16, version: int, body: bytes, by: str) -> None:
        save(
            page.connection,
            tables.versions,
            project=project,
            version=version,
            body=body,
            digest=compute_sheet_digest(body),
            by=by,
            at=page.now,
        )

    def _edit(self, page: Page, asked: EditProject) -> ProjectState:
        body = write_sheet(asked.sheet)
        content = ("edit", asked.project, body, asked.by)
        project = load_project(page.connection, asked.project)
        if was_asked(page.connection, asked.id, *content):
            return project.state
        if not is_line(asked.by, BY_MAX):
            raise InvalidSheet(field="by", reason=f"who edits, in one line of up to {BY_MAX} symbols")
        if project.state not in MAY_BE_EDITED:
            raise EditRefused(state=project.state, field="sheet")
        if find_open_session(page, project.id) is not None:
            raise EditRefused(state=project.state, field="a vote on it runs")
        if project.state is ProjectState.VALIDATED:
            money = find_money_change(project.sheet, asked.sheet)
            if money is not None:
                raise EditRefused(state=project.state, field=money)
        self._require_sheet(page, asked.sheet)
        note_asked(page, asked.id, *content)
        if project.sheet == asked.sheet:
            return project.state
        columns = _columns_of(asked.sheet) | {"version": project.version + 1}
        self._save_version(page, project.id, project.version + 1, body, asked.by)
        if project.state is ProjectState.VALIDATED:
            # What was voted on is not what stands any more: the committee looks at it again.
            return save_step(page, project, ProjectEvent.EDITED, by=asked.by, decision=None, decided_on=None, **columns)
        change(page.connection, _projects, _projects.c.id == project.id, **columns)
        return project.state

    def _lead(self, page: Page, asked: LeadProject) -> ProjectState:
        content = ("lead", asked.project, str(asked.event), asked.by, asked.reason)
        project = load_project(page.connection, asked.project)
        if was_asked(page.connection, asked.id, *content):
            return project.state
        self._require_words(asked)
        advance(project.state, asked.event)
        if asked.event not in LED:
            raise ProjectStepRefused(state=project.state, event=asked.event)
        self._require_step(page, project, asked)
        note_asked(page, asked.id, *content)
        return self._take_step(page, project, asked)

    def _require_words(self, asked: LeadProject) -> None:
        if not is_line(asked.by, BY_MAX):
            raise ReasonMissing(what="by")
        if asked.reason and not is_prose(asked.reason, REASON_MAX):
            raise ReasonMissing(what=asked.event)
        if asked.event in NEEDS_REASON and not asked.reason:
            raise ReasonMissing(what=asked.event)

    def _require_step(self, page: Page, project: Project, asked: LeadProject) -> None:
        """Look at all that a step needs, before anything is written."""
        match asked.event:
            case ProjectEvent.REFUSED if project.state is not ProjectState.PROPOSED:
                # Once it is examined the committee alone refuses, by a vote.
                raise ProjectStepRefused(state=project.state, event=asked.event)
            case ProjectEvent.EXAMINED:
                require_eligible_now(page, project, self._settings.zone)
            case ProjectEvent.OPENED:
                require_eligible_now(page, project, self._settings.zone)
                require_nothing_missing(page.connection, project, page.now, self._settings.zone)
                if project.sheet.need_by <= self._today(page):
                    raise InvalidSheet(field="need_by", reason="its day is over before it opens")
            case ProjectEvent.AUDITED:
                report = load_progress_report(page.connection, project, self._today(page))
                if report.waits is not None:
                    raise report.waits
                if report.open_reason:
                    raise RoundRefused(reason=report.open_reason)
            case ProjectEvent.CLOSED if not asked.reason:
                raise ReasonMissing(what="the bearer's attestation of use: the SHA-256 of its file")
            case _:
                pass

    def _take_step(self, page: Page, project: Project, asked: LeadProject) -> ProjectState:
        more: dict[str, Any] = {}
        if asked.event is ProjectEvent.OPENED:
            self._letters.open(page, project)
        if asked.event is ProjectEvent.WITHDRAWN:
            more = self._letters.release(page, project, "withdrawn")
            _void_session(page, project.id)
        return save_step(page, project, asked.event, by=asked.by, reason=asked.reason, **more)

    def _retry(self, page: Page, id_: Id16) -> ProjectState:
        project = load_project(page.connection, id_)
        more: dict[str, Any] = {"code": ""}
        match project.state:
            case _ if not project.code:
                return project.state
            case ProjectState.OPEN:
                self._letters.open(page, project)
            case ProjectState.FUNDED | ProjectState.IN_PROGRESS:
                more = self._letters.commit(page, project)
            case ProjectState.WITHDRAWN:
                more = self._letters.release_again(page, project, "withdrawn")
            case ProjectState.MISSED:
                more = self._letters.release_again(page, project, "minimum_missed")
            case _:
                return project.state
        change(page.connection, _projects, _projects.c.id == id_, **more)
        return project.state

    def _appeal(self, page: Page, asked: LeadProject) -> ProjectState:
        content = ("appeal", asked.project, asked.by, asked.reason)
        project = load_project(page.connection, asked.project)
        if was_asked(page.connection, asked.id, *content):
            return project.state
        self._require_words(asked)
        if project.state is not ProjectState.REFUSED:
            raise ProjectStepRefused(state=project.state, event=ProjectEvent.APPEALED)
        if project.appeals:
            raise AppealRefused(reason="one appeal, and it was made")
        steps = tables.steps
        refused_at = page.connection.execute(
            select(steps.c.at).where(steps.c.project == project.id).order_by(steps.c.ix.desc()).limit(1)
        ).scalar_one()
        days = load_committee_rules(self._today(page)).appeal_days
        if page.now > refused_at + days * DAY_MS:
            raise AppealRefused(reason=f"within {days} days of the refusal")
        note_asked(page, asked.id, *content)
        return save_step(page, project, ProjectEvent.APPEALED, by=asked.by, reason=asked.reason, appeals=1)


def _columns_of(sheet: Sheet) -> dict[str, Any]:
    """Return what a project's row repeats of its sheet, so that it can be searched."""
    return {
        "bearer": sheet.bearer or None,
        "theme": sheet.theme,
        "commune": sheet.commune,
        "need_by": sheet.need_by,
        "target": sheet.target,
        "minimum": sheet.minimum,
    }


def find_open_session(page: Page, project: Id16) -> Any:
    """Return the vote on a project that is not decided yet, as a row, or None."""
    table = tables.sessions
    return page.connection.execute(select(table).where(table.c.project == project, table.c.outcome.is_(None))).first()


def _void_session(page: Page, project: Id16) -> None:
    """Close a vote that runs on a project that is withdrawn: nothing is left to decide, and no ballot is counted."""
    table = tables.sessions
    change(
        page.connection,
        table,
        table.c.project == project,
        table.c.outcome.is_(None),
        outcome=Outcome.VOID,
        reason="withdrawn",
        decided_at=page.now,
    )


def require_same(id_: Id16, **pairs: tuple[Any, Any]) -> None:
    """Require that what is kept under an id is what is told again. Raises IdMismatch."""
    for field, (kept, told) in pairs.items():
        if kept != told:
            raise IdMismatch(id=format_id(id_), field=field)
