"""A house whose processes are killed: accounts, companies and fund in one process, or the fund in one of its own.

Tills sell, send batches, refund and have tickets claimed over HTTP; a treasurer imports statements, has payments signed
by two, orders them and issues receipts, the company's office books files, and citizens direct rights to projects that are
converted and paid (`house_projects`), over the commands' socket. Whoever gets no answer asks again under the same id. At the end everything is asked once more.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import random
import time
import uuid
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from protocol.errors import Refusal
from protocol.running.admin_client import call_running
from tests.fund.camt_files import Detail, Entry, File
from tests.house.test_fund_processes import FUND
from tests.killing.harness import _require_sound
from tests.killing.house_office import Office, book_files_on, issue_receipts_on, judge_office, open_office, pay_on
from tests.killing.house_oracle import HouseOracle, Told
from tests.killing.house_projects import (
    Choices,
    choose_on,
    convert_on,
    finish_projects,
    judge_projects,
    open_projects,
)
from tests.killing.killer import Killer
from tests.killing.oracle import UNDECIDED
from tests.killing.processes import Kept
from tests.node.parties import PROGRAM
from tests.node.place import BREST
from tests.ports import choose_port
from tests.postgres import PostgresServer

SIREN: Final = "552100554"
TILLS: Final = 3
CALLERS: Final = 2  # of each till
PEOPLE: Final = 5
BASIS_POINTS: Final = 200
FIRST_CENTS: Final = 200_000
ANSWER_SECONDS: Final = 10.0
GIVE_UP_SECONDS: Final = 120.0
SETTLE_SECONDS: Final = 90.0
BETWEEN_SECONDS: Final = (0.0, 0.08)
BETWEEN_STATEMENTS: Final = (0.05, 0.4)
REFUSED_FOR_THE_BUDGET: Final = "budget_too_small"


class NeverAnswered(Exception):
    """A house did not answer in the time in which any caller would have given up."""


@dataclass
class HouseOutcome:
    """What came of a run."""

    kills: dict[str, dict[str, int]]
    pairs: int
    accidents: dict[str, int]
    sales: int
    refunds: int
    claims: int
    statements: int
    payments: int
    paid: int
    receipts: int
    files: int
    orientations: int
    converted: int
    acknowledged: int
    asked_again: int
    seconds: float
    lost: int
    twice: int
    wrongs: list[str] = field(default_factory=list)


@dataclass
class House:
    """The parties, and what their callers know."""

    node: Kept
    fund: Kept
    oracle: HouseOracle
    dice: random.Random
    session: aiohttp.ClientSession
    campaign: str = ""
    reference: str = ""
    keys: dict[int, str] = field(default_factory=dict)  # till -> credential
    api_key: str = ""
    people: list[str] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)  # of people, by their number
    files: list[bytes] = field(default_factory=list)
    number: int = 0
    office: Office = field(default_factory=Office)
    choices: Choices = field(default_factory=Choices)

    @property
    def parties(self) -> list[Kept]:
        return [self.node] if self.node is self.fund else [self.node, self.fund]

    async def send(self, key: str, method: str, path: str, body: Any = None) -> tuple[int, Any, int]:
        """Ask until there is an answer that decides; return status, JSON, and how often it was asked."""
        since = time.monotonic()
        times = 0
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en"}
        while self.node.silence_seconds(since, time.monotonic()) < GIVE_UP_SECONDS:
            times += 1
            url = f"http://127.0.0.1:{self.node.port}{path}"
            try:
                async with self.session.request(method, url, json=body, headers=headers) as response:
                    status, told = response.status, await response.json()
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                status, told = 503, {}
            if status == 500:
                self.oracle.wrong(f"{path}: an incident, {told}")
            elif status != 503 and told.get("code") not in UNDECIDED:
                return status, told, times
            self.oracle.asked_again += 1
            await asyncio.sleep(self.dice.uniform(0.03, 0.25))
        raise NeverAnswered(f"{path}\n{self.node.log[-2_000:]}")

    async def command(self, party: Kept, base: str, name: str, /, **arguments: Any) -> Any:
        """Have a command run in the running process, again until it is answered. Raises its Refusal."""
        folder = party.folder / base if base else party.folder
        since = time.monotonic()
        arguments |= {"language": "en"}
        while party.silence_seconds(since, time.monotonic()) < GIVE_UP_SECONDS:
            try:
                is_running, told = await asyncio.to_thread(
                    call_running, folder, name, arguments, seconds=ANSWER_SECONDS
                )
                if is_running:
                    return told
            except Refusal as refusal:
                if refusal.code not in UNDECIDED | {"no_answer"}:
                    raise
            self.oracle.asked_again += 1
            await asyncio.sleep(self.dice.uniform(0.03, 0.25))
        raise NeverAnswered(f"{name}\n{party.log[-2_000:]}")


async def run_house_story(
    folder: Path,
    *,
    kills: int,
    seed: int,
    is_apart: bool = False,
    server: PostgresServer | None = None,
    program: Sequence[str] = (str(PROGRAM),),
    on_kill: Callable[[int], Any] = lambda _: None,
) -> HouseOutcome:
    """Run one story in this folder; the bases are SQLite in it, or databases of `server`."""
    began = time.monotonic()
    dice = random.Random(f"kill/house/{seed}")
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=2.0)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        oracle = HouseOracle(BASIS_POINTS)
        house = await _set_up(folder, server, tuple(program), is_apart, oracle, dice, session)
        killer = Killer(house.parties, dice, server)
        try:
            for party in house.parties:
                party.keep(dice)
            await _open(house)
            await open_projects(house, kills)
            stop = asyncio.Event()
            working = [
                asyncio.create_task(_work(house, till, random.Random(dice.random()), stop))
                for till in house.keys
                for _ in range(CALLERS)
            ]
            for work in (_import_on, pay_on, issue_receipts_on, book_files_on, choose_on, convert_on):
                working.append(asyncio.create_task(work(house, random.Random(dice.random()), stop)))
            await killer.run(kills, on_kill)
            stop.set()
            await asyncio.gather(*working)
            await asyncio.gather(*(party.wait_up() for party in house.parties))
            await _settle(house)
            await finish_projects(house)
            await _ask_again(house)
            await _settle(house)
            await _judge(house)
            for party in house.parties:
                await asyncio.to_thread(_require_sound, oracle, party)
        finally:
            for party in house.parties:
                await party.stop()
    sales = list(oracle.sales.values())
    return HouseOutcome(
        kills={party.code: dict(party.kills) for party in house.parties},
        pairs=killer.pairs,
        accidents=dict(killer.accidents),
        sales=len(sales),
        refunds=sum(len(one.refunds) for one in sales),
        claims=sum(bool(one.claimed_by) for one in sales),
        statements=len(oracle.entries),
        payments=len(house.office.payments),
        paid=len(house.office.booked),
        receipts=house.office.receipts,
        files=len(house.office.files),
        orientations=sum(len(one.directed) for one in house.choices.projects),
        converted=house.choices.paid,
        acknowledged=oracle.acknowledged,
        asked_again=oracle.asked_again,
        seconds=round(time.monotonic() - began, 1),
        lost=oracle.lost,
        twice=oracle.twice,
        wrongs=oracle.wrongs,
    )


async def _set_up(
    folder: Path,
    server: PostgresServer | None,
    program: tuple[str, ...],
    is_apart: bool,
    oracle: HouseOracle,
    dice: random.Random,
    session: aiohttp.ClientSession,
) -> House:
    """Make the bases, and start them; the fund's in a folder and a process of its own where it is apart."""

    def base() -> list[str]:
        return [] if server is None else ["--database", server.create_database()]

    async def run(party: Kept, *words: object) -> None:
        done = await asyncio.to_thread(party.run, *words)
        assert done.returncode == 0, done.stderr

    node = Kept("node", folder / "node", code="node", program=program)
    words = ["--territory", BREST, "--name", "Brest", "--listen", f"127.0.0.1:{choose_port()}"]
    await run(node, "init", node.folder, *words, *base(), "--back-off-ceiling-ms", 300)
    await run(node, "partners", "init", node.folder, *base())
    await run(node, "projects", "init", node.folder, *base())
    fund = node
    if is_apart:
        fund = Kept("node", folder / "foundation", code="foundation", program=program)
        where = ["--territory", BREST, "--listen", f"127.0.0.1:{choose_port()}"]
        await run(fund, "fund", "init", fund.folder, *FUND, *where, *base())
        for name in ("accounts", "partners", "projects"):
            card = (await asyncio.to_thread(node.json, "house", "card", node.folder, name))["card"]
            await run(fund, "house", "add", fund.folder, card)
        fund.launch()
        await fund.wait_up()
        card = (await asyncio.to_thread(fund.json, "house", "card", fund.folder, "fund"))["card"]
        await run(node, "house", "add", node.folder, card, "--url", f"http://127.0.0.1:{fund.port}")
    else:
        await run(node, "fund", "init", node.folder, *FUND, *base())
    node.launch()
    await node.wait_up()
    return House(node, fund, oracle, dice, session)


