"""What a book remembers of its newest ids: it may doubt too often, never too seldom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger import recent_ids
from node.ledger.recent_ids import RecentIds
from protocol.identifiers import Id16


def an_id(number: int) -> Id16:
    return Id16(number.to_bytes(16, "big"))


groups = st.lists(st.lists(st.integers(1, 60) | st.integers(1, 2**100), max_size=9), max_size=9)


@given(groups, st.lists(st.integers(1, 60) | st.integers(1, 2**100)))
def test_every_id_that_was_added_is_doubtful(written: list[list[int]], asked: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_ids, "IDS_MAX", 8)
        recent = RecentIds([], b"")
        for group in written:
            recent.add([an_id(number) for number in dict.fromkeys(group)])
            assert len(recent) <= 8
    in_book = {number for group in written for number in group}
    doubtful = recent.find_doubtful([an_id(number) for number in asked])
    assert {an_id(number) for number in asked if number in in_book} <= set(doubtful)
    assert all(one in map(an_id, in_book) or one <= recent.floor for one in doubtful)


def test_one_clock_that_runs_ahead_makes_nobody_pay() -> None:
    recent = RecentIds([an_id(2**100)], b"")
    recent.add([an_id(number) for number in range(1, recent_ids.IDS_MAX + 1)])
    assert an_id(2**100) in recent.find_doubtful([an_id(2**100)])
    assert recent.find_doubtful([an_id(recent_ids.IDS_MAX + 1), an_id(2**99)]) == []
    assert recent.floor == an_id(recent_ids.IDS_MAX // 2 + 1)


def test_ids_below_the_floor_are_doubtful_and_not_kept() -> None:
    recent = RecentIds([an_id(9)], an_id(5))
    recent.add([an_id(3), an_id(5)])
    assert len(recent) == 1
    assert recent.find_doubtful([an_id(3), an_id(5), an_id(6), an_id(9)]) == [an_id(3), an_id(5), an_id(9)]


def test_half_is_forgotten_only_when_one_more_than_all_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_ids, "IDS_MAX", 8)
    recent = RecentIds([an_id(number) for number in range(1, 9)], b"")
    assert (len(recent), recent.floor) == (8, b"")
    recent.add([an_id(9)])
    assert (len(recent), recent.floor) == (4, an_id(5))
