"""Comments, questions and answers on a project, under moderation. Pure.

Nothing is shown before somebody has looked at it; what is hidden is hidden with a reason, and kept. Authors are account
numbers, which are never shown: a reader sees whether a citizen or the bearer speaks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from node.governance.errors import InvalidComment
from node.governance.texts import is_prose

TEXT_MAX: Final = 2_000
REASON_MAX: Final = 400


class CommentKind(StrEnum):
    COMMENT = "comment"
    QUESTION = "question"
    ANSWER = "answer"


class CommentState(StrEnum):
    WAITING = "waiting"
    SHOWN = "shown"
    HIDDEN = "hidden"


def require_text(text: object) -> str:
    """Return a text that may be moderated. Raises InvalidComment."""
    if not is_prose(text, TEXT_MAX):
        raise InvalidComment(reason=f"a text of 1 to {TEXT_MAX} symbols")
    assert isinstance(text, str)
    return text
