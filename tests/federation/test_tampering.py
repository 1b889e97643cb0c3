"""One row changed by hand, in any table of any book, is found by `check` and named with place and amount."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import IntegrityError

from hub.reconciliation.checks import check_hub
from node.checks import check_node
from node.ledger.errors import InsufficientRights
from node.ledger.postings import Posting, PostingKind
from node.ledger.reservations import Reserve
from node.ledger.reversals import Reverse
from protocol.amounts import Cents
from protocol.exchange.client import HubUnreachable
from protocol.findings import Finding
from protocol.identifiers import AccountNumber, Address, Id16
from protocol.times import Instant
from tests.federation.faults import FAULTS, Fault
from tests.federation.world import BREST, HUB, LILLE, LYON, DirectLine, Node, World

PARTIES = {"hub": HUB, "giver": BREST, "taker": LYON, "third": LILLE}


async def tell_a_story(world: World) -> None:
    """Deliver, return, refuse, recall, reverse, reserve, move on; leave one cession on the way."""
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
    for _ in range(64):  # enough for a mark in the history
        brest.credit(ana, 1)
    mistaken = Id16(brest.entropy(16))
    for op, kind, debit, credit, cents in (
        (mistaken, PostingKind.CREDIT, brest.pool, ana, 30),
        (Id16(brest.entropy(16)), PostingKind.CREDIT, brest.pool, ana, 10_000_000),
    ):
        posting = Posting(op=op, kind=kind, debit=debit, credit=credit, cents=Cents(cents))
        if cents > 100_000:
            with pytest.raises(InsufficientRights):
                brest.ledger.write_now(brest.ledger.post, posting)
        else:
            brest.ledger.write_now(brest.ledger.post, posting)
    brest.ledger.write_now(brest.ledger.reverse, Reverse(op=Id16(brest.entropy(16)), undone=mistaken, cents=Cents(20)))
    later = Instant(world.clock.now + 86_400_000)
    brest.ledger.write_now(
        brest.ledger.reserve,
        Reserve(op=Id16(brest.entropy(16)), account=ana, cents=Cents(250), expires_at=later),
    )


def check_with(world: World, fault: Fault) -> list[Finding]:
    """Return what the check of the book concerned finds with the fault in it. Nothing of the fault is committed."""
    book = world.hub_book if fault.book == "hub" else world.nodes[PARTIES[fault.book]].book
    with _make_engine(book.url).connect() as line:
        if book.dialect == "sqlite":  # what only a person who edits the file can write
            line.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            line.exec_driver_sql("PRAGMA foreign_keys = OFF")
        else:
            line.exec_driver_sql("SET session_replication_role = replica")
        for statement in fault.change.split(";"):
            values = {"odd": bytes(32), "op": bytes(16)}
            wanted = {name: value for name, value in values.items() if f":{name}" in statement}
            assert line.execute(text(statement), wanted).rowcount >= 1, statement
        findings = check_book(line, fault.book)
        line.rollback()
        if book.dialect == "sqlite":
            line.invalidate()  # a file's next reader starts with what a file is; a server takes back its own words
    return findings


@cache
def _make_engine(url: URL) -> Engine:
    """One for each book of the story: what it learnt of the check's statements is used again."""
    return create_engine(url, pool_size=1)


