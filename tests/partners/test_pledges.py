"""A called campaign: it runs once its pledge is accepted, its euros are called, and its end tells what it gave."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from node.ledger.lots import LotClass
from node.partners import letters
from node.partners.campaigns import CampaignEvent, CampaignState, Ceilings, Funding
from node.partners.campaigns_service import ExpectMore, LeadCampaign, OpenCampaign
from node.partners.checks import check_partners
from node.partners.counterparts_service import load_gifts
from node.partners.errors import CampaignStepRefused
from node.partners.pledges_service import find_pledge, list_calls
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.house import PaymentArrived, PaymentCalled, Refused
from protocol.identifiers import Id16
from tests.partners.house import BAKERY, IBAN, TODAY, House, make_terms


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Three bases on files. After every test their own checks find nothing."""
    made = House(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    wrongs = [finding for one in made.read(check_partners) for finding in one.findings]
    made.close()
    assert wrongs == []


async def called(house: House, ceiling: int = 1_000) -> Id16:
    return await house.run(make_terms(funding=Funding.CALLED, ceilings=Ceilings(campaign=Cents(ceiling))), paid=0)


def pledge_of(house: House, uid: Id16) -> Any:
    return house.read(lambda line: find_pledge(line, house.campaign(uid).row))


def tell_spent(house: House, day: datetime.date = TODAY) -> int:
    count: int = house.write(house.partners.pledges.tell_spent, day)
    return count


async def test_it_runs_once_the_pledge_is_accepted_and_its_lots_are_called(house: House) -> None:
    house.fund.accepts = False
    uid = await called(house)
    assert (house.campaign(uid).campaign.state, house.campaign(uid).pool is not None) == (CampaignState.DRAFT, True)
    assert not pledge_of(house, uid).is_accepted
    house.fund.accepts = True
    other = await called(house, 500)
    assert house.campaign(other).campaign.state is CampaignState.RUNNING
    (pledge,) = house.fund.pledges.values()
    assert (pledge.cents, pledge.lot_class, pledge.into) == (500, 1 | 4 | 16, house.campaign(other).pool)
    assert pledge.lot_class & LotClass.CALLED == letters.CALLED == LotClass.CALLED
    more = ExpectMore(id=house.new_id(), campaign=other, cents=Cents(5), due=TODAY)
    with pytest.raises(CampaignStepRefused):
        house.write(house.partners.campaigns.expect, more)
    house.write(house.partners.campaigns.open, OpenCampaign(campaign=other, due=TODAY))
    await house.exchange()
    assert len(house.fund.pledges) == 1, "opened twice is pledged once"


async def test_a_pledge_that_the_fund_declines_leaves_a_draft_that_says_why(house: House) -> None:
    house.fund.accepts = False
    uid = await called(house)
    house.fund.say(Refused(pledge_of(house, uid).id, "pledge_refused"))
    await house.exchange()
    assert (pledge_of(house, uid).code, house.campaign(uid).campaign.state) == ("pledge_refused", CampaignState.DRAFT)


async def test_what_is_called_and_paid_is_kept_once_and_counts_for_the_legal_ceiling(house: House) -> None:
    uid = await called(house)
    (pledge,) = house.fund.pledges.values()
    call = PaymentCalled(house.new_id(), pledge.donor, 202611, 300, 20270102, "RF18000001", IBAN, (pledge.id,), (300,))
    arrived = PaymentArrived(call.id, house.new_id(), 200, 20261215)
    house.fund.say(call, call, arrived, arrived)
    await house.exchange()
    (view,) = house.read(lambda line: list_calls(line, BAKERY))
    assert (view.month, view.cents, view.arrived, view.reference) == (202611, 300, 200, "RF18000001")
    assert pledge_of(house, uid).called == 300
    gifts = house.read(lambda line: load_gifts(line, BAKERY))
    assert [(gift.day, gift.cents) for gift in gifts] == [(datetime.date(2026, 12, 15), 200)]
    assert house.campaign(uid).funded == 0


async def test_at_its_end_the_fund_is_told_what_it_gave_once_for_each_sum(house: House) -> None:
    uid = await called(house)
    till, _ = house.till()
    house.sell(till, uid, "s1", house.account(), 2_000)
    await house.exchange()
    assert tell_spent(house) == 0, "it runs"
    house.write(house.partners.campaigns.lead, LeadCampaign(campaign=uid, event=CampaignEvent.ENDED))
    assert (tell_spent(house), tell_spent(house)) == (1, 0)
    await house.exchange()
    view = pledge_of(house, uid)
    assert (view.released, view.unconverted) == (960, 40)


async def test_a_campaign_whose_last_day_is_over_is_told_too(house: House) -> None:
    await called(house)
    assert tell_spent(house, TODAY + datetime.timedelta(days=4_000)) == 1
    await house.exchange()


CHANGES = (
    "UPDATE pledges SET cents = cents + 1",
    "UPDATE pledges SET accepted_at = NULL",
    "UPDATE pledges SET told_spent = 7, told_id = x'00'",
    "UPDATE calls SET cents = cents + 1",
    "UPDATE call_parts SET cents = cents + 1",
    "UPDATE call_payments SET cents = cents + 1",
    "DELETE FROM call_payments",
)


async def test_what_is_changed_by_hand_is_found(house: House) -> None:
    await called(house)
    (pledge,) = house.fund.pledges.values()
    call = PaymentCalled(house.new_id(), pledge.donor, 202611, 300, 20270102, "RF18000001", IBAN, (pledge.id,), (300,))
    house.fund.say(call, PaymentArrived(call.id, house.new_id(), 200, 20261215))
    await house.exchange()

    def tamper(page: Page, items: Any) -> list[list[object]]:
        answers: list[list[object]] = []
        for change in items:
            with page.connection.begin_nested() as undone:
                assert page.connection.execute(text(change)).rowcount
                checked = check_partners(page.connection)
                undone.rollback()
            answers.append([finding for one in checked for finding in one.findings])
        return answers

    for change in CHANGES:
        assert house.write(tamper, change), change
