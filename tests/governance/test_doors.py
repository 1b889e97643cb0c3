"""What anybody reads of projects over HTTP, what the commands say, and a served base beside the accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner
from typer.main import get_command

from node.access.service import Grant, NotAuthorised, Scope
from node.commands import app as node_commands
from node.desks.projects.api import DOORS, add_projects_doors
from node.desks.projects.audits_requests import make_reply, make_report, write_signed
from node.desks.projects.requests import write_sheet_request
from node.governance.comments import CommentKind, CommentState
from node.governance.comments_service import AddComment, Moderate
from node.governance.committee_service import CloseList
from node.governance.days import format_day
from node.governance.minutes import verify_minutes
from node.governance.pictures import require_picture
from node.governance.projects import ProjectEvent
from node.governance.sheets import Picture
from node.governance.volunteering.offers import ApplicationEvent
from node.governance.volunteering.volunteering_store import load_application
from protocol.identifiers import Id16, format_id, parse_id
from protocol.running import clock_service
from protocol.running.http_service import Metrics, make_application
from protocol.times import DAY_MS, Instant
from tests.governance.test_auditing import started
from tests.governance.test_sheets import png
from tests.governance.test_volunteers import Field
from tests.governance.world import BREST, NOON, PROJECTS, World, make_sheet


async def ask(world: World, *paths: str) -> list[tuple[int, Any]]:
    application = make_application(body_bytes_max=1_000, probe=lambda: None, metrics=Metrics(lambda: ()))
    add_projects_doors(application, world.projects)
    answers: list[tuple[int, Any]] = []
    async with TestClient(TestServer(application)) as client:
        for path in paths:
            answer = await client.get(f"/v1/projects{path}")
            answers.append(
                (answer.status, await answer.json() if "json" in answer.content_type else await answer.read())
            )
    return answers


async def test_anybody_reads_what_is_open_and_decided_and_nobody_is_named(world: World) -> None:
    members = world.committee()
    picture = require_picture(png())
    world.write(world.projects.projects.keep_pictures, picture)
    project = world.propose(world.bearer(), pictures=(Picture(picture.digest, "un plan"),))
    hidden = world.propose(None)
    await world.open(project, list(members))
    world.accounts.support(project, 1_200, 7)
    await world.settle()
    for text, state in (("Qui arrose ?", CommentState.SHOWN), ("insulte", CommentState.HIDDEN)):
        said = AddComment(id=world.id(), project=project, kind=CommentKind.QUESTION, author="D715K6AF", text=text)
        world.write(world.projects.comments.add, said)
        world.write(world.projects.comments.moderate, Moderate(comment=said.id, state=state, by="x", reason="y"))
    drawn = CloseList(
        id=world.id(), college="citizens", seats=1, source="Loto", drawn_on=20270101, candidates=("D715K6AF",)
    )
    world.write(world.projects.committee.close_lists, drawn)
    decision = world.project(project).decision
    assert decision is not None
    one = f"/{format_id(project)}"
    answers = await ask(
        world, "", one, f"{one}/comments", f"/minutes/{decision.hex()}", f"/files/{picture.digest.hex()}", "/draws"
    )
    assert [status for status, _ in answers] == [200] * 6
    listed, sheet, comments, minutes, file, draws = (answer for _, answer in answers)
    [line] = listed["projects"]
    assert (line["support_cents"], line["supporters"], line["need_by"]) == (1_200, 7, "2027-03-01")
    assert line["address"].endswith(f"@{BREST}")
    assert sheet["project"] == line
    assert (sheet["bearer"], sheet["bearer_registry"], sheet["decision"]) == ("Les Blés", "W291000001", decision.hex())
    assert [step["state"] for step in sheet["steps"]] == ["proposed", "under_examination", "validated", "open"]
    assert [comment["text"] for comment in comments["comments"]] == ["Qui arrose ?"]
    body, signature = bytes.fromhex(minutes["document"]), bytes.fromhex(minutes["signature"])
    assert verify_minutes(body, signature, [world.keys[PROJECTS].public]).outcome == minutes["outcome"] == "validated"
    assert file == picture.body
    assert draws["draws"][0]["number"] == ""
    proposers = {world.project(id_).proposer for id_ in (project, hidden)}
    for _, answer in answers[:5]:
        told = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        assert not [word for word in (*proposers, "D715K6AF", "FR14", "LES BLES") if word.encode() in told]


async def test_what_is_not_there_or_not_shown_is_not_found(world: World) -> None:
    hidden = world.propose(None)
    answers = await ask(
        world,
        f"/{format_id(hidden)}",
        f"/{format_id(world.id())}",
        f"/minutes/{'0' * 64}",
        "/minutes/no",
        f"/files/{'0' * 64}",
        "/files/xyz",
        "/nothing-like-an-id",
        "?state=proposed",
        "?state=all",
    )
    assert [status for status, _ in answers] == [404, 404, 404, 404, 404, 404, 400, 400, 200]
    assert answers[-1][1] == {"projects": []}


async def test_the_doors_are_described_as_they_are(world: World) -> None:
    [(status, told), (_, words)] = await ask(world, "/openapi.json", "/words")
    assert status == 200
    assert set(told["paths"]) == {route.path for route, _ in DOORS}
    operations = [one for path in told["paths"].values() for one in path.items()]
    closed = {operation["operationId"] for method, operation in operations if operation.get("security") != []}
    assert closed == {route.name for route, _ in DOORS if route.scope}
    assert {operation["operationId"] for method, operation in operations if method == "post"} <= closed
    assert {one["key"] for one in words["themes"]} >= {"environment", "education"}
    assert all(one["fr"] and one["en"] for one in words["themes"] + words["criteria"])


# ---------------------------------------------------------------- commands


COMMANDS = get_command(node_commands)  # made once: it takes longer than what most commands do


class Place:
    """A folder with a node and its projects' base, and somebody who types; every command opens the book by itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = CliRunner()

    def run(self, *arguments: object, code: int = 0) -> Any:
        words = [str(one) for one in arguments]
        result = self.runner.invoke(COMMANDS, words, env={"CITIZEN_MILES_LANG": "en", "COLUMNS": "200"})
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if "--json" in words else result.output

    def ask(self, *arguments: object, code: int = 0) -> Any:
        first, *rest = arguments
        told = self.run("projects", *str(first).split(), self.folder, *rest, "--json", code=code)
        return told


