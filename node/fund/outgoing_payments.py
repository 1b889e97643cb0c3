"""A payment to a bearer, or back to a payer, from the decision of two people to the bank's word. Pure.

Two different officers sign the same words, each with a key of their own; the fund's base holds no officer's key. Who is
paid, how much, to which account and for what stands in those words: none of it can be changed afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare

SIGNERS: Final = 2
WORDS_VERSION: Final = 1


class PaymentState(StrEnum):
    ASKED = "asked"  # fewer than two signatures
    SIGNED = "signed"  # two: it goes out with the next order
    ORDERED = "ordered"  # in the bank's hands
    CONFIRMED = "confirmed"  # the statement shows the debit
    REJECTED = "rejected"  # the bank refused it: nothing left
    RETURNED = "returned"  # it left and came back
    CANCELLED = "cancelled"  # taken back before it was ordered


class PaymentEvent(StrEnum):
    SIGN = "sign"
    ORDER = "order"
    CONFIRM = "confirm"
    REJECT = "reject"
    RETURN = "return"
    CANCEL = "cancel"


_S, _E = PaymentState, PaymentEvent
NEXT_STATE: Final[Mapping[PaymentState, Mapping[PaymentEvent, PaymentState]]] = {
    _S.ASKED: {_E.SIGN: _S.SIGNED, _E.CANCEL: _S.CANCELLED},
    _S.SIGNED: {_E.ORDER: _S.ORDERED, _E.CANCEL: _S.CANCELLED},
    # A report that comes late says what is known, and a statement is believed more than a report.
    _S.ORDERED: {_E.CONFIRM: _S.CONFIRMED, _E.REJECT: _S.REJECTED},
    _S.CONFIRMED: {_E.CONFIRM: _S.CONFIRMED, _E.RETURN: _S.RETURNED},
    _S.REJECTED: {_E.REJECT: _S.REJECTED, _E.CONFIRM: _S.CONFIRMED},
    _S.RETURNED: {_E.RETURN: _S.RETURNED},
    _S.CANCELLED: {_E.CANCEL: _S.CANCELLED},
}


class PaymentWords(Struct, frozen=True, array_like=True):
    """What an officer signs. `iban` and `holder_name` are those of the payment, whatever the bearer's become later."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    bearer: bytes
    holder_name: str
    iban: str
    cents: int
    text: str
    decision: str


class RefundWords(Struct, frozen=True, array_like=True):
    """What an officer signs to send back what came in and waits: to the account it came from, and no other."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    movement: str
    holder_name: str
    iban: str
    cents: int
    text: str
    decision: str


class DueWords(Struct, frozen=True, array_like=True):
    """What an officer signs to pay a bearer for miles that were converted. `dues`: each conversion, and cents of it."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    bearer: bytes
    holder_name: str
    iban: str
    cents: int
    text: str
    decision: str
    share: str
    dues: tuple[tuple[bytes, int], ...]


class NetWords(Struct, frozen=True, array_like=True):
    """What an officer signs to pay another fund at the end of a window."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    bearer: bytes
    holder_name: str
    iban: str
    cents: int
    text: str
    decision: str
    window: int
    paid_fund: str


class NettingWords(Struct, frozen=True, array_like=True):
    """What an officer signs so that what our fund and another owe each other is netted, or not any more. `since`: yyyymmdd."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    territory: str
    is_netted: bool
    since: int


class PaidDues(Struct, frozen=True, array_like=True):
    """What a payment's row keeps of its DueWords."""

    share: str
    dues: tuple[tuple[bytes, int], ...]


def write_dues(words: DueWords) -> bytes:
    return encode_typed(PaidDues(words.share, words.dues))


def read_dues(kept: bytes) -> PaidDues:
    """Return which conversions a payment pays: none where nothing is kept. Raises NotCanonical."""
    return decode_typed(kept, PaidDues, size_max=len(kept)) if kept else PaidDues("", ())


class PledgeWords(Struct, frozen=True, array_like=True):
    """What an officer signs to accept a company's pledge. `letter` is the digest of the engagement that is on file."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    donor: bytes
    campaign: str
    cents: int
    until: int
    letter: bytes


class IbanWords(Struct, frozen=True, array_like=True):
    """What an officer signs to change where a bearer is paid."""

    version: Annotated[int, Meta(ge=1)]
    fund: str
    id: bytes
    bearer: bytes
    holder_name: str
    iban: str


Payable = PaymentWords | RefundWords | DueWords | NetWords
Words = Payable | IbanWords | PledgeWords | NettingWords
_KINDS: Final = {
    PaymentWords: b"payment",
    RefundWords: b"refund",
    DueWords: b"dues",
    IbanWords: b"iban",
    PledgeWords: b"pledge",
    NetWords: b"net",
    NettingWords: b"netting",
}


def write_words(words: Words) -> bytes:
    """Return the bytes that are signed."""
    kind = _KINDS[type(words)]
    return b"citizen-miles/fund/" + kind + b"/v1\0" + encode_typed(words)


def end_to_end_id(payment: bytes) -> str:
    """Return the id that goes with the payment through all banks: 31 symbols, the same for the same payment."""
    return "CM" + hashlib.blake2b(payment, digest_size=14, person=b"cm-transfer").hexdigest().upper()[:28] + "P"


prepare(PaidDues)
