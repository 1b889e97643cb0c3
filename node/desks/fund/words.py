"""What officers sign, as JSON between a command and the fund. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from node.fund.outgoing_payments import (
    DueWords,
    IbanWords,
    NettingWords,
    NetWords,
    Payable,
    PaymentWords,
    PledgeWords,
    RefundWords,
    Words,
    write_words,
)
from protocol.errors import Malformed

UUID_LENGTH: Final = 36
WordsKind = TypeVar("WordsKind", bound=Words)


def read_bytes(text: str) -> bytes:
    """Return bytes from hexadecimal, or from a UUID with its hyphens. Raises Malformed."""
    try:
        return bytes.fromhex(text.replace("-", "") if len(text) == UUID_LENGTH else text)
    except ValueError:
        raise Malformed(reason="not a hexadecimal text") from None


def show_words(words: Payable) -> dict[str, Any]:
    """`to_sign`: the bytes that an officer's key signs. Whoever signs makes them again from the words."""
    told = msgspec.structs.asdict(words) | {"id": words.id.hex(), "to_sign": write_words(words).hex()}
    if isinstance(words, RefundWords):
        return told
    told |= {"bearer": words.bearer.hex()}
    return told | {"dues": [[due.hex(), cents] for due, cents in words.dues]} if isinstance(words, DueWords) else told


def read_words(told: Mapping[str, Any]) -> Payable:
    """Return the words of a payment: of a refund where they name a movement, of dues where they name some,
    to another fund where they name one.

    Raises Malformed.
    """
    if "movement" in told:
        return _read(RefundWords, told, "id")
    if "paid_fund" in told:
        return _read(NetWords, told, "id", "bearer")
    if "dues" in told:
        dues = tuple((read_bytes(due), int(cents)) for due, cents in told["dues"])
        return _read(DueWords, {**told, "dues": dues}, "id", "bearer")
    return _read(PaymentWords, told, "id", "bearer")


def show_pledge_words(words: PledgeWords) -> dict[str, Any]:
    told = msgspec.structs.asdict(words) | {"to_sign": write_words(words).hex()}
    return told | {field: told[field].hex() for field in ("id", "donor", "letter")}


def read_pledge_words(told: Mapping[str, Any]) -> PledgeWords:
    """Raises Malformed."""
    return _read(PledgeWords, told, "id", "donor", "letter")


def show_netting_words(words: NettingWords) -> dict[str, Any]:
    return msgspec.structs.asdict(words) | {"id": words.id.hex(), "to_sign": write_words(words).hex()}


def read_netting_words(told: Mapping[str, Any]) -> NettingWords:
    """Raises Malformed."""
    return _read(NettingWords, told, "id")


def show_iban_words(words: IbanWords) -> dict[str, Any]:
    told = msgspec.structs.asdict(words) | {"to_sign": write_words(words).hex()}
    return told | {"id": words.id.hex(), "bearer": words.bearer.hex()}


def read_iban_words(told: Mapping[str, Any]) -> IbanWords:
    """Raises Malformed."""
    return _read(IbanWords, told, "id", "bearer")


def _read(kind: type[WordsKind], told: Mapping[str, Any], *ids: str) -> WordsKind:
    """Return words from what was told, of which `ids` are bytes. What was to be signed is made from them, not believed."""
    words = {name: value for name, value in told.items() if name != "to_sign"}
    try:
        return kind(**words | {name: read_bytes(words[name]) for name in ids})
    except (KeyError, TypeError):
        raise Malformed(field="words", reason="not the words of one thing that is signed") from None
