"""Shares to the cent, against plain oracles: cents dealt one by one, or fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.ledger.lots import LotId
from node.solidarity.rules import Givers, PoolRule, Sharing
from node.solidarity.shares import Receiver, compute_shares, derive_share_op, draw_lots, order_accounts
from protocol.errors import Malformed

SALT = b"sixteen bytes..."
_ceilings = st.integers(0, 60)
_units = st.lists(st.integers(1, 30), min_size=1, max_size=12)


def _rule(sharing: Sharing, **more: int) -> PoolRule:
    units = (10,) if sharing is Sharing.WEIGHTED else ()
    return PoolRule(givers=(Givers.ANYBODY,), classes=1, sharing=sharing, units=units, **more)


def _find_height(total: int, units: list[int], ceiling: int) -> Fraction:
    """Return the cents per unit at which everybody's part, cut at the ceiling, makes up the total."""
    left, sum_units = Fraction(total), sum(units)
    for one in sorted(units, reverse=True):  # who has the most units meets the ceiling first
        if left / sum_units * one < ceiling:
            return left / sum_units
        left, sum_units = left - ceiling, sum_units - one
        if not sum_units:
            break
    return Fraction(ceiling)


@settings(max_examples=40)
@given(total=st.integers(0, 2_000), units=_units)
def test_weighted_shares_are_the_largest_remainders_and_make_up_the_total(total: int, units: list[int]) -> None:
    found = compute_shares(_rule(Sharing.WEIGHTED), total, [Receiver(one, 0) for one in units])
    exact = [Fraction(total * one, sum(units)) for one in units]
    whole = [part.numerator // part.denominator for part in exact]
    ranked = sorted(range(len(units)), key=lambda at: (whole[at] - exact[at], at))
    more = ranked[: total - sum(whole)]
    assert found == [cents + (at in more) for at, cents in enumerate(whole)]
    assert sum(found) == total


@settings(max_examples=40)
@given(total=st.integers(0, 2_000), units=_units, ceiling=st.integers(1, 60))
def test_with_a_ceiling_nobody_gets_more_and_the_others_share_what_that_leaves(
    total: int, units: list[int], ceiling: int
) -> None:
    found = compute_shares(_rule(Sharing.WEIGHTED, ceiling=ceiling), total, [Receiver(one, 0) for one in units])
    assert sum(found) == min(total, ceiling * len(units))
    assert max(found) <= ceiling
    height = _find_height(total, units, ceiling)
    assert all(abs(cents - min(Fraction(ceiling), height * one)) < 1 for cents, one in zip(found, units, strict=True))


@settings(max_examples=40)
@given(
    total=st.integers(0, 400),
    held=st.lists(st.integers(0, 80), min_size=1, max_size=8),
    level=st.integers(1, 80),
    ceiling=_ceilings,
)
def test_filling_up_is_a_cent_at_a_time_to_who_has_least(total: int, held: list[int], level: int, ceiling: int) -> None:
    found = compute_shares(
        _rule(Sharing.FILL, level=level, ceiling=ceiling), total, [Receiver(10, cents) for cents in held]
    )
    got = [0] * len(held)
    for _ in range(total):
        poor = [at for at, cents in enumerate(held) if cents + got[at] < level and (not ceiling or got[at] < ceiling)]
        if not poor:
            break
        got[min(poor, key=lambda at: (held[at] + got[at], at))] += 1
    assert found == got


@settings(max_examples=40)
@given(total=st.integers(0, 500), count=st.integers(1, 9), ceiling=_ceilings)
def test_shared_again_out_of_what_was_shared_every_share_is_the_same(total: int, count: int, ceiling: int) -> None:
    """The check knows what was shared and not what there was."""
    for rule in (_rule(Sharing.EQUAL, ceiling=ceiling), _rule(Sharing.FILL, ceiling=ceiling, level=30)):
        receivers = [Receiver(10, 7 * at % 40) for at in range(count)]
        found = compute_shares(rule, total, receivers)
        assert compute_shares(rule, sum(found), receivers) == found


@settings(max_examples=40)
@given(lots=st.lists(st.integers(1, 9), max_size=6), parts=st.lists(st.integers(0, 7), max_size=6))
def test_lots_are_drawn_in_their_order_and_each_share_is_whole(lots: list[int], parts: list[int]) -> None:
    cents = [lot for lot, held in enumerate(lots) for _ in range(held)]
    shares: list[int] = []
    for part in parts:
        shares.append(min(part, len(cents) - sum(shares)))
    for start in range(len(shares) + 1):
        passed = sum(shares[:start])
        found = draw_lots([(LotId(at), held) for at, held in enumerate(lots)], passed, shares[start:])
        for share, drawn in zip(shares[start:], found, strict=True):
            assert [int(lot) for lot, many in drawn for _ in range(many)] == cents[passed : passed + share]
            assert len({lot for lot, _ in drawn}) == len(drawn)
            passed += share


def test_the_order_and_the_ids_of_shares_hang_on_the_salt() -> None:
    accounts = [f"ACCOUNT{at}" for at in range(9)]
    order = order_accounts(accounts, SALT)
    assert sorted(order) == accounts != order
    assert order_accounts(reversed(accounts), SALT) == order != order_accounts(accounts, SALT[::-1])
    ops = {derive_share_op(salt, place) for salt in (SALT, SALT[::-1]) for place in range(50)}
    assert len(ops) == 100
    # As any random UUID: version 4, variant 10.
    assert {op[6] >> 4 for op in ops} == {4}
    assert {op[8] >> 6 for op in ops} == {2}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"givers": ()}, "givers"),
        ({"givers": (Givers.LISTED, Givers.ANYBODY)}, "givers"),
        ({"classes": 0}, "classes"),
        ({"classes": 10}, "classes"),
        ({"units": (10,)}, "units"),
        ({"sharing": Sharing.WEIGHTED, "units": (10, 15)}, "units"),
        ({"sharing": Sharing.WEIGHTED, "units": (0,)}, "units"),
        ({"sharing": Sharing.WEIGHTED, "units": (1_001,)}, "units"),
        ({"ceiling": -1}, "ceiling"),
        ({"level": 5}, "level"),
        ({"sharing": Sharing.FILL}, "level"),
        ({"sharing": Sharing.FILL, "level": -5}, "level"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(changed: dict[str, object], field: str) -> None:
    terms: dict[str, object] = {"givers": (Givers.ANYBODY,), "classes": 1, "sharing": Sharing.EQUAL}
    with pytest.raises(Malformed) as refusal:
        PoolRule(**terms | changed)  # type: ignore[arg-type]
    assert refusal.value.facts["field"] == field
