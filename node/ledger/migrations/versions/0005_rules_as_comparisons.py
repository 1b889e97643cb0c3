"""rules of the federation's tables as comparisons: SQLite builds a table for every row where they are written with IN"""

from __future__ import annotations

from collections.abc import Callable

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATES = ("cleared", "delivered", "expired", "handed_over", "queued", "recalled", "refused", "returned")
_RULES = (
    ("sent_slips", "state", _STATES),
    ("cessions", "exception", _STATES),
    ("cessions", "recall", ("", "asked", "too_late")),
    ("arrivals", "state", ("delivered", "returned")),
)


def upgrade() -> None:
    _say_again(lambda column, members: " OR ".join(f"{column} = '{member}'" for member in members))


def downgrade() -> None:
    _say_again(lambda column, members: f"{column} IN ({', '.join(repr(member) for member in members)})")


def _say_again(say: Callable[[str, tuple[str, ...]], str]) -> None:
    for table, column, members in _RULES:
        name = op.f(f"ck_{table}_{column}")
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(name, type_="check")
            batch.create_check_constraint(name, say(column, members))
