"""Steps of the bank's files and of what waits for a person, as doors describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.fund.donors_steps import READS, TREASURER
from node.desks.fund.rows import PageRequest
from node.doors.shapes import Balance, Day, KnownId, Line, Name, OwnId, Sum
from node.doors.steps import Step, Upload

STATEMENT_BYTES_MOST: Final = (
    20 * 1024 * 1024
)  # what a fund takes where it says nothing else; larger ones by the socket
CSV_BYTES_MAX: Final = 1024 * 1024  # in JSON, with a third more around it


class TakenAnswer(Struct, frozen=True):
    """What a statement brought. `waiting`: movements that a person must say something of; `as_…`: by what they are."""

    statements: int
    repeated: int
    new: int
    known: int
    deposited_cents: int
    waiting: list[str]
    as_paid: int | UnsetType = UNSET
    as_underpaid: int | UnsetType = UNSET
    as_overpaid: int | UnsetType = UNSET
    as_paid_again: int | UnsetType = UNSET
    as_transfer_left: int | UnsetType = UNSET
    as_transfer_came_back: int | UnsetType = UNSET
    as_debit_collected: int | UnsetType = UNSET
    as_debit_returned: int | UnsetType = UNSET
    as_wait: int | UnsetType = UNSET
    as_queue: int | UnsetType = UNSET


class CsvColumns(Struct, frozen=True, forbid_unknown_fields=True):
    """Which heading of the bank's CSV holds what: `amount` with a sign, or `credit` and `debit`."""

    booked_on: Name
    amount: Line = ""
    credit: Line = ""
    debit: Line = ""
    valued_on: Line = ""
    bank_reference: Line = ""
    end_to_end_id: Line = ""
    reference: Line = ""
    counterpart_name: Line = ""
    counterpart_iban: Line = ""
    text: Line = ""
    currency: Line = ""
    separator: Annotated[str, Meta(min_length=1, max_length=1)] = ";"
    decimal_mark: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    date_format: Annotated[str, Meta(max_length=20)] = "%d/%m/%Y"
    encoding: Annotated[str, Meta(max_length=20)] = "utf-8-sig"
    lines_before: Annotated[int, Meta(ge=0, le=100)] = 0


class CsvStatementRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A statement as CSV, in base64, with what a person reads on the bank's page: its number, its balances."""

    data: Annotated[bytes, Meta(max_length=CSV_BYTES_MAX)]
    mapping: CsvColumns
    statement_id: Name
    opening: Balance
    opening_on: Day
    closing: Balance
    closing_on: Day
    sequence: Annotated[int, Meta(ge=0, le=10**12)] | UnsetType = UNSET


class MovementsRequest(PageRequest, frozen=True, forbid_unknown_fields=True):
    """All movements, or those that wait for a person."""

    waiting_only: bool = False


class MovementLine(Struct, frozen=True):
    """What the bank said. `candidates`: announced payments that it may be."""

    movement: str
    booked_on: str
    cents: int
    waiting_cents: int
    meaning: str
    why: str
    counterpart: str
    iban: str
    words: str
    candidates: list[str]
    decided_by: str


class MovementsAnswer(Struct, frozen=True):
    """A page of movements, its newest last; the first page has the newest ones."""

    rows: list[MovementLine]
    next: str = ""


class DecideRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a movement is: an announced payment (or so much of it), a fee, a debit, another fund's
    payment (`net`: net:WINDOW:TERRITORY), or nothing of ours, with the reason."""

    id: OwnId
    movement: Name
    by: Line = ""
    expectation: KnownId | UnsetType = UNSET
    cents: Sum | UnsetType = UNSET
    reason: Line = ""
    is_fee: bool = False
    debit: Line = ""
    net: Line = ""


class DecidedAnswer(Struct, frozen=True):
    """What it brought."""

    movement: str
    deposited_cents: int


class DepositLine(Struct, frozen=True):
    """What arrived, and whether its miles are issued."""

    id: str
    received_on: str
    cents: int
    state: str
    lot: str
    code: str
    receipt: str


class DepositsAnswer(Struct, frozen=True):
    """A page of deposits, its newest last; the first page has the newest ones."""

    rows: list[DepositLine]
    next: str = ""


class ReportAnswer(Struct, frozen=True):
    """Which order the report is of, and how many of its payments the bank rejected."""

    order: str
    rejected: int


class TotalsAnswer(Struct, frozen=True):
    """What came, what was issued for it, what was paid out, and what the bank says is left."""

    deposits: int
    deposits_cents: int
    issued_cents: int
    paid_cents: int
    bank_cents: int


BANK_STEPS: Final = (
    Step(
        command="import",
        name="statement",
        summary="Take a bank statement (camt.053 or camt.054): the same twice changes nothing.",
        answers=TakenAnswer,
        duties=TREASURER,
        upload=Upload(argument="data", bytes_max=STATEMENT_BYTES_MOST),
    ),
    Step(
        command="import",
        name="statement_csv",
        summary="Take a bank statement as CSV, by a mapping of its columns.",
        asks=CsvStatementRequest,
        answers=TakenAnswer,
        duties=TREASURER,
    ),
    Step(
        command="movements",
        summary="List what the bank said, or what of it waits for a person.",
        asks=MovementsRequest,
        answers=MovementsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="decide",
        summary="Say what a movement is that nobody recognised.",
        asks=DecideRequest,
        by="by",
        answers=DecidedAnswer,
        duties=TREASURER,
    ),
    Step(
        command="deposits",
        summary="List what arrived, and whether its miles are issued.",
        asks=PageRequest,
        answers=DepositsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="report",
        summary="Take the bank's answer to an order (pain.002): what it rejected.",
        answers=ReportAnswer,
        duties=TREASURER,
        upload=Upload(argument="data", bytes_max=STATEMENT_BYTES_MOST),
    ),
    Step(
        command="totals",
        summary="Show what came, what was issued for it, what was paid out, and what the bank says is left.",
        answers=TotalsAnswer,
        duties=READS,
        reads=True,
    ),
)
