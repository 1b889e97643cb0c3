"""The register of counterparts and its running test."""

from __future__ import annotations

import datetime
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.ceilings import FiscalYear
from node.partners.companies import Siren
from node.partners.counterparts import (
    Counterpart,
    Gift,
    Register,
    Valuation,
    add_counterpart,
    compute_standing,
    find_breaches,
)
from node.partners.errors import CounterpartTooLarge, InvalidCounterpart, InvalidSiren
from protocol.amounts import Cents
from protocol.errors import InvalidAmount, InvalidId
from protocol.identifiers import Id16
from tests.partners.values import BAKERY

START = datetime.date(2026, 7, 1)
YEAR = FiscalYear(starts_on=START, ends_on=datetime.date(2027, 6, 30))


def _counterpart(day: int, value: int, number: int = 1) -> Counterpart:
    return Counterpart(
        id=Id16(number.to_bytes(16, "big")),
        day=START + datetime.timedelta(days=day),
        description="Deux places au concert",
        value=Cents(value),
        valuation=Valuation.SALE_PRICE,
        giver="Association du Quai",
    )


def _gift(day: int, cents: int) -> Gift:
    return Gift(day=START + datetime.timedelta(days=day), cents=Cents(cents))


def _register(*gifts: Gift, counterparts: tuple[Counterpart, ...] = ()) -> Register:
    return Register(company=BAKERY, year=YEAR, gifts=gifts, counterparts=counterparts)


def test_a_quarter_is_allowed_and_a_cent_more_is_not() -> None:
    register = _register(_gift(0, 10_003))
    full = add_counterpart(register, _counterpart(1, 2_500), basis_points=2_500)
    standing = compute_standing(full, on=YEAR.ends_on, basis_points=2_500)
    assert (standing.given, standing.received, standing.allowed) == (10_003, 2_500, 2_500)
    assert (standing.over, standing.left) == (0, 0)
    with pytest.raises(CounterpartTooLarge) as refusal:
        add_counterpart(full, _counterpart(2, 1, number=2), basis_points=2_500)
    assert refusal.value.facts == {"value": 2_501, "allowed": 2_500, "over": 1}


def test_a_gift_to_come_allows_nothing_yet() -> None:
    register = _register(_gift(10, 10_000))
    with pytest.raises(CounterpartTooLarge):
        add_counterpart(register, _counterpart(9, 1), basis_points=2_500)
    assert add_counterpart(register, _counterpart(10, 2_500), basis_points=2_500).counterparts


def test_one_recorded_late_counts_from_its_own_day_on() -> None:
    register = _register(_gift(0, 10_000), counterparts=(_counterpart(20, 2_000),))
    with pytest.raises(CounterpartTooLarge):
        add_counterpart(register, _counterpart(5, 501, number=2), basis_points=2_500)
    assert add_counterpart(register, _counterpart(5, 500, number=2), basis_points=2_500)


def test_an_earlier_breach_does_not_refuse_what_is_within_the_limit_later() -> None:
    register = _register(_gift(0, 1_000), _gift(30, 99_000), counterparts=(_counterpart(1, 400),))
    assert [day for day, _ in find_breaches(register, basis_points=2_500)] == [START + datetime.timedelta(days=1)]
    assert add_counterpart(register, _counterpart(31, 600, number=2), basis_points=2_500)


@given(
    st.lists(st.tuples(st.integers(0, 364), st.integers(1, 5_000)), max_size=8),
    st.lists(st.tuples(st.integers(0, 364), st.integers(1, 2_000)), max_size=8),
    st.integers(0, 10_000),
)
def test_the_test_runs_over_every_day_of_the_year(
    gifts: list[tuple[int, int]], received: list[tuple[int, int]], basis_points: int
) -> None:
    register = _register(
        *(_gift(day, cents) for day, cents in gifts),
        counterparts=tuple(_counterpart(day, value, number=at + 1) for at, (day, value) in enumerate(received)),
    )
    breached = dict(find_breaches(register, basis_points=basis_points))
    changed = {day for day, _ in gifts + received}
    for day in range(365):
        on = START + datetime.timedelta(days=day)
        given_so_far = sum(cents for at, cents in gifts if at <= day)
        so_far = sum(value for at, value in received if at <= day)
        is_over = so_far > Fraction(given_so_far * basis_points, 10_000)
        standing = compute_standing(register, on=on, basis_points=basis_points)
        assert (standing.given, standing.received, standing.over > 0) == (given_so_far, so_far, is_over)
        assert (on in breached) is (is_over and day in changed)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"value": Cents(0)}, InvalidAmount),
        ({"id": bytes(16)}, InvalidId),
        ({"description": ""}, InvalidCounterpart),
        ({"giver": "a\nb"}, InvalidCounterpart),
    ],
)
def test_a_counterpart_is_valid_when_made(changes: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        replace(_counterpart(0, 1), **changes)


def test_a_register_holds_one_company_and_one_year_and_nothing_twice() -> None:
    for day in (-1, 365):
        with pytest.raises(InvalidCounterpart):
            _register(_gift(day, 1))
        with pytest.raises(InvalidCounterpart):
            _register(counterparts=(_counterpart(day, 1),))
    with pytest.raises(InvalidCounterpart):
        _register(counterparts=(_counterpart(0, 1), _counterpart(1, 1)))
    with pytest.raises(InvalidSiren):
        Register(company=Siren("1"), year=YEAR)
    with pytest.raises(InvalidAmount):
        _gift(0, 0)
    with pytest.raises(ValueError):
        compute_standing(_register(), on=START, basis_points=10_001)
