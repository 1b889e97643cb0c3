"""The house of one territory for tests: accounts and companies as they are, and a fund that says what it must.

Every base has a book of its own and meets the others over a line that may lose what it carries.
"""

from __future__ import annotations

import contextlib
import datetime
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from node.deposits.service import DepositDesk
from node.grants.checks import check_grants
from node.grants.service import GrantDesk
from node.ledger.accounts import AccountKind
from node.ledger.checks import check_ledger
from node.ledger.openings import OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.service import Ledger, ledger_history
from node.partners.campaigns import Ceilings, Funding, PercentOfSale, Restriction, Rule, Terms
from node.partners.campaigns_service import DraftCampaign, OpenCampaign
from node.partners.checks import check_partners
from node.partners.companies import Company, PostalAddress, Siren, YearEnd
from node.partners.purchases import Purchase, PurchaseId, RevocationReason, TillNumber
from node.partners.purchases_service import TellSales, Told
from node.partners.sales import SaleAnswer
from node.partners.service import PARTNERS_HISTORY, Partners
from node.partners.settings import PartnersSettings
from node.partners.store import CampaignRow, load_campaign
from node.partners.tills_service import NewTill, RevokeTill, Till
from protocol.amounts import Cents
from protocol.book.checks import check_logs
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.exchange.client import HubUnreachable
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import (
    BaseName,
    Deposit,
    DepositTaken,
    Donor,
    ExpectationClosed,
    ExpectPayment,
    HouseMessage,
    PaymentArrived,
    PaymentExpected,
    Pledge,
    PledgeAccepted,
    PledgeEnded,
    PledgeSpent,
    Refused,
    house_of,
    make_neighbours,
)
from protocol.identifiers import AccountNumber, Id16, TerritoryCode, make_account_number
from protocol.keys import Keyring, make_keys
from protocol.times import DAY_MS, HOUR_MS, Instant
from tests.templates import lay