async def _open(house: House) -> None:
    """Accounts, a company, a campaign whose first euros came, tills; before anybody is killed."""
    node = house.node
    key = await asyncio.to_thread(node.json, "api-key", "new", node.folder, "callers", "--scopes", "admin")
    house.api_key = key["key"]
    for _ in range(PEOPLE):
        body = {"id": str(uuid.uuid4()), "kind": "person"}
        _, told, _ = await house.send(house.api_key, "POST", "/v1/accounts", body)
        house.people.append(told["number"])
        house.addresses[told["number"]] = told["address"]
    place = {"street": "1 rue de Siam", "postcode": "29200", "town": "Brest", "year_end": "12-31"}
    await house.command(node, "partners", "company", siren=SIREN, name="Le Fournil", legal_form="SAS", **place)
    house.campaign = str(uuid.uuid4())
    terms = {"opens_on": "2026-01-01", "closes_on": "2099-12-31", "ceiling": 100_000_000, "basis_points": BASIS_POINTS}
    nothing = {"fixed": 0, "threshold": 0, "per_purchase": None, "per_day": None, "theme": "", "territory": ""}
    words = {"id": house.campaign, "siren": SIREN, "title": "Pain", "called": False}
    await house.command(node, "partners", "draft", **words, **terms, **nothing)
    await house.command(node, "partners", "open", campaign=house.campaign, due="2099-12-31", cents=None)
    give_up = time.monotonic() + SETTLE_SECONDS
    while not house.reference:
        assert time.monotonic() < give_up, "the fund never said a reference"
        await asyncio.sleep(0.1)
        told = await house.command(node, "partners", "campaign", campaign=house.campaign)
        house.reference = next((one["reference"] for one in told["payments"]), "")
    for number in range(1, TILLS + 1):
        made = await house.command(node, "partners", "till_new", siren=SIREN, name=f"till {number}", number=number)
        house.keys[number] = made["key"]
    await open_office(house)
    await _import_one(house, FIRST_CENTS)
    while (await _show_campaign(house))["funded_cents"] != FIRST_CENTS:
        assert time.monotonic() < give_up, "the first euros never came"
        await asyncio.sleep(0.1)


