"""A base of a house put back from yesterday's copy: it comes back with all that anybody had heard of it, once.

What nobody had heard is told again by whoever caused it (a till, the bank), or said by a person (numbers on paper).
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from node.fund.fund_errors import NothingToOrder, NumbersNotStated, NumbersRefused
from node.fund.receipt_service import IssueReceipt
from node.fund.recovery_service import StateNumbers
from node.fund.references import Iban
from node.fund.statement_service import read_bank_file
from protocol.book import log_store
from protocol.book.backup_service import mark_restored
from protocol.book.worker import Page
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange.peer_recovery import BEHIND, BaseIsBehind, BaseNotBehind, TalkStage
from protocol.house import Deposit, DepositTaken, EffectTold, Grants, HouseMessage, Resumed, decode_house_slip
from protocol.identifiers import Id16
from protocol.times import DAY_MS
from tests.fund.camt_files import OURS, Detail, Entry, File
from tests.postgres import PostgresServer
from tests.simulation.house import bank, copies, line, shop
from tests.simulation.house.rest import find_wrongs, rest, settle
from tests.simulation.house.run import _begin
from tests.simulation.house.stage import ACCOUNTS, FUND, NAMES, PAIRS, PARTNERS, Stage, make_templates
from tests.simulation.parties import Carried

OLD = {BEHIND: "0"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    made = Stage(3, tmp_path, make_templates(tmp_path))
    await _begin(made)
    yield made
    made.close()


class ServedStage(Stage):
    """The same bases on PostgreSQL: each in a database of its own role, copied and put back as an operator does."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self._server = server
        self._urls = {name: server.create_base(name.lower().replace("-", "_")) for name in NAMES}
        super().__init__(3, folder, {})  # empty databases

    def url_of(self, name: str) -> str:
        return self._urls[name]

    def dump(self, name: str) -> Path:
        return self._server.dump(self._urls[name], self.folder / f"{name}.dump")

    def lay(self, name: str, copy: Path, marks: dict[str, str]) -> None:
        self._server.restore(self._urls[name], copy)
        if marks:
            mark_restored(self._urls[name], marks)


def _put_back(stage: Stage, name: str, copy: Path, marks: dict[str, str] | None = None) -> None:
    stage.put_back(name, copy, OLD if marks is None else marks)


def _begin_recovery(stage: Stage, name: str) -> None:
    stage.books[name].write_now(stage.peers[name].begin_recovery, stage.entropy(32))


async def _recover(stage: Stage, name: str) -> None:
    _begin_recovery(stage, name)
    await settle(stage)
    assert not stage.peers[name].is_behind


def _messages(stage: Stage, owner: str, reader: str) -> list[Any]:
    def find(connection: Any) -> list[Any]:
        log = log_store.open_log_or_empty(connection, owner, reader)
        leaves = log_store.load_leaves(connection, log.id, 0, log.size)
        return [message for leaf in leaves for message in decode_house_slip(leaf).messages]

    return stage.books[owner].read_now(find)


async def _pay_in(stage: Stage, cents: int) -> None:
    """A company promises one payment more, pays by its reference, and the bank says so: its miles are to be issued."""
    while not (expected := [one for one in bank.look(stage) if one.pool and one.left >= cents]):
        shop.pay_more(stage)
        await settle(stage)
    one = expected[0]
    detail = Detail(cents=cents, reference=one.reference)
    entry = Entry(cents=cents, details=[detail], bank_reference=stage.entropy(6).hex(), day=stage.today.isoformat())
    bank.take_statement(stage, [entry])


def _tell_half_a_file(stage: Stage) -> None:
    """The bank's file begins with a statement that fits, and ends with one that does not: it is refused whole."""
    files = []
    for number, opening in ((1, stage.oracle.balance), (2, stage.oracle.balance + 7)):
        entries = [Entry(cents=300, details=[Detail(cents=300)], bank_reference=f"half {number}", day="2026-11-23")]
        data = File(opening=opening, entries=entries, id=f"HALF-{number}", sequence=stage.sequence + number).write()
        files.append(read_bank_file(data, account=Iban(OURS), bytes_max=10_000_000))
    whole = dataclasses.replace(files[0], told=(*files[0].told, *files[1].told))
    with pytest.raises(Refusal):
        stage.ask(FUND, lambda: stage.fund.statements.take, whole)


