"""How the books of a year open: each balance of the year before, and its result on one line. Pure.

Income and expenses are not written down to zero: an entry for that has no place in the file of entries (art. A47 A-1
leaves out the "écritures de solde des comptes de charges et de produits"); they simply do not go on. Commitments go on
in an entry of their own; work given ends with its year.
"""

from __future__ import annotations

from collections.abc import Iterable

from node.fund.balances import AccountBalance, compute_result
from node.fund.chart import Account, AccountRole, Auxiliary, Chart, JournalRole, Nature
from node.fund.declarations import FiscalYear
from node.fund.entries import Draft, Line, Piece, credit, debit
from node.fund.fiscal_years import require_next


def open_year(
    balances: Iterable[AccountBalance], *, before: FiscalYear, year: FiscalYear, chart: Chart, piece: Piece
) -> tuple[Draft, ...]:
    """Return the opening entries of a year from all balances of the year before: none, one, or two with commitments.

    `chart` is that of the new year: a role whose number changed goes on under the new one only if the caller moved it.
    Raises InvalidFundYear, InvalidEntry.
    """
    require_next(before, year)
    told = tuple(balances)
    held: dict[tuple[str, str], tuple[Account, Auxiliary | None, int]] = {}

    def add(account: Account, auxiliary: Auxiliary | None, cents: int) -> None:
        key = (account.number, auxiliary.number if auxiliary else "")
        held[key] = (account, auxiliary, cents + (held[key][2] if key in held else 0))

    for balance in told:
        if balance.account.nature in {Nature.BALANCE, Nature.COMMITMENT}:
            add(balance.account, balance.auxiliary, balance.cents)
    result = compute_result(told)
    if result:
        add(chart.account(AccountRole.SURPLUS if result > 0 else AccountRole.DEFICIT), None, -result)

    drafts = []
    for nature in (Nature.BALANCE, Nature.COMMITMENT):
        lines = tuple(
            _line_of(account, auxiliary, cents)
            for _, (account, auxiliary, cents) in sorted(held.items())
            if account.nature is nature and cents
        )
        if lines:
            label = "À-nouveaux" if nature is Nature.BALANCE else "À-nouveaux des engagements"
            drafts.append(
                Draft(
                    journal=chart.journals[JournalRole.OPENING],
                    on=year.first_on,
                    piece=piece,
                    label=f"{label} au {year.first_on:%d/%m/%Y}",
                    lines=lines,
                )
            )
    return tuple(drafts)


def _line_of(account: Account, auxiliary: Auxiliary | None, cents: int) -> Line:
    if cents > 0:
        return debit(account, cents, auxiliary=auxiliary)
    return credit(account, -cents, auxiliary=auxiliary)
