"""Nodes over loopback, on SQLite and on PostgreSQL. After every test the node's own check finds nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from node import commands as node_commands
from tests.node.counter import Counter
from tests.node.place import BREST, LYON, HubPlace, Place, make_folder
from tests.partners.house import ACCOUNTS, House


@pytest.fixture
async def place(book_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    """A node without a hub."""
    make_folder(tmp_path / "node", BREST, database=book_url)
    made = await Place.open(tmp_path / "node")
    yield made
    findings = made.check()
    await made.close()
    assert findings == []


@pytest.fixture(params=["sqlite", "postgresql"])
async def federation(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[HubPlace, Place, Place]]:
    """A hub and two members that exchange with it all the time."""
    create: Callable[[], str] = str if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    hub = await HubPlace.open(tmp_path / "hub", create())
    places = []
    for code in (BREST, LYON):
        folder = tmp_path / code
        make_folder(folder, code, hub_url=hub.url, database=create())
        invitation = (await hub.admin("invite", member=code, url=hub.url))["invitation"]
        await asyncio.to_thread(node_commands.enrol, folder, invitation)
        await hub.admin("accredit", member=code)
        places.append(await Place.open(folder))
    for one in places:
        await one.admin("exchange")
        one.run_worker()
    yield hub, places[0], places[1]
    findings = [finding for one in places for finding in one.check()]
    for one in places:
        await one.close()
    await hub.close()
    assert findings == []


async def _count(house: House) -> AsyncIterator[Counter]:
    made = await Counter.open(house)
    yield made
    await made.close()
    await house.exchange()
    wrongs = house.find_wrongs()
    house.close()
    assert wrongs == []


@pytest.fixture
async def counter(request: pytest.FixtureRequest, book_url: str) -> AsyncIterator[Counter]:
    """A company's tills, on SQLite and on PostgreSQL."""
    urls = {ACCOUNTS: book_url}

    def url_of(name: str) -> str:
        if name not in urls:
            is_file = book_url.startswith("sqlite")
            new = book_url.replace("book.db", f"{name}.db") if is_file else request.getfixturevalue("postgres_url")()
            urls[name] = new
        return urls[name]

    async for made in _count(House(url_of)):
        yield made


@pytest.fixture
async def file_counter(tmp_path: Path) -> AsyncIterator[Counter]:
    """The same on files only, where it is not the base that matters."""
    async for made in _count(House(lambda name: f"sqlite:///{tmp_path / name}.db")):
        yield made
