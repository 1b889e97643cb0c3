"""What tills and companies send, as typed structs: unknown fields, floats and oversized lists are refused. Pure.

What a till calls a sale or a refund is its own: any id of up to 64 printable ASCII symbols.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Raw, Struct

from node.partners.companies import require_siren
from node.partners.purchases import Purchase, TillNumber, require_purchase_id
from protocol.amounts import CENTS_MAX, Cents, require_amount
from protocol.errors import InvalidAddress, InvalidTime
from protocol.identifiers import AccountNumber, TerritoryCode, parse_address, require_number, tidy_address
from protocol.times import local_day, parse_instant

ITEMS_MAX: Final = 1_000

Uuid = Annotated[str, Meta(min_length=36, max_length=36, pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
OwnId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[!-~]([ -~]*[!-~])?$")]
Time = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$",
    ),
]
AccountText = Annotated[str, Meta(min_length=8, max_length=40)]
Sum = Annotated[int, Meta(ge=1, le=CENTS_MAX)]


class PurchaseItem(Struct, frozen=True, forbid_unknown_fields=True):
    """A sale. `at` is the till's own time; without `account` a claim ticket is made; `buyer` is a company's SIREN."""

    id: OwnId
    at: Time
    cents: Sum
    account: AccountText | None = None
    buyer: Annotated[str, Meta(min_length=9, max_length=20)] | None = None


class PurchaseRequest(PurchaseItem, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One sale, told as it is made. `sent_at` is the till's clock now."""

    campaign: Uuid
    sent_at: Time


class BatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Sales told later. `sent_at` is the till's clock now: where it is wrong, nothing is taken."""

    campaign: Uuid
    sent_at: Time
    items: Annotated[list[PurchaseItem], Meta(min_length=1, max_length=ITEMS_MAX)]


class BatchLines(Struct, frozen=True, forbid_unknown_fields=True):
    """The same with lines that are not read yet."""

    campaign: Uuid
    sent_at: Time
    items: Annotated[list[Raw], Meta(min_length=1, max_length=ITEMS_MAX)]


class RefundRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """So many cents of a sale are given back to the customer."""

    id: OwnId
    purchase: OwnId
    cents: Sum


class ClaimRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A ticket, typed or scanned, and the account that it is for; `id` is the caller's own, where it has one."""

    ticket: Annotated[str, Meta(min_length=1, max_length=120)]
    account: AccountText
    id: Annotated[str, Meta(min_length=36, max_length=36)] | None = None


def read_holder(text: str, home: TerritoryCode) -> AccountNumber:
    """Return the number of an account of this territory, from its number or its address. Raises InvalidAddress."""
    tidy = tidy_address(text)
    if "@" not in tidy:
        return require_number(tidy)
    address = parse_address(tidy)
    if address.territory != home:
        raise InvalidAddress(address=tidy, reason=f"an account of {address.territory}, not of this territory")
    return address.number


def read_purchase(item: PurchaseItem, till: TillNumber, *, home: TerritoryCode, zone: str) -> Purchase:
    """Return the sale of a line. Raises Malformed."""
    at = parse_instant(item.at, "at")
    try:
        day = local_day(at, zone)
    except (OverflowError, ValueError):  # the last hours of the year 9999, where clocks are ahead
        raise InvalidTime(field="at", reason="beyond all calendars") from None
    return Purchase(
        id=require_purchase_id(item.id),
        till=till,
        at=at,
        day=day,
        sale=Cents(require_amount(item.cents)),
        holder=None if item.account is None else read_holder(item.account, home),
        buyer=None if item.buyer is None else require_siren(item.buyer),
    )
