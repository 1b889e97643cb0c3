"""What people decided under an id of theirs, and what they said after a recovery."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Integer, LargeBinary, Text

from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId

# What people decided under an id of theirs, and what they were answered.
decisions = make_table(
    "decisions",
    Column("id", LargeBinary, primary_key=True),
    Column("asked", LargeBinary, nullable=False),  # digest of what it was
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Each time when the base was put back from an old copy, and what a person said then of what had left before.
recoveries = make_table(
    "recoveries",
    Column("no", RowId, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
)

stated_numbers = make_table(
    "stated_numbers",
    Column("recovery", RowId, ForeignKey("recoveries.no"), primary_key=True, autoincrement=False),
    Column("stated_by", Text, nullable=False),
    Column("last_receipt", Text, nullable=False),  # '' where none was ever issued, as with an order
    Column("last_order", Text, nullable=False),
    Column("left_after", Integer, nullable=False),  # months after this one and up to the next column's
    Column("left_until", Integer, nullable=False),  # were collected by a message that this base did not hold
    Column("at", BigInteger, nullable=False),
    CheckConstraint("stated_by <> ''", name="stated_by"),
    CheckConstraint("left_until >= left_after", name="left"),
)
