"""Every step of the people's base by its door: by the officer whose key is shown, with two keys where it takes two people."""

from __future__ import annotations

import base64
import zipfile
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from node.desks.people.api import open_people_doors
from node.desks.people.steps import PEOPLE_STEPS
from node.people import tables
from node.people.authority import Action, Purpose
from node.people.four_eyes import ProposalKind
from node.people.lost import LostKind
from node.people.paper_codes import ENTROPY_BYTES, format_code, make_code
from node.people_app import load_people_settings
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import format_id, parse_id
from protocol.running.settings import NotConfigured
from tests.doors.place import DoorsPlace, make_people_place, new_id
from tests.people.people_world import ANNE, BOB, PeopleWorld

FIRST, SECOND = format_id(ANNE), format_id(BOB)
DUTIES = ("registrar", "distributor", "governor")
PEOPLE_BASE = "PEOPLE"
ROLE = {"base": "FUND", "duty": "treasurer", "from_day": "2026-01-01"}


class Desk:
    """The doors of a people's base, and the keys of its two officers."""

    def __init__(self, world: PeopleWorld, place: DoorsPlace) -> None:
        self.world = world
        self.place = place
        self.anne = self.bob = ""

    async def open(self) -> None:
        self.world.found()
        await self.place.open()
        self.anne = await self.place.key(*DUTIES, officer=FIRST)
        self.bob = await self.place.key(*DUTIES, officer=SECOND)

    async def do(self, name: str, key: str = "", /, **asked: Any) -> Any:
        """Take a step as Anne, under an id of its own."""
        return await self.place.do(key or self.anne, name, {"id": new_id(), **asked})

    async def refuse(self, name: str, key: str = "", /, **asked: Any) -> tuple[int, str]:
        return await self.place.refusal(key or self.anne, name, {"id": new_id(), **asked})

    async def enter(self, **more: Any) -> str:
        return str((await self.do("enter", name="Zélie Quémener", **more))["person"])

    def note_lost(self, person: str) -> None:
        """Note something as a base does that comes back from an old copy."""

        def note(page: Page, items: Sequence[None]) -> list[None]:
            people = self.world.people
            journal = people.room.open_journal(page, Action.HEAR, Purpose.SECURITY)
            people.lost.note(journal, self.world.id(), LostKind.FROZEN, number="D715K6AF", person=parse_id(person))
            return [None] * len(items)

        self.world.write(note, None)

    def read_journal(self) -> list[tuple[str, str, str]]:
        """Return who did what about whom, the oldest first; nobody is an empty text."""
        table = tables.journal
        rows = self.place.app.book.read_now(lambda line: line.execute(select(table).order_by(table.c.seq)).all())
        names = [["" if one is None else format_id(bytes(one)) for one in (row.actor, row.subject)] for row in rows]
        return [(by, row.action, whom) for row, (by, whom) in zip(rows, names, strict=True)]

    async def approve(self, **asked: Any) -> str:
        """Let Anne propose and Bob approve; return the proposal."""
        told = await self.do("propose", **asked)
        done = await self.do("decide", self.bob, proposal=told["proposal"], decision="approve")
        assert done["state"] == "approved"
        return str(told["proposal"])


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    world = PeopleWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    made = Desk(world, make_people_place(world, tmp_path))
    await made.open()
    yield made
    await made.place.close()
    await world.exchange()
    wrongs = world.find_wrongs()
    world.close()
    assert wrongs == []


