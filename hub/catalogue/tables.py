"""The newest card and catalogue of each member."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, MetaData, Table, Text

from protocol.book.tables import NAMING

metadata = MetaData(naming_convention=NAMING)

# `place` rises with every change, so that who asks from a place on gets what changed since.
publications = Table(
    "publications",
    metadata,
    Column("member", Text, primary_key=True),
    Column("place", BigInteger, nullable=False, unique=True),
    Column("card_number", BigInteger, nullable=False),
    Column("card", LargeBinary, nullable=False),
    Column("catalogue_number", BigInteger, nullable=False),  # 0 where there is none
    Column("catalogue", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("(catalogue_number = 0) = (length(catalogue) = 0)", name="catalogue"),
)
