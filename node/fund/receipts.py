"""The two receipts of a fund: 2041-RD for individuals (art. 200 CGI), 2041-MEC-SD for companies (art. 238 bis). Pure.

A receipt hangs on euros that reached the fund: it names each payment, and its amount is their sum. It never serves
art. 978 (IFI), for which endowment funds are not eligible. What it says is frozen when it is issued; whether it was
cancelled or copied stands beside it, in `issued_receipts.py`. What the forms call their mentions is in `receipt_forms.py`.
Source: shared design, DOMAIN.md, 1.3 to 1.5.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.printed_text import find_fault
from node.fund.receipt_errors import InvalidReceipt
from node.fund.receipt_numbers import ReceiptNumber, is_rna, is_siren
from protocol.amounts import CENTS_MAX, Cents, require_amount

NAME_MAX: Final = 200
LINE_MAX: Final = 120
PURPOSE_MAX: Final = 600
DESCRIPTION_MAX: Final = 4_000
PAYMENTS_MAX: Final = 2_000
GIFTS_IN_KIND_MAX: Final = 100
_POSTCODE_OF_FRANCE: Final = re.compile(r"[0-9]{5}", re.ASCII)
_CATEGORY: Final = re.compile(r"[a-z][a-z0-9_]{1,59}", re.ASCII)
_FORM_VERSION: Final = re.compile(r"[0-9]{5}\*[0-9]{2}", re.ASCII)


class ReceiptKind(StrEnum):
    """Who gave: it decides the form and the article."""

    INDIVIDUAL = "individual"
    COMPANY = "company"


class GiftForm(StrEnum):
    """Forme du don, on the receipt of an individual."""

    AUTHENTIC_DEED = "authentic_deed"
    PRIVATE_DEED = "private_deed"
    MANUAL_GIFT = "manual_gift"
    OTHER = "other"


class PaymentMeans(StrEnum):
    """Mode de versement. Transfer, direct debit and card share one box of the forms."""

    CASH = "cash"
    CHEQUE = "cheque"
    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"
    CARD = "card"
    OTHER = "other"  # on the company's form only


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """Raises InvalidReceipt. In France a postcode is five digits; elsewhere it may be missing."""

    number: str = ""
    street: str
    complement: str = ""
    postcode: str
    town: str
    country: str = "France"

    def __post_init__(self) -> None:
        for field, text, is_needed in (
            ("address.number", self.number, False),
            ("address.street", self.street, True),
            ("address.complement", self.complement, False),
            ("address.postcode", self.postcode, self.country == "France"),
            ("address.town", self.town, True),
            ("address.country", self.country, True),
        ):
            _require_line(field, text, LINE_MAX, is_needed=is_needed)
        if self.country == "France" and _POSTCODE_OF_FRANCE.fullmatch(self.postcode) is None:
            raise InvalidReceipt(field="address.postcode", reason="five digits in France")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """The body that received the gifts. Raises InvalidReceipt.

    `category` is the code of one box of the form, `category_detail` what that box asks beside it (dates of a decree,
    "autres: précisez"). `registry` is the register of Alsace-Moselle, where there is one.
    """

    name: str
    siren: str | None = None
    rna: str | None = None
    registry: str = ""
    address: PostalAddress
    purpose: str
    category: str
    category_detail: str = ""

    def __post_init__(self) -> None:
        _require_line("issuer.name", self.name, NAME_MAX)
        if self.siren is None and self.rna is None:
            raise InvalidReceipt(field="issuer.siren", reason="a SIREN or an RNA")
        if self.siren is not None:
            _require_siren("issuer.siren", self.siren)
        if self.rna is not None and not is_rna(self.rna):
            raise InvalidReceipt(field="issuer.rna", reason="W and nine digits")
        _require_line("issuer.registry", self.registry, LINE_MAX, is_needed=False)
        _require_kind("issuer.address", self.address, PostalAddress)
        _require_line("issuer.purpose", self.purpose, PURPOSE_MAX)
        if type(self.category) is not str or _CATEGORY.fullmatch(self.category) is None:
            raise InvalidReceipt(field="issuer.category", reason="the code of a box of the form")
        _require_line("issuer.category_detail", self.category_detail, PURPOSE_MAX, is_needed=False)

    @property
    def codes(self) -> frozenset[str]:
        """Its SIREN and its RNA: a receipt's number begins with one of them."""
        return frozenset(code for code in (self.siren, self.rna) if code is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """A person who gave. Raises InvalidReceipt."""

    name: str
    first_name: str
    address: PostalAddress

    def __post_init__(self) -> None:
        _require_line("donor.name", self.name, NAME_MAX)
        _require_line("donor.first_name", self.first_name, NAME_MAX)
        _require_kind("donor.address", self.address, PostalAddress)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company that gave. Raises InvalidReceipt."""

    name: str
    legal_form: str
    siren: str
    address: PostalAddress

    def __post_init__(self) -> None:
        _require_line("donor.name", self.name, NAME_MAX)
        _require_line("donor.legal_form", self.legal_form, LINE_MAX)
        _require_siren("donor.siren", self.siren)
        _require_kind("donor.address", self.address, PostalAddress)


Donor = Individual | Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Euros that reached the fund, as the books know them by `reference`. Raises InvalidReceipt, InvalidAmount.

    `cents` is the part that gives right to the reduction: the forms show no other. A gift by transfer, direct debit or
    card is of the day when it reached the account (BOI-IR-RICI-250-20, 30).
    """

    received_on: datetime.date
    cents: Cents
    means: PaymentMeans
    reference: str

    def __post_init__(self) -> None:
        _require_date("payment.received_on", self.received_on)
        require_amount(self.cents)
        _require_kind("payment.means", self.means, PaymentMeans)
        _require_line("payment.reference", self.reference, LINE_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftInKind:
    """Goods or services of a company: the value is the one that the company gave. Raises InvalidReceipt, InvalidAmount."""

    given_on: datetime.date
    cents: Cents
    description: str

    def __post_init__(self) -> None:
        _require_date("gift_in_kind.given_on", self.given_on)
        require_amount(self.cents)
        fault = find_fault(self.description, DESCRIPTION_MAX, is_long=True)
        if fault is not None:
            raise InvalidReceipt(field="gift_in_kind.description", reason=fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Who is empowered to sign, and as what. Raises InvalidReceipt."""

    name: str
    quality: str

    def __post_init__(self) -> None:
        _require_line("signatory.name", self.name, NAME_MAX)
        _require_line("signatory.quality", self.quality, NAME_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one receipt says. Raises InvalidReceipt, InvalidAmount.

    `cents` is the sum of the payments; gifts in kind come on top of it in `total`, and only beside euros.
    `form_version` is the Cerfa number that was in force. `replaces` names a cancelled receipt that this one replaces.
    """

    number: ReceiptNumber
    form_version: str
    issuer: Issuer
    donor: Donor
    cents: Cents
    payments: tuple[Payment, ...]
    gifts_in_kind: tuple[GiftInKind, ...] = ()
    gift_form: GiftForm | None = None
    issued_on: datetime.date
    signatory: Signatory
    replaces: ReceiptNumber | None = None

    def __post_init__(self) -> None:
        self._require_parts()
        self._require_euros()
        self._require_fit()

    def _require_parts(self) -> None:
        _require_kind("number", self.number, ReceiptNumber)
        _require_kind("issuer", self.issuer, Issuer)
        _require_kind("signatory", self.signatory, Signatory)
        _require_date("issued_on", self.issued_on)
        if type(self.donor) not in (Individual, Company):
            raise InvalidReceipt(field="donor", reason="an individual or a company")
        if type(self.form_version) is not str or _FORM_VERSION.fullmatch(self.form_version) is None:
            raise InvalidReceipt(field="form_version", reason="written 11580*05")
        if self.number.issuer not in self.issuer.codes:
            raise InvalidReceipt(field="number", reason="of another issuer")
        if self.replaces is not None:
            _require_kind("replaces", self.replaces, ReceiptNumber)
            if self.replaces.issuer not in self.issuer.codes or self.replaces == self.number:
                raise InvalidReceipt(field="replaces", reason="another receipt of the same issuer")

    def _require_euros(self) -> None:
        _require_list("payments", self.payments, Payment, PAYMENTS_MAX)
        _require_list("gifts_in_kind", self.gifts_in_kind, GiftInKind, GIFTS_IN_KIND_MAX)
        if not self.payments:
            raise InvalidReceipt(field="payments", reason="a receipt hangs on euros received")
        if len({payment.reference for payment in self.payments}) != len(self.payments):
            raise InvalidReceipt(field="payments", reason="the same payment twice")
        require_amount(self.cents)
        told = sum(payment.cents for payment in self.payments)
        if told != self.cents:
            raise InvalidReceipt(field="cents", reason=f"the payments make {told} cents, not {self.cents}")
        if self.total > CENTS_MAX:
            raise InvalidReceipt(field="gifts_in_kind", reason=f"more than {CENTS_MAX} cents in all")
        if self.last_on > self.issued_on:
            raise InvalidReceipt(field="issued_on", reason="before a gift that it covers")

    def _require_fit(self) -> None:
        if self.kind is ReceiptKind.COMPANY:
            if self.gift_form is not None:
                raise InvalidReceipt(field="gift_form", reason="the company's form has no such mention")
            return
        _require_kind("gift_form", self.gift_form, GiftForm)
        if self.gifts_in_kind:
            raise InvalidReceipt(field="gifts_in_kind", reason="on a company's receipt only")
        if PaymentMeans.OTHER in {payment.means for payment in self.payments}:
            raise InvalidReceipt(field="payment.means", reason="the individual's form has no such mention")

    @property
    def kind(self) -> ReceiptKind:
        """Decided by who gave."""
        return ReceiptKind.COMPANY if isinstance(self.donor, Company) else ReceiptKind.INDIVIDUAL

    @property
    def cents_in_kind(self) -> int:
        """The value of the goods and services given, in cents; 0 when there are none."""
        return sum(gift.cents for gift in self.gifts_in_kind)

    @property
    def total(self) -> int:
        """Payments and gifts in kind, in cents."""
        return self.cents + self.cents_in_kind

    @property
    def days(self) -> tuple[datetime.date, ...]:
        """The days of all that was given, in order."""
        given = [payment.received_on for payment in self.payments] + [gift.given_on for gift in self.gifts_in_kind]
        return tuple(sorted(given))

    @property
    def first_on(self) -> datetime.date:
        """The first day of the period that it covers."""
        return self.days[0]

    @property
    def last_on(self) -> datetime.date:
        """The last day of the period that it covers."""
        return self.days[-1]


def _require_line(field: str, text: object, length_max: int, *, is_needed: bool = True) -> None:
    if text == "" and not is_needed:
        return
    fault = find_fault(text, length_max)
    if fault is not None:
        raise InvalidReceipt(field=field, reason=fault)


def _require_siren(field: str, siren: object) -> None:
    if not is_siren(siren):
        raise InvalidReceipt(field=field, reason="nine digits of a SIREN, with its check digit")


def _require_date(field: str, day: object) -> None:
    if type(day) is not datetime.date:  # a datetime is a date to isinstance
        raise InvalidReceipt(field=field, reason="a date")


def _require_kind(field: str, value: object, kind: type) -> None:
    if type(value) is not kind:
        raise InvalidReceipt(field=field, reason="it is missing")


def _require_list(field: str, values: object, kind: type, count_max: int) -> None:
    if type(values) is not tuple or any(type(value) is not kind for value in values):
        raise InvalidReceipt(field=field, reason="it is missing")
    if len(values) > count_max:
        raise InvalidReceipt(field=field, reason=f"more than {count_max}: make two receipts")
