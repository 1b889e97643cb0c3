"""What two bases told each other, as the fund's book holds it: their logs, message by message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from protocol.book import log_store
from protocol.house import HouseMessage, decode_house_slip

_CHUNK: Final = 512


def read_talk(connection: Connection, owner: str, reader: str) -> Iterator[HouseMessage]:
    """Go through all that a base told another, the oldest first. Raises NotCanonical where a leaf was changed by hand."""
    log = log_store.open_log_or_empty(connection, owner, reader)
    for start in range(0, log.size, _CHUNK):
        for leaf in log_store.load_leaves(connection, log.id, start, _CHUNK):
            yield from decode_house_slip(leaf).messages
