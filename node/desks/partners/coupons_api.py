"""Coupons over HTTP: a shop's office hands them out, its tills take each once. No door of gifts leads here."""

from __future__ import annotations

from functools import partial
from typing import cast

from aiohttp import web

from node.desks.partners.counter_api import COUNTER, answer, authorise_in_force, authorise_office
from node.desks.partners.coupon_lines import (
    CouponRequest,
    CouponsAnswer,
    CouponUseRequest,
    name_sale,
    read_coupon,
    tell_coupon,
)
from node.doors.bodies import read_body, read_limit
from node.partners.coupons import NO_CENTS, CouponAnswer, CouponEvent
from node.partners.coupons_service import MoveCoupon, list_some_coupons, load_coupon
from node.partners.tills_service import Till
from protocol.amounts import Cents
from protocol.identifiers import format_id, parse_id


async def issue_coupon(request: web.Request) -> web.Response:
    """Hand out a coupon of the shop."""
    counter, office = request.app[COUNTER], await authorise_office(request)
    coupon = read_coupon(read_body(await request.read(), CouponRequest), office.siren)
    told = cast(CouponAnswer, await counter.partners.book.write(counter.partners.coupons.issue, coupon))
    return answer(tell_coupon(told.coupon, is_repeat=told.is_repeat), 200 if told.is_repeat else 201)


async def list_coupons(request: web.Request) -> web.Response:
    """List the shop's coupons, a page at a time."""
    counter, till = request.app[COUNTER], await authorise_in_force(request)
    after, limit = request.query.get("after"), read_limit(request.query.get("limit"))
    find = partial(
        list_some_coupons, merchant=till.siren, after=None if after is None else parse_id(after), limit=limit
    )
    coupons = await counter.partners.book.read(find)
    last = format_id(coupons[-1].id) if len(coupons) == limit else ""
    return answer(CouponsAnswer([tell_coupon(one) for one in coupons], last))


async def show_coupon(request: web.Request) -> web.Response:
    """Show a coupon of the shop: whether it can still be used, and on which sales."""
    counter, till = request.app[COUNTER], await authorise_in_force(request)
    find = partial(load_coupon, merchant=till.siren, id_=parse_id(request.match_info["coupon"]))
    return answer(tell_coupon(await counter.partners.book.read(find)))


async def use_coupon(request: web.Request) -> web.Response:
    """Take a coupon on a sale, once, and answer the discount; the same sale again is answered again."""
    till = await authorise_in_force(request)
    number = till.require_number()
    asked = read_body(await request.read(), CouponUseRequest)
    sale, cents = name_sale(number, asked.sale), Cents(asked.cents)
    return await _move(request, _name(request, till, CouponEvent.USED, sale=sale, cents=cents))


async def withdraw_coupon(request: web.Request) -> web.Response:
    """Withdraw a coupon that nobody has used."""
    office = await authorise_office(request)
    return await _move(request, _name(request, office, CouponEvent.WITHDRAWN))


def _name(
    request: web.Request, till: Till, event: CouponEvent, *, sale: str = "", cents: Cents = NO_CENTS
) -> MoveCoupon:
    return MoveCoupon(
        merchant=till.siren,
        coupon=parse_id(request.match_info["coupon"]),
        event=event,
        day=request.app[COUNTER].today(),
        sale=sale,
        cents=cents,
    )


async def _move(request: web.Request, asked: MoveCoupon) -> web.Response:
    partners = request.app[COUNTER].partners
    told = cast(CouponAnswer, await partners.book.write(partners.coupons.move, asked))
    return answer(tell_coupon(told.coupon, is_repeat=told.is_repeat))
