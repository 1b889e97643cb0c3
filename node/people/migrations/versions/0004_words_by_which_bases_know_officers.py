"""Words by which bases know officers, so that their keys end with the duty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from protocol.book.migration_service import change_rule

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BEFORE = "kind = 'end_role' OR kind = 'grant_role' OR kind = 'publish_text' OR kind = 'set_rule'"
_AFTER = "kind = 'end_role' OR kind = 'grant_role' OR kind = 'name_role' OR kind = 'publish_text' OR kind = 'set_rule'"


def upgrade() -> None:
    change_rule(op.get_bind(), "proposals", op.f("ck_proposals_kind"), old=_BEFORE, new=_AFTER)
    op.create_table(
        "role_words",
        sa.Column("role", sa.LargeBinary(), nullable=False),
        sa.Column("word", sa.Text(), server_default="", nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("proposal", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doors", sa.Integer(), server_default="0", nullable=False),
        sa.Column("signers", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(state = 'named') = (told IS NULL)", name=op.f("ck_role_words_told")),
        sa.CheckConstraint(
            "state = 'named' OR state = 'placed' OR state = 'told' OR state = 'unplaced'",
            name=op.f("ck_role_words_state"),
        ),
        sa.CheckConstraint("key IS NULL OR length(key) = 8", name=op.f("ck_role_words_key")),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name=op.f("fk_role_words_proposal")),
        sa.ForeignKeyConstraint(["role"], ["roles.id"], name=op.f("fk_role_words_role")),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_role_words")),
        sa.UniqueConstraint("told", name=op.f("uq_role_words_told")),
    )


def downgrade() -> None:
    op.drop_table("role_words")
    change_rule(op.get_bind(), "proposals", op.f("ck_proposals_kind"), old=_AFTER, new=_BEFORE)
