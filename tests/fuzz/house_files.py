"""What reaches a territory's other bases from outside: cards, settings, the bank's files, tickets, codes, CSV."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any, Final

from node.fund.payment_status import read_status
from node.fund.references import Iban
from node.fund.settings import FundSettings
from node.fund.statement_csv import CsvMapping, read_csv
from node.fund.statement_service import read_bank_file
from node.fund.statements import Balance
from node.house.cards import Card, format_card, parse_card
from node.house.settings import HouseSettings, format_house, read_neighbours
from node.partners.companies import Siren
from node.partners.operations_file import Report, add_to_report, read_operations
from node.partners.purchases import TillNumber
from node.partners.tickets import derive_till_key, format_ticket, format_ticket_qr, read_origin, verify_ticket
from node.partners_app import PartnersConfig
from node.people.paper_codes import format_code, parse_code
from node.people.settings import PeopleSettings
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.running.settings import format_settings, parse_settings
from tests.fuzz.targets import Run, require_same

ACCOUNT: Final = Iban("FR7630006000011234567890189")
COMPANY: Final = Siren("732829320")
_KEY: Final = derive_till_key(0, b"a secret of tests, of 32 bytes !", COMPANY, TillNumber(1))
_DAY: Final = datetime.date(2026, 11, 28)
_BYTES_MAX: Final = 8_192
_MAPPING: Final = CsvMapping(
    booked_on="date", amount="montant", text="libelle", reference="ref", counterpart_iban="iban"
)


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def card() -> Run:
    """A base's card: read, it is written as it was."""

    def run(data: bytes) -> None:
        text = _text(data)
        with suppress(Refusal):
            read: Card = parse_card(text)
            require_same(format_card(read), "".join(text.split()).lower(), "a card")

    return run


def base_settings() -> Run:
    """The files of a house, of a fund, of companies and of people."""

    def run(data: bytes) -> None:
        text = _text(data)
        with suppress(Refusal):
            house = parse_settings(text, HouseSettings)
            read_neighbours(house)
            require_same(parse_settings(format_house(house), HouseSettings), house, "a house")
        for type_ in (FundSettings, PartnersConfig, PeopleSettings):
            with suppress(Refusal):
                read: Any = parse_settings(text, type_)
                require_same(parse_settings(format_settings(read), type_), read, "settings")
                if isinstance(read, FundSettings):
                    _ = read.year_of(_DAY), read.issuer, read.account, read.signatory

    return run


def bank_file() -> Run:
    """camt.053, camt.054, pain.002 and a statement as CSV: what is taken adds up."""

    def run(data: bytes) -> None:
        with suppress(Refusal):
            for told in read_bank_file(data, account=ACCOUNT, bytes_max=_BYTES_MAX).told:
                require_same(told.iban, ACCOUNT, "the account of a statement")
                require_same(len({one.id for one in told.movements}), len(told.movements), "ids of movements")
        with suppress(Refusal):
            read_status(data, bytes_max=_BYTES_MAX)
        with suppress(Refusal):
            balance = Balance(cents=0, day=_DAY)
            statement = read_csv(
                data,
                mapping=_MAPPING,
                iban=ACCOUNT,
                id="1",
                sequence=None,
                opening=balance,
                closing=balance,
                bytes_max=_BYTES_MAX,
            )
            require_same(sum(one.cents for one in statement.movements), 0, "the sum between two balances")

    return run


def ticket() -> Run:
    """A ticket, typed or scanned: nothing is taken that its till did not make."""

    def run(data: bytes) -> None:
        text = _text(data)
        with suppress(Refusal):
            company, till, number = read_origin(text)
            key = derive_till_key(number, b"a secret of tests, of 32 bytes !", company, till)
            read = verify_ticket(text, {number: key}, day=_DAY)
            for written in (format_ticket(read, key), format_ticket_qr(read, key)):
                require_same(verify_ticket(written, {number: key}, day=_DAY), read, "a ticket")

    return run


def paper_code() -> Run:
    """A code on paper, as somebody types it: what is taken is written as one that is taken."""

    def run(data: bytes) -> None:
        with suppress(Refusal):
            code = parse_code(_text(data))
            require_same(parse_code(format_code(code)), code, "a code")

    return run


def operations() -> Run:
    """A file of operations, in one piece or cut anywhere: the same rows, and no more than the budget."""

    def rows(*pieces: bytes) -> tuple[int, int, int]:
        report = Report()
        with suppress(Refusal):
            for row in read_operations(
                pieces, budget_left=Cents(100_000), company=COMPANY, own=frozenset(), rows_max=1_000
            ):
                add_to_report(report, row, problems_max=10)
        return report.rows, report.accepted, report.cents

    def run(data: bytes) -> None:
        whole = rows(data)
        require_same(rows(data[: len(data) // 2], data[len(data) // 2 :]), whole, "a file in two pieces")
        assert whole[2] <= 100_000

    return run
