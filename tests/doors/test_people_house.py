"""The people's doors in a house: at an address of their own, for keys of their own; no other door and no log tells a name."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.partners.admin_commands import PARTNERS_COMMANDS
from node.desks.people import commands as people_commands
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.api import make_people_application
from node.house_app import HouseApp
from node.people.service import PEOPLE_HISTORY
from protocol.house import BaseName
from tests.doors.place import new_id
from tests.doors.test_house_doors import make_folder
from tests.node.parties import PROGRAM
from tests.people.test_people_commands import ANNE, BOB, ZELIE
from tests.templates import lay

NAME = "Zenobie Kerguelen"
WORDS = ("Zenobie", "Kerguelen", "zenobie", "kerguelen", "Anselme", "Barnabe")
DUTIES = "reader,registrar,governor"
WITHIN_SECONDS = 120


def add_people(folder: Path) -> Path:
    """Make the people's base in a node's folder, with its two officers and an address for its doors."""
    people_commands.init(folder)
    lay(f"sqlite:///{folder}/people/people.db", PEOPLE_HISTORY)
    file = folder / "people" / "people.toml"
    cheap = file.read_text().replace("paper_memory_kib = 19456", "paper_memory_kib = 8")
    file.write_text(cheap.replace('doors = ""', 'doors = "127.0.0.1:0"'))
    return folder


async def test_no_other_door_of_the_house_tells_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = add_people(make_folder(tmp_path / "node"))
    bases = (BaseName.ACCOUNTS, BaseName.FUND, BaseName.PARTNERS, BaseName.PEOPLE)
    house: Any = HouseApp(folder, bases)
    ids = {"id": ANNE, "second_id": BOB, "first": "Anselme Officier", "second": "Barnabe Officier"}
    await PEOPLE_COMMANDS["found"](house.people, ids)
    others, own = TestServer(house.make_doors()), TestServer(make_people_application(house.people))
    await others.start_server()
    await own.start_server()
    asked = {"id": new_id(), "name": ANNE, "duties": DUTIES}
    keys = {"people": (await PEOPLE_COMMANDS["key_new"](house.people, asked))["key"]}
    for base, commands, app, duties in (
        ("fund", FUND_COMMANDS, house.fund, "reader,accountant,treasurer,officer"),
        ("partners", PARTNERS_COMMANDS, house.partners, "reader,clerk"),
    ):
        made = await commands["key_new"](app, {"id": new_id(), "name": "a portal", "duties": duties})
        keys[base] = made["key"]

    async with aiohttp.ClientSession() as session:

        async def ask(server: TestServer, method: str, path: str, key: str, body: Any = None) -> tuple[int, str]:
            headers = {"Authorization": f"Bearer {keys[key]}"}
            async with session.request(method, server.make_url(path), json=body, headers=headers) as answer:
                return answer.status, await answer.text()

        person = {"id": ZELIE, "name": NAME, "email": "zenobie@kerguelen.example"}
        assert (await ask(own, "POST", "/v1/people/enter", "people", person))[0] == 200
        assert (await ask(own, "POST", "/v1/people/open", "people", {"id": new_id(), "person": ZELIE}))[0] == 200
        await house.clearing.carry()
        told = (await ask(own, "POST", "/v1/people/read", "people", {"id": new_id(), "person": ZELIE}))[1]
        assert json.loads(told)["accounts"][0]["state"] == "open"
        assert NAME in told, "the word that is looked for is there to be found"
        # A key opens the doors of its own base, and of no other.
        for key in ("fund", "partners"):
            assert (await ask(own, "GET", "/v1/people/roles", key))[0] == 401
        # Elsewhere there is no such door, and what reads tells nobody's name.
        looked_at = 0
        for path in ("/v1/people/openapi.json", "/v1/people/roles", "/v1/people/read"):
            assert (await ask(others, "GET", path, "people"))[0] == 404
        for base, document in (("fund", "/v1/fund"), ("partners", "/v1/partners/office"), ("partners", "/v1")):
            described = json.loads((await ask(others, "GET", f"{document}/openapi.json", base))[1])
            for path, methods in described["paths"].items():
                if "get" in methods and "{" not in path:
                    for key in keys:
                        status, body = await ask(others, "GET", path, key)
                        assert status < 500, (path, body)
                        assert not any(word in body for word in WORDS), (path, key)
                        looked_at += status == 200
        for server in (others, own):
            body = (await ask(server, "GET", "/metrics", "people"))[1]
            assert not any(word in body for word in WORDS)
        assert looked_at > 20
    await others.close()
    await own.close()
    await house.close()
    out = "".join(capsys.readouterr())
    assert not any(word in out for word in WORDS)


def _wait_for(file: Path, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not file.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(file.read_text())


@pytest.mark.timeout(300)
def test_two_officers_move_a_role_through_a_served_base_with_a_key_each(tmp_path: Path) -> None:
    folder, run = add_people(make_folder(tmp_path / "node")), CliRunner()
    officers = ["--first=Anselme", "--second=Barnabe", f"--id={ANNE}", f"--second-id={BOB}"]
    assert run.invoke(people_commands.app, ["found", str(folder), *officers]).exit_code == 0
    log = (tmp_path / "log").open("wb")
    words = [str(PROGRAM), "node", "serve", str(folder), "--bases", "people"]
    process = subprocess.Popen(words, stdout=log, stderr=log)
    try:
        port = _wait_for(folder / "people" / "port", process)
        main = _wait_for(folder / "port", process)
        keys = {}
        for officer in (ANNE, BOB):
            made = [
                "door-key",
                "new",
                str(folder),
                "--officer",
                officer,
                "--duty=registrar",
                "--duty=governor",
                "--json",
            ]
            done = run.invoke(people_commands.app, made)
            assert done.exit_code == 0, done.output
            keys[officer] = json.loads(done.stdout)["key"]

        def ask(officer: str, step: str, **asked: Any) -> requests.Response:
            headers = {"Authorization": f"Bearer {keys[officer]}", "Accept-Language": "fr"}
            url = f"http://127.0.0.1:{port}/v1/people/{step}"
            return requests.post(url, json={"id": new_id(), **asked}, headers=headers, timeout=WITHIN_SECONDS)

        assert ask(ANNE, "enter", name=NAME, id=ZELIE).status_code == 200
        body = {"base": "FUND", "duty": "treasurer", "from_day": "2026-01-01"}
        proposal = ask(ANNE, "propose", kind="grant_role", person=ZELIE, body=body).json()["proposal"]
        approval = {"proposal": proposal, "decision": "approve"}
        for by, code in ((ANNE, "same_eyes"), (BOB, "another_officer")):
            refused = ask(ANNE, "decide", **approval, by=by).json()
            assert refused["code"] == code
            assert refused["explanation"].startswith(("Quatre yeux", "Cette clé"))
        assert ask(BOB, "decide", **approval).json()["state"] == "approved"
        told = requests.get(f"http://127.0.0.1:{main}/v1/people/roles", timeout=WITHIN_SECONDS)
        assert told.status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        log.close()
    out = (tmp_path / "log").read_text()
    assert "ready" in out
    assert not any(word in out for word in WORDS)
