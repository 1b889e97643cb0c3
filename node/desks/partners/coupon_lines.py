"""Coupons as shops and their offices send and read them, as typed structs. Pure. They know no gift and no mile."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from node.desks.partners.tills_requests import OwnId, Sum, Uuid
from node.partners.companies import Siren
from node.partners.coupons import (
    BASIS_POINTS,
    NO_CENTS,
    WORDS_MAX,
    Coupon,
    Occasion,
    PercentOff,
    SumOff,
    compute_discount,
)
from node.partners.errors import InvalidCoupon
from node.partners.purchases import TillNumber
from protocol.amounts import CENTS_MAX, Cents
from protocol.identifiers import format_id, parse_id
from protocol.times import parse_day

DayText = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class CouponRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A discount that the shop hands out: `basis_points` (hundredths of a percent) or `cents` off. Both days included."""

    id: Uuid
    words: Annotated[str, Meta(min_length=1, max_length=WORDS_MAX)]
    occasion: Occasion
    valid_from: DayText
    valid_to: DayText
    basis_points: Annotated[int, Meta(ge=1, le=BASIS_POINTS)] | None = None
    cents: Sum | None = None
    sale_min_cents: Annotated[int, Meta(ge=0, le=CENTS_MAX)] = 0


class CouponUseRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A coupon shown at a till, with a sale of so many cents before the discount. `sale` is the till's own id."""

    sale: OwnId
    cents: Sum


class CouponLine(Struct, frozen=True, omit_defaults=True):
    """A coupon: `state` is issued, used, lapsed or withdrawn; a used one tells the till and sale, and its discount."""

    id: str
    words: str
    occasion: str
    valid_from: str
    valid_to: str
    sale_min_cents: int
    state: str
    basis_points: int | None = None
    cents: int | None = None
    used_by: str = ""
    used_cents: int = 0
    discount_cents: int = 0
    repeated: bool = False


class CouponsAnswer(Struct, frozen=True):
    """Coupons in the order of their ids; `after` tells where to go on, and is empty at the end."""

    items: list[CouponLine]
    after: str


def read_coupon(asked: CouponRequest, merchant: Siren) -> Coupon:
    """Return the coupon. Raises Malformed, CouponRewardsGift."""
    if (asked.basis_points is None) is (asked.cents is None):
        raise InvalidCoupon(field="cents", reason="either basis_points or cents")
    return Coupon(
        id=parse_id(asked.id),
        merchant=merchant,
        words=asked.words,
        discount=PercentOff(basis_points=asked.basis_points or 0)
        if asked.cents is None
        else SumOff(cents=Cents(asked.cents)),
        occasion=asked.occasion,
        valid_from=parse_day(asked.valid_from, "valid_from"),
        valid_to=parse_day(asked.valid_to, "valid_to"),
        sale_min=Cents(asked.sale_min_cents) if asked.sale_min_cents else NO_CENTS,
    )


def name_sale(till: TillNumber, sale: str) -> str:
    """Return how a coupon names the sale that used it: what a till calls its own is another sale at the next till."""
    return f"{till}/{sale}"


def tell_coupon(coupon: Coupon, *, is_repeat: bool = False) -> CouponLine:
    """Return a coupon as its shop reads it."""
    discount = coupon.discount
    return CouponLine(
        id=format_id(coupon.id),
        words=coupon.words,
        occasion=str(coupon.occasion),
        valid_from=coupon.valid_from.isoformat(),
        valid_to=coupon.valid_to.isoformat(),
        sale_min_cents=coupon.sale_min,
        state=str(coupon.state),
        basis_points=discount.basis_points if isinstance(discount, PercentOff) else None,
        cents=discount.cents if isinstance(discount, SumOff) else None,
        used_by=coupon.used_by,
        used_cents=coupon.used_cents,
        discount_cents=compute_discount(coupon, coupon.used_cents) if coupon.used_by else 0,
        repeated=is_repeat,
    )
