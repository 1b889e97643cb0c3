"""The parties that are measured: real processes in folders of their own, with accounts to move rights between."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uuid_utils

from protocol.cession import CessionState
from tests.bench.limits import ACCOUNTS
from tests.bench.load import Load, make_request, run_load
from tests.node.parties import Party, serve_parties
from tests.node.place import BREST

_WITHIN_SECONDS = 120.0
_POLL_SECONDS = 0.0002
_REST_SECONDS = 0.02
_REST_CPU_SECONDS = 0.0005
_FUND_CENTS = 10**11
_DONE = b'"status":"done"'


@dataclass
class Till:
    """A served node, its pool, and the accounts that its caller knows."""

    party: Party
    pool: str
    accounts: list[str]

    @classmethod
    def open(cls, party: Party, accounts: int = ACCOUNTS) -> Till:
        """Endow a pool and open accounts, in a node that is served."""
        pool = str(party.json("account", "open", party.folder, "--kind", "pool")["number"])
        party.json("endow", party.folder, "--into", pool, "--reason", "bench", "--cents", _FUND_CENTS)
        party.key = party.json("api-key", "new", party.folder, "bench", "--scopes", "admin")["key"]
        till = cls(party, pool, [])
        for _ in range(accounts):
            status, told = party.call("POST", "/v1/accounts", {"id": str(uuid_utils.uuid7()), "kind": "person"})
            assert status == 201, told
            till.accounts.append(str(told["address"]))
        return till

    def make_credits(self, requests: int, size: int) -> list[bytes]:
        """Return requests with `size` credits each, from the pool to the accounts in turn."""
        return [self._make_credit(number, size) for number in range(requests)]

    def _make_credit(self, number: int, size: int) -> bytes:
        items = [
            {
                "id": str(uuid_utils.uuid7()),
                "to": self.accounts[(number * size + place) * 7919 % len(self.accounts)],
                "cents": 100,
            }
            for place in range(size)
        ]
        return make_request("/v1/credits", msgspec.json.encode({"from": self.pool, "items": items}), self.party.key)

    def measure_credits(self, requests: int, size: int, *, connections: int = 2) -> Load:
        """Credit over HTTP; each line is held against its answer."""
        asked = self.make_credits(requests, size)
        return run_load(self.party.port, asked, connections=connections, expected=_DONE, count=size)


@contextmanager
def serve_node(folder: Path, url: str = "", accounts: int = ACCOUNTS) -> Iterator[Till]:
    """Run a node without a hub, on SQLite in its folder or on the database of this address."""
    party = Party("node", folder)
    words = ["--territory", BREST, "--name", "Brest", "--network", "bench", "--listen", "127.0.0.1:0"]
    made = party.run("init", folder, *words, *(("--database", url) if url else ()))
    assert made.returncode == 0, made.stderr
    party.start()
    try:
        yield Till.open(party, accounts)
    finally:
        _end(party)


def _end(party: Party) -> None:
    if party.process is not None and party.process.poll() is None:
        party.process.kill()
        party.process.wait()


@dataclass
class Line:
    """A giver's node, the hub and a taker's node, as three processes; both bases are watched from outside."""

    hub: Party
    giver: Till
    taker: Till
    _sent: sqlite3.Connection
    _arrived: sqlite3.Connection

    def make_cessions(self, requests: int, size: int) -> list[bytes]:
        """Return requests with `size` cessions each, every one to an account of the other territory."""
        return [
            make_request("/v1/cessions", self._make_items(number * size, size), self.giver.party.key)
            for number in range(requests)
        ]

    def _make_items(self, first: int, size: int) -> bytes:
        givers, takers = self.giver.accounts, self.taker.accounts
        items = [
            {
                "id": str(uuid_utils.uuid7()),
                "from": givers[place % len(givers)],
                "to": takers[place * 7919 % len(takers)],
                "cents": 1,
            }
            for place in range(first, first + size)
        ]
        return msgspec.json.encode({"items": items})

    def cede_at_once(self, count: int) -> float:
        """Have `count` callers inside the giver's process cede once each; return the seconds until all is settled."""
        process = self.giver.party.process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        wanted = self.count_delivered() + count
        process.stdin.write(self._make_items(0, count) + b"\n")
        process.stdin.flush()
        began = float(process.stdout.readline())
        return _wait(self.count_delivered, wanted) - began

    def cede(self, requests: Sequence[bytes], size: int, *, connections: int) -> tuple[Load, float]:
        """Cede over HTTP; return the load, and the seconds from the first request to the giver's last settlement."""
        wanted = self.count_delivered() + len(requests) * size
        load = run_load(self.giver.party.port, requests, connections=connections, expected=b'"id"', count=size)
        return load, _wait(self.count_delivered, wanted) - load.began

    def cede_one(self) -> tuple[float, float]:
        """Cede once, in a system at rest; return the seconds until the taker is credited, and until all is settled."""
        self.wait_for_rest()
        arrived, delivered = self.count_arrived() + 1, self.count_delivered() + 1
        load = run_load(self.giver.party.port, self.make_cessions(1, 1), connections=1, expected=b'"id"')
        credited = _wait(self.count_arrived, arrived) - load.began
        return credited, _wait(self.count_delivered, delivered) - load.began

    def count_delivered(self) -> int:
        """How many cessions are settled in the giver's base, which is the last to learn of it."""
        sql = "SELECT coalesce(sum(count), 0) FROM sent_slips WHERE state = ?"
        return int(self._sent.execute(sql, (CessionState.DELIVERED,)).fetchone()[0])

    def count_arrived(self) -> int:
        return int(self._arrived.execute("SELECT coalesce(max(id), 0) FROM arrivals").fetchone()[0])

    def hub_cpu_seconds(self) -> float:
        """What the hub's process has used of the processors so far."""
        return _cpu_seconds(self.hub)

    def wait_for_rest(self) -> None:
        """Wait until nobody does anything: what was settled is still being acknowledged around."""
        parties = (self.hub, self.giver.party, self.taker.party)
        deadline = time.monotonic() + _WITHIN_SECONDS
        before = -1.0
        while (now := sum(map(_cpu_seconds, parties))) - before > _REST_CPU_SECONDS:
            assert time.monotonic() < deadline, "the parties do not come to rest"
            before = now
            time.sleep(_REST_SECONDS)