def test_a_project_goes_from_its_file_to_its_minutes_by_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [NOON]
    monkeypatch.setattr(clock_service, "now", lambda: Instant(now[0]))
    place = Place(tmp_path / "node")
    place.run("init", place.folder, "--territory", BREST, "--name", "Brest")
    card = place.ask("init")["card"]
    bearer = place.ask(
        *("bearer save", "--registry", "W291000001", "--name", "Les Blés", "--category", "9220"),
        *("--holder", "LES BLES", "--iban", "FR14 2004 1010 0505 0001 3M02 606"),
    )["bearer"]
    refused = place.run(
        *("projects", "bearer", "save", place.folder, "--registry", "732829320", "--name", "SA", "--category", "5710"),
        *("--holder", "SA", "--iban", "FR1420041010050500013M02606"),
        code=1,
    )
    assert "is a company" in refused
    proof = tmp_path / "statuts.pdf"
    proof.write_bytes(b"statutes")
    dates = ("--issued-on", "2026-01-01", "--valid-until", "2099-12-31")
    for kind in ("statutes", "ruling"):
        place.ask("bearer proof", bearer, proof, "--kind", kind, *dates)
    photo = tmp_path / "plan.png"
    photo.write_bytes(png())
    digest = place.ask("picture", photo)["digest"]
    sheet = msgspec.to_builtins(write_sheet_request(make_sheet(None))) | {
        "bearer": bearer,
        "need_by": "2027-03-01",
        "pictures": [{"digest": digest, "words": "un plan"}],
    }
    file = tmp_path / "verger.json"
    file.write_text(json.dumps(sheet), encoding="utf-8")
    project = place.ask("propose", file, "--by", "W291000001")["project"]
    place.ask("examine", project, "--by", "the office")

    ballots = []
    for college in ("citizens", "municipality"):
        own = tmp_path / college
        made = place.run("projects", "key", "--keys", own, "--json")
        place.ask("signer add", made["public"], "--role", "member", "--title", f"membre {college}")
        place.ask(
            *("member seat", "--key", made["key"], "--college", college),
            *("--from", "2026-01-01", "--until", "2028-12-31"),
        )
        ballots.append((own, tmp_path / f"{college}.ballot"))
    session = place.ask("vote call", project, "--closes-at", "2026-12-01T18:00:00+01:00")["session"]
    words = tmp_path / "words.json"
    place.ask("vote words", session, "--out", words)
    for own, ballot in ballots:
        place.run(
            "projects", "vote", "sign", words, "--keys", own, "--choice", "for", "--grid", "4,3,2,1", "--out", ballot
        )
        place.ask("vote cast", ballot)
    now[0] += 9 * DAY_MS
    closed = place.ask("vote close", session)
    assert closed["outcome"] == "validated"
    minutes = tmp_path / "minutes.json"
    place.ask("vote minutes", session, "--out", minutes)
    counted = place.run("projects", "vote", "verify", minutes, "--card", card, "--json")
    assert (counted["outcome"], counted["decision"], counted["ballots"]) == ("validated", closed["decision"], 2)
    assert place.ask("open", project, "--by", "the office")["state"] == "open"
    shown = place.ask("show", project)
    assert shown["sheet"] == sheet | {"links": []}
    assert "validated" in place.run("projects", "show", place.folder, project)  # as tables
    place.run("totals", place.folder)  # the accounts' base is made by its first command
    assert "each decision is its minutes" in place.run("check", place.folder)


