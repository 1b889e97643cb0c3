"""The hub's log, replayed and verified (goal 10), and what replay and check cost as books grow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from hub.reconciliation.checks import check_hub, replay
from node.checks import check_node
from node.federation.cessions import AskCession
from protocol.book.checks import check_logs
from protocol.findings import Checked
from protocol.identifiers import Address
from tests.bench.figures import Figure, Goal
from tests.bench.sizes import Sizes
from tests.federation.world import BREST, HUB, LYON, World
from tests.postgres import PostgresServer

_BATCH: Final = 1_000
_SETTLED_AT_ONCE: Final = 20 * _BATCH
REPLAY: Final = Goal(
    name="replay",
    number=10,
    title="replay and verification of the log",
    unit="messages/s",
    gate=150_000,
    moonshot=500_000,
    note="A message is one cession told by the log, 1 000 in a slip. Timed: the national log replayed from leaves and "
    "slips to positions, and every tree of the hub recomputed and held against the signed heads.",
)


def measure_replay(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    world = make_world(folder / "replay", sizes.replayed)
    rates = []
    for _ in range(sizes.rounds):
        began = time.perf_counter()
        _verify(world)
        rates.append(sizes.replayed / (time.perf_counter() - began))
    world.close()
    yield Figure(REPLAY, tuple(rates))


def measure_growth(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    """Tell what replay and both checks cost for each number of messages, one after the other."""
    for count in sizes.growth:
        world = make_world(folder / f"growth-{count}", count)
        for name, title, run in (
            ("replay", "replay", lambda world=world: _verify(world)),
            ("check_hub", "check of the hub", lambda world=world: _check_hub(world)),
            ("check_node", "check of the giver's node", lambda world=world: _check_node(world)),
        ):
            began = time.perf_counter()
            run()
            seconds = time.perf_counter() - began
            goal = Goal(name=f"{name}_{count}", title=f"{title}, {count:,} messages", unit="s", is_less_better=True)
            yield Figure(goal, (seconds,))
        world.close()


def make_world(folder: Path, count: int) -> World:
    """Return a world in which `count` cessions went from one territory to another by 1 000 in a slip, all settled."""
    folder.mkdir()
    world = World(lambda name: f"sqlite:///{folder / name}.db")
    giver, taker = world.join(BREST), world.join(LYON)
    asyncio.run(world.settle())
    account, to = giver.open(), Address(taker.open(), LYON)
    giver.endow(count)
    giver.credit(account, count)
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        giver.book.write_now(
            giver.federation.cede_groups,
            [AskCession(op=world.entropy(16), account=account, beneficiary=to, cents=1) for _ in range(size)],
        )
        if start % _SETTLED_AT_ONCE == 0:
            asyncio.run(world.settle())
    asyncio.run(world.settle())
    return world


def _verify(world: World) -> None:
    def run(connection: Connection) -> list[Checked]:
        state, checked = replay(connection, HUB, _ignore)
        return checked + check_logs(connection, state.directory, _ignore)

    _require_clean(world.hub_book.read_now(run))


def _check_hub(world: World) -> None:
    _require_clean(world.hub_book.read_now(lambda connection: check_hub(connection, hub=HUB, on_progress=_ignore)))


def _check_node(world: World) -> None:
    book = world.nodes[BREST].book
    _require_clean(book.read_now(lambda connection: check_node(connection, home=BREST, hub=HUB, on_progress=_ignore)))


def _require_clean(checked: list[Checked]) -> None:
    found = [finding for one in checked for finding in one.findings]
    assert not found, found[0]


def _ignore(_where: str) -> None:
    """Progress that nobody looks at."""
