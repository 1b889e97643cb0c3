"""The accounts and the people of one territory for tests, on books of their own, over a line that may lose things."""

from __future__ import annotations

import contextlib
import datetime
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from node.holders.checks import check_holders
from node.holders.service import HolderDesk
from node.ledger.accounts import AccountKind
from node.ledger.checks import check_ledger
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.openings import OpenAccount
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.service import Ledger
from node.people import store, tables
from node.people.authority import Purpose
from node.people.checks import check_people
from node.people.four_eyes import Decision, ProposalKind
from node.people.paper_codes import Cost
from node.people.records import CivilRecord, PersonKind, make_record
from node.people.requests import Decide, Enter, Found, OpenFor, Propose
from node.people.service import PEOPLE_HISTORY, People, open_people
from node.people.vault import BaseKey, BaseKeys
from node.schema_service import ACCOUNTS_HISTORY
from protocol.amounts import Cents
from protocol.book.backup_service import back_up, put_back
from protocol.book.checks import check_logs
from protocol.book.service import Book
from protocol.errors import BadEnvelope
from protocol.exchange.client import HubUnreachable
from protocol.exchange.peer_recovery import BEHIND
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import BaseName, house_of, make_neighbours
from protocol.identifiers import AccountNumber, Id16, TerritoryCode, make_account_number
from protocol.keys import Keyring, make_keys
from protocol.times import DAY_MS, HOUR_MS, Instant
from tests.templates import lay