async def test_every_step_of_the_people_is_taken_by_its_door(desk: Desk) -> None:
    place, do, world = desk.place, desk.do, desk.world
    zelie = await desk.enter(email="z@x.org", birth_date="1980-02-03")
    home = await desk.enter(kind="household")
    assert (await do("rectify", person=zelie, name="Zélie Le Bris", email="z@x.org"))["version"] == 2
    assert await do("find", kind="email", value="Z@x.org") == {"persons": [zelie]}
    told = await do("read", person=zelie, history=True)
    assert [one["name"] for one in told["history"]] == ["Zélie Quémener", "Zélie Le Bris"]
    assert (await do("join", group=home, member=zelie))["is_member"]
    assert (await do("open", person=zelie))["state"] == "asked"
    assert (await do("link", person=home, account="D715K6AF"))["state"] == "asked"
    await world.exchange()
    texts = {"purpose": "news", "french": "oui ?", "english": "yes?"}
    await desk.approve(kind="publish_text", body=texts)
    role = await desk.approve(kind="grant_role", person=zelie, body=ROLE)
    await desk.approve(kind="name_role", person=zelie, body={"role": role, "word": "la caisse"})
    await desk.approve(kind="end_role", person=zelie, body={"role": role})
    await desk.approve(kind="set_rule", body={"rule": "reversible_days", "value": "30"})
    assert len((await do("proposals", all=True))["rows"]) == 5
    assert (await place.do(desk.anne, "texts"))["rows"][0]["french"] == "oui ?"
    assert (await place.do(desk.anne, "rules"))["reversible_days"] == "30"
    assert len((await place.do(desk.anne, "roles"))["rows"]) == 3
    assert (await do("consent", person=zelie, about="news", is_given=True))["version"] == 1
    days = {"from_day": "2026-01-01", "until_day": "2028-12-31"}
    given = await do("delegate", person=zelie, delegate=SECOND, powers="read", **days)
    assert (await do("undelegate", person=zelie, what=given["delegation"]))["state"] == "revoked"
    await do("enrol", person=zelie, kind="passkey", credential="00ff", public_key="a5")
    signed = await do("enrol", person=zelie, kind="oidc", issuer="https://x.org", subject="1")
    code = (await do("enrol-paper", person=zelie))["code"]
    assert (await do("verify", code=code))["person"] == zelie
    assert (await do("revoke-identity", person=zelie, what=signed["identity"]))["state"] == "revoked"
    assert len((await do("identities", person=zelie))["rows"]) == 3
    assert await do("stock", count=1) == {"asked": 1}
    await world.exchange()
    asked = {"id": new_id(), "count": 1, "format": "text"}
    printed = await place.do(desk.anne, "print", asked)
    assert printed["printed"] == 1
    account, code = [
        line.strip() for line in base64.b64decode(printed["file"]).decode().splitlines() if line[:4] == "    "
    ]
    assert (await place.do(desk.anne, "print", asked))["file"] == "", "codes are told once"
    assert account.startswith((await do("claim", person=zelie, code=code))["account"][:4])
    declared = await do("declare", person=zelie, kind="dormancy", on="2026-01-01")
    assert (await do("reverse", declaration=declared["declaration"]))["state"] == "reversed"
    assert len((await do("declarations"))["rows"]) == 1
    erasing = await do("erase", person=zelie)
    assert (await do("change-erasure", erasure=erasing["erasure"], is_cancelled=True))["state"] == "cancelled"
    gone = await do("erase", person=await desk.enter())
    done = await do("erasure", erasure=gone["erasure"])
    assert done["state"] == "done"
    assert done["letter_fr"]
    desk.note_lost(zelie)
    [lost] = (await do("lost"))["rows"]
    assert (lost["kind"], lost["is_done"], lost["account"], lost["person"]) == ("frozen", False, "D715K6AF", zelie)
    assert (await do("settle-lost", lost=lost["lost"]))["kind"] == "frozen"
    assert (await do("lost"))["rows"] == []
    assert len((await do("lost", all=True))["rows"]) == 1
    packed = await place.call(desk.anne, "export", {"id": new_id(), "person": zelie}, accept="application/zip")
    with zipfile.ZipFile(BytesIO(packed.body)) as file:
        assert "Zélie Le Bris" in file.read("export.json").decode()
    assert (await do("export", person=zelie))["export"]["person"]["name"] == "Zélie Le Bris"
    lines = (await do("log", person=zelie))["rows"]
    assert {one["by"] for one in lines} <= {FIRST, SECOND, zelie, ""}
    assert {one["action"] for one in lines} >= {"enter", "read", "rectify", "export", "erase"}
    assert place.reached == {step.command for step in PEOPLE_STEPS.steps}


