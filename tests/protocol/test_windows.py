"""Windows of netting: whole, exact, the same in any order, and settled by two parties' words."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Malformed
from protocol.house import HOUSE_VERSION, BaseName, HouseSlip, WindowTold, decode_house_slip, encode_house_slip
from protocol.messages import (
    LEAF_BYTES_MAX,
    WINDOW_MAX,
    WIRE_VERSION,
    NetSettled,
    SettledState,
    Slip,
    decode_slip,
    encode_slip,
    require_window,
)
from protocol.national import WindowNetted, decode_national, encode_national
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
    gross_owed = Counter[str]()
    gross_claimed = Counter[str]()
    for one in rows:
        gross_owed[one.debtor] += one.cents
        gross_claimed[one.creditor] += one.cents
    for one in payments:  # nobody pays above what he owed in all, nor is paid above what he was owed, nor both
        assert one.cents > 0
        assert owed[one.payer] < 0 < owed[one.payee]
    for name in window.members:
        assert sum(one.cents for one in payments if one.payer == name) <= gross_owed[name]
        assert sum(one.cents for one in payments if one.payee == name) <= gross_claimed[name]
    for one in payments:
        owed[one.payee] -= one.cents
        owed[one.payer] += one.cents
    assert not any(owed.values())
    assert {(key, one.cents) for key, one in begin_payments(window).items()} == {
        ((1, one.payer, one.payee), one.cents) for one in payments
    }


SMALL = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 3)).filter(lambda row: row[0] != row[1]),
    min_size=1,
    max_size=4,
).map(lambda rows: [Netted((giver, 1, index), 0, debtor, cents) for index, (giver, debtor, cents) in enumerate(rows)])


def every_plan(owes: tuple[int, ...], owed: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Go through every way in which those who owe pay those who are owed, to the last cent: one row for each who pays."""
    if not owes:
        if not any(owed):
            yield ()
        return
    for row in product(*(range(cents + 1) for cents in owed)):
        if sum(row) == owes[0]:
            left = tuple(cents - paid for cents, paid in zip(owed, row, strict=True))
            yield from ((row, *rest) for rest in every_plan(owes[1:], left))


@given(SMALL, st.randoms(use_true_random=False))
def test_small_windows_against_every_way_to_pay(rows: list[Netted], chance: random.Random) -> None:
    """Brute force: ours is one of all the ways to pay exactly what is owed, needs at most one payment less than there are
    funds that pay or are paid, at most as many as obligations, and moves as little as any."""
    left: Counter[str] = Counter()
    for one in rows:
        left[one.creditor] += one.cents
        left[one.debtor] -= one.cents
    payers = sorted(name for name in left if left[name] < 0)
    payees = sorted(name for name in left if left[name] > 0)
    plans = set(every_plan(tuple(-left[name] for name in payers), tuple(left[name] for name in payees)))
    window = make_window(1, 20261130, rows)
    paid = {(one.payer, one.payee): one.cents for one in payments_of(window)}
    assert len(paid) == len(payments_of(window)), "one payment between two funds"
    assert set(paid) <= set(product(payers, payees))
    assert tuple(tuple(paid.get((payer, payee), 0) for payee in payees) for payer in payers) in plans
    counts = [sum(1 for row in plan for cents in row if cents) for plan in plans]
    assert min(counts) <= len(paid) <= max(0, len(payers) + len(payees) - 1)
    assert sum(paid.values()) == sum(-left[name] for name in payers) <= sum(one.cents for one in rows)
    chance.shuffle(rows)
    assert payments_of(make_window(1, 20261130, rows)) == payments_of(window)


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


def test_the_largest_window_fits_a_slip_of_the_hub_a_leaf_of_the_national_log_and_one_of_a_house() -> None:
    """As many obligations as one may hold, of as many funds as may stand in it, each number as long as it may be written."""
    names = [f"{number:09}" for number in range(WINDOW_MAX)]
    half = WINDOW_MAX // 2
    rows = [
        Netted((names[index % half], 2**31 - 1, 2**40 + index), 999, names[half + index % half], 10**11)
        for index in range(WINDOW_MAX)
    ]
    window = make_window(10**6, 20261130, rows)
    assert len(window.members) == len(window.cents) == WINDOW_MAX
    leaf = encode_slip(Slip(WIRE_VERSION, names[0], 2**42, (window,)))
    assert len(leaf) <= LEAF_BYTES_MAX
    assert decode_slip(leaf).messages == (window,)
    entry = WindowNetted(2**42, window)
    assert decode_national(encode_national(entry)) == entry
    told = WindowTold(
        window=10**6,
        on=20261130,
        members=window.members,
        net=(-(10**15), *((10**15,) * (WINDOW_MAX - 1))),
        ids=tuple(index.to_bytes(16, "big") for index in range(WINDOW_MAX)),
        others=(WINDOW_MAX - 1,) * WINDOW_MAX,
        cents=(-(10**15),) * WINDOW_MAX,
    )
    house_leaf = encode_house_slip(HouseSlip(HOUSE_VERSION, BaseName.FUND, 2**42, (told,)))
    assert decode_house_slip(house_leaf).messages == (told,)
    assert len(house_leaf) <= LEAF_BYTES_MAX


def test_a_window_takes_the_oldest_and_leaves_the_rest() -> None:
    rows = (Netted((NAMES[0], 1, 9_000 - index), 0, NAMES[1], 1) for index in range(8_001))
    chosen = choose_netted(rows)
    assert len(chosen) == 8_000
    assert chosen == sorted(chosen)
    assert Netted((NAMES[0], 1, 1_000), 0, NAMES[1], 1) not in chosen
