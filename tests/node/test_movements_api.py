"""Accounts and movements at home, over HTTP: done once, refused clearly, line by line."""

from __future__ import annotations

import asyncio

from tests.node.place import LYON, Place, new_id


async def test_an_account_is_opened_once_whatever_is_resent(place: Place) -> None:
    body = {"id": new_id(), "kind": "person", "shown_name": "Marie Dupont"}
    first = await place.call("POST", "/v1/accounts", body)
    again = await place.call("POST", "/v1/accounts", body)
    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json | {"repeated": True}
    other = await place.call("POST", "/v1/accounts", body | {"kind": "entity"})
    assert (other.status, other.json["code"]) == (409, "id_mismatch")
    for kind in ("issuance", "transit", "king"):
        told = await place.call("POST", "/v1/accounts", {"id": new_id(), "kind": kind})
        assert (told.status, told.json["code"]) == (400, "malformed")


async def test_an_account_is_found_by_number_and_by_address(place: Place) -> None:
    address = await place.person("Marie Dupont")
    number = address.split("@")[0].replace("-", "")[:8]
    by_number = await place.call("GET", f"/v1/accounts/{number}")
    by_address = await place.call("GET", f"/v1/accounts/{address.lower()}")
    assert by_number.json == by_address.json
    assert by_number.json["shown_name"] == "Marie Dupont"
    assert (await place.call("GET", "/v1/accounts/00000000")).json["code"] == "account_unknown"
    wrong = ("0" if address[0] != "0" else "1") + address[1:]
    assert (await place.call("GET", f"/v1/accounts/{wrong}")).json["code"] == "invalid_address"


async def test_states_and_names_change(place: Place) -> None:
    person = await place.person()
    for event, state in (("freeze", "frozen"), ("reopen", "open"), ("close", "closed")):
        told = await place.call("POST", f"/v1/accounts/{person}/state", {"event": event})
        assert told.json["state"] == state
    assert (await place.call("POST", f"/v1/accounts/{person}/state", {"event": "reopen"})).json["code"] == (
        "account_closed"
    )
    other = await place.person()
    assert (await place.call("POST", f"/v1/accounts/{other}/state", {"event": "destroy"})).status == 400
    assert (await place.call("PUT", f"/v1/accounts/{other}/shown-name", {"shown_name": "Ada"})).json["shown_name"] == (
        "Ada"
    )
    assert (await place.call("PUT", f"/v1/accounts/{other}/shown-name", {"shown_name": None})).status == 200
    assert (await place.call("PUT", f"/v1/accounts/{other}/shown-name", {"shown_name": "a\u0000b"})).status == 400


async def test_a_bad_line_harms_no_other(place: Place) -> None:
    await place.endow(10_000)
    person, other = await place.person(), await place.person()
    elsewhere = "K1B2C3D4"
    good, twice = new_id(), new_id()
    lines: list[object] = [
        {"id": good, "to": person, "cents": 100, "reference": "till 7"},
        {"id": new_id(), "to": person, "cents": -1},
        {"id": new_id(), "to": person, "cents": 1.5},
        {"id": new_id(), "to": person, "cents": "12"},
        {"id": new_id(), "to": person, "cents": 10**16},
        {"id": new_id(), "to": person, "cents": 10, "colour": "red"},
        {"id": "not-an-id", "to": person, "cents": 10},
        {"to": person, "cents": 10},
        "nothing",
        None,
        {"id": new_id(), "to": elsewhere, "cents": 10},
        {"id": new_id(), "to": f"7K3F-92QX-C@{LYON}", "cents": 10},
        {"id": new_id(), "to": person, "cents": 1_000_000},
        {"id": twice, "to": person, "cents": 20},
        {"id": twice, "to": person, "cents": 20},
        {"id": twice, "to": other, "cents": 20},
        {"id": new_id(), "to": person, "cents": 10, "reference": "\u0000"},
        {"id": new_id(), "to": place.pool, "cents": 10},
        {"id": new_id(), "to": other, "cents": 300},
    ]
    told = await place.call("POST", "/v1/credits", {"from": place.pool, "items": lines})
    assert told.status == 200
    assert [line["status"] for line in told.json["items"]] == [
        *("done", *["refused"] * 12, "done", "repeated", "refused", "refused", "refused", "done")
    ]
    codes = [line.get("code", "") for line in told.json["items"]]
    assert codes[1] == codes[4] == "invalid_amount"
    assert {codes[2], codes[3], codes[5], codes[7], codes[8], codes[9]} == {"malformed"}
    assert (codes[6], codes[11], codes[15]) == ("malformed", "invalid_address", "id_mismatch")
    assert (codes[10], codes[12]) == ("account_unknown", "insufficient_rights")
    assert all(line["explanation"] for line in told.json["items"] if line["status"] == "refused")
    assert told.json["items"][6]["id"] == "not-an-id"
    assert (await place.cents(person), await place.cents(other)) == (120, 300)
    again = await place.call("POST", "/v1/credits", {"from": place.pool, "items": lines[:1]})
    assert again.json["items"][0]["status"] == "repeated"
    assert again.json["items"][0]["after_cents"] == told.json["items"][0]["after_cents"] == 100
    async with place.session.get(place.server.make_url("/metrics")) as response:
        assert 'citizen_miles_refusals_total{code="invalid_amount"} 2.0' in await response.text()


