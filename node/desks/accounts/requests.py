"""What programs send to a node, as typed structs: unknown fields, floats and oversized lists are refused. Pure.

The lines of a list are read one by one, so that a bad one is refused alone: `CreditRequest` is what a caller writes,
`CreditLines` the same with lines not read yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Final, cast

import msgspec
from msgspec import Meta, Raw, Struct

from node.doors.bodies import read_body, read_lines
from node.federation.cessions import AskCession
from node.ledger.accounts import ORDINARY, AccountEvent, AccountKind
from node.ledger.credits import CreditBatch
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents, require_amount
from protocol.errors import InvalidAddress, Malformed, Refusal
from protocol.identifiers import (
    AccountNumber,
    Address,
    TerritoryCode,
    parse_address,
    parse_id,
    parse_ids,
    require_number,
    tidy_address,
    write_address,
)
from protocol.times import parse_instant

ITEMS_MAX = 1_000
_ADDRESSES_MAX: Final = 65_536  # some 15 MB
Id = Annotated[str, Meta(min_length=36, max_length=36)]
AccountText = Annotated[str, Meta(min_length=8, max_length=40)]
Items = Meta(min_length=1, max_length=ITEMS_MAX)


class OpenRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Open an account."""

    id: Id
    kind: Annotated[str, Meta(max_length=20)]
    shown_name: Annotated[str, Meta(max_length=80)] | None = None


class StateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """freeze, reopen or close."""

    event: Annotated[str, Meta(max_length=20)]


class NameRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The name shown, masked, to those who are about to send."""

    shown_name: Annotated[str, Meta(max_length=80)] | None


class CreditItem(Struct, frozen=True, forbid_unknown_fields=True):
    """One credit."""

    id: Id
    to: AccountText
    cents: int
    reference: Annotated[str, Meta(max_length=280)] = ""


class CreditRequest(Struct, frozen=True, forbid_unknown_fields=True, rename={"pool": "from"}):
    """One or many credits from one pool."""

    pool: AccountText
    items: Annotated[list[CreditItem], Items]


class CreditLines(Struct, frozen=True, forbid_unknown_fields=True, rename={"pool": "from"}):
    """A credit request whose lines are not read yet."""

    pool: AccountText
    items: Annotated[list[Raw], Items]


class ReversalRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Take back a credit, or a part of it."""

    id: Id
    credit: Id
    cents: int | None = None
    reference: Annotated[str, Meta(max_length=280)] = ""


class ReservationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Set a sum aside until an instant."""

    id: Id
    account: AccountText
    cents: int
    expires_at: Annotated[str, Meta(max_length=40)]


class CessionItem(Struct, frozen=True, forbid_unknown_fields=True, rename={"giver": "from"}):
    """One cession, to an account here or far."""

    id: Id
    giver: AccountText
    to: AccountText
    cents: int
    words: Annotated[str, Meta(max_length=280)] = ""
    anonymous: bool = False
    term: Annotated[str, Meta(max_length=40)] = ""


class CessionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One or many cessions."""

    items: Annotated[list[CessionItem], Items]


class CessionLines(Struct, frozen=True, forbid_unknown_fields=True):
    """A cession request whose lines are not read yet."""

    items: Annotated[list[Raw], Items]


_CESSIONS: Final = msgspec.json.Decoder(CessionRequest)
_CREDITS: Final = msgspec.json.Decoder(CreditRequest)


def read_cession_lines(data: bytes) -> Sequence[CessionItem | tuple[str, Malformed]]:
    """Return the lines of a cession request: at once where all can be read, else each alone. Raises Malformed."""
    try:
        return _CESSIONS.decode(data).items
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_lines(read_body(data, CessionLines).items, CessionItem)


def read_kind(text: str) -> AccountKind:
    """Return the kind of an account. Raises Malformed."""
    by_hand = ORDINARY - {AccountKind.SOLIDARITY}  # an operation's account is opened with it
    if text not in by_hand:
        raise Malformed(field="kind", reason=f"kind is one of {', '.join(sorted(by_hand))}")
    return AccountKind(text)


def read_event(text: str) -> AccountEvent:
    """Return what is asked of an account. Raises Malformed."""
    try:
        return AccountEvent(text)
    except ValueError:
        raise Malformed(field="event", reason=f"event is one of {', '.join(AccountEvent)}") from None


def read_account(text: str, home: TerritoryCode) -> AccountNumber:
    """Return the number of an account of this territory, from its number or its full address. Raises InvalidAddress."""
    tidy = tidy_address(text)
    if "@" not in tidy:
        return require_number(tidy)
    address = parse_address(tidy)
    if address.territory != home:
        raise InvalidAddress(address=tidy, reason=f"an account of {address.territory}, not of this territory")
    return address.number


@lru_cache(maxsize=_ADDRESSES_MAX)
def _recognise(text: str, home: TerritoryCode) -> AccountNumber:
    """The same for the lines of lists: tills write the same addresses again and again, and what one means never changes."""
    return read_account(text, home)


@lru_cache(maxsize=_ADDRESSES_MAX)
def _recognise_address(text: str) -> Address:
    """The same for accounts anywhere."""
    return parse_address(tidy_address(text))


def read_credit(pool: AccountNumber, item: CreditItem, home: TerritoryCode) -> Posting:
    """Return the posting of one line. Raises Malformed."""
    return Posting(
        op=parse_id(item.id),
        kind=PostingKind.CREDIT,
        debit=pool,
        credit=_recognise(item.to, home),
        cents=Cents(require_amount(item.cents)),
        reference=item.reference,
    )


def read_credits(data: bytes, home: TerritoryCode) -> tuple[list[str], CreditBatch] | None:
    """Return the ids as written and the batch, or None where a line is not as it should be: then each is read alone."""
    try:
        asked = _CREDITS.decode(data)
        items = asked.items
        ids = [item.id for item in items]
        batch = CreditBatch(
            pool=_recognise(asked.pool, home),
            ops=parse_ids(ids),
            accounts=[_recognise(item.to, home) for item in items],
            cents=cast(list[Cents], [item.cents for item in items]),
            references=[item.reference for item in items],
        )
    except (Refusal, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return ids, batch


def read_cession(item: CessionItem, home: TerritoryCode) -> AskCession:
    """Return what is asked; the beneficiary sees the giver's address unless he stays anonymous. Raises Malformed."""
    number = _recognise(item.giver, home)
    return AskCession(
        op=parse_id(item.id),
        account=number,
        beneficiary=_recognise_address(item.to),
        cents=item.cents,
        words=item.words,
        giver="" if item.anonymous else write_address(number, home),
        term=parse_instant(item.term, "term") if item.term else 0,
    )
