"""Members and auditors drawn by lot, so that anybody can draw them again. Pure.

First the list is closed: its digest is published with the day and the name of a public draw to come (say, the digits of
the lottery of that evening). Then the number comes, from elsewhere. Each candidate's rank is the digest of the list's
digest, the number and the candidate: whoever has all three sorts the same way. Nobody can choose the list knowing the
number, nor the number knowing the list. Source: issue 5, "Drawing of members by lot".
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.days import read_day
from node.governance.errors import InvalidDraw
from node.governance.texts import is_line
from node.governance.votes import College
from protocol.canonical import encode_typed, prepare
from protocol.errors import InvalidAddress
from protocol.identifiers import require_number

CANDIDATES_MAX: Final = 20_000
SEATS_MAX: Final = 200
SOURCE_MAX: Final = 160
LIST_VERSION: Final = 1
AUDITORS: Final = "auditors"  # who is drawn beside the colleges of the committee
DRAWN_FOR: Final = (*College, AUDITORS)
_NUMBER: Final = re.compile(r"[0-9]{4,64}", re.ASCII)


class DrawList(Struct, frozen=True, array_like=True):
    """What is closed before the number is known. `candidates` are account numbers, sorted; `drawn_on` is yyyymmdd."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    territory: str
    college: str
    seats: int
    source: str
    drawn_on: int
    candidates: tuple[str, ...]


def make_list(
    *, territory: str, college: str, seats: int, source: str, drawn_on: int, candidates: tuple[str, ...]
) -> DrawList:
    """Return the list, sorted. Raises InvalidDraw, InvalidTime."""
    if college not in DRAWN_FOR:
        raise InvalidDraw(field="college", reason=f"one of {', '.join(DRAWN_FOR)}")
    if not is_line(source, SOURCE_MAX):
        raise InvalidDraw(field="source", reason=f"the public draw, in one line of up to {SOURCE_MAX} symbols")
    read_day(drawn_on)
    if not 1 <= seats <= min(SEATS_MAX, len(candidates)) or len(candidates) > CANDIDATES_MAX:
        raise InvalidDraw(field="seats", reason=f"1 to {SEATS_MAX} seats, and as many candidates at least")
    if len(set(candidates)) != len(candidates):
        raise InvalidDraw(field="candidates", reason="a candidate twice")
    try:
        for one in candidates:
            require_number(one)
    except InvalidAddress as error:
        raise InvalidDraw(field="candidates", reason=str(error.facts["reason"])) from None
    return DrawList(LIST_VERSION, territory, college, seats, source, drawn_on, tuple(sorted(candidates)))


def compute_list_digest(told: DrawList) -> bytes:
    """Return the 32 bytes that are published before the number is known."""
    return hashlib.sha256(b"citizen-miles/draw-list/v1\0" + encode_typed(told)).digest()


def require_public_number(text: object) -> str:
    """Return the digits of the public draw, without spaces. Raises InvalidDraw."""
    compact = "".join(text.split()) if isinstance(text, str) else ""
    if not _NUMBER.fullmatch(compact):
        raise InvalidDraw(field="number", reason="4 to 64 digits, in the order in which they were drawn")
    return compact


def rank_candidates(told: DrawList, number: str) -> tuple[str, ...]:
    """Return all candidates in the order in which they are called: the first `seats` sit, the others stand in."""
    head = b"citizen-miles/draw/v1\0" + compute_list_digest(told) + require_public_number(number).encode() + b"\0"
    return tuple(sorted(told.candidates, key=lambda one: hashlib.sha256(head + one.encode()).digest()))


prepare(DrawList)