async def test_what_was_refused_and_taken_back_does_not_come_back(stage: Stage) -> None:
    copy = copies.copy_of(stage, FUND)
    _tell_half_a_file(stage)
    await _pay_in(stage, 100)
    await settle(stage)
    expected = copies.read_rows(stage, FUND)
    _put_back(stage, FUND, copy)
    await _recover(stage, FUND)
    assert copies.read_rows(stage, FUND) == expected
    assert stage.read(FUND, "SELECT 1 FROM movements WHERE bank_reference LIKE 'half %'") == []


def _sell(stage: Stage, times: int = 3) -> None:
    for _ in range(times):
        shop.sell(stage)


async def test_a_copy_takes_nothing_new_and_does_nothing_that_it_is_told(stage: Stage) -> None:
    copy = copies.copy_of(stage, PARTNERS)
    _sell(stage)
    await settle(stage)
    _put_back(stage, PARTNERS, copy)
    with pytest.raises(BaseIsBehind):
        stage.ask(PARTNERS, lambda: stage.partners.sales.tell, None)
    before = copies.read_rows(stage, PARTNERS)
    with pytest.raises(BadEnvelope) as refused:
        await stage.peers[PARTNERS].call(ACCOUNTS, line.Wire(stage, PARTNERS, ACCOUNTS, is_bad=False))
    assert refused.value.facts["reason"] == "we_are_behind"
    assert copies.read_rows(stage, PARTNERS) == before


@pytest.fixture
async def served_stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[ServedStage]:
    made = ServedStage(tmp_path, postgres_server)
    await _begin(made)
    yield made
    made.close()


async def test_each_base_comes_back_on_postgresql_from_what_pg_dump_copied(served_stage: ServedStage) -> None:
    stage = served_stage
    dumps = {name: stage.dump(name) for name in NAMES}  # beside the bases that are open
    _sell(stage)
    await _pay_in(stage, 100)
    bank.gift(stage)
    _tell_half_a_file(stage)
    await _pay_in(stage, 200)
    await settle(stage)
    for name in (PARTNERS, FUND):
        expected = copies.read_rows(stage, name)
        _put_back(stage, name, dumps[name])
        await _recover(stage, name)
        assert copies.read_rows(stage, name) == expected
    balances = copies._read_balances(stage)
    _put_back(stage, ACCOUNTS, dumps[ACCOUNTS])
    await _recover(stage, ACCOUNTS)
    assert copies._read_balances(stage) == balances
    _sell(stage, 2)
    await settle(stage)
    assert [one for one in find_wrongs(stage) if "last receipt" not in one.expected] == []


async def test_a_copy_that_nobody_marked_learns_it_from_the_first_answer(stage: Stage) -> None:
    copy = copies.copy_of(stage, FUND)
    await _pay_in(stage, 100)
    await settle(stage)
    _put_back(stage, FUND, copy, {})
    with pytest.raises(BaseNotBehind):
        _begin_recovery(stage, FUND)
    with pytest.raises(BadEnvelope):
        await stage.peers[FUND].call(ACCOUNTS, line.Wire(stage, FUND, ACCOUNTS, is_bad=False))
    with pytest.raises(BaseIsBehind):
        stage.ask(FUND, lambda: stage.fund.receipts.issue, None)
    stage.restart(FUND)
    assert stage.peers[FUND].is_behind, "it is known after a start too"
    assert stage.read(ACCOUNTS, "SELECT * FROM evidence") == [], "nobody is accused"


def _tell_effect(stage: Stage) -> None:
    """The accounts say what became of a campaign's miles."""
    uid = bytes(stage.read(PARTNERS, "SELECT uid FROM campaigns ORDER BY id LIMIT 1")[0][0])

    def tell(page: Page, items: Sequence[HouseMessage]) -> list[int]:
        return [stage.peers[ACCOUNTS].tell(page, PARTNERS, [item]) for item in items]

    told = EffectTold(uid, "242900314", bytes(16), "A garden", 10_000, 900, 0, 0, 0)
    stage.books[ACCOUNTS].write_now(tell, told)


async def test_sales_that_were_heard_come_back_and_those_that_were_not_are_told_again_once(stage: Stage) -> None:
    copy = copies.copy_of(stage, PARTNERS)
    _sell(stage)
    _tell_effect(stage)
    await settle(stage)
    heard = copies.read_rows(stage, PARTNERS)
    assert len(heard["effects"]) == 1
    _sell(stage, 2)  # of these nobody hears
    told = list(stage.told)
    _put_back(stage, PARTNERS, copy)
    await _recover(stage, PARTNERS)
    assert copies.read_rows(stage, PARTNERS) == heard
    for asked in told:  # tills send again what they are not sure of
        shop.tell_sales(stage, [asked])
    await rest(stage)
    ids = [id_ for one in _messages(stage, PARTNERS, ACCOUNTS) if isinstance(one, Grants) for id_ in one.ids]
    assert len(ids) == len(set(ids))
    assert any(isinstance(one, Resumed) for one in _messages(stage, PARTNERS, FUND))


