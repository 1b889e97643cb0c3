"""One value changed by hand in any column of the fund's base is found and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, LargeBinary, Table, Text

from node.doors.duties import Duty
from node.doors.keys_service import KeyDesk, NewDoorKey
from node.fund.deposits import DepositState
from node.fund.due_service import Decider
from node.fund.dues import DueState
from node.fund.expectations import ExpectationState
from node.fund.issued_receipts import ReceiptState
from node.fund.monthly_gifts import CollectionState, DebitState, MandateState
from node.fund.officer_service import RevokeOfficer
from node.fund.outgoing_payments import WORDS_VERSION, IbanWords, PaymentState, RefundWords, end_to_end_id
from node.fund.payment_service import OrderMade
from node.fund.pledges import PledgeState
from node.fund.receipt_numbers import next_number
from node.fund.receipt_service import CancelReceipt, CopyReceipt, IssueReceipt
from node.fund.recovery_service import StateNumbers
from node.fund.reminder_service import Close
from node.fund.seal_store import sealed
from node.fund.statement_service import Decide
from node.fund.statements import MovementState
from node.fund.tables import door_keys, metadata
from protocol.amounts import Cents
from protocol.house import BaseName, NettingTold, PledgeSpent
from protocol.keys import make_keys
from tests.fund.camt_files import Detail, Entry
from tests.fund.dues_world import accept, ask_pledge, fund_lot, make_due, make_order, owe, pay, proposals, today
from tests.fund.fund_world import COMPANY, FundWorld
from tests.fund.test_cards import IBANS, QUIMPER, account, decider
from tests.fund.test_netting import agree, make_netted, make_window

ROWS = 1  # of each table: its last
STATES: dict[str, type[StrEnum]] = {
    "expectations": ExpectationState,
    "movements": MovementState,
    "mandates": MandateState,
    "collections": CollectionState,
    "debits": DebitState,
    "deposits": DepositState,
    "payments": PaymentState,
    "receipts": ReceiptState,
    "pledges": PledgeState,
    "dues": DueState,
}

OF_CONVERSIONS = (
    *("deciders", "card_deciders", "settlement_accounts", "own_settlements"),
    *("pledges", "pledge_signatures", "calls", "dues", "due_lots"),
    *("netting_words", "netting_signatures", "netting_heard", "windows", "awaited_dues"),
    *("net_payments", "net_receipts"),
)


async def live(world: FundWorld) -> None:
    """Let everything that has a table of its own happen once or twice."""
    first, late, closed = await world.expect(10_000), await world.expect(700), await world.expect(50)
    donor = world.person()
    world.mandate(donor)
    second = world.mandate()
    world.catch_up()
    world.catch_up(date(2026, 12, 3))
    debits = world.debits(202612)
    entries = [
        world.paid(10_500, reference=first.reference),
        world.paid(90, text="?"),
        Entry(cents=-12, bank_reference="FEE"),
        *(
            Entry(cents=row.cents, details=[Detail(cents=row.cents, end_to_end_id=row.end_to_end_id)], day="2026-12-09")
            for row in debits
        ),
    ]
    over, unknown, fee = world.take(world.statement(*entries)).waiting
    world.take(
        world.statement(
            Entry(
                cents=-debits[1].cents,
                details=[Detail(cents=-debits[1].cents, end_to_end_id=debits[1].end_to_end_id, reason="AM04")],
                day="2026-12-15",
            )
        )
    )
    decide = world.fund.statements.decide
    world.write(decide, Decide(movement=fee, by="anne", reason="fee", is_fee=True, id=world.id()))
    world.write(decide, Decide(movement=unknown, by="anne", reason="nobody's"))
    bearer = world.bearer()
    aid = world.pay(bearer, 2_500)
    words = world.book.read_now(
        lambda line: world.fund.payments.make_refund_words(line, world.id(), over, Cents(300), "Trop-perçu", "comité")
    )
    assert isinstance(words, RefundWords)
    for name in ("anne", "bob"):
        world.write(world.fund.payments.sign, world.sign(name, words))
    order: OrderMade = world.write(world.fund.payments.order, date(2026, 11, 25))
    assert order.count == 2
    id_ = end_to_end_id(aid.id)
    world.take(world.statement(Entry(cents=-2_500, details=[Detail(cents=-2_500, end_to_end_id=id_)])))
    other = IbanWords(WORDS_VERSION, "200046977", world.id(), bearer.id, bearer.holder_name, "DE75512108001245126199")
    for name in ("anne", "bob"):
        world.write(world.fund.bearers.change_ibans, world.sign(name, other))
    world.write(world.fund.officers.revoke, RevokeOfficer(key=world.officer("zoé")))
    world.write(world.fund.reminders.close, Close(id=closed.id, by="anne", reason="wound up"))
    asked = IssueReceipt(donor=COMPANY, first_on=date(2026, 1, 1), last_on=date(2026, 12, 31))
    wrong = world.write(world.fund.receipts.issue, asked).receipt
    world.write(world.fund.receipts.cancel, CancelReceipt(number=str(wrong.number), reason="adresse"))
    last = world.write(world.fund.receipts.issue, asked).receipt.number
    world.write(world.fund.receipts.copy, CopyReceipt(number=str(last)))
    world.recover(
        StateNumbers(by="anne", last_receipt=str(next_number(last)), last_order=order.id, last_collection=202612)
    )
    await world.settle()
    world.later(70)
    world.write(world.fund.reminders.remind, late.id)
    keys = KeyDesk(world.book, door_keys, partial(sealed, door_keys))
    key = NewDoorKey(asked=world.id(), id="0", secret="0", name="portal", duties=(Duty.READER,))
    world.write(keys.make, key)
    world.write(keys.revoke, key.id)
    assert second.state == MandateState.ACTIVE


async def convert(world: FundWorld) -> None:
    """A pledge is accepted and called, another is over; what was converted of it and of euros is owed and paid in part."""
    there = make_keys(world.entropy(64))
    world.write(world.fund.dues.add_deciders, Decider(territory="242900660", keys=there.public))
    world.tell(decider(1, there), account(1, IBANS[1]), sender=BaseName.ACCOUNTS)
    world.write(world.fund.cards.publish, True)
    pledge = await ask_pledge(world, 5_000)
    called, lot = await accept(world, pledge), await fund_lot(world, 900)
    await accept(world, await ask_pledge(world, 700, campaign="called brioche"))
    await owe(world, make_due(world, (called, 3_000), (lot, 500)))
    await owe(world, make_due(world, (lot, 100), order=make_order(territory="242900660"), signer=there))
    await owe(world, make_due(world, (lot, 999), order=make_order(round=2)))
    world.tell(PledgeSpent(world.id(), pledge.id, 4_000))
    await world.settle()
    world.write(world.fund.pledges.catch_up, date(2027, 3, 1))
    call = next(one for one in world.expectations() if one.purpose == "call")
    world.take(world.statement(world.paid(3_000, reference=call.reference)))
    for words in proposals(world)[:2]:
        pay(world, words)
    await world.settle()
    # Quimper's fund and ours net what we owe each other; it pays us the rest, and we pay our bearer.
    agree(world)
    mine, theirs = (
        make_due(world, (lot, 50), order=make_order(territory=QUIMPER, round=3), signer=there),
        make_netted(world, 80),
    )
    await owe(world, mine)
    world.tell(NettingTold(QUIMPER, True, 20270301), sender=BaseName.ACCOUNTS)
    await world.settle()
    world.write(world.fund.netting.net_dues, today(world))
    world.tell(make_window(1, {mine.id: 50}, {theirs.id: 80}), theirs, sender=BaseName.ACCOUNTS)  # the due came last
    await world.settle()
    world.take(world.statement(world.paid(30, iban=IBANS[1])))
    await world.settle()


def _others(table: str, column: Any, value: Any) -> list[Any]:
    """Return what a value is changed to: a state into every other one, anything else a little."""
    if column.name == "state":
        states = STATES[table]
        return [str(one) for one in states if one != value]
    if isinstance(column.type, Boolean):
        return [0 if value else 1]
    if isinstance(column.type, LargeBinary):
        return [bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1]) if value else b"x"]
    if isinstance(column.type, Text):
        return [value[:-1] + ("x" if value[-1] != "x" else "y") if value else "x"]
    return [1 if value is None else value + 1]


async def test_one_value_changed_by_hand_is_found(tmp_path: Path) -> None:
    world = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    await live(world)
    tables = [table for table in metadata.sorted_tables if table.name not in OF_CONVERSIONS]
    changed, missed = _tamper(world, tmp_path / "THE-FUND.db", tables, ROWS)
    assert changed > 150
    assert not missed


async def test_one_value_of_a_conversion_changed_by_hand_is_found(tmp_path: Path) -> None:
    world = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    await convert(world)
    tables = [table for table in metadata.sorted_tables if table.name in OF_CONVERSIONS]
    changed, missed = _tamper(world, tmp_path / "THE-FUND.db", tables, ROWS)
    assert changed > 50
    assert not missed


def _tamper(world: FundWorld, file: Path, tables: Sequence[Table], rows_max: int) -> tuple[int, set[str]]:
    """Change values one by one; return how many, and the columns where a change is not seen. Each is seen with a place."""
    assert world.find_wrongs() == []
    base = sqlite3.connect(file, isolation_level=None)
    base.execute("PRAGMA ignore_check_constraints = 1")
    missed: set[str] = set()
    unnamed: set[str] = set()
    changed = 0
    for table in tables:
        rows = [row[0] for row in base.execute(f"SELECT rowid FROM {table.name} ORDER BY rowid")]
        assert rows, f"nothing happened in {table.name}"
        for column in table.columns:
            for row in sorted({*rows[: rows_max - 1], rows[-1]}):
                where = f"WHERE rowid = {row}"
                value = base.execute(f'SELECT "{column.name}" FROM {table.name} {where}').fetchone()[0]
                for other in _others(table.name, column, value):
                    change = f'UPDATE {table.name} SET "{column.name}" = ? {where}'
                    try:
                        base.execute(change, (other,))
                    except sqlite3.IntegrityError:
                        continue  # the base itself refuses it
                    changed += 1
                    where_now = where
                    if column.primary_key and isinstance(value, int) and len(table.primary_key.columns) == 1:
                        where_now = f"WHERE rowid = {other}"  # the number is the row's own
                    wrongs = world.find_wrongs()
                    if not wrongs:
                        missed.add(f"{table.name}.{column.name}")
                    elif not all(one.place and one.expected for one in wrongs):
                        unnamed.add(f"{table.name}.{column.name}")
                    base.execute(f'UPDATE {table.name} SET "{column.name}" = ? {where_now}', (value,))
    assert world.find_wrongs() == []
    base.close()
    world.close()
    assert not unnamed
    return changed, missed
