"""Makes receipts for tests: plain ones, and any that the forms allow."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import strategies as st

from node.fund.printed_text import PRINTABLE, find_fault, tidy_text
from node.fund.receipt_numbers import ReceiptNumber
from node.fund.receipts import (
    Company,
    GiftForm,
    GiftInKind,
    Individual,
    Issuer,
    Payment,
    PaymentMeans,
    PostalAddress,
    Receipt,
    Signatory,
)
from protocol.amounts import Cents

NODE = "https://miles.example"
FUND_SIREN = "732829320"
COMPANY_SIREN = "552100554"
INDIVIDUAL_FORM = "11580*05"
COMPANY_FORM = "16216*03"

ADDRESS = PostalAddress(number="12 bis", street="rue de la République", postcode="69001", town="Lyon")
FUND = Issuer(
    name="Fonds de dotation Miles du Grand Lyon",
    siren=FUND_SIREN,
    rna="W691234567",
    address=ADDRESS,
    purpose="Soutenir des projets d’intérêt général du territoire en redistribuant les dons reçus.",
    category="endowment_fund",
)
PERSON = Individual(
    name="DURAND",
    first_name="Marie-Hélène",
    address=PostalAddress(number="3", street="impasse des Lilas", postcode="69100", town="Villeurbanne"),
)
COMPANY = Company(
    name="Boulangerie Au Bon Pain", legal_form="Société à responsabilité limitée", siren=COMPANY_SIREN, address=ADDRESS
)
SIGNATORY = Signatory(name="Jeanne Martin-Dubois", quality="Trésorière")
ISSUED_ON = datetime.date(2027, 1, 15)


def make_number(sequence: int = 1, year: int = 2026) -> ReceiptNumber:
    return ReceiptNumber(issuer=FUND_SIREN, year=year, sequence=sequence)


def make_payments(count: int, cents: int = 1_000) -> tuple[Payment, ...]:
    """Payments of one year, by transfer, direct debit and card in turn; each a little more than the one before."""
    first = datetime.date(2026, 1, 1)
    means = (PaymentMeans.TRANSFER, PaymentMeans.DIRECT_DEBIT, PaymentMeans.CARD)
    return tuple(
        Payment(
            received_on=first + datetime.timedelta(days=place * 360 // count),
            cents=Cents(cents + 37 * place),
            means=means[place % 3],
            reference=f"RF-{place:05d}",
        )
        for place in range(count)
    )


def make_receipt(donor: Individual | Company = PERSON, **changed: Any) -> Receipt:
    """A receipt of one payment, with what is said otherwise."""
    payments = changed.get("payments", make_payments(1, 12_345))
    is_company = isinstance(donor, Company)
    told = {
        "number": make_number(),
        "form_version": COMPANY_FORM if is_company else INDIVIDUAL_FORM,
        "issuer": FUND,
        "donor": donor,
        "cents": Cents(sum(payment.cents for payment in payments)),
        "payments": payments,
        "gift_form": None if is_company else GiftForm.MANUAL_GIFT,
        "issued_on": ISSUED_ON,
        "signatory": SIGNATORY,
    }
    return Receipt(**{**told, **changed})


def make_gift_in_kind(cents: int = 250_000, description: str = "Dix ordinateurs portables.") -> GiftInKind:
    return GiftInKind(given_on=datetime.date(2026, 5, 1), cents=Cents(cents), description=description)


_ALPHABET = st.sampled_from([chr(code) for first, last in PRINTABLE for code in range(first, last + 1)])
# What a template language might read as its own comes as often as letters.
_WORDS = st.sampled_from(['#eval("1")', "*gras*", "$x$", "`raw`", "\\", "//", "@ref", "<label>", "[", "]", "{", "_"])
days = st.dates(datetime.date(2026, 1, 1), datetime.date(2026, 12, 31))
amounts = st.integers(1, 10**12).map(Cents)


def lines(length_max: int = 60) -> st.SearchStrategy[str]:
    """Lines that may be printed."""
    pieces = st.lists(st.one_of(_ALPHABET, _WORDS), min_size=1, max_size=20).map("".join)
    return pieces.map(tidy_text).filter(lambda text: find_fault(text, length_max) is None)


addresses = st.builds(
    PostalAddress,
    number=st.one_of(st.just(""), lines(20)),
    street=lines(),
    complement=st.one_of(st.just(""), lines()),
    postcode=st.from_regex(r"[0-9]{5}", fullmatch=True).filter(str.isascii),
    town=lines(),
)
donors = st.one_of(
    st.builds(Individual, name=lines(), first_name=lines(), address=addresses),
    st.builds(Company, name=lines(), legal_form=lines(), siren=st.just(COMPANY_SIREN), address=addresses),
)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """Any receipt that the forms allow, of at most six payments."""
    donor = draw(donors)
    is_company = isinstance(donor, Company)
    means = st.sampled_from([one for one in PaymentMeans if is_company or one is not PaymentMeans.OTHER])
    payments = tuple(
        Payment(received_on=draw(days), cents=draw(amounts), means=draw(means), reference=f"{draw(lines(40))} {place}")
        for place in range(draw(st.integers(1, 6)))
    )
    gifts = ()
    if is_company:
        gift = st.builds(GiftInKind, given_on=days, cents=amounts, description=lines())
        gifts = tuple(draw(st.lists(gift, max_size=2)))
    return make_receipt(
        donor,
        number=make_number(draw(st.integers(1, 10**9 - 1))),
        payments=payments,
        gifts_in_kind=gifts,
        gift_form=None if is_company else draw(st.sampled_from(GiftForm)),
        signatory=Signatory(name=draw(lines()), quality=draw(lines())),
    )
