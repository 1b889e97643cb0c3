"""Cards and catalogues of all territories, ours among them, and what our bases were told of them."""

from __future__ import annotations

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
)

from node.catalogue.words import OwnWord
from protocol.book.tables import NAMING, one_of

metadata = MetaData(naming_convention=NAMING)

# Every card that was taken: a key that one of them named signed what stands under it.
territory_cards = Table(
    "territory_cards",
    metadata,
    Column("territory", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("territory", "number"),
)

# The newest catalogue of each territory.
catalogues = Table(
    "catalogues",
    metadata,
    Column("territory", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("key", LargeBinary, nullable=False),  # the id of the key that signed it
    Column("signed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# What stands in them, to be searched; it is read again from the signed bytes by `checks`.
listed_projects = Table(
    "listed_projects",
    metadata,
    Column("territory", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("searched", Text, nullable=False),  # title, place and theme without accents and capitals
    Column("place", Text, nullable=False),
    Column("commune", Text, nullable=False),
    Column("theme", Text, nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("minimum", BigInteger, nullable=False),
    Column("support", BigInteger, nullable=False),
    Column("need_by", Integer, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("latitude", Integer),
    Column("longitude", Integer),
    PrimaryKeyConstraint("territory", "number"),
    Index("ix_listed_projects_need_by", "need_by"),
)

# What was last refused of a territory, and why.
refused_publications = Table(
    "refused_publications",
    metadata,
    Column("territory", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("at", BigInteger, nullable=False),
)

# What our own fund and projects' base signed last, for our card and beside it.
own_words = Table(
    "own_words",
    metadata,
    Column("what", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("signed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("what", OwnWord), name="what"),
)

# What our bases were told last of each territory, as a digest: it is told when it changes.
told_cards = Table(
    "told_cards",
    metadata,
    Column("reader", Text, nullable=False),
    Column("territory", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("reader", "territory"),
)

# How far we read at the hub, when we last did, and what it has of ours.
catalogue_line = Table(
    "catalogue_line",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
