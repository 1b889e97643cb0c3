"""Every step of the projects' office by its door. What is signed is signed elsewhere, and brought."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.desks.projects.audits_requests import write_signed as write_audit
from node.desks.projects.requests import write_sheet_request
from node.desks.projects.steps import PROJECTS_STEPS
from node.governance.attestations import AttestationKind, AttestationWords, write_attestation
from node.governance.auditing.words import JoinWords
from node.governance.instalments import AuditVerdict
from node.governance.passes.issuers import Issuer, derive_issuer_key
from node.governance.passes.pass_service import Passes
from node.governance.signers import FindingWords, IbanWords, SignerRole, write_words
from node.governance.south.clearances import ClearanceWords, write_clearance
from node.governance.south.guides import write_guide
from node.governance.south.reports import ReportWords, write_report
from node.governance.south.signed import sign_words, write_signed
from node.governance.votes import BallotWords, Choice, sign_ballot, write_ballot
from protocol.identifiers import Id16, format_id, parse_id
from protocol.keys import Domain, sign
from protocol.times import DAY_MS, Instant, format_instant
from tests.doors.place import DoorsPlace, make_projects_place, new_id
from tests.governance.audit_makers import BREST_PLACE, Audits
from tests.governance.south_world import SENEGAL, guide_words
from tests.governance.test_sheets import png
from tests.governance.world import BREST, FOR, OTHER, OURS, World, make_sheet

SECRETARY, MONEY, MODERATOR = "the secretary", "the treasurer", "the moderator"
ASSOCIATION = "W291000001"
SHA = "ab" * 32
BREST_TOWN = {"code": "29019", "name": "Brest", "latitude": "48.390394", "longitude": "-4.486076"}


class Bureau:
    """The doors of a projects' office, and the keys of three of its officers."""

    def __init__(self, world: World, place: DoorsPlace) -> None:
        self.world = world
        self.place = place
        self.keys: dict[str, str] = {}

    async def open(self) -> None:
        settings = dataclasses.replace(self.world.settings, public_url="https://miles.brest.example")
        issuer = Issuer(key=derive_issuer_key(self.world.projects.keys), name="Brest", node=settings.public_url)
        self.world.projects.passes = Passes(self.world.book, settings, issuer=issuer, entropy=self.world.entropy)
        await self.place.open()
        for officer, duties in (
            (SECRETARY, "secretary,officer"),
            (MONEY, "treasurer,reader"),
            (MODERATOR, "moderator"),
        ):
            self.keys[officer] = await self.place.key(*duties.split(","), officer=officer)

    async def do(self, name: str, /, key: str = SECRETARY, **asked: Any) -> Any:
        """Take a step, under an id of its own where it takes one."""
        step = self.place.steps[f"{self.place.doors.steps.prefix}/{name}"]
        takes_id = step.asks is not None and "id" in step.asks.__struct_fields__
        return await self.place.do(self.keys[key], name, ({"id": new_id()} if takes_id else {}) | asked)

    async def list(self, name: str, /, key: str = SECRETARY, **asked: Any) -> list[Any]:
        rows: list[Any] = (await self.do(name, key, **asked))["rows"]
        return rows

    # People who sign.

    def sign_change(self, told: dict[str, Any], name: str) -> dict[str, str]:
        words = IbanWords(
            1, told["territory"], parse_id(told["id"]), parse_id(told["bearer"]), told["holder"], told["iban"]
        )
        keys = self.world.people.get(name) or self.world.signer(name, SignerRole.STEWARD)
        return {"key": keys.public.id.hex(), "signature": sign(keys, Domain.OFFICER, write_words(words)).hex()}

    def speaker(self, project: str) -> str:
        return self.world.speaker(self.world.bearer_of(parse_id(project)))

    async def attest(self, kind: str, subject: str, name: str) -> Any:
        """Let somebody sign what the door gives, and bring it."""
        told = await self.do("attest-words", kind=kind, subject=subject)
        words = {one: told[one] for one in ("version", "territory", "id", "kind", "subject", "about")}
        what, ids = AttestationKind(kind), (parse_id(told["id"]), parse_id(subject))
        about = bytes.fromhex(told["about"])
        body = AttestationWords(told["version"], told["territory"], ids[0], what, ids[1], about, True, "")
        keys = self.world.people[name]
        signature = sign(keys, Domain.OFFICER, write_attestation(body)).hex()
        signed = {"words": words | {"is_affirmed": True, "reason": ""}, "key": keys.public.id.hex()}
        return await self.place.do(self.keys[SECRETARY], "attest-give", signed | {"signature": signature})

    def ballot(self, told: dict[str, Any], name: str) -> str:
        words = BallotWords(
            told["version"],
            told["territory"],
            parse_id(told["session"]),
            parse_id(told["project"]),
            bytes.fromhex(told["sheet"]),
            Choice.FOR,
            FOR,
            "",
        )
        return write_ballot(sign_ballot(words, self.world.people[name])).hex()

    async def vote(self, project: str, names: list[str]) -> Any:
        """Call a vote, let them vote for it, close it."""
        closes_at = format_instant(Instant(self.world.now + 7 * DAY_MS))
        session = (await self.do("vote-call", project=project, closes_at=closes_at))["session"]
        words = await self.do("vote-words", session=session)
        for name in names:
            await self.do("vote-cast", ballot=self.ballot(words, name))
        self.world.later(days=8)
        return await self.do("vote-close", session=session)


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    made = Bureau(world, make_projects_place(world, tmp_path))
    await made.open()
    yield made
    await made.place.close()
    wrongs = world.find_wrongs()
    world.close()
    assert wrongs == []


