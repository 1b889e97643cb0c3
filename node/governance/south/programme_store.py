"""SQL of South programmes: rows as values, and a programme as the gate looks at it. Decides nothing.

`as_of` is an instant: what was written after it is left out, so that `check` sees what a round saw (`is_past`: of one page,
what ends or blocks something may have been written after the round, and is left out too).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from node.governance import tables as base_tables
from node.governance.bearers import require_eligible
from node.governance.days import local_day, write_day
from node.governance.instalments import DueMark, RoundState
from node.governance.parameters_store import load_eligibility
from node.governance.south import tables
from node.governance.south.clearances import Clearance, read_clearance
from node.governance.south.errors import AgreementUnknown, PartnerUnknown, ProgrammeUnknown
from node.governance.south.gate import Programme
from node.governance.south.programmes import Agreement, Line, Partner, PartnerKind, PartnerProof, read_clauses
from node.governance.south.reports import Told
from node.governance.store import Project, load_bearer, load_proofs
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id

_programmes, _partners, _lines = tables.programmes, tables.programme_partners, tables.programme_lines
_reports, _rounds = tables.field_reports, base_tables.rounds


def find_programme_row(connection: Connection, project: bytes) -> Any:
    """Return the row of what was declared, or None."""
    return connection.execute(select(_programmes).where(_programmes.c.project == project)).first()


def load_programme_row(connection: Connection, project: bytes) -> Any:
    """Return the same. Raises ProgrammeUnknown."""
    row = find_programme_row(connection, project)
    if row is None:
        raise ProgrammeUnknown(project=format_id(Id16(project)))
    return row


def load_partner_row(connection: Connection, id_: bytes) -> Any:
    """Return the row of a partner. Raises PartnerUnknown."""
    row = connection.execute(select(_partners).where(_partners.c.id == id_)).first()
    if row is None:
        raise PartnerUnknown(partner=format_id(Id16(id_)))
    return row


def load_agreement_row(connection: Connection, id_: bytes) -> Any:
    """Return the row of an agreement, with its programme. Raises AgreementUnknown."""
    table = tables.control_agreements
    row = connection.execute(
        select(table, _partners.c.programme).join(_partners, _partners.c.id == table.c.partner).where(table.c.id == id_)
    ).first()
    if row is None:
        raise AgreementUnknown(agreement=format_id(Id16(id_)))
    return row


def _rows_of(connection: Connection, table: Any, project: bytes, as_of: int) -> Sequence[Any]:
    """Return the rows of what belongs to the partners of a programme, the oldest first."""
    return connection.execute(
        select(table)
        .join(_partners, _partners.c.id == table.c.partner)
        .where(_partners.c.programme == project, table.c.at <= as_of)
        .order_by(table.c.at, table.c.id)
    ).all()


def _ended_on(row: Any, as_of: int, zone: str) -> int:
    is_ended = row.ended_at is not None and row.ended_at < as_of
    return write_day(local_day(row.ended_at, zone)) if is_ended else 0


def make_partner(row: Any, ended_on: int = 0) -> Partner:
    return Partner(
        id=Id16(bytes(row.id)),
        name=row.name,
        country=row.country,
        kind=PartnerKind(row.kind),
        registration=row.registration,
        key=bytes(row.key or b""),
        ended_on=ended_on,
    )


def make_partner_proof(row: Any) -> PartnerProof:
    return PartnerProof(
        id=Id16(bytes(row.id)),
        partner=Id16(bytes(row.partner)),
        words=row.words,
        digest=bytes(row.digest),
        issued_on=row.issued_on,
        valid_until=row.valid_until,
    )


def make_agreement(row: Any, ended_on: int = 0) -> Agreement:
    return Agreement(
        id=Id16(bytes(row.id)),
        partner=Id16(bytes(row.partner)),
        digest=bytes(row.digest),
        signed_on=row.signed_on,
        from_day=row.from_day,
        until_day=row.until_day,
        clauses=read_clauses(row.clauses),
        ended_on=ended_on,
    )


def make_line(row: Any) -> Line:
    return Line(words=row.words, country=row.country, currency=row.currency, rate=row.rate, cents=row.cents)


def find_version(connection: Connection, project: bytes, as_of: int) -> int:
    """Return the number of the newest budget, or 0."""
    found = connection.execute(
        select(func.max(_lines.c.version)).where(_lines.c.programme == project, _lines.c.at <= as_of)
    ).scalar()
    return int(found or 0)


def load_lines(connection: Connection, project: bytes, version: int) -> tuple[Line, ...]:
    """Return a budget, line by line."""
    rows = connection.execute(
        select(_lines).where(_lines.c.programme == project, _lines.c.version == version).order_by(_lines.c.line)
    )
    return tuple(make_line(row) for row in rows)


def load_partners(
    connection: Connection, project: bytes, as_of: int, zone: str, ended_before: int = 2**62
) -> tuple[Partner, ...]:
    """Return the partners of a programme, the first one first."""
    rows = connection.execute(
        select(_partners)
        .where(_partners.c.programme == project, _partners.c.at <= as_of)
        .order_by(_partners.c.at, _partners.c.id)
    )
    return tuple(make_partner(row, _ended_on(row, ended_before, zone)) for row in rows)


def load_programme(
    connection: Connection, project: Project, as_of: int, zone: str, *, is_past: bool = False
) -> Programme | None:
    """Return a programme as the gate looks at it, or None where none was declared by then."""
    blocked_by = as_of if is_past else as_of + 1
    row = find_programme_row(connection, project.id)
    if row is None or row.at > as_of:
        return None
    today = write_day(local_day(as_of, zone))
    clearances: dict[bytes, list[Clearance]] = {}
    for one in _rows_of(connection, tables.clearances, project.id, as_of):
        words = read_clearance(bytes(one.words))
        if not words.is_clear and one.at >= blocked_by:
            continue
        is_confirmed = one.confirmed_at is not None and one.confirmed_at <= as_of
        told = Clearance(checked_on=words.checked_on, is_clear=words.is_clear, is_confirmed=is_confirmed)
        clearances.setdefault(bytes(one.partner), []).append(told)
    paid_at = connection.execute(
        select(func.min(_rounds.c.at)).where(
            _rounds.c.project == project.id, _rounds.c.at < as_of, _rounds.c.state != RoundState.REFUSED
        )
    ).scalar()
    told_until = connection.execute(
        select(func.max(_reports.c.until_day)).where(_reports.c.programme == project.id, _reports.c.at <= as_of)
    ).scalar()
    return Programme(
        purpose=row.purpose,
        target=project.sheet.target,
        partners=load_partners(connection, project.id, as_of, zone, blocked_by),
        proofs=tuple(make_partner_proof(one) for one in _rows_of(connection, tables.partner_proofs, project.id, as_of)),
        agreements=tuple(
            make_agreement(one, _ended_on(one, blocked_by, zone))
            for one in _rows_of(connection, tables.control_agreements, project.id, as_of)
        ),
        clearances={partner: tuple(told) for partner, told in clearances.items()},
        lines=load_lines(connection, project.id, find_version(connection, project.id, as_of)),
        paid_since=0 if paid_at is None else write_day(local_day(paid_at, zone)),
        told_until=int(told_until or 0),
        **_load_bearer(connection, project, today),
    )


def _load_bearer(connection: Connection, project: Project, today: int) -> dict[str, Any]:
    if project.bearer is None:
        return {}
    bearer = load_bearer(connection, project.bearer)
    told = {"bearer": str(bearer.registry), "account_country": bearer.country}
    try:
        require_eligible(bearer, load_proofs(connection, bearer.id), load_eligibility(today), today)
    except Refusal as refusal:
        told |= {"bearer_code": refusal.code, "bearer_reason": str(refusal.facts.get("reason", ""))}
    return told


def load_told(connection: Connection, project: bytes, as_of: int) -> Told:
    """Return what decides whether a report follows from those before."""
    lines = load_lines(connection, project, find_version(connection, project, as_of))
    row = connection.execute(
        select(func.max(_reports.c.until_day), func.sum(_reports.c.cents)).where(
            _reports.c.programme == project, _reports.c.at <= as_of
        )
    ).one()
    dues = base_tables.dues
    converted = connection.execute(
        select(func.sum(dues.c.cents))
        .join_from(dues, _rounds, _rounds.c.id == dues.c.round)
        .where(_rounds.c.project == project, dues.c.mark != DueMark.REFUSED)
    ).scalar()
    return Told(lines=len(lines), last_day=int(row[0] or 0), cents=int(row[1] or 0), converted=int(converted or 0))


def list_reports(connection: Connection, project: bytes) -> list[Any]:
    """Return the field reports of a programme as rows, the first period first."""
    return list(
        connection.execute(select(_reports).where(_reports.c.programme == project).order_by(_reports.c.from_day)).all()
    )