async def _show_campaign(house: House) -> Any:
    status, told, _ = await house.send(house.keys[1], "GET", f"/v1/partners/campaigns/{house.campaign}")
    assert status == 200, told
    return told


# ---------------------------------------------------------------- the bank


async def _import_on(house: House, dice: random.Random, stop: asyncio.Event) -> None:
    while not stop.is_set():
        # No two statements bring the same sum: by it an entry is known again.
        await _import_one(house, dice.randint(1, 9) * 1_000 + house.number)
        if dice.random() < 0.2:
            await _import_again(house, dice.choice(house.files))
        await asyncio.sleep(dice.uniform(*BETWEEN_STATEMENTS))


async def _import_one(house: House, cents: int) -> None:
    """Import the next statement: one transfer for the campaign's payment, and what left for bearers."""
    house.number += 1
    number = house.number
    detail = Detail(cents=cents, reference=house.reference)
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    entry = Entry(cents=cents, details=[detail], bank_reference=f"B{number:06d}", day=day)
    leaving = dict(house.office.leaving)
    entries = [entry] + [
        Entry(cents=-paid, details=[Detail(cents=-paid, end_to_end_id=id_)], bank_reference=id_, day=day)
        for id_, paid in leaving.items()
    ]
    opening = sum(house.oracle.entries.values()) - sum(house.office.booked.values())
    data = File(opening=opening, entries=entries, id=f"S{number}", sequence=number).write()
    told = await house.command(house.fund, "fund", "import", data=base64.b64encode(data).decode())
    house.oracle.entries[number] = cents
    house.files.append(data)
    for id_, paid in leaving.items():
        house.office.booked[id_] = paid
        del house.office.leaving[id_]
    if not told["repeated"] and told["deposited_cents"] != cents:
        house.oracle.wrong(f"statement {number} deposits {told['deposited_cents']} of {cents}")


