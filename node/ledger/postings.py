"""A posting: one amount asked to go from one account to another, and what became of it. Pure.

What kinds of accounts a kind of posting may join is the table `JOINS`. The decision itself is in `desk.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from node.ledger.accounts import (
    AT_HOME,
    NAMED_DRAWS_ONLY,
    AccountKey,
    AccountKind,
    SystemAccount,
)
from node.ledger.draws import Draws
from protocol.amounts import CENTS_MAX, Cents, require_amount
from protocol.errors import InvalidText, Malformed
from protocol.identifiers import Id16, require_id
from protocol.times import Instant

REFERENCE_MAX = 280
DRAWS_MAX = 8_000


class PostingKind(StrEnum):
    """Why rights move."""

    ENDOWMENT = "endowment"  # euros reached the fund: a home lot grows. Only by `endow`
    CREDIT = "credit"  # a pool credits a member: purchase, promotion, staff, supplier
    CESSION = "cession"  # a holder hands rights on, at home
    GIFT = "gift"  # what a solidarity operation hands out, or leaves to the next one
    ORIENTATION = "orientation"  # a holder directs rights to a project
    CEDE_OUT = "cede_out"  # rights leave for another territory, and wait in transit
    DELIVERED = "delivered"  # they arrived there
    RETURNED = "returned"  # they came back: refused, recalled, expired, not deliverable, or taken back from a project
    GIVEN_BACK = "given_back"  # what came to a project or an operation from another territory leaves for there again
    CONVERSION = "conversion"  # what was directed to a project becomes its euros
    CEDE_IN = "cede_in"  # rights arrive from another territory
    MOVED = "moved"  # rights on our lots moved between two other territories
    REVERSAL = "reversal"  # a credit taken back. Only by `reverse`


_K = AccountKind
_HOLDERS: Final = frozenset({_K.PERSON, _K.ENTITY, _K.GROUP, _K.POOL})
_MEMBERS: Final = _HOLDERS - {_K.POOL}
# Everybody may give to a solidarity operation; what leaves it is a gift, or goes back to who gave it.
_SOLIDARITY: Final = frozenset({_K.SOLIDARITY})

JOINS: Final[Mapping[PostingKind, tuple[frozenset[AccountKind], frozenset[AccountKind]]]] = {
    PostingKind.ENDOWMENT: (frozenset({_K.ISSUANCE}), frozenset({_K.POOL})),
    PostingKind.CREDIT: (frozenset({_K.POOL}), _MEMBERS | _SOLIDARITY),
    PostingKind.CESSION: (_HOLDERS | {_K.UNCLAIMED}, _HOLDERS | _SOLIDARITY),
    PostingKind.GIFT: (_HOLDERS | _SOLIDARITY, _HOLDERS | _SOLIDARITY),
    PostingKind.ORIENTATION: (_HOLDERS, frozenset({_K.PROJECT})),
    # From the unclaimed, and back to where rights come from: only in the recovery of an old copy of the book.
    PostingKind.CEDE_OUT: (_HOLDERS | {_K.UNCLAIMED}, frozenset({_K.TRANSIT, _K.ISSUANCE, _K.BORDER})),
    PostingKind.DELIVERED: (frozenset({_K.TRANSIT}), frozenset({_K.ABROAD, _K.BORDER})),
    # From a project to who had directed it, from a solidarity operation to who gave; from the converted, where the fund refuses to pay, to the project again.
    PostingKind.RETURNED: (frozenset({_K.TRANSIT, _K.PROJECT, _K.SOLIDARITY, _K.CONVERTED}), AT_HOME),
    PostingKind.GIVEN_BACK: (frozenset({_K.PROJECT, _K.SOLIDARITY}), frozenset({_K.TRANSIT})),
    PostingKind.CONVERSION: (frozenset({_K.PROJECT, _K.ABROAD}), frozenset({_K.CONVERTED})),
    # From issuance, and to the unclaimed: likewise.
    PostingKind.CEDE_IN: (frozenset({_K.ABROAD, _K.BORDER, _K.ISSUANCE}), AT_HOME),
    PostingKind.MOVED: (frozenset({_K.ABROAD}), frozenset({_K.ABROAD})),
    PostingKind.REVERSAL: (_MEMBERS, AT_HOME - _SOLIDARITY),
}
# The same, as one look-up for the hot path.
ALLOWED: Final = frozenset(
    (kind, debit, credit) for kind, (debits, credits) in JOINS.items() for debit in debits for credit in credits
)
NARROW: Final = frozenset({PostingKind.ENDOWMENT, PostingKind.REVERSAL})
REVERSIBLE: Final = frozenset({PostingKind.CREDIT})


class Posting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a caller asks. `draws` names lots and cents; None means the oldest lots first.

    `op` is the caller's id: the same id with the same content is answered again, never done again. Of the content,
    draws left to us agree with any draws. `reservation` is the id of a reservation of the debit account to use.
    """

    op: Id16
    kind: PostingKind
    debit: AccountKey
    credit: AccountKey
    cents: Cents
    draws: Draws | None = None
    reference: str = ""
    reservation: Id16 | None = None

    def __post_init__(self) -> None:
        if type(self.op) is not bytes or len(self.op) != 16:
            require_id(self.op)
        if type(self.cents) is not int or not 0 < self.cents <= CENTS_MAX:
            require_amount(self.cents)
        if self.kind in NARROW:
            raise ValueError(f"{self.kind} has its own operation")
        if self.debit == self.credit:
            raise Malformed(field="credit", reason="debit and credit are the same account")
        if self.reference:
            require_reference(self.reference)
        if self.draws is not None:
            _require_draws(self.draws, self.cents)
        elif isinstance(self.debit, SystemAccount) and self.debit.kind in NAMED_DRAWS_ONLY:
            raise ValueError(f"lots drawn from {self.debit.kind} are named")


