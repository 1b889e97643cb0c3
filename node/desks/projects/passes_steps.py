"""Steps of passes, as the doors of the projects' office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.projects.duties import ALL, SECRETARY
from node.desks.projects.passes_requests import ClaimRequest
from node.doors.shapes import KnownId, Line, OwnId, Year
from node.doors.steps import Step
from node.governance.passes.passes import PassState
from node.governance.passes.status_lists import StatusPurpose

CREDENTIAL_MAX: Final = 1_500_000


class PassClaimRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bearer says that somebody, or a group, did."""

    id: OwnId
    claim: ClaimRequest


class PassMoved(Struct, frozen=True, rename={"pass_id": "pass"}):
    """The pass's state."""

    pass_id: str
    state: str


class PassStepRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"pass_id": "pass"}):
    """What the office says of a pass, with its reason; that work was done and counts is signed."""

    id: OwnId
    pass_id: KnownId
    event: Literal["refused", "suspended", "restored", "revoked"]
    reason: Line = ""


class PassIssueRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"pass_id": "pass"}):
    """The pass that is issued."""

    id: OwnId
    pass_id: KnownId


class PassesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """By project and state."""

    project: KnownId | UnsetType = UNSET
    state: PassState | UnsetType = UNSET


class PassLine(Struct, frozen=True, rename={"pass_id": "pass"}):
    """A pass: an account's, without a name."""

    pass_id: str
    state: str
    standing: str
    account: str
    people: int
    project: str
    role: str
    hours: str
    valid_until: str
    reason: str


class PassesAnswer(Struct, frozen=True):
    """Passes."""

    rows: list[PassLine]


class PassRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"pass_id": "pass"}):
    """One pass."""

    pass_id: KnownId


class PassSheet(Struct, frozen=True, rename={"pass_id": "pass", "first": "from", "last": "to"}):
    """All of a pass; how it is verified, once it is issued."""

    pass_id: str
    state: str
    standing: str
    account: str
    people: int
    project: str
    role: str
    hours: str
    valid_until: str
    reason: str
    bearer: str
    duty: str
    skills: str
    first: str
    last: str
    checked: str
    validated: str
    replaces: str
    issued_at: str | UnsetType = UNSET
    issuer: str | UnsetType = UNSET
    verify: str | UnsetType = UNSET
    holder_code: str | UnsetType = UNSET


class PassExportRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"pass_id": "pass"}):
    """In which form; a `name` is printed on a PDF and kept nowhere. `proof`: json, where the picture carries that."""

    pass_id: KnownId
    form: Literal["png", "svg", "json", "jwt", "pdf"]
    name: Line = ""
    proof: Literal["", "json"] = ""


class PassExportAnswer(Struct, frozen=True, rename={"pass_id": "pass", "size": "bytes"}):
    """The file in base64."""

    pass_id: str
    form: str
    size: int
    data: str


class PassVerifyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture, a credential or a token, in base64."""

    data: Annotated[bytes, Meta(max_length=CREDENTIAL_MAX)]


class PassVerifyAnswer(Struct, frozen=True):
    """It is genuine, and how it stands."""

    genuine: bool
    standing: str
    issuer: str
    credential: str
    name: str
    description: str


class PassStatusRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A status list by its purpose and number."""

    purpose: StatusPurpose
    number: Annotated[int, Meta(ge=0, le=10**6)]
    form: Literal["json", "jwt"] = "json"


class PassStatusAnswer(Struct, frozen=True, rename={"list_id": "list"}):
    """The list in base64."""

    list_id: str
    until: str
    data: str


class PassIssuerAnswer(Struct, frozen=True):
    """Who issues, and whose keys are known."""

    issuer: str
    name: str
    known: list[str]


class PassYearRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One year."""

    year: Year


class PassYearAnswer(Struct, frozen=True):
    """What is told to the CEC, as CSV."""

    year: int
    passes: int
    accounts: int
    reached: int
    csv: str


class SkillLine(Struct, frozen=True, rename={"source": "from"}):
    """A skill of the vocabulary."""

    skill: str
    fr: str
    en: str
    wider: str
    source: str


class SkillsAnswer(Struct, frozen=True):
    """The vocabulary."""

    rows: list[SkillLine]


PASSES_STEPS: Final = (
    Step(
        command="pass_claim",
        summary="Enter what is claimed for a pass.",
        asks=PassClaimRequest,
        answers=PassMoved,
        duties=SECRETARY,
    ),
    Step(
        command="pass_step",
        summary="Take one step with a pass.",
        asks=PassStepRequest,
        answers=PassMoved,
        duties=SECRETARY,
    ),
    Step(command="pass_issue", summary="Issue a pass.", asks=PassIssueRequest, answers=PassMoved, duties=SECRETARY),
    Step(
        command="passes", summary="List passes.", asks=PassesRequest, answers=PassesAnswer, duties=SECRETARY, reads=True
    ),
    Step(
        command="pass_show", summary="Show a pass.", asks=PassRequest, answers=PassSheet, duties=SECRETARY, reads=True
    ),
    Step(
        command="pass_export",
        summary="Write a pass.",
        asks=PassExportRequest,
        answers=PassExportAnswer,
        duties=SECRETARY,
    ),
    Step(
        command="pass_verify",
        summary="Verify a pass.",
        asks=PassVerifyRequest,
        answers=PassVerifyAnswer,
        duties=SECRETARY,
    ),
    Step(
        command="pass_status",
        summary="Write a status list.",
        asks=PassStatusRequest,
        answers=PassStatusAnswer,
        duties=ALL,
        reads=True,
    ),
    Step(command="pass_issuer", summary="Show who issues.", answers=PassIssuerAnswer, duties=ALL, reads=True),
    Step(
        command="pass_year",
        summary="Tell a year for the CEC.",
        asks=PassYearRequest,
        answers=PassYearAnswer,
        duties=SECRETARY,
        reads=True,
    ),
    Step(command="pass_skills", summary="List skills.", answers=SkillsAnswer, duties=ALL, reads=True),
)
