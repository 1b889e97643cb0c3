"""Credits at one node: by 1 000, alone from many tills, in a full base, and on PostgreSQL (goals 1, 2, 3, 7, 9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench.figures import Figure, Goal, choose_percentile
from tests.bench.limits import PgBench, RawPostgres, RawSqlite, measure_echo, measure_fdatasync, serve_echo
from tests.bench.served import serve_node
from tests.bench.sizes import Sizes
from tests.postgres import PostgresServer

BULK: Final = Goal(
    name="bulk_credits",
    number=1,
    title="bulk credits over HTTP",
    unit="credits/s",
    limit="raw SQLite executemany",
    gate=0.5,
    moonshot=0.8,
    note="A node as a process, JSON over HTTP on four connections, one request a batch of 1 000, each line durable and "
    "answered. The limit writes batches of the same size durably, without HTTP, rights or history.",
)
PURCHASES: Final = Goal(
    name="single_purchases",
    number=2,
    title="single purchases, 128 connections",
    unit="purchases/s",
    limit="bare aiohttp + uvloop echo",
    gate=0.35,
    moonshot=0.6,
    note="One credit a request, durable before it is answered; the echo gives the same body back and keeps nothing.",
)
AGAINST_PGBENCH: Final = Goal(
    name="purchases_pgbench",
    number=3,
    title="the same, against TPC-B",
    unit="purchases/s",
    limit="pgbench TPC-B, 8 clients",
    gate=2,
    moonshot=3,
)
ON_POSTGRES: Final = Goal(
    name="postgres_credits",
    number=7,
    title="bulk credits, node on PostgreSQL",
    unit="credits/s",
    limit="raw psycopg COPY",
    gate=0.3,
    moonshot=0.6,
    note="The limit is psycopg's binary COPY with one netted update of balances, in one transaction a batch.",
)
FULL: Final = Goal(
    name="full_base",
    number=9,
    title="bulk credits in a full base",
    unit="credits/s",
    limit="the same in an empty base",
    gate=0.5,
    moonshot=0.7,
    note="Two nodes as processes; one holds 1.5 million transfers before the first round.",
)


def measure_bulk(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    values, limits = [], []
    with serve_node(folder / "bulk", accounts=sizes.accounts) as till:
        raw = RawSqlite(folder / "raw.db")
        till.measure_credits(2, sizes.batch)
        raw.measure(2, sizes.batch)
        for _ in range(sizes.rounds):
            limits.append(raw.measure(sizes.bulk_batches, sizes.batch))
            load = till.measure_credits(sizes.bulk_batches, sizes.batch, connections=sizes.bulk_connections)
            values.append(sizes.bulk_batches * sizes.batch / load.seconds)
        raw.close()
    yield Figure(BULK, tuple(values), tuple(limits))


def measure_purchases(folder: Path, sizes: Sizes, server: PostgresServer) -> Iterator[Figure]:
    rates, echoes, tpcb, syncs, slow = [], [], [], [], []
    bench = PgBench(server, sizes.pgbench_scale)
    with serve_node(folder / "purchases", accounts=sizes.accounts) as till, serve_echo(folder) as echo:
        body = till.make_credits(1, 1)[0].split(b"\r\n\r\n", 1)[1]
        till.measure_credits(sizes.connections, 1, connections=sizes.connections)
        for _ in range(sizes.rounds):
            echoes.append(measure_echo(echo, body, requests=sizes.singles, connections=sizes.connections))
            syncs.append(measure_fdatasync(folder))
            load = till.measure_credits(sizes.singles, 1, connections=sizes.connections)
            rates.append(sizes.singles / load.seconds)
            slow.append(choose_percentile(load.latencies, 99) * 1_000)
            tpcb.append(bench.measure(sizes.pgbench_seconds))
    worst, sync = choose_percentile(slow, 50), choose_percentile(syncs, 50)
    yield Figure(PURCHASES, tuple(rates), tuple(echoes), f"p99 {worst:.1f} ms, {worst / sync:.0f} fdatasync.")
    yield Figure(AGAINST_PGBENCH, tuple(rates), tuple(tpcb))


def measure_on_postgres(folder: Path, sizes: Sizes, server: PostgresServer) -> Iterator[Figure]:
    values, limits = [], []
    with serve_node(folder / "postgres", server.create_database(), accounts=sizes.accounts) as till:
        raw = RawPostgres(server.create_database())
        till.measure_credits(2, sizes.batch)
        raw.measure(2, sizes.batch)
        for _ in range(sizes.rounds):
            limits.append(raw.measure(sizes.bulk_batches, sizes.batch))
            load = till.measure_credits(sizes.bulk_batches, sizes.batch, connections=sizes.bulk_connections)
            values.append(sizes.bulk_batches * sizes.batch / load.seconds)
        raw.close()
    yield Figure(ON_POSTGRES, tuple(values), tuple(limits))


def measure_full_base(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    values, limits = [], []
    with ExitStack() as served:
        empty = served.enter_context(serve_node(folder / "empty", accounts=sizes.accounts))
        full = served.enter_context(serve_node(folder / "full", accounts=sizes.accounts))
        for _ in range(0, sizes.filled, 50 * sizes.batch):
            full.measure_credits(min(50, -(-sizes.filled // sizes.batch)), sizes.batch)
        empty.measure_credits(2, sizes.batch)
        for _ in range(sizes.rounds):
            for till, rates in ((empty, limits), (full, values)):
                load = till.measure_credits(sizes.bulk_batches, sizes.batch, connections=sizes.bulk_connections)
                rates.append(sizes.bulk_batches * sizes.batch / load.seconds)
    yield Figure(FULL, tuple(values), tuple(limits))
