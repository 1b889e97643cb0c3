"""Logs in SQL: append leaves, keep the frontier, load what proofs need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from protocol import merkle
from protocol.book.rows_store import insert_rows
from protocol.book.tables import attachments, counterfoils, leaves, logs, nodes
from protocol.merkle import Frontier
from protocol.times import Instant

HASH_BYTES = 32


@dataclass(slots=True)
class Log:
    """One log as it stands in this transaction. `append` keeps it in step with the tables."""

    id: int
    owner: str
    reader: str
    epoch: int
    frontier: Frontier
    root: bytes
    acked: int

    @property
    def size(self) -> int:
        return self.frontier.size


def _from_row(row: tuple[int, str, str, int, int, bytes, bytes, int]) -> Log:
    id_, owner, reader, epoch, size, root, peaks, acked = row
    parts = tuple(bytes(peaks[at : at + HASH_BYTES]) for at in range(0, len(peaks), HASH_BYTES))
    return Log(id_, owner, reader, epoch, Frontier(size, parts), bytes(root), acked)


_COLUMNS = (
    logs.c.id,
    logs.c.owner,
    logs.c.reader,
    logs.c.epoch,
    logs.c.size,
    logs.c.root,
    logs.c.peaks,
    logs.c.acked,
)


def find_log(connection: Connection, owner: str, reader: str) -> Log | None:
    """Return the log of the newest epoch, or None where the two never spoke."""
    row = connection.execute(
        select(*_COLUMNS).where(logs.c.owner == owner, logs.c.reader == reader).order_by(logs.c.epoch.desc()).limit(1)
    ).first()
    return None if row is None else _from_row(tuple(row))


def open_log(connection: Connection, owner: str, reader: str) -> Log:
    """Return the log, begun at epoch 1 where the two never spoke."""
    found = find_log(connection, owner, reader)
    if found is not None:
        return found
    connection.execute(
        logs.insert().values(owner=owner, reader=reader, epoch=1, size=0, root=merkle.EMPTY_ROOT, peaks=b"", acked=0)
    )
    found = find_log(connection, owner, reader)
    assert found is not None
    return found


def open_log_or_empty(connection: Connection, owner: str, reader: str) -> Log:
    """Return the log, or an empty one that is not stored: for readers, who write nothing."""
    found = find_log(connection, owner, reader)
    return found or Log(0, owner, reader, 1, Frontier(0, ()), merkle.EMPTY_ROOT, 0)


def load_logs(connection: Connection) -> list[Log]:
    """Return every log of the book, by id."""
    return [_from_row(tuple(row)) for row in connection.execute(select(*_COLUMNS).order_by(logs.c.id))]


def append_leaves(connection: Connection, log: Log, new: Sequence[bytes], at: Instant) -> int:
    """Append leaves and return the index of the first; the caller's transaction makes them durable."""
    first = log.size
    if not new:
        return first
    insert_rows(
        connection,
        leaves,
        ("log_id", "ix", "leaf", "at"),
        [(log.id, first + place, leaf, at) for place, leaf in enumerate(new)],
    )
    frontier, completed = log.frontier.extend([merkle.hash_leaf(leaf) for leaf in new])
    insert_rows(
        connection,
        nodes,
        ("log_id", "level", "ix", "hash"),
        [(log.id, level, index, node) for level, index, node in completed],
    )
    log.frontier = frontier
    log.root = merkle.root(frontier)
    connection.execute(
        update(logs)
        .where(logs.c.id == log.id)
        .values(size=frontier.size, root=log.root, peaks=b"".join(frontier.peaks))
    )
    return first


def save_acked(connection: Connection, log: Log, acked: int) -> None:
    """Remember how much of our log the other side holds durably; it only grows."""
    if acked > log.acked:
        log.acked = acked
        connection.execute(update(logs).where(logs.c.id == log.id).values(acked=acked))


def load_leaves(connection: Connection, log_id: int, start: int, count: int) -> list[bytes]:
    """Return up to `count` leaves from index `start`, in order."""
    rows = connection.execute(
        select(leaves.c.leaf)
        .where(leaves.c.log_id == log_id, leaves.c.ix >= start, leaves.c.ix < start + count)
        .order_by(leaves.c.ix)
    )
    return [bytes(row[0]) for row in rows]


def load_leaf(connection: Connection, log_id: int, index: int) -> bytes:
    """Return one leaf, which must exist."""
    return bytes(
        connection.execute(select(leaves.c.leaf).where(leaves.c.log_id == log_id, leaves.c.ix == index)).scalar_one()
    )


