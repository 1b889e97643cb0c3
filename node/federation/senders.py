"""How rights go back to a giver who did not say who he is: to a number that means 'who sent you this', by its place. Pure.

The taker of an anonymous cession knows its place in the giver's log, and nothing else of him. It cedes the very lots to
this number, with words that name the place; the giver's own node, which knows who sent it, credits him.
Source: SPEC.md, "Giving back".
"""

from __future__ import annotations

import re
from typing import Final

from protocol.errors import InvalidAddress
from protocol.identifiers import AccountNumber, Address, parse_address

SENDER_NUMBER: Final = AccountNumber("ZZZZZZZZ")
_PLACE: Final = re.compile(r"returns ([0-9]{1,9})/([0-9]{1,15})/([0-9]{1,6})( [a-z_]{1,48})?")


def name_arrival(epoch: int, index: int, place: int, why: str = "") -> str:
    """Return the words that name an arrival by its place in its giver's log; `why` is a code."""
    return f"returns {epoch}/{index}/{place}" + (f" {why}" if why else "")


def read_giver(giver: str) -> Address | None:
    """Return the address that a giver's node wrote beside a cession; None where it wrote none, or what is no address."""
    try:
        return parse_address(giver)
    except InvalidAddress:
        return None


def read_arrival(words: str) -> tuple[int, int, int] | None:
    """Return epoch, index and place that the words name, or None where they name none."""
    match = _PLACE.fullmatch(words)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))
