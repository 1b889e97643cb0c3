"""Pages of a history, cut from a list whose entries are numbered from one; and what each kind brought and took."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.ledger.accounts import AccountKind, AccountState
from node.ledger.lots import LotId
from node.ledger.postings import PostingKind
from node.ledger.statements import (
    MARK_EVERY,
    PAGE_MAX,
    AccountView,
    Balance,
    Entry,
    KindTotal,
    choose_span,
    next_cursor,
    sum_by_kind,
)
from protocol.amounts import Cents
from protocol.errors import Malformed
from protocol.identifiers import AccountNumber, Id16
from tests.ledger.world import START


@given(st.integers(0, 40), st.integers(1, 12), st.booleans())
def test_pages_one_after_another_are_the_whole_history_once(length: int, limit: int, is_newest_first: bool) -> None:
    seen: list[int] = []
    cursor = None
    for _ in range(length + 2):
        span = choose_span(length, cursor=cursor, limit=limit, is_newest_first=is_newest_first)
        assert len(span) == min(limit, length - len(seen))
        assert span or not length  # nobody is sent to an empty page
        seen += reversed(span) if is_newest_first else span
        cursor = next_cursor(length, span, is_newest_first=is_newest_first)
        if cursor is None:
            break
    assert seen == (list(range(length, 0, -1)) if is_newest_first else list(range(1, length + 1)))


@pytest.mark.parametrize(
    ("cursor", "is_newest_first", "page"),
    [
        (1, False, [1, 2, 3]),
        (9, False, [9, 10]),
        (10, False, [10]),
        (11, False, []),
        (99, False, []),
        (1, True, [1]),
        (2, True, [1, 2]),
        (3, True, [1, 2, 3]),
        (10, True, [8, 9, 10]),
        (99, True, [8, 9, 10]),
    ],
)
def test_a_page_begins_where_the_cursor_says_and_ends_with_the_history(
    cursor: int, is_newest_first: bool, page: list[int]
) -> None:
    assert list(choose_span(10, cursor=cursor, limit=3, is_newest_first=is_newest_first)) == page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": PAGE_MAX + 1}, "limit"),
        ({"limit": True}, "limit"),
        ({"cursor": 0}, "cursor"),
        ({"cursor": "5"}, "cursor"),
    ],
)
def test_a_page_of_no_entry_or_too_many_or_from_nowhere_is_refused(wrong: dict[str, Any], field: str) -> None:
    good: dict[str, Any] = {"cursor": None, "limit": PAGE_MAX, "is_newest_first": True}
    assert choose_span(5, **good) == range(1, 6)
    with pytest.raises(Malformed) as refusal:
        choose_span(5, **{**good, **wrong})
    assert refusal.value.facts["field"] == field


def test_a_page_has_two_hundred_entries_at_most_and_every_sixty_fourth_is_marked() -> None:
    assert (PAGE_MAX, MARK_EVERY) == (200, 64)


def entry(kind: PostingKind, cents: int) -> Entry:
    return Entry(
        seq=1,
        transfer=1,
        op=Id16(b"o" * 16),
        part=0,
        at=START,
        kind=kind,
        cents=cents,
        after=Cents(100),
        lot=LotId(1),
        other=AccountNumber("AAAAAAAA"),
        other_name=None,
        reference="",
        undoes=None,
    )


def test_what_each_kind_brought_and_took_is_summed_in_the_order_of_the_kinds() -> None:
    told = [(PostingKind.GIFT, 7), (PostingKind.CREDIT, 1), (PostingKind.GIFT, -2), (PostingKind.GIFT, 5)]
    assert sum_by_kind(entry(kind, cents) for kind, cents in told) == (
        KindTotal(kind=PostingKind.CREDIT, entries=1, received=1, given=0),
        KindTotal(kind=PostingKind.GIFT, entries=3, received=12, given=2),
    )
    assert sum_by_kind([]) == ()


def test_available_is_what_is_held_and_not_reserved() -> None:
    assert Balance(cents=Cents(10), reserved=Cents(3), lots=()).available == 7
    view = AccountView(
        number=AccountNumber("AAAAAAAA"),
        kind=AccountKind.PERSON,
        state=AccountState.OPEN,
        shown_name=None,
        opened_at=START,
        closed_at=None,
        cents=Cents(10),
        reserved=Cents(4),
        length=2,
    )
    assert view.available == 6
