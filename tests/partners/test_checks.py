"""Whoever changes the companies base by hand is found, and the first row is named."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import hashlib
import shutil
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from node.doors.duties import Duty
from node.doors.keys_service import KeyDesk, NewDoorKey
from node.partners.campaigns import Ceilings
from node.partners.ceilings import FiscalYear
from node.partners.checks import EFFECTS, check_partners, compare_log_with_spent
from node.partners.companies import CompanyGroup
from node.partners.companies_service import NamedYears, OwnAccount, Turnover
from node.partners.counterparts import Counterpart, Valuation
from node.partners.counterparts_service import EnterCounterpart
from node.partners.coupons import Coupon, CouponEvent, Occasion, SumOff
from node.partners.coupons_service import MoveCoupon
from node.partners.operations_service import BeginRun, StartRun
from node.partners.purchases import RevocationReason
from node.partners.seals import seal
from node.partners.tables import door_keys
from node.partners.tills_service import NewTill
from protocol.amounts import Cents
from protocol.book.store import open_engine, require_driver
from protocol.book.worker import Page
from tests.partners.house import BAKERY, PARTNERS, SISTER, TODAY, House, make_terms
from tests.partners.test_claims import claim
from tests.partners.test_refunds import ask
from tests.partners.test_runs import make_file, pieces, row


async def lived(house: House) -> None:
    """A base in which everything has happened once."""
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(100_000), day_and_holder=Cents(5_000))))
    till, _ = house.till()
    alice = house.account()
    house.sell(till, uid, "s1", alice, 10_000)
    ask(house, till, "s1", "r1", 2_500)
    ticket = house.sell(till, uid, "s2", None, 10_000).ticket or ""
    ask(house, till, "s2", "r1", 5_000)
    claim(house, ticket, alice)
    house.sell(till, uid, "s3", None, 10_000)
    house.sell(till, uid, "s4", "ZZZZZZZZ", 10_000)
    data = make_file([row(1, alice), row(2, alice)])
    begin = BeginRun(id=house.new_id(), campaign=uid, digest=hashlib.sha256(data).digest(), name="staff")
    operations = house.partners.operations
    run = operations.load(begin, pieces(data))
    house.write(operations.start, StartRun(run=run.id, skips_wrong=False))
    second, _ = house.till(2)
    house.revoke(second, RevocationReason.COMPROMISED)
    desk = house.partners.companies
    house.write(desk.save_accounts, OwnAccount(siren=BAKERY, account=house.account()))
    house.write(desk.save_groups, CompanyGroup(id=house.new_id(), name="A", members=frozenset({BAKERY, SISTER})))
    year = FiscalYear(starts_on=datetime.date(2026, 1, 1), ends_on=datetime.date(2026, 12, 31))
    house.write(desk.save_years, NamedYears(siren=BAKERY, years=(year,)))
    house.write(desk.save_turnovers, Turnover(siren=BAKERY, starts_on=year.starts_on, cents=Cents(1)))
    counterpart = Counterpart(
        id=house.new_id(),
        day=TODAY,
        description="Places",
        value=Cents(100),
        valuation=Valuation.COST,
        giver="Association",
    )
    entered = EnterCounterpart(company=BAKERY, counterpart=counterpart)
    house.write(house.partners.counterparts.enter, entered)
    coupon = Coupon(
        id=house.new_id(),
        merchant=BAKERY,
        words="Un pain",
        discount=SumOff(cents=Cents(100)),
        occasion=Occasion.OPENING,
        valid_from=TODAY,
        valid_to=TODAY,
    )
    house.write(house.partners.coupons.issue, coupon)
    used = MoveCoupon(merchant=BAKERY, coupon=coupon.id, event=CouponEvent.USED, day=TODAY, sale="s1", cents=Cents(500))
    house.write(house.partners.coupons.move, used)
    third = NewTill(siren=BAKERY, number=None, name="office", key_id="3", secret="3", id=house.new_id())
    house.write(house.partners.tills.make, third)
    keys = KeyDesk(house.books[PARTNERS], door_keys, partial(seal, "door_keys"))
    house.write(keys.make, NewDoorKey(asked=house.new_id(), id="1", secret="1", name="x", duties=(Duty.CLERK,)))
    house.write(keys.revoke, "1")
    await house.exchange()


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a base in which everything has happened once, and in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("lived-in")
    house = House(lambda name: f"sqlite:///{folder / name}.db")
    asyncio.run(lived(house))
    checked = house.books[PARTNERS].read_now(check_partners)
    idle = [one.rule for one in checked if not one.looked_at]
    others = ("pledges and calls are what the fund was told and what it signed", EFFECTS)
    assert sorted(idle) == sorted(others), "they have tests of their own"
    assert [one.rule for one in checked if one.findings] == []
    house.close()
    return folder / f"{PARTNERS}.db"


def tamper(house: House, statement: str) -> None:
    def write(page: Page, items: Sequence[str]) -> Sequence[str]:
        page.connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        page.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for item in items:
            done = page.connection.execute(text(item))
            assert done.rowcount, "nothing was changed: the test would prove nothing"
        return items

    house.write(write, statement)


def find(house: House) -> list[Any]:
    checked = house.books[PARTNERS].read_now(check_partners)
    return [finding.place for one in checked for finding in one.findings]


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE campaigns SET spent = spent + 1", "campaigns, row 1"),
        ("UPDATE campaigns SET spent = spent - 1", "campaigns, row 1"),
        ("UPDATE campaigns SET funded = funded + 1", "campaigns, row 1"),
        ("UPDATE campaigns SET state = 'paused'", "campaigns, row 1"),
        ("UPDATE campaigns SET funding = 'called'", "campaigns, row 1"),
        ("UPDATE campaigns SET ceiling = ceiling + 1", "campaigns, row 1"),
        ("UPDATE campaigns SET pool = 'ZZZZZZZZ'", "campaigns, row 1"),
        ("UPDATE campaigns SET pool = NULL", "campaigns, row 1"),
        ("UPDATE payments SET cents = cents + 1", "payments, "),
        ("UPDATE payments SET on_day = on_day + 1", "payments, "),
        ("DELETE FROM payments", "payments, "),
        ("UPDATE sales SET refunded = refunded + 1 WHERE id = 1", "sales, row 1"),
        ("UPDATE sales SET granted = granted + 1 WHERE id = 1", "sales, row 1"),
        ("UPDATE sales SET holder = 'ZZZZZZZZ' WHERE id = 1", "sales, row 1"),
        ("UPDATE sales SET granted = granted + 1 WHERE id = 2", "vouchers, sale 2"),
        ("UPDATE sales SET grant_id = NULL WHERE id = 1", "sales, row 1"),
        ("DELETE FROM vouchers WHERE sale_id = 3", "sales, row 3"),
        ("UPDATE vouchers SET cents = cents + 1 WHERE sale_id = 3", "vouchers, sale 3"),
        ("UPDATE vouchers SET holder = 'ZZZZZZZZ' WHERE sale_id = 2", "vouchers, sale 2"),
        ("UPDATE vouchers SET state = 'expired' WHERE sale_id = 3", "campaigns, row 1"),
        ("UPDATE grants SET cents = cents + 1 WHERE source = 'sale'", "grants, "),
        ("UPDATE grants SET account = 'ZZZZZZZZ' WHERE source = 'voucher'", "grants, "),
        ("UPDATE grants SET state = 'told' WHERE state = 'granted'", "grants, "),
        ("UPDATE grants SET state = 'granted', code = '' WHERE state = 'refused'", "grants, "),
        ("UPDATE grants SET taken = taken - 1 WHERE taken > 0", "grants, "),
        ("UPDATE grants SET asked_back = asked_back + 1 WHERE source = 'sale'", "grants, "),
        ("DELETE FROM grants WHERE source = 'voucher'", "sales"),
        ("UPDATE refunds SET taken = taken - 1 WHERE id = 1", "refunds, row 1"),
        ("UPDATE refunds SET due = due + 1 WHERE id = 1", "refunds, row 1"),
        ("UPDATE refunds SET cents = cents + 1 WHERE id = 1", "sales, row 1"),
        ("UPDATE refunds SET state = 'asked' WHERE id = 1", "refunds, row 1"),
        ("UPDATE holder_days SET cents = cents + 1", "holder_days, "),
        ("DELETE FROM holder_days", "holder_days, "),
        ("UPDATE runs SET aside = aside - 1", "runs, "),
        ("UPDATE runs SET accepted_cents = accepted_cents + 1", "runs, "),
        ("UPDATE runs SET read = read + 1", "runs, "),
        ("UPDATE run_rows SET cents = cents + 1 WHERE number = 2", "runs, "),
        ("UPDATE sales SET sale = sale + 1 WHERE id = 3", "sales, 3"),
        ("UPDATE sales SET day = day + 1 WHERE id = 3", "sales, 3"),
        ("UPDATE vouchers SET expires_on = expires_on + 1 WHERE sale_id = 3", "vouchers, 3"),
        ("UPDATE vouchers SET digest = x'000000000000' WHERE sale_id = 3", "vouchers, 3"),
        ("UPDATE companies SET name = 'Maison' WHERE siren = '732829320'", "companies, 732829320"),
        ("UPDATE companies SET donor = x'00000000000000000000000000000001'", "companies, 732829320"),
        ("UPDATE tills SET secret_hash = x'" + "00" * 32 + "'", "tills, 1"),
        ("UPDATE tills SET revoked_at = NULL, reason = NULL WHERE id = 2", "tills, 2"),
        ("UPDATE campaigns SET terms = replace(terms, '200', '201')", "campaigns, 1"),
        ("UPDATE campaign_steps SET at = at - 1 WHERE ix = 1", "campaign_steps, 1, 1"),
        ("UPDATE expectations SET reference = 'RF18000002'", "expectations, "),
        ("UPDATE expectations SET due = due + 1", "expectations, "),
        ("UPDATE expectations SET closed_on = 20261201", "expectations, "),
        ("UPDATE run_rows SET label = 'x' WHERE number = 3", "run_rows, "),
        ("UPDATE runs SET name = 'x'", "runs, "),
        ("UPDATE counterparts SET value = value + 1", "counterparts, "),
        ("UPDATE coupons SET state = 'issued', used_by = '', used_cents = 0", "coupons, "),
        ("UPDATE coupons SET used_cents = used_cents + 1", "coupons, "),
        ("UPDATE door_keys SET revoked_at = NULL", "door_keys, 1"),
        ("UPDATE door_keys SET duties = 'company'", "door_keys, 1"),
        ("UPDATE decisions SET answer = '1'", "decisions, "),
        ("UPDATE company_accounts SET account = 'ZZZZZZZZ'", "company_accounts, ZZZZZZZZ"),
        ("UPDATE fiscal_years SET ends_on = ends_on - 1", "fiscal_years, 732829320, 20260101"),
        ("UPDATE turnovers SET cents = cents + 1", "turnovers, 732829320, 20260101"),
        ("UPDATE groups SET name = 'B'", "groups, "),
        ("UPDATE group_members SET siren = '552100554' WHERE siren = '404833048'", "group_members, "),
    ],
)
def test_one_value_changed_by_hand_is_found_and_named(
    lived_in: Path, tmp_path: Path, statement: str, place: str
) -> None:
    file = Path(shutil.copy(lived_in, tmp_path))
    with contextlib.closing(sqlite3.connect(file)) as base, base:
        base.execute("PRAGMA ignore_check_constraints = ON")
        base.execute("PRAGMA defer_foreign_keys = ON")
        assert base.execute(statement).rowcount, "nothing was changed: the test would prove nothing"
    engine = open_engine(require_driver(f"sqlite:///{file}"), connections=1)
    with engine.connect() as line:
        found = [finding.place for one in check_partners(line) for finding in one.findings]
    engine.dispose()
    assert any(one.startswith(place) for one in found) or (place == "sales" and found), found


async def test_the_log_alone_says_what_a_campaign_spent(house: House) -> None:
    await lived(house)
    checked = house.books[PARTNERS].read_now(compare_log_with_spent)
    assert (checked.looked_at, checked.findings) == (1, ())
    assert await house.partners.expire_tickets(TODAY + datetime.timedelta(days=365)) == 1
    checked = house.books[PARTNERS].read_now(compare_log_with_spent)
    assert checked.findings == ()
