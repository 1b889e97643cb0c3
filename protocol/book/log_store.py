"""Logs in SQL: append leaves, keep the frontier, load what proofs need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, bindparam, delete, func, select

from protocol import merkle
from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_rows, update_rows
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

_FIND_LOG = Prepared(
    select(*_COLUMNS)
    .where(logs.c.owner == bindparam("owner"), logs.c.reader == bindparam("reader"))
    .order_by(logs.c.epoch.desc())
    .limit(1)
)
_LOAD_LEAVES = Prepared(
    select(leaves.c.leaf)
    .where(leaves.c.log_id == bindparam("log_id"), leaves.c.ix >= bindparam("start"), leaves.c.ix < bindparam("stop"))
    .order_by(leaves.c.ix)
)
_LOAD_NODE = Prepared(
    select(nodes.c.hash).where(
        nodes.c.log_id == bindparam("log_id"), nodes.c.level == bindparam("level"), nodes.c.ix == bindparam("index")
    )
)


def _beside(table: Table) -> tuple[Prepared, Prepared]:
    """Return how what lies beside leaves is loaded and deleted."""
    of_log = table.c.log_id == bindparam("log_id")
    load = select(table.c.ix, table.c.body).where(
        of_log, table.c.ix >= bindparam("start"), table.c.ix < bindparam("stop")
    )
    return Prepared(load), Prepared(delete(table).where(of_log, table.c.ix == bindparam("index")))


_LOAD_ATTACHMENTS, _DELETE_ATTACHMENT = _beside(attachments)
_LOAD_COUNTERFOILS, _DELETE_COUNTERFOIL = _beside(counterfoils)


def find_log(connection: Connection, owner: str, reader: str) -> Log | None:
    """Return the log of the newest epoch, or None where the two never spoke."""
    row = _FIND_LOG.row(connection, owner=owner, reader=reader)
    return None if row is None else _from_row(row)


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
    _update_log(connection, log, size=frontier.size, root=log.root, peaks=b"".join(frontier.peaks))
    return first


def _update_log(connection: Connection, log: Log, **values: object) -> None:
    update_rows(connection, logs, [(*values.values(), log.id)], setting=tuple(values), key=("id",))


def save_acked(connection: Connection, log: Log, acked: int) -> None:
    """Remember how much of our log the other side holds durably; it only grows."""
    if acked > log.acked:
        log.acked = acked
        _update_log(connection, log, acked=acked)


def count_unacked(connection: Connection, owner: str, reader: str) -> int:
    """Return how many slips of our log the other side has not acknowledged."""
    own = find_log(connection, owner, reader)
    return 0 if own is None else own.size - own.acked


def load_leaves(connection: Connection, log_id: int, start: int, count: int) -> list[bytes]:
    """Return up to `count` leaves from index `start`, in order."""
    return [bytes(row[0]) for row in _LOAD_LEAVES.rows(connection, log_id=log_id, start=start, stop=start + count)]


def load_leaf(connection: Connection, log_id: int, index: int) -> bytes:
    """Return one leaf, which must exist."""
    (leaf,) = load_leaves(connection, log_id, index, 1)
    return leaf


def load_nodes(connection: Connection, log_id: int, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Return the stored tree nodes at these (level, index) places."""
    found: dict[tuple[int, int], bytes] = {}
    for level, index in wanted:
        node = _LOAD_NODE.value(connection, log_id=log_id, level=level, index=index)
        if node is not None:
            found[level, index] = bytes(node)
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
    rows = _LOAD_ATTACHMENTS.rows(connection, log_id=log_id, start=start, stop=start + count)
    return {row[0]: bytes(row[1]) for row in rows}


def delete_attachment(connection: Connection, log_id: int, index: int) -> None:
    """Forget what travelled beside a leaf; the leaf and every proof still hold."""
    _DELETE_ATTACHMENT.rows(connection, log_id=log_id, index=index)


def save_counterfoils(connection: Connection, log_id: int, bodies: Sequence[tuple[int, bytes]]) -> None:
    """Keep what an author sealed for itself: (leaf index, body)."""
    insert_rows(connection, counterfoils, ("log_id", "ix", "body"), [(log_id, ix, body) for ix, body in bodies])


def load_counterfoils(connection: Connection, log_id: int, start: int, count: int) -> dict[int, bytes]:
    """Return the counterfoils of leaves start..start+count-1 that still exist."""
    rows = _LOAD_COUNTERFOILS.rows(connection, log_id=log_id, start=start, stop=start + count)
    return {row[0]: bytes(row[1]) for row in rows}


def delete_counterfoil(connection: Connection, log_id: int, index: int) -> None:
    """Forget what an author kept of a slip."""
    _DELETE_COUNTERFOIL.rows(connection, log_id=log_id, index=index)


def raise_epoch(connection: Connection, log: Log, epoch: int) -> None:
    """Let the log go on, as it is, under a later epoch."""
    if epoch <= log.epoch:
        raise ValueError(f"epoch {epoch} is not after {log.epoch}")
    log.epoch = epoch
    _update_log(connection, log, epoch=epoch)


def cut_back(connection: Connection, log: Log, size: int, epoch: int) -> None:
    """Take our newest slips back, from `size` on, and speak under this epoch again: nobody took them, and nobody will."""
    frontier = load_frontier(connection, log, size)
    for table in (attachments, counterfoils, leaves):
        connection.execute(delete(table).where(table.c.log_id == log.id, table.c.ix >= size))
    # A node stands over the leaves from ix << level on: those that reach beyond the new end are gone.
    reaches = (nodes.c.ix + 1).op("<<")(nodes.c.level)
    connection.execute(delete(nodes).where(nodes.c.log_id == log.id, reaches > size))
    log.frontier, log.root, log.epoch, log.acked = frontier, merkle.root(frontier), epoch, min(log.acked, size)
    peaks = b"".join(frontier.peaks)
    _update_log(connection, log, size=size, root=log.root, peaks=peaks, epoch=epoch, acked=log.acked)


def lower_acked(connection: Connection, log: Log, acked: int) -> None:
    """The other side lost what it once acknowledged, and said so: it must be sent again."""
    log.acked = acked
    _update_log(connection, log, acked=acked)


def count_leaves(connection: Connection, log_id: int) -> int:
    """Return how many leaves are stored, counted."""
    return connection.execute(select(func.count()).select_from(leaves).where(leaves.c.log_id == log_id)).scalar_one()
