"""A node served over loopback, and a caller who holds every answer against what the API says of itself."""

from __future__ import annotations

import asyncio
import io
import json
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp.test_utils import TestServer

from hub import admin_commands as hub_admin_commands
from hub import commands as hub_commands
from hub.api import make_api as make_hub_api
from hub.app import HubApp
from hub.app import load_config as load_hub_config
from node import commands as node_commands
from node.api import DOORS, make_api
from node.app import NodeApp, load_config
from node.checks import check_node
from node.desks.accounts.admin_commands import COMMANDS

BREST = "242900314"
LYON = "200046977"
ALL_SCOPES = "read,credit,cede,accounts"


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Told:
    """An answer: its status, its JSON, its headers."""

    status: int
    json: Any
    headers: Any = None


@dataclass
class Place:
    """One node, open and served."""

    app: NodeApp
    server: TestServer
    session: aiohttp.ClientSession
    key: str = ""
    pool: str = ""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    async def open(cls, folder: Path) -> Place:
        app = NodeApp(folder, load_config(folder))
        await app.start_quietly()
        server = TestServer(make_api(app))
        await server.start_server()
        place = cls(app, server, aiohttp.ClientSession())
        place.key = await place.make_key(ALL_SCOPES)
        place.pool = (await place.admin("open", id=new_id(), kind="pool"))["number"]
        return place

    def run_worker(self) -> None:
        self.tasks.append(asyncio.create_task(self.app.worker.run()))

    async def close(self) -> None:
        self.app.worker.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.session.close()
        await self.server.close()
        await self.app.stop()

    def check(self) -> list[Any]:
        """Return what the node's own check finds: nothing, after any test."""
        welcome = self.app.welcome
        hub = "" if welcome is None else welcome.hub
        checked = self.app.book.read_now(
            lambda connection: check_node(connection, home=self.app.home, hub=hub, on_progress=lambda _where: None)
        )
        return [finding for one in checked for finding in one.findings]

    async def admin(self, command: str, **arguments: Any) -> Any:
        answer = await COMMANDS[command](self.app, arguments)
        return json.loads(json.dumps(answer))

    async def make_key(self, scopes: str, account: str = "") -> str:
        return str((await self.admin("new_key", name="test", scopes=scopes, account=account))["key"])

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        data: bytes | None = None,
        language: str = "en",
    ) -> Told:
        """Call the API. A refusal must be one that explains itself; an answer must be as described."""
        headers = {"Accept-Language": language}
        if key != "":
            headers["Authorization"] = f"Bearer {self.key if key is None else key}"
        sent = data if data is not None else (None if body is None else json.dumps(body).encode())
        stream = None if sent is None else io.BytesIO(sent)
        async with self.session.request(method, self.server.make_url(path), data=stream, headers=headers) as response:
            text = await response.text()
            assert "Traceback" not in text
            told = Told(response.status, json.loads(text), response.headers)
        if told.status >= 400:
            assert set(told.json) == {"code", "facts", "explanation"}
            assert told.json["explanation"]
        else:
            _require_described(method, path, told.json)
        return told

    async def person(self, name: str | None = None, kind: str = "person") -> str:
        told = await self.call("POST", "/v1/accounts", {"id": new_id(), "kind": kind, "shown_name": name})
        assert told.status == 201
        return str(told.json["address"])

    async def endow(self, cents: int) -> None:
        await self.admin(
            "endow",
            id=new_id(),
            donor=new_id(),
            campaign="bread",
            month=202611,
            lot_class=5,
            into=self.pool,
            cents=cents,
            reason="bank statement 11",
        )

    async def credit(self, to: str, cents: int) -> None:
        line = {"id": new_id(), "to": to, "cents": cents}
        told = await self.call("POST", "/v1/credits", {"from": self.pool, "items": [line]})
        assert told.json["items"][0]["status"] == "done"

    async def cede(self, giver: str, to: str, cents: int, **more: Any) -> Any:
        """Cede in one line; return the line's answer."""
        line = {"id": new_id(), "from": giver, "to": to, "cents": cents, **more}
        told = await self.call("POST", "/v1/cessions", {"items": [line]})
        assert told.status == 200
        return told.json["items"][0]

    async def cents(self, account: str) -> int:
        return int((await self.call("GET", f"/v1/accounts/{account}/balance")).json["cents"])


def _require_described(method: str, path: str, told: Any) -> None:
    """The answer is exactly one of the structs that the door names: no field more, none less."""
    plain = path.split("?")[0]
    for route, _ in DOORS:
        if route.method == method and re.fullmatch(re.sub(r"{\w+}", r"[^/]+", route.path), plain):
            for type_ in route.answers:
                try:
                    again = msgspec.json.decode(msgspec.json.encode(told), type=type_)
                except msgspec.ValidationError:
                    continue
                if msgspec.to_builtins(again) == told:
                    return
            assert not route.answers, f"{route.path}: {told} is not described"
            return


@dataclass
class HubPlace:
    """A hub, open and served."""

    app: HubApp
    server: TestServer

    @classmethod
    async def open(cls, folder: Path, database: str = "") -> HubPlace:
        hub_commands.init(folder, network="test", listen="127.0.0.1:0", database=database)
        app = HubApp(folder, load_hub_config(folder))
        await app.start_quietly()
        server = TestServer(make_hub_api(app))
        await server.start_server()
        return cls(app, server)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def admin(self, command: str, **arguments: Any) -> Any:
        return await hub_admin_commands.COMMANDS[command](self.app, arguments)

    async def close(self) -> None:
        self.app.exchange.wake_all()
        await self.server.close()
        await self.app.stop()


def make_folder(folder: Path, territory: str, *, hub_url: str = "", database: str = "") -> None:
    node_commands.init(
        folder,
        territory=territory,
        name=f"Territory {territory}",
        network="test",
        hub=hub_url,
        listen="127.0.0.1:0",
        database=database,
        back_off_ceiling_ms=500,
    )
