"""Credits asked together: many lines from one pool, as columns. Pure.

A batch holds what a till or a shop sends in one call; a run is what became of a batch, or of several that follow each
other, when nothing in it was special. Columns, because a line then costs a few steps instead of an object or five:
credits are the most frequent thing that a node does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from node.ledger.lots import LotId
from node.ledger.postings import Posted, Posting, PostingKind, require_reference
from protocol.amounts import CENTS_MAX, Cents, require_amount
from protocol.errors import Malformed
from protocol.identifiers import AccountNumber, Id16, require_id
from protocol.times import Instant

_BYTES: Final = {bytes}
_INT: Final = {int}
_SIZE: Final = {16}


class CreditBatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a caller asks: line by line an id, the account to be credited, an amount and a reference.

    Raises InvalidId, InvalidAmount, InvalidText or Malformed where any line is none.
    """

    pool: AccountNumber
    ops: Sequence[Id16]
    accounts: Sequence[AccountNumber]
    cents: Sequence[Cents]
    references: Sequence[str]

    def __post_init__(self) -> None:
        count = len(self.ops)
        if not count == len(self.accounts) == len(self.cents) == len(self.references):
            raise ValueError("columns of one batch have one length")
        # A whole column is looked at in one step; only one that does not pass is looked at line by line.
        if set(map(type, self.ops)) != _BYTES or set(map(len, self.ops)) != _SIZE or bytes(16) in self.ops:
            for op in self.ops:
                require_id(op)
        if set(map(type, self.cents)) != _INT or min(self.cents) < 1 or max(self.cents) > CENTS_MAX:
            for cents in self.cents:
                require_amount(cents)
        for reference in filter(None, self.references):
            require_reference(reference)
        if self.pool in self.accounts:
            raise Malformed(field="credit", reason="debit and credit are the same account")

    def make_postings(self) -> list[Posting]:
        """Return the same, each line alone."""
        return [
            Posting(op=op, kind=PostingKind.CREDIT, debit=self.pool, credit=account, cents=cents, reference=reference)
            for op, account, cents, reference in zip(self.ops, self.accounts, self.cents, self.references, strict=True)
        ]


class Credited(msgspec.Struct, frozen=True, gc=False):
    """What became of a batch whose every line was done, for the first time: when, and each balance after its line."""

    at: Instant
    after: Sequence[int]


class CreditRun(msgspec.Struct, kw_only=True, gc=False):
    """Lines that were written together, all from one lot of one pool: one transfer a line, ids following each other."""

    pool: AccountNumber
    pool_id: int
    lot: LotId
    at: Instant
    first: int  # the id of the first transfer
    ops: Sequence[Id16]
    accounts: Sequence[AccountNumber]
    account_ids: Sequence[int]
    cents: Sequence[Cents]
    references: Sequence[str]
    # The chain of the pool before the first line, and its balances after each.
    debit_head: int | None
    debit_length: int
    debit_after: Sequence[int]
    # The chain of each credited account.
    credit_prev: Sequence[int | None]
    credit_seq: Sequence[int]
    credit_after: Sequence[int]
    places: dict[Id16, int] = {}

    def find_line(self, op: Id16) -> tuple[Posted, Posting]:
        """Return what was done under this id, which is one of the run's, and what was asked."""
        if not self.places:
            self.places = {op: place for place, op in enumerate(self.ops)}
        place = self.places[op]
        cents = self.cents[place]
        posted = Posted(
            op=op,
            at=self.at,
            cents=cents,
            draws=((self.lot, cents),),
            first=self.first + place,
            debit_after=Cents(self.debit_after[place]),
            credit_after=Cents(self.credit_after[place]),
        )
        asked = Posting(
            op=op,
            kind=PostingKind.CREDIT,
            debit=self.pool,
            credit=self.accounts[place],
            cents=cents,
            reference=self.references[place],
        )
        return posted, asked


def join_batches(batches: Sequence[CreditBatch]) -> CreditBatch:
    """Return batches from the same pool as one, their lines in order."""
    if len(batches) == 1:
        return batches[0]
    return CreditBatch(
        pool=batches[0].pool,
        ops=[op for batch in batches for op in batch.ops],
        accounts=[account for batch in batches for account in batch.accounts],
        cents=[cents for batch in batches for cents in batch.cents],
        references=[reference for batch in batches for reference in batch.references],
    )
