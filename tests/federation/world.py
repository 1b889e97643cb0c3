"""A hub and some nodes in one process, on real books, with a direct line instead of a network.

The clock is ours, the entropy is seeded: the same story gives the same bytes. Nothing of the product is replaced but
the wire, the clock and the dice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hub.clearing.service import Sequencer
from hub.directory.service import Accredit, Invite, Registry
from hub.exchange.service import HubExchange
from hub.reconciliation.checks import check_hub
from hub.reconciliation.export_service import load_header, load_records
from hub.schema_service import HUB_HISTORY
from node.checks import check_node
from node.federation.cessions import AskCession, CessionView
from node.federation.payee_service import PayeeDesk
from node.federation.reading_service import load_cession
from node.federation.service import Federation
from node.federation.store import load_arrivals
from node.federation.worker import ExchangeWorker
from node.ledger.accounts import AccountKind
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.openings import OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance, load_totals
from node.ledger.service import Ledger
from node.ledger.statements import Totals
from node.schema_service import ACCOUNTS_HISTORY
from protocol.amounts import Cents
from protocol.book.service import Book
from protocol.canonical import decode_typed, encode_typed
from protocol.directory import Change
from protocol.envelopes import Enrolment, SignedEnrolment, Welcome
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, make_account_number, make_south_code
from protocol.keys import Domain, Keyring, make_keys, sign
from protocol.running.national_file_store import save_national
from protocol.times import Instant

NETWORK = "test"
HUB = "HUB-FR"
BREST = TerritoryCode("242900314")
LYON = TerritoryCode("200046977")
LILLE = TerritoryCode("200093201")
MONTH = 202611


def _ignore(_where: str) -> None:
    """Progress that nobody looks at."""


class Clock:
    """An instant that moves when told, and a millisecond at each look."""

    def __init__(self) -> None:
        self.now = 1_795_000_000_000

    def __call__(self) -> Instant:
        self.now += 1
        return Instant(self.now)


class DirectLine:
    """A transport without a wire: the hub's answer function itself. `cut` makes it fail."""

    def __init__(self, exchange: HubExchange) -> None:
        self.exchange = exchange

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        return await self.exchange.answer(envelope, wait_ms=wait_ms)


@dataclass
class Node:
    """One territory of the world."""

    code: TerritoryCode
    book: Book
    ledger: Ledger
    federation: Federation
    payees: PayeeDesk
    worker: ExchangeWorker
    pool: AccountNumber
    entropy: Callable[[int], bytes]

    def open(self, kind: AccountKind = AccountKind.PERSON, name: str | None = None) -> AccountNumber:
        opened = self.ledger.write_now(
            self.ledger.open_accounts,
            OpenAccount(
                op=Id16(self.entropy(16)),
                number=make_account_number(self.entropy(16)),
                kind=kind,
                shown_name=name,
            ),
        )
        return opened.number

    def endow(
        self, cents: int, *, campaign: str = "bread", lot_class: LotClass = LotClass.ELIGIBLE | LotClass.SOUTH_FIT
    ) -> None:
        self.ledger.write_now(
            self.ledger.endow,
            Endow(
                op=Id16(self.entropy(16)),
                donor=Id16(b"a donor, opaque."),
                campaign=campaign,
                month=MONTH,
                lot_class=lot_class,
                new_ref=self.entropy(16),
                cents=Cents(cents),
                into=self.pool,
                reason="test endowment",
            ),
        )

    def credit(self, account: AccountNumber, cents: int) -> None:
        self.ledger.write_now(
            self.ledger.post,
            Posting(
                op=Id16(self.entropy(16)),
                kind=PostingKind.CREDIT,
                debit=self.pool,
                credit=account,
                cents=Cents(cents),
            ),
        )

    def cede(
        self,
        account: AccountNumber,
        to: Address,
        cents: int,
        *,
        op: bytes | None = None,
        words: str = "",
        term: int = 0,
        giver: str = "",
    ) -> CessionView:
        view: CessionView = self.book.write_now(
            self.federation.cede,
            AskCession(
                op=op or self.entropy(16),
                account=account,
                beneficiary=to,
                cents=cents,
                words=words,
                giver=giver,
                term=term,
            ),
        )
        return view

    def cession(self, op: bytes) -> CessionView:
        return self.book.read_now(lambda connection: load_cession(connection, op))

    def arrivals(self) -> list[Any]:
        """What arrived, the oldest first."""
        rows = self.book.read_now(lambda line: load_arrivals(line, account=None, before=None, limit=50))
        return rows[::-1]

    def balance(self, account: AccountNumber) -> int:
        return self.book.read_now(lambda connection: int(load_balance(connection, account).cents))

    def totals(self) -> Totals:
        return self.book.read_now(lambda connection: load_totals(connection, self.code))


