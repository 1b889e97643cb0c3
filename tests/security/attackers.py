"""Tools of the attackers: forged words of any party with its real keys, logs written anew, a photograph of all books.

And of those who find them out: exchanges are counted, one envelope to the hub and its answer each, from the attack on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, inspect, text

from hub.reconciliation.checks import check_hub
from node.checks import check_node
from protocol import merkle
from protocol.book import log_store
from protocol.book.service import Book, Page
from protocol.canonical import decode_typed, encode_typed
from protocol.envelopes import (
    ENVELOPE_BYTES_MAX,
    CarriedSlip,
    Envelope,
    HeadStatement,
    Payload,
    compute_digest,
    hash_sealed,
    sign_envelope,
)
from protocol.errors import BadEnvelope
from protocol.evidence import Judgement, judge
from protocol.findings import Finding
from protocol.keys import SecretKeys, seal
from protocol.messages import Beneficiaries, Cede, Lot, SealedColumn, Slip, encode_slip
from tests.federation.world import HUB, DirectLine, Node, World

ChangePayload = Callable[[Payload], Payload]


def open_words(data: bytes) -> tuple[HeadStatement, Payload]:
    """Return what an envelope says, believed without a look."""
    envelope = decode_typed(data, Envelope, size_max=ENVELOPE_BYTES_MAX)
    return (
        decode_typed(envelope.statement, HeadStatement, size_max=1_024),
        decode_typed(envelope.payload, Payload, size_max=ENVELOPE_BYTES_MAX),
    )


def reword(data: bytes, secret: SecretKeys, *, payload: Payload | None = None, **changed: Any) -> bytes:
    """Return the envelope with another payload and other fields, signed again with these keys."""
    statement, before = open_words(data)
    body = encode_typed(before if payload is None else payload)
    return sign_envelope(secret, msgspec.structs.replace(statement, payload=compute_digest(body), **changed), body)


def keys_of(node: Node) -> SecretKeys:
    return node.federation.identity.keyring.current


def write_leaf(node: Node, leaf: bytes, sealed: bytes | None = None) -> int:
    """Write a leaf into a node's own log for the hub, as a dishonest node would; return its index."""

    def operation(page: Page, items: Sequence[Any]) -> list[int]:
        log = log_store.open_log(page.connection, node.code, HUB)
        index = log_store.append_leaves(page.connection, log, [leaf], page.now)
        if sealed is not None:
            log_store.save_attachments(page.connection, log.id, [(index, sealed)])
        return [index]

    return int(node.book.write_now(operation, None))


def make_cede(
    world: World,
    giver: Node,
    taker: Node,
    numbers: Sequence[str],
    lots: Sequence[Lot],
    *,
    places: Sequence[int] | None = None,
    cents: int = 10,
    givers: Sequence[str] = (),
    words: Sequence[str] = (),
    to: str | None = None,
) -> tuple[bytes, bytes]:
    """Return a leaf and its sealed column, made without any of the product's checks on what a holder may say."""
    key = world.registry.directory.require(taker.code).keys[-1]
    column = Beneficiaries(giver.code, tuple(numbers), tuple(givers), tuple(words))
    sealed = seal(key.sealing, encode_typed(column), ephemeral_seed=world.entropy(32))
    salt = world.entropy(16)
    at = tuple(places) if places is not None else (0,) * len(numbers)
    cede = Cede(tuple(lots), (), at, (cents,) * len(numbers), (), key.id, hash_sealed(salt, sealed))
    leaf = encode_slip(Slip(1, to or taker.code, world.clock.now, (cede,)))
    return leaf, encode_typed(SealedColumn(salt, sealed))


def photograph(world: World) -> dict[str, str]:
    """Return a digest of every table of every book, so that a changed one can be named."""
    books: dict[str, Book] = {"hub": world.hub_book} | {code: node.book for code, node in world.nodes.items()}
    return {
        f"{name}.{table}": digest for name, book in books.items() for table, digest in book.read_now(_digest).items()
    }


