"""Rights directed across two territories, recalled, taken back, released, converted: any story against a plain model.

The model is a list of who directed what, where each of it is on its way, and sums. It knows no book, log or hub but this:
what Lyon sends waits until Lyon's line is carried, and is taken once Brest's is. Whatever happens in between, at rest both
have the same cents everywhere, each round of each fund was told once, and the checks of every book find nothing.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hub.settlement import store as settlement_store
from node.ledger.accounts import CONVERTED, TRANSIT
from node.orientation.directions import Choice, Direct, Overflow
from node.orientation.service import TakeBackAsked
from protocol.errors import Refusal
from protocol.house import (
    CommitProject,
    ConvertProject,
    Due,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    OpenProject,
    ProjectConverted,
    ProjectOpened,
    Refused,
    ReleaseProject,
    make_due_id,
)
from protocol.identifiers import AccountNumber, Address, Id16, format_address
from tests.federation.test_conversions import DAY, FUND, ORDER, House
from tests.federation.world import BREST, LYON, World

STORIES = int(os.environ.get("STORIES", "2"))  # a few in every run, as many as asked by hand


@dataclass(eq=False)
class Part:
    """What somebody directed at once. All of it is of one issuer."""

    op: Id16  # under which it was asked
    who: str
    issuer: str
    cents: int  # that are held for the project, or on their way to it
    where: str  # queued (at Lyon), cleared (at the hub), directed, over
    is_recalled: bool = False  # asked, and the hub does not know yet
    is_seen: bool = False  # Lyon knows how it ended
    kept_as: Id16 | None = None  # the id of what arrived, at Brest


@dataclass(eq=False)
class Round:
    """What one round asks of Lyon's fund: which parts, which cents."""

    id: Id16
    taken: list[tuple[Part, int]]
    project: int
    answer: str = ""  # taken, refused
    state: str = ""  # the debtor's last word
    is_confirmed: bool = False

    @property
    def cents(self) -> int:
        return sum(cents for _, cents in self.taken)


