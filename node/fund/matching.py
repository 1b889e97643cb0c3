"""Which payment a movement is: by RF reference, then EndToEndId, then IBAN and amount, else a person looks. Pure.

Never a guess: two candidates, or a reference that says one thing and an EndToEndId another, go to the queue with
what was found. An outcome says what, why, and by how many cents it differs. Source: DOMAIN.md 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.fund.references import Iban, Reference, find_references
from node.fund.statements import Movement, MovementState
from protocol.amounts import Cents


class Meaning(StrEnum):
    """What a movement is."""

    PAID = "paid"  # an expected payment came, to the cent
    UNDERPAID = "underpaid"  # it came, and less than was left to pay
    OVERPAID = "overpaid"  # it came, and more than was left to pay
    PAID_AGAIN = "paid_again"  # a second payment for what was already paid in full
    TRANSFER_LEFT = "transfer_left"  # a transfer of ours was debited
    TRANSFER_CAME_BACK = "transfer_came_back"  # it was rejected or returned: the money is here again
    DEBIT_COLLECTED = "debit_collected"  # a direct debit of ours was credited
    DEBIT_RETURNED = "debit_returned"  # it was refused or taken back
    WAIT = "wait"  # pending: nothing is done until it is booked
    QUEUE = "queue"  # a person decides


PAYMENTS: Final = frozenset({Meaning.PAID, Meaning.UNDERPAID, Meaning.OVERPAID, Meaning.PAID_AGAIN})


class Why(StrEnum):
    """By what it was recognised, or why it was not."""

    REFERENCE = "reference"
    END_TO_END_ID = "end_to_end_id"
    IBAN_AND_AMOUNT = "iban_and_amount"
    NOT_BOOKED = "not_booked"
    REFERENCE_UNKNOWN = "reference_unknown"
    SEVERAL_CANDIDATES = "several_candidates"
    CONTRADICTION = "contradiction"  # reference and EndToEndId name two payments
    AMOUNT_DIFFERS = "amount_differs"  # of an order of ours, where a bank pays all or nothing
    WRONG_DIRECTION = "wrong_direction"  # known by its id, and money went the other way than it could
    NOTHING_KNOWN = "nothing_known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A payment that we wait for, or had: `received` so far, of `cents`."""

    id: str
    cents: Cents
    received: Cents
    reference: Reference | None = None
    end_to_end_id: str = ""
    iban: Iban | None = None  # the payer's, where known


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A transfer or a direct debit that was given to the bank."""

    id: str
    cents: Cents
    end_to_end_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a movement is, why, of which payment (`subject`), and what a person may choose from in the queue.

    `difference`: cents that came beyond what was due; below zero when they are missing.
    """

    meaning: Meaning
    why: Why
    subject: str = ""
    difference: int = 0
    candidates: tuple[str, ...] = ()


def match_movement(
    movement: Movement,
    *,
    expected: Sequence[Expected],
    transfers: Sequence[Order] = (),
    debits: Sequence[Order] = (),
) -> Outcome:
    """Return what the movement is, against what is expected and what was ordered. Payments already paid count too."""
    if movement.state is MovementState.PENDING:
        return Outcome(meaning=Meaning.WAIT, why=Why.NOT_BOOKED)
    ordered = _match_order(movement, transfers, debits)
    if movement.cents <= 0:
        if ordered is not None:
            return ordered
        named = _candidates(movement, expected)
        why = Why.WRONG_DIRECTION if named else Why.NOTHING_KNOWN
        return Outcome(meaning=Meaning.QUEUE, why=why, candidates=named)
    return _match_incoming(movement, expected, ordered)


