"""What is read of an account: entries, pages of history, statements. Pure.

An account's transfers form a chain: each points at the one before it, and is numbered from 1 (`seq`). Every 64th is
marked, so that a reader jumps to a mark at or after what it wants and walks back from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from node.ledger.accounts import AccountKey, AccountKind, AccountState
from node.ledger.lots import LotId
from node.ledger.postings import PostingKind
from protocol.amounts import Cents
from protocol.errors import Fact, Malformed
from protocol.identifiers import AccountNumber, Id16, TerritoryCode
from protocol.times import Instant

# Every how many entries of an account a mark is set. A power of two.
MARK_EVERY: Final = 64
PAGE_MAX: Final = 200


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as its holder sees it."""

    number: AccountNumber
    kind: AccountKind
    state: AccountState
    shown_name: str | None
    opened_at: Instant
    closed_at: Instant | None
    cents: Cents
    reserved: Cents
    length: int

    @property
    def available(self) -> Cents:
        return Cents(self.cents - self.reserved)


class HeldLot(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds of one lot."""

    lot: LotId
    issuer: TerritoryCode
    lot_class: int
    month: int
    cents: Cents


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds, the oldest lots first."""

    cents: Cents
    reserved: Cents
    lots: tuple[HeldLot, ...]

    @property
    def available(self) -> Cents:
        return Cents(self.cents - self.reserved)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer as one account sees it. `cents` is signed: what came is positive, what went is negative."""

    seq: int
    transfer: int
    op: Id16
    part: int
    at: Instant
    kind: PostingKind
    cents: int
    after: Cents
    lot: LotId
    other: AccountKey
    other_name: str | None
    reference: str
    undoes: int | None


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries in the order asked, and the cursor that goes on from here; None at the end."""

    entries: tuple[Entry, ...]
    cursor: int | None


class KindTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of posting brought and took over a period."""

    kind: PostingKind
    entries: int
    received: int
    given: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A period of an account: start <= at < end, oldest entry first."""

    account: AccountNumber
    start: Instant
    end: Instant
    opening: Cents
    closing: Cents
    entries: tuple[Entry, ...]
    totals: tuple[KindTotal, ...]


class OperationView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an id. `state` is posted, refused or unknown."""

    op: Id16
    state: str
    at: Instant | None = None
    kind: PostingKind | None = None
    debit: AccountKey | None = None
    credit: AccountKey | None = None
    cents: Cents | None = None
    code: str | None = None
    facts: dict[str, Fact] = {}


class PeerTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Cents of one territory."""

    territory: TerritoryCode
    cents: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a territory. `issued` = home held + in transit + unclaimed + converted + the sum of `abroad`."""

    territory: TerritoryCode
    issued: int
    credited: int
    home_held: int
    home_in_transit: int
    home_unclaimed: int
    home_converted: int
    abroad: tuple[PeerTotal, ...]
    foreign_held: tuple[PeerTotal, ...]
    foreign_in_transit: tuple[PeerTotal, ...]
    foreign_unclaimed: tuple[PeerTotal, ...]
    by_kind: dict[PostingKind, int]


def sum_by_kind(entries: Iterable[Entry]) -> tuple[KindTotal, ...]:
    """Return what each kind brought and took, in the order of PostingKind; kinds without entries are left out."""
    sums: dict[PostingKind, list[int]] = {}
    for entry in entries:
        found = sums.setdefault(entry.kind, [0, 0, 0])
        found[0] += 1
        if entry.cents > 0:
            found[1] += entry.cents
        else:
            found[2] -= entry.cents
    return tuple(
        KindTotal(kind=kind, entries=sums[kind][0], received=sums[kind][1], given=sums[kind][2])
        for kind in PostingKind
        if kind in sums
    )


def choose_span(length: int, *, cursor: int | None, limit: int, is_newest_first: bool) -> range:
    """Return the entry numbers of a page, rising. `cursor` is the first entry wanted, as given by the page before.

    Raises Malformed on a limit outside 1..PAGE_MAX or a cursor below 1.
    """
    if type(limit) is not int or not 1 <= limit <= PAGE_MAX:
        raise Malformed(field="limit", reason=f"a page has 1 to {PAGE_MAX} entries")
    if cursor is not None and (type(cursor) is not int or cursor < 1):
        raise Malformed(field="cursor", reason="a cursor comes from an earlier page")
    if is_newest_first:
        last = length if cursor is None else min(cursor, length)
        return range(max(1, last - limit + 1), last + 1)
    first = 1 if cursor is None else cursor
    return range(first, min(first + limit - 1, length) + 1)


def next_cursor(length: int, span: Sequence[int], *, is_newest_first: bool) -> int | None:
    """Return where the page after `span` begins, or None."""
    if not span:
        return None
    if is_newest_first:
        return span[0] - 1 if span[0] > 1 else None
    return span[-1] + 1 if span[-1] < length else None
