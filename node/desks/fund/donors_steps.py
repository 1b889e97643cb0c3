"""Steps of donors and of what is expected of them, as doors describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from node.desks.fund.rows import PageRequest
from node.doors.duties import Duty
from node.doors.shapes import Account, Day, KnownId, Line, MonthDay, Name, OwnId, SirenText, Sum
from node.doors.steps import FileAnswer, Step

READS: Final = (Duty.READER, Duty.ACCOUNTANT, Duty.TREASURER, Duty.OFFICER)
TREASURER: Final = (Duty.TREASURER,)


class DonorRow(Struct, frozen=True):
    """A donor: a company by its SIREN, or a person."""

    id: str
    kind: str
    siren: str
    name: str


class DonorsAnswer(Struct, frozen=True):
    """Donors by name."""

    rows: list[DonorRow]
    next: str = ""


class EffectsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose euros: a SIREN, or the donor's id."""

    donor: Name


class EffectLine(Struct, frozen=True):
    """What one campaign did in one project. What is netted is paid to the bearer by that project's own fund."""

    campaign: str
    territory: str
    project: str
    title: str
    converted_cents: int
    paid_cents: int
    netted_cents: int


class EffectsAnswer(Struct, frozen=True):
    """What a donor's euros did, wherever it happened; what is not converted is still held or directed as miles."""

    paid_in_cents: int
    converted_cents: int
    paid_cents: int
    netted_cents: int
    projects: list[EffectLine]


class PersonRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A person who gives, as receipts name him."""

    id: OwnId
    name: Name
    first_name: Name
    street: Name
    postcode: Name
    town: Name


class PersonAnswer(Struct, frozen=True):
    """The person as entered."""

    id: str
    name: str


class GivingCompanyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A company that gives without a campaign."""

    id: OwnId
    siren: SirenText
    name: Name
    legal_form: Name
    street: Name
    postcode: Name
    town: Name
    year_end: MonthDay
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "FR"


class GivingCompanyAnswer(Struct, frozen=True):
    """The company as entered."""

    id: str
    siren: str
    name: str


class ExpectRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A payment of a company to be announced. `lot_class`: flags, 1 gives a receipt, 4 may go South, 8 restricted."""

    id: OwnId
    donor: Name
    campaign: Name
    pool: Account
    due: Day
    cents: Sum
    lot_class: Annotated[int, Meta(ge=0, le=255)] = 1
    restriction: Line = ""


class ExpectedRequest(PageRequest, frozen=True, forbid_unknown_fields=True):
    """Which announced payments."""

    open_only: bool = False


class ExpectationLine(Struct, frozen=True):
    """A payment that was announced, and what came of it."""

    id: str
    reference: str
    purpose: str
    donor: str
    campaign: str
    cents: int
    received_cents: int
    left_cents: int
    due: str
    state: str


class ExpectationsAnswer(Struct, frozen=True):
    """A page of announced payments, its newest last; the first page has the newest ones."""

    rows: list[ExpectationLine]
    next: str = ""


class OverdueRequest(PageRequest, frozen=True, forbid_unknown_fields=True):
    """Only what may be reminded of today, or all that is overdue."""

    due_only: bool = False


class OverdueLine(ExpectationLine, frozen=True):
    """A payment past its due day, with its reminders."""

    donor_name: str
    first_reminder: str
    second_reminder: str
    next_reminder_from: str


class OverdueAnswer(Struct, frozen=True):
    """What is overdue, the longest first."""

    rows: list[OverdueLine]
    next: str = ""


class RemindRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The payment to be reminded of: asked again on the same day, it is the same reminder."""

    id: KnownId


class ReminderAnswer(ExpectationLine, frozen=True):
    """The reminder, with its letter in the caller's language."""

    reminder: int
    day: str
    letter: str


class CloseRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Wait no longer for the rest of a payment: who decides, and why."""

    id: KnownId
    reason: Name
    by: Line = ""


class ExpectationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One announced payment."""

    id: KnownId


class QrAnswer(Struct, frozen=True):
    """What is left to be paid under the reference; the code itself as image/svg+xml."""

    reference: str
    cents: int


DONORS_STEPS: Final = (
    Step(command="donors", summary="List donors.", answers=DonorsAnswer, duties=READS, reads=True, asks=PageRequest),
    Step(
        command="donor_effects",
        summary="Tell what a donor's euros did, by campaign and project, in every territory.",
        asks=EffectsRequest,
        answers=EffectsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="donor_add",
        summary="Enter a person who gives.",
        asks=PersonRequest,
        answers=PersonAnswer,
        duties=TREASURER,
    ),
    Step(
        command="company_add",
        summary="Enter a company that gives without a campaign.",
        asks=GivingCompanyRequest,
        answers=GivingCompanyAnswer,
        duties=TREASURER,
    ),
    Step(
        command="expect",
        summary="Announce a company's payment: what arrives under its reference is issued as miles.",
        asks=ExpectRequest,
        answers=ExpectationLine,
        duties=TREASURER,
    ),
    Step(
        command="expected",
        summary="List payments that were announced, and what came of them.",
        asks=ExpectedRequest,
        answers=ExpectationsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="overdue",
        summary="List payments past their due day with their reminders.",
        asks=OverdueRequest,
        answers=OverdueAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="remind",
        summary="Note that the next reminder of a payment goes out today, and write its letter.",
        asks=RemindRequest,
        answers=ReminderAnswer,
        duties=TREASURER,
    ),
    Step(
        command="expectation_close",
        summary="Wait no longer for the rest of a payment; what comes all the same goes to a person.",
        asks=CloseRequest,
        by="by",
        answers=ExpectationLine,
        duties=TREASURER,
    ),
    Step(
        command="payment_qr",
        summary="Draw the code that a banking application reads for an expected payment.",
        asks=ExpectationRequest,
        answers=QrAnswer,
        duties=READS,
        reads=True,
        file=FileAnswer(part="svg", media="image/svg+xml", name="paiement-{reference}.svg"),
    ),
)
