"""Windows of netting: whole, exact, the same in any order, and settled by two parties' words."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Malformed
from protocol.messages import NetSettled, SettledState, require_window
from protocol.obligations import Obligation, ObligationState
from protocol.windows import (
    Netted,
    begin_payments,
    choose_netted,
    make_window,
    name_payment,
    netted_of,
    payments_of,
    positions_of,
    settle_payment,
)

NAMES = ("242900314", "243500139", "200046977", "ZZ1000012")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.integers(0, 3), st.integers(0, 3), st.sampled_from(NAMES), st.integers(1, 10**9)
    ).filter(lambda row: row[0] != row[3]),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[:3],
).map(lambda rows: [Netted((giver, 1, index), place, debtor, cents) for giver, index, place, debtor, cents in rows])


@given(ROWS, st.randoms(use_true_random=False))
def test_a_window_holds_what_it_is_made_of_whatever_the_order(rows: list[Netted], chance: random.Random) -> None:
    window = make_window(7, 20261130, rows)
    require_window(window)
    assert list(netted_of(window)) == sorted(rows)
    chance.shuffle(rows)
    assert make_window(7, 20261130, rows) == window


@given(ROWS)
def test_what_is_paid_brings_everybody_to_what_he_is_owed(rows: list[Netted]) -> None:
    window = make_window(1, 20261130, rows)
    owed: Counter[str] = Counter()
    for one in rows:
        owed[one.key[0]] += one.cents
        owed[one.debtor] -= one.cents
    assert positions_of(window) == {name: owed[name] for name in window.members}
    assert sum(owed.values()) == 0
    payments = payments_of(window)
    assert len(payments) < len(window.members)
    for one in payments:
        owed[one.payee] -= one.cents
        owed[one.payer] += one.cents
    assert not any(owed.values())
    assert {(key, one.cents) for key, one in begin_payments(window).items()} == {
        ((1, one.payer, one.payee), one.cents) for one in payments
    }


@pytest.mark.parametrize(
    "change",
    [
        {"cents": (1,)},
        {"members": NAMES[1::-1]},
        {"members": (*sorted(NAMES[:2]), "999999999")},
        {"debtors": (0, 0)},
        {"indexes": (1, 0)},
        {"places": (0, 0), "indexes": (0, 0)},
    ],
)
def test_columns_that_do_not_fit_are_refused(change: dict[str, tuple[object, ...]]) -> None:
    rows = [Netted((NAMES[0], 1, index), 0, NAMES[1], 5) for index in range(2)]
    window = make_window(1, 20261130, rows)
    with pytest.raises(Malformed):
        require_window(msgspec.structs.replace(window, **change))


def test_ragged_columns_are_not_read_as_far_as_they_fit() -> None:
    window = make_window(1, 20261130, [Netted((NAMES[0], 1, index), 0, NAMES[1], 5) for index in range(2)])
    with pytest.raises(ValueError, match="zip"):
        list(netted_of(msgspec.structs.replace(window, cents=(5,))))


def test_a_payment_is_told_by_who_pays_and_who_is_paid() -> None:
    payer, payee = NAMES[1], NAMES[0]
    window = make_window(3, 20261130, [Netted((payee, 1, 0), 0, payer, 500)])
    [(key, payment)] = begin_payments(window).items()
    assert payment == Obligation(debtor=payer, creditor=payee, project=b"", cents=500, window=3)
    for speaker, other, state, expected in (
        (payer, payee, SettledState.PAID, ObligationState.PAID),
        (payer, payee, SettledState.REJECTED, ObligationState.REJECTED),
        (payer, payee, SettledState.PAID, ObligationState.PAID),
        (payee, payer, SettledState.CONFIRMED, ObligationState.CONFIRMED),
    ):
        told = NetSettled(3, state, 20261201)
        assert name_payment(speaker, other, told) == key
        after = settle_payment(payment, speaker, told)
        assert after is not None
        payment = after
        assert payment.state is expected
    # Not the payee's to say that it was paid, not anybody's that it is netted again; of no payment nothing.
    assert name_payment(payee, payer, NetSettled(3, SettledState.PAID, 20261201)) != key
    assert settle_payment(payment, payer, NetSettled(3, SettledState.NETTED, 20261201)) is None
    assert settle_payment(None, payer, NetSettled(3, SettledState.PAID, 20261201)) is None


def test_a_window_takes_the_oldest_and_leaves_the_rest() -> None:
    rows = (Netted((NAMES[0], 1, 9_000 - index), 0, NAMES[1], 1) for index in range(8_001))
    chosen = choose_netted(rows)
    assert len(chosen) == 8_000
    assert chosen == sorted(chosen)
    assert Netted((NAMES[0], 1, 1_000), 0, NAMES[1], 1) not in chosen
