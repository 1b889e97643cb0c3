"""Tills over HTTP: sold and credited, told later, refunded, claimed once; and what is refused says why."""

from __future__ import annotations

import asyncio
import json

from node.desks.partners.counter_api import COUNTER
from node.desks.partners.tills_api import DOORS
from node.partners.ceilings import FiscalYear
from node.partners.companies_service import NamedYears, Turnover
from node.partners.purchases import RevocationReason
from protocol.amounts import Cents
from protocol.times import DAY_MS, HOUR_MS, format_instant
from tests.node.counter import Counter
from tests.partners.house import BAKERY, OTHER, TODAY


async def test_a_sale_is_answered_when_the_accounts_credited_it(counter: Counter) -> None:
    alice = counter.person()
    told = await counter.sell("sale 1/a", alice, 2_550)
    assert (told.status, told.json["status"], told.json["cents"]) == (201, "granted", 51)
    assert counter.house.balance(alice[:4] + alice[5:9]) == 51
    shown = await counter.call("GET", "/purchases?purchase=sale%201/a")
    assert shown.json == told.json | {"repeated": True}


async def test_the_same_sale_again_is_answered_again_and_another_under_its_id_is_refused(counter: Counter) -> None:
    alice = counter.person()
    body = {"campaign": counter.campaign, "sent_at": counter.now(), **counter.sale("s1", alice, 1_000)}
    first = await counter.call("POST", "/purchases", body)
    again = await counter.call("POST", "/purchases", body)
    assert (first.status, again.status, again.json["repeated"]) == (201, 200, True)
    other = await counter.call("POST", "/purchases", body | {"cents": 2_000})
    assert (other.status, other.json["code"], other.json["facts"]["field"]) == (409, "id_mismatch", "sale")


async def test_while_the_accounts_are_away_a_sale_is_pending_and_granted_once_they_are_back(counter: Counter) -> None:
    served = counter.server.app[COUNTER]
    served.wait_seconds = 0.01
    counter.clearing.is_away = True
    alice = counter.person()
    body = {"campaign": counter.campaign, "sent_at": counter.now(), **counter.sale("s1", alice, 1_000)}
    pending = await counter.call("POST", "/purchases", body)
    assert (pending.status, pending.json["status"]) == (202, "pending")
    refund = {"id": "r1", "purchase": "s1", "cents": 500}
    refunded = await counter.call("POST", "/refunds", refund)
    assert (refunded.status, refunded.json["status"], refunded.json["due_cents"]) == (202, "pending", 10)
    served.wait_seconds = 30
    counter.clearing.come_back()
    granted = await counter.call("POST", "/purchases", body)
    assert (granted.status, granted.json["status"]) == (200, "granted")
    settled = await counter.call("POST", "/refunds", refund)
    assert (settled.status, settled.json["note"], settled.json["taken_cents"]) == (200, "taken", 10)


async def test_a_batch_says_of_each_line_what_became_of_it(counter: Counter) -> None:
    alice = counter.person()
    old = format_instant(counter.house.clock() - 40 * DAY_MS)
    told = await counter.batch(
        counter.sale("s1", alice, 1_000),
        counter.sale("s2", alice, 1_000, at=old),
        {"id": "s3", "at": "yesterday", "cents": 5},
        counter.sale("s4", alice, 0),
        counter.sale("s5", "7K3F-92QX-0@242900314", 1_000),
        counter.sale("s6", None, 1_000),
        counter.sale("s7", alice, 1_000, colour="red"),
        counter.sale("s8", alice, 9_999_999),
        counter.sale("s9", alice, 1_000, at="9999-12-31T23:59:59Z"),
    )
    assert told.status == 200
    codes = [line.get("code") or line["status"] for line in told.json["items"]]
    assert codes[:2] == ["granted", "purchase_too_old"]
    assert codes[2:5] == ["malformed", "malformed", "invalid_address"]
    assert codes[5:] == ["ticket", "malformed", "budget_too_small", "invalid_time"]
    assert [line["id"] for line in told.json["items"]] == [f"s{number}" for number in range(1, 10)]
    assert all(line["explanation"] for line in told.json["items"] if line["status"] == "refused")


async def test_a_wrong_clock_refuses_the_batch_and_says_what_to_do(counter: Counter) -> None:
    late = format_instant(counter.house.clock() - HOUR_MS)
    told = await counter.batch(counter.sale("s1", counter.person(), 1_000), sent_at=late)
    assert (told.status, told.json["code"]) == (422, "till_clock_wrong")
    assert "set it right" in told.json["explanation"]
    assert counter.house.campaign(counter.uid).spent == 0