async def test_what_is_done_with_a_key_is_done_by_its_officer_and_nobody_else(desk: Desk) -> None:
    zelie = await desk.enter(by=FIRST)
    assert await desk.refuse("read", person=zelie, by=SECOND) == (403, "another_officer")
    assert await desk.refuse("read", person=zelie, by=zelie) == (403, "another_officer")
    told = await desk.place.call(desk.anne, "read", {"id": new_id(), "person": zelie, "by": SECOND})
    assert SECOND not in told.body.decode()
    assert FIRST not in told.body.decode()
    await desk.do("read", desk.bob, person=zelie)
    lines = (await desk.do("log", person=zelie))["rows"]
    assert [one["by"] for one in lines if one["action"] == "read"] == [SECOND]


async def test_two_people_are_two_officers_with_a_key_each(desk: Desk) -> None:
    zelie = await desk.enter()
    asked = {"id": new_id(), "kind": "grant_role", "person": zelie, "body": ROLE}
    proposal = (await desk.place.do(desk.anne, "propose", asked))["proposal"]
    approval = {"proposal": proposal, "decision": "approve"}
    assert await desk.refuse("decide", **approval) == (422, "same_eyes")
    assert await desk.refuse("decide", **approval, by=SECOND) == (403, "another_officer"), (
        "a name typed is no signature"
    )
    again = await desk.place.key("governor", officer=FIRST)
    assert await desk.refuse("decide", again, **approval) == (422, "same_eyes"), "a second key is no second officer"
    assert (await desk.place.do(desk.anne, "propose", asked))["is_repeat"]
    assert (await desk.place.refusal(desk.bob, "propose", asked))[1] == "id_mismatch", "another asked under this id"
    approved = {"id": new_id(), **approval}
    assert (await desk.place.do(desk.bob, "decide", approved))["state"] == "approved"
    assert (await desk.place.do(desk.bob, "decide", approved))["is_repeat"]
    assert await desk.refuse("decide", desk.bob, **approval) == (422, "people_proposal_ended")


async def test_a_key_is_an_officer_s_of_this_base_and_opens_nothing_once_his_duty_has_ended(desk: Desk) -> None:
    zelie, world = await desk.enter(), desk.world
    for officer, code in ((zelie, "not_entitled"), ("Anne Le Goff", "invalid_id"), (new_id(), "not_entitled")):
        with pytest.raises(Refusal) as refused:
            await desk.place.key("reader", officer=officer)
        assert refused.value.code == code
    with pytest.raises(Refusal):
        await desk.place.key("registrar", company="732829320", officer=FIRST)
    granted = world.propose(
        ProposalKind.GRANT_ROLE,
        {"base": PEOPLE_BASE, "duty": "people_officer", "from_day": 20260101, "until_day": 0},
        subject=world.enter(),
    )
    world.approve(granted)
    [cleo] = [one for one in (await desk.place.do(desk.anne, "roles"))["rows"] if one["role"] == format_id(granted)]
    key = await desk.place.key("reader", "registrar", officer=cleo["person"])
    assert (await desk.place.call(key, "roles")).status == 200
    await desk.approve(kind="end_role", person=cleo["person"], body={"role": cleo["role"]})
    assert await desk.place.refusal(key, "texts") == (403, "not_entitled"), "not even what names nobody"


async def test_an_auditor_sees_who_looked_and_no_record(desk: Desk) -> None:
    zelie, world = await desk.enter(), desk.world
    body = {"base": PEOPLE_BASE, "duty": "auditor", "from_day": 20260101, "until_day": 0}
    dan = world.enter()
    world.approve(world.propose(ProposalKind.GRANT_ROLE, body, subject=dan))
    key = await desk.place.key("auditor", officer=format_id(dan))
    assert (await desk.do("log", key, person=zelie))["rows"]
    assert await desk.refuse("read", key, person=zelie) == (403, "duty_missing")
    wide = await desk.place.key("registrar", officer=format_id(dan))
    assert await desk.refuse("read", wide, person=zelie) == (403, "not_entitled"), (
        "the key gives no duty that he has not"
    )


