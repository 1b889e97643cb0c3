"""What the books show, read by SQL of our own: plain values for the oracle to judge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from protocol.book.service import Book
from tests.simulation.oracle import Lot

# Rights that sit with somebody, and not on their way.
_HOLDINGS = """
    SELECT COALESCE(a.number, a.kind), l.issuer, l.ref, h.cents FROM holdings h
    JOIN accounts a ON a.id = h.account_id JOIN lots l ON l.id = h.lot_id
    WHERE h.cents <> 0 AND a.kind NOT IN ('transit', 'abroad', 'border', 'issuance')
"""
_DRAWS = """
    SELECT l.issuer, l.ref, SUM(t.cents) FROM transfers t JOIN lots l ON l.id = t.lot
    WHERE t.op = :op GROUP BY l.issuer, l.ref
"""
_ARRIVALS = """
    SELECT id, origin, epoch, ix, place, account FROM arrivals WHERE state = 'delivered' AND id > :seen ORDER BY id
"""
_POSITIONS = "SELECT l.issuer, l.ref, p.holder, p.cents FROM positions p JOIN lots l ON l.id = p.lot_id"


def _read(book: Book, sql: str, **values: Any) -> list[Any]:
    return book.read_now(lambda line: list(line.execute(text(sql), values).all()))


def read_holdings(book: Book) -> dict[str, dict[Lot, int]]:
    """Return cents by account and lot."""
    found: dict[str, dict[Lot, int]] = {}
    for account, issuer, ref, cents in _read(book, _HOLDINGS):
        held = found.setdefault(account, {})
        held[issuer, bytes(ref)] = held.get((issuer, bytes(ref)), 0) + cents
    return found


def read_draws(book: Book, op: bytes) -> dict[Lot, int]:
    """Return what an operation moved, by lot."""
    return {(issuer, bytes(ref)): int(cents) for issuer, ref, cents in _read(book, _DRAWS, op=op)}


def read_lot_ids(book: Book) -> dict[Lot, int]:
    return {(issuer, bytes(ref)): id_ for id_, issuer, ref in _read(book, "SELECT id, issuer, ref FROM lots")}


def read_arrivals(book: Book, seen: int) -> list[tuple[int, str, str, str]]:
    """Return (id, giver, the cession's reference, account) of what arrived after `seen`."""
    rows = _read(book, _ARRIVALS, seen=seen)
    return [(id_, origin, f"{epoch}/{index}/{place}", account) for id_, origin, epoch, index, place, account in rows]


def read_people(book: Book) -> dict[str, str]:
    """Return the state of every person's account."""
    return dict(map(tuple, _read(book, "SELECT number, state FROM accounts WHERE kind = 'person' ORDER BY id")))


def read_unplaced(book: Book, seen: int) -> list[tuple[int, bytes, str]]:
    """Return (id, op, account) of rights that a restored book could not place, after `seen`, settled or not."""
    rows = _read(book, "SELECT id, op, account FROM unplaced WHERE id > :seen ORDER BY id", seen=seen)
    return [(id_, bytes(op), account) for id_, op, account in rows]


def read_unsettled(book: Book) -> list[tuple[int, bytes]]:
    """Return (id, op) of those whose origin nobody has told yet."""
    rows = _read(book, "SELECT id, op FROM unplaced WHERE settled_at IS NULL ORDER BY id")
    return [(id_, bytes(op)) for id_, op in rows]


def read_unsent(book: Book) -> int:
    """Return how many slips of its own the hub has not acknowledged."""
    return sum(row[0] for row in _read(book, "SELECT size - acked FROM logs WHERE owner <> 'HUB-FR'"))


def read_positions(book: Book) -> dict[tuple[Lot, str], int]:
    """Return the hub's positions: cents by lot and holder."""
    return {((issuer, bytes(ref)), holder): cents for issuer, ref, holder, cents in _read(book, _POSITIONS)}


def hash_books(story: Iterable[str], books: Iterable[tuple[str, Book]]) -> str:
    """Return the hash of a story, of every log's root and of every holding."""
    parts = list(story)
    for name, book in books:
        rows = _read(book, "SELECT owner, reader, epoch, size, root FROM logs ORDER BY id")
        parts += [f"{name} {row[0]} {row[1]} {row[2]} {row[3]} {bytes(row[4]).hex()}" for row in rows]
        if name != "hub":
            for account, held in sorted(read_holdings(book).items()):
                parts += [f"{name} {account} {lot[0]} {lot[1].hex()} {cents}" for lot, cents in sorted(held.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
