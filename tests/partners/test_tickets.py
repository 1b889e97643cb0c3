"""Claim tickets: typed, scanned, bent, cut, forged and late."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import replace
from typing import Any

import pytest
import segno
from hypothesis import example, given
from hypothesis import strategies as st

from node.partners.companies import Siren
from node.partners.errors import InvalidSiren, InvalidTicket, TicketExpired, TicketForged
from node.partners.purchases import PurchaseId, TillNumber
from node.partners.tickets import (
    CENTS_MAX,
    LAST_DAY,
    PURCHASE_BYTES,
    Ticket,
    TicketKey,
    derive_till_key,
    digest_purchase,
    format_ticket,
    format_ticket_qr,
    read_origin,
    verify_ticket,
)
from protocol.amounts import Cents
from protocol.errors import InvalidAmount
from tests.partners.values import BAKERY, DAY, OTHER

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTWXYZ"  # said again
SECRET = bytes(range(32))
TILL = TillNumber(7)
KEY = derive_till_key(3, SECRET, BAKERY, TILL)
TICKET = Ticket(
    company=BAKERY,
    till=TILL,
    purchase=digest_purchase(PurchaseId("2026-11-23/0042")),
    cents=Cents(150),
    expires_on=DAY,
)
TYPED = format_ticket(TICKET, KEY)


def _verify(text: object, *, key: TicketKey = KEY, day: datetime.date = DAY) -> Ticket:
    return verify_ticket(text, {key.number: key}, day=day)


def _write_by_hand(secret: bytes, fields: list[tuple[int, int]]) -> str:
    """The layout of the module's docstring, written as a string of bits; the check symbol by trying all of them."""
    bits = "".join(f"{value:0{width}b}" for width, value in fields)
    body = int(bits, 2).to_bytes(17, "big")
    mac = hashlib.blake2b(body, key=secret, digest_size=8, person=b"cm-ticket").digest()
    number = int(bits + f"{int.from_bytes(mac, 'big'):064b}"[:60], 2)
    data = ""
    for _ in range(39):
        data = SYMBOLS[number % 31] + data
        number //= 31
    for check in SYMBOLS:
        if (17 + sum(3**place * SYMBOLS.index(symbol) for place, symbol in enumerate(data + check, 1))) % 31 == 0:
            return data + check
    raise AssertionError("a prime has an inverse for each weight")


def _fields(ticket: Ticket, key: int, version: int = 1) -> list[tuple[int, int]]:
    days = (ticket.expires_on - datetime.date(1970, 1, 1)).days
    purchase = int.from_bytes(ticket.purchase, "big")
    return [
        *((2, version), (3, key), (30, int(ticket.company)), (14, ticket.till)),
        *((48, purchase), (20, ticket.cents), (16, days)),
    ]


tickets = st.builds(
    Ticket,
    company=st.sampled_from([BAKERY, OTHER, Siren("000000018")]),
    till=st.integers(1, 16_383).map(TillNumber),
    purchase=st.binary(min_size=PURCHASE_BYTES, max_size=PURCHASE_BYTES),
    cents=st.integers(1, 999_999).map(Cents),
    expires_on=st.dates(datetime.date(1970, 1, 1), datetime.date(2149, 6, 6)),
)


@given(tickets, st.integers(0, 7), st.binary(min_size=32, max_size=32))
def test_a_ticket_is_written_as_the_layout_says_and_read_back(ticket: Ticket, number: int, secret: bytes) -> None:
    key = TicketKey(number=number, secret=secret)
    expected = _write_by_hand(secret, _fields(ticket, number))
    assert format_ticket(ticket, key).replace("-", "") == expected
    assert format_ticket_qr(ticket, key) == "CMT1:" + expected
    assert read_origin(expected) == (ticket.company, ticket.till, number)
    for text in (format_ticket(ticket, key), format_ticket_qr(ticket, key)):
        assert _verify(text, key=key, day=ticket.expires_on) == ticket


def test_a_ticket_of_today_is_read_for_ever() -> None:
    # Golden: if this line changes, tickets in people's pockets are void.
    assert TYPED == "9QGY-9MYR-KB4W-72N5-3J06-DAX6-C0JR-FF39-71X2-EE31"


def test_ten_groups_of_four_and_a_small_qr_code() -> None:
    assert [len(group) for group in TYPED.split("-")] == [4] * 10
    code = segno.make(format_ticket_qr(TICKET, KEY), error="m", micro=False)
    assert code.mode == "alphanumeric"
    assert code.version <= 3


def test_what_people_do_to_a_ticket_is_forgiven() -> None:
    for text in (
        TYPED.lower(),
        TYPED.replace("-", " "),
        f"  {TYPED}\n",
        TYPED.replace("-", "\u2011"),
        TYPED.replace("0", "O").replace("1", "l"),
        TYPED.replace("0", "o").replace("1", "I"),
        format_ticket_qr(TICKET, KEY).lower(),
    ):
        assert _verify(text) == TICKET


@given(st.integers(0, 39), st.integers(1, 30))
def test_any_wrong_symbol_is_a_mistake_of_the_hand(place: int, added: int) -> None:
    plain = TYPED.replace("-", "")
    bent = SYMBOLS[(SYMBOLS.index(plain[place]) + added) % 31]
    with pytest.raises(InvalidTicket) as refusal:
        _verify(plain[:place] + bent + plain[place + 1 :])
    assert "check symbol" in str(refusal.value.facts["reason"])