async def _import_again(house: House, data: bytes) -> None:
    told = await house.command(house.fund, "fund", "import", data=base64.b64encode(data).decode())
    if told["statements"] or told["new"] or told["deposited_cents"]:
        house.oracle.twice += 1
        house.oracle.wrong(f"an imported statement counts again: {told}")


# ---------------------------------------------------------------- the tills


async def _work(house: House, till: int, dice: random.Random, stop: asyncio.Event) -> None:
    """Ask for one thing after another until told to stop; what was begun is brought to its answer."""
    sold: list[Told] = []
    while not stop.is_set():
        chance = dice.random()
        if chance < 0.45 or not sold:
            sold += await _sell(house, till, [_make_sale(house, till, dice)], is_batch=False)
        elif chance < 0.65:
            sold += await _sell(house, till, [_make_sale(house, till, dice) for _ in range(dice.randint(2, 12))])
        elif chance < 0.85:
            await _refund(house, dice.choice(sold), dice)
        else:
            await _claim(house, dice.choice(sold), dice)
        del sold[:-40]
        await asyncio.sleep(dice.uniform(*BETWEEN_SECONDS))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _make_sale(house: House, till: int, dice: random.Random) -> Told:
    id_ = dice.randbytes(8).hex()
    account = dice.choice(house.people) if dice.random() < 0.8 else ""
    cents = dice.randint(50, 9_000)
    body: dict[str, Any] = {"id": id_, "at": _now(), "cents": cents}
    if account:
        body["account"] = account
    return Told(id_, till, account, cents, body)


async def _sell(house: House, till: int, sales: list[Told], *, is_batch: bool = True) -> list[Told]:
    """Tell sales; return those that gave miles."""
    key, envelope = house.keys[till], {"campaign": house.campaign, "sent_at": _now()}
    if is_batch:
        body = {**envelope, "items": [one.body for one in sales]}
        status, told, times = await house.send(key, "POST", "/v1/partners/batches", body)
        lines = told.get("items", [])
    else:
        status, told, times = await house.send(key, "POST", "/v1/partners/purchases", {**envelope, **sales[0].body})
        lines = [told]
    if status >= 400 and told.get("code") != REFUSED_FOR_THE_BUDGET:
        house.oracle.wrong(f"sales are refused: {status} {told}")
        return []
    for sale, line in zip(sales, lines, strict=True):
        _hear(house, sale, line, times)
    return [one for one in sales if one.granted]


def _hear(house: House, sale: Told, line: dict[str, Any], times: int) -> None:
    code = line.get("code", "")
    if code not in ("", REFUSED_FOR_THE_BUDGET, "nothing_to_grant"):
        house.oracle.wrong(f"sale {sale.id} is refused: {line}")
    heard = Told(sale.id, sale.till, sale.account, sale.cents, sale.body, line.get("cents", 0), code)
    heard.ticket = line.get("ticket", "")
    known = house.oracle.sales.get(sale.id)
    house.oracle.hear_sale(heard, is_repeat=line.get("repeated", False), times=99 if known else times)
    if known is None:
        sale.granted, sale.code, sale.ticket = heard.granted, heard.code, heard.ticket


