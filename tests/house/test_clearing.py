"""The clearing house carries what waits, keeps trying where nobody answers, and forgets nothing over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.house.clearing_service import ClearingHouse, Direct
from protocol.exchange.client import HubUnreachable
from protocol.house import BaseName
from tests.fund.fund_world import FundWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()


class Moody:
    """A line that fails until it is told to work."""

    def __init__(self, inner: Direct) -> None:
        self.inner = inner
        self.works = False
        self.tried = 0

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        self.tried += 1
        if not self.works:
            raise HubUnreachable(reason="nobody there")
        return await self.inner.call(envelope, wait_ms)


async def _until(condition: object, seconds: float = 100.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():  # type: ignore[operator]
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def test_everything_that_waits_is_carried_at_once_for_a_command(world: FundWorld) -> None:
    expectation = await world.expect(500)
    world.take(world.statement(world.paid(500, reference=expectation.reference)))
    house = ClearingHouse({str(name): one for name, one in world.exchanges.items()}, {})
    assert await house.carry() > 0
    assert world.issued() == 500
    assert await house.carry() == 0, "nothing is left to carry"


async def test_a_base_that_tells_something_wakes_its_lines(world: FundWorld) -> None:
    expectation = await world.expect(500)
    house = ClearingHouse({str(name): one for name, one in world.exchanges.items()}, {}, poll_ms=600_000)
    house.start()
    await asyncio.sleep(0.3)  # the first calls find nothing, and every line sleeps
    world.take(world.statement(world.paid(500, reference=expectation.reference)))
    house.wake(BaseName.FUND)
    await _until(lambda: world.issued() == 500)
    await house.stop()


async def test_a_line_that_fails_is_tried_again_and_its_trouble_is_told(world: FundWorld) -> None:
    expectation = await world.expect(500)
    world.take(world.statement(world.paid(500, reference=expectation.reference)))
    line = Moody(Direct(world.exchanges[BaseName.ACCOUNTS]))
    house = ClearingHouse(
        {str(BaseName.FUND): world.exchanges[BaseName.FUND]},
        {str(BaseName.ACCOUNTS): line},
        chance=lambda: 0.0,
        poll_ms=200,
    )
    house.start()
    await _until(lambda: line.tried >= 2)
    assert "nobody there" in house.lines[0].trouble
    assert world.issued() == 0
    line.works = True
    await _until(lambda: world.issued() == 500)
    await _until(lambda: not house.lines[0].trouble)
    await house.stop()
