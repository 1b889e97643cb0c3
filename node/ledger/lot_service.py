"""Endow, and take note of foreign lots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from node.ledger import endowments, store, tables
from node.ledger.accounts import ISSUANCE, AccountState
from node.ledger.desk import Desk, Outcome, answer_refused, find_outcome, refuse_state, remember_refusal, write
from node.ledger.endowments import Endow, Endowed, LotOrigin, origin_of
from node.ledger.errors import AccountUnknown, KindMisfit, LotClassMismatch, LotUnknown
from node.ledger.fingerprints import compute_fingerprint
from node.ledger.lots import Lot, LotId, LotName, compute_seal, require_lot_name
from node.ledger.posting_service import load_known, load_sheets
from node.ledger.postings import ALLOWED, Kept, Posted, PostingKind
from protocol.book.rows_store import insert_rows, select_rows
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.identifiers import Id16

_ENDOW = "endow"
_LOT = ("id", "issuer", "ref", "lot_class", "month", "issued", "seal")
_ORIGIN = ("donor", "campaign", "month", "lot_class", "restriction")


def endow(connection: Connection, desk: Desk, asked: Sequence[Endow]) -> list[Endowed | Refusal]:
    """Issue each endowment into its pool, or answer again what its id issued."""
    store.save_desk(connection, desk)
    load_sheets(connection, desk, {ISSUANCE, *(item.into for item in asked)})
    load_known(connection, desk, [item.op for item in asked])
    answers: list[Endowed | Refusal] = []
    for item in asked:
        try:
            answers.append(_endow(connection, desk, item))
        except Refusal as refusal:
            fingerprint = compute_fingerprint(_ENDOW, endowments.asked_values(item))
            answers.append(remember_refusal(desk, item.op, fingerprint, refusal))
    return answers


def _endow(connection: Connection, desk: Desk, asked: Endow) -> Endowed:
    known = find_outcome(desk, asked.op)
    if known is not None:
        return _answer_again(connection, desk, asked, known)
    source = desk.sheets[ISSUANCE]
    pool = desk.sheets.get(asked.into)
    if pool is None:
        raise AccountUnknown(account=asked.into)
    if (PostingKind.ENDOWMENT, source.kind, pool.kind) not in ALLOWED:
        raise KindMisfit(kind=PostingKind.ENDOWMENT, debit=source.kind, credit=pool.kind)
    if pool.state is not AccountState.OPEN:
        raise refuse_state(pool)
    lot = _find_home_lot(connection, origin_of(asked))
    if lot is None:
        lot = _make_home_lot(connection, desk, asked)
    store.load_lots(connection, desk, [lot])
    posted = write(
        desk,
        op=asked.op,
        kind=PostingKind.ENDOWMENT,
        debit=source,
        credit=pool,
        cents=asked.cents,
        draws=((lot, asked.cents),),
    )
    store.save_desk(connection, desk)
    insert_rows(
        connection,
        tables.endowments,
        ("op", "lot_id", "transfer_id", "reason", "at"),
        [(asked.op, lot, posted.first, asked.reason, posted.at)],
    )
    desk.outcomes[asked.op] = Outcome(
        posted,
        Kept(
            kind=PostingKind.ENDOWMENT,
            debit=ISSUANCE,
            credit=asked.into,
            cents=asked.cents,
            reference="",
            reservation=None,
        ),
    )
    return _endowed(posted)


def _endowed(posted: Posted, *, is_repeat: bool = False) -> Endowed:
    assert posted.credit_after is not None
    return Endowed(
        op=posted.op,
        at=posted.at,
        lot=posted.draws[0][0],
        draws=posted.draws,
        transfer=posted.first,
        after=posted.credit_after,
        is_repeat=is_repeat,
    )


def _answer_again(connection: Connection, desk: Desk, asked: Endow, known: Outcome) -> Endowed:
    if isinstance(known.answer, Refusal):
        fingerprint = compute_fingerprint(_ENDOW, endowments.asked_values(asked))
        raise answer_refused(asked.op, fingerprint, known, endowments.ASKED_FIELDS)
    values = _load_endowed(connection, desk, asked.op)
    if values is None:
        raise IdMismatch(id=asked.op.hex(), field="kind")
    for field, kept, told in zip(endowments.ASKED_FIELDS, values, endowments.asked_values(asked), strict=True):
        if kept != told:
            raise IdMismatch(id=asked.op.hex(), field=field)
    return _endowed(known.answer, is_repeat=True)


def _load_endowed(connection: Connection, desk: Desk, op: Id16) -> tuple[object, ...] | None:
    """Return what this id issued, in the order of ASKED_FIELDS; None where it did something else."""
    transfers, origins, kept = tables.transfers, tables.origins, tables.endowments
    row = connection.execute(
        select(*(origins.c[name] for name in _ORIGIN), transfers.c.credit, transfers.c.cents, kept.c.reason)
        .join_from(kept, transfers, transfers.c.id == kept.c.transfer_id)
        .join(origins, origins.c.lot_id == kept.c.lot_id)
        .where(kept.c.op == op)
    ).first()
    if row is None:
        return None
    *origin, credit, cents, reason = row
    store.load_accounts(connection, desk, [credit])
    return (*origin, desk.sheets_by_id[credit].key, cents, reason)


def _find_home_lot(connection: Connection, origin: LotOrigin) -> LotId | None:
    table = tables.origins
    found: LotId | None = connection.execute(
        select(table.c.lot_id).where(*(table.c[name] == value for name, value in zip(_ORIGIN, origin, strict=True)))
    ).scalar()
    return found


def _make_home_lot(connection: Connection, desk: Desk, asked: Endow) -> LotId:
    lot = LotId(store.load_next_lot(connection))
    name = LotName(desk.home, asked.new_ref, int(asked.lot_class), asked.month)
    insert_rows(connection, tables.lots, _LOT, [(lot, *name, 0, compute_seal(name))])
    insert_rows(connection, tables.origins, ("lot_id", *_ORIGIN), [(lot, *origin_of(asked))])
    return lot


def ensure_lots(connection: Connection, desk: Desk, names: Sequence[LotName]) -> list[LotId | Refusal]:
    """Return the id here of each lot, noting foreign lots at first sight.

    A home lot must exist (LotUnknown), and a lot keeps its class and month (LotClassMismatch).
    """
    known: dict[tuple[str, bytes], tuple[Any, ...]] = {
        (row[1], row[2]): row
        for row in select_rows(connection, tables.lots, _LOT[:5], column="ref", values={name.ref for name in names})
    }
    next_id = store.load_next_lot(connection)
    rows: list[tuple[Any, ...]] = []
    answers: list[LotId | Refusal] = []
    for name in names:
        try:
            require_lot_name(name)
        except Malformed as refusal:
            answers.append(refusal)
            continue
        row = known.get((name.issuer, name.ref))
        if row is None:
            if name.issuer == desk.home:
                answers.append(LotUnknown(issuer=name.issuer, ref=name.ref.hex()))
                continue
            row = (next_id, name.issuer, name.ref, int(name.lot_class), name.month)
            next_id += 1
            known[name.issuer, name.ref] = row
            rows.append((*row, 0, compute_seal(name)))
        desk.lots[LotId(row[0])] = Lot(LotId(row[0]), name.issuer, row[4])
        answers.append(_mismatch(name, row) or LotId(row[0]))
    insert_rows(connection, tables.lots, _LOT, rows)
    return answers


def adopt_lots(connection: Connection, desk: Desk, names: Sequence[LotName]) -> None:
    """Note home lots that this book has lost: their endowments must be entered again, and `check` names them till then."""
    known = {
        (row[1], row[2])
        for row in select_rows(connection, tables.lots, _LOT[:5], column="ref", values={name.ref for name in names})
    }
    lost = {(name.issuer, name.ref): name for name in names if name.issuer == desk.home}
    first = store.load_next_lot(connection)
    rows = [
        (first + place, *name, 0, compute_seal(name))
        for place, name in enumerate(name for key, name in lost.items() if key not in known)
    ]
    insert_rows(connection, tables.lots, _LOT, rows)


def _mismatch(name: LotName, row: tuple[Any, ...]) -> LotClassMismatch | None:
    for field, known, told in (("lot_class", row[3], int(name.lot_class)), ("month", row[4], name.month)):
        if known != told:
            return LotClassMismatch(issuer=name.issuer, ref=name.ref.hex(), field=field, known=known, told=told)
    return None
