"""One value changed by hand in any column of the people's base, a row cut out, moved or added: `check` finds and names it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Text

from node.doors.duties import Duty
from node.doors.keys_service import KeyDesk, NewDoorKey
from node.people import tables
from node.people.authority import Action, Purpose
from node.people.checks import check_people
from node.people.consents import ConsentPurpose
from node.people.declarations import DeclarationKind
from node.people.delegations import Power
from node.people.four_eyes import ProposalKind
from node.people.identities import Elsewhere, Passkey
from node.people.journal_store import seal_row
from node.people.lost import LostKind
from node.people.records import PersonKind, make_record
from node.people.requests import Consent, Declare, Delegate, Enrol, Erase, Join, Rectify, Revoke, Stock
from protocol.book.worker import Page
from protocol.identifiers import format_id
from tests.people.people_world import ANNE, PEOPLE, PeopleWorld

# Numbers of the one row that a table has; and when a key was destroyed, which the erasure and the journal say too.
NOT_FOUND = "book_keys.id data_keys.destroyed_at journal_heads.id"

BOTH = ("persons", "identities")  # the first and the last row; of the others one or the other


async def live(world: PeopleWorld) -> None:
    """Let everything that has a table of its own happen once or twice."""
    first = make_record(name="Zélie", birth_date=19800203, email="zelie@example.org", telephone="0298000000")
    zelie, yann = world.enter(first), world.enter(make_record(name="Yann"))
    gone = world.enter(make_record(name="Gone"))
    home = world.enter(make_record(name="Foyer"), PersonKind.HOUSEHOLD)
    people = world.people
    second = make_record(name="Zélie Le Bris", email="z@example.org")
    world.write(people.persons.rectify, Rectify(**world.by(zelie), person=zelie, record=second))
    world.write(people.persons.join, Join(**world.by(), group=home, member=zelie))
    world.publish()
    world.publish()
    for is_given in (True, False):
        told = Consent(**world.by(zelie), person=zelie, about=ConsentPurpose.NEWS, is_given=is_given)
        world.write(people.consents.consent, told)
    role = {"base": "FUND", "duty": "treasurer", "from_day": 20261201}
    world.approve(world.propose(ProposalKind.GRANT_ROLE, dict(role), subject=zelie))
    ended = {**role, "from_day": 20261101, "until_day": 20261110, "word": "la caisse", "key": "0011223344556677"}
    world.approve(world.propose(ProposalKind.GRANT_ROLE, dict(ended), subject=zelie))
    world.propose(ProposalKind.GRANT_ROLE, dict(role), subject=yann)
    world.approve(world.propose(ProposalKind.SET_RULE, {"rule": "reversible_days", "value": "30"}))
    await world.open_account(zelie)
    world.write(people.accounts.stock, Stock(**world.by(), count=2))
    await world.exchange()
    await people.print_cards(id_=world.id(), by=ANNE, purpose=world.by()["purpose"], count=1)
    for credential in (Passkey(credential=b"id", public_key=b"key"), Elsewhere(issuer="https://x.org", subject="1")):
        world.write(people.identities.enrol, Enrol(**world.by(zelie), person=zelie, credential=credential))
    told = Declare(**world.by(), person=yann, kind=DeclarationKind.DORMANCY, effective_on=20261001)
    world.write(people.declarations.declare, told)
    powers = frozenset({Power.READ})
    given = Delegate(
        **world.by(zelie), person=zelie, delegate=yann, powers=powers, from_day=20261123, until_day=20271123
    )
    world.write(people.delegations.delegate, given)
    world.write(people.erasures.erase, Erase(**world.by(gone), person=gone))
    make_key(world)

    def note(page: Page, items: Sequence[None]) -> list[None]:
        journal = people.room.open_journal(page, Action.HEAR, Purpose.SECURITY)
        people.lost.note(journal, world.id(), LostKind.LINKED, number="D715K6AF", person=yann)
        return [None] * len(items)

    world.write(note, None)


def make_key(world: PeopleWorld) -> None:
    """Give an officer a key of the base's doors."""

    def seal(values: Mapping[str, Any]) -> dict[str, Any]:
        return {**values, "seal": seal_row(world.people.room.book_key, tables.door_keys, values)}

    keys = KeyDesk(world.books[PEOPLE], tables.door_keys, seal)
    duties = (Duty.GOVERNOR, Duty.REGISTRAR)
    world.write(keys.make, NewDoorKey(asked=world.id(), id="1", secret="s", name=format_id(ANNE), duties=duties))


def _other(column: Any, value: Any) -> Any:
    if isinstance(column.type, LargeBinary):
        return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1]) if value else b"x" * 16
    if isinstance(column.type, Text):
        return value[:-1] + ("x" if value[-1] != "x" else "y") if value else "x"
    return 1 if value is None else value + 1


