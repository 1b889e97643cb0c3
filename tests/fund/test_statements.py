"""What follows what, and what is new."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.fund.bank_errors import (
    BatchMismatch,
    OpeningBalanceWrong,
    StatementGap,
    StatementOfAnotherAccount,
    StatementOverlap,
    StatementUnbalanced,
)
from node.fund.references import Iban
from node.fund.statements import (
    Balance,
    BatchPlace,
    Movement,
    MovementState,
    Statement,
    choose_news,
    require_follows,
)

OURS = Iban("FR7630006000011234567890189")
THEIRS = Iban("BE68539007547034")
DAY = datetime.date(2026, 11, 24)


def _statement(
    *, opening: int, sequence: int | None, day: datetime.date = DAY, iban: Iban = OURS, moved: int = 0
) -> Statement:
    movements = (_movement("m", moved),) if moved else ()
    return Statement(
        iban=iban,
        id=f"S{sequence}",
        sequence=sequence,
        opening=Balance(cents=opening, day=day),
        closing=Balance(cents=opening + moved, day=day),
        movements=movements,
    )


def _movement(id_: str, cents: int, *, entry: str = "", place: int = 0) -> Movement:
    return Movement(
        id=id_,
        entry=entry or id_,
        cents=cents,
        state=MovementState.BOOKED,
        booked_on=DAY,
        valued_on=DAY,
        batch=BatchPlace(place=place, count=2) if place else None,
    )


def test_a_statement_that_does_not_add_up_does_not_exist() -> None:
    with pytest.raises(StatementUnbalanced) as refusal:
        Statement(
            iban=OURS,
            id="S",
            sequence=1,
            opening=Balance(cents=100, day=DAY),
            closing=Balance(cents=175, day=DAY),
            movements=(_movement("a", 50),),
        )
    assert refusal.value.facts["difference"] == 25


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 300), st.integers(-3, 3), st.integers(-1, 1))
def test_following_is_by_number_and_by_balance(opening: int, moved: int, number: int, step: int, off: int) -> None:
    previous = _statement(opening=opening, sequence=number, moved=moved)
    statement = _statement(opening=opening + moved + off, sequence=number + step)
    if step < 1:
        with pytest.raises(StatementOverlap):
            require_follows(previous, statement)
    elif step > 1:
        with pytest.raises(StatementGap) as gap:
            require_follows(previous, statement)
        assert gap.value.facts["expected"] == number + 1
    elif off:
        with pytest.raises(OpeningBalanceWrong) as wrong:
            require_follows(previous, statement)
        assert wrong.value.facts["difference"] == off
    else:
        require_follows(previous, statement)


def test_numbers_begin_again_in_a_later_year_only() -> None:
    previous = _statement(opening=5, sequence=250, day=datetime.date(2026, 12, 31))
    require_follows(previous, _statement(opening=5, sequence=1, day=datetime.date(2027, 1, 4)))
    with pytest.raises(StatementOverlap):
        require_follows(previous, _statement(opening=5, sequence=1, day=datetime.date(2026, 12, 31)))


def test_without_numbers_days_and_balances_hold() -> None:
    previous = _statement(opening=5, sequence=None)
    require_follows(previous, _statement(opening=5, sequence=None, day=DAY + datetime.timedelta(days=1)))
    with pytest.raises(StatementOverlap):
        require_follows(previous, _statement(opening=5, sequence=None, day=DAY - datetime.timedelta(days=1)))
    with pytest.raises(OpeningBalanceWrong):
        require_follows(previous, _statement(opening=6, sequence=2, day=DAY + datetime.timedelta(days=1)))


def test_a_statement_of_another_account_follows_nothing() -> None:
    with pytest.raises(StatementOfAnotherAccount):
        require_follows(_statement(opening=0, sequence=1), _statement(opening=0, sequence=2, iban=THEIRS))


def test_a_booked_movement_has_a_day() -> None:
    with pytest.raises(ValueError):
        Movement(id="a", entry="a", cents=1, state=MovementState.BOOKED, booked_on=None, valued_on=None)


@given(st.lists(st.integers(-100, 100), max_size=8), st.integers(0, 8))
def test_what_is_known_is_not_new_and_the_rest_is(cents: list[int], known_count: int) -> None:
    told = [_movement(f"m{place}", amount) for place, amount in enumerate(cents)]
    news = choose_news(told[:known_count], told)
    assert list(news.new) == told[known_count:]
    assert news.details == ()
    assert choose_news(told, told).new == ()
    assert choose_news([], [*told, *told]).new == tuple(told)


def test_a_sum_whose_details_are_known_is_known() -> None:
    details = [_movement("a", 30, entry="e", place=1), _movement("b", 70, entry="e", place=2)]
    assert choose_news(details, [_movement("e", 100)]).new == ()
    with pytest.raises(BatchMismatch) as refusal:
        choose_news(details, [_movement("e", 101)])
    assert refusal.value.facts["difference"] == 1


def test_details_of_a_known_sum_are_told_apart() -> None:
    details = (_movement("a", 30, entry="e", place=1), _movement("b", 70, entry="e", place=2))
    news = choose_news([_movement("e", 100)], details)
    assert (news.new, news.details) == ((), details)
