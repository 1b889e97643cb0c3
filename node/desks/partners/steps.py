"""All steps of the companies' base that have a door, and the commands that have none. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.doors.duties import Duty
from node.doors.shapes import Account, Day, KnownId, Line, MonthDay, Name, OwnId, SirenText, Sum, SumOrNone
from node.doors.steps import Step, Steps, Upload
from node.partners.campaigns import CampaignEvent
from node.partners.counterparts import Valuation
from node.partners.coupons import CouponEvent, Occasion
from protocol.running.openapi import Api

PARTNERS_DUTIES: Final = (Duty.READER, Duty.CLERK, Duty.COMPANY)
CLERK: Final = (Duty.CLERK,)
OFFICE: Final = (Duty.CLERK, Duty.COMPANY)
CSV_BYTES_MAX: Final = 128 * 1024 * 1024  # a million lines of 134 bytes


class CompanyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A company, or what is new of it."""

    siren: SirenText
    name: Name
    legal_form: Name
    street: Name
    postcode: Name
    town: Name
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "FR"
    year_end: MonthDay = "12-31"


class CompanyAnswer(Struct, frozen=True):
    """The company as entered; `donor` is how the fund knows it."""

    siren: str
    name: str
    donor: str


class CompanyLine(Struct, frozen=True):
    """A company."""

    siren: str
    name: str
    form: str
    city: str


class CompaniesAnswer(Struct, frozen=True):
    """Companies by SIREN."""

    rows: list[CompanyLine]


class GroupRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Companies that belong together; the same id again says anew who is in it."""

    id: OwnId
    name: Name
    members: Annotated[list[SirenText], Meta(min_length=1, max_length=500)]


class GroupAnswer(Struct, frozen=True):
    """The group as entered."""

    id: str
    name: str
    members: list[str]


class OwnAccountRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """An account that is a company's own: nothing is given to it."""

    siren: SirenText
    account: Account


class OwnAccountAnswer(Struct, frozen=True):
    """The account by its number."""

    siren: str
    account: str


class TurnoverRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The turnover, without tax, of the fiscal year that starts on that day."""

    siren: SirenText
    starts_on: Day
    cents: SumOrNone


class TurnoverAnswer(Struct, frozen=True):
    """The turnover as noted."""

    siren: str
    starts_on: str
    cents: int


class YearsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Fiscal years by first and last day, in place of those named before."""

    siren: SirenText
    years: Annotated[list[tuple[Day, Day]], Meta(min_length=1, max_length=100)]


class YearsAnswer(Struct, frozen=True):
    """The years as named."""

    siren: str
    years: list[tuple[str, str]]


class SirenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One company."""

    siren: SirenText


class PublicSheetAnswer(Struct, frozen=True):
    """What anybody may know of a company; `holders`, and what they directed, where they are enough to hide in."""

    siren: str
    name: str
    form: str
    city: str
    group: list[str]
    campaigns: list[str]
    paid_cents: int
    granted_cents: int
    holders: int | None
    oriented_cents: int | None


class CompanyEffectLine(Struct, frozen=True):
    """One campaign's miles in one project: directed is what waits there (in whole hundreds of euros) and what was converted.

    Of what was converted so much is paid to the bearer, netted with the project's own fund, or owed still.
    """

    campaign: str
    name: str
    territory: str
    project: str
    title: str
    directed_cents: int
    waiting_cents: int
    converted_cents: int
    owed_cents: int
    paid_cents: int
    netted_cents: int
    confirmed_cents: int


class CompanyEffectsAnswer(Struct, frozen=True):
    """What became of a company's miles, in sums and by campaign and project. Sums of few people are in none of them."""

    siren: str
    directed_cents: int
    waiting_cents: int
    converted_cents: int
    owed_cents: int
    paid_cents: int
    netted_cents: int
    confirmed_cents: int
    projects: list[CompanyEffectLine]


