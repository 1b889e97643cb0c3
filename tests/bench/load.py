"""The caller: prepared HTTP requests over a number of kept connections, each sending its next when it has its answer.

It is as thin as can be (no HTTP library), so that what is measured is the server.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Failed(Exception):
    """The server answered what it should not; the text begins with the answer."""


@dataclass(frozen=True, slots=True)
class Load:
    """How long all requests took together, and each alone, in seconds; `began` is on the monotonic clock."""

    began: float
    seconds: float
    latencies: list[float]


def make_request(path: str, body: bytes, key: str = "") -> bytes:
    """Return the bytes of a POST."""
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + _END + body


class _Line(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], expected: bytes, count: int, load: list[float]) -> None:
        self._requests = requests
        self._expected = expected
        self._count = count
        self._latencies = load
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._size = 0
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is one in all but name

    def send(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._size:
            end = self._buffer.find(_END)
            if end < 0:
                return
            head = self._buffer[:end].lower()
            at = head.find(_LENGTH) + len(_LENGTH)
            self._size = end + len(_END) + int(head[at:].split(b"\r\n", 1)[0])
        if len(self._buffer) < self._size:
            return
        self._latencies.append(time.perf_counter() - self._sent_at)
        reply, self._buffer, self._size = self._buffer, b"", 0
        if reply[9:12] not in (b"200", b"201") or reply.count(self._expected) < self._count:
            self._fail(reply[:600].decode(errors="replace"))
            return
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection broke: {exc}")

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(Failed(reason))


def run_load(port: int, requests: Sequence[bytes], *, connections: int, expected: bytes, count: int = 1) -> Load:
    """Send all requests and wait for all answers. Raises Failed unless each holds `expected` `count` times."""

    async def run() -> Load:
        loop = asyncio.get_running_loop()
        waiting = iter(requests)
        latencies: list[float] = []
        lines = []
        for _ in range(min(connections, len(requests))):
            _, line = await loop.create_connection(
                lambda: _Line(waiting, expected, count, latencies), "127.0.0.1", port
            )
            lines.append(line)
        began = time.perf_counter()
        for line in lines:
            line.send()
        await asyncio.gather(*(line.done for line in lines))
        return Load(began, time.perf_counter() - began, latencies)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())
