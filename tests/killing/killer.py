"""The killer: SIGKILL at instants that its dice choose, to one party or to two at once; and accidents of the database.

An instant is either while a party works, or so many milliseconds after its start: then it dies while it opens its book,
migrates it, or loads what it keeps in memory.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg

from tests.killing.processes import Kept
from tests.postgres import SUPERUSER, PostgresServer

WORK_SECONDS: Final = (0.02, 1.1)
START_SECONDS: Final = (0.0, 1.0)  # a start takes about a second
BIRTH_SECONDS: Final = (0.25, 1.6)  # the first one, which makes the base, takes longer
AWAY_SECONDS: Final = (0.0, 0.8)
STARTING: Final = 0.3  # the part of kills that aim at a start
TWO: Final = 0.2  # the part that hit two at once
ANSWER_SECONDS: Final = 60.0
SERVER: Final = 0.12  # the part of blows on PostgreSQL that hit the server instead


class Killer:
    """Strikes until so many processes were killed."""

    def __init__(self, parties: Sequence[Kept], dice: random.Random, server: PostgresServer | None) -> None:
        self._parties = parties
        self._dice = dice
        self._server = server
        self.accidents: Tally[str] = Tally()
        self.pairs = 0

    @property
    def kills(self) -> int:
        return sum(party.kills.total() for party in self._parties)

    async def kill_at_birth(self, party: Kept, times: int) -> None:
        """Kill a party so many times while it makes its base, and leave it running in the end."""
        for _ in range(times):
            party.launch()
            await asyncio.sleep(self._dice.uniform(*BIRTH_SECONDS))
            party.kill()
        party.launch()

    async def run(self, kills: int, on_kill: Callable[[int], Any]) -> None:
        """Kill until `kills` were reached. The parties' keepers start them again."""
        while self.kills < kills:
            if self._server is not None and self._dice.random() < SERVER:
                await self._strike_server(self._server)
                continue
            count = 2 if self._dice.random() < TWO and len(self._parties) > 1 else 1
            victims = self._dice.sample(list(self._parties), count)
            if self._dice.random() < STARTING:
                await self._kill_starting(victims)
            else:
                await asyncio.gather(*(victim.wait_up() for victim in victims))
                await asyncio.sleep(self._dice.uniform(*WORK_SECONDS))
                self._strike(victims)
            on_kill(self.kills)

    async def _kill_starting(self, victims: Sequence[Kept]) -> None:
        """Bring them down, and again so many milliseconds after they were started."""
        await asyncio.gather(*(victim.wait_up() for victim in victims))
        before = [victim.starts for victim in victims]
        self._strike(victims)
        for victim, starts in zip(victims, before, strict=True):
            while victim.starts == starts:
                await asyncio.sleep(0.01)
                if victim.keeper is not None and victim.keeper.done():
                    victim.keeper.result()
        await asyncio.sleep(self._dice.uniform(*START_SECONDS))
        self._strike(victims)

    def _strike(self, victims: Sequence[Kept]) -> None:
        hit = [victim.kill() for victim in victims]
        self.pairs += sum(hit) > 1

    async def _strike_server(self, server: PostgresServer) -> None:
        """Cut sessions, kill one of the server's own processes, or stop it at once and start it again."""
        await asyncio.sleep(self._dice.uniform(*WORK_SECONDS))
        for party in self._parties:
            party.may_end = True
        accident = self._dice.choice(("sessions cut", "backend killed", "server stopped"))
        self.accidents[accident] += 1
        if accident == "sessions cut":
            await asyncio.to_thread(cut_sessions, server)
        elif accident == "backend killed":
            await asyncio.to_thread(kill_backend, server, self._dice)
        else:
            await asyncio.to_thread(server.stop_at_once)
            await asyncio.sleep(self._dice.uniform(*AWAY_SECONDS))
            await asyncio.to_thread(server.start_again)
        await asyncio.to_thread(wait_until_it_answers, server)
        await asyncio.gather(*(party.wait_up() for party in self._parties))
        for party in self._parties:
            party.may_end = False


def _ask(server: PostgresServer, statement: Any) -> list[Any]:
    with psycopg.connect(host=str(server.folder), user=SUPERUSER, dbname="postgres", autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def wait_until_it_answers(server: PostgresServer) -> None:
    """Wait while the server recovers: who starts meanwhile ends by himself, and is right."""
    give_up = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            _ask(server, "SELECT 1")
            return
        except psycopg.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def cut_sessions(server: PostgresServer) -> None:
    """End every session but our own, locks and all."""
    _ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'")


def kill_backend(server: PostgresServer, dice: random.Random) -> None:
    """SIGKILL to a process of the server: it throws all sessions out and recovers from its log."""
    pids = [row[0] for row in _ask(server, "SELECT pid FROM pg_stat_activity WHERE datname LIKE 'test_%' ORDER BY pid")]
    if pids:
        os.kill(dice.choice(pids), signal.SIGKILL)
