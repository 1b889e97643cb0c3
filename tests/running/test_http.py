"""The HTTP service with a door that does whatever a test wants: what a stranger is told, and what is not."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.exc import DBAPIError

from protocol.book.store import BookInUse, StorageUnavailable
from protocol.errors import BadEnvelope, IdMismatch, InvalidAmount, Refusal
from protocol.running.http_service import (
    STORAGE_TROUBLE,
    JsonResponse,
    Metrics,
    make_application,
    make_tls,
    serve_until_stopped,
)
from protocol.running.settings import NotConfigured

BODY_MAX = 1_000


def _no_figures() -> list[tuple[str, str, dict[str, str], float]]:
    return [("lines", "gauge", {"name": 'a "quoted"\nname'}, 3.0)]


class House:
    """An application whose one door raises what it is told to raise."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.error: BaseException | None = None
        self.metrics = Metrics(_no_figures)
        self.application = make_application(body_bytes_max=BODY_MAX, probe=lambda: self.trouble, metrics=self.metrics)
        self.application.router.add_post("/door", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.error is not None:
            raise self.error
        return web.json_response({"bytes": len(body)})


Client = TestClient[web.Request, web.Application]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def client(house: House) -> AsyncIterator[Client]:
    async with TestClient(TestServer(house.application)) as made:
        yield made


def _storage(code: int) -> DBAPIError:
    cause = sqlite3.OperationalError("at /secret/path")
    cause.sqlite_errorcode = code
    return DBAPIError("SELECT secret FROM keys", {"token": "secret"}, cause)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidAmount(amount=-1, reason="secretless"), 400, "invalid_amount"),
        (BadEnvelope("the secret cause"), 400, "bad_envelope"),
        (IdMismatch(id="x", field="cents"), 409, "id_mismatch"),
        (BookInUse(book="hub.db"), 503, "book_in_use"),
        (StorageUnavailable(reason="/secret/path is full"), 503, "storage_unavailable"),
        (_storage(sqlite3.SQLITE_IOERR), 503, "storage_unavailable"),
        (_storage(sqlite3.SQLITE_ERROR), 500, "incident"),
        (RuntimeError("secret"), 500, "incident"),
        (AssertionError("secret"), 500, "incident"),
        (ConnectionResetError("secret"), 500, "incident"),
        (RecursionError("secret"), 500, "incident"),
        (web.HTTPForbidden(reason="no"), 400, "malformed"),
        (Refusal(), 422, "refused"),
    ],
)
async def test_each_failure_is_one_answer_without_the_inside(
    house: House, client: Client, error: BaseException, status: int, code: str
) -> None:
    house.error = error
    for language, word in (("fr", "Err"), ("en", "An error")):
        async with client.post("/door", headers={"Accept-Language": language}) as response:
            told = await response.json()
            assert (response.status, told["code"]) == (status, code)
            assert set(told) == {"code", "facts", "explanation"}
            assert "secret" not in json.dumps(told).replace("secretless", "")
            assert ("Retry-After" in response.headers) == (status == 503)
            assert "Server" not in response.headers
            if code == "incident":
                assert told["explanation"].startswith(word)
                assert len(told["facts"]["incident"]) == 8
            if code == "storage_unavailable":
                assert told["facts"] == {"reason": STORAGE_TROUBLE}
    house.error = None
    async with client.post("/door", data=b"123") as response:
        assert await response.json() == {"bytes": 3}


