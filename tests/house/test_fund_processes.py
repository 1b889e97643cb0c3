"""The fund as a treasurer runs it: in one process with the accounts, and apart, on a machine of its own."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fund.camt_files import Detail, Entry, File
from tests.fund.pdf_text import read_text
from tests.node.parties import WITHIN_SECONDS, Party
from tests.node.place import BREST
from tests.ports import choose_port

FUND = [
    *("--name", "Fonds du Ponant", "--siren", "200046977", "--purpose", "Soutenir le territoire"),
    *("--street", "2 rue Frézier", "--postcode", "29200", "--town", "Brest"),
    *("--iban", "FR76 3000 6000 0112 3456 7890 189", "--bic", "AGRIFRPP", "--holder", "FONDS DU PONANT"),
    *("--signatory", "Anne Le Goff", "--public-url", "https://fonds.example"),
    *("--creditor-id", "FR72ZZZ123456", "--takes-from-public"),
]
COMPANY = [
    *("--siren", "552100554", "--name", "Le Fournil", "--legal-form", "SAS"),
    *("--street", "1 rue de Siam", "--postcode", "29200", "--town", "Brest"),
]
BEARER = [
    *("--name", "Les Jardins", "--registry", "W291234567", "--category", "intérêt général"),
    *("--proof", "rescrit du 12/03/2026", "--proven-until", "2099-12-31"),
    *("--holder", "LES JARDINS", "--iban", "FR1420041010050500013M02606"),
]


@dataclass
class House:
    """The node, and the folder where the fund lives: the same, or another's."""

    node: Party
    fund: Party
    files: Path
    balance: int = 0
    number: int = 0

    @property
    def parties(self) -> list[Party]:
        return [self.node] if self.node is self.fund else [self.node, self.fund]

    def run_fund(self, *words: object) -> Any:
        done = self.fund.run("fund", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def import_entries(self, *entries: Entry) -> Any:
        self.number += 1
        file = self.files / f"statement-{self.number}.xml"
        told = File(opening=self.balance, entries=list(entries), id=f"S{self.number}", sequence=self.number)
        self.balance += sum(entry.cents for entry in entries)
        file.write_bytes(told.write())
        return self.run_fund("bank", "import", self.fund.folder, file)

    def wait_issued(self) -> list[Any]:
        deadline = time.monotonic() + WITHIN_SECONDS
        while any(row["state"] != "issued" for row in self.run_fund("deposits", self.fund.folder)):
            assert time.monotonic() < deadline, (self.fund.folder / "log").read_text()
            time.sleep(0.1)
        told: list[Any] = self.run_fund("deposits", self.fund.folder)
        return told


@pytest.fixture
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    node = Party("node", tmp_path / "node")
    words = ["--territory", BREST, "--name", "Brest", "--listen", "127.0.0.1:0"]
    assert node.run("init", node.folder, *words).returncode == 0
    if request.param == "together":
        fund = node
        done = node.run("fund", "init", node.folder, *FUND)
    else:
        fund = Party("node", tmp_path / "foundation")
        listen = f"127.0.0.1:{choose_port()}"  # it must come back where the node calls it
        done = fund.run("fund", "init", fund.folder, *FUND, "--territory", BREST, "--listen", listen)
    assert done.returncode == 0, done.stderr
    if fund is not node:
        card = node.json("house", "card", node.folder, "accounts")["card"]
        assert fund.json("house", "add", fund.folder, card)["base"] == "accounts"
        fund.start()
        card = fund.json("house", "card", fund.folder, "fund")["card"]
        url = f"http://127.0.0.1:{fund.port}"
        node.json("house", "add", node.folder, card, "--url", url)
    node.start()
    made = House(node, fund, tmp_path)
    yield made
    for party in made.parties:
        if party.process is not None and party.process.poll() is None:
            party.process.kill()
            party.process.wait()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("house", ["apart"], indirect=True)
def test_from_a_companys_euro_to_the_bearers_account_and_the_receipt(house: House) -> None:
    node, fund = house.node, house.fund
    pool = node.json("account", "open", node.folder, "--kind", "pool")["number"]

    # Nobody here can mint: where there is a fund, it alone issues.
    refused = node.run("endow", node.folder, "--into", pool, "--euros", "1,00", "--reason", "mine")
    assert "endowment_closed" in refused.stderr

    house.run_fund("donor", "company", fund.folder, *COMPANY)
    due = ["--due", "2099-12-31"]
    first = house.run_fund(
        "expect", fund.folder, "--donor", "552100554", "--campaign", "bread", "--pool", pool, *due, "--euros", "100"
    )
    paid = Entry(cents=10_000, details=[Detail(cents=10_000, bank_reference="A1", reference=first["reference"])])
    assert house.import_entries(paid)["deposited_cents"] == 10_000
    # Killed at once: what was taken from the bank is in the base, and goes on from there.
    for party in house.parties:
        party.end(signal.SIGKILL)
    for party in house.parties:
        party.start()
    (deposit,) = house.wait_issued()
    assert node.json("account", "show", node.folder, pool)["cents"] == 10_000

    # Two people, each with a key of their own, sign what goes out.
    keys = {name: house.files / name for name in ("anne", "bob")}
    for name, folder in keys.items():
        house.run_fund("officer", "new", fund.folder, name, "--keys", folder)
    bearer = house.run_fund("bearer", "add", fund.folder, *BEARER)["id"]
    id_ = "22222222-2222-4222-8222-222222222222"
    words = ["--bearer", bearer, "--text", "Jardins", "--decision", "comité du 20/11", "--euros", "25,00"]
    sign = ["payment", "sign", fund.folder, "--id", id_, "--yes"]
    assert house.run_fund(*sign, "--keys", keys["anne"], *words)["state"] == "asked"
    assert house.run_fund(*sign, "--keys", keys["bob"])["state"] == "signed"
    order = house.run_fund("payment", "order", fund.folder, "--out", house.files / "order.xml")
    assert (order["payments"], order["cents"]) == (1, 2_500)
    (payment,) = house.run_fund("payment", "list", fund.folder)
    leaving = Entry(cents=-2_500, details=[Detail(cents=-2_500, end_to_end_id=payment["end_to_end_id"])])
    assert house.import_entries(leaving)["as_transfer_left"] == 1
    assert house.run_fund("payment", "list", fund.folder)[0]["state"] == "confirmed"

    # The receipt: a PDF, and a check that anybody can ask the fund about.
    pdf = house.files / "receipt.pdf"
    period = ["--from", "2026-01-01", "--to", "2099-12-31"]
    receipt = house.run_fund("receipt", "issue", fund.folder, "--donor", "552100554", *period, "--out", pdf)
    text = "".join(read_text(pdf.read_bytes()))
    assert "LeFournil" in text
    place = f"https://fonds.example/receipts/{receipt['number']}/"
    assert place in text
    check = text.partition(place)[2][:26]
    status, told = fund.call("GET", f"/receipts/{receipt['number']}/{check}")
    assert (status, told["cents"], told["state"]) == (200, 10_000, "issued")
    assert fund.call("GET", f"/receipts/{receipt['number']}/{'A' * 26}")[0] == 404

    for party in house.parties:
        assert party.end(signal.SIGTERM) == 0
        assert "Traceback" not in (party.folder / "log").read_text()
        done = party.run("check", party.folder)
        assert done.returncode == 0, done.stdout

    # One figure changed by hand in the fund's base is found and named.
    base = sqlite3.connect(fund.folder / "fund" / "fund.db")
    base.execute("UPDATE deposits SET cents = cents + 1")
    base.commit()
    base.close()
    done = fund.run("check", fund.folder, "--json")
    assert done.returncode == 1
    assert any(
        deposit["id"] in finding["place"] for one in json.loads(done.stdout)["checked"] for finding in one["findings"]
    )


@pytest.mark.timeout(600)
def test_a_treasurer_s_month_by_command_without_a_server(tmp_path: Path) -> None:
    """Monthly gifts, what goes back to a payer, reminders and declarations: each step is a command."""
    node = Party("node", tmp_path / "node")
    words = ["--territory", BREST, "--name", "Brest", "--listen", "127.0.0.1:0"]
    assert node.run("init", node.folder, *words).returncode == 0
    assert node.run("fund", "init", node.folder, *FUND).returncode == 0
    house = House(node, node, tmp_path)
    run, where = house.run_fund, node.folder

    # A monthly gift for two projects; nothing is due on the day on which it is signed.
    who = [
        "--first-name",
        "Soazig",
        "--name",
        "Kerros",
        "--street",
        "3 rue X",
        "--postcode",
        "29200",
        "--town",
        "Brest",
    ]
    donor = run("donor", "add", where, *who)["id"]
    signed = ["--holder", "S. Kerros", "--iban", "FR1420041010050500013M02606", "--signed-on", "2026-10-03"]
    shares = ["--share", "Jardins=5,00", "--share", "Voile=2,50"]
    mandate = run("gift", "mandate", where, "--donor", donor, *signed, *shares)
    assert (mandate["cents"], mandate["shares"]) == (750, {"Jardins": 500, "Voile": 250})
    for verb, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert run("gift", verb, where, mandate["umr"])["state"] == state
    assert [row["state"] for row in run("gift", "mandates", where)] == ["ended"]
    refused = node.run("fund", "gift", "resume", where, mandate["umr"])
    assert "mandate_step_refused" in refused.stderr
    refused = node.run("fund", "gift", "collect", where, "--out", tmp_path / "pain008.xml")
    assert "nothing_to_collect" in refused.stderr

    # A company pays late and too much: it is reminded, and two people send back what it paid too much.
    run("donor", "company", where, *COMPANY)
    pool = node.json("account", "open", where, "--kind", "pool")["number"]
    about = ["--donor", "552100554", "--campaign", "bread", "--pool", pool, "--due", "2026-01-31"]
    late = run("expect", where, *about, "--euros", "100")
    other = run("expect", where, *about, "--euros", "7")
    assert [row["left_cents"] for row in run("remind", where, "--due")] == [10_000, 700]
    letter = tmp_path / "letter.txt"
    assert run("remind", where, "--payment", late["id"], "--language", "en", "--out", letter)["reminder"] == 1
    assert "100.00 €" in letter.read_text(encoding="utf-8")
    assert run("close", where, other["id"], "--by", "anne", "--reason", "wound up")["state"] == "closed"
    paid = Entry(cents=10_300, details=[Detail(cents=10_300, bank_reference="A1", reference=late["reference"])])
    (movement,) = house.import_entries(paid)["waiting"]
    keys = {name: tmp_path / name for name in ("anne", "bob")}
    for name, folder in keys.items():
        run("officer", "new", where, name, "--keys", folder)
        told = ["--decision", "comité du 28/11", "--id", "33333333-3333-4333-8333-333333333333", "--yes"]
        state = run("payment", "refund", where, movement, "--keys", folder, *told)["state"]
    assert state == "signed"
    run("payment", "order", where, "--out", tmp_path / "order.xml")
    (payment,) = run("payment", "list", where)
    leaving = Entry(cents=-300, details=[Detail(cents=-300, end_to_end_id=payment["end_to_end_id"])])
    assert house.import_entries(leaving)["as_transfer_left"] == 1

    # What is declared.
    run("receipt", "issue", where, "--donor", "552100554", "--from", "2026-01-01", "--to", "2099-12-31")
    register = tmp_path / "register.csv"
    assert run("receipt", "register", where, "--out", register)["receipts"] == 1
    assert ";100,00;" in register.read_text(encoding="utf-8")
    sheet = run("declaration", "company", where, "--donor", "552100554", "--year", "2026", "--counterpart", "500")
    assert (sheet["cents"], sheet["counterpart_cents"], sheet["gifts"][0]["given_on"]) == (10_000, 500, "2026-11-24")
    told = run("declaration", "prefect", where, "--year", "2026", "--out", tmp_path / "prefect")
    assert [row["donor"] for row in told["liberalities"]] == ["Le Fournil"]
    assert "Le Fournil" in (tmp_path / "prefect" / "liberalites.csv").read_text(encoding="utf-8")
    fec = run("books", "fec", where, "--year", "2026", "--out", tmp_path / "fec")
    assert fec["faults"] == []
    assert Path(fec["file"]).name in Path(fec["description"]).read_text(encoding="utf-8")
    done = node.run("check", where)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("house", ["together"], indirect=True)
def test_a_slip_of_a_stranger_is_not_opened(house: House) -> None:
    fund = house.fund
    for path, body in (("/v1/house/THE-FUND", b"\x93abc"), ("/v1/house/NOBODY", b"x")):
        request = urllib.request.Request(f"http://127.0.0.1:{fund.port}{path}", data=body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=WITHIN_SECONDS)  # noqa: S310 - our own process
        caught.value.close()
        assert caught.value.code in (400, 404)
