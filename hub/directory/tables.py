"""Invitations, and the directory's entries in order."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, MetaData, Table, Text

from protocol.book.tables import NAMING, RowId

metadata = MetaData(naming_convention=NAMING)

# A token is kept as its hash: who reads this base cannot enrol in somebody's place.
invitations = Table(
    "invitations",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("member", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("invited_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint("kind IN ('territory', 'south')", name="kind"),
)

entries = Table(
    "entries",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("national", BigInteger, nullable=False, unique=True),
)
