"""Guides as they were told, groups with their members and consents, and the acts that were done, in the accounts base.

No name: members are account numbers. Nothing is deleted; whoever left, withdrew or ended has an instant. Each row has a
seal (protocol/book/seals.py), set by `store` wherever it writes.
"""

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
    Table,
    Text,
    text,
)

from protocol.book.tables import NAMING

metadata = MetaData(naming_convention=NAMING)


def _seal() -> Column[bytes]:
    return Column("seal", LargeBinary, nullable=False)


guides = Table(
    "guides",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_code", Text, nullable=False),
    _seal(),
    CheckConstraint("length(id) = 16 AND length(key) = 32", name="lengths"),
    CheckConstraint("(ended_at IS NULL) = (ended_code = '')", name="ended"),
)

guided_groups = Table(
    "guided_groups",
    metadata,
    Column("account", Text, primary_key=True),
    Column("op", LargeBinary, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    _seal(),
)

group_members = Table(
    "group_members",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("account", Text, ForeignKey("guided_groups.account"), nullable=False),
    Column("member", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    _seal(),
    Index(
        "uq_group_members_living",
        "account",
        "member",
        unique=True,
        sqlite_where=text("left_at IS NULL"),
        postgresql_where=text("left_at IS NULL"),
    ),
)

group_consents = Table(
    "group_consents",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("account", Text, ForeignKey("guided_groups.account"), nullable=False, index=True),
    Column("guide", LargeBinary, ForeignKey("guides.id"), nullable=False),
    Column("member", Text, nullable=False),  # empty: a paper of the whole group
    Column("digest", LargeBinary),  # of that paper
    Column("from_day", Integer, nullable=False),
    Column("until_day", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
    _seal(),
    CheckConstraint("(member = '') = (digest IS NOT NULL)", name="paper"),
    CheckConstraint("until_day >= from_day", name="term"),
)

guide_acts = Table(
    "guide_acts",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("guide", LargeBinary, ForeignKey("guides.id"), nullable=False),
    Column("account", Text, ForeignKey("guided_groups.account"), nullable=False, index=True),
    Column("words", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    _seal(),
)
