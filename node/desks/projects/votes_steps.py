"""Steps of votes, as the doors of the office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.desks.projects.duties import BRINGS
from node.desks.projects.office_kinds import OneProjectRequest, Prose, office_step, read_step
from node.doors.shapes import KnownId, Line, OwnId

Instant = Annotated[str, Meta(min_length=1, max_length=40)]
Ballot = Annotated[str, Meta(min_length=2, max_length=20_000, pattern="^[0-9a-f]+$")]


class VoteCallRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A vote on a project, from now or later until an instant."""

    id: OwnId
    project: KnownId
    closes_at: Instant
    opens_at: Line = ""


class SessionAnswer(Struct, frozen=True):
    """A vote, and what came of it."""

    session: str
    project: str
    opens_at: str
    closes_at: str
    appeal: bool
    outcome: str
    reason: str
    decision: str


class OneSessionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One vote."""

    session: KnownId


class CriterionLine(Struct, frozen=True):
    """A criterion of the grid."""

    key: str
    max: int


class VoteWordsAnswer(Struct, frozen=True):
    """What a member signs a ballot of, at home."""

    version: int
    territory: str
    session: str
    project: str
    sheet: str
    closes_at: str
    criteria: list[CriterionLine]


class BallotRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A ballot that its member signed, in hexadecimal."""

    ballot: Ballot


class BallotAnswer(Struct, frozen=True):
    """Whose ballot was taken."""

    member: str
    taken: bool


class VoteCloseRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The vote that is over; a refusal has its reason."""

    session: KnownId
    reason: Prose = ""
    by: Line = ""


class VotesAnswer(Struct, frozen=True):
    """Votes on a project."""

    rows: list[SessionAnswer]


class OfficeMinutesAnswer(SessionAnswer, frozen=True):
    """A vote with its minutes as they were signed, in hexadecimal."""

    document: str
    signature: str
    signer: str


VOTES_STEPS: Final = (
    office_step("vote_call", "Call a vote.", VoteCallRequest, SessionAnswer),
    read_step("vote_words", "Give what a member signs.", VoteWordsAnswer, OneSessionRequest),
    office_step("vote_cast", "Bring a signed ballot.", BallotRequest, BallotAnswer, duties=BRINGS),
    office_step("vote_close", "Close a vote that is over.", VoteCloseRequest, SessionAnswer, by="by"),
    read_step("votes", "List votes on a project.", VotesAnswer, OneProjectRequest),
    read_step("minutes", "Show the minutes of a vote.", OfficeMinutesAnswer, OneSessionRequest),
)
