"""Any story of sales, refunds, claims, files, payments and losses: the sums hold after every step.

The oracle counts by itself, from what the bases answered: it asks no table and none of the rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, text

from node.ledger.accounts import AccountKind
from node.ledger.reading_service import load_totals
from node.partners.campaigns import CampaignEvent, CampaignState, Ceilings
from node.partners.campaigns_service import ExpectMore, LeadCampaign
from node.partners.checks import check_partners
from node.partners.operations_service import BeginRun, StartRun
from node.partners.sales import SaleAnswer, SaleState
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import Id16
from tests.partners.house import ACCOUNTS, BREST, PARTNERS, TODAY, House, make_terms
from tests.partners.test_claims import claim
from tests.partners.test_refunds import ask
from tests.partners.test_runs import make_file, pieces, row

PEOPLE = 3
sums = st.integers(1, 20_000)
people = st.integers(0, PEOPLE - 1)


@contextlib.contextmanager
def allow(*codes: str) -> Iterator[None]:
    """Let these refusals pass: whether one comes depends on the story."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code not in codes:
            raise


class Story(RuleBasedStateMachine):
    """One campaign of one company; what may happen to it, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.house = House(lambda name: f"sqlite:///{self.folder / name}.db")
        self.count = 0
        self.sold: list[tuple[str, int]] = []  # what was sold, by id
        self.tickets: list[str] = []
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        self.exchange()
        wrongs = self.house.find_wrongs()
        total, promised = self.house.campaign(self.uid), self.read_promised()
        held = sum(self.house.balance(one) for one in (*self.people, self.project))
        in_pool = self.house.balance(total.pool or "")
        self.house.close()
        self.loop.close()
        shutil.rmtree(self.folder)
        assert wrongs == []
        # All was answered: what the accounts hold is what the companies' base says.
        assert in_pool + held == total.funded
        assert held + promised == total.spent

    def exchange(self, drops: float = 0.0) -> None:
        self.loop.run_until_complete(self.house.exchange(lambda _what: drops > 0 and self.house.dice.random() < drops))

    def read_promised(self) -> int:
        """What is spent and not told yet: open tickets, and rows of files that are not booked."""

        def find(connection: Connection) -> int:
            tickets = connection.execute(text("SELECT coalesce(sum(cents), 0) FROM vouchers WHERE state = 'open'"))
            aside = connection.execute(text("SELECT coalesce(sum(aside), 0) FROM runs"))
            return int(tickets.scalar_one()) + int(aside.scalar_one())

        return int(self.house.read(find))

    @initialize(paid=st.integers(0, 3_000), day=st.none() | st.integers(50, 400))
    def begin(self, paid: int, day: int | None) -> None:
        ceilings = Ceilings(campaign=Cents(5_000), day_and_holder=None if day is None else Cents(day))
        self.uid: Id16 = self.loop.run_until_complete(self.house.run(make_terms(ceilings=ceilings), paid=paid))
        self.till, _ = self.house.till()
        self.people = [self.house.account() for _ in range(PEOPLE)]
        self.project = self.house.account(AccountKind.PROJECT)

    @rule(holder=people, sale=sums)
    def sell(self, holder: int, sale: int) -> None:
        self._sell(self.people[holder], sale)

    @rule(sale=sums)
    def sell_without_name(self, sale: int) -> None:
        answer = self._sell(None, sale)
        if answer.state is SaleState.VOUCHER:
            self.tickets.append(answer.ticket or "")

    @rule(sale=sums)
    def sell_to_nobody(self, sale: int) -> None:
        self._sell("ZZZZZZZZ", sale)

    def _sell(self, holder: str | None, sale: int) -> SaleAnswer:
        self.count += 1
        before = self.house.campaign(self.uid)
        answer = self.house.sell(self.till, self.uid, f"s{self.count}", holder, sale)
        after = self.house.campaign(self.uid)
        assert after.spent == before.spent + answer.cents
        assert (answer.cents > 0) is (answer.state is not SaleState.REFUSED)
        self.sold.append((f"s{self.count}", sale))
        return answer

    @precondition(lambda self: self.sold)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        id_, sale = data.draw(st.sampled_from(self.sold))
        self.count += 1
        with allow("refund_too_large"):
            ask(self.house, self.till, id_, f"r{self.count}", data.draw(st.integers(1, sale)))

    @precondition(lambda self: self.tickets)
    @rule(data=st.data(), holder=people)
    def claim(self, data: st.DataObject, holder: int) -> None:
        with allow("ticket_claimed", "ticket_void", "day_ceiling_reached", "ticket_expired"):
            claim(self.house, data.draw(st.sampled_from(self.tickets)), self.people[holder])

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def claim_for_nobody(self, data: st.DataObject) -> None:
        with allow("ticket_claimed", "ticket_void", "day_ceiling_reached", "ticket_expired"):
            claim(self.house, data.draw(st.sampled_from(self.tickets)), "ZZZZZZZZ")

    @rule()
    def expire(self) -> None:
        later = TODAY + datetime.timedelta(days=365)
        self.loop.run_until_complete(self.house.partners.expire_tickets(later))

    @rule(amounts=st.lists(st.tuples(people, st.integers(1, 300)), min_size=1, max_size=5))
    def book_a_file(self, amounts: list[tuple[int, int]]) -> None:
        lines = []
        for holder, cents in amounts:
            self.count += 1
            lines.append(row(self.count, self.people[holder], f"{cents // 100},{cents % 100:02d}"))
        data = make_file(lines)
        operations = self.house.partners.operations
        begin = BeginRun(id=self.house.new_id(), campaign=self.uid, digest=hashlib.sha256(data).digest(), name="staff")
        run = operations.load(begin, pieces(data))
        with allow("operations_file_refused", "budget_too_small", "campaign_not_running"):
            self.house.write(operations.start, StartRun(run=run.id, skips_wrong=True))

    @rule()
    def go_on_with_files(self) -> None:
        self.house.partners.continue_runs()

    @rule(cents=st.integers(1, 1_000))
    def pay_more(self, cents: int) -> None:
        id_ = self.house.new_id()
        due = TODAY + datetime.timedelta(days=30)
        more = ExpectMore(id=id_, campaign=self.uid, cents=Cents(cents), due=due)
        self.house.write(self.house.partners.campaigns.expect, more)
        self.exchange()
        self.house.fund.receive(id_, cents, self.house.new_id(), TODAY)

    @rule(holder=people, cents=st.integers(1, 200))
    def orient(self, holder: int, cents: int) -> None:
        held = self.house.balance(self.people[holder])
        if held:
            self.house.orient(self.people[holder], self.project, min(held, cents))

    @rule(event=st.sampled_from([CampaignEvent.PAUSED, CampaignEvent.RESUMED]))
    def lead(self, event: CampaignEvent) -> None:
        if self.house.campaign(self.uid).campaign.state is not CampaignState.ENDED:
            self.house.write(self.house.partners.campaigns.lead, LeadCampaign(campaign=self.uid, event=event))

    @rule(drops=st.sampled_from([0.0, 0.5]))
    def talk(self, drops: float) -> None:
        self.exchange(drops)

    @rule(name=st.sampled_from([PARTNERS, ACCOUNTS]))
    def restart(self, name: str) -> None:
        self.house.reopen(name)

    @invariant()
    def the_budget_is_what_came_and_nothing_is_beyond_it(self) -> None:
        if not hasattr(self, "uid"):
            return
        row_ = self.house.campaign(self.uid)
        assert 0 <= row_.spent <= min(row_.funded, 5_000)
        assert row_.spent + row_.budget.left == min(row_.funded, 5_000)
        issued = self.house.books[ACCOUNTS].read_now(lambda line: int(load_totals(line, BREST).issued))
        assert issued >= row_.funded, "the budget never runs ahead of euros"

    @invariant()
    def the_base_adds_itself_up(self) -> None:
        checked = self.house.books[PARTNERS].read_now(check_partners)
        assert [finding for one in checked for finding in one.findings] == []


TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
