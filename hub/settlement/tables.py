"""Obligations: one row for each conversion that was cleared."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from hub.clearing.tables import metadata
from protocol.book.tables import RowId

# It is owed once its cession was delivered: that stands in `slips` and `exceptions`. `said` is the issuer's last word
# (protocol.messages.SettledState), `confirmed_on` the giver's. Days are yyyymmdd; 0: nothing said.
obligations = Table(
    "obligations",
    metadata,
    Column("slip_id", RowId, ForeignKey("slips.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("debtor", Text, nullable=False),
    Column("creditor", Text, nullable=False),
    Column("project", LargeBinary, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("said", Integer, nullable=False),
    Column("said_on", Integer, nullable=False),
    Column("confirmed_on", Integer, nullable=False),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("said BETWEEN 0 AND 3", name="said"),
    CheckConstraint("(said = 0) = (said_on = 0)", name="said_on"),
    PrimaryKeyConstraint("slip_id", "place"),
    Index("ix_obligations_said", "said", "debtor"),
    sqlite_with_rowid=False,
)
