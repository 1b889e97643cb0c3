"""Steps of rounds, of the funds that pay them and of what was spent, as the doors of the office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.projects.duties import BRINGS, MONEY, SECRETARY
from node.desks.projects.office_kinds import Prose, office_step, read_step
from node.doors.shapes import Day, Hex, KnownId, Line, Name, OwnId, Sum
from node.doors.steps import Step


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


ROUNDS_STEPS: Final = (
    read_step("late", "List what funds owe for too long.", LateAnswer),
    read_step("payers", "List keys of funds.", PayersAnswer),
    Step(
        command="catalogue_publish",
        summary="Publish the catalogue now.",
        answers=PublishedAnswer,
        duties=SECRETARY,
    ),
    office_step("convert", "Convert a round.", ConvertRequest, ConvertAnswer, duties=MONEY),
    office_step("confirm", "Note that the bearer has the money.", ConfirmRequest, ConfirmAnswer, duties=MONEY),
    office_step("spending", "Enter a proof of spending.", SpendingRequest, SpendingStateAnswer),
    office_step(
        "spending_judge",
        "Take a proof, or refuse it.",
        SpendingJudgeRequest,
        SpendingStateAnswer,
        by="by",
        duties=MONEY,
    ),
    office_step("finding", "Bring a signed finding.", FindingRequest, FindingAnswer, duties=BRINGS),
)
