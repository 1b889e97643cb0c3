"""A process that serves several bases waits for the one that a command holds, and does not stand in its own way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from node.commands import init as init_node
from node.desks.house.init_service import open_folder_house
from node.desks.house.recovery_commands import find_state, recover_base
from node.desks.people.commands import init as init_people
from node.federation.recovery import NotBehind
from node.fund_app import FundApp
from node.house_app import HouseApp, open_house
from protocol.book.store import BookInUse
from protocol.book.worker import Page
from protocol.exchange.peer_recovery import BaseIsBehind
from protocol.house import BaseName
from tests.house.test_fund_processes import FUND
from tests.node.parties import Party
from tests.node.place import BREST

BASES = (BaseName.ACCOUNTS, BaseName.FUND)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    node = Party("node", tmp_path / "node")
    assert node.run("init", node.folder, "--territory", BREST, "--name", "Brest").returncode == 0
    assert node.run("fund", "init", node.folder, *FUND).returncode == 0
    return node.folder


def _close(house: HouseApp) -> None:
    for app in (house.node, house.fund):
        assert app is not None
        app.book.close()


def test_a_base_that_a_command_holds_is_waited_for(folder: Path) -> None:
    held = FundApp(folder)  # a command of the treasurer
    with pytest.raises(BookInUse, match="fund"):
        HouseApp(folder, BASES)
    release = threading.Timer(0.5, held.book.close)
    release.start()
    try:
        _close(open_house(folder, BASES))
    finally:
        release.join()


def _note(house: HouseApp) -> None:
    """The hub says that the accounts are an old copy."""

    def notice(page: Page, items: Sequence[None]) -> list[None]:
        assert house.node is not None
        assert house.node.federation.room.come_back is not None
        house.node.federation.room.come_back.notice(page)
        return list(items)

    assert house.node is not None
    house.node.book.write_now(notice, None)


def test_accounts_that_the_hub_calls_an_old_copy_come_back_in_the_house_first(tmp_path: Path) -> None:
    """The rounds that the house was told are kept before the hub's slips are booked, which look for them."""
    folder = tmp_path / "node"
    init_node(folder, territory=BREST, name="Brest")
    init_people(folder)
    house = HouseApp(folder, (BaseName.ACCOUNTS, BaseName.PEOPLE))
    assert house.node is not None
    _note(house)
    with pytest.raises(BaseIsBehind):
        house.node.book.write_now(house.node.federation.begin_recovery, None)
    asyncio.run(house.close())
    assert find_state(folder, BaseName.ACCOUNTS) == "an old copy: recover it", "also after a restart"
    assert recover_base(folder, BaseName.ACCOUNTS, lambda _done, _all, _words: None)["phase"] == "none"
    house = HouseApp(folder, (BaseName.ACCOUNTS, BaseName.PEOPLE))
    assert house.node is not None
    with pytest.raises(NotBehind):  # it may begin: here no hub said anything
        house.node.book.write_now(house.node.federation.begin_recovery, None)
    asyncio.run(house.close())


def test_accounts_that_are_alone_in_their_house_are_back_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    init_node(folder, territory=BREST, name="Brest")
    open_folder_house(folder)  # as the first card is shown
    house = HouseApp(folder, (BaseName.ACCOUNTS,))
    _note(house)
    asyncio.run(house.close())
    assert recover_base(folder, BaseName.ACCOUNTS, lambda _done, _all, _words: None)["phase"] == "none"
    assert find_state(folder, BaseName.ACCOUNTS) == "present"
