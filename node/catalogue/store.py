"""SQL of the catalogue's room. Decides nothing."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from node.catalogue.tables import (
    catalogue_line,
    catalogues,
    listed_projects,
    own_words,
    refused_publications,
    territory_cards,
    told_cards,
)
from node.catalogue.words import Line, OwnWord
from protocol.catalogue import Catalogue, ListedProject, fold_text
from protocol.errors import Refusal


class KeptCard(NamedTuple):
    """A card as it was taken."""

    territory: str
    number: int
    signed: bytes
    at: int


class KeptCatalogue(NamedTuple):
    """A catalogue as it was taken."""

    territory: str
    number: int
    day: int
    key: bytes
    signed: bytes
    at: int


def find_card(connection: Connection, territory: str) -> KeptCard | None:
    """Return the newest card of a territory, or None."""
    table = territory_cards
    row = connection.execute(
        select(table).where(table.c.territory == territory).order_by(table.c.number.desc()).limit(1)
    ).first()
    return None if row is None else _card(row)


def load_cards(connection: Connection) -> list[KeptCard]:
    """Return every card that was taken, by territory, the newest last."""
    table = territory_cards
    return [_card(row) for row in connection.execute(select(table).order_by(table.c.territory, table.c.number))]


def load_newest_cards(connection: Connection) -> list[KeptCard]:
    """Return the newest card of each territory."""
    table = territory_cards
    newest = select(table.c.territory, func.max(table.c.number).label("number")).group_by(table.c.territory).subquery()
    rows = connection.execute(
        select(table)
        .join(newest, (newest.c.territory == table.c.territory) & (newest.c.number == table.c.number))
        .order_by(table.c.territory)
    )
    return [_card(row) for row in rows]


def _card(row: Any) -> KeptCard:
    return KeptCard(row.territory, row.number, bytes(row.signed), row.at)


def insert_card(connection: Connection, territory: str, number: int, signed: bytes, now: int) -> None:
    connection.execute(insert(territory_cards).values(territory=territory, number=number, signed=signed, at=now))


def find_catalogue(connection: Connection, territory: str) -> KeptCatalogue | None:
    """Return the catalogue of a territory, or None."""
    row = connection.execute(select(catalogues).where(catalogues.c.territory == territory)).first()
    return None if row is None else _catalogue(row)


def load_catalogues(connection: Connection) -> list[KeptCatalogue]:
    """Return all catalogues, by territory."""
    return [_catalogue(row) for row in connection.execute(select(catalogues).order_by(catalogues.c.territory))]


def _catalogue(row: Any) -> KeptCatalogue:
    return KeptCatalogue(row.territory, row.number, row.day, bytes(row.key), bytes(row.signed), row.at)


def save_catalogue(connection: Connection, told: Catalogue, key: bytes, signed: bytes, now: int) -> None:
    """Replace a territory's catalogue and what is searched of it."""
    connection.execute(delete(catalogues).where(catalogues.c.territory == told.territory))
    connection.execute(delete(listed_projects).where(listed_projects.c.territory == told.territory))
    connection.execute(
        insert(catalogues).values(
            territory=told.territory, number=told.number, day=told.day, key=key, signed=signed, at=now
        )
    )
    if told.projects:
        connection.execute(insert(listed_projects), [row_of(told.territory, one) for one in told.projects])


def row_of(territory: str, one: ListedProject) -> dict[str, Any]:
    """Return the row under which a project is searched."""
    return {
        "territory": territory,
        "number": one.number,
        "title": one.title,
        "searched": fold_text(f"{one.title} {one.place} {one.theme}"),
        "place": one.place,
        "commune": one.commune,
        "theme": one.theme,
        "target": one.target,
        "minimum": one.minimum,
        "support": one.support,
        "need_by": one.need_by,
        "urgency": one.urgency,
        "latitude": one.latitude,
        "longitude": one.longitude,
    }


def load_listed(connection: Connection, *, territory: str = "", need_by: int = 0) -> list[Any]:
    """Return rows of listed projects, those that are needed first in front."""
    table = listed_projects
    query = select(table).where(table.c.need_by >= need_by)
    if territory:
        query = query.where(table.c.territory == territory)
    return list(connection.execute(query.order_by(table.c.need_by, table.c.territory, table.c.number)).all())


def save_refused(connection: Connection, territory: str, refusal: Refusal, now: int) -> None:
    """Keep why the newest publication of a territory was refused."""
    values = {"code": refusal.code, "facts": json.dumps(refusal.facts, ensure_ascii=False), "at": now}
    _upsert(connection, refused_publications, {"territory": territory}, values)


def forget_refused(connection: Connection, territory: str) -> None:
    """What came later was taken: what was refused before needs nobody's attention."""
    connection.execute(delete(refused_publications).where(refused_publications.c.territory == territory))


def load_refused(connection: Connection) -> list[Any]:
    return list(connection.execute(select(refused_publications).order_by(refused_publications.c.territory)).all())


def find_word(connection: Connection, what: OwnWord) -> tuple[int, bytes] | None:
    """Return number and bytes of what a base of ours signed last, or None."""
    row = connection.execute(select(own_words).where(own_words.c.what == what)).first()
    return None if row is None else (row.number, bytes(row.signed))


def save_word(connection: Connection, what: OwnWord, number: int, signed: bytes, now: int) -> None:
    _upsert(connection, own_words, {"what": what}, {"number": number, "signed": signed, "at": now})


def find_told(connection: Connection, reader: str, territory: str) -> bytes | None:
    """Return the digest of what a base was told last of a territory, or None."""
    table = told_cards
    row = connection.execute(
        select(table.c.digest).where(table.c.reader == reader, table.c.territory == territory)
    ).first()
    return None if row is None else bytes(row.digest)


def save_told(connection: Connection, reader: str, territory: str, digest: bytes, now: int) -> None:
    _upsert(connection, told_cards, {"reader": reader, "territory": territory}, {"digest": digest, "at": now})


def load_line(connection: Connection) -> dict[str, int]:
    """Return what is kept of the line to the hub; what is missing was never."""
    return {row.name: row.value for row in connection.execute(select(catalogue_line))}


def save_line(connection: Connection, name: Line, value: int) -> None:
    _upsert(connection, catalogue_line, {"name": name}, {"value": value})


def _upsert(connection: Connection, table: Table, keys: dict[str, Any], values: dict[str, Any]) -> None:
    where = [table.c[name] == value for name, value in keys.items()]
    if connection.execute(update(table).where(*where).values(**values)).rowcount == 0:
        connection.execute(insert(table).values(**keys, **values))
