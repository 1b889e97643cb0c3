"""What a purchase gives, what a refund takes back, and what a till may tell later."""

from __future__ import annotations

import datetime
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.campaigns import (
    CampaignEvent,
    CampaignState,
    Ceilings,
    FixedSum,
    PercentOfSale,
    Terms,
    advance,
)
from node.partners.companies import Siren
from node.partners.errors import (
    ArrivedAfterCampaign,
    BudgetTooSmall,
    CampaignNotOpen,
    CampaignNotRunning,
    CredentialCompromised,
    CredentialNotYetIssued,
    CredentialRevoked,
    DayCeilingReached,
    InvalidPurchase,
    InvalidTill,
    NothingToGrant,
    OwnGroup,
    PartnersRefusal,
    PurchaseAhead,
    PurchaseTooOld,
    RefundTooLarge,
    SaleBelowThreshold,
    TillClockWrong,
)
from node.partners.purchases import (
    ArrivalBounds,
    Credential,
    Grant,
    Purchase,
    RefundNote,
    RevocationReason,
    decide,
    decide_batch,
    refund,
    require_arrival,
    require_clock,
)
from protocol.amounts import Cents
from protocol.errors import IdMismatch, InvalidAddress, InvalidAmount, InvalidTime, Refusal
from protocol.times import DAY_MS, HOUR_MS, MINUTE_MS, Instant
from tests.partners import values
from tests.partners.values import (
    ALICE,
    BAKERY,
    BOB,
    DAY,
    NOON,
    OTHER,
    SISTER,
    make_budget,
    make_campaign,
    make_purchase,
)

GROUP = frozenset({BAKERY, SISTER})
HOLDER_DAY = (ALICE, DAY)


def _decide(
    terms: Terms | None = None, *, spent_today: int = 0, funded: int | None = None, **purchase: object
) -> Cents:
    campaign = make_campaign(terms)
    return decide(
        campaign,
        make_purchase(**purchase),  # type: ignore[arg-type]
        holder_spent_today=Cents(spent_today),
        budget=make_budget(campaign, funded=funded),
        group=GROUP,
    )


# ---------------------------------------------------------------- what is granted


@pytest.mark.parametrize(
    ("basis_points", "sale", "granted"),
    [(200, 2_500, 50), (200, 2_549, 50), (200, 2_550, 51), (1, 10_000, 1), (10_000, 1, 1), (333, 1_000, 33)],
)
def test_a_percentage_is_rounded_down_to_the_cent(basis_points: int, sale: int, granted: int) -> None:
    assert _decide(values.make_terms(rule=PercentOfSale(basis_points=basis_points)), sale=sale) == granted


def test_less_than_a_cent_is_nothing() -> None:
    with pytest.raises(NothingToGrant):
        _decide(values.make_terms(rule=PercentOfSale(basis_points=1)), sale=9_999)


@pytest.mark.parametrize(
    "rule", [PercentOfSale(basis_points=200, threshold=Cents(2_500)), FixedSum(cents=Cents(50), threshold=Cents(2_500))]
)
def test_a_sale_on_the_threshold_counts_and_one_cent_below_does_not(rule: PercentOfSale | FixedSum) -> None:
    assert _decide(values.make_terms(rule=rule), sale=2_500) == 50
    with pytest.raises(SaleBelowThreshold) as refusal:
        _decide(values.make_terms(rule=rule), sale=2_499)
    assert refusal.value.facts == {"sale": 2_499, "threshold": 2_500}


def test_ceilings_cut_and_a_budget_refuses() -> None:
    capped = values.make_terms(ceilings=Ceilings(campaign=Cents(1_000), purchase=Cents(40), day_and_holder=Cents(60)))
    assert _decide(capped) == 40
    assert _decide(capped, spent_today=45) == 15
    with pytest.raises(DayCeilingReached):
        _decide(capped, spent_today=60)
    assert _decide(capped, funded=40) == 40
    with pytest.raises(BudgetTooSmall) as refusal:
        _decide(capped, funded=39)
    assert refusal.value.facts == {"available": 39, "asked": 40, "missing": 1}


