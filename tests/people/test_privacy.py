"""What is known of somebody stands in clear in no file: of this base, of the others, nor in what they tell each other."""

from __future__ import annotations

import base64
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from node.commands import init as init_node
from node.desks.people.admin_commands import PEOPLE_COMMANDS
from node.desks.people.commands import init as init_people
from node.house_app import HouseApp
from node.people import store, tables
from node.people.errors import InvalidRole
from node.people_app import PeopleApp
from protocol.house import BaseName
from protocol.identifiers import parse_id
from protocol.running.admin_client import run_command
from tests.people.people_world import BREST

ANNE = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
ZELIE = "33333333-3333-4333-8333-333333333333"
WORDS = {
    "name": "Zenobie Kerguelen",
    "birth_date": "1937-08-19",
    "address": "17 venelle Hirondelles",
    "email": "zenobie.k@plougastel.example",
    "telephone": "0298765432",
}
SECRETS = (
    *(
        "Zenobie",
        "Kerguelen",
        "zenobie",
        "kerguelen",
        "1937-08-19",
        "19370819",
        "Hirondelles",
        "plougastel",
        "298765432",
    ),
    *("Anselme", "Barnabe", "idp.plouz.example", "subject-5150"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A territory's folder with accounts and people in it; the keys of the people are locked."""
    monkeypatch.setenv("CITIZEN_MILES_PASSPHRASE", "a passphrase of the people's officer")
    where = tmp_path / "node"
    init_node(where, territory=BREST, name="Brest")
    init_people(where)
    return where


def _find_words(folder: Path) -> list[tuple[str, str]]:
    """Return (file, word) for every word that stands in clear somewhere, as text, UTF-16, base64 or hexadecimal."""
    found = []
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        data = file.read_bytes()
        for word in SECRETS:
            forms = [word.encode(), word.encode("utf-16-le"), word.encode().hex().encode()]
            forms += [base64.b64encode(b"x" * shift + word.encode())[4:-4] for shift in range(3)]
            if any(form and form in data for form in forms):
                found.append((str(file.relative_to(folder)), word))
    return found


def _ids(number: int) -> dict[str, str]:
    return {"id": f"44444444-4444-4444-8444-{number:012d}", "by": ANNE, "purpose": "request_of_person"}


async def test_no_word_of_anybody_stands_in_clear_anywhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = HouseApp(folder, (BaseName.ACCOUNTS, BaseName.PEOPLE))
    app: Any = house.people

    async def run(command: str, **asked: Any) -> Any:
        return await run_command(PEOPLE_COMMANDS, app, command, asked)

    await run("found", id=ANNE, second_id=BOB, first="Anselme Officier", second="Barnabe Officier")
    await run("enter", **{**_ids(1), "id": ZELIE}, kind="person", **WORDS)
    await run("rectify", **_ids(2), person=ZELIE, **{**WORDS, "name": "Zenobie Le Kerguelen"})
    await run("enrol", **_ids(3), person=ZELIE, kind="oidc", issuer="https://idp.plouz.example", subject="subject-5150")
    await run("open", **_ids(4), person=ZELIE)
    await run("read", **_ids(5), person=ZELIE, history=True)
    # A duty at another base, by the word under which that base knows her: what is told of its end names nobody.
    days = {"from_day": "2026-01-01", "until_day": "2026-01-31"}
    body = {"base": "ACCOUNTS", "duty": "accounts_officer", **days, "word": "guichet, 2"}
    with pytest.raises(InvalidRole):
        await run("propose", **_ids(9), kind="grant_role", person=ZELIE, body={**body, "word": "Mme Kerguelen"})
    named = await run("propose", **_ids(10), kind="grant_role", person=ZELIE, body=body)
    await run("decide", **{**_ids(11), "by": BOB}, proposal=named["proposal"], decision="approve")
    await house.clearing.carry()
    [role] = [one for one in await run("roles") if one["word"]]
    assert (role["word"], role["keys_state"]) == ("guichet, 2", "unplaced"), "told and answered"
    assert (await run("find", **_ids(6), kind="email", value=WORDS["email"]))["persons"] == [ZELIE]
    await house.clearing.carry()
    told = await run("export", **_ids(7), person=ZELIE)
    # The person gets all of it: the words are there to be found.
    with zipfile.ZipFile(BytesIO(base64.b64decode(told["zip"]))) as packed:
        everything = b"".join(packed.read(name) for name in packed.namelist()).decode()
    assert all(word in everything for word in ("Zenobie Kerguelen", "1937-08-19", "subject-5150"))
    assert _find_words(folder) == []
    # A clear word would have been found, in the book of this base as in any other file.
    (folder / "planted").write_text("… Kerguelen …")
    assert _find_words(folder) == [("planted", "Kerguelen")]
    (folder / "planted").unlink()
    await _forget(app, house, folder)
    assert house.node is not None
    house.node.book.close()
    app.book.close()
    assert not set(SECRETS) & set(capsys.readouterr().out.split())


def _find_bytes(folder: Path, mark: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and mark in file.read_bytes()]


async def _forget(app: PeopleApp, house: HouseApp, folder: Path) -> None:
    """After an erasure the data key is in no file, wrapped or not."""
    person = parse_id(ZELIE)
    kept = app.book.read_now(lambda line: store.find_row(line, tables.data_keys, person=person))
    sealed = app.book.read_now(lambda line: store.find_row(line, tables.records, person=person, version=1))
    assert kept is not None
    assert sealed is not None
    marks = (bytes(kept.wrapped)[:24], bytes(sealed.sealed)[:24])
    assert all(_find_bytes(folder, mark) for mark in marks)
    answer = await run_command(PEOPLE_COMMANDS, app, "erase", {**_ids(8), "person": ZELIE})
    await house.clearing.carry()
    await app.people.catch_up()
    done = await run_command(PEOPLE_COMMANDS, app, "erasure", {**_ids(9), "erasure": answer["erasure"]})
    assert done["state"] == "done"
    assert "6" in done["letter_fr"]
    assert "receipts" in done["letter_en"]
    for mark in marks:
        assert _find_bytes(folder, mark) == []


async def test_a_locked_base_key_opens_with_its_passphrase_alone_and_rotation_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = PeopleApp(folder)
    first = app.people.room.base_keys.current
    asked = {"id": ANNE, "second_id": BOB, "first": "Anne", "second": "Bob"}
    await run_command(PEOPLE_COMMANDS, app, "found", asked)
    told = await run_command(PEOPLE_COMMANDS, app, "rotate", {"by": ANNE, "forget": False})
    assert told == {"data_keys": 2, "forgotten_base_keys": 0}
    told = await run_command(PEOPLE_COMMANDS, app, "rotate", {"by": ANNE, "forget": True})
    assert told == {"data_keys": 2, "forgotten_base_keys": 2}
    assert app.people.room.base_keys.older == ()
    assert app.people.room.base_keys.current != first
    app.book.close()
    app = PeopleApp(folder)
    sheet = await run_command(PEOPLE_COMMANDS, app, "read", {**_ids(1), "person": BOB, "history": False})
    assert sheet["name"] == "Bob"
    app.book.close()
    assert [file.name for file in (folder / "people" / "keys" / "base").glob("*.key")] != [f"{first.id.hex()}.key"]
    monkeypatch.setenv("CITIZEN_MILES_PASSPHRASE", "another")
    with pytest.raises(Exception, match="wrong passphrase"):
        PeopleApp(folder)
