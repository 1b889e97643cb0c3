"""Yesterday's copy of a base takes its place: it must come back with all that anybody had heard of it, once and no more.

What was delivered is there again to the last row; so each base is lost when all was delivered, and what it holds then is
compared with what it holds when its recovery has ended. (What nobody heard is lost: tests/house/test_old_bases.py.)
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from node.fund.days import number_of
from node.fund.fund_errors import NumbersNotStated
from node.fund.recovery_service import StateNumbers
from protocol.exchange.peer_recovery import BEHIND
from protocol.times import DAY_MS
from tests.simulation.house import bank, line, shop
from tests.simulation.house.oracle import Wrong
from tests.simulation.house.rest import settle
from tests.simulation.house.stage import ACCOUNTS, FUND, HISTORIES, PAIRS, PARTNERS, Stage

ROUNDS_MAX: Final = 200
COMMITS_MAX: Final = 8
COPY_AGE_MAX: Final = 34 * DAY_MS
# What the accounts do in these is asked of them by the other bases; what they do by themselves is for another recovery.
HOUSE_WORK: Final = (shop.sell, shop.sell, shop.refund, shop.claim, shop.send_offline, shop.book_file, bank.statement)


def back_up_base(stage: Stage) -> None:
    """Keep a copy of the fund's or the companies' base, as it stands, beside whoever writes it."""
    name = stage.dice.choice((FUND, PARTNERS))
    stage.copies[name] = (stage.now, copy_of(stage, name))
    stage.tell(f"{name} is copied")


async def lose_base(stage: Stage) -> None:
    """The fund's or the companies' disk is lost, and its copy put back."""
    # An older copy finds its pages with nobody any more: it is said, and tested elsewhere.
    ready = sorted(name for name, (at, _) in stage.copies.items() if stage.now - at < COPY_AGE_MAX)
    if not ready:
        return
    name = stage.dice.choice(ready)
    await _deliver(stage)
    expected = read_rows(stage, name)
    if name == FUND and stage.dice.random() < 0.5:  # in its last moments, of which nobody heard
        bank.receipt(stage)
        bank.order(stage)
    await lose(stage, name, stage.copies.pop(name)[1])
    found = read_rows(stage, name)
    for table, rows in expected.items():
        if rows != found[table]:
            odd = next(iter(set(rows) ^ set(found[table])), "in another order")
            raise Wrong(f"{name} came back otherwise: {len(rows)} rows of {table}, {len(found[table])} now, {odd}")
    if name == FUND:
        _state_numbers(stage)


def _state_numbers(stage: Stage) -> None:
    """The treasurer says which receipt and which order were the last to leave the house. Until then none does."""
    for find, item in (
        (lambda: stage.fund.payments.order, stage.today),
        (lambda: stage.fund.debits.catch_up, stage.today),
    ):
        try:
            stage.ask(FUND, find, item)
        except NumbersNotStated:
            continue
        if not stage.read(FUND, "SELECT 1 FROM orders WHERE day = :day", day=number_of(stage.today)):
            raise Wrong("something is ordered before anybody said what had left")
    made = stage.oracle.last_order
    stated = StateNumbers(
        by="Anne",
        last_receipt=max(stage.oracle.receipts | stage.oracle.void, default=""),
        last_order=made[0],
        last_collection=0,
        order_file=made[1],
    )
    told = stage.ask(FUND, lambda: stage.fund.recoveries.state, stated)
    stage.oracle.void |= set(told.void)
    stage.oracle.receipts -= set(told.void)
    stage.tell(f"void {len(told.void)}, order {told.order or 'known'}")


async def lose_accounts(stage: Stage) -> None:
    """The accounts' disk is lost some house work after the copy."""
    await _deliver(stage)
    copy = copy_of(stage, ACCOUNTS)
    for _ in range(stage.dice.randint(1, 8)):
        work = stage.dice.choice(HOUSE_WORK)
        stage.tell(work.__name__)  # ids of the story are made of its length
        work(stage)
        if stage.dice.random() < 0.5:
            await line.exchange(stage)
    await _deliver(stage)
    expected = _read_balances(stage)
    await lose(stage, ACCOUNTS, copy)
    if expected != _read_balances(stage):
        raise Wrong("the accounts came back with other balances")


async def lose(stage: Stage, name: str, copy: Path) -> None:
    """Put a copy back and bring it to the present, on a bad line, wherever it dies on the way."""
    stage.put_back(name, copy, {BEHIND: "0"})
    stage.tell(f"{name} is put back")
    if stage.dice.random() < 0.5:
        stage.faults[name].die_at(stage.dice.randrange(COMMITS_MAX), at_commits=True)
    stage.ask(name, lambda: stage.peers[name].begin_recovery, stage.entropy(32))
    for _ in range(ROUNDS_MAX):
        if stage.peers[name].recovery is None and not stage.peers[name].is_behind:
            break
        caller, answerer = stage.dice.choice([pair for pair in PAIRS if name in pair])
        await line.call(stage, caller, answerer, is_bad=True)
    else:
        raise Wrong(f"{name} never comes back: {stage.peers[name].recovery}")
    stage.tell(f"{name} is back")


async def _deliver(stage: Stage) -> None:
    """See that all that was said is heard: nothing of the base that is lost then is with it alone."""
    for fault in stage.faults.values():
        fault.disarm()
    await settle(stage)


def copy_of(stage: Stage, name: str) -> Path:
    target = stage.folder / f"{name}.{stage.sequence}.{stage.now}.copy"
    with sqlite3.connect(stage.folder / f"{name}.db") as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    return target


def read_rows(stage: Stage, name: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a base's own tables, by SQL of our own."""
    tables = sorted(table for metadata in HISTORIES[name].tables for table in metadata.tables)
    return {
        table: sorted(map(tuple, stage.read(name, f"SELECT * FROM {table}")), key=repr)
        for table in tables
        if table != "recoveries"
    }


def _read_balances(stage: Stage) -> list[tuple[Any, ...]]:
    sql = "SELECT number, SUM(cents) FROM holdings h JOIN accounts a ON a.id = h.account_id GROUP BY number"
    return sorted(map(tuple, stage.read(ACCOUNTS, sql)))


ACTIONS = {back_up_base: 2, lose_base: 1, lose_accounts: 0.7}