def test_no_miles_for_the_company_itself_or_its_group() -> None:
    for own in (BAKERY, SISTER):
        with pytest.raises(OwnGroup):
            _decide(buyer=own)
    assert _decide(buyer=OTHER) == 50


def test_the_campaign_counts_as_it_stood_when_the_customer_paid() -> None:
    started = make_campaign()
    paused = advance(started, CampaignEvent.PAUSED, NOON)
    resumed = advance(paused, CampaignEvent.RESUMED, Instant(NOON + HOUR_MS))
    ended = advance(resumed, CampaignEvent.ENDED, Instant(NOON + 2 * HOUR_MS))
    told = {}
    for hours in (-49, -25, -24, -1, 0, 1, 2):
        try:
            decide(
                ended,
                make_purchase(at=NOON + hours * HOUR_MS),
                holder_spent_today=Cents(0),
                budget=make_budget(ended),
                group=GROUP,
            )
            told[hours] = "granted"
        except CampaignNotRunning as refusal:
            told[hours] = str(refusal.facts["state"])
    assert told == {-49: "draft", -25: "draft", -24: "granted", -1: "granted", 0: "paused", 1: "granted", 2: "ended"}


def test_both_days_of_a_campaign_are_included() -> None:
    terms = replace(values.make_terms(), opens_on=DAY, closes_on=DAY)
    assert _decide(terms) == 50
    for opens_on in (DAY + datetime.timedelta(days=1), DAY - datetime.timedelta(days=1)):
        with pytest.raises(CampaignNotOpen):
            _decide(replace(terms, opens_on=opens_on, closes_on=opens_on))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"id": ""}, InvalidPurchase),
        ({"id": "x" * 65}, InvalidPurchase),
        ({"id": "é"}, InvalidPurchase),
        ({"id": "a\n"}, InvalidPurchase),
        ({"till": 0}, InvalidTill),
        ({"till": 16_384}, InvalidTill),
        ({"sale": 0}, InvalidAmount),
        ({"sale": 2**80}, InvalidAmount),
        ({"holder": "IIIIIIII"}, InvalidAddress),
    ],
)
def test_a_purchase_is_valid_when_made(changes: dict[str, object], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        make_purchase(**changes)  # type: ignore[arg-type]


def test_the_day_of_a_purchase_is_that_of_its_moment_somewhere() -> None:
    for days in (-1, 0, 1):
        assert replace(make_purchase(), day=DAY + datetime.timedelta(days=days))
    for days in (-2, 2):
        with pytest.raises(InvalidPurchase):
            replace(make_purchase(), day=DAY + datetime.timedelta(days=days))
    with pytest.raises(InvalidTime):
        replace(make_purchase(), at=Instant(-1))


@st.composite
def batches(draw: st.DrawFn) -> list[Purchase]:
    count = draw(st.integers(0, 12))
    return [
        make_purchase(
            id=f"sale-{draw(st.integers(0, 6))}",
            till=draw(st.integers(1, 2)),
            sale=draw(st.integers(1, 60_000)),
            holder=draw(st.sampled_from([ALICE, BOB, None])),
            buyer=draw(st.sampled_from([None, None, None, OTHER, SISTER])),
            at=NOON + draw(st.integers(-30, 1)) * HOUR_MS,
        )
        for _ in range(count)
    ]


@given(values.terms(), batches(), st.integers(0, 20_000))
def test_a_batch_is_its_purchases_one_after_another(terms: Terms, batch: list[Purchase], funded: int) -> None:
    campaign = make_campaign(terms)
    budget = make_budget(campaign, funded=funded)
    decisions, after = decide_batch(campaign, batch, spent_by_holder={}, budget=budget, group=GROUP)

    # The rule said again, with fractions and without the budget's own arithmetic.
    limit = budget.left
    ceilings, rule = terms.ceilings, terms.rule
    by_day: dict[object, int] = {}
    first: dict[tuple[int, str], tuple[Purchase, int, str]] = {}
    spent = 0
    for purchase, decision in zip(batch, decisions, strict=True):
        key = (purchase.till, purchase.id)
        if key in first:
            known, granted, code = first[key]
            if known != purchase:
                assert isinstance(decision.refusal, IdMismatch)
                continue
        else:
            if isinstance(rule, FixedSum):
                due: int = rule.cents
            else:
                due = int(Fraction(purchase.sale) * Fraction(rule.basis_points, 10_000))
            due = min([due, *([ceilings.purchase] if ceilings.purchase else [])])
            today = (purchase.holder, purchase.day)
            left = None
            if ceilings.day_and_holder:
                left = ceilings.day_and_holder - (by_day.get(today, 0) if purchase.holder else 0)
            granted, code = 0, ""
            if purchase.buyer == SISTER:
                code = "own_group"
            elif purchase.at < NOON - DAY_MS:
                code = "campaign_not_running"
            elif purchase.sale < rule.threshold:
                code = "sale_below_threshold"
            elif due == 0:
                code = "nothing_to_grant"
            elif left == 0:
                code = "day_ceiling_reached"
            elif spent + min(due, due if left is None else left) > limit:
                code = "budget_too_small"
            else:
                granted = min(due, due if left is None else left)
            spent += granted
            by_day[today] = by_day.get(today, 0) + granted
            first[key] = (purchase, granted, code)
        assert decision.granted == granted
        assert ("" if decision.refusal is None else decision.refusal.code) == code
    assert after.spent == spent
    assert after.left == limit - spent


def test_where_the_budget_ends_in_the_middle_a_smaller_purchase_may_still_fit() -> None:
    campaign = make_campaign(values.make_terms(ceilings=Ceilings(campaign=Cents(100))))
    batch = [make_purchase(id=str(at), sale=sale) for at, sale in enumerate((4_000, 4_000, 1_000, 50))]
    decisions, after = decide_batch(campaign, batch, spent_by_holder={}, budget=make_budget(campaign), group=GROUP)
    assert [decision.granted for decision in decisions] == [80, 0, 20, 0]
    assert isinstance(decisions[1].refusal, BudgetTooSmall)
    assert after.left == 0


def test_what_a_holder_had_before_the_batch_counts_for_the_same_day_only() -> None:
    campaign = make_campaign(values.make_terms(ceilings=Ceilings(campaign=Cents(1_000), day_and_holder=Cents(60))))
    batch = [make_purchase(id="today"), make_purchase(id="yesterday", at=NOON - 13 * HOUR_MS)]
    decisions, _ = decide_batch(
        campaign, batch, spent_by_holder={HOLDER_DAY: Cents(50)}, budget=make_budget(campaign), group=GROUP
    )
    assert [decision.granted for decision in decisions] == [10, 50]


def test_the_day_of_a_holder_adds_up_within_a_batch() -> None:
    campaign = make_campaign(values.make_terms(ceilings=Ceilings(campaign=Cents(1_000), day_and_holder=Cents(120))))
    batch = [make_purchase(id=str(at)) for at in range(4)]
    decisions, _ = decide_batch(campaign, batch, spent_by_holder={}, budget=make_budget(campaign), group=GROUP)
    assert [decision.granted for decision in decisions] == [50, 50, 20, 0]
    assert isinstance(decisions[3].refusal, DayCeilingReached)


# ---------------------------------------------------------------- refunds


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.lists(st.integers(1, 10**6), max_size=30))
def test_any_sequence_of_refunds_is_exact(sale: int, granted: int, parts: list[int]) -> None:
    grant = Grant(sale=Cents(sale), granted=Cents(granted))
    refunded = 0
    for part in parts:
        if refunded + part > sale:
            with pytest.raises(RefundTooLarge):
                refund(grant, Cents(part), unoriented=Cents(granted))
            continue
        done = refund(grant, Cents(part), unoriented=Cents(granted - grant.taken_back))
        refunded += part
        grant = done.grant
        exact = Fraction(granted * refunded, sale)
        assert 0 <= exact - grant.taken_back < 1  # the part of a cent stays with the customer
        assert done.forgone == 0
    if refunded < sale:
        grant = refund(grant, Cents(sale - refunded), unoriented=Cents(granted - grant.taken_back)).grant
    assert grant.taken_back == granted


