"""Two territories that live: a committee decides, companies and citizens give, rights of both become euros of both funds,
the work is audited, a pass is given, and somebody wants to be forgotten.

Every base is a process as an operator runs it: Brest's fund and its people on machines of their own, the rest of Brest on
another, Lyon and the hub on theirs. What passes between machines passes over lines that keep a copy. The story is told
once, and lived on SQLite or on PostgreSQL, where each base has a database and a role of its own.
"""

from __future__ import annotations

import datetime
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import create_engine, inspect, make_url, text
from sqlalchemy.exc import OperationalError

from node.house.cards import parse_card
from protocol.running import clock_service
from protocol.times import DAY_MS, Instant
from tests.end_to_end.marks import read_files
from tests.end_to_end.relay import Relay
from tests.fund.camt_files import Detail, Entry, File
from tests.node.parties import WITHIN_SECONDS, Party
from tests.node.place import BREST, LYON

COMPANY, BEARER, LYON_COMPANY = "732829320", "W291000001", "404833048"
LYON_IBAN = "FR7610107001011234567890129"
OUR_IBAN = "FR7630006000011234567890189"
# People. Nobody else may know them but the base that is named for it.
CITIZEN = {
    "name": "Zenobie Kerguelennec",
    "birth_date": "1937-08-19",
    "address": "17 venelle Hirondellesmad",
    "email": "zenobie.k@plougastelmad.example",
    "telephone": "0298765432",
}
OFFICERS = ("Anselmine Officierez", "Barnabine Officierez")
DONOR = {"first_name": "Soazigenn", "name": "Marzhinvaez", "street": "3 straed Koulmigoudez"}
PAYER = "Yannigenn Tredanvaez"
SHOWN = "Gwenolemaelig Pennecvaez"
WORDS = "Gwendoline vous embrasse"
LETTER_IBAN = "FR1420041010050500013M02606"  # the bearer's, an association's
# The bases: the folder of each, and its file there where it is on SQLite.
BASES = {
    "hub": ("hub", "hub.db"),
    "accounts": ("brest", "accounts.db"),
    "partners": ("brest/partners", "partners.db"),
    "projects": ("brest/projects", "projects.db"),
    "fund": ("foundation", "fund/fund.db"),
    "people": ("people", "people/people.db"),
    "lyon accounts": ("lyon", "accounts.db"),
    "lyon fund": ("lyon/fund", "fund.db"),
}


def _fund_words(name: str, siren: str, iban: str, bic: str) -> list[str]:
    return [
        *("--name", name, "--siren", siren, "--purpose", "Soutenir le territoire"),
        *("--street", "2 rue X", "--postcode", "29200", "--town", "Brest", "--iban", iban, "--bic", bic),
        *("--holder", "FONDS", "--signatory", "La présidence", "--public-url", "https://fonds.example"),
        "--takes-from-public",
    ]


@dataclass
class Bank:
    """The bank of one fund: tells movements by statements, and carries out what was ordered."""

    fund: Party
    iban: str
    files: Path
    balance: int = 0
    statements: int = 0

    def tell(self, *entries: Entry) -> Any:
        self.statements += 1
        told = File(
            opening=self.balance,
            entries=list(entries),
            id=f"S{self.statements}",
            sequence=self.statements,
            iban=self.iban,
        )
        self.balance += sum(entry.cents for entry in entries)
        file = self.files / f"{self.iban}-{self.statements}.xml"
        file.write_bytes(told.write())
        return self.fund.json("fund", "bank", "import", self.fund.folder, file)

    def receive(self, cents: int, **detail: Any) -> Any:
        told = Detail(cents=cents, bank_reference=uuid.uuid4().hex[:16], **detail)
        return self.tell(Entry(cents=cents, details=[told]))


