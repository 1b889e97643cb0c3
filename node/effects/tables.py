"""What the companies' base was told last of each campaign and project, and titles of projects elsewhere."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text

from protocol.book.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

told_effects = Table(
    "told_effects",
    metadata,
    Column("campaign", LargeBinary, nullable=False),
    Column("territory", Text, nullable=False),
    Column("project", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("converted", BigInteger, nullable=False),
    Column("paid", BigInteger, nullable=False),
    Column("netted", BigInteger, nullable=False),
    Column("confirmed", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("campaign", "territory", "project"),
    CheckConstraint("length(campaign) = 16 AND length(project) = 16", name="ids"),
    CheckConstraint("waiting >= 0 AND paid >= 0 AND netted >= 0 AND confirmed >= 0", name="cents"),
    CheckConstraint("paid + netted <= converted AND confirmed <= converted", name="converted"),
)

# A project leaves its territory's catalogue before it is converted: its title is kept while it can be read.
listed_titles = Table(
    "listed_titles",
    metadata,
    Column("territory", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("title", Text, nullable=False),
    PrimaryKeyConstraint("territory", "number"),
)
