"""Keys of programs: who may do what, and what is never shown."""

from __future__ import annotations

import pytest

from node.access.service import load_keys
from node.access.tables import api_keys
from node.schema_service import ACCOUNTS_HISTORY
from protocol.book.migration_service import pending_changes, upgrade
from protocol.book.store import open_engine
from protocol.errors import Malformed, Refusal
from tests.node.place import Place, new_id


def test_the_schema_and_the_tables_agree(book_url: str) -> None:
    engine = open_engine(book_url)
    upgrade(engine, ACCOUNTS_HISTORY)
    assert pending_changes(engine, ACCOUNTS_HISTORY) == []
    engine.dispose()


@pytest.mark.parametrize("key", ["", "nonsense", "cmk__", "cmk_0000000000_" + "0" * 64, "xyz_1_2", "cmk_é_ü"])
async def test_who_shows_no_valid_key_learns_nothing(place: Place, key: str) -> None:
    for path in (f"/v1/accounts/{place.pool}", "/v1/accounts/00000000", "/v1/totals", "/v1/cessions/not-an-id"):
        told = await place.call("GET", path, key=key)
        assert (told.status, told.json["code"]) == (401, "not_authorised")
    assert (await place.call("POST", "/v1/credits", key=key, data=b"{")).status == 401


async def test_a_wrong_secret_does_not_open(place: Place) -> None:
    wrong = place.key[:-1] + ("0" if place.key[-1] != "0" else "1")
    assert (await place.call("GET", "/v1/totals", key=wrong)).status == 401


async def test_a_revoked_key_ends_at_once(place: Place) -> None:
    key = await place.make_key("read")
    assert (await place.call("GET", "/v1/totals", key=key)).status == 200
    first = await place.admin("revoke_key", id=key.split("_")[1])
    assert (await place.call("GET", "/v1/totals", key=key)).status == 401
    assert await place.admin("revoke_key", id=key.split("_")[1]) == first
    with pytest.raises(Refusal) as refusal:
        await place.admin("revoke_key", id="nobody")
    assert refusal.value.code == "not_found"


async def test_a_missing_scope_is_named(place: Place) -> None:
    person = await place.person()
    doors = [
        ("read", "POST", "/v1/accounts", {"id": new_id(), "kind": "person"}, "accounts"),
        ("read", "POST", "/v1/credits", {"from": place.pool, "items": []}, "credit"),
        ("read", "POST", "/v1/cessions", {"items": []}, "cede"),
        ("read", "DELETE", f"/v1/reservations/{new_id()}", None, "cede"),
        ("credit", "GET", f"/v1/accounts/{person}/balance", None, "read"),
        ("accounts", "GET", "/v1/payee?address=" + person, None, "cede"),
    ]
    for scope, method, path, body, missing in doors:
        told = await place.call(method, path, body, key=await place.make_key(scope))
        assert (told.status, told.json["code"]) == (403, "not_allowed")
        assert told.json["facts"]["scope"] == missing
        assert missing in told.json["explanation"]


async def test_an_admin_key_opens_every_door(place: Place) -> None:
    key = await place.make_key("admin")
    assert (await place.call("GET", "/v1/totals", key=key)).status == 200
    assert (await place.call("POST", "/v1/accounts", {"id": new_id(), "kind": "person"}, key=key)).status == 201


async def test_a_key_bound_to_an_account_reaches_no_other(place: Place) -> None:
    await place.endow(10_000)
    mine, other = await place.person(), await place.person()
    await place.credit(mine, 1_000)
    await place.credit(other, 1_000)
    key = await place.make_key("admin", account=mine)
    assert (await place.call("GET", f"/v1/accounts/{mine}/balance", key=key)).status == 200
    credited = new_id()
    line = {"id": credited, "to": other, "cents": 5}
    await place.call("POST", "/v1/credits", {"from": place.pool, "items": [line]})
    refused = [
        ("GET", f"/v1/accounts/{other}", None),
        ("GET", f"/v1/accounts/{other}/balance", None),
        ("GET", f"/v1/accounts/{other}/history", None),
        ("GET", f"/v1/accounts/{other}/statement", None),
        ("POST", f"/v1/accounts/{other}/state", {"event": "freeze"}),
        ("POST", f"/v1/accounts/{mine}/state", {"event": "reopen"}),  # whoever stole it would undo the freezing
        ("PUT", f"/v1/accounts/{other}/shown-name", {"shown_name": "Eve"}),
        ("POST", "/v1/accounts", {"id": new_id(), "kind": "person"}),
        ("POST", "/v1/credits", {"from": place.pool, "items": [{"id": new_id(), "to": mine, "cents": 5}]}),
        ("POST", "/v1/reversals", {"id": new_id(), "credit": credited}),
        ("POST", "/v1/reservations", {"id": new_id(), "account": other, "cents": 1, "expires_at": "2099-01-01T00:00Z"}),
        ("GET", f"/v1/operations/{credited}", None),
        ("GET", f"/v1/cessions?account={other}", None),
        ("GET", f"/v1/arrivals?account={other}", None),
        ("GET", "/v1/totals", None),
    ]
    for method, path, body in refused:
        told = await place.call(method, path, body, key=key)
        assert (told.status, told.json["code"]) == (403, "not_allowed"), path
    lines = [{"id": new_id(), "from": giver, "to": other, "cents": 7} for giver in (other, mine)]
    told = await place.call("POST", "/v1/cessions", {"items": lines}, key=key)
    assert [line["status"] for line in told.json["items"]] == ["refused", "done"]
    assert told.json["items"][0]["code"] == "not_allowed"
    assert (await place.call("GET", f"/v1/cessions/{lines[1]['id']}", key=key)).status == 200
    assert await place.cents(other) == 1_012


async def test_the_secret_is_nowhere_and_the_last_day_of_use_is_kept(place: Place) -> None:
    key = await place.make_key("read")
    before = {row["id"]: row for row in await place.admin("keys")}[key.split("_")[1]]
    assert before["last_used"] is None
    await place.call("GET", "/v1/totals", key=key)
    await place.endow(1)  # the writer went on: what was queued before is written
    after = {row["id"]: row for row in await place.admin("keys")}[key.split("_")[1]]
    assert after["last_used"] is not None
    rows = place.app.book.read_now(lambda connection: connection.execute(api_keys.select()).all())
    assert key.split("_")[2] not in repr(rows)
    assert key.split("_")[2] not in repr(place.app.book.read_now(load_keys))


@pytest.mark.parametrize("scopes", ["", "all", "read;credit", "read,,nothing"])
async def test_unknown_scopes_are_refused(place: Place, scopes: str) -> None:
    with pytest.raises(Malformed):
        await place.make_key(scopes)


async def test_health_is_open_to_everybody(place: Place) -> None:
    for path in ("/healthz", "/readyz"):
        async with place.session.get(place.server.make_url(path)) as response:
            assert response.status == 200
    async with place.session.get(place.server.make_url("/metrics")) as response:
        text = await response.text()
    for name in ("items_written", "storage_trouble", "slips_waiting", "hub_trouble", "book_behind"):
        assert f"citizen_miles_{name}" in text
