"""Field reports: what was spent on each line of a programme's budget in a period, in words and pictures, signed there. Pure.

Periods follow each other without a gap, so that what is not told yet has one first day. A report tells of this programme's
euros: all reports together never tell of more than was converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta, Struct

from node.governance.days import add_days, format_day, read_day
from node.governance.south.errors import InvalidProgramme, ReportRefused
from node.governance.south.programmes import LINES_MAX
from node.governance.texts import is_prose
from protocol.amounts import CENTS_MAX
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import NotCanonical

REPORT_BYTES_MAX: Final = 32_768
TEXT_MAX: Final = 8_000
PICTURES_MAX: Final = 6
_PREFIX: Final = b"citizen-miles/projects/report/v1\0"
_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Cents = Annotated[int, Meta(ge=0, le=CENTS_MAX)]


class ReportWords(Struct, frozen=True, array_like=True):
    """What the partner or a guide signs. Days are yyyymmdd; `cents` stand by the budget's lines, in their order."""

    version: Annotated[int, Meta(ge=1)]
    territory: str
    id: _Id
    project: _Id
    from_day: int
    until_day: int
    cents: Annotated[tuple[_Cents, ...], Meta(max_length=LINES_MAX)]
    pictures: Annotated[tuple[_Digest, ...], Meta(max_length=PICTURES_MAX)]
    text: Annotated[str, Meta(max_length=TEXT_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What decides whether a report follows: the line count of the budget, the last day told (0: none), cents so far."""

    lines: int
    last_day: int
    cents: int
    converted: int


def write_report(words: ReportWords) -> bytes:
    """Return the bytes that are signed."""
    return _PREFIX + encode_typed(words)


def read_report(body: bytes) -> ReportWords:
    """Return the words of such bytes. Raises NotCanonical."""
    if not body.startswith(_PREFIX):
        raise NotCanonical(reason="no field report")
    return decode_typed(body[len(_PREFIX) :], ReportWords, size_max=REPORT_BYTES_MAX)


def require_report(words: ReportWords, told: Told, *, today: int) -> None:
    """Let through a report that follows from the ones before. Raises InvalidProgramme, InvalidTime, ReportRefused."""
    read_day(words.from_day)
    read_day(words.until_day)
    if not words.from_day <= words.until_day <= today:
        raise InvalidProgramme(field="until_day", reason="from one day to a later one, over by today")
    if not is_prose(words.text, TEXT_MAX):
        raise InvalidProgramme(field="text", reason=f"a text of 1 to {TEXT_MAX} symbols")
    if len(set(words.pictures)) != len(words.pictures):
        raise InvalidProgramme(field="pictures", reason="a picture twice")
    if len(words.cents) != told.lines:
        raise InvalidProgramme(field="cents", reason=f"a figure for each of the {told.lines} lines of the budget")
    if told.last_day and words.from_day != add_days(told.last_day, 1):
        raise ReportRefused(
            reason=f"the last report ends on {format_day(told.last_day)}: the next begins the day after"
        )
    if told.cents + sum(words.cents) > told.converted:
        raise ReportRefused(reason=f"it tells of more than the {told.converted} cents that were converted")


prepare(ReportWords)
