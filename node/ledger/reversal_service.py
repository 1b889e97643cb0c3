"""Reverse: take back a credit as far as its lots are still held and not reserved."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from node.ledger import reversals, store, tables
from node.ledger.accounts import UNCLAIMED, AccountState
from node.ledger.desk import Desk, Outcome, answer_refused, find_outcome, refuse_state, remember_refusal, write
from node.ledger.errors import NothingToReverse, NotReversible, PostingUnknown
from node.ledger.fingerprints import compute_fingerprint
from node.ledger.posting_service import load_known, load_sheets, load_whole
from node.ledger.postings import ALLOWED, REVERSIBLE, Kept, Posted, PostingKind
from node.ledger.reversals import Part, Reverse, Reversed, choose_takings
from protocol.amounts import Cents
from protocol.book.rows_store import insert_rows
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16

_REVERSE = "reverse"


def reverse(connection: Connection, desk: Desk, asked: Sequence[Reverse]) -> list[Reversed | Refusal]:
    """Take back each credit, or answer again what its id took back."""
    store.save_desk(connection, desk)
    load_sheets(connection, desk, [UNCLAIMED])
    load_known(connection, desk, [item.op for item in asked])
    answers: list[Reversed | Refusal] = []
    for item in asked:
        try:
            answers.append(_reverse(connection, desk, item))
        except Refusal as refusal:
            fingerprint = compute_fingerprint(_REVERSE, reversals.asked_values(item))
            answers.append(remember_refusal(desk, item.op, fingerprint, refusal))
    return answers


def _reverse(connection: Connection, desk: Desk, asked: Reverse) -> Reversed:
    known = find_outcome(desk, asked.op)
    if known is not None:
        return _answer_again(connection, asked, known)
    load_known(connection, desk, [asked.undone])
    undone = find_outcome(desk, asked.undone)
    if undone is None or not isinstance(undone.answer, Posted) or undone.kept is None:
        raise PostingUnknown(posting=asked.undone.hex())
    kept = undone.kept
    if kept.kind not in REVERSIBLE:
        raise NotReversible(posting=asked.undone.hex(), kind=kept.kind)
    load_sheets(connection, desk, [kept.debit, kept.credit])
    giver, back_to = desk.sheets[kept.credit], desk.sheets[kept.debit]
    if (PostingKind.REVERSAL, giver.kind, back_to.kind) not in ALLOWED:  # a company's gift to solidarity is final
        raise NotReversible(posting=asked.undone.hex(), kind=kept.kind)
    if giver.state is AccountState.FROZEN:
        raise refuse_state(giver)
    if not giver.is_whole:
        load_whole(connection, desk, [giver])
    parts = _load_parts(connection, undone.answer)
    left = sum(part.left for part in parts)
    wanted = left if asked.cents is None else asked.cents
    takings = choose_takings(parts, wanted=min(wanted, left), held=giver.holdings, available=giver.available)
    if not takings:
        available = choose_takings(parts, wanted=left, held=giver.holdings, available=giver.available)
        raise NothingToReverse(
            posting=asked.undone.hex(),
            reversed=undone.answer.cents - left,
            available=sum(taking.cents for taking in available),
        )
    is_unclaimed = back_to.state is AccountState.CLOSED
    if is_unclaimed:
        desk.diversions.append((asked.op, back_to.id))
    posted = write(
        desk,
        op=asked.op,
        kind=PostingKind.REVERSAL,
        debit=giver,
        credit=desk.sheets[UNCLAIMED] if is_unclaimed else back_to,
        cents=sum(taking.cents for taking in takings),
        draws=tuple((taking.lot, Cents(taking.cents)) for taking in takings),
        reference=asked.reference,
        undoes=[taking.transfer for taking in takings],
        is_unclaimed=is_unclaimed,
    )
    store.save_desk(connection, desk)
    insert_rows(
        connection,
        tables.reversals,
        ("op", "undone", "cents", "asked"),
        [(asked.op, asked.undone, asked.cents, wanted)],
    )
    desk.outcomes[asked.op] = Outcome(
        posted,
        Kept(
            kind=PostingKind.REVERSAL,
            debit=kept.credit,
            credit=kept.debit,
            cents=posted.cents,
            reference=asked.reference,
            reservation=None,
        ),
    )
    return _reversed(posted, undone=asked.undone, wanted=wanted)


def _reversed(posted: Posted, *, undone: Id16, wanted: int, is_repeat: bool = False) -> Reversed:
    assert posted.debit_after is not None
    return Reversed(
        op=posted.op,
        at=posted.at,
        undone=undone,
        asked=Cents(wanted),
        taken=posted.cents,
        draws=posted.draws,
        after=posted.debit_after,
        is_unclaimed=posted.is_unclaimed,
        is_repeat=is_repeat,
    )


def _answer_again(connection: Connection, asked: Reverse, known: Outcome) -> Reversed:
    if isinstance(known.answer, Refusal):
        fingerprint = compute_fingerprint(_REVERSE, reversals.asked_values(asked))
        raise answer_refused(asked.op, fingerprint, known, reversals.ASKED_FIELDS)
    table = tables.reversals
    row = connection.execute(select(table.c.undone, table.c.cents, table.c.asked).where(table.c.op == asked.op)).first()
    if row is None:
        raise IdMismatch(id=asked.op.hex(), field="kind")
    assert known.kept is not None
    values = (row[0], row[1], known.kept.reference)
    for field, kept, told in zip(reversals.ASKED_FIELDS, values, reversals.asked_values(asked), strict=True):
        if kept != told:
            raise IdMismatch(id=asked.op.hex(), field=field)
    return _reversed(known.answer, undone=asked.undone, wanted=row[2], is_repeat=True)


def _load_parts(connection: Connection, posted: Posted) -> list[Part]:
    """Return the transfers of a posting, in order, with what was taken back of each."""
    table = tables.transfers
    undone: dict[int, int] = {}
    transfers = list(posted.transfers)
    for start in range(0, len(transfers), 1_000):
        for transfer, cents in connection.execute(
            select(table.c.undoes, func.sum(table.c.cents))
            .where(table.c.undoes.in_(transfers[start : start + 1_000]))
            .group_by(table.c.undoes)
        ):
            undone[transfer] = int(cents)
    return [
        Part(transfer, lot, cents, undone.get(transfer, 0))
        for transfer, (lot, cents) in zip(transfers, posted.draws, strict=True)
    ]
