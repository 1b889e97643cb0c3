"""Tools of the attackers: forged words of a node with its real keys, leaves written by hand, a photograph of all books."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, inspect, text

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
from protocol.keys import SecretKeys, seal
from protocol.messages import Beneficiaries, Cede, Lot, SealedColumn, Slip, encode_slip
from tests.federation.world import HUB, Node, World


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