# ---------------------------------------------------------------- doors that take a key


class Program:
    """A program with a key of the node's access room, which a test answers for."""

    def __init__(self, world: World, *scopes: Scope, account: str = "") -> None:
        self.world = world
        self.granted = Grant("k1", frozenset(scopes), account)

    async def authorise(self, text: str) -> Grant:
        if text != "cmk_k1_right":
            raise NotAuthorised
        return self.granted

    async def get(self, path: str, language: str = "fr", key: str = "cmk_k1_right") -> tuple[int, Any]:
        application = make_application(body_bytes_max=200_000, probe=lambda: None, metrics=Metrics(lambda: ()))
        add_projects_doors(application, self.world.projects, self.authorise)
        async with TestClient(TestServer(application)) as client:
            headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
            answer = await client.get(f"/v1/projects{path}", headers=headers)
            return answer.status, await answer.json()

    async def post(self, path: str, body: Any, key: str = "cmk_k1_right", *, apart: bool = False) -> tuple[int, Any]:
        application = make_application(body_bytes_max=200_000, probe=lambda: None, metrics=Metrics(lambda: ()))
        add_projects_doors(application, self.world.projects, None if apart else self.authorise)
        async with TestClient(TestServer(application)) as client:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = await client.post(f"/v1/projects{path}", json=body, headers=headers)
            return answer.status, await answer.json()


