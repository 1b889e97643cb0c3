"""What the accounts base keeps of solidarity: pools, who is enrolled, operations, what was given to them and what each got.

Transfers say what moved; these rows say why it may. `node/solidarity/checks.py` holds the two against each other.
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

from node.solidarity.operations import GiftState, OperationState, Origin
from node.solidarity.rules import CLASSES_MAX
from protocol.book.tables import NAMING, RowId, one_of

metadata = MetaData(naming_convention=NAMING)

SHARE_STATES = ("due", "missed", "none", "paid")

solidarity_pools = Table(
    "solidarity_pools",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary, nullable=False),
    Column("title", Text, nullable=False),
    Column("rule", Text, nullable=False),  # JSON; it never changes
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("op", name="uq_solidarity_pools_op"),
    CheckConstraint("length(op) = 16", name="op"),
)

# Who may give to a pool that takes from a list: an account here, or an address.
solidarity_givers = Table(
    "solidarity_givers",
    metadata,
    Column("pool_id", RowId, ForeignKey("solidarity_pools.id"), nullable=False),
    Column("giver", Text, nullable=False),
    PrimaryKeyConstraint("pool_id", "giver"),
)

# Who receives, under which class. A row goes when its account is withdrawn or closed: it is not kept who once was here.
solidarity_receivers = Table(
    "solidarity_receivers",
    metadata,
    Column("pool_id", RowId, ForeignKey("solidarity_pools.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("receiver_class", Integer, nullable=False),
    PrimaryKeyConstraint("pool_id", "account"),
    CheckConstraint(f"receiver_class BETWEEN 1 AND {CLASSES_MAX}", name="receiver_class"),
    Index("ix_solidarity_receivers_account", "account"),
)

solidarity_operations = Table(
    "solidarity_operations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary, nullable=False),
    Column("pool_id", RowId, ForeignKey("solidarity_pools.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("number", Text, nullable=False),  # the account that is given to
    Column("outlet", Text, nullable=False),  # the account that receivers see
    Column("salt", LargeBinary, nullable=False),  # secret: who knows it can tell which cessions were shares
    Column("starts", Integer, nullable=False),  # yyyymmdd
    Column("until", Integer, nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("noted", BigInteger, nullable=False),  # the last entry of the account that was looked at
    Column("given", BigInteger, nullable=False),
    Column("gifts", Integer, nullable=False),
    Column("givers", Integer, nullable=False),
    Column("shared", BigInteger, nullable=False),  # cents of all shares
    Column("receivers", Integer, nullable=False),
    Column("handed", BigInteger, nullable=False),  # cents of the shares that were looked at, paid or missed
    Column("missed", BigInteger, nullable=False),
    Column("places", Integer, nullable=False),  # how many shares were looked at
    Column("opened_at", BigInteger, nullable=False),
    Column("shared_at", BigInteger),
    Column("ended_at", BigInteger),
    UniqueConstraint("op", name="uq_solidarity_operations_op"),
    UniqueConstraint("number", name="uq_solidarity_operations_number"),
    UniqueConstraint("outlet", name="uq_solidarity_operations_outlet"),
    CheckConstraint("length(op) = 16 AND length(salt) = 16", name="op"),
    CheckConstraint("until >= starts", name="until"),
    CheckConstraint("target > 0", name="target"),
    CheckConstraint(one_of("state", OperationState), name="state"),
    CheckConstraint("given >= 0 AND gifts >= 0 AND givers >= 0 AND givers <= gifts", name="given"),
    CheckConstraint("missed >= 0 AND missed <= handed AND handed <= shared", name="handed"),
    CheckConstraint("places >= 0 AND places <= receivers", name="places"),
    CheckConstraint("(shared > 0) = (shared_at IS NOT NULL)", name="shared"),
)

# What reached an operation's account, under the id of the posting that brought it.
solidarity_gifts = Table(
    "solidarity_gifts",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary, nullable=False),
    Column("operation_id", RowId, ForeignKey("solidarity_operations.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("giver", Text, nullable=False),  # an account, an address, an arrival of somebody, or '' for what is carried
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),  # why it was not taken, or goes back
    Column("back_op", LargeBinary),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("op", name="uq_solidarity_gifts_op"),
    UniqueConstraint("back_op", name="uq_solidarity_gifts_back_op"),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint(one_of("origin", Origin), name="origin"),
    CheckConstraint(one_of("state", GiftState), name="state"),
    CheckConstraint("(origin = 'carried') = (giver = '')", name="giver"),
    CheckConstraint("(state = 'back') = (back_op IS NOT NULL)", name="back"),
    CheckConstraint("cents > 0", name="cents"),
    Index("ix_solidarity_gifts_operation_id", "operation_id", "id"),
    Index(
        "ix_solidarity_gifts_waits",
        "operation_id",
        "id",
        sqlite_where=text("state = 'waits'"),
        postgresql_where=text("state = 'waits'"),
    ),
)

# The lots that an operation's shares are drawn from, in their order.
solidarity_lots = Table(
    "solidarity_lots",
    metadata,
    Column("operation_id", RowId, ForeignKey("solidarity_operations.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("lot_id", RowId, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("operation_id", "place"),
    CheckConstraint("cents > 0", name="cents"),
)

# What each receiver gets, and what the rule made it of: the units of the class, not the class.
solidarity_shares = Table(
    "solidarity_shares",
    metadata,
    Column("operation_id", RowId, ForeignKey("solidarity_operations.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("units", Integer, nullable=False),
    Column("held", BigInteger, nullable=False),  # what the account held when shares were computed
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    PrimaryKeyConstraint("operation_id", "place"),
    UniqueConstraint("operation_id", "account", name="uq_solidarity_shares_account"),
    CheckConstraint("cents >= 0 AND units > 0 AND held >= 0", name="cents"),
    CheckConstraint(one_of("state", SHARE_STATES), name="state"),
    CheckConstraint("(cents = 0) = (state = 'none')", name="none"),
)

# What was asked under an id, and the answer that is given whenever it is asked again.
solidarity_asks = Table(
    "solidarity_asks",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("asked", LargeBinary, nullable=False),  # fingerprint of the content, field by field
    Column("code", Text, nullable=False),  # '' where it was done
    Column("facts", Text, nullable=False),  # JSON, of a refusal
    Column("answer", Text, nullable=False),  # JSON, of what was done
    Column("at", BigInteger, nullable=False),
    CheckConstraint("length(op) = 16", name="op"),
)
