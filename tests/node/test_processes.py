"""Real processes: a hub and two nodes as an operator runs them, stopped politely, killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.node.place import BREST, LYON, new_id

PROGRAM = Path(sys.executable).with_name("citizen-miles")
WITHIN_SECONDS = 60.0
ENGLISH = {**os.environ, "CITIZEN_MILES_LANG": "en", "COLUMNS": "300"}


@dataclass
class Party:
    """One folder, and its process while it runs."""

    kind: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    key: str = ""

    def start(self) -> None:
        (self.folder / "port").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, self.kind, "serve", self.folder], stdout=log, stderr=log)
        deadline = time.monotonic() + WITHIN_SECONDS
        while not (self.folder / "port").exists():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.port = int((self.folder / "port").read_text())

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(WITHIN_SECONDS)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a command, its folder last but for what follows the bar."""
        return subprocess.run(
            [PROGRAM, self.kind, *map(str, words)], capture_output=True, text=True, env=ENGLISH, timeout=WITHIN_SECONDS
        )

    def json(self, *words: object) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_SECONDS) as response:  # noqa: S310 - the same
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def _keep_port(party: Party) -> None:
    """Nodes know the hub's port: it must come back where it was."""
    file = party.folder / f"{party.kind}.toml"
    file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{party.port}"))


@pytest.fixture
def parties(tmp_path: Path) -> Iterator[tuple[Party, Party, Party]]:
    hub = Party("hub", tmp_path / "hub")
    assert hub.run("init", hub.folder, "--network", "test", "--listen", "127.0.0.1:0").returncode == 0
    hub.start()
    _keep_port(hub)
    nodes = []
    for code in (BREST, LYON):
        node = Party("node", tmp_path / code)
        url = f"http://127.0.0.1:{hub.port}"
        words = ["--territory", code, "--name", code, "--hub", url, "--network", "test", "--listen", "127.0.0.1:0"]
        assert node.run("init", node.folder, *words, "--back-off-ceiling-ms", 500).returncode == 0
        invitation = hub.json("invite", hub.folder, code, "--url", url)["invitation"]
        enrolled = node.run("enrol", node.folder, invitation)
        assert enrolled.returncode == 0, enrolled.stderr
        assert hub.run("accredit", hub.folder, code).returncode == 0
        node.start()
        node.key = node.json("api-key", "new", node.folder, "test", "--scopes", "admin")["key"]
        nodes.append(node)
    yield hub, nodes[0], nodes[1]
    for party in (*nodes, hub):
        if party.process is not None and party.process.poll() is None:
            party.process.kill()
            party.process.wait()


def _wait(node: Party, id_: str, *states: str) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    told: Any = None
    while time.monotonic() < deadline:
        _, told = node.call("GET", f"/v1/cessions/{id_}")
        if told.get("state") in states:
            return
        time.sleep(0.05)
    raise AssertionError(f"the cession did not become {states}: {told}")


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
    _wait(brest, first["id"], "delivered")

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
    _wait(brest, second["id"], "delivered")
    assert lyon.json("balance", lyon.folder, taker)["cents"] == 300

    # Told to stop, each ends by itself, quickly and well.
    for party in parties:
        began = time.monotonic()
        assert party.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 15
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