async def test_a_program_proposes_and_comments_for_an_account_as_far_as_its_key_goes(world: World) -> None:
    program, account = Program(world, Scope.PROJECTS), world.account()
    sheet = msgspec.to_builtins(write_sheet_request(make_sheet(None)))
    asked = {"id": format_id(world.id()), "account": account, "sheet": sheet}
    for key, status in (("", 401), ("cmk_k1_wrong", 401)):
        assert (await program.post("/proposals", asked, key))[0] == status
    assert (await program.post("/proposals", asked, apart=True))[0] == 401  # served apart from the accounts
    assert (await Program(world, Scope.CEDE).post("/proposals", asked))[0] == 403
    bound = Program(world, Scope.PROJECTS, account=world.account())
    assert (await bound.post("/proposals", asked))[0] == 403
    told = (201, {"project": asked["id"], "state": "proposed"})
    assert await program.post("/proposals", asked) == told
    assert await program.post("/proposals", asked) == (200, told[1])
    status, refused = await program.post("/proposals", asked | {"sheet": sheet | {"title": "Autre"}})
    assert (status, refused["code"]) == (409, "id_mismatch")
    assert world.project(parse_id(asked["id"])).proposer == account
    for _ in range(2):
        assert (await program.post("/proposals", asked | {"id": format_id(world.id())}))[0] == 201
    status, refused = await program.post("/proposals", asked | {"id": format_id(world.id())})
    assert (status, refused["code"], refused["facts"]) == (
        422,
        "too_many_waiting",
        {"what": "proposals", "most": 3},
    )
    assert (await program.post("/proposals", asked))[0] == 200  # asked again, it is answered all the same

    project = world.propose(world.bearer())
    world.lead(project, ProjectEvent.EXAMINED)
    said = {"id": format_id(world.id()), "account": account, "kind": "question", "text": "Qui arrose ?"}
    path = f"/{format_id(project)}/comments"
    assert await program.post(path, said) == (201, {"comment": said["id"], "state": "waiting"})
    assert await program.post(path, said) == (200, {"comment": said["id"], "state": "waiting"})
    assert (await bound.post(path, said))[0] == 403
    assert (await program.post(path, said | {"kind": "shout"}))[0] == 400
    for _ in range(9):
        assert (await program.post(path, said | {"id": format_id(world.id())}))[0] == 201
    assert (await program.post(path, said | {"id": format_id(world.id())}))[1]["code"] == "too_many_waiting"
    assert (await ask(world, path))[0] == (200, {"comments": []})  # nobody has looked at them
    world.write(
        world.projects.comments.moderate,
        Moderate(comment=parse_id(said["id"]), state=CommentState.SHOWN, by="the office"),
    )
    assert (await program.post(path, said | {"id": format_id(world.id())}))[0] == 201


async def test_auditors_hand_in_what_they_signed_and_anybody_reads_it(world: World) -> None:
    audits, project = await started(world)
    program = Program(world, Scope.PROJECTS)
    audits.join("ada")
    audit = audits.ask(project)
    world.later(days=31)
    audits.draw(audit)
    [row] = audits.missions(audit)
    [(_, mission)] = await ask(world, f"/missions/{format_id(Id16(bytes(row.id)))}")
    reply = make_reply(world.id(), mission["body"], is_accepted=True, reason="")
    signed = write_signed(audits.sign("ada", reply))
    assert (await program.post("/audit-words", signed, ""))[0] == 401
    assert (await program.post("/audit-words", signed | {"signature": "00" * 64}))[1]["code"] == "signature_refused"
    taken = {"what": "reply", "id": format_id(Id16(reply.id)), "state": "accepted"}
    assert await program.post("/audit-words", signed) == (200, taken)
    assert await program.post("/audit-words", signed) == (200, taken)
    lines = [{"criterion": key, "verdict": "sound"} for key in mission["criteria"]]
    lines[1] |= {"verdict": "reserved", "text": "une facture manque"}
    report = make_report(world.id(), mission["body"], {"lines": lines})
    assert (await program.post("/audit-words", write_signed(audits.sign("ada", report))))[1]["state"] == "reserved"
    id_ = format_id(Id16(report.id))
    answer = {"id": format_id(world.id()), "account": "D715K6AF", "text": "La voici.", "sha256": "ab" * 32}
    assert await program.post(f"/reports/{id_}/answers", answer) == (200, {"answer": answer["id"]})
    [(status, told)] = await ask(world, f"/{format_id(project)}/audits")
    assert status == 200
    [one] = told["audits"]
    assert (one["state"], one["verdict"], one["auditors"], one["instalment"]) == ("ended", "reserved", 1, 1)
    [shown] = one["missions"][0]["reports"]
    assert [line["verdict"] for line in shown["lines"]] == ["sound", "reserved", "sound", "sound"]
    assert [(said["text"], said["sha256"]) for said in shown["answers"]] == [("La voici.", "ab" * 32)]
    assert not [account for account in (*audits.accounts, "D715K6AF") if account in json.dumps(told)]