class CeilingLine(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """The legal ceiling of a fiscal year, and how it is used."""

    first: str
    last: str
    of_year_cents: int
    ceiling_cents: int
    used_cents: int
    left_cents: int
    carried_cents: int


class CompanyStandingAnswer(Struct, frozen=True):
    """What a company gave, what it received in return against what it may, and its ceilings."""

    siren: str
    given_cents: int
    received_cents: int
    allowed_cents: int
    over_cents: int
    years: list[CeilingLine]


class DraftRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign: `fixed` cents or `basis_points` of a sale, from a `threshold` on, up to its ceilings.

    `called`: pledged, and called when it is converted; else paid first. Restricted to a territory, or to a theme.
    """

    id: OwnId
    siren: SirenText
    title: Name
    ceiling: Sum
    opens_on: Day
    closes_on: Day
    fixed: SumOrNone = 0
    basis_points: Annotated[int, Meta(ge=0, le=10_000)] = 0
    threshold: SumOrNone = 0
    per_purchase: Sum | UnsetType = UNSET
    per_day: Sum | UnsetType = UNSET
    called: bool = False
    territory: Line = ""
    theme: Line = ""


class DraftAnswer(Struct, frozen=True):
    """The draft."""

    id: str
    title: str
    state: str


class OpenCampaignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Open a draft: so much is paid first (all of its ceiling where nothing is said), by that day."""

    campaign: KnownId
    due: Day
    cents: Sum | UnsetType = UNSET


class ExpectMoreRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One payment more of an open campaign."""

    id: OwnId
    campaign: KnownId
    due: Day
    cents: Sum


class LeadRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Pause, resume or end a campaign."""

    id: OwnId
    campaign: KnownId
    event: CampaignEvent


class LeadAnswer(Struct, frozen=True):
    """The campaign's state."""

    id: str
    state: str


class CampaignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One campaign."""

    campaign: KnownId


class CampaignPayment(Struct, frozen=True):
    """A payment that the fund waits for: what to write on the transfer, and where to."""

    id: str
    cents: int
    arrived_cents: int
    due: str
    reference: str
    iban: str
    code: str
    closed_on: str


class CampaignPledge(Struct, frozen=True):
    """The pledge of a called campaign."""

    id: str
    ceiling_cents: int
    until: str
    accepted: bool
    code: str
    called_cents: int
    released_cents: int
    unconverted_cents: int


class CampaignLine(Struct, frozen=True):
    """A campaign and its budget."""

    id: str
    company: str
    title: str
    state: str
    pool: str
    funded_cents: int
    spent_cents: int
    left_cents: int
    code: str


class CampaignSheet(CampaignLine, frozen=True):
    """A campaign with what is waited for."""

    waiting_cents: int
    in_tickets_cents: int
    payments: list[CampaignPayment]
    pledge: CampaignPledge | UnsetType = UNSET


class CampaignsOfCompanyAnswer(Struct, frozen=True):
    """A company's campaigns."""

    rows: list[CampaignLine]


class CompanyCallLine(Struct, frozen=True):
    """What is called of a company for a month."""

    id: str
    month: int
    cents: int
    arrived_cents: int
    due: str
    reference: str
    iban: str


class CompanyCallsAnswer(Struct, frozen=True):
    """Calls by month."""

    rows: list[CompanyCallLine]


class TillRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A credential of a till by its number, or without one of the company's office."""

    id: OwnId
    siren: SirenText
    name: Name
    number: Annotated[int, Meta(ge=1, le=10**6)] | UnsetType = UNSET


class TillAnswer(Struct, frozen=True):
    """The credential. `key` is shown once; where it is `repeated` it is empty: revoke it, and ask under another id."""

    siren: str
    till: int | None
    name: str
    key_id: str
    key: str
    repeated: bool


class TillRevokeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The credential that ends: put away, or `stolen`."""

    key_id: Name
    stolen: bool = False


class TillRevokedAnswer(Struct, frozen=True):
    """Why it ended."""

    key_id: str
    reason: str


class TillLine(Struct, frozen=True):
    """A credential, without its secret."""

    key_id: str
    till: int | str
    name: str
    since: str
    revoked: str
    reason: str


class TillsAnswer(Struct, frozen=True):
    """A company's credentials, the oldest first."""

    rows: list[TillLine]


class OfficeClaimRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket, and the account that it is for."""

    id: OwnId
    ticket: Annotated[str, Meta(min_length=1, max_length=120)]
    account: Account


class OfficeClaimAnswer(Struct, frozen=True):
    """What the ticket was worth, and whether the accounts have credited it."""

    cents: int
    state: str
    code: str
    repeated: bool


class OperationsTryRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The campaign that the file would be booked on."""

    campaign: KnownId


class WrongLine(Struct, frozen=True):
    """A row that is not taken, and why."""

    row: int
    code: str
    why: str


class OperationsTryAnswer(Struct, frozen=True):
    """What a file would come to. Nothing is kept. The first 500 wrong rows."""

    rows: int
    accepted: int
    cents: int
    by_kind: dict[str, int]
    by_code: dict[str, int]
    problems: list[WrongLine]
    budget_left_cents: int


class OperationsLoadRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A file that is kept under the caller's id, to be booked."""

    id: OwnId
    campaign: KnownId
    name: Name


class RunRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One file that was kept."""

    run: KnownId


class RunBookRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Book what was kept; `skips_wrong`: the right rows, although others are wrong."""

    run: KnownId
    skips_wrong: bool = False


class RunAnswer(Struct, frozen=True):
    """How far a file is."""

    id: str
    name: str
    state: str
    rows: int
    accepted: int
    cents: int
    booked_to_line: int


class RunReportRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of a file after this line."""

    run: KnownId
    after: Annotated[int, Meta(ge=0, le=10**9)] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class RunReportLine(Struct, frozen=True):
    """What became of one row."""

    line: int
    id: str
    account: str
    cents: int
    state: str
    code: str
    why: str


class RunReportAnswer(Struct, frozen=True):
    """Rows in the order of their file."""

    rows: list[RunReportLine]


class CounterpartRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a company received in return, at which value, by whose word."""

    id: OwnId
    siren: SirenText
    day: Day
    description: Line
    cents: Sum
    valuation: Valuation
    giver: Name


class CounterpartAnswer(Struct, frozen=True):
    """The counterpart as entered."""

    id: str
    cents: int


class OfficeCouponRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A discount of a shop: `cents` or `basis_points`."""

    id: OwnId
    siren: SirenText
    words: Name
    occasion: Occasion
    valid_from: Day
    valid_to: Day
    cents: SumOrNone = 0
    basis_points: Annotated[int, Meta(ge=0, le=10_000)] = 0
    sale_min: SumOrNone = 0


class OfficeCouponLine(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """A coupon and what became of it."""

    id: str
    words: str
    state: str
    first: str
    last: str
    used_by: str
    used_cents: int


class OfficeCouponsAnswer(Struct, frozen=True):
    """A shop's coupons."""

    rows: list[OfficeCouponLine]


class CouponMoveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A coupon that is used on a sale, lapses or is withdrawn."""

    siren: SirenText
    coupon: KnownId
    event: CouponEvent
    sale: Line = ""
    cents: SumOrNone = 0


_RUN_SHOWS: Final = "operations_show"
PARTNERS_STEPS: Final = Steps(
    prefix="/v1/partners/office",
    steps=(
        Step(
            command="company",
            summary="Enter a company, or what is new of it.",
            asks=CompanyRequest,
            answers=CompanyAnswer,
            duties=CLERK,
        ),
        Step(
            command="companies",
            summary="List companies.",
            answers=CompaniesAnswer,
            duties=(Duty.READER, Duty.CLERK),
            reads=True,
        ),
        Step(
            command="group",
            summary="Say which companies belong together.",
            asks=GroupRequest,
            answers=GroupAnswer,
            duties=CLERK,
        ),
        Step(
            command="own_account",
            summary="Note an account that is a company's own.",
            asks=OwnAccountRequest,
            answers=OwnAccountAnswer,
            duties=CLERK,
        ),
        Step(
            command="turnover",
            summary="Note a company's turnover, in place of what was noted before.",
            asks=TurnoverRequest,
            answers=TurnoverAnswer,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="years",
            summary="Name a company's fiscal years.",
            asks=YearsRequest,
            answers=YearsAnswer,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="sheet",
            summary="Show a company's public sheet.",
            asks=SirenRequest,
            answers=PublicSheetAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
        Step(
            command="company_effects",
            summary="Tell what became of a company's miles, by campaign and project, in every territory.",
            asks=SirenRequest,
            answers=CompanyEffectsAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
        Step(
            command="standing",
            summary="Show the ceiling of each fiscal year, and what was received in return.",
            asks=SirenRequest,
            answers=CompanyStandingAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
        Step(
            command="draft",
            name="campaign_draft",
            summary="Draft a campaign; told again with other terms, the draft is amended.",
            asks=DraftRequest,
            answers=DraftAnswer,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="open",
            name="campaign_open",
            summary="Open a drafted campaign: asked twice is done once.",
            asks=OpenCampaignRequest,
            answers=CampaignSheet,
            duties=OFFICE,
            of_company="campaign",
        ),
        Step(
            command="expect_more",
            name="campaign_pay",
            summary="Announce one payment more of an open campaign.",
            asks=ExpectMoreRequest,
            answers=CampaignSheet,
            duties=OFFICE,
            of_company="campaign",
        ),
        Step(
            command="lead",
            name="campaign_lead",
            summary="Pause, resume or end a campaign.",
            asks=LeadRequest,
            answers=LeadAnswer,
            duties=OFFICE,
            of_company="campaign",
        ),
        Step(
            command="campaign",
            summary="Show a campaign: its budget, and what the fund waits for.",
            asks=CampaignRequest,
            answers=CampaignSheet,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="campaign",
        ),
        Step(
            command="campaigns",
            summary="List a company's campaigns.",
            asks=SirenRequest,
            answers=CampaignsOfCompanyAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
        Step(
            command="company_calls",
            name="calls",
            summary="List what is called of a company's pledges.",
            asks=SirenRequest,
            answers=CompanyCallsAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
        Step(
            command="till_new",
            summary="Make a credential of a till or of the company's office. It is shown once.",
            asks=TillRequest,
            answers=TillAnswer,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="till_revoke",
            summary="End a credential at once: asked again, it keeps its instant.",
            asks=TillRevokeRequest,
            answers=TillRevokedAnswer,
            duties=OFFICE,
            of_company="key_id",
        ),
        Step(
            command="tills",
            summary="List a company's credentials, without their secrets.",
            asks=SirenRequest,
            answers=TillsAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
        Step(
            command="claim",
            summary="Claim a ticket for an account: whoever is first has it.",
            asks=OfficeClaimRequest,
            answers=OfficeClaimAnswer,
            duties=CLERK,
        ),
        Step(
            command="operations_try",
            summary="Say row by row what a file of operations would come to.",
            asks=OperationsTryRequest,
            answers=OperationsTryAnswer,
            duties=OFFICE,
            upload=Upload(argument="file", bytes_max=CSV_BYTES_MAX, is_kept=True),
            of_company="campaign",
        ),
        Step(
            command="operations_load",
            summary="Keep the rows of a file of operations, to be booked; it goes on where it stopped.",
            asks=OperationsLoadRequest,
            answers=RunAnswer,
            duties=OFFICE,
            upload=Upload(argument="file", bytes_max=CSV_BYTES_MAX, is_kept=True),
            of_company="campaign",
            shows=(_RUN_SHOWS, "run", "id"),
        ),
        Step(
            command="operations_book",
            summary="Book the rows of a file that was kept; it goes on by itself, whoever hangs up.",
            asks=RunBookRequest,
            answers=RunAnswer,
            duties=OFFICE,
            of_company="run",
            shows=(_RUN_SHOWS, "run", "run"),
        ),
        Step(
            command=_RUN_SHOWS,
            summary="Show how far a file is.",
            asks=RunRequest,
            answers=RunAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="run",
        ),
        Step(
            command="operations_report",
            summary="Show what became of each row, a page at a time.",
            asks=RunReportRequest,
            answers=RunReportAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="run",
        ),
        Step(
            command="counterpart",
            summary="Enter what a company received in return.",
            asks=CounterpartRequest,
            answers=CounterpartAnswer,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="coupon",
            summary="Hand out a coupon of a shop.",
            asks=OfficeCouponRequest,
            answers=OfficeCouponLine,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="coupon_move",
            summary="Use a coupon on a sale, let it lapse, or withdraw it; the same again is answered again.",
            asks=CouponMoveRequest,
            answers=OfficeCouponLine,
            duties=OFFICE,
            of_company="siren",
        ),
        Step(
            command="coupons",
            summary="List a shop's coupons.",
            asks=SirenRequest,
            answers=OfficeCouponsAnswer,
            duties=PARTNERS_DUTIES,
            reads=True,
            of_company="siren",
        ),
    ),
    without=dict.fromkeys(("key_new", "key_revoke", "keys"), "a key of doors makes no other"),
    api=Api(
        title="Citizen-Miles companies' office",
        words=(
            "Amounts are whole cents. An `id` that a request brings is the caller's own (UUID): the same id with the same"
            " content is answered again and never done twice; with another content it is refused. A step without one says"
            " what is so from now on: said again, it changes nothing. A company's key touches its own company alone."
        ),
        key="cmd_<id>_<secret>, or the credential of a company's office (cmt_<id>_<secret>)",
    ),
)
