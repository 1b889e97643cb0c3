"""What became of a campaign's miles in each project, as the accounts said last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "effects",
        sa.Column("campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("netted", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(project) = 16", name=op.f("ck_effects_project")),
        sa.CheckConstraint("paid + netted <= converted AND confirmed <= converted", name=op.f("ck_effects_converted")),
        sa.CheckConstraint(
            "waiting >= 0 AND paid >= 0 AND netted >= 0 AND confirmed >= 0", name=op.f("ck_effects_cents")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name=op.f("fk_effects_campaign_id")),
        sa.PrimaryKeyConstraint("campaign_id", "territory", "project", name=op.f("pk_effects")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("effects")
