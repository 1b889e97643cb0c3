"""Who gives, what is expected of them and what came: donors, what is announced, deposits, pledges and their calls."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from node.fund.deposits import DepositState
from node.fund.expectations import ExpectationState, Purpose
from node.fund.pledges import PledgeState
from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId, one_of

donors = make_table(
    "donors",
    Column("number", RowId, primary_key=True),  # of the register: how the books name a person
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("siren", Text, nullable=False),  # '' for a person
    Column("name", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as receipts must name it
    Column("year_end", Integer, nullable=False),  # mmdd
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("kind", ("company", "individual")), name="kind"),
)

expectations = make_table(
    "expectations",
    Column("number", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("purpose", Text, nullable=False),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("campaign", Text, nullable=False),
    Column("lot_class", Integer, nullable=False),
    Column("restriction", Text, nullable=False),
    Column("pool", Text, nullable=False),  # '' where no miles are issued
    Column("cents", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("due", Integer, nullable=False),
    Column("reference", Text, nullable=False, unique=True),
    Column("payer_iban", Text, nullable=False),
    Column("asked_by", Text, nullable=False),  # the base that asked, or '' for the fund itself
    Column("state", Text, nullable=False),
    Column("closed_by", Text, nullable=False),  # who waits for the rest no more, and why; '' while somebody does
    Column("at", BigInteger, nullable=False),
    CheckConstraint("(state = 'closed') = (closed_by <> '')", name="closed_by"),
    CheckConstraint(one_of("purpose", Purpose), name="purpose"),
    CheckConstraint(one_of("state", ExpectationState), name="state"),
    CheckConstraint("cents > 0 AND received >= 0", name="cents"),
    CheckConstraint("(purpose = 'campaign') = (pool <> '')", name="pool"),
)

reminders = make_table(
    "reminders",
    Column("expectation", LargeBinary, ForeignKey("expectations.id"), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    PrimaryKeyConstraint("expectation", "rank"),
    CheckConstraint("rank IN (1, 2)", name="rank"),
)

deposits = make_table(
    "deposits",
    Column("no", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("expectation", LargeBinary, ForeignKey("expectations.id")),
    Column("debit", LargeBinary, ForeignKey("debits.id"), unique=True),
    Column("movement", Text, ForeignKey("movements.id"), nullable=False),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("received_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("lot_ref", LargeBinary),
    Column("code", Text, nullable=False),
    Column("receipt", Text, ForeignKey("receipts.number")),
    CheckConstraint(one_of("state", DepositState), name="state"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("(expectation IS NULL) <> (debit IS NULL)", name="source"),
    CheckConstraint("state <> 'undone' OR (debit IS NOT NULL AND receipt IS NULL)", name="undone"),
    CheckConstraint("(state = 'issued') = (lot_ref IS NOT NULL)", name="lot"),
    Index("ix_deposits_expectation", "expectation"),
    Index("ix_deposits_movement", "movement"),
    Index("ix_deposits_donor", "donor"),
)

pledges = make_table(
    "pledges",
    Column("number", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("campaign", Text, nullable=False),
    Column("lot_class", Integer, nullable=False),
    Column("restriction", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),  # its ceiling
    Column("until", Integer, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("letter", LargeBinary),  # digest of the engagement letter that two officers read
    Column("issued_month", Integer),  # yyyymm: the month of its lot
    Column("lot_ref", LargeBinary, unique=True),
    Column("given", BigInteger),  # what the campaign gave, once it is over; None before
    Column("code", Text, nullable=False),
    UniqueConstraint("donor", "campaign"),
    CheckConstraint(one_of("state", PledgeState), name="state"),
    CheckConstraint("cents > 0 AND (given IS NULL OR (given >= 0 AND given <= cents))", name="cents"),
    CheckConstraint("state = 'refused' OR (state = 'asked') = (issued_month IS NULL)", name="issued_month"),
    CheckConstraint("(state IN ('issued', 'ended')) = (lot_ref IS NOT NULL)", name="lot"),
    CheckConstraint("(state = 'ended') = (given IS NOT NULL)", name="ended"),
)

pledge_signatures = make_table(
    "pledge_signatures",
    Column("pledge", LargeBinary, ForeignKey("pledges.id"), nullable=False),
    Column("officer", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("pledge", "officer"),
)

# What was called of a donor for a month: the expectation has its sum and its reference.
calls = make_table(
    "calls",
    Column("id", LargeBinary, ForeignKey("expectations.id"), primary_key=True),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("month", Integer, nullable=False),  # yyyymm
    Column("lot_class", Integer, nullable=False),  # what gives a receipt is called apart from what does not
    UniqueConstraint("donor", "month", "lot_class"),
)
