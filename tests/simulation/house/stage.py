"""Where the story of a house happens: three bases on real books, a clock, dice, and how one goes on after a crash."""

from __future__ import annotations

import datetime
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import text

from node.accounts_recovery_service import AccountsRecovery
from node.deposits.service import DepositDesk
from node.fund.bank_parameters_store import BankParameters, load_bank_parameters
from node.fund.schema_service import FUND_HISTORY
from node.fund.service import Fund, Place
from node.grants.service import GrantDesk
from node.ledger.service import Ledger, ledger_history
from node.partners.service import PARTNERS_HISTORY, Partners
from node.partners.settings import PartnersSettings
from node.partners.tills_service import Till
from protocol.book.service import Book, Page
from protocol.book.worker import Operation
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.peer_service import PeerExchange, keep_pages
from protocol.exchange.service import Identity
from protocol.house import BaseName, HouseMessage, house_of, make_neighbours
from protocol.identifiers import AccountNumber, Id16
from protocol.keys import Keyring, SecretKeys, make_keys
from protocol.times import DAY_MS, HOUR_MS, Instant
from tests.fund.fund_world import BREST, SETTINGS
from tests.simulation.faults import BookFault, write_together
from tests.simulation.house.oracle import Oracle, Wrong
from tests.simulation.stage import _Compiled

