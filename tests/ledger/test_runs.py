"""Credits done together and the same ones done one by one leave the same book, to the byte."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.credits import CreditBatch, Credited, CreditRun, join_batches
from node.ledger.lots import LotId
from node.ledger.postings import Posted, PostingKind
from node.ledger.statements import MARK_EVERY
from protocol.amounts import Cents
from protocol.errors import InvalidAmount, InvalidId, InvalidText, Malformed, Refusal
from protocol.identifiers import AccountNumber, Id16
from tests.ledger.world import START, World

TABLES = ("transfers", "holdings", "balances", "history_marks", "tallies", "lots", "refusals")


def make_pair(folder: Path, migrated: Path) -> tuple[World, World]:
    files = (folder / "together.db", folder / "alone.db")
    for file in files:
        shutil.copyfile(migrated, file)
    return World(f"sqlite:///{files[0]}"), World(f"sqlite:///{files[1]}")


@pytest.fixture
def pair(tmp_path: Path, migrated_file: Path) -> Iterator[tuple[World, World]]:
    """Two ledgers with the same accounts."""
    worlds = make_pair(tmp_path, migrated_file)
    yield worlds
    for world in worlds:
        world.close()


def rows(world: World) -> dict[str, list[Any]]:
    return {
        table: world.ledger.read_now(
            lambda connection, table=table: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {table}"))))
        )
        for table in TABLES
    }


def credit(world: World, batches: list[CreditBatch]) -> list[Any]:
    """Write the batches in one page; return (status, balance after) for each line."""

    def work(page: Any) -> list[Any]:
        return world.ledger.credit(page, batches)

    return [line for done in world.run_in_page(work) for line in tell(done)]


def tell(done: Credited | list[Posted | Refusal]) -> list[Any]:
    if isinstance(done, Credited):
        return [("done", after) for after in done.after]
    return [
        (one.code, one.facts)
        if isinstance(one, Refusal)
        else ("repeated" if one.is_repeat else "done", one.credit_after)
        for one in done
    ]


def credit_one_by_one(world: World, batches: list[CreditBatch]) -> list[Any]:
    """The oracle: the same lines as postings, by the rule for one."""
    postings = [posting for batch in batches for posting in batch.make_postings()]
    return tell(world.post_together(postings))


# A line: which id (few, so that some repeat), which account (the last two are frozen and unknown), how much.
line = st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(1, 700))
stories = st.lists(st.lists(st.lists(line, min_size=1, max_size=6), min_size=1, max_size=3), min_size=1, max_size=4)


@given(story=stories)
@settings(max_examples=25, deadline=None)
def test_a_run_leaves_what_the_rule_for_one_leaves(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, story: Any
) -> None:
    worlds = make_pair(tmp_path_factory.mktemp("runs"), migrated_file)
    try:
        pools, accounts = [], []
        for world in worlds:
            pool = world.pool()
            world.endow(pool, 900, month=202601)  # an old lot that a few lines use up
            world.endow(pool, 4_000, month=202602)
            people = [world.open() for _ in range(4)]
            world.change(people[3], AccountEvent.FREEZE)
            pools.append(pool)
            accounts.append([*people, AccountNumber("77777777")])
        assert (pools[0], accounts[0]) == (pools[1], accounts[1])
        for page in story:
            batches = [
                CreditBatch(
                    pool=pools[0],
                    ops=[Id16((1_000 + id_).to_bytes(16, "big")) for id_, _, _ in lines],
                    accounts=[accounts[0][account] for _, account, _ in lines],
                    cents=[Cents(cents) for _, _, cents in lines],
                    references=["r" * (cents % 3) for _, _, cents in lines],
                )
                for lines in page
            ]
            assert credit(worlds[0], batches) == credit_one_by_one(worlds[1], batches)
            for world in worlds:
                world.clock.now += 1
        assert rows(worlds[0]) == rows(worlds[1])
        assert worlds[0].findings() == worlds[1].findings() == []
    finally:
        for world in worlds:
            world.close()


def a_batch(world: World, pool: AccountNumber, accounts: list[AccountNumber], cents: int = 1) -> CreditBatch:
    count = len(accounts)
    return CreditBatch(
        pool=pool,
        ops=[world.id() for _ in range(count)],
        accounts=accounts,
        cents=[Cents(cents)] * count,
        references=[""] * count,
    )


def test_a_long_run_marks_the_histories_and_spans_wide_statements(pair: tuple[World, World]) -> None:
    made = []
    for world in pair:
        pool, people = world.pool(10**6), [world.open() for _ in range(3)]
        made.append([a_batch(world, pool, people * count) for count in (70, MARK_EVERY, 150)])
    assert credit(pair[0], made[0]) == credit_one_by_one(pair[1], made[1])
    assert rows(pair[0]) == rows(pair[1])
    assert pair[0].findings() == []
    assert len(rows(pair[0])["history_marks"]) > 10


def test_a_run_is_one_on_either_database(world: World) -> None:
    pool, people = world.pool(10**6), [world.open() for _ in range(3)]
    batch = a_batch(world, pool, people * 90, 7)
    assert credit(world, [batch]) == [("done", 7 * (1 + place // 3)) for place in range(270)]
    world.reopen()
    assert [status for status, _ in credit(world, [batch])] == ["repeated"] * 270
    assert [world.balance(one) for one in people] == [630] * 3
    assert world.findings() == []


def test_a_run_may_use_up_its_lot_and_the_next_line_goes_on_with_another(pair: tuple[World, World]) -> None:
    world, _ = pair
    pool, ana = world.pool(), world.open()
    world.endow(pool, 300, month=202601)
    world.endow(pool, 300, month=202602)
    assert tell_all(world, a_batch(world, pool, [ana] * 3, 100)) == ["done"] * 3
    assert tell_all(world, a_batch(world, pool, [ana] * 4, 100)) == ["done", "done", "done", "insufficient_rights"]
    assert world.balance(ana) == 600
    assert world.findings() == []


def tell_all(world: World, batch: CreditBatch) -> list[str]:
    return [status for status, _ in credit(world, [batch])]


def test_a_bad_batch_harms_no_batch_of_the_same_page(pair: tuple[World, World]) -> None:
    world, _ = pair
    pool, ana = world.pool(1_000), world.open()
    batches = [
        a_batch(world, pool, [ana]),
        a_batch(world, pool, [AccountNumber("77777777")]),
        a_batch(world, pool, [ana]),
    ]
    assert [status for status, _ in credit(world, batches)] == ["done", "account_unknown", "done"]


def test_what_a_run_did_is_answered_again_taken_back_and_refused_for_other_content(pair: tuple[World, World]) -> None:
    world, _ = pair
    pool, ana = world.pool(1_000), world.open()
    batch = a_batch(world, pool, [ana, ana], 10)
    other = CreditBatch(
        pool=pool, ops=batch.ops, accounts=batch.accounts, cents=[Cents(10), Cents(11)], references=batch.references
    )
    assert credit(world, [batch, batch, other]) == [
        ("done", 10),
        ("done", 20),
        ("repeated", 10),
        ("repeated", 20),
        ("repeated", 10),
        ("id_mismatch", {"id": batch.ops[1].hex(), "field": "cents"}),
    ]
    assert world.balance(ana) == 20


def test_a_run_is_answered_again_after_a_restart(pair: tuple[World, World]) -> None:
    world, _ = pair
    pool, ana = world.pool(1_000), world.open()
    batch = a_batch(world, pool, [ana, ana], 10)
    first = credit(world, [batch])
    world.reopen()
    assert credit(world, [batch]) == [("repeated", after) for _, after in first]


def test_only_pools_credit_and_only_members_are_credited(pair: tuple[World, World]) -> None:
    world, _ = pair
    pool, other, ana, bob = world.pool(100), world.pool(100), world.open(), world.open(AccountKind.ENTITY)
    assert tell_all(world, a_batch(world, pool, [other])) == ["kind_misfit"]
    assert tell_all(world, a_batch(world, ana, [bob])) == ["kind_misfit"]
    assert tell_all(world, a_batch(world, pool, [bob])) == ["done"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"ops": [b"short"]}, InvalidId),
        ({"ops": [bytes(16)]}, InvalidId),
        ({"ops": ["1" * 16]}, InvalidId),
        ({"cents": [0]}, InvalidAmount),
        ({"cents": [True]}, InvalidAmount),
        ({"cents": [10**15 + 1]}, InvalidAmount),
        ({"references": ["\x07"]}, InvalidText),
        ({"references": ["x" * 281]}, InvalidText),
        ({"accounts": [AccountNumber("11111111")]}, Malformed),
        ({"cents": [1, 1]}, ValueError),
    ],
)
def test_a_batch_that_exists_is_valid(change: dict[str, Any], refusal: type[Exception]) -> None:
    sound = {
        "pool": AccountNumber("11111111"),
        "ops": [Id16(b"1" * 16)],
        "accounts": [AccountNumber("22222222")],
        "cents": [Cents(1)],
        "references": [""],
    }
    CreditBatch(**sound)
    with pytest.raises(refusal):
        CreditBatch(**sound | change)


def test_a_pool_that_credits_itself_is_told_which_side_is_wrong() -> None:
    pool = AccountNumber("11111111")
    with pytest.raises(Malformed) as refusal:
        CreditBatch(pool=pool, ops=[Id16(b"1" * 16)], accounts=[pool], cents=[Cents(1)], references=[""])
    assert refusal.value.facts["field"] == "credit"


@pytest.mark.parametrize("what", ["unknown", "frozen", "closed"])
def test_a_pool_that_may_not_credit_is_refused_as_one_by_one(pair: tuple[World, World], what: str) -> None:
    made = []
    for world in pair:
        pool, ana = world.pool(0 if what == "closed" else 100), world.open()
        if what == "unknown":
            pool = AccountNumber("77777777")
        else:
            world.change(pool, AccountEvent.FREEZE if what == "frozen" else AccountEvent.CLOSE)
        made.append([a_batch(world, pool, [ana])])
    told = credit(pair[0], made[0])
    assert [code for code, _ in told] == [f"account_{what}"]
    assert told == credit_one_by_one(pair[1], made[1])


def test_what_a_run_brought_is_given_on_in_the_same_page_oldest_lot_first(pair: tuple[World, World]) -> None:
    world, _ = pair
    young, old, ana, bob = world.pool(), world.pool(), world.open(), world.open()
    young_lot = world.endow(young, 100, month=202612).lot
    old_lot = world.endow(old, 100, month=202601).lot
    world.post(young, ana, 10)

    def work(page: Any) -> Any:
        world.ledger.post(page, [world.posting(ana, bob, 1, PostingKind.CESSION)])  # Ana's lots are laid out
        for _ in range(2):
            world.ledger.credit(page, [a_batch(world, old, [ana], 5)])
        (given,) = world.ledger.post(page, [world.posting(ana, bob, 12, PostingKind.CESSION)])
        return given

    assert world.run_in_page(work).draws == ((old_lot, 10), (young_lot, 2))
    assert (world.balance(ana), world.balance(bob)) == (7, 13)
    assert world.findings() == []


def test_every_sixty_fourth_entry_of_a_pool_is_marked_wherever_a_run_ends(pair: tuple[World, World]) -> None:
    people = [(world.pool(10**6), [world.open() for _ in range(3)]) for world in pair]
    for count in (62, 1, 62, 1, 1, 63):  # the endowment was the pool's first entry
        made = [[a_batch(world, pool, (one * count)[:count])] for world, (pool, one) in zip(pair, people, strict=True)]
        assert credit(pair[0], made[0]) == credit_one_by_one(pair[1], made[1])
        assert rows(pair[0]) == rows(pair[1])


def test_a_line_of_a_run_is_told_as_the_posting_that_it_is() -> None:
    ids = [Id16(bytes([number]) * 16) for number in (1, 2)]
    run = CreditRun(
        pool=AccountNumber("11111111"),
        pool_id=7,
        lot=LotId(3),
        at=START,
        first=40,
        ops=ids,
        accounts=[AccountNumber("22222222"), AccountNumber("33333333")],
        account_ids=[8, 9],
        cents=[Cents(5), Cents(6)],
        references=["", "ticket 7"],
        debit_head=None,
        debit_length=0,
        debit_after=[95, 89],
        credit_prev=[None, 12],
        credit_seq=[1, 4],
        credit_after=[5, 56],
    )
    done, asked = run.find_line(ids[1])
    assert (done.op, done.at, done.first, done.draws) == (ids[1], START, 41, ((3, 6),))
    assert (done.cents, done.debit_after, done.credit_after, done.is_repeat) == (6, 89, 56, False)
    assert (asked.debit, asked.credit, asked.cents, asked.reference) == ("11111111", "33333333", 6, "ticket 7")
    assert (asked.op, asked.kind) == (ids[1], PostingKind.CREDIT)


def test_batches_join_in_order() -> None:
    batches = [
        CreditBatch(
            pool=AccountNumber("11111111"),
            ops=[Id16(bytes([number]) * 16)],
            accounts=[AccountNumber("22222222")],
            cents=[Cents(number)],
            references=[str(number)],
        )
        for number in (1, 2, 3)
    ]
    joined = join_batches(batches)
    assert (joined.cents, joined.references) == ([1, 2, 3], ["1", "2", "3"])
    assert join_batches(batches[:1]) is batches[0]
    assert isinstance(joined.make_postings()[2].reference, str)


def test_a_run_that_the_disk_refuses_leaves_nothing(pair: tuple[World, World], monkeypatch: pytest.MonkeyPatch) -> None:
    world, _ = pair
    pool, ana = world.pool(1_000), world.open()
    batch = a_batch(world, pool, [ana], 10)
    with monkeypatch.context() as patch:
        patch.setattr("node.ledger.store._insert_run", lambda *_: (_ for _ in ()).throw(RuntimeError("cut")))
        with pytest.raises(RuntimeError):
            world.ledger.write_now(world.ledger.credit, batch)
    assert world.balance(ana) == 0
    assert isinstance(world.ledger.write_now(world.ledger.credit, batch), Credited)
