"""The payment QR, read back line by line."""

from __future__ import annotations

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from node.fund.bank_errors import InvalidPaymentText
from node.fund.payment_qr import PAYLOAD_MAX, PaymentRequest, draw_svg, write_payload
from node.fund.references import Iban, make_reference
from protocol.amounts import Cents
from protocol.errors import InvalidAmount

IBAN = Iban("FR7630006000011234567890189")


@given(st.integers(1, 99_999_999_999), st.integers(1, 10**12 - 1))
def test_the_lines_say_the_request(cents: int, number: int) -> None:
    request = PaymentRequest(name="Fonds des Miles", iban=IBAN, cents=Cents(cents), reference=make_reference(number))
    lines = write_payload(request).decode().split("\n")
    assert lines[:7] == ["BCD", "002", "1", "SCT", "", "Fonds des Miles", IBAN]
    assert lines[7].startswith("EUR")
    euros, decimals = lines[7][3:].split(".")
    assert len(decimals) == 2
    assert int(euros) * 100 + int(decimals) == cents
    assert lines[8:] == ["", make_reference(number)]


def test_one_code_byte_for_byte() -> None:
    request = PaymentRequest(name="Été", iban=IBAN, cents=Cents(1205), text="Don € d’été")
    expected = f"BCD\n002\n1\nSCT\n\nÉté\n{IBAN}\nEUR12.05\n\n\nDon € d’été"
    assert write_payload(request) == expected.encode()


def test_the_limit_is_in_bytes() -> None:
    fits = PaymentRequest(name="é" * 68, iban=IBAN, cents=Cents(1), text="a" * 140)
    assert len(write_payload(fits)) == PAYLOAD_MAX - 1
    with pytest.raises(InvalidPaymentText):
        write_payload(PaymentRequest(name="é" * 70, iban=IBAN, cents=Cents(1), text="é" * 140))


def test_what_a_code_cannot_say_is_refused() -> None:
    with pytest.raises(InvalidPaymentText):
        PaymentRequest(name="A", iban=IBAN, cents=Cents(1), text="B", reference=make_reference(1))
    with pytest.raises(InvalidPaymentText):
        PaymentRequest(name="A\nB", iban=IBAN, cents=Cents(1))
    with pytest.raises(InvalidPaymentText):
        PaymentRequest(name="A" * 71, iban=IBAN, cents=Cents(1))
    for cents in (0, -1, 100_000_000_000):
        with pytest.raises(InvalidAmount):
            PaymentRequest(name="A", iban=IBAN, cents=Cents(cents))


def test_the_drawing_has_the_modules_of_the_code() -> None:
    payload = write_payload(PaymentRequest(name="Fonds", iban=IBAN, cents=Cents(100), reference=make_reference(7)))
    svg = etree.fromstring(draw_svg(payload).encode())
    code = segno.make_qr(payload, error="m", boost_error=False, mode="byte")
    side = len(code.matrix) + 8
    assert svg.get("viewBox") == f"0 0 {side} {side}"


def test_the_longest_payload_fits_the_largest_code_allowed() -> None:
    assert draw_svg(b"x" * PAYLOAD_MAX).startswith("<svg")
