"""What an operator said of the evidence in this book: that he has seen it, and what came of it.

Evidence is never deleted or changed; what is said of it stands beside it, as facts of the book.
"""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import Connection, select

from protocol.book.tables import facts
from protocol.times import Instant, format_instant

_NAME: Final = "evidence seen "


def load_seen(connection: Connection) -> dict[int, tuple[str, str]]:
    """Return, by the number of the evidence, since when it is seen, and why it is no news any more."""
    rows = connection.execute(select(facts.c.name, facts.c.value).where(facts.c.name.startswith(_NAME)))
    told = {int(name.removeprefix(_NAME)): json.loads(value) for name, value in rows}
    return {number: (format_instant(Instant(one["at"])), one["reason"]) for number, one in told.items()}


def save_seen(connection: Connection, number: int, reason: str, now: Instant) -> None:
    """Keep what the operator says of evidence, in place of what he said before."""
    name = f"{_NAME}{number}"
    connection.execute(facts.delete().where(facts.c.name == name))
    connection.execute(facts.insert().values(name=name, value=json.dumps({"at": now, "reason": reason})))