async def test_one_value_changed_by_hand_is_found(world: PeopleWorld, tmp_path: Path) -> None:
    await live(world)
    world.is_wrong_by_design = True
    keys = world.people.room.base_keys

    def wrongs() -> list[Any]:
        return [finding for one in world.read(lambda line: check_people(line, keys)) for finding in one.findings]

    assert wrongs() == []
    base = sqlite3.connect(tmp_path / "PEOPLE.db", isolation_level=None)
    base.execute("PRAGMA ignore_check_constraints = 1")
    base.execute("PRAGMA foreign_keys = OFF")
    missed: set[str] = set()
    changed = 0
    for table in tables.metadata.sorted_tables:
        rows = [row[0] for row in base.execute(f"SELECT rowid FROM {table.name} ORDER BY rowid")]
        assert rows, f"nothing happened in {table.name}"
        for place, column in enumerate(table.columns):
            for row in {rows[0], rows[-1]} if table.name in BOTH else {rows[-(place % 2)]}:
                value = base.execute(f"SELECT {column.name} FROM {table.name} WHERE rowid = {row}").fetchone()[0]
                other = _other(column, value)
                try:
                    base.execute(f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = {row}", (other,))
                except sqlite3.IntegrityError:
                    continue  # the base itself refuses it
                changed += 1
                is_rowid = column.primary_key and isinstance(value, int) and len(table.primary_key.columns) == 1
                found = wrongs()
                if not found or not all(one.place and one.expected for one in found):
                    missed.add(f"{table.name}.{column.name}")
                where = other if is_rowid else row
                base.execute(f"UPDATE {table.name} SET {column.name} = ? WHERE rowid = {where}", (value,))
    assert wrongs() == []
    base.close()
    assert changed > 105
    assert " ".join(sorted(missed)) == NOT_FOUND


@pytest.mark.parametrize(
    ("change", "place"),
    [
        # two records change places: each would open with its person's key, and stands in another's row
        (
            "UPDATE records SET sealed = (SELECT sealed FROM records AS r WHERE r.version = 3 - records.version AND"
            " r.person = records.person) WHERE person = :zelie",
            "records",
        ),
        (
            "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys AS d WHERE d.person = :yann) WHERE person = :zelie",
            "data_keys",
        ),
        ("DELETE FROM consents WHERE seq = 2", "consents"),
        ("DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)", "journal_heads"),
        ("DELETE FROM journal WHERE seq = 5", "journal"),
        (
            "DELETE FROM operations WHERE id = (SELECT op FROM journal WHERE place LIKE 'roles %' AND op IS NOT NULL)",
            "operations",
        ),
        ("DELETE FROM lookups WHERE kind = 'email'", "lookups"),
        ("INSERT INTO lookups VALUES ('email', zeroblob(32), :yann)", "lookups"),
        ("DELETE FROM book_keys", "book_keys"),
        ("INSERT INTO roles SELECT :yann, person, base, duty, from_day, 0, 0, NULL, seal FROM roles LIMIT 1", "roles"),
    ],
)
async def test_a_row_moved_cut_out_or_added_by_hand_is_found(
    world: PeopleWorld, tmp_path: Path, change: str, place: str
) -> None:
    zelie, yann = world.enter(make_record(name="Zélie", email="z@example.org")), world.enter(make_record(name="Yann"))
    world.publish()
    for is_given in (True, False):
        told = Consent(**world.by(zelie), person=zelie, about=ConsentPurpose.NEWS, is_given=is_given)
        world.write(world.people.consents.consent, told)
    second = make_record(name="Zélie Le Bris", email="z@example.org")
    world.write(world.people.persons.rectify, Rectify(**world.by(zelie), person=zelie, record=second))
    assert world.find_wrongs() == []
    world.is_wrong_by_design = True
    base = sqlite3.connect(tmp_path / "PEOPLE.db", isolation_level=None)
    base.execute("PRAGMA foreign_keys = OFF")
    values = {name: value for name, value in {"zelie": zelie, "yann": yann}.items() if f":{name}" in change}
    assert base.execute(change, values).rowcount > 0
    base.close()
    keys = world.people.room.base_keys
    found = [one.place for checked in world.read(lambda line: check_people(line, keys)) for one in checked.findings]
    assert any(one.startswith(place) for one in found), found


def test_a_row_put_back_as_it_was_before_is_found_though_its_seal_is_right(world: PeopleWorld, tmp_path: Path) -> None:
    zelie, yann = world.enter(make_record(name="Zélie")), world.enter(make_record(name="Yann"))
    given = Delegate(
        **world.by(zelie),
        person=zelie,
        delegate=yann,
        powers=frozenset({Power.READ}),
        from_day=20261123,
        until_day=20271123,
    )
    world.write(world.people.delegations.delegate, given)
    base = sqlite3.connect(tmp_path / "PEOPLE.db", isolation_level=None)
    before = base.execute("SELECT revoked_on, seal FROM delegations").fetchone()
    world.write(world.people.delegations.revoke, Revoke(**world.by(zelie), person=zelie, what=given.id))
    assert world.find_wrongs() == []
    base.execute("UPDATE delegations SET revoked_on = ?, seal = ?", before)
    base.close()
    world.is_wrong_by_design = True
    assert [one.place for one in world.find_wrongs()] == [f"delegations {given.id.hex()}"]
