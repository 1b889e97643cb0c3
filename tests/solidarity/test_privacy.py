"""Nothing that leaves the base tells a receiver's neighbour why he received, nor does the base know."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from node.desks.accounts.answers import tell_balance, tell_history, tell_operation, tell_statement
from node.federation import store as federation_store
from node.grants.service import GrantDesk
from node.holders.service import HolderDesk
from node.ledger.reading_service import find_operation, load_balance, load_history, load_statement
from protocol.book.worker import Page
from protocol.house import (
    AskHolder,
    BaseName,
    CloseHolder,
    Granted,
    Grants,
    HolderClosed,
    OpenPool,
    PoolOpened,
    TakeBack,
)
from protocol.identifiers import AccountNumber, format_id
from protocol.times import Instant
from tests.solidarity.world import SolidarityTown


@pytest.fixture
def town(tmp_path: Path) -> Iterator[SolidarityTown]:
    made = SolidarityTown(f"sqlite:///{tmp_path / 'accounts.db'}", at_once=3)
    yield made
    assert made.findings() == []
    made.close()


def _told_of(town: SolidarityTown, account: AccountNumber) -> str:
    """Return all that the node tells of an account: what the API, the commands and the people's export are made of."""
    history = town.ledger.read_now(load_history, account)
    statement = town.ledger.read_now(load_statement, account, Instant(0), Instant(town.clock.now + 1))
    told: list[object] = [
        tell_history(history),
        tell_statement(statement),
        tell_balance(account, town.ledger.read_now(load_balance, account)),
        *(tell_operation(town.ledger.read_now(find_operation, entry.op), "fr") for entry in history.entries),
    ]
    desk = HolderDesk(town.ledger, in_flight=federation_store.load_in_flight)
    asked = AskHolder(town.id(), account)
    answers = town.book.write_now(lambda page, items: [desk.apply(page, BaseName.PEOPLE, items)], asked)
    return json.dumps([msgspec.to_builtins(one) for one in told], ensure_ascii=False) + str(answers)


def test_a_share_looks_like_what_any_account_cedes_to_any_other(
    town: SolidarityTown, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pool = town.new_pool()
    receiver, other = town.people(2)
    town.enrol(pool, receiver, other)
    operation = town.new_operation(pool)
    giver, _ = town.give(operation, 200)
    town.share(operation)
    friend = town.holder(100)
    town.cede(friend, receiver, 100)
    share, gift = reversed(town.entries(receiver))
    told = _told_of(town, receiver)
    secrets = [
        *("Le pot commun", "Noël pour tous", "olidar", "pool", "gift", "receiver", "outlet"),
        *(operation.number, giver, operation.salt.hex(), format_id(operation.salt)),
        *(shape for id_ in (operation.op, pool) for shape in (id_.hex(), format_id(id_))),
    ]
    assert [secret for secret in secrets if secret in told] == []
    # The two entries differ in who ceded and how much, and in nothing else that can be looked at.
    assert {share.kind, gift.kind} == {"cession"}
    assert [entry.other_name for entry in (share, gift)] == [None, None]
    assert share.reference.partition("#")[0] == gift.reference.partition("#")[0]
    assert len(share.reference) == len(gift.reference)
    assert share.other == operation.outlet
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert [secret for secret in (*secrets, receiver, operation.outlet) if secret in text] == []


def test_no_column_of_the_room_has_room_for_a_reason_or_a_name(town: SolidarityTown, tmp_path: Path) -> None:
    pool = town.new_pool()
    receiver = town.open()
    town.enrol(pool, receiver)
    operation = town.new_operation(pool)
    town.give(operation, 50)
    town.share(operation)
    line = sqlite3.connect(tmp_path / "accounts.db")
    columns = {
        table: {row[1] for row in line.execute(f"PRAGMA table_info({table})")}
        for table in ("solidarity_receivers", "solidarity_shares")
    }
    assert columns == {
        "solidarity_receivers": {"pool_id", "account", "receiver_class"},
        "solidarity_shares": {"operation_id", "place", "account", "units", "held", "cents", "state"},
    }
    asks = " ".join(str(row) for row in line.execute("SELECT answer, facts FROM solidarity_asks"))
    assert receiver not in asks
    line.close()


def test_who_is_erased_is_in_no_pool_any_more_and_his_share_went_where_he_said(town: SolidarityTown) -> None:
    pool = town.new_pool()
    receiver, other = town.people(2)
    town.enrol(pool, receiver, other)
    operation = town.new_operation(pool)
    town.give(operation, 100)
    town.share(operation)
    heir = town.new_operation(pool, starts=20261201, until=20270131)
    desk = HolderDesk(town.ledger, in_flight=federation_store.load_in_flight)
    closing = CloseHolder(town.id(), receiver, heir.number)
    [answers] = [town.book.write_now(lambda page, items: [desk.apply(page, BaseName.PEOPLE, items)], closing)]
    assert answers == [HolderClosed(closing.id, receiver, 50)]
    assert town.book.write_now(town.room.forget_closed, "") == ""
    assert town.enrolled(pool) == [other]
    town.work()
    assert [(gift.origin, gift.giver, gift.cents) for gift in town.gifts(heir)] == [("home", receiver, 50)]
    # Nobody is there any more whom a cancelled gift could go back to: it waits among the unclaimed.
    town.cancel(heir)
    assert town.balance(heir.number) == 0


def test_a_companys_file_gives_to_an_operation_and_cannot_take_it_back(town: SolidarityTown) -> None:
    pool = town.new_pool()
    town.enrol(pool, town.open())
    operation = town.new_operation(pool)
    grants = GrantDesk(town.ledger)

    def hear(*messages: object) -> list[object]:
        def write(page: Page, items: list[object]) -> list[object]:
            return [grants.apply(page, BaseName.PARTNERS, items[0])]  # type: ignore[arg-type]

        found: list[object] = town.book.write_now(write, messages)  # type: ignore[arg-type]
        return found

    [opened] = hear(OpenPool(town.id(), "Boulangerie"))
    assert isinstance(opened, PoolOpened)
    company = AccountNumber(opened.number)
    town.pool = company
    town.endow(500)
    ids = (bytes(town.id()), bytes(town.id()))
    person = town.open()
    assert hear(Grants(company, ids, (operation.number, person), (300, 50), ("Noël", "Noël"))) == [Granted(ids)]
    town.work()
    assert [(gift.origin, gift.giver, gift.cents) for gift in town.gifts(operation)] == [("company", company, 300)]
    [refused] = hear(TakeBack(town.id(), ids[0], 300))
    assert refused.code == "not_reversible"  # type: ignore[attr-defined]
    assert town.share(operation).shared == 300
