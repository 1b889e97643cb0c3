"""What the desks of a fund show and read alike, as JSON between a command and the fund. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from node.fund.days import day_of
from node.fund.expectations import Expectation
from protocol.errors import InvalidAddress
from protocol.identifiers import Id16, parse_address, parse_id, require_number

Asked = Mapping[str, Any]
ROWS_MAX: Final = 500


def show_day(number: int | None) -> str:
    return "" if number is None else day_of(number).isoformat()


def read_pool(text: str, home: str) -> str:
    """Return the number of a pool of this territory. Raises InvalidAddress."""
    if "@" not in text:
        return require_number(text)
    address = parse_address(text)
    if address.territory != home:
        raise InvalidAddress(address=text, reason=f"an account of {home}")
    return address.number


def show_expectation(one: Expectation) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "reference": one.reference,
        "purpose": one.purpose,
        "donor": one.donor.hex(),
        "campaign": one.campaign,
        "cents": one.cents,
        "received_cents": one.received,
        "left_cents": one.left,
        "due": show_day(one.due),
        "state": one.state,
    }


def read_decision(asked: Asked) -> Id16 | None:
    """Return the caller's id of a decision, where it has one."""
    return parse_id(asked["id"]) if asked.get("id") else None
