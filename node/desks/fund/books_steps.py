"""Steps of the books, as doors describe them. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.desks.fund.receipts_steps import YearRequest
from node.doors.duties import Duty
from node.doors.shapes import Balance, Year
from node.doors.steps import FileAnswer, Step

READS_BOOKS: Final = (Duty.READER, Duty.ACCOUNTANT, Duty.TREASURER)
ACCOUNTANT: Final = (Duty.ACCOUNTANT,)


class BalanceLine(Struct, frozen=True):
    """One account's sums."""

    account: str
    label: str
    who: str
    debit_cents: int
    credit_cents: int
    balance_cents: int


class TrialBalanceAnswer(Struct, frozen=True):
    """The trial balance of a fiscal year."""

    rows: list[BalanceLine]


class FecAnswer(Struct, frozen=True):
    """What the file of entries holds and its note; the file itself as text/plain (ISO 8859-15)."""

    name: str
    description: str
    entries: int
    letters_replaced: int
    faults: list[str]


class YearWrittenAnswer(Struct, frozen=True):
    """How many entries were written now."""

    year: int
    entries: int


class UsesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A fiscal year, and what of public generosity was left of the one before."""

    year: Year
    carried_in: Balance = 0


class UsesLine(Struct, frozen=True):
    """A row of the table of origin and destination."""

    side: str
    row: str
    cents: int
    public_cents: int


class PublicGenerosity(Struct, frozen=True):
    """What of public generosity came in, was used, and is left."""

    carried_in_cents: int
    surplus_cents: int
    carried_out_cents: int


class UsesAnswer(Struct, frozen=True):
    """CER and CROD of a fiscal year."""

    origin_and_destination: list[UsesLine]
    surplus_cents: int
    public_generosity: PublicGenerosity


BOOKS_STEPS: Final = (
    Step(
        command="balance",
        summary="Show the trial balance of a fiscal year.",
        asks=YearRequest,
        answers=TrialBalanceAnswer,
        duties=READS_BOOKS,
        reads=True,
    ),
    Step(
        command="fec",
        summary="Give out the file of entries (FEC) of a fiscal year.",
        asks=YearRequest,
        answers=FecAnswer,
        duties=ACCOUNTANT,
        reads=True,
        file=FileAnswer(part="content", media="text/plain", name="{name}", is_base64=True, charset="iso-8859-15"),
    ),
    Step(
        command="year_close",
        summary="Put aside what companies paid for miles and is not spent: once.",
        asks=YearRequest,
        answers=YearWrittenAnswer,
        duties=ACCOUNTANT,
    ),
    Step(
        command="year_open",
        summary="Write the opening balances of a fiscal year: once.",
        asks=YearRequest,
        answers=YearWrittenAnswer,
        duties=ACCOUNTANT,
    ),
    Step(
        command="uses",
        summary="Show uses and resources, of public generosity apart.",
        asks=UsesRequest,
        answers=UsesAnswer,
        duties=READS_BOOKS,
        reads=True,
    ),
)
