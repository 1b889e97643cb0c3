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
    keys: set[AccountKey] = set()
    reservations: set[Id16] = set()
    lots: set[LotId] = set()
    for posting in postings:
        keys.add(posting.debit)
        keys.add(posting.credit)
        if posting.kind is PostingKind.RETURNED:
            keys.add(UNCLAIMED)
        if posting.reservation is not None:
            reservations.add(posting.reservation)
        if posting.draws is not None:
            lots.update(lot for lot, _ in posting.draws)
    load_sheets(connection, desk, keys)
    load_known(connection, desk, [posting.op for posting in postings])
    store.load_reservations(connection, desk, reservations)
    store.load_lots(connection, desk, lots)
    _load_debits(connection, desk, postings)


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


def _load_debits(connection: Connection, desk: Desk, postings: Sequence[Posting]) -> None:
    """Lay out the holdings that postings draw from: all of an account's, or those named where it holds very many."""
    whole: dict[int, Sheet] = {}
    named: dict[int, set[LotId]] = defaultdict(set)
    for posting in postings:
        sheet = desk.sheets.get(posting.debit)
        if sheet is None or sheet.is_whole or sheet.is_source:
            continue
        if posting.draws is None or sheet.kind in ORDINARY:
            whole[sheet.id] = sheet
        else:
            named[sheet.id].update(lot for lot, _ in posting.draws if lot not in sheet.holdings)
    load_whole(connection, desk, list(whole.values()))
    for account_id, lots in named.items():
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
