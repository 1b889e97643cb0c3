"""Tickets: issued with a sale, claimed once, worth less after a refund, and back in the budget when they expire."""

from __future__ import annotations

import asyncio
import datetime
from typing import Any

import pytest

from node.partners.campaigns import Ceilings
from node.partners.companies_service import OwnAccount
from node.partners.errors import (
    DayCeilingReached,
    OwnGroup,
    TicketClaimed,
    TicketExpired,
    TicketForged,
    TicketUnknown,
    TicketVoid,
)
from node.partners.grants import GrantState
from node.partners.purchases import PurchaseId, RefundNote, RevocationReason, TillNumber
from node.partners.sales import SaleState
from node.partners.tickets import Ticket, digest_purchase, format_ticket
from node.partners.tickets_service import ClaimTicket
from node.partners.tills_service import Till
from node.partners.vouchers import ClaimAnswer
from protocol.amounts import Cents
from protocol.identifiers import AccountNumber
from tests.partners.house import BAKERY, TODAY, House, make_terms
from tests.partners.test_refunds import ask


def claim(house: House, text: str, holder: str, *, day: datetime.date = TODAY) -> ClaimAnswer:
    answer: ClaimAnswer = house.write(house.partners.tickets.claim, make_claim(house, text, holder, day=day))
    return answer


def make_claim(house: House, text: str, holder: str, *, day: datetime.date = TODAY) -> ClaimTicket:
    return ClaimTicket(text=text, holder=AccountNumber(holder), day=day, grant_id=house.partners.new_id())


async def sold(house: House, sale: int = 10_000, **ceilings: Any) -> tuple[Any, Till, str]:
    """A campaign of 2 %, a till, and the ticket of a sale."""
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000), **ceilings)))
    till, _ = house.till()
    answer = house.sell(till, uid, "s1", None, sale)
    assert answer.state is SaleState.VOUCHER
    assert answer.ticket is not None
    return uid, till, answer.ticket


async def test_a_ticket_is_claimed_once(house: House) -> None:
    uid, till, ticket = await sold(house)
    assert house.campaign(uid).spent == 200, "a ticket is a promise: it is set aside when it is made"
    alice, bob = house.account(), house.account()
    first = claim(house, ticket, alice)
    assert (first.cents, first.is_repeat) == (200, False)
    await house.exchange()
    assert house.balance(alice) == 200
    assert claim(house, ticket, alice) == ClaimAnswer(cents=Cents(200), grant_id=first.grant_id, is_repeat=True)
    with pytest.raises(TicketClaimed) as refusal:
        claim(house, ticket, bob)
    assert refusal.value.facts == {"claimed_on": TODAY.isoformat()}
    repeated = house.sell(till, uid, "s2", None, 500)
    assert repeated.ticket != ticket


async def test_of_claims_at_once_one_wins(house: House) -> None:
    _, _, ticket = await sold(house)
    people = [house.account() for _ in range(8)]
    told = await asyncio.gather(
        *(house.partners.claim(make_claim(house, ticket, one)) for one in people), return_exceptions=True
    )
    winners = [one for one in told if not isinstance(one, BaseException)]
    assert len(winners) == 1
    assert {type(one) for one in told if isinstance(one, BaseException)} == {TicketClaimed}
    await house.exchange()
    assert sum(house.balance(one) for one in people) == 200


async def test_a_ticket_is_worth_less_after_a_refund_and_nothing_after_a_whole_one(house: House) -> None:
    uid, till, ticket = await sold(house)
    part = ask(house, till, "s1", "r1", 2_500)
    assert (part.taken, part.note) == (50, RefundNote.TAKEN)
    alice = house.account()
    assert claim(house, ticket, alice).cents == 150
    await house.exchange()
    ask(house, till, "s1", "r2", 2_500)
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 100
    whole = house.sell(till, uid, "s2", None, 1_000)
    ask(house, till, "s2", "r1", 1_000)
    with pytest.raises(TicketVoid):
        claim(house, whole.ticket or "", alice)
    assert house.campaign(uid).spent == 100


async def test_a_ticket_that_nobody_claimed_expires_into_the_budget(house: House) -> None:
    uid, _, ticket = await sold(house)
    last = TODAY + datetime.timedelta(days=house.settings.ticket_days)
    assert await house.partners.expire_tickets(last) == 0
    assert await house.partners.expire_tickets(last + datetime.timedelta(days=1)) == 1
    assert await house.partners.expire_tickets(last + datetime.timedelta(days=1)) == 0
    assert house.campaign(uid).spent == 0
    with pytest.raises(TicketExpired):
        claim(house, ticket, house.account(), day=last)
    with pytest.raises(TicketExpired):
        claim(house, ticket, house.account(), day=last + datetime.timedelta(days=1))


