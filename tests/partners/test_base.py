"""Companies and campaigns in the base, and what the fund and the accounts answer: each thing once, whatever they say."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from node.partners import tables
from node.partners.campaigns import (
    CampaignEvent,
    CampaignState,
    Ceilings,
    FixedSum,
    Restriction,
    RestrictionKind,
)
from node.partners.campaigns_service import DraftCampaign, ExpectMore, LeadCampaign, OpenCampaign
from node.partners.ceilings import FiscalYear
from node.partners.companies import CompanyGroup, PostalAddress, YearEnd
from node.partners.companies_service import (
    NamedYears,
    OwnAccount,
    Turnover,
    list_companies,
    load_circle,
    load_company,
)
from node.partners.counterparts import Counterpart, Valuation
from node.partners.counterparts_service import EnterCounterpart
from node.partners.coupons import Coupon, CouponEvent, CouponState, Occasion, PercentOff, SumOff
from node.partners.coupons_service import MoveCoupon, list_coupons
from node.partners.errors import (
    CampaignOpening,
    CampaignStepRefused,
    CampaignUnknown,
    CompanyNotComplete,
    CompanyUnknown,
    CounterpartTooLarge,
    CouponStepRefused,
    CouponUnknown,
    InvalidFiscalYear,
    OwnGroup,
    TillNotKnown,
    TillNumberTaken,
    TillUnknown,
)
from node.partners.purchases import RevocationReason
from node.partners.reading_service import load_campaign_view, load_ceiling_use, load_public_sheet, load_standing
from node.partners.service import PARTNERS_HISTORY
from node.partners.tables import metadata
from node.partners.tills_service import RevokeTill, list_tills
from protocol.amounts import Cents
from protocol.book.migration_service import pending_changes, upgrade
from protocol.book.store import open_engine
from protocol.book.worker import Page
from protocol.errors import IdMismatch
from protocol.house import (
    ExpectationClosed,
    Granted,
    HouseMessage,
    PaymentArrived,
    PaymentExpected,
    PoolOpened,
    Refused,
    TakenBack,
    decode_house_slip,
)
from protocol.identifiers import Id16
from protocol.times import DAY_MS
from tests.partners.house import (
    ACCOUNTS,
    BAKERY,
    BREST,
    FUND,
    OTHER,
    PARTNERS,
    SISTER,
    TODAY,
    House,
    make_company,
    make_terms,
)


def hear(house: House, sender: str, *messages: HouseMessage) -> None:
    """Let the base hear what no honest neighbour says, past the exchange."""

    def write(page: Page, items: Sequence[Sequence[HouseMessage]]) -> list[Any]:
        return [house.partners.apply(page, sender, item) for item in items]

    house.write(write, messages)


# ---------------------------------------------------------------- schema


def test_the_migrations_make_the_tables_that_the_code_knows(book_url: str) -> None:
    engine = open_engine(book_url)
    upgrade(engine, PARTNERS_HISTORY)
    upgrade(engine, PARTNERS_HISTORY)
    assert pending_changes(engine, PARTNERS_HISTORY) == []
    engine.dispose()


def test_every_rule_of_a_table_has_a_name() -> None:
    for table in metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE campaigns SET spent = funded + 1",
        "UPDATE campaigns SET spent = -1",
        "UPDATE sales SET refunded = sale + 1",
        "UPDATE sales SET granted = 0",
        "UPDATE grants SET taken = 1",
        "UPDATE grants SET state = 'lost'",
        "UPDATE tills SET number = 0",
        "UPDATE sales SET grant_id = NULL",
        "UPDATE holder_days SET cents = -1",
    ],
)
async def test_a_table_holds_its_rules_by_itself(house: House, statement: str) -> None:
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000), day_and_holder=Cents(100))))
    till, _ = house.till()
    house.sell(till, uid, "s1", house.account(), 1_000)

    def tamper(page: Page, items: Sequence[str]) -> Sequence[str]:
        for item in items:
            page.connection.execute(text(item))
        return items

    with pytest.raises(IntegrityError):
        house.write(tamper, statement)
    await house.exchange()


# ---------------------------------------------------------------- companies


async def test_a_company_is_entered_changed_and_told_to_the_fund_once_it_gives(house: House) -> None:
    first = house.write(house.partners.companies.save, make_company())
    assert house.write(house.partners.companies.save, make_company()) == first
    house.write(house.partners.companies.save, make_company(name="Fournil"))
    await house.exchange()
    assert house.fund.donors == {}, "who gives nothing is nobody's business"
    await house.run()
    [donor] = house.fund.donors.values()
    assert (donor.id, donor.siren, donor.name, donor.address) == (first, BAKERY, "Maison 732829320", ("1 rue de Siam",))
    moved = PostalAddress(street="2 rue Jean Jaurès", postcode="29200", city="Brest")
    house.write(house.partners.companies.save, make_company(address=moved, year_end=YearEnd(month=6, day=30)))
    await house.exchange()
    [donor] = house.fund.donors.values()
    assert (donor.address, donor.year_end) == (("2 rue Jean Jaurès",), (6, 30))
    assert house.read(list_companies) == [make_company(address=moved, year_end=YearEnd(month=6, day=30))]


def test_a_company_that_no_receipt_could_name_is_not_entered(house: House) -> None:
    for more in (
        {"name": "x" * 121},
        {"address": PostalAddress(street="1 rue", postcode="29200", city="B" * 61)},
        {"address": PostalAddress(street="1 rue", postcode="1" * 13, city="Bonn", country="DE")},
    ):
        with pytest.raises(CompanyNotComplete):
            house.write(house.partners.companies.save, make_company(**more))
    assert house.read(list_companies) == []


def test_a_long_street_is_told_in_lines(house: House) -> None:
    from node.partners.letters import make_donor

    street = "Bâtiment C, escalier 4, zone artisanale de Kergaradec et du Froutven "
    company = make_company(address=PostalAddress(street=(street * 2)[:100].strip(), postcode="29200", city="Brest"))
    donor = make_donor(company, house.new_id())
    assert len(donor.address) == 2
    assert all(len(line) <= 70 for line in donor.address)
    assert " ".join(donor.address) == company.address.street


def test_groups_join_and_own_accounts_are_the_groups(house: House) -> None:
    for siren in (BAKERY, SISTER, OTHER):
        house.enter(siren)
    desk = house.partners.companies
    account = house.account()
    house.write(desk.save_groups, CompanyGroup(id=house.new_id(), name="A", members=frozenset({BAKERY, SISTER})))
    second = CompanyGroup(id=house.new_id(), name="B", members=frozenset({SISTER, OTHER}))
    house.write(desk.save_groups, second)
    house.write(desk.save_accounts, OwnAccount(siren=OTHER, account=account))
    circle = house.read(lambda connection: load_circle(connection, BAKERY))
    assert (circle.group, circle.accounts) == ({BAKERY, SISTER, OTHER}, {account})
    house.write(desk.save_groups, CompanyGroup(id=second.id, name="B", members=frozenset({OTHER})))
    assert house.read(lambda connection: load_circle(connection, BAKERY)).group == {BAKERY, SISTER}
    with pytest.raises(CompanyUnknown):
        house.read(lambda connection: load_company(connection, "000000001"))


async def test_a_group_that_changes_counts_from_the_next_sale_on(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    assert house.sell(till, uid, "s1", alice, 1_000, buyer=SISTER).cents == 20
    group = CompanyGroup(id=house.new_id(), name="A", members=frozenset({BAKERY, SISTER}))
    house.write(house.partners.companies.save_groups, group)
    assert isinstance(house.sell(till, uid, "s2", alice, 1_000, buyer=SISTER).refusal, OwnGroup)
    await house.exchange()


# ---------------------------------------------------------------- campaigns


async def test_a_campaign_runs_once_it_has_a_pool_and_expects_its_euros(house: House) -> None:
    house.enter()
    uid = house.draft(make_terms(restriction=Restriction(kind=RestrictionKind.THEME, value="rivières")))
    due = TODAY + datetime.timedelta(days=10)
    opening = OpenCampaign(campaign=uid, due=due, cents=Cents(40_000))
    house.write(house.partners.campaigns.open, opening)
    assert house.campaign(uid).campaign.state is CampaignState.DRAFT
    house.write(house.partners.campaigns.open, opening)
    await house.exchange()
    row = house.campaign(uid)
    assert row.campaign.state is CampaignState.RUNNING
    [expected] = house.fund.expected.values()
    assert (expected.cents, expected.due, expected.into) == (40_000, 20261203, row.pool)
    assert (expected.lot_class, expected.restriction) == (9, "rivières")
    view = house.read(lambda connection: load_campaign_view(connection, uid))
    [told] = view.expectations
    assert (told.reference[:4], told.iban[:2], told.arrived) == ("RF18", "FR", 0)
    more = ExpectMore(id=house.new_id(), campaign=uid, cents=Cents(1_000), due=due)
    house.write(house.partners.campaigns.expect, more)
    house.write(house.partners.campaigns.expect, more)
    await house.exchange()
    assert len(house.fund.expected) == 2
    with pytest.raises(IdMismatch):
        house.write(house.partners.campaigns.expect, ExpectMore(id=more.id, campaign=uid, cents=Cents(2_000), due=due))
    house.fund.receive(more.id, 700, house.new_id(), TODAY)
    house.fund.receive(more.id, 500, house.new_id(), TODAY)
    await house.exchange()
    assert house.campaign(uid).funded == 1_200


async def test_terms_change_in_draft_only_and_not_once_a_pool_is_asked(house: House) -> None:
    house.enter()
    uid = house.draft()
    other = make_terms(rule=FixedSum(cents=Cents(5)))
    amended = house.write(house.partners.campaigns.draft, DraftCampaign(id=uid, company=BAKERY, terms=other))
    assert amended.terms == house.campaign(uid).campaign.terms == other
    house.write(house.partners.campaigns.open, OpenCampaign(campaign=uid, due=TODAY))
    with pytest.raises(CampaignOpening):
        house.write(house.partners.campaigns.draft, DraftCampaign(id=uid, company=BAKERY, terms=make_terms()))
    await house.exchange()
    with pytest.raises(CampaignStepRefused):
        house.write(house.partners.campaigns.draft, DraftCampaign(id=uid, company=BAKERY, terms=make_terms()))
    house.enter(OTHER)
    with pytest.raises(IdMismatch):
        house.write(house.partners.campaigns.draft, DraftCampaign(id=uid, company=OTHER, terms=other))
    with pytest.raises(CompanyUnknown):
        house.write(house.partners.campaigns.draft, DraftCampaign(id=uid, company=SISTER, terms=other))


async def test_a_campaign_is_paused_resumed_and_ended(house: House) -> None:
    uid = await house.run()
    lead = house.partners.campaigns.lead
    for event, state in (
        (CampaignEvent.PAUSED, CampaignState.PAUSED),
        (CampaignEvent.PAUSED, CampaignState.PAUSED),
        (CampaignEvent.RESUMED, CampaignState.RUNNING),
        (CampaignEvent.ENDED, CampaignState.ENDED),
    ):
        assert house.write(lead, LeadCampaign(campaign=uid, event=event)).state is state
    with pytest.raises(CampaignStepRefused):
        house.write(lead, LeadCampaign(campaign=uid, event=CampaignEvent.RESUMED))
    with pytest.raises(CampaignUnknown):
        house.write(lead, LeadCampaign(campaign=house.new_id(), event=CampaignEvent.ENDED))
    draft = house.draft()
    with pytest.raises(CampaignStepRefused):
        house.write(lead, LeadCampaign(campaign=draft, event=CampaignEvent.STARTED))
    with pytest.raises(CampaignStepRefused):
        house.write(
            house.partners.campaigns.expect,
            ExpectMore(id=house.new_id(), campaign=draft, cents=Cents(1), due=TODAY),
        )


async def test_a_pool_that_is_refused_leaves_a_draft_that_can_be_opened_again(house: House) -> None:
    house.enter()
    uid = house.draft()
    open_ = OpenCampaign(campaign=uid, due=TODAY)
    house.write(house.partners.campaigns.open, open_)
    asked = house.campaign(uid).asked
    assert asked is not None
    hear(house, FUND, Refused(asked, "number_taken"))
    assert house.campaign(uid).asked == asked, "the fund opens no pools"
    hear(house, ACCOUNTS, Refused(asked, "number_taken"))
    row = house.campaign(uid)
    assert (row.asked, row.code) == (None, "number_taken")
    house.write(house.partners.campaigns.open, open_)
    await house.exchange()
    assert house.campaign(uid).campaign.state is CampaignState.RUNNING


async def test_what_the_fund_refuses_is_kept_with_its_reason_and_told_again(house: House) -> None:
    house.fund.refuses = "donor_unknown"
    house.enter()
    uid = house.draft()
    house.write(house.partners.campaigns.open, OpenCampaign(campaign=uid, due=TODAY))
    await house.exchange()
    view = house.read(lambda connection: load_campaign_view(connection, uid))
    assert [one.code for one in view.expectations] == ["donor_unknown"]
    code = house.read(lambda line: line.execute(select(tables.companies.c.code)).scalar_one())
    assert code == "donor_unknown"
    house.fund.refuses = ""
    more = ExpectMore(id=house.new_id(), campaign=uid, cents=Cents(100), due=TODAY)
    house.write(house.partners.campaigns.expect, more)
    await house.exchange()
    assert list(house.fund.expected) == [more.id]
    assert len(house.fund.donors) == 1


async def test_what_the_fund_waits_for_no_more_is_shown_with_its_day(house: House) -> None:
    uid = await house.run(paid=40_000)
    [expectation] = house.fund.expected
    shown = house.read(lambda line: load_campaign_view(line, uid)).expectations
    assert [(one.arrived, one.closed_on) for one in shown] == [(40_000, None)]
    hear(house, ACCOUNTS, ExpectationClosed(expectation, 20261125))
    house.fund.close(expectation, TODAY)
    house.fund.close(expectation, TODAY + datetime.timedelta(days=5))
    await house.exchange()
    [one] = house.read(lambda line: load_campaign_view(line, uid)).expectations
    assert (one.arrived, one.cents, one.closed_on) == (40_000, 100_000, TODAY), "the first word counts"
    house.fund.receive(expectation, 60_000, house.new_id(), TODAY)
    await house.exchange()
    [one] = house.read(lambda line: load_campaign_view(line, uid)).expectations
    assert (one.arrived, house.campaign(uid).funded) == (100_000, 100_000), "what comes all the same still counts"


# ---------------------------------------------------------------- neighbours that say what they should not


async def test_each_answer_counts_once_and_only_from_whom_it_may_come(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    answer = house.sell(till, uid, "s1", alice, 10_000)
    assert answer.grant_id is not None
    before = house.campaign(uid)
    [expectation] = house.fund.expected
    deposit = next(iter(house.fund.arriving))
    arrived = PaymentArrived(expectation, deposit, 100_000, 20261123)
    for sender, message in (
        (FUND, Granted((answer.grant_id,))),
        (FUND, Refused(answer.grant_id, "x")),
        (ACCOUNTS, PaymentArrived(expectation, house.new_id(), 5, 20261123)),
        (BREST, arrived),
        (FUND, arrived),
        (FUND, PaymentArrived(house.new_id(), house.new_id(), 5, 20261123)),
        (ACCOUNTS, PoolOpened(house.new_id(), "7K3F92QX")),
        (ACCOUNTS, PoolOpened(before.asked or b"", "ZZZZZZZZ")),
        (ACCOUNTS, Granted((house.new_id(),))),
        (ACCOUNTS, TakenBack(house.new_id(), 5)),
        (ACCOUNTS, Refused(house.new_id(), "x")),
        (ACCOUNTS, PaymentExpected(expectation, "RF18000000", "FR76")),
    ):
        hear(house, sender, message)
    after = house.campaign(uid)
    assert (after.funded, after.spent, after.pool) == (before.funded, before.spent, before.pool)
    await house.exchange()
    assert house.balance(alice) == 200


async def test_accounts_that_give_back_more_than_was_asked_raise_no_budget_beyond_it(house: House) -> None:
    from tests.partners.test_refunds import ask

    uid = await house.run()
    till, _ = house.till()
    house.sell(till, uid, "s1", house.account(), 10_000)
    refund = ask(house, till, "s1", "r1", 5_000)
    assert refund.take_back is not None
    hear(house, ACCOUNTS, TakenBack(refund.take_back, 10**12))
    assert house.campaign(uid).spent == 100
    assert [one.place for one in house.find_wrongs()] != []
    house.is_wrong_by_design = True


async def test_no_name_stands_where_the_accounts_read_and_no_holder_where_the_fund_reads(house: House) -> None:
    from protocol.book import log_store

    uid = await house.run(make_terms(title="Pain"))
    till, _ = house.till()
    alice = house.account()
    house.sell(till, uid, "s1", alice, 10_000)
    await house.exchange()

    def leaves(reader: str) -> bytes:
        def find(connection: Any) -> bytes:
            log = log_store.open_log_or_empty(connection, PARTNERS, reader)
            return b"".join(log_store.load_leaves(connection, log.id, 0, log.size))

        return bytes(house.read(find))

    for name in (BAKERY.encode(), b"Maison", b"Siam"):
        assert name not in leaves(ACCOUNTS)
        assert name in leaves(FUND)
    assert alice.encode() in leaves(ACCOUNTS)
    assert alice.encode() not in leaves(FUND)


async def test_a_long_title_in_any_alphabet_never_makes_a_slip_that_cannot_be_read(house: House) -> None:
    from protocol.book import log_store

    title = "\U0001f35e" * 140
    uid = await house.run(make_terms(title=title, rule=FixedSum(cents=Cents(1))))
    till, _ = house.till()
    people = [house.account() for _ in range(3)]
    for part in range(3):
        house.tell(till, uid, *(house.purchase(f"s{part}-{one}", people[one % 3], 1_000) for one in range(900)))
    await house.exchange()
    assert sum(house.balance(one) for one in people) == 2_700

    def read(connection: Any) -> list[Any]:
        log = log_store.open_log_or_empty(connection, PARTNERS, ACCOUNTS)
        return [decode_house_slip(leaf) for leaf in log_store.load_leaves(connection, log.id, 0, log.size)]

    assert len(house.read(read)) >= 4


# ---------------------------------------------------------------- tills


async def test_a_till_is_known_by_its_secret_which_is_nowhere(house: House) -> None:
    house.enter()
    till, text_ = house.till()
    assert (await house.partners.tills.authorise(text_)) == till
    for wrong in (text_[:-1], text_ + "0", text_.replace("cmt_", "cmk_"), "", "cmt__", f"cmt_{till.key_id}_"):
        with pytest.raises(TillNotKnown):
            await house.partners.tills.authorise(wrong)
    secret = text_.rpartition("_")[2]
    kept = house.read(lambda line: [tuple(row) for row in line.execute(select(tables.tills))])
    assert secret not in repr(kept)
    with pytest.raises(TillNumberTaken):
        house.till()
    with pytest.raises(CompanyUnknown):
        house.till(1, OTHER)
    office, _ = house.till(None)
    second_office, _ = house.till(None)
    assert house.read(lambda connection: list_tills(connection, BAKERY)) == [till, office, second_office]


async def test_a_revocation_counts_at_once_and_stolen_is_worse_than_put_away(house: House) -> None:
    house.enter()
    till, text_ = house.till()
    await house.partners.tills.authorise(text_)
    house.revoke(till, RevocationReason.RETIRED)
    revoked = (await house.partners.tills.authorise(text_)).credential
    assert revoked.reason is RevocationReason.RETIRED
    house.pass_time(DAY_MS)
    house.revoke(till, RevocationReason.COMPROMISED)
    stolen = (await house.partners.tills.authorise(text_)).credential
    assert (stolen.revoked_at, stolen.reason) == (revoked.revoked_at, RevocationReason.COMPROMISED)
    house.revoke(till, RevocationReason.RETIRED)
    assert (await house.partners.tills.authorise(text_)).credential == stolen
    with pytest.raises(TillUnknown):
        house.write(house.partners.tills.revoke, RevokeTill(key_id="nobody", reason=RevocationReason.RETIRED))


# ---------------------------------------------------------------- what the company sees


YEAR = FiscalYear(starts_on=datetime.date(2026, 1, 1), ends_on=datetime.date(2026, 12, 31))


async def test_the_legal_ceiling_counts_euros_that_arrived_by_fiscal_year(house: House) -> None:
    await house.run(make_terms(ceilings=Ceilings(campaign=Cents(3_000_000))))
    desk = house.partners.companies
    house.write(desk.save_years, NamedYears(siren=BAKERY, years=(YEAR,)))
    until = datetime.date(2027, 6, 1)

    def use() -> Any:
        return house.read(lambda line: load_ceiling_use(line, BAKERY, until, months_max=24))

    first, second = use()
    assert (first.ceiling, first.of_year, first.left) == (2_000_000, 2_000_000, 0)
    assert [(one.origin, one.cents) for one in first.carried] == [(YEAR, 1_000_000)]
    assert second.of_earlier == ((YEAR, 1_000_000),)
    house.write(desk.save_turnovers, Turnover(siren=BAKERY, starts_on=YEAR.starts_on, cents=Cents(500_000_000)))
    house.write(desk.save_turnovers, Turnover(siren=BAKERY, starts_on=YEAR.starts_on, cents=Cents(600_000_000)))
    first, second = use()
    assert (first.ceiling, first.carried) == (3_000_000, ())
    assert second.of_earlier == ()
    with pytest.raises(InvalidFiscalYear):
        house.write(desk.save_years, NamedYears(siren=BAKERY, years=()))


async def test_counterparts_are_entered_up_to_a_quarter_of_the_gifts(house: House) -> None:
    desk = house.partners.counterparts

    def enter(id_: Id16, value: int, day: datetime.date = TODAY) -> Any:
        told = Counterpart(
            id=id_,
            day=day,
            description="Places de concert",
            value=Cents(value),
            valuation=Valuation.SALE_PRICE,
            giver="Association du quai",
        )
        return house.write(desk.enter, EnterCounterpart(company=BAKERY, counterpart=told))

    await house.run()
    first = house.new_id()
    with pytest.raises(InvalidFiscalYear):
        enter(first, 100)
    house.write(house.partners.companies.save_years, NamedYears(siren=BAKERY, years=(YEAR,)))
    enter(first, 20_000)
    enter(first, 20_000)
    with pytest.raises(IdMismatch):
        enter(first, 20_001)
    with pytest.raises(CounterpartTooLarge) as refusal:
        enter(house.new_id(), 5_001)
    assert refusal.value.facts == {"value": 25_001, "allowed": 25_000, "over": 1}
    with pytest.raises(CounterpartTooLarge):
        enter(house.new_id(), 1, datetime.date(2026, 2, 1))
    enter(house.new_id(), 5_000)
    standing = house.read(lambda line: load_standing(line, BAKERY, TODAY, months_max=24))
    assert (standing.given, standing.received, standing.left) == (100_000, 25_000, 0)


async def test_a_public_sheet_shows_sums_and_nobody(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    people = [house.account() for _ in range(10)]
    for number, one in enumerate(people):
        house.sell(till, uid, f"s{number}", one, 1_000)
    await house.exchange()

    def sheet(holders_min: int) -> Any:
        return house.read(lambda line: load_public_sheet(line, BAKERY, holders_min=holders_min))

    assert (sheet(10).paid, sheet(10).granted, sheet(10).holders) == (100_000, 200, 10)
    assert (sheet(11).holders, sheet(11).oriented) == (None, None)
    with pytest.raises(CompanyUnknown):
        house.read(lambda line: load_public_sheet(line, OTHER, holders_min=1))


def test_coupons_are_used_once_and_touch_nothing_else(house: House) -> None:
    desk = house.partners.coupons
    percent = Coupon(
        id=house.new_id(),
        merchant=BAKERY,
        words="Un pain offert",
        discount=PercentOff(basis_points=1_000),
        occasion=Occasion.LOYALTY,
        valid_from=TODAY,
        valid_to=TODAY + datetime.timedelta(days=30),
        sale_min=Cents(500),
    )
    fixed = Coupon(
        id=house.new_id(),
        merchant=BAKERY,
        words="Deux euros",
        discount=SumOff(cents=Cents(200)),
        occasion=Occasion.OPENING,
        valid_from=TODAY,
        valid_to=TODAY,
    )
    for one in (percent, fixed, fixed):
        assert house.write(desk.issue, one).coupon == one
    assert house.read(lambda line: list_coupons(line, BAKERY)) == [fixed, percent]
    use = MoveCoupon(merchant=BAKERY, coupon=percent.id, event=CouponEvent.USED, day=TODAY, sale="s1", cents=Cents(500))
    first, again = house.write(desk.move, use), house.write(desk.move, use)
    assert (first.coupon.state, first.is_repeat) == (CouponState.USED, False)
    assert (again.coupon.used_by, again.coupon.used_cents, again.is_repeat) == ("s1", 500, True)
    assert house.write(desk.issue, percent) == again, "what was issued is answered as it stands"
    with pytest.raises(CouponStepRefused):
        house.write(
            desk.move,
            MoveCoupon(merchant=BAKERY, coupon=percent.id, event=CouponEvent.USED, day=TODAY, sale="s2"),
        )
    with pytest.raises(CouponUnknown):
        house.write(desk.move, MoveCoupon(merchant=OTHER, coupon=fixed.id, event=CouponEvent.WITHDRAWN, day=TODAY))
    other = Coupon(
        id=fixed.id,
        merchant=BAKERY,
        words="Trois euros",
        discount=SumOff(cents=Cents(300)),
        occasion=Occasion.OPENING,
        valid_from=TODAY,
        valid_to=TODAY,
    )
    with pytest.raises(IdMismatch):
        house.write(desk.issue, other)
