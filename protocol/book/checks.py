"""Logs against themselves and against what others signed: invariant I7, and the first leaf where two books part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from protocol import merkle
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.seen_store import load_seen
from protocol.book.tables import attachments, evidence, heads, leaves, logs, nodes
from protocol.canonical import decode_typed
from protocol.directory import Directory
from protocol.envelopes import COLUMN_BYTES_MAX, STATEMENT_BYTES_MAX, HeadStatement, hash_sealed, is_statement_signed
from protocol.errors import NotCanonical, Refusal
from protocol.findings import Checked, Finding
from protocol.merkle import Frontier
from protocol.messages import SealedColumn
from protocol.national import find_cede, read_slip

INVARIANT: Final = "I7"
_CHUNK: Final = 512


def guarded(invariant: str, rule: str, run: Callable[[], list[Checked]]) -> list[Checked]:
    """Run a check; rows so damaged that they cannot be read are a finding, not a crash."""
    try:
        return run()
    except (SQLAlchemyError, Refusal, ValueError, TypeError, LookupError, AssertionError) as error:
        told = str(error).splitlines()[0][:200]
        return [Checked(invariant, rule, 0, (Finding(invariant, rule, "rows that can be read", told),))]


def check_logs(connection: Connection, directory: Directory, on_progress: Callable[[str], None]) -> list[Checked]:
    """Recompute every tree from its leaves, and compare with the heads that correspondents signed."""
    findings: list[Finding] = []
    looked_at = 0
    for log in log_store.load_logs(connection):
        on_progress(f"log {log.owner} to {log.reader}")
        count, found = _check_tree(connection, log)
        looked_at += count
        findings += found[:1]
    signed, disagreeing = _check_heads(connection, directory)
    return [
        Checked(INVARIANT, "each log is the tree of its leaves", looked_at, tuple(findings)),
        Checked(INVARIANT, "each log is what its correspondent signed", signed, tuple(disagreeing)),
        _check_attachments(connection),
        check_evidence(connection),
    ]


def _check_attachments(connection: Connection) -> Checked:
    """What still lies beside a leaf is what the leaf commits to. Few do: an attachment goes once it is delivered."""
    findings: list[Finding] = []
    rows = connection.execute(
        select(logs.c.owner, logs.c.reader, attachments.c.ix, attachments.c.body, leaves.c.leaf)
        .join_from(attachments, logs, logs.c.id == attachments.c.log_id)
        .outerjoin(leaves, (leaves.c.log_id == attachments.c.log_id) & (leaves.c.ix == attachments.c.ix))
        .order_by(attachments.c.log_id, attachments.c.ix)
    ).all()
    for row in rows:
        slip = None if row.leaf is None else read_slip(bytes(row.leaf))
        cede = None if slip is None else find_cede(slip)
        commit = None if cede is None else cede.commit
        try:
            column = decode_typed(bytes(row.body), SealedColumn, size_max=COLUMN_BYTES_MAX)
            found = hash_sealed(column.salt, column.sealed)
        except NotCanonical:
            found = None
        if commit is None or commit != found:
            place = f"log {row.owner} to {row.reader}, beside leaf {row.ix}"
            expected = "nothing" if commit is None else commit.hex()
            findings.append(
                Finding(INVARIANT, place, expected, "bytes that are none" if found is None else found.hex())
            )
    return Checked(INVARIANT, "what lies beside a leaf is what it commits to", len(rows), tuple(findings))


def check_evidence(connection: Connection) -> Checked:
    """Nobody was caught contradicting himself, but what the operator says that he has seen."""
    rows = connection.execute(select(evidence.c.id, evidence.c.accused, evidence.c.kind).order_by(evidence.c.id)).all()
    told = load_seen(connection)
    news: list[Finding] = []
    seen: list[Finding] = []
    for row in rows:
        place, found = f"evidence {row.id}", f"{row.kind} by {row.accused}"
        if row.id in told:
            at, reason = told[row.id]
            seen.append(Finding(INVARIANT, place, "one history", f"{found}, seen {at}: {reason}"))
        else:
            news.append(Finding(INVARIANT, place, "one history", found))
    return Checked(INVARIANT, "no evidence of a fork", len(rows), tuple(news), tuple(seen))


def _name(log: Log) -> str:
    return f"log {log.owner} to {log.reader}"


def _check_tree(connection: Connection, log: Log) -> tuple[int, list[Finding]]:
    """Return the leaves looked at, and the first thing wrong with the tree."""
    frontier = Frontier()
    done = 0
    while True:
        part = log_store.load_leaves(connection, log.id, done, _CHUNK)
        if not part:
            break
        frontier, completed = frontier.extend([merkle.hash_leaf(leaf) for leaf in part])
        stored = _load_stored(connection, log.id, completed)
        for level, index, computed in completed:
            if stored.get((level, index)) != computed:
                place = f"{_name(log)}, leaf {index}" if level == 0 else f"{_name(log)}, node {level}/{index}"
                found = stored.get((level, index))
                return done, [Finding(INVARIANT, place, computed.hex(), "missing" if found is None else found.hex())]
        done += len(part)
    if done != log.size:
        return done, [Finding(INVARIANT, f"{_name(log)}, leaf {min(done, log.size)}", f"{log.size} leaves", f"{done}")]
    if merkle.root(frontier) != log.root:
        return done, [Finding(INVARIANT, f"{_name(log)}, head", merkle.root(frontier).hex(), log.root.hex())]
    if frontier.peaks != log.frontier.peaks:
        return done, [Finding(INVARIANT, f"{_name(log)}, frontier", "the peaks of its leaves", "others")]
    if log.acked > log.size:
        return done, [Finding(INVARIANT, f"{_name(log)}, acknowledged", f"at most {log.size}", str(log.acked))]
    return done, []


def _load_stored(
    connection: Connection, log_id: int, completed: Iterable[tuple[int, int, bytes]]
) -> dict[tuple[int, int], bytes]:
    spans: dict[int, tuple[int, int]] = {}
    for level, index, _ in completed:
        low, high = spans.get(level, (index, index))
        spans[level] = (min(low, index), max(high, index))
    found: dict[tuple[int, int], bytes] = {}
    for level, (low, high) in spans.items():
        for row in connection.execute(
            select(nodes.c.ix, nodes.c.hash).where(
                nodes.c.log_id == log_id, nodes.c.level == level, nodes.c.ix >= low, nodes.c.ix <= high
            )
        ):
            found[level, row[0]] = bytes(row[1])
    return found


def _check_heads(connection: Connection, directory: Directory) -> tuple[int, list[Finding]]:
    findings: list[Finding] = []
    rows = connection.execute(select(heads.c.signer, heads.c.reader, heads.c.statement, heads.c.signature)).all()
    for row in rows:
        place = f"head signed by {row.signer}"
        try:
            statement = decode_typed(bytes(row.statement), HeadStatement, size_max=STATEMENT_BYTES_MAX)
        except NotCanonical:
            findings.append(Finding(INVARIANT, place, "a statement", "bytes that are none"))
            continue
        author = directory.find(row.signer)
        key = None if author is None else author.find_any_key(statement.key)
        if key is None or not is_statement_signed(key.signing, bytes(row.statement), bytes(row.signature)):
            findings.append(Finding(INVARIANT, place, "its signature", "none that fits"))
            continue
        for owner, reader, size, root in (
            (row.signer, row.reader, statement.log_size, statement.log_root),
            (row.reader, row.signer, statement.ack_size, statement.ack_root),
        ):
            log = log_store.find_log(connection, owner, reader)
            findings += _compare_head(connection, log, owner, reader, size, root)
            is_ours = owner == row.reader and log is not None and log.epoch == statement.ack_epoch
            if is_ours and log is not None and log.acked < size <= log.size:
                findings.append(Finding(INVARIANT, f"{_name(log)}, acknowledged", f"{size} as signed", str(log.acked)))
    return len(rows), findings


def _compare_head(
    connection: Connection, log: Log | None, owner: str, reader: str, size: int, root: bytes
) -> list[Finding]:
    place = f"log {owner} to {reader}"
    if log is None or log.size < size:
        held = 0 if log is None else log.size
        return (
            [Finding(INVARIANT, f"{place}, leaf {held}", f"{size} leaves as signed", f"{held} leaves here")]
            if size
            else []
        )
    try:
        own = log_store.load_root(connection, log, size)
    except KeyError as missing:
        return [Finding(INVARIANT, f"{place}, node {missing}", "a stored node", "missing")]
    if own != root:
        return [Finding(INVARIANT, f"{place}, head at {size}", root.hex(), own.hex())]
    return []
