"""What two bases of a house told each other, as either's book holds it: their logs, message by message. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from protocol.book import log_store
from protocol.house import HouseMessage, decode_house_slip

_CHUNK: Final = 512


def load_talk(connection: Connection, owner: str, reader: str) -> Iterator[HouseMessage]:
    """Yield all that a base told another, the oldest first. Raises NotCanonical where a leaf was changed by hand."""
    return (message for _, message in load_placed_talk(connection, owner, reader))


def load_placed_talk(connection: Connection, owner: str, reader: str) -> Iterator[tuple[int, HouseMessage]]:
    """Yield the same with the index of the leaf that each message stands in. Raises NotCanonical."""
    log = log_store.open_log_or_empty(connection, owner, reader)
    for start in range(0, log.size, _CHUNK):
        for index, leaf in enumerate(log_store.load_leaves(connection, log.id, start, _CHUNK), start):
            for message in decode_house_slip(leaf).messages:
                yield index, message
