"""Solidarity by HTTP and by command: whose key may do what, what is told to whom, and nothing of why to who receives."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from node.commands import app as commands
from protocol.times import day_at
from tests.node.place import BREST, Place, make_folder, new_id


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    make_folder(tmp_path / "node", BREST)
    made = await Place.open(tmp_path / "node")
    yield made
    findings = made.check()
    await made.close()
    assert findings == []


async def _open(place: Place, **rule: Any) -> tuple[str, dict[str, Any]]:
    """Open a pool and an operation of it; return the pool and what was told of the operation."""
    key = await place.make_key("admin")
    pool = {"id": new_id(), "title": "Le pot commun", "givers": ["anybody"], **rule}
    seen = [(await place.call("POST", "/v1/solidarity/pools", pool, key=key)).status for _ in range(2)]
    assert seen == [201, 200]
    today = day_at(place.app.book.clock()).isoformat()
    asked = {"id": new_id(), "pool": pool["id"], "title": "Noël", "starts": today, "until": today, "target_cents": 300}
    told = await place.call("POST", "/v1/solidarity/operations", asked, key=key)
    assert told.status == 201
    return pool["id"], told.json


async def test_an_operation_is_given_to_shared_and_counted_over_http(place: Place) -> None:
    pool, opened = await _open(place)
    operation, door = opened["operation"], f"/v1/solidarity/operations/{opened['operation']}"
    receivers = [await place.person() for _ in range(3)]
    lines = [{"account": one, "class": 1} for one in (*receivers, "ZZZZZZZZ")]
    told = await place.call(
        "POST", f"/v1/solidarity/pools/{pool}/receivers", {"id": new_id(), "receivers": lines}, language="fr"
    )
    assert (told.status, told.json["done"]) == (201, 3)
    assert [(one["line"], one["code"]) for one in told.json["refused"]] == [(4, "account_unknown")]
    listed = (await place.call("GET", f"/v1/solidarity/pools/{pool}/receivers?limit=2")).json
    rest = (await place.call("GET", f"/v1/solidarity/pools/{pool}/receivers?limit=2&after={listed['after']}")).json
    assert {one["account"] for one in listed["receivers"] + rest["receivers"]} == {
        one[:4] + one[5:9] for one in receivers
    }
    await place.endow(1_000)
    giver, cession, mistaken = await place.person(), new_id(), new_id()
    await place.credit(giver, 350)
    items = [
        {"id": id_, "from": giver, "to": opened["address"], "cents": cents}
        for id_, cents in ((cession, 300), (mistaken, 50))
    ]
    assert (await place.call("POST", "/v1/cessions", {"items": items})).status in (200, 201)
    back = {"id": new_id()}
    told = await place.call("POST", f"/v1/solidarity/gifts/{mistaken}/return", back)
    assert (told.status, told.json["cents"]) == (201, 50)
    assert (await place.call("POST", f"/v1/solidarity/gifts/{mistaken}/return", back)).status == 200
    assert (await place.call("GET", f"/v1/solidarity/gifts/{cession}")).json["state"] == "held"
    key = await place.make_key("admin")

    async def decide(event: str) -> Any:
        decision = {"id": new_id(), "event": event}
        return await place.call("POST", f"{door}/decisions", decision, key=key, language="fr")

    assert (await decide("share")).json["state"] == "sharing"
    assert await place.app.book.write(place.app.solidarity.go_on_all, None) == 3
    told = await place.call("GET", door, key="")  # anybody may read the count
    assert (told.json["state"], told.json["given_cents"], told.json["shared_cents"]) == ("shared", 300, 300)
    assert (told.json["givers"], told.json["receivers"]) == (None, None)
    assert (await place.call("GET", "/v1/solidarity/operations", key="")).json["operations"] == [told.json]
    assert (await decide("close")).json["state"] == "closed"
    refused = await decide("cancel")
    assert (refused.status, refused.json["code"]) == (422, "solidarity_operation_ended")
    assert "close" in refused.json["explanation"]
    # What a receiver can see of it is a cession like others.
    secrets = (
        opened["address"][:9],
        opened["address"][:4] + opened["address"][5:9],
        operation,
        pool,
        "solidar",
        "gift",
    )
    one = receivers[0]
    for path in ("", "/balance", "/history", "/statement"):
        text = json.dumps((await place.call("GET", f"/v1/accounts/{one}{path}")).json, ensure_ascii=False)
        assert not [secret for secret in (*secrets, "Noël", "Le pot commun") if secret in text]
    [entry] = (await place.call("GET", f"/v1/accounts/{one}/history")).json["entries"]
    assert (entry["kind"], entry["cents"]) == ("cession", 100)
    assert (await place.call("GET", f"/v1/operations/{entry['id']}")).json["kind"] == "cession"


async def test_keys_open_only_their_doors(place: Place) -> None:
    pool, opened = await _open(place)
    await place.endow(100)
    giver, other = await place.person(), await place.person()
    await place.credit(giver, 10)
    cession = {"id": new_id(), "from": giver, "to": opened["address"], "cents": 10}
    await place.call("POST", "/v1/cessions", {"items": [cession]})
    await place.app.book.write(place.app.solidarity.go_on_all, None)
    offices, bound = await place.make_key("accounts,read,cede"), await place.make_key("read,cede", other)
    own = await place.make_key("read,cede", giver)
    gift, back = f"/v1/solidarity/gifts/{cession['id']}", {"id": new_id()}
    lines = {"id": new_id(), "receivers": [{"account": other, "class": 1}]}
    receivers = f"/v1/solidarity/pools/{pool}/receivers"
    decision = {"id": new_id(), "event": "cancel"}
    for method, path, body, key, status in (
        ("POST", "/v1/solidarity/pools", {"id": new_id(), "title": "x", "givers": ["anybody"]}, offices, 403),
        ("POST", f"/v1/solidarity/operations/{opened['operation']}/decisions", decision, offices, 403),
        ("POST", receivers, lines, bound, 403),
        ("GET", receivers, None, bound, 403),
        ("GET", receivers, None, "", 401),
        ("POST", receivers, lines, offices, 201),
        ("GET", gift, None, bound, 403),
        ("POST", f"{gift}/return", back, bound, 403),
        ("GET", gift, None, own, 200),
        ("POST", f"{gift}/return", back, own, 201),
        ("GET", f"/v1/solidarity/operations/{new_id()}", None, "", 404),
        ("GET", f"/v1/solidarity/gifts/{new_id()}", None, offices, 404),
    ):
        assert (await place.call(method, path, body, key=key)).status == status, (method, path)


def test_the_office_does_it_all_by_command(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    make_folder(folder, BREST)
    runner = CliRunner()

    def run(*words: object, code: int = 0) -> Any:
        told = runner.invoke(commands, [str(word) for word in words] + ["--json"], env={"CITIZEN_MILES_LANG": "fr"})
        assert told.exit_code == code, told.output
        return json.loads(told.stdout) if code == 0 else told.stderr

    def solidarity(*words: object, **more: Any) -> Any:
        return run("solidarity", *words, **more)

    async def look() -> tuple[str, list[str]]:
        place = await Place.open(folder)
        people = [await place.person() for _ in range(4)]
        await place.endow(1_000)
        await place.credit(people[0], 500)
        today = day_at(place.app.book.clock()).isoformat()
        await place.close()
        return today, people

    today, (giver, one, two, three) = asyncio.run(look())
    words = ("--sharing", "weighted", "--classes", 2, "--units", "10,15", "--ceiling-cents", 400)
    pool = solidarity("pool", "open", folder, "Le pot", "--givers", "listed", *words)["pool"]
    assert solidarity("pool", "list", folder)[0]["units"] == [10, 15]
    solidarity("pool", "giver", folder, pool, giver)
    file = tmp_path / "receivers.csv"
    file.write_text(f"{one};1\n{two};2\n\nZZZZZZZZ;1\n")
    told = solidarity("receiver", "enrol-file", folder, pool, file)
    assert (told["done"], told["refused"][0]["line"]) == (2, 3)
    assert solidarity("receiver", "enrol-file", folder, pool, file, "--id", told["id"])["done"] == 2
    file.write_text("nonsense")
    assert "line 1" in solidarity("receiver", "enrol-file", folder, pool, file, code=1)
    solidarity("receiver", "enrol", folder, pool, three, "--class", 0)
    assert [row["class"] for row in solidarity("receiver", "list", folder, pool)] in ([1, 2], [2, 1])
    days = ("--starts", today, "--until", today)
    opened = solidarity("operation", "open", folder, pool, "Noël", *days, "--euros", "4,00")
    operation = opened["operation"]
    gift = run("cede", folder, giver, opened["address"], "--cents", 100)["id"]
    assert solidarity("gift", "take-back", folder, gift)["cents"] == 100
    assert "solidarity_operation_running" in solidarity("operation", "share", folder, operation, code=1)
    run("cede", folder, giver, opened["address"], "--cents", 450)
    shared = solidarity("operation", "share", folder, operation)
    assert (shared["state"], shared["shared_cents"]) == ("shared", 450)
    assert run("balance", folder, two)["cents"] == 270
    assert solidarity("operation", "close", folder, operation)["state"] == "closed"
    cancelled = solidarity("operation", "open", folder, pool, "Encore", *days, "--cents", 5)["operation"]
    assert solidarity("operation", "cancel", folder, cancelled)["state"] == "cancelled"
    assert [row["state"] for row in solidarity("operation", "list", folder)] == ["closed", "cancelled"]
    table = runner.invoke(commands, ["solidarity", "operation", "list", str(folder)], env={"COLUMNS": "200"})
    assert (table.exit_code, "Noël" in table.stdout) == (0, True)
