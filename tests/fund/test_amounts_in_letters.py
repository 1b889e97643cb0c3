"""Amounts in French words, read back by a reader of our own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.amounts_in_letters import write_in_letters
from protocol.amounts import CENTS_MAX
from protocol.errors import InvalidAmount

_SMALL = {
    word: value
    for value, word in enumerate(
        [
            "zéro",
            "un",
            "deux",
            "trois",
            "quatre",
            "cinq",
            "six",
            "sept",
            "huit",
            "neuf",
            "dix",
            "onze",
            "douze",
            "treize",
            "quatorze",
            "quinze",
            "seize",
        ]
    )
}
_TENS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60}
_SCALES = {"mille": 10**3, "million": 10**6, "milliard": 10**9, "billion": 10**12}


def _read_number(words: str) -> int:
    """Read a French whole number: tens and units add up, `quatre-vingt` and hundreds multiply, scales close a group."""
    total = group = 0
    pieces = [piece for piece in re.split(r"[ -]", words) if piece != "et"]
    for piece in pieces:
        singular = (
            piece.removesuffix("s") if piece in ("vingts", "cents") or piece.removesuffix("s") in _SCALES else piece
        )
        if singular in _SCALES:
            total += max(group, 1) * _SCALES[singular]
            group = 0
        elif singular == "cent":
            group = max(group, 1) * 100
        elif singular == "vingt" and group % 100 == 4:
            group += 76  # four twenties
        elif singular in _TENS:
            group += _TENS[singular]
        else:
            group += _SMALL[piece]
    return total + group


def _read_amount(text: str) -> int:
    match = re.fullmatch(r"(?:(?P<euros>.+?)(?: | d’)euros?)?(?: et )?(?:(?P<cents>\S.*?) centimes?)?", text)
    assert match is not None
    return 100 * _read_number(match["euros"] or "zéro") + _read_number(match["cents"] or "zéro")


@given(
    st.one_of(st.integers(1, CENTS_MAX), st.integers(1, 10**6), st.integers(1, 10**7).map(lambda euros: euros * 10**8))
)
def test_the_words_say_the_amount_to_the_cent(cents: int) -> None:
    assert _read_amount(write_in_letters(cents)) == cents


def test_every_amount_below_a_hundred_euros_has_words_of_its_own() -> None:
    written = [write_in_letters(cents) for cents in range(1, 10_000)]
    assert len(set(written)) == len(written)
    assert [_read_amount(words) for words in written] == list(range(1, 10_000))


@pytest.mark.parametrize(
    ("cents", "words"),
    [
        (1, "un centime"),
        (50, "cinquante centimes"),
        (100, "un euro"),
        (101, "un euro et un centime"),
        (200, "deux euros"),
        (7_171, "soixante et onze euros et soixante et onze centimes"),
        (8_000, "quatre-vingts euros"),
        (8_081, "quatre-vingts euros et quatre-vingt-un centimes"),
        (9_999, "quatre-vingt-dix-neuf euros et quatre-vingt-dix-neuf centimes"),
        (20_000, "deux cents euros"),
        (20_100, "deux cent un euros"),
        (100_000, "mille euros"),
        (123_450, "mille deux cent trente-quatre euros et cinquante centimes"),
        (8_000_000, "quatre-vingt mille euros"),
        (20_000_000, "deux cent mille euros"),
        (100_000_000, "un million d’euros"),
        (100_000_100, "un million un euros"),
        (250_000_000, "deux millions cinq cent mille euros"),
        (8_000_000_000, "quatre-vingts millions d’euros"),
        (100_000_000_050, "un milliard d’euros et cinquante centimes"),
    ],
)
def test_as_a_french_cheque_says_it(cents: int, words: str) -> None:
    assert write_in_letters(cents) == words


@pytest.mark.parametrize("cents", [0, -1, 1.0, "1", CENTS_MAX + 1])
def test_what_is_no_amount_is_refused(cents: int) -> None:
    with pytest.raises(InvalidAmount):
        write_in_letters(cents)