async def test_the_base_tells_an_auditor_by_itself_and_a_reminder_is_passed_on_once(world: World) -> None:
    audits, project = await started(world)
    audits.join("ada")
    account, program = list(audits.accounts)[-1], Program(world, Scope.PROJECTS)
    audit = audits.ask(project)
    world.later(days=31)
    audits.draw(audit)
    [mission] = audits.missions(audit)
    id_ = format_id(Id16(bytes(mission.id)))

    async def notices(language: str = "fr") -> list[tuple[str, str]]:
        status, told = await program.get(f"/audit-notices?account={account}", language)
        assert status == 200
        assert all(one["mission"] == id_ for one in told["notices"])
        return [(one["kind"], one["text"]) for one in told["notices"]]

    [(kind, text)] = await notices()
    assert (kind, format_day(mission.answer_by) in text) == ("offered", True)
    world.later(days=5)  # on which nothing ran
    for _ in range(2):
        await world.projects.catch_up()
    [(kind, text)] = await notices("en")
    assert (kind, text.startswith("The mission on")) == ("answer", True)
    passed = {"account": account, "kind": "answer"}
    assert [(await program.post(f"/audit-notices/{id_}", passed))[1]["passed_on"] for _ in range(2)] == [True, False]
    assert [kind for kind, _ in await notices()] == ["offered"]
    audits.reply(mission)
    assert await notices() == []
    world.later(days=35)  # the day on which it was due soon is over as well
    for _ in range(2):
        await world.projects.catch_up()
    assert [kind for kind, _ in await notices()] == ["overdue"]

    bound = Program(world, Scope.PROJECTS, account=world.account())
    assert (await bound.get(f"/audit-notices?account={account}"))[0] == 403
    assert (await program.get(f"/audit-notices?account={account}", key="cmk_k1_wrong"))[0] == 401
    other = await program.post(f"/audit-notices/{id_}", {"account": world.account(), "kind": "overdue"})
    assert (other[0], other[1]["code"]) == (404, "mission_unknown")
    assert (await program.post(f"/audit-notices/{id_}", {"account": account, "kind": "offered"}))[0] == 400


def test_an_auditor_joins_and_says_a_conflict_with_files_alone(tmp_path: Path) -> None:
    place = Place(tmp_path / "node")
    place.run("init", place.folder, "--territory", BREST, "--name", "Brest")
    place.ask("init")
    own, files = tmp_path / "ada", [tmp_path / "join.json", tmp_path / "conflict.json"]
    made = place.run("projects", "key", "--keys", own, "--json")
    place.ask("signer add", made["public"], "--role", "auditor", "--title", "Auditrice 1")
    signing = ("--keys", own, "--territory", BREST)
    place.run(
        *("projects", "audit", "join", *signing, "--account", "D715K6AF", "--kind", "student", "--place", "29019"),
        *("--place-name", "Brest", "--latitude", "48.3904", "--longitude", "-4.4861", "--from", "2026-01-01"),
        *("--until", "2028-12-31", "--skill", "rome:300031", "--out", files[0]),
    )
    place.run(
        *("projects", "audit", "conflict", *signing, "--organisation", "W291000001", "--reason", "membre"),
        *("--out", files[1]),
    )
    assert [place.ask("audit hand-in", file)["what"] for file in files] == ["join", "conflict"]
    [auditor] = place.ask("audit auditors")
    assert (auditor["account"], auditor["kind"], auditor["conflicts"], auditor["left"]) == (
        "D715K6AF",
        "student",
        1,
        "",
    )
    place.ask("audit away", auditor["auditor"], "--until", "2027-01-31")
    assert place.ask("audit auditors")[0]["away_until"] == "2027-01-31"
    assert {one["key"] for one in place.ask("audit rules")["criteria"]} == {"done", "spent", "serves", "open"}
    assert [one["title"] for one in place.ask("audit auditors")] == ["Auditrice 1"]
    assert place.ask("audit reminders") == []


