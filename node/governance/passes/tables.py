"""Passes, and the keys that signed them, in the projects' base.

`words` are what was claimed and never change. `secret` makes the holder's code and the place in the status lists: lost with
the row, nobody can show any more whose pass it is. Credential, token and pictures are kept as they were issued.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from node.governance.passes.passes import PassState
from node.governance.tables import metadata, seal_column
from protocol.book.tables import one_of

# Public halves, so that what an older key signed can be verified; a stolen one is retired and verifies nothing here.
pass_keys = Table(
    "pass_keys",
    metadata,
    Column("public", LargeBinary, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
    seal_column(),
)

passes = Table(
    "passes",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("project", LargeBinary, ForeignKey("projects.id"), nullable=False, index=True),
    Column("account", Text, nullable=False, index=True),
    Column("words", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("replaces", LargeBinary, ForeignKey("passes.id")),
    Column("state", Text, nullable=False),
    Column("checked_on", Integer),
    Column("checked_decision", LargeBinary),
    Column("validated_on", Integer),
    Column("validated_decision", LargeBinary),
    Column("validated_by", Text),  # the committee's name on that day
    Column("reason", Text, nullable=False),
    Column("list", Integer),
    Column("place", Integer),
    Column("issued_at", BigInteger),
    Column("credential", LargeBinary),
    Column("token", Text),
    Column("key", LargeBinary, ForeignKey("pass_keys.public")),
    Column("png", LargeBinary, ForeignKey("files.digest")),
    Column("svg", LargeBinary, ForeignKey("files.digest")),
    Column("at", BigInteger, nullable=False),
    seal_column(),
    UniqueConstraint("list", "place"),
    CheckConstraint(one_of("state", PassState), name="state"),
    CheckConstraint(
        "(issued_at IS NULL) = (credential IS NULL) AND (issued_at IS NULL) = (place IS NULL)", name="issued"
    ),
)
