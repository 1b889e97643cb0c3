"""What the law asks of miles, over whole stories: grants, refunds, orientations and euros in any order."""

from __future__ import annotations

import inspect
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from node.partners import campaigns, purchases
from node.partners.campaigns import Budget, Campaign, Funding, Terms, restore, spend
from node.partners.errors import GrantRefused, OwnGroup, RefundTooLarge
from node.partners.purchases import Grant, decide, refund
from protocol.amounts import Cents
from tests.partners import values
from tests.partners.values import ALICE, BAKERY, BOB, OTHER, SISTER, make_campaign, make_purchase

GROUP = frozenset({BAKERY, SISTER})


class Miles(RuleBasedStateMachine):
    """One campaign. Beside the code under test, plain sums are kept of what was granted, taken back and oriented."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.granted = self.taken = self.oriented = self.funded = self.sales = 0
        self.holdings: dict[int, tuple[Grant, int, int]] = {}  # grant, granted, oriented
        self.today: dict[str, int] = {}

    @initialize(terms=values.terms(), funded=st.integers(0, 5_000))
    def start(self, terms: Terms, funded: int) -> None:
        self.campaign: Campaign = make_campaign(terms)
        self.funded = funded
        self.budget = Budget(
            funding=terms.funding, ceiling=terms.ceilings.campaign, funded=Cents(funded), spent=Cents(0)
        )

    @rule(target=held, sale=st.integers(1, 30_000), holder=st.sampled_from([ALICE, BOB]))
    def buy(self, sale: int, holder: str) -> int:
        purchase = make_purchase(sale=sale, holder=values.AccountNumber(holder))
        today = self.today.get(holder, 0)
        try:
            granted = decide(self.campaign, purchase, holder_spent_today=Cents(today), budget=self.budget, group=GROUP)
        except GrantRefused:
            return -1
        self.budget = spend(self.budget, granted)
        self.granted += granted
        self.today[holder] = today + granted
        day_ceiling = self.campaign.terms.ceilings.day_and_holder
        assert day_ceiling is None or self.today[holder] <= day_ceiling
        self.sales += 1
        self.holdings[self.sales] = (Grant(sale=Cents(sale), granted=granted), granted, 0)
        return self.sales

    @rule(own=st.sampled_from([BAKERY, SISTER]), sale=st.integers(1, 30_000))
    def buy_from_oneself(self, own: str, sale: int) -> None:
        purchase = make_purchase(sale=sale, buyer=values.Siren(own))
        try:
            decide(self.campaign, purchase, holder_spent_today=Cents(0), budget=self.budget, group=GROUP)
        except OwnGroup:
            return
        raise AssertionError("a company granted miles to itself or its group")

    @rule(which=held, cents=st.integers(1, 3_000))
    def orient(self, which: int, cents: int) -> None:
        if which not in self.holdings:
            return
        grant, granted, oriented = self.holdings[which]
        cents = min(cents, granted - grant.taken_back - oriented)
        self.oriented += cents
        self.holdings[which] = (grant, granted, oriented + cents)

    @rule(which=held, cents=st.integers(1, 30_000))
    def refund(self, which: int, cents: int) -> None:
        if which not in self.holdings:
            return
        grant, granted, oriented = self.holdings[which]
        try:
            done = refund(grant, Cents(cents), unoriented=Cents(granted - grant.taken_back - oriented))
        except RefundTooLarge:
            assert grant.refunded + cents > grant.sale
            return
        self.budget = restore(self.budget, done.taken)
        self.taken += done.taken
        self.holdings[which] = (done.grant, granted, oriented)

    @rule(which=consumes(held))
    def refund_the_rest(self, which: int) -> None:
        if which in self.holdings:
            grant = self.holdings[which][0]
            if grant.refunded < grant.sale:
                self.refund(which, grant.sale - grant.refunded)
            grant, granted, oriented = self.holdings[which]
            if oriented == 0:
                assert grant.taken_back == granted

    @rule(cents=st.integers(1, 2_000))
    def pay_in(self, cents: int) -> None:
        self.funded += cents
        self.budget = replace(self.budget, funded=Cents(self.budget.funded + cents))

    @invariant()
    def no_budget_below_zero(self) -> None:
        if hasattr(self, "budget"):
            assert self.budget.left >= 0

    @invariant()
    def every_cent_granted_is_budget_spent(self) -> None:
        if hasattr(self, "budget"):
            assert self.budget.spent == self.granted - self.taken

    @invariant()
    def what_is_out_never_exceeds_the_euros_or_the_pledge(self) -> None:
        if hasattr(self, "budget"):
            terms = self.campaign.terms
            assert self.granted - self.taken <= terms.ceilings.campaign
            if terms.funding is Funding.PREFUNDED:
                assert self.granted - self.taken <= self.funded

    @invariant()
    def refunds_never_exceed_grants_nor_touch_what_is_oriented(self) -> None:
        assert self.taken <= self.granted - self.oriented
        for grant, granted, oriented in self.holdings.values():
            assert grant.taken_back <= granted - oriented


TestMiles = Miles.TestCase
TestMiles.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_there_is_no_way_from_a_budget_back_to_the_company() -> None:
    """Nothing that makes a budget takes euros out of it: only `spend` and `restore` return one, and neither pays in."""
    makers = {
        name
        for module in (campaigns, purchases)
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__ and "Budget" in str(made.__annotations__.get("return", ""))
    }
    assert makers == {"spend", "restore", "decide_batch"}
    budget = Budget(funding=Funding.PREFUNDED, ceiling=Cents(10), funded=Cents(10), spent=Cents(5))
    assert {spend(budget, Cents(1)).funded, restore(budget, Cents(1)).funded} == {Cents(10)}


def test_another_company_may_be_a_customer() -> None:
    campaign = make_campaign()
    granted = decide(
        campaign,
        make_purchase(buyer=OTHER),
        holder_spent_today=Cents(0),
        budget=values.make_budget(campaign),
        group=GROUP,
    )
    assert granted == 50
