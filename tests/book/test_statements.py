"""Statements given to the driver itself: they answer as Core does, and fail as Core does, on both bases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_rows, select_rows
from protocol.book.store import is_serialization_failure, open_engine, storage_reason
from protocol.book.tables import facts, heads, leaves, metadata

_LEAF = ("log_id", "ix", "leaf", "at")


@pytest.fixture
def connection(book_url: str) -> Iterator[Connection]:
    engine = open_engine(book_url)
    metadata.create_all(engine)
    with engine.connect() as opened, opened.begin():
        yield opened
    engine.dispose()


def test_a_prepared_statement_answers_as_core_does(connection: Connection) -> None:
    insert_rows(connection, leaves, _LEAF, [(1, index, bytes([index]), 7) for index in range(9)])
    query = select(leaves.c.ix, leaves.c.leaf).where(leaves.c.ix >= bindparam("start")).order_by(leaves.c.ix).limit(3)
    prepared = Prepared(query)
    for start in (0, 4, 8, 9):
        expected = [tuple(row) for row in connection.execute(query, {"start": start})]
        assert prepared.rows(connection, start=start) == expected
        assert prepared.row(connection, start=start) == (expected[0] if expected else None)
        assert prepared.value(connection, start=start) == (expected[0][0] if expected else None)
    Prepared(delete(leaves).where(leaves.c.ix == bindparam("index"))).rows(connection, index=4)
    assert prepared.rows(connection, start=4)[0][0] == 5


def test_a_prepared_insert_gives_back_the_row_id(connection: Connection) -> None:
    columns = ("signer", "reader", "log_size", "ack_size", "statement", "signature", "at")
    prepared = Prepared(insert(heads).returning(heads.c.id), columns=columns)
    values = {"reader": "HUB-FR", "log_size": 1, "ack_size": 2, "statement": b"s", "signature": b"g", "at": 3}
    first = prepared.value(connection, signer="242900314", **values)
    second = prepared.value(connection, signer="200046977", **values)
    signers = {row.id: row.signer for row in connection.execute(select(heads.c.id, heads.c.signer))}
    assert signers == {first: "242900314", second: "200046977"}


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 450])
def test_very_many_rows_are_all_inserted_once(connection: Connection, count: int) -> None:
    rows = [(1, index, b"%d" % index, index) for index in range(count)]
    insert_rows(connection, leaves, _LEAF, rows)
    assert [tuple(row) for row in connection.execute(select(leaves).order_by(leaves.c.ix))] == rows
    wanted = [0, 3, 198, 199, 200, 449, 9_999]
    for few in (wanted[:1], wanted, [*wanted, *range(count)]):
        found = select_rows(connection, leaves, ("ix",), column="ix", values=set(few))
        assert sorted(found) == [(index,) for index in sorted(set(few)) if index < count]


def test_a_rule_that_is_broken_is_said_in_sqlalchemys_words(connection: Connection) -> None:
    insert_rows(connection, facts, ("name", "value"), [("who", "we")])
    with pytest.raises(IntegrityError) as refusal:
        insert_rows(connection, facts, ("name", "value"), [("who", "they")])
    assert isinstance(refusal.value, DBAPIError)
    assert storage_reason(refusal.value) is None
    assert not is_serialization_failure(refusal.value)
    connection.get_transaction().rollback()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "value",
    ["", "plain", 'a "quote"', "back\\slash", "NULL", "{braces, and commas}", " spaces ", "é\u2028\U0001f600", "\x01"],
)
def test_any_text_and_any_bytes_are_stored_as_they_are(connection: Connection, value: str) -> None:
    rows = [(value, value), (value + "2", "")]
    insert_rows(connection, facts, ("name", "value"), rows)
    assert sorted(
        select_rows(connection, facts, ("name", "value"), column="name", values=[value, value + "2"])
    ) == sorted(rows)
    leaf = value.encode() + bytes(range(256))
    insert_rows(connection, leaves, _LEAF, [(2**62, 0, leaf, -1), (1, 1, b"", 2**62)])
    found = select_rows(connection, leaves, _LEAF, column="leaf", values=[leaf, b""])
    assert sorted(tuple(bytes(one) if isinstance(one, memoryview) else one for one in row) for row in found) == [
        (1, 1, b"", 2**62),
        (2**62, 0, leaf, -1),
    ]
