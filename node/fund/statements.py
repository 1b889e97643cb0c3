"""What the bank says: statements, notifications, and their movements, whatever file told them. Pure.

**One movement, one id, whoever tells it.** The id is a digest of the account, the signed cents, whether it is a
reversal, and: the bank's own reference where it gave one (of the transaction, else of the entry with the place in its
batch), else day, EndToEndId, RF reference, counterpart, text and how many such went before in the same file. So the
same file twice, or a camt.054 and then the camt.053 of that day, name the same movements. Pending and booked are the
same movement too, where the bank gives a reference. Two equal payments of one day without any bank's reference, told
in two files, look like one; the day's statement, which has both, tells the second.

**A batch told as one sum and in detail** is one entry (`entry`): `choose_news` takes it once.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from node.fund.bank_errors import (
    BatchMismatch,
    OpeningBalanceWrong,
    StatementGap,
    StatementOfAnotherAccount,
    StatementOverlap,
    StatementUnbalanced,
)
from node.fund.references import Iban, Reference


class MovementState(StrEnum):
    BOOKED = "booked"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Cents, below zero in debit, and the day they hold for."""

    cents: int
    day: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlace:
    """Where a movement stands in an entry of several: `place` counts from 1. The ids are those of the order, or empty."""

    place: int
    count: int
    message_id: str = ""
    payment_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One payment that touched the account: `cents` above zero came in, below went out. Absent texts are empty."""

    id: str
    entry: str  # the same for all movements of one entry
    cents: int
    state: MovementState
    booked_on: datetime.date | None
    valued_on: datetime.date | None
    bank_reference: str = ""
    end_to_end_id: str = ""
    reference: Reference | None = None
    counterpart_name: str = ""
    counterpart_iban: str = ""
    text: str = ""
    is_reversal: bool = False
    return_reason: str = ""
    batch: BatchPlace | None = None

    def __post_init__(self) -> None:
        if self.state is MovementState.BOOKED and self.booked_on is None:
            raise ValueError("a booked movement has a booking day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a bank says of an account between two balances. Raises StatementUnbalanced."""

    iban: Iban
    id: str
    sequence: int | None
    opening: Balance
    closing: Balance
    movements: tuple[Movement, ...]

    def __post_init__(self) -> None:
        moved = sum(movement.cents for movement in self.movements if movement.state is MovementState.BOOKED)
        difference = self.closing.cents - self.opening.cents - moved
        if difference:
            raise StatementUnbalanced(
                statement=self.id,
                opening=self.opening.cents,
                movements=moved,
                closing=self.closing.cents,
                difference=difference,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Movements told before the statement of their day; it has no balances."""

    iban: Iban
    id: str
    movements: tuple[Movement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a file adds: movements not known yet, and details of entries known until now as one sum."""

    new: tuple[Movement, ...]
    details: tuple[Movement, ...]


def compute_id(*parts: object) -> str:
    """Return a stable id of 32 hexadecimal digits for what names a movement or an entry."""
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16, person=b"cm-movement").hexdigest()


def take_id(twins: Counter[str], *parts: object) -> str:
    """Return the id that these parts make; when one file says the same again, it is another movement.

    `twins` counts what the file has said so far, and is added to.
    """
    plain = compute_id(*parts)
    twins[plain] += 1
    return plain if twins[plain] == 1 else compute_id(*parts, twins[plain])


def require_account(told: Iban, expected: Iban) -> None:
    """Raises StatementOfAnotherAccount."""
    if told != expected:
        raise StatementOfAnotherAccount(iban=told, expected=expected)


def require_follows(previous: Statement, statement: Statement) -> None:
    """Hold that nothing is missing between two statements of one account.

    Sequence numbers go up by one; they may begin again at 1 in a later year. Banks that give none are held to
    balances and days alone. Raises StatementOfAnotherAccount, StatementOverlap, StatementGap, OpeningBalanceWrong.
    """
    require_account(statement.iban, previous.iban)
    names = {"statement": statement.id, "previous": previous.id}
    if previous.sequence is not None and statement.sequence is not None:
        begins_a_year = statement.sequence == 1 and statement.closing.day.year > previous.closing.day.year
        expected = 1 if begins_a_year else previous.sequence + 1
        if statement.sequence < expected:
            raise StatementOverlap(**names, sequence=statement.sequence, expected=expected)
        if statement.sequence > expected:
            raise StatementGap(**names, sequence=statement.sequence, expected=expected)
    elif statement.closing.day < previous.closing.day:
        raise StatementOverlap(
            **names, sequence=statement.closing.day.isoformat(), expected=previous.closing.day.isoformat()
        )
    if statement.opening.cents != previous.closing.cents:
        raise OpeningBalanceWrong(
            **names,
            opening=statement.opening.cents,
            closing=previous.closing.cents,
            difference=statement.opening.cents - previous.closing.cents,
        )


def choose_news(known: Iterable[Movement], told: Sequence[Movement]) -> News:
    """Return what of `told` is not known yet; `known` are the movements with the same ids or entries.

    A sum whose details are known is known. Details of a known sum are told apart: the money has been counted.
    Raises BatchMismatch when a sum and the details known of it differ.
    """
    known = tuple(known)
    ids = {movement.id for movement in known}
    sums = {movement.entry: movement.cents for movement in known if movement.batch is None}
    detailed: Counter[str] = Counter()
    for movement in known:
        if movement.batch is not None:
            detailed[movement.entry] += movement.cents
    has_details = {movement.entry for movement in known if movement.batch is not None}

    new: list[Movement] = []
    details: list[Movement] = []
    for movement in told:
        if movement.id in ids:
            continue
        if movement.batch is None and movement.entry in has_details:
            difference = movement.cents - detailed[movement.entry]
            if difference:
                raise BatchMismatch(
                    place=movement.bank_reference,
                    told=movement.cents,
                    summed=detailed[movement.entry],
                    difference=difference,
                )
            continue
        ids.add(movement.id)
        (details if movement.batch is not None and movement.entry in sums else new).append(movement)
    return News(new=tuple(new), details=tuple(details))