@given(
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.lists(st.tuples(st.integers(1, 3_000), st.integers(0, 10_000)), max_size=12),
)
def test_a_refund_never_takes_what_is_oriented_and_never_chases_it(
    sale: int, granted: int, story: list[tuple[int, int]]
) -> None:
    grant = Grant(sale=Cents(sale), granted=Cents(granted))
    oriented = refunded = forgone = 0
    for part, orients in story:
        oriented += min(orients, granted - oriented - grant.taken_back)  # the holder directs some of what is left
        unoriented = granted - oriented - grant.taken_back
        if refunded + part > sale:
            break
        done = refund(grant, Cents(part), unoriented=Cents(unoriented))
        due = granted * (refunded + part) // sale - granted * refunded // sale
        refunded += part
        assert done.taken + done.forgone == due
        assert done.taken == min(due, unoriented)
        forgone += done.forgone
        grant = done.grant
        assert grant.taken_back + forgone == granted * refunded // sale
        assert grant.taken_back <= granted - oriented
        expected = {
            (True, True): RefundNote.NOTHING_DUE,
            (True, False): RefundNote.NOTHING_DUE,
            (False, True): RefundNote.TAKEN,
            (False, False): RefundNote.PART_ORIENTED if done.taken else RefundNote.ALL_ORIENTED,
        }[due == 0, done.forgone == 0]
        assert done.note is expected


