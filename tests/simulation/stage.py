"""What every action of the story shares: the world, its parties, the oracle, the dice; and how one goes on after a crash."""

from __future__ import annotations

import random
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Dialect, Engine

from hub.schema_service import HUB_HISTORY
from node.federation.errors import CessionUnknown
from node.federation.tables import metadata as federation_tables
from node.ledger.service import ledger_history
from protocol.book.service import Book
from protocol.book.worker import Operation
from protocol.errors import BadEnvelope, Refusal
from protocol.identifiers import AccountNumber, TerritoryCode
from protocol.times import Instant
from tests.federation.old_copies import reopen_hub, reopen_node
from tests.federation.world import BREST, LILLE, LYON, Clock, Node, World
from tests.simulation.faults import BookFault, write_together
from tests.simulation.oracle import Oracle, Wrong
from tests.simulation.readings import read_arrivals, read_draws, read_unplaced

CODES: Final = (BREST, LYON, LILLE, *map(TerritoryCode, ("243300316", "243100518", "244400404", "246700488")))
HUB: Final = "hub"
MINUTE: Final = 60_000
# Whoever asks again this often without an answer never gets one.
ATTEMPTS: Final = 6
# What a refused envelope may say of an honest peer: its book, or its directory, is older or newer than ours.
HONEST: Final = frozenset({"we_are_behind", "wrong_epoch", "unknown_key", "unknown_member"})
Answer = TypeVar("Answer")


class _Compiled:
    """The questions that all books are asked, compiled once and not by each of the thousands that are opened.

    SQLAlchemy keeps them for an engine and finds them again by its dialect: those that only read share both.
    """

    def __init__(self) -> None:
        self._dialect: Dialect | None = None
        self._statements: dict[Any, Any] = {}

    def share(self, book: Book) -> None:
        self.share_engine(book._reading)

    def share_engine(self, engine: Engine) -> None:
        self._dialect = engine.dialect = self._dialect or engine.dialect
        engine.update_execution_options(compiled_cache=self._statements)


_COMPILED: Final = _Compiled()


class SimulatedClock(Clock):
    """A party's own clock: the world's, off by jumps, and running too fast or too slowly."""

    def __init__(self, world: Clock) -> None:
        self._world = world
        self.set_right()

    def __call__(self) -> Instant:
        return Instant(self._read(self._world()))

    def _read(self, now: int) -> int:
        return now + self._off + (now - self._since) * self._ppm // 1_000_000

    def jump(self, milliseconds: int) -> None:
        self._off += milliseconds

    def drift(self, ppm: int) -> None:
        """Run too fast by so many millionths from now on."""
        now = self._world.now
        self._off, self._since, self._ppm = self._read(now) - now, now, ppm

    def set_right(self) -> None:
        self._off, self._since, self._ppm = 0, self._world.now, 0


class SimulatedWorld(World):
    """A world in which every party has its own clock."""

    def clock_of(self, party: str) -> SimulatedClock:
        clocks: dict[str, SimulatedClock] = self.__dict__.setdefault("clocks", {})
        return clocks.setdefault(party, SimulatedClock(self.clock))


@dataclass
class Copy:
    """A backup of a node's book, and what the story knew of the territory when it was made."""

    path: Path
    mark: int
    people: list[AccountNumber]
    credits: list[tuple[bytes, AccountNumber]]
    unplaced: int


@dataclass
class Party:
    """What the story knows of a territory beyond the product's own objects."""

    node: Node
    has_line: bool  # or else its envelopes are carried as files
    people: list[AccountNumber] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)
    credits: list[tuple[bytes, AccountNumber]] = field(default_factory=list)
    is_asleep: bool = False
    copy: Copy | None = None
    seen: int = 0  # the newest arrival that the oracle was told of
    unplaced: int = 0  # the same for rights whose origin was lost
    was_restored: bool = False

    @property
    def code(self) -> str:
        return self.node.code

    @property
    def is_away(self) -> bool:
        """Its book is an old copy: it takes nothing new."""
        return self.node.federation.behind is not None


@dataclass(frozen=True)
class Carried:
    """An envelope on its way, on a line or as a file: to the hub, or to the member that it belongs to."""

    member: str
    is_question: bool
    envelope: bytes


def make_templates(folder: Path) -> dict[str, Path]:
    """Return an empty, migrated book of each kind: copying is faster than migrating."""
    made: dict[str, Path] = {}
    for name, history in ((HUB, HUB_HISTORY), ("node", ledger_history(federation_tables))):
        made[name] = folder / f"{name}.template"
        if not made[name].exists():
            Book(f"sqlite:///{made[name]}", history=history, clock=Clock()).close()
    return made


