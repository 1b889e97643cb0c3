"""Keys of programs. The secret itself is shown once and never stored."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, MetaData, Table, Text

from protocol.book.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # words with a blank between them
    Column("account", Text, nullable=False),  # '' or the one account the key may move rights from
    Column("made_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("used_day", BigInteger),  # the last day (since 1970, UTC) on which it was used: a key nobody uses can go
    CheckConstraint("length(secret_hash) = 32", name="hash_length"),
)
