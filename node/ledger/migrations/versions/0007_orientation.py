"""orientation: projects, what is directed to them, rounds; the account of what was converted, and two kinds of posting"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from protocol.book.migration_service import change_rule

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ACCOUNTS = (
    *("abroad", "border", "entity", "group", "issuance", "person", "pool", "project"),
    *("transit", "unclaimed"),
)
_KINDS = (
    *("cede_in", "cede_out", "cession", "credit", "delivered", "endowment", "gift", "moved"),
    *("orientation", "returned", "reversal"),
)
_RULES = (
    ("accounts", _ACCOUNTS, (*_ACCOUNTS, "converted")),
    ("transfers", _KINDS, (*_KINDS, "conversion", "given_back")),
    ("tallies", _KINDS, (*_KINDS, "conversion", "given_back")),
)
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(column: str, members: Sequence[str]) -> str:
    return " OR ".join(f"{column} = '{member}'" for member in sorted(members))


def _say_again(*, is_upgrade: bool) -> None:
    for table, before, after in _RULES:
        old, new = (_one_of("kind", members) for members in ((before, after) if is_upgrade else (after, before)))
        change_rule(op.get_bind(), table, op.f(f"ck_{table}_kind"), old=old, new=new)


def upgrade() -> None:
    _say_again(is_upgrade=True)
    op.create_table(
        "direction_asks",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_direction_asks_op")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_direction_asks")),
    )
    with op.batch_alter_table("direction_asks", schema=None) as batch_op:
        batch_op.create_index("ix_direction_asks_account", ["account"], unique=False)

    op.create_table(
        "projects",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("shown_name", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("directed", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.Column("supporters", sa.Integer(), nullable=False),
        sa.Column("told_cents", sa.BigInteger(), nullable=False),
        sa.Column("told_supporters", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(code <> '') = (state = 'closed')", name=op.f("ck_projects_code")),
        sa.CheckConstraint("state = 'closed' OR state = 'committed' OR state = 'open'", name=op.f("ck_projects_state")),
        sa.CheckConstraint("converted >= 0 AND converted <= directed", name=op.f("ck_projects_converted")),
        sa.CheckConstraint("directed >= 0 AND directed <= target", name=op.f("ck_projects_directed")),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_projects_op")),
        sa.CheckConstraint(
            "supporters >= 0 AND (supporters = 0) = (directed = 0)", name=op.f("ck_projects_supporters")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("number", name="uq_projects_number"),
        sa.UniqueConstraint("op", name="uq_projects_op"),
    )
    op.create_table(
        "orientations",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(origin = 'abroad') = (account = '')", name=op.f("ck_orientations_account")),
        sa.CheckConstraint("origin = 'abroad' OR origin = 'home'", name=op.f("ck_orientations_origin")),
        sa.CheckConstraint("cents > 0", name=op.f("ck_orientations_cents")),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_orientations_op")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_orientations_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orientations")),
        sa.UniqueConstraint("op", name="uq_orientations_op"),
    )
    with op.batch_alter_table("orientations", schema=None) as batch_op:
        batch_op.create_index("ix_orientations_account", ["account", "id"], unique=False)

    op.create_table(
        "project_orders",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind = 'commit' OR kind = 'convert' OR kind = 'open' OR kind = 'release'",
            name=op.f("ck_project_orders_kind"),
        ),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_project_orders_cents")),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_project_orders_op")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_project_orders_project_id")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_project_orders")),
    )
    with op.batch_alter_table("project_orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_project_orders_waiting",
            ["op"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "rounds",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents > 0 AND waiting >= 0 AND waiting <= cents", name=op.f("ck_rounds_cents")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_rounds_project_id")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_rounds")),
        sa.UniqueConstraint("project_id", "round", name="uq_rounds_round"),
    )
    op.create_table(
        "supports",
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents >= 0", name=op.f("ck_supports_cents")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_supports_project_id")),
        sa.PrimaryKeyConstraint("holder", "project_id", name=op.f("pk_supports")),
    )
    op.create_table(
        "directed_lots",
        sa.Column("orientation_id", _ID, nullable=False),
        sa.Column("lot_id", _ID, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_directed_lots_cents")),
        sa.CheckConstraint(
            "held >= 0 AND converted >= 0 AND held + converted <= cents", name=op.f("ck_directed_lots_held")
        ),
        sa.ForeignKeyConstraint(["orientation_id"], ["orientations.id"], name=op.f("fk_directed_lots_orientation_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_directed_lots_project_id")),
        sa.PrimaryKeyConstraint("orientation_id", "lot_id", name=op.f("pk_directed_lots")),
    )
    with op.batch_alter_table("directed_lots", schema=None) as batch_op:
        batch_op.create_index(
            "ix_directed_lots_held",
            ["project_id", "orientation_id"],
            unique=False,
            sqlite_where=sa.text("held > 0"),
            postgresql_where=sa.text("held > 0"),
        )

    op.create_table(
        "dues",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("round_op", sa.LargeBinary(), nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(code <> '') = (state = 'refused')", name=op.f("ck_dues_code")),
        sa.CheckConstraint(
            "state = 'paid' OR state = 'refused' OR state = 'taken' OR state = 'told'", name=op.f("ck_dues_state")
        ),
        sa.CheckConstraint("cents > 0", name=op.f("ck_dues_cents")),
        sa.CheckConstraint("length(id) = 16", name=op.f("ck_dues_id")),
        sa.ForeignKeyConstraint(["round_op"], ["rounds.op"], name=op.f("fk_dues_round_op")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dues")),
        sa.UniqueConstraint("round_op", "payer", name="uq_dues_round_op"),
    )
    op.create_table(
        "returns",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("orientation_id", _ID, nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state = 'came_back' OR state = 'done'", name=op.f("ck_returns_state")),
        sa.CheckConstraint("cents > 0", name=op.f("ck_returns_cents")),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_returns_op")),
        sa.ForeignKeyConstraint(["orientation_id"], ["orientations.id"], name=op.f("fk_returns_orientation_id")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_returns")),
    )
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.create_index("ix_returns_orientation_id", ["orientation_id"], unique=False)

    op.create_table(
        "round_lots",
        sa.Column("round_op", sa.LargeBinary(), nullable=False),
        sa.Column("orientation_id", _ID, nullable=False),
        sa.Column("lot_id", _ID, nullable=False),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("cents > 0", name=op.f("ck_round_lots_cents")),
        sa.ForeignKeyConstraint(["orientation_id"], ["orientations.id"], name=op.f("fk_round_lots_orientation_id")),
        sa.ForeignKeyConstraint(["round_op"], ["rounds.op"], name=op.f("fk_round_lots_round_op")),
        sa.PrimaryKeyConstraint("round_op", "orientation_id", "lot_id", name=op.f("pk_round_lots")),
    )


def downgrade() -> None:
    op.drop_table("round_lots")
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.drop_index("ix_returns_orientation_id")

    op.drop_table("returns")
    op.drop_table("dues")
    with op.batch_alter_table("directed_lots", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_directed_lots_held", sqlite_where=sa.text("held > 0"), postgresql_where=sa.text("held > 0")
        )

    op.drop_table("directed_lots")
    op.drop_table("supports")
    op.drop_table("rounds")
    with op.batch_alter_table("project_orders", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_project_orders_waiting",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.drop_table("project_orders")
    with op.batch_alter_table("orientations", schema=None) as batch_op:
        batch_op.drop_index("ix_orientations_account")

    op.drop_table("orientations")
    op.drop_table("projects")
    with op.batch_alter_table("direction_asks", schema=None) as batch_op:
        batch_op.drop_index("ix_direction_asks_account")

    op.drop_table("direction_asks")
    _say_again(is_upgrade=False)