def test_a_refund_after_orientation_takes_back_nothing_and_says_so() -> None:
    done = refund(Grant(sale=Cents(2_500), granted=Cents(50)), Cents(2_500), unoriented=Cents(0))
    assert (done.taken, done.forgone, done.note) == (0, 50, RefundNote.ALL_ORIENTED)
    assert done.grant.refunded == 2_500
    with pytest.raises(RefundTooLarge):
        refund(done.grant, Cents(1), unoriented=Cents(50))


def test_a_refund_of_one_cent_too_much_says_what_is_left() -> None:
    grant = refund(Grant(sale=Cents(2_500), granted=Cents(50)), Cents(1_000), unoriented=Cents(50)).grant
    with pytest.raises(RefundTooLarge) as refusal:
        refund(grant, Cents(1_501), unoriented=Cents(50))
    assert refusal.value.facts == {"left": 1_500, "asked": 1_501}


def test_a_grant_that_gave_back_more_than_it_owes_cannot_be_made() -> None:
    with pytest.raises(ValueError):
        Grant(sale=Cents(100), granted=Cents(10), refunded=Cents(59), taken_back=Cents(6))
    assert Grant(sale=Cents(100), granted=Cents(10), refunded=Cents(60), taken_back=Cents(6))
    with pytest.raises(RefundTooLarge):
        Grant(sale=Cents(100), granted=Cents(10), refunded=Cents(101))


# ---------------------------------------------------------------- what a till tells later

BOUNDS = ArrivalBounds(
    clock_off_max_ms=5 * MINUTE_MS,
    ahead_max_ms=MINUTE_MS,
    age_max_ms=7 * DAY_MS,
    late_after_end_ms=2 * DAY_MS,
    late_after_revocation_ms=DAY_MS,
)
GOOD = Credential(issued_at=Instant(NOON - 30 * DAY_MS))


def _arrive(
    *, at: int = NOON, received: int = NOON + HOUR_MS, credential: Credential = GOOD, ended: int | None = None
) -> str:
    campaign = make_campaign()
    if ended is not None:
        campaign = advance(campaign, CampaignEvent.ENDED, Instant(ended))
    try:
        require_arrival(make_purchase(at=at), campaign, credential, received_at=Instant(received), bounds=BOUNDS)
    except PartnersRefusal as refusal:
        return type(refusal).__name__
    return ""


