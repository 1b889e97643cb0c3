"""A conversion order: what the projects' base of one territory tells the fund of another, or of its own. Pure.

Miles directed to a project become euros of the fund that received them: the order says which body is to be paid, why it
may be, and by which decision of the committee. It is signed by the projects' base that decides, and sealed for the fund
that pays: accounts and hub carry it and read nothing. Neither mints nor pays alone: the accounts say how much of which
lot was directed, the order says to whom, and two officers of the fund sign the payment.
Source: SPEC.md, "Conversion"; shared design, ARCHITECTURE.md, "Conversion and settlement".
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical, Refusal
from protocol.keys import Domain, Keyring, PublicKeys, SecretKeys, Unreadable, is_signed, seal, sign, unseal
from protocol.messages import SEALED_ORDER_BYTES_MAX, Id16, KeyName, Party, Signature

ORDER_VERSION: Final = 1
ABROAD_VERSION: Final = 2  # of an order for work outside France: `country` is where that is
HOME_COUNTRY: Final = "FR"
ORDER_BYTES_MAX: Final = 4_096

_Day = Annotated[int, Meta(ge=19000101, le=99991231)]  # yyyymmdd


class OrderRefused(Refusal):
    """An order that cannot be followed: unreadable, not signed by who decides, or for another fund. Facts: reason."""

    code = "order_refused"


class ConversionOrder(Struct, frozen=True, array_like=True):
    """Who is to be paid for one round of a project, and why that body may be.

    `territory` is where the project is decided, `payer` where the fund is. `bearer` is the body's SIREN or RNA,
    `eligible_until` how long the oldest of its proofs holds (yyyymmdd), `proof` the digest of the file that holds them.
    `decision` is the digest of the committee's signed minutes, `decided_on` their day. `round` counts from 1. `country` is where
    the account is in version 1, whose work is done in France; in version 2 it is where the work is done (ISO 3166, two letters).
    """

    version: Annotated[int, Meta(ge=1, le=2**16)]
    territory: Party
    payer: Party
    project: Id16
    round: Annotated[int, Meta(ge=1, le=999)]
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    bearer: Annotated[str, Meta(min_length=9, max_length=14)]
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    legal_category: Annotated[str, Meta(min_length=1, max_length=8)]
    iban: Annotated[str, Meta(min_length=15, max_length=34)]
    country: Annotated[str, Meta(min_length=2, max_length=2)]
    eligible_until: _Day
    proof: Annotated[bytes, Meta(min_length=32, max_length=32)]
    decision: Annotated[bytes, Meta(min_length=32, max_length=32)]
    decided_on: _Day


def find_country(order: ConversionOrder) -> str:
    """Return the country where the work is done that an order pays for: two letters."""
    return order.country if order.version == ABROAD_VERSION else HOME_COUNTRY


class SignedOrder(Struct, frozen=True, array_like=True):
    """The bytes of an order, and the projects' base's signature of them."""

    order: Annotated[bytes, Meta(min_length=1, max_length=ORDER_BYTES_MAX)]
    key: KeyName
    signature: Signature


def sign_order(order: ConversionOrder, keys: SecretKeys) -> SignedOrder:
    """Return the order with the signature of the projects' base."""
    body = encode_typed(order)
    return SignedOrder(body, keys.public.id, sign(keys, Domain.CONVERSION, body))


def seal_order(signed: SignedOrder, fund: PublicKeys, *, entropy: bytes) -> bytes:
    """Return the signed order sealed for a fund. `entropy` is 32 fresh random bytes."""
    return seal(fund.sealing, encode_typed(signed), ephemeral_seed=entropy)


def unseal_order(sealed: bytes, keyring: Keyring) -> SignedOrder:
    """Return the order that was sealed for us. Raises OrderRefused."""
    for keys in (keyring.current, *keyring.older):
        try:
            plain = unseal(keys, sealed)
        except Unreadable:
            continue
        try:
            return decode_typed(plain, SignedOrder, size_max=SEALED_ORDER_BYTES_MAX)
        except NotCanonical:
            raise OrderRefused(reason="unreadable") from None
    raise OrderRefused(reason="sealed for another key, or altered")


def verify_order(signed: SignedOrder, deciders: list[PublicKeys], *, territory: str, payer: str) -> ConversionOrder:
    """Return what is ordered, if one of the keys of that territory's projects signed it, for that fund. Raises OrderRefused."""
    key = next((one for one in deciders if one.id == signed.key), None)
    if key is None or not is_signed(key.signing, Domain.CONVERSION, signed.order, signed.signature):
        raise OrderRefused(reason=f"not signed by the projects of {territory}")
    try:
        order = decode_typed(signed.order, ConversionOrder, size_max=ORDER_BYTES_MAX)
    except NotCanonical:
        raise OrderRefused(reason="unreadable") from None
    if order.version not in (ORDER_VERSION, ABROAD_VERSION):
        raise OrderRefused(reason=f"order version {order.version} is not spoken here")
    if order.territory != territory or order.payer != payer:
        raise OrderRefused(reason="an order of another territory, or for another fund")
    return order


prepare(SignedOrder, ConversionOrder)
