"""Two people's statement that a partner is on no sanctions list, or is on one. Pure.

No list is in here, and none is looked at: `lists` says which ones two stewards looked at, in their own words, and
`checked_on` when. A statement that somebody was found blocks from the first signature on; one that nobody was found
counts from the second. Source: our own choice (DOMAIN.md names no rule) [D].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.days import read_day
from node.governance.south.errors import InvalidProgramme
from node.governance.texts import is_line
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical

CLEARANCE_BYTES_MAX: Final = 4_096
LISTS_MAX: Final = 400
_PREFIX: Final = b"citizen-miles/projects/clearance/v1\0"
_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]


class ClearanceWords(Struct, frozen=True, array_like=True):
    """What each of the two signs. `is_clear`: nobody of the partner was found on the lists that are named."""

    version: Annotated[int, Meta(ge=1)]
    territory: str
    id: _Id
    partner: _Id
    lists: Annotated[str, Meta(max_length=LISTS_MAX)]
    checked_on: int
    is_clear: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """A statement as it stands: `is_confirmed` once a second person signed the same words."""

    checked_on: int
    is_clear: bool
    is_confirmed: bool


def write_clearance(words: ClearanceWords) -> bytes:
    """Return the bytes that are signed."""
    return _PREFIX + encode_typed(words)


def read_clearance(body: bytes) -> ClearanceWords:
    """Return the words of such bytes. Raises NotCanonical."""
    if not body.startswith(_PREFIX):
        raise NotCanonical(reason="no statement on sanctions lists")
    return decode_typed(body[len(_PREFIX) :], ClearanceWords, size_max=CLEARANCE_BYTES_MAX)


def require_clearance(words: ClearanceWords, *, today: int) -> None:
    """Let through words that say which lists and when. Raises InvalidProgramme, InvalidTime."""
    if not is_line(words.lists, LISTS_MAX):
        raise InvalidProgramme(
            field="lists", reason=f"which lists, of which day, in one line of up to {LISTS_MAX} symbols"
        )
    read_day(words.checked_on)
    if words.checked_on > today:
        raise InvalidProgramme(field="checked_on", reason="a day to come")


prepare(ClearanceWords)
