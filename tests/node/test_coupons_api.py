"""Coupons over HTTP: handed out by the office, taken once by a till, and apart from every mile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protocol.identifiers import format_id
from protocol.times import DAY_MS
from tests.node.counter import Counter, Told
from tests.partners.house import OTHER, PARTNERS


@pytest.fixture
def counter(file_counter: Counter) -> Counter:
    """On files: the rows are those of test_base.py, which looks at both bases."""
    return file_counter


async def _issue(counter: Counter, **more: Any) -> Told:
    return await counter.call("POST", "/coupons", counter.coupon(**more), key=counter.office)


async def _use(counter: Counter, coupon: str, sale: str, cents: int, *, key: str | None = None) -> Told:
    return await counter.call("POST", f"/coupons/{coupon}/use", {"sale": sale, "cents": cents}, key=key)


def _sums(counter: Counter) -> list[tuple[Any, ...]]:
    """Every figure of the companies' base that is of miles or euros."""

    def read(line: Any) -> list[tuple[Any, ...]]:
        tables = ("campaigns", "sales", "grants", "payments", "counterparts", "vouchers", "refunds")
        return [tuple(row) for table in tables for row in line.exec_driver_sql(f"SELECT * FROM {table}")]

    return counter.house.books[PARTNERS].read_now(read)


async def test_a_coupon_is_issued_shown_used_once_and_touches_nothing_else(counter: Counter) -> None:
    before = _sums(counter)
    body = counter.coupon(sale_min_cents=500)
    told = await counter.call("POST", "/coupons", body, key=counter.office)
    assert (told.status, told.json["state"], told.json["basis_points"]) == (201, "issued", 1_000)
    assert "repeated" not in told.json
    again = await counter.call("POST", "/coupons", body, key=counter.office)
    assert (again.status, again.json["repeated"]) == (200, True)
    other = await counter.call("POST", "/coupons", body | {"words": "Un tiers"}, key=counter.office)
    assert (other.status, other.json["code"]) == (409, "id_mismatch")
    id_ = body["id"]
    small = await _use(counter, id_, "s1", 499)
    assert (small.status, small.json["code"]) == (400, "invalid_coupon")
    used = await _use(counter, id_, "s1", 2_555)
    assert (used.status, used.json["state"], used.json["discount_cents"]) == (200, "used", 255)
    assert (used.json["used_by"], used.json["used_cents"], "repeated" in used.json) == ("1/s1", 2_555, False)
    assert (await _use(counter, id_, "s1", 2_555)).json == used.json | {"repeated": True}
    assert (await _use(counter, id_, "s1", 2_556)).status == 409
    assert (await _use(counter, id_, "s2", 2_555)).json["code"] == "coupon_step_refused"
    assert (await counter.call("GET", f"/coupons/{id_}")).json == used.json
    withdrawn = await counter.call("POST", f"/coupons/{id_}/withdraw", key=counter.office)
    assert (withdrawn.status, withdrawn.json["code"]) == (422, "coupon_step_refused")
    assert _sums(counter) == before


async def test_tills_that_take_one_coupon_at_once_hear_that_one_of_them_has_it(counter: Counter) -> None:
    _, second = counter.house.till(2)
    id_ = (await _issue(counter)).json["id"]
    told = await asyncio.gather(
        *(_use(counter, id_, "s1", 1_000, key=key) for key in (counter.key, second)),
        *(_use(counter, id_, f"s{number}", 1_000) for number in range(2, 7)),
    )
    assert sorted(one.status for one in told) == [200] + 6 * [422]
    assert {one.json.get("code") for one in told} == {None, "coupon_step_refused"}


async def test_who_may_do_what_with_a_coupon(counter: Counter) -> None:
    id_ = (await _issue(counter)).json["id"]
    assert (await counter.call("POST", "/coupons", counter.coupon())).status == 403, "a till hands out nothing"
    assert (await _use(counter, id_, "s1", 100, key=counter.office)).status == 403, "an office sells nothing"
    assert (await counter.call("POST", f"/coupons/{id_}/withdraw")).status == 403
    assert (await counter.call("GET", f"/coupons/{id_}", key="")).status == 401
    counter.house.enter(OTHER)
    _, stranger = counter.house.till(1, OTHER)
    assert (await counter.call("GET", f"/coupons/{id_}", key=stranger)).status == 404
    assert (await _use(counter, id_, "s1", 100, key=stranger)).json["code"] == "coupon_unknown"
    assert (await counter.call("GET", "/coupons", key=stranger)).json == {"items": [], "after": ""}
    gone = await counter.call("POST", f"/coupons/{id_}/withdraw", key=counter.office)
    assert gone.json["state"] == "withdrawn"
    assert (await _use(counter, id_, "s1", 100)).status == 422


async def test_a_coupon_that_makes_no_sense_or_rewards_a_gift_is_refused(counter: Counter) -> None:
    for more, status, code in (
        ({"occasion": "gift"}, 422, "coupon_rewards_gift"),
        ({"occasion": "birthday"}, 400, "malformed"),
        ({"cents": 100}, 400, "invalid_coupon"),
        ({"basis_points": None}, 400, "invalid_coupon"),
        ({"valid_to": "2026-02-30"}, 400, "invalid_time"),
        ({"valid_to": "2026-01-01"}, 400, "invalid_coupon"),
        ({"words": "zwei\nZeilen"}, 400, "invalid_coupon"),
    ):
        told = await _issue(counter, **more)
        assert (told.status, told.json["code"]) == (status, code), more
    tomorrow = (await _issue(counter, basis_points=None, cents=250)).json["id"]
    counter.house.pass_time(DAY_MS)
    late = await _use(counter, tomorrow, "s1", 1_000)
    assert (late.status, late.json["code"]) == (422, "coupon_not_valid")


async def test_coupons_are_listed_a_page_at_a_time(counter: Counter) -> None:
    made = sorted([(await _issue(counter)).json["id"] for _ in range(5)])
    seen: list[str] = []
    after = ""
    while True:
        page = (await counter.call("GET", f"/coupons?limit=2{f'&after={after}' if after else ''}")).json
        seen += [one["id"] for one in page["items"]]
        after = page["after"]
        if not after:
            break
    assert seen == made
    for bad in ("limit=0", "limit=201", "after=x"):
        assert (await counter.call("GET", f"/coupons?{bad}")).status == 400
    assert (await counter.call("GET", f"/coupons/{format_id(counter.house.new_id())}")).status == 404
