"""Art. 200: figures measured with an independent simulator, then what is carried and what is lost."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.personal_reductions import (
    CarriedGift,
    HelpRules,
    PersonalGift,
    PersonalReduction,
    PersonalRules,
    RateClass,
    compute_counterpart_max,
    compute_personal_reduction,
)
from node.fund.tax_parameters_store import load_counterpart_rules, load_help_rules, load_personal_rules
from protocol.amounts import Cents
from protocol.errors import InvalidAmount

INCOME = Cents(5_400_000)  # 60 000 euros of salary
NEW_CAP = datetime.date(2025, 10, 14)


def _reduce(
    gifts: list[PersonalGift],
    *,
    year: int = 2025,
    income: int = INCOME,
    carried: tuple[CarriedGift, ...] = (),
    rules: PersonalRules | None = None,
) -> PersonalReduction:
    return compute_personal_reduction(
        year=year,
        gifts=gifts,
        income=Cents(income),
        carried=carried,
        rules=rules or load_personal_rules(year),
        help_rules_on=load_help_rules,
    )


def _gift(euros: int, day: datetime.date = NEW_CAP, rate_class: RateClass = RateClass.ORDINARY) -> PersonalGift:
    return PersonalGift(received_on=day, cents=Cents(euros * 100), rate_class=rate_class)


def _help(euros: int, day: datetime.date = NEW_CAP) -> PersonalGift:
    return _gift(euros, day, RateClass.PEOPLE_IN_NEED)


@pytest.mark.parametrize(
    ("gifts", "euros"),
    [
        # openfisca-france 176.1.8, dfppce, year 2025 (shared DOMAIN.md, 1.2)
        ([_gift(1_000)], 660),
        ([_help(1_500)], 1_125),
        ([_help(2_000)], 1_500),
        ([_help(2_500)], 1_830),
        ([_help(2_500), _gift(20_000)], 8_628),
    ],
)
def test_the_figures_of_2025(gifts: list[PersonalGift], euros: int) -> None:
    assert _reduce(gifts).reduction == euros * 100


@pytest.mark.parametrize(("euros", "reduction"), [(1_500, 1_080), (2_500, 1_740)])
def test_the_figures_of_2024(euros: int, reduction: int) -> None:
    assert _reduce([_help(euros, datetime.date(2024, 6, 1))], year=2024).reduction == reduction * 100


def test_gifts_at_the_higher_rate_do_not_eat_the_limit() -> None:
    told = _reduce([_help(2_500), _gift(20_000)])
    assert (told.at_higher_rate, told.at_ordinary_rate, told.limit) == (200_000, 1_080_000, 1_080_000)
    assert told.carried == (CarriedGift(year=2025, cents=Cents(970_000)),)


def test_the_sum_for_the_higher_rate_is_that_of_the_day_of_each_gift() -> None:
    before = datetime.date(2025, 10, 13)
    assert _reduce([_help(2_500, before)]).at_higher_rate == 100_000
    assert _reduce([_help(700), _help(1_500, before)]).at_higher_rate == 170_000
    assert _reduce([_help(1_500), _help(1_500, before)]).at_higher_rate == 200_000
    assert load_help_rules(before).cents_max == 100_000
    assert load_help_rules(NEW_CAP).cents_max == 200_000


def test_earlier_excess_comes_first_and_the_oldest_of_it() -> None:
    old, new = CarriedGift(year=2020, cents=Cents(600_000)), CarriedGift(year=2024, cents=Cents(600_000))
    told = _reduce([_gift(1_000)], carried=(new, old))
    assert told.used_of_earlier == (old, CarriedGift(year=2024, cents=Cents(480_000)))
    assert told.carried == (CarriedGift(year=2024, cents=Cents(120_000)), CarriedGift(year=2025, cents=Cents(100_000)))
    assert (told.lost, told.reduction) == ((), 712_800)


def test_an_excess_of_five_years_ago_is_lost_when_there_is_no_room() -> None:
    old = CarriedGift(year=2020, cents=Cents(2_000_000))
    told = _reduce([], carried=(old,))
    assert told.lost == (CarriedGift(year=2020, cents=Cents(920_000)),)
    assert told.carried == ()
    with pytest.raises(ValueError):
        _reduce([], year=2026, carried=(old,))
    with pytest.raises(ValueError):
        _reduce([], carried=(CarriedGift(year=2025, cents=Cents(1)),))


def test_where_the_law_takes_the_year_first_the_excess_waits() -> None:
    rules = PersonalRules(rate=6_600, income_limit=2_000, carry_years=5, earlier_first=False)
    told = _reduce([_gift(10_000)], carried=(CarriedGift(year=2024, cents=Cents(100_000)),), rules=rules)
    assert told.used_of_earlier == (CarriedGift(year=2024, cents=Cents(80_000)),)
    assert told.carried == (CarriedGift(year=2024, cents=Cents(20_000)),)


def test_a_gift_counts_in_its_own_year_only() -> None:
    with pytest.raises(ValueError):
        _reduce([_gift(1, datetime.date(2024, 12, 31))])
    with pytest.raises(InvalidAmount):
        PersonalGift(received_on=NEW_CAP, cents=Cents(0), rate_class=RateClass.ORDINARY)


gifts_of_a_year = st.lists(
    st.builds(
        PersonalGift,
        received_on=st.dates(datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)),
        cents=st.integers(1, 3_000_000).map(Cents),
        rate_class=st.sampled_from(RateClass),
    ),
    max_size=8,
)
excesses = st.lists(
    st.builds(CarriedGift, year=st.integers(2020, 2024), cents=st.integers(1, 10**6).map(Cents)), max_size=5
)


@given(gifts_of_a_year, excesses, st.integers(0, 10**8), st.booleans())
def test_each_cent_given_is_counted_once_carried_or_lost(
    gifts: list[PersonalGift], carried: list[CarriedGift], income: int, earlier_first: bool
) -> None:
    rules = PersonalRules(rate=6_600, income_limit=2_000, carry_years=5, earlier_first=earlier_first)
    told = _reduce(gifts, income=income, carried=tuple(carried), rules=rules)
    given_in_all = sum(gift.cents for gift in gifts) + sum(excess.cents for excess in carried)
    left = sum(rest.cents for rest in told.carried + told.lost)
    assert told.at_higher_rate + told.at_ordinary_rate + left == given_in_all
    assert told.at_ordinary_rate <= told.limit == income // 5
    assert left == 0 or told.at_ordinary_rate == told.limit
    assert told.at_higher_rate <= 200_000
    # 75 and 66 hundredths, each rounded down.
    assert told.reduction == 3 * told.at_higher_rate // 4 + 33 * told.at_ordinary_rate // 50
    assert all(rest.year == 2020 for rest in told.lost)
    assert [rest.year for rest in told.carried] == sorted(rest.year for rest in told.carried)


@pytest.mark.parametrize(
    ("given_cents", "most"), [(0, 0), (10_001, 2_500), (29_200, 7_300), (29_204, 7_300), (10**6, 7_300)]
)
def test_what_a_person_may_receive(given_cents: int, most: int) -> None:
    rules = load_counterpart_rules(datetime.date(2026, 1, 1))
    assert compute_counterpart_max(Cents(given_cents), rules) == most


def test_when_the_sum_for_the_higher_rate_is_used_up_not_a_cent_more_counts() -> None:
    assert _reduce([_help(2_000), _help(100)]).at_higher_rate == 200_000


def test_a_sum_that_falls_within_the_year_takes_nothing_back() -> None:
    def falling(day: datetime.date) -> HelpRules:
        return HelpRules(rate=7_500, cents_max=Cents(200_000 if day < NEW_CAP else 100_000))

    told = compute_personal_reduction(
        year=2025,
        gifts=[_help(1_500, datetime.date(2025, 3, 1)), _help(100)],
        income=INCOME,
        carried=(),
        rules=load_personal_rules(2025),
        help_rules_on=falling,
    )
    assert (told.at_higher_rate, told.at_ordinary_rate) == (150_000, 10_000)


def test_less_than_nothing_is_no_income_and_no_excess() -> None:
    with pytest.raises(InvalidAmount):
        _reduce([], income=-1)
    with pytest.raises(InvalidAmount):
        CarriedGift(year=2024, cents=Cents(0))
