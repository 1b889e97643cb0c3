"""Double entry: entries as they were validated."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Text, UniqueConstraint

from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId

entries = make_table(
    "entries",
    Column("no", RowId, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("year", Integer, nullable=False),  # the closing day of the fiscal year
    Column("number", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("validated_on", Integer, nullable=False),
    Column("event", Text, nullable=False),  # what happened, and to what
    Column("body", LargeBinary, nullable=False),  # the entry as it was validated
    UniqueConstraint("journal", "year", "number"),
    CheckConstraint("number > 0", name="number"),
    Index("ix_entries_event", "event"),
)
