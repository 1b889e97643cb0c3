"""called lots: one flag more in a lot's class"""

from __future__ import annotations

from alembic import op

from protocol.book.migration_service import change_rule

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _allow(31, before=15)


def downgrade() -> None:
    _allow(15, before=31)


def _allow(class_max: int, *, before: int) -> None:
    rule = "lot_class >= 0 AND lot_class <= {}"
    name = op.f("ck_lots_lot_class")
    change_rule(op.get_bind(), "lots", name, old=rule.format(before), new=rule.format(class_max))