BREST = TerritoryCode("242900314")
ACCOUNTS, FUND, PARTNERS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PARTNERS)
BAKERY, SISTER, OTHER = Siren("732829320"), Siren("404833048"), Siren("552100554")
TODAY = datetime.date(2026, 11, 23)
NOON = (TODAY - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS
IBAN = "FR7630006000011234567890189"


@dataclass
class Line:
    """Carries an envelope to the other base and its answer back; `drops` says which of them get lost."""

    answerer: PeerExchange
    drops: Callable[[str], bool] = lambda _what: False
    carried: list[bytes] = field(default_factory=list)

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.carried.append(envelope)
        if self.drops("question"):
            raise HubUnreachable(reason="the question was lost")
        answer = await self.answerer.answer(envelope)
        if self.drops("answer"):
            raise HubUnreachable(reason="the answer was lost")
        return answer


class FakeFund:
    """A fund that expects what it is told to, and confirms deposits when the test says that euros came."""

    def __init__(self, refuses: str = "") -> None:
        self.donors: dict[bytes, Donor] = {}
        self.expected: dict[bytes, ExpectPayment] = {}
        self.arriving: dict[bytes, PaymentArrived] = {}
        self.refused: list[Refused] = []
        self.pledges: dict[bytes, Pledge] = {}
        self.accepts = True  # two officers have accepted every pledge as soon as it comes
        self.refuses = refuses  # why it refuses whatever it is asked, or nothing
        self.peer: PeerExchange

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        answers: list[HouseMessage] = []
        for message in messages:
            match message:
                case Donor() | ExpectPayment() | Pledge() if sender == PARTNERS and self.refuses:
                    answers.append(Refused(message.id, self.refuses))
                case Donor() if sender == PARTNERS:
                    self.donors[message.id] = message
                case ExpectPayment() if sender == PARTNERS:
                    assert message.donor in self.donors, "a donor is told before it is expected to pay"
                    self.expected[message.id] = message
                    answers.append(PaymentExpected(message.id, f"RF18{len(self.expected):06d}", IBAN))
                case Pledge() if sender == PARTNERS and self.accepts:
                    assert message.donor in self.donors, "a donor is told before it pledges"
                    self.pledges[message.id] = message
                    self.peer.tell(page, ACCOUNTS, [self._issue(message)])
                case PledgeSpent() if sender == PARTNERS:
                    ceiling = self.pledges[message.pledge].cents
                    answers.append(PledgeEnded(message.id, ceiling - message.cents, message.cents))
                case DepositTaken() if sender == ACCOUNTS and message.id in self.pledges:
                    self.peer.tell(page, PARTNERS, [PledgeAccepted(message.id)])
                case DepositTaken() if sender == ACCOUNTS:
                    self.peer.tell(page, PARTNERS, [self.arriving[message.id]])
                case Refused() if sender == ACCOUNTS:
                    self.refused.append(message)
        return answers

    def _issue(self, pledge: Pledge) -> Deposit:
        return Deposit(
            id=pledge.id,
            donor=pledge.donor,
            campaign=pledge.campaign,
            month=202611,
            lot_class=pledge.lot_class,
            restriction=pledge.restriction,
            into=pledge.into,
            cents=pledge.cents,
        )

    def say(self, *messages: HouseMessage) -> None:
        """Tell the companies something."""

        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[int]:
            return [self.peer.tell(page, PARTNERS, item) for item in items]

        self.peer.book.write_now(write, messages)

    def receive(self, expectation: bytes, cents: int, deposit: bytes, day: datetime.date) -> None:
        """Euros reached the bank account: have them issued; the companies learn of it once they are."""
        expected = self.expected[expectation]
        on = int(day.strftime("%Y%m%d"))
        self.arriving[deposit] = PaymentArrived(expectation, deposit, cents, on)
        message = Deposit(
            id=deposit,
            donor=expected.donor,
            campaign=expected.campaign,
            month=on // 100,
            lot_class=expected.lot_class,
            restriction=expected.restriction,
            into=expected.into,
            cents=cents,
        )

        def write(page: Page, items: Sequence[Deposit]) -> list[int]:
            return [self.peer.tell(page, ACCOUNTS, [item]) for item in items]

        self.peer.book.write_now(write, message)

    def close(self, expectation: bytes, day: datetime.date) -> None:
        """Wait no more for what has not come."""
        message = ExpectationClosed(expectation, int(day.strftime("%Y%m%d")))

        def write(page: Page, items: Sequence[ExpectationClosed]) -> list[int]:
            return [self.peer.tell(page, PARTNERS, [item]) for item in items]

        self.peer.book.write_now(write, message)


class House:
    """Three bases of one territory, on books of their own."""

    def __init__(self, url_of: Callable[[str], str], *, settings: PartnersSettings | None = None) -> None:
        self.dice = random.Random(1)
        self.on_news: Callable[[], None] = lambda: None
        self._now = NOON
        self.url_of = url_of
        self.settings = settings or PartnersSettings(home=BREST)
        self.keys = {name: make_keys(self.entropy(64)) for name in (ACCOUNTS, FUND, PARTNERS)}
        self.neighbours = make_neighbours({name: [secret.public] for name, secret in self.keys.items()})
        self.ticket_secrets = {0: self.entropy(32)}
        self.fund = FakeFund()
        self.books: dict[str, Book] = {}
        self.peers: dict[str, PeerExchange] = {}
        self.open(ACCOUNTS)
        self.open(FUND)
        self.open(PARTNERS)
        self.tills: dict[int, Till] = {}
        self.is_wrong_by_design = False

    # Bases.

    def open(self, name: str) -> None:
        """Open a base, as after a restart: nothing is remembered in memory."""
        histories = {ACCOUNTS: ledger_history(), FUND: ledger_history(), PARTNERS: PARTNERS_HISTORY}
        book = self.books[name] = Book(
            lay(self.url_of(name), histories[name]), history=histories[name], clock=self.clock
        )
        if name == ACCOUNTS:
            self.ledger = Ledger(book, BREST)
            grants, deposits = GrantDesk(self.ledger), DepositDesk(self.ledger, entropy=self.entropy)

            def apply(page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
                return [*deposits.apply(page, sender, messages), *grants.apply(page, sender, messages)]

            self.peers[name] = self._peer(name, apply)
        elif name == FUND:
            self.peers[name] = self.fund.peer = self._peer(name, self.fund.apply)
        else:
            self.partners = Partners(
                book,
                lambda page, reader, messages: self.peers[PARTNERS].tell(page, reader, messages),
                self.settings,
                ticket_secrets=self.ticket_secrets,
                entropy=self.entropy,
            )
            self.peers[name] = self._peer(name, self.partners.apply)

    def _peer(self, name: str, apply: Callable[..., Sequence[HouseMessage]]) -> PeerExchange:
        identity = Identity(house_of(BREST), name, Keyring(self.keys[name]))
        return PeerExchange(self.books[name], identity, self.neighbours, apply, on_news=lambda: self.on_news())

    def reopen(self, name: str) -> None:
        self.books[name].close()
        self.open(name)

    def close(self) -> None:
        for book in self.books.values():
            book.close()

    def clock(self) -> Instant:
        self._now += 1
        return Instant(self._now)

    def pass_time(self, ms: int) -> None:
        self._now += ms

    def entropy(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def new_id(self) -> Id16:
        return Id16(self.entropy(16))

    # The line.

    async def exchange(self, drops: Callable[[str], bool] = lambda _what: False) -> None:
        """Let the bases talk until all is said; with `drops`, once and badly, and what was carried comes once more."""
        pairs = ((PARTNERS, ACCOUNTS), (PARTNERS, FUND), (FUND, ACCOUNTS))
        for _ in range(1 if drops("asking") else 3):
            for caller, answerer in pairs:
                line = Line(self.peers[answerer], drops)
                with contextlib.suppress(HubUnreachable):
                    await self.peers[caller].call(answerer, line)
                for envelope in line.carried[-1:]:
                    await self.peers[answerer].answer(envelope)

    # The accounts.

    def account(self, kind: AccountKind = AccountKind.PERSON) -> AccountNumber:
        opening = OpenAccount(
            op=self.new_id(), number=make_account_number(self.entropy(16)), kind=kind, shown_name=None
        )
        return self.ledger.write_now(self.ledger.open_accounts, opening).number

    def balance(self, account: str) -> int:
        return self.books[ACCOUNTS].read_now(lambda line: int(load_balance(line, AccountNumber(account)).cents))

    def orient(self, account: str, project: str, cents: int) -> None:
        """A holder directs miles to a project."""
        posting = Posting(
            op=self.new_id(),
            kind=PostingKind.ORIENTATION,
            debit=AccountNumber(account),
            credit=AccountNumber(project),
            cents=Cents(cents),
        )
        self.ledger.write_now(self.ledger.post, posting)

    # The companies.

    def write(self, operation: Callable[..., Any], item: Any) -> Any:
        return self.books[PARTNERS].write_now(operation, item)

    def read(self, find: Callable[[Connection], Any]) -> Any:
        return self.books[PARTNERS].read_now(find)

    def enter(self, siren: Siren = BAKERY) -> None:
        self.write(self.partners.companies.save, make_company(siren))

    def draft(self, terms: Terms | None = None, siren: Siren = BAKERY) -> Id16:
        uid = self.new_id()
        self.write(self.partners.campaigns.draft, DraftCampaign(id=uid, company=siren, terms=terms or make_terms()))
        return uid

    async def run(self, terms: Terms | None = None, *, siren: Siren = BAKERY, paid: int | None = None) -> Id16:
        """A campaign that runs, and whose euros have come."""
        self.enter(siren)
        uid = self.draft(terms, siren)
        due = TODAY + datetime.timedelta(days=30)
        self.write(self.partners.campaigns.open, OpenCampaign(campaign=uid, due=due))
        await self.exchange()
        row = self.campaign(uid)
        assert row.pool is not None
        cents = row.campaign.terms.ceilings.campaign if paid is None else paid
        if cents:
            expectation = next(one for one in self.fund.expected.values() if one.into == row.pool)
            self.fund.receive(expectation.id, cents, self.new_id(), TODAY)
        await self.exchange()
        assert self.campaign(uid).funded == cents
        return uid

    def campaign(self, uid: Id16) -> CampaignRow:
        row: CampaignRow = self.read(lambda connection: load_campaign(connection, uid))
        return row

    def till(self, number: int | None = 1, siren: Siren = BAKERY) -> tuple[Till, str]:
        new = NewTill(
            siren=siren,
            number=None if number is None else TillNumber(number),
            name=f"till {number}",
            key_id=self.entropy(6).hex(),
            secret=self.entropy(32).hex(),
        )
        till: Till = self.write(self.partners.tills.make, new)
        return till, new.text

    def revoke(self, till: Till, reason: RevocationReason) -> None:
        self.write(self.partners.tills.revoke, RevokeTill(key_id=till.key_id, reason=reason))

    def sales(self, till: Till, campaign: Id16, *purchases: Purchase, sent_at: int | None = None) -> TellSales:
        return TellSales(
            till=till,
            campaign=campaign,
            sent_at=Instant(self._now if sent_at is None else sent_at),
            purchases=purchases,
            grant_ids=tuple(self.partners.new_id() for _ in purchases),
        )

    def tell(self, till: Till, campaign: Id16, *purchases: Purchase) -> list[Told]:
        told: list[Told] = self.write(self.partners.sales.tell, self.sales(till, campaign, *purchases))
        return told

    def sell(self, till: Till, campaign: Id16, id_: str, holder: str | None, sale: int, **more: Any) -> SaleAnswer:
        [answer] = self.tell(till, campaign, self.purchase(id_, holder, sale, **more))
        if not isinstance(answer, SaleAnswer):
            raise answer
        return answer

    def purchase(
        self, id_: str, holder: str | None, sale: int, *, at: int | None = None, till: int = 1, buyer: str | None = None
    ) -> Purchase:
        moment = self._now if at is None else at
        return Purchase(
            id=PurchaseId(id_),
            till=TillNumber(till),
            at=Instant(moment),
            day=datetime.date(1970, 1, 1) + datetime.timedelta(days=moment // DAY_MS),
            sale=Cents(sale),
            holder=None if holder is None else AccountNumber(holder),
            buyer=None if buyer is None else Siren(buyer),
        )

    # What must always be true.

    def find_wrongs(self) -> list[Any]:
        def look(connection: Connection) -> list[Any]:
            checked = check_logs(connection, self.neighbours, lambda _where: None)
            return [finding for one in checked for finding in one.findings]

        wrongs = [wrong for book in self.books.values() for wrong in book.read_now(look)]
        for book, check in (
            (self.books[ACCOUNTS], lambda connection: check_ledger(connection, home=BREST)),
            (self.books[ACCOUNTS], check_grants),
            (self.books[PARTNERS], check_partners),
        ):
            wrongs += [finding for one in book.read_now(check) for finding in one.findings]
        return wrongs


def make_company(siren: Siren = BAKERY, **more: Any) -> Company:
    values: dict[str, Any] = {
        "siren": siren,
        "legal_form": "SARL",
        "name": f"Maison {siren}",
        "address": PostalAddress(street="1 rue de Siam", postcode="29200", city="Brest"),
        "year_end": YearEnd(month=12, day=31),
    }
    return Company(**values | more)


def make_terms(
    *,
    rule: Rule | None = None,
    ceilings: Ceilings | None = None,
    funding: Funding = Funding.PREFUNDED,
    restriction: Restriction | None = None,
    title: str = "Pain et miles",
) -> Terms:
    return Terms(
        title=title,
        rule=rule or PercentOfSale(basis_points=200),
        ceilings=ceilings or Ceilings(campaign=Cents(100_000)),
        opens_on=TODAY - datetime.timedelta(days=30),
        closes_on=TODAY + datetime.timedelta(days=60),
        funding=funding,
        restriction=restriction,
    )
