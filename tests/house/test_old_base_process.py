"""The way back as an operator takes it: one process, one lost disk, commands. Each command runs in this process."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from node.commands import app
from tests.fund.camt_files import Detail, Entry, File
from tests.house.test_fund_processes import COMPANY, FUND
from tests.node.parties import WITHIN_SECONDS, Party
from tests.node.place import BREST


def _run(*words: object) -> Result:
    return CliRunner().invoke(app, list(map(str, words)), env={"CITIZEN_MILES_LANG": "en", "COLUMNS": "300"})


def _json(*words: object) -> Any:
    done = _run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def _wait_heard(folder: Path) -> None:
    """Wait until the accounts hold all that the fund has told, and the fund all that they answered."""
    base = sqlite3.connect(folder / "fund" / "fund.db")
    deadline = time.monotonic() + WITHIN_SECONDS
    waits = "SELECT (SELECT COUNT(*) FROM logs WHERE owner = 'THE-FUND' AND acked < size), "
    waits += "(SELECT COUNT(*) FROM deposits WHERE state <> 'issued')"
    while base.execute(waits).fetchone() != (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    base.close()


@pytest.mark.timeout(300)
def test_a_fund_that_lost_its_disk_comes_back_and_waits_for_the_treasurer(tmp_path: Path) -> None:
    node = Party("node", tmp_path / "node")
    where, copy = node.folder, tmp_path / "fund-of-yesterday.db"
    assert _run("init", where, "--territory", BREST, "--name", "Brest", "--listen", "127.0.0.1:0").exit_code == 0
    assert _run("fund", "init", where, *FUND).exit_code == 0
    pool = _json("account", "open", where, "--kind", "pool")["number"]
    _json("fund", "donor", "company", where, *COMPANY)
    about = ["--donor", "552100554", "--campaign", "bread", "--pool", pool, "--due", "2099-12-31"]
    expected = _json("fund", "expect", where, *about, "--euros", "100")
    assert _run("house", "backup", where, copy, "--base", "fund").exit_code == 0

    node.start()
    try:
        paid = Entry(cents=10_000, details=[Detail(cents=10_000, reference=expected["reference"])])
        statement = tmp_path / "statement.xml"
        statement.write_bytes(File(opening=0, entries=[paid], id="S1", sequence=1).write())
        assert _json("fund", "bank", "import", where, statement)["deposited_cents"] == 10_000
        issue = ["receipt", "issue", where, "--donor", "552100554", "--from", "2026-01-01", "--to", "2099-12-31"]
        receipt = _json("fund", *issue)["number"]
        _wait_heard(where)
        assert node.end(signal.SIGKILL) == -signal.SIGKILL

        assert _run("house", "restore", where, copy, "--base", "fund").exit_code == 0
        states = {row["base"]: row["state"] for row in _json("house", "show", where)}
        assert states == {"accounts": "present", "the-fund": "an old copy: recover it"}
        node.start()
        assert "base_is_behind" in _run("fund", *issue).output
        assert _json("house", "recover", where, "--base", "fund")["phase"] == "none"
        assert [row["number"] for row in _json("fund", "receipt", "list", where)] == [receipt]
        assert "numbers_not_stated" in _run("fund", *issue).output
        refused = _run("fund", "state-numbers", where, "--by", "Anne", "--receipt", "none", "--order", "none")
        assert "numbers_refused" in refused.output
        told = _json("fund", "state-numbers", where, "--by", "Anne", "--receipt", receipt, "--order", "none")
        assert told == {"void_receipts": [], "order_taken_back": ""}
        assert "nothing_to_receipt" in _run("fund", *issue).output, "what was receipted is receipted"
        assert node.end(signal.SIGTERM) == 0
        assert "Traceback" not in (where / "log").read_text()
        assert _run("check", where).exit_code == 0
    finally:
        if node.process is not None and node.process.poll() is None:
            node.process.kill()
            node.process.wait()
