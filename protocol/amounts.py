"""Amounts: whole euro cents, never a float. Pure. 100 cents make one mile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NewType

from protocol.errors import InvalidAmount

Cents = NewType("Cents", int)

# Ten thousand billion euros: more than all gifts of a century, and far inside 63 bits.
CENTS_MAX: Final = 10**15


def require_amount(value: object) -> Cents:
    """Return the amount if it is a whole number from 1 to CENTS_MAX. Raises InvalidAmount."""
    cents = _require_whole(value)
    if cents < 1:
        raise InvalidAmount(amount=cents, reason="an amount is more than zero")
    return cents


def require_balance(value: object) -> Cents:
    """Return the balance if it is a whole number from 0 to CENTS_MAX. Raises InvalidAmount."""
    cents = _require_whole(value)
    if cents < 0:
        raise InvalidAmount(amount=cents, reason="a balance is never below zero")
    return cents


def _require_whole(value: object) -> Cents:
    if type(value) is not int:
        raise InvalidAmount(amount=_show(value), reason="an amount is a whole number of cents")
    if not -CENTS_MAX <= value <= CENTS_MAX:
        raise InvalidAmount(amount=_show(value), reason=f"more than {CENTS_MAX} cents")
    return Cents(value)


def _show(value: object) -> str:
    """Return a refused value for the facts: short, and never an error of its own."""
    if isinstance(value, int):
        # Python itself refuses to write an integer of thousands of digits, and JSON carries such ones.
        return str(value) if value.bit_length() <= 128 else f"{value.bit_length()} bits"
    if isinstance(value, str):
        return value[:40].encode(errors="backslashreplace").decode()
    return str(value) if isinstance(value, float) else type(value).__name__


# What parts thousands, and what parts cents; of languages that we do not speak, as in English.
_MARKS: Final = {"fr": ("\u202f", ",")}


def format_cents(cents: int, language: str = "fr") -> str:
    """Return euros or miles for people: 1 234,50 in French (narrow no-break space), 1,234.50 in English."""
    comma, point = _MARKS.get(language, (",", "."))
    whole, rest = divmod(abs(cents), 100)
    grouped = f"{whole:,}".replace(",", comma)
    return f"{'-' if cents < 0 else ''}{grouped}{point}{rest:02d}"


def share_largest_remainder(total: Cents, weights: Sequence[int]) -> list[Cents]:
    """Share `total` in proportion to `weights`, to the cent.

    Each share is rounded down; the cents left go one each to the largest remainders, the first of equals first.
    Raises ValueError without a positive weight.
    """
    sum_of_weights = sum(weights)
    if sum_of_weights <= 0 or min(weights) < 0:
        raise ValueError("weights are not negative and not all zero")
    shares = [total * weight // sum_of_weights for weight in weights]
    remainders = [total * weight % sum_of_weights for weight in weights]
    # A reversed sort keeps equals in their first order.
    largest_first = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
    for place in largest_first[: total - sum(shares)]:
        shares[place] += 1
    return [Cents(share) for share in shares]
