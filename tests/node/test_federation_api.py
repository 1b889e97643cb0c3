"""Cessions over HTTP, through a real hub on a real line: every step, in both languages, and by file."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import typer

from node import commands as node_commands
from tests.node.place import BREST, LYON, HubPlace, Place, make_folder, new_id

WITHIN_SECONDS = 120
Federated = tuple[HubPlace, Place, Place]


async def _wait_state(place: Place, id_: str, *states: str) -> Any:
    deadline = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < deadline:
        told = (await place.call("GET", f"/v1/cessions/{id_}")).json
        if told["state"] in states:
            return told
        await asyncio.sleep(0.02)
    raise AssertionError(f"the cession did not become {states}")


async def _fill(place: Place, cents: int = 1_000) -> str:
    await place.endow(100_000)
    person = await place.person()
    await place.credit(person, cents)
    return person


async def test_rights_cross_and_every_step_is_told(federation: Federated) -> None:
    _, brest, lyon = federation
    giver, taker = await _fill(brest), await lyon.person("Ada Lovelace")
    line = await brest.cede(giver, taker, 250, words="merci")
    assert (line["status"], line["cession"]["state"]) == ("done", "queued")
    told = await _wait_state(brest, line["id"], "delivered")
    assert told["queued_at"] <= told["cleared_at"] <= told["handed_over_at"] <= told["ended_at"]
    assert (told["from"], told["to"], told["code"]) == (giver, taker, "")
    assert (await brest.cents(giver), await lyon.cents(taker)) == (750, 250)
    arrival = (await lyon.call("GET", f"/v1/arrivals?account={taker}")).json["arrivals"][0]
    assert (arrival["from"], arrival["words"], arrival["cents"]) == (giver, "merci", 250)
    totals = (await brest.call("GET", "/v1/totals")).json
    assert totals["abroad"] == {LYON: 250}
    assert totals["sent"]["delivered"] == {"count": 1, "cents": 250}
    members = (await brest.call("GET", "/v1/directory")).json["members"]
    assert {member["member"]: member["status"] for member in members}[LYON] == "active"


async def test_the_giver_stays_hidden_if_he_wishes(federation: Federated) -> None:
    _, brest, lyon = federation
    giver, taker = await _fill(brest), await lyon.person()
    line = await brest.cede(giver, taker, 250, anonymous=True)
    await _wait_state(brest, line["id"], "delivered")
    assert (await lyon.call("GET", "/v1/arrivals")).json["arrivals"][0]["from"] == ""


async def test_an_id_is_ceded_once_and_its_content_does_not_change(federation: Federated) -> None:
    _, brest, lyon = federation
    giver, taker = await _fill(brest), await lyon.person()
    body: dict[str, Any] = {"id": new_id(), "from": giver, "to": taker, "cents": 100, "words": "a"}
    lines = [body, body, body | {"cents": 101}, body | {"words": "b"}, body | {"cents": 1.5}]
    told = await brest.call("POST", "/v1/cessions", {"items": lines})
    assert [line["status"] for line in told.json["items"]] == ["done", "repeated", "refused", "refused", "refused"]
    assert [line.get("code") for line in told.json["items"]][2:] == ["id_mismatch", "id_mismatch", "malformed"]
    await _wait_state(brest, body["id"], "delivered")
    again = await brest.call("POST", "/v1/cessions", {"items": [body]})
    assert again.json["items"][0]["status"] == "repeated"
    assert await lyon.cents(taker) == 100


async def test_what_comes_back_says_why_in_the_callers_language(federation: Federated) -> None:
    _, brest, lyon = federation
    giver, closed = await _fill(brest), await lyon.person()
    await lyon.call("POST", f"/v1/accounts/{closed}/state", {"event": "close"})
    line = await brest.cede(giver, closed, 100)
    told = await _wait_state(brest, line["id"], "returned")
    french = (await brest.call("GET", f"/v1/cessions/{line['id']}", language="fr-FR,fr;q=0.9")).json
    assert told["code"] == french["code"] == "account_closed"
    assert told["explanation"] != french["explanation"]
    assert await brest.cents(giver) == 1_000


async def test_what_reached_a_group_with_a_guide_is_given_back_by_no_key(federation: Federated) -> None:
    _, brest, lyon = federation
    giver = await _fill(brest)
    group = await lyon.person(kind="group")
    line = await brest.cede(giver, group, 100)
    await _wait_state(brest, line["id"], "delivered")
    [arrival] = (await lyon.call("GET", f"/v1/arrivals?account={group}")).json["arrivals"]
    assert (await lyon.call("POST", "/v1/groups", {"id": new_id(), "account": group})).json["guided"]
    for key in (lyon.key, await lyon.make_key("read,cede", group)):
        told = await lyon.call("POST", f"/v1/arrivals/{arrival['id']}/return", key=key)
        assert (told.status, told.json["code"]) == (422, "group_is_guided")
    assert await lyon.cents(group) == 100


async def test_a_list_of_cessions_goes_back_in_time(federation: Federated) -> None:
    _, brest, lyon = federation
    giver, taker = await _fill(brest), await lyon.person()
    for cents in range(1, 6):
        await brest.cede(giver, taker, cents)
    rows: list[int] = []
    cursor: int | None = None
    while True:
        more = "" if cursor is None else f"&cursor={cursor}"
        told = await brest.call("GET", f"/v1/cessions?account={giver}&limit=2{more}")
        rows += [one["cents"] for one in told.json["cessions"]]
        cursor = told.json["cursor"]
        if cursor is None:
            break
    assert rows == [5, 4, 3, 2, 1]


async def test_what_was_handed_over_is_not_recalled(federation: Federated) -> None:
    _, brest, lyon = federation
    giver, taker = await _fill(brest), await lyon.person()
    line = await brest.cede(giver, taker, 100)
    await _wait_state(brest, line["id"], "delivered")
    told = await brest.call("POST", f"/v1/cessions/{line['id']}/recall")
    assert (told.status, told.json["code"]) == (422, "too_late_to_recall")
    assert (await brest.call("POST", f"/v1/cessions/{new_id()}/recall")).json["code"] == "cession_unknown"


async def test_a_payee_is_seen_masked_before_anything_is_sent(federation: Federated) -> None:
    _, brest, lyon = federation
    taker = await lyon.person("Ada Lovelace")
    told = (await brest.call("GET", f"/v1/payee?address={taker}")).json
    assert told["answered"]
    assert told["takes_rights"]
    assert told["shown"] == "A•• L•••••••"
    check = "X" if taker[-11] != "X" else "Y"
    nobody = (await brest.call("GET", f"/v1/payee?address={taker[:-11]}{check}@200046977")).json
    assert nobody["code"] == "invalid_address"
    assert (await brest.call("GET", "/v1/payee")).json["code"] == "invalid_address"
    lyon.app.worker.stop()
    for task in lyon.tasks:
        task.cancel()
    silent = (await brest.call("GET", f"/v1/payee?address={taker}")).json
    assert (silent["answered"], silent["takes_rights"]) == (False, None)
    assert "No answer in time" in silent["explanation"]


async def test_new_keys_sign_when_the_directory_shows_them(federation: Federated) -> None:
    _, brest, lyon = federation
    before = (await brest.admin("federation"))["key"]
    made = (await brest.admin("rotate"))["key"]
    deadline = time.monotonic() + WITHIN_SECONDS
    while (await brest.admin("federation"))["key"] != made:
        assert time.monotonic() < deadline
        brest.app.use_newest_announced_key()
        await asyncio.sleep(0.02)
    giver, taker = await _fill(brest), await lyon.person()
    line = await brest.cede(giver, taker, 100)
    await _wait_state(brest, line["id"], "delivered")
    assert (await brest.admin("retire", key=before))["key"] == before
    line = await brest.cede(giver, taker, 100)
    await _wait_state(brest, line["id"], "delivered")
    assert await lyon.cents(taker) == 200


async def test_a_community_without_a_line_takes_part_by_file(federation: Federated, tmp_path: Path) -> None:
    hub, brest, _ = federation
    giver = await _fill(brest)
    folder = tmp_path / "south"
    code = "200093201"
    make_folder(folder, code)
    text = (await hub.admin("invite", member=code, url=hub.url))["invitation"]
    asked, welcome = tmp_path / "asked", tmp_path / "welcome"
    await asyncio.to_thread(node_commands.enrol, folder, text, export=asked)
    answer = await hub.admin("enrol", enrolment=asked.read_bytes().hex())
    welcome.write_bytes(bytes.fromhex(answer["welcome"]))
    await asyncio.to_thread(node_commands.enrol, folder, text, welcome=welcome)
    await hub.admin("accredit", member=code)
    sleeper = await Place.open(folder)
    try:
        taker = await sleeper.person()

        async def carry() -> None:
            sent = (await sleeper.admin("export"))["envelope"]
            back = (await hub.admin("answer", envelope=sent))["envelope"]
            await sleeper.admin("import", envelope=back)
            await sleeper.admin("import", envelope=back)  # once too often

        await carry()
        deadline = time.monotonic() + WITHIN_SECONDS
        while (await brest.cede(giver, taker, 100))["status"] != "done":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        line = (await brest.call("GET", "/v1/cessions")).json["cessions"][0]
        await _wait_state(brest, line["id"], "cleared")
        for _ in range(3):
            await carry()
        await _wait_state(brest, line["id"], "delivered")
        assert await sleeper.cents(taker) == 100
        assert sleeper.check() == []
    finally:
        await sleeper.close()


async def test_a_hub_that_is_not_the_invited_one_is_not_joined(tmp_path: Path) -> None:
    first = await HubPlace.open(tmp_path / "hub")
    second = await HubPlace.open(tmp_path / "other")
    try:
        make_folder(tmp_path / "node", BREST, hub_url=second.url)
        invitation = (await first.admin("invite", member=BREST, url=first.url))["invitation"]
        with pytest.raises(typer.Exit) as ended:
            await asyncio.to_thread(node_commands.enrol, tmp_path / "node", invitation)
        assert ended.value.exit_code == 1
        assert not (tmp_path / "node" / "hub.welcome").exists()
    finally:
        await first.close()
        await second.close()
