"""What a node and a hub weigh: memory, size of the base, and a federation of all the country's territories."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from protocol.identifiers import Address, TerritoryCode
from tests.bench.figures import Figure, Goal
from tests.bench.served import Till, serve_node
from tests.bench.sizes import Sizes
from tests.federation.world import World
from tests.postgres import PostgresServer

_ROOT = Path(__file__).resolve().parents[2]
_REQUESTS = 10
_MEGABYTE = 1_000_000


def measure_weight(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    """Tell what a served node weighs at rest, and what a million transfers add."""
    with serve_node(folder / "weight", accounts=sizes.accounts) as till:
        resting, empty = _resident_bytes(till), _base_bytes(till)
        count = 0
        while count < sizes.filled:
            till.measure_credits(_REQUESTS, sizes.batch)
            count += _REQUESTS * sizes.batch
        more, base = _resident_bytes(till) - resting, _base_bytes(till) - empty
    million = _MEGABYTE / count
    for name, title, value in (
        ("node_memory", "memory of a node at rest", resting),
        ("transfers_memory", "memory that a million transfers add", more * million),
        ("transfers_base", "base that a million transfers add", base * million),
    ):
        yield Figure(Goal(name=name, title=title, unit="MB", is_less_better=True), (value / _MEGABYTE,))


def _resident_bytes(till: Till) -> int:
    assert till.party.process is not None
    status = Path(f"/proc/{till.party.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def _base_bytes(till: Till) -> int:
    return sum(file.stat().st_size for file in till.party.folder.glob("accounts.db*"))


def measure_members(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    """All territories of the country on one hub in one process; who cedes and to whom is drawn by population."""
    told = json.loads((_ROOT / "scripts" / "data" / "territories.json").read_text())["territories"]
    chosen = sorted(told, key=lambda one: -one["population"])[: sizes.members]
    codes = [TerritoryCode(one["siren"]) for one in chosen]
    weights = [one["population"] for one in chosen]
    base = folder / "members"
    base.mkdir()
    world = World(lambda name: f"sqlite:///{base / name}.db")
    began = time.perf_counter()
    for code in codes:
        world.join(code)
    joined = time.perf_counter() - began
    dice = random.Random(1)
    asyncio.run(world.settle())
    accounts = {code: world.nodes[code].open() for code in codes}
    for code in codes:
        world.nodes[code].endow(sizes.member_cessions)
        world.nodes[code].credit(accounts[code], sizes.member_cessions)
    began = time.perf_counter()
    for _ in range(sizes.member_cessions):
        giver, taker = dice.choices(codes, weights, k=2)
        if giver != taker:
            world.nodes[giver].cede(accounts[giver], Address(accounts[taker], taker), 1)
    asyncio.run(world.settle())
    rate = sizes.member_cessions / (time.perf_counter() - began)
    assert world.check() == []
    world.close()
    note = f"{len(codes)} members joined in {joined:.0f} s; a cession alone in its slip, all books in one process."
    yield Figure(Goal(name="members", title=f"{len(codes)} members on one hub", unit="cessions/s", note=note), (rate,))
