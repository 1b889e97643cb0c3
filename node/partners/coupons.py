"""Local discount coupons: a merchant's own commercial discount, and nothing else. Pure.

    ISSUED ──used──▶ USED
       ├────lapsed──▶ LAPSED
       └─withdrawn──▶ WITHDRAWN

A coupon has no value in miles, is no counterpart of a gift and never stands in a receipt or in the register of
counterparts: this file knows neither campaigns nor counterparts, nor do they know it (a test holds that). A coupon that
would reward somebody's gift is refused: it is a counterpart, and belongs in that register.
Source: shared design, DOMAIN.md 1.1 "Miles and intention libérale" (v).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from node.partners.companies import Siren, is_line, require_siren
from node.partners.errors import CouponNotValid, CouponRewardsGift, CouponStepRefused, InvalidCoupon
from protocol.amounts import Cents, require_amount, require_balance
from protocol.errors import IdMismatch
from protocol.identifiers import Id16, require_id

WORDS_MAX: Final = 140
BASIS_POINTS: Final = 10_000
NO_CENTS: Final = Cents(0)


class CouponState(StrEnum):
    ISSUED = "issued"
    USED = "used"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class CouponEvent(StrEnum):
    USED = "used"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


_S = CouponState
_E = CouponEvent

NEXT_STATE: Final[Mapping[CouponState, Mapping[CouponEvent, CouponState]]] = {
    _S.ISSUED: {_E.USED: _S.USED, _E.LAPSED: _S.LAPSED, _E.WITHDRAWN: _S.WITHDRAWN},
    _S.USED: {_E.USED: _S.USED},
    _S.LAPSED: {_E.LAPSED: _S.LAPSED},
    _S.WITHDRAWN: {_E.WITHDRAWN: _S.WITHDRAWN},
}


class Occasion(StrEnum):
    """Why a merchant hands a coupon out."""

    LOCAL_PURCHASE = "local_purchase"
    LOYALTY = "loyalty"
    OPENING = "opening"
    GIFT = "gift"  # somebody gave to the fund or oriented miles: never a coupon's occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOff:
    """Raises InvalidCoupon."""

    basis_points: int

    def __post_init__(self) -> None:
        if type(self.basis_points) is not int or not 1 <= self.basis_points <= BASIS_POINTS:
            raise InvalidCoupon(field="basis_points", reason=f"1 to {BASIS_POINTS} hundredths of a percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOff:
    """Raises InvalidAmount."""

    cents: Cents

    def __post_init__(self) -> None:
        require_amount(self.cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A coupon of one merchant; both days are included.

    `used_by` names the sale that used it, `used_cents` is what that sale came to before the discount.
    Raises InvalidCoupon, CouponRewardsGift, InvalidId, InvalidSiren, InvalidAmount.
    """

    id: Id16
    merchant: Siren
    words: str
    discount: PercentOff | SumOff
    occasion: Occasion
    valid_from: datetime.date
    valid_to: datetime.date
    sale_min: Cents = NO_CENTS
    state: CouponState = CouponState.ISSUED
    used_by: str = ""
    used_cents: Cents = NO_CENTS

    def __post_init__(self) -> None:
        require_id(self.id)
        require_siren(self.merchant)
        require_balance(self.sale_min)
        if not is_line(self.words, WORDS_MAX):
            raise InvalidCoupon(field="words", reason=f"one line of 1 to {WORDS_MAX} symbols")
        if self.valid_to < self.valid_from:
            raise InvalidCoupon(field="valid_to", reason="it ends before it begins")
        if self.occasion is Occasion.GIFT:
            raise CouponRewardsGift
        if (self.state is CouponState.USED) is not bool(self.used_by):
            raise InvalidCoupon(field="used_by", reason="a used coupon, and no other, names the sale")
        if bool(self.used_by) is not bool(require_balance(self.used_cents)):
            raise InvalidCoupon(field="used_cents", reason="a used coupon, and no other, tells what the sale came to")


def compute_discount(coupon: Coupon, sale: Cents) -> Cents:
    """Return the discount on a sale, never more than the sale; a percentage is rounded down, for the merchant.

    Raises InvalidCoupon where the sale is too small for it.
    """
    if require_amount(sale) < coupon.sale_min:
        raise InvalidCoupon(field="sale_min", reason="the sale is too small for this coupon")
    if isinstance(coupon.discount, SumOff):
        return Cents(min(coupon.discount.cents, sale))
    return Cents(sale * coupon.discount.basis_points // BASIS_POINTS)


def advance(
    coupon: Coupon, event: CouponEvent, *, day: datetime.date, sale: str = "", cents: Cents = NO_CENTS
) -> Coupon:
    """Return the coupon as it stands after `event`; a resend returns it unchanged.

    Used: on a day on which it is valid, by the sale of that id and of so many cents; another sale is no resend. Lapsed:
    after its last day. Raises CouponStepRefused, CouponNotValid, InvalidCoupon, InvalidAmount, IdMismatch where the same
    sale now comes to another sum; the coupon given is never modified.
    """
    after = NEXT_STATE[coupon.state].get(event)
    if after is None or (coupon.state is _S.USED and sale != coupon.used_by):
        raise CouponStepRefused(state=coupon.state, event=event)
    if after is coupon.state:
        if after is _S.USED and cents != coupon.used_cents:
            raise IdMismatch(id=sale, field="cents")
        return coupon
    has_ended = day > coupon.valid_to
    if (event is _E.USED and (has_ended or day < coupon.valid_from)) or (event is _E.LAPSED and not has_ended):
        raise CouponNotValid(
            day=day.isoformat(), valid_from=coupon.valid_from.isoformat(), valid_to=coupon.valid_to.isoformat()
        )
    if event is not _E.USED:
        return replace(coupon, state=after)
    compute_discount(coupon, cents)  # a sale that is too small for it does not use it up
    return replace(coupon, state=after, used_by=sale, used_cents=cents)


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponAnswer:
    """A coupon as it stands after what was asked; `is_repeat`: it stood so before."""

    coupon: Coupon
    is_repeat: bool
