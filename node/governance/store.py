"""SQL that several rooms of the projects' base share: sealed rows, ids asked before, projects as values. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from node.governance import tables
from node.governance.bearers import Bearer, Proof, ProofKind, Registry
from node.governance.errors import BearerUnknown, ProjectUnknown
from node.governance.projects import ProjectEvent, ProjectState, advance
from node.governance.sheets import Sheet, read_sheet
from protocol.book.seals import compute_seal
from protocol.book.worker import Page
from protocol.canonical import encode
from protocol.errors import IdMismatch
from protocol.identifiers import Id16, format_id

_projects = tables.projects


# ---------------------------------------------------------------- sealed rows


def save(connection: Connection, table: Table, **values: Any) -> None:
    """Insert a row with its seal. A column that is not given is empty."""
    names = [column.name for column in table.columns if column.name != "seal"]
    seal = compute_seal(table.name, [values.get(name) for name in names])
    connection.execute(table.insert().values(**values, seal=seal))


def change(connection: Connection, table: Table, *where: ColumnElement[bool], **values: Any) -> int:
    """Change rows and seal them again; return how many."""
    rows = connection.execute(select(table).where(*where)).all()
    names = [column.name for column in table.columns if column.name != "seal"]
    for row in rows:
        told = dict(row._mapping) | values
        seal = compute_seal(table.name, [told[name] for name in names])
        one = [column == row._mapping[column.name] for column in table.primary_key]
        connection.execute(table.update().where(*one).values(**values, seal=seal))
    return len(rows)


def seal_values(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a whole row with its seal."""
    names = [column.name for column in table.columns if column.name != "seal"]
    return {**values, "seal": compute_seal(table.name, [values[name] for name in names])}


def seal_of(table: Table, row: Any) -> bytes:
    """Return the seal that a row must have."""
    return compute_seal(table.name, [row._mapping[column] for column in table.columns if column.name != "seal"])


# ---------------------------------------------------------------- what was asked before


def was_asked(connection: Connection, id_: Id16, what: str, *content: Any) -> bool:
    """Tell whether this was asked before under this id. Raises IdMismatch where it was something else."""
    row = connection.execute(select(tables.asked).where(tables.asked.c.id == id_)).first()
    if row is None:
        return False
    if row.what != what:
        raise IdMismatch(id=format_id(id_), field="operation")
    if bytes(row.digest) != _digest(content):
        raise IdMismatch(id=format_id(id_), field="content")
    return True


def note_asked(page: Page, id_: Id16, what: str, *content: Any) -> None:
    """Keep what was asked under an id, once it is done."""
    save(page.connection, tables.asked, id=id_, what=what, digest=_digest(content), at=page.now)


def _digest(content: Sequence[Any]) -> bytes:
    return hashlib.blake2b(encode(list(content)), digest_size=16).digest()


# ---------------------------------------------------------------- projects


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as this page has it, with its current sheet."""

    id: Id16
    state: ProjectState
    proposer: str
    version: int
    sheet: Sheet
    digest: bytes  # of the sheet
    bearer: Id16 | None
    decision: bytes | None
    decided_on: int | None
    appeals: int
    number: str | None
    support: int
    supporters: int
    commit_id: bytes | None
    release_id: bytes | None
    released: int | None
    code: str
    at: int


def load_project(connection: Connection, id_: bytes) -> Project:
    """Return the project. Raises ProjectUnknown."""
    found = find_project(connection, _projects.c.id == id_)
    if found is None:
        raise ProjectUnknown(project=format_id(Id16(id_)))
    return found


def find_project(connection: Connection, *where: ColumnElement[bool]) -> Project | None:
    """Return the one project that fits, or None."""
    return next(iter(list_projects(connection, *where)), None)


def list_projects(connection: Connection, *where: ColumnElement[bool]) -> list[Project]:
    """Return the projects that fit, the oldest first."""
    versions = tables.versions
    rows = connection.execute(
        select(_projects, versions.c.body, versions.c.digest)
        .join(versions, (versions.c.project == _projects.c.id) & (versions.c.version == _projects.c.version))
        .where(*where)
        .order_by(_projects.c.at, _projects.c.id)
    )
    return [_make_project(row) for row in rows]


def _make_project(row: Any) -> Project:
    return Project(
        id=Id16(bytes(row.id)),
        state=ProjectState(row.state),
        proposer=row.proposer,
        version=row.version,
        sheet=read_sheet(bytes(row.body)),
        digest=bytes(row.digest),
        bearer=_optional_id(row.bearer),
        decision=_optional_id(row.decision),
        decided_on=row.decided_on,
        appeals=row.appeals,
        number=row.number,
        support=row.support,
        supporters=row.supporters,
        commit_id=_optional_id(row.commit_id),
        release_id=_optional_id(row.release_id),
        released=row.released,
        code=row.code,
        at=row.at,
    )


def _optional_id(value: Any) -> Id16 | None:
    return None if value is None else Id16(bytes(value))


def save_step(
    page: Page, project: Project, event: ProjectEvent, *, by: str, reason: str = "", **more: Any
) -> ProjectState:
    """Take a project one step on, with what else changes in its row. Raises ProjectStepRefused, before anything is written."""
    after = advance(project.state, event)
    steps = tables.steps
    last = page.connection.execute(select(func.max(steps.c.ix)).where(steps.c.project == project.id)).scalar()
    save(
        page.connection,
        steps,
        project=project.id,
        ix=int(last or 0) + 1,
        event=event,
        state=after,
        by=by,
        reason=reason,
        at=page.now,
    )
    change(page.connection, _projects, _projects.c.id == project.id, state=after, **more)
    return after


# ---------------------------------------------------------------- bearers


def load_bearer(connection: Connection, id_: bytes) -> Bearer:
    """Return the bearer. Raises BearerUnknown."""
    row = connection.execute(select(tables.bearers).where(tables.bearers.c.id == id_)).first()
    if row is None:
        raise BearerUnknown(bearer=bytes(id_).hex())
    return make_bearer(row)


def make_bearer(row: Any) -> Bearer:
    return Bearer(
        id=Id16(bytes(row.id)),
        registry=Registry(row.registry),
        name=row.name,
        category=row.category,
        holder_name=row.holder_name,
        iban=row.iban,
    )


def load_proofs(connection: Connection, bearer: bytes) -> list[Proof]:
    """Return a bearer's proofs of eligibility, the oldest first."""
    table = tables.proofs
    rows = connection.execute(select(table).where(table.c.bearer == bearer).order_by(table.c.at, table.c.id))
    return [
        Proof(
            id=Id16(bytes(row.id)),
            bearer=Id16(bytes(row.bearer)),
            kind=ProofKind(row.kind),
            digest=bytes(row.digest),
            issued_on=row.issued_on,
            valid_until=row.valid_until,
        )
        for row in rows
    ]
