"""Tax receipts, numbered without a gap."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from node.fund.issued_receipts import ReceiptState
from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId, one_of

receipt_counters = make_table(
    "receipt_counters",
    Column("issuer", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("issuer", "year"),
)

receipts = make_table(
    "receipts",
    Column("number", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # frozen: what was printed is printed again
    Column("digest", LargeBinary, nullable=False),
    Column("issued_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("cancelled_on", Integer),
    Column("reason", Text, nullable=False),
    Column("replaced_by", Text, nullable=False),
    Column("duplicates", Text, nullable=False),  # JSON: the days on which one was asked
    CheckConstraint(one_of("state", ReceiptState), name="state"),
    CheckConstraint("seq > 0", name="seq"),
    UniqueConstraint("year", "seq"),
)

# Numbers that were printed and are not here: they verify nowhere, and are never given again.
void_receipts = make_table(
    "void_receipts",
    Column("number", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recovery", RowId, ForeignKey("recoveries.no"), nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("seq > 0", name="seq"),
    UniqueConstraint("year", "seq"),
)
