"""SQL of keys: the book's own, and a data key for each person, wrapped under base keys."""

from __future__ import annotations

from sqlalchemy import URL, Connection, select

from node.people import tables
from node.people.errors import PersonErased, PersonUnknown
from node.people.vault import BaseKeys, require_open, unwrap, wrap
from protocol.book.store import open_engine
from protocol.errors import Refusal
from protocol.identifiers import format_id
from protocol.times import Instant

_keys = tables.data_keys
_book = tables.book_keys


class KeyMissing(Refusal):
    """The base keys of the folder open nothing in this book. Facts: none."""

    code = "people_key_missing"


def find_book_key(connection: Connection, base_keys: BaseKeys) -> bytes | None:
    """Return the book's own key, or None where the book has none yet. Raises KeyMissing."""
    row = connection.execute(select(_book.c.base_key, _book.c.wrapped)).first()
    if row is None:
        return None
    key = unwrap(base_keys, bytes(row[0]), bytes(row[1]), b"")
    if key is None:
        raise KeyMissing()
    return key


def save_book_key(connection: Connection, base_keys: BaseKeys, key: bytes, nonce: bytes) -> None:
    wrapped = wrap(base_keys.current, key, b"", nonce)
    connection.execute(_book.delete())
    connection.execute(_book.insert().values(id=1, base_key=base_keys.current.id, wrapped=wrapped))


def insert_data_key(connection: Connection, base_keys: BaseKeys, person: bytes, key: bytes, nonce: bytes) -> None:
    wrapped = wrap(base_keys.current, key, person, nonce)
    connection.execute(_keys.insert().values(person=person, base_key=base_keys.current.id, wrapped=wrapped))


def load_data_key(connection: Connection, base_keys: BaseKeys, person: bytes) -> bytes:
    """Return a person's data key. Raises PersonUnknown, PersonErased, RecordUnreadable."""
    row = connection.execute(select(_keys.c.base_key, _keys.c.wrapped).where(_keys.c.person == person)).first()
    if row is None:
        raise PersonUnknown(person=format_id(person))
    if row[1] is None:
        raise PersonErased(person=format_id(person))
    return require_open(unwrap(base_keys, bytes(row[0]), bytes(row[1]), person), person)


def destroy_data_key(connection: Connection, person: bytes, now: Instant) -> None:
    """Destroy it. On SQLite the freed bytes are overwritten with zeros, here and for the rest of this connection."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    connection.execute(
        _keys.update().where(_keys.c.person == person).values(base_key=None, wrapped=None, destroyed_at=now)
    )


def scrub(url: URL) -> None:
    """Empty SQLite's journal of changes, in which a destroyed key could still stand. Not while others read it.

    PostgreSQL forgets at its own pace: VACUUM, and archived WAL. There the base key is rotated, and the older forgotten.
    """
    if url.get_backend_name() != "sqlite":
        return
    engine = open_engine(url)
    try:
        raw = engine.raw_connection()  # outside any transaction
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw.close()
    finally:
        engine.dispose()


def list_wrapped_otherwise(connection: Connection, base_key: bytes, count: int) -> list[tuple[bytes, bytes, bytes]]:
    """Return (person, base key, wrapped) of data keys that another base key wraps, so many at most."""
    rows = connection.execute(
        select(_keys.c.person, _keys.c.base_key, _keys.c.wrapped)
        .where(_keys.c.wrapped.is_not(None), _keys.c.base_key != base_key)
        .order_by(_keys.c.person)
        .limit(count)
    )
    return [(bytes(row[0]), bytes(row[1]), bytes(row[2])) for row in rows]


def save_wrapped(connection: Connection, person: bytes, base_key: bytes, wrapped: bytes) -> None:
    connection.execute(_keys.update().where(_keys.c.person == person).values(base_key=base_key, wrapped=wrapped))
