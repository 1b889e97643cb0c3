"""Which conversions may be told: in steps of enough people, so that no word less the one before is a sum of few."""

from __future__ import annotations

import itertools
import random

import pytest

from node.effects.effects import Figures, Part, choose_told, compute_figures, round_waiting
from node.effects.givers import Given, find_givers
from protocol.house import DueState

PAID, REJECTED, NETTED = DueState.PAID, DueState.REJECTED, DueState.NETTED


def part(cents: int, people: str | None, said: DueState | None = None, *, confirmed: bool = False) -> Part:
    return Part(cents, None if people is None else frozenset(people), said, confirmed)


def test_what_few_directed_waits_until_it_is_told_with_more() -> None:
    few, more, many, last = part(100, "ab"), part(20, "bc"), part(3, None), part(4, "a")
    assert choose_told([few], 3) == []
    assert choose_told([few, more], 3) == [[few, more]], "three people, one of them twice"
    assert choose_told([few, many, last], 3) == [[few, many]]
    assert choose_told([many, few, last], 3) == [[many]], "the same two people twice are two"
    assert choose_told([few, part(1, "abc")], 3) == [[few, part(1, "abc")]]


@pytest.mark.parametrize("seed", range(8))
def test_no_word_less_an_earlier_one_is_a_sum_of_few(seed: int) -> None:
    dice = random.Random(seed)
    parts = [
        part(2**at, "".join(dice.sample("abcdefgh", dice.randint(1, 4))), dice.choice((PAID, None))) for at in range(12)
    ]
    words = [compute_figures(0, parts[:count], 4) for count in range(len(parts) + 1)]
    for sums in ([word.converted for word in words], [word.paid for word in words]):
        for earlier, later in itertools.combinations(sums, 2):
            # Cents are powers of two: the difference names the very parts it is made of.
            of = [one for one in parts if (later - earlier) & one.cents]
            assert later >= earlier
            assert not of or len(frozenset().union(*(one.people or () for one in of))) >= 4


def test_a_step_is_paid_netted_or_confirmed_once_all_of_it_is() -> None:
    def figures(*parts: Part) -> tuple[int, ...]:
        return compute_figures(0, parts, 3)[1:]

    assert figures(part(7, None)) == (7, 0, 0, 0)
    assert figures(part(7, None, PAID, confirmed=True)) == (7, 7, 0, 7)
    assert figures(part(7, None, REJECTED)) == (7, 0, 0, 0), "sent back: owed again"
    assert figures(part(7, None, NETTED)) == (7, 0, 7, 0)
    assert figures(part(7, "ab", PAID, confirmed=True), part(5, "c")) == (12, 0, 0, 0)
    assert figures(part(7, "ab", PAID, confirmed=True), part(5, "c", PAID)) == (12, 12, 0, 0)
    assert figures(part(7, "ab", PAID), part(5, "c", NETTED)) == (12, 12, 0, 0)
    assert figures(part(7, None, PAID), part(5, None, NETTED), part(1, "a", PAID)) == (12, 7, 5, 0)
    assert compute_figures(100, [], 3) == Figures(100)


def test_what_waits_is_told_in_hundreds_of_euros_and_of_few_not_at_all() -> None:
    assert [round_waiting(cents, 3, 3) for cents in (0, 9_999, 10_000, 30_150)] == [0, 0, 10_000, 30_000]
    assert round_waiting(30_150, 2, 3) == 0


def test_who_stood_behind_a_conversion_is_the_same_whatever_comes_after_it() -> None:
    before = [gave("a", 100, 1), gave("b", 100, 2), gave("b", -100, 9), gave("c", 100, 10), gave("c", -40, 10)]
    assert find_givers([(10, 160)], before) == [{"a", "c"}]
    after = [gave("a", -100, 11), gave("b", 100, 12), gave("d", 100, 13)]
    assert find_givers([(10, 160)], before + after) == [{"a", "c"}]


def test_a_gift_that_was_converted_stands_behind_nothing_else() -> None:
    many = [gave(name, 100, at) for at, name in enumerate("abcde")]
    assert find_givers([(5, 500), (9, 200)], [*many, gave("x", 200, 7)]) == [set("abcde"), {"x"}]
    # The oldest first; what nobody here gave came from elsewhere.
    assert find_givers([(5, 250), (9, 150), (10, 400)], [*many, gave("x", 50, 7)]) == [
        set("abc"),
        set("cd"),
        {"e", "x"},
    ]


def gave(account: str, cents: int, at: int) -> Given:
    return Given("", "", account, cents, at)
