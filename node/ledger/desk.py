"""The desk: accounts and holdings of one page laid out in memory, where postings are decided one after another. Pure.

Why decide in memory? Because order matters between the items of a page, and a netted UPDATE only sees its end. The
desk is loaded with all that the items touch, every decision changes it at once, and what changed is saved in a few
statements: one row a transfer, one addition a touched holding, one update a touched account.

    desk = what store.py loaded  ──▶  decide(desk, posting), in order  ──▶  what store.py saves

An account that is only credited needs no holdings here: the change is added to its row when it is saved.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from node.ledger.accounts import (
    SOURCES,
    SYSTEM,
    UNCLAIMED,
    AccountKey,
    AccountKind,
    AccountState,
    SystemAccount,
    describe,
)
from node.ledger.credits import CreditRun
from node.ledger.draws import Draws, take_in_order
from node.ledger.errors import (
    AccountClosed,
    AccountFrozen,
    AccountUnknown,
    InsufficientRights,
    KindMisfit,
    LedgerRefusal,
    LotMisplaced,
    LotUnknown,
)
from node.ledger.fingerprints import compute_fingerprint
from node.ledger.fingerprints import find_difference as find_asked_difference
from node.ledger.lots import Lot, LotId
from node.ledger.postings import (
    ALLOWED,
    ASKED_FIELDS,
    Kept,
    Posted,
    Posting,
    PostingKind,
    asked_values,
    find_difference,
)
from node.ledger.recent_ids import RecentIds
from node.ledger.reservations import Reservation, ReservationState, require_usable
from node.ledger.statements import MARK_EVERY
from protocol.amounts import Cents
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, TerritoryCode
from protocol.times import Instant

Row = tuple[Any, ...]

POST: Final = "post"
# Looking a member up in its enum costs more than the comparison it serves, and these stand in the hot path.
_OPEN: Final = AccountState.OPEN
_RETURNED: Final = PostingKind.RETURNED
# A driver takes a plain string at once, and searches for an adapter where it is given a member of an enum.
_TEXT: Final = {kind: kind.value for kind in PostingKind}
_MARK_MASK: Final = MARK_EVERY - 1


class Sheet(msgspec.Struct, gc=False):
    """One account as it stands in this page.

    `holdings` are those known here, and all of them where `is_whole`; sources have none. `is_touched`: to be saved.
    """

    id: int
    key: AccountKey
    kind: AccountKind
    state: AccountState
    cents: int
    reserved: int
    head: int | None
    length: int
    is_source: bool
    holdings: dict[LotId, int] = {}
    is_whole: bool = False
    is_ordered: bool = False
    is_touched: bool = False

    @property
    def available(self) -> int:
        return self.cents - self.reserved


class Outcome(msgspec.Struct, gc=False):
    """What became of an id: the answer, and the content it answers (`asked` for a refusal, `kept` for a posting)."""

    answer: Posted | Refusal
    kept: Posting | Kept | None = None
    asked: bytes = b""


class Desk(msgspec.Struct, kw_only=True):
    """All that a page knows and has decided. The lists and sums below `# to be saved` are emptied by `store.py`."""

    home: TerritoryCode
    now: Instant  # never before the newest transfer: the book's time does not run backwards
    next_transfer: int
    recent: RecentIds
    sheets: dict[AccountKey, Sheet] = {}
    sheets_by_id: dict[int, Sheet] = {}
    lots: dict[LotId, Lot] = {}
    outcomes: dict[Id16, Outcome | CreditRun] = {}  # read by `find_outcome`
    reservations: dict[Id16, Reservation] = {}
    # to be saved
    transfers: list[Row] = []
    runs: list[CreditRun] = []
    changes: dict[LotId, dict[int, int]] = {}  # lot -> account -> netted cents
    issued: dict[LotId, int] = {}
    marks: list[Row] = []
    touched: list[Sheet] = []
    tallies: dict[PostingKind, tuple[int, int]] = {}
    refusals: list[Row] = []
    diversions: list[Row] = []
    ended: list[Reservation] = []

    @property
    def is_saved(self) -> bool:
        return not (self.transfers or self.runs or self.touched or self.refusals or self.ended)


def turn_page(desk: Desk, now: Instant) -> None:
    """Make the desk of a committed page ready for the next one: accounts and lots stay, what became of ids is stored."""
    desk.now = max(desk.now, now)
    desk.recent.add(desk.outcomes)
    desk.outcomes = {}
    desk.reservations = {}


def touch(desk: Desk, sheet: Sheet) -> None:
    """Have the account's row saved when the page closes."""
    if not sheet.is_touched:
        sheet.is_touched = True
        desk.touched.append(sheet)


def find_outcome(desk: Desk, op: Id16) -> Outcome | None:
    """Return what became of an id, as far as it is laid out."""
    known = desk.outcomes.get(op)
    if known is None or isinstance(known, Outcome):
        return known
    opened = desk.outcomes[op] = Outcome(*known.find_line(op))
    return opened


