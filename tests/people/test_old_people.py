"""The people's base, put back from yesterday's copy: what the accounts heard is true again, the rest is named."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from node.commands import app as console
from node.commands import init as init_node
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.commands import init as init_people
from node.doors.duties import KeyNotKnown
from node.house_app import HouseApp
from node.ledger.accounts import AccountKind
from node.ledger.openings import OpenAccount
from node.people import store, tables
from node.people.consents import ConsentPurpose, is_given
from node.people.declarations import DeclarationKind
from node.people.delegations import Power
from node.people.errors import AccountTaken, LostUnknown, StockTooSmall
from node.people.four_eyes import Decision, ProposalKind
from node.people.identities import Elsewhere
from node.people.lost_service import write_lost
from node.people.records import PersonKind, make_record
from node.people.requests import (
    ChangeErasure,
    Consent,
    Decide,
    Declare,
    Delegate,
    Enrol,
    Erase,
    Join,
    LinkTo,
    OpenFor,
    Reverse,
    Revoke,
    SettleLost,
    Stock,
)
from node.people.vault import compute_mark
from node.people_app import PeopleApp
from protocol.book.backup_service import back_up
from protocol.exchange.talk_store import load_talk
from protocol.house import BaseName, DutyEnded, Ended
from protocol.identifiers import AccountNumber, Id16, format_id, make_account_number, parse_id
from protocol.running.admin_client import run_command
from tests.people.people_world import ACCOUNTS, ANNE, BOB, BREST, PEOPLE, PeopleWorld

ONE, TWO, THREE, FOUR, FIVE, SIX = (
    f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "123456"
)
ROLE = {"base": "FUND", "duty": "treasurer", "from_day": 20261101}


def row_of(world: PeopleWorld, table: Any, **where: Any) -> Any:
    return world.read(lambda line: store.find_row(line, table, **where))


def lost(world: PeopleWorld) -> list[dict[str, Any]]:
    rows = world.read(lambda line: store.list_rows(line, tables.lost, settled_at=0))
    return [write_lost(row) for row in rows]


def of_kind(world: PeopleWorld, kind: str) -> list[dict[str, Any]]:
    return [one for one in lost(world) if one["kind"] == kind]


def erase(world: PeopleWorld, person: Id16, into: str = "") -> Id16:
    asked = Erase(**world.by(), person=person, into=into)
    world.write(world.people.erasures.erase, asked)
    return asked.id


async def test_what_ended_since_the_copy_ends_again(world: PeopleWorld, tmp_path: Path) -> None:
    people = world.people
    zelie, yann, alone, iris = (world.enter(make_record(name=name)) for name in ("Zélie", "Yann", "Alone", "Iris"))
    home = world.enter(make_record(name="Foyer"), PersonKind.HOUSEHOLD)
    number = await world.open_account(zelie)
    world.give(number, 7)
    dead = await world.open_account(yann)
    role = world.propose(ProposalKind.GRANT_ROLE, dict(ROLE), subject=iris)
    world.approve(role)
    refused = world.propose(ProposalKind.GRANT_ROLE, dict(ROLE), subject=yann)
    world.publish()
    agreed = {"person": zelie, "about": ConsentPurpose.NEWS}
    world.write(people.consents.consent, Consent(**world.by(zelie), **agreed, is_given=True))
    world.write(people.persons.join, Join(**world.by(), group=home, member=zelie))
    days = {"from_day": 20261101, "until_day": 20271101}
    given = Delegate(**world.by(), person=zelie, delegate=yann, powers=frozenset({Power.READ}), **days)
    world.write(people.delegations.delegate, given)
    signs = Enrol(**world.by(), person=zelie, credential=Elsewhere(issuer="https://x.org", subject="1"))
    world.write(people.identities.enrol, signs)
    death = Declare(**world.by(), person=yann, kind=DeclarationKind.DEATH, effective_on=20261101)
    world.write(people.declarations.declare, death)
    leaving = erase(world, zelie)
    await world.exchange()
    assert world.erasure(leaving).state == "rights_held"

    copy = world.copy(tmp_path / "people.copy")
    world.write(people.erasures.change, ChangeErasure(**world.by(), erasure=leaving, is_cancelled=True))
    world.write(people.declarations.reverse, Reverse(**world.by(), declaration=death.id))
    world.write(people.consents.consent, Consent(**world.by(zelie), **agreed, is_given=False))
    world.write(people.persons.join, Join(**world.by(), group=home, member=zelie, is_member=False))
    world.write(people.delegations.revoke, Revoke(**world.by(), person=zelie, what=given.id))
    world.write(people.identities.revoke, Revoke(**world.by(), person=zelie, what=signs.id))
    told = Decide(**world.by(BOB), proposal=refused, decision=Decision.REJECT)
    world.write(people.roles.decide, told)
    world.approve(world.propose(ProposalKind.END_ROLE, {"role": role.hex()}, subject=iris))
    assert world.erasure(erase(world, alone)).state == "done", "who has no account is forgotten, and no account says so"
    await world.exchange()
    world.later(3)
    await world.lose(copy)
    people = world.people

    assert world.erasure(leaving).state == "cancelled"
    assert row_of(world, tables.declarations, id=death.id).state == "reversed"
    assert not row_of(world, tables.accounts, number=dead).is_frozen
    assert not is_given(world.read(lambda line: store.list_consents(line, zelie)), ConsentPurpose.NEWS)
    assert row_of(world, tables.members, member=zelie).ended_on == 20261123, "on the day it ended, not today"
    assert row_of(world, tables.delegations, id=given.id).revoked_on == 20261123
    assert row_of(world, tables.identities, id=signs.id).state == "revoked"
    assert row_of(world, tables.proposals, id=refused).state == "withdrawn"
    assert row_of(world, tables.roles, id=role).ended_on == 20261123
    assert row_of(world, tables.persons, id=alone).state == "erased"
    assert row_of(world, tables.data_keys, person=alone).wrapped is None
    assert row_of(world, tables.erasures, person=alone).asked_on == 20261123
    assert row_of(world, tables.persons, id=zelie).state == row_of(world, tables.persons, id=yann).state == "active"
    # The role and the person are told; of nobody else anything is asked.
    assert {(one["kind"], one["person"], one["role"]) for one in lost(world)} == {
        ("role", format_id(iris), format_id(role)),
        ("erased", format_id(alone), ""),
    }
    # Zélie's rights stay where they are, and she is a holder as before.
    await people.catch_up()
    await world.exchange()
    assert (row_of(world, tables.accounts, number=number).state, world.balance(number)) == ("open", 7)
    assert world.find_wrongs() == []


async def test_accounts_are_as_they_were_told_and_whose_they_are_is_asked(world: PeopleWorld, tmp_path: Path) -> None:
    people = world.people
    gone, half, dead = (world.enter(make_record(name=name)) for name in ("Gone", "Half", "Dead"))
    numbers = {person: [await world.open_account(person) for _ in range(2)] for person in (gone, half, dead)}
    world.give(numbers[gone][0], 9)
    world.give(numbers[half][1], 5)
    world.write(people.accounts.stock, Stock(**world.by(), count=1))
    waits = OpenFor(**world.by(), person=half)
    world.write(people.accounts.open, waits)  # nobody has answered it on the copy
    copy = world.copy(tmp_path / "people.copy")

    await world.exchange()
    erase(world, gone, world.pool)
    await world.exchange()
    erase(world, half)
    death = Declare(**world.by(), person=dead, kind=DeclarationKind.DEATH, effective_on=20261101)
    world.write(people.declarations.declare, death)
    await people.print_cards(id_=world.id(), by=ANNE, purpose=world.by()["purpose"], count=1)
    new = world.enter(make_record(name="New"))
    asked = OpenFor(**world.by(), person=new)
    world.write(people.accounts.open, asked)
    number = make_account_number(world.entropy(16))
    world.ledger.write_now(
        world.ledger.open_accounts, OpenAccount(op=world.id(), number=number, kind=AccountKind.PERSON)
    )
    world.write(people.accounts.link, LinkTo(**world.by(), person=new, account=AccountNumber(number)))
    await world.exchange()
    [fresh] = [row.number for row in rows_of(world, new) if row.number != number]
    passing = await world.open_account(world.enter(make_record(name="Passing")))
    erase(world, Id16(bytes(row_of(world, tables.accounts, number=passing).person)))
    await world.exchange()
    await world.lose(copy)
    people = world.people

    states = {person: [row.state for row in rows_of(world, person)] for person in (gone, half, dead)}
    assert states[gone] == ["closed", "closed"]
    assert sorted(states[half]) == ["closed", "closed", "open"]
    assert row_of(world, tables.accounts, id=waits.id).state == "closed", "it was answered, and closed"
    assert [row.is_frozen for row in rows_of(world, dead)] == [1, 1]
    # Whoever asked to be forgotten is forgotten; who may have changed his mind is asked.
    assert [row_of(world, tables.persons, id=one).state for one in (gone, half)] == ["erased", "active"]
    assert [one["person"] for one in of_kind(world, "erased")] == [format_id(gone)]
    assert [one["person"] for one in of_kind(world, "closing")] == [format_id(half)]
    assert {one["account"] for one in of_kind(world, "frozen")} == set(numbers[dead])
    assert [one["account"] for one in of_kind(world, "opened")] == [fresh], "what is closed again waits for nobody"
    assert [one["account"] for one in of_kind(world, "linked")] == [number]
    [free] = of_kind(world, "free")
    with pytest.raises(StockTooSmall):
        await people.print_cards(id_=world.id(), by=ANNE, purpose=world.by()["purpose"], count=1)
    assert world.find_wrongs() == []

    # By paper: entered again under the same id, asked again under the same id, linked again.
    again = world.enter(make_record(name="New"))
    world.write(people.accounts.open, OpenFor(id=asked.id, by=ANNE, purpose=asked.purpose, person=again))
    for account in (number, free["account"]):
        told = LinkTo(**world.by(), person=again, account=AccountNumber(account))
        world.write(people.accounts.link, told)
    await world.exchange()
    assert {row.number for row in rows_of(world, again)} == {fresh, number, free["account"]}
    assert {one["kind"] for one in lost(world)} == {"erased", "closing", "frozen"}
    with pytest.raises(AccountTaken):
        world.write(people.accounts.link, LinkTo(**world.by(), person=half, account=AccountNumber(number)))
    for one in lost(world):
        world.write(people.lost.settle, SettleLost(**world.by(), lost=parse_id(one["lost"])))
    assert lost(world) == []
    with pytest.raises(LostUnknown):
        world.write(people.lost.settle, SettleLost(**world.by(), lost=world.id()))


def rows_of(world: PeopleWorld, person: bytes) -> list[Any]:
    return list(world.read(lambda line: store.list_rows(line, tables.accounts, person=person)))


@pytest.mark.parametrize("why", ["heard", "elsewhere", "another", "frozen"])
async def test_who_is_forgotten_though_the_mark_was_never_heard(world: PeopleWorld, tmp_path: Path, why: str) -> None:
    """The last account was closed and its answer lost with the disk: then the base goes on as it would have, or asks."""
    zelie = world.enter(make_record(name="Zélie"))
    number = await world.open_account(zelie)
    if why == "elsewhere":  # a rule sends rights of sleepers into the pool
        world.approve(
            world.propose(ProposalKind.SET_RULE, {"rule": "rights_after_dormancy", "value": f"pool:{world.pool}"})
        )
    copy = world.copy(tmp_path / "people.copy")
    people = world.people
    if why == "another":  # one more account of hers, unknown on the copy, still holds something
        more = await world.open_account(zelie)
        world.give(more, 5)
    if why == "frozen":
        told = Declare(**world.by(), person=zelie, kind=DeclarationKind.DEATH, effective_on=20261101)
        world.write(people.declarations.declare, told)
    erase(world, zelie, world.pool if why == "elsewhere" else "")
    await world.exchange(lambda what: what == "answer")
    await world.lose(copy)
    state = row_of(world, tables.persons, id=zelie).state
    assert state == ("erased" if why == "heard" else "active")
    kinds = [one["kind"] for one in lost(world)]
    assert kinds.count("erased" if why == "heard" else "closing") == 1
    assert row_of(world, tables.accounts, number=number).state == "closed"


async def test_a_mark_says_nothing_and_a_copy_that_lacks_nothing_changes_nothing(
    world: PeopleWorld, tmp_path: Path
) -> None:
    zelie = world.enter(make_record(name="Zélie"))
    await world.open_account(zelie)
    erase(world, world.enter(make_record(name="Gone")))
    await world.exchange()
    told = world.books[ACCOUNTS].read_now(lambda line: list(load_talk(line, PEOPLE, ACCOUNTS)))
    [mark] = [one.mark for one in told if isinstance(one, Ended)]
    gone = row_of(world, tables.persons, state="erased")
    assert mark == compute_mark(world.people.room.book_key, f"persons {bytes(gone.id).hex()}")
    assert mark != compute_mark(bytes(32), f"persons {bytes(gone.id).hex()}")
    copy = world.copy(tmp_path / "people.copy")
    before = [world.read(lambda line, table=table: store.list_rows(line, table)) for table in tables.JOURNALED]
    await world.lose(copy)
    after = [world.read(lambda line, table=table: store.list_rows(line, table)) for table in tables.JOURNALED]
    assert before == after
    # And once more, from the same copy, after it went on: the second way back hears what the first one said.
    erase(world, zelie)
    await world.exchange()
    await world.lose(copy)
    assert row_of(world, tables.persons, id=zelie).state == "erased"
    assert world.find_wrongs() == []


async def test_whom_a_rule_that_was_set_since_may_have_closed_is_not_forgotten(
    world: PeopleWorld, tmp_path: Path
) -> None:
    zelie = world.enter(make_record(name="Zélie"))
    number = await world.open_account(zelie)
    told = Declare(**world.by(), person=zelie, kind=DeclarationKind.DORMANCY, effective_on=20261101)
    world.write(world.people.declarations.declare, told)
    await world.exchange()
    world.later(800)
    copy = world.copy(tmp_path / "people.copy")
    body = {"rule": "rights_after_dormancy", "value": f"pool:{world.pool}"}
    world.approve(world.propose(ProposalKind.SET_RULE, body))
    await world.people.catch_up()
    await world.exchange()
    assert row_of(world, tables.accounts, number=number).state == "closed"
    await world.lose(copy)
    assert row_of(world, tables.persons, id=zelie).state == "active"
    assert [one["person"] for one in of_kind(world, "closing")] == [format_id(zelie)]


async def test_a_duty_whose_end_was_told_since_is_not_told_again(world: PeopleWorld, tmp_path: Path) -> None:
    def told() -> list[DutyEnded]:
        said = world.books[PEOPLE].read_now(lambda line: list(load_talk(line, PEOPLE, "ACCOUNTS")))
        return [one for one in said if isinstance(one, DutyEnded)]

    zelie = world.enter(make_record(name="Zélie"))
    body = {"base": "ACCOUNTS", "duty": "treasurer", "from_day": 20261101, "word": "la caisse"}
    role = world.propose(ProposalKind.GRANT_ROLE, body, subject=zelie)
    world.approve(role)
    await world.exchange()
    copy = world.copy(tmp_path / "people.copy")
    world.approve(world.propose(ProposalKind.END_ROLE, {"role": role.hex()}, subject=zelie))
    await world.exchange()
    before = told()
    assert len(before) == 1
    await world.lose(copy)
    await world.people.catch_up()
    await world.exchange()
    assert told() == before
    row = row_of(world, tables.role_words, role=bytes(role))
    assert (row.told, row.state) == (before[0].id, "told")


async def _live(folder: Path, copy: Path) -> tuple[str, str]:
    """Let a base be copied, and then let things happen; return a key of its doors that is revoked by then, and a number."""
    house = HouseApp(folder, (BaseName.ACCOUNTS, BaseName.PEOPLE))
    app: Any = house.people

    async def run(command: str, **asked: Any) -> Any:
        return await run_command(PEOPLE_COMMANDS, app, command, {"by": ONE, "purpose": "enrolment", **asked})

    await run("found", id=ONE, second_id=TWO, first="Anselme", second="Barnabe")
    await run("enter", id=THREE, kind="person", name="Zenobie")
    made = await run("key_new", id=FOUR, name=ONE, duties="registrar")
    await house.clearing.carry()
    back_up(app.book.url, copy)
    await run("key_revoke", key_id=made["key_id"])
    await run("open", id=FIVE, person=TWO)
    await run("erase", id=SIX, person=THREE)
    await house.clearing.carry()
    [account] = app.book.read_now(lambda line: store.list_rows(line, tables.accounts))
    await house.close()
    return str(made["key"]), str(account.number)


def test_the_way_back_as_an_officer_takes_it(tmp_path: Path) -> None:
    folder, copy = tmp_path / "node", tmp_path / "people.copy"
    init_node(folder, territory=BREST, name="Brest")
    init_people(folder)
    key, number = asyncio.run(_live(folder, copy))

    def run(*words: object, language: str = "en") -> str:
        told = {"CITIZEN_MILES_LANG": language, "COLUMNS": "300"}
        done = CliRunner().invoke(console, list(map(str, words)), env=told)
        assert done.exit_code == 0, done.output
        return done.output

    told = run("house", "restore", folder, copy, "--base", "people", language="fr")
    assert f"2. Ensuite, à côté : citizen-miles node house recover {folder} --base people" in told
    assert "Supprimez-le ensuite" in told, "what was kept of the lost disk may hold whom was erased"
    assert "an old copy: recover it" in run("house", "show", folder)
    told = run("house", "recover", folder, "--base", "people")
    assert "citizen-miles node people lost list" in told
    lost = json.loads(run("people", "lost", "list", folder, "--by", ONE, "--json"))
    assert {(one["kind"], one["account"], one["person"]) for one in lost} == {
        ("opened", number, ""),
        ("erased", "", THREE),
    }
    assert "retrouvez la demande sur papier" in run("people", "lost", "list", folder, "--by", ONE, language="fr")
    assert "find the request on paper" in run("people", "lost", "list", folder, "--by", ONE)
    for one in lost:
        run("people", "lost", "settle", folder, one["lost"], "--by", ONE)
    assert json.loads(run("people", "lost", "list", folder, "--by", ONE, "--json")) == []
    assert len(json.loads(run("people", "lost", "list", folder, "--by", ONE, "--all", "--json"))) == 2
    assert "Anselme" not in told
    app = PeopleApp(folder)
    with pytest.raises(KeyNotKnown):
        asyncio.run(app.keys.authorise(key))
    app.book.close()
    run("check", folder)
