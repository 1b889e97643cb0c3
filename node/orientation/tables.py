"""What the accounts base keeps of projects: who directed which lots to them, what came back, what was converted.

Transfers say what moved; these rows say for whom it stands where it is, so that it finds its way back lot by lot.
`node/orientation/checks.py` holds the two against each other. Who supports a project is in this base only, by account.
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

from node.orientation.projects import ProjectState
from protocol.book.tables import NAMING, RowId, one_of

metadata = MetaData(naming_convention=NAMING)

ORIGINS = ("abroad", "home")
RETURN_STATES = ("came_back", "done")
ORDER_KINDS = ("commit", "convert", "open", "release")
DUE_STATES = ("paid", "refused", "taken", "told")

projects = Table(
    "projects",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary, nullable=False),  # the projects base's id of it
    Column("number", Text, nullable=False),
    Column("shown_name", Text, nullable=False),
    Column("theme", Text, nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("until", Integer, nullable=False),  # yyyymmdd
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),  # why it was released
    Column("directed", BigInteger, nullable=False),  # converted or not
    Column("converted", BigInteger, nullable=False),
    Column("supporters", Integer, nullable=False),
    Column("told_cents", BigInteger, nullable=False),  # what the projects base was told last
    Column("told_supporters", Integer, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    UniqueConstraint("op", name="uq_projects_op"),
    UniqueConstraint("number", name="uq_projects_number"),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint(one_of("state", ProjectState), name="state"),
    CheckConstraint("(code <> '') = (state = 'closed')", name="code"),
    CheckConstraint("directed >= 0 AND directed <= target", name="directed"),
    CheckConstraint("converted >= 0 AND converted <= directed", name="converted"),
    CheckConstraint("supporters >= 0 AND (supporters = 0) = (directed = 0)", name="supporters"),
)

# What the projects base asked, by the id under which it asked.
project_orders = Table(
    "project_orders",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("project_id", RowId, ForeignKey("projects.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),  # digest of the content
    Column("cents", BigInteger, nullable=False),  # of a release: what went back so far; of a round: its cents
    Column("at", BigInteger, nullable=False),
    Column("done_at", BigInteger),  # of a release: when everything had gone
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint(one_of("kind", ORDER_KINDS), name="kind"),
    CheckConstraint("cents >= 0", name="cents"),
    Index(
        "ix_project_orders_waiting",
        "op",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
)

orientations = Table(
    "orientations",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    Column("op", LargeBinary, nullable=False),  # of the posting, or of the arrival
    Column("project_id", RowId, ForeignKey("projects.id"), nullable=False),
    Column("origin", Text, nullable=False),
    Column("account", Text, nullable=False),  # '' where it came from another territory
    Column("holder", Text, nullable=False),  # whom it counts for: an account, an address, or one arrival of somebody
    Column("cents", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("op", name="uq_orientations_op"),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint(one_of("origin", ORIGINS), name="origin"),
    CheckConstraint("(origin = 'abroad') = (account = '')", name="account"),
    CheckConstraint("cents > 0", name="cents"),
    Index("ix_orientations_account", "account", "id"),
)

# Of each lot of an orientation: what went, what is still there, what was converted. The rest went back.
directed_lots = Table(
    "directed_lots",
    metadata,
    Column("orientation_id", RowId, ForeignKey("orientations.id"), nullable=False),
    Column("lot_id", RowId, nullable=False),
    Column("project_id", RowId, ForeignKey("projects.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("converted", BigInteger, nullable=False),
    PrimaryKeyConstraint("orientation_id", "lot_id"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint("held >= 0 AND converted >= 0 AND held + converted <= cents", name="held"),
    Index(
        "ix_directed_lots_held",
        "project_id",
        "orientation_id",
        sqlite_where=text("held > 0"),
        postgresql_where=text("held > 0"),
    ),
)

# How much each holder has directed to each project, converted or not, so that they can be counted and never named.
supports = Table(
    "supports",
    metadata,
    Column("holder", Text, nullable=False),
    Column("project_id", RowId, ForeignKey("projects.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("holder", "project_id"),
    CheckConstraint("cents >= 0", name="cents"),
)

# What went back of an orientation, under the id of the posting or of the cession that took it.
returns = Table(
    "returns",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("orientation_id", RowId, ForeignKey("orientations.id"), nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("why", Text, nullable=False),  # '' where its holder changed his mind
    Column("state", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(one_of("state", RETURN_STATES), name="state"),
    Index("ix_returns_orientation_id", "orientation_id"),
)

rounds = Table(
    "rounds",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("project_id", RowId, ForeignKey("projects.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("waiting", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("project_id", "round", name="uq_rounds_round"),
    CheckConstraint("cents > 0 AND waiting >= 0 AND waiting <= cents", name="cents"),
)

# Of each round: which part of which orientation it took, and which fund owes it.
round_lots = Table(
    "round_lots",
    metadata,
    Column("round_op", LargeBinary, ForeignKey("rounds.op"), nullable=False),
    Column("orientation_id", RowId, ForeignKey("orientations.id"), nullable=False),
    Column("lot_id", RowId, nullable=False),
    Column("payer", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    PrimaryKeyConstraint("round_op", "orientation_id", "lot_id"),
    CheckConstraint("cents > 0", name="cents"),
)

# What each fund was told that it owes for a round. A refused one counts no more: its rights are directed again.
dues = Table(
    "dues",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("round_op", LargeBinary, ForeignKey("rounds.op"), nullable=False),
    Column("payer", Text, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("round_op", "payer", name="uq_dues_round_op"),
    CheckConstraint("length(id) = 16", name="id"),
    CheckConstraint("cents > 0", name="cents"),
    CheckConstraint(one_of("state", DUE_STATES), name="state"),
    CheckConstraint("(code <> '') = (state = 'refused')", name="code"),
)

# What holders asked under their own ids, and the answer they get whenever they ask again.
direction_asks = Table(
    "direction_asks",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),  # fingerprint of the content, field by field
    Column("code", Text, nullable=False),  # '' where something was directed or taken back
    Column("facts", Text, nullable=False),  # JSON, of a refusal
    Column("answer", Text, nullable=False),  # JSON, of what was done
    Column("at", BigInteger, nullable=False),
    CheckConstraint("length(op) = 16", name="op"),
    Index("ix_direction_asks_account", "account"),
)

# Where rights go on to that a project elsewhere sends back: the choices that came after it. One row for each such cession.
onward = Table(
    "onward",
    metadata,
    Column("op", LargeBinary, primary_key=True),  # of the cession
    Column("account", Text, nullable=False),
    Column("choices", Text, nullable=False),  # addresses in their order, a space between two
    Column("giver", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # it arrived, went on, or could go no further
    CheckConstraint("length(op) = 16", name="op"),
    Index("ix_onward_at", "at", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)

# What holders direct again and again. `next` is the first period that was not run yet.
standing_orders = Table(
    "standing_orders",
    metadata,
    Column("op", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("asked", LargeBinary, nullable=False),  # digest of the content
    Column("body", Text, nullable=False),  # JSON
    Column("since", BigInteger, nullable=False),
    Column("next", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),  # when that period is over
    Column("stopped_at", BigInteger),
    CheckConstraint("length(op) = 16", name="op"),
    CheckConstraint("next >= 0", name="next"),
    Index(
        "ix_standing_orders_due_at",
        "due_at",
        sqlite_where=text("stopped_at IS NULL"),
        postgresql_where=text("stopped_at IS NULL"),
    ),
    Index("ix_standing_orders_account", "account"),
)

# Each period that was run: what was directed, or why nothing.
standing_runs = Table(
    "standing_runs",
    metadata,
    Column("order_op", LargeBinary, ForeignKey("standing_orders.op"), nullable=False),
    Column("period", Integer, nullable=False),
    Column("cents", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("order_op", "period"),
    CheckConstraint("period >= 0 AND cents >= 0", name="cents"),
)
