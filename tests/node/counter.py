"""The companies base served over loopback, beside a clearing house that carries what its bases tell each other."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from aiohttp.test_utils import TestServer

from node.desks.partners.tills_api import DOORS, PREFIX, make_tills_api
from node.partners.tills_service import Till
from protocol.identifiers import Id16, format_id, write_address
from protocol.running.http_service import Metrics
from protocol.times import format_instant
from tests.partners.house import BREST, TODAY, House


@dataclass
class Told:
    status: int
    json: Any
    headers: Any


class ClearingHouse:
    """Carries slips whenever a base has news, until it is stopped. `is_away`: the accounts do not answer."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.is_away = False
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        house.on_news = lambda: loop.call_soon_threadsafe(self._news.set)
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if not self.is_away:
                await self.house.exchange()

    def come_back(self) -> None:
        self.is_away = False
        self._news.set()

    async def stop(self) -> None:
        self.house.on_news = lambda: None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


class Counter:
    """One campaign that runs, two tills and an office, and a caller who holds answers against the description."""

    def __init__(
        self, house: House, server: TestServer, session: aiohttp.ClientSession, clearing: ClearingHouse
    ) -> None:
        self.house = house
        self.server = server
        self.session = session
        self.clearing = clearing
        self.uid: Id16
        self.till: Till
        self.key = ""
        self.office = ""

    @classmethod
    async def open(cls, house: House, *, wait_seconds: float = 30.0) -> Counter:
        metrics = Metrics(lambda: ())
        application = make_tills_api(house.partners, probe=lambda: None, metrics=metrics, wait_seconds=wait_seconds)
        server = TestServer(application)
        await server.start_server()
        made = cls(house, server, aiohttp.ClientSession(), ClearingHouse(house))
        made.uid = await house.run()
        made.till, made.key = house.till()
        _, made.office = house.till(None)
        return made

    async def close(self) -> None:
        await self.clearing.stop()
        await self.session.close()
        await self.server.close()

    @property
    def campaign(self) -> str:
        return format_id(self.uid)

    def now(self) -> str:
        return format_instant(self.house.clock())

    def person(self) -> str:
        return write_address(self.house.account(), BREST)

    def sale(self, id_: str, account: str | None, cents: int, **more: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"id": id_, "at": self.now(), "cents": cents}
        return told | ({} if account is None else {"account": account}) | more

    def coupon(self, **more: Any) -> dict[str, Any]:
        """What an office sends to hand out a tenth off."""
        day = TODAY.isoformat()
        told = {"id": format_id(self.house.new_id()), "words": "Un dixième", "occasion": "loyalty"}
        return told | {"valid_from": day, "valid_to": day, "basis_points": 1_000} | more

    async def sell(self, id_: str, account: str | None, cents: int, **more: Any) -> Told:
        body = {"campaign": self.campaign, "sent_at": self.now(), **self.sale(id_, account, cents)} | more
        return await self.call("POST", "/purchases", body)

    async def batch(self, *items: dict[str, Any], **more: Any) -> Told:
        body = {"campaign": self.campaign, "sent_at": self.now(), "items": list(items)} | more
        return await self.call("POST", "/batches", body)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        data: bytes | None = None,
        more_headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Call the API. A refusal must be one that explains itself; an answer must be as described."""
        headers = {"Accept-Language": "en", **(more_headers or {})}
        if key != "":
            headers["Authorization"] = f"Bearer {self.key if key is None else key}"
        sent = data if data is not None else (None if body is None else json.dumps(body).encode())
        url = self.server.make_url(PREFIX + path)
        stream = None if sent is None else io.BytesIO(sent)
        async with self.session.request(method, url, data=stream, headers=headers) as response:
            text = await response.text()
            assert "Traceback" not in text
            told = Told(response.status, json.loads(text), response.headers)
        if told.status >= 400:
            assert set(told.json) == {"code", "facts", "explanation"}
            assert told.json["explanation"]
            assert "…" not in told.json["explanation"] or not told.json["facts"]
        else:
            self._require_described(method, path, told.json)
        return told

    def _require_described(self, method: str, path: str, told: Any) -> None:
        plain = path.split("?")[0].split("/")
        for route, _ in DOORS:
            parts = route.path.removeprefix(PREFIX).split("/")
            if (route.method, len(parts)) != (method, len(plain)):
                continue
            if not all(one == other or one.startswith("{") for one, other in zip(parts, plain, strict=True)):
                continue
            for type_ in route.answers:
                again = msgspec.to_builtins(msgspec.json.decode(json.dumps(told), type=type_))
                assert again == told
            return
        raise AssertionError(f"{method} {path} is no door")