async def test_a_claim_for_no_account_opens_the_ticket_again(house: House) -> None:
    """Less what was refunded in between."""
    uid, till, ticket = await sold(house)
    waiting = asyncio.create_task(house.partners.claim(make_claim(house, ticket, "ZZZZZZZZ"), wait_seconds=30))
    await asyncio.sleep(0)
    asked = ask(house, till, "s1", "r1", 2_500)
    while not waiting.done():
        await house.exchange()
    _, state, code = waiting.result()
    assert (state, code) == (GrantState.REFUSED, "account_unknown")
    assert asked.due == 50
    assert ask(house, till, "s1", "r1", 2_500).taken == 50
    assert house.campaign(uid).spent == 150
    alice = house.account()
    assert claim(house, ticket, alice).cents == 150
    await house.exchange()
    assert house.balance(alice) == 150


async def test_a_ticket_counts_against_the_holders_day_of_the_sale(house: House) -> None:
    uid, till, ticket = await sold(house, day_and_holder=Cents(250))
    alice = house.account()
    house.sell(till, uid, "s2", alice, 5_000)
    assert claim(house, ticket, alice).cents == 150
    assert house.campaign(uid).spent == 250, "what the ceiling cut off is in the budget again"
    other = house.sell(till, uid, "s3", None, 5_000)
    with pytest.raises(DayCeilingReached):
        claim(house, other.ticket or "", alice)
    bob = house.account()
    assert claim(house, other.ticket or "", bob).cents == 100
    await house.exchange()
    assert (house.balance(alice), house.balance(bob)) == (250, 100)


async def test_a_whole_refund_of_a_ticket_that_a_ceiling_cut_takes_back_what_was_credited(house: House) -> None:
    uid, till, ticket = await sold(house, day_and_holder=Cents(200))
    alice = house.account()
    house.sell(till, uid, "s0", alice, 2_500)
    assert claim(house, ticket, alice).cents == 150
    await house.exchange()
    ask(house, till, "s1", "r1", 10_000)
    await house.exchange()
    settled = ask(house, till, "s1", "r1", 10_000)
    assert (settled.due, settled.taken, settled.note) == (150, 150, RefundNote.TAKEN)
    assert house.balance(alice) == house.campaign(uid).spent == 50


async def test_a_till_prints_tickets_by_itself_and_they_count_once_it_told_the_sale(house: House) -> None:
    uid, till, _ = await sold(house)
    number = TillNumber(1)
    key = house.partners.tills.ticket_key(BAKERY, number)
    printed = Ticket(
        company=BAKERY,
        till=number,
        purchase=digest_purchase(PurchaseId("offline-1")),
        cents=Cents(40),
        expires_on=TODAY + datetime.timedelta(days=house.settings.ticket_days),
    )
    text = format_ticket(printed, key)
    with pytest.raises(TicketUnknown):
        claim(house, text, house.account())
    told = house.sell(till, uid, "offline-1", None, 2_000)
    assert told.ticket == text
    assert claim(house, text, house.account()).cents == 40
    await house.exchange()


async def test_forged_tickets_and_those_of_a_stolen_till_are_worth_nothing(house: House) -> None:
    _, till, ticket = await sold(house)
    forged = format_ticket(
        Ticket(
            company=BAKERY,
            till=TillNumber(1),
            purchase=digest_purchase(PurchaseId("s1")),
            cents=Cents(200),
            expires_on=TODAY,
        ),
        house.partners.tills.ticket_key(BAKERY, TillNumber(2)),
    )
    with pytest.raises(TicketForged):
        claim(house, forged, house.account())
    house.revoke(till, RevocationReason.RETIRED)
    other, _ = house.till(3)
    nobodys = format_ticket(
        Ticket(
            company=BAKERY,
            till=TillNumber(9),
            purchase=digest_purchase(PurchaseId("s1")),
            cents=Cents(200),
            expires_on=TODAY,
        ),
        house.partners.tills.ticket_key(BAKERY, TillNumber(9)),
    )
    with pytest.raises(TicketForged):
        claim(house, nobodys, house.account())
    house.revoke(till, RevocationReason.COMPROMISED)
    with pytest.raises(TicketVoid):
        claim(house, ticket, house.account())
    assert other.number == 3


async def test_a_company_claims_nothing_for_itself(house: House) -> None:
    _, _, ticket = await sold(house)
    own = house.account()
    house.write(house.partners.companies.save_accounts, OwnAccount(siren=BAKERY, account=own))
    with pytest.raises(OwnGroup):
        claim(house, ticket, own)
