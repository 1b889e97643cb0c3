"""SQL of the people's base: loads rows, decides nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, and_, func, select

from node.people import tables
from node.people.consents import ConsentEvent, ConsentPurpose, ConsentText
from node.people.delegations import Delegation, read_powers
from node.people.errors import PersonErased, PersonUnknown
from node.people.records import PersonState
from node.people.roles import Duty, OfficerWord, Role
from node.people.rules import DEFAULTS, RuleName
from protocol.identifiers import Id16, format_id
from protocol.times import Instant


def find_row(connection: Connection, table: Table, **where: Any) -> Row[Any] | None:
    """Return the one row whose columns are so, or None."""
    return connection.execute(select(table).where(*(table.c[name] == value for name, value in where.items()))).first()


def list_rows(connection: Connection, table: Table, **where: Any) -> list[Row[Any]]:
    """Return the rows whose columns are so, in the order of their keys."""
    wanted = select(table).where(*(table.c[name] == value for name, value in where.items()))
    return list(connection.execute(wanted.order_by(*table.primary_key)))


def count_rows(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def load_person(connection: Connection, person: bytes, *, is_erased_allowed: bool = False) -> Row[Any]:
    """Raises PersonUnknown, PersonErased."""
    row = find_row(connection, tables.persons, id=person)
    if row is None:
        raise PersonUnknown(person=format_id(person))
    if row.state == PersonState.ERASED and not is_erased_allowed:
        raise PersonErased(person=format_id(person))
    return row


def list_roles(connection: Connection, person: bytes | None = None) -> list[Role]:
    """Return roles, of one person or all."""
    where = {} if person is None else {"person": person}
    return [read_role(row) for row in list_rows(connection, tables.roles, **where)]


def read_role(row: Row[Any]) -> Role:
    return Role(
        id=Id16(bytes(row.id)),
        person=Id16(bytes(row.person)),
        base=row.base,
        duty=Duty(row.duty),
        from_day=row.from_day,
        until_day=row.until_day,
        ended_on=row.ended_on,
    )


def load_words(connection: Connection) -> dict[Id16, OfficerWord]:
    """Return by role the word and key by which its base knows the officer; a role without is not there."""
    return {Id16(bytes(row.role)): read_word(row) for row in list_rows(connection, tables.role_words)}


def read_word(row: Row[Any]) -> OfficerWord:
    return OfficerWord(word=row.word, key=bytes(row.key or b""))


def read_delegation(row: Row[Any]) -> Delegation:
    return Delegation(
        id=Id16(bytes(row.id)),
        person=Id16(bytes(row.person)),
        delegate=Id16(bytes(row.delegate)),
        powers=read_powers(row.powers),
        from_day=row.from_day,
        until_day=row.until_day,
        revoked_on=row.revoked_on,
    )


def list_delegations(connection: Connection, *, person: bytes, delegate: bytes | None = None) -> list[Delegation]:
    """Return what somebody delegated, to one other or to all."""
    where = {"person": person} if delegate is None else {"person": person, "delegate": delegate}
    return [read_delegation(row) for row in list_rows(connection, tables.delegations, **where)]


def list_consents(connection: Connection, person: bytes) -> list[ConsentEvent]:
    """Return what somebody said, in order."""
    return [
        ConsentEvent(
            id=Id16(bytes(row.id)),
            purpose=ConsentPurpose(row.purpose),
            version=row.version,
            is_given=bool(row.is_given),
            at=Instant(row.at),
        )
        for row in list_rows(connection, tables.consents, person=person)
    ]


def list_texts(connection: Connection) -> list[ConsentText]:
    """Return all versions of all texts."""
    return [
        ConsentText(purpose=ConsentPurpose(row.purpose), version=row.version, french=row.french, english=row.english)
        for row in list_rows(connection, tables.consent_texts)
    ]


def load_newest_versions(connection: Connection) -> dict[ConsentPurpose, int]:
    table = tables.consent_texts
    rows = connection.execute(select(table.c.purpose, func.max(table.c.version)).group_by(table.c.purpose))
    return {ConsentPurpose(row[0]): int(row[1]) for row in rows}


def load_rule(connection: Connection, name: RuleName) -> str:
    """Return the value that is in force."""
    table = tables.rules
    value = connection.execute(
        select(table.c.value).where(table.c.name == name).order_by(table.c.number.desc()).limit(1)
    ).scalar()
    return DEFAULTS[name] if value is None else str(value)


def next_number(connection: Connection, table: Table, column: str, **where: Any) -> int:
    """Return one more than the greatest number of a column."""
    wanted = and_(*(table.c[name] == value for name, value in where.items())) if where else None
    query = select(func.coalesce(func.max(table.c[column]), 0))
    return int(connection.execute(query if wanted is None else query.where(wanted)).scalar_one()) + 1
