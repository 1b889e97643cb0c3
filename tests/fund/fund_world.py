"""A fund on a real book beside the accounts on theirs, and a partners' base that only listens."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from node.deposits.service import DepositDesk
from node.fund.bank_parameters_store import load_bank_parameters
from node.fund.bearer_service import Bearer
from node.fund.checks import check_fund
from node.fund.days import day_at
from node.fund.debit_service import CollectionRun, NewMandate, load_debits
from node.fund.donor_service import keep_individual
from node.fund.expectation_service import Announce
from node.fund.expectations import Expectation, Purpose
from node.fund.matching import Meaning
from node.fund.officer_service import NewOfficer
from node.fund.outgoing_payments import IbanWords, PaymentState, PaymentWords, RefundWords, write_words
from node.fund.receipts import Individual, PostalAddress
from node.fund.recovery_service import StateNumbers
from node.fund.references import Iban
from node.fund.schema_service import FUND_HISTORY
from node.fund.service import Fund, Place
from node.fund.settings import FundSettings
from node.fund.signature_service import Signed
from node.fund.statement_service import Taken, read_bank_file
from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.ledger.reading_service import load_totals
from node.ledger.service import Ledger, ledger_history
from protocol.amounts import Cents
from protocol.book.service import Book, Page
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import BaseName, Donor, ExpectPayment, HouseMessage, house_of, make_neighbours
from protocol.identifiers import Id16, TerritoryCode, make_account_number
from protocol.keys import Domain, Keyring, SecretKeys, make_keys, sign
from protocol.times import DAY_MS, Instant
from tests.fund.camt_files import OURS, THEIRS, Detail, Entry, File
from tests.templates import lay

BREST = TerritoryCode("242900314")
COMPANY = Id16(b"company, opaque.")
BAKER = Donor(COMPANY, "552100554", "Le Fournil", "SAS", ("1 rue de Siam",), "29200", "Brest", "FR", (6, 30))
BEARER_IBAN = "FR1420041010050500013M02606"
SETTINGS = FundSettings(
    name="Fonds de dotation du Ponant",
    siren="200046977",
    purpose="Soutenir des actions d'intérêt général du territoire",
    category="endowment_fund",
    street="2 rue Frézier",
    postcode="29200",
    town="Brest",
    iban=OURS,
    bic="AGRIFRPP",
    account_holder="FONDS DU PONANT",
    signatory_name="Anne Le Goff",
    signatory_quality="Présidente",
    public_url="https://fonds.example",
    creditor_id="FR72ZZZ123456",
    takes_from_public=True,
)


class Direct:
    """Carries an envelope to another base and its answer back."""

    def __init__(self, answerer: PeerExchange) -> None:
        self._answerer = answerer

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        return await self._answerer.answer(envelope)


class FundWorld:
    """Fund, accounts and a listening partners' base of one territory."""

    def __init__(self, url_of: Callable[[str], str]) -> None:
        self.dice = random.Random(7)
        self.now = 1_795_600_000_000
        keys = {str(name): make_keys(self.entropy(64)) for name in BaseName}
        self.neighbours = make_neighbours({name: [secret.public] for name, secret in keys.items()})
        self.heard: list[HouseMessage] = []
        histories = {
            BaseName.ACCOUNTS: ledger_history(),
            BaseName.FUND: FUND_HISTORY,
            BaseName.PARTNERS: ledger_history(),
        }
        self.books = {
            str(name): Book(lay(url_of(str(name)), history), history=history, clock=self.clock)
            for name, history in histories.items()
        }
        self.ledger = Ledger(self.books[BaseName.ACCOUNTS], BREST)
        network = house_of(BREST)

        def exchange(name: BaseName, apply: Any) -> PeerExchange:
            return PeerExchange(
                self.books[name], Identity(network, name, Keyring(keys[str(name)])), self.neighbours, apply
            )

        self.keys = keys
        self.place = Place(home=BREST, keyring=Keyring(keys[str(BaseName.FUND)]), neighbours=self.neighbours)
        self.fund = Fund(SETTINGS, load_bank_parameters(day_at(Instant(self.now))), self._tell, self.place)
        self.exchanges = {
            BaseName.ACCOUNTS: exchange(BaseName.ACCOUNTS, DepositDesk(self.ledger, entropy=self.entropy).apply),
            BaseName.FUND: exchange(BaseName.FUND, self.fund.apply),
            BaseName.PARTNERS: exchange(BaseName.PARTNERS, self._hear),
        }
        opening = OpenAccount(
            op=Id16(self.entropy(16)),
            number=make_account_number(self.entropy(16)),
            kind=AccountKind.POOL,
            shown_name=None,
        )
        self.pool = self.ledger.write_now(self.ledger.open_accounts, opening).number
        self.officers: dict[str, SecretKeys] = {}
        self.statements = 0
        self.balance = 0

    # Wiring.

    def clock(self) -> Instant:
        self.now += 1
        return Instant(self.now)

    def entropy(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def id(self) -> Id16:
        return Id16(self.entropy(16))

    def _tell(self, page: Page, reader: str, messages: Sequence[HouseMessage]) -> object:
        return self.exchanges[BaseName.FUND].tell(page, reader, messages)

    def _hear(self, _page: Page, _sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        self.heard += messages
        return []

    @property
    def book(self) -> Book:
        return self.books[BaseName.FUND]

    def write(self, operation: Any, item: Any) -> Any:
        return self.book.write_now(operation, item)

    def recover(self, stated: StateNumbers | None = None) -> Any:
        """The base was put back from an old copy, and a person says which numbers were the last, or does not yet."""

        def note(page: Page, items: Sequence[None]) -> Sequence[None]:
            self.fund.note_recovery(page)
            return items

        self.write(note, None)
        return None if stated is None else self.write(self.fund.recoveries.state, stated)

    def tell(self, *messages: HouseMessage, sender: BaseName = BaseName.PARTNERS) -> None:
        def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[int]:
            return [self.exchanges[sender].tell(page, BaseName.FUND, item) for item in items]

        self.books[sender].write_now(write, messages)

    async def settle(self) -> None:
        for _ in range(3):
            for name in (BaseName.ACCOUNTS, BaseName.PARTNERS):
                await self.exchanges[BaseName.FUND].call(name, Direct(self.exchanges[name]))

    def find_wrongs(self) -> list[Finding]:
        """Return what the fund's own checks find: nothing, after whatever was done."""
        checked = self.book.read_now(
            lambda line: check_fund(line, self.neighbours, lambda _where: None, fund=self.fund.code, home=BREST)
        )
        return [finding for one in checked for finding in one.findings]

    def close(self) -> None:
        for book in self.books.values():
            book.close()

    # What people do.

    async def expect(
        self, cents: int, *, id_: Id16 | None = None, lot_class: int = 1, campaign: str = "bread"
    ) -> Expectation:
        id_ = id_ or self.id()
        self.tell(BAKER, ExpectPayment(id_, COMPANY, campaign, lot_class, "", self.pool, cents, 20261231))
        await self.settle()
        return next(one for one in self.expectations() if one.id == id_)

    def expectations(self) -> list[Expectation]:
        from node.fund.expectation_service import load_expectations

        return self.book.read_now(load_expectations)

    def gift(self, cents: int, donor: Id16) -> Expectation:
        asked = Announce(id=self.id(), purpose=Purpose.GIFT, donor=donor, cents=Cents(cents), due=20261231)
        found: Expectation = self.write(self.fund.announce, asked)
        return found

    def person(self, name: str = "Kerros") -> Id16:
        """Return the id of a citizen who gives to the fund directly."""
        id_ = self.id()
        sheet = Individual(
            name=name, first_name="Soazig", address=PostalAddress(street="3 rue X", postcode="29200", town="Brest")
        )

        def keep(page: Page, items: Sequence[Individual]) -> list[None]:
            for item in items:
                keep_individual(page, id_, item)
            return [None for _ in items]

        self.write(keep, sheet)
        return id_

    def mandate(self, donor: Id16 | None = None, **shares: int) -> Any:
        """Return a mandate signed in autumn, as its row."""
        asked = NewMandate(
            id=self.id(),
            donor=donor or self.person(),
            holder_name="Soazig Kerros",
            iban=Iban(BEARER_IBAN),
            signed_on=date(2026, 10, 3),
            shares=tuple((label, Cents(cents)) for label, cents in (shares or {"Jardins": 500, "Voile": 250}).items()),
        )
        return self.write(self.fund.debits.keep_mandates, asked)

    def catch_up(self, day: date | None = None) -> CollectionRun:
        run: CollectionRun = self.write(self.fund.debits.catch_up, day or day_at(Instant(self.now)))
        return run

    def debits(self, month: int) -> list[Any]:
        return self.book.read_now(lambda line: load_debits(line, month))

    def statement(self, *entries: Entry, **how: Any) -> File:
        """Return the next statement of the bank."""
        self.statements += 1
        file = File(
            opening=self.balance, entries=list(entries), id=f"STMT-{self.statements}", sequence=self.statements, **how
        )
        self.balance += sum(entry.cents for entry in entries if entry.state == "BOOK")
        return file

    def take(self, file: File | bytes) -> Taken:
        data = file if isinstance(file, bytes) else file.write()
        told = read_bank_file(data, account=Iban(OURS), bytes_max=10_000_000)
        taken: Taken = self.write(self.fund.statements.take, told)
        return taken

    def paid(self, cents: int, **detail: Any) -> Entry:
        """Return an entry of one transfer that came in, under a reference of the bank's own."""
        reference = self.entropy(6).hex()
        return Entry(cents=cents, details=[Detail(cents=cents, bank_reference=reference, **detail)])

    def officer(self, name: str) -> bytes:
        secret = self.officers[name] = make_keys(self.entropy(64))
        public = secret.public
        self.write(self.fund.officers.add, NewOfficer(key=public.id, name=name, signing=public.signing))
        return public.id

    def bearer(self, *, proven_until: int = 20271231) -> Bearer:
        one = Bearer(
            id=self.id(),
            name="Les Jardins du Ponant",
            registry=f"W29{self.dice.randrange(10**7):07d}",
            category="association d'intérêt général",
            proof="rescrit du 12/03/2026",
            proven_until=proven_until,
            holder_name="LES JARDINS DU PONANT",
            iban=Iban(BEARER_IBAN),
        )
        kept: Bearer = self.write(self.fund.bearers.keep, one)
        return kept

    def sign(self, name: str, words: PaymentWords | RefundWords | IbanWords) -> Signed:
        secret = self.officers[name]
        return Signed(words=words, officer=secret.public.id, signature=sign(secret, Domain.OFFICER, write_words(words)))

    def words(self, bearer: Bearer, cents: int, id_: Id16 | None = None) -> PaymentWords:
        return self.book.read_now(
            lambda line: self.fund.payments.make_words(
                line, id_ or self.id(), bearer.id, Cents(cents), "Jardins partagés", "comité du 20/11/2026"
            )
        )

    def pay(self, bearer: Bearer, cents: int) -> PaymentWords:
        words = self.words(bearer, cents)
        for name in ("anne", "bob"):
            if name not in self.officers:
                self.officer(name)
            state = self.write(self.fund.payments.sign, self.sign(name, words))
        assert state is PaymentState.SIGNED
        return words

    def issued(self) -> int:
        return self.books[BaseName.ACCOUNTS].read_now(lambda line: int(load_totals(line, BREST).issued))

    def later(self, days: float) -> None:
        self.now += int(days * DAY_MS)


__all__ = ["BAKER", "BEARER_IBAN", "BREST", "COMPANY", "OURS", "THEIRS", "FundWorld", "Meaning"]
