"""A territory's card: which keys its projects' base and its fund have, and where the fund takes settlements. Pure.

Other territories need three things of a house that they never speak to: the key that its committee's orders are signed
with, the key that orders for its fund are sealed for, and the account that its fund is paid on when funds settle what
they owe each other. The node signs all of it with the key that the directory shows; the account is signed inside by the
fund itself, so that no accounts' base can say another one. A card is public, has a rising number, and replaces every one
before it. Source: SPEC.md, "Cards and catalogues"; docs/decisions/0025.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.directory import Directory, MemberKind, MemberStatus
from protocol.errors import NotCanonical, Refusal
from protocol.keys import Domain, InvalidKey, PublicKeys, SecretKeys, is_signed, require_public_keys, sign
from protocol.messages import Key32, KeyName, Party, Signature

CARD_VERSION: Final = 1
SETTLEMENT_BODY_BYTES_MAX: Final = 512
SETTLEMENT_BYTES_MAX: Final = 640
CARD_BODY_BYTES_MAX: Final = 1_536
CARD_BYTES_MAX: Final = 1_664
NUMBER_MAX: Final = 2**53

Number = Annotated[int, Meta(ge=1, le=NUMBER_MAX)]
Day = Annotated[int, Meta(ge=19000101, le=99991231)]  # yyyymmdd

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", re.ASCII)
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", re.ASCII)
_JOINERS: Final = "\u200c\u200d"  # letters' business in Persian, Hindi or Sinhala


class CardRefused(Refusal):
    """A card that cannot be believed. Facts: territory, reason."""

    code = "card_refused"


class Settlement(Struct, frozen=True, array_like=True):
    """The account that a fund is paid on by other funds. `iban` is empty where it takes none; `siren` where it has none.

    `number` rises with every word of this fund: an older one never comes back.
    """

    version: Annotated[int, Meta(ge=1, le=2**16)]
    territory: Party
    number: Number
    day: Day
    name: Annotated[str, Meta(min_length=1, max_length=70)]
    siren: Annotated[str, Meta(max_length=9)]
    iban: Annotated[str, Meta(max_length=34)]
    bic: Annotated[str, Meta(max_length=11)]


class SignedSettlement(Struct, frozen=True, array_like=True):
    """The bytes of a settlement account, and its fund's signature of them."""

    body: Annotated[bytes, Meta(min_length=1, max_length=SETTLEMENT_BODY_BYTES_MAX)]
    key: KeyName
    signature: Signature


class BaseKeys(Struct, frozen=True, array_like=True):
    """The newest public keys of a base."""

    signing: Key32
    sealing: Key32

    @property
    def public(self) -> PublicKeys:
        return PublicKeys(signing=self.signing, sealing=self.sealing)


class TerritoryCard(Struct, frozen=True, array_like=True):
    """What a territory says of its house. A base that it does not have is None."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    network: Annotated[str, Meta(min_length=1, max_length=32)]
    territory: Party
    number: Number
    day: Day
    projects: BaseKeys | None
    fund: BaseKeys | None
    settlement: SignedSettlement | None


class SignedCard(Struct, frozen=True, array_like=True):
    """The bytes of a card, and the signature of the territory's node."""

    body: Annotated[bytes, Meta(min_length=1, max_length=CARD_BODY_BYTES_MAX)]
    key: KeyName
    signature: Signature


def is_shown_line(text: str) -> bool:
    """Tell whether a text holds nothing that a screen obeys instead of showing."""
    return all(
        unicodedata.category(symbol) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or symbol in _JOINERS for symbol in text
    )


def is_iban(text: str) -> bool:
    """Tell whether a text is an IBAN without spaces, by its shape and its check digits."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(symbol, 36)) for symbol in text[4:] + text[:4])) % 97 == 1


# ---------------------------------------------------------------- the fund's account


def sign_settlement(settlement: Settlement, keys: SecretKeys) -> bytes:
    """Return the settlement account with the fund's signature, as bytes."""
    body = encode_typed(settlement)
    return encode_typed(SignedSettlement(body, keys.public.id, sign(keys, Domain.SETTLEMENT, body)))