async def test_who_looks_stands_in_the_journal_and_who_may_not_look_is_told_nothing(desk: Desk) -> None:
    """A list of ids is one line about nobody; a card and an erasure are lines that the person reads."""
    zelie, yann = await desk.enter(), await desk.enter()
    code = (await desk.do("enrol-paper", person=zelie))["code"]
    erasing = (await desk.do("erase", person=yann))["erasure"]
    dan = await desk.enter()
    await desk.approve(kind="grant_role", person=dan, body={**ROLE, "base": "PEOPLE", "duty": "auditor"})
    audit = await desk.place.key(*DUTIES, officer=dan)
    looks = (
        ("verify", {"code": code}, ("read", zelie)),
        ("declarations", {"purpose": "support"}, ("read", "")),
        ("proposals", {}, ("look_at_log", "")),
        ("lost", {}, ("read", "")),
        ("erasure", {"erasure": erasing}, ("read", yann)),
    )
    for name, more, line in looks:
        before = desk.read_journal()
        if name != "proposals":  # those are an auditor's too
            assert await desk.refuse(name, audit, **more) == (403, "not_entitled"), name
            assert desk.read_journal() == before, "and a card has lost no attempt"
        await desk.do(name, desk.bob, **more)
        added = desk.read_journal()[len(before) :]
        assert [(what, whom) for by, what, whom in added if by == SECOND] == [line], name
    assert await desk.refuse("claim", audit, person=zelie, code=code) == (403, "not_entitled")
    unknown = format_code(make_code(bytes(ENTROPY_BYTES)))
    assert (await desk.refuse("verify", desk.bob, code=unknown))[1] == "paper_code_wrong"
    assert desk.read_journal()[-1] == (SECOND, "read", ""), "who tries is noted also where nothing is found"


async def test_no_door_opens_without_its_duty_and_no_name_stands_in_an_address(desk: Desk) -> None:
    keys = {duty: await desk.place.key(duty, officer=FIRST) for duty in ("reader", *DUTIES, "auditor")}
    for step in PEOPLE_STEPS.steps:
        assert await desk.place.refusal("", step.called) == (401, "key_not_known")
        assert not step.reads or step.command in ("texts", "roles", "rules"), step.command
        for duty, key in keys.items():
            if duty not in step.duties:
                assert await desk.place.refusal(key, step.called) == (403, "duty_missing"), (step.called, duty)
    assert desk.place.doors.steps.without.keys() >= {"key_new", "found", "rotate"}


async def test_an_error_of_ours_says_where_it_was_and_quotes_nobody(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    async def break_down(_app: Any, asked: Any) -> Any:
        raise ValueError(f"cannot take {asked['name']}")

    desk.place.doors._is_silent = open_people_doors(desk.place.app)._is_silent
    desk.place.doors._commands = {**desk.place.doors._commands, "enter": break_down}
    told = await desk.place.session.post(
        desk.place.server.make_url("/v1/people/enter"),
        json={"id": new_id(), "name": "Zenobie Kerguelen"},
        headers={"Authorization": f"Bearer {desk.anne}"},
    )
    assert (told.status, "Zenobie" in await told.text()) == (500, False)
    out = "".join(capsys.readouterr())
    assert "ValueError at steps_api.py" in out
    assert "Kerguelen" not in out


def test_doors_away_from_the_machine_speak_tls(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text('doors = "192.0.2.7:8466"\n')
    with pytest.raises(NotConfigured):
        load_people_settings(tmp_path)
    (tmp_path / "people.toml").write_text('doors = "192.0.2.7:8466"\ntls_certificate = "x.pem"\n')
    assert load_people_settings(tmp_path).doors
    (tmp_path / "people.toml").write_text('doors = "127.0.0.1:8466"\n')
    assert load_people_settings(tmp_path).doors
