"""The fund: its desks wired together, and what it does with what the other bases tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from node.fund.bank_parameters_store import BankParameters
from node.fund.books_service import Books
from node.fund.debit_service import DebitDesk
from node.fund.deposit_service import DepositDesk
from node.fund.donor_service import keep_company, require_no_citizen
from node.fund.expectation_service import Announce, announce
from node.fund.expectations import Expectation, Purpose
from node.fund.payment_service import PaymentDesk
from node.fund.receipt_service import ReceiptDesk
from node.fund.reminder_service import ReminderDesk
from node.fund.settings import FundSettings
from node.fund.statement_service import StatementDesk
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import BaseName, Donor, ExpectPayment, HouseMessage, PaymentExpected, Refused
from protocol.identifiers import Id16
from protocol.times import HOUR_MS

NOT_THE_PARTNERS: Final = "not_the_partners"
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


class Fund:
    """The desks of a fund. Each operation takes a page and items, and goes through the book's writer."""

    def __init__(self, settings: FundSettings, parameters: BankParameters, tell: Tell) -> None:
        self.settings = settings
        self.parameters = parameters
        self.code = settings.siren or settings.rna
        self.books = Books(settings)
        self.deposits = DepositDesk(tell, self.books)
        self.payments = PaymentDesk(
            books=self.books,
            fund=self.code,
            account=settings.account,
            sepa_countries=parameters.sepa_countries,
            calendar=parameters.calendar,
            iban_change_ms=settings.iban_change_hours * HOUR_MS,
        )
        self.receipts = ReceiptDesk(settings, parameters.refund_weeks)
        self.debits = DebitDesk(
            settings=settings,
            books=self.books,
            fund=self.code,
            sepa_countries=parameters.sepa_countries,
            calendar=parameters.calendar,
            rules=parameters.debit_rules,
            unreceipt=self.receipts.void,
        )
        self.reminders = ReminderDesk(settings.dunning, tell)
        self.statements = StatementDesk(self.deposits, self.payments, self.debits, self.books)

    def keep_companies(self, page: Page, items: Sequence[Donor]) -> list[Refusal | None]:
        """Keep companies that give without a campaign of the partners' base."""
        results: list[Refusal | None] = []
        for told in items:
            try:
                keep_company(page, told)
                results.append(None)
            except Refusal as refusal:
                results.append(refusal)
        return results

    def announce(self, page: Page, items: Sequence[Announce]) -> list[Expectation | Refusal]:
        """Announce payments that the fund itself waits for."""
        results: list[Expectation | Refusal] = []
        for asked in items:
            try:
                if asked.purpose is Purpose.GIFT and not self.settings.takes_from_public:
                    require_no_citizen(page.connection, asked.donor)
                results.append(announce(page, asked))
            except Refusal as refusal:
                results.append(refusal)
        return results

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Do what another base asks, and return what to answer it. What it may not say is refused or passed over."""
        if sender == BaseName.ACCOUNTS:
            self.deposits.hear(page, messages)
            return []
        answers: list[HouseMessage] = []
        for message in messages:
            if not isinstance(message, Donor | ExpectPayment):
                continue
            if sender != BaseName.PARTNERS:
                answers.append(Refused(message.id, NOT_THE_PARTNERS))
                continue
            try:
                if isinstance(message, Donor):
                    keep_company(page, message)
                else:
                    answers.append(self._expect(page, sender, message))
            except Refusal as refusal:
                answers.append(Refused(message.id, refusal.code))
        return answers

    def _expect(self, page: Page, sender: str, message: ExpectPayment) -> PaymentExpected:
        expectation = announce(
            page,
            Announce(
                id=Id16(message.id),
                purpose=Purpose.CAMPAIGN,
                donor=Id16(message.donor),
                cents=Cents(message.cents),
                due=message.due,
                campaign=message.campaign,
                lot_class=message.lot_class,
                restriction=message.restriction,
                pool=message.into,
                asked_by=sender,
            ),
        )
        return PaymentExpected(message.id, expectation.reference, self.settings.account.iban)
