"""A citizen claims a ticket over HTTP, without any credential: once, and without being told what helps to guess."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from node.desks.partners.counter_api import COUNTER
from node.desks.partners.guesses import OF_ONE, read_proxies
from node.partners.purchases import TillNumber
from node.partners.tickets import Ticket, derive_till_key, format_ticket
from protocol.amounts import Cents
from protocol.identifiers import make_account_number
from protocol.times import DAY_MS
from tests.node.counter import Counter, Told
from tests.partners.house import BAKERY, TODAY


@pytest.fixture
def counter(file_counter: Counter) -> Counter:
    """On files: the base does not matter here. What does is in test_tills_api.py."""
    return file_counter


async def _claim(counter: Counter, ticket: str, account: str, **more: Any) -> Told:
    return await counter.call("POST", "/citizen-claims", {"ticket": ticket, "account": account}, key="", **more)


async def test_a_citizen_claims_a_ticket_without_any_credential(counter: Counter) -> None:
    sold = await counter.sell("s1", None, 5_000)
    alice, bob = counter.person(), counter.person()
    told = await _claim(counter, sold.json["ticket_qr"], alice)
    assert (told.status, told.json) == (201, {"status": "granted", "cents": 100, "repeated": False})
    again = await _claim(counter, sold.json["ticket"], alice)
    assert (again.status, again.json["repeated"]) == (200, True)
    late = await _claim(counter, sold.json["ticket"], bob)
    assert (late.status, late.json["code"]) == (422, "ticket_claimed")
    assert (counter.house.balance(_number(alice)), counter.house.balance(_number(bob))) == (100, 0)


async def test_a_stranger_is_not_told_why_a_ticket_is_worth_nothing(counter: Counter) -> None:
    """Forged, of a till that is not there, not told yet, refunded, expired: one answer, to the byte."""
    alice, house = counter.person(), counter.house
    refunded = (await counter.sell("s1", None, 5_000)).json["ticket"]
    await counter.call("POST", "/refunds", {"id": "r1", "purchase": "s1", "cents": 5_000})
    expired = (await counter.sell("s2", None, 5_000)).json["ticket"]
    number = counter.till.require_number()
    own = house.partners.tills.ticket_key(BAKERY, number)
    stranger = derive_till_key(0, bytes(32), BAKERY, number)
    day = TODAY + datetime.timedelta(days=200)
    tickets = [refunded, expired]
    for key, till, purchase in ((stranger, number, b"s2"), (own, number, b"untold"), (own, TillNumber(77), b"s2")):
        ticket = Ticket(company=BAKERY, till=till, purchase=purchase.ljust(6), cents=Cents(100), expires_on=day)
        tickets.append(format_ticket(ticket, key))
    house.pass_time(100 * DAY_MS)
    told = [await _claim(counter, text, alice) for text in tickets]
    assert {(one.status, one.json["code"], str(one.json)) for one in told} == {
        (422, "ticket_not_claimable", str(told[0].json))
    }
    assert house.balance(_number(alice)) == 0


async def test_who_guesses_waits_and_who_mistypes_or_has_a_ticket_does_not(counter: Counter) -> None:
    alice = counter.person()
    tickets = [(await counter.sell(f"s{number}", None, 5_000)).json["ticket"] for number in range(3)]
    wrong = derive_till_key(0, bytes(32), BAKERY, counter.till.require_number())

    def forge(number: int) -> str:
        ticket = Ticket(
            company=BAKERY,
            till=counter.till.require_number(),
            purchase=number.to_bytes(6, "big"),
            cents=Cents(100),
            expires_on=TODAY,
        )
        return format_ticket(ticket, wrong)

    for _ in range(OF_ONE.most + 1):
        assert (await _claim(counter, tickets[0][:-1], alice)).json["code"] == "invalid_ticket"
        assert (await _claim(counter, tickets[0], alice)).status < 300
        assert (await _claim(counter, tickets[0], "7K3F-92QX-0@242900314")).json["code"] == "invalid_address"
    for number in range(OF_ONE.most):
        assert (await _claim(counter, forge(number), alice)).json["code"] == "ticket_not_claimable"
    told = await _claim(counter, tickets[1], alice)
    assert (told.status, told.json["code"], told.headers["Retry-After"]) == (429, "too_many_guesses", "60")
    elsewhere = {"X-Forwarded-For": "198.51.100.9"}
    assert (await _claim(counter, tickets[1], alice, more_headers=elsewhere)).status == 429, (
        "nobody believes a stranger"
    )
    counter.server.app[COUNTER].proxies = read_proxies(["127.0.0.1"])
    assert (await _claim(counter, tickets[1], alice, more_headers=elsewhere)).status == 201
    counter.house.pass_time(OF_ONE.every_ms)
    assert (await _claim(counter, tickets[2], alice)).status == 201


async def test_whoever_has_a_ticket_does_not_try_out_accounts_with_it(counter: Counter) -> None:
    ticket = (await counter.sell("s1", None, 5_000)).json["ticket"]
    for _ in range(OF_ONE.most):
        nobody = make_account_number(counter.house.entropy(16))
        assert (await _claim(counter, ticket, nobody)).json["code"] == "account_unknown"
    assert (await _claim(counter, ticket, counter.person())).status == 429
    counter.house.pass_time(OF_ONE.every_ms)
    assert (await _claim(counter, ticket, counter.person())).status == 201, "the ticket is worth what it was"


def _number(address: str) -> str:
    return address[:4] + address[5:9]
