"""Where the story of whole territories happens: a hub and houses of four bases each, as their own apps wire them.

Nothing of the product is replaced but the wire, the clock and the dice: the apps are opened on folders as an operator's
process opens them, and only not served. Between steps nothing runs: what a process does by itself is a step too.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from hub.app import HubApp
from hub.app import load_config as load_hub_config
from node.app import NodeApp
from node.app import load_config as load_node_config
from node.fund_app import FundApp
from node.partners.tills_service import Till
from node.partners_app import PartnersApp
from node.projects_app import ProjectsApp
from protocol.errors import BadEnvelope, Refusal
from protocol.house import BaseName
from protocol.identifiers import AccountNumber, Id16, TerritoryCode
from protocol.keys import SecretKeys
from protocol.running import clock_service
from protocol.times import DAY_MS, HOUR_MS, Instant
from tests.federation.world import BREST, LILLE, LYON
from tests.simulation.cycle.oracle import Oracle
from tests.simulation.faults import BookFault
from tests.simulation.house.oracle import Wrong
from tests.simulation.parties import Parties
from tests.simulation.stage import HONEST, _Compiled

CODES: Final = (BREST, LYON, LILLE)
# Of each fund, at its bank. Examples with right check digits.
IBANS: Final[dict[str, str]] = dict(
    zip(
        CODES,
        ("FR7630006000011234567890189", "FR7612345987650123456789014", "FR5714508000401234567890122"),
        strict=True,
    )
)
HUB: Final = "hub"
ACCOUNTS, FUND = str(BaseName.ACCOUNTS), str(BaseName.FUND)
PARTNERS, PROJECTS = str(BaseName.PARTNERS), str(BaseName.PROJECTS)
BASES: Final = (ACCOUNTS, FUND, PARTNERS, PROJECTS)
# Who calls whom in a house: as the clearing house does, everybody everybody.
PAIRS: Final = tuple(itertools.combinations(sorted(BASES), 2))
START: Final = (datetime.date(2026, 11, 23) - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS
_APPS: Final = {FUND: FundApp, PARTNERS: PartnersApp, PROJECTS: ProjectsApp}
_COMPILED: Final = {name: _Compiled() for name in (HUB, *BASES)}


@dataclass
class Town:
    """What people of one territory know of it."""

    people: list[AccountNumber] = field(default_factory=list)
    campaigns: list[Id16] = field(default_factory=list)
    till: Till | None = None
    officers: dict[str, SecretKeys] = field(default_factory=dict)
    members: dict[str, SecretKeys] = field(default_factory=dict)  # of the committee
    auditor: SecretKeys | None = None
    sessions: dict[bytes, Any] = field(default_factory=dict)  # votes that run, by project
    distrusted: set[str] = field(default_factory=set)  # territories whose projects the fund does not believe
    sequence: int = 0  # of statements
    statements: list[bytes] = field(default_factory=list)
    last_order: tuple[str, bytes] = ("", b"")


@dataclass
class Known:
    """What the people of a story know, and what must be true: plain values, copied with the folders of a beginning."""

    now: int = START
    oracle: Oracle = field(default_factory=Oracle)
    towns: dict[str, Town] = field(default_factory=lambda: {code: Town() for code in CODES})
    granted: dict[bytes, tuple[str, str, int]] = field(default_factory=dict)  # grant -> territory, account, cents


class Stage(Parties):
    """The hub and the houses, by name: `hub`, and `242900314/THE-FUND`."""

    def __init__(self, seed: int, folder: Path, known: Known) -> None:
        super().__init__()
        self.folder = folder
        self.known = known
        self.is_checked = True
        self.dice = random.Random(f"cycle/{seed}")
        self._entropy = random.Random(f"cycle/entropy/{seed}")
        self.apps: dict[str, Any] = {}
        self.copies: dict[str, tuple[int, Path]] = {}  # when each was made
        for name in (HUB, *(f"{code}/{base}" for code in CODES for base in BASES)):
            self._open(name)

    # What is replaced.

    @contextlib.contextmanager
    def time(self) -> Iterator[None]:
        """Have every process look at our clock and draw from our dice."""
        replaced = {"now": self.clock, "entropy": self.entropy, "chance": self._entropy.random}
        with mock.patch.multiple(clock_service, **replaced):
            yield

    def clock(self) -> Instant:
        self.known.now += 1
        return Instant(self.known.now)

    def entropy(self, count: int) -> bytes:
        return self._entropy.randbytes(count)

    def new_id(self) -> Id16:
        return Id16(self.entropy(16))

    @property
    def oracle(self) -> Oracle:
        return self.known.oracle

    @property
    def now(self) -> int:
        return self.known.now

    @property
    def today(self) -> datetime.date:
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=self.known.now // DAY_MS)

    @property
    def day(self) -> int:
        """Today, as yyyymmdd."""
        return int(self.today.strftime("%Y%m%d"))

    # Who.

    def code_of(self, name: str) -> str:
        return name.rpartition("/")[2]

    def find_beside(self, name: str, code: str) -> str:
        return f"{name.partition('/')[0]}/{code}"

    def choose_code(self) -> TerritoryCode:
        return self.dice.choice(CODES)

    def node(self, code: str) -> NodeApp:
        found: NodeApp = self.apps[f"{code}/{ACCOUNTS}"]
        return found

    def fund(self, code: str) -> Any:
        return self.apps[f"{code}/{FUND}"].fund

    def partners(self, code: str) -> Any:
        return self.apps[f"{code}/{PARTNERS}"].partners

    def projects(self, code: str) -> Any:
        return self.apps[f"{code}/{PROJECTS}"].projects

    @property
    def hub(self) -> HubApp:
        found: HubApp = self.apps[HUB]
        return found

    # Processes.

    def file_of(self, name: str) -> Path:
        """Return the file of a book."""
        code, _, base = name.partition("/")
        if name == HUB:
            return self.folder / HUB / "hub.db"
        if base == ACCOUNTS:
            return self.folder / code / "accounts.db"
        where = {FUND: "fund", PARTNERS: "partners", PROJECTS: "projects"}[base]
        return self.folder / code / where / f"{where}.db"

    def _open(self, name: str) -> None:
        with self.time():
            code, _, base = name.partition("/")
            folder = self.folder / code
            app: Any
            if name == HUB:
                app = HubApp(folder, load_hub_config(folder))
                app.book.read_now(app.registry.load)
                app.book.read_now(app.exchange.load)
            elif base == ACCOUNTS:
                app = NodeApp(folder, load_node_config(folder))
                app.book.read_now(app.federation.load)
                self.peers[name] = app.house_exchange
            else:
                app = _APPS[base](folder)
                self.peers[name] = app.exchange
        self.apps[name], self.books[name] = app, app.book
        self.faults[name] = BookFault(app.book, self.faults.get(name))
        _COMPILED[base or HUB].share(app.book)

    def restart(self, name: str) -> None:
        self.tell(f"{name} starts again")
        self.books[name].close()
        self._open(name)

    def close(self) -> None:
        for book in self.books.values():
            book.close()

    def note_refusal(self, name: str, refusal: Refusal) -> None:
        """Tell the refusal of an envelope; an honest peer's is refused only for its age."""
        reason = str(refusal.facts.get("reason", ""))
        self.tell(f"{name}: {refusal.code} {reason}"[:80])
        if isinstance(refusal, BadEnvelope) and reason not in HONEST:
            raise Wrong(f"{name} met {refusal.code}, {reason}: {refusal.cause}")
