"""What the fund owes and pays out: dues, bearers, officers and their signatures, orders, payments."""

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

from node.fund.dues import DueState, Share
from node.fund.outgoing_payments import PaymentState
from node.fund.sealed_tables import make_table
from protocol.book.tables import RowId, one_of

dues = make_table(
    "dues",
    Column("no", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("territory", Text, nullable=False),  # that decides of the project
    Column("project", LargeBinary, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("told", LargeBinary, nullable=False),  # the message, as the accounts told it
    Column("signed", LargeBinary, nullable=False),  # the order, opened, with its signature; empty where it is refused
    Column("round", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("bearer", LargeBinary, ForeignKey("bearers.id")),
    Column("iban", Text, nullable=False),
    Column("debtor", Text, nullable=False),  # whose fund owes it to ours, and netted it; '' where we owe it
    Column("netted_on", Integer),  # the day on which we said that we net what we owe
    Column("window_no", Integer, ForeignKey("windows.window_no")),  # in which it was netted
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("debtor = '' OR netted_on IS NULL", name="netted_on"),
    CheckConstraint("window_no IS NULL OR debtor <> '' OR netted_on IS NOT NULL", name="window"),
    CheckConstraint(one_of("state", DueState), name="state"),
    CheckConstraint("(state = 'refused') = (code <> '') AND (state = 'refused') = (bearer IS NULL)", name="refused"),
    Index("ix_dues_window_no", "window_no"),
)

due_lots = make_table(
    "due_lots",
    Column("due", RowId, ForeignKey("dues.no"), nullable=False),
    Column("ix", Integer, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("share", Text, nullable=False),
    Column("pledge", LargeBinary, ForeignKey("pledges.id")),
    Column("call", LargeBinary, ForeignKey("calls.id")),  # that asks the donor for it
    Column("payment", LargeBinary, ForeignKey("payments.id")),  # that pays it, or is about to
    PrimaryKeyConstraint("due", "ix"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(one_of("share", Share), name="share"),
    CheckConstraint("(share = 'called') = (pledge IS NOT NULL)", name="pledge"),
    CheckConstraint("call IS NULL OR pledge IS NOT NULL", name="call"),
    CheckConstraint("payment IS NULL OR pledge IS NULL OR call IS NOT NULL", name="payment"),
    Index("ix_due_lots_ref", "ref"),
    Index("ix_due_lots_call", "call"),
    Index("ix_due_lots_payment", "payment"),
)

officers = make_table(
    "officers",
    Column("key", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    CheckConstraint("length(signing) = 32", name="signing"),
)

bearers = make_table(
    "bearers",
    Column("id", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("registry", Text, nullable=False),  # SIREN or RNA
    Column("category", Text, nullable=False),
    Column("proof", Text, nullable=False),
    Column("proven_until", Integer, nullable=False),
    Column("seat", Text, nullable=False),  # with mail and phone: what the prefect's list asks, or ''
    Column("mail", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("holder_name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("registry"),
)

iban_changes = make_table(
    "iban_changes",
    Column("id", LargeBinary, primary_key=True),
    Column("bearer", LargeBinary, ForeignKey("bearers.id"), nullable=False),
    Column("holder_name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("asked_by", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("asked_signature", LargeBinary, nullable=False),
    Column("confirmed_by", LargeBinary, ForeignKey("officers.key")),
    Column("confirmed_signature", LargeBinary),
    Column("at", BigInteger, nullable=False),
    Column("effective_at", BigInteger, nullable=False),
    Column("applied_at", BigInteger),
)

orders = make_table(
    "orders",
    Column("id", Text, primary_key=True),
    Column("day", Integer, nullable=False, unique=True),  # one a day
    Column("transfers", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

payments = make_table(
    "payments",
    Column("number", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("bearer", LargeBinary, ForeignKey("bearers.id")),
    Column("refund_of", Text, ForeignKey("movements.id")),  # or what came in, and goes back to its payer
    Column("holder_name", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("words", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("dues", LargeBinary, nullable=False),  # which conversions it pays, as they are signed; empty for another
    Column("window_no", Integer, ForeignKey("windows.window_no")),  # at whose end it pays another fund
    Column("paid_fund", Text, nullable=False),  # by its territory, or ''
    Column("end_to_end_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("order_id", Text, ForeignKey("orders.id")),
    Column("movement", Text, ForeignKey("movements.id")),  # that left
    Column("returned_by", Text, ForeignKey("movements.id")),  # that came back
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("state", PaymentState), name="state"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("(bearer IS NULL) <> (refund_of IS NULL)", name="payee"),
    CheckConstraint("refund_of IS NULL OR length(dues) = 0", name="dues"),
    CheckConstraint("(window_no IS NULL) = (paid_fund = '')", name="paid_fund"),
    CheckConstraint("window_no IS NULL OR (length(dues) = 0 AND refund_of IS NULL)", name="window"),
    CheckConstraint("(state IN ('confirmed', 'returned')) = (movement IS NOT NULL)", name="movement"),
    CheckConstraint("(state = 'returned') = (returned_by IS NOT NULL)", name="returned_by"),
    Index("ix_payments_refund_of", "refund_of"),
    Index("ix_payments_state", "state"),
    Index("ix_payments_window_no", "window_no"),
)

signatures = make_table(
    "signatures",
    Column("payment", LargeBinary, ForeignKey("payments.id"), nullable=False),
    Column("officer", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("payment", "officer"),
)
