"""Steps of the projects' office that have a door: projects, bearers, the committee and its votes, comments, money. Pure.

What a person in the office does is done by the officer whose key is shown (`by`). What somebody else says and the office
writes down, a proposal or a comment, is under `author`: an account's number here, or a bearer's registry number.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.projects.answers import (
    DrawLine,
    DueLine,
    FindingLine,
    ProjectLine,
    RoundLine,
    SpendingLine,
    StepLine,
    VoteLine,
)
from node.desks.projects.attestations_steps import ATTESTATIONS_STEPS
from node.desks.projects.audits_steps import AUDITS_STEPS
from node.desks.projects.duties import ALL, BRINGS, MONEY, SECRETARY
from node.desks.projects.passes_steps import PASSES_STEPS
from node.desks.projects.requests import SheetRequest
from node.desks.projects.south_steps import SOUTH_STEPS
from node.desks.projects.volunteering_steps import VOLUNTEERING_STEPS
from node.doors.description import Api
from node.doors.duties import Duty
from node.doors.shapes import Day, Hex, KnownId, Line, Name, OwnId, Sum
from node.doors.steps import Step, Steps, Upload
from node.governance.bearers import ProofKind
from node.governance.comments import CommentKind, CommentState
from node.governance.pictures import PICTURE_BYTES_MAX
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.votes import College

Author = Annotated[str, Meta(min_length=1, max_length=40)]
Instant = Annotated[str, Meta(min_length=1, max_length=40)]
Prose = Annotated[str, Meta(max_length=8_000)]
Ballot = Annotated[str, Meta(min_length=2, max_length=20_000, pattern="^[0-9a-f]+$")]


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


class OneProjectRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One project."""

    project: KnownId


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


class ProjectBearerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A body that may bear projects."""

    id: OwnId
    registry: Name
    name: Name
    category: Name
    holder: Name
    iban: Name


class ProjectBearerAnswer(Struct, frozen=True):
    """The body as entered."""

    bearer: str
    registry: str
    name: str


class ProjectBearerLine(ProjectBearerAnswer, frozen=True):
    """A bearer."""

    category: str
    holder: str
    iban: str


class ProjectBearersAnswer(Struct, frozen=True):
    """Bearers by name."""

    rows: list[ProjectBearerLine]


class ProofRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A dated proof that a bearer is eligible, by the digest of the paper."""

    id: OwnId
    bearer: KnownId
    kind: ProofKind
    sha256: Hex
    issued_on: Day
    valid_until: Day


class ProofAnswer(Struct, frozen=True):
    """The proof as entered."""

    proof: str
    sha256: str
    valid_until: str


class OneBearerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One bearer."""

    bearer: KnownId


class ProofLine(ProofAnswer, frozen=True):
    """A proof."""

    kind: str
    issued_on: str


class ProofsAnswer(Struct, frozen=True):
    """A bearer's proofs."""

    rows: list[ProofLine]


class BearerIbanWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Another account of a bearer. Who signs second gives the change's id alone."""

    id: OwnId
    bearer: Line = ""
    holder: Line = ""
    iban: Line = ""


class BearerIbanWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What two stewards sign, each with a key that no base holds."""

    id: KnownId
    territory: Name
    bearer: KnownId
    holder: Line
    iban: Line


class BearerIbanSignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One steward's signature of the words."""

    words: BearerIbanWords
    key: Hex
    signature: Hex


class BearerIbanSignedAnswer(Struct, frozen=True, rename={"first": "from"}):
    """What the change waits for, or from when it holds."""

    id: str
    waits_for: str
    first: str


class OneChangeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One change of an account."""

    id: OwnId


class DroppedAnswer(Struct, frozen=True):
    """The change is given up."""

    id: str
    dropped: bool


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


class PayerLine(Struct, frozen=True):
    """The key of a fund: of this territory, or of another by a person's word or by a signed card."""

    territory: str
    public: str
    by: str | UnsetType = UNSET
    waiting: str | UnsetType | None = UNSET
    counts_from: str | UnsetType | None = UNSET
    disputed: bool | UnsetType = UNSET


class PayersAnswer(Struct, frozen=True):
    """Keys of funds."""

    rows: list[PayerLine]


