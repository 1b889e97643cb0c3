"""SQL of statements and movements: loads and saves, decides nothing."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from node.fund.days import day_of, number_of
from node.fund.matching import Outcome
from node.fund.references import Iban, Reference
from node.fund.seal_store import change
from node.fund.statements import Balance, BatchPlace, Movement, MovementState, Statement
from node.fund.tables import movements, statements
from protocol.times import Instant

_CHUNK: Final = 500


def find_last_statement(connection: Connection, iban: str) -> Statement | None:
    """Return the newest statement of an account as what the next one must follow: its movements are not loaded."""
    row = connection.execute(
        select(statements).where(statements.c.iban == iban).order_by(statements.c.no.desc()).limit(1)
    ).first()
    if row is None:
        return None
    closing = Balance(cents=row.closing, day=day_of(row.closing_on))
    return Statement(
        iban=Iban(row.iban),
        id=row.statement_id,
        sequence=row.sequence,
        opening=closing,
        closing=closing,
        movements=(),
    )


def find_statement(connection: Connection, told: Statement) -> tuple[int, bytes] | None:
    """Return number and digest of a statement that was taken before, by what names it."""
    row = connection.execute(
        select(statements.c.no, statements.c.digest).where(
            statements.c.iban == told.iban,
            statements.c.statement_id == told.id,
            statements.c.closing_on == number_of(told.closing.day),
        )
    ).first()
    return None if row is None else (int(row.no), bytes(row.digest))


def insert_statement(connection: Connection, told: Statement, digest: bytes, at: Instant) -> int:
    """Keep a statement; return its number."""
    number = int(connection.execute(select(func.coalesce(func.max(statements.c.no), 0))).scalar_one()) + 1
    connection.execute(
        insert(statements).values(
            no=number,
            iban=told.iban,
            statement_id=told.id,
            sequence=told.sequence,
            opening=told.opening.cents,
            opening_on=number_of(told.opening.day),
            closing=told.closing.cents,
            closing_on=number_of(told.closing.day),
            digest=digest,
            at=at,
        )
    )
    return number


def load_known(connection: Connection, told: Sequence[Movement]) -> dict[str, Movement]:
    """Return by id the movements that are known under an id or an entry of these."""
    found: dict[str, Movement] = {}
    for start in range(0, len(told), _CHUNK):
        part = told[start : start + _CHUNK]
        rows = connection.execute(
            select(movements).where(
                movements.c.id.in_([one.id for one in part]) | movements.c.entry.in_({one.entry for one in part})
            )
        )
        found |= {row.id: make_movement(row) for row in rows}
    return found


def insert_movement(
    connection: Connection,
    movement: Movement,
    outcome: Outcome,
    *,
    iban: str,
    statement: int | None,
    waiting: int,
    is_detail: bool,
    at: Instant,
) -> None:
    """Keep what a bank told and what it was taken for."""
    number = int(connection.execute(select(func.coalesce(func.max(movements.c.no), 0))).scalar_one()) + 1
    connection.execute(
        insert(movements).values(
            no=number,
            id=movement.id,
            entry=movement.entry,
            iban=iban,
            cents=movement.cents,
            bank_reference=movement.bank_reference,
            end_to_end_id=movement.end_to_end_id,
            reference=movement.reference or "",
            counterpart_name=movement.counterpart_name,
            counterpart_iban=movement.counterpart_iban,
            words=movement.text,
            is_reversal=int(movement.is_reversal),
            return_reason=movement.return_reason,
            batch=_write_batch(movement.batch),
            is_detail=int(is_detail),
            kept=0,
            fee=0,
            decided_by="",
            at=at,
            **_outcome_values(outcome, waiting),
            **_state_values(movement, statement),
        )
    )


def change_movement(
    connection: Connection, movement: Movement, outcome: Outcome, *, statement: int | None, waiting: int
) -> None:
    """Keep that a pending movement was booked, and what it was taken for then."""
    change(
        connection,
        update(movements)
        .where(movements.c.id == movement.id)
        .values(**_outcome_values(outcome, waiting), **_state_values(movement, statement)),
    )


def note_statement(connection: Connection, ids: Iterable[str], statement: int) -> None:
    """Keep that a statement told what a notification had told before."""
    for id_ in ids:
        change(
            connection,
            update(movements)
            .where(movements.c.id == id_, movements.c.statement_no.is_(None))
            .values(statement_no=statement),
        )


def set_waiting(connection: Connection, id_: str, waiting: int, decided_by: str | None = None) -> None:
    values: dict[str, Any] = {"waiting": waiting}
    if decided_by is not None:
        values["decided_by"] = decided_by
    change(connection, update(movements).where(movements.c.id == id_).values(**values))


def settle(connection: Connection, id_: str, waiting: int, decided_by: str, *, is_fee: bool) -> None:
    """Keep that what waited is a fee, or belongs to nothing."""
    column = movements.c.fee if is_fee else movements.c.kept
    change(
        connection,
        update(movements)
        .where(movements.c.id == id_)
        .values({column: column + waiting, movements.c.waiting: 0, movements.c.decided_by: decided_by}),
    )


def find_movement(connection: Connection, id_: str) -> tuple[Movement, int] | None:
    """Return a movement and the cents of it that wait for a person."""
    row = connection.execute(select(movements).where(movements.c.id == id_)).first()
    return None if row is None else (make_movement(row), int(row.waiting))


def find_sum_waiting(connection: Connection, entry: str) -> tuple[str, int] | None:
    """Return id and waiting cents of an entry that was told as one sum, or None."""
    row = connection.execute(
        select(movements.c.id, movements.c.waiting).where(
            movements.c.entry == entry, movements.c.batch == "", movements.c.is_detail == 0
        )
    ).first()
    return None if row is None else (row.id, int(row.waiting))


def find_no(connection: Connection, id_: str) -> int | None:
    """Return the place of a movement among all, or None."""
    return connection.execute(select(movements.c.no).where(movements.c.id == id_)).scalar_one_or_none()


def load_rows(connection: Connection, *, waiting_only: bool, limit: int, before: int | None = None) -> list[Any]:
    """Return movements as rows, the newest last: the newest ones, or of those that came before a place."""
    asked = select(movements).order_by(movements.c.no.desc()).limit(limit)
    if before is not None:
        asked = asked.where(movements.c.no < before)
    if waiting_only:
        asked = asked.where(movements.c.waiting != 0)
    return list(reversed(connection.execute(asked).all()))


def count_rows(connection: Connection, *, waiting_only: bool, before: int | None = None) -> int:
    """Return how many movements there are, or of those that came before a place."""
    asked = select(func.count()).select_from(movements)
    if before is not None:
        asked = asked.where(movements.c.no < before)
    if waiting_only:
        asked = asked.where(movements.c.waiting != 0)
    return int(connection.execute(asked).scalar_one())


def _outcome_values(outcome: Outcome, waiting: int) -> dict[str, Any]:
    return {
        "meaning": outcome.meaning,
        "why": outcome.why,
        "subject": outcome.subject,
        "difference": outcome.difference,
        "candidates": json.dumps(outcome.candidates),
        "waiting": waiting,
    }


def _state_values(movement: Movement, statement: int | None) -> dict[str, Any]:
    return {
        "state": movement.state,
        "booked_on": _number(movement.booked_on),
        "valued_on": _number(movement.valued_on),
        "statement_no": statement,
    }


def _number(day: datetime.date | None) -> int | None:
    return None if day is None else number_of(day)


def _write_batch(batch: BatchPlace | None) -> str:
    return "" if batch is None else json.dumps([batch.place, batch.count, batch.message_id, batch.payment_id])


def make_movement(row: Any) -> Movement:
    """Return the movement of a row."""
    batch = None
    if row.batch:
        place, count, message_id, payment_id = json.loads(row.batch)
        batch = BatchPlace(place=place, count=count, message_id=message_id, payment_id=payment_id)
    return Movement(
        id=row.id,
        entry=row.entry,
        cents=row.cents,
        state=MovementState(row.state),
        booked_on=None if row.booked_on is None else day_of(row.booked_on),
        valued_on=None if row.valued_on is None else day_of(row.valued_on),
        bank_reference=row.bank_reference,
        end_to_end_id=row.end_to_end_id,
        reference=Reference(row.reference) if row.reference else None,
        counterpart_name=row.counterpart_name,
        counterpart_iban=row.counterpart_iban,
        text=row.words,
        is_reversal=bool(row.is_reversal),
        return_reason=row.return_reason,
        batch=batch,
    )
