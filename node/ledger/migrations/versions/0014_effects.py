"""What the companies' base was told last of its miles, and titles of projects elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "listed_titles",
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("territory", "number", name=op.f("pk_listed_titles")),
    )
    op.create_table(
        "told_effects",
        sa.Column("campaign", sa.LargeBinary(), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("netted", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(campaign) = 16 AND length(project) = 16", name=op.f("ck_told_effects_ids")),
        sa.CheckConstraint(
            "paid + netted <= converted AND confirmed <= converted", name=op.f("ck_told_effects_converted")
        ),
        sa.CheckConstraint(
            "waiting >= 0 AND paid >= 0 AND netted >= 0 AND confirmed >= 0", name=op.f("ck_told_effects_cents")
        ),
        sa.PrimaryKeyConstraint("campaign", "territory", "project", name=op.f("pk_told_effects")),
    )


def downgrade() -> None:
    op.drop_table("told_effects")
    op.drop_table("listed_titles")
