"""Coupons: a merchant's discount, apart from every gift."""

from __future__ import annotations

import ast
import datetime
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.partners.counterparts import Register
from node.partners.coupons import (
    NEXT_STATE,
    Coupon,
    CouponEvent,
    CouponState,
    Occasion,
    PercentOff,
    SumOff,
    advance,
    compute_discount,
)
from node.partners.errors import CouponNotValid, CouponRewardsGift, CouponStepRefused, InvalidCoupon
from protocol.amounts import Cents
from protocol.errors import IdMismatch, InvalidAmount
from protocol.identifiers import Id16
from tests.partners.values import BAKERY, DAY

_S = CouponState
_E = CouponEvent
_ONE = datetime.timedelta(days=1)
ROOM = Path(__file__).parents[2] / "node" / "partners"


def _coupon(**changes: Any) -> Coupon:
    told: dict[str, Any] = {
        "id": Id16(b"c" * 16),
        "merchant": BAKERY,
        "words": "Un dixième sur le pain",
        "discount": PercentOff(basis_points=1_000),
        "occasion": Occasion.LOCAL_PURCHASE,
        "valid_from": DAY,
        "valid_to": DAY + 9 * _ONE,
    }
    return Coupon(**(told | changes))


def test_the_table_has_the_arrows_of_the_diagram() -> None:
    told = {
        (state.value, event.value): after.value for state, row in NEXT_STATE.items() for event, after in row.items()
    }
    assert told == {
        ("issued", "used"): "used",
        ("issued", "lapsed"): "lapsed",
        ("issued", "withdrawn"): "withdrawn",
        ("used", "used"): "used",
        ("lapsed", "lapsed"): "lapsed",
        ("withdrawn", "withdrawn"): "withdrawn",
    }
    assert NEXT_STATE.keys() == set(_S)


def test_a_coupon_is_used_once_by_one_sale_and_a_resend_changes_nothing() -> None:
    used = advance(_coupon(), _E.USED, day=DAY, sale="sale-1", cents=Cents(900))
    assert (used.state, used.used_by) == (_S.USED, "sale-1")
    assert advance(used, _E.USED, day=DAY + 99 * _ONE, sale="sale-1", cents=Cents(900)) is used
    with pytest.raises(CouponStepRefused):
        advance(used, _E.USED, day=DAY, sale="sale-2", cents=Cents(900))
    for event in (_E.LAPSED, _E.WITHDRAWN):
        with pytest.raises(CouponStepRefused):
            advance(used, event, day=DAY + 99 * _ONE)
    with pytest.raises(InvalidCoupon):
        advance(_coupon(), _E.USED, day=DAY, cents=Cents(1))
    with pytest.raises(IdMismatch):
        advance(used, _E.USED, day=DAY, sale="sale-1", cents=Cents(901))


def test_a_sale_that_is_too_small_does_not_use_a_coupon_up() -> None:
    coupon = _coupon(sale_min=Cents(300))
    with pytest.raises(InvalidCoupon):
        advance(coupon, _E.USED, day=DAY, sale="s", cents=Cents(299))
    with pytest.raises(InvalidAmount):
        advance(coupon, _E.USED, day=DAY, sale="s")
    used = advance(coupon, _E.USED, day=DAY, sale="s", cents=Cents(300))
    assert (used.used_by, used.used_cents) == ("s", 300)


@given(st.integers(-5, 15))
def test_a_coupon_is_used_on_its_days_and_lapses_after_them(after: int) -> None:
    day = DAY + after * _ONE
    for event, is_good in ((_E.USED, 0 <= after <= 9), (_E.LAPSED, after > 9), (_E.WITHDRAWN, True)):
        if is_good:
            assert advance(_coupon(), event, day=day, sale="s", cents=Cents(1)).state.value == event.value
        else:
            with pytest.raises(CouponNotValid):
                advance(_coupon(), event, day=day, sale="s", cents=Cents(1))


@given(st.integers(1, 10_000), st.integers(1, 10**6))
def test_a_percentage_is_rounded_down_and_never_more_than_the_sale(basis_points: int, sale: int) -> None:
    discount = compute_discount(_coupon(discount=PercentOff(basis_points=basis_points)), Cents(sale))
    assert 0 <= Fraction(sale * basis_points, 10_000) - discount < 1
    assert discount <= sale


def test_a_sum_is_never_more_than_the_sale_and_small_sales_get_none() -> None:
    coupon = _coupon(discount=SumOff(cents=Cents(500)), sale_min=Cents(300))
    assert compute_discount(coupon, Cents(2_000)) == 500
    assert compute_discount(coupon, Cents(300)) == 300
    with pytest.raises(InvalidCoupon):
        compute_discount(coupon, Cents(299))


def test_a_coupon_that_rewards_a_gift_is_refused() -> None:
    with pytest.raises(CouponRewardsGift):
        _coupon(occasion=Occasion.GIFT)


@pytest.mark.parametrize(
    "changes",
    [
        {"words": ""},
        {"valid_to": DAY - _ONE},
        {"state": _S.USED},
        {"used_by": "sale-1"},
        {"used_cents": 5},
        {"state": _S.USED, "used_by": "sale-1"},
    ],
)
def test_a_coupon_is_valid_when_made(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidCoupon):
        _coupon(**changes)


def test_a_discount_is_of_something() -> None:
    for basis_points in (0, 10_001):
        with pytest.raises(InvalidCoupon):
            PercentOff(basis_points=basis_points)
    with pytest.raises(InvalidAmount):
        SumOff(cents=Cents(0))


def _names(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }


def test_coupons_and_gifts_do_not_know_each_other() -> None:
    ours = {name for name in _names(ROOM / "coupons.py") if name.startswith("node.")}
    assert ours == {"node.partners.companies", "node.partners.errors"}
    knowing = {file.name for file in ROOM.glob("*.py") if any("coupons" in name for name in _names(file))}
    assert knowing == {"coupons_service.py", "service.py", "tables.py"}, "its own desk, the wiring, the table"
    assert not {"coupon", "coupons"} & {field.name for field in fields(Register)}
