"""Grants: what the accounts are told to credit for a campaign, and what came of it. Pure.

    TOLD ──granted──▶ GRANTED
      └────refused──▶ REFUSED      its cents went back into the budget

A grant is told in the page that spends the budget; from then on only the accounts say what became of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from protocol.house import Grants
from protocol.identifiers import Id16

WORDS_MAX: Final = 80
LINES_MAX: Final = 1_000  # of one message: its leaf stays far below what a leaf may hold, in any alphabet


class GrantState(StrEnum):
    TOLD = "told"
    GRANTED = "granted"
    REFUSED = "refused"


class GrantSource(StrEnum):
    """What a grant is for."""

    SALE = "sale"
    VOUCHER = "voucher"
    OPERATION = "operation"


NEXT_STATE: Final[Mapping[GrantState, frozenset[GrantState]]] = {
    GrantState.TOLD: frozenset({GrantState.GRANTED, GrantState.REFUSED}),
    GrantState.GRANTED: frozenset(),
    GrantState.REFUSED: frozenset(),
}


class GrantLine(NamedTuple):
    """One line of what a pool gives."""

    id: Id16
    account: str
    cents: int
    words: str


def shorten_words(title: str) -> str:
    """Return what the holder reads beside a grant: the campaign's title, cut."""
    return title[:WORDS_MAX].strip()


def make_grants(pool: str, lines: Sequence[GrantLine]) -> Iterator[Grants]:
    """Give out the messages that tell these lines, in order."""
    for start in range(0, len(lines), LINES_MAX):
        part = lines[start : start + LINES_MAX]
        yield Grants(
            pool,
            tuple(line.id for line in part),
            tuple(line.account for line in part),
            tuple(line.cents for line in part),
            tuple(line.words for line in part),
        )


def make_id(now: int, entropy: bytes) -> Id16:
    """Return a new id that rises with time, as UUIDv7: 48 bits of milliseconds, then 10 random bytes."""
    if len(entropy) != 10:
        raise ValueError("10 random bytes")
    marked = bytes([0x70 | entropy[0] & 0x0F, entropy[1], 0x80 | entropy[2] & 0x3F]) + entropy[3:]
    return Id16(now.to_bytes(6, "big") + marked)
