"""Cessions from a giver's node over the hub to a taker's node, three processes (goals 4, 5, 6, 8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.figures import Figure, Goal, choose_percentile
from tests.bench.limits import PgBench, RawSqlite, measure_fdatasync
from tests.bench.served import serve_line
from tests.bench.sizes import Sizes
from tests.postgres import PostgresServer

_TIMED: Final = (
    "Timed from the giver's first HTTP request until the giver's base says DELIVERED of the last: durable at the giver, "
    "cleared and handed over at the hub, credited and answered by the taker, settled at the hub and at the giver; "
    "real signatures and sealed names, HTTP between three processes on one disk."
)
BULK: Final = Goal(
    name="cessions",
    number=4,
    title="cessions A → hub → B by 1 000",
    unit="cessions/s",
    limit="raw SQLite executemany",
    gate=0.1,
    moonshot=0.2,
    note=_TIMED,
)
CONCURRENT: Final = Goal(
    name="concurrent_cessions",
    number=5,
    title="1 000 concurrent single cessions",
    unit="cessions/s",
    limit="pgbench TPC-B, 8 clients",
    gate=2.5,
    moonshot=5,
    note="A thousand callers inside the giver's process, as a portal's pages are, each cedes once, all at once; what they "
    "ask is coalesced on the disk and on the wire. Timed as above, from the first caller's word.",
)
BY_HTTP: Final = Goal(
    name="concurrent_requests",
    title="the same, each by a request of its own",
    unit="cessions/s",
    limit="pgbench TPC-B, 8 clients",
    note="128 connections to the giver's API, one cession a request: HTTP costs more than everything else together. "
    + _TIMED,
)
IDLE: Final = Goal(
    name="idle_cession",
    number=6,
    title="one cession, idle system, p50",
    unit="ms",
    limit="fdatasync p50, idle too",
    gate=40,
    moonshot=20,
    is_less_better=True,
    note="From the giver's HTTP request until the taker is durably credited. Each cession and each write of the limit "
    "begins when nobody has done anything for a while: a processor that slept wakes slowly, for both.",
)
HUB_CPU: Final = Goal(
    name="hub_cpu",
    number=8,
    title="hub CPU for a cession by 1 000",
    unit="µs",
    gate=10,
    moonshot=4,
    is_less_better=True,
    note="All threads of the hub's process during the rounds of goal 4, HTTP and idle waiting included.",
)


def measure_cessions(folder: Path, sizes: Sizes, server: PostgresServer) -> Iterator[Figure]:
    bulk, raws, cpu, single, requests, tpcb, idle, syncs, busy, settled = [], [], [], [], [], [], [], [], [], []
    bench = PgBench(server, sizes.pgbench_scale)
    count = sizes.cession_batches * sizes.batch
    with serve_line(folder, sizes.accounts) as line:
        raw = RawSqlite(folder / "raw.db")
        line.cede(line.make_cessions(1, sizes.batch), sizes.batch, connections=2)
        for _ in range(sizes.rounds):
            raws.append(raw.measure(sizes.bulk_batches, sizes.batch))
            asked = line.make_cessions(sizes.cession_batches, sizes.batch)
            before = line.hub_cpu_seconds()
            _, seconds = line.cede(asked, sizes.batch, connections=2)
            cpu.append((line.hub_cpu_seconds() - before) / count * 1e6)
            bulk.append(count / seconds)

            tpcb.append(bench.measure(sizes.pgbench_seconds))
            single.append(sizes.concurrent / line.cede_at_once(sizes.concurrent))
            asked = line.make_cessions(sizes.concurrent, 1)
            _, seconds = line.cede(asked, 1, connections=sizes.connections)
            requests.append(sizes.concurrent / seconds)

            busy.append(measure_fdatasync(folder))
            syncs.append(measure_fdatasync(folder, sizes.idle, line.wait_for_rest))
            times = [line.cede_one() for _ in range(sizes.idle)]
            idle.append(choose_percentile([credited for credited, _ in times], 50) * 1_000)
            settled.append(choose_percentile([end for _, end in times], 50) * 1_000)
        raw.close()
    yield Figure(BULK, tuple(bulk), tuple(raws))
    yield Figure(CONCURRENT, tuple(single), tuple(tpcb))
    yield Figure(BY_HTTP, tuple(requests), tuple(tpcb))
    more = (
        f"Settled at the giver too after {choose_percentile(settled, 50):.1f} ms. One write after the other takes "
        f"{choose_percentile(busy, 50):.2f} ms: the cession is {choose_percentile(idle, 50) / choose_percentile(busy, 50):.0f} of those."
    )
    yield Figure(IDLE, tuple(idle), tuple(syncs), more)
    yield Figure(HUB_CPU, tuple(cpu))
