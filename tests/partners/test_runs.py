"""Files of operations: a dry run keeps nothing, a booking is whole or not begun, and goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.partners import tables
from node.partners.campaigns import CampaignEvent, Ceilings
from node.partners.campaigns_service import LeadCampaign
from node.partners.companies_service import OwnAccount
from node.partners.errors import (
    BudgetTooSmall,
    CampaignNotRunning,
    CampaignUnknown,
    OperationsFileRefused,
    RunMismatch,
    RunUnknown,
)
from node.partners.grants import GrantState
from node.partners.operations_service import BeginRun, DryRun, ReportRow, StartRun, list_unfinished, stream_report
from node.partners.runs import Run, RunState
from node.partners.settings import PartnersSettings
from protocol.amounts import Cents
from protocol.identifiers import Id16, TerritoryCode, write_address
from tests.partners.house import ACCOUNTS, BAKERY, BREST, OTHER, PARTNERS, House, make_terms

HEADING = "id;kind;account;amount;label\n"
ELSEWHERE = TerritoryCode("200046977")


def row(number: int, account: str, amount: str = "1,00", *, id_: str = "", kind: str = "staff") -> str:
    return f"{id_ or f'E-{number:06d}'};{kind};{write_address(account, BREST)};{amount};year's end\n"


def make_file(rows: list[str]) -> bytes:
    return (HEADING + "".join(rows)).encode()


def pieces(data: bytes, size: int = 1_000) -> Callable[[], Iterator[bytes]]:
    return lambda: (data[at : at + size] for at in range(0, len(data), size))


def dry_run(house: House, uid: Id16, data: bytes) -> DryRun:
    return house.partners.operations.dry_run(uid, pieces(data)())


def load(house: House, uid: Id16, data: bytes, id_: Id16 | None = None) -> Run:
    begin = BeginRun(
        id=id_ or house.new_id(), campaign=uid, digest=hashlib.sha256(data).digest(), name="staff 2026.csv"
    )
    return house.partners.operations.load(begin, pieces(data))


def start(house: House, run: Run, *, skips_wrong: bool = False) -> Run:
    started: Run = house.write(house.partners.operations.start, StartRun(run=run.id, skips_wrong=skips_wrong))
    return started


def report(house: House, run: Run) -> list[ReportRow]:
    rows: list[ReportRow] = house.read(lambda connection: list(stream_report(connection, run.id)))
    return rows


@pytest.fixture
def settings_of_small_parts(house: House) -> House:
    """Pages of seven rows, so that a small file is booked in several."""
    object.__setattr__(house.partners.settings, "run_rows", 7)
    return house


async def test_a_file_is_looked_at_and_then_booked(house: House) -> None:
    uid = await house.run()
    people = [house.account() for _ in range(5)]
    data = make_file([row(number, people[number % 5]) for number in range(25)])
    looked_at = dry_run(house, uid, data)
    assert (looked_at.report.rows, looked_at.report.cents, looked_at.report.is_clean) == (25, 2_500, True)
    assert looked_at.digest == hashlib.sha256(data).digest()
    assert house.read(lambda line: line.execute(select(func.count()).select_from(tables.run_rows)).scalar_one()) == 0
    run = load(house, uid, data)
    assert (run.state, run.accepted) == (RunState.LOADED, 25)
    assert house.campaign(uid).spent == 0
    run = start(house, run)
    assert (run.state, run.aside, house.campaign(uid).spent) == (RunState.BOOKING, 2_500, 2_500)
    done = house.partners.operations.book_all(run.id)
    assert (done.state, done.aside) == (RunState.DONE, 0)
    await house.exchange()
    assert [house.balance(one) for one in people] == [500] * 5
    assert {one.state for one in report(house, run)} == {GrantState.GRANTED}


async def test_planted_errors_are_told_row_by_row_and_nothing_is_booked(house: House) -> None:
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000))))
    alice, own = house.account(), house.account()
    house.write(house.partners.companies.save_accounts, OwnAccount(siren=BAKERY, account=own))
    first = make_file([row(1, alice, id_="E-OLD")])
    booked = start(house, load(house, uid, first))
    house.partners.operations.book_all(booked.id)
    planted = [
        (row(2, alice), ""),
        (row(3, alice, "1,005"), "operation_field_wrong"),
        (row(4, alice, id_="E-000002"), "operation_duplicate"),
        (row(5, own), "own_group"),
        (row(6, alice, id_="E-OLD"), "operation_known"),
        (f"E-7;staff;{write_address(alice, ELSEWHERE)};1,00;\n", "operation_field_wrong"),
        (row(8, alice, "100,00"), "budget_too_small"),
        ('E-9;staff;"open\n', "row_unreadable"),
        (row(10, alice, kind="friend"), "operation_field_wrong"),
        (row(11, alice, "2,50"), ""),
    ]
    data = make_file([line for line, _ in planted])
    looked_at = dry_run(house, uid, data)
    assert (looked_at.report.accepted, looked_at.report.cents) == (2, 350)
    run = load(house, uid, data)
    assert [one.code for one in report(house, run)] == [code for _, code in planted]
    assert [one.number for one in report(house, run)] == list(range(2, 12))
    with pytest.raises(OperationsFileRefused, match="8 of 10 rows"):
        start(house, run)
    assert house.campaign(uid).spent == 100
    done = house.partners.operations.book_all(start(house, run, skips_wrong=True).id)
    assert done.state is RunState.DONE
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 450


async def test_a_file_that_the_budget_does_not_hold_is_not_begun(house: House) -> None:
    """Between looking and booking, purchases went on: all of the file or nothing."""
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000))))
    alice = house.account()
    run = load(house, uid, make_file([row(number, alice) for number in range(9)]))
    till, _ = house.till()
    house.sell(till, uid, "s1", alice, 7_500)
    with pytest.raises(BudgetTooSmall) as refusal:
        start(house, run)
    assert refusal.value.facts == {"available": 850, "asked": 900, "missing": 50}
    assert house.campaign(uid).spent == 150
    await house.exchange()


async def test_a_started_file_keeps_its_budget_whatever_is_sold_meanwhile(settings_of_small_parts: House) -> None:
    house = settings_of_small_parts
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000))))
    alice, bob = house.account(), house.account()
    run = start(house, load(house, uid, make_file([row(number, alice) for number in range(9)])))
    house.write(house.partners.operations.book, run.id)
    till, _ = house.till()
    assert house.sell(till, uid, "s1", bob, 5_000).cents == 100
    assert house.sell(till, uid, "s2", bob, 5_000).cents == 0
    house.write(house.partners.campaigns.lead, LeadCampaign(campaign=uid, event=CampaignEvent.PAUSED))
    house.partners.operations.book_all(run.id)
    await house.exchange()
    assert (house.balance(alice), house.balance(bob)) == (900, 100)


async def test_a_booking_that_stopped_anywhere_goes_on_without_its_file(settings_of_small_parts: House) -> None:
    house = settings_of_small_parts
    uid = await house.run()
    alice = house.account()
    run = start(house, load(house, uid, make_file([row(number, alice) for number in range(40)])))
    for _ in range(2):
        house.write(house.partners.operations.book, run.id)
        house.reopen(PARTNERS)
    assert [one.id for one in house.read(list_unfinished)] == [run.id]
    assert house.partners.continue_runs() == 1
    assert house.partners.continue_runs() == 0
    house.reopen(ACCOUNTS)
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 4_000


async def test_a_loading_that_stopped_goes_on_with_the_same_file_and_with_no_other(
    settings_of_small_parts: House,
) -> None:
    house = settings_of_small_parts
    uid = await house.run()
    alice = house.account()
    data = make_file([row(number, alice) for number in range(40)])
    begin = BeginRun(id=house.new_id(), campaign=uid, digest=hashlib.sha256(data).digest(), name="staff")
    operations = house.partners.operations

    class Stopped(Exception):
        pass

    def stop(_bytes: int, rows: int) -> None:
        if rows >= 14:
            raise Stopped

    with pytest.raises(Stopped):
        operations.load(begin, pieces(data), stop)
    other = make_file([row(number, alice, "2,00") for number in range(40)])
    with pytest.raises(RunMismatch):
        operations.load(begin, pieces(other))
    with pytest.raises(RunMismatch):
        load(house, uid, other, begin.id)
    with pytest.raises(RunMismatch, match="not read to the end"):
        house.write(operations.start, StartRun(run=begin.id, skips_wrong=False))
    run = operations.load(begin, pieces(data))
    assert (run.state, run.read, run.accepted_cents) == (RunState.LOADED, 40, 4_000)
    assert operations.load(begin, pieces(data)) == run
    operations.book_all(start(house, run).id)
    await house.exchange()
    assert house.balance(alice) == 4_000


async def test_two_files_with_the_same_ids_grant_each_once(settings_of_small_parts: House) -> None:
    """Both were looked at before either was booked."""
    house = settings_of_small_parts
    uid = await house.run()
    alice = house.account()
    data = make_file([row(number, alice) for number in range(10)])
    runs = [load(house, uid, data) for _ in range(2)]
    started = [start(house, run) for run in runs]
    assert house.campaign(uid).spent == 2_000
    for run in started:
        house.partners.operations.book_all(run.id)
    assert {one.code for one in report(house, runs[1])} == {"operation_known"}
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 1_000


async def test_a_row_that_the_accounts_refuse_is_told_in_the_report_and_its_cents_are_back(house: House) -> None:
    uid = await house.run()
    alice = house.account()
    run = start(house, load(house, uid, make_file([row(1, alice), row(2, "ZZZZZZZZ")])))
    house.partners.operations.book_all(run.id)
    await house.exchange()
    assert [(one.state, one.code) for one in report(house, run)] == [
        (GrantState.GRANTED, ""),
        (GrantState.REFUSED, "account_unknown"),
    ]
    assert house.balance(alice) == house.campaign(uid).spent == 100


async def test_what_is_no_file_for_this_is_refused_and_nothing_is_kept(house: House) -> None:
    uid = await house.run()
    for data in (b"", b"a;b\n1;2\n", HEADING.encode("utf-16")):
        with pytest.raises(OperationsFileRefused):
            dry_run(house, uid, data)
        with pytest.raises(OperationsFileRefused):
            load(house, uid, data)
    with pytest.raises(CampaignUnknown):
        dry_run(house, house.new_id(), make_file([]))
    with pytest.raises(RunUnknown):
        house.write(house.partners.operations.book, house.new_id())
    empty = load(house, uid, make_file([]))
    with pytest.raises(OperationsFileRefused, match="no row"):
        start(house, empty)
    draft = house.draft()
    waiting = load(house, draft, make_file([]))
    assert waiting.budget_left == 0
    assert house.read(lambda line: line.execute(select(func.count()).select_from(tables.runs)).scalar_one()) == 2


async def test_a_file_is_booked_for_a_campaign_that_runs_only(house: House) -> None:
    uid = await house.run()
    alice = house.account()
    run = load(house, uid, make_file([row(1, alice)]))
    house.write(house.partners.campaigns.lead, LeadCampaign(campaign=uid, event=CampaignEvent.ENDED))
    with pytest.raises(CampaignNotRunning):
        start(house, run)
    assert house.campaign(uid).spent == 0


async def test_ids_are_a_companys_own(house: House) -> None:
    data_of: dict[str, bytes] = {}
    alice = house.account()
    for siren in (BAKERY, OTHER):
        uid = await house.run(siren=siren)
        data_of[siren] = make_file([row(1, alice)])
        house.partners.operations.book_all(start(house, load(house, uid, data_of[siren])).id)
    await house.exchange()
    assert house.balance(alice) == 200


async def test_thousands_of_rows_with_planted_errors(tmp_path: Path) -> None:
    """A file of the size that fits a test; the rows are counted, and those that are wrong are the ones planted."""
    house = House(
        lambda name: f"sqlite:///{tmp_path / name}.db",
        settings=PartnersSettings(home=BREST, rows_max=20_000),
    )
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(10_000_000))))
    people = [house.account() for _ in range(50)]
    wrong = set(house.dice.sample(range(20_000), 37))
    lines = [row(number, people[number % 50], "0,5x" if number in wrong else "0,05") for number in range(20_000)]
    data = make_file(lines)
    seen: list[tuple[int, int]] = []
    looked_at = house.partners.operations.dry_run(uid, pieces(data, 65_536)(), lambda *told: seen.append(told))
    assert looked_at.report.by_code == {"operation_field_wrong": 37}
    assert {one.number - 2 for one in looked_at.report.problems} == wrong
    assert seen == sorted(seen)
    assert seen[-1] == (len(data), 20_000)
    run = load(house, uid, data)
    with pytest.raises(OperationsFileRefused, match="37 of 20000"):
        start(house, run)
    house.partners.operations.book_all(start(house, run, skips_wrong=True).id)
    await house.exchange()
    assert sum(house.balance(one) for one in people) == house.campaign(uid).spent == 5 * (20_000 - 37)
    with pytest.raises(OperationsFileRefused, match="more than 20000"):
        load(house, uid, data + row(99_999, people[0]).encode())
    assert house.find_wrongs() == []
    house.close()
