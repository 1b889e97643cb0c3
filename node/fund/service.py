"""The fund: its desks wired together, and what it does with what the other bases tell it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from node.fund.bank_parameters_store import BankParameters
from node.fund.bearer_service import BearerDesk
from node.fund.books_service import Books
from node.fund.card_service import CardDesk
from node.fund.debit_service import DebitDesk
from node.fund.dedication_service import DedicationDesk
from node.fund.deposit_service import DepositDesk
from node.fund.donor_service import keep_company, require_no_citizen
from node.fund.due_payment_service import DuePayments
from node.fund.due_service import DueDesk
from node.fund.expectation_service import Announce, announce
from node.fund.expectations import Expectation, Purpose
from node.fund.net_payment_service import NetPaymentDesk
from node.fund.netting_service import NettingDesk
from node.fund.officer_service import OfficerDesk
from node.fund.payment_service import PaymentDesk
from node.fund.pledge_service import PledgeDesk
from node.fund.receipt_service import ReceiptDesk
from node.fund.recovery_service import RecoveryDesk, note_recovery
from node.fund.reminder_service import ReminderDesk
from node.fund.settings import FundSettings
from node.fund.signature_service import SignatureDesk
from node.fund.statement_service import StatementDesk
from node.fund.window_service import WindowDesk
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.directory import Directory
from protocol.errors import Refusal
from protocol.house import (
    BaseName,
    Donor,
    Due,
    ExpectPayment,
    HouseMessage,
    NetPaid,
    NettedDue,
    NettingTold,
    PaymentExpected,
    Pledge,
    PledgeSpent,
    Refused,
    WindowTold,
)
from protocol.identifiers import Id16
from protocol.keys import Keyring
from protocol.times import HOUR_MS

NOT_THE_PARTNERS: Final = "not_the_partners"
NO_DUES: Final = "not_the_accounts"
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a fund stands: its territory, its own keys, and the bases that it knows."""

    home: str
    keyring: Keyring
    neighbours: Directory


class Fund:
    """The desks of a fund. Each operation takes a page and items, and goes through the book's writer."""

    def __init__(self, settings: FundSettings, parameters: BankParameters, tell: Tell, place: Place) -> None:
        self.settings = settings
        self.parameters = parameters
        self.code = settings.siren or settings.rna
        self.books = Books(settings)
        self.deposits = DepositDesk(tell, self.books)
        self.dedications = DedicationDesk(self.books)
        self.officers = OfficerDesk()
        signatures = SignatureDesk(self.code)
        self.pledges = PledgeDesk(settings, self.code, self.books, tell, signatures)
        self.dues = DueDesk(
            home=place.home,
            keyring=place.keyring,
            neighbours=place.neighbours,
            sepa_countries=parameters.sepa_countries,
        )
        self.cards = CardDesk(
            home=place.home,
            keyring=place.keyring,
            account=settings.account,
            siren=settings.siren,
            tell=tell,
            wait_ms=settings.iban_change_hours * HOUR_MS,
        )
        self.bearers = BearerDesk(
            signatures=signatures,
            sepa_countries=parameters.sepa_countries,
            iban_change_ms=settings.iban_change_hours * HOUR_MS,
        )
        self.netting = NettingDesk(home=place.home, fund=self.code, signatures=signatures, tell=tell)
        self.windows = WindowDesk(home=place.home, books=self.books)
        self.net_payments = NetPaymentDesk(home=place.home, fund=self.code, books=self.books, tell=tell)
        self.payments = PaymentDesk(
            books=self.books,
            dues=DuePayments(tell),
            net_payments=self.net_payments,
            bearers=self.bearers,
            signatures=signatures,
            fund=self.code,
            account=settings.account,
            sepa_countries=parameters.sepa_countries,
            calendar=parameters.calendar,
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
        self.recoveries = RecoveryDesk(
            fund=self.code, account=settings.account.iban, bytes_max=settings.statement_bytes_max
        )
        self.reminders = ReminderDesk(settings.dunning, tell)
        self.statements = StatementDesk(self.deposits, self.payments, self.debits, self.net_payments, self.books)

    def use_keyring(self, keyring: Keyring) -> None:
        """Open with these keys what is sealed for the fund, and sign our account for others, from now on."""
        self.dues.use_keyring(keyring)
        self.cards.use_keyring(keyring)

    def note_recovery(self, page: Page) -> None:
        """The base came back from an old copy in this page: what is numbered waits for a person."""
        note_recovery(page)

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
        answers: list[HouseMessage] = []
        if sender == BaseName.ACCOUNTS:
            self.deposits.hear(page, messages)
            self.pledges.hear(page, messages)
            self.cards.hear(page, messages)
            taken = [self.dues.take(page, message) for message in messages if isinstance(message, Due)]
            return [*taken, *self._hear_of_netting(page, messages)]
        for message in messages:
            if isinstance(message, Due):
                answers.append(Refused(message.id, NO_DUES))
            if not isinstance(message, Donor | ExpectPayment | Pledge | PledgeSpent):
                continue
            if sender != BaseName.PARTNERS:
                answers.append(Refused(message.id, NOT_THE_PARTNERS))
                continue
            try:
                answer = self._hear_partners(page, sender, message)
            except Refusal as refusal:
                answer = Refused(message.id, refusal.code)
            if answer is not None:
                answers.append(answer)
        return answers

    def _hear_of_netting(self, page: Page, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Keep what other funds say, take what they netted, and close windows; return what is to be answered."""
        answers: list[HouseMessage] = []
        for message in messages:
            match message:
                case NettingTold():
                    self.netting.hear(page, message)
                case NettedDue():
                    answers += self.dues.take_netted(page, message)
                case WindowTold():
                    self.windows.take(page, message)
                case NetPaid():
                    self.windows.hear_paid(page, message)
                case _:
                    continue
        return answers

    def _hear_partners(
        self, page: Page, sender: str, message: Donor | ExpectPayment | Pledge | PledgeSpent
    ) -> HouseMessage | None:
        match message:
            case Donor():
                keep_company(page, message)
                return None
            case ExpectPayment():
                return self._expect(page, sender, message)
            case Pledge():
                return self.pledges.keep(page, sender, message)
            case PledgeSpent():
                return self.pledges.end(page, message)

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
