"""What the people's base asked and what it was told, read from the two logs. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from protocol.book import log_store
from protocol.house import HouseMessage, decode_house_slip

_CHUNK: Final = 256


def load_messages(connection: Connection, owner: str, reader: str) -> Iterator[tuple[int, HouseMessage]]:
    """Yield each message of a base to another with the index of its leaf, the oldest first."""
    log = log_store.open_log_or_empty(connection, owner, reader)
    for start in range(0, log.size, _CHUNK):
        for index, leaf in enumerate(log_store.load_leaves(connection, log.id, start, _CHUNK), start):
            for message in decode_house_slip(leaf).messages:
                yield index, message