async def test_a_refusal_is_remembered_under_its_id(place: Place) -> None:
    person = await place.person()
    line = {"id": new_id(), "to": person, "cents": 100}
    body = {"from": place.pool, "items": [line]}
    assert (await place.call("POST", "/v1/credits", body)).json["items"][0]["code"] == "insufficient_rights"
    await place.endow(10_000)
    assert (await place.call("POST", "/v1/credits", body)).json["items"][0]["code"] == "insufficient_rights"
    told = await place.call("GET", f"/v1/operations/{line['id']}")
    assert (told.json["state"], told.json["code"]) == ("refused", "insufficient_rights")
    assert told.json["facts"]["asked"] == 100


async def test_many_calls_at_once_share_a_page(place: Place) -> None:
    await place.endow(100_000)
    person = await place.person()
    pages = place.app.book.written[0]
    await asyncio.gather(*(place.credit(person, 10) for _ in range(60)))
    assert await place.cents(person) == 600
    assert place.app.book.written[0] - pages < 60


async def test_a_thousand_lines_are_taken_and_one_more_is_not(place: Place) -> None:
    await place.endow(100_000)
    person = await place.person()
    lines = [{"id": new_id(), "to": person, "cents": 1} for _ in range(1_001)]
    told = await place.call("POST", "/v1/credits", {"from": place.pool, "items": lines})
    assert (told.status, told.json["code"]) == (400, "malformed")
    told = await place.call("POST", "/v1/credits", {"from": place.pool, "items": lines[:1_000]})
    assert {line["status"] for line in told.json["items"]} == {"done"}
    assert await place.cents(person) == 1_000
    assert (await place.call("POST", "/v1/credits", {"from": place.pool, "items": []})).status == 400


async def test_a_credit_is_taken_back_as_far_as_it_is_there(place: Place) -> None:
    await place.endow(10_000)
    person, other = await place.person(), await place.person()
    credited = new_id()
    line = {"id": credited, "to": person, "cents": 500}
    await place.call("POST", "/v1/credits", {"from": place.pool, "items": [line]})
    await place.cede(person, other, 400)
    body = {"id": new_id(), "credit": credited, "cents": 300}
    told = await place.call("POST", "/v1/reversals", body)
    assert (told.json["asked_cents"], told.json["taken_cents"], told.json["missing_cents"]) == (300, 100, 200)
    assert (await place.call("POST", "/v1/reversals", body)).json == told.json | {"repeated": True}
    unknown = await place.call("POST", "/v1/reversals", {"id": new_id(), "credit": new_id()})
    assert unknown.json["code"] == "posting_unknown"


