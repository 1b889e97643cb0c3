"""What a node and a hub weigh: memory, size of the base, and a federation of all the country's territories."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from node.federation.cessions import AskCession
from node.federation.tables import metadata as federation_tables
from node.ledger.service import ledger_history
from protocol.book.service import Book
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, TerritoryCode
from protocol.times import Instant
from tests.bench.figures import Figure, Goal
from tests.bench.served import Till, serve_node
from tests.bench.sizes import Sizes
from tests.federation.world import World
from tests.postgres import PostgresServer

_ROOT = Path(__file__).resolve().parents[2]
_REQUESTS = 10
_MEGABYTE = 1_000_000
_WINDOWS: Final = 5
_CHECKED: Final = 25
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it


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
    """All territories of the country on one hub in one process; who cedes and to whom is drawn by population.

    The hub's book is on the disk. The members' books are in memory: each has a disk of its own, and here they would
    queue for one.
    """
    told = json.loads((_ROOT / "scripts" / "data" / "territories.json").read_text())["territories"]
    chosen = sorted(told, key=lambda one: -one["population"])[: sizes.members]
    codes = [TerritoryCode(one["siren"]) for one in chosen]
    weights = [one["population"] for one in chosen]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None) as disks:
        empty = _make_empty(Path(disks))

        def make_url(name: str) -> str:
            if name == "hub":
                return f"sqlite:///{folder / name}.db"
            return f"sqlite:///{shutil.copyfile(empty, Path(disks) / f'{name}.db')}"

        world = World(make_url)
        began = time.perf_counter()
        for code in codes:
            world.join(code)
        asyncio.run(world.settle())
        joined = time.perf_counter() - began
        accounts = {code: world.nodes[code].open() for code in codes}
        for code in codes:
            world.nodes[code].endow(sizes.member_cessions)
            world.nodes[code].credit(accounts[code], sizes.member_cessions)
        dice = random.Random(1)
        rates = []
        for _ in range(_WINDOWS):
            pairs = [dice.choices(codes, weights, k=2) for _ in range(sizes.member_cessions // _WINDOWS)]
            began = time.perf_counter()
            _cede_and_settle(world, accounts, [(giver, taker) for giver, taker in pairs if giver != taker])
            rates.append(len(pairs) / (time.perf_counter() - began))
        # Each member's check tells the whole directory again: the hub, and the members that have done most, are enough.
        checked = world.check(codes[:_CHECKED])
        assert checked == [], checked[0]
        world.close()
    note = (
        f"{len(codes)} members joined and read the directory in {joined:.0f} s. Hub, givers and receivers share one "
        "process; what a giver cedes in a window leaves in one slip."
    )
    yield Figure(
        Goal(name="members", title=f"{len(codes)} members on one hub", unit="cessions/s", note=note), tuple(rates)
    )


def _make_empty(folder: Path) -> Path:
    """Return an empty base with its tables, to be copied: making them is not what is measured."""
    path = folder / "empty.db"
    Book(f"sqlite:///{path}", history=ledger_history(federation_tables), clock=lambda: Instant(0)).close()
    return path


def _cede_and_settle(
    world: World, accounts: Mapping[TerritoryCode, AccountNumber], pairs: Sequence[tuple[TerritoryCode, TerritoryCode]]
) -> None:
    """Cede one cent for each pair, giver by giver, and let all whom it touches exchange until nothing moves."""
    asked: dict[TerritoryCode, list[AskCession]] = {}
    for giver, taker in pairs:
        asked.setdefault(giver, []).append(
            AskCession(
                op=world.entropy(16),
                account=accounts[giver],
                beneficiary=Address(accounts[taker], taker),
                cents=1,
            )
        )
    for giver, asks in asked.items():
        node = world.nodes[giver]
        refused = [one for one in node.book.write_now(node.federation.cede_groups, asks) if isinstance(one, Refusal)]
        assert not refused, refused[0]
    touched = dict.fromkeys([*asked, *(taker for _, taker in pairs)])
    asyncio.run(world.settle(*touched))
