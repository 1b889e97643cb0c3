"""What a node reads where a hub answers with anything but an envelope."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from protocol.exchange.client import HttpTransport, HubRefused, HubUnreachable, _refusal_of


def test_a_refusal_of_the_hub_is_told_with_its_code_and_reason() -> None:
    refusal = _refusal_of(400, b'{"code": "bad_envelope", "facts": {"reason": "wrong_reader"}, "explanation": "no"}')
    assert isinstance(refusal, HubRefused)
    assert refusal.facts == {"hub_code": "bad_envelope", "reason": "wrong_reader", "status": 400}


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"5", b'{"facts": {}}', b"\xff", b'{"code": "x", "facts": 5}'])
def test_an_answer_that_is_no_refusal_of_ours_is_no_answer(data: bytes) -> None:
    assert isinstance(_refusal_of(502, data), HubUnreachable)


@pytest.mark.parametrize("data", [b"[" * 200_000, rb'{"code": "\ud800", "facts": {"reason": "\udfff"}}'])
def test_an_answer_that_would_stop_the_worker_or_its_log_is_no_answer(data: bytes) -> None:
    # Whatever is no Refusal ends the worker's loop: a hub could have silenced a node for good.
    refusal = _refusal_of(503, data)
    assert isinstance(refusal, HubUnreachable)
    str(refusal).encode()


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"])
async def test_a_line_that_stands_and_says_nothing_is_left_and_named(begun: bytes) -> None:
    left = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begun)
        with contextlib.suppress(OSError):
            await reader.read()  # until the caller leaves
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    line = HttpTransport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", silence_ms=200)
    with pytest.raises(HubUnreachable, match="silent"):
        await line.call(b"question", 100)
    await line.close()
    await left.wait()
    server.close()