BREST = TerritoryCode("242900314")
ACCOUNTS, PEOPLE = str(BaseName.ACCOUNTS), str(BaseName.PEOPLE)
TODAY = datetime.date(2026, 11, 23)
NOON = (TODAY - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS
CHEAP = Cost(passes=1, memory_bytes=8_192)
ANNE, BOB = Id16(b"anne the officer"), Id16(b"bob, the officer")


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


class PeopleWorld:
    """Two bases that meet in slips only; rights in flight are what the test says."""

    def __init__(self, url_of: Callable[[str], str]) -> None:
        self.dice = random.Random(1)
        self.time = NOON
        self.url_of = url_of
        self.in_flight: dict[str, int] = {}
        self.keys = {name: make_keys(self.entropy(64)) for name in (ACCOUNTS, PEOPLE)}
        self.base_keys = BaseKeys(BaseKey(b"first id", self.entropy(32)))
        self.neighbours = make_neighbours({name: [secret.public] for name, secret in self.keys.items()})
        self.books: dict[str, Book] = {}
        self.peers: dict[str, PeerExchange] = {}
        self.people: People
        self.marks: set[bytes] = set()  # of what had ended, as the last way back heard them
        self.open(ACCOUNTS)
        self.open(PEOPLE)
        pool = OpenAccount(op=self.id(), number=make_account_number(self.entropy(16)), kind=AccountKind.POOL)
        self.pool = self.ledger.write_now(self.ledger.open_accounts, pool).number
        self.is_wrong_by_design = False

    # Bases.

    def open(self, name: str) -> None:
        """Open a base, as after a restart: nothing is remembered in memory."""
        history = ACCOUNTS_HISTORY if name == ACCOUNTS else PEOPLE_HISTORY
        book = self.books[name] = Book(lay(self.url_of(name), history), history=history, clock=self.clock)
        identity = Identity(house_of(BREST), name, Keyring(self.keys[name]))
        if name == ACCOUNTS:
            self.ledger = Ledger(book, BREST)
            desk = HolderDesk(self.ledger, in_flight=lambda _line, number: self.in_flight.get(number, 0))
            self.peers[name] = PeerExchange(book, identity, self.neighbours, desk.apply)
        else:
            self.people = open_people(
                book,
                self.base_keys,
                lambda page, reader, messages: self.peers[PEOPLE].tell(page, reader, messages),
                entropy=self.entropy,
                cost=CHEAP,
            )
            self.peers[name] = PeerExchange(
                book,
                identity,
                self.neighbours,
                self.people.apply,
                replay=lambda page, lost: self.marks.update(self.people.replay(page, lost)),
            )

    def reopen(self, name: str) -> None:
        self.books[name].close()
        self.open(name)

    def copy(self, to: Path) -> Path:
        """Copy the people's book, as it stands."""
        back_up(self.url_of(PEOPLE), to)
        return to

    async def lose(self, copy: Path) -> None:
        """The people's disk is lost: the copy takes its place, and is brought back."""
        self.books[PEOPLE].close()
        put_back(self.url_of(PEOPLE), copy, {BEHIND: "0"})
        self.open(PEOPLE)
        self.write(self.peers[PEOPLE].begin_recovery, self.entropy(32))
        for _ in range(3):
            with contextlib.suppress(BadEnvelope):
                await self.peers[PEOPLE].call(ACCOUNTS, Line(self.peers[ACCOUNTS]))
        assert not self.peers[PEOPLE].is_behind

    def close(self) -> None:
        for book in self.books.values():
            book.close()

    def clock(self) -> Instant:
        self.time += 1
        return Instant(self.time)

    def later(self, days: int) -> None:
        self.time += days * DAY_MS

    def entropy(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def id(self) -> Id16:
        return Id16(self.entropy(16))

    # The line.

    async def exchange(self, drops: Callable[[str], bool] = lambda _what: False) -> None:
        """Let the bases talk until all is said; with `drops`, badly, and what was carried comes once more."""
        line = Line(self.peers[ACCOUNTS], drops)
        with contextlib.suppress(HubUnreachable):
            await self.peers[PEOPLE].call(ACCOUNTS, line)
        for envelope in line.carried[-1:]:
            await self.peers[ACCOUNTS].answer(envelope)

    # The people.

    def write(self, operation: Callable[..., Any], item: Any) -> Any:
        return self.books[PEOPLE].write_now(operation, item)

    def read(self, find: Callable[[Connection], Any]) -> Any:
        return self.books[PEOPLE].read_now(find)

    def by(self, by: Id16 = ANNE, purpose: Purpose = Purpose.REQUEST_OF_PERSON) -> dict[str, Any]:
        """What a request carries."""
        return {"id": self.id(), "by": by, "purpose": purpose}

    def found(self) -> None:
        """Name the two officers."""
        told = Found(
            id=ANNE,
            by=ANNE,
            purpose=Purpose.GOVERNANCE,
            first=make_record(name="Anne Le Goff"),
            second=make_record(name="Bob Martin"),
            second_id=BOB,
        )
        self.write(self.people.persons.found, told)

    def enter(self, record: CivilRecord | None = None, kind: PersonKind = PersonKind.PERSON) -> Id16:
        told = Enter(**self.by(), kind=kind, record=record or make_record(name="Zélie Quémener"))
        self.write(self.people.persons.enter, told)
        return told.id

    def propose(
        self, kind: ProposalKind, body: dict[str, str | int], *, subject: Id16 | None = None, by: Id16 = ANNE
    ) -> Id16:
        told = Propose(**self.by(by), kind=kind, subject=subject, body=body)
        self.write(self.people.roles.propose, told)
        return told.id

    def approve(self, proposal: Id16, by: Id16 = BOB) -> None:
        told = Decide(**self.by(by), proposal=proposal, decision=Decision.APPROVE)
        self.write(self.people.roles.decide, told)

    def publish(self, purpose: str = "news") -> None:
        self.approve(
            self.propose(ProposalKind.PUBLISH_TEXT, {"purpose": purpose, "french": "oui ?", "english": "yes?"})
        )

    async def open_account(self, person: Id16) -> AccountNumber:
        told = OpenFor(**self.by(), person=person)
        self.write(self.people.accounts.open, told)
        await self.exchange()
        row = self.account(told.id)
        assert row.state == "open"
        return AccountNumber(row.number)

    def account(self, link: Id16) -> Any:
        return self.read(lambda line: store.find_row(line, tables.accounts, id=link))

    def erasure(self, id_: Id16) -> Any:
        return self.read(lambda line: store.find_row(line, tables.erasures, id=id_))

    # The accounts.

    def give(self, account: str, cents: int) -> None:
        """Credit miles to an account, out of a pool that was endowed for it."""
        endow = Endow(
            op=self.id(),
            donor=self.id(),
            campaign="bread",
            month=202611,
            lot_class=LotClass.ELIGIBLE,
            into=self.pool,
            cents=Cents(cents),
            reason="a deposit",
            new_ref=self.entropy(16),
        )
        self.ledger.write_now(self.ledger.endow, endow)
        posting = Posting(
            op=self.id(),
            kind=PostingKind.CREDIT,
            debit=self.pool,
            credit=AccountNumber(account),
            cents=Cents(cents),
        )
        self.ledger.write_now(self.ledger.post, posting)

    def balance(self, account: str) -> int:
        return self.books[ACCOUNTS].read_now(lambda line: int(load_balance(line, AccountNumber(account)).cents))

    # Looking.

    def find_wrongs(self) -> list[Any]:
        """Return what the checks of both bases find."""

        def look(line: Connection) -> list[Any]:
            return list(check_logs(line, self.neighbours, lambda _where: None))

        checked = [one for book in self.books.values() for one in book.read_now(look)]
        checked += self.read(lambda line: check_people(line, self.people.room.base_keys))
        checked += self.books[ACCOUNTS].read_now(lambda line: check_ledger(line, home=BREST))
        checked += self.books[ACCOUNTS].read_now(check_holders)
        return [finding for one in checked for finding in one.findings]


def words_of(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]
