"""A run: credits of one pool decided together, where nothing about any of them is special. Pure.

`credit_together` is to `desk.decide` what a set-based statement is to its rule: it gives the same rows and the same desk
for all lines at once, or nothing where a line needs to be looked at alone; a property test holds the two together.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from node.ledger.accounts import AccountKind, AccountState
from node.ledger.credits import CreditBatch, CreditRun
from node.ledger.desk import Desk, Sheet, choose_from, touch
from node.ledger.lots import LotId
from node.ledger.postings import ALLOWED, PostingKind
from node.ledger.statements import MARK_EVERY

_CREDIT: Final = PostingKind.CREDIT
_OPEN: Final = AccountState.OPEN
_MARK_MASK: Final = MARK_EVERY - 1
_CREDITABLE: Final = frozenset(taker for kind, giver, taker in ALLOWED if kind is _CREDIT and giver is AccountKind.POOL)


def credit_together(desk: Desk, asked: CreditBatch) -> CreditRun | None:
    """Do all lines of the batch, or none: None where a line is refused, repeated, or needs more than the oldest lot."""
    debit = desk.sheets.get(asked.pool)
    if debit is None or debit.kind is not AccountKind.POOL or debit.state is not _OPEN:
        return None
    ops = asked.ops
    if len(set(ops)) != len(ops) or not desk.outcomes.keys().isdisjoint(ops):
        return None
    total = sum(asked.cents)
    if debit.available < total:
        return None
    sheets = find_creditable(desk, asked)
    if sheets is None:
        return None
    draws = choose_from(desk, debit, total)
    if len(draws) != 1:
        return None
    return _write(desk, asked, debit, sheets, draws[0][0], total)


def find_creditable(desk: Desk, asked: CreditBatch) -> list[Sheet] | None:
    """Return the sheet of each line's account, or None where one is unknown, not open, or takes no credits."""
    laid_out = desk.sheets
    try:
        sheets = [laid_out[account] for account in asked.accounts]
    except KeyError:
        return None
    for sheet in sheets:
        if sheet.state is not _OPEN or sheet.kind not in _CREDITABLE:
            return None
    return sheets


def _write(desk: Desk, asked: CreditBatch, debit: Sheet, sheets: list[Sheet], lot: LotId, total: int) -> CreditRun:
    """Write the lines, which were found good. The hottest path of a node: what stands in the loop runs once a line."""
    count = len(sheets)
    at = desk.now
    first = transfer = desk.next_transfer
    changes = desk.changes.setdefault(lot, {})
    touched, marks = desk.touched, desk.marks
    previous: list[int | None] = []
    places: list[int] = []
    after: list[int] = []
    for sheet, cents in zip(sheets, asked.cents, strict=True):
        account_id = sheet.id
        previous.append(sheet.head)
        sheet.head = transfer
        seq = sheet.length + 1
        sheet.length = seq
        places.append(seq)
        balance = sheet.cents + cents
        sheet.cents = balance
        after.append(balance)
        if not sheet.is_touched:
            sheet.is_touched = True
            touched.append(sheet)
        changes[account_id] = changes.get(account_id, 0) + cents
        holdings = sheet.holdings
        if lot in holdings:
            holdings[lot] += cents
        elif sheet.is_whole:
            holdings[lot] = cents
            sheet.is_ordered = False
        if not seq & _MARK_MASK:
            marks.append((account_id, seq, transfer, at))
        transfer += 1
    run = CreditRun(
        pool=asked.pool,
        pool_id=debit.id,
        lot=lot,
        at=at,
        first=first,
        ops=asked.ops,
        accounts=asked.accounts,
        account_ids=[sheet.id for sheet in sheets],
        cents=asked.cents,
        references=asked.references,
        debit_head=debit.head,
        debit_length=debit.length,
        debit_after=list(accumulate(asked.cents, int.__sub__, initial=debit.cents))[1:],
        credit_prev=previous,
        credit_seq=places,
        credit_after=after,
    )
    _take_from_pool(desk, debit, run, total)
    desk.next_transfer = transfer
    desk.runs.append(run)
    desk.outcomes.update(dict.fromkeys(asked.ops, run))
    entries, sum_before = desk.tallies.get(_CREDIT, (0, 0))
    desk.tallies[_CREDIT] = (entries + count, sum_before + total)
    return run


def _take_from_pool(desk: Desk, debit: Sheet, run: CreditRun, total: int) -> None:
    """Move the pool's own chain and holding over all lines at once."""
    lot, count, before = run.lot, len(run.ops), debit.length
    touch(desk, debit)
    left = debit.holdings[lot] - total
    if left:
        debit.holdings[lot] = left
    else:
        del debit.holdings[lot]
    changes = desk.changes[lot]
    changes[debit.id] = changes.get(debit.id, 0) - total
    debit.cents -= total
    debit.head = run.first + count - 1
    debit.length = before + count
    for seq in range((before // MARK_EVERY + 1) * MARK_EVERY, debit.length + 1, MARK_EVERY):
        desk.marks.append((debit.id, seq, run.first + seq - before - 1, desk.now))
