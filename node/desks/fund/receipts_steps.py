"""Steps of receipts and declarations, as doors describe them. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.desks.fund.donors_steps import READS, TREASURER
from node.desks.fund.rows import PageRequest
from node.doors.duties import Duty
from node.doors.shapes import Day, Line, Name, OwnId, SumOrNone, Year
from node.doors.steps import FileAnswer, Step

DECLARES: Final = (Duty.ACCOUNTANT, Duty.TREASURER)
PDF: Final = FileAnswer(part="pdf", media="application/pdf", name="{number}.pdf", is_base64=True)


class ReceiptRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}):
    """A receipt for what a donor gave in a period; `replaces` the number of a cancelled one."""

    id: OwnId
    donor: Name
    first: Day
    last: Day
    replaces: Line = ""


class ReceiptCopyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A copy of a receipt."""

    id: OwnId
    number: Name


class ReceiptCancelRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt that ends, and why."""

    id: OwnId
    number: Name
    reason: Name


class ReceiptNumberRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One receipt."""

    number: Name


class ReceiptLine(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """A receipt as it stands; where it was just issued or copied, its paper as application/pdf."""

    number: str
    donor: str
    cents: int
    first: str
    last: str
    issued_on: str
    form: str
    state: str
    duplicates: int


class ReceiptsAnswer(Struct, frozen=True):
    """A page of receipts by number, its newest last; the first page has the newest ones."""

    rows: list[ReceiptLine]
    next: str = ""


class YearRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The civil year that the fiscal year closes in."""

    year: Year


class DeclarationAnswer(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """The two figures of art. 222 bis, and when they are due."""

    first: str
    last: str
    receipts: int
    cents: int
    cents_issued_otherwise: int
    due_on: str


class RedistributionLine(Struct, frozen=True):
    """Euros paid on to a body."""

    code: str
    name: str
    seat: str
    mail: str
    phone: str
    nature: str
    cents: int


class LiberalityLine(Struct, frozen=True):
    """A gift and its donor."""

    received_on: str
    donor: str
    nature: str
    cents: int


class ForeignLine(Struct, frozen=True):
    """What came from abroad."""

    received_on: str
    source: str
    name: str
    country: str
    nature: str
    cents: int


class PrefectAnswer(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """The list for the prefect, and its files as texts by their names."""

    first: str
    last: str
    redistributions: list[RedistributionLine]
    liberalities: list[LiberalityLine]
    foreign: list[ForeignLine]
    files: dict[str, str]


class CompanySheetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A company's fiscal year, and what it got in return."""

    donor: Name
    year: Year
    counterpart: SumOrNone = 0


class CompanyGiftLine(Struct, frozen=True):
    """One gift of a company."""

    given_on: str
    cents: int
    beneficiary: str
    beneficiary_code: str
    counterpart_cents: int


class CompanySheetAnswer(Struct, frozen=True, rename={"first": "from", "last": "to"}):
    """What a company writes into its 2069-RCI; the sheet as text/csv."""

    company: str
    siren: str
    first: str
    last: str
    cents: int
    counterpart_cents: int
    must_detail: bool
    gifts: list[CompanyGiftLine]


class RegisterAnswer(Struct, frozen=True):
    """How many receipts the register has; the register as text/csv."""

    receipts: int


RECEIPTS_STEPS: Final = (
    Step(
        command="receipt_issue",
        summary="Issue a receipt for what a donor gave in a period: one number more.",
        asks=ReceiptRequest,
        answers=ReceiptLine,
        duties=TREASURER,
        file=PDF,
    ),
    Step(
        command="receipt_copy",
        summary="Draw a copy of a receipt: it says that it is one.",
        asks=ReceiptCopyRequest,
        answers=ReceiptLine,
        duties=TREASURER,
        file=PDF,
    ),
    Step(
        command="receipt_cancel",
        summary="Cancel a receipt. It stays, and says so.",
        asks=ReceiptCancelRequest,
        answers=ReceiptLine,
        duties=TREASURER,
    ),
    Step(
        command="receipt_show",
        summary="Show a receipt.",
        asks=ReceiptNumberRequest,
        answers=ReceiptLine,
        duties=READS,
        reads=True,
    ),
    Step(
        command="receipts", summary="List receipts.", answers=ReceiptsAnswer, duties=READS, reads=True, asks=PageRequest
    ),
    Step(
        command="declare",
        summary="Show the two figures of art. 222 bis for a fiscal year.",
        asks=YearRequest,
        answers=DeclarationAnswer,
        duties=DECLARES,
        reads=True,
    ),
    Step(
        command="declare_prefect",
        summary="Show the list for the prefect.",
        asks=YearRequest,
        answers=PrefectAnswer,
        duties=DECLARES,
        reads=True,
    ),
    Step(
        command="declare_company",
        summary="Show the 2069-RCI sheet of a company.",
        asks=CompanySheetRequest,
        answers=CompanySheetAnswer,
        duties=DECLARES,
        reads=True,
        file=FileAnswer(part="csv", media="text/csv", name="2069-rci-{siren}.csv", charset="utf-8"),
    ),
    Step(
        command="receipts_register",
        summary="Give out the register of all receipts.",
        answers=RegisterAnswer,
        duties=DECLARES,
        reads=True,
        file=FileAnswer(part="csv", media="text/csv", name="registre-des-recus.csv", charset="utf-8"),
    ),
)
