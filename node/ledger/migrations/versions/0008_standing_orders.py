"""standing orders"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standing_orders",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_standing_orders_op")),
        sa.CheckConstraint("next >= 0", name=op.f("ck_standing_orders_next")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_standing_orders")),
    )
    with op.batch_alter_table("standing_orders", schema=None) as batch_op:
        batch_op.create_index("ix_standing_orders_account", ["account"], unique=False)
        batch_op.create_index(
            "ix_standing_orders_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("stopped_at IS NULL"),
            postgresql_where=sa.text("stopped_at IS NULL"),
        )

    op.create_table(
        "standing_runs",
        sa.Column("order_op", sa.LargeBinary(), nullable=False),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("period >= 0 AND cents >= 0", name=op.f("ck_standing_runs_cents")),
        sa.ForeignKeyConstraint(["order_op"], ["standing_orders.op"], name=op.f("fk_standing_runs_order_op")),
        sa.PrimaryKeyConstraint("order_op", "period", name=op.f("pk_standing_runs")),
    )


def downgrade() -> None:
    op.drop_table("standing_runs")
    with op.batch_alter_table("standing_orders", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_standing_orders_due_at",
            sqlite_where=sa.text("stopped_at IS NULL"),
            postgresql_where=sa.text("stopped_at IS NULL"),
        )
        batch_op.drop_index("ix_standing_orders_account")

    op.drop_table("standing_orders")
