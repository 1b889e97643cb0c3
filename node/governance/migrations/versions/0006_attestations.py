"""What bearers and members attest with their own keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from protocol.book.migration_service import change_rule

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEFORE = "role = 'auditor' OR role = 'guide' OR role = 'member' OR role = 'partner' OR role = 'steward'"
_AFTER = (
    "role = 'auditor' OR role = 'bearer' OR role = 'guide' OR role = 'member' OR role = 'partner' OR role = 'steward'"
)


def upgrade() -> None:
    change_rule(op.get_bind(), "signers", op.f("ck_signers_role"), old=_BEFORE, new=_AFTER)
    op.create_table(
        "attestations",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "kind = 'conflict' OR kind = 'hours' OR kind = 'validation' OR kind = 'work'",
            name=op.f("ck_attestations_kind"),
        ),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_attestations_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestations")),
    )
    with op.batch_alter_table("attestations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attestations_subject"), ["subject"], unique=False)

    op.create_table(
        "bearer_signers",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("bearer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["bearer"], ["bearers.id"], name=op.f("fk_bearer_signers_bearer")),
        sa.ForeignKeyConstraint(["key"], ["signers.key"], name=op.f("fk_bearer_signers_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_bearer_signers")),
    )
    with op.batch_alter_table("bearer_signers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bearer_signers_bearer"), ["bearer"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("bearer_signers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bearer_signers_bearer"))

    op.drop_table("bearer_signers")
    with op.batch_alter_table("attestations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attestations_subject"))

    op.drop_table("attestations")
    change_rule(op.get_bind(), "signers", op.f("ck_signers_role"), old=_AFTER, new=_BEFORE)
