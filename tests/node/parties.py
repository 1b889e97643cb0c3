"""A hub and two nodes as processes, each in its folder, as an operator runs them."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click import Command
from click.testing import CliRunner
from typer.main import get_command

from tests.node.place import BREST, LYON
from tests.ports import choose_port

PROGRAM = Path(sys.executable).with_name("citizen-miles")
WITHIN_SECONDS = 120.0
ENGLISH = {**os.environ, "CITIZEN_MILES_LANG": "en", "COLUMNS": "300"}


@cache
def _find_command(kind: str) -> Command:
    """Return the commands of a node or of the hub, put together once."""
    return get_command(importlib.import_module(f"{kind}.commands").app)


@dataclass
class Party:
    """One folder, and its process while it runs."""

    kind: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0
    key: str = ""
    program: tuple[str, ...] = (str(PROGRAM),)  # what serves; commands are always the product's own

    def start(self) -> None:
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        (self.folder / "port").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*self.program, self.kind, "serve", self.folder], stdout=log, stderr=log)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + WITHIN_SECONDS
        while not (self.folder / "port").exists():
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.port = int((self.folder / "port").read_text())

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(WITHIN_SECONDS)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a command, its folder last but for what follows the bar.

        It runs in this process: a process of its own would spend two seconds on starting. Those that serve are real.
        """
        told = CliRunner().invoke(_find_command(self.kind), list(map(str, words)), env=ENGLISH)
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        return subprocess.CompletedProcess(list(map(str, words)), told.exit_code, told.stdout, told.stderr)

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


@pytest.fixture
def parties(tmp_path: Path) -> Iterator[tuple[Party, Party, Party]]:
    """A hub, Brest and Lyon, enrolled, served, on SQLite."""
    yield from serve_parties(tmp_path, lambda: "")


@pytest.fixture(params=["sqlite", "postgresql"])
def parties_on(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Party, Party, Party]]:
    """The same, once on SQLite and once on PostgreSQL."""
    make: Callable[[], str] = request.getfixturevalue("postgres_url") if request.param == "postgresql" else lambda: ""
    yield from serve_parties(tmp_path, make)


def serve_parties(tmp_path: Path, make_database: Callable[[], str]) -> Iterator[tuple[Party, Party, Party]]:
    """Set them up, each on its own database (empty: SQLite in its folder), and end them."""

    def base() -> list[str]:
        url = make_database()
        return ["--database", url] if url else []

    hub = Party("hub", tmp_path / "hub")
    listen = ("--listen", f"127.0.0.1:{choose_port()}")  # nodes know it: it must come back where it was
    assert hub.run("init", hub.folder, "--network", "test", *listen, *base()).returncode == 0
    hub.start()
    nodes = []
    for code in (BREST, LYON):
        node = Party("node", tmp_path / code)
        url = f"http://127.0.0.1:{hub.port}"
        words = ["--territory", code, "--name", code, "--hub", url, "--network", "test", "--listen", "127.0.0.1:0"]
        assert node.run("init", node.folder, *words, *base(), "--back-off-ceiling-ms", 500).returncode == 0
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


def wait_for(node: Party, id_: str, *states: str) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    told: Any = None
    while time.monotonic() < deadline:
        _, told = node.call("GET", f"/v1/cessions/{id_}")
        if told.get("state") in states:
            return
        time.sleep(0.05)
    raise AssertionError(f"the cession did not become {states}: {told}")
