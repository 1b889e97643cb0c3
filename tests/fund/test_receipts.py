"""The values of the receipts: every mention is there, hangs on euros received, and is frozen at issue."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.frozen_receipts import compute_digest, digest_of, freeze, thaw
from node.fund.issued_receipts import Cancellation, IssuedReceipt, ReceiptState, cancel, issue, mark_duplicate
from node.fund.printed_text import find_fault, tidy_text
from node.fund.receipt_errors import InvalidReceipt, InvalidReceiptNumber, ReceiptCancelled
from node.fund.receipt_forms import CategoryBox, ReceiptForm
from node.fund.receipt_parameters_store import load_form, load_form_in_force
from node.fund.receipts import Company, GiftForm, Individual, Issuer, Payment, PaymentMeans, PostalAddress, ReceiptKind
from protocol.amounts import CENTS_MAX, Cents
from protocol.errors import InvalidAmount, NotCanonical
from tests.fund.receipt_makers import (
    ADDRESS,
    COMPANY,
    COMPANY_FORM,
    FUND,
    INDIVIDUAL_FORM,
    ISSUED_ON,
    PERSON,
    make_gift_in_kind,
    make_number,
    make_payments,
    make_receipt,
    receipts,
)

# ---------------------------------------------------------------- what a receipt needs


def test_the_amount_is_the_sum_of_the_payments_to_the_cent() -> None:
    payments = make_payments(13)
    total = sum(payment.cents for payment in payments)
    assert make_receipt(payments=payments).cents == total
    for wrong in (total - 1, total + 1):
        with pytest.raises(InvalidReceipt) as refusal:
            make_receipt(payments=payments, cents=Cents(wrong))
        assert refusal.value.facts["field"] == "cents"


def test_a_receipt_hangs_on_euros_received() -> None:
    with pytest.raises(InvalidReceipt, match="euros received"):
        make_receipt(payments=(), cents=Cents(100))
    # Not even goods alone make one.
    with pytest.raises(InvalidReceipt, match="euros received"):
        make_receipt(COMPANY, payments=(), cents=Cents(100), gifts_in_kind=(make_gift_in_kind(),))


def test_no_receipt_below_one_cent() -> None:
    day = datetime.date(2026, 5, 1)
    for cents in (0, -1, 0.5, True):
        with pytest.raises(InvalidAmount):
            Payment(received_on=day, cents=cents, means=PaymentMeans.CARD, reference="A")  # type: ignore[arg-type]
    assert make_receipt(payments=make_payments(1, 1)).total == 1


def test_the_same_payment_is_never_covered_twice() -> None:
    payment = make_payments(1)[0]
    with pytest.raises(InvalidReceipt, match="twice"):
        make_receipt(payments=(payment, payment))


def test_no_receipt_before_the_money_came() -> None:
    payments = make_payments(2)
    last = payments[-1].received_on
    assert make_receipt(payments=payments, issued_on=last).last_on == last
    with pytest.raises(InvalidReceipt):
        make_receipt(payments=payments, issued_on=last - datetime.timedelta(days=1))


@pytest.mark.parametrize("siren", ["", "552100555", "55210055", "000000000", "５５２１００５５４", None, 552100554])
def test_no_company_receipt_without_its_siren(siren: Any) -> None:
    with pytest.raises(InvalidReceipt) as refusal:
        Company(name="A", legal_form="SAS", siren=siren, address=ADDRESS)
    assert refusal.value.facts["field"] == "donor.siren"


def test_an_issuer_has_a_siren_or_an_rna() -> None:
    told = {"name": "Fonds", "address": ADDRESS, "purpose": "Culture", "category": "endowment_fund"}
    assert Issuer(**told, rna="W691234567").codes == {"W691234567"}
    for wrong in ({}, {"siren": "732829321"}, {"rna": "W69123456"}, {"rna": "w691234567"}):
        with pytest.raises(InvalidReceipt):
            Issuer(**told, **wrong)


def test_a_number_of_another_issuer_is_refused() -> None:
    other = dataclasses.replace(make_number(), issuer=COMPANY.siren)
    with pytest.raises(InvalidReceipt, match="another issuer"):
        make_receipt(number=other)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *((Individual, field) for field in ("name", "first_name")),
        *((Company, field) for field in ("name", "legal_form")),
        *((Issuer, field) for field in ("name", "purpose", "category")),
        *((PostalAddress, field) for field in ("street", "postcode", "town", "country")),
    ],
)
@pytest.mark.parametrize("text", ["", " ", " a", "a\u202eb", "a\nb", "a\x00", "漢字", "e\u0301", "x" * 601, None])
def test_each_mention_is_there_and_can_be_printed(kind: type, field: str, text: Any) -> None:
    made = {Individual: PERSON, Company: COMPANY, Issuer: FUND, PostalAddress: ADDRESS}[kind]
    with pytest.raises(InvalidReceipt):
        dataclasses.replace(made, **{field: text})


def test_a_postcode_is_french_in_france_only() -> None:
    with pytest.raises(InvalidReceipt):
        dataclasses.replace(ADDRESS, postcode="SW1A")
    assert dataclasses.replace(ADDRESS, postcode="", country="Sénégal").postcode == ""


def test_each_form_has_its_own_mentions() -> None:
    with pytest.raises(InvalidReceipt):
        make_receipt(PERSON, gift_form=None)
    with pytest.raises(InvalidReceipt):
        make_receipt(COMPANY, gift_form=GiftForm.MANUAL_GIFT)
    with pytest.raises(InvalidReceipt):
        make_receipt(PERSON, gifts_in_kind=(make_gift_in_kind(),))
    other = (dataclasses.replace(make_payments(1)[0], means=PaymentMeans.OTHER),)
    assert make_receipt(COMPANY, payments=other).kind is ReceiptKind.COMPANY
    with pytest.raises(InvalidReceipt):
        make_receipt(PERSON, payments=other)


def test_goods_come_on_top_of_the_payments_and_stretch_the_period() -> None:
    gift = make_gift_in_kind(250_000)
    receipt = make_receipt(COMPANY, payments=make_payments(1, 100), gifts_in_kind=(gift,))
    assert (receipt.cents, receipt.cents_in_kind, receipt.total) == (100, 250_000, 250_100)
    assert (receipt.first_on, receipt.last_on) == (datetime.date(2026, 1, 1), datetime.date(2026, 5, 1))


def test_goods_and_payments_together_stay_an_amount() -> None:
    with pytest.raises(InvalidReceipt):
        make_receipt(COMPANY, payments=make_payments(1, 1), gifts_in_kind=(make_gift_in_kind(CENTS_MAX),))


def test_a_receipt_names_at_most_two_thousand_payments() -> None:
    make_receipt(payments=make_payments(2_000))
    with pytest.raises(InvalidReceipt):
        make_receipt(payments=make_payments(2_001))


def test_a_receipt_replaces_another_one_of_the_same_fund() -> None:
    assert make_receipt(number=make_number(2), replaces=make_number(1)).replaces == make_number(1)
    with pytest.raises(InvalidReceipt):
        make_receipt(number=make_number(2), replaces=make_number(2))
    with pytest.raises(InvalidReceipt):
        make_receipt(replaces=dataclasses.replace(make_number(2), issuer=COMPANY.siren))


# ---------------------------------------------------------------- texts


@given(st.text(max_size=30))
def test_a_tidied_line_is_refused_for_its_letters_only(text: str) -> None:
    fault = find_fault(tidy_text(text), 200)
    assert fault is None or fault.startswith("U+") or not text.split()


def test_a_refused_text_says_what_to_mend() -> None:
    assert find_fault("e\u0301te\u0301", 200) == "its accents are apart from their letters"
    assert find_fault(tidy_text(" e\u0301te\u0301  clair "), 200) is None
    assert find_fault("漢字", 200) == "U+6F22 cannot be printed: Latin, Greek or Cyrillic letters"
    assert find_fault("a\nb", 200) is not None
    assert find_fault("a\nb", 200, is_long=True) is None


def test_french_as_it_is_typed_can_be_printed() -> None:
    text = "L’Œuvre « Ça et là » – n° 3 : 12 € à l’îlot Noël, 1\u202f000 m², naïveté…"
    assert find_fault(text, 200) is None


# ---------------------------------------------------------------- forms


def test_the_form_follows_the_day_and_a_copy_its_own_version() -> None:
    assert load_form_in_force(ReceiptKind.COMPANY, datetime.date(2025, 12, 31)).version == "16216*02"
    assert load_form_in_force(ReceiptKind.COMPANY, datetime.date(2026, 1, 1)).version == COMPANY_FORM
    assert load_form_in_force(ReceiptKind.INDIVIDUAL, ISSUED_ON).version == INDIVIDUAL_FORM
    assert load_form(ReceiptKind.COMPANY, "16216*02").model == "2041-MEC-SD"
    with pytest.raises(LookupError):
        load_form(ReceiptKind.INDIVIDUAL, COMPANY_FORM)
    with pytest.raises(LookupError):
        load_form_in_force(ReceiptKind.COMPANY, datetime.date(2021, 12, 31))


def test_a_receipt_of_another_form_is_not_drawn_on_this_one() -> None:
    individual = load_form(ReceiptKind.INDIVIDUAL, INDIVIDUAL_FORM)
    company = load_form(ReceiptKind.COMPANY, COMPANY_FORM)
    assert individual.require_fit(make_receipt()).words == "Fonds de dotation"
    assert individual.article == "200"
    assert company.article == "238 bis"
    with pytest.raises(InvalidReceipt):
        company.require_fit(make_receipt())
    with pytest.raises(InvalidReceipt):
        individual.require_fit(make_receipt(form_version="11580*04"))


def test_the_box_of_the_category_asks_for_its_detail() -> None:
    form = load_form(ReceiptKind.INDIVIDUAL, INDIVIDUAL_FORM)
    with pytest.raises(InvalidReceipt) as refusal:
        form.require_fit(make_receipt(issuer=dataclasses.replace(FUND, category="unheard_of")))
    assert refusal.value.facts["field"] == "issuer.category"
    other = dataclasses.replace(FUND, category="other")
    with pytest.raises(InvalidReceipt) as refusal:
        form.require_fit(make_receipt(issuer=other))
    assert refusal.value.facts["field"] == "issuer.category_detail"
    form.require_fit(make_receipt(issuer=dataclasses.replace(other, category_detail="Syndicat mixte")))


@pytest.mark.parametrize("field", ["article", "title", "certification"])
def test_no_form_serves_the_tax_on_fortunes(field: str) -> None:
    told: dict[str, Any] = {"article": "200", "title": "Reçu", "certification": "Certifie"}
    told[field] = "978"
    boxes = {"endowment_fund": CategoryBox(words="Fonds de dotation")}
    with pytest.raises(ValueError):
        ReceiptForm(kind=ReceiptKind.INDIVIDUAL, model="2041-RD", version="11580*05", categories=boxes, **told)


# ---------------------------------------------------------------- frozen bytes

GOLDEN_DIGEST = "82d0bed4e8b7930040debf215acb1f2b53fc803ee9f1f836b6df74ae72eead32"


@given(receipts())
def test_a_frozen_receipt_is_read_back_whole(receipt: Any) -> None:
    frozen = freeze(receipt)
    assert thaw(frozen) == receipt
    # The oracle is the plain library: what was frozen holds every text of the receipt.
    told = msgspec.msgpack.decode(frozen)
    assert told["donor"]["name"] == receipt.donor.name
    assert [payment["cents"] for payment in told["payments"]] == [payment.cents for payment in receipt.payments]
    assert set(told) == {field.name for field in dataclasses.fields(receipt)} | {"version", "kind"}


def test_the_digest_is_what_it_is() -> None:
    # Golden: were it to change, every receipt issued before would be called forged.
    receipt = make_receipt()
    expected = hashlib.blake2b(freeze(receipt), digest_size=32, person=b"cm-receipt").digest()
    assert compute_digest(receipt) == expected
    assert expected.hex() == GOLDEN_DIGEST


@given(receipts(), st.data())
def test_one_byte_changed_is_another_digest_or_no_receipt(receipt: Any, data: st.DataObject) -> None:
    frozen = bytearray(freeze(receipt))
    place = data.draw(st.integers(0, len(frozen) - 1))
    frozen[place] ^= data.draw(st.integers(1, 255))
    assert digest_of(bytes(frozen)) != compute_digest(receipt)
    try:
        read = thaw(bytes(frozen))
    except (NotCanonical, InvalidReceipt, InvalidReceiptNumber, InvalidAmount):
        return
    assert read != receipt


@pytest.mark.parametrize("told", [[], {}, {"kind": "company"}, 7, None, "receipt"])
def test_bytes_that_are_no_receipt_are_refused(told: Any) -> None:
    with pytest.raises(NotCanonical):
        thaw(msgspec.msgpack.encode(told))


def test_a_field_too_many_is_refused() -> None:
    told = msgspec.msgpack.decode(freeze(make_receipt()))
    told["zebra"] = 1
    with pytest.raises(NotCanonical):
        thaw(msgspec.msgpack.encode(told, order="sorted"))


# ---------------------------------------------------------------- after the issue


def test_a_receipt_is_cancelled_once_with_a_reason() -> None:
    issued = issue(make_receipt())
    assert issued.state is ReceiptState.ISSUED
    why = Cancellation(on=datetime.date(2027, 2, 1), reason="Adresse erronée", replaced_by=make_number(2))
    cancelled = cancel(issued, why)
    assert cancelled.state is ReceiptState.CANCELLED
    assert cancelled.receipt == issued.receipt
    assert cancelled.digest == issued.digest
    with pytest.raises(ReceiptCancelled):
        cancel(cancelled, why)
    with pytest.raises(ReceiptCancelled):
        mark_duplicate(cancelled, datetime.date(2027, 3, 1))


def test_a_cancellation_says_why_and_comes_after() -> None:
    issued = issue(make_receipt())
    with pytest.raises(InvalidReceipt):
        Cancellation(on=ISSUED_ON, reason=" ")
    with pytest.raises(InvalidReceipt):
        cancel(issued, Cancellation(on=ISSUED_ON - datetime.timedelta(days=1), reason="Erreur"))
    with pytest.raises(InvalidReceipt):
        cancel(issued, Cancellation(on=ISSUED_ON, reason="Erreur", replaced_by=make_number(1)))


def test_copies_are_counted_and_come_after() -> None:
    first, second = datetime.date(2027, 2, 1), datetime.date(2027, 3, 1)
    issued = mark_duplicate(mark_duplicate(issue(make_receipt()), first), second)
    assert issued.duplicates == (first, second)
    with pytest.raises(InvalidReceipt):
        mark_duplicate(issued, first)
    with pytest.raises(InvalidReceipt):
        mark_duplicate(issue(make_receipt()), ISSUED_ON - datetime.timedelta(days=1))


def test_a_receipt_changed_after_its_issue_is_seen() -> None:
    issued = issue(make_receipt())
    changed = make_receipt(signatory=dataclasses.replace(issued.receipt.signatory, quality="Présidente"))
    with pytest.raises(InvalidReceipt) as refusal:
        IssuedReceipt(receipt=changed, digest=issued.digest)
    assert refusal.value.facts["field"] == "digest"
