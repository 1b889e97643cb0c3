"""The national log, with the slips and signed heads that it follows from, for anybody who wants to replay it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from hub.transparency.service import CheckpointSigner
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.exchange.service import Identity, load_kept_head
from protocol.national_file import MemberHead, NationalHeader, NationalRecord, find_slip_key

_CHUNK: Final = 512


def load_header(connection: Connection, identity: Identity) -> tuple[Log, NationalHeader]:
    """Return the national log as this snapshot sees it, and what its file begins with."""
    national, checkpoint = CheckpointSigner(identity).sign(connection, identity.keyring.current)
    heads: list[MemberHead] = []
    for log in log_store.load_logs(connection):
        kept = load_kept_head(connection, log.owner, identity.code) if log.reader == identity.code else None
        if kept is not None:
            heads.append(MemberHead(log.owner, kept[0], kept[1]))
    return national, NationalHeader(1, identity.network, identity.code, checkpoint, tuple(heads))


def load_records(connection: Connection, identity: Identity, national: Log) -> Iterator[NationalRecord]:
    """Yield each leaf with the slip that it takes, in order."""
    owners = {log.owner: log.id for log in log_store.load_logs(connection) if log.reader == identity.code}
    for start in range(0, national.size, _CHUNK):
        for leaf in log_store.load_leaves(connection, national.id, start, min(_CHUNK, national.size - start)):
            key = find_slip_key(leaf)
            slip = b""
            if key is not None and key[0] in owners:
                slip = next(iter(log_store.load_leaves(connection, owners[key[0]], key[2], 1)), b"")
            yield NationalRecord(leaf, slip)
