"""What each account comes to: the sums of its lines, by who stands behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.fund.chart import EXPENSES, INCOMES, Account, Auxiliary
from node.fund.entries import Draft, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalance:
    """Sums of debits and of credits, in cents; the label is the last one met."""

    account: Account
    auxiliary: Auxiliary | None
    debit: int
    credit: int

    @property
    def cents(self) -> int:
        """Debits less credits: above zero the account owes nothing and holds something."""
        return self.debit - self.credit


def compute_balances(entries: Iterable[Entry | Draft]) -> tuple[AccountBalance, ...]:
    """Return each account with each of its auxiliaries, in the order of their numbers; closed ones too."""
    held: dict[tuple[str, str], AccountBalance] = {}
    for entry in entries:
        for line in entry.lines:
            key = (line.account.number, line.auxiliary.number if line.auxiliary else "")
            before = held.get(key)
            held[key] = AccountBalance(
                account=line.account,
                auxiliary=line.auxiliary,
                debit=line.debit + (before.debit if before else 0),
                credit=line.credit + (before.credit if before else 0),
            )
    return tuple(held[key] for key in sorted(held))


def compute_result(balances: Iterable[AccountBalance]) -> int:
    """Return the result of a year in cents: income less expenses; below zero it is a deficit."""
    return -sum(balance.cents for balance in balances if balance.account.nature in INCOMES | EXPENSES)
