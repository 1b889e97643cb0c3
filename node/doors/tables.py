"""The table of a base's keys, made into that base's own tables. The secret itself is shown once and never stored."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, MetaData, Table, Text

NAME: str = "door_keys"


def make_keys_table(metadata: MetaData, *more: Column[bytes]) -> Table:
    """Return the table; `more` are columns that the base gives each of its tables."""
    return Table(
        NAME,
        metadata,
        Column("id", Text, primary_key=True),
        Column("asked", LargeBinary, nullable=False, unique=True),  # the id of who asked for it
        Column("secret_hash", LargeBinary, nullable=False),
        Column("name", Text, nullable=False),
        Column("duties", Text, nullable=False),  # words with a blank between them
        Column("company", Text, nullable=False),  # '' or the one company that it may touch
        Column("at", BigInteger, nullable=False),
        Column("revoked_at", BigInteger),
        *more,
        CheckConstraint("length(secret_hash) = 32", name="secret_hash"),
        CheckConstraint("length(asked) = 16", name="asked"),
    )
