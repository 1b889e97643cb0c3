"""The operator's doors: by a key, at an address of their own, each answer as its struct says; asked again, as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner

from hub.api import make_api
from hub.app import HubApp, load_config
from hub.commands import app as console
from hub.commands import init
from hub.operators.api import OPERATOR_DOORS, make_operator_application, make_operators_beside
from hub.operators.keys import OperatorKey, make_operator_key
from hub.operators.keys_store import list_operator_keys, load_operator_key
from protocol.errors import Malformed
from protocol.house import NettingTold
from protocol.running.settings import NotConfigured
from tests.federation.test_conversions import DAY, FUND, Story
from tests.federation.test_windows import net
from tests.federation.world import BREST, LYON


class Desk:
    """Asks the doors, and holds each answer to what is described."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def ask(self, key: str, method: str, path: str) -> tuple[int, Any]:
        headers = {"Accept-Language": "en"} | ({"Authorization": f"Bearer {key}"} if key else {})
        async with self._session.request(method, f"{self._url}/v1/operator/{path}", headers=headers) as response:
            told = json.loads(await response.read())
            if response.status >= 400:
                assert response.content_type == "application/problem+json"
                assert told["explanation"] == told["detail"]
                return response.status, told["code"]
        shape = f"/v1/operator/{path}".replace("/1", "/{window}")
        [route] = [one for one, _, _ in OPERATOR_DOORS if (one.method, one.path) == (method, shape)]
        assert json.loads(msgspec.json.encode(msgspec.convert(told, route.answers[0]))) == told, "all is described"
        return response.status, told


def make_key(folder: Path, duty: str) -> str:
    done = CliRunner().invoke(
        console, ["operator-key", "new", str(folder), "--officer=the night desk", f"--duty={duty}", "--json"]
    )
    assert done.exit_code == 0, done.output
    return str(json.loads(done.stdout)["key"])


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.world.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CITIZEN_MILES_LANG", "en")
    init(tmp_path / "hub", network="test", listen="127.0.0.1:0", database="")
    return tmp_path / "hub"


async def _serve(application: Any, talk: Any) -> None:
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        await talk(Desk(str(server.make_url("")).rstrip("/"), session))


def test_a_window_is_opened_closed_and_reported_and_what_is_asked_again_is_answered_as_before(
    story: Story, folder: Path
) -> None:
    story.there.hear(NettingTold(BREST, True, DAY), sender=FUND)
    story.settle()
    net(story)
    reader, operator = make_key(folder, "reader"), make_key(folder, "operator")
    hub: Any = SimpleNamespace(
        book=story.world.hub_book, exchange=story.world.exchange, folder=folder, probe=lambda: None, figures=lambda: ()
    )

    async def talk(desk: Desk) -> None:
        assert await desk.ask(operator, "POST", "windows/1/close") == (404, "no_window")
        assert await desk.ask(operator, "POST", "windows/2/open") == (400, "malformed"), "the next one is 1"
        assert await desk.ask(reader, "POST", "windows/1/open") == (403, "operator_duty_missing")
        opened = await desk.ask(operator, "POST", "windows/1/open")
        assert opened[0] == 200
        assert await desk.ask(operator, "POST", "windows/1/open") == opened
        assert await desk.ask(operator, "POST", "windows/2/open") == (422, "window_open")
        assert await desk.ask(operator, "POST", "windows/2/close") == (404, "no_window")
        assert (await desk.ask(reader, "GET", "windows"))[1]["rows"][0]["closed_on"] == 0
        closed = await desk.ask(operator, "POST", "windows/1/close")
        assert closed[1]["payments"][0] | {"payer": LYON, "payee": BREST, "cents": 700} == closed[1]["payments"][0]
        for method, path in (("POST", "windows/1/close"), ("GET", "windows/1")):
            assert await desk.ask(operator, method, path) == closed
        assert await desk.ask(operator, "POST", "windows/1/open") == opened
        [line] = (await desk.ask(reader, "GET", "windows"))[1]["rows"]
        assert (line["window"], line["net_cents"], line["obligations"]) == (1, 700, 1)
        assert (await desk.ask(reader, "GET", "agreements"))[1]["rows"]
        assert await desk.ask(reader, "GET", "windows/3") == (404, "no_window")
        for wrong in ("windows/0", "windows/x", "windows/%C2%B2", "windows/" + "9" * 10, "windows?limit=1"):
            assert await desk.ask(reader, "GET", wrong) == (400, "malformed"), wrong

    asyncio.run(_serve(make_operator_application(hub), talk))


