"""A sale at a till, on the real path: credential, campaign rule, budget, slip to the accounts, ledger, answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from tests.bench.figures import Figure, Goal, choose_percentile
from tests.bench.limits import measure_echo, serve_echo
from tests.bench.load import Load, make_request, run_load
from tests.bench.sizes import Sizes
from tests.fund.camt_files import Detail, Entry, File
from tests.node.parties import WITHIN_SECONDS, Party
from tests.node.place import BREST
from tests.postgres import PostgresServer

SALES: Final = Goal(
    name="till_sales",
    title="sales at tills, 128 connections",
    unit="sales/s",
    limit="bare aiohttp + uvloop echo",
    gate=0.1,
    moonshot=0.25,
    note="One sale a request. It is answered when two books have it: the companies' (budget, sale, slip) and the accounts' "
    "(credit, answer), with signed slips between them.",
)
BATCHES: Final = Goal(
    name="till_batches",
    title="sales told later, by 500",
    unit="sales/s",
    limit="bare aiohttp + uvloop echo",
    gate=0.3,
    moonshot=1,
    note="A till that was offline: the limit is the same number of echoes of one sale.",
)
_BUDGET: Final = 10**9
_BATCH: Final = 500
_CAMPAIGN: Final = "33333333-3333-4333-8333-333333333333"
_SIREN: Final = "732829320"
_FUND: Final = [
    *("--name", "Fonds", "--siren", "200046977", "--purpose", "Soutenir", "--street", "1 rue X"),
    *("--postcode", "29200", "--town", "Brest", "--iban", "FR7630006000011234567890189", "--bic", "AGRIFRPP"),
    *("--holder", "FONDS", "--signatory", "Anne", "--public-url", "https://fonds.example"),
]
_COMPANY: Final = [
    *("--siren", _SIREN, "--name", "Le Fournil", "--legal-form", "SAS"),
    *("--street", "1 rue X", "--postcode", "29200", "--town", "Brest"),
]


@dataclass
class Counter:
    """A served house, a till's credential, and the accounts of its customers."""

    party: Party
    key: str
    accounts: list[str]
    told: int = 0

    def make_sales(self, count: int) -> list[bytes]:
        """Return one request for each sale."""
        now = datetime.now(UTC).isoformat()
        head = {"campaign": _CAMPAIGN, "sent_at": now}
        return [
            make_request("/v1/partners/purchases", msgspec.json.encode(head | item), self.key)
            for item in self._make_items(count, now)
        ]

    def make_batches(self, count: int) -> list[bytes]:
        now = datetime.now(UTC).isoformat()
        return [
            make_request(
                "/v1/partners/batches",
                msgspec.json.encode({"campaign": _CAMPAIGN, "sent_at": now, "items": self._make_items(_BATCH, now)}),
                self.key,
            )
            for _ in range(count)
        ]

    def _make_items(self, count: int, now: str) -> list[dict[str, object]]:
        first, self.told = self.told, self.told + count
        return [
            {"id": f"S{number}", "at": now, "cents": 1_000, "account": self.accounts[number % len(self.accounts)]}
            for number in range(first, self.told)
        ]

    def measure(self, requests: list[bytes], *, connections: int, count: int = 1) -> Load:
        return run_load(self.party.port, requests, connections=connections, expected=b'"status":"granted"', count=count)


@contextmanager
def serve_house(folder: Path, accounts: int) -> Iterator[Counter]:
    """Serve all three bases in one process, with a campaign whose euros have arrived."""
    party = Party("node", folder / "node")
    words = ["--territory", BREST, "--name", "Brest", "--network", "bench", "--listen", "127.0.0.1:0"]
    for made in (
        party.run("init", party.folder, *words),
        party.run("fund", "init", party.folder, *_FUND),
        party.run("partners", "init", party.folder),
    ):
        assert made.returncode == 0, made.stderr
    party.start()
    try:
        yield _open(party, folder, accounts)
    finally:
        if party.process is not None and party.process.poll() is None:
            party.process.kill()
            party.process.wait()


def _open(party: Party, folder: Path, accounts: int) -> Counter:
    base = party.folder
    party.json("partners", "company", "save", base, *_COMPANY)
    party.json(
        *("partners", "campaign", "draft", base, "--siren", _SIREN, "--title", "Pain", "--id", _CAMPAIGN),
        *("--opens-on", "2020-01-01", "--closes-on", "2099-12-31", "--percent", "10,00"),
        *("--ceiling", f"{_BUDGET // 100},00"),
    )
    party.json("partners", "campaign", "open", base, _CAMPAIGN, "--due", "2099-12-31")
    campaign = _wait(party, lambda told: bool(told["payments"] and told["payments"][0]["reference"]))
    detail = Detail(cents=_BUDGET, bank_reference="A1", reference=str(campaign["payments"][0]["reference"]))  # type: ignore[index]
    file = folder / "statement.xml"
    file.write_bytes(File(entries=[Entry(cents=_BUDGET, details=[detail])]).write())
    party.json("fund", "bank", "import", base, file)
    _wait(party, lambda told: told["funded_cents"] == _BUDGET)
    key = party.json("partners", "till", "new", base, "--siren", _SIREN, "--name", "Caisse", "--number", "1")["key"]
    party.key = party.json("api-key", "new", base, "bench", "--scopes", "admin")["key"]
    addresses = []
    for number in range(accounts):
        id_ = f"44444444-4444-4444-8444-{number:012d}"
        addresses.append(str(party.call("POST", "/v1/accounts", {"id": id_, "kind": "person"})[1]["address"]))
    return Counter(party, key, addresses)


def _wait(party: Party, is_there) -> dict[str, object]:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        told: dict[str, object] = party.json("partners", "campaign", "show", party.folder, _CAMPAIGN)
        if is_there(told):
            return told
        assert time.monotonic() < deadline, json.dumps(told)
        time.sleep(0.2)


def measure_tills(folder: Path, sizes: Sizes, _server: PostgresServer) -> Iterator[Figure]:
    rates, batched, echoes, slow = [], [], [], []
    with serve_house(folder, sizes.accounts) as counter, serve_echo(folder) as echo:
        body = counter.make_sales(1)[0].split(b"\r\n\r\n", 1)[1]
        counter.measure(counter.make_sales(sizes.connections), connections=sizes.connections)
        for _ in range(sizes.rounds):
            echoes.append(measure_echo(echo, body, requests=sizes.singles, connections=sizes.connections))
            load = counter.measure(counter.make_sales(sizes.singles), connections=sizes.connections)
            rates.append(sizes.singles / load.seconds)
            slow.append(choose_percentile(load.latencies, 99) * 1_000)
            batches = max(1, sizes.singles // _BATCH)
            load = counter.measure(counter.make_batches(batches), connections=2, count=_BATCH)
            batched.append(batches * _BATCH / load.seconds)
        done = counter.party.run("check", counter.party.folder)
        assert done.returncode == 0, done.stdout
    yield Figure(SALES, tuple(rates), tuple(echoes), f"p99 {choose_percentile(slow, 50):.0f} ms.")
    yield Figure(BATCHES, tuple(batched), tuple(echoes))
