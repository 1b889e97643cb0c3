"""Keys of doors: kept as hashes, made once, ended at once, and for what they are for alone."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from node.doors.duties import Duty, KeyNotKnown
from node.doors.keys_service import KeyDesk, NewDoorKey
from node.doors.rates import BURST
from node.fund.schema_service import FUND_HISTORY
from node.fund.seal_store import find_broken, sealed
from node.fund.tables import door_keys
from protocol.book.service import Book
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.identifiers import Id16
from protocol.times import Instant
from tests.doors.place import DoorsPlace, make_fund_place, make_office_place, new_id
from tests.fund.fund_world import FundWorld
from tests.partners.house import BAKERY, OTHER, House


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[DoorsPlace]:
    world = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    made = make_fund_place(world, tmp_path)
    await made.open()
    yield made
    await made.close()
    wrongs = world.find_wrongs()
    world.close()
    assert wrongs == []


async def test_a_key_is_shown_once_kept_as_a_hash_and_ended_at_once(place: DoorsPlace, tmp_path: Path) -> None:
    asked = {"id": new_id(), "name": "portal", "duties": "reader"}
    made = await place.ask("key_new", **asked)
    key = made["key"]
    assert await place.ask("key_new", **asked) == made | {"key": "", "repeated": True}
    with pytest.raises(IdMismatch):
        await place.ask("key_new", **asked | {"duties": "treasurer"})
    assert (await place.call(key, "donors")).status == 200
    raw = sqlite3.connect(tmp_path / "THE-FUND.db")
    kept = raw.execute("SELECT * FROM door_keys").fetchall()
    raw.close()
    assert key.rpartition("_")[2] not in str(kept)
    for wrong in (
        key[:-1],
        key + "0",
        key.replace("cmd_", "cmt_"),
        "cmd_",
        "cmd__",
        f"cmd_{made['key_id']}_",
        "\ud800",
    ):
        assert (await place.refusal(wrong.encode(errors="replace").decode(), "donors"))[0] == 401
    ended = await place.ask("key_revoke", key_id=made["key_id"])
    assert await place.refusal(key, "donors") == (401, "key_not_known")
    assert await place.ask("key_revoke", key_id=made["key_id"]) == ended
    [line] = await place.ask("keys")
    assert line["revoked"] == ended["revoked"]
    with pytest.raises(Refusal) as unknown:
        await place.ask("key_revoke", key_id="nobody")
    assert unknown.value.code == "door_key_unknown"


async def test_a_key_is_for_duties_of_its_base(place: DoorsPlace) -> None:
    for duties in ("", "clerk", "company", "reader,king"):
        with pytest.raises(Malformed):
            await place.ask("key_new", id=new_id(), name="x", duties=duties)
    for name in ("", "x" * 81, "a\nb"):
        with pytest.raises(Malformed):
            await place.ask("key_new", id=new_id(), name=name, duties="reader")


async def test_a_key_has_so_many_calls_and_another_s_are_not_used_up(place: DoorsPlace) -> None:
    one, other = await place.key("reader"), await place.key("reader")
    place.doors._clock = lambda: place.app.book.clock() * 0  # type: ignore[assignment,return-value]
    place.doors._rates._done_at = {one.split("_")[1]: (BURST - 1) * 100}
    assert (await place.call(one, "donors")).status == 200
    told = await place.call(one, "donors")
    assert (told.status, told.json["code"]) == (429, "calls_used_up")
    assert int(told.headers["Retry-After"]) == 1
    assert (await place.call(other, "donors")).status == 200


async def test_a_company_s_key_names_a_company_that_is_known(tmp_path: Path) -> None:
    house = House(lambda name: f"sqlite:///{tmp_path / name}.db")
    place = make_office_place(house, tmp_path)
    house.enter()
    made = await place.ask("key_new", id=new_id(), name="x", duties="company,reader", company=BAKERY)
    assert made["company"] == BAKERY
    for duties, company, code in (
        ("company", "", "malformed"),
        ("company", OTHER, "company_unknown"),
        ("company", "123", "invalid_siren"),
        ("clerk", BAKERY, "malformed"),
        ("company,clerk", BAKERY, "malformed"),
    ):
        with pytest.raises(Refusal) as refused:
            await place.ask("key_new", id=new_id(), name="x", duties=duties, company=company)
        assert refused.value.code == code
    house.close()


async def test_keys_are_kept_and_ended_on_postgresql_too(postgres_url: Callable[[], str]) -> None:
    book = Book(postgres_url(), history=FUND_HISTORY, clock=lambda: Instant(1_795_600_000_000))
    desk = KeyDesk(book, door_keys, partial(sealed, door_keys))
    new = NewDoorKey(asked=Id16(bytes(range(16))), id="1", secret="s", name="x", duties=(Duty.READER, Duty.OFFICER))
    assert not book.write_now(desk.make, new).is_repeat
    assert book.write_now(desk.make, new).is_repeat
    assert (await desk.authorise(new.text)).duties == {Duty.READER, Duty.OFFICER}
    assert [is_broken for _, is_broken in book.read_now(lambda line: list(find_broken(line)))] == [False]
    assert book.write_now(desk.revoke, "1") == book.write_now(desk.revoke, "1")
    with pytest.raises(KeyNotKnown):
        await desk.authorise(new.text)
    assert [is_broken for _, is_broken in book.read_now(lambda line: list(find_broken(line)))] == [False]
    book.close()
