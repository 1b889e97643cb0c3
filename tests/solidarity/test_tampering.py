"""A base that somebody changed by hand is found out: each rule of the check, and where it points."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from node.ledger.accounts import AccountEvent
from node.solidarity.checks import check_solidarity
from node.solidarity.operations import OperationEvent
from node.solidarity.rules import PoolRule, Sharing
from protocol.findings import Finding
from tests.solidarity.world import EVERYBODY, SolidarityTown


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base in which everything happened: shared, missed, carried over, cancelled, refused."""
    path = tmp_path_factory.mktemp("tampering") / "accounts.db"
    town = SolidarityTown(f"sqlite:///{path}", at_once=3)
    pool = town.new_pool(PoolRule(givers=EVERYBODY, classes=2, sharing=Sharing.WEIGHTED, units=(10, 15)))
    receivers = town.people(5)
    town.enrol(pool, *receivers[:3])
    town.enrol(pool, *receivers[3:], number=2)
    first = town.new_operation(pool)
    town.give(first, 301, month=202601)
    town.give(first, 302, month=202602, campaign="other")
    town.give_as_company(first, 100)
    town.take_gift_back(town.give(first, 40)[1])
    town.pass_days(20)
    town.give(first, 5)
    town.order(first, OperationEvent.SHARE)
    town.go_on(first)
    town.change(receivers[[town.balance(one) for one in receivers].index(0)], AccountEvent.FREEZE)
    town.finish(first)
    town.order(first, OperationEvent.CLOSE)
    second = town.new_operation(pool, until=20270131)
    town.give(second, 70)
    town.order(second, OperationEvent.CANCEL)
    town.finish(second)
    assert town.findings() == []
    town.close()
    return path


def _find(path: Path) -> list[Finding]:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        checked = check_solidarity(connection)
    engine.dispose()
    return [finding for one in checked for finding in one.findings]


_GIFT = "id = (SELECT min(id) FROM solidarity_gifts WHERE state = '{}')"
_PAID = "place = (SELECT min(place) FROM solidarity_shares WHERE state = 'paid')"
_HIS = (
    "op = (SELECT op FROM transfers WHERE kind = 'cession' AND debit = (SELECT id FROM accounts WHERE number = {}) {})"
)
_OUTLET = "(SELECT outlet FROM solidarity_operations WHERE id = 1)"


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        (f"UPDATE solidarity_gifts SET cents = cents + 1 WHERE {_GIFT.format('held')}", "gift"),
        (f"DELETE FROM solidarity_gifts WHERE {_GIFT.format('held')}", "gift"),
        (f"UPDATE solidarity_gifts SET state = 'held', back_op = NULL WHERE {_GIFT.format('back')}", "left"),
        (f"UPDATE solidarity_gifts SET giver = 'AAAAAAAA' WHERE {_GIFT.format('back')}", "to its giver"),
        (f"UPDATE solidarity_gifts SET back_op = randomblob(16) WHERE {_GIFT.format('back')}", "solidarity_gifts op="),
        (f"UPDATE solidarity_gifts SET state = 'waits' WHERE {_GIFT.format('held')}", "operation"),
        (f"UPDATE solidarity_gifts SET code = 'x' WHERE {_GIFT.format('held')}", "codes"),
        ("UPDATE solidarity_operations SET given = given + 1 WHERE id = 1", "operation"),
        ("UPDATE solidarity_operations SET givers = givers - 1 WHERE id = 1", "operation"),
        ("UPDATE solidarity_operations SET salt = randomblob(16) WHERE id = 1", "order"),
        ("UPDATE solidarity_operations SET missed = missed - 1 WHERE id = 1", "missed"),
        ("UPDATE solidarity_operations SET places = places - 1 WHERE id = 1", "looked at"),
        ("UPDATE solidarity_operations SET state = 'sharing', places = 4 WHERE id = 1", "looked at"),
        ("UPDATE solidarity_pools SET rule = replace(rule, '15', '16')", "units"),
        (f"UPDATE solidarity_shares SET cents = cents + 1 WHERE {_PAID}", "share"),
        (f"UPDATE solidarity_shares SET cents = cents - 1 WHERE {_PAID}", "share"),
        (f"UPDATE solidarity_shares SET units = 25 - units WHERE {_PAID}", "share"),
        (f"UPDATE solidarity_shares SET state = 'missed' WHERE {_PAID}", "share"),
        ("UPDATE solidarity_shares SET state = 'paid' WHERE state = 'missed'", "share"),
        (f"UPDATE solidarity_shares SET account = 'AAAAAAAA' WHERE {_PAID}", "order"),
        ("UPDATE solidarity_lots SET cents = cents - 1 WHERE place = 0", "lots"),
        ("UPDATE solidarity_lots SET lot_id = lot_id + 1 WHERE place = 0", "share"),
        (f"UPDATE transfers SET op = randomblob(16) WHERE {_HIS.format(_OUTLET, 'LIMIT 1')}", "share"),
        (f"UPDATE transfers SET cents = cents + 1 WHERE {_HIS.format(_OUTLET, 'LIMIT 1')}", "share"),
        (f"UPDATE transfers SET credit = 1 WHERE {_HIS.format(_OUTLET, 'LIMIT 1')}", "road"),
        ("UPDATE solidarity_asks SET code = 'x' WHERE rowid = 1", "solidarity_asks"),
    ],
)
def test_what_was_changed_by_hand_is_found(statement: str, place: str, file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    line = sqlite3.connect(copy)
    line.execute("PRAGMA ignore_check_constraints = ON")
    assert line.execute(statement).rowcount > 0, "the statement changes nothing"
    line.commit()
    line.close()
    found = _find(copy)
    assert found, "nobody notices"
    assert any(place in one.place for one in found), found


def test_what_nobody_touched_is_found_good(file: Path) -> None:
    assert _find(file) == []