async def _refund(house: House, sale: Told, dice: random.Random) -> None:
    sale = house.oracle.sales[sale.id]
    key = f"{sale.till}"
    async with _one_at_a_time(house, sale.id):
        left = sale.cents - sum(cents for cents, _ in sale.refunds.values())
        if left <= 0:
            return
        cents = left if dice.random() < 0.4 else dice.randint(1, left)
        await _ask_refund(house, sale, f"r{key}-{dice.randbytes(6).hex()}", cents)


async def _ask_refund(house: House, sale: Told, id_: str, cents: int) -> None:
    body = {"id": id_, "purchase": sale.id, "cents": cents}
    status, told, _ = await house.send(house.keys[sale.till], "POST", "/v1/partners/refunds", body)
    if status >= 400:
        house.oracle.wrong(f"refund {id_} of {sale.id} is refused: {told}")
        return
    house.oracle.hear_refund(sale, id_, cents, told)


async def _claim(house: House, sale: Told, dice: random.Random) -> None:
    sale = house.oracle.sales[sale.id]
    if not sale.ticket or sale.claimed_by:
        return
    async with _one_at_a_time(house, sale.id):
        if not sale.claimed_by:
            await _ask_claim(house, sale, dice.choice(house.people))


async def _ask_claim(house: House, sale: Told, account: str) -> None:
    body = {"ticket": sale.ticket, "account": account}
    status, told, _ = await house.send(house.keys[sale.till], "POST", "/v1/partners/claims", body)
    if status < 400:
        if sale.claimed_by not in ("", account):
            house.oracle.twice += 1
            house.oracle.wrong(f"the ticket of {sale.id} is claimed by {account} after {sale.claimed_by}")
        sale.claimed_by = account
    elif told.get("code") == "ticket_claimed" and sale.claimed_by not in ("", account):
        return
    elif told.get("code") != "ticket_void":
        house.oracle.wrong(f"the ticket of {sale.id}: {told}")


def _one_at_a_time(house: House, id_: str) -> asyncio.Lock:
    locks: dict[str, asyncio.Lock] = house.__dict__.setdefault("locks", {})
    return locks.setdefault(id_, asyncio.Lock())


# ---------------------------------------------------------------- the end


async def _settle(house: House) -> None:
    """Wait until the accounts answered every grant and every euro is issued; what never comes is for the oracle to say."""
    give_up = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < give_up:
        told = await _show_campaign(house)
        if not told["waiting_cents"] and told["funded_cents"] == sum(house.oracle.entries.values()):
            return
        await asyncio.sleep(0.1)


async def _ask_again(house: House) -> None:
    """Ask for everything that was answered once more, under the same ids: the oracle holds answer against answer."""
    for sale in list(house.oracle.sales.values()):
        body = {**sale.body, "campaign": house.campaign, "sent_at": _now()}
        _, told, _ = await house.send(house.keys[sale.till], "POST", "/v1/partners/purchases", body)
        if told.get("code", "") in ("", sale.code):
            _hear(house, sale, {**told, "code": sale.code, "repeated": told.get("repeated", bool(sale.code))}, 99)
        else:
            house.oracle.wrong(f"sale {sale.id} is answered otherwise: {told}, and {sale.granted} before")
        for id_, (cents, _) in list(sale.refunds.items()):
            await _ask_refund(house, sale, id_, cents)
        if sale.claimed_by:
            other = next(one for one in house.people if one != sale.claimed_by)
            for account in (other, sale.claimed_by):
                await _ask_claim(house, sale, account)
    for data in house.files:
        await _import_again(house, data)


async def _judge(house: House) -> None:
    balances = {}
    for account in (*house.people, *house.choices.people):
        _, told, _ = await house.send(house.api_key, "GET", f"/v1/accounts/{account}/balance")
        balances[account] = told["cents"] + house.choices.taken(account)
    movements = Tally(row["cents"] for row in await house.command(house.fund, "fund", "movements"))
    house.oracle.judge(
        balances=balances,
        campaign=await _show_campaign(house),
        movements=movements,
        given=house.office.given,
        paid=house.office.booked.values(),
    )
    await judge_office(house)
    await judge_projects(house)
