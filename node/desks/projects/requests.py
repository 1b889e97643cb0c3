"""A project's sheet as people write it: JSON with degrees as text, days as yyyy-mm-dd, sums in whole cents. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from node.governance.days import format_day, parse_day
from node.governance.errors import InvalidSheet
from node.governance.sheets import BudgetLine, Link, Milestone, Picture, Sheet
from protocol.errors import Malformed
from protocol.identifiers import Id16, format_id, parse_id

_DEGREES: Final = re.compile(r"(-?)([0-9]{1,3})(?:\.([0-9]{1,6}))?", re.ASCII)
_MILLION: Final = 1_000_000


class BudgetItem(Struct, frozen=True, forbid_unknown_fields=True):
    words: str
    cents: int


class MilestoneItem(Struct, frozen=True, forbid_unknown_fields=True):
    words: str
    cents: int
    proofs: str


class LinkItem(Struct, frozen=True, forbid_unknown_fields=True):
    words: str
    url: str


class PictureItem(Struct, frozen=True, forbid_unknown_fields=True):
    """`digest` is what `projects picture` told."""

    digest: str
    words: str


class SheetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`latitude` and `longitude` are written as text, as "48.3904"; `bearer` is its id, or empty until there is one."""

    title: str
    need: str
    commune: str
    latitude: str
    longitude: str
    theme: str
    need_by: str
    target_cents: int
    minimum_cents: int
    budget: list[BudgetItem]
    milestones: list[MilestoneItem]
    links: list[LinkItem] = []
    pictures: list[PictureItem] = []
    bearer: str = ""


def read_hex(text: str, field: str) -> bytes:
    """Return the bytes of hexadecimal digits. Raises Malformed."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Malformed(field=field, reason="hexadecimal digits") from None


def read_degrees(text: str, field: str, most: int) -> int:
    """Return millionths of a degree. Raises InvalidSheet."""
    match = _DEGREES.fullmatch(text)
    if match is None:
        raise InvalidSheet(field=field, reason="degrees with a point and six decimals at most, as 48.3904")
    sign, whole, rest = match.groups()
    value = int(whole) * _MILLION + int((rest or "").ljust(6, "0"))
    if value > most * _MILLION:
        raise InvalidSheet(field=field, reason=f"at most {most} degrees")
    return -value if sign else value


def write_degrees(value: int) -> str:
    """Return degrees as they are written."""
    whole, rest = divmod(abs(value), _MILLION)
    return f"{'-' if value < 0 else ''}{whole}.{rest:06d}"


def read_sheet_request(told: Any) -> Sheet:
    """Return the sheet of a JSON value. Raises InvalidSheet, InvalidId, InvalidTime."""
    try:
        asked = msgspec.convert(told, SheetRequest)
    except msgspec.ValidationError as error:
        raise InvalidSheet(field="sheet", reason=str(error)[:200]) from None
    return take_sheet(asked)


def take_sheet(asked: SheetRequest) -> Sheet:
    """Return the sheet that was asked for. Raises InvalidSheet, InvalidId, InvalidTime."""
    parts = [one.cents for one in asked.budget] + [one.cents for one in asked.milestones]
    for cents in (asked.target_cents, asked.minimum_cents, *parts):
        if not 0 <= cents <= 10**15:
            raise InvalidSheet(field="cents", reason="whole cents, none below zero")
    try:
        pictures = tuple(Picture(bytes.fromhex(one.digest), one.words) for one in asked.pictures)
    except ValueError:
        raise InvalidSheet(field="pictures", reason="named by the hexadecimal digits of their SHA-256") from None
    return Sheet(
        title=asked.title,
        need=asked.need,
        commune=asked.commune,
        latitude=read_degrees(asked.latitude, "latitude", 90),
        longitude=read_degrees(asked.longitude, "longitude", 180),
        theme=asked.theme,
        need_by=parse_day(asked.need_by, "need_by"),
        target=asked.target_cents,
        minimum=asked.minimum_cents,
        lines=tuple(BudgetLine(one.words, one.cents) for one in asked.budget),
        milestones=tuple(Milestone(one.words, one.cents, one.proofs) for one in asked.milestones),
        links=tuple(Link(one.words, one.url) for one in asked.links),
        pictures=pictures,
        bearer=parse_id(asked.bearer) if asked.bearer else b"",
    )


def write_sheet_request(sheet: Sheet) -> SheetRequest:
    """Return a sheet as it is written, so that it can be edited."""
    return SheetRequest(
        title=sheet.title,
        need=sheet.need,
        commune=sheet.commune,
        latitude=write_degrees(sheet.latitude),
        longitude=write_degrees(sheet.longitude),
        theme=sheet.theme,
        need_by=format_day(sheet.need_by),
        target_cents=sheet.target,
        minimum_cents=sheet.minimum,
        budget=[BudgetItem(one.words, one.cents) for one in sheet.lines],
        milestones=[MilestoneItem(one.words, one.cents, one.proofs) for one in sheet.milestones],
        links=[LinkItem(one.words, one.url) for one in sheet.links],
        pictures=[PictureItem(one.digest.hex(), one.words) for one in sheet.pictures],
        bearer=format_id(Id16(sheet.bearer)) if sheet.bearer else "",
    )
