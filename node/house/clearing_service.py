"""The clearing house: carries slips between the bases of a territory, here by a function call, elsewhere by HTTP.

It holds no key, no book and no state: what has to go lies in the bases' own logs, and after a stop or a crash it is found
there again. A base that tells something wakes it; a base elsewhere is also asked from time to time, because it may have
something for us and no way to call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from protocol.errors import Refusal
from protocol.exchange.client import BackOff, Transport, wait_or_wake
from protocol.exchange.peer_service import PeerExchange
from protocol.running.logs_service import find_logger

log = find_logger("house")
POLL_MS: Final = 5_000


class Direct:
    """Carries an envelope to a base in this process."""

    def __init__(self, answerer: PeerExchange) -> None:
        self._answerer = answerer

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        return await self._answerer.answer(envelope)


@dataclass(slots=True)
class _Line:
    """From one base here to another, here or elsewhere."""

    caller: PeerExchange
    neighbour: str
    transport: Transport
    is_remote: bool
    back_off: BackOff = field(default_factory=BackOff)
    trouble: str = ""


class ClearingHouse:
    """Runs the lines of the bases that live in this process."""

    def __init__(
        self,
        exchanges: Mapping[str, PeerExchange],
        remote: Mapping[str, Transport],
        *,
        chance: Callable[[], float] = lambda: 1.0,
        poll_ms: int = POLL_MS,
    ) -> None:
        self._poll_ms = poll_ms
        self._chance = chance
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []
        codes = sorted(exchanges)
        self.lines = [
            _Line(exchanges[caller], answerer, Direct(exchanges[answerer]), is_remote=False)
            for at, caller in enumerate(codes)
            for answerer in codes[at + 1 :]
        ]
        self.lines += [
            _Line(exchanges[caller], code, transport, is_remote=True)
            for caller in codes
            for code, transport in remote.items()
        ]
        self._events = [asyncio.Event() for _ in self.lines]

    def wake(self, code: str) -> None:
        """Say that a base told something. May be called from any thread; before the start it does nothing."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(partial(self._wake_lines, code))

    def _wake_lines(self, code: str) -> None:
        for line, event in zip(self.lines, self._events, strict=True):
            if code in (line.caller.code, line.neighbour):
                event.set()

    async def carry(self) -> int:
        """Let everything that waits go, once, and until the bases here have nothing to say; return the calls it took.

        For commands that do not leave a process running. What a base elsewhere does not take stays for later.
        """
        calls = 0
        while True:
            made = 0
            for line in self.lines:
                try:
                    made += await self._call(line)
                except Refusal as refusal:
                    line.trouble = str(refusal)
            calls += made
            if not made:
                return calls

    async def _call(self, line: _Line) -> int:
        """Call until nothing is new on this line; return how many calls brought or took something."""
        calls = await line.caller.call(line.neighbour, line.transport)
        line.trouble = ""
        line.back_off.reset()
        return calls - 1  # the last one only finds that nothing is new

    def start(self) -> None:
        """Run the lines beside the event loop."""
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self._run(number)) for number in range(len(self.lines))]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._loop = None

    async def _run(self, number: int) -> None:
        line, event = self.lines[number], self._events[number]
        while True:
            event.clear()
            wait = self._poll_ms
            try:
                await self._call(line)
            except Refusal as refusal:
                said = str(refusal)
                if said != line.trouble:
                    log.warning("house line", caller=line.caller.code, neighbour=line.neighbour, reason=said)
                line.trouble = said
                wait = min(self._poll_ms, line.back_off.next_wait_ms(self._chance()))
            except Exception:  # the top of a worker loop: said, and tried again
                log.exception("house line", caller=line.caller.code, neighbour=line.neighbour)
                line.trouble = "an error of ours: see the log"
                wait = min(self._poll_ms, line.back_off.next_wait_ms(self._chance()))
            await wait_or_wake(event, wait)
