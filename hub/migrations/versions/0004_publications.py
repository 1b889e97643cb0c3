"""publications"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "publications",
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("card_number", sa.BigInteger(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("catalogue_number", sa.BigInteger(), nullable=False),
        sa.Column("catalogue", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(catalogue_number = 0) = (length(catalogue) = 0)", name=op.f("ck_publications_catalogue")),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_publications")),
        sa.UniqueConstraint("place", name=op.f("uq_publications_place")),
    )


def downgrade() -> None:
    op.drop_table("publications")
