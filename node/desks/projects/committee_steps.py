"""Steps of who signs, who sits and who is drawn, as the doors of the office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.desks.projects.answers import (
    DrawLine,
)
from node.desks.projects.duties import BRINGS
from node.desks.projects.office_kinds import Author, Prose, office_step, read_step
from node.doors.shapes import Day, Hex, KnownId, Line, Name, OwnId
from node.governance.votes import College


class SignerLine(Struct, frozen=True, rename={"speaks_for": "for"}):
    """Whose signatures count, as what; a bearer's speaker with its registry number."""

    key: str
    role: str
    title: str
    speaks_for: str
    revoked: str


class SignersAnswer(Struct, frozen=True):
    """Signers, by title."""

    rows: list[SignerLine]


class SignerKeyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The key that ends."""

    key: Hex


class SignerRevokedAnswer(Struct, frozen=True):
    """Which key ended."""

    key: str
    revoked: bool


class SeatRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Who sits in a college, by a key that was registered on the machine, from when until when."""

    id: OwnId
    key: Hex
    college: College
    from_day: Day
    until_day: Day
    organisation: Line = ""
    account: Line = ""
    draw: Line = ""


class SeatAnswer(Struct, frozen=True):
    """The member."""

    member: str
    college: str


class EndMemberRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A member who leaves, and why."""

    member: KnownId
    reason: Prose


class EndMemberAnswer(Struct, frozen=True):
    """The member sits no more."""

    member: str
    ended: bool


class MemberLine(Struct, frozen=True, rename={"first": "from", "last": "until"}):
    """A member of the committee: a function, never a name."""

    member: str
    college: str
    title: str
    key: str
    first: str
    last: str
    organisation: str
    ended: str


class MembersAnswer(Struct, frozen=True):
    """The committee."""

    rows: list[MemberLine]


class ConflictRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A member who has an interest in a project: he abstains."""

    member: KnownId
    project: KnownId
    reason: Prose


class ConflictAnswer(Struct, frozen=True):
    """He abstains."""

    member: str
    project: str
    abstains: bool


class DrawCloseRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A list to draw from, closed before its number is known: accounts of this territory."""

    id: OwnId
    college: College
    seats: Annotated[int, Meta(ge=1, le=100)]
    source: Name
    drawn_on: Day
    candidates: Annotated[list[Author], Meta(min_length=1, max_length=5_000)]


class DrawNumberRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The number that nobody chose."""

    draw: KnownId
    number: Name


class OfficeDrawsAnswer(Struct, frozen=True):
    """Drawings."""

    rows: list[DrawLine]


COMMITTEE_STEPS: Final = (
    read_step("signers", "List whose signatures count.", SignersAnswer),
    office_step("signer_revoke", "End a signer's key.", SignerKeyRequest, SignerRevokedAnswer, duties=BRINGS),
    office_step("member_seat", "Seat a member.", SeatRequest, SeatAnswer),
    office_step("member_end", "End a member's term.", EndMemberRequest, EndMemberAnswer),
    read_step("members", "List the committee.", MembersAnswer),
    office_step("conflict", "Note that a member has an interest.", ConflictRequest, ConflictAnswer),
    office_step("draw_close", "Close a list that is drawn from.", DrawCloseRequest, DrawLine),
    office_step("draw_number", "Draw by the number of its day.", DrawNumberRequest, DrawLine),
    read_step("draws", "List drawings.", OfficeDrawsAnswer),
)
