"""Steps of comments, as the doors of the office describe them. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.desks.projects.office_kinds import AUTHOR, Author, OneProjectRequest, Prose, office_step, read_step
from node.doors.duties import Duty
from node.doors.shapes import KnownId, Line, OwnId
from node.governance.comments import CommentKind, CommentState


class OfficeCommentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says or asks of a project."""

    id: OwnId
    project: KnownId
    kind: CommentKind
    author: Author
    text: Prose
    answers: Line = ""


class CommentStateAnswer(Struct, frozen=True):
    """The comment's state."""

    comment: str
    state: str


class OfficeCommentLine(Struct, frozen=True):
    """A comment, as the moderator sees it."""

    comment: str
    kind: str
    author: str
    state: str
    text: str
    reason: str


class OfficeCommentsAnswer(Struct, frozen=True):
    """Comments of a project."""

    rows: list[OfficeCommentLine]


class ModerateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Let a comment through, or hide it with a reason."""

    comment: KnownId
    state: CommentState
    reason: Prose = ""
    by: Line = ""


COMMENTS_STEPS: Final = (
    office_step("comment", "Enter what somebody says.", OfficeCommentRequest, CommentStateAnswer, passes=AUTHOR),
    read_step("comments", "List all comments of a project.", OfficeCommentsAnswer, OneProjectRequest),
    office_step(
        "moderate",
        "Let a comment through, or hide it.",
        ModerateRequest,
        CommentStateAnswer,
        by="by",
        duties=(Duty.MODERATOR,),
    ),
)
