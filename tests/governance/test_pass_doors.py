"""What the world and the office see of passes: the doors by HTTP, the commands on a sleeping base."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openvc.did.base import DidResolverRegistry
from openvc.did.did_web import DidWebResolver
from openvc.verify import VerificationPolicy, verify_credential

from node.commands import app
from node.desks.projects import attestations_commands, call_commands, passes_commands
from node.desks.projects.admin_commands import PROJECTS_COMMANDS
from node.desks.projects.passes_api import DOORS, add_passes_doors
from node.governance import tables as base_tables
from node.governance.bearers import Bearer, Registry
from node.governance.committee_service import SeatMember
from node.governance.days import write_day
from node.governance.passes.credentials import digest_of
from node.governance.passes.pass_proofs import make_pass_proof
from node.governance.passes.passes import PassEvent
from node.governance.passes.png_baking import unbake_png
from node.governance.passes.verification import verify_list
from node.governance.projects_service import ProposeProject
from node.governance.signers import SignerRole
from node.governance.signers_service import NewSigner
from node.governance.store import change
from node.governance.votes import College
from node.projects_app import ProjectsApp
from protocol.identifiers import Id16, format_id
from protocol.running.http_service import Metrics, make_application
from protocol.running.keys_store import create_keys
from tests.governance.test_pass_life import ACCOUNT, NODE, Office, office
from tests.governance.world import BREST, OURS, World, make_sheet

__all__ = ["office"]  # a fixture of the neighbouring file


# ---------------------------------------------------------------- by HTTP


def make_doors(served: Office) -> web.Application:
    application = make_application(body_bytes_max=1_024, probe=lambda: None, metrics=Metrics(lambda: ()))
    add_passes_doors(application, served.passes)
    return application


async def test_another_reader_finds_all_that_it_needs_at_the_addresses_that_the_pass_names(office: Office) -> None:
    kept = await office.issue()
    document = json.loads(kept.credential)
    at = datetime.datetime.fromtimestamp(office.world.now / 1_000 + 60, datetime.UTC)
    async with TestClient(TestServer(make_doors(office))) as client:

        async def fetch(place: str, **headers: str) -> str:
            answer = await client.get(place.removeprefix(NODE), headers=headers)
            assert answer.status == 200
            return await answer.text()

        did = json.loads(await fetch(f"{NODE}/.well-known/did.json"))
        assert json.loads(await fetch("/did.json")) == did
        lists = {}
        for entry in document["credentialStatus"]:
            place = entry["statusListCredential"]
            lists[place] = json.loads(await fetch(place))
            token = await fetch(place, Accept="application/vc+jwt")
            known = await office.passes.known_issuers()
            assert verify_list(token, known) == verify_list(json.dumps(lists[place]), known)
        told = verify_credential(
            document,
            resolver=DidResolverRegistry([DidWebResolver({f"{NODE}/.well-known/did.json": did}.__getitem__)]),
            resolve_status_list=lists.__getitem__,
            policy=VerificationPolicy(now=at),
        )
        assert told.issuer == office.passes.issuer.did
        for resource in document["relatedResource"]:
            answer = await client.get(resource["id"].removeprefix(NODE))
            assert answer.content_type == resource["mediaType"]
            assert digest_of(await answer.read()) == resource["digestSRI"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_who_has_the_paper_sees_the_pass_and_nobody_else(office: Office) -> None:
    kept = await office.issue()
    proof = make_pass_proof(NODE, kept.id, kept.credential)
    async with TestClient(TestServer(make_doors(office))) as client:
        door = str(proof).removeprefix(NODE)
        told = await (await client.get(door)).json()
        assert (told["standing"], told["credential"]) == ("good", json.loads(kept.credential))
        office.step(kept.id, PassEvent.REVOKED, reason="Heures comptées deux fois")
        told = await (await client.get(door)).json()
        assert (told["standing"], told["reason"]) == ("revoked", "Heures comptées deux fois")
        unissued = office.claim()
        for wrong, status in (
            (str(dataclasses.replace(proof, check="A" * 26)).removeprefix(NODE), 404),
            (f"/passes/{format_id(kept.id)}/x", 404),
            (f"/passes/nobody/{proof.check}", 404),
            (f"/passes/{format_id(kept.id)}", 404),
            (f"/passes/{format_id(unissued.id)}/picture.png", 404),
            (f"/passes/{format_id(office.world.id())}/picture.svg", 404),
            ("/passes/status/revocation/2", 404),
            ("/passes/status/revocation/1e9", 404),
            ("/passes/status/else/1", 404),
        ):
            answer = await client.get(wrong)
            assert answer.status == status, wrong
            assert ACCOUNT not in await answer.text()


async def test_the_description_names_every_door_once(office: Office) -> None:
    async with TestClient(TestServer(make_doors(office))) as client:
        document = await (await client.get("/passes/openapi.json")).json()
    described = {(method.upper(), path) for path, doors in document["paths"].items() for method in doors}
    assert described == {(route.method, route.path) for route, _ in DOORS}
    names = [door["operationId"] for doors in document["paths"].values() for door in doors.values()]
    assert len(set(names)) == len(names)


async def test_a_base_without_an_address_has_no_did_document(world: World) -> None:
    served = Office(world, world.propose(world.bearer()))
    served.passes = world.projects.passes
    async with TestClient(TestServer(make_doors(served))) as client:
        assert (await client.get("/.well-known/did.json")).status == 404


# ---------------------------------------------------------------- by command


# Made once: typer makes a whole tree of commands in half a second.
COMMANDS = {
    "node": cache(lambda: typer.main.get_command(app)),
    "pass": cache(lambda: typer.main.get_command(passes_commands.app)),
    "attest": cache(lambda: typer.main.get_command(attestations_commands.app)),
}


class Terminal:
    """Runs `citizen-miles node …` in process, on a base that sleeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, *words: object, code: int = 0) -> str:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
            COMMANDS[command]()([str(word) for word in words], prog_name="citizen-miles")
        assert (ended.value.code or 0) == code, err.getvalue()
        return out.getvalue() if code == 0 else err.getvalue()

    def make(self, *words: object, code: int = 0) -> str:
        self.run("node", "init", self.folder, "--territory", BREST, "--name", "Brest")
        return self.run("node", "projects", "init", self.folder, *words, code=code)

    def passes(self, command: str, *words: object, code: int = 0) -> Any:
        told = self.run("pass", command, self.folder, *words, "--json", code=code)
        return json.loads(told) if code == 0 else told

    def attest(self, command: str, *words: object, code: int = 0) -> Any:
        told = self.run("attest", command, *words, "--json", code=code)
        return json.loads(told) if code == 0 else told


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path / "brest")
    made.make("--issuer", "Comité de Brest", "--public-url", NODE)
    return made


