"""Keys of doors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "door_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("duties", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(asked) = 16", name=op.f("ck_door_keys_asked")),
        sa.CheckConstraint("length(secret_hash) = 32", name=op.f("ck_door_keys_secret_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_keys")),
        sa.UniqueConstraint("asked", name=op.f("uq_door_keys_asked")),
    )


def downgrade() -> None:
    op.drop_table("door_keys")
