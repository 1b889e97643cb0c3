"""counterfoils"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counterfoils",
        sa.Column("log_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ix", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "ix", name=op.f("pk_counterfoils")),
    )
    with op.batch_alter_table("slips") as batch:
        batch.create_index("ix_slips_ended_at", ["ended_at"])


def downgrade() -> None:
    with op.batch_alter_table("slips") as batch:
        batch.drop_index("ix_slips_ended_at")
    op.drop_table("counterfoils")
