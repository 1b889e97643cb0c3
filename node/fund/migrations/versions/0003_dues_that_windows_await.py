"""Dues that windows of netting held before they came: found without reading windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from protocol.book.seals import compute_seal

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_AT_ONCE = 500


def upgrade() -> None:
    awaited = op.create_table(
        "awaited_dues",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("window_no", sa.Integer(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["window_no"], ["windows.window_no"], name=op.f("fk_awaited_dues_window_no_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awaited_dues")),
    )
    op.create_index("ix_awaited_dues_window_no", "awaited_dues", ["window_no"])
    op.create_index("ix_dues_window_no", "dues", ["window_no"])
    op.create_index("ix_payments_window_no", "payments", ["window_no"])
    op.create_index(
        "ix_net_payments_open",
        "net_payments",
        ["window_no"],
        sqlite_where=sa.text("is_ours IS 0 AND received < cents"),
        postgresql_where=sa.text("is_ours IS false AND received < cents"),
    )
    _fill(op.get_bind(), awaited)


def _fill(connection: sa.Connection, awaited: sa.Table) -> None:
    """Note what closed windows hold that has not come yet: until now each due looked through all of them, the newest first."""
    windows = sa.table("windows", sa.column("window_no"), sa.column("told"))
    dues = sa.table("dues", sa.column("id"))
    placed: set[bytes] = set()
    numbers = connection.execute(sa.select(windows.c.window_no).order_by(windows.c.window_no.desc())).scalars().all()
    for number in numbers:
        told = connection.execute(sa.select(windows.c.told).where(windows.c.window_no == number)).scalar_one()
        ids = [id_ for id_ in _read_owed(bytes(told)) if id_ not in placed]
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            here = {bytes(row[0]) for row in connection.execute(sa.select(dues.c.id).where(dues.c.id.in_(some)))}
            rows = [
                {"id": id_, "window_no": number, "seal": compute_seal("awaited_dues", [id_, number])}
                for id_ in some
                if id_ not in here
            ]
            placed.update(row["id"] for row in rows)
            if rows:
                connection.execute(awaited.insert(), rows)


def _read_owed(told: bytes) -> Iterator[bytes]:
    """Go through what others owe us in a window as it was told: [88, window, on, members, net, ids, others, cents].

    One that was changed by hand until nobody can read it holds nothing: `check` names it.
    """
    try:
        _, _, _, _, _, ids, _, cents = msgspec.msgpack.decode(told, type=tuple[Any, ...])
        yield from (id_ for id_, some in zip(ids, cents, strict=True) if some > 0)
    except (ValueError, TypeError):
        return


def downgrade() -> None:
    op.drop_index("ix_net_payments_open", "net_payments")
    op.drop_index("ix_payments_window_no", "payments")
    op.drop_index("ix_dues_window_no", "dues")
    op.drop_table("awaited_dues")
