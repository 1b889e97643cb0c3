"""From a till's sale to the customer's miles: the budget is exact, nothing is granted twice, whatever is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from node.ledger.reading_service import load_totals
from node.partners.campaigns import CampaignEvent, Ceilings, FixedSum, Funding
from node.partners.campaigns_service import LeadCampaign
from node.partners.companies_service import OwnAccount
from node.partners.errors import (
    BudgetTooSmall,
    CampaignUnknown,
    CredentialCompromised,
    CredentialRevoked,
    DayCeilingReached,
    OwnGroup,
    TillClockWrong,
)
from node.partners.grants import GrantState
from node.partners.purchases import RevocationReason
from node.partners.sales import SaleAnswer, SaleState
from protocol.amounts import Cents
from protocol.errors import IdMismatch
from protocol.identifiers import Id16
from protocol.times import DAY_MS, HOUR_MS
from tests.partners.house import ACCOUNTS, BAKERY, BREST, OTHER, PARTNERS, SISTER, House, make_terms


async def test_a_sale_becomes_miles_that_euros_stand_behind(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    answer = house.sell(till, uid, "sale-1", alice, 2_550)
    assert (answer.state, answer.cents, answer.is_pending) == (SaleState.GRANTED, 51, True)
    assert house.balance(alice) == 0
    await house.exchange()
    assert house.balance(alice) == 51
    row = house.campaign(uid)
    assert (row.spent, row.budget.left) == (51, 100_000 - 51)
    again = house.sell(till, uid, "sale-1", alice, 2_550, at=house_time(house, uid, till, "sale-1"))
    assert again.is_repeat
    assert again.grant_state is GrantState.GRANTED
    await house.exchange()
    assert house.balance(alice) == 51


def house_time(house: House, uid: Id16, till: Any, id_: str) -> int:
    from sqlalchemy import select

    from node.partners.tables import sales

    return int(
        house.read(lambda line: line.execute(select(sales.c.at).where(sales.c.key == f"{till.row}/{id_}")).scalar_one())
    )


async def test_nothing_is_granted_of_euros_that_did_not_come(house: House) -> None:
    uid = await house.run(paid=0)
    till, _ = house.till()
    answer = house.sell(till, uid, "sale-1", house.account(), 5_000)
    assert answer.state is SaleState.REFUSED
    assert isinstance(answer.refusal, BudgetTooSmall)
    assert answer.refusal.facts == {"available": 0, "asked": 100, "missing": 100}


async def test_a_campaign_goes_over_its_budget_in_the_middle_of_a_batch(house: House) -> None:
    """Each sale is whole or refused; a smaller one after a refused one may still fit."""
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(100))))
    till, _ = house.till()
    people = [house.account() for _ in range(4)]
    told = house.tell(
        till,
        uid,
        *(
            house.purchase(f"s{number}", person, sale)
            for number, (person, sale) in enumerate(zip(people, (3_000, 3_000, 1_500, 500), strict=True))
        ),
    )
    answers = [one for one in told if isinstance(one, SaleAnswer)]
    assert [one.cents for one in answers] == [60, 0, 30, 10]
    assert isinstance(answers[1].refusal, BudgetTooSmall)
    await house.exchange()
    assert [house.balance(person) for person in people] == [60, 0, 30, 10]
    assert house.campaign(uid).budget.left == 0


async def test_many_tills_at_once_never_spend_more_than_there_is(house: House) -> None:
    uid = await house.run(make_terms(rule=FixedSum(cents=Cents(7)), ceilings=Ceilings(campaign=Cents(100))))
    tills = [house.till(number)[0] for number in range(1, 6)]
    alice = house.account()
    asked = [
        house.sales(till, uid, house.purchase(f"s{number}", alice, 100, till=till.number or 0))
        for till in tills
        for number in range(8)
    ]
    told = await asyncio.gather(*(house.partners.tell_sales(one) for one in asked))
    granted = [one for [one] in told if isinstance(one, SaleAnswer) and one.state is SaleState.GRANTED]
    assert len(granted) == 14
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 98


async def test_one_id_is_one_sale(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice, bob = house.account(), house.account()
    first = house.purchase("s1", alice, 1_000)
    other = house.purchase("s1", bob, 1_000, at=first.at)
    told = house.tell(till, uid, first, first, other)
    assert [type(one) for one in told] == [SaleAnswer, SaleAnswer, IdMismatch]
    assert isinstance(told[1], SaleAnswer)
    assert told[1].is_repeat
    second, _ = house.till(2)
    [elsewhere] = house.tell(second, uid, house.purchase("s1", bob, 1_000, till=2))
    assert isinstance(elsewhere, SaleAnswer), "another till's ids are its own"
    await house.exchange()
    assert (house.balance(alice), house.balance(bob)) == (20, 20)


@pytest.mark.parametrize("rate", [0.3, 0.6])
async def test_whatever_the_line_loses_each_sale_is_granted_once(house: House, rate: float) -> None:
    uid = await house.run()
    till, _ = house.till()
    people = [house.account() for _ in range(5)]
    total = 0
    for number in range(40):
        sale = house.dice.randint(100, 9_000)
        total += house.sell(till, uid, f"s{number:03d}", people[number % 5], sale).cents
        await house.exchange(lambda _what: house.dice.random() < rate)
        if number == 20:
            house.reopen(PARTNERS)
            house.reopen(ACCOUNTS)
    await house.exchange()
    assert sum(house.balance(person) for person in people) == total == house.campaign(uid).spent
    assert house.campaign(uid).budget.left == 100_000 - total


async def test_a_grant_that_the_accounts_refuse_goes_back_into_the_budget(house: House) -> None:
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000), day_and_holder=Cents(50))))
    till, _ = house.till()
    alice = house.account()
    nobody = "ZZZZZZZZ"
    house.tell(till, uid, house.purchase("s1", nobody, 1_000), house.purchase("s2", alice, 1_000))
    assert house.campaign(uid).spent == 40
    await house.exchange()
    assert house.campaign(uid).spent == house.balance(alice) == 20
    [again] = house.tell(till, uid, house.purchase("s1", nobody, 1_000, at=house_time(house, uid, till, "s1")))
    assert isinstance(again, SaleAnswer)
    assert again.grant_state is GrantState.REFUSED
    assert again.refusal is not None
    assert again.refusal.code == "account_unknown"


async def test_the_ceiling_of_a_day_counts_what_the_holder_had(house: House) -> None:
    terms = make_terms(ceilings=Ceilings(campaign=Cents(10_000), purchase=Cents(40), day_and_holder=Cents(50)))
    uid = await house.run(terms)
    till, _ = house.till()
    alice, bob = house.account(), house.account()
    cents = [house.sell(till, uid, f"a{number}", alice, 10_000).cents for number in range(2)]
    assert cents == [40, 10]
    third = house.sell(till, uid, "a3", alice, 10_000)
    assert isinstance(third.refusal, DayCeilingReached)
    assert house.sell(till, uid, "b1", bob, 10_000).cents == 40
    house.pass_time(DAY_MS)
    assert house.sell(till, uid, "a4", alice, 10_000).cents == 40
    await house.exchange()


async def test_a_company_gives_nothing_to_itself_nor_to_its_group(house: House) -> None:
    from node.partners.companies import CompanyGroup

    uid = await house.run()
    house.enter(SISTER)
    till, _ = house.till()
    house.write(
        house.partners.companies.save_groups,
        CompanyGroup(id=house.new_id(), name="Groupe", members=frozenset({BAKERY, SISTER})),
    )
    own = house.account()
    house.write(house.partners.companies.save_accounts, OwnAccount(siren=SISTER, account=own))
    by_account = house.sell(till, uid, "s1", own, 1_000)
    by_buyer = house.sell(till, uid, "s2", house.account(), 1_000, buyer=SISTER)
    assert [type(one.refusal) for one in (by_account, by_buyer)] == [OwnGroup, OwnGroup]
    assert house.sell(till, uid, "s3", house.account(), 1_000, buyer=OTHER).cents == 20
    await house.exchange()


async def test_a_till_whose_clock_is_wrong_is_told_so_and_nothing_is_taken(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    late = house.sales(till, uid, house.purchase("s1", alice, 1_000), sent_at=house.clock() - 2 * HOUR_MS)
    with pytest.raises(TillClockWrong):
        house.write(house.partners.sales.tell, late)
    assert house.campaign(uid).spent == 0
    assert house.sell(till, uid, "s1", alice, 1_000).cents == 20, "set right, it may tell the same again"
    await house.exchange()


async def test_what_a_till_sold_before_it_was_put_away_an_hour_ago_is_taken_and_what_a_stolen_one_tells_is_not(
    house: House,
) -> None:
    uid = await house.run()
    till, _ = house.till()
    stolen, _ = house.till(2)
    alice = house.account()
    before = house.purchase("s1", alice, 1_000)
    house.pass_time(60_000)
    house.revoke(till, RevocationReason.RETIRED)
    house.revoke(stolen, RevocationReason.COMPROMISED)
    house.pass_time(HOUR_MS)
    taken, refused = house.tell(till, uid, before, house.purchase("s2", alice, 1_000))
    assert isinstance(taken, SaleAnswer)
    assert isinstance(refused, CredentialRevoked)
    told = house.tell(stolen, uid, house.purchase("s1", alice, 1_000, till=2, at=before.at))
    assert [type(one) for one in told] == [CredentialCompromised]
    await house.exchange()
    assert house.balance(alice) == 20


async def test_a_sale_of_an_offline_till_counts_by_how_the_campaign_stood_then(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    while_running = house.purchase("s1", alice, 1_000)
    house.pass_time(60_000)
    house.write(house.partners.campaigns.lead, LeadCampaign(campaign=uid, event=CampaignEvent.ENDED))
    house.pass_time(HOUR_MS)
    early, late = house.tell(till, uid, while_running, house.purchase("s2", alice, 1_000))
    assert isinstance(early, SaleAnswer)
    assert isinstance(late, SaleAnswer)
    assert (early.cents, late.state) == (20, SaleState.REFUSED)
    await house.exchange()


async def test_nobody_sells_for_anothers_campaign(house: House) -> None:
    uid = await house.run()
    house.enter(OTHER)
    stranger, _ = house.till(1, OTHER)
    with pytest.raises(CampaignUnknown):
        house.write(house.partners.sales.tell, house.sales(stranger, uid, house.purchase("s1", house.account(), 100)))


async def test_a_till_waits_for_the_accounts_or_is_told_that_it_is_pending(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    asked = house.sales(till, uid, house.purchase("s1", alice, 1_000))
    [pending] = await house.partners.tell_sales(asked, wait_seconds=0.01)
    assert isinstance(pending, SaleAnswer)
    assert pending.is_pending
    waiting = asyncio.create_task(house.partners.tell_sales(asked, wait_seconds=30))
    await asyncio.sleep(0)
    await house.exchange()
    [granted] = await waiting
    assert isinstance(granted, SaleAnswer)
    assert granted.grant_state is GrantState.GRANTED


async def test_a_called_campaign_spends_its_pledge_up_to_the_ceiling(house: House) -> None:
    uid = await house.run(make_terms(funding=Funding.CALLED, ceilings=Ceilings(campaign=Cents(50))), paid=0)
    till, _ = house.till()
    alice = house.account()
    assert house.fund.expected == {}, "a pledge is called by the fund: nothing is announced"
    assert house.sell(till, uid, "s1", alice, 2_000).cents == 40
    assert isinstance(house.sell(till, uid, "s2", alice, 1_000).refusal, BudgetTooSmall)
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 40
    assert house.campaign(uid).funded == 0


async def test_what_pools_gave_is_what_campaigns_spent(house: House) -> None:
    """The sum over all: euros that came = left in budgets + granted; granted = what people have."""
    uids = [await house.run(siren=siren) for siren in (BAKERY, OTHER)]
    tills = [house.till(1, siren)[0] for siren in (BAKERY, OTHER)]
    people = [house.account() for _ in range(6)]
    for number in range(30):
        place = number % 2
        house.sell(tills[place], uids[place], f"s{number}", people[number % 6], house.dice.randint(1, 20_000))
    await house.exchange()
    rows = [house.campaign(uid) for uid in uids]
    issued = house.books[ACCOUNTS].read_now(lambda line: int(load_totals(line, BREST).issued))
    assert issued == sum(row.funded for row in rows) == sum(row.spent + row.budget.left for row in rows)
    assert sum(house.balance(person) for person in people) == sum(row.spent for row in rows)
