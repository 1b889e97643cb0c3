"""One run: a seeded story of a federation, checked at every rest. The same seed gives the same bytes."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from hub.schema_service import HUB_HISTORY
from node.federation.service import AskCession, CessionUnknown
from node.federation.tables import metadata as federation_tables
from node.ledger.accounts import AccountEvent
from node.ledger.endowments import Endow
from node.ledger.lots import LotClass
from node.ledger.openings import ChangeState
from node.ledger.postings import Posting, PostingKind
from node.ledger.reversals import Reverse
from node.ledger.service import ledger_history
from protocol.amounts import Cents
from protocol.book.service import Book
from protocol.directory import LimitsSet, MemberStatus, Reinstated, Suspended
from protocol.errors import BadEnvelope, Refusal
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode
from protocol.keys import Keyring, make_keys
from protocol.times import Instant
from tests.federation.old_copies import back_up, reopen_hub, reopen_node, restore_hub, restore_node
from tests.federation.world import BREST, LILLE, LYON, Clock, Node, World
from tests.simulation.faults import CommitFault, Crashed, write_together
from tests.simulation.oracle import Flying, Lot, Oracle, Wrong

CODES: Final = (BREST, LYON, LILLE, *map(TerritoryCode, ("243300316", "243100518", "244400404", "246700488")))
REST_EVERY: Final = 60
# What still moves after so many calls, and so many rounds of everybody's calls, never comes to rest.
CALLS_TO_REST: Final = 25
ROUNDS_TO_REST: Final = 30
MINUTE: Final = 60_000


class SimulatedClock(Clock):
    """A party's own clock: the world's, off by a drift and by jumps."""

    def __init__(self, world: Clock) -> None:
        self._world = world
        self.off = 0

    def __call__(self) -> Instant:
        return Instant(self._world() + self.off)


class SimulatedWorld(World):
    """A world in which every party has its own clock and its book a fault before each commit."""

    def clock_of(self, party: str) -> Callable[[], Instant]:
        clocks: dict[str, SimulatedClock] = self.__dict__.setdefault("clocks", {})
        return clocks.setdefault(party, SimulatedClock(self.clock))


def make_templates(folder: Path) -> dict[str, Path]:
    """Return an empty, migrated book of each kind: copying is faster than migrating."""
    made: dict[str, Path] = {}
    for name, history in (("hub", HUB_HISTORY), ("node", ledger_history(federation_tables))):
        made[name] = folder / f"{name}.template"
        if not made[name].exists():
            Book(f"sqlite:///{made[name]}", history=history, clock=Clock()).close()
    return made


@dataclass
class Party:
    """What the story knows of a territory beyond the product's own objects."""

    node: Node
    people: list[AccountNumber] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)
    credits: list[tuple[bytes, AccountNumber]] = field(default_factory=list)
    asleep: bool = False
    copy: Path | None = None
    seen: int = 0  # the newest arrival that the oracle was told of
    was_restored: bool = False
    quiet: bool = False  # since its copy was made nothing happened at home that only it would know


