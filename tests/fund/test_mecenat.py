"""Art. 238 bis: the worked example of the tax office, the bound between the rates, and what is carried."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.mecenat import CompanyRates, TaxYear, compute_reduction, split_counted, use_reductions
from node.fund.tax_parameters_store import load_company_ceiling, load_company_rates
from node.partners.ceilings import CeilingRules, FiscalYear, YearFigures, use_ceilings
from protocol.amounts import CENTS_MAX, Cents
from protocol.errors import InvalidAmount

NONE = Cents(0)
RATES = load_company_rates(datetime.date(2026, 12, 31))
cents = st.integers(0, 10**12).map(Cents)


def _euros(amount: int) -> Cents:
    return Cents(amount * 100)


def _figures(year: int, *, paid: int, turnover: int) -> YearFigures:
    closing = datetime.date(year, 12, 31)
    told = load_company_ceiling(closing)
    return YearFigures(
        year=FiscalYear(starts_on=datetime.date(year, 1, 1), ends_on=closing),
        paid=_euros(paid),
        turnover=_euros(turnover),
        rules=CeilingRules(fixed=told.fixed, per_mille=told.per_mille, carry_years=told.carry_years),
    )


def _reduce(counted: Cents, closing: datetime.date) -> int:
    return compute_reduction(counted=counted, for_people_in_need=NONE, rates=load_company_rates(closing)).reduction


def test_the_example_of_the_tax_office() -> None:
    # BOI-BIC-RICI-20-30-20 of 2019-08-07: turnover 1 500 000, gifts 9 000, ceiling 10 000: reduction 5 400.
    use = use_ceilings([_figures(2019, paid=9_000, turnover=1_500_000)])[0]
    assert (use.ceiling, use.used) == (_euros(10_000), _euros(9_000))
    assert _reduce(use.used, datetime.date(2019, 12, 31)) == _euros(5_400)


def test_a_year_over_its_ceiling_is_made_good_in_the_next() -> None:
    uses = use_ceilings(
        [_figures(2025, paid=30_000, turnover=1_000_000), _figures(2026, paid=5_000, turnover=1_000_000)]
    )
    assert [use.used for use in uses] == [_euros(20_000), _euros(15_000)]
    assert [_reduce(use.used, use.year.ends_on) for use in uses] == [_euros(12_000), _euros(9_000)]


@pytest.mark.parametrize(
    ("counted", "in_need", "reduction"),
    [
        (0, 0, 0),
        (200_000_000, 0, 120_000_000),
        (200_000_001, 0, 120_000_000),  # 0.4 of a cent more
        (200_000_003, 0, 120_000_001),
        (300_000_000, 0, 160_000_000),
        (200_000_000, 100_000_000, 180_000_000),  # these neither fill the bound nor fall under it
        (300_000_000, 100_000_000, 220_000_000),
        (1, 0, 0),
        (1, 1, 1),  # rounded once, on the sum
    ],
)
def test_two_rates_and_those_who_keep_the_full_one(counted: int, in_need: int, reduction: int) -> None:
    told = compute_reduction(counted=Cents(counted), for_people_in_need=Cents(in_need), rates=RATES)
    assert told.reduction == reduction
    assert told.counted == counted + in_need


def test_before_the_end_of_2020_there_was_one_rate_and_another_ceiling() -> None:
    last, first = datetime.date(2020, 12, 30), datetime.date(2020, 12, 31)
    assert _reduce(_euros(3_000_000), last) == _euros(1_800_000)
    assert _reduce(_euros(3_000_000), first) == _euros(1_600_000)
    assert (load_company_ceiling(last).fixed, load_company_ceiling(first).fixed) == (_euros(10_000), _euros(20_000))
    assert load_company_ceiling(datetime.date(2019, 12, 30)).fixed == 0
    with pytest.raises(LookupError):
        load_company_rates(datetime.date(2003, 7, 31))


@given(cents, cents)
def test_the_reduction_is_rounded_down_and_lies_between_its_two_rates(counted: Cents, in_need: Cents) -> None:
    told = compute_reduction(counted=counted, for_people_in_need=in_need, rates=RATES)
    # Said again in tenths of a cent: six for each full cent, four for each above the bound.
    tenths = 6 * in_need + 6 * min(counted, 200_000_000) + 4 * max(0, counted - 200_000_000)
    assert told.reduction == (tenths - tenths % 10) // 10
    assert (told.at_full_rate, told.above) == (min(counted, 200_000_000), max(0, counted - 200_000_000))


@given(st.integers(0, CENTS_MAX), st.data())
def test_what_counts_is_shared_without_loss(paid: int, data: st.DataObject) -> None:
    in_need = data.draw(st.integers(0, paid))
    counted = data.draw(st.integers(0, paid))
    ordinary, special = split_counted(counted=Cents(counted), paid=Cents(paid), paid_for_people_in_need=Cents(in_need))
    assert ordinary + special == counted
    assert 0 <= special <= in_need
    # Never in the company's favour, and never by a whole cent.
    assert 0 <= counted * in_need - special * paid < max(paid, 1)
    assert ordinary <= paid - in_need


def test_what_counts_is_part_of_what_was_paid() -> None:
    assert split_counted(counted=Cents(10), paid=Cents(30), paid_for_people_in_need=Cents(11)) == (7, 3)
    assert split_counted(counted=NONE, paid=NONE, paid_for_people_in_need=NONE) == (0, 0)
    for counted, paid, in_need in ((2, 1, 0), (1, 1, 2)):
        with pytest.raises(ValueError):
            split_counted(counted=Cents(counted), paid=Cents(paid), paid_for_people_in_need=Cents(in_need))
    with pytest.raises(InvalidAmount):
        split_counted(counted=Cents(-1), paid=Cents(1), paid_for_people_in_need=NONE)


# ---------------------------------------------------------------- a reduction that is more than the tax


def _year(reduction: int, tax: int) -> TaxYear:
    return TaxYear(reduction=Cents(reduction), tax=Cents(tax), rates=RATES)


def test_a_rest_is_used_in_the_fifth_year_and_lost_after_it() -> None:
    uses = use_reductions([_year(100, 0), *[_year(0, 0)] * 4, _year(0, 30), _year(0, 1_000)])
    assert [unused.years_left for use in uses for unused in use.carried] == [5, 4, 3, 2, 1]
    assert uses[5].of_earlier == ((0, 30),)
    assert uses[5].lost == ((0, 70),)
    assert (uses[6].used, uses[6].tax_left) == (0, 1_000)


def test_the_year_comes_first_and_then_the_oldest() -> None:
    uses = use_reductions([_year(50, 0), _year(60, 0), _year(40, 100)])
    assert (uses[2].of_year, uses[2].of_earlier, uses[2].tax_left) == (40, ((0, 50), (1, 10)), 0)
    assert [(unused.origin, unused.cents) for unused in uses[2].carried] == [(1, 50)]


def test_without_years_of_carry_a_rest_is_lost_at_once() -> None:
    rates = CompanyRates(rate=6_000, full_rate_max=None, rate_above=6_000, reduction_carry_years=0)
    use = use_reductions([TaxYear(reduction=Cents(10), tax=Cents(4), rates=rates)])[0]
    assert (use.of_year, use.lost, use.carried) == (4, ((0, 6),), ())


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), max_size=14))
def test_each_cent_of_a_reduction_is_used_once_carried_or_lost(told: list[tuple[int, int]]) -> None:
    uses = use_reductions([_year(reduction, tax) for reduction, tax in told])
    lost = sum(rest for use in uses for _, rest in use.lost)
    left = sum(unused.cents for unused in uses[-1].carried) if uses else 0
    assert sum(use.used for use in uses) + lost + left == sum(reduction for reduction, _ in told)
    for place, ((_, tax), use) in enumerate(zip(told, uses, strict=True)):
        assert use.used + use.tax_left == tax
        assert all(place - 5 <= origin < place for origin, _ in use.of_earlier)
        assert all(origin == place - 5 for origin, _ in use.lost)


@pytest.mark.parametrize(
    ("rate", "above", "years"), [(10_001, 0, 5), (6_000, 6_001, 5), (6_000, -1, 5), (6_000, 4_000, -1)]
)
def test_rates_that_cannot_be_are_refused(rate: int, above: int, years: int) -> None:
    with pytest.raises(ValueError):
        CompanyRates(rate=rate, full_rate_max=None, rate_above=above, reduction_carry_years=years)


def test_rates_at_their_ends_are_taken() -> None:
    assert CompanyRates(rate=10_000, full_rate_max=NONE, rate_above=0, reduction_carry_years=0).full_rate_max == 0


def test_less_than_nothing_is_no_amount() -> None:
    below = Cents(-1)
    for make in (
        lambda: CompanyRates(rate=6_000, full_rate_max=below, rate_above=0, reduction_carry_years=5),
        lambda: compute_reduction(counted=below, for_people_in_need=NONE, rates=RATES),
        lambda: compute_reduction(counted=NONE, for_people_in_need=below, rates=RATES),
        lambda: _year(-1, 0),
        lambda: _year(0, -1),
    ):
        with pytest.raises(InvalidAmount):
            make()
