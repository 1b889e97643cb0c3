"""What the accounts base keeps of the federation: slips sent and received, cessions, the directory, checkpoints."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from protocol.book.tables import NAMING, RowId, one_of
from protocol.cession import CessionState

metadata = MetaData(naming_convention=NAMING)


# Our slips of cessions. `state` is that of every cession of the slip without an exception of its own.
sent_slips = Table(
    "sent_slips",
    metadata,
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("taker", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("national", BigInteger),
    Column("handed_at", BigInteger),
    Column("ended_at", BigInteger),
    CheckConstraint(one_of("state", CessionState), name="state"),
    PrimaryKeyConstraint("epoch", "ix"),
    Index("ix_sent_slips_taker", "taker"),
)

cessions = Table(
    "cessions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("op", LargeBinary, nullable=False, unique=True),
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("beneficiary", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("exception", Text),
    Column("code", Text, nullable=False, default=""),
    Column("exception_at", BigInteger),
    Column("recall", Text, nullable=False, default=""),  # '', 'asked', 'too_late'
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(one_of("exception", CessionState), name="exception"),
    CheckConstraint(one_of("recall", ("", "asked", "too_late")), name="recall"),
    UniqueConstraint("epoch", "ix", "place"),
)

# Slips of other members that were handed to us.
received_slips = Table(
    "received_slips",
    metadata,
    Column("origin", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("hub_ix", BigInteger, nullable=False),
    Column("answer_ix", BigInteger),  # where our Answer stands in our log for the hub
    Column("leaf", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("origin", "epoch", "ix"),
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("op", LargeBinary, nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("giver", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(one_of("state", ("delivered", "returned")), name="state"),
    UniqueConstraint("origin", "epoch", "ix", "place"),
)

# Conversions that other territories ask of our fund: one for each place of a slip that was handed over. `id` is the
# due's, by which the fund knows it; `said` our fund's last word (protocol.messages.SettledState; 0: none).
conversions = Table(
    "conversions",
    metadata,
    Column("origin", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("id", LargeBinary, nullable=False),
    Column("op", LargeBinary, nullable=False, unique=True),  # of the posting, once it is owed
    Column("project", LargeBinary, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("said", Integer, nullable=False),
    Column("said_on", Integer, nullable=False),  # yyyymmdd; 0: nothing said
    Column("confirmed_on", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(one_of("state", ("asked", "owed", "refused")), name="state"),
    CheckConstraint("(code <> '') = (state = 'refused')", name="code"),
    CheckConstraint("said BETWEEN 0 AND 3", name="said"),
    PrimaryKeyConstraint("origin", "epoch", "ix", "place"),
    Index("ix_conversions_id", "id"),
)

entries = Table(
    "directory",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
)

# The newest national checkpoint that was proved to continue all those seen before. One row.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("statement_signature", LargeBinary, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

# The hub's statements compared with our book at the very point they speak of.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("hub_ix", BigInteger, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("is_equal", Boolean, nullable=False),
    Column("breaks", Text, nullable=False),  # JSON rows
)

# What the hub told that does not fit our book: named, kept, never papered over.
breaks = Table(
    "breaks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("place", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("found", Text, nullable=False),
    UniqueConstraint("place", "expected", "found"),
)

# Rights that left by slips of ours, and that an old copy of this book cannot place: named until a person settles them.
unplaced = Table(
    "unplaced",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("op", LargeBinary, nullable=False, unique=True),
    Column("account", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("settled_by", LargeBinary),
    Column("settled_at", BigInteger),
    CheckConstraint("cents > 0", name="cents"),
)