class Posted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was done, once: one transfer a draw, with ids that follow each other.

    The balances after it are None for sources, which hold nothing. `is_unclaimed`: the account to be credited had
    closed, and the rights wait among the unclaimed.
    """

    op: Id16
    at: Instant
    cents: Cents
    draws: Draws
    first: int
    debit_after: Cents | None
    credit_after: Cents | None
    is_unclaimed: bool = False
    is_repeat: bool = False

    @property
    def transfers(self) -> range:
        """The ids of the transfers written, one a draw."""
        return range(self.first, self.first + len(self.draws))


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The content of something posted, read back from the rows it left."""

    kind: PostingKind
    debit: AccountKey
    credit: AccountKey
    cents: Cents
    reference: str
    reservation: Id16 | None


ASKED_FIELDS: Final = ("kind", "debit", "credit", "cents", "draws", "reference", "reservation")


def asked_values(posting: Posting) -> tuple[object, ...]:
    """Return the content of a posting in the order of ASKED_FIELDS."""
    return (
        posting.kind,
        posting.debit,
        posting.credit,
        posting.cents,
        posting.draws,
        posting.reference,
        posting.reservation,
    )


def find_difference(asked: Posting, kept: Kept | Posting, done: Posted) -> str | None:
    """Return the first field in which a resend differs from what was done under its id, or None."""
    if asked.kind != kept.kind:
        return "kind"
    if asked.debit != kept.debit:
        return "debit"
    if asked.credit != kept.credit:
        return "credit"
    if asked.cents != kept.cents:
        return "cents"
    if asked.draws is not None and sorted(asked.draws) != sorted(done.draws):
        return "draws"
    if asked.reference != kept.reference:
        return "reference"
    if asked.reservation != kept.reservation:
        return "reservation"
    return None


def require_reference(reference: str) -> str:
    """Return the caller's words if they are short, printable text. Raises InvalidText."""
    if type(reference) is not str or len(reference) > REFERENCE_MAX:
        raise InvalidText(field="reference", reason=f"longer than {REFERENCE_MAX} characters")
    if not reference.isprintable():
        raise InvalidText(field="reference", reason="holds characters that are not text")
    return reference


def _require_draws(draws: Draws, cents: Cents) -> None:
    if len(draws) == 1 and type(draws[0][1]) is int and draws[0][1] == cents:
        return  # the common case: one lot, and an amount that was required already
    if len(draws) > DRAWS_MAX:
        raise Malformed(field="draws", reason=f"more than {DRAWS_MAX} draws")
    total = 0
    for _, drawn in draws:
        total += require_amount(drawn)
    if total != cents:
        raise Malformed(field="draws", reason="the draws do not add up to the amount")
    if len({lot for lot, _ in draws}) != len(draws):
        raise Malformed(field="draws", reason="a lot is drawn twice")
