"""The demo's second story: a territory whose miles are a company's euros, from the bank's file to the tax receipt.

A company pays its fund by a bank statement; tills credit its customers, one of them offline for a while; goods come
back; a customer without an account gets a ticket; a citizen gives; two officers pay a bearer; the bank answers; receipts,
declarations and the file of entries come out. The bank is played here: it writes camt.053, and reads pain.001.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from lxml import etree

from node.desks.fund import commands as fund_commands
from node.desks.fund.words import read_words
from node.desks.house.init_service import read_own_card, take_other_card
from node.desks.partners import commands as partners_commands
from node.desks.projects import commands as projects_commands
from node.fund.outgoing_payments import write_words
from protocol.house import BaseName
from protocol.keys import Domain, SecretKeys, make_keys, sign
from protocol.running.admin_client import call_running
from tests.fund.camt_files import Detail, Entry, File

BUDGET_CENTS_EACH: Final = 8_000  # for each citizen: more than three sales give
GIFT_CENTS: Final = 5_000
AID_CENTS: Final = 40_000
SALES_EACH: Final = 3
WAIT_SECONDS: Final = 60.0
BEARER_IBAN: Final = "FR1420041010050500013M02606"
# Real SIREN numbers are checked by their digit: these are those of large public bodies and companies, used as examples.
COMPANIES: Final = (("732829320", "Le Fournil"), ("404833048", "Librairie du Port"), ("552100554", "Vélos & Co"))
FUNDS: Final = (
    ("200046977", "FR7630006000011234567890189", "AGRIFRPP"),
    ("552081317", "FR7610107001011234567890129", "BREDFRPP"),
    ("542065479", "FR7630004000031234567890143", "BNPAFRPP"),
)


class StoryFailed(Exception):
    """Something is not as it must be."""


@dataclass
class Bank:
    """The bank of one fund: it keeps a balance, tells it by statements, and carries out orders."""

    iban: str
    today: datetime.date
    balance: int = 0
    number: int = 0

    def statement(self, *entries: Entry) -> bytes:
        """Return the next statement, with these movements."""
        self.number += 1
        day = self.today.isoformat()
        for entry in entries:
            entry.day = day
        file = File(
            opening=self.balance,
            entries=list(entries),
            id=f"RELEVE-{self.number}",
            sequence=self.number,
            iban=self.iban,
            opened_on=(self.today - datetime.timedelta(days=1)).isoformat(),
            closed_on=day,
        )
        self.balance += sum(entry.cents for entry in entries)
        return file.write()

    def receive(self, cents: int, *, name: str, reference: str = "", text: str = "", iban: str = "") -> Entry:
        detail = Detail(cents=cents, name=name, reference=reference, text=text, bank_reference=uuid.uuid4().hex[:16])
        detail.iban = iban or detail.iban
        return Entry(cents=cents, details=[detail])

    def carry_out(self, order: bytes) -> list[Entry]:
        """Return the debits of an order (pain.001)."""
        tree = etree.fromstring(order)
        entries = []
        for one in tree.iterfind(".//{*}CdtTrfTxInf"):
            cents = -int((one.findtext(".//{*}InstdAmt") or "0").replace(".", ""))
            detail = Detail(
                cents=cents,
                name=one.findtext(".//{*}Cdtr/{*}Nm") or "",
                iban=one.findtext(".//{*}CdtrAcct//{*}IBAN") or "",
                end_to_end_id=one.findtext(".//{*}EndToEndId") or "",
                bank_reference=uuid.uuid4().hex[:16],
            )
            entries.append(Entry(cents=cents, details=[detail]))
        return entries


@dataclass
class HouseStory:
    """One territory with a fund and companies. `fund_folder` is another's where the fund is kept apart."""

    name: str
    territory: str
    folder: Path
    fund_folder: Path
    place: int
    documents: Path
    dice: random.Random
    say: Callable[[str], None]
    make_database: Callable[[str], str] = lambda _name: ""
    tills: dict[int, str] = field(default_factory=dict)
    pool: str = ""
    campaign: str = ""
    budget: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.siren, self.company = COMPANIES[self.place]
        self.fund_siren, self.iban, self.bic = FUNDS[self.place]
        self.today = datetime.datetime.now(datetime.UTC).date()
        self.bank = Bank(self.iban, self.today)
        self.officers: list[SecretKeys] = [make_keys(self.dice.randbytes(64)) for _ in range(2)]
        self.documents.mkdir(parents=True, exist_ok=True)

    @property
    def is_apart(self) -> bool:
        return self.fund_folder != self.folder

    # Setting up

    def init(self) -> None:
        """Make the fund's, the companies' and the projects' bases."""
        fund_commands.init(
            self.fund_folder,
            name=f"Fonds de dotation {self.name}"[:100],
            siren=self.fund_siren,
            purpose="Soutenir des actions d'intérêt général du territoire",
            street="1 place de la Mairie",
            postcode="29200",
            town=self.name[:40],
            iban=self.iban,
            bic=self.bic,
            holder="FONDS DE DOTATION",
            signatory="Anne Le Goff",
            takes_from_public=True,
            public_url="https://fonds.example",
            database=self.make_database(f"{self.territory}-fund"),
            territory=self.territory,
            listen="127.0.0.1:0",
        )
        partners_commands.init(self.folder, database=self.make_database(f"{self.territory}-partners"))
        projects_commands.init(
            self.folder,
            database=self.make_database(f"{self.territory}-projects"),
            issuer=f"Comité {self.name}"[:80],
            public_url="https://projets.example",
        )

    def introduce(self, fund_url: str) -> None:
        """Show the bases that are kept apart to each other."""
        take_other_card(self.folder, read_own_card(self.fund_folder, BaseName.FUND), fund_url)
        for base in (BaseName.ACCOUNTS, BaseName.PARTNERS, BaseName.PROJECTS):
            take_other_card(self.fund_folder, read_own_card(self.folder, base), "")

    # Acting

    async def _ask(self, folder: Path, command: str, **arguments: Any) -> Any:
        is_running, answer = await asyncio.to_thread(call_running, folder, command, arguments)
        if not is_running:
            raise StoryFailed(f"{folder} does not answer")
        return answer

    async def fund(self, command: str, **arguments: Any) -> Any:
        return await self._ask(self.fund_folder / "fund", command, **arguments)

    async def partners(self, command: str, **arguments: Any) -> Any:
        return await self._ask(self.folder / "partners", command, **arguments)

    async def _until(self, what: str, find: Callable[[], Awaitable[Any]]) -> Any:
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while not (found := await find()):
            if asyncio.get_running_loop().time() > deadline:
                raise StoryFailed(f"{self.name}: {what} did not come")
            await asyncio.sleep(0.1)
        return found

    def _id(self) -> str:
        return str(uuid.UUID(bytes=self.dice.randbytes(16), version=4))

    async def _import(self, *entries: Entry) -> Any:
        data = self.bank.statement(*entries)
        (self.documents / f"camt053-{self.bank.number}.xml").write_bytes(data)
        return await self.fund("import", data=base64.b64encode(data).decode())

    async def open_campaign(self, people: int) -> None:
        """The company opens a campaign, and pays its fund by a transfer that the statement tells."""
        self.budget = budget = max(300_000, BUDGET_CENTS_EACH * people)
        await self.partners(
            "company",
            siren=self.siren,
            name=self.company,
            legal_form="SAS",
            street="12 rue du Commerce",
            postcode="29200",
            town="Brest",
            year_end="12-31",
        )
        first = self.today.replace(month=1, day=1)
        last = self.today.replace(month=12, day=31)
        await self.partners("years", siren=self.siren, years=[[first.isoformat(), last.isoformat()]])
        self.campaign = self._id()
        await self.partners(
            "draft",
            id=self.campaign,
            siren=self.siren,
            title="Un quart pour le territoire",
            opens_on=first.isoformat(),
            closes_on=(last + datetime.timedelta(days=365)).isoformat(),
            ceiling=budget,
            basis_points=2_500,
        )
        await self.partners("open", campaign=self.campaign, due=last.isoformat(), cents=budget)

        async def expected() -> Any:
            told = await self.partners("campaign", campaign=self.campaign)
            return told if told["payments"] and told["payments"][0]["reference"] else None

        told = await self._until("the payment's reference", expected)
        self.pool = told["pool"]
        reference = told["payments"][0]["reference"]
        # Half of it first, then the rest and something that nobody announced, which waits for a person.
        half = budget // 2
        await self._import(self.bank.receive(half, name=self.company, reference=reference))
        taken = await self._import(
            self.bank.receive(budget - half, name=self.company, reference=reference),
            self.bank.receive(1_234, name="Inconnu", text="loyer"),
        )
        if len(taken["waiting"]) != 1:
            raise StoryFailed(f"{self.name}: what nobody announced should wait: {taken}")
        await self.fund("decide", movement=taken["waiting"][0], by="Anne Le Goff", reason="paid by mistake")

        async def funded() -> Any:
            return (await self.partners("campaign", campaign=self.campaign))["funded_cents"] == budget

        await self._until("the budget", funded)
        for number in (1, 2):
            made = await self.partners("till_new", siren=self.siren, number=number, name=f"Caisse {number}")
            self.tills[number] = made["key"]

    async def _post(self, session: aiohttp.ClientSession, url: str, till: int, path: str, body: Any) -> Any:
        async with session.post(
            f"{url}/v1/partners/{path}", json=body, headers={"Authorization": f"Bearer {self.tills[till]}"}
        ) as response:
            told = await response.json()
            if response.status >= 400:
                raise StoryFailed(f"{self.name} {path}: {told}")
            return told

    async def sell(self, session: aiohttp.ClientSession, url: str, people: list[str]) -> int:
        """Tills credit: the first as customers pay, the second was offline and tells its sales later, twice."""
        now = datetime.datetime.now(datetime.UTC)
        head = {"campaign": self.campaign, "sent_at": now.isoformat()}
        credited = 0
        offline: list[dict[str, Any]] = []
        sums: dict[str, int] = {}
        for number, person in enumerate(people):
            for sale in range(SALES_EACH):
                cents = self.dice.randrange(2_000, 9_000)
                sums[f"V{number}-{sale}"] = cents
                item = {"id": f"V{number}-{sale}", "at": now.isoformat(), "cents": cents, "account": person}
                if sale == 0:
                    told = await self._post(session, url, 1, "purchases", head | item)
                    credited += told["cents"]
                else:
                    offline.append(item)
        for start in range(0, len(offline), 500):
            batch = head | {
                "sent_at": datetime.datetime.now(datetime.UTC).isoformat(),
                "items": offline[start : start + 500],
            }
            first = await self._post(session, url, 2, "batches", batch)
            again = await self._post(session, url, 2, "batches", batch)
            if refused := [line for line in first["items"] if line["status"] not in ("granted", "pending")]:
                raise StoryFailed(f"{self.name}: sales refused: {refused[:2]}")
            sums_told = [line["cents"] for line in first["items"]]
            if [line["cents"] for line in again["items"]] != sums_told:
                raise StoryFailed(f"{self.name}: a batch told twice was answered otherwise")
            credited += sum(sums_told)
        # Goods come back: a whole sale, and half of another.
        for purchase, part in (("V0-0", 1), ("V1-0", 2)):
            body = {"id": f"R-{purchase}", "purchase": purchase, "cents": sums[purchase] // part}
            await self._post(session, url, 1, "refunds", body)
        # A customer without an account gets a ticket, and claims it at home; a second claim is refused or repeated.
        item = {"id": "T-1", "at": now.isoformat(), "cents": 5_000}
        ticket = (await self._post(session, url, 1, "purchases", head | item))["ticket"]
        (self.documents / "ticket.txt").write_text(ticket + "\n", encoding="utf-8")
        claimed = await self.partners("claim", ticket=ticket, account=people[0])
        again = await self.partners("claim", ticket=ticket, account=people[0])
        if (claimed["cents"], again["repeated"]) != (1_250, True):
            raise StoryFailed(f"{self.name}: the ticket was claimed as {claimed}, then {again}")
        self.counts["sales"] = len(people) * SALES_EACH + 1
        return credited

    async def give_and_pay(self) -> None:
        """A citizen gives outside the miles; two officers pay a bearer, and the bank confirms."""
        donor = self._id()
        await self.fund(
            "donor_add",
            id=donor,
            first_name="Soazig",
            name="Kerros",
            street="3 rue des Écoles",
            postcode="29200",
            town="Brest",
        )
        gift = await self.fund(
            "expect_gift",
            id=self._id(),
            donor=donor.replace("-", ""),
            cents=GIFT_CENTS,
            due=self.today.isoformat(),
        )
        await self._import(self.bank.receive(GIFT_CENTS, name="S KERROS", reference=gift["reference"]))
        bearer = self._id()
        told = await self.fund(
            "bearer_add",
            id=bearer,
            name="Les Jardins partagés",
            registry="W291234567",
            category="association d'intérêt général",
            proof="rescrit du 12/03/2026",
            proven_until=(self.today + datetime.timedelta(days=365)).isoformat(),
            holder="LES JARDINS PARTAGES",
            iban=BEARER_IBAN,
        )
        words = await self.fund(
            "payment_words",
            id=self._id(),
            bearer=told["id"],
            cents=AID_CENTS,
            text="Jardins partagés, acompte",
            decision="comité du 20/11/2026",
        )
        for name, secret in zip(("Anne Le Goff", "Bernard Tanguy"), self.officers, strict=True):
            public = secret.public
            await self.fund("officer_add", key=public.id.hex(), name=name, signing=public.signing.hex())
            signature = sign(secret, Domain.OFFICER, write_words(read_words(words)))
            await self.fund("payment_sign", words=words, officer=public.id.hex(), signature=signature.hex())
        order = await self.fund("order", day=self.today.isoformat())
        (self.documents / f"pain001-{order['order']}.xml").write_text(order["xml"], encoding="utf-8")
        await self._import(*self.bank.carry_out(order["xml"].encode()))
        (payment,) = await self.fund("payments")
        if payment["state"] != "confirmed":
            raise StoryFailed(f"{self.name}: the bearer's payment is {payment['state']}")

    async def close(self) -> None:
        """Write what a treasurer hands over: receipts, declarations, the file of entries."""
        first, last = self.today.replace(month=1, day=1).isoformat(), self.today.replace(month=12, day=31).isoformat()
        for donor in await self.fund("donors"):
            issued = await self.fund("receipt_issue", donor=donor["id"], **{"from": first, "to": last})
            (self.documents / f"{issued['number']}.pdf").write_bytes(base64.b64decode(issued.pop("pdf")))
            self.counts["receipts"] = self.counts.get("receipts", 0) + 1
        year = self.today.year
        fec = await self.fund("fec", year=year)
        if fec["faults"]:
            raise StoryFailed(f"{self.name}: the file of entries has faults: {fec['faults'][:3]}")
        (self.documents / fec["name"]).write_bytes(base64.b64decode(fec["content"]))
        for name, told in (
            ("declaration", await self.fund("declare", year=year)),
            ("balance", await self.fund("balance", year=year)),
            ("uses", await self.fund("uses", year=year)),
            ("standing", await self.partners("standing", siren=self.siren)),
            ("public-sheet", await self.partners("sheet", siren=self.siren)),
        ):
            text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
            (self.documents / f"{name}.json").write_text(text, encoding="utf-8")
        self.counts["entries"] = fec["entries"]
        where = "on a machine of its own" if self.is_apart else "with the rest"
        self.say(
            f"{self.name}: {self.budget // 100} euros of {self.company}, {self.counts['sales']} sales, "
            f"{self.counts['receipts']} receipts, {self.counts['entries']} entries; the fund is kept {where}"
        )