def check_book(line: Connection, party: str) -> list[Finding]:
    if party == "hub":
        checked = check_hub(line, hub=HUB, on_progress=lambda _where: None)
    else:
        checked = check_node(line, home=PARTIES[party], hub=HUB, on_progress=lambda _where: None)
    return [finding for one in checked for finding in one.findings]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The story, told once on each base; no test leaves anything of itself in it."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("told")
        world = World(lambda name: f"sqlite:///{folder / name}.db")
    else:
        server = request.getfixturevalue("postgres_server")
        world = World(lambda _name: server.create_database())
    asyncio.run(tell_a_story(world))
    yield world
    findings = world.check()
    for book in (world.hub_book, *(node.book for node in world.nodes.values())):
        _make_engine(book.url).dispose()
    world.close()
    assert findings == []


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A hub on files: what is no fault does not hang on the kind of base, and the story above is told on both."""
    made = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    assert made.check() == []
    made.close()


def is_named(fault: Fault, finding: Finding) -> bool:
    return finding.invariant == fault.invariant and all(
        re.fullmatch(wanted, found)
        for wanted, found in (
            (fault.place, finding.place),
            (fault.expected, finding.expected),
            (fault.found, finding.found),
        )
    )


def test_there_are_faults_of_every_book() -> None:
    assert len(FAULTS) >= 45
    assert {fault.book for fault in FAULTS.values()} == set(PARTIES)


@pytest.mark.parametrize("key", FAULTS)
def test_a_change_by_hand_is_named_with_place_and_amount(told: World, key: str) -> None:
    fault = FAULTS[key]
    if told.hub_book.dialect == "postgresql" and not fault.is_allowed:
        with pytest.raises(IntegrityError, match="check constraint"):
            check_with(told, fault)
        return
    findings = check_with(told, fault)
    assert any(is_named(fault, finding) for finding in findings), findings


async def test_a_healthy_and_lagging_system_gives_an_empty_report(world: World) -> None:
    await tell_a_story(world)
    assert world.check() == []


async def test_a_member_asleep_is_no_fault(world: World) -> None:
    """Slips wait at the hub for a receiver that does not call; the giver has heard that they were taken, and no more."""
    brest, lyon, ana, bea = await _two_members(world)
    for cents in (500, 700):
        brest.cede(ana, Address(bea, LYON), cents)
        await world.settle(BREST)
        assert world.check() == []
    await world.settle(LYON)  # it wakes: the giver has not heard of it yet
    assert world.check() == []
    await world.settle()
    assert (lyon.balance(bea), world.check()) == (1_200, [])


async def test_an_envelope_lost_on_either_way_is_no_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written down on one side and never heard on the other, in whatever order the answers went astray."""
    brest, lyon, ana, bea = await _two_members(world)
    for at, node in enumerate((brest, lyon, brest, lyon)):
        brest.cede(ana, Address(bea, LYON), 100 + at)
        assert world.check() == []  # written, and not sent
        with monkeypatch.context() as bent, contextlib.suppress(HubUnreachable):
            bent.setattr(DirectLine, "call", _lose_the_answer)
            await node.worker.exchange_all()
        assert world.check() == []  # taken, and the answer lost
        await node.worker.exchange_all()
        assert world.check() == []
    await world.settle()
    assert (lyon.balance(bea), world.check()) == (406, [])


async def _two_members(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber]:
    brest, lyon = world.join(BREST), world.join(LYON)
    await world.settle()
    ana, bea = brest.open(), lyon.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    return brest, lyon, ana, bea


async def _lose_the_answer(line: DirectLine, envelope: bytes, wait_ms: int) -> bytes:
    """The question arrives at the hub, and the answer does not come back."""
    await line.exchange.answer(envelope, wait_ms=wait_ms)
    raise HubUnreachable(reason="the answer was lost")


def test_one_byte_of_any_leaf_is_found_at_that_leaf(told: World) -> None:
    for party, code in (("hub", None), ("giver", BREST), ("taker", LYON)):
        book = told.hub_book if code is None else told.nodes[code].book
        for log_id, index in book.read_now(_leaf_places):
            change = f"UPDATE leaves SET leaf = :odd WHERE log_id = {log_id} AND ix = {index}"
            findings = check_with(told, Fault(party, change, "I7", f".*, leaf {index}", "", ""))
            assert any(finding.place.endswith(f"leaf {index}") for finding in findings), f"{log_id}/{index}: {findings}"


def _leaf_places(connection: Connection) -> list[tuple[int, int]]:
    rows = connection.execute(text("SELECT log_id, ix FROM leaves ORDER BY log_id, ix"))
    return [(row[0], row[1]) for row in rows]
