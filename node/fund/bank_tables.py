"""What the bank said: its statements and their movements, which are only ever inserted."""

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
    text,
)

from node.fund.matching import Meaning
from node.fund.sealed_tables import make_table
from node.fund.statements import MovementState
from protocol.book.tables import RowId, one_of

statements = make_table(
    "statements",
    Column("no", RowId, primary_key=True),
    Column("iban", Text, nullable=False),
    Column("statement_id", Text, nullable=False),
    Column("sequence", BigInteger),
    Column("opening", BigInteger, nullable=False),
    Column("opening_on", Integer, nullable=False),
    Column("closing", BigInteger, nullable=False),
    Column("closing_on", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("iban", "statement_id", "closing_on"),
)

movements = make_table(
    "movements",
    Column("no", RowId, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("entry", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("booked_on", Integer),
    Column("valued_on", Integer),
    Column("bank_reference", Text, nullable=False),
    Column("end_to_end_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("counterpart_name", Text, nullable=False),
    Column("counterpart_iban", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("is_reversal", Integer, nullable=False),
    Column("return_reason", Text, nullable=False),
    Column("batch", Text, nullable=False),  # JSON of its place in an entry of several, or ''
    Column("is_detail", Integer, nullable=False),  # of a sum that was counted before: no money of its own
    Column("statement_no", RowId, ForeignKey("statements.no")),  # None while only a notification told it
    Column("meaning", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("difference", BigInteger, nullable=False),
    Column("candidates", Text, nullable=False),
    Column("waiting", BigInteger, nullable=False),  # cents of it that wait for a person
    Column("kept", BigInteger, nullable=False),  # cents of it that a person said belong to nothing
    Column("fee", BigInteger, nullable=False),  # cents of it that a person called a fee of the bank: zero or below
    Column("decided_by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("state", MovementState), name="state"),
    CheckConstraint(one_of("meaning", Meaning), name="meaning"),
    CheckConstraint("state <> 'booked' OR booked_on IS NOT NULL", name="booked_on"),
    Index("ix_movements_entry", "entry"),
    Index("ix_movements_waiting", "waiting", sqlite_where=text("waiting <> 0"), postgresql_where=text("waiting <> 0")),
)