def put_project(folder: Path, keys: Path) -> Id16:
    """An open project, put there by hand: how one gets so far is told elsewhere. Keys of its bearer and of members lie in `keys`."""
    opened = ProjectsApp(folder)
    bearer = Bearer(
        id=Id16(b"a bearer of tests"[:16]),
        registry=Registry("W291000001"),
        name="Les Blés",
        category="9220",
        holder_name="LES BLES",
        iban=OURS,
    )
    id_ = Id16(b"a project, tests"[:16])
    opened.book.write_now(opened.projects.signers.save_bearers, bearer)
    sheet = make_sheet(bearer, need_by=write_day(datetime.date.today() + datetime.timedelta(days=90)))
    opened.book.write_now(opened.projects.projects.propose, ProposeProject(id=id_, sheet=sheet, by=ACCOUNT))

    def let_open(page: Any, items: Any) -> list[int]:
        table = base_tables.projects
        return [change(page.connection, table, table.c.id == one, state="open") for one in items]

    opened.book.write_now(let_open, id_)
    for number, title in enumerate(("bearer", "first", "second")):
        public = create_keys(keys / title, None, bytes([number]) * 64).public
        role, of = (SignerRole.MEMBER, None) if number else (SignerRole.BEARER, bearer.id)
        opened.book.write_now(opened.projects.signers.add, NewSigner(role=role, title=title, keys=public, bearer=of))
        if number:
            seat = SeatMember(
                id=Id16(bytes([number]) * 16),
                key=public.id,
                college=College.CITIZENS,
                from_day=20260101,
                until_day=20311231,
            )
            opened.book.write_now(opened.projects.committee.seat, seat)
    opened.book.close()
    return id_