async def test_a_receipt_and_an_order_that_left_unheard_are_not_given_again(stage: Stage) -> None:
    copy = copies.copy_of(stage, FUND)
    bank.pay(stage)
    while not any(one.state == "signed" for one in stage.oracle.payments.values()):
        bank.pay(stage)
    bank.receipt(stage)
    await settle(stage)
    known = set(stage.oracle.receipts)
    await _pay_in(stage, 100)
    await settle(stage)
    donor = Id16(bytes(stage.read(FUND, "SELECT donor FROM deposits WHERE receipt IS NULL")[0][0]))
    asked = IssueReceipt(donor=donor, first_on=stage.today, last_on=stage.today)
    printed = str(stage.ask(FUND, lambda: stage.fund.receipts.issue, asked).receipt.number)
    left = stage.ask(FUND, lambda: stage.fund.payments.order, stage.today)
    _put_back(stage, FUND, copy)
    await _recover(stage, FUND)

    with pytest.raises(NumbersNotStated):
        stage.ask(FUND, lambda: stage.fund.receipts.issue, asked)
    with pytest.raises(NumbersNotStated):
        stage.ask(FUND, lambda: stage.fund.payments.order, stage.today)
    assert any("last receipt" in one.expected for one in find_wrongs(stage)), "check says that somebody must speak"

    def state(**more: Any) -> Any:
        words = {"by": "Anne", "last_receipt": printed, "last_order": left.id, "last_collection": 0} | more
        return stage.ask(FUND, lambda: stage.fund.recoveries.state, StateNumbers(**words))

    for wrong in ({"last_receipt": ""}, {}, {"last_order": ""}, {"order_file": left.body, "last_order": "X-20261123"}):
        if wrong == {"last_receipt": ""} and not known:
            continue
        if wrong == {"last_order": ""} and not stage.read(FUND, "SELECT id FROM orders"):
            continue  # the base holds none: it cannot know better
        with pytest.raises(NumbersRefused):
            state(**wrong)
    stated = state(order_file=left.body)
    assert stated.void == (printed,)
    assert stated.order == left.id
    again = stage.ask(FUND, lambda: stage.fund.receipts.issue, asked)
    assert str(again.receipt.number) not in known | {printed}
    assert stage.ask(FUND, lambda: stage.fund.payments.order, stage.today).body == left.body, "it is that order still"
    stage.now += DAY_MS
    with pytest.raises(NothingToOrder):
        stage.ask(FUND, lambda: stage.fund.payments.order, stage.today)
    assert find_wrongs(stage) == []


async def test_a_statement_that_was_lost_is_imported_again_and_issues_no_second_lot(stage: Stage) -> None:
    copy = copies.copy_of(stage, FUND)
    await _pay_in(stage, 100)
    await settle(stage)
    await _pay_in(stage, 200)  # the accounts hear of it, and the fund's disk is lost before it hears them
    await stage.peers[FUND].call(ACCOUNTS, line.Wire(stage, FUND, ACCOUNTS, is_bad=False))
    lots = stage.read(ACCOUNTS, "SELECT SUM(cents) FROM holdings h JOIN accounts a ON a.id = h.account_id")
    _put_back(stage, FUND, copy)
    await _recover(stage, FUND)
    for data in stage.statements:
        bank._take(stage, data)
    await settle(stage)
    assert stage.read(ACCOUNTS, "SELECT SUM(cents) FROM holdings h JOIN accounts a ON a.id = h.account_id") == lots
    ids = [one.id for one in _messages(stage, FUND, ACCOUNTS) if isinstance(one, Deposit)]
    assert len(ids) == len(set(ids))


async def test_the_accounts_keep_what_they_had_answered(stage: Stage) -> None:
    copy = copies.copy_of(stage, ACCOUNTS)
    newcomer = shop.open_account(stage)  # younger than the copy
    stage.people[:] = [newcomer]
    await _pay_in(stage, 100)
    _sell(stage, 6)
    await settle(stage)
    answered = [one for one in _messages(stage, ACCOUNTS, FUND) if isinstance(one, DepositTaken)]
    assert answered
    balance = stage.ledger.book.read_now(lambda one: _balance(one, newcomer))
    _put_back(stage, ACCOUNTS, copy)
    await _recover(stage, ACCOUNTS)
    assert stage.ledger.book.read_now(lambda one: _balance(one, newcomer)) == balance > 0
    assert [one for one in _messages(stage, ACCOUNTS, FUND) if isinstance(one, DepositTaken)] == answered
    _sell(stage, 2)
    await settle(stage)
    assert find_wrongs(stage) == []