@dataclass
class World:
    """The hub and its members."""

    make_url: Callable[[str], str]
    seed: int = 1
    clock: Clock = field(default_factory=Clock)
    nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        identity = Identity(NETWORK, HUB, Keyring(make_keys(self.entropy(64))))
        self.hub_book = Book(self.make_url("hub"), history=HUB_HISTORY, clock=self.clock_of("hub"))
        self.registry = Registry(identity)
        self.exchange = HubExchange(self.hub_book, self.registry)
        self.hub_book.write_now(self.registry.found, "the hub")

    @property
    def sequencer(self) -> Sequencer:
        return self.exchange.sequencer

    def clock_of(self, _party: str) -> Callable[[], Instant]:
        """Return the clock that a party looks at: here everybody's is the same."""
        return self.clock

    def entropy(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def new_south_code(self) -> TerritoryCode:
        return make_south_code(self.entropy(16))

    def join(self, code: TerritoryCode, *, sponsor: str = "", guide: str = "", is_accredited: bool = True) -> Node:
        """Invite, enrol and accredit a member, and give it a pool account."""
        token = self.entropy(16)
        self.hub_book.write_now(self.registry.invite, Invite(code, token))
        secret = make_keys(self.entropy(64))
        body = encode_typed(
            Enrolment(NETWORK, code, token, f"Territory {code}", secret.public.signing, secret.public.sealing, 0)
        )
        request = encode_typed(SignedEnrolment(body, sign(secret, Domain.ENROLMENT, body)))
        welcome: Welcome = self.hub_book.write_now(self.registry.enrol, request)
        welcome = decode_typed(encode_typed(welcome), Welcome, size_max=1_000)
        if is_accredited:
            self.hub_book.write_now(self.registry.accredit, Accredit(code, sponsor, guide))
        book = Book(self.make_url(code), history=ACCOUNTS_HISTORY, clock=self.clock_of(code))
        ledger = Ledger(book, code)
        federation = Federation(
            ledger,
            Identity(NETWORK, code, Keyring(secret)),
            welcome,
            entropy=self.entropy,
            on_outgoing=lambda: None,
        )
        book.read_now(federation.load)
        payees = PayeeDesk(federation.room, book, entropy=self.entropy, on_outgoing=lambda: None)
        worker = ExchangeWorker(federation, payees, book, DirectLine(self.exchange), chance=self.dice.random)
        node = Node(code, book, ledger, federation, payees, worker, AccountNumber(""), self.entropy)
        node.pool = node.open(AccountKind.POOL)
        self.nodes[code] = node
        return node

    def change(self, change: Change) -> None:
        self.hub_book.write_now(self.registry.change, change)

    async def settle(self, *codes: str) -> None:
        """Exchange until nothing moves any more, for these members or for all: two quiet rounds in a row."""
        names = codes or tuple(self.nodes)
        quiet = 0
        for _ in range(40):
            calls = sum([await self.nodes[code].worker.exchange_all() for code in names])
            quiet = quiet + 1 if calls == len(names) else 0
            if quiet == 2:
                return
        raise AssertionError("the world does not come to rest")

    def check(self, codes: Sequence[str] = ()) -> list[Finding]:
        """Return what every check of every book, or of the hub's and these, finds: nothing, in a healthy world."""
        checked = self.hub_book.read_now(lambda connection: check_hub(connection, hub=HUB, on_progress=_ignore))
        for node in [self.nodes[code] for code in codes or self.nodes]:
            checked += node.book.read_now(
                lambda connection, code=node.code: check_node(connection, home=code, hub=HUB, on_progress=_ignore)
            )
        return [finding for one in checked for finding in one.findings]

    def close(self) -> None:
        for node in self.nodes.values():
            node.book.close()
        self.hub_book.close()


def export_national(world: World, path: Path) -> Path:
    """Do what `hub national export` does, on the hub's open book."""

    def write(connection: Connection) -> None:
        log, header = load_header(connection, world.registry.identity)
        save_national(path, header, load_records(connection, world.registry.identity, log))

    world.hub_book.read_now(write)
    return path
