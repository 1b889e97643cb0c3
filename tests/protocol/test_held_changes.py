"""A change counts after its wait, what was overtaken never, and what counts already at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.held_changes import Told, compute_start, find_in_force, find_waiting
from protocol.times import Instant

WAIT = 48


def tell(told: list[Told[str]], value: str, at: int) -> None:
    told.append(Told(value=value, at=Instant(at), from_at=compute_start(told, value, Instant(at), WAIT)))


def test_the_first_counts_at_once_and_a_change_after_its_wait() -> None:
    told: list[Told[str]] = []
    assert find_in_force(told, 5) is None
    assert find_waiting(told, 5) is None
    tell(told, "a", 10)
    assert find_in_force(told, 10) == "a"
    tell(told, "b", 20)
    assert [find_in_force(told, now) for now in (9, 20, 67, 68)] == [None, "a", "a", "b"]
    waiting = find_waiting(told, 67)
    assert waiting is not None
    assert (waiting.value, waiting.from_at) == ("b", 68)
    assert find_waiting(told, 68) is None


def test_what_is_overtaken_while_it_waits_never_counts() -> None:
    told: list[Told[str]] = []
    for value, at in (("a", 0), ("b", 10), ("c", 40)):
        tell(told, value, at)
    assert [find_in_force(told, now) for now in (57, 58, 87, 88)] == ["a", "a", "a", "c"]
    tell(told, "a", 60)
    assert [find_in_force(told, now) for now in (60, 88, 1_000)] == ["a", "a", "a"], "taken back: at once, for good"
    tell(told, "b", 60)
    assert [find_in_force(told, now) for now in (60, 107, 108)] == ["a", "a", "b"]


def test_what_counted_for_a_while_stays_until_the_next_has_waited() -> None:
    told: list[Told[str]] = []
    for value, at in (("a", 0), ("b", 10), ("c", 58), ("d", 200)):
        tell(told, value, at)
    assert [find_in_force(told, now) for now in (57, 58, 105, 106, 247, 248)] == ["a", "b", "b", "c", "c", "d"]


def test_what_was_told_is_never_changed() -> None:
    one = Told(value="a", at=Instant(0), from_at=Instant(0))
    with pytest.raises(AttributeError):
        one.value = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Told("a", Instant(0), Instant(0))  # type: ignore[misc]
    assert not hasattr(one, "__dict__")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=6), st.integers(0, 400))
def test_no_change_counts_before_somebody_had_the_whole_wait_to_speak(steps: list[tuple[str, int]], now: int) -> None:
    told: list[Told[str]] = []
    at = 0
    for value, pause in steps:
        at += pause
        tell(told, value, at)
    found = find_in_force(told, now)
    known = [one for one in told if one.at <= now]
    if not known:
        assert found is None
        return
    if found != known[0].value:  # it was changed: then the word for it stood unchanged for the whole wait
        assert any(
            one.value == found
            and one.at + WAIT <= now
            and all(other.at >= one.at + WAIT for other in told[place + 1 :])
            for place, one in enumerate(told)
        ) or any(one.value == found and one.from_at == one.at for one in told)
