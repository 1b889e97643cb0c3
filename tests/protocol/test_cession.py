"""The life of a cession against a plain model: the five ways it can go, written out."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from protocol.cession import (
    RIGHTS_COME_BACK,
    TERMINAL,
    Cession,
    CessionState,
    Event,
    IllegalTransition,
    advance,
    state_of,
)
from protocol.times import Instant

LIVES = (
    ("refused",),
    ("cleared", "recalled"),
    ("cleared", "expired"),
    ("cleared", "handed_over", "delivered"),
    ("cleared", "handed_over", "returned"),
)


class Life(RuleBasedStateMachine):
    """Anybody may say anything at any time, as often as he likes."""

    def __init__(self) -> None:
        super().__init__()
        self.cession = Cession(CessionState.QUEUED, Instant(0))
        self.lived: tuple[str, ...] = ()
        self.now = 0
        self.ends: set[str] = set()

    @rule(event=st.sampled_from(list(Event)), code=st.sampled_from(["", "day_limit"]))
    def something_happens(self, event: Event, code: str) -> None:
        self.now += 1
        before = self.cession
        longer = (*self.lived, str(event))
        if self.lived[-1:] == (event,):
            assert advance(before, event, Instant(self.now), code) is before
        elif any(life[: len(longer)] == longer for life in LIVES):
            self.cession, self.lived = advance(before, event, Instant(self.now), code), longer
            assert self.cession == Cession(CessionState(event), Instant(self.now), code)
        else:
            with pytest.raises(IllegalTransition):
                advance(before, event, Instant(self.now), code)
        if self.cession.state in TERMINAL:
            self.ends.add(self.cession.state)

    @invariant()
    def ends_once_at_most(self) -> None:
        assert len(self.ends) <= 1
        assert (self.lived in LIVES) == (self.cession.state in TERMINAL)


TestLife = Life.TestCase


def test_rights_come_back_at_every_end_but_one() -> None:
    assert {life[-1] for life in LIVES} == {str(state) for state in TERMINAL}
    assert {str(state) for state in RIGHTS_COME_BACK} == {life[-1] for life in LIVES} - {"delivered"}


def test_an_exception_speaks_for_its_cession_and_the_slip_for_all_others() -> None:
    assert state_of(CessionState.DELIVERED, CessionState.RECALLED) is CessionState.RECALLED
    assert state_of(CessionState.DELIVERED, None) is CessionState.DELIVERED


def test_states_events_and_refusals_are_stored_in_their_own_words() -> None:
    assert [str(state) for state in CessionState] == [
        *("queued", "cleared", "handed_over", "delivered", "returned", "recalled", "expired", "refused")
    ]
    assert [str(event) for event in Event] == [
        *("cleared", "refused", "handed_over", "recalled", "expired", "delivered", "returned")
    ]
    assert Cession(CessionState.QUEUED, Instant(0)).code == ""
    assert advance(Cession(CessionState.QUEUED, Instant(0)), Event.CLEARED, Instant(1)).code == ""
