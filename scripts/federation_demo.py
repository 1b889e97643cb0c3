"""The demo: a hub, a dozen real territories and two South communities, as processes, with accidents.

Everything goes through what users have: the command line's functions to set up, the HTTP API to act, the unix socket to
administer, files to carry by hand. It ends with the checks of every book, and with sums that no single book could know.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from hub import commands as hub_commands
from node import commands as node_commands
from node.desks.accounts import federation_commands
from node.desks.accounts.call_commands import call_accounts
from protocol.amounts import format_cents
from protocol.identifiers import make_south_code
from protocol.running import console_commands
from protocol.running.admin_client import call_running

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
from cycle_demo import CycleStory, Town  # noqa: E402 - from the folders that the line above names
from house_demo import HouseStory, StoryFailed  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
TERRITORIES = ROOT / "scripts" / "data" / "territories.json"
PROGRAM = Path(sys.executable).with_name("citizen-miles")
HOUSES = 3  # territories with a fund and companies
CITIZENS = 480  # shared out in proportion to population, at least four each
ENDOWMENT_CENTS = 5_000_000
START_SECONDS = 60.0
QUIET_SECONDS = 60.0
CYCLE_FACTS = {"refused", "missed", "audit", "blocked", "direct", "shed", "netted", "south", "pass", "solidarity"}

console = Console(width=None if sys.stdout.isatty() else 120)


class DemoFailed(Exception):
    """Something is not as it must be."""


@dataclass(slots=True)
class Party:
    """One process: the hub or a node."""

    kind: str
    code: str
    name: str
    folder: Path
    population: int = 0
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    key: str = ""
    pool: str = ""
    people: list[str] = field(default_factory=list)  # addresses
    is_by_file: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        (self.folder / "port").unlink(missing_ok=True)
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(PROGRAM), self.kind, "serve", str(self.folder)], stdout=log, stderr=log, start_new_session=True
            )

    async def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise DemoFailed(f"{self.name} ended at once: see {self.folder / 'serve.log'}")
            try:
                self.port = int((self.folder / "port").read_text())
                return
            except (FileNotFoundError, ValueError):
                await asyncio.sleep(0.05)
        raise DemoFailed(f"{self.name} did not start in {START_SECONDS:.0f} seconds")

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(START_SECONDS)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def admin(self, command: str, **arguments: Any) -> Any:
        is_running, answer = call_running(self.folder, command, arguments)
        if not is_running:
            raise DemoFailed(f"{self.name} does not answer")
        return answer


class Demo:
    """The whole story, step by step."""

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int,
        seed: int,
        make_database: Callable[[str], str] = lambda _code: "",
        documents: Path | None = None,
        citizens: int = CITIZENS,
        houses: int = HOUSES,
    ) -> None:
        """`make_database` gives the database address of a party; empty is an SQLite file in its folder.

        `documents` is where receipts, orders, declarations and files of entries go.
        """
        self.folder = folder
        self.make_database = make_database
        self.dice = random.Random(seed)  # noqa: S311 - a story to be told again, not a secret
        self.count = nodes
        self.citizens = citizens
        self.house_count = houses
        self.hub = Party("hub", "HUB-FR", "hub", folder / "hub")
        self.nodes: list[Party] = []
        self.counts: dict[str, int] = dict.fromkeys(
            ("credited", "ceded", "delivered", "returned", "recalled", "refused", "by_file", "killed"), 0
        )
        self.session: aiohttp.ClientSession | None = None
        self.began = time.monotonic()
        self.sent: dict[str, Party] = {}  # cession id -> the node that sent it
        self.houses: dict[str, HouseStory] = {}  # by territory: those with a fund and companies
        self.foundation: Party | None = None  # keeps one of the funds, on a machine of its own
        self.cycle: dict[str, Any] = {}  # what came of projects, conversions, audits and passes
        self.documents = (documents or folder / "documents").resolve()

    def say(self, text: str) -> None:
        console.print(f"[dim]{time.monotonic() - self.began:6.1f} s[/dim]  {text}", highlight=False)

    # Setting up

    def choose(self) -> None:
        """Choose real territories of different sizes, from the largest to the smallest, and two South communities."""
        rows = json.loads(TERRITORIES.read_text(encoding="utf-8"))["territories"]
        rows.sort(key=lambda row: -row["population"])
        step = len(rows) / self.count
        chosen = [
            rows[min(len(rows) - 1, int(place * step + self.dice.random() * step))] for place in range(self.count)
        ]
        for row in chosen:
            self.nodes.append(
                Party("node", row["siren"], row["name"], self.folder / row["siren"], population=row["population"])
            )
        for name in ("Ndem, Sénégal", "Sikasso, Mali"):
            code = make_south_code(self.dice.randbytes(16))
            self.nodes.append(Party("node", code, name, self.folder / code, population=20_000))
        self.nodes[-1].is_by_file = True

    @property
    def south(self) -> list[Party]:
        return self.nodes[-2:]

    @property
    def territories(self) -> list[Party]:
        return self.nodes[:-2]

    @property
    def awake(self) -> list[Party]:
        return [node for node in self.nodes if not node.is_by_file]

    async def set_up(self) -> None:
        """Start the hub; invite, enrol and accredit every member; start every node."""
        self.choose()
        with _quiet():
            hub_commands.init(
                self.hub.folder,
                network="demo",
                listen="127.0.0.1:0",
                name="Citizen-Miles demo hub",
                database=self.make_database(self.hub.code),
            )
        self.hub.start()
        await self.hub.wait_ready()
        self.say(f"hub on {self.hub.url}")
        for node in self.nodes:
            await asyncio.to_thread(self._enrol, node)
        self.say(f"{len(self.territories)} territories and {len(self.south)} South communities enrolled and accredited")
        await self._make_houses()
        for node in self.awake:
            node.start()
        for node in self.awake:
            await node.wait_ready()
        self.say(f"{len(self.awake)} nodes run; {self.south[1].name} sleeps and takes part by file")
        for node in self.nodes:
            await self._open_pool(node)
        await self._wait_directory()

    def _enrol(self, node: Party) -> None:
        hub_url = "" if node.is_by_file else self.hub.url
        with _quiet():
            node_commands.init(
                node.folder,
                territory=node.code,
                name=node.name,
                network="demo",
                hub=hub_url,
                listen="127.0.0.1:0",
                database=self.make_database(node.code),
                back_off_ceiling_ms=1_000,
            )
            invitation = self.hub.admin("invite", member=node.code, url=self.hub.url)["invitation"]
            if node.is_by_file:
                request, welcome = node.folder / "enrol.out", node.folder / "enrol.in"
                node_commands.enrol(node.folder, invitation, export=request)
                hub_commands.import_enrolment(self.hub.folder, request, reply=welcome)
                node_commands.enrol(node.folder, invitation, welcome=welcome)
            else:
                node_commands.enrol(node.folder, invitation)
        is_south = node in self.south
        sponsor = self.territories[self.south.index(node)].code if is_south else ""
        self.hub.admin("accredit", member=node.code, sponsor=sponsor, guide="Awa Diop" if is_south else "")

    async def _make_houses(self) -> None:
        """Give three territories a fund and companies; one of the funds is kept by a foundation, elsewhere."""
        for place, node in enumerate(self.territories[: self.house_count]):
            is_apart = place == self.house_count - 1
            story = HouseStory(
                name=node.name,
                territory=node.code,
                folder=node.folder,
                fund_folder=self.folder / f"{node.code}-foundation" if is_apart else node.folder,
                place=place,
                documents=self.documents / node.code,
                dice=random.Random(f"{node.code}/{self.count}"),  # noqa: S311 - a story to be told again
                say=self.say,
                make_database=self.make_database,
            )
            with _quiet():
                await asyncio.to_thread(story.init)
            if is_apart:
                self.foundation = Party("node", f"{node.code}-fund", f"foundation of {node.name}", story.fund_folder)
                self.foundation.start()
                await self.foundation.wait_ready()
                await asyncio.to_thread(story.introduce, self.foundation.url)
                # It learns who its neighbours are when it starts again, on the port that the node knows.
                self.foundation.stop()
                _keep_port(self.foundation)
                self.foundation.start()
                await self.foundation.wait_ready()
            self.houses[node.code] = story
        self.say(
            f"{self.house_count} territories have a fund and companies; one fund is kept by a foundation elsewhere"
        )

    async def _live(self, node: Party) -> None:
        """A territory with a house: its miles are its company's euros."""
        assert self.session is not None
        story = self.houses[node.code]
        await story.open_campaign(len(node.people))
        node.pool = story.pool
        await story.sell(self.session, node.url, node.people)
        await story.give_and_pay()
        self.counts["credited"] += story.counts["sales"]

    async def live_the_cycle(self) -> None:
        """From citizens' choices to bearers' accounts, between the three territories that have a house."""
        if len(self.houses) == 3:
            towns = [Town(self.houses[node.code], node.people) for node in self.territories[:3]]
            dice = random.Random(f"cycle/{self.count}")  # noqa: S311 - a story to be told again
            cycle = CycleStory(towns, dice, self.say, self._stop_node, self._start_node, self.hub.admin)
            await cycle.run()
            self.cycle = cycle.facts
        for story in self.houses.values():
            await story.close()

    def _find(self, code: str) -> Party:
        return next(node for node in self.nodes if node.code == code)

    async def _stop_node(self, code: str) -> None:
        await asyncio.to_thread(self._find(code).stop)

    async def _start_node(self, code: str) -> None:
        node = self._find(code)
        _keep_port(node)
        node.start()
        await node.wait_ready()

    async def _open_pool(self, node: Party) -> None:
        opened = await self._admin(node, "open", id=self._id(), kind="pool")
        node.pool = opened["number"]
        made = await self._admin(node, "new_key", name="demo", scopes="read,credit,cede,accounts")
        node.key = made["key"]

    async def _admin(self, node: Party, command: str, **arguments: Any) -> Any:
        """Run an admin command: in the running process, or where none runs, on the book itself."""
        if node.is_by_file:
            return await asyncio.to_thread(call_accounts, node.folder, command, **arguments)
        return await asyncio.to_thread(node.admin, command, **arguments)

    async def _wait_directory(self) -> None:
        """Wait until every awake node knows every member as active."""
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            known = [node.admin("federation") for node in self.awake]
            expected = 1 + 2 * len(self.nodes)
            if all(one["status"] == "active" and one["directory_entries"] >= expected for one in known):
                return
            await asyncio.sleep(0.1)
        raise DemoFailed("the directory did not reach every node")

    def _id(self) -> str:
        return str(uuid.UUID(bytes=self.dice.randbytes(16), version=4))

    # Acting

    async def _post(self, node: Party, path: str, body: Any) -> Any:
        """POST until it is answered: the same ids, so that nothing is done twice."""
        assert self.session is not None
        deadline = time.monotonic() + QUIET_SECONDS
        while True:
            try:
                async with self.session.post(
                    node.url + path, json=body, headers={"Authorization": f"Bearer {node.key}"}
                ) as response:
                    answer = await response.json()
                    if response.status < 500:
                        if response.status >= 400:
                            raise DemoFailed(f"{node.name} {path}: {answer}")
                        return answer
            except (aiohttp.ClientError, ConnectionError):
                pass
            if time.monotonic() > deadline:
                raise DemoFailed(f"{node.name} did not answer {path}")
            await asyncio.sleep(0.1)

    async def open_accounts(self) -> None:
        """Enrol citizens in proportion to population, and a group in each South community."""
        total = sum(node.population for node in self.territories)
        for node in self.territories:
            count = max(4, self.citizens * node.population // total)
            opened = await asyncio.gather(
                *(self._post(node, "/v1/accounts", {"id": self._id(), "kind": "person"}) for _ in range(count))
            )
            node.people = [one["address"] for one in opened]
        for node in self.south:
            opened = await self._admin(node, "open", id=self._id(), kind="group", shown_name="Groupement des femmes")
            node.people = [opened["address"]]
        self.say(f"{sum(len(node.people) for node in self.nodes)} accounts opened")

    async def credit_purchases(self) -> None:
        """Endow each territory's pool, and credit purchases."""
        await asyncio.gather(*(self._live(node) for node in self.territories if node.code in self.houses))
        for node in self.territories:
            if node.code in self.houses:
                continue
            await self._admin(
                node,
                "endow",
                id=self._id(),
                donor=self._id(),
                campaign="printemps",
                month=202611,
                lot_class=5,
                into=node.pool,
                cents=ENDOWMENT_CENTS,
                reason="demo: bank statement 2026-11",
            )
            items = [
                {"id": self._id(), "to": person, "cents": self.dice.randrange(200, 4_000), "reference": "till 1"}
                for person in node.people
                for _ in range(5)
            ]
            for start in range(0, len(items), 1_000):
                answer = await self._post(
                    node, "/v1/credits", {"from": node.pool, "items": items[start : start + 1_000]}
                )
                done = [one for one in answer["items"] if one["status"] == "done"]
                self.counts["credited"] += len(done)
                if len(done) != len(answer["items"]):
                    raise DemoFailed(f"{node.name}: credits refused: {answer['items'][:3]}")
        self.say(f"{self.counts['credited']} purchases credited")

    async def cede(self, node: Party, orders: Sequence[tuple[str, str, int]], words: str = "") -> list[str]:
        """Cede (from, to, cents) from a node, in one call; return the ids."""
        items = [
            {"id": self._id(), "from": giver, "to": taker, "cents": cents, "words": words}
            for giver, taker, cents in orders
        ]
        answer = await self._post(node, "/v1/cessions", {"items": items})
        ids = []
        for one in answer["items"]:
            if one["status"] not in ("done", "repeated"):
                raise DemoFailed(f"{node.name}: cession refused at home: {one}")
            ids.append(one["id"])
            self.sent[one["id"]] = node
        self.counts["ceded"] += len(ids)
        return ids

    def _orders(self, node: Party, takers: Sequence[Party], cents_max: int) -> list[tuple[str, str, int]]:
        return [
            (giver, self.dice.choice(self.dice.choice(takers).people), self.dice.randrange(10, cents_max))
            for giver in node.people
        ]

    async def traffic(self, cents_max: int, words: str = "") -> None:
        """Let every citizen of every territory cede something to somebody elsewhere, or to the awake South."""

        async def one(node: Party) -> None:
            takers = [other for other in self.awake if other is not node]
            await self.cede(node, self._orders(node, takers, cents_max), words)

        await asyncio.gather(*(one(node) for node in self.territories))

    async def traffic_with_accidents(self) -> None:
        """Kill the hub and a node in the middle of traffic, and start them again."""
        await self.traffic(200, "pour l'école")
        victim = self.territories[len(self.territories) // 2]
        running = asyncio.create_task(self.traffic(150))
        await asyncio.sleep(0.05)
        self.hub.kill()
        victim.kill()
        self.counts["killed"] += 2
        self.say(f"SIGKILL to the hub and to {victim.name}, in the middle of traffic")
        await asyncio.sleep(0.5)
        _keep_port(victim)
        victim.start()
        await victim.wait_ready()
        await running
        await asyncio.sleep(0.5)
        self.say(f"{victim.name} is back; the hub is still away: rights wait, nothing is lost")
        _keep_port(self.hub)
        self.hub.start()
        await self.hub.wait_ready()
        self.say("the hub is back")

    async def special_cases(self) -> None:
        """One recalled, one returned, one refused, and some for the sleeping community."""
        first, second, third = self.territories[:3]
        sleeper = self.south[1]
        group = sleeper.people[0]
        recalled = (await self.cede(first, [(first.people[0], group, 120)]))[0]
        for node in (first, second):
            await self.cede(node, [(giver, group, 75) for giver in node.people[:10]], "bon courage")
        await self._wait_state(first, recalled, {"cleared"})
        await self._post(first, f"/v1/cessions/{recalled}/recall", {})
        await self._wait_sent(third)
        closed = await self._post(second, "/v1/accounts", {"id": self._id(), "kind": "person"})
        await self._post(second, f"/v1/accounts/{closed['number']}/state", {"event": "close"})
        await self.cede(first, [(first.people[1], closed["address"], 130)])
        self.hub.admin("change", kind="limits", member=third.code, abroad=None, message=60, day=None)
        await self.cede(third, [(third.people[0], first.people[0], 61)])
        await self._wait_state(first, recalled, {"recalled"})
        self.say("one cession recalled, one sent to a closed account, one over its territory's limit")

    async def _wait_sent(self, node: Party) -> None:
        """Wait until the hub has judged everything a node sent."""
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            if "queued" not in (await asyncio.to_thread(node.admin, "totals"))["sent"]:
                return
            await asyncio.sleep(0.05)
        raise DemoFailed(f"the hub did not judge what {node.name} sent")

    async def _wait_state(self, node: Party, id_: str, states: set[str]) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            if (await asyncio.to_thread(node.admin, "cession", id=id_))["state"] in states:
                return
            await asyncio.sleep(0.05)
        raise DemoFailed(f"cession {id_} of {node.name} did not become {states}")

    async def carry_files(self) -> None:
        """Bring the sleeping community up to date by file, both ways, and once too often."""
        node = self.south[1]
        out, back = node.folder / "to-hub.cm", node.folder / "from-hub.cm"
        for _ in range(3):
            with _quiet():
                await asyncio.to_thread(federation_commands.export_envelope, node.folder, out)
                await asyncio.to_thread(hub_commands.import_envelope, self.hub.folder, out, reply=back)
                await asyncio.to_thread(federation_commands.import_envelope, node.folder, back)
        with _quiet():
            await asyncio.to_thread(hub_commands.import_envelope, self.hub.folder, out, reply=back)
            await asyncio.to_thread(federation_commands.import_envelope, node.folder, back)
        told = await self._admin(node, "totals")
        self.counts["by_file"] = told["received"].get("delivered", {"count": 0})["count"]
        self.say(f"{node.name}: {self.counts['by_file']} cessions arrived on a memory stick")

    async def settle(self) -> None:
        """Wait until every cession has ended on its sender's book."""
        deadline, left = time.monotonic() + QUIET_SECONDS, 0
        while time.monotonic() < deadline:
            told = [node.admin("totals") for node in self.awake]
            open_states = {"queued", "cleared", "handed_over"}
            left = sum(one["sent"].get(state, {"count": 0})["count"] for one in told for state in open_states)
            if not left:
                for state in ("delivered", "returned", "recalled", "refused"):
                    self.counts[state] = sum(one["sent"].get(state, {"count": 0})["count"] for one in told)
                self.say("every cession has ended")
                return
            await asyncio.sleep(0.1)
        raise DemoFailed(f"{left} cessions have not ended")

    # Proving

    async def figures(self) -> list[dict[str, Any]]:
        """Return the row of each territory, and hold the sums that no single book knows."""
        told = {node.code: await self._admin(node, "totals") for node in self.nodes}
        rows = []
        for node in self.nodes:
            one = told[node.code]
            sent = one["sent"]

            def cents(states: Sequence[str], sums: dict[str, Any] = sent) -> int:
                return sum(sums.get(state, {"cents": 0})["cents"] for state in states)

            rows.append(
                {
                    "territory": node.code,
                    "name": node.name,
                    "population": node.population,
                    "issued_cents": one["issued_cents"],
                    "credited_cents": one["credited_cents"],
                    "ceded_out_cents": cents(["delivered"]),
                    "received_cents": cents(["delivered"], one["received"]),
                    "returned_cents": cents(["returned", "recalled", "refused", "expired"]),
                    "held_cents": one["held_home_cents"] + one["held_foreign_cents"],
                    "abroad_cents": one["abroad_cents"],
                    "in_transit_cents": one["in_transit_cents"],
                    "unclaimed_cents": one["unclaimed_cents"],
                    "converted_cents": one["converted_cents"],
                }
            )
        issued = sum(row["issued_cents"] for row in rows)
        places = ("held_cents", "in_transit_cents", "unclaimed_cents", "converted_cents")
        held = sum(row[place] for row in rows for place in places)
        if issued != held:
            raise DemoFailed(f"{issued} cents issued in all, {held} held: {issued - held} are missing")
        # What is converted abroad leaves like a cession, and arrives with nobody: the issuer's fund owes its euros.
        abroad = sum(
            cents
            for one in self.cycle.values()
            for payer, cents in one.get("paid_cents", {}).items()
            if payer != one["territory"]
        )
        if sum(row["ceded_out_cents"] for row in rows) != sum(row["received_cents"] for row in rows) + abroad:
            raise DemoFailed("what was ceded is not what was received")
        return rows

    async def check(self) -> list[dict[str, Any]]:
        """Ask for statements, then run the checks of every book, as anybody can."""
        for node in self.awake:
            await asyncio.to_thread(node.admin, "ask_statement")
        await self._wait_statements()
        orders = [("hub", "check", self.hub), ("hub", "replay", self.hub)]
        orders += [("node", "check", node) for node in self.nodes]
        if self.foundation is not None:
            orders.append(("node", "check", self.foundation))
        gate = asyncio.Semaphore(2)

        async def one(kind: str, command: str, party: Party) -> dict[str, Any]:
            async with gate:
                process = await asyncio.create_subprocess_exec(
                    str(PROGRAM), kind, command, str(party.folder), "--json", stdout=asyncio.subprocess.PIPE
                )
                output, _ = await process.communicate()
            told = json.loads(output or b"{}")
            looked_at = sum(row["looked_at"] for row in told.get("checked", []))
            findings = [finding for row in told.get("checked", []) for finding in row["findings"]]
            return {
                "book": party.name,
                "command": command,
                "ok": process.returncode == 0,
                "looked_at": looked_at,
                "findings": findings,
            }

        return list(await asyncio.gather(*(one(*order) for order in orders)))

    async def _wait_statements(self) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            told = [node.admin("federation") for node in self.awake]
            if all(one["last_statement"] is not None and not one["slips_waiting"] for one in told):
                return
            await asyncio.sleep(0.1)
        raise DemoFailed("the hub's statements did not come")

    async def run(self) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session:
            self.session = session
            await self.set_up()
            await self.open_accounts()
            await self.credit_purchases()
            await self.live_the_cycle()
            await self.traffic_with_accidents()
            await self.special_cases()
            await self.carry_files()
            await self.settle()
            rows = await self.figures()
            checks = await self.check()
        books = 1 + len(self.nodes) + 3 * len(self.houses)
        required = ("delivered", "returned", "recalled", "refused", "by_file", "killed")
        is_ok = all(one["ok"] for one in checks) and all(self.counts[name] for name in required)
        is_ok = is_ok and (len(self.houses) != 3 or set(self.cycle) == CYCLE_FACTS)
        return {
            "ok": is_ok,
            "books": books,
            "counts": self.counts,
            "territories": rows,
            "checks": checks,
            "documents": str(self.documents),
            "houses": {code: story.counts for code, story in self.houses.items()},
            "cycle": self.cycle,
            "seconds": round(time.monotonic() - self.began, 1),
        }

    def stop(self) -> None:
        everybody = [*self.nodes, self.hub, *([self.foundation] if self.foundation else [])]
        for party in everybody:
            if party.process is not None and party.process.poll() is None:
                party.process.terminate()
        for party in everybody:
            if party.process is not None:
                try:
                    party.process.wait(10)
                except subprocess.TimeoutExpired:
                    party.process.kill()


def _keep_port(party: Party) -> None:
    """Start again on the port that others know."""
    names = ("hub.toml",) if party.kind == "hub" else ("node.toml", "house.toml")
    file = next(party.folder / name for name in names if (party.folder / name).exists())
    file.write_text(file.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{party.port}"'))


class _quiet:
    """Keeps the command line's own words out of the story."""

    def __enter__(self) -> None:
        for module in (hub_commands, node_commands, console_commands):
            module.screen.quiet = True

    def __exit__(self, *_: object) -> None:
        for module in (hub_commands, node_commands, console_commands):
            module.screen.quiet = False


def show(result: dict[str, Any]) -> None:
    """Print the table by territory, the counts, and the checks."""
    table = Table(title="Rights, in miles (1 mile = 1 euro to orient)")
    names = ("credited", "ceded_out", "received", "returned", "held", "abroad")
    table.add_column("territory")
    table.add_column("inhabitants", justify="right")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for row in result["territories"]:
        table.add_row(
            row["name"],
            f"{row['population']:,}".replace(",", " "),
            *(format_cents(row[f"{name}_cents"]) for name in names),
        )
    table.add_section()
    table.add_row(
        "all", "", *(format_cents(sum(row[f"{name}_cents"] for row in result["territories"])) for name in names)
    )
    console.print(table)
    console.print("  ".join(f"{name} {count}" for name, count in result["counts"].items()), highlight=False)
    for one in result["checks"]:
        mark = "[green]✓[/green]" if one["ok"] else "[red]✗[/red]"
        console.print(f"{mark} {one['command']} {one['book']}: {one['looked_at']} rows and leaves", highlight=False)
        for finding in one["findings"][:3]:
            console.print(f"    {finding['place']}: expected {finding['expected']}, found {finding['found']}")


def main() -> int:
    parser = argparse.ArgumentParser(description="A federation of real territories, with accidents, proved.")
    parser.add_argument("--nodes", type=int, default=12, help="territories besides the two South communities")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, and documents beside them")
    parser.add_argument("--keep", action="store_true", help="leave everything running and print the addresses")
    asked = parser.parse_args()
    if not 3 <= asked.nodes <= 60:
        parser.error("--nodes from 3 to 60")
    folder = Path(tempfile.mkdtemp(prefix="citizen-miles-demo-"))
    documents = None if asked.json is None else asked.json.with_name(f"{asked.json.stem}-documents")
    demo = Demo(folder, nodes=asked.nodes, seed=asked.seed, documents=documents)
    is_kept = False
    try:
        result = asyncio.run(demo.run())
        show(result)
        if asked.json:
            asked.json.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        words = "nothing was lost" if result["ok"] else "NOT as it must be"
        console.print(f"{result['books']} books, {result['seconds']} seconds: {words}", highlight=False)
        if asked.json or asked.keep:
            count = sum(1 for file in demo.documents.rglob("*") if file.is_file())
            console.print(f"{count} documents in {demo.documents}", highlight=False)
        if asked.keep:
            is_kept = True
            console.print(f"folder {folder}")
            for party in (demo.hub, *demo.awake):
                console.print(f"{party.url}  {party.name}", highlight=False)
        return 0 if result["ok"] else 1
    except (DemoFailed, StoryFailed) as error:
        console.print(f"[red]{error}[/red]")
        if asked.json:
            asked.json.write_text(json.dumps({"ok": False, "reason": str(error), "counts": demo.counts}) + "\n")
        is_kept = "CITIZEN_MILES_DEMO_KEEP" in os.environ
        return 1
    finally:
        if not asked.keep:
            demo.stop()
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
