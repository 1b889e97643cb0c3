"""A process that serves several bases waits for the one that a command holds, and does not stand in its own way."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from node.fund_app import FundApp
from node.house_app import HouseApp, open_house
from protocol.book.store import BookInUse
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