def _cpu_seconds(party: Party) -> float:
    assert party.process is not None
    tasks = Path(f"/proc/{party.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _wait(count: Callable[[], int], wanted: int) -> float:
    """Return when the count was reached. Fails after two minutes."""
    deadline = time.monotonic() + _WITHIN_SECONDS
    while count() < wanted:
        assert time.monotonic() < deadline, f"{count()} of {wanted} arrived"
        time.sleep(_POLL_SECONDS)
    return time.perf_counter()


@contextmanager
def serve_line(folder: Path, accounts: int = ACCOUNTS) -> Iterator[Line]:
    """Run a hub and two nodes that are its members, on SQLite; the giver's accounts hold rights."""
    parties = serve_parties(folder, lambda: "")
    hub, brest, lyon = next(parties)
    try:
        _serve_as_portal(brest)
        giver, taker = Till.open(brest, accounts), Till.open(lyon, accounts)
        giver.measure_credits(10, accounts, connections=1)
        line = Line(hub, giver, taker, _watch(brest), _watch(lyon))
        try:
            yield line
        finally:
            line._sent.close()
            line._arrived.close()
    finally:
        next(parties, None)


def _serve_as_portal(party: Party) -> None:
    """Serve the node by `tests.bench.portal`, as the product does and with callers inside."""
    party.end(signal.SIGTERM)
    words = [sys.executable, "-m", "tests.bench.portal", party.folder]
    party.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert party.process.stdout is not None
    party.port = int(party.process.stdout.readline())


def _watch(party: Party) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{party.folder / 'accounts.db'}?mode=ro", uri=True, isolation_level=None)