def load_nodes(connection: Connection, log_id: int, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Return the stored tree nodes at these (level, index) places."""
    by_level: dict[int, list[int]] = {}
    for level, index in wanted:
        by_level.setdefault(level, []).append(index)
    found: dict[tuple[int, int], bytes] = {}
    for level, indexes in by_level.items():
        for row in connection.execute(
            select(nodes.c.ix, nodes.c.hash).where(
                nodes.c.log_id == log_id, nodes.c.level == level, nodes.c.ix.in_(indexes)
            )
        ):
            found[level, row[0]] = bytes(row[1])
    return found


def load_root(connection: Connection, log: Log, size: int) -> bytes:
    """Return the root the log had at `size` (0 <= size <= its size now)."""
    if size == log.size:
        return log.root
    return merkle.root_at(size, load_nodes(connection, log.id, merkle.root_nodes(size)))


def load_frontier(connection: Connection, log: Log, size: int) -> Frontier:
    """Return the frontier the log had at `size`."""
    if size == log.size:
        return log.frontier
    return merkle.frontier_at(size, load_nodes(connection, log.id, merkle.root_nodes(size)))


def load_inclusion(connection: Connection, log_id: int, index: int, size: int) -> list[bytes]:
    """Return the RFC 9162 inclusion proof of leaf `index` in the log at `size`."""
    return merkle.build_inclusion(index, size, load_nodes(connection, log_id, merkle.inclusion_nodes(index, size)))


def load_consistency(connection: Connection, log_id: int, size1: int, size2: int) -> list[bytes]:
    """Return the RFC 9162 consistency proof between two sizes."""
    return merkle.build_consistency(
        size1, size2, load_nodes(connection, log_id, merkle.consistency_nodes(size1, size2))
    )


def save_attachments(connection: Connection, log_id: int, bodies: Sequence[tuple[int, bytes]]) -> None:
    """Keep bytes that travel beside leaves: (leaf index, body)."""
    insert_rows(connection, attachments, ("log_id", "ix", "body"), [(log_id, ix, body) for ix, body in bodies])


def load_attachments(connection: Connection, log_id: int, start: int, count: int) -> dict[int, bytes]:
    """Return the attachments of leaves start..start+count-1 that still exist."""
    rows = connection.execute(
        select(attachments.c.ix, attachments.c.body).where(
            attachments.c.log_id == log_id, attachments.c.ix >= start, attachments.c.ix < start + count
        )
    )
    return {row[0]: bytes(row[1]) for row in rows}


def delete_attachment(connection: Connection, log_id: int, index: int) -> None:
    """Forget what travelled beside a leaf; the leaf and every proof still hold."""
    connection.execute(attachments.delete().where(attachments.c.log_id == log_id, attachments.c.ix == index))


def save_counterfoils(connection: Connection, log_id: int, bodies: Sequence[tuple[int, bytes]]) -> None:
    """Keep what an author sealed for itself: (leaf index, body)."""
    insert_rows(connection, counterfoils, ("log_id", "ix", "body"), [(log_id, ix, body) for ix, body in bodies])


def load_counterfoils(connection: Connection, log_id: int, start: int, count: int) -> dict[int, bytes]:
    """Return the counterfoils of leaves start..start+count-1 that still exist."""
    rows = connection.execute(
        select(counterfoils.c.ix, counterfoils.c.body).where(
            counterfoils.c.log_id == log_id, counterfoils.c.ix >= start, counterfoils.c.ix < start + count
        )
    )
    return {row[0]: bytes(row[1]) for row in rows}


def delete_counterfoil(connection: Connection, log_id: int, index: int) -> None:
    """Forget what an author kept of a slip."""
    connection.execute(counterfoils.delete().where(counterfoils.c.log_id == log_id, counterfoils.c.ix == index))


def raise_epoch(connection: Connection, log: Log, epoch: int) -> None:
    """Let the log go on, as it is, under a later epoch."""
    if epoch <= log.epoch:
        raise ValueError(f"epoch {epoch} is not after {log.epoch}")
    log.epoch = epoch
    connection.execute(update(logs).where(logs.c.id == log.id).values(epoch=epoch))


def lower_acked(connection: Connection, log: Log, acked: int) -> None:
    """The other side lost what it once acknowledged, and said so: it must be sent again."""
    log.acked = acked
    connection.execute(update(logs).where(logs.c.id == log.id).values(acked=acked))


def count_leaves(connection: Connection, log_id: int) -> int:
    """Return how many leaves are stored, counted."""
    return connection.execute(select(func.count()).select_from(leaves).where(leaves.c.log_id == log_id)).scalar_one()
