"""What a refund takes back: for other customers, as far as it was not oriented, and once."""

from __future__ import annotations

import pytest

from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.openings import ChangeState
from node.partners.campaigns import Ceilings
from node.partners.errors import CredentialRevoked, RefundTooLarge, SaleUnknown
from node.partners.purchases import PurchaseId, RefundNote, RevocationReason
from node.partners.refunds_service import AskRefund
from node.partners.sales import RefundAnswer, RefundState
from node.partners.tills_service import Till
from protocol.amounts import Cents
from protocol.errors import IdMismatch
from protocol.identifiers import AccountNumber, Id16
from tests.partners.house import House, make_terms


def ask(house: House, till: Till, sale: str, refund: str, cents: int) -> RefundAnswer:
    """Ask for a refund, in one page."""
    asked = AskRefund(
        till=till, purchase=PurchaseId(sale), refund=refund, cents=Cents(cents), take_back=house.partners.new_id()
    )
    answer: RefundAnswer = house.write(house.partners.refunds.refund, asked)
    return answer


async def sold(house: House, sale: int = 10_000) -> tuple[Id16, Till, AccountNumber]:
    """A running campaign of 2 %, a till, and a customer who was credited one sale."""
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(1_000), day_and_holder=Cents(500))))
    till, _ = house.till()
    alice = house.account()
    house.sell(till, uid, "s1", alice, sale)
    await house.exchange()
    return uid, till, alice


async def test_parts_of_a_refund_add_up_to_the_whole_to_the_cent(house: House) -> None:
    uid, till, alice = await sold(house, 9_999)
    assert house.balance(alice) == 199
    dues = [ask(house, till, "s1", f"r{number}", 3_333).due for number in range(3)]
    assert sum(dues) == 199
    await house.exchange()
    again = [ask(house, till, "s1", f"r{number}", 3_333) for number in range(3)]
    assert [one.taken for one in again] == dues
    assert {one.note for one in again} == {RefundNote.TAKEN}
    assert all(one.is_repeat for one in again)
    assert house.balance(alice) == house.campaign(uid).spent == 0
    assert house.campaign(uid).budget.left == 1_000
    with pytest.raises(RefundTooLarge):
        ask(house, till, "s1", "r4", 1)


async def test_a_refund_after_orientation_leaves_the_gift_where_it_is(house: House) -> None:
    """What was directed to a project is a gift made: it is neither taken there nor from the customer's other miles."""
    uid, till, alice = await sold(house)
    project = house.account(AccountKind.PROJECT)
    house.orient(alice, project, 150)
    first = ask(house, till, "s1", "r1", 10_000)
    assert (first.state, first.due, first.note) == (RefundState.ASKED, 200, None)
    await house.exchange()
    settled = ask(house, till, "s1", "r1", 10_000)
    assert (settled.taken, settled.note) == (50, RefundNote.PART_ORIENTED)
    assert house.balance(project) == house.campaign(uid).spent == 150
    house.sell(till, uid, "s2", alice, 10_000)
    await house.exchange()
    house.orient(alice, project, 200)
    ask(house, till, "s2", "r1", 5_000)
    await house.exchange()
    assert ask(house, till, "s2", "r1", 5_000).note is RefundNote.ALL_ORIENTED
    assert house.campaign(uid).spent == 350


async def test_what_comes_back_is_there_for_another_customer_and_frees_the_holders_day(house: House) -> None:
    uid, till, alice = await sold(house, 25_000)
    assert house.balance(alice) == 500
    assert house.sell(till, uid, "s2", alice, 1_000).cents == 0, "the day's ceiling is reached"
    ask(house, till, "s1", "r1", 12_500)
    await house.exchange()
    assert house.sell(till, uid, "s3", alice, 1_000).cents == 20
    assert house.sell(till, uid, "s4", house.account(), 25_000).cents == 500
    await house.exchange()
    assert house.campaign(uid).spent == 770


async def test_a_refund_told_before_the_accounts_answered_the_sale_is_taken_from_it(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    alice = house.account()
    house.sell(till, uid, "s1", alice, 10_000)
    ask(house, till, "s1", "r1", 5_000)
    await house.exchange()
    assert house.balance(alice) == house.campaign(uid).spent == 100


async def test_a_refund_of_what_gave_nothing_is_noted_once(house: House) -> None:
    uid = await house.run(make_terms(ceilings=Ceilings(campaign=Cents(100))))
    till, _ = house.till()
    house.sell(till, uid, "s1", house.account(), 10_000)
    refused = ask(house, till, "s1", "r1", 10_000)
    assert (refused.state, refused.note) == (RefundState.DONE, RefundNote.NOTHING_DUE)
    with pytest.raises(RefundTooLarge):
        ask(house, till, "s1", "r2", 1)


async def test_a_refund_of_a_grant_that_the_accounts_refused_takes_nothing(house: House) -> None:
    uid = await house.run()
    till, _ = house.till()
    house.sell(till, uid, "s1", "ZZZZZZZZ", 10_000)
    before = ask(house, till, "s1", "r1", 5_000)
    assert before.state is RefundState.ASKED
    await house.exchange()
    settled = ask(house, till, "s1", "r1", 5_000)
    assert (settled.taken, settled.note, settled.code) == (0, None, "posting_unknown")
    after = ask(house, till, "s1", "r2", 5_000)
    assert (after.state, after.note) == (RefundState.DONE, RefundNote.NOTHING_DUE)
    assert house.campaign(uid).spent == 0


async def test_a_frozen_account_keeps_what_it_has_and_the_till_is_told_why(house: House) -> None:
    _, till, alice = await sold(house)
    house.ledger.write_now(house.ledger.change_states, ChangeState(account=alice, event=AccountEvent.FREEZE))
    ask(house, till, "s1", "r1", 10_000)
    await house.exchange()
    assert ask(house, till, "s1", "r1", 10_000).code == "account_frozen"
    assert house.balance(alice) == 200


async def test_an_id_is_one_refund_and_a_sale_must_be_known(house: House) -> None:
    _, till, _ = await sold(house)
    ask(house, till, "s1", "r1", 100)
    with pytest.raises(IdMismatch):
        ask(house, till, "s1", "r1", 101)
    with pytest.raises(SaleUnknown):
        ask(house, till, "s9", "r1", 100)
    other, _ = house.till(2)
    with pytest.raises(SaleUnknown):
        ask(house, other, "s1", "r9", 100)
    await house.exchange()


async def test_a_till_that_was_put_away_refunds_nothing(house: House) -> None:
    _, till, _ = await sold(house)
    house.revoke(till, RevocationReason.RETIRED)
    with pytest.raises(CredentialRevoked):
        ask(house, till, "s1", "r1", 100)


@pytest.mark.parametrize("rate", [0.4])
async def test_whatever_the_line_loses_each_refund_is_taken_once(house: House, rate: float) -> None:
    uid = await house.run()
    till, _ = house.till()
    people = [house.account() for _ in range(3)]
    for number in range(20):
        house.sell(till, uid, f"s{number}", people[number % 3], house.dice.randint(1_000, 9_000))
        if number % 2:
            ask(house, till, f"s{number}", "r1", house.dice.randint(1, 1_000))
            ask(house, till, f"s{number - 1}", "r1", 1_000)
        await house.exchange(lambda _what: house.dice.random() < rate)
    await house.exchange()
    assert sum(house.balance(one) for one in people) == house.campaign(uid).spent
