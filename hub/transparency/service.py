"""Writing the national log, signing checkpoints, proving histories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, select

from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.prepared_store import Prepared
from protocol.book.service import Page
from protocol.book.tables import leaves
from protocol.envelopes import Checkpoint, History, SignedCheckpoint, sign_checkpoint
from protocol.exchange.service import EVERYBODY, Identity
from protocol.keys import SecretKeys
from protocol.national import NationalEntry, encode_national
from protocol.times import Instant

_KEY: Final = "national"
_FIND_INSTANT: Final = Prepared(
    select(leaves.c.at).where(leaves.c.log_id == bindparam("log_id"), leaves.c.ix == bindparam("index"))
)


def note(page: Page, hub: str, entry: NationalEntry) -> int:
    """Write a leaf of the national log on this page and return its index."""
    pending: list[bytes] | None = page.memo.get(_KEY)
    if pending is None:
        log = log_store.open_log(page.connection, hub, EVERYBODY)
        pending = []
        page.memo[_KEY] = pending
        page.memo[_KEY, "log"] = log
        page.memo[_KEY, "floor"] = _last_instant(page.connection, log)
    log = page.memo[_KEY, "log"]
    pending.append(encode_national(entry))
    page.at_close(_KEY, lambda: _append(page))
    return int(log.size) + len(pending) - 1


def _append(page: Page) -> None:
    pending: list[bytes] = page.memo[_KEY]
    # A clock that steps back must not make a later checkpoint look older: leaves never do.
    at = max(page.now, page.memo[_KEY, "floor"])
    log_store.append_leaves(page.connection, page.memo[_KEY, "log"], pending, at)
    pending.clear()


class CheckpointSigner:
    """Signs each size of the national log once; the same size gives the same bytes while the hub runs."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._last: dict[bytes, tuple[int, int, bytes, SignedCheckpoint]] = {}

    def sign(self, connection: Connection, secret: SecretKeys) -> tuple[Log, SignedCheckpoint]:
        """Return the national log as this snapshot sees it and the hub's signature of its head, with these keys."""
        log = log_store.open_log_or_empty(connection, self._identity.code, EVERYBODY)
        last = self._last.get(secret.public.id)
        if last is not None and last[:3] == (log.epoch, log.size, log.root):
            return log, last[3]
        at = _last_instant(connection, log)
        signed = sign_checkpoint(
            secret,
            Checkpoint(self._identity.network, self._identity.code, log.epoch, log.size, log.root, at),
        )
        self._last[secret.public.id] = (log.epoch, log.size, log.root, signed)
        return log, signed


def _last_instant(connection: Connection, log: Log) -> Instant:
    """A checkpoint is as old as its last leaf: the same log always gives the same checkpoint."""
    if not log.size:
        return Instant(0)
    return Instant(_FIND_INSTANT.value(connection, log_id=log.id, index=log.size - 1))


def find_histories(connection: Connection, national: Log, sizes: Iterable[int]) -> list[History]:
    """Return, for each smaller size, the proof that this national log continues it."""
    return [
        History(size, tuple(log_store.load_consistency(connection, national.id, size, national.size)))
        for size in sorted(set(sizes))
        if 0 < size < national.size
    ]
