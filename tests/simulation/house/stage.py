"""Where the story of a house happens: three bases on real books, a clock, dice, and how one goes on after a crash."""

from __future__ import annotations

import datetime
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

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
from protocol.exchange.peer_service import PeerExchange, keep_pages
from protocol.exchange.service import Identity
from protocol.house import BaseName, HouseMessage, house_of, make_neighbours
from protocol.identifiers import AccountNumber, Id16
from protocol.keys import Keyring, SecretKeys, make_keys
from protocol.times import DAY_MS, HOUR_MS, Instant
from tests.fund.fund_world import BREST, SETTINGS
from tests.simulation.faults import BookFault
from tests.simulation.house.oracle import Oracle
from tests.simulation.parties import Parties
from tests.simulation.stage import _Compiled

ACCOUNTS, FUND, PARTNERS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PARTNERS)
NAMES: Final = (ACCOUNTS, FUND, PARTNERS)
PAIRS: Final = ((PARTNERS, ACCOUNTS), (PARTNERS, FUND), (FUND, ACCOUNTS))
HISTORIES: Final = {ACCOUNTS: ledger_history(), FUND: FUND_HISTORY, PARTNERS: PARTNERS_HISTORY}
START: Final = (datetime.date(2026, 11, 23) - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS
TICKET_DAYS: Final = 10
RUN_ROWS: Final = 2  # of a file in one page, so that a run is stopped in its middle
_COMPILED: Final = {name: _Compiled() for name in NAMES}


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


class Stage(Parties):
    """The three bases, and what the story knows of them. `dice` are those of the present step."""

    def __init__(self, seed: int, folder: Path, templates: dict[str, Path]) -> None:
        super().__init__()
        self.folder = folder
        self.dice = random.Random(f"house/{seed}")
        self._entropy = random.Random(f"house/entropy/{seed}")
        self.now = START
        self.oracle = Oracle()
        self.keys: dict[str, SecretKeys] = {name: make_keys(self.entropy(64)) for name in NAMES}
        self.keyrings = {name: Keyring(secret) for name, secret in self.keys.items()}  # as each base's folder has them
        self.neighbours = make_neighbours({name: [secret.public] for name, secret in self.keys.items()})
        self.ticket_secrets = {0: self.entropy(32)}
        self.ledger: Ledger
        self.fund: Fund
        self.partners: Partners
        for name in NAMES:
            if name in templates:
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

    # Bases

    def url_of(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.db"

    def _open(self, name: str) -> None:
        book = self.books[name] = Book(self.url_of(name), history=HISTORIES[name], clock=self.clock)
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
        if book.dialect == "sqlite":  # what is compiled once for all tests is for this dialect
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
        self.lay(name, copy, marks)
        self._open(name)

    def lay(self, name: str, copy: Path, marks: dict[str, str]) -> None:
        place = self.folder / f"{name}.db"
        for suffix in ("-wal", "-shm"):
            place.with_name(place.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(copy, place)
        with sqlite3.connect(place) as book:
            book.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", list(marks.items()))
        book.close()
