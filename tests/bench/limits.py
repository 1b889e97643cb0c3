"""What this machine can do at most: the bare driver, the bare disk, the bare HTTP server, PostgreSQL's own benchmark."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg
import uuid_utils
from sqlalchemy import make_url

from tests.bench.load import make_request, run_load
from tests.postgres import PostgresServer, find_program

ACCOUNTS = 1_000
_PLENTY = 10**15
_WITHIN_SECONDS = 30.0


def _make_transfers(count: int) -> list[tuple[bytes, int, int]]:
    """Return (time-ordered id, credited account, cents); all are debited from account 0, as a pool's are."""
    return [(uuid_utils.uuid7().bytes, 1 + number * 7919 % ACCOUNTS, 100) for number in range(count)]


class RawSqlite:
    """SQLite's driver alone: a row with a unique time-ordered id, and two guarded balance updates, WAL, FULL."""

    def __init__(self, file: Path) -> None:
        self._line = sqlite3.connect(file, isolation_level=None)
        self._line.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0));"
            "CREATE TABLE transfers (id INTEGER PRIMARY KEY, op BLOB NOT NULL UNIQUE, debit INTEGER NOT NULL,"
            " credit INTEGER NOT NULL, cents INTEGER NOT NULL);"
        )
        rows = [(0, _PLENTY), *((number, 0) for number in range(1, ACCOUNTS + 1))]
        self._line.executemany("INSERT INTO accounts VALUES (?, ?)", rows)

    def measure(self, batches: int, size: int) -> float:
        """Return transfers a second, one durable transaction a batch."""
        prepared = []
        for _ in range(batches):
            made = _make_transfers(size)
            prepared.append(
                (
                    [(op, 0, credit, cents) for op, credit, cents in made],
                    [(cents, 0, cents) for _, _, cents in made],
                    [(cents, credit) for _, credit, cents in made],
                )
            )
        line = self._line
        began = time.perf_counter()
        for rows, debits, credits_ in prepared:
            line.execute("BEGIN IMMEDIATE")
            line.executemany("INSERT INTO transfers (op, debit, credit, cents) VALUES (?, ?, ?, ?)", rows)
            changed = line.executemany(
                "UPDATE accounts SET cents = cents - ? WHERE id = ? AND cents >= ?", debits
            ).rowcount
            changed += line.executemany("UPDATE accounts SET cents = cents + ? WHERE id = ?", credits_).rowcount
            assert changed == 2 * size
            line.execute("COMMIT")
        return batches * size / (time.perf_counter() - began)

    def close(self) -> None:
        self._line.close()


class RawPostgres:
    """psycopg alone: COPY for the rows, one netted guarded update of balances, one durable transaction a batch."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._line = psycopg.connect(host=str(address.query["host"]), user=address.username, dbname=address.database)
        with self._line.transaction():
            self._line.execute("CREATE TABLE accounts (id int PRIMARY KEY, cents bigint NOT NULL CHECK (cents >= 0))")
            self._line.execute(
                "CREATE TABLE transfers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, op bytea NOT NULL UNIQUE,"
                " debit int NOT NULL, credit int NOT NULL, cents bigint NOT NULL)"
            )
            self._line.execute("INSERT INTO accounts SELECT n, 0 FROM generate_series(1, %s) n", (ACCOUNTS,))
            self._line.execute("INSERT INTO accounts VALUES (0, %s)", (_PLENTY,))

    def measure(self, batches: int, size: int) -> float:
        """Return transfers a second."""
        prepared = [_make_transfers(size) for _ in range(batches)]
        began = time.perf_counter()
        for made in prepared:
            with self._line.transaction(), self._line.cursor() as cursor:
                with cursor.copy("COPY transfers (op, debit, credit, cents) FROM STDIN (FORMAT binary)") as copy:
                    copy.set_types(["bytea", "int4", "int4", "int8"])
                    for op, credit, cents in made:
                        copy.write_row((op, 0, credit, cents))
                changes: defaultdict[int, int] = defaultdict(int)
                for _, credit, cents in made:
                    changes[credit] += cents
                    changes[0] -= cents
                cursor.execute(
                    "UPDATE accounts SET cents = accounts.cents + more.cents"
                    " FROM unnest(%s::int[], %s::bigint[]) more (id, cents) WHERE accounts.id = more.id",
                    (list(changes), list(changes.values())),
                )
        return batches * size / (time.perf_counter() - began)

    def close(self) -> None:
        self._line.close()


class PgBench:
    """PostgreSQL's own benchmark: TPC-B-like, 8 clients, scale 10, default durability."""

    def __init__(self, server: PostgresServer, scale: int = 10) -> None:
        self._name = make_url(server.create_database()).database or ""
        self._words = [find_program("pgbench"), "-h", str(server.folder), "-U", "postgres"]
        subprocess.run([*self._words, "-i", "-q", "-s", str(scale), self._name], check=True, capture_output=True)

    def measure(self, seconds: int) -> float:
        """Return transactions a second."""
        words = [*self._words, "-n", "-c", "8", "-j", "2", "-T", str(seconds), self._name]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        found = re.search(r"^tps = ([0-9.]+)", told, re.MULTILINE)
        assert found is not None, told
        return float(found[1])


@contextmanager
def serve_echo(folder: Path) -> Iterator[int]:
    """Run the bare HTTP server; give its port."""
    file = folder / "echo.port"
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.echo", str(file)])
    try:
        deadline = time.monotonic() + _WITHIN_SECONDS
        while not file.exists():
            assert process.poll() is None, "the echo server ended"
            assert time.monotonic() < deadline, "the echo server does not answer"
            time.sleep(0.01)
        yield int(file.read_text())
    finally:
        process.terminate()
        process.wait()


def measure_echo(port: int, body: bytes, *, requests: int, connections: int) -> float:
    """Return answers a second to POSTs of this body."""
    asked = [make_request("/", body)] * requests
    return requests / run_load(port, asked, connections=connections, expected=body[:8]).seconds


def measure_fdatasync(folder: Path, count: int = 200, rest: Callable[[], None] = lambda: None) -> float:
    """Return the median time in milliseconds of one durable write of 4 kB at the end of a file, each after a `rest`."""
    times = []
    with (folder / "fdatasync").open("ab", buffering=0) as file:
        for _ in range(count):
            rest()
            began = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1_000)
    return median(times)
