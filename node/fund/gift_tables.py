"""Monthly gifts: mandates, one collection a month, its debits."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)

from node.fund.monthly_gifts import CollectionState, DebitState, MandateState
from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId, one_of

mandates = make_table(
    "mandates",
    Column("number", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("umr", Text, nullable=False, unique=True),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("holder_name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("signed_on", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),  # a month: the sum of its shares
    Column("shares", Text, nullable=False),  # JSON
    Column("state", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("state", MandateState), name="state"),
    CheckConstraint("cents > 0", name="cents"),
)

collections = make_table(
    "collections",
    Column("month", Integer, primary_key=True, autoincrement=False),  # yyyymm: one a month
    Column("id", Text, nullable=False, unique=True),
    Column("announced_on", Integer, nullable=False),
    Column("collected_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("debits", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("body", LargeBinary),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("state", CollectionState), name="state"),
    CheckConstraint("(state = 'ordered') = (body IS NOT NULL)", name="body"),
)

debits = make_table(
    "debits",
    Column("no", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("mandate", LargeBinary, ForeignKey("mandates.id"), nullable=False),
    Column("month", Integer, ForeignKey("collections.month"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("shares", Text, nullable=False),  # JSON: as they stood when it was announced
    Column("end_to_end_id", Text, nullable=False, unique=True),
    Column("batch_id", Text, nullable=False),  # of the message's group that it went out in, or ''
    Column("sequence", Text, nullable=False),  # FRST or RCUR, or ''
    Column("state", Text, nullable=False),
    Column("movement", Text, ForeignKey("movements.id")),  # that credited it
    Column("returned_by", Text, ForeignKey("movements.id")),  # that took it back
    Column("code", Text, nullable=False),
    UniqueConstraint("mandate", "month"),
    CheckConstraint(one_of("state", DebitState), name="state"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("(state IN ('collected', 'returned')) = (movement IS NOT NULL)", name="movement"),
    CheckConstraint("(state = 'returned') = (returned_by IS NOT NULL)", name="returned_by"),
    Index("ix_debits_batch_id", "batch_id"),
    Index("ix_debits_month", "month"),
)
