"""Wrong tries are limited by address and in all, memory by the limit itself; who calls is who the proxy says."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.desks.partners.guesses import Allowance, Guesses, name_caller, read_proxies
from node.partners.errors import TooManyGuesses
from protocol.times import Instant

NOON = 1_800_000_000_000


def _tries(guesses: Guesses, address: str, now: int, most: int = 1_000) -> int:
    """How many tries this address gets at one instant."""
    for count in range(most):
        try:
            guesses.take(address, Instant(now))
        except TooManyGuesses:
            return count
    return most


def _make(one: tuple[int, int] = (3, 1_000), everybody: tuple[int, int] = (100, 10)) -> Guesses:
    return Guesses(Allowance(most=one[0], every_ms=one[1]), Allowance(most=everybody[0], every_ms=everybody[1]))


def test_one_address_has_so_many_and_one_more_each_time_that_passes() -> None:
    guesses = _make()
    assert _tries(guesses, "a", NOON) == 3
    assert _tries(guesses, "a", NOON + 999) == 0
    assert _tries(guesses, "a", NOON + 1_000) == 1
    assert _tries(guesses, "a", NOON + 3_500) == 2
    assert _tries(guesses, "b", NOON + 3_500) == 3, "another address is another caller"
    assert _tries(guesses, "a", NOON + 100_000) == 3, "what was not used does not pile up"


def test_how_long_to_wait_is_told_in_whole_seconds_rounded_up() -> None:
    guesses = _make(one=(2, 2_500))
    assert _tries(guesses, "a", NOON) == 2
    with pytest.raises(TooManyGuesses) as refused:
        guesses.take("a", Instant(NOON + 100))
    assert refused.value.facts == {"retry_after_seconds": 3}
    guesses.take("a", Instant(NOON + 2_500))


def test_all_together_have_a_limit_too_and_who_was_refused_is_not_counted() -> None:
    guesses = _make(everybody=(5, 1_000))
    assert [_tries(guesses, address, NOON) for address in "abc"] == [3, 2, 0]
    assert _tries(guesses, "c", NOON + 2_000) == 2
    assert _tries(guesses, "d", NOON + 2_000) == 0


def test_a_right_ticket_counts_for_nothing() -> None:
    guesses = _make(one=(2, 1_000), everybody=(2, 1_000))
    for second in range(5):
        guesses.take("a", Instant(NOON + second))
        guesses.give_back("a")
    assert _tries(guesses, "a", NOON + 5) == 2


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_the_whole_window() -> None:
    guesses = _make()
    _tries(guesses, "a", NOON)
    assert _tries(guesses, "a", NOON - 3_600_000) == 0
    assert _tries(guesses, "a", NOON - 3_600_000 + 3_000) == 3


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40), st.booleans()), max_size=300),
    st.integers(1, 4),
    st.integers(1, 20),
)
def test_no_address_and_not_all_together_ever_get_more_than_the_bucket_holds(
    calls: list[tuple[int, int, bool]], most: int, everybody: int
) -> None:
    """Counted again here: over any stretch no more than the bucket and what ran into it meanwhile."""
    guesses = _make(one=(most, 100), everybody=(everybody, 10))
    now, made = NOON, []
    for passed, number, is_right in calls:
        now += passed // 8
        with contextlib.suppress(TooManyGuesses):
            guesses.take(str(number), Instant(now))
            if is_right:
                guesses.give_back(str(number))
            else:
                made.append((now, number))
        assert guesses.addresses <= guesses.addresses_max
    for place, (start, number) in enumerate(made):
        for end in range(place, len(made)):
            passed = made[end][0] - start
            stretch = made[place : end + 1]
            assert len(stretch) <= everybody + passed // 10 + 1
            assert sum(other == number for _, other in stretch) <= most + passed // 100 + 1


def test_addresses_that_are_worked_off_are_forgotten() -> None:
    guesses = _make(one=(1, 100), everybody=(10, 10))
    for number in range(5_000):
        guesses.take(str(number), Instant(NOON + number * 10))
        assert guesses.addresses <= guesses.addresses_max == 42


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.9"], "203.0.113.7"),  # no proxy of ours: its word counts for nothing
        ("127.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.9"], "198.51.100.9"),  # what the caller himself wrote stands before
        ("127.0.0.1", ["6.6.6.6", "198.51.100.9, 10.0.0.2"], "198.51.100.9"),
        ("127.0.0.1", ["nobody"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["::ffff:198.51.100.9"], "198.51.100.9"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("", ["198.51.100.9"], ""),
    ],
)
def test_who_calls(peer: str, forwarded: list[str], caller: str) -> None:
    assert name_caller(peer, forwarded, read_proxies(["127.0.0.1", "10.0.0.2"])) == caller


def test_a_proxy_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="proxies: nginx is no address"):
        read_proxies(["nginx"])
