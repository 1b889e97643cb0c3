"""Where a book keeps which keys the bases of its house announced: as facts, one for each log. The leaves say the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, select

from protocol.book.tables import facts
from protocol.directory import Directory
from protocol.exchange.peer_keys import KeyLink, decode_links, encode_links, follow

_LINKS = "house_keys "
_ROTATION = "house_rotation "


def load_links(connection: Connection) -> dict[tuple[str, str], tuple[KeyLink, ...]]:
    """Return what was announced, by the log's owner and reader, in order."""
    rows = connection.execute(select(facts.c.name, facts.c.value).where(facts.c.name.startswith(_LINKS))).all()
    found: dict[tuple[str, str], tuple[KeyLink, ...]] = {}
    for name, value in rows:
        owner, reader = name.removeprefix(_LINKS).split(" ")
        found[owner, reader] = decode_links(value)
    return found


def save_links(connection: Connection, owner: str, reader: str, links: Sequence[KeyLink]) -> None:
    _save(connection, f"{_LINKS}{owner} {reader}", encode_links(links))


def find_rotation(connection: Connection, id_: bytes) -> int | None:
    """Return the number of the change of keys that was asked under this id."""
    value = connection.execute(select(facts.c.value).where(facts.c.name == _ROTATION + id_.hex())).scalar()
    return None if value is None else int(value)


def save_rotation(connection: Connection, id_: bytes, number: int) -> None:
    _save(connection, _ROTATION + id_.hex(), str(number))


def _save(connection: Connection, name: str, value: str) -> None:
    connection.execute(delete(facts).where(facts.c.name == name))
    connection.execute(facts.insert().values(name=name, value=value))


def know_keys(directory: Directory, links: Mapping[tuple[str, str], Sequence[KeyLink]], reader: str) -> Directory:
    """Return the bases as `reader` knows them: with the keys that they announced to it."""
    members = dict(directory.members)
    for (owner, told), announced in links.items():
        if told == reader and owner in members:
            members[owner] = follow(members[owner], announced)
    return replace(directory, members=members)


def load_known(connection: Connection, directory: Directory, reader: str) -> Directory:
    """Return the same, as a book has it."""
    return know_keys(directory, load_links(connection), reader)