async def test_a_reservation_is_set_aside_and_freed(place: Place) -> None:
    await place.endow(10_000)
    person = await place.person()
    await place.credit(person, 500)
    body = {"id": new_id(), "account": person, "cents": 400, "expires_at": "2099-01-01T00:00:00+01:00"}
    assert (await place.call("POST", "/v1/reservations", body)).status == 201
    assert (await place.call("POST", "/v1/reservations", body)).status == 200
    told = await place.call("GET", f"/v1/accounts/{person}/balance")
    assert (told.json["reserved_cents"], told.json["available_cents"]) == (400, 100)
    line = await place.cede(person, await place.person(), 101)
    assert line["code"] == "insufficient_rights"
    freed = await place.call("DELETE", f"/v1/reservations/{body['id']}")
    assert freed.json == {"id": body["id"], "state": "released"}
    assert (await place.call("DELETE", f"/v1/reservations/{new_id()}")).json["code"] == "reservation_unknown"
    past = body | {"id": new_id(), "expires_at": "2020-01-01T00:00Z"}
    assert (await place.call("POST", "/v1/reservations", past)).json["code"] == "invalid_time"


async def test_history_goes_both_ways_and_a_statement_adds_up(place: Place) -> None:
    await place.endow(10_000)
    person = await place.person()
    for cents in range(1, 8):
        await place.credit(person, cents)
    rows: list[int] = []
    cursor = ""
    while True:
        told = await place.call("GET", f"/v1/accounts/{person}/history?order=oldest&limit=3{cursor}")
        rows += [entry["cents"] for entry in told.json["entries"]]
        if told.json["cursor"] is None:
            break
        cursor = f"&cursor={told.json['cursor']}"
    assert rows == [1, 2, 3, 4, 5, 6, 7]
    newest = await place.call("GET", f"/v1/accounts/{person}/history")
    assert [entry["cents"] for entry in newest.json["entries"]] == rows[::-1]
    told = await place.call("GET", f"/v1/accounts/{person}/statement")
    assert (told.json["opening_cents"], told.json["closing_cents"]) == (0, 28)
    assert told.json["totals"] == [{"kind": "credit", "entries": 7, "received_cents": 28, "given_cents": 0}]
    at = newest.json["entries"][-1]["at"]
    assert (await place.call("GET", f"/v1/accounts/{person}/balance?at={at}")).json["cents"] >= 1
    assert (await place.call("GET", f"/v1/accounts/{person}/balance?at=2000-01-01T00:00Z")).json["cents"] == 0
    for query in ("limit=0", "limit=201", "limit=x", "cursor=-1", "cursor=1e3", "order=sideways", "cursor=" + "9" * 30):
        assert (await place.call("GET", f"/v1/accounts/{person}/history?{query}")).status == 400
    for query in ("from=yesterday", "from=2030-01-01T00:00Z&to=2020-01-01T00:00Z"):
        assert (await place.call("GET", f"/v1/accounts/{person}/statement?{query}")).status == 400


async def test_an_operation_tells_what_became_of_its_id(place: Place) -> None:
    await place.endow(1_000)
    line = {"id": new_id(), "to": await place.person(), "cents": 100}
    await place.call("POST", "/v1/credits", {"from": place.pool, "items": [line]})
    told = await place.call("GET", f"/v1/operations/{line['id']}")
    assert (told.json["state"], told.json["kind"], told.json["cents"]) == ("posted", "credit", 100)
    assert (await place.call("GET", f"/v1/operations/{new_id()}")).json["code"] == "operation_unknown"
    assert (await place.call("GET", "/v1/operations/42")).json["code"] == "invalid_id"


async def test_a_cession_at_home_is_done_at_once_and_found_again(place: Place) -> None:
    await place.endow(1_000)
    giver, taker = await place.person(), await place.person()
    await place.credit(giver, 500)
    line = await place.cede(giver, taker, 200, words="merci")
    assert line["status"] == "done"
    assert line["cession"]["state"] == "delivered"
    told = await place.call("GET", f"/v1/cessions/{line['id']}")
    assert told.json == line["cession"]
    assert (await place.call("GET", f"/v1/cessions/{new_id()}")).json["code"] == "cession_unknown"
    assert await place.cents(taker) == 200


async def test_without_a_hub_nothing_leaves_the_territory(place: Place) -> None:
    await place.endow(1_000)
    giver = await place.person()
    await place.credit(giver, 500)
    line = await place.cede(giver, f"00000000@{LYON}", 100)
    assert line["code"] == "invalid_address"
    line = await place.cede(giver, "0000-0000-N@200046977", 100)
    assert line["status"] == "refused"
    assert await place.cents(giver) == 500
