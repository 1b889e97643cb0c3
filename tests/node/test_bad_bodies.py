"""Whatever is sent: one clear refusal, no trace of the inside, and the process goes on."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError

from protocol.book.store import StorageUnavailable
from tests.node.place import Place, new_id

GOOD = {"id": "00000000-0000-4000-8000-000000000001", "kind": "person"}

BODIES: dict[str, bytes] = {
    "empty": b"",
    "cut": json.dumps(GOOD).encode()[:-3],
    "two values": json.dumps(GOOD).encode() * 2,
    "a list": b"[]",
    "null": b"null",
    "not JSON": b"\x00\xff\xfe",
    "not UTF-8": b'{"id": "\xff\xfe", "kind": "person"}',
    "half a surrogate": b'{"id": "\\ud800", "kind": "person"}',
    "unknown field": json.dumps(GOOD | {"colour": "red"}).encode(),
    "missing field": b'{"id": "00000000-0000-4000-8000-000000000001"}',
    "number for text": b'{"id": 1, "kind": "person"}',
    "upper-case id": json.dumps(GOOD | {"id": "ABCDEF00-0000-4000-8000-000000000001"}).encode(),
    "zero id": json.dumps(GOOD | {"id": "00000000-0000-0000-0000-000000000000"}).encode(),
    "long name": json.dumps(GOOD | {"shown_name": "x" * 81}).encode(),
    "control in a name": json.dumps(GOOD | {"shown_name": "a\nb"}).encode(),
    "deep": b"[" * 100_000,
    "deep object": b'{"id":' * 50_000,
}


async def test_a_body_that_cannot_be_read_is_refused(place: Place) -> None:
    for name, body in BODIES.items():
        told = await place.call("POST", "/v1/accounts", data=body)
        assert told.status == 400, name
    assert (await place.call("POST", "/v1/accounts", {"id": new_id(), "kind": "person"})).status == 201


async def test_an_amount_is_a_whole_number_of_cents_above_zero(place: Place) -> None:
    await place.endow(1_000)
    person = await place.person()
    for cents in ("1.0", "1e3", "-5", "0", "true", "null", '"5"', "1" + "0" * 30, "9" * 5_000, "NaN"):
        line = f'{{"id": "{new_id()}", "to": "{person}", "cents": {cents}}}'
        told = await place.call("POST", "/v1/credits", data=f'{{"from": "{place.pool}", "items": [{line}]}}'.encode())
        if told.status == 200:
            assert told.json["items"][0]["code"] in ("malformed", "invalid_amount"), cents
        else:
            assert told.status == 400, cents
    assert await place.cents(person) == 0


async def test_three_mebibytes_are_too_much(place: Place) -> None:
    told = await place.call("POST", "/v1/accounts", data=b" " * (3 * 1024 * 1024))
    assert (told.status, told.json["code"]) == (413, "too_large")
    assert (await place.call("GET", "/v1/totals")).status == 200


async def test_unknown_paths_and_methods_are_refused_as_json(place: Place) -> None:
    assert (await place.call("GET", "/v1/nothing")).status == 404
    assert (await place.call("GET", "/../../etc/passwd")).status == 404
    assert (await place.call("PATCH", "/v1/accounts", data=b"{}")).status == 405
    for account in ("%00", "a" * 5_000, "'; DROP TABLE accounts; --", "..%2f..%2f", "７Ｋ３Ｆ９２ＱＸ"):
        told = await place.call("GET", f"/v1/accounts/{account}")
        assert told.status in (400, 404)


async def test_a_caller_who_hangs_up_harms_nobody(place: Place) -> None:
    host, port = place.server.host, place.server.port
    for sent in (
        b"POST /v1/accounts HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"POST /v1/accounts HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        _, writer = await asyncio.open_connection(host, port, family=socket.AF_INET)
        writer.write(sent)
        await writer.drain()
        writer.close()
    assert (await place.call("GET", "/v1/totals")).status == 200


async def test_a_bug_of_ours_shows_a_number_and_nothing_else(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/path of the inside")

    monkeypatch.setattr(place.app.ledger, "read", broken)
    told = await place.call("GET", f"/v1/accounts/{place.pool}")
    assert (told.status, told.json["code"]) == (500, "incident")
    assert "secret" not in json.dumps(told.json)
    monkeypatch.undo()
    assert (await place.call("GET", f"/v1/accounts/{place.pool}")).status == 200


async def test_a_database_that_is_away_is_said_without_its_address(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause = sqlite3.OperationalError("disk I/O error at /secret/path")
    cause.sqlite_errorcode = sqlite3.SQLITE_IOERR

    async def broken(*_: object) -> None:
        raise DBAPIError("SELECT secret", {}, cause)

    async def full(*_: object) -> None:
        raise StorageUnavailable(reason="/secret/path is full")

    monkeypatch.setattr(place.app.ledger, "read", broken)
    monkeypatch.setattr(place.app.ledger, "write", full)
    opened = {"id": new_id(), "kind": "person"}
    for told in (
        await place.call("GET", f"/v1/accounts/{place.pool}"),
        await place.call("POST", "/v1/accounts", opened),
    ):
        assert (told.status, told.json["code"]) == (503, "storage_unavailable")
        assert "Retry-After" in told.headers
        assert "secret" not in json.dumps(told.json)
    monkeypatch.undo()
    assert (await place.call("POST", "/v1/accounts", opened)).status == 201