def _digest(connection: Connection) -> dict[str, str]:
    digests: dict[str, str] = {}
    for table in sorted(inspect(connection).get_table_names()):
        rows = sorted(repr(tuple(row)) for row in connection.execute(text(f"SELECT * FROM {table}")))
        digests[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return digests


def empty_table(book: Book, table: str) -> None:
    """Forget what was noted on purpose, so that the world's own check at the end speaks of the rest."""

    def operation(page: Page, items: Sequence[Any]) -> list[None]:
        page.connection.execute(text(f"DELETE FROM {table}"))
        return [None]

    book.write_now(operation, None)


def extend_root(frontier: merkle.Frontier, leaves: Sequence[bytes]) -> bytes:
    """Return the root after these leaves."""
    return merkle.root(frontier.extend([merkle.hash_leaf(leaf) for leaf in leaves])[0])


def carry(*leaves: bytes) -> tuple[CarriedSlip, ...]:
    return tuple(CarriedSlip(leaf, ()) for leaf in leaves)


class LyingLine(DirectLine):
    """The hub's answers as its operator rewords them, each signed with the hub's own key."""

    def __init__(self, world: World, reply: Callable[[bytes], bytes]) -> None:
        super().__init__(world.exchange)
        self.reply = reply

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        return self.reply(await super().call(envelope, wait_ms))


def lie(world: World, data: bytes, change: ChangePayload = lambda payload: payload, **changed: Any) -> bytes:
    """Return an answer of the hub with fields changed, signed again with the hub's own key."""
    _, payload = open_words(data)
    return reword(data, world.registry.identity.keyring.current, payload=change(payload), **changed)


def let_hub_lie(world: World, node: Node, reply: Callable[[bytes], bytes]) -> None:
    """From now on the node reads what the operator makes of the hub's answers."""
    node.worker._transport = LyingLine(world, reply)


def check_of(world: World, code: str) -> list[Finding]:
    """Return what `check` says on the machine of one party."""
    if code == HUB:
        checked = world.hub_book.read_now(lambda line: check_hub(line, hub=HUB, on_progress=_ignore))
    else:
        checked = world.nodes[code].book.read_now(
            lambda line: check_node(line, home=code, hub=HUB, on_progress=_ignore)
        )
    return [finding for one in checked for finding in one.findings]


def _ignore(_where: str) -> None:
    """Progress that nobody looks at."""


def convictions(book: Book) -> list[Judgement]:
    """Return what a judge makes of each evidence file that a book keeps."""
    rows = book.read_now(lambda line: line.execute(text("SELECT body FROM evidence ORDER BY id")).scalars().all())
    return [judge(bytes(body)) for body in rows]


async def count_exchanges(
    world: World, codes: Sequence[str], is_found: Callable[[], object], *, at_most: int = 40
) -> int:
    """Let these members call in turn, each taking or refusing what it hears; return how many calls it took to find out."""
    for call in range(at_most):
        if is_found():
            return call
        try:
            await world.nodes[codes[call % len(codes)]].worker.exchange_once()
        except BadEnvelope:
            continue  # a real worker says why, waits and calls again
    assert is_found(), f"not found in {at_most} exchanges"
    return at_most


def run_sql(book: Book, statement: str, **values: Any) -> int:
    """Change a base by hand, as who administers it can, past the rules of its tables; return how many rows."""

    def operation(page: Page, items: Sequence[Any]) -> list[int]:
        page.connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        done = page.connection.execute(text(statement), values).rowcount
        page.connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
        return [done]

    return int(book.write_now(operation, None))


def write_log_anew(book: Book, owner: str, reader: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Put other leaves into a log, with every hash, peak and root as they would be had it always been so."""

    def operation(page: Page, items: Sequence[Any]) -> list[None]:
        line = page.connection
        log = log_store.open_log(line, owner, reader)
        rows = line.execute(text("SELECT leaf, at FROM leaves WHERE log_id = :id ORDER BY ix"), {"id": log.id}).all()
        for table in ("leaves", "nodes"):
            line.execute(text(f"DELETE FROM {table} WHERE log_id = :id"), {"id": log.id})
        line.execute(
            text("UPDATE logs SET size = 0, acked = 0, root = :root, peaks = :peaks WHERE id = :id"),
            {"id": log.id, "root": merkle.EMPTY_ROOT, "peaks": b""},
        )
        leaves = change([bytes(row.leaf) for row in rows])
        empty = log_store.open_log(line, owner, reader)
        for leaf, at in zip(leaves, [*(row.at for row in rows), *([page.now] * len(leaves))], strict=False):
            log_store.append_leaves(line, empty, [leaf], at)
        log_store.save_acked(line, empty, min(log.acked, len(leaves)))
        return [None]

    book.write_now(operation, None)