async def test_a_refused_sale_is_refused_by_its_reason(counter: Counter) -> None:
    told = await counter.sell("s1", counter.person(), 100_000_000)
    assert (told.status, told.json["code"]) == (422, "budget_too_small")
    unknown = await counter.sell("s2", "ZZZZZZZZ", 1_000)
    assert (unknown.status, unknown.json["code"]) == (404, "account_unknown")
    nowhere = await counter.sell("s3", counter.person(), 1_000, campaign="00000000-0000-4000-8000-000000000001")
    assert (nowhere.status, nowhere.json["code"]) == (404, "campaign_unknown")


async def test_a_partial_and_a_full_refund(counter: Counter) -> None:
    alice = counter.person()
    await counter.sell("s1", alice, 10_000)
    first = await counter.call("POST", "/refunds", {"id": "r1", "purchase": "s1", "cents": 2_500})
    assert (first.status, first.json["note"], first.json["taken_cents"]) == (201, "taken", 50)
    rest = await counter.call("POST", "/refunds", {"id": "r2", "purchase": "s1", "cents": 7_500})
    assert rest.json["taken_cents"] == 150
    more = await counter.call("POST", "/refunds", {"id": "r3", "purchase": "s1", "cents": 1})
    assert (more.status, more.json["code"]) == (422, "refund_too_large")
    nothing = await counter.call("POST", "/refunds", {"id": "r1", "purchase": "s9", "cents": 1})
    assert (nothing.status, nothing.json["code"]) == (404, "sale_unknown")
    assert counter.house.campaign(counter.uid).spent == 0


async def test_a_ticket_is_claimed_once_however_many_claim_it_at_once(counter: Counter) -> None:
    sold = await counter.sell("s1", None, 5_000)
    assert (sold.status, sold.json["status"]) == (201, "ticket")
    people = [counter.person() for _ in range(6)]
    texts = [sold.json["ticket"], sold.json["ticket_qr"], sold.json["ticket"].lower()] * 2
    doors = [("/claims", None), ("/citizen-claims", "")] * 3  # at a till, and by the citizens themselves
    told = await asyncio.gather(
        *(
            counter.call("POST", door, {"ticket": text, "account": person}, key=key)
            for text, person, (door, key) in zip(texts, people, doors, strict=True)
        )
    )
    assert sorted(one.status for one in told) == [201, 422, 422, 422, 422, 422]
    assert {one.json.get("code") for one in told} == {None, "ticket_claimed"}
    winner = people[[one.status for one in told].index(201)]
    again = await counter.call("POST", "/claims", {"ticket": sold.json["ticket"], "account": winner})
    assert (again.status, again.json) == (200, {"status": "granted", "cents": 100, "repeated": True})
    assert sum(counter.house.balance(one[:4] + one[5:9]) for one in people) == 100


async def test_who_calls_must_say_who_it_is(counter: Counter) -> None:
    for key in ("", "cmt_00_00", counter.key[:-1] + ("0" if counter.key[-1] != "0" else "1"), "x" * 5_000):
        told = await counter.call("GET", "/campaigns", key=key)
        assert (told.status, told.json["code"]) == (401, "till_not_known")


async def test_a_till_is_no_office_and_an_office_sells_nothing(counter: Counter) -> None:
    assert (await counter.call("GET", "/ceilings")).status == 403
    body = {"campaign": counter.campaign, "sent_at": counter.now(), **counter.sale("s1", counter.person(), 1_000)}
    assert (await counter.call("POST", "/purchases", body, key=counter.office)).status == 403


async def test_a_credential_that_was_revoked_an_hour_ago(counter: Counter) -> None:
    """What it sold before still counts where it was put away; where it was stolen, nothing does."""
    alice = counter.person()
    before = counter.sale("s1", alice, 1_000)
    counter.house.pass_time(60_000)
    counter.house.revoke(counter.till, RevocationReason.RETIRED)
    counter.house.pass_time(HOUR_MS)
    told = await counter.batch(before, counter.sale("s2", alice, 1_000))
    assert [line.get("code", "") for line in told.json["items"]] == ["", "credential_revoked"]
    campaigns = await counter.call("GET", "/campaigns")
    assert (campaigns.status, campaigns.json["code"]) == (403, "credential_revoked")
    refund = await counter.call("POST", "/refunds", {"id": "r1", "purchase": "s1", "cents": 1})
    assert refund.status == 403
    counter.house.revoke(counter.till, RevocationReason.COMPROMISED)
    told = await counter.batch(counter.sale("s3", alice, 1_000, at=before["at"]))
    assert told.json["items"][0]["code"] == "credential_compromised"