@contextlib.contextmanager
def kept_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands reach one open base: to open it for each of them would take a second. What passes is JSON, as on the socket."""
    opened = ProjectsApp(folder)

    def reach(_where: Path, command: str, arguments: Any, *, open_app: Any) -> Any:
        told = asyncio.run(PROJECTS_COMMANDS[command](opened, json.loads(json.dumps(arguments))))  # type: ignore[arg-type]
        return json.loads(json.dumps(told))

    with monkeypatch.context() as patched:
        patched.setattr(call_commands, "call", reach)
        yield
    opened.book.close()


def test_the_office_leads_a_pass_from_the_claim_to_the_holder_and_takes_it_back(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = put_project(terminal.folder, tmp_path)
    file = tmp_path / "claim.json"
    told = {
        "project": format_id(project),
        "account": ACCOUNT,
        "role": "Encadrante du chantier",
        "duty": "supervising",
        "first_on": "2026-03-01",
        "last_on": "2026-10-24",
        "hours": [{"year": 2026, "minutes": 12_600}],
        "skills": ["rome:300031"],
    }
    file.write_text(json.dumps(told))
    id_ = terminal.passes("claim", file)["pass"]
    file.write_text(json.dumps(told | {"name": "Jeanne"}))
    assert "invalid_pass" in terminal.passes("claim", file, code=1)
    with kept_open(terminal.folder, monkeypatch):
        lead_to_its_end(terminal, tmp_path, id_)
    assert terminal.passes("verify", tmp_path / "pass.png")["standing"] == "revoked"


def lead_to_its_end(terminal: Terminal, tmp_path: Path, id_: str) -> None:
    assert "signature_refused" in terminal.passes("check", id_, "--keys", tmp_path / "first", code=1)
    words, signed = tmp_path / "words.json", tmp_path / "signed.json"
    told = terminal.attest("words", terminal.folder, "work", id_, "--out", words)
    terminal.attest("sign", words, "--keys", tmp_path / "bearer", "--out", signed)
    for _ in range(2):
        assert terminal.attest("give", terminal.folder, signed)["state"] == "checked"
    words.write_text(json.dumps(told | {"content": told["content"].replace("12600", "12601")}))
    assert "invalid_attestation" in terminal.attest(
        "sign", words, "--keys", tmp_path / "bearer", "--out", signed, code=1
    )
    assert terminal.passes("validate", id_, "--keys", tmp_path / "first")["missing"] == 1
    assert terminal.passes("validate", id_, "--keys", tmp_path / "second")["state"] == "validated"
    assert [row["by"] for row in terminal.attest("list", terminal.folder, id_)] == ["bearer", "first", "second"]
    assert "pass_step_refused" in terminal.passes("suspend", id_, "--reason", "x", code=1)
    assert terminal.passes("issue", id_) == {"pass": id_, "state": "issued"}
    shown = terminal.passes("show", id_)
    assert shown["verify"].startswith(f"{NODE}/passes/{id_}/")
    assert len(shown["holder_code"]) == 29

    for form in ("png", "svg", "json", "jwt"):
        out = tmp_path / f"pass.{form}"
        terminal.passes("export", id_, "--form", form, "--proof", "json" if form == "svg" else "jwt", "--out", out)
        assert terminal.passes("verify", out)["standing"] == "good"
    assert unbake_png((tmp_path / "pass.png").read_bytes())[1] == (tmp_path / "pass.jwt").read_text()
    terminal.passes("export", id_, "--form", "pdf", "--name", "Maëlle Le Goff", "--out", tmp_path / "pass.pdf")
    assert (tmp_path / "pass.pdf").read_bytes().startswith(b"%PDF-1.7")
    forged = tmp_path / "forged.png"
    forged.write_bytes((tmp_path / "pass.png").read_bytes().replace(b"IDAT", b"IDAU", 1))
    assert "invalid_badge" in terminal.passes("verify", forged, code=1)

    assert [row["standing"] for row in terminal.passes("list", "--state", "issued")] == ["good"]
    assert terminal.passes("year", 2026, "--out", tmp_path / "cec.csv")["passes"] == 1
    assert "Encadrante du chantier" in (tmp_path / "cec.csv").read_text()
    terminal.passes("suspend", id_, "--reason", "Un doute")
    assert terminal.passes("verify", tmp_path / "pass.svg")["standing"] == "suspended"
    terminal.passes("restore", id_)
    terminal.passes("revoke", id_, "--reason", "Heures comptées deux fois")
    assert terminal.passes("verify", tmp_path / "pass.json")["standing"] == "revoked"
    assert terminal.passes("status", "--out", tmp_path / "list.json")["list"] == f"{NODE}/passes/status/revocation/1"
    assert terminal.passes("issuer")["issuer"] == "did:web:miles.brest.example"
    assert len(terminal.passes("skills")) > 20


def test_an_address_that_no_credential_can_name_makes_no_base(tmp_path: Path) -> None:
    made = Terminal(tmp_path / "brest")
    assert "invalid_pass" in made.make("--public-url", "http://x.example", code=1)
    assert not (made.folder / "projects").exists()