def test_no_key_or_one_that_was_ended_opens_nothing_and_members_doors_know_none_of_these(folder: Path) -> None:
    key = make_key(folder, "operator")
    hub = HubApp(folder, load_config(folder))

    async def talk(desk: Desk) -> None:
        wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
        for text in ("", wrong, "cmo_../../hub_" + "a" * 64, f"cmo_{'0' * 12}_{'0' * 64}", key.upper()):
            for route, _, _ in OPERATOR_DOORS:
                path = route.path.removeprefix("/v1/operator/").replace("{window}", "1")
                assert await desk.ask(text, route.method, path) == (401, "operator_key_not_known")
        assert (await desk.ask(key, "GET", "windows"))[1] == {"rows": []}
        [kept] = list_operator_keys(folder)
        for _ in range(2):
            done = CliRunner().invoke(console, ["operator-key", "revoke", str(folder), kept.id, "--json"])
            assert done.exit_code == 0
        assert json.loads(done.stdout)["revoked"] == list_operator_keys(folder)[0].revoked != ""
        assert await desk.ask(key, "GET", "windows") == (401, "operator_key_not_known")

    async def run() -> None:
        await hub.start_quietly()
        await _serve(make_operator_application(hub), talk)
        async with TestClient(TestServer(make_api(hub))) as client:
            assert (await client.get("/v1/operator/windows")).status == 404
        await hub.stop()

    asyncio.run(run())
    secret = key.rpartition("_")[2]
    assert all(secret.encode() not in file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert all(file.stat().st_mode & 0o077 == 0 for file in (folder / "operators").iterdir())
    done = CliRunner().invoke(console, ["operator-key", "revoke", str(folder), "../hub"])
    assert done.exit_code == 1
    assert "operator_key_unknown" in done.output


def test_a_key_is_somebody_s_and_an_address_away_from_the_machine_speaks_tls(folder: Path) -> None:
    entropy = bytes(range(38))
    key, text = make_operator_key(entropy, officer="Ada", duty="reader", since="2026-11-28T00:00:00Z")
    assert text == f"cmo_{entropy[:6].hex()}_{entropy[6:].hex()}"
    assert msgspec.json.decode(msgspec.json.encode(key), type=OperatorKey) == key
    for officer, duty in (("", "reader"), ("a" * 81, "reader"), ("a\nb", "reader"), ("Ada", "clerk")):
        with pytest.raises(Malformed):
            make_operator_key(entropy, officer=officer, duty=duty, since="")
    (folder / "operators").mkdir()
    (folder / "operators" / f"{key.id}.json").write_text("{}")
    with pytest.raises(NotConfigured):
        load_operator_key(folder, key.id)
    settings = folder / "hub.toml"
    written = settings.read_text()
    for address, is_right in (("127.0.0.1:0", True), ("0.0.0.0:8468", False), ("", None)):
        settings.write_text(written.replace('operator = ""', f'operator = "{address}"'))
        hub = HubApp(folder, load_config(folder))
        try:
            if is_right is False:
                with pytest.raises(NotConfigured):
                    make_operators_beside(hub)
            else:
                assert len(make_operators_beside(hub)) == (1 if is_right else 0)
        finally:
            hub.book.close()
