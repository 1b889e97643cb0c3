"""A project's sheet: what is needed, where, by when, for how much, and in which steps it is paid. Pure.

The bytes of a sheet are canonical, so its digest says which sheet a committee voted on. Sums are cents; a place is a
commune's code and whole millionths of a degree.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.days import read_day
from node.governance.errors import InvalidSheet
from node.governance.texts import is_line, is_prose
from protocol.amounts import CENTS_MAX
from protocol.canonical import decode_typed, encode_typed, prepare

SHEET_BYTES_MAX: Final = 64 * 1024
TITLE_MAX: Final = 80
NEED_MAX: Final = 8_000
LINES_MAX: Final = 60
MILESTONES_MAX: Final = 12
LINKS_MAX: Final = 20
PICTURES_MAX: Final = 6
WORDS_MAX: Final = 200
DIGEST_BYTES: Final = 32
ID_BYTES: Final = 16
YEARS_MAX: Final = 3

_COMMUNE: Final = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}", re.ASCII)
_LINK: Final = re.compile(r"https://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]{4,290}", re.ASCII)
_Cents = Annotated[int, Meta(ge=0, le=CENTS_MAX)]


class BudgetLine(Struct, frozen=True, array_like=True):
    """What part of the cost is for."""

    words: str
    cents: _Cents


class Milestone(Struct, frozen=True, array_like=True):
    """An instalment: what is done with it, its share of the target, and what proves that it was done."""

    words: str
    cents: _Cents
    proofs: str


class Link(Struct, frozen=True, array_like=True):
    """Where to learn more."""

    words: str
    url: str


class Picture(Struct, frozen=True, array_like=True):
    """A picture that is kept here, by its SHA-256, and what it shows for who does not see it."""

    digest: bytes
    words: str


class Sheet(Struct, frozen=True, array_like=True):
    """`latitude` and `longitude` are millionths of a degree; `need_by` is yyyymmdd; `bearer` is empty until there is one."""

    title: str
    need: str
    commune: str
    latitude: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)]
    longitude: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)]
    theme: str
    need_by: Annotated[int, Meta(ge=19000101, le=99991231)]
    target: _Cents
    minimum: _Cents
    lines: Annotated[tuple[BudgetLine, ...], Meta(max_length=LINES_MAX)]
    milestones: Annotated[tuple[Milestone, ...], Meta(max_length=MILESTONES_MAX)]
    links: Annotated[tuple[Link, ...], Meta(max_length=LINKS_MAX)]
    pictures: Annotated[tuple[Picture, ...], Meta(max_length=PICTURES_MAX)]
    bearer: Annotated[bytes, Meta(max_length=ID_BYTES)]


def write_sheet(sheet: Sheet) -> bytes:
    """Return the bytes of a sheet."""
    return encode_typed(sheet)


def read_sheet(body: bytes) -> Sheet:
    """Return the sheet of such bytes. Raises NotCanonical."""
    return decode_typed(body, Sheet, size_max=SHEET_BYTES_MAX)


def compute_sheet_digest(body: bytes) -> bytes:
    """Return the 32 bytes by which ballots and minutes name a sheet."""
    return hashlib.sha256(b"citizen-miles/sheet/v1\0" + body).digest()


def require_sheet(sheet: Sheet, *, themes: Collection[str], today: int) -> None:
    """Let through a sheet that can be examined, but for its bearer and its pictures. Raises InvalidSheet, InvalidTime."""
    _require_texts(sheet)
    if not _COMMUNE.fullmatch(sheet.commune):
        raise InvalidSheet(field="commune", reason="the five symbols of INSEE's code, not the postcode")
    if sheet.theme not in themes:
        raise InvalidSheet(field="theme", reason=f"one of {', '.join(sorted(themes))}")
    read_day(sheet.need_by)
    if not today < sheet.need_by <= today + YEARS_MAX * 10_000:
        raise InvalidSheet(field="need_by", reason=f"a day to come, within {YEARS_MAX} years")
    if not 1 <= sheet.minimum <= sheet.target:
        raise InvalidSheet(field="minimum", reason="from a cent to the target")
    if len(sheet.bearer) not in (0, ID_BYTES):
        raise InvalidSheet(field="bearer", reason="an id of 16 bytes, or nothing")
    if not sheet.lines or sum(line.cents for line in sheet.lines) < sheet.target:
        raise InvalidSheet(field="lines", reason="the lines of the budget come to the target at least")
    if not sheet.milestones or any(one.cents < 1 for one in sheet.milestones):
        raise InvalidSheet(field="milestones", reason="one instalment at least, each of a cent at least")
    if sum(one.cents for one in sheet.milestones) != sheet.target:
        raise InvalidSheet(field="milestones", reason="the instalments come to the target")
    if len({one.digest for one in sheet.pictures}) != len(sheet.pictures):
        raise InvalidSheet(field="pictures", reason="a picture twice")


def _require_texts(sheet: Sheet) -> None:
    if not is_line(sheet.title, TITLE_MAX):
        raise InvalidSheet(field="title", reason=f"one line of 1 to {TITLE_MAX} symbols")
    if not is_prose(sheet.need, NEED_MAX):
        raise InvalidSheet(field="need", reason=f"a text of 1 to {NEED_MAX} symbols")
    texts = [("lines", one.words) for one in sheet.lines] + [("links", one.words) for one in sheet.links]
    texts += [("pictures", one.words) for one in sheet.pictures]
    texts += [("milestones", text) for one in sheet.milestones for text in (one.words, one.proofs)]
    for field, text in texts:
        if not is_line(text, WORDS_MAX):
            raise InvalidSheet(field=field, reason=f"one line of 1 to {WORDS_MAX} symbols each")
    if any(not _LINK.fullmatch(one.url) for one in sheet.links):
        raise InvalidSheet(field="links", reason="https://… of at most 300 symbols")
    if any(len(one.digest) != DIGEST_BYTES for one in sheet.pictures):
        raise InvalidSheet(field="pictures", reason="named by its SHA-256")


def find_money_change(before: Sheet, after: Sheet) -> str | None:
    """Return the first field of money or of its receiver in which two sheets differ, or None: those stand once voted on."""
    for field in ("target", "minimum", "lines", "milestones", "bearer"):
        if getattr(before, field) != getattr(after, field):
            return field
    return None


prepare(Sheet)
