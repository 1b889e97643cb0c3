"""A hub that answers at once and takes nothing (it recovers, or something on the line cuts our slips off) is not asked at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from protocol.cession import CessionState
from protocol.identifiers import Address
from tests.federation.world import BREST, LYON, DirectLine, World

CALLS_MAX = 20


class _CuttingLine(DirectLine):
    """Hands an envelope without slips to the hub, in the place of each that carries some."""

    bare = b""
    calls = 0

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.calls += 1
        if self.calls == CALLS_MAX:
            raise asyncio.CancelledError
        return await super().call(self.bare or envelope, 0)


async def test_what_the_hub_does_not_take_waits_and_the_status_says_why(tmp_path: Path) -> None:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    brest, lyon = world.join(BREST), world.join(LYON)
    brest.endow(1_000)
    ana, bea = brest.open(), lyon.open()
    await world.settle()
    brest.credit(ana, 500)
    line = brest.worker._transport = _CuttingLine(world.exchange)
    line.bare = await brest.worker.export()
    view = brest.cede(ana, Address(bea, LYON), 100)
    running = asyncio.create_task(brest.worker.run())
    while brest.worker.trouble is None and not running.done():  # noqa: ASYNC110 - nothing tells it but the status
        await asyncio.sleep(0)
    assert line.calls == 1
    assert "hub_took_nothing" in str(brest.worker.trouble)
    assert brest.worker.back_off.tries == 1
    line.bare = b""
    brest.worker.wake()
    while brest.worker.trouble is not None and not running.done():  # noqa: ASYNC110 - nothing tells it but the status
        await asyncio.sleep(0)
    assert brest.cession(view.op).state is not CessionState.QUEUED
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    world.close()
