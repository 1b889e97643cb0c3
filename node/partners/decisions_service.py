"""What people asked for, by the id that they gave it: asked again after a lost answer, it is answered and not done again."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select

from node.partners.seals import seal
from node.partners.tables import decisions
from protocol.book.worker import Page
from protocol.errors import IdMismatch
from protocol.identifiers import Id16, format_id


def find_answer(connection: Connection, id_: Id16 | None, *asked: object) -> str | None:
    """Return what was answered under this id, or None where nothing was. Raises IdMismatch where something else was asked."""
    if id_ is None:
        return None
    row = connection.execute(select(decisions).where(decisions.c.id == id_)).first()
    if row is None:
        return None
    if bytes(row.asked) != _digest(asked):
        raise IdMismatch(id=format_id(id_), field="content")
    return str(row.answer)


def keep_answer(page: Page, id_: Id16 | None, answer: str, *asked: object) -> None:
    """Keep what was done under this id."""
    if id_ is None:
        return
    values = {"id": id_, "asked": _digest(asked), "answer": answer, "at": page.now}
    page.connection.execute(decisions.insert().values(**seal("decisions", values)))


def _digest(asked: tuple[object, ...]) -> bytes:
    return hashlib.blake2b("\0".join(map(str, asked)).encode(), digest_size=32).digest()