def decode_settlement(data: bytes) -> SignedSettlement:
    """Raises NotCanonical."""
    return decode_typed(data, SignedSettlement, size_max=SETTLEMENT_BYTES_MAX)


def verify_settlement(signed: SignedSettlement, fund: Sequence[PublicKeys], territory: str) -> Settlement:
    """Return the account if one of these keys of that territory's fund signed it. Raises CardRefused."""

    def refuse(reason: str) -> CardRefused:
        return CardRefused(territory=territory, reason=reason)

    key = next((one for one in fund if one.id == signed.key), None)
    if key is None or not is_signed(key.signing, Domain.SETTLEMENT, signed.body, signed.signature):
        raise refuse("the settlement account is not signed by its fund")
    try:
        told = decode_typed(signed.body, Settlement, size_max=SETTLEMENT_BODY_BYTES_MAX)
    except NotCanonical:
        raise refuse("the settlement account cannot be read") from None
    if told.version != CARD_VERSION:
        raise refuse(f"settlement version {told.version} is not spoken here")
    if told.territory != territory:
        raise refuse("a settlement account of another territory")
    if not is_shown_line(told.name) or not (told.siren == "" or (told.siren.isascii() and told.siren.isdigit())):
        raise refuse("the holder of the settlement account")
    if told.iban and not is_iban(told.iban):
        raise refuse("the IBAN of the settlement account")
    if told.bic and not (told.iban and _BIC.fullmatch(told.bic)):
        raise refuse("the BIC of the settlement account")
    return told


# ---------------------------------------------------------------- the card


def sign_card(card: TerritoryCard, keys: SecretKeys) -> bytes:
    """Return the card with the node's signature, as bytes."""
    body = encode_typed(card)
    return encode_typed(SignedCard(body, keys.public.id, sign(keys, Domain.CARD, body)))


def open_card(data: bytes) -> tuple[SignedCard, TerritoryCard]:
    """Return a card that nobody has verified yet. Raises CardRefused."""
    try:
        signed = decode_typed(data, SignedCard, size_max=CARD_BYTES_MAX)
        return signed, decode_typed(signed.body, TerritoryCard, size_max=CARD_BODY_BYTES_MAX)
    except NotCanonical:
        raise CardRefused(territory="-", reason="unreadable") from None


def verify_card(data: bytes, directory: Directory, network: str, *, is_new: bool) -> TerritoryCard:
    """Return the card if the territory's node signed it with a key of the directory. Raises CardRefused.

    A `new` one is signed with a key that is valid now, by a member that is active; one that was taken before stays good
    when its key is retired or its member suspended.
    """
    signed, card = open_card(data)

    def refuse(reason: str) -> CardRefused:
        return CardRefused(territory=card.territory, reason=reason)

    if card.version != CARD_VERSION:
        raise refuse(f"card version {card.version} is not spoken here")
    if card.network != network:
        raise refuse("a card of another network")
    member = directory.find(card.territory)
    if member is None or member.kind is MemberKind.HUB:
        raise refuse("no territory of the directory")
    if is_new and member.status is not MemberStatus.ACTIVE:
        raise refuse(f"its territory is {member.status}")
    key = member.find_key(signed.key) if is_new else member.find_any_key(signed.key)
    if key is None or not is_signed(key.signing, Domain.CARD, signed.body, signed.signature):
        raise refuse("not signed with a key that the directory shows")
    for base in (card.projects, card.fund):
        if base is not None:
            try:
                require_public_keys(base.signing, base.sealing)
            except InvalidKey:
                raise refuse("it names a key that is none") from None
    if card.settlement is not None:
        if card.fund is None:
            raise refuse("a settlement account without a fund")
        verify_settlement(card.settlement, [card.fund.public], card.territory)
    return card


def find_settlement(card: TerritoryCard) -> Settlement | None:
    """Return the account that a verified card shows, or None where its fund takes no settlements."""
    if card.settlement is None:
        return None
    told = decode_typed(card.settlement.body, Settlement, size_max=SETTLEMENT_BODY_BYTES_MAX)
    return told if told.iban else None


prepare(SignedSettlement, Settlement, SignedCard, TerritoryCard)
