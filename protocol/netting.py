"""Multilateral netting: many obligations between funds become few payments. Pure.

A window holds what funds owe each other. Only the difference between what a fund owes and what it is owed moves: the
sums of net positions is zero, each payment goes from one that owes to one that is owed, and at most one less than there
are funds is needed, since each payment settles one fund for good. The order of the obligations changes nothing.
Source: shared design, ARCHITECTURE.md, "Conversion and settlement", I8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush


@dataclass(frozen=True, slots=True)
class NetPayment:
    """One fund pays another so many cents."""

    payer: str
    payee: str
    cents: int


def net_positions(obligations: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    """Return what each fund is owed in all (negative: owes), from (debtor, creditor, cents). Zeros are named too.

    Raises ValueError where an amount is not above zero, or a fund owes itself.
    """
    positions: dict[str, int] = {}
    for debtor, creditor, cents in obligations:
        if cents <= 0 or debtor == creditor:
            raise ValueError(f"{debtor} owes {creditor} {cents} cents")
        positions[debtor] = positions.get(debtor, 0) - cents
        positions[creditor] = positions.get(creditor, 0) + cents
    return positions


def net(positions: Mapping[str, int]) -> list[NetPayment]:
    """Return the payments that bring every position to zero: the largest debt meets the largest claim, by turns.

    At most as many as there are positions other than zero, less one; no fund both pays and is paid, and none pays
    more than it owes. Raises ValueError where the positions do not sum to zero.
    """
    if sum(positions.values()):
        raise ValueError("net positions sum to zero")
    debts = [(cents, fund) for fund, cents in positions.items() if cents < 0]
    claims = [(-cents, fund) for fund, cents in positions.items() if cents > 0]
    heapify(debts)
    heapify(claims)
    payments: list[NetPayment] = []
    while debts:
        debt, payer = heappop(debts)
        claim, payee = heappop(claims)
        cents = min(-debt, -claim)
        payments.append(NetPayment(payer, payee, cents))
        if -debt > cents:
            heappush(debts, (debt + cents, payer))
        if -claim > cents:
            heappush(claims, (claim + cents, payee))
    return payments
