"""Passes and the keys that signed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pass_keys",
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("public", name=op.f("pk_pass_keys")),
    )
    op.create_table(
        "passes",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("project", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("replaces", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Integer(), nullable=True),
        sa.Column("checked_decision", sa.LargeBinary(), nullable=True),
        sa.Column("validated_on", sa.Integer(), nullable=True),
        sa.Column("validated_decision", sa.LargeBinary(), nullable=True),
        sa.Column("validated_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("list", sa.Integer(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("png", sa.LargeBinary(), nullable=True),
        sa.Column("svg", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "state = 'checked' OR state = 'claimed' OR state = 'issued' OR state = 'refused' OR state = 'revoked' OR state = 'suspended' OR state = 'validated'",
            name=op.f("ck_passes_state"),
        ),
        sa.CheckConstraint(
            "(issued_at IS NULL) = (credential IS NULL) AND (issued_at IS NULL) = (place IS NULL)",
            name=op.f("ck_passes_issued"),
        ),
        sa.ForeignKeyConstraint(["key"], ["pass_keys.public"], name=op.f("fk_passes_key")),
        sa.ForeignKeyConstraint(["png"], ["files.digest"], name=op.f("fk_passes_png")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_passes_project")),
        sa.ForeignKeyConstraint(["replaces"], ["passes.id"], name=op.f("fk_passes_replaces")),
        sa.ForeignKeyConstraint(["svg"], ["files.digest"], name=op.f("fk_passes_svg")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passes")),
        sa.UniqueConstraint("list", "place", name=op.f("uq_passes_list_place")),
    )
    with op.batch_alter_table("passes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passes_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_passes_project"), ["project"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("passes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passes_project"))
        batch_op.drop_index(batch_op.f("ix_passes_account"))

    op.drop_table("passes")
    op.drop_table("pass_keys")
