"""SQL of groups and guides: sealed rows, and rows as values. Decides nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from node.guides.consents import Accredited, Consent
from node.guides.tables import group_consents, group_members, guide_acts, guided_groups, guides
from protocol.book.seals import compute_seal


def save(connection: Connection, table: Table, **values: Any) -> None:
    """Insert a row with its seal. A column that is not given is empty."""
    names = [column.name for column in table.columns if column.name != "seal"]
    seal = compute_seal(table.name, [values.get(name) for name in names])
    connection.execute(table.insert().values(**values, seal=seal))


def change(connection: Connection, table: Table, *where: ColumnElement[bool], **values: Any) -> int:
    """Change rows and seal them again; return how many."""
    rows = connection.execute(select(table).where(*where)).all()
    for row in rows:
        told = dict(row._mapping) | values
        seal = compute_seal(table.name, [told[column.name] for column in table.columns if column.name != "seal"])
        one = [column == row._mapping[column.name] for column in table.primary_key]
        connection.execute(table.update().where(*one).values(**values, seal=seal))
    return len(rows)


def seal_of(table: Table, row: Any) -> bytes:
    """Return the seal that a row must have."""
    return compute_seal(table.name, [row._mapping[column] for column in table.columns if column.name != "seal"])


def find_guide(connection: Connection, id_: bytes) -> Accredited | None:
    """Return what was told of a guide, or None."""
    row = connection.execute(select(guides).where(guides.c.id == id_)).first()
    return None if row is None else make_guide(row)


def make_guide(row: Any) -> Accredited:
    return Accredited(
        id=bytes(row.id),
        key=bytes(row.key),
        from_day=row.from_day,
        until_day=row.until_day,
        ended_code=row.ended_code,
    )


def find_group(connection: Connection, account: str) -> Any:
    """Return a group as a row, or None."""
    return connection.execute(select(guided_groups).where(guided_groups.c.account == account)).first()


def load_guided(connection: Connection) -> frozenset[str]:
    """Return the accounts of all groups with a guide."""
    return frozenset(row.account for row in connection.execute(select(guided_groups.c.account)))


def load_member_rows(connection: Connection, account: str) -> list[Any]:
    """Return who is or was in a group, as rows, the first one first."""
    rows = select(group_members).where(group_members.c.account == account)
    return list(connection.execute(rows.order_by(group_members.c.at, group_members.c.op)).all())


def load_members(connection: Connection, account: str) -> list[str]:
    """Return the account numbers of who is in a group."""
    return [row.member for row in load_member_rows(connection, account) if row.left_at is None]


def load_consent_rows(connection: Connection, account: str) -> list[Any]:
    """Return all consents of a group as rows, the first one first."""
    rows = select(group_consents).where(group_consents.c.account == account)
    return list(connection.execute(rows.order_by(group_consents.c.at, group_consents.c.op)).all())


def find_consent_row(connection: Connection, op: bytes) -> Any:
    """Return a consent as a row, or None."""
    return connection.execute(select(group_consents).where(group_consents.c.op == op)).first()


def make_consent(row: Any, *, is_withdrawn: bool) -> Consent:
    return Consent(
        guide=bytes(row.guide),
        member=row.member,
        from_day=row.from_day,
        until_day=row.until_day,
        is_withdrawn=is_withdrawn,
    )


def load_consents(connection: Connection, account: str) -> list[Consent]:
    """Return the consents of a group as they stand."""
    return [
        make_consent(row, is_withdrawn=row.withdrawn_at is not None) for row in load_consent_rows(connection, account)
    ]


def find_act(connection: Connection, op: bytes) -> Any:
    """Return an act that was done, as a row, or None."""
    return connection.execute(select(guide_acts).where(guide_acts.c.op == op)).first()
