"""Campaigns: terms, states, history and budgets."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.campaigns import (
    NEXT_STATE,
    STEPS_MAX,
    Budget,
    Campaign,
    CampaignEvent,
    CampaignState,
    Ceilings,
    FixedSum,
    Funding,
    PercentOfSale,
    Restriction,
    RestrictionKind,
    Step,
    advance,
    amend,
    draft,
    restore,
    spend,
    state_at,
)
from node.partners.errors import BudgetTooSmall, CampaignStepRefused, InvalidCampaign, OwnGroup
from protocol.amounts import Cents
from protocol.errors import InvalidAmount, InvalidTerritory
from protocol.identifiers import Id16
from protocol.times import Instant
from tests.partners.values import BAKERY, NOON, OTHER, SISTER, make_campaign, make_terms

_S = CampaignState
_E = CampaignEvent

# The diagram of the module, said again as a list of arrows; all that is not here must be refused.
ARROWS = {
    ("draft", "started"): "running",
    ("draft", "ended"): "ended",
    ("running", "started"): "running",
    ("running", "resumed"): "running",
    ("running", "paused"): "paused",
    ("running", "ended"): "ended",
    ("paused", "paused"): "paused",
    ("paused", "resumed"): "running",
    ("paused", "ended"): "ended",
    ("ended", "ended"): "ended",
}


def _draft() -> Campaign:
    return draft(id=Id16(b"campaign-number1"), company=BAKERY, terms=make_terms(), group=frozenset(), at=Instant(0))


def test_the_table_names_every_state_and_only_the_arrows_of_the_diagram() -> None:
    told = {
        (state.value, event.value): after.value for state, row in NEXT_STATE.items() for event, after in row.items()
    }
    assert told == ARROWS
    assert NEXT_STATE.keys() == set(_S)


@given(st.lists(st.tuples(st.sampled_from(_E), st.integers(0, 50)), max_size=20))
def test_any_story_goes_along_the_arrows_and_every_moment_has_its_state(story: list[tuple[_E, int]]) -> None:
    campaign = _draft()
    state, clock = "draft", 0
    entered = {0: "draft"}  # the last state entered at each millisecond
    for event, at in story:
        after = ARROWS.get((state, event.value))
        if after is None:
            with pytest.raises(CampaignStepRefused):
                advance(campaign, event, Instant(at))
            continue
        before = campaign
        campaign = advance(campaign, event, Instant(at))
        if after == state:
            assert campaign is before
            continue
        state, clock = after, max(clock, at)
        entered[clock] = state
        assert campaign.state == state
    told = "draft"
    for moment in range(60):
        told = entered.get(moment, told)
        assert state_at(campaign, Instant(moment)) == told


def test_a_campaign_paused_for_ever_can_still_end() -> None:
    campaign = advance(_draft(), _E.STARTED, Instant(1))
    for at in range(STEPS_MAX - 3):
        campaign = advance(campaign, _E.RESUMED if campaign.state is _S.PAUSED else _E.PAUSED, Instant(at))
    with pytest.raises(CampaignStepRefused):
        advance(campaign, _E.RESUMED if campaign.state is _S.PAUSED else _E.PAUSED, Instant(9))
    assert advance(campaign, _E.ENDED, Instant(9)).state is _S.ENDED


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Step(state=_S.RUNNING, at=Instant(0)),),
        (Step(state=_S.DRAFT, at=Instant(0)), Step(state=_S.PAUSED, at=Instant(1))),
        (Step(state=_S.DRAFT, at=Instant(0)), Step(state=_S.DRAFT, at=Instant(1))),
        (Step(state=_S.DRAFT, at=Instant(1)), Step(state=_S.RUNNING, at=Instant(0))),
    ],
)
def test_a_history_that_cannot_be_is_refused(steps: tuple[Step, ...]) -> None:
    with pytest.raises(InvalidCampaign):
        replace(_draft(), steps=steps)


def test_terms_change_only_in_draft() -> None:
    other = replace(make_terms(), title="Autre")
    assert amend(_draft(), other, group=frozenset()).terms.title == "Autre"
    with pytest.raises(CampaignStepRefused):
        amend(make_campaign(), other, group=frozenset())


def test_a_campaign_is_never_restricted_to_its_own_group() -> None:
    for own in (BAKERY, SISTER):
        terms = replace(make_terms(), restriction=Restriction(kind=RestrictionKind.TERRITORY, value=own))
        with pytest.raises(OwnGroup):
            draft(id=Id16(b"c" * 16), company=BAKERY, terms=terms, group=frozenset({SISTER}), at=NOON)
        with pytest.raises(OwnGroup):
            amend(_draft(), terms, group=frozenset({SISTER}))
    open_terms = replace(make_terms(), restriction=Restriction(kind=RestrictionKind.TERRITORY, value=OTHER))
    assert amend(_draft(), open_terms, group=frozenset({SISTER})).terms == open_terms


def test_what_no_customer_could_be_promised_is_refused() -> None:
    fixed = FixedSum(cents=Cents(100))
    for ceilings in (
        Ceilings(campaign=Cents(99)),
        Ceilings(campaign=Cents(100), purchase=Cents(99)),
        Ceilings(campaign=Cents(100), day_and_holder=Cents(99)),
    ):
        with pytest.raises(InvalidCampaign):
            make_terms(rule=fixed, ceilings=ceilings)
    make_terms(rule=fixed, ceilings=Ceilings(campaign=Cents(100), purchase=Cents(100), day_and_holder=Cents(100)))
    with pytest.raises(InvalidCampaign):
        replace(make_terms(), closes_on=make_terms().opens_on - datetime.timedelta(days=1))
    for basis_points in (0, -1, 10_001):
        with pytest.raises(InvalidCampaign):
            PercentOfSale(basis_points=basis_points)
    with pytest.raises(InvalidAmount):
        FixedSum(cents=Cents(0))
    with pytest.raises(InvalidAmount):
        PercentOfSale(basis_points=1, threshold=Cents(-1))
    with pytest.raises(InvalidAmount):
        Ceilings(campaign=Cents(1), purchase=Cents(0))
    with pytest.raises(InvalidCampaign):
        Restriction(kind=RestrictionKind.THEME, value="")
    with pytest.raises(InvalidTerritory):
        Restriction(kind=RestrictionKind.TERRITORY, value="732829321")


@given(
    st.sampled_from(Funding),
    st.integers(1, 500),
    st.integers(0, 500),
    st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=20),
)
def test_a_budget_is_never_below_zero_and_counts_every_cent(
    funding: Funding, ceiling: int, funded: int, moves: list[tuple[bool, int]]
) -> None:
    budget = Budget(funding=funding, ceiling=Cents(ceiling), funded=Cents(funded), spent=Cents(0))
    limit = ceiling if funding is Funding.CALLED else min(ceiling, funded)
    spent = 0
    for is_grant, cents in moves:
        if is_grant and spent + cents <= limit:
            budget, spent = spend(budget, Cents(cents)), spent + cents
        elif is_grant:
            with pytest.raises(BudgetTooSmall) as refusal:
                spend(budget, Cents(cents))
            assert refusal.value.facts["missing"] == spent + cents - limit
        elif cents <= spent:
            budget, spent = restore(budget, Cents(cents)), spent - cents
        else:
            with pytest.raises(ValueError):
                restore(budget, Cents(cents))
        assert (budget.spent, budget.left) == (spent, limit - spent)
        assert budget.left >= 0


def test_a_budget_spent_beyond_its_euros_cannot_be_made() -> None:
    told = {"ceiling": Cents(100), "funded": Cents(40), "spent": Cents(41)}
    with pytest.raises(BudgetTooSmall):
        Budget(funding=Funding.PREFUNDED, **told)
    assert Budget(funding=Funding.CALLED, **told).left == 59