class PublishedAnswer(Struct, frozen=True):
    """Which catalogue was published."""

    number: int


class ConvertRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A round of what is directed to a project."""

    id: OwnId
    project: KnownId


class ConvertAnswer(Struct, frozen=True):
    """What is asked of the accounts."""

    round: str
    cents: int


class ConfirmRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The bearer has the money of a round, since that day; of the own fund unless another territory is named."""

    round: KnownId
    on: Day
    payer: Line = ""


class ConfirmAnswer(Struct, frozen=True):
    """The payment's state."""

    round: str
    payer: str
    state: str


class SpendingRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A proof of what was spent, by the digest of the paper."""

    id: OwnId
    project: KnownId
    instalment: Annotated[int, Meta(ge=1, le=100)]
    words: Name
    cents: Sum
    sha256: Hex


class SpendingJudgeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Take a proof, or refuse it with a reason."""

    id: OwnId
    proof: KnownId
    accept: bool
    reason: Prose = ""
    by: Line = ""


class SpendingStateAnswer(Struct, frozen=True):
    """The proof's state."""

    proof: str
    state: str


class FindingText(Struct, frozen=True, forbid_unknown_fields=True):
    """What an auditor signs of an instalment (0: the whole)."""

    territory: Name
    id: KnownId
    project: KnownId
    instalment: Annotated[int, Meta(ge=0, le=100)]
    verdict: Name
    text: Prose


class FindingRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that was signed."""

    words: FindingText
    key: Hex
    signature: Hex


class FindingAnswer(Struct, frozen=True):
    """What was found."""

    finding: str
    verdict: str


class LateLine(Struct, frozen=True):
    """What a fund owes for a round for too long."""

    project: str
    round: int
    payer: str
    cents: int
    state: str
    code: str
    waiting_days: int


class LateAnswer(Struct, frozen=True):
    """What is late, of all projects."""

    rows: list[LateLine]


class HomeAnswer(Struct, frozen=True):
    """Whose projects these are, and which day it is there."""

    territory: str
    day: str


def _read(command: str, summary: str, answers: type[Struct], asks: type[Struct] | None = None) -> Step:
    return Step(command=command, summary=summary, asks=asks, answers=answers, duties=ALL, reads=True)


def _do(command: str, summary: str, asks: type[Struct], answers: type[Struct], **more: Any) -> Step:
    told: dict[str, Any] = {"duties": SECRETARY, **more}
    return Step(command=command, summary=summary, asks=asks, answers=answers, **told)


_AUTHOR: Final = (("author", "by"),)
_MACHINE: Final = "whose signatures count is said on the machine, before two people"
_FUND: Final = "which fund is paid by is said on the machine, by a key compared by telephone"
_KEYS: Final = "a key of doors makes no other"
PROJECTS_STEPS: Final = Steps(
    prefix="/v1/projects/office",
    steps=(
        _read("home", "Show whose projects these are.", HomeAnswer),
        _read("words", "List themes and criteria of today.", WordsAnswer),
        Step(
            command="picture",
            summary="Keep a picture for a sheet.",
            answers=PictureAnswer,
            duties=SECRETARY,
            upload=Upload(argument="file", bytes_max=PICTURE_BYTES_MAX, is_kept=True),
        ),
        _do(
            "propose",
            "Enter a project that somebody proposes.",
            OfficeProposeRequest,
            ProjectStateAnswer,
            passes=_AUTHOR,
        ),
        _do("edit", "Give a project another sheet.", OfficeEditRequest, ProjectStateAnswer, by="by"),
        _do("lead", "Take one step with a project.", ProjectLeadRequest, ProjectStateAnswer, by="by"),
        _do("retry", "Ask the accounts again what they refused.", OneProjectRequest, ProjectStateAnswer),
        _read("list", "List projects.", OfficeProjectsAnswer, ProjectsListRequest),
        _read("show", "Show all of a project.", OfficeProjectAnswer, OneProjectRequest),
        _do("bearer_save", "Enter a bearer.", ProjectBearerRequest, ProjectBearerAnswer),
        _read("bearers", "List bearers.", ProjectBearersAnswer),
        _do("proof_add", "Enter a proof of a bearer.", ProofRequest, ProofAnswer),
        _read("proofs", "List a bearer's proofs.", ProofsAnswer, OneBearerRequest),
        _do("iban_words", "Give what two stewards sign of another account.", BearerIbanWordsRequest, BearerIbanWords),
        _do(
            "iban_sign",
            "Bring a steward's signature.",
            BearerIbanSignRequest,
            BearerIbanSignedAnswer,
            duties=BRINGS,
        ),
        _do("iban_drop", "Give a change of account up.", OneChangeRequest, DroppedAnswer),
        _read("signers", "List whose signatures count.", SignersAnswer),
        _do("signer_revoke", "End a signer's key.", SignerKeyRequest, SignerRevokedAnswer, duties=BRINGS),
        _do("member_seat", "Seat a member.", SeatRequest, SeatAnswer),
        _do("member_end", "End a member's term.", EndMemberRequest, EndMemberAnswer),
        _read("members", "List the committee.", MembersAnswer),
        _do("conflict", "Note that a member has an interest.", ConflictRequest, ConflictAnswer),
        _do("draw_close", "Close a list that is drawn from.", DrawCloseRequest, DrawLine),
        _do("draw_number", "Draw by the number of its day.", DrawNumberRequest, DrawLine),
        _read("draws", "List drawings.", OfficeDrawsAnswer),
        _do("vote_call", "Call a vote.", VoteCallRequest, SessionAnswer),
        _read("vote_words", "Give what a member signs.", VoteWordsAnswer, OneSessionRequest),
        _do("vote_cast", "Bring a signed ballot.", BallotRequest, BallotAnswer, duties=BRINGS),
        _do("vote_close", "Close a vote that is over.", VoteCloseRequest, SessionAnswer, by="by"),
        _read("votes", "List votes on a project.", VotesAnswer, OneProjectRequest),
        _read("minutes", "Show the minutes of a vote.", OfficeMinutesAnswer, OneSessionRequest),
        _do("comment", "Enter what somebody says.", OfficeCommentRequest, CommentStateAnswer, passes=_AUTHOR),
        _read("comments", "List all comments of a project.", OfficeCommentsAnswer, OneProjectRequest),
        _do(
            "moderate",
            "Let a comment through, or hide it.",
            ModerateRequest,
            CommentStateAnswer,
            by="by",
            duties=(Duty.MODERATOR,),
        ),
        _read("late", "List what funds owe for too long.", LateAnswer),
        _read("payers", "List keys of funds.", PayersAnswer),
        Step(
            command="catalogue_publish",
            summary="Publish the catalogue now.",
            answers=PublishedAnswer,
            duties=SECRETARY,
        ),
        _do("convert", "Convert a round.", ConvertRequest, ConvertAnswer, duties=MONEY),
        _do("confirm", "Note that the bearer has the money.", ConfirmRequest, ConfirmAnswer, duties=MONEY),
        _do("spending", "Enter a proof of spending.", SpendingRequest, SpendingStateAnswer),
        _do(
            "spending_judge",
            "Take a proof, or refuse it.",
            SpendingJudgeRequest,
            SpendingStateAnswer,
            by="by",
            duties=MONEY,
        ),
        _do("finding", "Bring a signed finding.", FindingRequest, FindingAnswer, duties=BRINGS),
        *ATTESTATIONS_STEPS,
        *PASSES_STEPS,
        *AUDITS_STEPS,
        *SOUTH_STEPS,
        *VOLUNTEERING_STEPS,
    ),
    without={
        "key_new": _KEYS,
        "key_revoke": _KEYS,
        "keys": _KEYS,
        "signer_add": _MACHINE,
        "payer_add": _FUND,
        "payer_forget": _FUND,
        "catch_up": "the base does it by itself every quarter of an hour",
        "pass_retire_key": "which key signed passes is said on the machine",
    },
    api=Api(
        title="Citizen-Miles projects' office",
        words=(
            "Amounts are whole cents. An `id` that a request brings is the caller's own (UUID): the same id with the same"
            " content is answered again and never done twice; with another content it is refused. Steps without one say what"
            " is so from now on. What the office does is done by the officer whose key is shown: `by` may be left out, and"
            " naming another is refused; `author` is who said what the office writes down."
        ),
        key="cmd_<id>_<secret>",
    ),
)
