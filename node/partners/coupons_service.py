"""Issue, use, withdraw and let lapse a merchant's discount coupons. It knows neither gifts nor campaigns."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.partners import tables
from node.partners.answering import answer_each
from node.partners.companies import Siren
from node.partners.coupons import (
    NO_CENTS,
    Coupon,
    CouponAnswer,
    CouponEvent,
    CouponState,
    Occasion,
    PercentOff,
    SumOff,
    advance,
)
from node.partners.errors import CouponUnknown
from node.partners.seals import seal
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id
from protocol.times import read_day, write_day

_coupons = tables.coupons
_MOVING: Final = {"state": "", "used_by": "", "used_cents": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCoupon:
    """Use a coupon on a sale of so many cents, withdraw it, or let it lapse."""

    merchant: Siren
    coupon: Id16
    event: CouponEvent
    day: datetime.date
    sale: str = ""
    cents: Cents = NO_CENTS


class CouponDesk:
    """Operations for the book's writer, on coupons."""

    def issue(self, page: Page, items: Sequence[Coupon]) -> list[CouponAnswer | Refusal]:
        """Keep each new coupon; the same again is answered as before."""
        return answer_each(items, lambda item: self._issue(page, item))

    def move(self, page: Page, items: Sequence[MoveCoupon]) -> list[CouponAnswer | Refusal]:
        """Advance each coupon."""
        return answer_each(items, lambda item: self._move(page, item))

    def _issue(self, page: Page, coupon: Coupon) -> CouponAnswer:
        known = find_coupon(page.connection, coupon.id)
        if known is not None:
            if _write(known) | _MOVING != _write(coupon) | _MOVING:
                raise IdMismatch(id=format_id(coupon.id), field="coupon")
            return CouponAnswer(coupon=known, is_repeat=True)
        page.connection.execute(_coupons.insert().values(**seal("coupons", _write(coupon))))
        return CouponAnswer(coupon=coupon, is_repeat=False)

    def _move(self, page: Page, asked: MoveCoupon) -> CouponAnswer:
        coupon = load_coupon(page.connection, asked.merchant, asked.coupon)
        after = advance(coupon, asked.event, day=asked.day, sale=asked.sale, cents=asked.cents)
        if after is not coupon:
            page.connection.execute(
                _coupons.update().where(_coupons.c.id == coupon.id).values(**seal("coupons", _write(after)))
            )
        return CouponAnswer(coupon=after, is_repeat=after is coupon)


def find_coupon(connection: Connection, id_: Id16) -> Coupon | None:
    """Return the coupon of this id, or None."""
    row = connection.execute(select(_coupons).where(_coupons.c.id == id_)).first()
    return None if row is None else _make(row)


def load_coupon(connection: Connection, merchant: Siren, id_: Id16) -> Coupon:
    """Return a merchant's coupon. Raises CouponUnknown, where it is another's too."""
    coupon = find_coupon(connection, id_)
    if coupon is None or coupon.merchant != merchant:
        raise CouponUnknown(id=format_id(id_))
    return coupon


def list_some_coupons(connection: Connection, merchant: Siren, *, after: Id16 | None, limit: int) -> list[Coupon]:
    """Return up to `limit` of a merchant's coupons in the order of their ids, from the one after `after` on."""
    asked = select(_coupons).where(_coupons.c.merchant == merchant)
    if after is not None:
        asked = asked.where(_coupons.c.id > after)
    return [_make(row) for row in connection.execute(asked.order_by(_coupons.c.id).limit(limit))]


def list_coupons(connection: Connection, merchant: Siren) -> list[Coupon]:
    """Return a merchant's coupons, those that end first in front."""
    rows = connection.execute(
        select(_coupons).where(_coupons.c.merchant == merchant).order_by(_coupons.c.valid_to, _coupons.c.id)
    )
    return [_make(row) for row in rows]


def _write(coupon: Coupon) -> dict[str, Any]:
    discount = coupon.discount
    return {
        "id": coupon.id,
        "merchant": coupon.merchant,
        "words": coupon.words,
        "basis_points": discount.basis_points if isinstance(discount, PercentOff) else None,
        "cents": discount.cents if isinstance(discount, SumOff) else None,
        "occasion": coupon.occasion,
        "valid_from": write_day(coupon.valid_from),
        "valid_to": write_day(coupon.valid_to),
        "sale_min": coupon.sale_min,
        "state": coupon.state,
        "used_by": coupon.used_by,
        "used_cents": coupon.used_cents,
    }


def _make(row: Any) -> Coupon:
    return Coupon(
        id=Id16(bytes(row.id)),
        merchant=Siren(row.merchant),
        words=row.words,
        discount=SumOff(cents=Cents(row.cents)) if row.cents else PercentOff(basis_points=row.basis_points),
        occasion=Occasion(row.occasion),
        valid_from=read_day(row.valid_from),
        valid_to=read_day(row.valid_to),
        sale_min=Cents(row.sale_min),
        state=CouponState(row.state),
        used_by=row.used_by,
        used_cents=Cents(row.used_cents),
    )