def _balance(connection: Any, number: str) -> int:
    sql = "SELECT COALESCE(SUM(cents), 0) FROM holdings h JOIN accounts a ON a.id = h.account_id WHERE number = ?"
    return int(connection.exec_driver_sql(sql, (number,)).scalar_one())


async def test_killed_at_any_commit_of_its_way_back_it_goes_on(stage: Stage) -> None:
    name = FUND
    copy = copies.copy_of(stage, name)
    await _pay_in(stage, 100)
    _sell(stage)
    await settle(stage)
    expected = copies.read_rows(stage, FUND)
    deaths = 0
    while True:
        _put_back(stage, name, copy)
        book = stage.books[name]
        stage.faults[name].die_at(deaths, at_commits=True)
        stage.ask(name, lambda: stage.peers[name].begin_recovery, stage.entropy(32))
        while stage.peers[name].is_behind:
            for caller, answerer in PAIRS:
                if name in (caller, answerer):
                    await line.call(stage, caller, answerer, is_bad=False)
        if stage.books[name] is book:
            break
        deaths += 2
        assert copies.read_rows(stage, FUND) == expected, f"killed at commit {deaths - 2}"
    assert deaths > 4
    stage.faults[name].disarm()
    await settle(stage)
    assert [one for one in find_wrongs(stage) if "last receipt" not in one.expected] == []


async def test_something_of_the_lost_base_that_arrives_late_is_pulled_like_the_rest(stage: Stage) -> None:
    copy = copies.copy_of(stage, PARTNERS)
    _sell(stage)
    on_its_way = stage.books[PARTNERS].read_now(lambda one: stage.peers[PARTNERS]._compose(one, ACCOUNTS, None))[0]
    expected = copies.read_rows(stage, PARTNERS)
    _put_back(stage, PARTNERS, copy)
    _begin_recovery(stage, PARTNERS)
    for neighbour in (ACCOUNTS, FUND):
        await stage.peers[PARTNERS].call(neighbour, line.Wire(stage, PARTNERS, neighbour, is_bad=False))
    recovery = stage.peers[PARTNERS].recovery
    assert recovery is not None
    assert recovery.has_any(TalkStage.TELLING), "it is about to say that it goes on"
    await line.deliver(stage, Carried(ACCOUNTS, True, on_its_way))
    await settle(stage)
    assert not stage.peers[PARTNERS].is_behind
    found = copies.read_rows(stage, PARTNERS)
    assert {row[0] for row in found["sales"]} == {row[0] for row in expected["sales"]}
    await rest(stage)


async def test_a_page_that_nobody_has_any_more_is_said_and_nothing_is_begun_anew(stage: Stage) -> None:
    copy = copies.copy_of(stage, PARTNERS)
    _sell(stage)
    await settle(stage)
    for name in (ACCOUNTS, FUND):
        stage.books[name].write_now(_forget_all, None)
    _put_back(stage, PARTNERS, copy)
    _begin_recovery(stage, PARTNERS)
    for neighbour in (ACCOUNTS, FUND):
        await stage.peers[PARTNERS].call(neighbour, line.Wire(stage, PARTNERS, neighbour, is_bad=False))
    recovery = stage.peers[PARTNERS].recovery
    assert recovery is not None
    assert "with nobody any more" in recovery.trouble
    assert not any(isinstance(one, Resumed) for one in _messages(stage, PARTNERS, ACCOUNTS))


def _forget_all(page: Any, items: Any) -> Any:
    page.connection.exec_driver_sql("DELETE FROM counterfoils")
    return items


async def test_pages_are_kept_for_thirty_five_days_and_no_longer(stage: Stage) -> None:
    count = "SELECT COUNT(*) FROM counterfoils c JOIN logs l ON l.id = c.log_id WHERE owner = :owner"
    assert stage.read(ACCOUNTS, count, owner=FUND)[0][0] > 1
    stage.now += 36 * DAY_MS
    bank.gift(stage)
    await settle(stage)
    assert stage.read(ACCOUNTS, count, owner=FUND)[0][0] == 1
    assert stage.read(FUND, count, owner=FUND)[0][0] == 2, "its own too: one for each neighbour"