def test_a_clock_within_the_bound_is_believed_and_one_beyond_it_is_not() -> None:
    for off in (-5 * MINUTE_MS, 0, 5 * MINUTE_MS):
        require_clock(till_clock=Instant(NOON + off), received_at=NOON, bounds=BOUNDS)
    for off in (-5 * MINUTE_MS - 1, 5 * MINUTE_MS + 1, -NOON):
        with pytest.raises(TillClockWrong) as refusal:
            require_clock(till_clock=Instant(NOON + off), received_at=NOON, bounds=BOUNDS)
        assert refusal.value.facts["off_ms"] == off


def test_a_purchase_is_neither_from_the_future_nor_too_old() -> None:
    assert _arrive(received=NOON - MINUTE_MS) == ""
    assert _arrive(received=NOON - MINUTE_MS - 1) == PurchaseAhead.__name__
    assert _arrive(received=NOON + 7 * DAY_MS) == ""
    assert _arrive(received=NOON + 7 * DAY_MS + 1) == PurchaseTooOld.__name__


def test_a_purchase_before_its_credential_is_refused_beyond_what_clocks_may_differ() -> None:
    assert _arrive(credential=Credential(issued_at=Instant(NOON + 5 * MINUTE_MS))) == ""
    late = Credential(issued_at=Instant(NOON + 5 * MINUTE_MS + 1))
    assert _arrive(credential=late) == CredentialNotYetIssued.__name__


def _revoked(at: int, reason: RevocationReason) -> Credential:
    return replace(GOOD, revoked_at=Instant(at), reason=reason)


def test_what_a_retired_till_sold_before_counts_for_a_while() -> None:
    retired = _revoked(NOON + HOUR_MS, RevocationReason.RETIRED)
    assert _arrive(received=NOON + 2 * HOUR_MS, credential=retired) == ""
    assert _arrive(received=NOON + HOUR_MS + DAY_MS, credential=retired) == ""
    assert _arrive(received=NOON + HOUR_MS + DAY_MS + 1, credential=retired) == CredentialRevoked.__name__
    sold_after = _revoked(NOON, RevocationReason.RETIRED)
    assert _arrive(credential=sold_after) == CredentialRevoked.__name__


def test_nothing_comes_through_a_compromised_credential_whatever_time_it_names() -> None:
    stolen = _revoked(NOON + HOUR_MS, RevocationReason.COMPROMISED)
    for at in (NOON - DAY_MS, NOON, NOON + HOUR_MS):
        assert _arrive(at=at, received=NOON + HOUR_MS, credential=stolen) == CredentialCompromised.__name__
    # What came before the revocation was taken then, and is not asked again.
    assert _arrive(received=NOON + HOUR_MS - 1, credential=stolen) == ""


def test_what_was_sold_before_the_end_comes_for_a_while_after_it() -> None:
    assert _arrive(received=NOON + HOUR_MS + 2 * DAY_MS, ended=NOON + HOUR_MS) == ""
    assert _arrive(received=NOON + HOUR_MS + 2 * DAY_MS + 1, ended=NOON + HOUR_MS) == ArrivedAfterCampaign.__name__


def test_what_was_sold_after_the_end_arrives_and_is_refused_by_the_campaign() -> None:
    ended = advance(make_campaign(), CampaignEvent.ENDED, Instant(NOON - 1))
    purchase = make_purchase()
    require_arrival(purchase, ended, GOOD, received_at=NOON, bounds=BOUNDS)
    with pytest.raises(CampaignNotRunning) as refusal:
        decide(ended, purchase, holder_spent_today=Cents(0), budget=make_budget(ended), group=GROUP)
    assert refusal.value.facts["state"] == CampaignState.ENDED


def test_half_a_revocation_and_a_negative_bound_are_bugs() -> None:
    with pytest.raises(ValueError):
        Credential(issued_at=NOON, revoked_at=NOON)
    with pytest.raises(ValueError):
        Credential(issued_at=NOON, reason=RevocationReason.RETIRED)
    with pytest.raises(ValueError):
        replace(BOUNDS, age_max_ms=-1)


def test_a_siren_of_a_buyer_is_checked() -> None:
    with pytest.raises(Refusal):
        make_purchase(buyer=Siren("732829321"))