@given(tickets, st.integers(0, 38))
def test_any_swap_of_neighbours_is_a_mistake_of_the_hand(ticket: Ticket, place: int) -> None:
    plain = format_ticket(ticket, KEY).replace("-", "")
    if plain[place] != plain[place + 1]:
        with pytest.raises(InvalidTicket):
            _verify(plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :])


@given(tickets, st.data())
def test_a_bent_ticket_with_a_right_check_symbol_is_a_forgery(ticket: Ticket, data: st.DataObject) -> None:
    fields = _fields(ticket, KEY.number)
    forger = data.draw(st.binary(min_size=32, max_size=32).filter(lambda secret: secret != KEY.secret))
    with pytest.raises(TicketForged):
        _verify(_write_by_hand(forger, fields))
    # One field raised, the old MAC kept: the one who adds a zero to the cents.
    number = 0
    for symbol in format_ticket(ticket, KEY).replace("-", "")[:39]:
        number = number * 31 + SYMBOLS.index(symbol)
    bit = data.draw(st.integers(0, 192))
    bent = number ^ 1 << bit
    plain = ""
    for _ in range(39):
        plain = SYMBOLS[bent % 31] + plain
        bent //= 31
    check = next(
        check
        for check in SYMBOLS
        if (17 + sum(3**place * SYMBOLS.index(symbol) for place, symbol in enumerate(plain + check, 1))) % 31 == 0
    )
    with pytest.raises((TicketForged, InvalidTicket)):
        _verify(plain + check)


@pytest.mark.parametrize("length", range(0, 40))
def test_a_ticket_cut_short_is_refused(length: int) -> None:
    with pytest.raises(InvalidTicket):
        _verify(TYPED.replace("-", "")[:length])


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "CMT1:",
        TYPED + "0",
        TYPED + TYPED,
        TYPED.replace("-", "U"),
        "V" * 40,
        "é" * 40,
        "٣" * 40,
        "0" * 10**6,
        "CMT1:CMT1:" + TYPED,
        None,
        b"0" * 40,
        7,
    ],
)
def test_what_is_no_ticket_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidTicket):
        _verify(wrong)


def test_a_ticket_among_endless_spaces_is_not_looked_for() -> None:
    assert _verify(TYPED + " " * (120 - len(TYPED))) == TICKET
    with pytest.raises(InvalidTicket):
        _verify(TYPED + " " * (121 - len(TYPED)))


@given(st.text(max_size=130))
@example("\u017f" * 40)  # a long s, whose capital is S
def test_any_text_is_a_ticket_or_a_refusal(text: str) -> None:
    with pytest.raises((InvalidTicket, TicketForged)):
        _verify(text)


def test_what_no_till_makes_is_unreadable_whoever_signs_it() -> None:
    good = _fields(TICKET, KEY.number)
    assert _verify(_write_by_hand(KEY.secret, good)) == TICKET
    for place, value in ((0, 2), (0, 0), (2, 732829321), (2, 0), (3, 0), (5, 0), (5, CENTS_MAX + 1)):
        bent = [*good[:place], (good[place][0], value), *good[place + 1 :]]
        with pytest.raises(InvalidTicket):
            _verify(_write_by_hand(KEY.secret, bent))


def test_a_till_makes_tickets_in_its_own_name_only() -> None:
    for company, till, number, secret in (
        (OTHER, TILL, 3, SECRET),
        (BAKERY, TillNumber(8), 3, SECRET),
        (BAKERY, TILL, 3, bytes(32)),
    ):
        assert derive_till_key(number, secret, company, till).secret != KEY.secret
        with pytest.raises(TicketForged):
            _verify(TYPED, key=derive_till_key(number, secret, company, till))
    with pytest.raises(TicketForged):
        verify_ticket(TYPED, {2: KEY}, day=DAY)
    with pytest.raises(TicketForged):
        verify_ticket(TYPED, {}, day=DAY)


def test_the_last_day_counts_and_the_next_does_not() -> None:
    assert _verify(TYPED, day=DAY) == TICKET
    with pytest.raises(TicketExpired):
        _verify(TYPED, day=DAY + datetime.timedelta(days=1))


def test_a_forged_ticket_does_not_learn_that_it_is_late() -> None:
    forged = _write_by_hand(bytes(32), _fields(TICKET, KEY.number))
    with pytest.raises(TicketForged):
        _verify(forged, day=LAST_DAY)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"cents": Cents(0)}, InvalidAmount),
        ({"cents": Cents(1_000_000)}, InvalidAmount),
        ({"company": Siren("732 829 320")}, InvalidSiren),
        ({"purchase": bytes(5)}, InvalidTicket),
        ({"expires_on": datetime.date(2149, 6, 7)}, InvalidTicket),
        ({"expires_on": datetime.date(1969, 12, 31)}, InvalidTicket),
    ],
)
def test_a_ticket_is_valid_when_made(changes: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        replace(TICKET, **changes)


def test_a_key_is_never_printed_and_has_its_length() -> None:
    assert repr(KEY) == "TicketKey(3)"
    with pytest.raises(ValueError):
        TicketKey(number=8, secret=bytes(32))
    with pytest.raises(ValueError):
        TicketKey(number=0, secret=bytes(31))
    with pytest.raises(ValueError):
        derive_till_key(0, bytes(16), BAKERY, TILL)
