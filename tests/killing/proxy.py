"""A line to the hub that fails in every way a line can: a proxy that reads whole HTTP exchanges and spoils some of them.

It knows nothing of envelopes. What it does is drawn by its dice, or set for a while by the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter as Tally
from collections.abc import Callable
from enum import StrEnum
from typing import Final

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_ANSWERS_KEPT: Final = 20
LATENCY_SECONDS: Final = (0.01, 0.6)
DRIBBLE_SECONDS: Final = 0.002
_ENDLESS_BYTES: Final = 40 * 1024 * 1024  # more than any envelope may weigh


class Fault(StrEnum):
    """What can happen to one exchange."""

    LATE = "late"  # question and answer take their time
    NOBODY = "nobody"  # the connection is refused at once
    QUESTION_CUT = "question cut"  # the hub gets half of it
    ANSWER_LOST = "answer lost"  # the hub has taken it; nobody hears
    ANSWER_CUT = "answer cut"  # half of the answer, and the end
    SILENT = "silent"  # taken, and never a byte back: half-open
    STALLED = "stalled"  # half of the answer, and never another byte: half-open
    GARBAGE = "garbage"  # bytes that are no HTTP
    PAGE = "page"  # a page of somebody else's, and 200
    ENDLESS = "endless"  # a body that does not end
    FLIPPED = "flipped"  # one bit of the answer is another
    DRIBBLE = "dribble"  # byte by byte
    REPLAYED = "replayed"  # an answer of some time ago, in place of this one
    TWICE = "twice"  # the hub gets the question two times


# Whoever meets them waits for a while, and meets nothing else meanwhile.
_HANGING: Final = frozenset({Fault.SILENT, Fault.STALLED})
_RARE: Final = 0.2


class Proxy:
    """Listens for one node and speaks to the hub for it."""

    def __init__(self, hub_port: Callable[[], int], dice: random.Random) -> None:
        self._hub_port = hub_port
        self._dice = dice
        self._server: asyncio.Server | None = None
        self._answers: list[bytes] = []
        self._open: set[asyncio.Task[None]] = set()
        self.fault: Fault | None = None  # what happens to every exchange from now on
        self.chance = 0.0  # else: how many of them something drawn happens to
        self.happened: Tally[str] = Tally()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def calm(self) -> None:
        """Let everything through from now on, and end what hangs: as when a line comes back."""
        self.fault, self.chance = None, 0.0
        for task in self._open:
            task.cancel()

    def _draw(self) -> Fault | None:
        if self.fault is not None:
            return self.fault
        if self._dice.random() >= self.chance:
            return None
        (drawn,) = self._dice.choices(list(Fault), [_RARE if fault in _HANGING else 1 for fault in Fault])
        return drawn

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while (question := await _read_message(reader)) is not None:
                fault = self._draw()
                if fault is not None:
                    self.happened[fault] += 1
                if not await self._exchange(question, fault, reader, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _exchange(
        self, question: bytes, fault: Fault | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Carry one exchange, spoilt or not; return whether the connection goes on."""
        match fault:
            case Fault.NOBODY:
                return False
            case Fault.QUESTION_CUT:
                await self._send_half(question)
                return False
            case Fault.GARBAGE:
                writer.write(self._dice.randbytes(300) + b"\r\n\r\n")
            case Fault.PAGE:
                body = b"<html><body>Welcome to the free network of the station. Please accept our terms.</body></html>"
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
                return True
            case Fault.ENDLESS:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\n\r\n")
                for _ in range(_ENDLESS_BYTES // 65_536):
                    writer.write(bytes(65_536))
                    await writer.drain()
            case Fault.REPLAYED if self._answers:
                writer.write(self._dice.choice(self._answers))
                await writer.drain()
                return True
            case _:
                return await self._carry(question, fault, reader, writer)
        await writer.drain()
        return False

    async def _carry(
        self, question: bytes, fault: Fault | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if fault is Fault.LATE:
            await asyncio.sleep(self._dice.uniform(*LATENCY_SECONDS))
        if fault is Fault.TWICE:
            await self._ask(question, reader)
        answer = await self._ask(question, reader)
        if answer is None:
            return False
        self._answers = [*self._answers[1 - _ANSWERS_KEPT :], answer]
        match fault:
            case Fault.ANSWER_LOST:
                return False
            case Fault.SILENT:
                await reader.read()  # until the node gives up
                return False
            case Fault.ANSWER_CUT | Fault.STALLED:
                writer.write(answer[: len(answer) // 2])
                await writer.drain()
                if fault is Fault.STALLED:
                    await reader.read()
                return False
            case Fault.FLIPPED:
                place = self._dice.randrange(answer.find(_HEAD_END) + len(_HEAD_END), len(answer))
                answer = answer[:place] + bytes([answer[place] ^ (1 << self._dice.randrange(8))]) + answer[place + 1 :]
            case Fault.DRIBBLE:
                for place in range(len(answer)):
                    writer.write(answer[place : place + 1])
                    await writer.drain()
                    await asyncio.sleep(DRIBBLE_SECONDS)
                return True
            case Fault.LATE:
                await asyncio.sleep(self._dice.uniform(*LATENCY_SECONDS))
            case _:
                pass
        writer.write(answer)
        await writer.drain()
        return True

    async def _send_half(self, question: bytes) -> None:
        with contextlib.suppress(OSError):
            _, hub = await asyncio.open_connection("127.0.0.1", self._hub_port())
            hub.write(question[: len(question) * 2 // 3])
            await hub.drain()
            hub.close()

    async def _ask(self, question: bytes, reader: asyncio.StreamReader) -> bytes | None:
        """Return the hub's whole answer, or None where it is away, or the node hung up meanwhile."""
        try:
            hub_reader, hub_writer = await asyncio.open_connection("127.0.0.1", self._hub_port())
        except OSError:
            return None
        try:
            hub_writer.write(question)
            await hub_writer.drain()
            answering = asyncio.create_task(_read_message(hub_reader))
            leaving = asyncio.create_task(reader.read(1))
            done, left = await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            return answering.result() if answering in done else None
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            hub_writer.close()


async def _read_message(reader: asyncio.StreamReader) -> bytes | None:
    """Return one HTTP question or answer with its body, whose length its head says; None at the end."""
    try:
        head = await reader.readuntil(_HEAD_END)
    except asyncio.IncompleteReadError:
        return None
    at = head.lower().find(_LENGTH)
    length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return head + await reader.readexactly(length)
