"""Post: load what a group of postings touches, decide each in order, leave the rest to the page's close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from node.ledger import store
from node.ledger.accounts import ORDINARY, UNCLAIMED, AccountKey, SystemAccount
from node.ledger.desk import Desk, Sheet, decide, remember
from node.ledger.lots import LotId
from node.ledger.postings import Posted, Posting, PostingKind
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
    """Lay out what became of ids that may have been seen. Ids above the newest in the book are not looked up."""
    newest = desk.newest_op
    seen = [op for op in ops if op <= newest and op not in desk.outcomes]
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
