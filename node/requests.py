"""What programs send to a node, as typed structs: unknown fields, floats and oversized lists are refused. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from node.federation.service import AskCession
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents, require_amount
from protocol.errors import InvalidAddress
from protocol.identifiers import (
    AccountNumber,
    TerritoryCode,
    parse_address,
    parse_id,
    require_number,
    tidy_address,
)
from protocol.times import parse_instant

ITEMS_MAX = 1_000
Id = Annotated[str, Meta(min_length=36, max_length=36)]
AccountText = Annotated[str, Meta(min_length=8, max_length=24)]
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


def read_account(text: str, home: TerritoryCode) -> AccountNumber:
    """Return the number of an account of this territory, from its number or its full address. Raises InvalidAddress."""
    tidy = tidy_address(text)
    if "@" not in tidy:
        return require_number(tidy)
    address = parse_address(tidy)
    if address.territory != home:
        raise InvalidAddress(address=tidy, reason=f"an account of {address.territory}, not of this territory")
    return address.number


def read_credit(pool: AccountNumber, item: CreditItem, home: TerritoryCode) -> Posting:
    """Return the posting of one line. Raises Malformed."""
    return Posting(
        op=parse_id(item.id),
        kind=PostingKind.CREDIT,
        debit=pool,
        credit=read_account(item.to, home),
        cents=Cents(require_amount(item.cents)),
        reference=item.reference,
    )


def read_cession(item: CessionItem, home: TerritoryCode, giver_address: str) -> AskCession:
    """Return what is asked. Raises Malformed."""
    return AskCession(
        op=parse_id(item.id),
        account=read_account(item.giver, home),
        beneficiary=parse_address(tidy_address(item.to)),
        cents=item.cents,
        words=item.words,
        giver="" if item.anonymous else giver_address,
        term=parse_instant(item.term, "term") if item.term else 0,
    )
