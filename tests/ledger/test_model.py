"""The ledger against a model of it in plain Python that shares no code with it: same answers, same balances, always."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from node.ledger.accounts import BORDER, TRANSIT, UNCLAIMED, AccountEvent, AccountKind, abroad
from node.ledger.openings import ChangeState
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance
from node.ledger.reservations import Reserve
from node.ledger.reversals import Reverse
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import Id16
from protocol.times import Instant
from tests.ledger.world import PEER, World

K = PostingKind
MONTHS = {1: 202603, 2: 202601, 3: 202602, 4: 202601}  # lot -> month; lot 4 is foreign
amounts = st.integers(1, 120)


@dataclass
class Held:
    """An account of the model: cents by lot, its state, what is reserved."""

    state: str = "open"
    lots: dict[int, int] = field(default_factory=dict)
    reserved: int = 0

    @property
    def cents(self) -> int:
        return sum(self.lots.values())

    @property
    def available(self) -> int:
        return self.cents - self.reserved


class Model:
    """What must happen, said in another way: one dict an account, one pass an answer."""

    def __init__(self) -> None:
        self.accounts: dict[Any, Held] = {}
        self.credits: dict[bytes, tuple[Any, Any, list[list[int]]]] = {}
        self.answers: dict[bytes, Any] = {}
        self.reserved: dict[bytes, list[Any]] = {}

    def give(self, debit: Any, credit: Any, draws: list[tuple[int, int]]) -> None:
        for lot, cents in draws:
            if debit is not None:
                self.accounts[debit].lots[lot] -= cents
            if credit is not None:
                lots = self.accounts[credit].lots
                lots[lot] = lots.get(lot, 0) + cents

    def oldest(self, account: Any, cents: int) -> list[tuple[int, int]]:
        draws = []
        for lot in sorted(self.accounts[account].lots, key=lambda lot: (MONTHS[lot], lot)):
            taken = min(cents, self.accounts[account].lots[lot])
            if taken:
                draws.append((lot, taken))
                cents -= taken
        return draws

    def refuse(self, debit: Any, credit: Any, cents: int, freed: int = 0, *, is_return: bool = False) -> str | None:
        if debit is not None and self.accounts[debit].state != "open":
            return f"account_{self.accounts[debit].state}"
        if credit is not None and self.accounts[credit].state != "open" and not is_return:
            return f"account_{self.accounts[credit].state}"
        if debit is not None and self.accounts[debit].available + freed < cents:
            return "insufficient_rights"
        return None


class LedgerMachine(RuleBasedStateMachine):
    """Random use of the ledger by people, peers, tills and restarts."""

    open_world: Callable[[], World]

    people = Bundle("people")
    departures = Bundle("departures")
    credits = Bundle("credits")
    asked = Bundle("asked")
    reservations = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).open_world()
        self.model = Model()

    def teardown(self) -> None:
        findings = self.world.findings()
        self.world.close()
        assert findings == []

    @initialize(target=people)
    def begin(self) -> Any:
        world = self.world
        self.pool = world.pool()
        for lot in (1, 2, 3):
            world.endow(self.pool, 400, month=MONTHS[lot])
        assert world.foreign_lot(month=MONTHS[4]) == 4
        self.model.accounts[self.pool] = Held(lots={1: 400, 2: 400, 3: 400})
        for key in (TRANSIT, UNCLAIMED, abroad(PEER)):
            self.model.accounts[key] = Held()
        return multiple(*(self.open_person() for _ in range(3)))

    def open_person(self) -> Any:
        number = self.world.open(AccountKind.PERSON)
        self.model.accounts[number] = Held()
        return number

    def post(self, posting: Posting) -> Any:
        """Post, and return (code, None) or (None, draws)."""
        (answer,) = self.world.post_together([posting])
        if isinstance(answer, Refusal):
            return answer.code, None
        return None, [(int(lot), int(cents)) for lot, cents in answer.draws]

    def compare(self, posting: Posting, refusal: str | None, draws: list[tuple[int, int]]) -> bool:
        """Post and hold the answer against the model's; return whether it was done."""
        told = self.post(posting)
        expected = (refusal, None) if refusal else (None, draws)
        assert told == expected
        self.model.answers[posting.op] = expected
        return refusal is None

    @rule(target=people)
    def join(self) -> Any:
        return self.open_person()

    @rule(target=credits, person=people, cents=amounts)
    def credit(self, person: Any, cents: int) -> Any:
        model = self.model
        refusal = model.refuse(self.pool, person, cents)
        draws = [] if refusal else model.oldest(self.pool, cents)
        posting = self.world.posting(self.pool, person, cents)
        if not self.compare(posting, refusal, draws):
            return multiple()
        model.give(self.pool, person, draws)
        model.credits[posting.op] = (self.pool, person, [list(draw) for draw in draws])
        return posting

    @rule(target=asked, giver=people, taker=people, cents=amounts)
    def cede(self, giver: Any, taker: Any, cents: int) -> Any:
        if giver == taker:
            return multiple()
        refusal = self.model.refuse(giver, taker, cents)
        draws = [] if refusal else self.model.oldest(giver, cents)
        posting = self.world.posting(giver, taker, cents, K.CESSION)
        if self.compare(posting, refusal, draws):
            self.model.give(giver, taker, draws)
        return posting

    @rule(pairs=st.lists(st.tuples(people, people, amounts), min_size=2, max_size=6))
    def cede_in_one_page(self, pairs: list[tuple[Any, Any, int]]) -> None:
        postings, expected = [], []
        for giver, taker, cents in pairs:
            if giver == taker:
                continue
            refusal = self.model.refuse(giver, taker, cents)
            draws = [] if refusal else self.model.oldest(giver, cents)
            self.model.give(giver, taker, draws)
            postings.append(self.world.posting(giver, taker, cents, K.CESSION))
            expected.append(refusal or draws)
        answers = self.world.post_together(postings) if postings else []
        assert [a.code if isinstance(a, Refusal) else [tuple(d) for d in a.draws] for a in answers] == expected

    @rule(posting=asked)
    def ask_again(self, posting: Posting) -> None:
        assert self.post(posting) == self.model.answers[posting.op]

    @rule(posting=asked, more=st.integers(1, 5))
    def ask_something_else_under_the_same_id(self, posting: Posting, more: int) -> None:
        other = self.world.posting(posting.debit, posting.credit, posting.cents + more, posting.kind, op=posting.op)
        assert self.post(other) == ("id_mismatch", None)

    @rule(target=departures, person=people, cents=amounts)
    def leave(self, person: Any, cents: int) -> Any:
        refusal = self.model.refuse(person, None, cents)
        draws = [] if refusal else self.model.oldest(person, cents)
        posting = self.world.posting(person, TRANSIT, cents, K.CEDE_OUT)
        if not self.compare(posting, refusal, draws):
            return multiple()
        self.model.give(person, TRANSIT, draws)
        return person, draws

    @rule(departure=consumes(departures))
    def arrive(self, departure: Any) -> None:
        """Home lots are then held abroad; foreign lots leave this book."""
        for lot, cents in departure[1]:
            to = BORDER if lot == 4 else abroad(PEER)
            posting = self.world.posting(TRANSIT, to, cents, K.DELIVERED, draws=((lot, Cents(cents)),))
            assert self.compare(posting, None, [(lot, cents)])
            self.model.give(TRANSIT, None if lot == 4 else abroad(PEER), [(lot, cents)])

    @rule(departure=consumes(departures))
    def come_back(self, departure: Any) -> None:
        person, draws = departure
        total = sum(cents for _, cents in draws)
        posting = self.world.posting(TRANSIT, person, total, K.RETURNED, draws=tuple(draws))
        assert self.compare(posting, None, draws)
        self.model.give(TRANSIT, UNCLAIMED if self.model.accounts[person].state == "closed" else person, draws)

    @rule(person=people, cents=amounts, lot=st.sampled_from([1, 2, 3, 4]))
    def come_in(self, person: Any, cents: int, lot: int) -> None:
        key = None if lot == 4 else abroad(PEER)
        refusal = self.model.refuse(None, person, cents)
        if refusal is None and key is not None and self.model.accounts[key].lots.get(lot, 0) < cents:
            refusal = "insufficient_rights"
        draws = ((lot, Cents(cents)),)
        posting = self.world.posting(key or BORDER, person, cents, K.CEDE_IN, draws=draws)
        if self.compare(posting, refusal, [(lot, cents)]):
            self.model.give(key, person, [(lot, cents)])

    @rule(credit=credits, cents=st.none() | amounts)
    def reverse(self, credit: Posting, cents: int | None) -> None:
        pool, person, parts = self.model.credits[credit.op]
        holder = self.model.accounts[person]
        left = sum(part[1] for part in parts)
        wanted = left if cents is None else min(cents, left)
        taken, room = [], holder.available
        for part in reversed(parts):
            take = min(wanted, part[1], holder.lots.get(part[0], 0), room)
            if take > 0:
                taken.append((part, take))
                wanted -= take
                room -= take
        asked = Reverse(op=self.world.id(), undone=credit.op, cents=None if cents is None else Cents(cents))
        (answer,) = self.world.book.write_all_now(self.world.ledger.reverse, [asked])
        if holder.state == "frozen":
            assert answer.code == "account_frozen"
        elif not taken:
            assert answer.code == "nothing_to_reverse"
        else:
            assert [tuple(draw) for draw in answer.draws] == [(part[0], take) for part, take in taken]
            assert answer.asked == (left if cents is None else cents)
            for part, take in taken:
                part[1] -= take
                self.model.give(person, pool, [(part[0], take)])

    @rule(target=reservations, person=people, cents=amounts, lasting=st.integers(1, 5))
    def reserve(self, person: Any, cents: int, lasting: int) -> Any:
        asked = Reserve(
            op=self.world.id(),
            account=person,
            cents=Cents(cents),
            expires_at=Instant(self.world.clock.now + lasting),
        )
        (answer,) = self.world.book.write_all_now(self.world.ledger.reserve, [asked])
        refusal = self.model.refuse(person, None, cents)
        if refusal:
            assert answer.code == refusal
            return multiple()
        self.model.accounts[person].reserved += cents
        self.model.reserved[asked.op] = [person, cents, asked.expires_at]
        return asked.op

    @rule(op=consumes(reservations), taker=people, cents=amounts)
    def use(self, op: Id16, taker: Any, cents: int) -> None:
        person, kept, expires_at = self.model.reserved[op]
        if taker == person:
            return
        refusal = self.model.refuse(person, taker, cents, kept)
        if refusal in (None, "insufficient_rights"):
            if expires_at is None or expires_at <= self.world.clock.now:
                refusal = "reservation_expired"
            elif cents > kept:
                refusal = "reservation_too_small"
        draws = [] if refusal else self.model.oldest(person, cents)
        posting = self.world.posting(person, taker, cents, K.CESSION, reservation=op)
        if self.compare(posting, refusal, draws):
            self.model.give(person, taker, draws)
            self.model.accounts[person].reserved -= kept
            del self.model.reserved[op]

    @rule(op=consumes(reservations))
    def release(self, op: Id16) -> None:
        (answer,) = self.world.book.write_all_now(self.world.ledger.release, [op])
        assert not isinstance(answer, Refusal)
        person, kept, _ = self.model.reserved.pop(op, (None, 0, 0))
        if person is not None:
            self.model.accounts[person].reserved -= kept

    @rule(later=st.integers(1, 4))
    def wait_and_sweep(self, later: int) -> None:
        self.world.clock.now += later
        now = self.world.clock.now
        over = [op for op, (_, _, end) in self.model.reserved.items() if end is not None and end <= now]
        swept = self.world.ledger.write_now(self.world.ledger.expire_reservations, 1_000)
        assert swept == len(over)
        for op in over:
            person, kept, _ = self.model.reserved[op]
            self.model.accounts[person].reserved -= kept
            self.model.reserved[op] = [person, 0, None]  # swept

    @rule(person=people, event=st.sampled_from(list(AccountEvent)))
    def change(self, person: Any, event: AccountEvent) -> None:
        holder = self.model.accounts[person]
        asked = ChangeState(account=person, event=event)
        (answer,) = self.world.book.write_all_now(self.world.ledger.change_states, [asked])
        if holder.state == "closed" and event is not AccountEvent.CLOSE:
            assert answer.code == "account_closed"
        elif event is AccountEvent.CLOSE and holder.state != "closed" and (holder.cents or holder.reserved):
            assert answer.code == "account_not_empty"
        else:
            holder.state = {"freeze": "frozen", "reopen": "open", "close": "closed"}[event]
            assert answer.state == holder.state

    @rule()
    def restart(self) -> None:
        self.world.reopen()

    @invariant()
    def balances_agree(self) -> None:
        def read(connection: Any) -> dict[Any, Any]:
            return {key: load_balance(connection, key) for key in self.model.accounts}

        for key, balance in self.world.book.read_now(read).items():
            holder = self.model.accounts[key]
            assert (balance.cents, balance.reserved) == (holder.cents, holder.reserved)
            assert {lot.lot: lot.cents for lot in balance.lots} == {k: v for k, v in holder.lots.items() if v}


@pytest.mark.timeout(300)
def test_the_ledger_answers_as_the_model_does(fresh_url: Callable[[], str]) -> None:
    is_sqlite = fresh_url().startswith("sqlite")
    effort = settings(
        max_examples=12 if is_sqlite else 4,
        stateful_step_count=40,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes a second: read it as it is
        suppress_health_check=list(HealthCheck),
    )
    machine = type("Machine", (LedgerMachine,), {"open_world": staticmethod(lambda: World(fresh_url()))})
    run_state_machine_as_test(machine, settings=effort)


def test_the_model_itself_moves_nothing_that_is_not_there() -> None:
    model = Model()
    model.accounts = {"a": Held(lots={1: 5, 2: 5}), "b": Held()}
    assert model.refuse("a", "b", 11) == "insufficient_rights"
    assert model.oldest("a", 7) == [(2, 5), (1, 2)]
    model.give("a", "b", model.oldest("a", 7))
    assert (model.accounts["a"].cents, model.accounts["b"].cents) == (3, 7)