async def test_an_answer_that_sends_elsewhere_is_let_through(house: House, client: Client) -> None:
    house.error = web.HTTPFound("/elsewhere")
    async with client.post("/door", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/elsewhere")


async def test_the_largest_body_passes_and_one_byte_more_does_not(client: Client) -> None:
    async def told_in_parts(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x"

    for make in (lambda count: bytes(count), told_in_parts):
        async with client.post("/door", data=make(BODY_MAX)) as response:
            assert await response.json() == {"bytes": BODY_MAX}
        async with client.post("/door", data=make(BODY_MAX + 1)) as response:
            assert (response.status, (await response.json())["facts"]) == (413, {"bytes_max": BODY_MAX})


async def test_a_compressed_body_counts_as_large_as_it_is(client: Client) -> None:
    bomb = zlib.compress(bytes(50_000_000))
    headers = {"Content-Encoding": "deflate"}
    async with client.post("/door", data=bomb[:BODY_MAX], headers=headers) as response:
        assert (response.status, response.headers["Connection"]) == (413, "close")
    async with client.post("/door", data=b"x") as response:
        assert response.status == 200


async def test_an_unknown_path_and_a_wrong_method_are_said_as_json(client: Client) -> None:
    async with client.get("/nothing/here") as response:
        assert (response.status, (await response.json())["facts"]) == (404, {"path": "/nothing/here"})
    async with client.get("/door") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert (await response.json())["code"] == "wrong_method"


async def test_ready_follows_the_probe_and_alive_does_not(house: House, client: Client) -> None:
    for trouble, status in ((None, 200), ("no", 503), (None, 200)):
        house.trouble = trouble
        async with client.get("/readyz") as response:
            assert (response.status, await response.json()) == (status, {"ready": trouble is None, "reason": trouble})
        async with client.get("/healthz") as response:
            assert response.status == 200


async def test_figures_count_refusals_and_incidents(house: House, client: Client) -> None:
    for error in (InvalidAmount(amount=-1, reason="x"), InvalidAmount(amount=-2, reason="x"), RuntimeError()):
        house.error = error
        await client.post("/door")
    async with client.get("/metrics") as response:
        text = await response.text()
    assert 'citizen_miles_refusals_total{code="invalid_amount"} 2.0' in text
    assert "citizen_miles_incidents_total 1.0" in text
    assert 'citizen_miles_lines{name="a \\"quoted\\"\\nname"} 3.0' in text


async def test_an_address_that_cannot_be_listened_on_is_refused_and_all_is_stopped(house: House) -> None:
    stopped: list[bool] = []

    def never(_port: int) -> None:
        raise AssertionError("not ready")

    async def serve(host: str, port: int, ready: Callable[[int], None]) -> None:
        await serve_until_stopped(
            house.application, host=host, port=port, tls=None, on_ready=ready, on_stop=lambda: stopped.append(True)
        )

    server = TestServer(web.Application())
    await server.start_server()
    with pytest.raises(NotConfigured, match=r"listen 127\.0\.0\.1"):
        await serve("127.0.0.1", int(server.port or 0), never)
    assert stopped == [True]
    await server.close()


def test_a_certificate_that_is_none_is_refused(tmp_path: Any) -> None:
    assert make_tls("", "") is None
    with pytest.raises(NotConfigured, match="tls_certificate"):
        make_tls(str(tmp_path / "missing.pem"), "")
    (tmp_path / "garbage.pem").write_text("garbage")
    with pytest.raises(NotConfigured, match="tls_certificate"):
        make_tls(str(tmp_path / "garbage.pem"), "")


# JsonResponse: the common case in one write, and the others as any response.


async def _raw(client: Client, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


@pytest.fixture
async def plain(house: House) -> AsyncIterator[Client]:
    async def show(request: web.Request) -> web.Response:
        return JsonResponse(b'{"a":"\xc3\xa9"}', 201 if request.query else 200)

    house.application.router.add_get("/plain", show)
    async with TestClient(TestServer(house.application)) as made:
        yield made


async def test_a_json_answer_says_its_length_its_date_and_no_versions(plain: Client) -> None:
    for path, status in (("/plain", 200), ("/plain?new=1", 201)):
        answer = await plain.get(path)
        assert answer.status == status
        assert await answer.json() == {"a": "é"}
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Content-Length"] == "10"
        assert parsedate_to_datetime(answer.headers["Date"]).year >= 2026
        assert "Server" not in answer.headers


async def test_requests_that_come_together_are_answered_in_order(plain: Client) -> None:
    one = b"GET /plain HTTP/1.1\r\nHost: x\r\n\r\n"
    other = b"GET /plain?new=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await _raw(plain, one + other + one.replace(b"x\r\n", b"x\r\nConnection: close\r\n"))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"201", b"200"]
    assert answer.count(b'{"a":"\xc3\xa9"}') == 3


@pytest.mark.parametrize(
    "last", [b"GET /plain HTTP/1.0\r\n\r\n", b"GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
)
async def test_what_is_not_the_common_case_is_answered_as_http_wants_it(plain: Client, last: bytes) -> None:
    """A HEAD has no body; who speaks HTTP/1.0 or wants to close is closed."""
    answer = await _raw(plain, b"HEAD /plain HTTP/1.1\r\nHost: x\r\n\r\n" + last)
    assert answer.count(b" 200 OK\r\n") == 2
    assert answer.lower().count(b"content-length: 10\r\n") == 2
    assert answer.count(b'{"a":"\xc3\xa9"}') == 1
    assert answer.endswith(b'\r\n\r\n{"a":"\xc3\xa9"}')
