"""Netting: conserved, few, never above gross, whatever the order; held against brute force where there are few funds."""

from __future__ import annotations

import random
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.netting import NetPayment, net, net_positions

FUNDS = [f"2000000{number:02}" for number in range(12)]
OBLIGATIONS = st.lists(
    st.tuples(st.sampled_from(FUNDS), st.sampled_from(FUNDS), st.integers(1, 10**15)).filter(
        lambda one: one[0] != one[1]
    ),
    max_size=40,
)


def _after(positions: dict[str, int], payments: list[NetPayment]) -> dict[str, int]:
    after = dict(positions)
    for payment in payments:
        after[payment.payer] += payment.cents
        after[payment.payee] -= payment.cents
    return after


@given(OBLIGATIONS, st.randoms(use_true_random=False))
def test_windows_of_any_kind(obligations: list[tuple[str, str, int]], chance: random.Random) -> None:
    positions = net_positions(obligations)
    payments = net(positions)
    assert sum(positions.values()) == 0
    assert set(_after(positions, payments).values()) <= {0}
    assert len(payments) <= max(0, sum(1 for cents in positions.values() if cents) - 1)
    assert all(payment.cents > 0 and payment.payer != payment.payee for payment in payments)
    assert not {payment.payer for payment in payments} & {payment.payee for payment in payments}
    for fund in positions:  # never above gross: neither in what is paid nor in what is received
        owes = sum(cents for debtor, _, cents in obligations if debtor == fund)
        owed = sum(cents for _, creditor, cents in obligations if creditor == fund)
        assert positions[fund] == owed - owes
        assert sum(payment.cents for payment in payments if payment.payer == fund) <= owes
        assert sum(payment.cents for payment in payments if payment.payee == fund) <= owed
    shuffled = list(obligations)
    chance.shuffle(shuffled)
    assert net(net_positions(shuffled)) == payments


def test_a_worked_example() -> None:
    a, b, c = FUNDS[:3]
    positions = net_positions([(a, b, 500), (b, c, 300), (c, a, 100), (a, c, 50)])
    assert positions == {a: -450, b: 200, c: 250}
    assert net(positions) == [NetPayment(a, c, 250), NetPayment(a, b, 200)]
    assert net(net_positions([(a, b, 5), (b, a, 5)])) == []
    assert net_positions([(a, b, 5), (b, a, 5)]) == {a: 0, b: 0}
    assert net({}) == []


def _fewest(positions: dict[str, int]) -> int:
    """The fewest payments, by brute force: as many as there are funds, less the groups that sum to zero by themselves."""
    values = [cents for cents in positions.values() if cents]
    most = 0
    for order in permutations(values):
        total, groups = 0, 0
        for cents in order:
            total += cents
            groups += not total
        most = max(most, groups)
    return len(values) - most


@given(st.lists(st.integers(-6, 6), min_size=1, max_size=5).map(lambda values: [*values, -sum(values)]))
def test_small_windows_against_brute_force(values: list[int]) -> None:
    positions = dict(zip(FUNDS, values, strict=False))
    payments = net(positions)
    fewest = _fewest(positions)
    assert fewest <= len(payments) <= max(0, sum(1 for cents in values if cents) - 1)
    if all(abs(left) == abs(right) for left, right in pairwise(values)):
        assert len(payments) == fewest  # equal debts and claims meet one another


@pytest.mark.parametrize("wrong", [[("a", "b", 0)], [("a", "b", -1)], [("a", "a", 5)]])
def test_what_is_no_obligation(wrong: list[tuple[str, str, int]]) -> None:
    with pytest.raises(ValueError, match="owes"):
        net_positions(wrong)


@pytest.mark.parametrize("wrong", [{"a": 1}, {"a": -2, "b": 1}])
def test_positions_that_do_not_balance(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="sum to zero"):
        net(wrong)
