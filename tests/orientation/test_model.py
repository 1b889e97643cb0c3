"""The room of projects against a plain model: lists of who directed which cents of which lot, and arithmetic on them.

The model knows nothing of books or SQL. Whatever happens, both refuse by the same code, hold the same cents of the same
lots everywhere, and the base's own checks find nothing.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from node.ledger.accounts import CONVERTED
from node.orientation.directions import Overflow
from protocol.errors import Refusal
from protocol.house import CommitProject, ProjectConverted, Refused, Support, make_due_id
from protocol.identifiers import AccountNumber, parse_id
from tests.orientation.world import FUND, HOME, Town

THEMES = ("rivers", "schools")
Lots = dict[int, int]


@dataclass
class Given:
    """What one orientation put where."""

    op: bytes
    holder: AccountNumber
    held: Lots
    converted: Lots = field(default_factory=dict)


@dataclass
class Plan:
    """A project of the model."""

    id: bytes
    number: AccountNumber
    theme: str
    target: int
    state: str = "open"
    given: list[Given] = field(default_factory=list)
    rounds: dict[bytes, list[tuple[Given, int, int]]] = field(default_factory=dict)

    @property
    def directed(self) -> int:
        return sum(sum(one.held.values()) + sum(one.converted.values()) for one in self.given)


def move(source: Lots, target: Lots, lot: int, cents: int) -> None:
    source[lot] = source.get(lot, 0) - cents
    target[lot] = target.get(lot, 0) + cents
    assert source[lot] >= 0


class Orienting(RuleBasedStateMachine):
    """Holders, projects of two themes, and lots of which some are bound."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.town = Town(f"sqlite:///{Path(self.folder.name) / 'accounts.db'}", at_once=2)
        self.holders: dict[AccountNumber, Lots] = {}
        self.months: dict[int, int] = {}
        self.bound: dict[int, str] = {}
        self.plans: list[Plan] = []
        self.converted: Lots = {}
        self.number = 0
        for place in range(3):
            self.holders[self.town.open()] = {}
            self.plans.append(self._open(THEMES[place % 2], (60, 100, 1_000)[place]))
        for month, restriction in ((202605, ""), (202603, "rivers"), (202611, "schools"), (202604, "")):
            for holder in self.holders:
                self._fill(holder, month, restriction, 40)

    def teardown(self) -> None:
        if hasattr(self, "town"):
            assert self.town.findings() == []
            self.town.close()
            self.folder.cleanup()

    def _open(self, theme: str, target: int) -> Plan:
        id_, number = self.town.project(target, theme=theme)
        return Plan(id_, number, theme, target)

    def _fill(self, holder: AccountNumber, month: int, restriction: str, cents: int) -> None:
        before = self.town.lots(holder)
        self.town.endow(cents, month=month, restriction=restriction, campaign=restriction or "free")
        self.town.credit(holder, cents)
        for lot, held in self.town.lots(holder).items():
            if more := held - before.get(lot, 0):
                self.months[lot], self.bound[lot] = month, restriction
                self.holders[holder][lot] = self.holders[holder].get(lot, 0) + more

    # What the model says

    def _fitting(self, lots: Lots, theme: str) -> list[int]:
        fit = [lot for lot, cents in lots.items() if cents and self.bound[lot] in ("", theme)]
        return sorted(fit, key=lambda lot: (self.months[lot], not self.bound[lot], lot))

    def _model_direct(
        self, holder: AccountNumber, asked: list[tuple[Plan, int]], overflow: Overflow
    ) -> list[tuple[int, Lots]] | str:
        """Return what each gets, or the code of the refusal."""
        purse = dict(self.holders[holder])
        if sum(purse.values()) < sum(cents for _, cents in asked):
            return "insufficient_rights"
        got: list[tuple[int, Lots]] = []
        closed: list[str] = []
        carried = 0
        for plan, cents in asked:
            wish = cents + carried
            lots: Lots = {}
            if plan.state != "open":
                closed.append("project_" + plan.state)
            elif plan.directed >= plan.target:
                closed.append("project_full")
            else:
                amount = min(wish, plan.target - plan.directed)
                fitting = self._fitting(purse, plan.theme)
                there = sum(purse[lot] for lot in fitting)
                if there < min(cents, amount):
                    return "lots_unfit"
                left = min(amount, there)
                for lot in fitting:
                    part = min(left, purse[lot])
                    if part:
                        move(purse, lots, lot, part)
                        left -= part
            taken = sum(lots.values())
            got.append((taken, lots))
            carried = wish - taken if overflow is Overflow.NEXT else 0
        if not any(taken for taken, _ in got):
            return closed[0]
        return got

    # What happens

    @rule(
        who=st.integers(0, 2),
        places=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True),
        cents=st.lists(st.integers(1, 70), min_size=3, max_size=3),
        overflow=st.sampled_from(Overflow),
    )
    def direct(self, who: int, places: list[int], cents: list[int], overflow: Overflow) -> None:
        holder = list(self.holders)[who]
        asked = [(self.plans[place], cents[place]) for place in places]
        request = self.town.ask(
            holder, *(self.town.choice(plan.number, wish) for plan, wish in asked), overflow=overflow
        )
        expected = self._model_direct(holder, asked, overflow)
        if isinstance(expected, str):
            assert _code_of(lambda: self.town.run(request)) == expected
            return
        view = self.town.run(request)
        assert [one.cents for one in view.placements] == [taken for taken, _ in expected]
        for (plan, _), placed, (taken, lots) in zip(asked, view.placements, expected, strict=True):
            if taken:
                given = Given(parse_id(placed.id), holder, {})
                for lot, part in lots.items():
                    move(self.holders[holder], given.held, lot, part)
                plan.given.append(given)
        assert self.town.run(request).is_repeat

    @rule(place=st.integers(0, 2), which=st.integers(0, 5), cents=st.one_of(st.none(), st.integers(1, 60)))
    def take_back(self, place: int, which: int, cents: int | None) -> None:
        plan = self.plans[place]
        if not plan.given:
            return
        given = plan.given[which % len(plan.given)]
        there = sum(given.held.values())
        wanted = there if cents is None else cents
        if plan.state != "open":
            assert _code_of(lambda: self.town.take_back(given.op, cents)) == "project_" + plan.state
            return
        if not 0 < wanted <= there:
            assert _code_of(lambda: self.town.take_back(given.op, cents)) == "not_directed"
            return
        assert self.town.take_back(given.op, cents).cents == wanted
        for lot in sorted(given.held, key=lambda lot: (-self.months[lot], -lot)):
            part = min(wanted, given.held[lot])
            move(given.held, self.holders[given.holder], lot, part)
            wanted -= part

    @rule(place=st.integers(0, 2))
    def commit(self, place: int) -> None:
        plan = self.plans[place]
        asked = CommitProject(self.town.id(), plan.id)
        self.asked = asked.id
        [told] = self.town.hear(asked)
        if plan.state == "closed":
            assert told == Refused(self.asked, "project_closed")
            return
        plan.state = "committed"
        supporters = {one.holder for one in plan.given if any(one.held.values()) or any(one.converted.values())}
        assert told == Support(plan.id, plan.directed, len(supporters))

    @precondition(lambda self: self.plans)
    @rule(place=st.integers(0, 2), cents=st.integers(1, 120))
    def convert(self, place: int, cents: int) -> None:
        plan = self.plans[place]
        if plan.state == "open" and cents % 2:
            self.commit(place)
        self.number += 1
        asked = self.town.convert(plan.id, cents, self.number)
        self.asked = asked.id
        [told] = self.town.hear(asked)
        if plan.state != "committed":
            assert told == Refused(self.asked, f"project_{plan.state}")
            return
        if cents > sum(sum(one.held.values()) for one in plan.given):
            assert told == Refused(self.asked, "insufficient_rights")
            return
        assert told == ProjectConverted(asked.id, (HOME,), (cents,), 0)
        taken: list[tuple[Given, int, int]] = []
        for given in plan.given:
            for lot in sorted(given.held, key=lambda lot: (self.months[lot], lot)):
                part = min(cents, given.held[lot])
                if part:
                    move(given.held, given.converted, lot, part)
                    self.converted[lot] = self.converted.get(lot, 0) + part
                    taken.append((given, lot, part))
                    cents -= part
        plan.rounds[asked.id] = taken

    @rule(place=st.integers(0, 2))
    def fund_refuses(self, place: int) -> None:
        plan = self.plans[place]
        if not plan.rounds:
            return
        op, taken = plan.rounds.popitem()
        self.town.hear(Refused(make_due_id(op, HOME), "order_refused"), sender=FUND)
        for given, lot, part in taken:
            move(given.converted, given.held, lot, part)
            move(self.converted, {}, lot, part)
        if plan.state == "closed":
            self._go_home(plan)

    @rule(place=st.integers(0, 2), is_reopened=st.booleans())
    def release(self, place: int, is_reopened: bool) -> None:
        plan = self.plans[place]
        if not plan.given or not any(plan.given[-1].held.values()):
            return
        self.town.release(plan.id)
        if is_reopened:
            self.town.reopen()
        plan.state = "closed"
        self._go_home(plan)

    def _go_home(self, plan: Plan) -> None:
        while self.town.let_go():
            continue
        for given in plan.given:
            for lot, cents in list(given.held.items()):
                move(given.held, self.holders[given.holder], lot, cents)

    @rule(theme=st.sampled_from(THEMES), size=st.integers(1, 200), place=st.integers(0, 2))
    def open_another(self, theme: str, size: int, place: int) -> None:
        if self.plans[place].state == "closed":
            self.plans[place] = self._open(theme, size)

    @invariant()
    def both_hold_the_same(self) -> None:
        if not hasattr(self, "town"):
            return
        for holder, lots in self.holders.items():
            assert self.town.lots(holder) == {lot: cents for lot, cents in lots.items() if cents}
        for plan in self.plans:
            held: Lots = {}
            for given in plan.given:
                for lot, cents in given.held.items():
                    held[lot] = held.get(lot, 0) + cents
            assert self.town.lots(plan.number) == {lot: cents for lot, cents in held.items() if cents}
            assert self.town.standing(plan.id).directed == plan.directed
        assert self.town.lots(CONVERTED) == {lot: cents for lot, cents in self.converted.items() if cents}


def _code_of(work: Any) -> str:
    try:
        work()
    except Refusal as refusal:
        return refusal.code
    return "done"


TestOrienting = Orienting.TestCase
TestOrienting.settings = settings(
    max_examples=5, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
