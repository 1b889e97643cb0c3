"""The bytes of a receipt as they are frozen when it is issued, and their digest. Pure.

One encoding per receipt (protocol.canonical): a byte changed by hand is seen, and the receipt is read back from them.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from node.fund.receipt_numbers import ReceiptNumber, parse_number
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
    ReceiptKind,
    Signatory,
)
from protocol.canonical import decode, encode
from protocol.errors import NotCanonical

VERSION: Final = 1
SIZE_MAX: Final = 4 * 1024 * 1024
DIGEST_BYTES: Final = 32


def freeze(receipt: Receipt) -> bytes:
    """Return the one encoding of what a receipt says."""
    return encode({"version": VERSION, "kind": str(receipt.kind), **_tell(receipt)})


def compute_digest(receipt: Receipt) -> bytes:
    """Return the 32 bytes that stand for a receipt."""
    return digest_of(freeze(receipt))


def digest_of(frozen: bytes) -> bytes:
    """Return the digest of frozen bytes: BLAKE2b-256."""
    return hashlib.blake2b(frozen, digest_size=DIGEST_BYTES, person=b"cm-receipt").digest()


def thaw(frozen: bytes) -> Receipt:
    """Return the receipt of its frozen bytes. Raises NotCanonical, InvalidReceipt, InvalidReceiptNumber, InvalidAmount."""
    told = decode(frozen, size_max=SIZE_MAX)
    try:
        receipt = _read(told)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NotCanonical(reason="not the fields of a receipt") from None
    if freeze(receipt) != frozen:
        raise NotCanonical(reason="not the fields of a receipt")
    return receipt


def _tell(value: Any) -> Any:
    """Return a value of ours as maps, lists, texts and whole numbers, field by field."""
    if isinstance(value, ReceiptNumber):
        return str(value)
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _tell(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_tell(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def _read(told: Mapping[str, Any]) -> Receipt:
    number, replaces, form = told["number"], told["replaces"], told["gift_form"]
    donor_type = Company if told["kind"] == ReceiptKind.COMPANY else Individual
    return Receipt(
        number=parse_number(number),
        form_version=told["form_version"],
        issuer=_read_party(Issuer, told["issuer"]),
        donor=_read_party(donor_type, told["donor"]),
        cents=told["cents"],
        payments=tuple(
            Payment(
                received_on=datetime.date.fromisoformat(payment["received_on"]),
                cents=payment["cents"],
                means=PaymentMeans(payment["means"]),
                reference=payment["reference"],
            )
            for payment in told["payments"]
        ),
        gifts_in_kind=tuple(
            GiftInKind(
                given_on=datetime.date.fromisoformat(gift["given_on"]),
                cents=gift["cents"],
                description=gift["description"],
            )
            for gift in told["gifts_in_kind"]
        ),
        gift_form=None if form is None else GiftForm(form),
        issued_on=datetime.date.fromisoformat(told["issued_on"]),
        signatory=Signatory(**told["signatory"]),
        replaces=None if replaces is None else parse_number(replaces),
    )


def _read_party(kind: type[Any], told: Mapping[str, Any]) -> Any:
    return kind(**{**told, "address": PostalAddress(**told["address"])})
