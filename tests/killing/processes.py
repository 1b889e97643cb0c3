"""A party whose process is started again whenever it ends, as a service manager does; and a count of how it ended."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time
from collections import Counter as Tally
from dataclasses import dataclass, field
from typing import Any, Final

from protocol.running.admin_client import call_running
from tests.node.parties import Party

READY_SECONDS: Final = 120.0
START_SECONDS: Final = 300.0  # a start that takes longer counts as silence
LOOK_SECONDS: Final = 0.02
REST_SECONDS: Final = (0.0, 0.3)  # between an end and the next start
# What a log must never hold: a bug of ours that was met on the way.
_BUGS: Final = re.compile(r"Traceback|\"incident\"|AssertionError|exchange loop")
_BUGS_SHOWN: Final = 3


class DidNotStart(Exception):
    """A process ended by itself where nothing excuses it, or was not ready in time."""


@dataclass
class Kept(Party):
    """A party and its keeper."""

    code: str = ""
    starts: int = 0
    kills: Tally[str] = field(default_factory=Tally)  # "at work" or "starting"
    may_end: bool = False  # its database is away: a start may fail
    ended_by_itself: int = 0
    spawned_at: float = 0.0
    ready_at: float | None = None  # since when the process that runs now listens, as its keeper saw it
    keeper: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        return self.is_up and (self.folder / "port").exists()

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def launch(self) -> None:
        self.spawn()
        self.starts += 1
        self.spawned_at = time.monotonic()
        self.ready_at = None

    def look(self, now: float) -> None:
        """Note since when it listens."""
        if not self.is_ready:
            self.ready_at = None
        elif self.ready_at is None:
            self.ready_at = now

    def silence_seconds(self, since: float, now: float) -> float:
        """Return how long one process could have answered what was asked first at `since`.

        On a busy machine a start takes half a minute, and a killer strikes again a second later: that is no silence.
        """
        if self.ready_at is None:
            return max(0.0, now - self.spawned_at - START_SECONDS)
        return now - max(since, self.ready_at)

    def kill(self) -> bool:
        """Send SIGKILL, whatever it does at this instant; return whether there was anybody."""
        if not self.is_up:
            return False
        assert self.process is not None
        self.kills["at work" if self.is_ready else "starting"] += 1
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return True

    async def wait_up(self, *, is_ready: bool = True) -> None:
        """Wait until it runs, or until it listens. Raises DidNotStart."""
        give_up = time.monotonic() + READY_SECONDS
        while not (self.is_ready if is_ready else self.is_up):
            if self.keeper is not None and self.keeper.done():
                self.keeper.result()
            if time.monotonic() > give_up:
                raise DidNotStart(f"{self.code} was not ready in {READY_SECONDS:.0f} seconds\n{self.log[-2_000:]}")
            await asyncio.sleep(LOOK_SECONDS)
        if is_ready:
            self.port = int((self.folder / "port").read_text())

    def keep(self, dice: random.Random) -> None:
        """Start it whenever it is down, from now on."""
        self.keeper = asyncio.create_task(self._keep(dice))

    async def _keep(self, dice: random.Random) -> None:
        while True:
            if not self.is_up:
                if self.process is not None and self.process.returncode != -signal.SIGKILL:
                    self.ended_by_itself += 1
                    if not self.may_end:
                        raise DidNotStart(
                            f"{self.code} ended by itself: {self.process.returncode}\n{self.log[-2_000:]}"
                        )
                await asyncio.sleep(dice.uniform(*REST_SECONDS))
                self.launch()
            self.look(time.monotonic())
            await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        """Let nobody start it again, and end it."""
        if self.keeper is not None:
            self.keeper.cancel()
            await asyncio.gather(self.keeper, return_exceptions=True)
        if self.is_up:
            assert self.process is not None
            self.process.kill()
            self.process.wait()

    def find_bugs(self) -> list[str]:
        """Return the first lines of its log that name a bug of ours."""
        return [line[:400] for line in self.log.splitlines() if _BUGS.search(line)][:_BUGS_SHOWN]

    async def admin(self, command: str, **arguments: Any) -> Any:
        """Run an administrator's command in the running process."""
        is_running, answer = await asyncio.to_thread(call_running, self.folder, command, arguments)
        if not is_running:
            raise DidNotStart(f"{self.code} does not answer on its socket")
        return answer