async def test_anybody_finds_work_near_home_and_a_program_applies_and_tells_hours(world: World) -> None:
    members = world.committee()
    project = world.propose(world.bearer())
    await world.open(project, list(members))
    field, account = Field(world, project), world.account()
    offer = field.offer(places=2)
    here = "latitude=48.38&longitude=-4.62&radius_km=20"
    answers = await ask(
        world,
        f"/offers?{here}&skills=esco:S1.3&remote=no",
        f"/offers?{here}",
        f"/offers?{here}&skills=esco:S1.3&people=3",
        f"/{format_id(project)}/offers",
        "/offers?latitude=here",
        "/offers/applications",
    )
    assert [status for status, _ in answers] == [200, 200, 200, 200, 400, 401]
    [found] = answers[0][1]["offers"]
    assert (found["offer"]["id"], found["skills"]) == (format_id(offer), ["esco:S1.3"])
    assert 9_000 < found["metres"] < 11_000
    assert answers[1][1] == answers[2][1] == {"offers": []}
    assert [one["id"] for one in answers[3][1]["offers"]] == [format_id(offer)]
    program = Program(world, Scope.PROJECTS, account=account)
    asked = {"id": format_id(world.id()), "account": account, "people": 2, "label": "Le club"}
    path = f"/offers/{format_id(offer)}/applications"
    assert await program.post(path, asked) == (200, {"id": asked["id"], "state": "sent"})
    assert (await program.post(path, asked | {"account": world.account()}))[0] == 403
    application = world.read(lambda line: load_application(line, parse_id(asked["id"])))
    field.decide(application, ApplicationEvent.ACCEPTED)
    hours = {"id": format_id(world.id()), "account": account, "on": "2026-11-24", "minutes": 90, "words": "planté"}
    path = f"/applications/{asked['id']}"
    assert await program.post(f"{path}/hours", hours) == (200, {"id": hours["id"], "state": "told"})
    other = Program(world, Scope.PROJECTS)
    theirs = hours | {"id": format_id(world.id()), "account": world.account()}
    assert (await other.post(f"{path}/hours", theirs))[1]["code"] == "validator_refused"
    search = {
        **{"id": format_id(world.id()), "account": account, "until": "2026-12-31"},
        "place": {"code": "29019", "name": "Brest", "latitude": "48.3904", "longitude": "-4.4861"},
    }
    assert await program.post("/offers/requests", search) == (200, {"id": search["id"], "state": "open"})
    left = {"id": format_id(world.id()), "account": account}
    assert await program.post(f"{path}/leave", left) == (200, {"id": asked["id"], "state": "left"})


def test_volunteering_has_its_commands_and_says_what_is_not_there(tmp_path: Path) -> None:
    place = Place(tmp_path / "node")
    place.run("init", place.folder, "--territory", BREST, "--name", "Brest")
    place.ask("init")
    missing = "00000000-0000-4000-8000-000000000001"
    file = tmp_path / "offer.json"
    told = {
        **{"project": missing, "title": "Planter", "words": "Deux matinées.", "domain": "environnement"},
        **{"first_on": "2026-12-01", "last_on": "2026-12-20", "minutes": 360, "places": 2, "remote": "full"},
    }
    file.write_text(json.dumps(told), encoding="utf-8")
    refused = place.run("projects", "volunteer", "offer", place.folder, file, "--by", "W291000001", code=1)
    assert "No project" in refused
    for words in (
        ("publish", missing, "--by", "W291000001"),
        ("claim", missing, "--role", "Jardinier"),
    ):
        name, *rest = words
        assert "here" in place.run("projects", "volunteer", name, place.folder, *rest, code=1)
    request = tmp_path / "request.json"
    here = {"code": "29019", "name": "Brest", "latitude": "48.3904", "longitude": "-4.4861"}
    request.write_text(json.dumps({"account": "D715K6AF", "place": here, "until": "2027-12-31"}), encoding="utf-8")
    kept = place.ask("volunteer request", request)["request"]
    assert place.ask("volunteer match", "--request", kept) == []
    assert place.ask("volunteer list", "--account", "D715K6AF") == []
    assert place.ask("volunteer close-request", kept)["closed"] is True
