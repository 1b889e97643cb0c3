"""What a base that came back from an old copy does not know of itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lost",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("person", sa.LargeBinary(), nullable=True),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(id) = 16", name=op.f("ck_lost_id")),
        sa.CheckConstraint(
            "kind IN ('opened', 'linked', 'free', 'closing', 'frozen', 'erased', 'role')", name=op.f("ck_lost_kind")
        ),
        sa.CheckConstraint("number IS NULL OR length(number) = 8", name=op.f("ck_lost_number")),
        sa.ForeignKeyConstraint(["person"], ["persons.id"], name=op.f("fk_lost_person_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost")),
    )
    op.create_index(op.f("ix_lost_number"), "lost", ["number"])
    op.create_index(op.f("ix_lost_person"), "lost", ["person"])


def downgrade() -> None:
    op.drop_table("lost")
