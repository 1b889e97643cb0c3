"""The hub as an operator runs it: started, called, told to stop, killed, started again; on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from protocol.exchange.client import WAIT_HEADER
from protocol.running import admin_client
from tests.node.parties import Party
from tests.running.member import BREST, LYON, Member

PROGRAM = Path(sys.executable).with_name("citizen-miles")
WITHIN_SECONDS = 120.0
# Commands wait some seconds for a process that starts or stops. Here it may take long: it is not its speed that is tested.
LONGER_SECONDS = 100.0
PATIENT = f"""
from protocol.running import admin_client
admin_client.BETWEEN_SECONDS = {LONGER_SECONDS}
from protocol.commands import main
main()
"""
pytestmark = pytest.mark.timeout(300)
ENGLISH = {**os.environ, "CITIZEN_MILES_LANG": "en", "COLUMNS": "80"}


@dataclass
class HubProcess:
    """One folder, and its process while it runs."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a command in this process: one of its own would spend two seconds on starting."""
        return Party("hub", self.folder).run(*words)

    def run_apart(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = [PROGRAM, "hub", *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, env=ENGLISH, timeout=WITHIN_SECONDS)

    def json(self, name: str, *words: object) -> Any:
        done = self.run(name, self.folder, *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def spawn(self) -> None:
        (self.folder / "port").unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "hub", "serve", self.folder], stdout=log, stderr=log)

    def start(self) -> None:
        self.spawn()
        self.wait_ready()

    def wait_ready(self) -> None:
        deadline = time.monotonic() + WITHIN_SECONDS
        while not (self.folder / "port").exists():
            assert self.process is not None
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.port = int((self.folder / "port").read_text())

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(WITHIN_SECONDS)

    @property
    def last_call(self) -> str:
        """When each member called last, as the metrics tell it."""
        told = self.call("/metrics")[1].decode()
        return "\n".join(line for line in told.splitlines() if line.startswith("citizen_miles_member_called_at_ms{"))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def call(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=WITHIN_SECONDS) as response:  # noqa: S310 - the same
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@pytest.fixture
def hub(book_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubProcess]:
    monkeypatch.setattr(admin_client, "BETWEEN_SECONDS", LONGER_SECONDS)
    made = HubProcess(tmp_path / "hub")
    done = made.run("init", made.folder, "--network", "test", "--listen", "127.0.0.1:0", "--database", book_url)
    assert done.returncode == 0, done.stderr
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def _join(hub: HubProcess, code: str) -> Member:
    invitation = hub.json("invite", code)["invitation"]
    member = Member(code)
    status, welcome = hub.call("/v1/enrol", member.ask(invitation))
    assert status == 200, welcome
    member.take_welcome(welcome, invitation)
    assert hub.json("accredit", code)["status"] == "active"
    return member


def test_a_hub_lives_dies_and_lives_again(hub: HubProcess) -> None:
    hub.start()
    assert hub.call("/healthz")[0] == hub.call("/readyz")[0] == 200
    member = _join(hub, BREST)
    size = json.loads(hub.call("/v1/directory")[1])["entries"]
    status, data = hub.call("/v1/exchange", member.envelope())
    assert status == 200
    _, payload = member.read_answer(data)
    assert payload.directory is not None
    assert len(payload.directory.entries) == size

    # Killed: nothing to repair. A command finds no process behind the socket, and opens the book itself.
    assert hub.end(signal.SIGKILL) == -signal.SIGKILL
    assert (hub.folder / "admin.sock").exists()
    assert hub.json("status")["directory_entries"] == size
    hub.start()
    assert hub.json("status")["directory_entries"] == size
    assert hub.call("/v1/exchange", member.envelope())[0] == 200

    # A second process on the same book is refused, and harms nobody.
    again = hub.run_apart("serve", hub.folder)  # it waits as long as the product does, in vain
    assert (again.returncode, "book_in_use" in again.stderr, "Traceback" in again.stderr) == (1, True, False)

    # Told to stop while a call waits for news: the call is answered, the process ends well and soon.
    hub.call("/v1/exchange", member.envelope(directory_size=size))
    answers: list[tuple[int, bytes]] = []
    body = member.envelope(directory_size=size)
    waiting = threading.Thread(target=lambda: answers.append(hub.call("/v1/exchange", body, **{WAIT_HEADER: "25000"})))
    before = hub.last_call
    waiting.start()
    while hub.last_call == before:
        assert waiting.is_alive(), answers
    assert hub.end(signal.SIGTERM) == 0
    waiting.join(WITHIN_SECONDS)
    assert [status for status, _ in answers] == [200]
    member.read_answer(answers[0][1])
    assert not (hub.folder / "admin.sock").exists()
    assert "Traceback" not in hub.log
    assert hub.run("check", hub.folder).returncode == 0
    assert hub.run("replay", hub.folder).returncode == 0


def test_a_command_that_comes_while_the_hub_starts_or_stops_waits_for_it(hub: HubProcess) -> None:
    hub.json("status")  # makes the base: what follows is about starting, not about making
    hub.spawn()
    assert [hub.json("status")["hub"] for _ in range(3)] == ["HUB-FR"] * 3
    hub.wait_ready()
    assert hub.process is not None
    hub.process.send_signal(signal.SIGTERM)
    assert hub.json("status")["hub"] == "HUB-FR"
    assert hub.process.wait(WITHIN_SECONDS) == 0


def test_two_commands_at_once_without_a_hub_are_both_done(hub: HubProcess) -> None:
    hub.json("status")
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", PATIENT, "hub", "invite", hub.folder, code, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for code in (BREST, LYON)
    ]
    told = [command.communicate(timeout=WITHIN_SECONDS) for command in commands]
    assert [command.returncode for command in commands] == [0, 0], told
    assert sorted(json.loads(output)["member"] for output, _ in told) == [LYON, BREST]


def test_what_strangers_do_leaves_no_trace_in_an_answer_nor_a_traceback_in_the_log(
    hub: HubProcess, tmp_path: Path
) -> None:
    hub.start()
    for sent in (
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /v1/exchange HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", hub.port), timeout=WITHIN_SECONDS) as line:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            answer = b""
            while part := line.recv(65_536):
                answer += part
        assert b" 500 " not in answer.partition(b"\r\n")[0], (sent, answer)
        assert not re.search(rb"Traceback|aiohttp|Python|\.py|/tmp", answer), (sent, answer)
    assert hub.call("/healthz")[0] == 200
    assert hub.end(signal.SIGTERM) == 0
    assert "Traceback" not in hub.log
    lines = [line for line in hub.log.splitlines() if not line.startswith("hub ready")]
    assert all(json.loads(line)["level"] for line in lines)


def test_an_address_in_use_or_a_missing_certificate_is_a_sentence(hub: HubProcess, tmp_path: Path) -> None:
    hub.start()
    other = HubProcess(tmp_path / "other")
    done = other.run("init", other.folder, "--listen", f"127.0.0.1:{hub.port}")
    assert done.returncode == 0
    done = other.run("serve", other.folder)
    assert (done.returncode, "not_configured" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    settings = other.folder / "hub.toml"
    settings.write_text(settings.read_text().replace('tls_certificate = ""', 'tls_certificate = "missing.pem"'))
    done = other.run("serve", other.folder)
    assert (done.returncode, "not_configured" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert other.run("status", other.folder).returncode == 0
