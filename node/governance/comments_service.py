"""Take comments, questions and answers, and show them once somebody has looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.comments import REASON_MAX, CommentKind, CommentState, require_text
from node.governance.days import local_day, write_day
from node.governance.errors import CommentUnknown, InvalidComment, ReasonMissing, TooManyWaiting
from node.governance.parameters_store import load_participation_rules
from node.governance.projects import IS_PUBLIC
from node.governance.projects_service import require_proposer
from node.governance.settings import ProjectsSettings
from node.governance.store import change, load_project, note_asked, save, was_asked
from node.governance.texts import is_line
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id, require_id

_comments = tables.comments


@dataclass(frozen=True, slots=True, kw_only=True)
class AddComment:
    """What somebody says of a project. `author` is an account number or a bearer's registry number, never shown.

    One that came by a door `is_limited`: a few of an account may wait.
    """

    id: Id16
    project: Id16
    kind: CommentKind
    author: str
    text: str
    answers: Id16 | None = None
    is_limited: bool = False

    def __post_init__(self) -> None:
        require_id(self.id)
        require_text(self.text)
        require_proposer(self.author)
        if (self.answers is not None) is not (self.kind is CommentKind.ANSWER):
            raise InvalidComment(reason="an answer names its question, and nothing else does")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderate:
    """Show a comment, or hide it with a reason."""

    comment: Id16
    state: CommentState
    by: str
    reason: str = ""


class CommentDesk:
    """Operations for the book's writer, on comments."""

    def __init__(self, settings: ProjectsSettings) -> None:
        self._settings = settings

    def add(self, page: Page, items: Sequence[AddComment]) -> list[CommentState | Refusal]:
        """Keep each comment until it was looked at."""
        return answer_each(items, lambda item: self._add(page, item))

    def moderate(self, page: Page, items: Sequence[Moderate]) -> list[CommentState | Refusal]:
        """Show or hide each comment; the last word counts."""
        return answer_each(items, lambda item: self._moderate(page, item))

    def _add(self, page: Page, one: AddComment) -> CommentState:
        content = ("comment", one.project, str(one.kind), one.author, one.text, one.answers)
        if was_asked(page.connection, one.id, *content):
            return CommentState(_load(page.connection, one.id).state)
        project = load_project(page.connection, one.project)
        if project.state not in IS_PUBLIC:
            raise InvalidComment(reason="the project is not shown yet")
        if one.answers is not None:
            question = _load(page.connection, one.answers)
            if bytes(question.project) != one.project or question.kind != CommentKind.QUESTION:
                raise InvalidComment(reason="what it answers is no question on this project")
        if one.is_limited:
            self._require_room(page, one.author)
        note_asked(page, one.id, *content)
        save(
            page.connection,
            _comments,
            id=one.id,
            project=one.project,
            kind=one.kind,
            author=one.author,
            answers=one.answers,
            text=one.text,
            state=CommentState.WAITING,
            reason="",
            by="",
            at=page.now,
        )
        return CommentState.WAITING

    def _require_room(self, page: Page, author: str) -> None:
        most = load_participation_rules(write_day(local_day(page.now, self._settings.zone))).comments_waiting_max
        waiting = select(func.count()).where(_comments.c.author == author, _comments.c.state == CommentState.WAITING)
        if page.connection.execute(waiting).scalar_one() >= most:
            raise TooManyWaiting(what="comments", most=most)

    def _moderate(self, page: Page, one: Moderate) -> CommentState:
        row = _load(page.connection, one.comment)
        if one.state is CommentState.WAITING or not is_line(one.by, REASON_MAX):
            raise ReasonMissing(what="by")
        if one.state is CommentState.HIDDEN and not is_line(one.reason, REASON_MAX):
            raise ReasonMissing(what="hidden")
        if row.state != one.state:
            change(
                page.connection,
                _comments,
                _comments.c.id == one.comment,
                state=one.state,
                by=one.by,
                reason=one.reason,
                moderated_at=page.now,
            )
        return one.state


def find_comment(connection: Connection, id_: bytes) -> Any:
    """Return a comment as a row, or None."""
    return connection.execute(select(_comments).where(_comments.c.id == id_)).first()


def _load(connection: Connection, id_: bytes) -> Any:
    row = find_comment(connection, id_)
    if row is None:
        raise CommentUnknown(comment=format_id(Id16(id_)))
    return row


def list_comments(connection: Connection, project: bytes, *states: CommentState) -> list[Any]:
    """Return a project's comments in one of these states, the oldest first."""
    return list(
        connection.execute(
            select(_comments)
            .where(_comments.c.project == project, _comments.c.state.in_(states or tuple(CommentState)))
            .order_by(_comments.c.at, _comments.c.id)
        ).all()
    )
