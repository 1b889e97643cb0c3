"""The fund's base: who gives, what is expected, what the bank said, what was paid out, receipts and books.

Who owns the numbers? Movements say what the bank said and are only ever inserted; `received` of an expectation, the
state of a deposit and of a payment are kept beside them in the same transaction, and `checks.py` tells them again.
Ids are 16 bytes, days whole numbers yyyymmdd, sums whole cents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from node.doors.tables import make_keys_table
from node.fund.deposits import DepositState
from node.fund.dues import DueState, Share
from node.fund.expectations import ExpectationState, Purpose
from node.fund.issued_receipts import ReceiptState
from node.fund.matching import Meaning
from node.fund.monthly_gifts import CollectionState, DebitState, MandateState
from node.fund.outgoing_payments import PaymentState
from node.fund.pledges import PledgeState
from node.fund.statements import MovementState
from protocol.book.seals import compute_seal
from protocol.book.tables import NAMING, RowId, one_of

metadata = MetaData(naming_convention=NAMING)

donors = Table(
    "donors",
    metadata,
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

expectations = Table(
    "expectations",
    metadata,
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

reminders = Table(
    "reminders",
    metadata,
    Column("expectation", LargeBinary, ForeignKey("expectations.id"), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    PrimaryKeyConstraint("expectation", "rank"),
    CheckConstraint("rank IN (1, 2)", name="rank"),
)

statements = Table(
    "statements",
    metadata,
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

movements = Table(
    "movements",
    metadata,
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

mandates = Table(
    "mandates",
    metadata,
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

collections = Table(
    "collections",
    metadata,
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

debits = Table(
    "debits",
    metadata,
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

deposits = Table(
    "deposits",
    metadata,
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

pledges = Table(
    "pledges",
    metadata,
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

pledge_signatures = Table(
    "pledge_signatures",
    metadata,
    Column("pledge", LargeBinary, ForeignKey("pledges.id"), nullable=False),
    Column("officer", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("pledge", "officer"),
)

# What was called of a donor for a month: the expectation has its sum and its reference.
calls = Table(
    "calls",
    metadata,
    Column("id", LargeBinary, ForeignKey("expectations.id"), primary_key=True),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("month", Integer, nullable=False),  # yyyymm
    Column("lot_class", Integer, nullable=False),  # what gives a receipt is called apart from what does not
    UniqueConstraint("donor", "month", "lot_class"),
)

# Who decides of projects elsewhere: what these keys sign is that territory's word.
deciders = Table(
    "deciders",
    metadata,
    Column("territory", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("confirmed_at", BigInteger),  # since when its territory's card says the same: then the card's word counts
    PrimaryKeyConstraint("territory", "key"),
)

# What the cards of other territories say, card by card: nothing is overwritten. `from_at`: since when, or from when, it
# counts; a later row overtakes one that still waits (`protocol/held_changes.py`).
card_deciders = Table(
    "card_deciders",
    metadata,
    Column("territory", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("sealing", LargeBinary, nullable=False),
    Column("since", Integer, nullable=False),  # the day on which the accounts had it
    Column("at", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("territory", "number"),
    CheckConstraint("from_at >= at", name="from_at"),
)

# Where other funds are paid what funds owe each other; `iban` is empty where one takes nothing any more.
settlement_accounts = Table(
    "settlement_accounts",
    metadata,
    Column("territory", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("siren", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("bic", Text, nullable=False),
    Column("since", Integer, nullable=False),  # the day since when the accounts know it
    Column("signing", LargeBinary, nullable=False),  # that fund's keys
    Column("sealing", LargeBinary, nullable=False),
    Column("signed", LargeBinary, nullable=False),  # these words as that fund signed them
    Column("at", BigInteger, nullable=False),
    Column("from_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("territory", "number"),
    CheckConstraint("from_at >= at", name="from_at"),
    CheckConstraint("(iban = '') = (length(signed) = 0)", name="signed"),
)

# What this fund let be known of its own account.
own_settlements = Table(
    "own_settlements",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=False),
    Column("signed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

dues = Table(
    "dues",
    metadata,
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

# What we said to another fund of netting: two officers sign it. The last that has its signatures counts.
netting_words = Table(
    "netting_words",
    metadata,
    Column("number", RowId, primary_key=True),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("territory", Text, nullable=False),
    Column("is_netted", Boolean, nullable=False),
    Column("since", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("said_at", BigInteger),  # with the second signature
)

netting_signatures = Table(
    "netting_signatures",
    metadata,
    Column("words", LargeBinary, ForeignKey("netting_words.id"), nullable=False),
    Column("officer", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("words", "officer"),
)

# What other funds said to us of netting, one after the other.
netting_heard = Table(
    "netting_heard",
    metadata,
    Column("number", RowId, primary_key=True),
    Column("territory", Text, nullable=False),
    Column("is_netted", Boolean, nullable=False),
    Column("since", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
)

windows = Table(
    "windows",
    metadata,
    Column("window_no", Integer, primary_key=True, autoincrement=False),
    Column("told", LargeBinary, nullable=False),  # the message, as the accounts told it
    Column("at", BigInteger, nullable=False),
)

# Dues that a window held before our projects' order of them came: each is in one, found without reading windows.
awaited_dues = Table(
    "awaited_dues",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("window_no", Integer, ForeignKey("windows.window_no"), nullable=False),
    Index("ix_awaited_dues_window_no", "window_no"),
)

# What we pay another fund at the end of a window, or it pays us. `said` is its last word (protocol.messages.SettledState; 0: none).
net_payments = Table(
    "net_payments",
    metadata,
    Column("window_no", Integer, ForeignKey("windows.window_no"), nullable=False),
    Column("other", Text, nullable=False),
    Column("is_ours", Boolean, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("said", Integer, nullable=False),
    Column("said_on", Integer, nullable=False),
    PrimaryKeyConstraint("window_no", "other"),
    CheckConstraint("cents > 0 AND received >= 0 AND received <= cents", name="cents"),
    CheckConstraint("received = 0 OR NOT is_ours", name="received"),
    Index(  # what is still to come to us: few, however many windows there were
        "ix_net_payments_open",
        "window_no",
        sqlite_where=text("is_ours IS 0 AND received < cents"),
        postgresql_where=text("is_ours IS false AND received < cents"),
    ),
)

# What came of it.
net_receipts = Table(
    "net_receipts",
    metadata,
    Column("movement", Text, ForeignKey("movements.id"), nullable=False),
    Column("window_no", Integer, nullable=False),
    Column("other", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("movement", "window_no", "other"),
    ForeignKeyConstraint(["window_no", "other"], ["net_payments.window_no", "net_payments.other"]),
    CheckConstraint("cents > 0", name="cents"),
)

due_lots = Table(
    "due_lots",
    metadata,
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

officers = Table(
    "officers",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("signing", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    CheckConstraint("length(signing) = 32", name="signing"),
)

bearers = Table(
    "bearers",
    metadata,
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

iban_changes = Table(
    "iban_changes",
    metadata,
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

orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("day", Integer, nullable=False, unique=True),  # one a day
    Column("transfers", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

payments = Table(
    "payments",
    metadata,
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

signatures = Table(
    "signatures",
    metadata,
    Column("payment", LargeBinary, ForeignKey("payments.id"), nullable=False),
    Column("officer", LargeBinary, ForeignKey("officers.key"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("payment", "officer"),
)

receipt_counters = Table(
    "receipt_counters",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("issuer", "year"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("number", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("donor", LargeBinary, ForeignKey("donors.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # frozen: what was printed is printed again
    Column("digest", LargeBinary, nullable=False),
    Column("issued_on", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("cancelled_on", Integer),
    Column("reason", Text, nullable=False),
    Column("replaced_by", Text, nullable=False),
    Column("duplicates", Text, nullable=False),  # JSON: the days on which one was asked
    CheckConstraint(one_of("state", ReceiptState), name="state"),
    CheckConstraint("seq > 0", name="seq"),
    UniqueConstraint("year", "seq"),
)

# What people decided under an id of theirs, and what they were answered.
decisions = Table(
    "decisions",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("asked", LargeBinary, nullable=False),  # digest of what it was
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# Each time when the base was put back from an old copy, and what a person said then of what had left before.
recoveries = Table(
    "recoveries",
    metadata,
    Column("no", RowId, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
)

stated_numbers = Table(
    "stated_numbers",
    metadata,
    Column("recovery", RowId, ForeignKey("recoveries.no"), primary_key=True, autoincrement=False),
    Column("stated_by", Text, nullable=False),
    Column("last_receipt", Text, nullable=False),  # '' where none was ever issued, as with an order
    Column("last_order", Text, nullable=False),
    Column("left_after", Integer, nullable=False),  # months after this one and up to the next column's
    Column("left_until", Integer, nullable=False),  # were collected by a message that this base did not hold
    Column("at", BigInteger, nullable=False),
    CheckConstraint("stated_by <> ''", name="stated_by"),
    CheckConstraint("left_until >= left_after", name="left"),
)

# Numbers that were printed and are not here: they verify nowhere, and are never given again.
void_receipts = Table(
    "void_receipts",
    metadata,
    Column("number", Text, primary_key=True),
    Column("year", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("recovery", RowId, ForeignKey("recoveries.no"), nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("seq > 0", name="seq"),
    UniqueConstraint("year", "seq"),
)

entries = Table(
    "entries",
    metadata,
    Column("no", RowId, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("year", Integer, nullable=False),  # the closing day of the fiscal year
    Column("number", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
    Column("validated_on", Integer, nullable=False),
    Column("event", Text, nullable=False),  # what happened, and to what
    Column("body", LargeBinary, nullable=False),  # the entry as it was validated
    UniqueConstraint("journal", "year", "number"),
    CheckConstraint("number > 0", name="number"),
    Index("ix_entries_event", "event"),
)

# Who may come in by the doors: programs, by keys that are kept as hashes.
door_keys = make_keys_table(metadata)


def sealed_columns(table: Table) -> tuple[str, ...]:
    """Return the names of the columns that a row's seal is made of, in their order: all but the seal."""
    return tuple(column.name for column in table.columns if column.name != "seal")


def _sealer(table: Table) -> Callable[[Any], bytes]:
    names = sealed_columns(table)

    def seal(context: Any) -> bytes:
        values = context.get_current_parameters()
        return compute_seal(table.name, [values.get(name) for name in names])

    return seal


for _table in metadata.sorted_tables:
    _table.append_column(Column("seal", LargeBinary, nullable=False, default=_sealer(_table)))
