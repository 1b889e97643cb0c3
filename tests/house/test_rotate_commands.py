"""A base's key is changed by command: the fund served apart, the accounts by commands alone. Nobody compares a card again."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_fund_processes import FUND
from tests.node.parties import Party
from tests.node.place import BREST

IDS = [f"{number:032x}" for number in range(1, 4)]


def _fingerprints(party: Party) -> dict[str, str]:
    return {row["base"]: row["fingerprint"] for row in party.json("house", "show", party.folder)}


def _heard(party: Party, base: str) -> list[tuple[int, bool]]:
    return [(row["number"], row["heard"]) for row in party.json("house", "keys", party.folder, base)]


def _rotate(party: Party, base: str, id_: str) -> Any:
    return party.json("house", "rotate", party.folder, base, "--id", id_)


@pytest.mark.timeout(300)
def test_two_machines_change_their_keys_and_believe_each_other(tmp_path: Path) -> None:
    node, fund = Party("node", tmp_path / "node"), Party("node", tmp_path / "foundation")
    words = ["--territory", BREST, "--listen", "127.0.0.1:0"]
    assert node.run("init", node.folder, *words, "--name", "Brest").returncode == 0
    assert fund.run("fund", "init", fund.folder, *FUND, *words).returncode == 0
    fund.json("house", "add", fund.folder, node.json("house", "card", node.folder, "accounts")["card"])
    fund.start()
    try:
        first = fund.json("house", "card", fund.folder, "fund")
        node.json("house", "add", node.folder, first["card"], "--url", f"http://127.0.0.1:{fund.port}")

        # The fund cannot call: it waits until it is called.
        assert _rotate(fund, "fund", IDS[0])["number"] == 1
        assert _heard(fund, "fund") == [(1, False)]
        again = _rotate(fund, "fund", IDS[0])
        assert (again["number"], again["repeated"]) == (1, True)
        assert _rotate(fund, "fund", IDS[1])["number"] == 2
        second = fund.json("house", "card", fund.folder, "fund")["fingerprint"]
        assert second != first["fingerprint"]
        assert _fingerprints(node)["the-fund"] == first["fingerprint"]

        before = _fingerprints(node)["accounts"]
        assert _rotate(node, "accounts", IDS[2])["number"] == 1  # it is not served: the command carries it
        assert _fingerprints(node)["the-fund"] == second
        assert _fingerprints(fund)["accounts"] == _fingerprints(node)["accounts"] != before
        assert _heard(fund, "fund") == [(1, True), (2, True)]
        assert _heard(node, "accounts") == [(1, True)]

        refused = node.run("house", "rotate", node.folder, "accounts", "--id", "abc")
        assert "malformed" in refused.stderr
        assert fund.end(signal.SIGTERM) == 0
        for party in (node, fund):
            done = party.run("check", party.folder)
            assert done.returncode == 0, done.stdout
            assert "announced by the one before" in done.stdout
    finally:
        if fund.process is not None and fund.process.poll() is None:
            fund.process.kill()
            fund.process.wait()
