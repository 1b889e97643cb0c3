"""Orientation by HTTP and by command: whose key may direct what, and what is told, in both languages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from node.commands import app as commands
from protocol.book.worker import Page
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.house import HouseMessage, OpenProject, ProjectOpened, house_of, make_neighbours
from protocol.identifiers import write_address
from tests.node.place import BREST, Place, make_folder, new_id


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    make_folder(tmp_path / "node", BREST)
    made = await Place.open(tmp_path / "node")
    yield made
    findings = made.check()
    await made.close()
    assert findings == []


async def _open_project(place: Place, target: int = 1_000) -> str:
    """Take what the projects base would have signed; return the project's address."""
    keyring = place.app.federation.identity.keyring
    log = PeerExchange(
        place.app.book,
        Identity(house_of(place.app.home), "PROJECTS", keyring),
        make_neighbours({}),
        lambda _page, _sender, _messages: [],
    )

    def hear(page: Page, items: Sequence[HouseMessage]) -> list[list[HouseMessage]]:
        log.tell(page, "ACCOUNTS", items)
        return [place.app.projects.apply(page, "PROJECTS", items)]

    asked = OpenProject(bytes.fromhex(new_id().replace("-", "")), "La rivière", "rivers", target, 20991231)
    [opened] = await place.app.book.write(hear, asked)
    assert isinstance(opened, ProjectOpened)
    return write_address(opened.number, place.app.home)


def _ask(giver: str, *choices: tuple[str, int | None], **more: Any) -> dict[str, Any]:
    items = [{"to": to} if cents is None else {"to": to, "cents": cents} for to, cents in choices]
    return {"id": new_id(), "from": giver, "choices": items, **more}


async def test_rights_are_directed_and_taken_back_over_http(place: Place) -> None:
    project, other = await _open_project(place, 150), await _open_project(place)
    await place.endow(1_000)
    person = await place.person()
    await place.credit(person, 500)
    asked = _ask(person, (project, 200), (other, 100), overflow="next")
    told = await place.call("POST", "/v1/orientations", asked, language="fr")
    assert (told.status, told.json["cents"]) == (201, 300)
    first, second = told.json["placements"]
    assert (first["cents"], first["code"], second["cents"]) == (150, "project_full", 150)
    assert "ne peut plus recevoir que 150 centimes" in first["explanation"]
    again = await place.call("POST", "/v1/orientations", asked)
    assert (again.status, again.json["repeated"]) == (200, True)
    [lot] = (await place.call("GET", f"/v1/accounts/{person}/balance")).json["lots"]
    named = _ask(person)
    named["choices"] = [{"to": other, "cents": 20, "lots": [{"lot": lot["lot"], "cents": 20}]}]
    assert (await place.call("POST", "/v1/orientations", named)).status == 201
    back = {"id": new_id(), "cents": 40}
    told = await place.call("POST", f"/v1/orientations/{second['id']}/return", back)
    assert (told.status, told.json["cents"], told.json["to"]) == (201, 40, person)
    listed = (await place.call("GET", f"/v1/orientations?account={person}")).json["orientations"]
    assert [(one["project"], one["held_cents"]) for one in listed] == [(other, 20), (other, 110), (project, 150)]
    seen = (await place.call("GET", "/v1/support")).json["projects"]
    assert [(one["address"], one["directed_cents"], one["supporters"]) for one in seen] == [
        (project, 150, 1),
        (other, 130, 1),
    ]
    assert person not in json.dumps(seen)


async def test_a_key_directs_and_takes_back_for_its_own_account_only(place: Place) -> None:
    project = await _open_project(place)
    await place.endow(1_000)
    person, stranger = await place.person(), await place.person()
    await place.credit(person, 500)
    bound = await place.make_key("read,cede", stranger)
    asked = _ask(person, (project, 10))
    assert (await place.call("POST", "/v1/orientations", asked, key=bound)).json["code"] == "not_allowed"
    assert (await place.call("POST", "/v1/orientations", asked, key="")).status == 401
    assert (await place.call("POST", "/v1/orientations", asked)).status == 201
    back = f"/v1/orientations/{asked['id']}/return"
    assert (await place.call("POST", back, {"id": new_id()}, key=bound)).status == 403
    assert (await place.call("GET", f"/v1/orientations?account={person}", key=bound)).status == 403
    assert (await place.call("GET", "/v1/orientations")).json["code"] == "malformed"
    own = await place.make_key("read,cede", person)
    assert (await place.call("POST", back, {"id": new_id()}, key=own)).status == 201