@dataclass
class Lived:
    """The parties, what was learned of them on the way, and what each line carried."""

    place: Path
    make_database: Callable[[str], str]  # the address of an empty database for a base, or nothing: a file in its folder
    relays: dict[str, Relay] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # account numbers, by what they are called here
    ids: dict[str, str] = field(default_factory=dict)
    told: dict[str, bytes] = field(default_factory=dict)  # what doors answered

    def __post_init__(self) -> None:
        self.hub = Party("hub", self.place / "hub")
        self.brest, self.lyon = Party("node", self.place / "brest"), Party("node", self.place / "lyon")
        self.fund, self.people = Party("node", self.place / "foundation"), Party("node", self.place / "people")
        self.files = self.place / "files"
        self.files.mkdir()
        self.databases = {name: self.make_database(name) for name in BASES}
        self.brest_bank = Bank(self.fund, OUR_IBAN, self.files)
        self.lyon_bank = Bank(self.lyon, LYON_IBAN, self.files)
        self.today = datetime.datetime.now(datetime.UTC).date()

    @property
    def parties(self) -> list[Party]:
        return [self.hub, self.fund, self.people, self.brest, self.lyon]

    # Setting up

    def _on(self, base: str) -> tuple[str, ...]:
        url = self.databases[base]
        return ("--database", url) if url else ()

    def _do(self, party: Party, *words: object) -> None:
        done = party.run(*words)
        assert done.returncode == 0, done.stderr

    def _relay(self, name: str, port: int) -> str:
        self.relays[name] = Relay(port)
        return self.relays[name].url

    def set_up(self) -> None:
        hub, brest, lyon, fund, people = self.hub, self.brest, self.lyon, self.fund, self.people
        listen = ("--listen", "127.0.0.1:0")
        self._do(hub, "init", hub.folder, "--network", "test", *listen, *self._on("hub"))
        hub.start()
        url = self._relay("hub line", hub.port)
        for node, code, base in ((brest, BREST, "accounts"), (lyon, LYON, "lyon accounts")):
            words = ("--territory", code, "--name", code, "--hub", url, "--network", "test", *listen, *self._on(base))
            self._do(node, "init", node.folder, *words, "--back-off-ceiling-ms", 500)
        for base in ("partners", "projects"):
            self._do(brest, base, "init", brest.folder, *self._on(base))
        apart = ("--territory", BREST, *listen)
        ours = _fund_words("Fonds du Ponant", "200046977", OUR_IBAN, "AGRIFRPP")
        self._do(fund, "fund", "init", fund.folder, *ours, *apart, *self._on("fund"))
        self._do(people, "people", "init", people.folder, *apart, *self._on("people"))
        theirs = _fund_words("Fonds de Lyon", "552081317", LYON_IBAN, "BREDFRPP")
        self._do(lyon, "fund", "init", lyon.folder, *theirs, *self._on("lyon fund"))
        for base in ("accounts", "partners", "projects"):
            card = brest.json("house", "card", brest.folder, base)["card"]
            for other in (fund, people):
                self._do(other, "house", "add", other.folder, card)
        for file in self.place.glob("*/*.toml"):
            file.write_text(file.read_text().replace('log_level = "info"', 'log_level = "debug"'))
        for name, party, base in (("fund line", fund, "fund"), ("people line", people, "people")):
            party.start()
            card = party.json("house", "card", party.folder, base)["card"]
            self._do(brest, "house", "add", brest.folder, card, "--url", self._relay(name, party.port))
        for node, code in ((brest, BREST), (lyon, LYON)):
            invitation = hub.json("invite", hub.folder, code, "--url", url)["invitation"]
            self._do(node, "enrol", node.folder, invitation)
            self._do(hub, "accredit", hub.folder, code)

    def introduce_abroad(self) -> None:
        """Lyon's fund learns who decides in Brest; Brest learns whom an order for Lyon is sealed for."""
        card = self.brest.json("house", "card", self.brest.folder, "projects")["card"]
        self._do(self.lyon, "fund", "decider", "add", self.lyon.folder, card)
        other = parse_card(self.lyon.json("house", "card", self.lyon.folder, "fund")["card"])
        keys = (other.signing + other.sealing).hex()
        self._do(self.brest, "projects", "payer", "add", self.brest.folder, LYON, keys)

    @contextmanager
    def _days_ago(self, days: int) -> Iterator[None]:
        """Commands that open a base by themselves see this clock."""
        real = clock_service.now

        def now() -> Instant:
            return Instant(real() - days * DAY_MS)

        with mock.patch.object(clock_service, "now", now):
            yield

    def decide(self) -> None:
        """A project is proposed, examined and validated: some days ago, before the base is served."""

        def ask(command: str, *words: object) -> Any:
            return self.brest.json("projects", *command.split(), *words)

        where = self.brest.folder
        with self._days_ago(9):
            bearer = self.ids["bearer"] = ask("bearer save", where, *("--registry", BEARER, "--name", "Les Blés", "--category", "9220"),
                         *("--holder", "LES BLES", "--iban", LETTER_IBAN))["bearer"]  # fmt: skip
            proof = self.files / "statuts.pdf"
            proof.write_bytes(b"statutes")
            for kind in ("statutes", "ruling"):
                dates = ("--issued-on", "2026-01-01", "--valid-until", "2099-12-31")
                ask("bearer proof", where, bearer, proof, "--kind", kind, *dates)
            sheet = {
                "title": "Un verger pour l'école",
                "need": "Vingt arbres.",
                "commune": "29019",
                "latitude": "48.3904",
                "longitude": "-4.4861",
                "theme": "environment",
                "need_by": (self.today + datetime.timedelta(days=90)).isoformat(),
                "target_cents": 10_000,
                "minimum_cents": 4_000,
                "budget": [{"words": "arbres", "cents": 10_000}],
                "milestones": [{"words": "arbres", "cents": 10_000, "proofs": "factures"}],
                "bearer": bearer,
            }
            file = self.files / "verger.json"
            file.write_text(json.dumps(sheet), encoding="utf-8")
            project = self.ids["project"] = ask("propose", where, file, "--by", BEARER)["project"]
            ask("examine", where, project, "--by", "the office")
            ballots = []
            for college in ("citizens", "municipality"):
                own = self.files / college
                made = self.brest.json("projects", "key", "--keys", own)
                ask("signer add", where, made["public"], "--role", "member", "--title", f"membre {college}")
                term = ("--from", "2026-01-01", "--until", "2030-12-31")
                ask("member seat", where, "--key", made["key"], "--college", college, *term)
                ballots.append((own, self.files / f"{college}.ballot"))
            ends = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)
            session = ask("vote call", where, project, "--closes-at", ends.isoformat(timespec="seconds"))["session"]
            words = self.files / "words.json"
            ask("vote words", where, session, "--out", words)
            for own, ballot in ballots:
                signed = ("--keys", own, "--choice", "for", "--grid", "4,3,2,1", "--out", ballot)
                self.brest.json("projects", "vote", "sign", words, *signed)
                ask("vote cast", where, ballot)
        with self._days_ago(1):
            assert ask("vote close", where, session)["outcome"] == "validated"

    def serve(self) -> None:
        for node in (self.brest, self.lyon):
            node.start()
            node.key = node.json("api-key", "new", node.folder, "test", "--scopes", "admin")["key"]

    # Living

    def until(self, what: str, find: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WITHIN_SECONDS
        while not (found := find()):
            assert time.monotonic() < deadline, f"{what} did not come\n{self._tell_logs()}"
            time.sleep(0.1)
        return found

    def _tell_logs(self) -> str:
        return "\n".join((party.folder / "log").read_text()[-2_000:] for party in self.parties)

    def enrol(self) -> None:
        """Somebody is entered among the people, and the accounts open a number; another opens an account by herself."""
        people, where = self.people, self.people.folder
        ids = {name: str(uuid.uuid4()) for name in ("first", "second", "citizen")}
        names = ("--first", OFFICERS[0], "--second", OFFICERS[1], "--id", ids["first"], "--second-id", ids["second"])
        people.json("people", "found", where, *names)
        by = ("--by", ids["first"])
        words = [word for name, value in CITIZEN.items() for word in (f"--{name.replace('_', '-')}", value)]
        people.json("people", "person", "enter", where, *by, *words, "--id", ids["citizen"])
        people.json("people", "account", "open", where, ids["citizen"], *by)

        def told() -> Any:
            sheet = people.json("people", "person", "read", where, ids["citizen"], *by)
            return next((one["account"] for one in sheet["accounts"] if one["account"]), None)

        self.numbers["citizen"] = self.until("the account", told)
        self.ids |= {"person": ids["citizen"], "first": ids["first"]}
        for node, name in ((self.brest, "other"), (self.lyon, "giver")):
            asked = {"id": str(uuid.uuid4()), "kind": "person", "shown_name": SHOWN if name == "giver" else None}
            self.numbers[name] = node.call("POST", "/v1/accounts", asked)[1]["number"]

    def give(self) -> None:
        """A company's euros become miles of Brest that a till credits; a company's of Lyon, that Lyon credits."""
        brest, where = self.brest, self.brest.folder
        year = self.today.year
        brest.json("partners", "company", "save", where, *("--siren", COMPANY, "--name", "Le Fournil"),
                   *("--legal-form", "SAS", "--street", "1 rue Y", "--postcode", "29200", "--town", "Brest"))  # fmt: skip
        brest.json("partners", "company", "years", where, "--siren", COMPANY, "--year", f"{year}-01-01..{year}-12-31")
        campaign = str(uuid.uuid4())
        days = ("--opens-on", f"{year}-01-01", "--closes-on", f"{year + 1}-12-31")
        words = ("--siren", COMPANY, "--title", "Un quart", *days, "--ceiling", "200", "--percent", "25")
        brest.json("partners", "campaign", "draft", where, *words, "--id", campaign)
        brest.json("partners", "campaign", "open", where, campaign, "--due", f"{year}-12-31", "--euros", "200")

        def shown() -> Any:
            return brest.json("partners", "campaign", "show", where, campaign)

        def referred() -> Any:
            told = shown()
            return told["payments"][0]["reference"] if told["payments"] else None

        reference = self.until("the payment's reference", referred)
        assert self.brest_bank.receive(20_000, reference=reference)["deposited_cents"] == 20_000
        self.until("the budget", lambda: shown()["funded_cents"] == 20_000)
        till = brest.json("partners", "till", "new", where, "--siren", COMPANY, "--number", 1, "--name", "Caisse")[
            "key"
        ]
        now = datetime.datetime.now(datetime.UTC).isoformat()
        sale = {"id": "V1", "at": now, "sent_at": now, "campaign": campaign, "cents": 16_000}
        asked = urllib.request.Request(
            f"http://127.0.0.1:{brest.port}/v1/partners/purchases",
            data=json.dumps(sale | {"account": self.numbers["citizen"]}).encode(),
            headers={"Authorization": f"Bearer {till}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=WITHIN_SECONDS) as answer:  # noqa: S310 - our own process
            assert json.load(answer)["cents"] == 4_000
        # Lyon.
        lyon, there = self.lyon, self.lyon.folder
        pool = lyon.json("account", "open", there, "--kind", "pool")["number"]
        lyon.json("fund", "donor", "company", there, *("--siren", LYON_COMPANY, "--name", "Librairie"),
                  *("--legal-form", "SAS", "--street", "1 rue Z", "--postcode", "69001", "--town", "Lyon"))  # fmt: skip
        about = ("--donor", LYON_COMPANY, "--campaign", "books", "--pool", pool, "--due", f"{year + 1}-12-31")
        expected = lyon.json("fund", "expect", there, *about, "--euros", "80")
        self.lyon_bank.receive(8_000, reference=expected["reference"])
        self.until("the lot", lambda: lyon.json("account", "show", there, pool)["cents"] == 8_000)
        line = {"id": str(uuid.uuid4()), "to": self.numbers["giver"], "cents": 8_000}
        told = lyon.call("POST", "/v1/credits", {"from": pool, "items": [line]})[1]
        assert told["items"][0]["status"] == "done", told
        # A citizen gives directly, outside the miles, and gets a receipt; somebody pays whom nobody knows.
        fund, base = self.fund, self.fund.folder
        named = [word for name, value in DONOR.items() for word in (f"--{name.replace('_', '-')}", value)]
        donor = fund.json("fund", "donor", "add", base, *named, "--postcode", "29200", "--town", "Brest")["id"]
        gift = fund.json(
            "fund", "gift", "expect", base, "--donor", donor, "--due", f"{year + 1}-12-31", "--euros", "50"
        )
        self.brest_bank.receive(5_000, reference=gift["reference"], name=f"{DONOR['first_name']} {DONOR['name']}")
        assert self.brest_bank.receive(777, name=PAYER, text="loyer")["waiting"]
        period = ("--from", "2026-01-01", "--to", f"{year}-12-31", "--out", self.files / "receipt.pdf")
        self.ids["receipt"] = fund.json("fund", "receipt", "issue", base, "--donor", donor, *period)["number"]

    def direct(self) -> None:
        """The project opens; a citizen here and one far away direct rights to it. A gift with words crosses too."""
        brest, where, project = self.brest, self.brest.folder, self.ids["project"]
        brest.json("projects", "open", where, project, "--by", "the office")

        def shown() -> Any:
            return brest.json("projects", "show", where, project)

        address = self.until("the project's address", lambda: shown()["project"]["address"])
        self.numbers["project"] = address.partition("@")[0].replace("-", "")[:8]
        self.ids["orientation"] = str(uuid.uuid4())
        own = ("--id", self.ids["orientation"])
        brest.json("orient", where, self.numbers["citizen"], f"{address}=3000", *own)
        other = brest.json("account", "show", where, self.numbers["other"])["address"]
        line = {
            "from": self.numbers["giver"],
            "to": other,
            "cents": 500,
            "words": WORDS,
            "id": str(uuid.uuid4()),
            "anonymous": True,
        }
        told = self.lyon.call("POST", "/v1/cessions", {"items": [line]})[1]
        assert told["items"][0]["status"] == "done", told
        self.until("who is shown", lambda: self.lyon.json("payee", self.lyon.folder, other)["takes_rights"])
        giver = self.lyon.json("account", "show", self.lyon.folder, self.numbers["giver"])["address"]
        masked = self.until("who is shown", lambda: brest.json("payee", where, giver)["shown"])
        assert masked.startswith("G")
        self.lyon.json("orient", self.lyon.folder, self.numbers["giver"], f"{address}=7000", "--anonymous")
        self.until("the target", lambda: shown()["project"]["state"] == "funded")
        assert (shown()["project"]["support_cents"], shown()["project"]["supporters"]) == (10_000, 2)

    def convert(self) -> None:
        """What was directed becomes euros: of Brest's fund and, directly, of Lyon's. The bearer says that they came."""
        brest, where, project = self.brest, self.brest.folder, self.ids["project"]
        brest.json("projects", "start", where, project, "--by", "the office")
        round_ = str(uuid.uuid4())
        brest.json("projects", "convert", where, project, "--id", round_)
        for party, bank, cents in ((self.fund, self.brest_bank, 3_000), (self.lyon, self.lyon_bank, 7_000)):
            self._pay(party, bank, cents)
        payments = self.until("both payments", self._find_paid)
        assert {(one["payer"], one["cents"]) for one in payments} == {(BREST, 3_000), (LYON, 7_000)}
        for payer in (BREST, LYON):
            brest.json("projects", "confirm", where, round_, "--on", self.today.isoformat(), "--payer", payer)
        self.until("the confirmation at the hub", lambda: self.obligations() == [(LYON, BREST, 7_000, "confirmed")])

    def _find_paid(self) -> Any:
        payments = self.brest.json("projects", "show", self.brest.folder, self.ids["project"])["payments"]
        return payments if len(payments) == 2 and {one["state"] for one in payments} == {"paid"} else None

    def _pay(self, party: Party, bank: Bank, cents: int) -> None:
        """Two officers sign what is owed, one order goes out, and the statement confirms it."""
        where = party.folder
        proposals = self.until("what is owed", lambda: party.json("fund", "due", "proposals", where))
        assert [(one["cents"], one["iban"]) for one in proposals] == [(cents, LETTER_IBAN)]
        for name in ("anne", "bob"):
            keys = self.files / f"{party.folder.name}-{name}"
            party.json("fund", "officer", "new", where, name, "--keys", keys)
            party.json("fund", "due", "sign", where, proposals[0]["id"], "--keys", keys, "--yes")
        order = self.files / f"{party.folder.name}.xml"
        assert party.json("fund", "payment", "order", where, "--out", order)["cents"] == cents
        again = order.read_bytes()
        party.json("fund", "payment", "order", where, "--out", order)
        assert order.read_bytes() == again, "asked again, the bank gets the same"
        (payment,) = party.json("fund", "payment", "list", where)
        left = Detail(cents=-cents, end_to_end_id=payment["end_to_end_id"])
        assert bank.tell(Entry(cents=-cents, details=[left]))["as_transfer_left"] == 1

    def audit(self) -> None:
        """An auditor finds what was promised; a volunteer's hours become a pass; the bearer attests, and it is closed."""
        project, where = self.ids["project"], self.brest.folder

        def ask(command: str, *words: object) -> Any:
            return self.brest.json("projects", *command.split(), *words)

        own = self.files / "auditor"
        ask("signer add", where, ask("key", "--keys", own)["public"], "--role", "auditor", "--title", "auditrice 1")
        ask("audit find", where, project, "--keys", own, "--verdict", "sound", "--text", "Vingt arbres debout.")
        bill = self.files / "facture.pdf"
        bill.write_bytes(b"a bill")
        spent = ("--instalment", 1, "--cents", 10_000, "--words", "arbres")
        ask("proof judge", where, ask("proof give", where, project, bill, *spent)["proof"], "--by", "the office")
        claim = {
            "project": project,
            "account": self.numbers["other"],
            "role": "Plantation",
            "duty": "other",
            "first_on": f"{self.today.year}-01-01",
            "last_on": self.today.isoformat(),
            "hours": [{"year": self.today.year, "minutes": 600}],
            "skills": ["rome:300031"],
        }
        claimed, shown = self.files / "claim.json", self.files / "pass.png"
        claimed.write_text(json.dumps(claim), encoding="utf-8")
        pass_ = ask("pass claim", where, claimed)["pass"]
        speaker = self.files / "speaker"
        line = ask("key", "--keys", speaker)["public"]
        ask("signer add", where, line, "--role", "bearer", "--title", "présidence", "--bearer", self.ids["bearer"])
        ask("pass check", where, pass_, "--keys", speaker)
        for member in ("citizens", "municipality"):
            ask("pass validate", where, pass_, "--keys", self.files / member)
        ask("pass issue", where, pass_)
        ask("pass export", where, pass_, "--out", shown)
        assert ask("pass verify", where, shown)["standing"] == "good"
        ask("finish", where, project, "--by", "the office")
        attestation = self.files / "attestation.pdf"
        attestation.write_bytes(b"all was done")
        assert ask("close", where, project, "--by", "the office", "--attestation", attestation)["state"] == "closed"

    def try_others_bases(self) -> list[str]:
        """Return what each base of PostgreSQL could do in another's database, with its own role: open it, or more."""
        done: list[str] = []
        for base, url in self.databases.items():
            for other in self.databases:
                if other == base:
                    continue
                aimed = make_url(url).set(database=make_url(self.databases[other]).database)
                engine = create_engine(aimed)
                try:
                    with engine.connect() as line:
                        done.append(f"{base} opened {other}: {inspect(line).get_table_names()}")
                except OperationalError as refused:
                    if "permission denied for database" not in str(refused):
                        raise
                engine.dispose()
        return done

    def forget(self) -> None:
        """Who directed rights wants to be forgotten, and says where the rest goes."""
        people, where = self.people, self.people.folder
        by = ("--by", self.ids["first"])
        erasure = people.json("people", "erasure", "ask", where, self.ids["person"], *by)["erasure"]

        def state() -> Any:
            people.json("people", "erasure", "continue", where)
            return people.json("people", "erasure", "show", where, erasure, *by)["state"]

        self.until("the word that rights are held", lambda: state() == "rights_held")
        into = ("--into", self.numbers["other"])
        people.json("people", "erasure", "move", where, erasure, *by, *into)
        self.until("the erasure", lambda: state() == "done")
        read = people.run("people", "person", "read", where, self.ids["person"], *by)
        assert "person_erased" in read.stderr, read.stdout
        told = self.brest.json("account", "show", self.brest.folder, self.numbers["citizen"])
        assert (told["state"], told["cents"]) == ("closed", 0)

    def obligations(self) -> list[tuple[str, str, int, str]]:
        rows = self.hub.json("obligations", self.hub.folder)
        return [(row["debtor"], row["creditor"], row["cents"], row["state"]) for row in rows]

    # Looking

    def ask_all_doors(self) -> None:
        """Read whatever the descriptions name: as anybody, and as a program that may do everything at the accounts.

        Doors that need an account or an id that nobody was given are asked too: what they refuse is an answer.
        """
        known = {"project": self.ids["project"], "id": self.ids["project"], "siren": COMPANY}
        told: dict[str, list[bytes]] = {"public doors": [], "keyed doors": []}
        served = {
            self.brest.port: (self.brest, ("/v1", "/v1/partners", "/v1/partners/office", "/v1/projects", "/passes")),
            self.fund.port: (self.fund, ("/v1/fund",)),
            self.lyon.port: (self.lyon, ("/v1", "/v1/fund")),
        }
        opened = 0
        for party, prefixes in served.values():
            for prefix in prefixes:
                description = self._get(party, f"{prefix}/openapi.json", "")
                told["public doors"].append(description)
                for path, doors in json.loads(description)["paths"].items():
                    names = re.findall(r"{(\w+)}", path)
                    if "get" not in doors or not known.keys() >= set(names):
                        continue
                    opened += 1
                    filled = path.format(**known)
                    told["public doors"].append(self._get(party, filled, ""))
                    if prefix == "/v1":
                        told["keyed doors"].append(self._get(party, filled, party.key))
        assert opened > 30
        told["public doors"] += [self._get(self.hub, f"/v1/{path}", "") for path in ("directory", "checkpoint")]
        told["public doors"] += [self._get(party, "/metrics", "") for party in self.parties]
        self.told = {name: b"\n".join(parts) for name, parts in told.items()}

    def _get(self, party: Party, path: str, key: str) -> bytes:
        asked = urllib.request.Request(f"http://127.0.0.1:{party.port}{path}")
        if key:
            asked.add_header("Authorization", f"Bearer {key}")
        try:
            answer = urllib.request.urlopen(asked, timeout=WITHIN_SECONDS)  # noqa: S310 - our own process
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            assert answer.status < 500, path
            return bytes(answer.read())

    def gather(self) -> dict[str, bytes]:
        """Return all bytes that there are, by place: bases, lines, what processes logged, what doors answered."""
        found = dict(self.told)
        found["logs"] = b"\n".join((party.folder / "log").read_bytes() for party in self.parties)
        for party in self.parties:
            (party.folder / "log").unlink()
        files = [file for party in self.parties for file in sorted(party.folder.rglob("*")) if file.is_file()]
        homes = {self.place / folder: base for base, (folder, _) in BASES.items()}
        for file in files:
            base = next(homes[up] for up in file.parents if up in homes)
            found[base] = b"\n".join((found.get(base, b""), *read_files(self.place, [file])))
        for base, (folder, file_name) in BASES.items():
            # A value that is longer than a page of SQLite lies in pieces in the file.
            found[base] += b"\n" + read_rows(self.databases[base] or f"sqlite:///{self.place / folder / file_name}")
        return found | {name: relay.carried for name, relay in self.relays.items()}

    def close(self) -> None:
        for party in self.parties:
            if party.process is not None and party.process.poll() is None:
                party.process.kill()
                party.process.wait()
        for relay in self.relays.values():
            relay.stop()


def read_rows(url: str) -> bytes:
    """Return every value of every table."""
    engine = create_engine(url)
    out: list[bytes] = []
    with engine.connect() as line:
        for name in inspect(line).get_table_names():
            for row in line.execute(text(f'SELECT * FROM "{name}"')):
                out += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    engine.dispose()
    assert out
    return b"\n".join(out)