def decide(desk: Desk, posting: Posting) -> Posted:
    """Do the posting on the desk, or answer again what was done under its id.

    Raises LedgerRefusal, IdMismatch; a refused posting changes nothing.
    """
    known = find_outcome(desk, posting.op)
    if known is not None:
        return _answer_again(posting, known)
    debit = desk.sheets.get(posting.debit)
    if debit is None:
        raise AccountUnknown(account=describe(posting.debit))
    credit = desk.sheets.get(posting.credit)
    if credit is None:
        raise AccountUnknown(account=describe(posting.credit))
    kind = posting.kind
    if (kind, debit.kind, credit.kind) not in ALLOWED:
        raise KindMisfit(kind=kind, debit=debit.kind, credit=credit.kind)
    if debit.state is not _OPEN:
        raise refuse_state(debit)
    diverted_from: Sheet | None = None
    if credit.state is not _OPEN:
        if kind is not _RETURNED:
            raise refuse_state(credit)
        if credit.state is AccountState.CLOSED:
            diverted_from, credit = credit, desk.sheets[UNCLAIMED]
    cents = posting.cents
    reservation: Reservation | None = None
    freed = 0
    if posting.reservation is not None:
        reservation = require_usable(
            desk.reservations.get(posting.reservation),
            op=posting.reservation,
            account=posting.debit,
            cents=cents,
            now=desk.now,
        )
        freed = reservation.cents
    if not debit.is_source and debit.cents - debit.reserved + freed < cents:
        available = debit.cents - debit.reserved + freed
        raise InsufficientRights(available=available, asked=cents, missing=cents - available)
    if posting.draws is None:
        draws = choose_from(desk, debit, cents)
    else:
        draws = posting.draws
        _require_drawable(desk, debit, credit, draws)
    if reservation is not None:
        reservation.state = ReservationState.USED
        reservation.used_by = posting.op
        desk.ended.append(reservation)
        debit.reserved -= freed
    if diverted_from is not None:
        desk.diversions.append((posting.op, diverted_from.id))
    posted = write(
        desk,
        op=posting.op,
        kind=kind,
        debit=debit,
        credit=credit,
        cents=cents,
        draws=draws,
        reference=posting.reference,
        is_unclaimed=diverted_from is not None,
    )
    desk.outcomes[posting.op] = Outcome(posted, posting)
    return posted


def refuse_state(sheet: Sheet) -> LedgerRefusal:
    """Return why this account, which is not open, cannot be used."""
    if sheet.state is AccountState.FROZEN:
        return AccountFrozen(account=describe(sheet.key))
    return AccountClosed(account=describe(sheet.key))


def choose_from(desk: Desk, sheet: Sheet, amount: int) -> Draws:
    """Return the draws that make up `amount`, the oldest lots first. The sheet is whole. Raises InsufficientRights."""
    assert sheet.is_whole
    if not sheet.is_ordered:
        lots = desk.lots
        ordered = sorted(sheet.holdings.items(), key=lambda held: (lots[held[0]].month, held[0]))
        sheet.holdings = dict(ordered)
        sheet.is_ordered = True
    for lot, held in sheet.holdings.items():
        if held >= amount:  # the oldest lot is nearly always enough
            return ((lot, Cents(amount)),)
        break
    return take_in_order(sheet.holdings.items(), amount)  # type: ignore[arg-type]


def _require_drawable(desk: Desk, debit: Sheet, credit: Sheet, draws: Draws) -> None:
    for lot_id, cents in draws:
        lot = desk.lots.get(lot_id)
        if lot is None:
            raise LotUnknown(lot=lot_id)
        for sheet in (debit, credit):
            if sheet.kind in SYSTEM:
                _require_place(desk, lot, sheet.kind)
        if not debit.is_source:
            held = debit.holdings.get(lot_id, 0)
            if held < cents:
                raise InsufficientRights(available=held, asked=cents, missing=cents - held, lot=lot_id)


def _require_place(desk: Desk, lot: Lot, kind: AccountKind) -> None:
    is_home = lot.issuer == desk.home
    if kind is AccountKind.BORDER and is_home:
        raise LotMisplaced(lot=lot.id, issuer=lot.issuer, account=kind)
    if kind in (AccountKind.ABROAD, AccountKind.ISSUANCE, AccountKind.CONVERTED) and not is_home:
        raise LotMisplaced(lot=lot.id, issuer=lot.issuer, account=kind)


