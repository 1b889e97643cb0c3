"""Order numbers: one writing each, and what follows what."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.receipt_errors import InvalidReceiptNumber
from node.fund.receipt_numbers import SEQUENCE_MAX, ReceiptNumber, first_number, is_siren, next_number, parse_number

SIREN = "732829320"
issuers = st.sampled_from([SIREN, "552100554", "W691234567"])


@given(issuers, st.integers(2009, 9999), st.integers(1, SEQUENCE_MAX))
def test_what_is_written_is_read_back(issuer: str, year: int, sequence: int) -> None:
    number = ReceiptNumber(issuer=issuer, year=year, sequence=sequence)
    assert parse_number(str(number)) == number


def test_the_writing() -> None:
    assert str(first_number(SIREN, 2026)) == "FD-732829320-2026-000001"
    assert str(ReceiptNumber(issuer=SIREN, year=2026, sequence=1_000_000)) == "FD-732829320-2026-1000000"


@given(issuers, st.integers(2009, 9999), st.integers(1, SEQUENCE_MAX - 3))
def test_numbers_follow_without_a_gap(issuer: str, year: int, sequence: int) -> None:
    numbers = [ReceiptNumber(issuer=issuer, year=year, sequence=sequence)]
    for _ in range(3):
        numbers.append(next_number(numbers[-1]))
    assert numbers == sorted(set(numbers))
    assert [(after.sequence - before.sequence, after.year) for before, after in pairwise(numbers)] == [(1, year)] * 3


def test_the_last_number_has_no_next() -> None:
    with pytest.raises(InvalidReceiptNumber):
        next_number(ReceiptNumber(issuer=SIREN, year=2026, sequence=SEQUENCE_MAX))


@pytest.mark.parametrize(
    "text",
    [
        *("", "FD", None, 7, b"FD-732829320-2026-000001"),
        "fd-732829320-2026-000001",
        "FD-732829321-2026-000001",  # its check digit
        "FD-000000000-2026-000001",
        "FD-732829320-2026-000000",
        "FD-732829320-2026-00001",
        "FD-732829320-2026-0000001",  # a zero too many
        "FD-732829320-26-000001",
        "FD-732829320-1999-000001",
        " FD-732829320-2026-000001",
        "FD-732829320-2026-000001\n",
        "FD-732829320-2026-٠٠٠٠٠١",
        "FD-732829320-2026-1" + "0" * 5000,
    ],
)
def test_another_writing_is_refused(text: Any) -> None:
    with pytest.raises(InvalidReceiptNumber):
        parse_number(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [("issuer", "732829321"), ("issuer", None), ("year", "2026"), ("sequence", 0), ("sequence", True)],
)
def test_a_number_that_exists_is_valid(field: str, value: Any) -> None:
    told: dict[str, Any] = {"issuer": SIREN, "year": 2026, "sequence": 1, field: value}
    with pytest.raises(InvalidReceiptNumber):
        ReceiptNumber(**told)


@given(st.text(alphabet="0123456789", min_size=9, max_size=9))
def test_a_siren_carries_its_check_digit(digits: str) -> None:
    # Luhn, said again: every second digit from the right doubled, nine cast out.
    total = sum(int(digit) for digit in digits[::-2]) + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    assert is_siren(digits) == (total % 10 == 0 and digits != "000000000")
