"""One value changed by hand, in any table of any book, is found by `check` and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from protocol.book.service import Book
from protocol.identifiers import Address
from tests.federation.world import BREST, LILLE, LYON, World


async def _tell_a_story(world: World) -> None:
    """Deliver, return, refuse, recall, move on; leave one cession on the way."""
    brest, lyon, lille = world.join(BREST), world.join(LYON), world.join(LILLE)
    await world.settle()
    ana, bea, zoe = brest.open(), lyon.open(), lille.open()
    brest.endow(100_000)
    brest.credit(ana, 50_000)
    for cents in (500, 700):
        brest.cede(ana, Address(bea, LYON), cents, words="bon vent")
    brest.cede(ana, Address(brest.open(), LYON), 900)
    await world.settle()
    lyon.cede(bea, Address(zoe, LILLE), 300)
    recalled = brest.cede(ana, Address(bea, LYON), 111)
    await world.settle(BREST)
    brest.book.write_now(brest.federation.recall, recalled.op)
    await world.settle()
    brest.cede(ana, Address(zoe, LILLE), 40)
    await world.settle(BREST)
    for node in (brest, lyon, lille):
        node.book.write_now(node.federation.ask_statement, None)
    await world.settle(BREST, LYON)


def _first(table: str, where: str = "1 = 1") -> str:
    return f"(SELECT min(id) FROM {table} WHERE {where})"


HUB = [
    ("a position", "UPDATE positions SET cents = cents + 1 WHERE lot_id = 1 AND holder = '200093201'", "position"),
    ("a total abroad", "UPDATE abroad SET cents = cents + 1 WHERE issuer = '242900314'", "abroad"),
    ("a day's total", "UPDATE ceded SET cents = cents - 1 WHERE member = '200046977'", "ceded"),
    ("rights on the way", "UPDATE transit SET cents = cents + 1", "transit"),
    (
        "a slip's state",
        f"UPDATE slips SET state = 'delivered' WHERE id = {_first('slips', 'state = ' + chr(39) + 'cleared' + chr(39))}",
        "slip",
    ),
    ("a slip's receiver", f"UPDATE slips SET taker = '242900314' WHERE id = {_first('slips')}", "slip"),
    ("an exception's reason", "UPDATE exceptions SET code = 'frozen' WHERE state = 'returned'", "cession"),
    ("a lot's class", "UPDATE lots SET kind = 7 WHERE id = 1", "lot"),
    ("a directory entry", "UPDATE entries SET national = 99 WHERE number = 3", "directory entry 3"),
    ("a log's head", "UPDATE logs SET root = zeroblob(32) WHERE id = 1", "log"),
    ("a head of another type", "UPDATE logs SET root = 'text' WHERE id = 1", ""),
    ("how much was acknowledged", "UPDATE logs SET size = size - 1 WHERE owner = '242900314'", "log 242900314"),
]
NODE = [
    ("a cession's amount", f"UPDATE cessions SET cents = cents + 1 WHERE id = {_first('cessions')}", "cession"),
    ("a cession's beneficiary", f"UPDATE cessions SET beneficiary = 'X' WHERE id = {_first('cessions')}", "cession"),
    ("a cession's outcome", "UPDATE cessions SET exception = NULL WHERE exception = 'returned'", "cession"),
    (
        "a sent slip's state",
        "UPDATE sent_slips SET state = 'delivered' WHERE ix = (SELECT max(ix) FROM sent_slips)",
        "sent slip",
    ),
    (
        "a sent slip's sum",
        "UPDATE sent_slips SET cents = cents + 1 WHERE ix = (SELECT min(ix) FROM sent_slips)",
        "sent slip",
    ),
    (
        "a balance",
        "UPDATE balances SET cents = cents + 1 WHERE account_id = (SELECT max(account_id) FROM balances WHERE cents > 0)",
        "account",
    ),
    (
        "a holding",
        "UPDATE holdings SET cents = cents + 1 WHERE account_id = (SELECT max(account_id) FROM holdings WHERE cents > 0)",
        "",
    ),
    ("a transfer", f"UPDATE transfers SET cents = cents + 1 WHERE id = {_first('transfers')}", "transfer"),
    ("a lot's issue", f"UPDATE lots SET issued = issued + 1 WHERE id = {_first('lots')}", "lot"),
    ("a directory entry", "UPDATE directory SET number = 77 WHERE number = 4", "directory"),
    ("the checkpoint", "UPDATE checkpoints SET size = size + 1", "checkpoint"),
]
ARRIVED = [
    ("an arrival's amount", f"UPDATE arrivals SET cents = cents + 1 WHERE id = {_first('arrivals')}", "arrival"),
    ("an arrival's account", f"UPDATE arrivals SET account = 'XXXXXXXX' WHERE id = {_first('arrivals')}", "arrival"),
    ("an arrival's state", "UPDATE arrivals SET state = 'delivered' WHERE state = 'returned'", "arrival"),
]


async def test_a_healthy_and_lagging_system_gives_an_empty_report(world: World) -> None:
    await _tell_a_story(world)
    assert world.check() == []


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_every_change_by_hand_is_found_and_named(world: World) -> None:
    await _tell_a_story(world)
    assert world.check() == []
    books = [(world.hub_book, HUB), (world.nodes[BREST].book, NODE), (world.nodes[LYON].book, ARRIVED)]
    for book, changes in books:
        for what, statement, named in changes:
            with _Undone(book) as change:
                change(statement)
                findings = world.check()
                assert findings, f"{what} was changed and nothing was found"
                assert any(named in finding.place for finding in findings), f"{what}: {findings[:3]}"
    assert world.check() == []


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_one_byte_of_any_leaf_is_found_at_that_leaf(world: World) -> None:
    await _tell_a_story(world)
    for code in (None, BREST, LYON):
        book = world.hub_book if code is None else world.nodes[code].book
        rows = book.read_now(_leaf_places)
        for log_id, index in rows:
            with _Undone(book) as change:
                change(
                    f"UPDATE leaves SET leaf = CAST(substr(leaf, 1, length(leaf) - 1) || x'f1' AS BLOB) "
                    f"WHERE log_id = {log_id} AND ix = {index}"
                )
                findings = world.check()
                assert any(f"leaf {index}" in finding.place for finding in findings), f"{log_id}/{index}: {findings}"


def _leaf_places(connection: Connection) -> list[tuple[int, int]]:
    rows = connection.execute(text("SELECT log_id, ix FROM leaves ORDER BY log_id, ix"))
    return [(row[0], row[1]) for row in rows]


class _Undone:
    """Copies the SQLite file back after the change, so that each change stands alone."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def __enter__(self) -> Callable[[str], None]:
        path = str(self._book.url.database)
        self._line = sqlite3.connect(path, isolation_level=None)
        self._before = sqlite3.connect(":memory:")
        self._line.backup(self._before)
        self._line.execute("PRAGMA ignore_check_constraints = ON")

        def change(statement: str) -> None:
            assert self._line.execute(statement).rowcount == 1, statement

        return change

    def __exit__(self, *_: object) -> None:
        self._before.backup(self._line)
        self._line.close()
        self._before.close()
