"""Where rights go on to that a project elsewhere sends back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "onward",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("giver", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("length(op) = 16", name=op.f("ck_onward_op")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_onward")),
    )
    with op.batch_alter_table("onward", schema=None) as batch_op:
        batch_op.create_index(
            "ix_onward_at",
            ["at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("onward", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_onward_at", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )

    op.drop_table("onward")
