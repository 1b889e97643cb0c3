"""What people decided, by the id that they gave it: asked again after a lost answer, it is answered and not done again."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, insert, select

from node.fund.tables import decisions
from protocol.book.worker import Page
from protocol.errors import IdMismatch
from protocol.identifiers import Id16


def find_answer(connection: Connection, id_: Id16 | None, asked: Any) -> str | None:
    """Return what was answered under this id, or None where nothing was. Raises IdMismatch where something else was asked."""
    if id_ is None:
        return None
    row = connection.execute(select(decisions).where(decisions.c.id == id_)).first()
    if row is None:
        return None
    if bytes(row.asked) != _digest_of(asked):
        raise IdMismatch(id=id_.hex(), field="content")
    return str(row.answer)


def keep_answer(page: Page, id_: Id16 | None, asked: Any, answer: str) -> None:
    """Keep what was done under this id."""
    if id_ is not None:
        page.connection.execute(insert(decisions).values(id=id_, asked=_digest_of(asked), answer=answer, at=page.now))


def _digest_of(asked: Any) -> bytes:
    """Return a digest of what was asked: the kind of decision and every field but the id."""
    told = [type(asked).__name__, *(repr(getattr(asked, one.name)) for one in fields(asked) if one.name != "id")]
    return hashlib.blake2b("\0".join(told).encode(), digest_size=32).digest()
