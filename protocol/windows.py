"""A window of netting: which obligations stand in it, what each fund is owed in all, and who pays whom. Pure.

    (open) ── obligations that their debtors call netted ──▶ closed ── payments of the difference ──▶ paid ──▶ received

A closed window is written once, whole, and is the same for the hub, for everybody in it, and in the national log: so each
counts again what it pays. Source: SPEC.md, "Windows of netting"; the rule is in netting.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from protocol.messages import WINDOW_MAX, NetSettled, SettledState, WindowClosed
from protocol.netting import NetPayment, net, net_positions
from protocol.obligations import Obligation, settle

Key = tuple[str, int, int]  # giver, epoch, index: a slip of conversions
PaymentKey = tuple[int, str, str]  # window, payer, payee
_NO_PROJECT: Final = b""


class Netted(NamedTuple):
    """One obligation in a window."""

    key: Key
    place: int
    debtor: str
    cents: int

    @property
    def creditor(self) -> str:
        return self.key[0]


def choose_netted(obligations: Iterable[Netted]) -> list[Netted]:
    """Return what one window takes of what waits for one: the first WINDOW_MAX, given oldest first, in the window's order."""
    chosen = [one for one, _ in zip(obligations, range(WINDOW_MAX), strict=False)]
    return sorted(chosen)


def make_window(number: int, on: int, netted: Iterable[Netted]) -> WindowClosed:
    """Return the closed window of these obligations, which are one or more, each once. `on` is yyyymmdd."""
    rows = sorted(netted)
    members = sorted({name for one in rows for name in (one.creditor, one.debtor)})
    place_of = {name: place for place, name in enumerate(members)}
    return WindowClosed(
        window=number,
        on=on,
        members=tuple(members),
        givers=tuple(place_of[one.creditor] for one in rows),
        epochs=tuple(one.key[1] for one in rows),
        indexes=tuple(one.key[2] for one in rows),
        places=tuple(one.place for one in rows),
        debtors=tuple(place_of[one.debtor] for one in rows),
        cents=tuple(one.cents for one in rows),
    )


def netted_of(window: WindowClosed) -> Iterator[Netted]:
    """Go through the obligations of a window."""
    columns = (window.givers, window.epochs, window.indexes, window.places, window.debtors, window.cents)
    for giver, epoch, index, place, debtor, cents in zip(*columns, strict=True):
        yield Netted((window.members[giver], epoch, index), place, window.members[debtor], cents)


def positions_of(window: WindowClosed) -> dict[str, int]:
    """Return what each fund is owed in all, in cents; negative: it owes. They sum to zero."""
    return net_positions((one.debtor, one.creditor, one.cents) for one in netted_of(window))


def payments_of(window: WindowClosed) -> list[NetPayment]:
    """Return who pays whom so that nobody owes anything: at most one payment less than there are members."""
    return net(positions_of(window))


def begin_payments(window: WindowClosed) -> dict[PaymentKey, Obligation]:
    """Return what is owed at the end of a window, by (window, payer, payee)."""
    return {
        (window.window, one.payer, one.payee): Obligation(
            debtor=one.payer, creditor=one.payee, project=_NO_PROJECT, cents=one.cents, window=window.window
        )
        for one in payments_of(window)
    }


def name_payment(speaker: str, other: str, told: NetSettled) -> PaymentKey:
    """Return the payment that a word is of: its payer says paid or rejected, its payee confirmed."""
    is_payee = told.state is SettledState.CONFIRMED
    return (told.window, other, speaker) if is_payee else (told.window, speaker, other)


def settle_payment(payment: Obligation | None, speaker: str, told: NetSettled) -> Obligation | None:
    """Return a window's payment after one party's word, or None where the word has no effect."""
    if payment is None or told.state is SettledState.NETTED:
        return None
    return settle(payment, speaker, told.state, told.on)
