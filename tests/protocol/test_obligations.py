"""What is said of the euros of a conversion: who may say what, and that the order of two logs changes nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.messages import SettledState
from protocol.obligations import Obligation, ObligationState, settle

BREST, LYON, PARIS = "242900314", "200046977", "217500016"
OWED = Obligation(debtor=LYON, creditor=BREST, project=bytes(16), cents=1_234)
_S = SettledState


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([], ObligationState.OWED),
        ([(LYON, _S.PAID)], ObligationState.PAID),
        ([(LYON, _S.NETTED)], ObligationState.NETTED),
        ([(LYON, _S.PAID), (LYON, _S.REJECTED)], ObligationState.REJECTED),
        ([(LYON, _S.PAID), (LYON, _S.REJECTED), (LYON, _S.PAID)], ObligationState.PAID),
        ([(LYON, _S.PAID), (BREST, _S.CONFIRMED)], ObligationState.CONFIRMED),
        ([(LYON, _S.NETTED), (BREST, _S.CONFIRMED)], ObligationState.CONFIRMED),
        ([(BREST, _S.CONFIRMED)], ObligationState.OWED),
        ([(BREST, _S.CONFIRMED), (LYON, _S.PAID)], ObligationState.CONFIRMED),
        ([(LYON, _S.PAID), (BREST, _S.CONFIRMED), (LYON, _S.REJECTED)], ObligationState.REJECTED),
    ],
)
def test_states_follow_from_the_last_word_of_each_side(
    words: list[tuple[str, SettledState]], state: ObligationState
) -> None:
    obligation = OWED
    for day, (speaker, said) in enumerate(words, 20261128):
        after = settle(obligation, speaker, said, day)
        assert after is not None
        obligation = after
    assert obligation.state is state


@pytest.mark.parametrize(
    ("speaker", "said"),
    [
        (BREST, _S.PAID),
        (BREST, _S.REJECTED),
        (BREST, _S.NETTED),
        (LYON, _S.CONFIRMED),
        (PARIS, _S.PAID),
        (PARIS, _S.CONFIRMED),
    ],
)
def test_nobody_says_what_is_another_s_to_say(speaker: str, said: SettledState) -> None:
    assert settle(OWED, speaker, said, 20261128) is None


def test_days_are_kept_apart() -> None:
    paid = settle(OWED, LYON, _S.PAID, 20261128)
    assert paid is not None
    confirmed = settle(paid, BREST, _S.CONFIRMED, 20261203)
    assert confirmed == Obligation(LYON, BREST, bytes(16), 1_234, _S.PAID, 20261128, 20261203)


@given(
    st.lists(st.sampled_from([_S.PAID, _S.REJECTED, _S.NETTED]), max_size=4),
    st.lists(st.just(_S.CONFIRMED), max_size=2),
    st.randoms(use_true_random=False),
)
def test_two_logs_read_in_any_order_tell_the_same(
    of_debtor: list[SettledState], of_creditor: list[SettledState], chance: random.Random
) -> None:
    def read(turns: list[str]) -> Obligation:
        logs = {
            LYON: iter(list(enumerate(of_debtor, 20261101))),
            BREST: iter(list(enumerate(of_creditor, 20261201))),
        }
        obligation = OWED
        for speaker in turns:
            day, said = next(logs[speaker])
            after = settle(obligation, speaker, said, day)
            if obligation.said is _S.NETTED and speaker == LYON:
                assert after is None  # from then on the windows speak
            else:
                assert after is not None
            obligation = after or obligation
        return obligation

    turns = [LYON] * len(of_debtor) + [BREST] * len(of_creditor)
    shuffled = list(turns)
    chance.shuffle(shuffled)
    assert read(turns) == read(shuffled)
