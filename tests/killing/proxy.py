"""A line that goes wrong: a TCP proxy between one node and the hub, whose faults are drawn by a seed or pinned.

It reads whole HTTP messages, so that it can cut, bend, repeat or withhold them where it hurts; it knows nothing of
what they say. Touches sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import Counter as Tally
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from protocol.envelopes import ENVELOPE_BYTES_MAX

LATENCY_SECONDS: Final = (0.05, 0.4)
_HEAD_BYTES_MAX: Final = 1 << 16
_PIECE: Final = 1 << 20
_KEPT: Final = 64
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PAGE: Final = b"<html><body>Please log in to use this network.</body></html>"


class Fault(StrEnum):
    """What can happen to one question and its answer."""

    LATENCY = "latency"
    CUT_QUESTION = "cut in the question"
    CUT_ANSWER = "cut in the answer"
    SILENT = "accepted, then silence"
    SWALLOW = "silence in the middle of the answer"
    NOISE = "random bytes"
    PAGE = "a page with 200"
    TRUNCATED = "a body that ends early, its length to match"
    FLIPPED = "a flipped bit in the body"
    TOO_LONG = "a body far too long"
    WRONG_LENGTH = "a body shorter than its length says"
    DRIBBLE = "a byte at a time"
    REPLAY = "an earlier answer"
    TWICE = "the question sent twice"


class _Ended(Exception):
    """This connection is not used any more."""


class Proxy:
    """Listens for one node. `pinned` befalls every call; otherwise a part `share` of them meets one of `kinds`, drawn."""

    def __init__(self, hub_port: int, dice: random.Random) -> None:
        self._hub_port = hub_port
        self._dice = dice
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self._answers: deque[bytes] = deque(maxlen=_KEPT)  # whole, and given to the node
        self.port = 0
        self.pinned: Fault | None = None
        self.share = 0.0
        self.kinds: Sequence[Fault] = tuple(Fault)
        self.met: Tally[str] = Tally()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_HEAD_BYTES_MAX)
        self.port = self._server.sockets[0].getsockname()[1]

    def calm(self) -> None:
        """No fault from now on. What hangs goes on hanging: to leave it is the node's affair."""
        self.pinned, self.share = None, 0.0

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def _draw(self) -> Fault | None:
        fault = self.pinned
        if fault is None and self._dice.random() < self.share:
            fault = self._dice.choice(self.kinds)
        if fault is Fault.REPLAY and not self._answers:
            return None
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        hub: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while True:
                question = await _read_message(reader)
                fault = self._draw()
                if fault is not None:
                    self.met[fault] += 1
                if fault is Fault.SILENT:
                    await reader.read()  # until the node leaves
                    raise _Ended
                if fault is Fault.REPLAY:
                    writer.write(self._dice.choice(self._answers))
                    await writer.drain()
                    continue
                if hub is None:
                    hub = await self._call()
                answer = await self._ask(hub, question, fault)
                await self._answer(reader, writer, answer, fault)
        except (_Ended, OSError, EOFError, asyncio.LimitOverrunError):
            pass  # either side went away, or this fault was to do so
        except asyncio.CancelledError:
            pass  # the proxy stops
        finally:
            self._lines.discard(line)
            for end in (writer, *(() if hub is None else (hub[1],))):
                with contextlib.suppress(OSError):
                    end.transport.abort()

    async def _call(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._hub_port, limit=_HEAD_BYTES_MAX)

    async def _ask(
        self, hub: tuple[asyncio.StreamReader, asyncio.StreamWriter], question: bytes, fault: Fault | None
    ) -> bytes:
        if fault is Fault.LATENCY:
            await asyncio.sleep(self._dice.uniform(*LATENCY_SECONDS))
        if fault is Fault.TWICE:
            other = await self._call()
            other[1].write(question)
            await other[1].drain()
            await _read_message(other[0])
            other[1].close()
        if fault is Fault.CUT_QUESTION:
            hub[1].write(question[: self._dice.randrange(1, len(question))])
            await hub[1].drain()
            raise _Ended
        hub[1].write(question)
        await hub[1].drain()
        return await _read_message(hub[0])

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes, fault: Fault | None
    ) -> None:
        head, body = _split(answer)
        match fault:
            case Fault.LATENCY:
                await asyncio.sleep(self._dice.uniform(*LATENCY_SECONDS))
            case Fault.CUT_ANSWER | Fault.SWALLOW:
                writer.write(answer[: self._dice.randrange(1, len(answer))])
                await writer.drain()
                if fault is Fault.SWALLOW:
                    await reader.read()
                else:
                    writer.close()
                    await writer.wait_closed()
                raise _Ended
            case Fault.NOISE:
                writer.write(self._dice.randbytes(self._dice.randint(1, 2_000)))
                writer.close()
                await writer.wait_closed()
                raise _Ended
            case Fault.PAGE:
                answer = (
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_PAGE) + _PAGE
                )
            case Fault.TRUNCATED:
                body = body[: self._dice.randrange(len(body))]
                answer = _LENGTH.sub(b"\r\nContent-Length: %d" % len(body), head) + body
            case Fault.FLIPPED:
                bent = bytearray(body)
                bent[self._dice.randrange(len(bent))] ^= 1 << self._dice.randrange(8)
                answer = head + bytes(bent)
            case Fault.TOO_LONG:
                length = ENVELOPE_BYTES_MAX + 2 * _PIECE
                writer.write(_LENGTH.sub(b"\r\nContent-Length: %d" % length, head))
                for _ in range(length // _PIECE):
                    writer.write(bytes(_PIECE))
                    await writer.drain()
                raise _Ended
            case Fault.WRONG_LENGTH:
                writer.write(_LENGTH.sub(b"\r\nContent-Length: %d" % (len(body) + 7), head) + body)
                writer.close()
                await writer.wait_closed()
                raise _Ended
            case Fault.DRIBBLE:
                for byte in answer:
                    writer.write(bytes((byte,)))
                    await writer.drain()
                    await asyncio.sleep(0)
                return
        writer.write(answer)
        await writer.drain()
        if fault not in (Fault.PAGE, Fault.TRUNCATED, Fault.FLIPPED):
            self._answers.append(answer)


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    """Return head and body. Raises EOFError where there is none, or no whole one."""
    head = await reader.readuntil(b"\r\n\r\n")
    found = _LENGTH.search(head)
    return head + (await reader.readexactly(int(found[1])) if found else b"")


def _split(message: bytes) -> tuple[bytes, bytes]:
    head, mark, body = message.partition(b"\r\n\r\n")
    return head + mark, body
