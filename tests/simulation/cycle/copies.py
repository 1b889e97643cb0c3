"""Yesterday's copy of a fund's or a projects' base, or of the hub's, takes its place: it comes back with all that was heard."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any, Final

from node.fund.fund_errors import NumbersNotStated
from node.fund.recovery_service import StateNumbers
from node.fund.schema_service import FUND_HISTORY
from node.governance.service import PROJECTS_HISTORY
from protocol.exchange.epochs import LEAP_BYTES
from protocol.exchange.peer_recovery import BEHIND
from protocol.times import DAY_MS
from tests.simulation.cycle.rest import settle
from tests.simulation.cycle.stage import FUND, HUB, PAIRS, PROJECTS, Stage
from tests.simulation.house import line as house_line
from tests.simulation.house.line import COMMITS_MAX
from tests.simulation.house.oracle import Wrong

HISTORIES: Final = {FUND: FUND_HISTORY, PROJECTS: PROJECTS_HISTORY}
COPY_AGE_MAX: Final = 30 * DAY_MS
ROUNDS_MAX: Final = 200


def back_up(stage: Stage) -> None:
    """Keep a copy of some base, as it stands, beside whoever writes it."""
    name = stage.dice.choice((HUB, *(f"{code}/{base}" for code in stage.known.towns for base in (FUND, PROJECTS))))
    stage.copies[name] = (stage.now, _copy_of(stage, name))
    stage.tell(f"{name} is copied")


def _copy_of(stage: Stage, name: str) -> Path:
    target = stage.folder / f"{name.replace('/', '.')}.{stage.now}.copy"
    with sqlite3.connect(stage.file_of(name)) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    return target


async def lose(stage: Stage) -> None:
    """A disk is lost and the copy put back. Nothing of a house's base is with it alone then: that is tested elsewhere."""
    ready = sorted(name for name, (at, _) in stage.copies.items() if stage.now - at < COPY_AGE_MAX)
    if not ready:
        return
    name = stage.dice.choice(ready)
    for fault in stage.faults.values():
        fault.disarm()
    await settle(stage)
    copy = stage.copies.pop(name)[1]
    if name == HUB:
        _lose_hub(stage, copy)
        return
    expected = _read_rows(stage, name)
    await _lose_base(stage, name, copy)
    found = _read_rows(stage, name)
    for table, rows in expected.items():
        if rows != found[table]:
            odd = next(iter(set(rows) ^ set(found[table])), "in another order")
            raise Wrong(f"{name} came back otherwise: {len(rows)} rows of {table}, {len(found[table])} now, {odd}")
    if stage.code_of(name) == FUND:
        _state_numbers(stage, name)


def _put_back(stage: Stage, name: str, copy: Path, marks: dict[str, str]) -> None:
    stage.books[name].close()
    place = stage.file_of(name)
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(copy, place)
    with sqlite3.connect(place) as book:
        book.executemany("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", list(marks.items()))
    book.close()
    stage._open(name)
    stage.tell(f"{name} is put back")


def _lose_hub(stage: Stage, copy: Path) -> None:
    """It recovers from its members as they call."""
    _put_back(stage, HUB, copy, {})
    stage.ask(HUB, lambda: stage.hub.exchange.recoverer.begin, stage.entropy(LEAP_BYTES))


async def _lose_base(stage: Stage, name: str, copy: Path) -> None:
    """Put a copy back and bring it to the present, on a bad line, wherever it dies on the way."""
    _put_back(stage, name, copy, {BEHIND: "0"})
    if stage.dice.random() < 0.5:
        stage.faults[name].die_at(stage.dice.randrange(COMMITS_MAX), at_commits=True)
    stage.ask(name, lambda: stage.peers[name].begin_recovery, stage.entropy(32))
    base = stage.code_of(name)
    for _ in range(ROUNDS_MAX):
        if stage.peers[name].recovery is None and not stage.peers[name].is_behind:
            break
        pair = stage.dice.choice([pair for pair in PAIRS if base in pair])
        caller, answerer = (stage.find_beside(name, one) for one in pair)
        await house_line.call(stage, caller, answerer, is_bad=True)
    else:
        raise Wrong(f"{name} never comes back: {stage.peers[name].recovery}")
    stage.tell(f"{name} is back")


def _state_numbers(stage: Stage, name: str) -> None:
    """The treasurer says which receipt and which order were the last to leave the house. Until then none does."""
    code = name.partition("/")[0]
    try:
        stage.ask(name, lambda: stage.fund(code).debits.catch_up, stage.today)
        return
    except NumbersNotStated:
        pass
    made = stage.known.towns[code].last_order
    stated = StateNumbers(by="Anne", last_receipt="", last_order=made[0], last_collection=0, order_file=made[1])
    told = stage.ask(name, lambda: stage.fund(code).recoveries.state, stated)
    stage.tell(f"void {len(told.void)}, order {told.order or 'known'}")


def _read_rows(stage: Stage, name: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a base's own tables, by SQL of our own."""
    history = HISTORIES[stage.code_of(name)]
    tables = sorted(table for metadata in history.tables for table in metadata.tables)
    return {
        table: sorted(map(tuple, stage.read(name, f"SELECT * FROM {table}")), key=repr)
        for table in tables
        if table != "recoveries"
    }


ACTIONS = {back_up: 3, lose: 2}