class Simulation:
    """Takes `steps` random steps and rests now and then. Raises Wrong, or whatever the product should not raise."""

    def __init__(self, seed: int, folder: Path, *, nodes: int, skip: frozenset[int] = frozenset()) -> None:
        self.seed = seed
        self.dice = random.Random(f"story/{seed}")
        self.skip = skip
        self.step = 0
        templates = make_templates(folder.parent)

        def make_url(name: str) -> str:
            path = folder / f"{name}.db"
            shutil.copyfile(templates["hub" if name == "hub" else "node"], path)
            return f"sqlite:///{path}"

        self.world = SimulatedWorld(make_url, seed=seed)
        self.oracle = Oracle()
        self.parties: dict[str, Party] = {}
        self.story: list[str] = []
        self.late: list[tuple[str, str, bytes]] = []  # (to the hub or to whom, from whom, envelope)
        self.hub_copy: Path | None = None
        self.faults: dict[str, CommitFault] = {}
        self.met: Counter[str] = Counter()
        self.wanted = nodes

    # The story

    def tell(self, line: str) -> None:
        self.story.append(line)

    async def begin(self) -> None:
        self._arm("hub", self.world.hub_book)
        for code in CODES[: self.wanted]:
            node = self.world.join(code)
            self.parties[code] = Party(node)
            self._arm(code, node.book)
        await self.world.settle()
        for party in self.parties.values():
            for _ in range(2):
                self._open(party)
            for month in self.dice.sample(range(1, 13), 2):
                self._endow(party, 202600 + month, 100_000)
            self._credit(party)

    def _arm(self, name: str, book: Book) -> None:
        self.faults[name] = CommitFault(book)

    async def run(self, steps: int) -> str:
        await self.begin()
        for step in range(steps):
            self.step = step
            # Each step has dice of its own: one left out does not change the others, so a story can be shortened.
            self.dice = random.Random(f"story/{self.seed}/{step}")
            name = self._choose()
            if step not in self.skip:
                self.met[name] += 1
                self.tell(f"{step} {name}")
                await self._do(name)
            if (step + 1) % REST_EVERY == 0:
                await self.rest()
        await self.rest()
        return self.digest()

    def _choose(self) -> str:
        names, weights = zip(*WEIGHTS.items(), strict=True)
        return str(self.dice.choices(names, weights)[0])

    async def _do(self, name: str) -> None:
        action: Callable[[], Awaitable[None] | None] = getattr(self, f"do_{name}")
        told = action()
        if told is not None:
            await told

    def digest(self) -> str:
        """Return the hash of the story, of every log's root and of every holding."""
        parts = list(self.story)
        for name, book in (("hub", self.world.hub_book), *((c, p.node.book) for c, p in self.parties.items())):
            rows = book.read_now(
                lambda line: line.execute(text("SELECT owner, reader, epoch, size, root FROM logs ORDER BY id")).all()
            )
            parts += [f"{name} {row[0]} {row[1]} {row[2]} {row[3]} {bytes(row[4]).hex()}" for row in rows]
        for code, party in self.parties.items():
            for account, held in sorted(self._holdings(party).items()):
                parts += [f"{code} {account} {lot[0]} {lot[1].hex()} {cents}" for lot, cents in sorted(held.items())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    # What the oracle is told, and reads

    def _holdings(self, party: Party) -> dict[str, dict[Lot, int]]:
        rows = party.node.book.read_now(
            lambda line: line.execute(
                text(
                    "SELECT COALESCE(a.number, a.kind), l.issuer, l.ref, h.cents FROM holdings h "
                    "JOIN accounts a ON a.id = h.account_id JOIN lots l ON l.id = h.lot_id "
                    "WHERE h.cents <> 0 AND a.kind NOT IN ('transit', 'abroad', 'border', 'issuance')"
                )
            ).all()
        )
        found: dict[str, dict[Lot, int]] = {}
        for account, issuer, ref, cents in rows:
            held = found.setdefault(account, {})
            held[issuer, bytes(ref)] = held.get((issuer, bytes(ref)), 0) + cents
        return found

    def _sync(self, party: Party) -> None:
        """Tell the oracle what arrived at a territory, and what came back to it."""
        if self._is_away(party):
            return
        rows = party.node.book.read_now(
            lambda line: line.execute(
                text(
                    "SELECT id, origin, epoch, ix, place, account FROM arrivals "
                    "WHERE state = 'delivered' AND id > :seen ORDER BY id"
                ),
                {"seen": party.seen},
            ).all()
        )
        for id_, origin, epoch, index, place, account in rows:
            party.seen = id_
            self.oracle.arrive(origin, f"{epoch}/{index}/{place}", party.node.code, account)
        for op in self.oracle.flying:
            flying = self.oracle.cessions[op]
            if flying.giver == party.node.code:
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

    def _draws(self, party: Party, op: bytes) -> dict[Lot, int]:
        rows = party.node.book.read_now(
            lambda line: line.execute(
                text(
                    "SELECT l.issuer, l.ref, SUM(t.cents) FROM transfers t JOIN lots l ON l.id = t.lot "
                    "WHERE t.op = :op GROUP BY l.issuer, l.ref"
                ),
                {"op": op},
            ).all()
        )
        return {(row[0], bytes(row[1])): int(row[2]) for row in rows}

    def _someone(self, *, awake: bool = False) -> Party:
        parties = [one for one in self.parties.values() if not (awake and one.asleep)]
        return self.dice.choice(parties or list(self.parties.values()))

    def _someone_at_home(self) -> Party:
        """Mostly one whose copy would be spoilt by nothing: what only a lost book knew is tested elsewhere."""
        parties = [one for one in self.parties.values() if not one.quiet]
        return self.dice.choice(parties) if parties and self.dice.random() < 0.9 else self._someone()

    def _person(self, party: Party) -> AccountNumber:
        return self.dice.choice([one for one in party.people if one not in party.closed] or party.people)

    # Work at home

    def _open(self, party: Party) -> None:
        party.people.append(party.node.open())
        party.quiet = False

    def _endow(self, party: Party, month: int, cents: int) -> None:
        node, ref = party.node, self.world.entropy(16)
        asked = Endow(
            op=Id16(self.world.entropy(16)),
            donor=Id16(ref),
            campaign="bread",
            month=month,
            lot_class=LotClass.ELIGIBLE | LotClass.SOUTH_FIT,
            new_ref=ref,
            cents=Cents(cents),
            into=node.pool,
            reason="simulated",
        )
        self._at_home(party, lambda: node.ledger.write_now(node.ledger.endow, asked))
        self.oracle.issue(node.code, node.pool, (node.code, ref), month, cents)

    def _at_home(self, party: Party, write: Callable[[], Any]) -> Any:
        """Ask until it is acknowledged, as a caller does; a process that died is started again."""
        party.quiet = False
        for _ in range(5):
            try:
                return write()
            except Crashed:
                self._reopen(party)
            except Refusal as refusal:
                if refusal.code != "storage_unavailable":
                    raise
        raise Wrong("an operation is never acknowledged")

    def _reopen(self, party: Party) -> None:
        self.faults[party.node.code].disarm()
        reopen_node(self.world, party.node)
        self._arm(party.node.code, party.node.book)

    def _post(self, party: Party, kind: PostingKind, debit: AccountNumber, credit: AccountNumber, cents: int) -> bytes:
        op = Id16(self.world.entropy(16))
        node = party.node
        posting = Posting(op=op, kind=kind, debit=debit, credit=credit, cents=Cents(cents))
        try:
            self._at_home(party, lambda: node.ledger.write_now(node.ledger.post, posting))
        except Refusal as refusal:
            self.tell(f"refused {refusal.code}")
            return b""
        self._sync(party)
        draws = self._draws(party, op)
        self.oracle.require_oldest_first(node.code, debit, draws)
        self.oracle.move(node.code, debit, credit, draws)
        return op

    def _credit(self, party: Party) -> None:
        account = self._person(party)
        op = self._post(party, PostingKind.CREDIT, party.node.pool, account, self.dice.randint(1, 3_000))
        if op:
            party.credits.append((op, account))

    def _is_away(self, party: Party) -> bool:
        return party.node.federation.behind is not None

    def do_open(self) -> None:
        party = self._someone_at_home()
        if not self._is_away(party):
            self._open(party)

    def do_endow(self) -> None:
        party = self._someone_at_home()
        if not self._is_away(party):
            self._endow(party, 202600 + self.dice.randint(1, 12), self.dice.randint(100, 50_000))

    def do_credit(self) -> None:
        party = self._someone_at_home()
        if not self._is_away(party):
            self._credit(party)

    def do_cede_home(self) -> None:
        party = self._someone_at_home()
        giver, taker = self._person(party), self._person(party)
        if giver != taker and not self._is_away(party):
            self._post(party, PostingKind.CESSION, giver, taker, self.dice.randint(1, 800))

    def do_reverse(self) -> None:
        party = self._someone_at_home()
        if not party.credits or self._is_away(party):
            return
        undone, account = self.dice.choice(party.credits)
        node, op = party.node, Id16(self.world.entropy(16))
        asked = Reverse(op=op, undone=Id16(undone))
        try:
            self._at_home(party, lambda: node.ledger.write_now(node.ledger.reverse, asked))
        except Refusal as refusal:
            self.tell(f"refused {refusal.code}")
            return
        self._sync(party)
        self.oracle.move(node.code, account, node.pool, self._draws(party, op))

    def do_close(self) -> None:
        party = self._someone_at_home()
        account = self._person(party)
        if self._is_away(party) or len(party.people) - len(party.closed) < 3:
            return
        node = party.node
        asked = ChangeState(account=account, event=AccountEvent.CLOSE)
        try:
            self._at_home(party, lambda: node.ledger.write_now(node.ledger.change_states, asked))
        except Refusal as refusal:
            self.tell(f"refused {refusal.code}")
            return
        party.closed[account] = "unclaimed"

    # Rights that leave

    def do_cede(self) -> None:
        party, other = self._someone(), self._someone()
        if party is other or self._is_away(party):
            return
        asked: list[AskCession] = []
        for _ in range(self.dice.choice((1, 1, 1, 2, 5))):
            giver = self._person(party)
            term = self.world.clock.now + self.dice.randint(1, 60) * MINUTE if self.dice.random() < 0.15 else 0
            shown = f"{giver}" if self.dice.random() < 0.5 else ""
            asked.append(
                AskCession(
                    op=self.world.entropy(16),
                    account=giver,
                    beneficiary=Address(self._person(other), other.node.code),
                    cents=self.dice.randint(1, 700),
                    words="bonjour" if self.dice.random() < 0.2 else "",
                    giver=_address(giver, party.node.code) if shown else "",
                    term=term,
                )
            )
        fault = self.faults[party.node.code]
        struck = self.dice.random()
        if struck < 0.04:
            fault.crash_at(0)
        elif struck < 0.07:
            fault.refuse_once()
        answers = write_together(party.node.book, party.node.federation.cede, asked)
        if any(isinstance(answer, Crashed) for answer in answers) or fault.has_struck:
            self.tell("the giver's process dies, or its disk is full")
            fault.has_struck = False
            if any(isinstance(answer, Crashed) for answer in answers):
                self._reopen(party)
            # Nobody was told anything: whoever asks again is told what is true, or it is done now.
            answers = write_together(party.node.book, party.node.federation.cede, asked)
        self.faults[party.node.code].disarm()
        for item, answer in zip(asked, answers, strict=True):
            self._note_cession(party, other, item, answer)

    def _note_cession(self, party: Party, other: Party, item: AskCession, answer: Any) -> None:
        if isinstance(answer, Refusal):
            self.tell(f"refused {answer.code}")
            return
        if isinstance(answer, BaseException):
            raise answer
        self._sync(party)
        draws = self._draws(party, item.op)
        if sum(draws.values()) != item.cents:
            raise Wrong(f"acknowledged {item.cents}, moved {sum(draws.values())}")
        if item.draws is None:
            self.oracle.require_oldest_first(party.node.code, item.account, draws)
        self.oracle.cede(
            item.op,
            Flying(party.node.code, item.account, other.node.code, item.beneficiary.number, draws, answer.reference),
        )

    def do_recall(self) -> None:
        flying = self.oracle.flying
        if not flying:
            return
        op = self.dice.choice(flying)
        party = self.parties[self.oracle.cessions[op].giver]
        if self._is_away(party):
            return
        (answer,) = write_together(party.node.book, party.node.federation.recall, [op])
        self.tell(f"recall: {getattr(answer, 'code', '') or getattr(answer, 'recall', answer)}")

    def do_give_back(self) -> None:
        party = self._someone()
        if self._is_away(party):
            return
        self._sync(party)  # a return that was lost with the book is asked for again under the same id
        rows = [row for row in party.node.arrivals() if row.state == "delivered" and row.giver]
        if not rows:
            return
        row = self.dice.choice(rows)
        (answer,) = write_together(party.node.book, party.node.federation.give_back, [bytes(row.op)])
        if isinstance(answer, Refusal):
            self.tell(f"refused {answer.code}")
        elif isinstance(answer, BaseException):
            raise answer
        elif not answer.is_repeat:
            giver = row.giver.replace("-", "").split("@")
            self._sync(party)
            draws = self._draws(party, answer.op)
            beneficiary = giver[0][:8]
            self.oracle.cede(
                answer.op, Flying(party.node.code, row.account, row.origin, beneficiary, draws, answer.reference)
            )

    # The network

    async def do_exchange(self) -> None:
        party = self._someone(awake=True)
        if not party.asleep:
            await self._call(party)

    async def do_exchange_again(self) -> None:
        await self.do_exchange()

    async def _call(self, party: Party, *, faulty: bool = True) -> None:
        """One call, with one thing or nothing going wrong."""
        code = party.node.code
        what = self.dice.choices(*zip(*LINE_FAULTS.items(), strict=True))[0] if faulty else "nothing"
        self.tell(f"{code} calls: {what}")
        try:
            envelope = await party.node.worker.export()
            if what == "request lost":
                return
            if what == "request late":
                self.late.append(("hub", code, envelope))
                return
            if what == "request cut":
                await self._expect_refused(self.world.exchange.answer(envelope[: self.dice.randrange(len(envelope))]))
                return
            if what == "hub dies before":
                self.faults["hub"].crash_at(self.dice.choice((0, 0, 1)))
            if what == "hub disk full":
                self.faults["hub"].refuse_once()
            if what == "request twice":
                self.late.append((code, code, await self.world.exchange.answer(envelope)))
            reply = await self.world.exchange.answer(envelope)
            if what == "hub dies after":
                self._reopen_hub()
            if what in ("reply lost", "hub dies after"):
                return
            if what == "reply late":
                self.late.append((code, code, reply))
                return
            if what == "reply cut":
                await self._expect_refused(party.node.worker.take_reply(reply[: self.dice.randrange(len(reply))]))
                return
            if what == "node dies before":
                self.faults[code].crash_at(0)
            if what == "node disk full":
                self.faults[code].refuse_once()
            await party.node.worker.take_reply(reply)
            if what == "reply twice":
                await party.node.worker.take_reply(reply)
            if what == "node dies after":
                self._reopen(party)
        except Crashed:
            if what.startswith("hub"):
                self._reopen_hub()
            else:
                self._reopen(party)
        except Refusal as refusal:
            self._note_refusal(party, refusal)
        finally:
            for name in ("hub", code):
                self.faults[name].disarm()
                self.faults[name].has_struck = False

    def _note_refusal(self, party: Party, refusal: Refusal) -> None:
        reason = refusal.facts.get("reason", "")
        self.tell(f"{party.node.code}: {refusal.code} {reason}"[:80])
        allowed = {"we_are_behind", "wrong_epoch", "unknown_key", "unknown_member"}
        if isinstance(refusal, BadEnvelope) and reason not in allowed:
            raise Wrong(f"{party.node.code} met {refusal.code}, {reason}: {refusal.cause}")

    async def _expect_refused(self, call: Awaitable[Any]) -> None:
        try:
            await call
        except BadEnvelope:
            return
        raise Wrong("a cut envelope was taken")

    def _reopen_hub(self) -> None:
        self.faults["hub"].disarm()
        reopen_hub(self.world)
        self._arm("hub", self.world.hub_book)

    async def do_late(self) -> None:
        """An envelope that waited somewhere arrives: once, or for the second time."""
        if not self.late:
            return
        place = self.dice.randrange(len(self.late))
        to, sender, envelope = self.late[place]
        if self.dice.random() < 0.7:
            del self.late[place]
        try:
            if to == "hub":
                self.late.append((sender, sender, await self.world.exchange.answer(envelope)))
            else:
                await self.parties[to].node.worker.take_reply(envelope)
        except Refusal as refusal:
            self._note_refusal(self.parties[sender], refusal)

    # Time, keys, standing

    def do_wait(self) -> None:
        self.world.clock.now += self.dice.randint(1, 30) * MINUTE

    def do_clock_jumps(self) -> None:
        name = self.dice.choice(["hub", *self.parties])
        clock = self.world.clock_of(name)
        assert isinstance(clock, SimulatedClock)
        clock.off = self.dice.randint(-120, 120) * MINUTE

    def do_sleep(self) -> None:
        self._someone().asleep = True

    def do_wake(self) -> None:
        self._someone().asleep = False

    async def do_expire(self) -> None:
        if self.world.exchange.recovery is None:
            self.world.hub_book.write_now(self.world.sequencer.expire, None)

    def do_ask_statement(self) -> None:
        party = self._someone()
        if not self._is_away(party):
            party.node.book.write_now(party.node.federation.ask_statement, None)

    def do_rotate(self) -> None:
        party = self._someone()
        identity = party.node.federation.identity
        if self._is_away(party) or len(identity.keyring.older) > 3:
            return
        fresh = make_keys(self.world.entropy(64))
        ring = Keyring(identity.keyring.current, (fresh, *identity.keyring.older))
        party.node.federation.use_identity(replace(identity, keyring=ring))
        party.node.book.write_now(party.node.federation.announce_key, fresh)

    def _use_newest_keys(self) -> None:
        for party in self.parties.values():
            federation = party.node.federation
            member = federation.directory.find(party.node.code)
            ring = federation.identity.keyring
            newest = None if member is None else ring.find(member.keys[-1].id)
            if newest is not None and newest != ring.current:
                older = tuple(keys for keys in (ring.current, *ring.older) if keys != newest)
                federation.use_identity(replace(federation.identity, keyring=Keyring(newest, older)))

    def do_limits(self) -> None:
        if self.world.exchange.recovery is None:
            code = self._someone().node.code
            self.world.change(LimitsSet(code, 10**9, self.dice.choice((300, 10**6)), 10**9))

    def do_suspend(self) -> None:
        if self.world.exchange.recovery is not None:
            return
        code = self._someone().node.code
        suspended = self._suspended()
        if code in suspended:
            self.world.change(Reinstated(code))
        elif not suspended:
            self.world.change(Suspended(code, "simulated"))

    def _suspended(self) -> list[str]:
        """Who is, by the hub's own directory: a restored hub may have forgotten what nobody had heard yet."""
        members = self.world.registry.directory.members.values()
        return sorted(one.code for one in members if one.status is MemberStatus.SUSPENDED)

    # Old copies

    def do_back_up(self) -> None:
        party = self._someone()
        if not self._is_away(party) and party.node.federation.recovery is None:
            party.copy, party.quiet = back_up(party.node.book), True

    def do_restore(self) -> None:
        ready = [one for one in self.parties.values() if one.copy is not None and one.quiet]
        if not ready or self.world.exchange.recovery is not None:
            return
        party = self.dice.choice(ready)
        self.faults[party.node.code].disarm()
        keyring = party.node.federation.identity.keyring
        restore_node(self.world, party.node, party.copy)
        party.seen, party.was_restored = 0, True
        party.node.book.write_now(_mark_behind, None)
        party.node.book.read_now(party.node.federation.load)
        party.node.book.write_now(party.node.federation.begin_recovery, None)
        assert party.node.federation.identity.keyring == keyring
        self._arm(party.node.code, party.node.book)

    def do_back_up_hub(self) -> None:
        if self.world.exchange.recovery is None:
            self.hub_copy = back_up(self.world.hub_book)

    async def do_restore_hub(self) -> None:
        if self.hub_copy is None or any(self._is_away(party) for party in self.parties.values()):
            return
        self.faults["hub"].disarm()
        restore_hub(self.world, self.hub_copy)
        self._arm("hub", self.world.hub_book)
        await self.world.exchange.begin_recovery()

    # Rest

    async def rest(self) -> None:
        """The network heals, everybody is awake, and all comes to an end; then everything must agree."""
        self.tell("rest")
        for clock in self.world.__dict__.get("clocks", {}).values():
            clock.off = 0
        for party in self.parties.values():
            party.asleep = False
        await self._settle()
        for code in self._suspended():
            self.world.change(Reinstated(code))
        self.world.clock.now += 90 * MINUTE
        self.world.hub_book.write_now(self.world.sequencer.expire, None)
        await self._settle()
        self._read_ends()
        if self.oracle.flying:
            op = self.oracle.flying[0]
            raise Wrong(f"cession {op.hex()} of {self.oracle.cessions[op].giver} does not end")
        self.oracle.require_conserved()
        for code, party in self.parties.items():
            self.oracle.compare(code, self._holdings(party), party.closed)
        rows = self.world.hub_book.read_now(
            lambda line: line.execute(
                text("SELECT l.issuer, l.ref, p.holder, p.cents FROM positions p JOIN lots l ON l.id = p.lot_id")
            ).all()
        )
        self.oracle.compare_positions({((row[0], bytes(row[1])), row[2]): row[3] for row in rows})
        findings = self.world.check()
        if findings:
            raise Wrong(f"check found {len(findings)}: {findings[0]}")

    async def _settle(self) -> None:
        quiet = 0
        for _ in range(ROUNDS_TO_REST):
            calls = 0
            for party in self.parties.values():
                self._use_newest_keys()
                before = len(self.story)
                try:
                    calls += await party.node.worker.exchange_all(CALLS_TO_REST)
                except Refusal as refusal:
                    self._note_refusal(party, refusal)
                    calls += 2
                    if len(self.story) - before > 200:
                        raise
            is_over = calls == len(self.parties) and self.world.exchange.recovery is None
            is_over = is_over and not any(self._is_away(party) for party in self.parties.values())
            quiet = quiet + 1 if is_over else 0
            if quiet == 2:
                return
        raise Wrong("the federation does not come to rest")

    def _read_ends(self) -> None:
        for party in self.parties.values():
            self._sync(party)
        for op, flying in self.oracle.cessions.items():
            self.oracle.end(op, str(self.parties[flying.giver].node.cession(op).state))

    def close(self) -> None:
        for fault in self.faults.values():
            fault.disarm()
        self.world.close()


def _address(number: str, code: str) -> str:
    from protocol.identifiers import format_address

    return format_address(Address(AccountNumber(number), TerritoryCode(code)))


def _mark_behind(page: Any, items: Any) -> Any:
    """What `node restore` writes into the copy that it puts back."""
    page.connection.execute(text("DELETE FROM facts WHERE name = 'behind'"))
    page.connection.execute(
        text("INSERT INTO facts (name, value) VALUES ('behind', :value)"), {"value": '{"ours": 0, "theirs": 0}'}
    )
    return items


WEIGHTS: Final = {
    "cede": 22,
    "exchange": 30,
    "credit": 8,
    "cede_home": 3,
    "reverse": 2,
    "recall": 5,
    "give_back": 4,
    "late": 5,
    "wait": 3,
    "clock_jumps": 1,
    "sleep": 2,
    "wake": 3,
    "expire": 2,
    "ask_statement": 1,
    "rotate": 0.5,
    "limits": 0.5,
    "suspend": 0.7,
    "open": 0.7,
    "endow": 1,
    "close": 0.7,
    "back_up": 1.5,
    "restore": 1.0,
    "back_up_hub": 1.0,
    "restore_hub": 0.7,
}

LINE_FAULTS: Final = {
    "nothing": 10,
    "request lost": 1,
    "request late": 1,
    "request twice": 1,
    "request cut": 0.5,
    "reply lost": 1.5,
    "reply late": 1,
    "reply twice": 1,
    "reply cut": 0.5,
    "hub dies before": 0.7,
    "hub dies after": 0.7,
    "hub disk full": 0.5,
    "node dies before": 0.7,
    "node dies after": 0.7,
    "node disk full": 0.5,
}


@dataclass
class Outcome:
    """What came of a run: its digest, or what is wrong and after which step; and the story."""

    digest: str
    wrong: str
    step: int
    story: list[str]
    met: Counter[str]


def simulate(seed: int, steps: int, nodes: int, *, skip: frozenset[int] = frozenset()) -> Outcome:
    """Run one seed in a folder of its own, in memory where the system has such a place."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    parent = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=parent) as folder:
        place = Path(folder) / "books"
        place.mkdir()
        for name, template in make_templates(Path(_templates())).items():
            shutil.copyfile(template, Path(folder) / f"{name}.template")
        simulation = Simulation(seed, place, nodes=nodes, skip=skip)
        digest = wrong = ""
        try:
            digest = asyncio.run(simulation.run(steps))
        except Exception as error:  # whatever it is, it is what the run found
            wrong = f"{type(error).__name__}: {error}"
        finally:
            simulation.close()
        return Outcome(digest, wrong, simulation.step, simulation.story, simulation.met)


@lru_cache(maxsize=1)
def _templates() -> str:
    """A folder for this process's empty books, deleted with it."""
    folder = tempfile.TemporaryDirectory(prefix="templates-")
    atexit.register(folder.cleanup)
    return folder.name


def shorten(seed: int, steps: int, nodes: int, *, seconds: float = 60.0) -> tuple[int, frozenset[int], Outcome]:
    """Return fewer steps, and steps to leave out, with which it is still wrong, and what came of that."""
    give_up = time.monotonic() + seconds
    found = simulate(seed, steps, nodes)
    assert found.wrong, "there is nothing to shorten"
    if found.step + 1 < steps:
        shorter = simulate(seed, found.step + 1, nodes)
        if shorter.wrong:
            steps, found = found.step + 1, shorter
    skip: frozenset[int] = frozenset()
    size = max(steps // 2, 1)
    while size:
        for start in range(0, steps, size):
            more = frozenset(range(start, min(start + size, steps)))
            if more <= skip:
                continue
            if time.monotonic() > give_up:
                return steps, skip, found
            tried = simulate(seed, steps, nodes, skip=skip | more)
            if tried.wrong:
                skip, found = skip | more, tried
        size //= 2
    return steps, skip, found
