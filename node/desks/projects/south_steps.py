"""Steps of South programmes and of guides, as the doors of the projects' office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.projects.duties import ALL, BRINGS
from node.desks.projects.office_kinds import office_step
from node.desks.projects.south_answers import BudgetAnswerLine, GapLine, GuideLine, PartnerLine, ReportLine
from node.doors.shapes import Day, Hex, KnownId, Line, Name, OwnId, Sum
from node.doors.steps import Step
from node.governance.south.programmes import PartnerKind

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Signed = Annotated[str, Meta(min_length=2, max_length=90_000, pattern="^[0-9a-f]+$")]


class PurposeLine(Struct, frozen=True):
    """What a programme may be for."""

    purpose: str
    fr: str
    en: str


class PurposesAnswer(Struct, frozen=True):
    """Purposes."""

    rows: list[PurposeLine]


class SouthDeclareRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A project is a South programme, where and for what."""

    id: OwnId
    project: KnownId
    country: Country
    purpose: Name


class SouthDeclareAnswer(Struct, frozen=True):
    """The programme."""

    project: str
    country: str
    purpose: str


class PartnerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A body that works there, with its registration, and its key if it reports by itself."""

    id: OwnId
    project: KnownId
    name: Name
    country: Country
    kind: PartnerKind
    registration: Name
    key: Hex | UnsetType = UNSET


class PartnerAnswer(Struct, frozen=True):
    """The partner as entered."""

    partner: str
    name: str
    country: str


class PartnerProofRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A dated proof of a partner, by the digest of the paper."""

    id: OwnId
    partner: KnownId
    words: Name
    sha256: Hex
    issued_on: Day
    valid_until: Day


class PartnerProofAnswer(Struct, frozen=True):
    """The proof as entered."""

    proof: str
    sha256: str
    valid_until: str


class AgreementRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A control agreement; its clauses with commas."""

    id: OwnId
    partner: KnownId
    sha256: Hex
    signed_on: Day
    from_day: Day
    until_day: Day
    clauses: Line


class AgreementAnswer(Struct, frozen=True):
    """The agreement as entered."""

    agreement: str
    sha256: str
    until: str


class SouthEndRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A partner or an agreement ends, and why."""

    id: OwnId
    kind: Literal["partner", "agreement"]
    what: KnownId
    reason: Name


class SouthEndAnswer(Struct, frozen=True):
    """What ended."""

    ended: bool
    partner: str | UnsetType = UNSET
    agreement: str | UnsetType = UNSET


class SouthBudgetLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A line; the rate is millionths of the currency's unit for one euro."""

    words: Name
    country: Country
    cents: Sum
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    rate: Annotated[int, Meta(ge=1, le=10**15)] = 1_000_000


class SouthBudgetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """All lines of a programme."""

    id: OwnId
    project: KnownId
    lines: Annotated[list[SouthBudgetLine], Meta(min_length=1, max_length=100)]


class SouthBudgetAnswer(Struct, frozen=True):
    """Its version."""

    project: str
    version: int
    cents: int


class ClearanceWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One partner."""

    partner: KnownId


class ClearanceWordsAnswer(Struct, frozen=True):
    """What two stewards sign of the lists that they looked at."""

    territory: str
    partner: str
    name: str
    country: str


class SignedLineRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What was signed, as one line of hexadecimal digits."""

    signed: Signed


class ClearanceAnswer(Struct, frozen=True):
    """Whether a second steward is waited for."""

    taken: bool
    waits_for: str


class OneProgrammeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One project."""

    project: KnownId


class ReportWordsLine(Struct, frozen=True):
    """A line of the budget."""

    line: int
    words: str
    cents: int


class ReportWordsAnswer(Struct, frozen=True):
    """What who reports signs: the lines, and where the next period begins."""

    territory: str
    project: str
    told_until: str
    lines: list[ReportWordsLine]


class ReportTakenAnswer(Struct, frozen=True):
    """The report as taken."""

    report: str
    taken: bool


class OfficeProgrammeAnswer(Struct, frozen=True):
    """A programme: nothing of it is converted while `missing` names something."""

    project: str
    country: str
    purpose: str
    missing: list[GapLine]
    partners: list[PartnerLine]
    lines: list[BudgetAnswerLine]
    reports: list[ReportLine]
    bearer: str
    state: str


class GuideApprovedAnswer(Struct, frozen=True):
    """The guide's state."""

    taken: bool
    state: str


class GuideEndRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A guide whose accreditation is withdrawn, or who left, and why."""

    id: OwnId
    guide: KnownId
    why: Literal["withdrawn", "left"]
    reason: Name


class GuideStateAnswer(Struct, frozen=True):
    """The guide's state."""

    guide: str
    state: str


class OfficeGuideLine(GuideLine, frozen=True):
    """A guide, and whether the accounts know."""

    accounts_know: bool
    accounts_refused: str
    ended: str


class OfficeGuidesAnswer(Struct, frozen=True):
    """Guides."""

    rows: list[OfficeGuideLine]


SOUTH_STEPS: Final = (
    Step(command="south_purposes", summary="List purposes.", answers=PurposesAnswer, duties=ALL, reads=True),
    office_step("south_declare", "Declare a South programme.", SouthDeclareRequest, SouthDeclareAnswer),
    office_step("south_partner", "Enter a partner.", PartnerRequest, PartnerAnswer),
    office_step("south_partner_proof", "Enter a proof of a partner.", PartnerProofRequest, PartnerProofAnswer),
    office_step("south_agreement", "Enter a control agreement.", AgreementRequest, AgreementAnswer),
    office_step("south_end", "End a partner or an agreement.", SouthEndRequest, SouthEndAnswer),
    office_step("south_budget", "Enter the budget.", SouthBudgetRequest, SouthBudgetAnswer),
    office_step(
        "south_clearance_words", "Give what stewards sign.", ClearanceWordsRequest, ClearanceWordsAnswer, duties=BRINGS
    ),
    office_step("south_clearance", "Bring a steward's word.", SignedLineRequest, ClearanceAnswer, duties=BRINGS),
    office_step(
        "south_report_words", "Give what a report signs.", OneProgrammeRequest, ReportWordsAnswer, duties=BRINGS
    ),
    office_step("south_report", "Bring a signed report.", SignedLineRequest, ReportTakenAnswer, duties=BRINGS),
    office_step("south_show", "Show a programme.", OneProgrammeRequest, OfficeProgrammeAnswer, duties=ALL, reads=True),
    office_step(
        "guide_approve", "Bring a member's word for a guide.", SignedLineRequest, GuideApprovedAnswer, duties=BRINGS
    ),
    office_step("guide_end", "End a guide's accreditation.", GuideEndRequest, GuideStateAnswer),
    Step(command="guides", summary="List guides.", answers=OfficeGuidesAnswer, duties=ALL, reads=True),
)
