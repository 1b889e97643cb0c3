"""Evidence that a book keeps: listed for people, taken out as files for judges."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from protocol.book.seen_store import load_seen
from protocol.book.tables import evidence
from protocol.errors import Refusal
from protocol.times import format_instant


class EvidenceUnknown(Refusal):
    """Facts: path."""

    code = "not_found"


def load_evidence(connection: Connection) -> list[dict[str, Any]]:
    """Return what is kept: number, instant, accused, kind, and since when and why it is no news any more."""
    rows = connection.execute(
        select(evidence.c.id, evidence.c.at, evidence.c.accused, evidence.c.kind).order_by(evidence.c.id)
    )
    seen = load_seen(connection)
    return [
        {"id": row.id, "at": format_instant(row.at), "accused": row.accused, "kind": row.kind}
        | dict(zip(("seen_at", "reason"), seen.get(row.id, ("", "")), strict=True))
        for row in rows
    ]


def load_evidence_file(connection: Connection, number: int) -> bytes:
    """Return the bytes of one evidence file. Raises EvidenceUnknown."""
    body = connection.execute(select(evidence.c.body).where(evidence.c.id == number)).scalar()
    if body is None:
        raise EvidenceUnknown(path=f"evidence {number}")
    return bytes(body)