ACCOUNTS, FUND, PARTNERS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PARTNERS)
NAMES: Final = (ACCOUNTS, FUND, PARTNERS)
PAIRS: Final = ((PARTNERS, ACCOUNTS), (PARTNERS, FUND), (FUND, ACCOUNTS))
HISTORIES: Final = {ACCOUNTS: ledger_history(), FUND: FUND_HISTORY, PARTNERS: PARTNERS_HISTORY}
START: Final = (datetime.date(2026, 11, 23) - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS
TICKET_DAYS: Final = 10
RUN_ROWS: Final = 2  # of a file in one page, so that a run is stopped in its middle
ATTEMPTS: Final = 6
Answer = TypeVar("Answer")
_COMPILED: Final = {name: _Compiled() for name in NAMES}


@dataclass(frozen=True)
class Carried:
    """An envelope on its way to a base, as a question or as an answer."""

    to: str
    is_question: bool
    envelope: bytes


@lru_cache(maxsize=8)
def _load_parameters(day: datetime.date) -> BankParameters:
    return load_bank_parameters(day)


def make_templates(folder: Path) -> dict[str, Path]:
    """Return an empty, migrated book of each kind: copying is faster than migrating."""
    made = {name: folder / f"{name}.template" for name in NAMES}
    for name, path in made.items():
        if not path.exists():
            Book(f"sqlite:///{path}", history=HISTORIES[name], clock=lambda: Instant(START)).close()
    return made


class Stage:
    """The three bases, and what the story knows of them. `dice` are those of the present step."""

    def __init__(self, seed: int, folder: Path, templates: dict[str, Path]) -> None:
        self.folder = folder
        self.dice = random.Random(f"house/{seed}")
        self._entropy = random.Random(f"house/entropy/{seed}")
        self.now = START
        self.oracle = Oracle()
        self.story: list[str] = []
        self.met: Counter[str] = Counter()
        self.under_way: list[Carried] = []
        self.keys: dict[str, SecretKeys] = {name: make_keys(self.entropy(64)) for name in NAMES}
        self.keyrings = {name: Keyring(secret) for name, secret in self.keys.items()}  # as each base's folder has them
        self.neighbours = make_neighbours({name: [secret.public] for name, secret in self.keys.items()})
        self.ticket_secrets = {0: self.entropy(32)}
        self.books: dict[str, Book] = {}
        self.peers: dict[str, PeerExchange] = {}
        self.faults: dict[str, BookFault] = {}
        self.ledger: Ledger
        self.fund: Fund
        self.partners: Partners
        for name in NAMES:
            shutil.copyfile(templates[name], folder / f"{name}.db")
            self._open(name)
        # What people of the story know.
        self.people: list[AccountNumber] = []
        self.projects: list[AccountNumber] = []
        self.tills: list[Till] = []
        self.offline: list[Any] = []
        self.told: list[Any] = []
        self.officers: dict[str, SecretKeys] = {}
        self.bearers: list[Any] = []
        self.statements: list[bytes] = []
        self.sequence = 0
        self.copies: dict[str, tuple[int, Path]] = {}  # when each was made
        self.files: dict[Id16, tuple[Id16, bytes, dict[str, tuple[str, int]]]] = {}

    def tell(self, line: str) -> None:
        self.story.append(line)

    def close(self) -> None:
        for book in self.books.values():
            book.close()

    def clock(self) -> Instant:
        self.now += 1
        return Instant(self.now)

    @property
    def today(self) -> datetime.date:
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=self.now // DAY_MS)

    def entropy(self, count: int) -> bytes:
        return self._entropy.randbytes(count)

    def new_id(self) -> Id16:
        return Id16(self.entropy(16))

    def read(self, name: str, sql: str, **values: Any) -> list[Any]:
        """Return rows by SQL of our own."""
        return self.books[name].read_now(lambda line: list(line.execute(text(sql), values).all()))

    # Bases

    def _open(self, name: str) -> None:
        url = f"sqlite:///{self.folder / name}.db"
        book = self.books[name] = Book(url, history=HISTORIES[name], clock=self.clock)
        if name == ACCOUNTS:
            self.ledger = Ledger(book, BREST)
            grants, deposits = GrantDesk(self.ledger), DepositDesk(self.ledger, entropy=self.entropy)

            def apply(page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
                return [*deposits.apply(page, sender, messages), *grants.apply(page, sender, messages)]

            recovery = AccountsRecovery(self.ledger, deposits, grants)
            self._join(name, apply, replay=lambda page, lost: recovery.replay(page, lost, self.peers[name].reply))
        elif name == FUND:
            place = Place(home=BREST, keyring=Keyring(self.keys[FUND]), neighbours=self.neighbours)
            self.fund = Fund(SETTINGS, _load_parameters(self.today), self._teller(FUND), place)
            self._join(name, self.fund.apply, on_recovered=self.fund.note_recovery)
        else:
            self.partners = Partners(
                book,
                self._teller(PARTNERS),
                PartnersSettings(home=BREST, ticket_days=TICKET_DAYS, run_rows=RUN_ROWS),
                ticket_secrets=self.ticket_secrets,
                entropy=self.entropy,
            )
            self._join(name, self.partners.apply, on_recovered=self.partners.note_recovery)
        self.faults[name] = BookFault(book, self.faults.get(name))
        _COMPILED[name].share(book)

    def _teller(self, name: str) -> Callable[[Page, str, Sequence[HouseMessage]], object]:
        return lambda page, reader, messages: self.peers[name].tell(page, reader, messages)

    def _join(self, name: str, apply: Callable[..., Sequence[HouseMessage]], **more: Any) -> None:
        identity = Identity(house_of(BREST), name, self.keyrings[name])
        if name != ACCOUNTS:
            more["keeping"] = keep_pages(HISTORIES[name], self.entropy)
        self.peers[name] = PeerExchange(self.books[name], identity, self.neighbours, apply, **more)

    def restart(self, name: str) -> None:
        self.tell(f"{name} starts again")
        self.books[name].close()
        self._open(name)

    def put_back(self, name: str, copy: Path, marks: dict[str, str]) -> None:
        """The disk is lost, and a copy takes its place, marked as old."""
        self.books[name].close()
        place = self.folder / f"{name}.db"
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(copy, place)
        with sqlite3.connect(place) as book:
            book.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", list(marks.items()))
        book.close()
        self._open(name)

    def must_ask_again(self, name: str, error: object) -> bool:
        """Tell whether nobody can know what was done: the process died, which starts it again, or its disk was full."""
        if self.faults[name].is_dead:
            self.restart(name)
            return True
        if getattr(error, "code", "") == "storage_unavailable":
            self.tell(f"{name}: the disk is full")
            return True
        return False

    def ask(self, name: str, find: Callable[[], Operation], item: Any) -> Any:
        """Ask a base until it is acknowledged, as a caller does who got no answer. Raises its Refusal."""
        (answer,) = self.ask_together(name, [(find, item)])
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def ask_together(self, name: str, asked: Sequence[tuple[Callable[[], Operation], Any]]) -> list[Any]:
        """The same in one group, with each refusal in its place. Operations are found anew after a restart."""
        for _ in range(ATTEMPTS):
            answers = write_together(self.books[name], [(find(), item) for find, item in asked])
            errors = [one for one in answers if getattr(one, "code", "") == "storage_unavailable"]
            if self.must_ask_again(name, errors[0] if errors else None):
                continue
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, Refusal):
                    raise answer
            return answers
        raise Wrong("an operation is never acknowledged")

    def lead(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Call something that writes many pages, again from its beginning wherever it stopped. Raises its Refusal."""
        for _ in range(ATTEMPTS):
            try:
                return call()
            except Exception as error:
                if not self.must_ask_again(name, error):
                    raise
        raise Wrong("a loop never comes to its end")

    async def survive(self, name: str, call: Awaitable[Answer]) -> Answer | None:
        """Await what a base does with an envelope; None where it died of it, or could not store it."""
        answer: Answer | None = None
        try:
            answer = await call
        except Exception as error:
            if not self.faults[name].is_dead and getattr(error, "code", "") != "storage_unavailable":
                raise
        if self.faults[name].is_dead:
            self.restart(name)
            return None
        return answer

    def note_refusal(self, name: str, refusal: Refusal) -> None:
        self.tell(f"{name}: {refusal.code}")
        if isinstance(refusal, BadEnvelope):
            raise Wrong(f"{name} met {refusal.code}, {refusal.facts}: {refusal.cause}")
