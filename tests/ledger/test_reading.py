"""What is read of an account: pages, balances in the past, statements, an id's fate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.accounts import TRANSIT, AccountKind, abroad
from node.ledger.errors import AccountUnknown
from node.ledger.postings import PostingKind
from node.ledger.reading_service import (
    find_operation,
    load_balance,
    load_balance_at,
    load_history,
    load_statement,
)
from node.ledger.statements import Entry, choose_span, next_cursor
from protocol.errors import Malformed
from protocol.identifiers import AccountNumber, Id16
from protocol.times import Instant
from tests.ledger.world import PEER, START, World

K = PostingKind
ENTRIES = 201  # three marks and a rest; entry 64 is the first of three that share an instant


@given(st.integers(0, 500), st.integers(1, 200), st.booleans())
def test_pages_that_follow_each_other_show_every_entry_once_in_order(length: int, limit: int, newest: bool) -> None:
    seen: list[int] = []
    cursor: int | None = None
    for _ in range(length // limit + 2):
        span = choose_span(length, cursor=cursor, limit=limit, is_newest_first=newest)
        seen += reversed(span) if newest else span
        cursor = next_cursor(length, span, is_newest_first=newest)
        if cursor is None:
            break
    assert cursor is None
    assert seen == (list(range(length, 0, -1)) if newest else list(range(1, length + 1)))


@pytest.mark.parametrize(("limit", "cursor"), [(0, None), (201, None), (50, 0), (50, -3)])
def test_a_page_of_no_size_or_from_nowhere_is_malformed(limit: int, cursor: int | None) -> None:
    with pytest.raises(Malformed):
        choose_span(10, cursor=cursor, limit=limit, is_newest_first=True)


def fill(world: World) -> tuple[AccountNumber, list[tuple[int, int, int]]]:
    """Credit and spend, three entries a second; return the account and its (at, signed cents, balance after)."""
    pool, person, project = world.pool(1_000_000), world.open(), world.open(AccountKind.PROJECT)
    told: list[tuple[int, int, int]] = []
    balance = 0
    postings = []
    for k in range(ENTRIES):
        cents = 10 + k % 7
        if k % 3 == 2:
            postings.append(world.posting(person, project, cents, K.ORIENTATION, reference=f"entry {k}"))
            cents = -cents
        else:
            postings.append(world.posting(pool, person, cents, reference=f"entry {k}"))
        balance += cents
        told.append((world.clock.now, cents, balance))
        if k % 3 == 2:
            world.post_together(postings)
            postings = []
            world.clock.now += 1_000
    return person, told


def test_history_is_read_in_both_directions_page_by_page(world: World) -> None:
    person, told = fill(world)
    for is_newest_first in (True, False):
        for limit in (1, 50, 199) if is_newest_first else (7, 64):
            seen: list[Entry] = []
            cursor = None
            while True:
                page = world.ledger.read_now(
                    load_history, person, cursor=cursor, limit=limit, is_newest_first=is_newest_first
                )
                seen += page.entries
                cursor = page.cursor
                if cursor is None or (limit == 1 and len(seen) == 70):
                    break
            expected = list(reversed(told)) if is_newest_first else told
            assert [(e.at, e.cents, e.after) for e in seen] == expected[: len(seen)]
            assert len(seen) == (70 if limit == 1 else ENTRIES)
    newest = world.ledger.read_now(load_history, person, limit=1).entries[0]
    assert (newest.seq, newest.reference, newest.kind) == (ENTRIES, f"entry {ENTRIES - 1}", K.ORIENTATION)


def test_the_balance_at_any_past_instant_is_what_it_was_then(world: World) -> None:
    person, told = fill(world)
    for instant in [START - 1, START, *(START + 1_000 * k // 2 for k in range(0, 140, 3)), world.clock.now + 10**9]:
        expected = ([0] + [after for at, _, after in told if at <= instant])[-1]
        assert world.ledger.read_now(load_balance_at, person, Instant(instant)) == expected


def test_a_statement_opens_with_what_was_closes_with_what_is_and_says_what_each_kind_brought(world: World) -> None:
    person, told = fill(world)
    start, end = Instant(START + 13_500), Instant(START + 60_000)
    statement = world.ledger.read_now(load_statement, person, start, end)
    inside = [(cents, after) for at, cents, after in told if start <= at < end]
    assert [(entry.cents, entry.after) for entry in statement.entries] == inside
    assert statement.opening + sum(cents for cents, _ in inside) == statement.closing == inside[-1][1]
    totals = {total.kind: (total.entries, total.received, total.given) for total in statement.totals}
    came, went = [c for c, _ in inside if c > 0], [-c for c, _ in inside if c < 0]
    assert totals == {K.CREDIT: (len(came), sum(came), 0), K.ORIENTATION: (len(went), 0, sum(went))}
    whole = world.ledger.read_now(load_statement, person, Instant(0), Instant(world.clock.now))
    assert (whole.opening, whole.closing, len(whole.entries)) == (0, told[-1][2], ENTRIES)
    empty = world.ledger.read_now(load_statement, person, Instant(1), Instant(2))
    assert (empty.opening, empty.closing, empty.entries) == (0, 0, ())
    with pytest.raises(Malformed):
        world.ledger.read_now(load_statement, person, Instant(2), Instant(1))


def test_nothing_is_read_of_an_account_that_nobody_has(world: World) -> None:
    unknown = AccountNumber("ZZZZZZZZ")
    for read in (load_balance, load_history):
        with pytest.raises(AccountUnknown):
            world.ledger.read_now(read, unknown)
    assert world.ledger.read_now(load_balance, abroad(PEER)).cents == 0
    assert world.ledger.read_now(load_history, world.open()).entries == ()


def test_an_id_is_posted_refused_or_unknown(world: World) -> None:
    pool, person = world.pool(100), world.open()
    posted = world.post(pool, person, 100)
    left = world.post(person, TRANSIT, 40, K.CEDE_OUT)
    view = world.ledger.read_now(find_operation, left.op)
    assert (view.state, view.kind, view.cents, view.debit, view.credit) == ("posted", K.CEDE_OUT, 40, person, TRANSIT)
    assert view.at == posted.at
    refused = world.posting(person, pool, 61, K.GIFT)
    (answer,) = world.post_together([refused])
    view = world.ledger.read_now(find_operation, refused.op)
    assert (view.state, view.code) == ("refused", "insufficient_rights")
    assert view.facts == {"available": 60, "asked": 61, "missing": 1}
    assert answer.facts == view.facts  # type: ignore[union-attr]
    assert world.ledger.read_now(find_operation, Id16(b"n" * 16)).state == "unknown"


async def test_an_event_loop_writes_and_reads_without_waiting_for_a_thread_of_its_own(world: World) -> None:
    pool, person = world.pool(100), world.open()
    posted = await world.ledger.write(world.ledger.post, world.posting(pool, person, 5))
    balance = await world.ledger.read(load_balance, person)
    assert posted.credit_after == balance.cents == 5
