"""Which payment a movement is."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.matching import Expected, Meaning, Order, Outcome, Why, match_movement
from node.fund.references import Iban, make_reference
from node.fund.statements import Movement, MovementState
from protocol.amounts import Cents

DAY = datetime.date(2026, 11, 24)
PAYER = Iban("BE68539007547034")


def _movement(cents: int, **said: object) -> Movement:
    return Movement(
        id="m",
        entry="m",
        cents=cents,
        booked_on=DAY,
        valued_on=DAY,
        **{"state": MovementState.BOOKED, **said},  # type: ignore[arg-type]
    )


def _expected(id_: str, cents: int, number: int, received: int = 0, **said: object) -> Expected:
    return Expected(
        id=id_,
        cents=Cents(cents),
        received=Cents(received),
        reference=make_reference(number),
        **said,  # type: ignore[arg-type]
    )


A = _expected("A", 1000, 1, iban=PAYER, end_to_end_id="E-A")
B = _expected("B", 2000, 2, iban=PAYER, end_to_end_id="E-B")
TRANSFER = Order(id="T", cents=Cents(700), end_to_end_id="PAY-1")
DEBIT = Order(id="D", cents=Cents(300), end_to_end_id="DD-1")


def _match(movement: Movement, *expected: Expected) -> Outcome:
    return match_movement(movement, expected=expected or (A, B), transfers=(TRANSFER,), debits=(DEBIT,))


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_reference_decides_and_the_sum_says_what_is_missing(due: int, received: int, came: int) -> None:
    outcome = _match(_movement(came, reference=make_reference(7)), _expected("X", due, 7, received), B)
    assert (outcome.why, outcome.subject) == (Why.REFERENCE, "X")
    left = due - received
    if left <= 0:
        assert (outcome.meaning, outcome.difference) == (Meaning.PAID_AGAIN, came)
    else:
        meaning = {-1: Meaning.UNDERPAID, 0: Meaning.PAID, 1: Meaning.OVERPAID}[(came > left) - (came < left)]
        assert (outcome.meaning, outcome.difference) == (meaning, came - left)


def test_a_reference_in_the_text_counts_as_well() -> None:
    assert _match(_movement(1000, text=f"don {make_reference(1)}")).subject == "A"


@pytest.mark.parametrize(
    ("movement", "meaning", "why", "subject"),
    [
        # The reference goes before the payer's account and the sum, which say B.
        (_movement(2000, reference=make_reference(1), counterpart_iban=PAYER), Meaning.OVERPAID, Why.REFERENCE, "A"),
        (_movement(1000, end_to_end_id="E-A"), Meaning.PAID, Why.END_TO_END_ID, "A"),
        (_movement(2000, end_to_end_id="E-A", counterpart_iban=PAYER), Meaning.OVERPAID, Why.END_TO_END_ID, "A"),
        (_movement(2000, counterpart_iban=PAYER), Meaning.PAID, Why.IBAN_AND_AMOUNT, "B"),
        (_movement(2001, counterpart_iban=PAYER), Meaning.QUEUE, Why.NOTHING_KNOWN, ""),
        (_movement(2000), Meaning.QUEUE, Why.NOTHING_KNOWN, ""),
        (_movement(2000, reference=make_reference(99)), Meaning.QUEUE, Why.REFERENCE_UNKNOWN, ""),
        (_movement(1000, state=MovementState.PENDING, reference=make_reference(1)), Meaning.WAIT, Why.NOT_BOOKED, ""),
        # Orders of ours.
        (_movement(-700, end_to_end_id="PAY-1"), Meaning.TRANSFER_LEFT, Why.END_TO_END_ID, "T"),
        (
            _movement(700, end_to_end_id="PAY-1", return_reason="AC04"),
            Meaning.TRANSFER_CAME_BACK,
            Why.END_TO_END_ID,
            "T",
        ),
        (_movement(700, end_to_end_id="PAY-1", is_reversal=True), Meaning.TRANSFER_CAME_BACK, Why.END_TO_END_ID, "T"),
        (_movement(700, end_to_end_id="PAY-1"), Meaning.TRANSFER_CAME_BACK, Why.END_TO_END_ID, "T"),
        (_movement(300, end_to_end_id="DD-1"), Meaning.DEBIT_COLLECTED, Why.END_TO_END_ID, "D"),
        (_movement(-300, end_to_end_id="DD-1", return_reason="MD06"), Meaning.DEBIT_RETURNED, Why.END_TO_END_ID, "D"),
        (_movement(-700, end_to_end_id="PAY-1", is_reversal=True), Meaning.QUEUE, Why.WRONG_DIRECTION, ""),
        (_movement(-305, end_to_end_id="DD-1", return_reason="MD06"), Meaning.QUEUE, Why.AMOUNT_DIFFERS, ""),
        (_movement(-50), Meaning.QUEUE, Why.NOTHING_KNOWN, ""),
        (_movement(-1000, end_to_end_id="E-A"), Meaning.QUEUE, Why.WRONG_DIRECTION, ""),
        (_movement(1000, counterpart_iban=PAYER, return_reason="AC01"), Meaning.QUEUE, Why.NOTHING_KNOWN, ""),
        (_movement(1000, reference=make_reference(1), end_to_end_id="E-B"), Meaning.QUEUE, Why.CONTRADICTION, ""),
        (_movement(700, reference=make_reference(1), end_to_end_id="PAY-1"), Meaning.QUEUE, Why.CONTRADICTION, ""),
    ],
)
def test_the_order_of_recognition(movement: Movement, meaning: Meaning, why: Why, subject: str) -> None:
    outcome = _match(movement)
    assert (outcome.meaning, outcome.why, outcome.subject) == (meaning, why, subject)


def test_two_equal_candidates_are_left_to_a_person() -> None:
    twin = _expected("C", 1000, 3, iban=PAYER)
    outcome = _match(_movement(1000, counterpart_iban=PAYER), A, twin)
    assert (outcome.meaning, outcome.why) == (Meaning.QUEUE, Why.SEVERAL_CANDIDATES)
    assert outcome.candidates == ("A", "C")


def test_two_references_in_one_text_are_left_to_a_person() -> None:
    outcome = _match(_movement(3000, text=f"{make_reference(1)} et {make_reference(2)}"))
    assert (outcome.meaning, outcome.candidates) == (Meaning.QUEUE, ("A", "B"))


def test_an_unknown_reference_is_not_given_to_another_payment_of_the_same_payer_and_sum() -> None:
    outcome = _match(_movement(1000, reference=make_reference(99), counterpart_iban=PAYER))
    assert (outcome.meaning, outcome.why, outcome.candidates) == (Meaning.QUEUE, Why.REFERENCE_UNKNOWN, ("A",))


def test_a_payer_without_an_account_is_not_matched_to_a_payment_without_one() -> None:
    anonymous = _expected("N", 1000, 5)
    assert _match(_movement(1000), anonymous).meaning is Meaning.QUEUE
