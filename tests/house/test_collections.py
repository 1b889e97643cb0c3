"""Monthly gifts by command, from the mandate to the receipt, with months in between in which nobody served the fund; and two
processes of one fund that collect and order at once on one PostgreSQL.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from node.commands import app
from protocol.running import clock_service
from protocol.times import DAY_MS, Instant
from tests.fund.camt_files import Detail, Entry, File
from tests.house.test_fund_processes import BEARER, COMPANY, FUND
from tests.node.parties import ENGLISH, WITHIN_SECONDS
from tests.node.place import BREST

IBANS = ("FR1420041010050500013M02606", "DE75512108001245126199")


class Treasurer:
    """Runs `citizen-miles node fund …` in this process, on the day that a test says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, *options: str) -> None:
        self.folder, self.files = folder, folder.parent
        self.balance = self.statements = 0
        self._runner = CliRunner()
        self._now = 0
        patch.setattr(clock_service, "now", self._tick)
        self.go_to("2026-11-20")
        words = ["--territory", BREST, "--name", "Brest", "--listen", "127.0.0.1:0"]
        assert self._invoke("init", folder, *words).exit_code == 0
        assert self._invoke("fund", "init", folder, *FUND, *options).exit_code == 0
        assert self._invoke("account", "open", folder, "--kind", "pool").exit_code == 0  # so that the base is there

    def _tick(self) -> Instant:
        self._now += 1
        return Instant(self._now)

    def go_to(self, day: str) -> None:
        since = datetime.date.fromisoformat(day) - datetime.date(1970, 1, 1)
        self._now = since.days * DAY_MS + DAY_MS // 2

    def _invoke(self, *words: object) -> Any:
        result = self._runner.invoke(app, [str(word) for word in words], env={"CITIZEN_MILES_LANG": "en"})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def node(self, *words: object) -> Any:
        result = self._invoke(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def fund(self, *words: object) -> Any:
        return self.node("fund", *words)

    def refused(self, *words: object) -> str:
        result = self._invoke("fund", *words)
        assert result.exit_code == 1, result.output
        return str(result.stderr)

    def require_sound(self) -> None:
        result = self._invoke("check", self.folder)
        assert result.exit_code == 0, result.output + str(result.stderr)

    def take(self, *entries: Entry) -> Any:
        self.statements += 1
        file = self.files / f"statement-{self.statements}.xml"
        told = File(opening=self.balance, entries=list(entries), id=f"S{self.statements}", sequence=self.statements)
        self.balance += sum(entry.cents for entry in entries)
        file.write_bytes(told.write())
        return self.fund("bank", "import", self.folder, file)

    def donor(self, name: str, iban: str) -> str:
        who = [
            "--first-name",
            "Soazig",
            "--name",
            name,
            "--street",
            "3 rue X",
            "--postcode",
            "29200",
            "--town",
            "Brest",
        ]
        donor: str = self.fund("donor", "add", self.folder, *who)["id"]
        signed = ["--holder", f"S. {name}", "--iban", iban, "--signed-on", "2026-10-03"]
        shares = ["--share", "Jardins=5,00", "--share", "Voile=2,50"]
        self.fund("gift", "mandate", self.folder, "--donor", donor, *signed, *shares)
        return donor


def sums(message: Path) -> list[tuple[str, int]]:
    """Return sequence and cents of each debit of a message for the bank."""
    return [
        (str(group.findtext(".//{*}SeqTp")), int((one.findtext("{*}InstdAmt") or "0").replace(".", "")))
        for group in etree.parse(message).iterfind(".//{*}PmtInf")
        for one in group.iterfind("{*}DrctDbtTxInf")
    ]


def test_monthly_gifts_by_command_and_months_in_which_the_fund_slept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    treasurer = Treasurer(tmp_path / "node", monkeypatch)
    where, fund = treasurer.folder, treasurer.fund
    kept, returned = (treasurer.donor(name, iban) for name, iban in zip(("Kerros", "Madec"), IBANS, strict=True))
    message = tmp_path / "pain008.xml"
    collect = ["gift", "collect", where, "--out", message]
    assert "nothing_to_collect" in treasurer.refused(*collect), "announced, and not ordered"
    debits = fund("gift", "debits", where, "--language", "en")
    assert [(row["cents"], row["state"]) for row in debits] == [(750, "announced")] * 2
    assert "2026-12-07" in debits[0]["notice"]
    treasurer.go_to("2026-12-03")
    told = fund(*collect)
    assert (told["month"], told["debits"], told["cents"]) == (202612, 2, 1_500)
    first = message.read_bytes()
    assert sums(message) == [("FRST", 750)] * 2
    fund(*collect)
    assert message.read_bytes() == first, "asked again, the bank gets the same"

    treasurer.go_to("2026-12-08")
    ids = [row["end_to_end_id"] for row in debits]
    for id_ in ids:
        detail = Detail(cents=750, end_to_end_id=id_, bank_reference=id_[:9])
        assert treasurer.take(Entry(cents=750, details=[detail], day="2026-12-07"))["as_debit_collected"] == 1
    period = ["--from", "2026-01-01", "--to", "2026-12-31"]
    assert "debits_not_final" in treasurer.refused("receipt", "issue", where, "--donor", kept, *period)
    treasurer.go_to("2026-12-16")
    back = Detail(cents=-750, end_to_end_id=ids[1], reason="MD06", bank_reference="BACK")
    assert treasurer.take(Entry(cents=-750, details=[back], day="2026-12-15"))["as_debit_returned"] == 1

    # Nobody served the fund for three months: what could not be announced is not collected afterwards.
    treasurer.go_to("2027-03-22")
    fund(*collect)
    assert [row["month"] for row in fund("gift", "collections", where)] == [202612, 202704]
    receipt = fund("receipt", "issue", where, "--donor", kept, *period, "--out", tmp_path / "receipt.pdf")
    assert receipt["cents"] == 750
    assert "nothing_to_receipt" in treasurer.refused("receipt", "issue", where, "--donor", returned, *period)
    treasurer.go_to("2027-03-31")
    assert fund(*collect)["month"] == 202704
    assert sorted(sums(message)) in ([("FRST", 750), ("RCUR", 750)], [("RCUR", 750), ("RCUR", 750)])
    treasurer.require_sound()


# What each of two processes does, on the third of December: until nobody else holds the base.
PROGRAM = """
import sys
from typer.testing import CliRunner
from node.commands import app
from protocol.running import clock_service
from protocol.times import Instant
clock_service.now = lambda: Instant(int(sys.argv[1]))
out = lambda name: ["--out", f"{sys.argv[3]}-{name}.xml"]
for words, more in ((["bank", "import"], [sys.argv[4]]), (["payment", "order"], out("order")), (["gift", "collect"], out("collect"))):
    while True:
        result = CliRunner().invoke(app, ["fund", *words, sys.argv[2], *more])
        if "book_in_use" not in result.stderr:
            break
    assert result.exit_code == 0, result.stderr
"""


@pytest.mark.timeout(300)
def test_two_processes_that_import_order_and_collect_at_once_do_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: Callable[[], str]
) -> None:
    url = postgres_url()
    treasurer = Treasurer(tmp_path / "node", monkeypatch, "--database", url)
    where, fund = treasurer.folder, treasurer.fund
    treasurer.donor("Kerros", IBANS[0])
    assert "nothing_to_collect" in treasurer.refused("gift", "collect", where, "--out", tmp_path / "none.xml")
    for name in ("anne", "bob"):
        fund("officer", "new", where, name, "--keys", tmp_path / name)
    bearer = fund("bearer", "add", where, *BEARER)["id"]
    words = ["--bearer", bearer, "--text", "Jardins", "--decision", "comité", "--euros", "25,00"]
    for name, more in (("anne", words), ("bob", [])):
        id_ = "22222222-2222-4222-8222-222222222222"
        fund("payment", "sign", where, "--id", id_, "--yes", "--keys", tmp_path / name, *more)
    pool = treasurer.node("account", "open", where, "--kind", "pool")["number"]
    fund("donor", "company", where, *COMPANY)
    about = ["--donor", "552100554", "--campaign", "bread", "--pool", pool, "--due", "2026-12-31", "--euros", "100"]
    paid = Detail(cents=10_000, bank_reference="A1", reference=fund("expect", where, *about)["reference"])
    statement = tmp_path / "statement.xml"
    statement.write_bytes(File(entries=[Entry(cents=10_000, details=[paid])]).write())
    treasurer.go_to("2026-12-03")
    now = str(clock_service.now())
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, now, str(where), str(tmp_path / str(number)), str(statement)],
            stderr=subprocess.PIPE,
            env=ENGLISH,
        )
        for number in range(2)
    ]
    told = [process.communicate(timeout=WITHIN_SECONDS)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    for kind in ("order", "collect"):
        assert len({(tmp_path / f"{number}-{kind}.xml").read_bytes() for number in range(2)}) == 1
    engine = create_engine(url)
    with engine.connect() as connection:
        for question, answer in (
            ("SELECT count(*) FROM statements", 1),
            ("SELECT count(*) FROM deposits", 1),
            ("SELECT sum(cents) FROM deposits", 10_000),
            ("SELECT count(*) FROM orders", 1),
            ("SELECT count(*) FROM payments WHERE state = 'ordered'", 1),
            ("SELECT count(*) FROM debits WHERE state = 'ordered' AND month = 202612", 1),
            ("SELECT count(*) FROM collections WHERE state = 'ordered'", 1),
        ):
            assert connection.execute(text(question)).scalar_one() == answer, question
    engine.dispose()
    treasurer.require_sound()