def sheet(bearer: str, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(write_sheet_request(make_sheet(None, **more)))
    return told | {"bearer": bearer}


async def _committee(bureau: Bureau) -> list[str]:
    """Seat a committee by its keys; draw, and end a term."""
    do, world = bureau.do, bureau.world
    names = list(world.committee())
    seated = world.signer("one more")
    days = {"from_day": "2026-01-01", "until_day": "2028-12-31"}
    asked = {"id": new_id(), "key": seated.public.id.hex(), "college": "citizens", **days}
    member = (await bureau.place.do(bureau.keys[SECRETARY], "member-seat", asked))["member"]
    assert (await do("member-end", member=member, reason="moved away"))["ended"]
    assert len(await bureau.list("members")) == len(names) + 1
    accounts = [world.account() for _ in range(4)]
    drawn = {"college": "citizens", "seats": 2, "source": "Loto", "drawn_on": "2026-12-24", "candidates": accounts}
    draw = await do("draw-close", **drawn)
    world.later(days=31)
    assert len((await do("draw-number", draw=draw["id"], number="112233"))["chosen"]) == 2
    assert len(await bureau.list("draws")) == 1
    revoked = {"key": seated.public.id.hex()}
    assert (await bureau.place.do(bureau.keys[SECRETARY], "signer-revoke", revoked))["revoked"]
    assert len(await bureau.list("signers")) == len(names) + 1
    return names


async def _bearer(bureau: Bureau) -> str:
    """Enter a bearer with its proofs; another account by two stewards, and one that is given up."""
    do = bureau.do
    told = {"registry": ASSOCIATION, "name": "Les Blés", "category": "9220", "holder": "LES BLES", "iban": OURS}
    bearer = str((await do("bearer-save", **told))["bearer"])
    for kind in ("statutes", "declaration"):
        days = {"issued_on": "2026-01-01", "valid_until": "2028-12-31"}
        await do("proof-add", bearer=bearer, kind=kind, sha256=bureau.world.entropy(32).hex(), **days)
    assert [one["registry"] for one in await bureau.list("bearers", MONEY)] == [ASSOCIATION]
    assert len(await bureau.list("proofs", bearer=bearer)) == 2
    words = await do("iban-words", bearer=bearer, holder="LES BLES", iban=OTHER)
    for steward, waits in (("anne", True), ("bob", False)):
        signed = {"words": words, **bureau.sign_change(words, steward)}
        told = await bureau.place.do(bureau.keys[SECRETARY], "iban-sign", signed)
        assert bool(told["waits_for"]) == waits
    assert await do("iban-words", id=words["id"]) == words, "who signs second asks by the id"
    words = await do("iban-words", bearer=bearer, holder="LES BLES", iban=OURS)
    await bureau.place.do(bureau.keys[SECRETARY], "iban-sign", {"words": words, **bureau.sign_change(words, "anne")})
    assert (await do("iban-drop", id=words["id"]))["dropped"]
    return bearer


async def _project(bureau: Bureau, bearer: str, names: list[str]) -> str:
    """Propose, edit, examine, vote, open, fund and start a project."""
    do, world = bureau.do, bureau.world
    kept = await bureau.place.call(bureau.keys[SECRETARY], "picture", {}, data=png())
    pictures = [{"digest": kept.json["digest"], "words": "le terrain"}]
    author = world.account()
    project = str((await do("propose", sheet=sheet(bearer), author=author))["project"])
    await do("edit", project=project, sheet=sheet(bearer) | {"pictures": pictures})
    await do("lead", project=project, event="examined")
    await do("conflict", member=await _seat_of(bureau, names[0]), project=project, reason="my cousin")
    assert (await bureau.vote(project, names[1:]))["outcome"] == "validated"
    [vote] = await bureau.list("votes", project=project)
    assert (await do("minutes", session=vote["session"]))["document"]
    await do("lead", project=project, event="opened")
    await do("retry", project=project)
    await world.settle()
    comment = await do("comment", project=project, kind="question", author=world.account(), text="Quels arbres ?")
    shown = await do("moderate", MODERATOR, comment=comment["comment"], state="shown")
    assert shown["state"] == "shown"
    assert len(await bureau.list("comments", project=project)) == 1
    world.accounts.support(parse_id(project), 10_000, 3)
    await world.settle()
    await world.settle()
    assert (await do("lead", project=project, event="started"))["state"] == "in_progress"
    assert len(await bureau.list("list", MONEY, theme="environment")) == 1
    return project


async def _seat_of(bureau: Bureau, name: str) -> str:
    return str(next(one for one in await bureau.list("members") if one["title"] == name)["member"])


async def _money(bureau: Bureau, project: str) -> None:
    """Convert a round, prove what was spent, confirm, and bring a finding."""
    do, world = bureau.do, bureau.world
    round_ = await do("convert", MONEY, project=project)
    await world.settle()
    world.accounts.convert(parse_id(round_["round"]), {BREST: round_["cents"]})
    await world.settle()
    world.accounts.settle(parse_id(round_["round"]), BREST, round_["cents"])
    await world.settle()
    confirmed = await do("confirm", MONEY, round=round_["round"], on="2027-01-05")
    assert confirmed["payer"] == BREST
    spent = {"project": project, "instalment": 1, "words": "facture", "cents": round_["cents"], "sha256": SHA}
    proof = (await do("spending", **spent))["proof"]
    assert (await do("spending-judge", MONEY, proof=proof, accept=True))["state"] == "accepted"
    auditor = world.signer("auditor", SignerRole.AUDITOR)
    words = {"territory": BREST, "id": new_id(), "project": project, "instalment": 1, "verdict": "sound", "text": "vu"}
    body = FindingWords(1, BREST, parse_id(words["id"]), parse_id(project), 1, AuditVerdict.SOUND, "vu")
    signed = {
        "words": words,
        "key": auditor.public.id.hex(),
        "signature": sign(auditor, Domain.AUDIT, write_words(body)).hex(),
    }
    assert (await bureau.place.do(bureau.keys[SECRETARY], "finding", signed))["verdict"] == "sound"
    shown = await do("show", MONEY, project=project)
    assert (shown["converted_cents"], len(shown["spendings"]), len(shown["findings"])) == (round_["cents"], 1, 1)


async def _audit(bureau: Bureau, project: str) -> None:
    """Register an auditor, ask, draw, report, answer; and give another audit up."""
    do, world = bureau.do, bureau.world
    audits = Audits(world)
    world.signer("ada", SignerRole.AUDITOR)
    account = world.account()
    audits.accounts[account] = "ada"
    join = JoinWords(
        version=1,
        territory=BREST,
        id=world.id(),
        account=account,
        kind="retired",
        **BREST_PLACE,
        radius=50_000,
        skills=(),
        from_day=20260101,
        until_day=20281231,
        missions_max=3,
    )
    taken = await do("audit-hand-in", signed=write_audit(audits.sign("ada", join)))
    assert (await do("audit-rules", MONEY))["answer_days"] > 0
    found = {"auditor": taken["id"], "kind": "organisation", "organisation": "W291000009", "reason": "her club"}
    assert (await do("audit-found", **found))["conflict"]
    asked = {"instalment": 1, "auditors": 1, "source": "Loto", "reason": "the first instalment is spent"}
    days = {"drawn_on": "2027-02-20", "due_on": "2027-03-20"}
    audit = (await do("audit-ask", project=project, **asked, **days))["audit"]
    world.later(days=60)
    assert (await do("audit-number", audit=audit, number="112233"))["state"] == "called"
    [line] = await bureau.list("audits", MONEY, project=project)
    mission = await do("audit-mission", mission=line["missions"][0]["id"])
    [row] = audits.missions(parse_id(audit))
    assert mission["body"] == bytes(row.words).hex()
    while not (reminders := await bureau.list("audit-reminders")):  # the term to answer comes near
        world.later(days=1)
        await world.projects.catch_up()
    [reminder] = reminders
    assert (await do("audit-told", mission=reminder["mission"], kind=reminder["kind"]))["told"]
    audits.reply(row)
    audits.report(row, AuditVerdict.RESERVED)
    [report] = audits.reports(row)
    answer = {"report": format_id(Id16(bytes(report.id))), "author": ASSOCIATION, "text": "La facture suit."}
    assert (await do("audit-answer", **answer))["answer"]
    assert len(await bureau.list("auditors")) == 1
    again = await do("audit-ask", project=project, **asked, drawn_on="2027-04-20", due_on="2027-05-20")
    assert (await do("audit-drop", audit=again["audit"], reason="not needed"))["state"] == "dropped"
    assert (await do("audit-move", auditor=taken["id"], leaves="moves away"))["auditor"] == taken["id"]


async def _volunteers(bureau: Bureau, project: str) -> str:
    """An offer, who looks for one, who comes, the hours, and the pass that is claimed."""
    do, world = bureau.do, bureau.world
    offer_text = {
        "project": project,
        "title": "Planter un verger",
        "words": "Deux matinées.",
        "domain": "environnement",
        "first_on": "2027-01-01",
        "last_on": "2027-06-20",
        "minutes": 360,
        "places": 3,
        "place": BREST_TOWN,
    }
    offer = (await do("volunteer-offer", offer=offer_text, author=ASSOCIATION))["offer"]
    assert (await do("volunteer-step", offer=offer, event="published", author=ASSOCIATION))["state"] == "open"
    assert len(await bureau.list("volunteer-offers", MONEY, project=project, state="open")) == 1
    search = {"account": world.account(), "place": BREST_TOWN, "until": "2027-06-01"}
    request = (await do("volunteer-request", request=search))["request"]
    assert len(await bureau.list("volunteer-match", request=request)) == 1
    assert len(await bureau.list("volunteer-match", offer=offer)) == 1
    assert (await do("volunteer-close", request=request))["closed"]
    account, other = world.account(), world.account()
    here = (await do("volunteer-apply", offer=offer, account=account))["application"]
    gone = (await do("volunteer-apply", offer=offer, account=other))["application"]
    accepted = {"event": "accepted", "author": ASSOCIATION}
    assert (await do("volunteer-decide", application=here, **accepted))["state"] == "accepted"
    assert (await do("volunteer-leave", application=gone, account=other))["state"] == "left"
    day = (await do("home"))["day"]
    told = {"application": here, "account": account, "on": day, "minutes": 300, "words": "planté"}
    hours = (await do("volunteer-hours", **told))["hours"]
    assert (await bureau.attest("hours", hours, bureau.speaker(project)))["state"] == "confirmed"
    [line] = await bureau.list("attestations", MONEY, subject=hours)
    assert line["says"] == "yes"
    assert len(await bureau.list("volunteer-applications", offer=offer)) == 2
    claimed = await do("volunteer-claim", application=here, role="Jardinier", duty="other")
    return str(claimed["pass"])


async def _passes(bureau: Bureau, project: str, claimed: str) -> None:
    """Check, validate and issue a pass; write, verify and tell it; claim another by hand, and refuse it."""
    do, world = bureau.do, bureau.world
    await bureau.attest("work", claimed, bureau.speaker(project))
    for name in ("associations-1", "companies-1"):
        await bureau.attest("validation", claimed, name)
    assert (await do("pass-issue", **{"pass": claimed}))["state"] == "issued"
    claim = {
        "project": project,
        "account": world.account(),
        "role": "Jardinier",
        "first_on": "2026-03-01",
        "last_on": "2026-10-24",
        "hours": [{"year": 2026, "minutes": 600}],
    }
    other = (await do("pass-claim", claim=claim))["pass"]
    assert (await do("pass-step", **{"pass": other}, event="refused", reason="the wrong role"))["state"] == "refused"
    assert len(await bureau.list("passes", project=project)) == 2
    shown = await do("pass-show", **{"pass": claimed})
    assert shown["verify"]
    written = await do("pass-export", **{"pass": claimed}, form="json")
    assert len(base64.b64decode(written["data"])) == written["bytes"]
    assert (await do("pass-verify", data=written["data"]))["standing"] == "good"
    assert (await do("pass-status", MONEY, purpose="revocation", number=1))["data"]
    issuer = await do("pass-issuer", MONEY)
    assert issuer["issuer"] in issuer["known"]
    assert (await do("pass-year", year=2027))["passes"] == 1
    assert len(await bureau.list("pass-skills", MONEY)) > 10


async def _south(bureau: Bureau, bearer: str, names: list[str]) -> None:
    """A South programme with all that it needs, its report, and a guide from accreditation to end."""
    do, world = bureau.do, bureau.world
    project = (
        await do("propose", sheet=sheet(bearer) | {"commune": SENEGAL, "need_by": "2028-03-01"}, author=world.account())
    )["project"]
    assert "humanitarian" in {one["purpose"] for one in await bureau.list("south-purposes", MONEY)}
    await do("south-declare", project=project, country="SN", purpose="humanitarian")
    own = world.signer("Puits", SignerRole.PARTNER).public.id.hex()
    body = {"name": "Puits", "country": "SN", "kind": "association", "registration": "n° 1"}
    asked = {"id": new_id(), "project": project, "key": own, **body}
    partner = (await bureau.place.do(bureau.keys[SECRETARY], "south-partner", asked))["partner"]
    until = {"valid_until": "2029-12-31"}
    await do("south-partner-proof", partner=partner, words="récépissé", sha256=SHA, issued_on="2026-01-01", **until)
    clauses = "control,reporting,audit,return"
    days = {"signed_on": "2026-11-01", "from_day": "2026-11-01", "until_day": "2029-10-31"}
    agreement = await do("south-agreement", partner=partner, sha256=SHA, clauses=clauses, **days)
    lines = [
        {"words": "pompe", "country": "SN", "currency": "XOF", "rate": 655_957_000, "cents": 7_000},
        {"words": "suivi", "country": "FR", "cents": 3_000},
    ]
    assert (await do("south-budget", project=project, lines=lines))["cents"] == 10_000
    told = await do("south-clearance-words", partner=partner)
    today = int((await do("home"))["day"].replace("-", ""))
    words = ClearanceWords(1, told["territory"], world.id(), parse_id(partner), "UE et ONU", today, True)
    for steward, waits in (("anne", True), ("bob", False)):
        signed = sign_words(write_clearance(words), Domain.OFFICER, world.people[steward])
        assert bool((await do("south-clearance", signed=write_signed(signed)))["waits_for"]) == waits
    assert (await do("south-show", MONEY, project=project))["missing"] == []
    await do("lead", project=project, event="examined")
    assert (await bureau.vote(project, names))["outcome"] == "validated"
    await do("lead", project=project, event="opened")
    await world.settle()
    world.accounts.support(parse_id(project), 10_000, 3)
    await world.settle()
    await world.settle()
    await do("lead", project=project, event="started")
    assert len((await do("south-report-words", project=project))["lines"]) == 2
    today = int((await do("home"))["day"].replace("-", ""))
    report = ReportWords(1, BREST, world.id(), parse_id(project), today, today, (0, 0), (), "La pompe est posée.")
    signed = sign_words(write_report(report), Domain.AUDIT, world.people["Puits"])
    assert (await do("south-report", signed=write_signed(signed)))["taken"]
    ended = await do("south-end", kind="agreement", what=agreement["agreement"], reason="replaced")
    assert ended["agreement"] == agreement["agreement"]
    guide = guide_words(world)
    for name in names[:2]:
        vote = sign_words(write_guide(guide), Domain.VOTE, world.people[name])
        await do("guide-approve", signed=write_signed(vote))
    assert (await do("guide-end", guide=format_id(Id16(guide.id)), why="left", reason="moves away"))["state"]
    assert len(await bureau.list("guides", MONEY)) == 1


@pytest.mark.timeout(300)
async def test_every_step_of_the_projects_office_is_taken_by_its_door(bureau: Bureau) -> None:
    assert len(await bureau.list("words", MONEY)) > 5
    names = await _committee(bureau)
    bearer = await _bearer(bureau)
    project = await _project(bureau, bearer, names)
    await _money(bureau, project)
    await _audit(bureau, project)
    await _passes(bureau, project, await _volunteers(bureau, project))
    await _south(bureau, bearer, names)
    await bureau.list("payers", MONEY)
    assert await bureau.list("late", MONEY) == []
    assert (await bureau.do("catalogue-publish"))["number"] >= 1
    reached = bureau.place.reached
    assert {step.command for step in PROJECTS_STEPS.steps} - reached == set()


async def test_what_the_office_does_is_done_by_the_officer_of_the_key(bureau: Bureau) -> None:
    world, place, key = bureau.world, bureau.place, bureau.keys[SECRETARY]
    project = format_id(world.propose(world.bearer()))
    asked = {"id": new_id(), "project": project, "event": "examined"}
    assert await place.refusal(key, "lead", asked | {"by": MONEY}) == (403, "another_officer")
    await place.do(key, "lead", asked)
    await place.do(key, "lead", asked | {"by": SECRETARY})
    other = await place.key("secretary", officer="the mayor")
    assert await place.refusal(other, "lead", asked) == (409, "id_mismatch"), "another would do it under this id"
    steps = (await bureau.do("show", MONEY, project=project))["steps"]
    assert [one["event"] for one in steps][-1] == "examined"


async def test_no_door_of_the_office_opens_without_its_duty(bureau: Bureau) -> None:
    keys = {one: await bureau.place.key(one, officer=one) for one in ("reader", "moderator", "treasurer")}
    for step in PROJECTS_STEPS.steps:
        for duty, key in keys.items():
            if duty not in step.duties:
                assert await bureau.place.refusal(key, step.called, data=b"") == (403, "duty_missing"), step.called