def _match_incoming(movement: Movement, expected: Sequence[Expected], ordered: Outcome | None) -> Outcome:
    references = (movement.reference,) if movement.reference else find_references(movement.text)
    by_reference = [payment for payment in expected if payment.reference and payment.reference in references]
    by_id = [p for p in expected if movement.end_to_end_id and p.end_to_end_id == movement.end_to_end_id]
    if len(by_reference) > 1:
        return _queue(Why.SEVERAL_CANDIDATES, by_reference)
    if by_reference:
        if ordered is not None or (by_id and by_reference[0] not in by_id):
            return _queue(Why.CONTRADICTION, [*by_reference, *by_id])
        return _judge(movement, by_reference[0], Why.REFERENCE)
    if ordered is not None:
        return ordered if not by_id else _queue(Why.CONTRADICTION, by_id)
    if len(by_id) > 1:
        return _queue(Why.SEVERAL_CANDIDATES, by_id)
    if by_id:
        return _judge(movement, by_id[0], Why.END_TO_END_ID)

    by_account = [
        payment
        for payment in expected
        if payment.iban == movement.counterpart_iban and payment.cents - payment.received == movement.cents
    ]
    # Money that names a payment unknown here is not given to another one because payer and sum agree.
    if references:
        return _queue(Why.REFERENCE_UNKNOWN, by_account)
    if len(by_account) > 1:
        return _queue(Why.SEVERAL_CANDIDATES, by_account)
    if by_account and not movement.is_reversal and not movement.return_reason:
        return _judge(movement, by_account[0], Why.IBAN_AND_AMOUNT)
    return _queue(Why.NOTHING_KNOWN, by_account)


def _judge(movement: Movement, payment: Expected, why: Why) -> Outcome:
    due = payment.cents - payment.received
    difference = movement.cents - max(due, 0)
    if due <= 0:
        meaning = Meaning.PAID_AGAIN
    elif difference < 0:
        meaning = Meaning.UNDERPAID
    else:
        meaning = Meaning.OVERPAID if difference else Meaning.PAID
    return Outcome(meaning=meaning, why=why, subject=payment.id, difference=difference)


def _match_order(movement: Movement, transfers: Sequence[Order], debits: Sequence[Order]) -> Outcome | None:
    """What our own EndToEndId says; None if it names no order."""
    if not movement.end_to_end_id:
        return None
    found = [
        (order, is_transfer)
        for orders, is_transfer in ((transfers, True), (debits, False))
        for order in orders
        if order.end_to_end_id == movement.end_to_end_id
    ]
    if not found:
        return None
    candidates = tuple(order.id for order, _ in found)
    if len(found) > 1:
        return Outcome(meaning=Meaning.QUEUE, why=Why.SEVERAL_CANDIDATES, candidates=candidates)
    order, is_transfer = found[0]
    goes_back = movement.is_reversal or bool(movement.return_reason)
    came_in = movement.cents > 0
    if goes_back and came_in != is_transfer:
        # A bank that rejects a transfer gives money back; it does not take it. The other way round for a debit.
        return Outcome(meaning=Meaning.QUEUE, why=Why.WRONG_DIRECTION, candidates=candidates)
    # A debit returned may carry the bank's own fee on top; a transfer that comes back may have it taken off.
    if abs(movement.cents) != order.cents:
        return Outcome(
            meaning=Meaning.QUEUE,
            why=Why.AMOUNT_DIFFERS,
            difference=abs(movement.cents) - order.cents,
            candidates=candidates,
        )
    if is_transfer:
        meaning = Meaning.TRANSFER_CAME_BACK if came_in else Meaning.TRANSFER_LEFT
    else:
        meaning = Meaning.DEBIT_COLLECTED if came_in else Meaning.DEBIT_RETURNED
    return Outcome(meaning=meaning, why=Why.END_TO_END_ID, subject=order.id)


def _candidates(movement: Movement, expected: Sequence[Expected]) -> tuple[str, ...]:
    references = (movement.reference,) if movement.reference else find_references(movement.text)
    return tuple(
        payment.id
        for payment in expected
        if (payment.reference and payment.reference in references)
        or (payment.end_to_end_id and payment.end_to_end_id == movement.end_to_end_id)
    )


def _queue(why: Why, payments: Sequence[Expected]) -> Outcome:
    ids = tuple(dict.fromkeys(payment.id for payment in payments))
    return Outcome(meaning=Meaning.QUEUE, why=why, candidates=ids)
