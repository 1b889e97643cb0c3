"""Netting with other funds: what each says of it, closed windows, what is paid and received at their end."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    text,
)

from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId

# What we said to another fund of netting: two officers sign it. The last that has its signatures counts.
netting_words = make_table(
    "netting_words",
    Column("number", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("territory", Text, nullable=False),
    Column("is_netted", Boolean, nullable=False),
    Column("since", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("said_at", BigInteger),  # with the second signature
)

netting_signatures = make_table(
    "netting_signatures",
    Column("words", LargeBinary, ForeignKey("netting_words.id"), nullable=False),
    Column("officer", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("words", "officer"),
)

# What other funds said to us of netting, one after the other.
netting_heard = make_table(
    "netting_heard",
    Column("number", RowId, primary_key=True),
    Column("territory", Text, nullable=False),
    Column("is_netted", Boolean, nullable=False),
    Column("since", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
)

windows = make_table(
    "windows",
    Column("window_no", Integer, primary_key=True, autoincrement=False),
    Column("told", LargeBinary, nullable=False),  # the message, as the accounts told it
    Column("at", BigInteger, nullable=False),
)

# Dues that a window held before our projects' order of them came: each is in one, found without reading windows.
awaited_dues = make_table(
    "awaited_dues",
    Column("id", LargeBinary, primary_key=True),
    Column("window_no", Integer, ForeignKey("windows.window_no"), nullable=False),
    Index("ix_awaited_dues_window_no", "window_no"),
)

# What we pay another fund at the end of a window, or it pays us. `said` is its last word (protocol.messages.SettledState; 0: none).
net_payments = make_table(
    "net_payments",
    Column("window_no", Integer, ForeignKey("windows.window_no"), nullable=False),
    Column("other", Text, nullable=False),
    Column("is_ours", Boolean, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("said", Integer, nullable=False),
    Column("said_on", Integer, nullable=False),
    PrimaryKeyConstraint("window_no", "other"),
    CheckConstraint("cents > 0 AND received >= 0 AND received <= cents", name="cents"),
    CheckConstraint("received = 0 OR NOT is_ours", name="received"),
    Index(  # what is still to come to us: few, however many windows there were
        "ix_net_payments_open",
        "window_no",
        sqlite_where=text("is_ours IS 0 AND received < cents"),
        postgresql_where=text("is_ours IS false AND received < cents"),
    ),
)

# What came of it.
net_receipts = make_table(
    "net_receipts",
    Column("movement", Text, ForeignKey("movements.id"), nullable=False),
    Column("window_no", Integer, nullable=False),
    Column("other", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("movement", "window_no", "other"),
    ForeignKeyConstraint(["window_no", "other"], ["net_payments.window_no", "net_payments.other"]),
    CheckConstraint("cents > 0", name="cents"),
)
