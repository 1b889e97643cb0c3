"""Many writers at once, the same id twice at once, and a process killed in the middle of writing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.ledger.accounts import AccountKind
from node.ledger.errors import InsufficientRights
from node.ledger.postings import Posted, PostingKind
from node.ledger.reading_service import find_account, find_operation
from protocol.identifiers import AccountNumber, Id16
from tests.ledger.world import World


async def test_many_writers_at_once_lose_nothing_and_never_spend_twice(world: World) -> None:
    pool = world.pool(1_000)
    people = [world.open() for _ in range(10)]

    async def spend(writer: int) -> int:
        spent = 0
        for turn in range(15):
            posting = world.posting(pool, people[(writer + turn) % 10], 7)
            try:
                await world.ledger.write(world.ledger.post, posting)
                spent += 7
            except InsufficientRights:
                pass
        return spent

    spent = sum(await asyncio.gather(*(spend(writer) for writer in range(20))))
    assert spent == 994  # 142 times 7 of 1,000: every cent that 7 divides
    assert world.balance(pool) == 6
    assert sum(world.balance(person) for person in people) == spent
    assert world.book.written[0] < world.book.written[1], "writers that wait together share a commit"


async def test_the_same_id_many_times_at_once_is_done_once(world: World) -> None:
    pool, person = world.pool(1_000), world.open()
    posting = world.posting(pool, person, 10)
    answers = await asyncio.gather(*(world.ledger.write(world.ledger.post, posting) for _ in range(50)))
    assert sorted(answer.is_repeat for answer in answers) == [False] + [True] * 49
    assert {answer.first for answer in answers} == {answers[0].first}
    assert world.balance(person) == 10


async def test_cessions_in_a_ring_end_where_they_began(world: World) -> None:
    pool = world.pool(1_000)
    ring = [world.open() for _ in range(8)]
    for person in ring:
        world.post(pool, person, 100)
    postings = [
        world.posting(ring[place], ring[(place + 1) % 8], 30, PostingKind.CESSION)
        for _ in range(20)
        for place in range(8)
    ]
    await asyncio.gather(*(world.ledger.write(world.ledger.post, posting) for posting in postings))
    assert [world.balance(person) for person in ring] == [100] * 8


CHILD = """
import itertools, sys
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.service import Ledger, ledger_history
from protocol.book.service import Book

url, pool, people = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
book = Book(url, history=ledger_history(), clock=lambda: 1_790_000_100_000)
ledger = Ledger(book, "200046977")
for turn in itertools.count(1):
    group = [
        Posting(op=(turn << 32 | k).to_bytes(16, "big"), kind=PostingKind.CREDIT, debit=pool, credit=person, cents=1 + k)
        for k, person in enumerate(people)
    ]
    answers = ledger.write_now(ledger.post_groups, group)
    assert all(isinstance(answer, Posted) for answer in answers)
    print(turn, flush=True)
"""


@pytest.mark.parametrize("turns", [1, 3])
def test_a_process_killed_while_writing_loses_nothing_that_it_acknowledged(world: World, turns: int) -> None:
    pool = world.pool(10**9)
    people = [world.open(AccountKind.PERSON) for _ in range(20)]
    world.book.close()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, world.book.url.render_as_string(hide_password=False), pool, ",".join(people)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdout is not None
    assert child.stderr is not None
    for _ in range(turns * 10):
        assert child.stdout.readline(), child.stderr.read().decode()
    time.sleep(0.002 * turns)
    child.send_signal(signal.SIGKILL)
    acknowledged = turns * 10 + len(child.stdout.read().splitlines())
    child.wait()
    child.stdout.close()
    child.stderr.close()
    _reopen(world)
    last = Id16((acknowledged << 32 | 19).to_bytes(16, "big"))
    assert world.ledger.read_now(find_operation, last).state == "posted"
    account = world.ledger.read_now(find_account, AccountNumber(people[4]))
    assert account is not None
    written = account.length  # a page is written wholly or not at all
    assert written in (acknowledged, acknowledged + 1)
    assert [world.balance(person) for person in people] == [(1 + k) * written for k in range(20)]
    assert world.findings() == []
    world.clock.now += 200_000
    again = world.posting(pool, people[19], 20, op=last)
    answer = world.ledger.write_now(world.ledger.post, again)
    assert isinstance(answer, Posted)
    assert answer.is_repeat


def _reopen(world: World) -> None:
    """Open the base again; PostgreSQL needs a moment to notice that the writer is gone."""
    from protocol.book.store import BookInUse

    for _ in range(5_000):
        try:
            world.reopen()
            return
        except BookInUse:
            time.sleep(0.02)
    raise AssertionError("the lock of a killed process was never freed")
