"""Campaigns: on what terms a company gives miles, and from when to when it does. Pure.

    DRAFT ──started──▶ RUNNING ◀──resumed── PAUSED
      │                   │ ──────paused──────▶ │
      └──────ended────────┴──────ended──────────┴──▶ ENDED

All steps are kept with their time, because a till that was offline tells of a purchase later: what counts is how the
campaign stood when the customer paid. Terms change only in draft: what was promised to customers stays.
A prefunded campaign spends euros that the fund has; a called one spends a pledge, up to its ceiling.
Source: shared design, ARCHITECTURE.md, "Money and rights".
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from node.partners.companies import Siren, is_line, require_not_own, require_siren
from node.partners.errors import BudgetTooSmall, CampaignStepRefused, InvalidCampaign
from protocol.amounts import Cents, require_amount, require_balance
from protocol.identifiers import Id16, require_id, require_territory
from protocol.times import Instant, require_instant

TITLE_MAX: Final = 140
THEME_MAX: Final = 200  # as the restriction of a lot
BASIS_POINTS: Final = 10_000
STEPS_MAX: Final = 1_000
NO_CENTS: Final = Cents(0)


class CampaignState(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class CampaignEvent(StrEnum):
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"


_S = CampaignState
_E = CampaignEvent

NEXT_STATE: Final[Mapping[CampaignState, Mapping[CampaignEvent, CampaignState]]] = {
    _S.DRAFT: {_E.STARTED: _S.RUNNING, _E.ENDED: _S.ENDED},
    _S.RUNNING: {_E.STARTED: _S.RUNNING, _E.RESUMED: _S.RUNNING, _E.PAUSED: _S.PAUSED, _E.ENDED: _S.ENDED},
    _S.PAUSED: {_E.PAUSED: _S.PAUSED, _E.RESUMED: _S.RUNNING, _E.ENDED: _S.ENDED},
    _S.ENDED: {_E.ENDED: _S.ENDED},
}


class Funding(StrEnum):
    PREFUNDED = "prefunded"  # the euros are with the fund before the first mile
    CALLED = "called"  # a pledge with a ceiling: the fund calls each month what was oriented


class RestrictionKind(StrEnum):
    TERRITORY = "territory"
    THEME = "theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What the miles of a campaign may be used for. Raises InvalidCampaign or InvalidTerritory."""

    kind: RestrictionKind
    value: str  # a territory's code, or the theme in words

    def __post_init__(self) -> None:
        if self.kind is RestrictionKind.TERRITORY:
            require_territory(self.value)
        elif not is_line(self.value, THEME_MAX):
            raise InvalidCampaign(field="theme", reason=f"one line of 1 to {THEME_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOfSale:
    """So many basis points of the sale, once it reaches the threshold. Raises InvalidCampaign or InvalidAmount."""

    basis_points: int
    threshold: Cents = NO_CENTS

    def __post_init__(self) -> None:
        if type(self.basis_points) is not int or not 1 <= self.basis_points <= BASIS_POINTS:
            raise InvalidCampaign(field="basis_points", reason=f"1 to {BASIS_POINTS} hundredths of a percent")
        require_balance(self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSum:
    """The same sum for each sale that reaches the threshold. Raises InvalidAmount."""

    cents: Cents
    threshold: Cents = NO_CENTS

    def __post_init__(self) -> None:
        require_amount(self.cents)
        require_balance(self.threshold)


Rule = PercentOfSale | FixedSum


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """How far a campaign goes; None is no ceiling. Raises InvalidAmount or InvalidCampaign."""

    campaign: Cents  # what it may spend in all; the ceiling of the pledge where it is called
    purchase: Cents | None = None
    day_and_holder: Cents | None = None

    def __post_init__(self) -> None:
        require_amount(self.campaign)
        for ceiling in (self.purchase, self.day_and_holder):
            if ceiling is not None:
                require_amount(ceiling)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a company promises. Both days are included. Raises InvalidCampaign."""

    title: str
    rule: Rule
    ceilings: Ceilings
    opens_on: datetime.date
    closes_on: datetime.date
    funding: Funding = Funding.PREFUNDED
    restriction: Restriction | None = None

    def __post_init__(self) -> None:
        if not is_line(self.title, TITLE_MAX):
            raise InvalidCampaign(field="title", reason=f"one line of 1 to {TITLE_MAX} symbols")
        if self.closes_on < self.opens_on:
            raise InvalidCampaign(field="closes_on", reason="it closes before it opens")
        if isinstance(self.rule, FixedSum):
            # Such a promise could never be kept, so it is not made.
            for field in ("campaign", "purchase", "day_and_holder"):
                ceiling = getattr(self.ceilings, field)
                if ceiling is not None and ceiling < self.rule.cents:
                    raise InvalidCampaign(field=field, reason="the ceiling is below the fixed sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The state a campaign entered, and when."""

    state: CampaignState
    at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign with its history; the last step is how it stands. Raises InvalidCampaign, InvalidId, InvalidSiren."""

    id: Id16
    company: Siren
    terms: Terms
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        require_id(self.id)
        require_siren(self.company)
        if not 1 <= len(self.steps) <= STEPS_MAX or self.steps[0].state is not _S.DRAFT:
            raise InvalidCampaign(field="steps", reason=f"1 to {STEPS_MAX} steps, of which the first is a draft")
        for before, after in itertools.pairwise(self.steps):
            if after.state is before.state or after.state not in NEXT_STATE[before.state].values():
                raise InvalidCampaign(field="steps", reason=f"{after.state} does not follow {before.state}")
            if after.at < before.at:
                raise InvalidCampaign(field="steps", reason="a step before the one that it follows")

    @property
    def state(self) -> CampaignState:
        return self.steps[-1].state


def draft(*, id: Id16, company: Siren, terms: Terms, group: frozenset[Siren], at: Instant) -> Campaign:
    """Return a new campaign in draft. Raises OwnGroup where it is restricted to the company or its group."""
    _require_open_to_others(company, terms, group)
    step = Step(state=_S.DRAFT, at=require_instant(at, "at"))
    return Campaign(id=id, company=company, terms=terms, steps=(step,))


def amend(campaign: Campaign, terms: Terms, *, group: frozenset[Siren]) -> Campaign:
    """Return the draft with other terms. Raises CampaignStepRefused once it has started, OwnGroup as `draft`."""
    if campaign.state is not _S.DRAFT:
        raise CampaignStepRefused(state=campaign.state, event="amended")
    _require_open_to_others(campaign.company, terms, group)
    return replace(campaign, terms=terms)


def _require_open_to_others(company: Siren, terms: Terms, group: frozenset[Siren]) -> None:
    if terms.restriction is not None and terms.restriction.kind is RestrictionKind.TERRITORY:
        require_not_own(company, terms.restriction.value, group)


def advance(campaign: Campaign, event: CampaignEvent, at: Instant) -> Campaign:
    """Return the campaign as it stands after `event`; a resend returns it unchanged.

    Raises CampaignStepRefused; the campaign given is never modified. A time before the last step counts as that
    step's: our clock may have been set back, the order of the steps is known all the same.
    """
    after = NEXT_STATE[campaign.state].get(event)
    if after is None:
        raise CampaignStepRefused(state=campaign.state, event=event)
    if after is campaign.state:
        return campaign
    # The last place is kept for the end, which must never be refused.
    if len(campaign.steps) >= STEPS_MAX - 1 and after is not _S.ENDED:
        raise CampaignStepRefused(state=campaign.state, event=event)
    step = Step(state=after, at=max(require_instant(at, "at"), campaign.steps[-1].at))
    return replace(campaign, steps=(*campaign.steps, step))


def state_at(campaign: Campaign, at: Instant) -> CampaignState:
    """Return the state at that moment: draft before the first step, and from its own millisecond on each step's."""
    state = _S.DRAFT
    for step in campaign.steps:
        if step.at > at:
            break
        state = step.state
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a campaign may spend and has spent, in cents. Raises InvalidAmount, BudgetTooSmall.

    `spent` is what was granted less what refunds took back: each cent granted is a cent spent. `funded` is what the
    fund says that it received; for a called campaign it may lag behind what is spent.
    """

    funding: Funding
    ceiling: Cents
    funded: Cents
    spent: Cents

    def __post_init__(self) -> None:
        require_amount(self.ceiling)
        require_balance(self.funded)
        require_balance(self.spent)
        if self.spent > self._limit:
            raise BudgetTooSmall(available=self._limit, asked=self.spent, missing=self.spent - self._limit)

    @property
    def _limit(self) -> int:
        return self.ceiling if self.funding is Funding.CALLED else min(self.ceiling, self.funded)

    @property
    def left(self) -> Cents:
        return Cents(self._limit - self.spent)


def spend(budget: Budget, cents: Cents) -> Budget:
    """Return the budget after a grant. Raises BudgetTooSmall: all of it or nothing."""
    require_amount(cents)
    if cents > budget.left:
        raise BudgetTooSmall(available=budget.left, asked=cents, missing=cents - budget.left)
    return replace(budget, spent=Cents(budget.spent + cents))


def restore(budget: Budget, cents: Cents) -> Budget:
    """Return the budget after a refund took `cents` back: they are there for other customers, never for the company.

    Raises ValueError where more comes back than was spent.
    """
    if require_balance(cents) > budget.spent:
        raise ValueError("no more comes back than was spent")
    return replace(budget, spent=Cents(budget.spent - cents))
