"""The accounts base: accounts, lots, holdings, transfers, and what is remembered beside them.

Who owns the numbers? Transfers say everything; holdings, balances, heads, `issued` and tallies are kept beside them so
that nothing has to be summed, in the same transaction, and `checks.py` adds everything up again. Transfers are only
ever inserted. There is no index on the accounts of a transfer, as it would cost nine times the write; each side of a
transfer points at the account's previous one instead, and `history_marks` lets a reader jump into the chain.
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
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from node.ledger.accounts import ORDINARY, AccountKind, AccountState
from node.ledger.lots import CLASS_MAX, REF_BYTES, RESTRICTION_MAX, SEAL_BYTES, LotClass
from node.ledger.postings import REFERENCE_MAX, PostingKind
from node.ledger.reservations import ReservationState
from node.ledger.statements import MARK_EVERY
from protocol.book.tables import NAMING, RowId
from protocol.book.tables import one_of as _one_of

metadata = MetaData(naming_convention=NAMING)


accounts = Table(
    "accounts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary),  # the caller's id; system accounts have none
    Column("number", Text),
    Column("kind", Text, nullable=False),
    Column("peer", Text, nullable=False),  # territory code of an abroad account, else ''
    Column("state", Text, nullable=False),
    Column("shown_name", Text),  # only what the holder chose to show to payers
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    UniqueConstraint("op", name="uq_accounts_op"),
    UniqueConstraint("number", name="uq_accounts_number"),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint("length(number) = 8", name="number"),
    CheckConstraint(_one_of("kind", AccountKind), name="kind"),
    CheckConstraint(_one_of("state", AccountState), name="state"),
    CheckConstraint(f"(number IS NOT NULL) = ({_one_of('kind', ORDINARY)})", name="numbered"),
    CheckConstraint("(op IS NOT NULL) = (number IS NOT NULL)", name="asked"),
    CheckConstraint("(kind = 'abroad') = (peer <> '')", name="peer"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    Index(
        "uq_accounts_system",
        "kind",
        "peer",
        unique=True,
        sqlite_where=text("number IS NULL"),
        postgresql_where=text("number IS NULL"),
    ),
)

# What moves of an account, apart from what says who it is: narrow rows, so that a page of the base holds many of
# them and a group of postings writes few pages.
balances = Table(
    "balances",
    metadata,
    Column("account_id", RowId, ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
    Column("cents", BigInteger, nullable=False),  # the sum of its holdings
    Column("reserved", BigInteger, nullable=False),
    Column("head", BigInteger),  # its newest transfer
    Column("length", BigInteger, nullable=False),  # how many transfers touched it
    CheckConstraint("reserved >= 0 AND reserved <= cents", name="reserved"),
    CheckConstraint("length >= 0 AND (length = 0) = (head IS NULL)", name="chain"),
)

lots = Table(
    "lots",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("issuer", Text, nullable=False),
    Column("ref", LargeBinary, nullable=False),
    Column("lot_class", Integer, nullable=False),
    Column("month", Integer, nullable=False),  # yyyymm
    Column("issued", BigInteger, nullable=False),  # present in this book: net of what went back
    Column("seal", LargeBinary, nullable=False),  # digest of issuer, ref, class and month
    UniqueConstraint("ref", "issuer", name="uq_lots_ref_issuer"),
    CheckConstraint(f"length(ref) = {REF_BYTES}", name="ref"),
    CheckConstraint(f"lot_class >= 0 AND lot_class <= {CLASS_MAX}", name="lot_class"),
    CheckConstraint("month >= 190001 AND month <= 999912 AND month % 100 BETWEEN 1 AND 12", name="month"),
    CheckConstraint("issued >= 0", name="issued"),
    CheckConstraint(f"length(seal) = {SEAL_BYTES}", name="seal"),
)

# Who is behind a home lot. It never leaves this base.
origins = Table(
    "origins",
    metadata,
    Column("lot_id", RowId, ForeignKey("lots.id"), primary_key=True, autoincrement=False),
    Column("donor", LargeBinary, nullable=False),  # opaque: the companies base knows who it is
    Column("campaign", Text, nullable=False),
    Column("month", Integer, nullable=False),
    Column("lot_class", Integer, nullable=False),
    Column("restriction", Text, nullable=False),
    UniqueConstraint("donor", "campaign", "month", "lot_class", "restriction", name="uq_origins_lot"),
    CheckConstraint("length(donor) = 16", name="donor"),
    CheckConstraint(
        f"((lot_class & {int(LotClass.RESTRICTED)}) <> 0) = (restriction <> '')"
        f" AND length(restriction) <= {RESTRICTION_MAX}",
        name="restriction",
    ),
)

endowments = Table(
    "endowments",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("lot_id", RowId, ForeignKey("lots.id"), nullable=False),
    Column("transfer_id", BigInteger, ForeignKey("transfers.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("transfer_id", name="uq_endowments_transfer_id"),
)

# A spent holding stays as a row of zero: nothing in this base is ever deleted.
holdings = Table(
    "holdings",
    metadata,
    Column("account_id", RowId, ForeignKey("accounts.id"), nullable=False),
    Column("lot_id", RowId, ForeignKey("lots.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "lot_id"),
    CheckConstraint("cents >= 0", name="cents"),
    sqlite_with_rowid=False,
)

# One amount of one lot from one account to another. A source's side has no chain and no balance.
transfers = Table(
    "transfers",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary, nullable=False),
    Column("part", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("debit", RowId, ForeignKey("accounts.id"), nullable=False),
    Column("credit", RowId, ForeignKey("accounts.id"), nullable=False),
    Column("lot", RowId, ForeignKey("lots.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("reference", Text, nullable=False),
    Column("undoes", BigInteger, ForeignKey("transfers.id")),
    Column("debit_prev", BigInteger),
    Column("debit_seq", BigInteger),
    Column("debit_after", BigInteger),
    Column("credit_prev", BigInteger),
    Column("credit_seq", BigInteger),
    Column("credit_after", BigInteger),
    UniqueConstraint("op", "part", name="uq_transfers_op_part"),
    CheckConstraint("length(op) = 16 AND part >= 0", name="op"),
    CheckConstraint(_one_of("kind", PostingKind), name="kind"),
    CheckConstraint("debit <> credit", name="sides"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(f"length(reference) <= {REFERENCE_MAX}", name="reference"),
    CheckConstraint("(undoes IS NOT NULL) = (kind = 'reversal')", name="undoes"),
    CheckConstraint("undoes < id", name="undoes_earlier"),
    CheckConstraint("debit_after >= 0 AND credit_after >= 0", name="after"),
    Index(
        "ix_transfers_undoes",
        "undoes",
        sqlite_where=text("undoes IS NOT NULL"),
        postgresql_where=text("undoes IS NOT NULL"),
    ),
)

history_marks = Table(
    "history_marks",
    metadata,
    Column("account_id", RowId, ForeignKey("accounts.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("transfer_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "seq"),
    CheckConstraint(f"seq > 0 AND seq % {MARK_EVERY} = 0", name="seq"),
    Index("ix_history_marks_account_id_at", "account_id", "at"),
    sqlite_with_rowid=False,
)

# An id that was refused is refused for ever, with the same words.
refusals = Table(
    "refusals",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("asked", LargeBinary, nullable=False),  # fingerprint of the content, field by field
    Column("code", Text, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("at", BigInteger, nullable=False),
    CheckConstraint("length(op) = 16", name="op"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("account_id", RowId, ForeignKey("accounts.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("used_by", LargeBinary),
    UniqueConstraint("used_by", name="uq_reservations_used_by"),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(_one_of("state", ReservationState), name="state"),
    CheckConstraint("(state = 'used') = (used_by IS NOT NULL)", name="used"),
    Index(
        "ix_reservations_active",
        "expires_at",
        sqlite_where=text("state = 'active'"),
        postgresql_where=text("state = 'active'"),
    ),
)

# What a reversal was asked, beside the transfers that say what it took.
reversals = Table(
    "reversals",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("undone", LargeBinary, nullable=False),  # the posting it takes back
    Column("cents", BigInteger),  # NULL: all that was left of it
    Column("asked", BigInteger, nullable=False),  # the sum that this meant
    CheckConstraint("length(op) = 16 AND length(undone) = 16", name="op"),
    CheckConstraint("asked > 0 AND (cents IS NULL OR cents = asked)", name="asked"),
)

# A return whose account had closed: for whom the unclaimed rights are.
diversions = Table(
    "diversions",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("account_id", RowId, ForeignKey("accounts.id"), nullable=False),
    Index("ix_diversions_account_id", "account_id"),
)

# Running figures by kind of posting, so that a barometer never adds up the transfers.
tallies = Table(
    "tallies",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("entries", BigInteger, nullable=False),
    Column("cents", BigInteger, nullable=False),
    CheckConstraint(_one_of("kind", PostingKind), name="kind"),
    CheckConstraint("entries >= 0 AND cents >= 0", name="figures"),
)
