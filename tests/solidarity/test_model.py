"""The room of solidarity against a plain model: dictionaries of who gave, who is enrolled, who has what.

The model knows nothing of books or SQL, and deals cents one at a time. Whatever happens, both refuse alike, all balances
are the same, each lot is whole, and the base's own checks find nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from node.ledger.accounts import UNCLAIMED, AccountEvent
from node.solidarity.operations import Operation, OperationEvent
from node.solidarity.rules import PoolRule, Sharing
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16
from tests.solidarity.world import EVERYBODY, SolidarityTown

CEILING = 37
_ACCOUNTS = st.integers(0, 4)


@dataclass
class Drive:
    """An operation of the model. `pot` is what its account holds."""

    operation: Operation
    state: str = "open"
    pot: int = 0
    gifts: dict[Id16, tuple[AccountNumber, int]] = field(default_factory=dict)  # what may still go back
    due: list[tuple[AccountNumber, int]] = field(default_factory=list)


class Dealing(RuleBasedStateMachine):
    """Five people, one pool, operations one after another."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.town = SolidarityTown(f"sqlite:///{Path(self.folder.name) / 'accounts.db'}", at_once=2)
        self.pool = self.town.new_pool(PoolRule(givers=EVERYBODY, classes=1, sharing=Sharing.EQUAL, ceiling=CEILING))
        self.people = self.town.people(5)
        self.balances = dict.fromkeys(self.people, 0)
        self.states = dict.fromkeys(self.people, "open")
        self.enrolled: set[AccountNumber] = set()
        self.unclaimed = 0
        self.drives: list[Drive] = []
        for person in self.people:
            self.town.endow(100, month=202601 + len(self.drives), campaign=person)
            self.town.credit(person, 100)
            self.balances[person] = 100
        self._open()

    def teardown(self) -> None:
        if hasattr(self, "town"):
            assert self.town.findings() == []
            self.town.close()
            self.folder.cleanup()

    def _open(self) -> None:
        drive = Drive(self.town.new_operation(self.pool, until=20261118, starts=20261118, target=1))
        for one in self.drives:
            if one.state in ("closed", "cancelled"):
                drive.pot, one.pot = drive.pot + one.pot, 0
        self.drives.append(drive)

    @property
    def last(self) -> Drive:
        return self.drives[-1]

    @rule(who=_ACCOUNTS, cents=st.integers(1, 60))
    def give(self, who: int, cents: int) -> None:
        person, drive = self.people[who], self.last
        gift = self.town.id()
        code = _code_of(lambda: self.town.cede(person, drive.operation.number, cents, op=gift))
        expected = {"frozen": "account_frozen", "closed": "account_closed"}.get(self.states[person], "")
        if not expected and cents > self.balances[person]:
            expected = "insufficient_rights"
        assert code == expected
        if code:
            return
        self.town.work_once()
        if drive.state in ("open", "cancelling"):  # of what is cancelled it is the last that goes back
            self.balances[person] -= cents
            drive.pot += cents
            drive.gifts[gift] = (person, cents)
        self._page(drive)  # in any other state it came too late, and is back already

    @rule(cents=st.integers(1, 90))
    def give_as_company(self, cents: int) -> None:
        self.town.give_as_company(self.last.operation, cents)
        self.last.pot += cents
        self.town.work_once()
        self._page(self.last)

    @precondition(lambda self: self.last.gifts)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        gift = data.draw(st.sampled_from(sorted(self.last.gifts)))
        person, cents = self.last.gifts[gift]
        code = _code_of(lambda: self.town.take_gift_back(gift))
        assert code == ("" if self.last.state == "open" else "solidarity_operation_ended")
        if code:
            return
        del self.last.gifts[gift]
        self.last.pot -= cents
        self._return(person, cents)

    def _return(self, person: AccountNumber, cents: int) -> None:
        if self.states[person] == "closed":
            self.unclaimed += cents
        else:
            self.balances[person] += cents

    @rule(who=_ACCOUNTS, is_in=st.booleans())
    def enrol(self, who: int, is_in: bool) -> None:
        person = self.people[who]
        [code] = self.town.enrol(self.pool, person, number=int(is_in)).codes
        if is_in and self.states[person] == "closed":
            assert code == "account_closed"
        elif is_in:
            self.enrolled.add(person)
        else:
            self.enrolled.discard(person)

    @rule(who=_ACCOUNTS, event=st.sampled_from(["freeze", "reopen", "close"]))
    def change(self, who: int, event: str) -> None:
        person = self.people[who]
        code = _code_of(lambda: self.town.change(person, AccountEvent(event)))
        expected = ""
        if self.states[person] == "closed":
            expected = "" if event == "close" else "account_closed"
        elif event == "close" and self.balances[person]:
            expected = "account_not_empty"
        assert code == expected
        if code:
            return
        self.states[person] = {"freeze": "frozen", "reopen": "open", "close": "closed"}[event]

    @rule()
    def share(self) -> None:
        drive = self.last
        able = [one for one in self.enrolled if self.states[one] == "open"]
        code = _code_of(lambda: self.town.order(drive.operation, OperationEvent.SHARE))
        if drive.state != "open":
            expected = "solidarity_operation_ended"
        elif not drive.pot:
            expected = "solidarity_operation_running"  # its day is not over, and its target of one cent not reached
        else:
            expected = "" if able else "nobody_to_share_with"
        assert code == expected
        if code:
            return
        shares = self.town.shares(drive.operation)
        assert {share.account for share in shares} == set(able)
        got = [0] * len(able)
        for at in range(min(drive.pot, CEILING * len(able))):
            got[at % len(able)] += 1
        assert [share.cents for share in shares] == got
        drive.state = "sharing"
        drive.gifts = {}
        drive.due = [(AccountNumber(share.account), share.cents) for share in shares]

    def _page(self, drive: Drive) -> None:
        """What a page of work does to an operation."""
        if drive.state == "sharing":
            page, drive.due = drive.due[:2], drive.due[2:]
            for person, cents in page:
                if self.states[person] == "open":
                    self.balances[person] += cents
                    drive.pot -= cents
            if not drive.due:
                drive.state = "shared"
        elif drive.state == "cancelling":
            for gift in list(drive.gifts)[:2]:
                person, cents = drive.gifts.pop(gift)
                drive.pot -= cents
                self._return(person, cents)
            if not drive.gifts:
                drive.state = "cancelled"

    @rule()
    def work(self) -> None:
        if self.last.state in ("sharing", "cancelling"):
            self.town.go_on(self.last.operation)
            self._page(self.last)

    @rule(event=st.sampled_from([OperationEvent.CANCEL, OperationEvent.CLOSE]))
    def decide(self, event: OperationEvent) -> None:
        drive = self.last
        code = _code_of(lambda: self.town.order(drive.operation, event))
        if event is OperationEvent.CANCEL:
            expected = "" if drive.state == "open" else "solidarity_operation_ended"
        else:
            expected = "" if drive.state == "shared" else "solidarity_operation_not_shared"
        assert code == expected
        if code:
            return
        drive.state = "cancelling" if event is OperationEvent.CANCEL else "closed"

    @precondition(lambda self: self.last.state in ("closed", "cancelled"))
    @rule()
    def open_another(self) -> None:
        self._open()

    @rule()
    def crash(self) -> None:
        self.town.reopen()

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        if not hasattr(self, "town"):
            return
        assert {person: self.town.balance(person) for person in self.people} == self.balances
        assert self.town.balance(self.drives[-1].operation.number) == self.last.pot
        assert self.town.operation(self.last.operation.op).state == self.last.state
        assert self.town.balance(UNCLAIMED) == self.unclaimed


def _code_of(work: Callable[[], object]) -> str:
    """Return the code of the refusal, or nothing where it was done."""
    try:
        work()
    except Refusal as refusal:
        return str(refusal.code)
    return ""


TestDealing = Dealing.TestCase
TestDealing.settings = settings(
    max_examples=3,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
