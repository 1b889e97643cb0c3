"""The demo's third story: from citizens' choices to bearers' accounts, between three territories whose miles are euros.

Committees refuse one project with its reason and validate others; citizens direct rights at home and abroad; one project
misses its minimum and the rights go home, across territories; what is funded is converted, and each fund pays the bearer
itself, a distant one too, or two of them net it in a window; an auditor drawn by lot blocks the second instalment until he looked again; a South programme is blocked until
it lacks nothing, gets its first instalment and waits for proofs; a pass is issued and revoked; a pool is shared.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
import hashlib
import json
import random
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from house_demo import HouseStory, StoryFailed

from node.desks.fund.words import read_words
from node.desks.house.init_service import read_own_card
from node.desks.projects.attestations_commands import sign_told
from node.desks.projects.audits_requests import make_reply, make_report, read_mission
from node.desks.projects.audits_requests import write_signed as write_audit
from node.fund.outgoing_payments import write_words
from node.governance.attestations import AttestationKind
from node.governance.auditing.words import AuditWords, ConflictWords, JoinWords
from node.governance.auditing.words import sign_words as sign_audit
from node.governance.signers import write_public
from node.governance.south.clearances import ClearanceWords, write_clearance
from node.governance.south.signed import sign_words, write_signed
from node.governance.votes import BallotWords, College, SignedBallot, sign_ballot
from node.house.cards import format_card
from protocol.canonical import encode_typed
from protocol.errors import Refusal
from protocol.house import BaseName
from protocol.identifiers import parse_address, parse_id
from protocol.keys import Domain, SecretKeys, make_keys, sign

VOTE_SECONDS: Final = 6
DAYS_ON: Final = 45  # how far the clock of one base is put on, for its need-by day to be over
DRAW_DAYS: Final = 2  # and that of another, for the public number of its drawing to be out
BEARERS: Final = (
    ("W291000101", "Les Jardins du Ponant", "FR1420041010050500013M02606"),
    ("W691000202", "Kayak pour tous", "FR1420041010050500013M02606"),
    ("W591000303", "La Ressourcerie", "DE75512108001245126199"),
)
SENEGAL: Final = "99341"  # INSEE's code of the country stands in a sheet as its place
WELL: Final = "Un puits pour Ndem"
GARDEN, KAYAKS, SHED, POOL = "Jardins partagés", "Kayaks pour l'école", "Atelier de réparation", "Piscine privée"
# A program that sees a later day: it runs one command of the projects' base, and ends.
_LATER: Final = """
import asyncio, json, sys
from pathlib import Path
from protocol.running import clock_service
now = clock_service.now
clock_service.now = lambda: now() + int(sys.argv[2]) * 86_400_000
from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.projects_app import ProjectsApp
app = ProjectsApp(Path(sys.argv[1]))
print(asyncio.run(PROJECTS_COMMANDS[sys.argv[3]](app, json.loads(sys.argv[4]))))
app.book.close()
"""


@dataclass
class Town:
    """One territory with a house, and its committee."""

    story: HouseStory
    people: list[str]
    members: dict[str, SecretKeys] = field(default_factory=dict)
    speaker: SecretKeys | None = None  # for the bearer
    auditors: dict[bytes, SecretKeys] = field(default_factory=dict)  # by the name of their key
    bearer: str = ""
    orders: int = 0
    desk: asyncio.Lock = field(default_factory=asyncio.Lock)  # one treasurer, one bank

    @property
    def code(self) -> str:
        return self.story.territory

    async def projects(self, command: str, **arguments: Any) -> Any:
        return await self.story._ask(self.story.folder / "projects", command, **arguments)

    async def accounts(self, command: str, **arguments: Any) -> Any:
        return await self.story._ask(self.story.folder, command, **arguments)


@dataclass
class CycleStory:
    """Three towns. `stop` and `start` a town's process; `hub` asks the hub, as its operator does."""

    towns: Sequence[Town]
    dice: random.Random
    say: Callable[[str], None]
    stop: Callable[[str], Awaitable[None]]
    start: Callable[[str], Awaitable[None]]
    hub: Callable[..., Any]
    facts: dict[str, Any] = field(default_factory=dict)

    def _id(self) -> str:
        return str(uuid.UUID(bytes=self.dice.randbytes(16), version=4))

    def _require(self, what: str, *, holds: bool) -> None:
        if not holds:
            raise StoryFailed(what)

    async def run(self) -> None:
        """Tell it all. Raises StoryFailed."""
        await asyncio.gather(*(self._found(town) for town in self.towns))
        here, there, third = self.towns
        pool, garden, kayaks, shed, well = await asyncio.gather(
            self._decide(here, POOL, 900_000, 500_000, is_refused=True),
            self._decide(here, GARDEN, 2_400, 1_500, shares=(1_440, 960)),
            self._decide(there, KAYAKS, 50_000, 40_000),
            self._decide(third, SHED, 1_600, 1_000),
            self._decide(third, WELL, 1_000, 800, shares=(600, 400), commune=SENEGAL, prepare=self._declare),
        )
        self.facts["refused"] = pool
        self.say(f"committees: {POOL} is refused ({pool['reason']}); {GARDEN}, {KAYAKS}, {SHED} are open")
        await asyncio.gather(
            self._direct(here, here.people[2], garden, 1_400),
            self._direct(there, there.people[2], garden, 1_000),
            self._direct(there, there.people[3], kayaks, 500),
            self._direct(here, here.people[3], kayaks, 600),
            self._direct(third, third.people[2], shed, 900),
            self._direct(here, here.people[2], shed, 700),
            self._direct(third, third.people[3], well, 1_000),
        )
        await self._until_support(here, garden, 2_400, "funded")
        await self._until_support(there, kayaks, 1_100, "open")
        await self._until_support(third, shed, 1_600, "funded")
        await self._until_support(third, well, 1_000, "funded")
        self.say("citizens directed rights at home and abroad; what everybody sees is how much, and by how many")
        audit, _ = await asyncio.gather(
            self._begin_garden(here, there, garden), self._pay_in_the_third(third, here, shed, well)
        )
        kayakers = [(there, there.people[3], 500), (here, here.people[3], 600)]
        number = {"audit": audit, "number": str(self.dice.randrange(10**6)).zfill(6)}
        await self._miss(there, kayaks, kayakers, meanwhile=self._later(here, DRAW_DAYS, "audit_number", **number))
        await asyncio.gather(self._end_garden(here, there, garden, audit), self._pass(here, garden))
        await self._share(here, there)

    # Committees.

    async def _found(self, town: Town) -> None:
        """Seat a committee, know an auditor and a bearer, and whom to believe and to pay through elsewhere."""
        today = datetime.datetime.now(datetime.UTC).date()
        until = (today + datetime.timedelta(days=700)).isoformat()
        for college in College:
            keys = town.members[str(college)] = make_keys(self.dice.randbytes(64))
            public = write_public(keys.public)
            await town.projects("signer_add", role="member", title=f"{college} 1", public=public)
            seat = {"college": str(college), "from_day": today.isoformat(), "until_day": until}
            await town.projects("member_seat", id=self._id(), key=keys.public.id.hex(), **seat)
        registry, name, iban = BEARERS[self.towns.index(town)]
        sheet = {"name": name, "category": "9220", "holder": name.upper(), "iban": iban}
        saved = await town.projects("bearer_save", id=self._id(), registry=registry, **sheet)
        town.bearer = saved["bearer"]
        town.speaker = make_keys(self.dice.randbytes(64))
        line = write_public(town.speaker.public)
        await town.projects("signer_add", role="bearer", title="présidence", public=line, bearer=town.bearer)
        for kind in ("statutes", "declaration"):
            digest = hashlib.sha256(f"{name} {kind}".encode()).hexdigest()
            days = {"issued_on": "2026-01-01", "valid_until": until}
            await town.projects("proof_add", id=self._id(), bearer=town.bearer, kind=kind, sha256=digest, **days)
        for other in self.towns:
            if other is not town:
                card = await asyncio.to_thread(read_own_card, other.story.folder, BaseName.PROJECTS)
                await town.story.fund("decider_add", card=format_card(card))
                fund = await asyncio.to_thread(read_own_card, other.story.fund_folder, BaseName.FUND)
                await town.projects("payer_add", territory=other.code, public=write_public(fund.keys))

    async def _decide(
        self,
        town: Town,
        title: str,
        target: int,
        minimum: int,
        *,
        shares: Sequence[int] = (),
        commune: str = "29019",
        is_refused: bool = False,
        prepare: Callable[[Town, str], Awaitable[None]] | None = None,
    ) -> Any:
        """Propose a project, let the committee vote, and open it; return how it stands."""
        need_by = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)
        sheet = {
            "title": title,
            "need": f"{title} : ce qu'il faut, où et pour qui.",
            "commune": commune,
            "latitude": "48.3904",
            "longitude": "-4.4861",
            "theme": "environment",
            "need_by": need_by.isoformat(),
            "target_cents": target,
            "minimum_cents": minimum,
            "budget": [{"words": "achats", "cents": target}],
            "milestones": [
                {"words": f"tranche {at}", "cents": cents, "proofs": "factures"}
                for at, cents in enumerate(shares or (target,), 1)
            ],
            "bearer": town.bearer,
        }
        file = town.story.documents / f"projet-{hashlib.sha256(title.encode()).hexdigest()[:8]}.json"
        file.write_text(json.dumps(sheet, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        made = await town.projects("propose", id=self._id(), file=str(file), by=BEARERS[self.towns.index(town)][0])
        project = made["project"]
        if prepare is not None:
            await town.projects("south_declare", id=self._id(), project=project, country="SN", purpose="humanitarian")
        await self._lead(town, project, "examined")
        closes = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=VOTE_SECONDS)
        called = await town.projects(
            "vote_call", id=self._id(), project=project, closes_at=closes.isoformat(timespec="milliseconds")
        )
        words = await town.projects("vote_words", session=called["session"])
        for college, keys in town.members.items():
            choice = "against" if is_refused and college != "companies" else "for"
            await town.projects("vote_cast", ballot=_write_ballot(words, choice, keys))
        await asyncio.sleep(max(0.0, (closes - datetime.datetime.now(datetime.UTC)).total_seconds()) + 0.2)
        reason = "Ne profite qu'à ses membres" if is_refused else ""
        closed = await town.projects("vote_close", session=called["session"], by="président de séance", reason=reason)
        minutes = await town.projects("minutes", session=called["session"])
        (town.story.documents / f"proces-verbal-{called['session'][:8]}.bin").write_bytes(
            bytes.fromhex(minutes["document"])
        )
        outcome = "refused" if is_refused else "validated"
        self._require(f"{title} is {closed['outcome']}", holds=closed["outcome"] == outcome)
        if is_refused:
            shown = await town.projects("show", project=project)
            state = shown["project"]["state"]
            self._require(f"{title} stands {state}", holds=state == "refused")
            return {"title": title, "territory": town.code, "reason": closed["reason"]}
        if prepare is not None:
            await prepare(town, project)
        await self._lead(town, project, "opened")

        async def numbered() -> Any:
            shown = await town.projects("show", project=project)
            return shown["project"]["address"]

        address = await town.story._until(f"the account of {title}", numbered)
        return {"id": project, "title": title, "address": address}

    async def _lead(self, town: Town, project: str, event: str, reason: str = "") -> None:
        await town.projects(
            "lead", id=self._id(), project=project, event=event, by="le service des projets", reason=reason
        )

    # Citizens.

    async def _direct(self, town: Town, person: str, project: dict[str, Any], cents: int) -> None:
        told = await town.accounts(
            "orient",
            id=self._id(),
            choices=[[project["address"], cents]],
            overflow="back",
            anonymous=False,
            **{"from": person},
        )
        self._require(f"{cents} cents were to be directed, and {told['cents']} were", holds=told["cents"] == cents)

    async def _until_support(self, town: Town, project: dict[str, Any], cents: int, state: str) -> None:
        async def supported() -> bool:
            shown = (await town.projects("show", project=project["id"]))["project"]
            return bool((shown["support_cents"], shown["state"]) == (cents, state))

        await town.story._until(f"{cents} cents for {project['title']}", supported)

    async def _balance(self, town: Town, person: str) -> int:
        return int((await town.accounts("balance", account=person))["cents"])

    async def _later(self, town: Town, days: int, command: str, **arguments: Any) -> None:
        """Let the projects' base of a town do one thing on a later day, while the town's process rests."""
        await self.stop(town.code)
        program = [sys.executable, "-c", _LATER, str(town.story.folder), str(days), command, json.dumps(arguments)]
        done = await asyncio.to_thread(subprocess.run, program, capture_output=True, text=True, check=False)
        self._require(f"{command}, {days} days later: {done.stderr[-400:]}", holds=done.returncode == 0)
        await self.start(town.code)

    async def _miss(
        self,
        town: Town,
        project: dict[str, Any],
        given: Sequence[tuple[Town, str, int]],
        *,
        meanwhile: Awaitable[None],
    ) -> None:
        """The need-by day passes: the minimum is not reached, and every holder has his rights again, here and elsewhere."""
        before = [await self._balance(giver, person) for giver, person, _ in given]
        await asyncio.gather(self._later(town, DAYS_ON, "catch_up"), meanwhile)
        for (giver, person, cents), was in zip(given, before, strict=True):

            async def is_back(giver: Town = giver, person: str = person, due: int = was + cents) -> bool:
                return await self._balance(giver, person) == due

            await giver.story._until(f"{cents} cents of {project['title']}", is_back)
        state = (await town.projects("show", project=project["id"]))["project"]["state"]
        self._require(f"{project['title']} is {state}", holds=state == "missed")
        self.facts["missed"] = {
            "title": project["title"],
            "territory": town.code,
            "returned_cents": sum(cents for _, _, cents in given),
            "to_territories": sorted({giver.code for giver, _, _ in given}),
        }
        self.say(
            f"{project['title']} missed its minimum: {len(given)} holders of two territories have their rights again"
        )

    # Euros.

    async def _pay(self, payer: Town, cents: int) -> None:
        """Two officers of a fund sign what it owes; it is ordered, and the bank carries it out."""
        async with payer.desk:
            await self._pay_now(payer, cents)

    async def _pay_now(self, payer: Town, cents: int) -> None:
        story = payer.story

        async def proposed() -> Any:
            found = await story.fund("due_proposals")
            return [one for one in found if one["cents"] == cents]

        (proposal,) = await story._until(f"a proposal of {cents} cents", proposed)
        await self._sign_and_order(payer, await story.fund("due_words", id=proposal["id"]))

    async def _sign_and_order(self, payer: Town, words: dict[str, Any]) -> None:
        story = payer.story
        for secret in story.officers:
            signature = sign(secret, Domain.OFFICER, write_words(read_words(words)))
            await story.fund("payment_sign", words=words, officer=secret.public.id.hex(), signature=signature.hex())
        payer.orders += 1
        day = story.today + datetime.timedelta(days=payer.orders)
        order = await story.fund("order", day=day.isoformat())
        (story.documents / f"pain001-{order['order']}.xml").write_text(order["xml"], encoding="utf-8")
        await story._import(*story.bank.carry_out(order["xml"].encode()))

    async def _confirm(self, town: Town, project: dict[str, Any], round_: str, payers: Sequence[str]) -> None:
        for payer in payers:

            async def is_paid(payer: str = payer) -> bool:
                shown = await town.projects("show", project=project["id"])
                number = next(one["round"] for one in shown["rounds"] if one["id"] == round_)
                return any(
                    (one["payer"], one["round"], one["state"]) == (payer, number, "paid") for one in shown["payments"]
                )

            await town.story._until(f"the payment of {payer} for {project['title']}", is_paid)
            today = town.story.today.isoformat()
            await town.projects("confirm", round=round_, payer=payer, on=today)

    async def _begin_garden(self, town: Town, distant: Town, project: dict[str, Any]) -> str:
        """The first of two instalments: the fund here and a distant one pay the bearer; then an audit is asked for.

        Three volunteers are in the register; one says that he supports the project, and is not drawn. Returns the audit.
        """
        await self._lead(town, project["id"], "started")
        # The oldest orientations go first: which came first is the hub's and the day's, not ours.
        first = await self._round_by_round(town, distant, project, 1_440)
        self.facts["direct"] = {"title": project["title"], "territory": town.code, "paid_cents": first}
        proof = self._id()
        digest = hashlib.sha256(b"facture 1").hexdigest()
        given = {"project": project["id"], "instalment": 1, "words": "facture du pépiniériste", "cents": 1_440}
        await town.projects("spending", id=proof, sha256=digest, **given)
        await town.projects("spending_judge", proof=proof, accept=True, by="le service des projets")
        for address in town.people[:3]:
            await self._join(town, address)
        supporter = list(town.auditors.values())[2]
        own = ConflictWords(
            1, town.code, parse_id(self._id()), "support", parse_id(project["id"]), "", "j'y ai orienté"
        )
        await self._hand_in(town, own, supporter)
        audit, drawn_on = self._id(), town.story.today + datetime.timedelta(days=DRAW_DAYS)
        await town.projects(
            "audit_ask",
            id=audit,
            project=project["id"],
            instalment=1,
            auditors=1,
            source="Loto, les six numéros dans l'ordre",
            drawn_on=drawn_on.isoformat(),
            due_on=(drawn_on + datetime.timedelta(days=30)).isoformat(),
            reason="La première tranche est dépensée",
            by="le service des projets",
        )
        self.facts["audit"] = {"waits": await self._refusal(town, project, "an audit that has not ended")}
        return audit

    async def _end_garden(self, town: Town, distant: Town, project: dict[str, Any], audit: str) -> None:
        """The auditor who was drawn declines, the next one blocks the second instalment, and frees it once he looked again."""
        declined = await self._find_mission(town, project, audit)
        body, keys = await self._read_mission(town, declined)
        await self._hand_in(town, make_reply(parse_id(self._id()), body, is_accepted=False, reason="en voyage"), keys)
        mission = await self._find_mission(town, project, audit)
        body, keys = await self._read_mission(town, mission)
        self._require("who declined is called again", holds=mission != declined)
        await self._hand_in(town, make_reply(parse_id(self._id()), body, is_accepted=True, reason=""), keys)
        report = await self._report(town, body, keys, "failed", "Les arbres manquent")
        self.facts["blocked"] = {
            "title": project["title"],
            "instalment": 2,
            **await self._refusal(town, project, "an audit that failed"),
        }
        self.say(f"{project['title']}: an auditor drawn by lot blocks the second instalment")
        answer = {"report": report, "by": BEARERS[self.towns.index(town)][0], "text": "Plantés ce matin, venez voir"}
        answered = await town.projects("audit_answer", id=self._id(), **answer)
        await self._report(town, body, keys, "sound", follows=report, answer=answered["answer"])
        [view] = await town.projects("audits", project=project["id"])
        [drawn] = [one for one in await town.projects("draws") if one["id"] == view["draw"]]
        self.facts["audit"] |= {
            "candidates": len(drawn["candidates"]),
            "missions": [one["state"] for one in view["missions"]],
            "verdict": view["verdict"],
        }
        second = await self._round_by_round(town, distant, project, 960)
        paid = self.facts["direct"]["paid_cents"]
        for code, cents in second.items():
            paid[code] = paid.get(code, 0) + cents
        self.say(
            f"{project['title']}: paid whole in two instalments, {paid[distant.code]} cents directly by a distant fund"
        )

    # Auditors.

    async def _refusal(self, town: Town, project: dict[str, Any], what: str) -> dict[str, Any]:
        """Return why the next instalment is not converted; it has to be refused."""
        try:
            await town.projects("convert", id=self._id(), project=project["id"])
        except Refusal as refusal:
            return {"code": refusal.code, **refusal.facts}
        raise StoryFailed(f"{what} blocks no instalment")

    async def _hand_in(self, town: Town, words: AuditWords, keys: SecretKeys) -> Any:
        return await town.projects("audit_hand_in", signed=write_audit(sign_audit(words, keys)))

    async def _join(self, town: Town, address: str) -> None:
        """A volunteer makes a key, and signs to join the register of auditors."""
        keys = make_keys(self.dice.randbytes(64))
        town.auditors[keys.public.id] = keys
        await town.projects("signer_add", role="auditor", title="bénévole", public=write_public(keys.public))
        today = town.story.today
        words = JoinWords(
            version=1,
            territory=town.code,
            id=parse_id(self._id()),
            account=parse_address(address).number,
            kind="retired",
            place="29019",
            place_name="Brest",
            latitude=48_390_400,
            longitude=-4_486_100,
            radius=50_000,
            skills=(),
            from_day=int(f"{today:%Y%m%d}"),
            until_day=int(f"{today + datetime.timedelta(days=400):%Y%m%d}"),
            missions_max=1,
        )
        await self._hand_in(town, words, keys)

    async def _find_mission(self, town: Town, project: dict[str, Any], audit: str) -> str:
        """Return the mission that is offered now."""
        views = await town.projects("audits", project=project["id"])
        missions = next(one["missions"] for one in views if one["id"] == audit)
        offered = [one["id"] for one in missions if one["state"] == "offered"]
        self._require(f"{len(offered)} missions are offered", holds=len(offered) == 1)
        return str(offered[0])

    async def _read_mission(self, town: Town, mission: str) -> tuple[str, SecretKeys]:
        """Return a mission's text, and the keys of the volunteer whom it is for."""
        body = str((await town.projects("audit_mission", mission=mission))["body"])
        words, _ = read_mission(body)
        return body, town.auditors[words.key]

    async def _report(self, town: Town, body: str, keys: SecretKeys, verdict: str, text: str = "", **more: str) -> str:
        """Sign and hand in a report whose first criterion has that verdict; return its id."""
        words, _ = read_mission(body)
        lines: list[dict[str, str]] = [{"criterion": one, "verdict": "sound"} for one in words.criteria]
        lines[0] |= {"verdict": verdict, "text": text}
        handed = await self._hand_in(town, make_report(parse_id(self._id()), body, {"lines": lines, **more}), keys)
        return str(handed["id"])

    async def _round_by_round(
        self, town: Town, distant: Town, project: dict[str, Any], cents: int, *, is_netted: bool = False
    ) -> dict[str, int]:
        """Convert one instalment, have its funds pay or net, and hear the bearer; return what each fund paid."""
        asked = await town.projects("convert", id=self._id(), project=project["id"])
        self._require(f"a round of {asked['cents']}", holds=asked["cents"] == cents)

        async def converted() -> Any:
            shown = await town.projects("show", project=project["id"])
            row = next(one for one in shown["rounds"] if one["id"] == asked["round"])
            parts = {one["payer"]: one["cents"] for one in shown["payments"] if one["round"] == row["round"]}
            return parts if row["state"] == "converted" and sum(parts.values()) == cents else None

        parts: dict[str, int] = await town.story._until(f"the round of {project['title']}", converted)
        for payer in (town, distant):
            if payer.code in parts and is_netted and payer is distant:
                await self._net(town, payer, parts[payer.code])
            elif payer.code in parts:
                await self._pay(payer, parts[payer.code])
        await self._confirm(town, project, asked["round"], list(parts))
        return parts

    async def _pay_in_the_third(self, town: Town, distant: Town, shed: dict[str, Any], well: dict[str, Any]) -> None:
        """One after the other: their fund gives one order a day."""
        await self._pay_shed(town, distant, shed)
        await self._lead(town, well["id"], "started")
        paid = await self._round_by_round(town, distant, well, 600)
        try:
            await town.projects("convert", id=self._id(), project=well["id"])
        except Refusal as refusal:
            self.facts["south"] |= {"paid_cents": paid, "second_instalment": {"code": refusal.code, **refusal.facts}}
        self._require("a programme's second instalment waits for nothing", holds="paid_cents" in self.facts["south"])
        self.say(f"{WELL}: the first instalment is paid; the second waits for proofs")

    async def _declare(self, town: Town, project: str) -> None:
        """A South programme is blocked, with its reasons, until partner, agreement, budget and two people's word are there."""
        blocked = (await town.projects("south_show", project=project))["missing"]
        try:
            await self._lead(town, project, "opened")
        except Refusal as refusal:
            self.facts["south"] = {
                "title": WELL,
                "territory": town.code,
                "refused": refusal.code,
                "was_missing": [one["code"] for one in blocked],
            }
        self._require("a programme opens without anything", holds="south" in self.facts)
        today = town.story.today
        until = (today + datetime.timedelta(days=700)).isoformat()
        kept = {"issued_on": "2026-01-01", "valid_until": until}
        partner = self._id()
        sheet = {"name": "Association des villageois de Ndem", "country": "SN", "kind": "association"}
        await town.projects("south_partner", id=partner, project=project, registration="004242/MINT", key="", **sheet)
        digest = hashlib.sha256(b"statuts").hexdigest()
        await town.projects(
            "south_partner_proof", id=self._id(), partner=partner, words="récépissé", sha256=digest, **kept
        )
        terms = {"signed_on": "2026-01-05", "from_day": "2026-01-05", "until_day": until}
        await town.projects(
            "south_agreement",
            id=self._id(),
            partner=partner,
            sha256=hashlib.sha256(b"convention").hexdigest(),
            clauses="control,reporting,audit,return",
            **terms,
        )
        lines = [{"words": "forage", "country": "SN", "cents": 1_000}]
        await town.projects("south_budget", id=self._id(), project=project, lines=lines)
        day = int(today.strftime("%Y%m%d"))
        words = write_clearance(
            ClearanceWords(1, town.code, parse_id(self._id()), parse_id(partner), "listes UE et ONU du jour", day, True)
        )
        for title in ("première responsable", "second responsable"):
            steward = make_keys(self.dice.randbytes(64))
            await town.projects("signer_add", role="steward", title=title, public=write_public(steward.public))
            await town.projects("south_clearance", signed=write_signed(sign_words(words, Domain.OFFICER, steward)))
        left = (await town.projects("south_show", project=project))["missing"]
        self._require(f"{WELL} still lacks {left}", holds=not left)

    async def _pay_shed(self, town: Town, distant: Town, project: dict[str, Any]) -> None:
        await self._agree(town, distant)
        await self._lead(town, project["id"], "started")
        paid = await self._round_by_round(town, distant, project, 1_600, is_netted=True)
        self.facts["shed"] = {"title": project["title"], "territory": town.code, "paid_cents": paid}
        apart = "a foundation elsewhere" if town.story.is_apart else "its fund"
        self.say(
            f"{project['title']}: paid by {apart}; what the fund of {distant.story.name} owed of it went through a window"
        )

    # Netting.

    async def _agree(self, town: Town, other: Town) -> None:
        """Two officers of each fund sign that they net what they owe each other, and each knows where the other is paid."""
        for fund, partner in ((town, other), (other, town)):
            words = await fund.story.fund("netting_words", id=self._id(), territory=partner.code, is_netted=True)
            for secret in fund.story.officers:
                signature = sign(secret, Domain.OFFICER, bytes.fromhex(words["to_sign"]))
                await fund.story.fund(
                    "netting_sign", words=words, officer=secret.public.id.hex(), signature=signature.hex()
                )
            await fund.story.fund("card_own")

        async def is_agreed() -> bool:
            for one in (town, other):
                await one.accounts("catalogue_publish")
                await one.accounts("catalogue_fetch")
            known = []
            for fund, partner in ((town, other), (other, town)):
                cards = {one["territory"]: one["account"] for one in await fund.story.fund("cards")}
                agreed = await fund.story.fund("netting_agreements")
                holds = any(one["holds"] for one in agreed if one["territory"] == partner.code)
                known.append(holds and cards.get(partner.code) is not None)
            return all(known)

        await town.story._until("two funds that net, each known to the other", is_agreed)

    async def _net(self, town: Town, payer: Town, cents: int) -> None:
        """The payer's fund nets what it owes, the hub closes a window, one fund pays the other, and that one the bearer."""

        async def is_netted() -> bool:
            await payer.story.fund("net_dues")
            waiting = [one for one in await town.story.fund("dues", open_only=True) if one["cents"] == cents]
            return any("window" in one["waits_for"] for one in waiting)

        await town.story._until("a due that waits for a window", is_netted)
        await asyncio.to_thread(self.hub, "open_window")
        report = await asyncio.to_thread(self.hub, "close_window")

        async def to_sign() -> Any:
            return [one for one in await payer.story.fund("net_payments") if one["state"] == "to sign"]

        (line,) = await payer.story._until("a payment at the end of a window", to_sign)
        async with payer.desk:
            words = await payer.story.fund("net_words", id=line["payment"])
            await self._sign_and_order(payer, words)
        come = town.story.bank.receive(cents, name=payer.story.name, iban=payer.story.iban)
        async with town.desk:
            await town.story._import(come)
        await self._pay(town, cents)
        self.facts["netted"] = {
            "window": report["window"],
            "payments": report["payments"],
            "positions": report["positions"],
        }

    # People.

    async def _pass(self, town: Town, project: dict[str, Any]) -> None:
        """The bearer and two members sign for a volunteer's hours; the pass is given, and taken back."""
        year = town.story.today.year - 1  # whatever day it is: the work is over
        claim = {
            "project": project["id"],
            "account": town.people[0],
            "role": "Encadrante du chantier",
            "duty": "supervising",
            "first_on": f"{year}-01-10",
            "last_on": f"{year}-12-01",
            "hours": [{"year": year, "minutes": 12_600}],
            "skills": ["rome:300031"],
        }
        pass_ = (await town.projects("pass_claim", id=self._id(), claim=claim))["pass"]
        assert town.speaker is not None
        await self._attest(town, AttestationKind.WORK, pass_, town.speaker)
        members = [town.members[str(college)] for college in (College.CITIZENS, College.COMPANIES)]
        _, stands = [await self._attest(town, AttestationKind.VALIDATION, pass_, keys) for keys in members]
        self._require(f"two members validated it, and it is {stands}", holds=stands == "validated")
        await town.projects("pass_issue", id=self._id(), **{"pass": pass_})
        made = await town.projects("pass_export", **{"pass": pass_, "form": "png"})
        data = base64.b64decode(made["data"])
        (town.story.documents / "citizen-pass.png").write_bytes(data)
        told = base64.b64encode(data).decode()
        issued = await town.projects("pass_verify", data=told)
        await town.projects(
            "pass_step", id=self._id(), **{"pass": pass_, "event": "revoked", "reason": "Heures comptées deux fois"}
        )
        revoked = await town.projects("pass_verify", data=told)
        standings = (issued["standing"], revoked["standing"])
        self._require(f"a pass stands {standings}", holds=standings == ("good", "revoked"))
        self.facts["pass"] = {"issued": issued["standing"], "afterwards": revoked["standing"]}
        self.say("a Citizen-Pass is issued, verified from its picture, and revoked")

    async def _attest(self, town: Town, kind: AttestationKind, subject: str, keys: SecretKeys) -> str:
        """Sign what the base shows, where the key is, and hand it in; return where the subject stands."""
        words = await town.projects("attest_words", id=self._id(), kind=str(kind), subject=subject)
        signed = sign_told(words, keys, refuse=False, reason="")
        return str((await town.projects("attest_give", **signed))["state"])

    async def _share(self, town: Town, other: Town) -> None:
        """A pool is given to from two territories, and shared once, to the cent, among those whom an office enrolled."""
        gifts, receivers = ((town, 333), (other, 444)), town.people[:2]
        total = sum(cents for _, cents in gifts)
        rule = {"sharing": "equal", "classes": 1, "units": [], "ceiling_cents": 0, "level_cents": 0}
        opened = await town.accounts(
            "solidarity_open_pool", id=self._id(), title="Le pot commun", givers=["anybody"], **rule
        )
        pool = opened["pool"]
        await town.accounts("solidarity_enrol", id=self._id(), pool=pool, receivers=[[one, 1] for one in receivers])
        starts, until = town.story.today, town.story.today + datetime.timedelta(days=30)
        days = {"starts": starts.isoformat(), "until": until.isoformat(), "target_cents": total}
        operation = await town.accounts("solidarity_open", id=self._id(), pool=pool, title="Noël", **days)
        before = [await self._balance(town, one) for one in receivers]
        for giver, cents in gifts:
            item = {"from": giver.people[3], "to": operation["address"], "cents": cents}
            await giver.accounts("cede", id=self._id(), **item)

        async def given() -> bool:
            told = await town.accounts("solidarity_operation", operation=operation["operation"])
            return bool(told["given_cents"] == total)

        await town.story._until("what two territories gave to the pool", given)

        async def shared() -> bool:
            # Its target is reached: the job shares it, or this does.
            with contextlib.suppress(Refusal):
                await town.accounts("solidarity_decide", id=self._id(), operation=operation["operation"], event="share")
                await town.accounts("solidarity_go_on", operation=operation["operation"])
            told = await town.accounts("solidarity_operation", operation=operation["operation"])
            return bool(told["state"] in ("shared", "closed"))

        await town.story._until("the pool's last share", shared)
        shares = [await self._balance(town, one) - was for one, was in zip(receivers, before, strict=True)]
        self._require(f"the pool is shared as {shares}", holds=sorted(shares) == [388, 389])
        self.facts["solidarity"] = {"territory": town.code, "given_cents": total, "shares_cents": shares}
        self.say(f"a solidarity pool of {total} cents from two territories is shared to the cent")


def _write_ballot(words: dict[str, Any], choice: str, keys: SecretKeys) -> str:
    ballot = BallotWords(
        version=words["version"],
        territory=words["territory"],
        session=parse_id(words["session"]),
        project=parse_id(words["project"]),
        sheet=bytes.fromhex(words["sheet"]),
        choice=choice,
        grid=tuple(one["max"] - 1 for one in words["criteria"]),
        reason="Ne profite qu'à ses membres" if choice == "against" else "",
    )
    signed: SignedBallot = sign_ballot(ballot, keys)
    return encode_typed(signed).hex()