def write(
    desk: Desk,
    *,
    op: Id16,
    kind: PostingKind,
    debit: Sheet,
    credit: Sheet,
    cents: int,
    draws: Draws,
    reference: str = "",
    undoes: Sequence[int | None] | None = None,
    is_unclaimed: bool = False,
) -> Posted:
    """Write the transfers of a posting that was found good. The hot path: everything here runs once a transfer."""
    at = desk.now
    kind_text = _TEXT[kind]
    first = transfer = desk.next_transfer
    debit_id = debit.id
    credit_id = credit.id
    debit_holds = not debit.is_source
    credit_holds = not credit.is_source
    debit_prev = debit_seq = debit_after = credit_prev = credit_seq = credit_after = None
    if debit_holds and not debit.is_touched:
        debit.is_touched = True
        desk.touched.append(debit)
    if credit_holds and not credit.is_touched:
        credit.is_touched = True
        desk.touched.append(credit)
    for part, (lot, drawn) in enumerate(draws):
        if debit_holds:
            left = debit.holdings[lot] - drawn
            if left or not debit.is_whole:
                debit.holdings[lot] = left  # of a sheet that is not whole, a zero says "known to be spent"
            else:
                del debit.holdings[lot]
            changes = desk.changes.setdefault(lot, {})
            changes[debit_id] = changes.get(debit_id, 0) - drawn
            debit_prev = debit.head
            debit.head = transfer
            debit.length = debit_seq = debit.length + 1
            debit.cents = debit_after = debit.cents - drawn
            if not debit_seq & _MARK_MASK:
                desk.marks.append((debit_id, debit_seq, transfer, at))
        else:
            desk.issued[lot] = desk.issued.get(lot, 0) + drawn
        if credit_holds:
            changes = desk.changes.setdefault(lot, {})
            changes[credit_id] = changes.get(credit_id, 0) + drawn
            if lot in credit.holdings:
                credit.holdings[lot] += drawn
            elif credit.is_whole:
                credit.holdings[lot] = drawn
                credit.is_ordered = False
            credit_prev = credit.head
            credit.head = transfer
            credit.length = credit_seq = credit.length + 1
            credit.cents = credit_after = credit.cents + drawn
            if not credit_seq & _MARK_MASK:
                desk.marks.append((credit_id, credit_seq, transfer, at))
        else:
            desk.issued[lot] = desk.issued.get(lot, 0) - drawn
        desk.transfers.append(
            (
                transfer,
                op,
                part,
                at,
                kind_text,
                debit_id,
                credit_id,
                lot,
                drawn,
                reference,
                None if undoes is None else undoes[part],
                debit_prev,
                debit_seq,
                debit_after,
                credit_prev,
                credit_seq,
                credit_after,
            )
        )
        transfer += 1
    desk.next_transfer = transfer
    entries, total = desk.tallies.get(kind, (0, 0))
    desk.tallies[kind] = (entries + transfer - first, total + cents)
    return Posted(
        op=op,
        at=at,
        cents=Cents(cents),
        draws=draws,
        first=first,
        debit_after=debit_after,  # type: ignore[arg-type]
        credit_after=credit_after,  # type: ignore[arg-type]
        is_unclaimed=is_unclaimed,
    )


def remember(desk: Desk, posting: Posting, refusal: Refusal) -> Refusal:
    """Keep a refusal that came from how the book stood; the same id gets it again. Others are only given back."""
    return remember_refusal(desk, posting.op, compute_fingerprint(POST, asked_values(posting)), refusal)


def remember_refusal(desk: Desk, op: Id16, asked: bytes, refusal: Refusal) -> Refusal:
    """The same for any operation, whose content is given as a fingerprint."""
    if isinstance(refusal, LedgerRefusal) and op not in desk.outcomes:
        desk.outcomes[op] = Outcome(refusal, None, asked)
        facts = json.dumps(refusal.facts, sort_keys=True, ensure_ascii=False)
        desk.refusals.append((op, asked, refusal.code, facts, desk.now))
    return refusal


def answer_refused(op: Id16, asked: bytes, known: Outcome, fields: Sequence[str]) -> Refusal:
    """Return the refusal that this id met before, or IdMismatch where it then asked for something else."""
    assert isinstance(known.answer, Refusal)
    field = find_asked_difference(known.asked, asked, fields)
    return known.answer if field is None else IdMismatch(id=op.hex(), field=field)


def _answer_again(posting: Posting, known: Outcome) -> Posted:
    answer = known.answer
    if isinstance(answer, Refusal):
        asked = compute_fingerprint(POST, asked_values(posting))
        raise answer_refused(posting.op, asked, known, ASKED_FIELDS)
    assert known.kept is not None
    field = find_difference(posting, known.kept, answer)
    if field is not None:
        raise IdMismatch(id=posting.op.hex(), field=field)
    return msgspec.structs.replace(answer, is_repeat=True)


def make_sheet(account: Row, balance: Row) -> Sheet:
    """Return the sheet of an account (id, number, kind, peer, state) and its balance (cents, reserved, head, length)."""
    account_id, number, kind_text, peer, state = account
    cents, reserved, head, length = balance
    kind = _KINDS[kind_text]
    key: AccountKey = number if number is not None else SystemAccount(kind, peer)
    return Sheet(account_id, key, kind, _STATES[state], cents, reserved, head, length, kind in SOURCES)


_KINDS: Final = {str(kind): kind for kind in AccountKind}
_STATES: Final = {str(state): state for state in AccountState}
