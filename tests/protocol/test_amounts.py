"""Amounts: what is one, how it is shown, how it is shared to the cent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.amounts import (
    CENTS_MAX,
    Cents,
    format_cents,
    require_amount,
    require_balance,
    share_largest_remainder,
)
from protocol.errors import InvalidAmount

TEN_THOUSAND_BILLION_EUROS = 10_000 * 10**9 * 100

not_whole = st.one_of(
    st.booleans(), st.floats(), st.text(max_size=60), st.binary(), st.none(), st.decimals(), st.lists(st.integers())
)
weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)


class Whole(int):
    """A subclass may say anything of itself: it is not taken for a whole number."""


def test_the_limit_is_ten_thousand_billion_euros() -> None:
    assert CENTS_MAX == TEN_THOUSAND_BILLION_EUROS


@pytest.mark.parametrize("cents", [1, 2, 100, TEN_THOUSAND_BILLION_EUROS])
def test_an_amount_goes_from_one_cent_to_the_limit(cents: int) -> None:
    assert require_amount(cents) == cents
    assert require_balance(cents) == cents


def test_zero_is_a_balance_and_no_amount() -> None:
    assert require_balance(0) == 0
    with pytest.raises(InvalidAmount) as refusal:
        require_amount(0)
    assert refusal.value.facts["amount"] == 0


@pytest.mark.parametrize("cents", [-1, -TEN_THOUSAND_BILLION_EUROS, TEN_THOUSAND_BILLION_EUROS + 1, 2**63, -(2**63)])
def test_what_is_below_zero_or_above_the_limit_is_neither(cents: int) -> None:
    for require in (require_amount, require_balance):
        with pytest.raises(InvalidAmount) as refusal:
            require(cents)
        assert str(refusal.value.facts["amount"]) == str(cents)


def test_at_the_lower_limit_it_is_the_sign_that_is_wrong() -> None:
    for require, said in ((require_amount, "more than zero"), (require_balance, "below zero")):
        with pytest.raises(InvalidAmount, match=said):
            require(-TEN_THOUSAND_BILLION_EUROS)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2**127, str(2**127)),
        (2**128 - 1, str(2**128 - 1)),
        (2**128, "129 bits"),
        ("x" * 50, "x" * 40),
        ("\ud800", "\\ud800"),
        (1.5, "1.5"),
        (None, "NoneType"),
        (b"12", "bytes"),
    ],
)
def test_a_refusal_shows_what_was_refused_or_what_kind_of_thing_it_was(value: object, shown: str) -> None:
    with pytest.raises(InvalidAmount) as refusal:
        require_amount(value)
    assert refusal.value.facts["amount"] == shown


@given(not_whole)
def test_what_is_not_a_whole_number_is_refused(value: Any) -> None:
    for require in (require_amount, require_balance):
        with pytest.raises(InvalidAmount):
            require(value)


@pytest.mark.parametrize(
    "value",
    [10**5000, -(10**5000), [10**5000], "9" * 10_000, "\ud800", Whole(5), 1e308, object()],
    ids=["huge", "huge below zero", "huge in a list", "long text", "surrogate", "subclass", "float", "object"],
)
def test_a_refusal_can_be_told_whatever_the_value(value: object) -> None:
    for require in (require_amount, require_balance):
        with pytest.raises(InvalidAmount) as refusal:
            require(value)
        assert len(str(refusal.value).encode()) < 200


@pytest.mark.parametrize(
    ("cents", "french", "english"),
    [
        (0, "0,00", "0.00"),
        (5, "0,05", "0.05"),
        (99_999, "999,99", "999.99"),
        (123_450, "1\u202f234,50", "1,234.50"),
        (TEN_THOUSAND_BILLION_EUROS, "10\u202f000\u202f000\u202f000\u202f000,00", "10,000,000,000,000.00"),
        (-5, "-0,05", "-0.05"),
        (-123_450, "-1\u202f234,50", "-1,234.50"),
    ],
)
def test_amounts_are_shown_as_each_language_writes_them(cents: int, french: str, english: str) -> None:
    assert format_cents(cents) == format_cents(cents, "fr") == french
    assert format_cents(cents, "en") == english


@given(st.integers(-CENTS_MAX, CENTS_MAX))
def test_what_is_shown_is_the_amount(cents: int) -> None:
    exact = Decimal(cents).scaleb(-2)
    assert format_cents(cents, "en") == f"{exact:,.2f}"
    assert Decimal(format_cents(cents, "fr").replace("\u202f", "").replace(",", ".")) == exact


def test_the_odd_cent_goes_to_the_largest_remainder_and_among_equals_to_the_first() -> None:
    assert share_largest_remainder(Cents(100), [1, 1, 1]) == [34, 33, 33]
    assert share_largest_remainder(Cents(101), [1, 1, 1]) == [34, 34, 33]
    assert share_largest_remainder(Cents(10), [1, 2, 4]) == [1, 3, 6]  # 1.43, 2.86, 5.71: two cents left
    assert share_largest_remainder(Cents(1), [1, 99]) == [0, 1]
    assert share_largest_remainder(Cents(7), [0, 5, 0]) == [0, 7, 0]
    assert share_largest_remainder(Cents(0), [3, 4]) == [0, 0]
    assert share_largest_remainder(Cents(9), [0, 1]) == [0, 9]


@pytest.mark.parametrize("wrong", [[], [0], [0, 0], [-1, 2], [1, -1]])
def test_nothing_is_shared_by_no_weight_or_by_one_below_zero(wrong: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        share_largest_remainder(Cents(10), wrong)


@given(st.integers(0, CENTS_MAX), weights)
def test_shares_are_those_of_largest_remainders_in_exact_fractions(total: int, weights: list[int]) -> None:
    assume(any(weights))
    shares = share_largest_remainder(Cents(total), weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert sum(shares) == total
    assert all(int(part) <= share <= int(part) + 1 for share, part in zip(shares, exact, strict=True))
    favoured = [(part % 1, -place) for place, part in enumerate(exact) if shares[place] > int(part)]
    passed_over = [(part % 1, -place) for place, part in enumerate(exact) if shares[place] == int(part)]
    assert not favoured or not passed_over or min(favoured) > max(passed_over)


@given(st.integers(0, CENTS_MAX), weights, st.integers(1, 10**6))
def test_only_the_proportion_of_weights_counts(total: int, weights: list[int], factor: int) -> None:
    assume(any(weights))
    scaled = [weight * factor for weight in weights]
    assert share_largest_remainder(Cents(total), weights) == share_largest_remainder(Cents(total), scaled)
