"""Tables that every book has, whatever its base: logs, leaves, tree nodes, attachments, heads, evidence."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
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

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)


def one_of(column: str, members: Iterable[str]) -> str:
    """Return the rule as comparisons: SQLite builds a table anew for every row where the rule is written with IN."""
    return " OR ".join(f"{column} = '{member}'" for member in sorted(members))


# A surrogate key that SQLite can alias to its rowid and PostgreSQL can hold in 64 bits.
RowId = BigInteger().with_variant(Integer(), "sqlite")

logs = Table(
    "logs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("owner", Text, nullable=False),  # whose words these are
    Column("reader", Text, nullable=False),  # to whom; '*' is everybody
    Column("epoch", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("peaks", LargeBinary, nullable=False),  # the frontier: 32-byte peaks, largest subtree first
    Column("acked", BigInteger, nullable=False),  # how much of it the other side said it holds durably
    CheckConstraint("size >= 0", name="size"),
    CheckConstraint("acked >= 0 AND acked <= size", name="acked"),
    UniqueConstraint("owner", "reader", "epoch"),
)

leaves = Table(
    "leaves",
    metadata,
    Column("log_id", RowId, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("log_id", "ix"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("log_id", RowId, nullable=False),
    Column("level", Integer, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("log_id", "level", "ix"),
    sqlite_with_rowid=False,
)

# Bytes that travel beside a leaf which only commits to them: deleted once delivered, so that a person can be forgotten.
attachments = Table(
    "attachments",
    metadata,
    Column("log_id", RowId, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("log_id", "ix"),
)

# What an author keeps of its own slips, sealed for itself: beside the slip with whoever may have to give it back.
counterfoils = Table(
    "counterfoils",
    metadata,
    Column("log_id", RowId, nullable=False),
    Column("ix", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("log_id", "ix"),
)

# Statements signed by the other side: what it claims of its own log and what it acknowledges of ours.
heads = Table(
    "heads",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("signer", Text, nullable=False),
    Column("reader", Text, nullable=False),
    Column("log_size", BigInteger, nullable=False),
    Column("ack_size", BigInteger, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_heads_signer_log_size", "signer", "log_size"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("accused", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, unique=True),
)

# Facts of which there is one: the network, who we are, where a periodic job stands.
facts = Table(
    "facts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