class Stage:
    """Where the story happens. `dice` are those of the present step."""

    def __init__(self, seed: int, folder: Path, templates: dict[str, Path]) -> None:
        def make_url(name: str) -> str:
            path = folder / f"{name}.db"
            shutil.copyfile(templates[HUB if name == HUB else "node"], path)
            return f"sqlite:///{path}"

        self.dice = random.Random(f"story/{seed}")
        self.world = SimulatedWorld(make_url, seed=seed)
        self.oracle = Oracle()
        self.parties: dict[str, Party] = {}
        self.story: list[str] = []
        self.under_way: list[Carried] = []
        self.hub_copy: Path | None = None
        self.faults: dict[str, BookFault] = {}
        self._open_watched(HUB)

    def tell(self, line: str) -> None:
        self.story.append(line)

    def close(self) -> None:
        self.world.close()

    # Who

    def join(self, code: TerritoryCode, *, has_line: bool) -> Party:
        party = self.parties[code] = Party(self.world.join(code), has_line)
        self._open_watched(code)
        return party

    def choose_party(self) -> Party:
        return self.dice.choice(list(self.parties.values()))

    def choose_present(self) -> Party | None:
        """Return a party whose book takes new work, if chance finds one."""
        party = self.choose_party()
        return None if party.is_away else party

    def choose_person(self, party: Party) -> AccountNumber:
        return self.dice.choice([one for one in party.people if one not in party.closed] or party.people)

    @property
    def is_hub_recovering(self) -> bool:
        return self.world.exchange.recovery is not None

    # Processes that die

    def book(self, name: str) -> Book:
        return self.world.hub_book if name == HUB else self.parties[name].node.book

    def watch(self, name: str) -> None:
        """Stand before the storage of a book that was opened anew."""
        self.faults[name] = BookFault(self.book(name), self.faults.get(name))
        _COMPILED.share(self.book(name))

    def restart(self, name: str) -> None:
        self.tell(f"{name} starts again")
        self._open_watched(name)

    def _open_watched(self, name: str) -> None:
        if name == HUB:
            reopen_hub(self.world)
        else:
            reopen_node(self.world, self.parties[name].node)
        self.watch(name)

    def ask(self, name: str, find: Callable[[], Operation], item: Any) -> Any:
        """Ask a book until it is acknowledged, as a caller does who got no answer. Raises its Refusal."""
        (answer,) = self.ask_together(name, [(find, item)])
        if isinstance(answer, Refusal):
            raise answer
        return answer

    def ask_together(self, name: str, asked: Sequence[tuple[Callable[[], Operation], Any]]) -> list[Any]:
        """The same in one group, with each refusal in its place. Operations are found anew after a restart."""
        for _ in range(ATTEMPTS):
            answers = write_together(self.book(name), [(find(), item) for find, item in asked])
            if self.faults[name].is_dead:
                self.restart(name)
                continue
            if any(getattr(answer, "code", "") == "storage_unavailable" for answer in answers):
                self.tell(f"{name}: the disk is full")
                continue
            for answer in answers:
                if isinstance(answer, BaseException) and not isinstance(answer, Refusal):
                    raise answer
            return answers
        raise Wrong("an operation is never acknowledged")

    async def survive(self, name: str, call: Awaitable[Answer]) -> Answer | None:
        """Await what a process does with an envelope; None where it died of it, or could not store it."""
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
        """Tell the refusal of an envelope; an honest peer's is refused only for its age."""
        reason = str(refusal.facts.get("reason", ""))
        self.tell(f"{name}: {refusal.code} {reason}"[:80])
        if isinstance(refusal, BadEnvelope) and reason not in HONEST:
            raise Wrong(f"{name} met {refusal.code}, {reason}: {refusal.cause}")

    # What the oracle is told

    def sync(self, party: Party) -> None:
        """Tell the oracle what arrived at a territory, what came back to it, and what a restored book could not place."""
        if party.is_away:
            return
        for id_, origin, reference, account in read_arrivals(party.node.book, party.seen):
            party.seen = id_
            self.oracle.arrive(origin, reference, party.code, account)
        for id_, op, account in read_unplaced(party.node.book, party.unplaced):
            party.unplaced = id_
            self.oracle.bring(party.code, account, self.draws(party, op))
        for op in self.oracle.flying:
            if self.oracle.cessions[op].giver != party.code:
                continue
            try:
                state = str(party.node.cession(op).state)
            except CessionUnknown:
                if not party.was_restored:
                    raise
                # Lost with the book before anybody else had heard of it: its giver has the rights again.
                self.oracle.forget(op)
                continue
            if state != "delivered":  # whether it arrived is the taker's to show
                self.oracle.end(op, state)

    def draws(self, party: Party, op: bytes) -> dict[tuple[str, bytes], int]:
        return read_draws(party.node.book, op)
