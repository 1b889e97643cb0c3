"""What the hub follows: lots as announced, positions, rights on the way, slips of cessions and their exceptions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from protocol.book.tables import NAMING, RowId
from protocol.cession import CessionState

metadata = MetaData(naming_convention=NAMING)

_STATES = ", ".join(f"'{state}'" for state in CessionState)

lots = Table(
    "lots",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    UniqueConstraint("issuer", "ref"),
)

# Rights delivered outside their issuer's territory. I3: never below zero.
positions = Table(
    "positions",
    metadata,
    Column("lot_id", RowId, ForeignKey("lots.id"), nullable=False),
    Column("holder", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    CheckConstraint("cents >= 0", name="cents"),
    PrimaryKeyConstraint("lot_id", "holder"),
    sqlite_with_rowid=False,
)

# All rights on an issuer's lots that left it, in transit included: what its limit caps.
abroad = Table(
    "abroad",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("cents", BigInteger, nullable=False),
    CheckConstraint("cents >= 0", name="cents"),
)

# What a member ceded on one UTC day, for its daily limit.
ceded = Table(
    "ceded",
    metadata,
    Column("member", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    CheckConstraint("cents >= 0", name="cents"),
    PrimaryKeyConstraint("member", "day"),
)

# One row for each slip of cessions; `state` is that of all its cessions but the exceptions.
slips = Table(
    "slips",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("taker", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("term", BigInteger, nullable=False),  # the first instant at which one of its cessions expires; 0: none
    Column("taken_at", BigInteger, nullable=False),
    Column("handed_at", BigInteger),
    Column("ended_at", BigInteger),
    CheckConstraint(f"state IN ({_STATES})", name="state"),
    UniqueConstraint("origin", "epoch", "ix"),
    Index("ix_slips_taker_state", "taker", "state"),
    Index("ix_slips_state_term", "state", "term"),
    Index("ix_slips_ended_at", "ended_at"),
)

exceptions = Table(
    "exceptions",
    metadata,
    Column("slip_id", RowId, ForeignKey("slips.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(f"state IN ({_STATES})", name="state"),
    PrimaryKeyConstraint("slip_id", "place"),
)

# Rights on the way, named by slip and lot: they left the giver and reached nobody yet.
transit = Table(
    "transit",
    metadata,
    Column("slip_id", RowId, ForeignKey("slips.id"), nullable=False),
    Column("lot_id", RowId, ForeignKey("lots.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    CheckConstraint("cents >= 0", name="cents"),
    PrimaryKeyConstraint("slip_id", "lot_id"),
    sqlite_with_rowid=False,
)
