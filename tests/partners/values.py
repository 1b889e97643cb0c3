"""Companies, campaigns and purchases made for tests, and strategies of them."""

from __future__ import annotations

import datetime

from hypothesis import strategies as st

from node.partners.campaigns import (
    Budget,
    Campaign,
    CampaignEvent,
    Ceilings,
    FixedSum,
    Funding,
    PercentOfSale,
    Rule,
    Terms,
    advance,
    draft,
)
from node.partners.companies import Siren
from node.partners.purchases import Purchase, PurchaseId, TillNumber
from protocol.amounts import Cents
from protocol.identifiers import AccountNumber, Id16
from protocol.times import DAY_MS, HOUR_MS, Instant

DAY = datetime.date(2026, 11, 23)
NOON = Instant((DAY - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS)
BAKERY = Siren("732829320")
SISTER = Siren("404833048")
OTHER = Siren("552100554")
ALICE = AccountNumber("7K3F92QX")
BOB = AccountNumber("00000001")


def make_terms(
    *,
    rule: Rule | None = None,
    ceilings: Ceilings | None = None,
    funding: Funding = Funding.PREFUNDED,
) -> Terms:
    return Terms(
        title="Pain et miles",
        rule=rule or PercentOfSale(basis_points=200),
        ceilings=ceilings or Ceilings(campaign=Cents(100_000)),
        opens_on=DAY - datetime.timedelta(days=30),
        closes_on=DAY + datetime.timedelta(days=30),
        funding=funding,
    )


def make_campaign(terms: Terms | None = None) -> Campaign:
    """A campaign that started a day before noon."""
    made = draft(
        id=Id16(b"campaign-number1"),
        company=BAKERY,
        terms=terms or make_terms(),
        group=frozenset({BAKERY, SISTER}),
        at=Instant(NOON - 2 * DAY_MS),
    )
    return advance(made, CampaignEvent.STARTED, Instant(NOON - DAY_MS))


def make_budget(campaign: Campaign, *, funded: int | None = None, spent: int = 0) -> Budget:
    ceiling = campaign.terms.ceilings.campaign
    return Budget(
        funding=campaign.terms.funding,
        ceiling=ceiling,
        funded=Cents(ceiling if funded is None else funded),
        spent=Cents(spent),
    )


def make_purchase(
    *,
    id: str = "sale-1",
    till: int = 1,
    at: int = NOON,
    sale: int = 2_500,
    holder: AccountNumber | None = ALICE,
    buyer: Siren | None = None,
) -> Purchase:
    return Purchase(
        id=PurchaseId(id),
        till=TillNumber(till),
        at=Instant(at),
        day=datetime.date(1970, 1, 1) + datetime.timedelta(days=at // DAY_MS),
        sale=Cents(sale),
        holder=holder,
        buyer=buyer,
    )


cents = st.integers(1, 10**7).map(Cents)
thresholds = st.integers(0, 5_000).map(Cents)
percents = st.builds(PercentOfSale, basis_points=st.integers(1, 10_000), threshold=thresholds)
fixed = st.builds(FixedSum, cents=st.integers(1, 2_000).map(Cents), threshold=thresholds)


@st.composite
def ceilings_for(draw: st.DrawFn, rule: Rule) -> Ceilings:
    lowest = rule.cents if isinstance(rule, FixedSum) else 1
    some = st.none() | st.integers(lowest, lowest + 3_000).map(Cents)
    return Ceilings(
        campaign=Cents(draw(st.integers(lowest, lowest + 20_000))), purchase=draw(some), day_and_holder=draw(some)
    )


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    rule = draw(percents | fixed)
    return make_terms(rule=rule, ceilings=draw(ceilings_for(rule)), funding=draw(st.sampled_from(Funding)))
