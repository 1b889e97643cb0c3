"""Post and credit: load what a group of postings touches, decide each in order, leave the rest to the page's close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from node.ledger import store
from node.ledger.accounts import ORDINARY, UNCLAIMED, AccountKey, SystemAccount
from node.ledger.credits import CreditBatch, Credited, join_batches
from node.ledger.desk import Desk, Sheet, decide, remember
from node.ledger.lots import LotId
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.runs import credit_together
from protocol.errors import Refusal
from protocol.identifiers import Id16


def post(connection: Connection, desk: Desk, postings: Sequence[Posting]) -> list[Posted | Refusal]:
    """Decide each posting in order, on the desk."""
    _load(connection, desk, postings)
    answers: list[Posted | Refusal] = []
    for posting in postings:
        try:
            answers.append(decide(desk, posting))
        except Refusal as refusal:
            answers.append(remember(desk, posting, refusal))
    return answers


def credit(
    connection: Connection, desk: Desk, batches: Sequence[CreditBatch]
) -> list[Credited | list[Posted | Refusal]]:
    """Do the batches in order: those that follow each other from one pool together, where nothing in them is special."""
    answers: list[Credited | list[Posted | Refusal]] = []
    for _, following in groupby(batches, attrgetter("pool")):
        group = list(following)
        joined = join_batches(group)
        _load_batch(connection, desk, joined)
        run = credit_together(desk, joined)
        if run is None:
            answers += [_credit_alone(connection, desk, batch, is_tried=batch is joined) for batch in group]
            continue
        at = 0
        for batch in group:
            answers.append(Credited(run.at, run.credit_after[at : at + len(batch.ops)]))
            at += len(batch.ops)
    return answers


def _credit_alone(
    connection: Connection, desk: Desk, batch: CreditBatch, *, is_tried: bool
) -> Credited | list[Posted | Refusal]:
    """Do one batch, line by line where it has to be."""
    run = None if is_tried else credit_together(desk, batch)
    return post(connection, desk, batch.make_postings()) if run is None else Credited(run.at, run.credit_after)


def _load_batch(connection: Connection, desk: Desk, batch: CreditBatch) -> None:
    load_sheets(connection, desk, {batch.pool, *batch.accounts})
    load_known(connection, desk, batch.ops)
    _load_debits(connection, desk, (batch.pool,), ())


def _load(connection: Connection, desk: Desk, postings: Sequence[Posting]) -> None:
    keys: set[AccountKey] = {posting.debit for posting in postings}
    keys.update([posting.credit for posting in postings])
    if PostingKind.RETURNED in {posting.kind for posting in postings}:
        keys.add(UNCLAIMED)
    load_sheets(connection, desk, keys)
    load_known(connection, desk, [posting.op for posting in postings])
    reservations = {posting.reservation for posting in postings if posting.reservation is not None}
    store.load_reservations(connection, desk, reservations)
    named = [posting for posting in postings if posting.draws is not None]
    store.load_lots(connection, desk, {lot for posting in named for lot, _ in posting.draws or ()})
    _load_debits(connection, desk, {posting.debit for posting in postings if posting.draws is None}, named)


def load_sheets(connection: Connection, desk: Desk, keys: Iterable[AccountKey]) -> None:
    """Lay out the accounts that are not on the desk yet; numbers that nobody has stay unknown."""
    missing = [key for key in keys if key not in desk.sheets]
    store.load_numbers(connection, desk, [key for key in missing if not isinstance(key, SystemAccount)])
    store.load_system(connection, desk, [key for key in missing if isinstance(key, SystemAccount)])


def load_known(connection: Connection, desk: Desk, ops: Sequence[Id16]) -> None:
    """Lay out what became of ids that may have been seen; those that are certainly new are not looked up."""
    seen = [op for op in desk.recent.find_doubtful(ops) if op not in desk.outcomes]
    if seen:
        store.load_outcomes(connection, desk, seen)


def _load_debits(connection: Connection, desk: Desk, chosen: Iterable[AccountKey], named: Sequence[Posting]) -> None:
    """Lay out the holdings that postings draw from: all that an account holds, where lots are `chosen` from it; those
    `named` by the caller, where it is an account of the book itself, which may hold very many.
    """
    whole: dict[int, Sheet] = {}
    parts: dict[int, set[LotId]] = defaultdict(set)
    for key in chosen:
        sheet = desk.sheets.get(key)
        if sheet is not None and not sheet.is_whole and not sheet.is_source:
            whole[sheet.id] = sheet
    for posting in named:
        sheet = desk.sheets.get(posting.debit)
        if sheet is None or sheet.is_whole or sheet.is_source:
            continue
        if sheet.kind in ORDINARY:
            whole[sheet.id] = sheet
        else:
            parts[sheet.id].update(lot for lot, _ in posting.draws or () if lot not in sheet.holdings)
    load_whole(connection, desk, list(whole.values()))
    for account_id, lots in parts.items():
        sheet = desk.sheets_by_id[account_id]
        if lots and not sheet.is_whole:
            if sheet.is_touched:
                store.save_desk(connection, desk)
            store.load_holdings_of(connection, desk, sheet, lots)


def load_whole(connection: Connection, desk: Desk, sheets: Sequence[Sheet]) -> None:
    """Lay out all that these accounts hold."""
    if any(sheet.is_touched for sheet in sheets):
        store.save_desk(connection, desk)
    if sheets:
        store.load_holdings(connection, desk, sheets)