async def test_a_campaign_is_shown_to_its_company_only(counter: Counter) -> None:
    await counter.sell("s1", counter.person(), 1_000)
    await counter.sell("s2", None, 500)
    shown = (await counter.call("GET", f"/campaigns/{counter.campaign}")).json
    assert (shown["funded_cents"], shown["spent_cents"], shown["left_cents"]) == (100_000, 30, 99_970)
    assert shown["in_tickets_cents"] == 10
    [expected] = shown["expected"]
    assert (expected["arrived_cents"], expected["reference"][:4]) == (100_000, "RF18")
    assert (await counter.call("GET", "/campaigns")).json["items"] == [shown]
    counter.house.enter(OTHER)
    _, stranger = counter.house.till(1, OTHER)
    assert (await counter.call("GET", f"/campaigns/{counter.campaign}", key=stranger)).status == 404
    assert (await counter.call("GET", "/campaigns", key=stranger)).json == {"items": []}


async def test_the_office_sees_its_legal_ceiling_and_its_counterparts(counter: Counter) -> None:
    told = await counter.call("GET", "/ceilings", key=counter.office)
    assert (told.status, told.json["code"]) == (400, "invalid_fiscal_year")
    year = FiscalYear(starts_on=TODAY.replace(month=1, day=1), ends_on=TODAY.replace(month=12, day=31))
    desk = counter.house.partners.companies
    counter.house.write(desk.save_years, NamedYears(siren=BAKERY, years=(year,)))
    counter.house.write(
        desk.save_turnovers, Turnover(siren=BAKERY, starts_on=year.starts_on, cents=Cents(1_000_000_000))
    )
    [line] = (await counter.call("GET", "/ceilings", key=counter.office)).json["items"]
    assert (line["ceiling_cents"], line["used_cents"], line["left_cents"]) == (5_000_000, 100_000, 4_900_000)
    standing = (await counter.call("GET", "/counterparts", key=counter.office)).json
    assert standing == {"given_cents": 100_000, "received_cents": 0, "allowed_cents": 25_000, "over_cents": 0}


async def test_anybody_may_read_a_companys_sheet(counter: Counter) -> None:
    await counter.sell("s1", counter.person(), 1_000)
    sheet = (await counter.call("GET", f"/companies/{BAKERY}", key="")).json
    assert (sheet["paid_cents"], sheet["granted_cents"], sheet["campaigns"]) == (100_000, 20, ["Pain et miles"])
    assert sheet["holders"] is None, "one holder is too few to be told"
    assert "oriented_cents" not in sheet, "nobody told it: no figure stands there"
    assert (await counter.call("GET", f"/companies/{OTHER}", key="")).status == 404
    assert (await counter.call("GET", "/companies/123456789", key="")).status == 400


BODIES: dict[str, bytes] = {
    "empty": b"",
    "a list": b"[]",
    "not UTF-8": b'{"id": "\xff"}',
    "deep": b"[" * 100_000,
    "half a surrogate": b'{"id": "\\ud800", "purchase": "s1", "cents": 1}',
    "float": b'{"id": "r", "purchase": "s1", "cents": 1.5}',
    "huge": b'{"id": "r", "purchase": "s1", "cents": ' + b"9" * 5_000 + b"}",
    "control": b'{"id": "a\\nb", "purchase": "s1", "cents": 1}',
    "padded": b'{"id": " r", "purchase": "s1", "cents": 1}',
}


async def test_a_body_that_cannot_be_read_is_refused(counter: Counter) -> None:
    for name, body in BODIES.items():
        for path in ("/refunds", "/purchases", "/batches", "/claims"):
            told = await counter.call("POST", path, data=body)
            assert told.status == 400, (name, path)
    too_many = await counter.batch(*(counter.sale(f"s{number}", None, 1) for number in range(1_001)))
    assert too_many.status == 400
    assert (await counter.call("POST", "/batches", data=b" " * (3 * 1024 * 1024))).status == 413


async def test_every_door_is_described(counter: Counter) -> None:
    told = (await counter.call("GET", "/openapi.json", key="")).json
    assert told["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert described == {(route.method, route.path) for route, _ in DOORS}
    served = {
        (one.method, one.resource.canonical)
        for one in counter.server.app.router.routes()
        if one.resource is not None and one.resource.canonical.startswith("/v1/") and one.method != "HEAD"
    }
    assert served == described
    assert json.dumps(told).count("cmt_<id>_<secret>") == 1
    schemas = told["components"]["schemas"]
    for name in ("PurchaseRequest", "PurchaseItem", "BatchRequest", "RefundRequest", "ClaimRequest"):
        assert schemas[name]["additionalProperties"] is False
    assert schemas["BatchRequest"]["properties"]["items"]["maxItems"] == 1_000
