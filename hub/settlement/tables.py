"""Obligations: one row for each conversion that was cleared; and the windows in which funds net them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from hub.clearing.tables import metadata
from protocol.book.tables import RowId

# It is owed once its cession was delivered: that stands in `slips` and `exceptions`. `said` is the issuer's last word
# (protocol.messages.SettledState), `confirmed_on` the giver's. Days are yyyymmdd; 0: nothing said. `window_no` is the one in
# which it was netted; 0: none.
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
    Column("window_no", Integer, nullable=False),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("said BETWEEN 0 AND 3", name="said"),
    CheckConstraint("(said = 0) = (said_on = 0)", name="said_on"),
    CheckConstraint("window_no = 0 OR said = 3", name="window"),
    PrimaryKeyConstraint("slip_id", "place"),
    Index("ix_obligations_said", "said", "window_no"),
    sqlite_with_rowid=False,
)

# One fund's last word to another: whether what they owe each other is netted. It holds where both say so.
nettings = Table(
    "nettings",
    metadata,
    Column("member", Text, nullable=False),
    Column("other", Text, nullable=False),
    Column("is_netted", Boolean, nullable=False),
    Column("since", Integer, nullable=False),
    PrimaryKeyConstraint("member", "other"),
    sqlite_with_rowid=False,
)

# `opened_at` is milliseconds; `closed_on` is the day (yyyymmdd) that everybody in it was told, 0 while it is open.
windows = Table(
    "windows",
    metadata,
    Column("window_no", Integer, primary_key=True, autoincrement=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_on", Integer, nullable=False),
    Index(
        "uq_windows_open",
        "closed_on",
        unique=True,
        sqlite_where=text("closed_on = 0"),
        postgresql_where=text("closed_on = 0"),
    ),
)

# What one fund pays another at the end of a window. `said` is the payer's last word, `confirmed_on` the payee's.
net_payments = Table(
    "net_payments",
    metadata,
    Column("window_no", Integer, ForeignKey("windows.window_no"), nullable=False),
    Column("payer", Text, nullable=False),
    Column("payee", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("said", Integer, nullable=False),
    Column("said_on", Integer, nullable=False),
    Column("confirmed_on", Integer, nullable=False),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("said BETWEEN 0 AND 2", name="said"),
    CheckConstraint("payer <> payee", name="payer"),
    PrimaryKeyConstraint("window_no", "payer", "payee"),
    sqlite_with_rowid=False,
)
