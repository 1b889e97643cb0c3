"""A short story with everything in it: what travels in it is the corpus, where it ends is where stateful targets begin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from hub.exchange.service import HubExchange
from node.federation.store import load_arrivals
from protocol.directory import LimitsSet, Reinstated, Suspended
from protocol.identifiers import Address
from protocol.keys import make_keys
from tests.federation.world import BREST, LILLE, LYON, World


@dataclass
class Recorder:
    """A line that keeps what passes."""

    exchange: HubExchange
    to_hub: list[bytes] = field(default_factory=list)
    to_node: list[bytes] = field(default_factory=list)

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.to_hub.append(envelope)
        answer = await self.exchange.answer(envelope, wait_ms=wait_ms)
        self.to_node.append(answer)
        return answer


def open_world(folder: Path) -> World:
    """Return a hub without members, on SQLite in this folder."""
    return World(lambda name: f"sqlite:///{folder / name}.db", seed=3)


async def tell(world: World) -> Recorder:
    """Join three members, let rights cross, come back, be recalled and be refused; return all that was said."""
    recorder = Recorder(world.exchange)
    brest, lyon, lille = (world.join(code) for code in (BREST, LYON, LILLE))
    for node in world.nodes.values():
        node.worker._transport = recorder
    await world.settle()
    anna, paul, zoe = brest.open(name="Anna Le Goff"), lyon.open(name="Paul Dupont"), lille.open()
    brest.endow(5_000)
    brest.credit(anna, 3_000)
    brest.cede(anna, Address(paul, LYON), 200, words="merci", giver=str(Address(anna, BREST)))
    brest.cede(anna, Address(zoe, LILLE), 150, term=int(world.clock.now) + 86_400_000)
    brest.cede(anna, Address(paul, LYON), 70)
    await world.settle()
    # On to a third territory: the issuer is told where its rights went. One cession is given back.
    lyon.cede(paul, Address(zoe, LILLE), 60)
    arrived = lyon.book.read_now(lambda line: load_arrivals(line, account=None, before=None, limit=50))
    lyon.book.write_now(lyon.federation.give_back, arrived[-1].op)
    await world.settle()
    # One is recalled while its receiver sleeps, one recall comes too late, one meets an account that is not there.
    late = brest.cede(anna, Address(paul, LYON), 33)
    await world.settle(BREST)
    brest.book.write_now(brest.federation.recall, late.op)
    brest.cede(anna, Address(zoe, LYON), 11)
    await world.settle()
    # A payee is asked about; then the directory moves, a key is announced, a statement is asked for.
    asking = asyncio.create_task(brest.payees.ask(Address(paul, LYON), seconds=5))
    await asyncio.sleep(0)
    for _ in range(3):
        await brest.worker.exchange_once()
        await lyon.worker.exchange_once()
    assert await asking is not None
    world.change(LimitsSet(LYON, 1_000, 500, 800))
    world.change(Suspended(LILLE, "a test"))
    world.change(Reinstated(LILLE))
    lyon.book.write_now(lyon.federation.announce_key, make_keys(world.entropy(64)))
    lyon.book.write_now(lyon.federation.ask_statement, None)
    await world.settle()
    return recorder


def make_world(folder: Path) -> World:
    """Return the world as the story leaves it."""
    world = open_world(folder)
    asyncio.run(tell(world))
    return world
