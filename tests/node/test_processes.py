"""Real processes: a hub and two nodes as an operator runs them, stopped politely, killed, and started again."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.node.parties import WITHIN_SECONDS, Party, parties, wait_for
from tests.node.place import new_id

__all__ = ["parties"]
pytestmark = pytest.mark.timeout(300)


def test_rights_cross_between_processes_that_stop_and_die(parties: tuple[Party, Party, Party]) -> None:
    hub, brest, lyon = parties
    pool = brest.json("account", "open", brest.folder, "--kind", "pool")["number"]
    brest.json("endow", brest.folder, "--into", pool, "--euros", "100,00", "--reason", "bank statement 11")
    giver = brest.call("POST", "/v1/accounts", {"id": new_id(), "kind": "person"})[1]["address"]
    taker = lyon.call("POST", "/v1/accounts", {"id": new_id(), "kind": "person", "shown_name": "Ada"})[1]["address"]
    line = {"id": new_id(), "to": giver, "cents": 5_000}
    assert brest.call("POST", "/v1/credits", {"from": pool, "items": [line]})[1]["items"][0]["status"] == "done"
    assert brest.json("federation", "now", brest.folder)["waiting"] == 0
    deadline = time.monotonic() + WITHIN_SECONDS
    while brest.json("payee", brest.folder, taker)["shown"] != "A••":
        assert time.monotonic() < deadline

    def cede(cents: int) -> dict[str, Any]:
        return {"id": new_id(), "from": giver, "to": taker, "cents": cents}

    first = cede(100)
    assert brest.call("POST", "/v1/cessions", {"items": [first]})[1]["items"][0]["status"] == "done"
    wait_for(brest, first["id"], "delivered")

    # A second process on the same folder is refused, and harms nobody.
    again = brest.run("serve", brest.folder)
    assert (again.returncode, "book_in_use" in again.stderr) == (1, True)
    assert brest.call("GET", "/readyz")[0] == 200

    # The hub is away: rights wait. The node dies: they wait still. Both are back: they arrive, once.
    assert hub.end(signal.SIGKILL) == -signal.SIGKILL
    second = cede(200)
    assert brest.call("POST", "/v1/cessions", {"items": [second]})[1]["items"][0]["status"] == "done"
    assert brest.end(signal.SIGKILL) == -signal.SIGKILL
    assert brest.json("status", brest.folder, second["id"])["state"] == "queued"  # its own book, opened by the command
    brest.start()
    hub.start()
    assert brest.call("POST", "/v1/cessions", {"items": [second]})[1]["items"][0]["status"] == "repeated"
    wait_for(brest, second["id"], "delivered")
    assert lyon.json("balance", lyon.folder, taker)["cents"] == 300

    # Told to stop, each ends by itself, and well.
    for party in parties:
        assert party.end(signal.SIGTERM) == 0
        assert not (party.folder / "admin.sock").exists()
        assert "Traceback" not in (party.folder / "log").read_text()
    for party in parties:
        told = party.json("check", party.folder)
        assert told["ok"], told


def test_an_address_in_use_is_said_in_a_sentence(parties: tuple[Party, Party, Party], tmp_path: Path) -> None:
    hub, brest, _ = parties
    other = Party("node", tmp_path / "other")
    words = ["--territory", "200093201", "--name", "x", "--listen", f"127.0.0.1:{brest.port}"]
    assert other.run("init", other.folder, *words).returncode == 0
    done = other.run("serve", other.folder)
    assert (done.returncode, "not_configured" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert hub.call("GET", "/readyz")[0] == 200