class Crossing(RuleBasedStateMachine):
    """Alice in Lyon; Bob in Brest with Brest's own rights, Carol there with Lyon's; one project of Brest after another."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(lambda name: f"sqlite:///{self.folder / name}.db")
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        self.rest()
        wrongs = self.world.check()
        self.world.close()
        self.loop.close()
        shutil.rmtree(self.folder)
        assert wrongs == []

    def _settle(self, *codes: str) -> None:
        self.loop.run_until_complete(self.world.settle(*codes))

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.brest, self.lyon = self.world.join(BREST), self.world.join(LYON)
        self._settle()
        self.here, self.there = House(self.brest), House(self.lyon)
        self.people = {"alice": self.lyon.open(), "bob": self.brest.open(), "carol": self.brest.open()}
        self.has = {"alice": 600, "bob": 400, "carol": 300}
        for node, who, cents in ((self.lyon, "alice", 900), (self.brest, "bob", 400)):
            node.endow(cents)
            node.credit(self.people[who], cents)
        self.lyon.cede(self.people["alice"], Address(self.people["carol"], BREST), 300)
        self._settle()
        self.coming = 0  # of what Alice has: on its way to her
        self.projects: list[tuple[Id16, AccountNumber, int]] = []
        self.state = ""
        self.parts: list[Part] = []  # of the project that stands, in the order in which it got them
        self.sent: list[Part] = []  # all that Alice sent, the oldest first
        self.rounds: list[Round] = []
        self.number = 0
        self.home_converted = 0
        self.told: list[tuple[bytes, int]] = []  # dues that Lyon's fund must have heard of
        self._open(500)
        self.a_season(seed)

    def _open(self, target: int) -> None:
        id_ = self.here.id()
        [opened] = self.here.hear(OpenProject(id_, "A garden", "food", target, 20991231))
        assert isinstance(opened, ProjectOpened)
        self.projects.append((id_, AccountNumber(opened.number), target))
        self.state, self.parts, self.number = "open", [], 0

    @property
    def project(self) -> Id16:
        return self.projects[-1][0]

    def _directed(self) -> int:
        """What counts against the target: what is held, and what was converted or is being."""
        asked = sum(one.cents for one in self.rounds if one.project == len(self.projects) and one.answer != "refused")
        return sum(part.cents for part in self.parts) + asked + self.home_of_project

    @property
    def home_of_project(self) -> int:
        return self._home.get(len(self.projects), 0)

    @property
    def _home(self) -> dict[int, int]:
        if not hasattr(self, "_home_sums"):
            self._home_sums: dict[int, int] = {}
        return self._home_sums

    def _code_of(self, do: Callable[[], object]) -> str:
        try:
            do()
        except Refusal as refusal:
            return refusal.code
        return ""

    # Directing and changing one's mind.

    @rule(who=st.sampled_from(["alice", "alice", "bob", "carol"]), cents=st.integers(1, 250))
    def direct(self, who: str, cents: int) -> None:
        house, code = (self.there, LYON) if who == "alice" else (self.here, BREST)
        _, number, target = self.projects[-1]
        asked = Direct(
            op=Id16(self.world.entropy(16)),
            account=self.people[who],
            choices=(Choice(to=Address(number, BREST), cents=cents),),
            overflow=Overflow.BACK,
            giver=format_address(Address(self.people[who], code)),
        )
        if who == "alice" and self.has[who] - self.coming < cents <= self.has[who]:
            self.rest()  # some of it is on its way to her
        room = target - self._directed()
        expected = "insufficient_rights" if cents > self.has[who] else ""
        if not expected and who != "alice":
            expected = f"project_{self.state}" if self.state != "open" else "" if room else "project_full"
        write = house.node.book.write_now
        assert self._code_of(lambda: write(house.orientations.direct, asked)) == expected
        if expected:
            return
        got = cents if who == "alice" else min(cents, room)
        self.has[who] -= got
        part = Part(asked.op, who, BREST if who == "bob" else LYON, got, "queued" if who == "alice" else "directed")
        (self.sent if who == "alice" else self.parts).append(part)
        assert write(house.orientations.direct, asked).is_repeat, "asked again it is answered, and not done"

    def _give_home(self, who: str, cents: int) -> None:
        self.has[who] += cents
        if who == "alice":
            self.coming += cents

    @rule(which=st.integers(0, 9))
    def recall(self, which: int) -> None:
        """Alice changes her mind before she knows where it is."""
        under_way = [part for part in self.sent if not part.is_seen]
        if under_way:
            part = under_way[which % len(under_way)]
            self.lyon.book.write_now(self.lyon.federation.recall, part.op)
            part.is_recalled = True

    @rule(which=st.integers(0, 9), cents=st.integers(1, 250))
    def take_back(self, which: int, cents: int) -> None:
        if not self.parts:
            return
        part = self.parts[which % len(self.parts)]
        asked = TakeBackAsked(op=self.here.id(), orientation=part.kept_as or part.op, cents=cents)
        expected = f"project_{self.state}" if self.state != "open" else "not_directed" if cents > part.cents else ""
        write = self.brest.book.write_now
        assert self._code_of(lambda: write(self.here.orientations.take_back, asked)) == expected
        if not expected:
            write(self.here.orientations.take_back, asked)
            part.cents -= cents
            self._give_home(part.who, cents)

    # The lines, each by itself.

    @rule()
    def carry_lyon(self) -> None:
        self._settle(LYON)
        for part in self.sent:
            if part.where == "queued":
                part.where = "cleared"
            if part.is_recalled:
                part.is_recalled = False
                if part.where == "cleared":
                    part.where = "over"
                    self.has["alice"] += part.cents
            part.is_seen = part.is_seen or part.where in ("directed", "over")

    @rule()
    def carry_brest(self) -> None:
        self._settle(BREST)
        arrived = [part for part in self.sent if part.where == "cleared"]
        for part in arrived:
            if self.state == "open" and part.cents <= self.projects[-1][2] - self._directed():
                part.where = "directed"
                self.parts.append(part)
            else:
                part.where = "over"
                self._give_home("alice", part.cents)
        self._name_arrivals()

    def _name_arrivals(self) -> None:
        """Learn under which id Brest keeps what arrived for the project that stands."""
        number = self.projects[-1][1]
        taken = [row for row in self.brest.arrivals() if (row.account, row.state) == (number, "delivered")]
        ops = [Id16(bytes(row.op)) for row in taken]
        for op, part in zip(ops, [part for part in self.parts if part.who == "alice"], strict=True):
            part.kept_as = op

    @rule()
    def rest(self) -> None:
        """Carry all lines until nothing moves, and compare."""
        self.carry_lyon()
        self.carry_brest()
        self._settle()
        self.coming = 0
        for part in self.sent:
            part.is_seen = True
        for who, cents in self.has.items():
            node = self.lyon if who == "alice" else self.brest
            assert node.balance(self.people[who]) == cents, who
        assert self.here.balance(self.projects[-1][1]) == sum(part.cents for part in self.parts)
        waiting = sum(one.cents for one in self.rounds if not one.answer)
        owed = [one for one in self.rounds if one.answer == "taken"]
        assert (self.here.balance(TRANSIT), self.there.balance(TRANSIT)) == (waiting, 0)
        assert self.here.balance(CONVERTED) == self.home_converted
        assert self.there.balance(CONVERTED) == sum(one.cents for one in owed)
        assert sorted((one.id, sum(one.cents)) for one in self.there.of(Due)) == sorted(self.told)
        kept = self.world.hub_book.read_now(lambda line: list(settlement_store.load_owed(line)))
        assert sorted((one.cents, str(one.state)) for _, one in kept) == sorted(
            (one.cents, _word_of(one)) for one in owed
        )

    # What committee and funds say.

    @rule()
    def commit(self) -> None:
        self.here.hear(CommitProject(self.here.id(), self.project))
        if self.state == "open":
            self.state = "committed"

    @rule(cents=st.integers(1, 300), all_of_it=st.booleans())
    def convert(self, cents: int, all_of_it: bool) -> None:
        held = sum(part.cents for part in self.parts)
        cents = held if all_of_it and held else cents
        self.number += 1
        id_ = self.here.id()
        asked = ConvertProject(id_, self.project, self.number, cents, (BREST, LYON), (ORDER + b" here", ORDER))
        [told] = self.here.hear(asked)
        if self.state != "committed" or cents > held:
            expected = "insufficient_rights" if self.state == "committed" else f"project_{self.state}"
            assert told == Refused(id_, expected)
            return
        assert isinstance(told, ProjectConverted)
        assert self.here.hear(asked) == [told], "asked again it is answered, and not done"
        taken: list[tuple[Part, int]] = []
        left = cents
        for part in self.parts:
            some = min(left, part.cents)
            if some:
                part.cents -= some
                left -= some
                if part.issuer == BREST:
                    self.home_converted += some
                    self._home[len(self.projects)] = self.home_of_project + some
                else:
                    taken.append((part, some))
        of_lyon = sum(some for _, some in taken)
        shares = {BREST: cents - of_lyon, LYON: of_lyon}
        assert dict(zip(told.payers, told.cents, strict=True)) == {code: some for code, some in shares.items() if some}
        if of_lyon:
            self.rounds.append(Round(id_, taken, len(self.projects)))
            self.told.append((make_due_id(id_, LYON), of_lyon))

    @rule(which=st.integers(0, 9), is_owed=st.booleans())
    def fund_answers(self, which: int, is_owed: bool) -> None:
        self.rest()  # until then it has heard of nothing
        if not self.rounds:
            return
        one = self.rounds[which % len(self.rounds)]
        due = make_due_id(one.id, LYON)
        self.there.hear(DueTaken(due) if is_owed else Refused(due, "order_refused"), sender=FUND)
        if one.answer:
            return  # its first word stands
        one.answer = "taken" if is_owed else "refused"
        if is_owed:
            return
        is_open = one.project == len(self.projects) and self.state != "closed"
        for part, cents in one.taken:
            if is_open:
                part.cents += cents
            else:
                self._give_home(part.who, cents)
        self.rest()  # what it refused is at the project again only once both lines have carried it

    @rule(which=st.integers(0, 9), state=st.sampled_from([DueState.PAID, DueState.PAID, DueState.REJECTED]))
    def fund_pays(self, which: int, state: DueState) -> None:
        owed = [one for one in self.rounds if one.answer == "taken"]
        if not owed:
            return
        one = owed[which % len(owed)]
        if state is DueState.REJECTED and one.state != "paid":
            return
        self.there.hear(DueSettled(make_due_id(one.id, LYON), state, one.cents, DAY), sender=FUND)
        one.state = "paid" if state is DueState.PAID else "rejected"

    @rule(which=st.integers(0, 9))
    def bearer_confirms(self, which: int) -> None:
        paid = [one for one in self.rounds if one.state == "paid"]
        if paid:
            self.rest()
            one = paid[which % len(paid)]
            self.here.hear(DueConfirmed(make_due_id(one.id, LYON), DAY + 1))
            one.is_confirmed = True

    @rule(chance=st.integers(0, 2))
    def release(self, chance: int) -> None:
        if chance or self.state == "closed":
            return
        self.here.hear(ReleaseProject(self.here.id(), self.project, "withdrawn"))
        self.state = "closed"
        for part in self.parts:
            self._give_home(part.who, part.cents)
            part.cents = 0

    @rule(size=st.integers(1, 700))
    def open_another(self, size: int) -> None:
        if self.state == "closed":
            self.rest()
            self._open(size)

    @rule(seed=st.integers(0, 2**32 - 1))
    def a_season(self, seed: int) -> None:
        """What chance alone would seldom get to: a project fills, is committed, converted, paid; lines are carried now and then."""
        dice = random.Random(seed)
        if self.state == "closed":
            self.open_another(dice.randint(100, 700))
        for _ in range(dice.randint(4, 9)):
            self._do_one(dice, "ddddddrkLLBB")
        if dice.random() < 0.8:
            self.carry_lyon()
            self.carry_brest()
        if dice.random() < 0.8:
            self.commit()
            for _ in range(dice.randint(4, 8)):
                self._do_one(dice, "dcccffppbLBt")
        if dice.random() < 0.4:
            self.release(0)
        for _ in range(3):
            self._do_one(dice, "dffbLB")
        self.rest()

    def _do_one(self, dice: random.Random, of: str) -> None:
        which = dice.randrange(10)
        match dice.choice(of):
            case "d":
                self.direct(dice.choice(["alice", "alice", "bob", "carol"]), dice.randint(1, 250))
            case "r":
                self.recall(which)
            case "k" | "t":
                self.take_back(which, dice.randint(1, 250))
            case "L":
                self.carry_lyon()
            case "B":
                self.carry_brest()
            case "c":
                self.convert(dice.randint(1, 200), dice.random() < 0.3)
            case "f":
                self.fund_answers(which, dice.random() < 0.7)
            case "p":
                self.fund_pays(which, dice.choice([DueState.PAID, DueState.PAID, DueState.REJECTED]))
            case "b":
                self.bearer_confirms(which)


def _word_of(one: Round) -> str:
    if one.state == "paid":
        return "confirmed" if one.is_confirmed else "paid"
    return one.state or "owed"


Crossing.TestCase.settings = settings(
    max_examples=STORIES,
    stateful_step_count=8,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
TestCrossing = Crossing.TestCase