async def test_a_standing_order_is_given_listed_and_stopped_by_its_own_key(place: Place) -> None:
    project = await _open_project(place)
    person, stranger = await place.person(), await place.person()
    own = await place.make_key("read,cede", person)
    other = await place.make_key("read,cede", stranger)
    asked = {"id": new_id(), "from": person, "share": 100, "projects": [project], "preference": "urgency"}
    assert (await place.call("POST", "/v1/standing-orders", asked, key=other)).status == 403
    assert (await place.call("POST", "/v1/standing-orders", {**asked, "basis": "wished"})).status == 400
    assert (await place.call("POST", "/v1/standing-orders", asked, key=own)).status == 201
    assert (await place.call("POST", "/v1/standing-orders", asked, key=own)).json["repeated"]
    [listed] = (await place.call("GET", "/v1/standing-orders", key=own)).json["orders"]
    assert (listed["id"], listed["projects"], listed["stopped_at"]) == (asked["id"], [project], None)
    path = f"/v1/standing-orders/{asked['id']}"
    assert (await place.call("DELETE", path, key=other)).status == 403
    assert (await place.call("DELETE", path, key=own)).json["stopped_at"]
    assert (await place.call("DELETE", f"/v1/standing-orders/{new_id()}")).json["code"] == "standing_unknown"


async def test_what_cannot_be_read_or_is_not_there_is_refused(place: Place) -> None:
    project = await _open_project(place)
    person = await place.person()
    for wrong in (
        _ask(person),
        _ask(person, (project, 0)),
        _ask(person, (project, 5), (project, 5)),
        _ask(person, (project, 5), overflow="away"),
        _ask(person, (project, None), (person, None)),
        _ask(person, (project, 5), colour="red"),
        {**_ask(person), "choices": [{"to": project, "cents": 5, "lots": [{"lot": 1, "cents": 4}]}]},
    ):
        assert (await place.call("POST", "/v1/orientations", wrong)).status == 400, wrong
    told = await place.call("POST", "/v1/orientations", _ask(person, (project, 5)))
    assert (told.status, told.json["code"]) == (422, "insufficient_rights")
    unknown = await place.call("POST", f"/v1/orientations/{new_id()}/return", {"id": new_id()})
    assert (unknown.status, unknown.json["code"]) == (404, "orientation_unknown")


async def _furnish(folder: Path) -> tuple[str, str]:
    """Leave a project and a person who holds rights in a folder; return their addresses."""
    make_folder(folder, BREST)
    place = await Place.open(folder)
    project = await _open_project(place)
    await place.endow(1_000)
    person = await place.person()
    await place.credit(person, 500)
    await place.close()
    return project, person


def test_the_same_by_command(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    project, person = asyncio.run(_furnish(folder))

    def run(*words: str) -> Any:
        result = CliRunner().invoke(commands, [*words, "--json"], env={"CITIZEN_MILES_LANG": "en"})
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    told = run("orient", str(folder), person, f"{project}=120")
    assert [one["cents"] for one in told["placements"]] == [120]
    assert run("take-back", str(folder), told["placements"][0]["id"], "--cents", "20")["cents"] == 20
    assert [one["held_cents"] for one in run("orientations", str(folder), person)] == [100]
    order = run("standing-order", str(folder), person, project, "--share", "50")
    assert [one["id"] for one in run("standing-orders", str(folder), person)] == [order["id"]]
    assert run("stop-standing-order", str(folder), order["id"])["stopped_at"]
    [seen] = run("support", str(folder))
    assert (seen["directed_cents"], seen["supporters"]) == (100, 1)
    wrong = CliRunner().invoke(commands, ["orient", str(folder), person, f"{project}=a"])
    assert wrong.exit_code == 1
