"""Groups with a guide"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "guided_groups",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_guided_groups")),
        sa.UniqueConstraint("op", name=op.f("uq_guided_groups_op")),
    )
    op.create_table(
        "guides",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_code", sa.Text(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_code = '')", name=op.f("ck_guides_ended")),
        sa.CheckConstraint("length(id) = 16 AND length(key) = 32", name=op.f("ck_guides_lengths")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guides")),
    )
    op.create_table(
        "group_consents",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("guide", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("until_day", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("(member = '') = (digest IS NOT NULL)", name=op.f("ck_group_consents_paper")),
        sa.CheckConstraint("until_day >= from_day", name=op.f("ck_group_consents_term")),
        sa.ForeignKeyConstraint(["account"], ["guided_groups.account"], name=op.f("fk_group_consents_account")),
        sa.ForeignKeyConstraint(["guide"], ["guides.id"], name=op.f("fk_group_consents_guide")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_group_consents")),
    )
    with op.batch_alter_table("group_consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_group_consents_account"), ["account"], unique=False)

    op.create_table(
        "group_members",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["guided_groups.account"], name=op.f("fk_group_members_account")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_group_members")),
    )
    with op.batch_alter_table("group_members", schema=None) as batch_op:
        batch_op.create_index(
            "uq_group_members_living",
            ["account", "member"],
            unique=True,
            sqlite_where=sa.text("left_at IS NULL"),
            postgresql_where=sa.text("left_at IS NULL"),
        )

    op.create_table(
        "guide_acts",
        sa.Column("op", sa.LargeBinary(), nullable=False),
        sa.Column("guide", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["guided_groups.account"], name=op.f("fk_guide_acts_account")),
        sa.ForeignKeyConstraint(["guide"], ["guides.id"], name=op.f("fk_guide_acts_guide")),
        sa.PrimaryKeyConstraint("op", name=op.f("pk_guide_acts")),
    )
    with op.batch_alter_table("guide_acts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guide_acts_account"), ["account"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("guide_acts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guide_acts_account"))

    op.drop_table("guide_acts")
    with op.batch_alter_table("group_members", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_group_members_living",
            sqlite_where=sa.text("left_at IS NULL"),
            postgresql_where=sa.text("left_at IS NULL"),
        )

    op.drop_table("group_members")
    with op.batch_alter_table("group_consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_group_consents_account"))

    op.drop_table("group_consents")
    op.drop_table("guides")
    op.drop_table("guided_groups")
