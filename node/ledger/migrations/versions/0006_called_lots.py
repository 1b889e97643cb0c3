"""called lots: one flag more in a lot's class"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _allow(31)


def downgrade() -> None:
    _allow(15)


def _allow(class_max: int) -> None:
    name = op.f("ck_lots_lot_class")
    with op.batch_alter_table("lots") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, f"lot_class >= 0 AND lot_class <= {class_max}")
