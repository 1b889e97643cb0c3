"""Cessions as their askers see them: read from a snapshot, by whoever shows them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from node.federation import store
from node.federation.cessions import CessionView
from node.federation.errors import CessionUnknown
from protocol.cession import TERMINAL, CessionState, state_of
from protocol.findings import Finding


def load_cession(connection: Connection, op: bytes) -> CessionView:
    """Return where a cession stands. Raises CessionUnknown."""
    row = store.find_cession(connection, op)
    if row is None:
        raise CessionUnknown(id=op.hex())
    return view_of(row)


def load_cessions(
    connection: Connection, *, account: str | None = None, before: int | None = None, limit: int = 50
) -> tuple[list[CessionView], int | None]:
    """Return cessions sent, the newest first, and the cursor for older ones."""
    rows = store.load_cessions(connection, account=account, before=before, limit=limit)
    cursor = rows[-1].id if len(rows) == limit else None
    return [view_of(row) for row in rows], cursor


def load_findings(connection: Connection) -> list[Finding]:
    """Return what the hub told that does not fit our book."""
    return [Finding("I4", row.place, row.expected, row.found) for row in store.load_breaks(connection)]


def view_of(row: Row[Any]) -> CessionView:
    """Return what is shown of a cession, from its row with its slip's."""
    exception = None if row.exception is None else CessionState(row.exception)
    state = state_of(CessionState(row.state), exception)
    has_ended = state in TERMINAL
    return CessionView(
        op=bytes(row.op),
        account=row.account,
        beneficiary=row.beneficiary,
        cents=row.cents,
        state=state,
        code=row.code or (row.slip_code if state is CessionState.REFUSED else ""),
        reference=f"{row.epoch}/{row.ix}/{row.place}",
        recall=row.recall,
        queued_at=row.queued_at,
        cleared_at=None if state is CessionState.REFUSED else row.cleared_at,
        handed_at=row.handed_at if state not in (CessionState.RECALLED, CessionState.EXPIRED) else None,
        ended_at=(row.exception_at if exception is not None else row.ended_at) if has_ended else None,
        national=row.national,
    )
