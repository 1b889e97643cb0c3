"""Yesterday's backup of a book, and the day it is put back in place of the book that was lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import make_url

from hub.directory.service import Registry
from hub.exchange.service import HubExchange
from hub.schema_service import HUB_HISTORY
from node.federation.payee_service import PayeeDesk
from node.federation.service import Federation
from node.federation.worker import ExchangeWorker
from node.ledger.service import Ledger
from node.schema_service import ACCOUNTS_HISTORY
from protocol.book.service import Book
from tests.federation.world import DirectLine, Node, World


def _path(book: Book) -> Path:
    database = make_url(book.url).database
    assert database is not None, "old copies are made of files"
    return Path(database)


def back_up(book: Book) -> Path:
    """Copy the book as it stands, while it is open, as `node backup` does; return the copy."""
    copy = _path(book).with_suffix(f".{book.written[0]}.copy")
    with sqlite3.connect(_path(book)) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def _put_back(book: Book, copy: Path) -> None:
    """The disk is lost, and the copy takes its place."""
    book.close()
    path = _path(book)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(copy.read_bytes())


def restore_node(world: World, node: Node, copy: Path) -> None:
    """Start the node again on its old copy: nothing of the lost process is left."""
    _put_back(node.book, copy)
    reopen_node(world, node)


def reopen_node(world: World, node: Node) -> None:
    """Start the node again on the files it has."""
    before = node.federation
    node.book.close()
    node.book = Book(node.book.url, history=ACCOUNTS_HISTORY, clock=world.clock_of(node.code))
    node.ledger = Ledger(node.book, node.code)
    node.federation = Federation(
        node.ledger, before.identity, before.hub, entropy=world.entropy, on_outgoing=lambda: None
    )
    node.book.read_now(node.federation.load)
    node.payees = PayeeDesk(node.federation.room, node.book, entropy=world.entropy, on_outgoing=lambda: None)
    line = DirectLine(world.exchange)
    node.worker = ExchangeWorker(node.federation, node.payees, node.book, line, chance=world.dice.random)


def restore_hub(world: World, copy: Path) -> None:
    """Start the hub again on its old copy."""
    _put_back(world.hub_book, copy)
    reopen_hub(world)


def reopen_hub(world: World) -> None:
    """Start the hub again on the files it has."""
    world.hub_book.close()
    world.hub_book = Book(world.hub_book.url, history=HUB_HISTORY, clock=world.clock_of("hub"))
    world.registry = Registry(world.registry.identity)
    world.hub_book.read_now(world.registry.load)
    world.exchange = HubExchange(world.hub_book, world.registry)
    world.hub_book.read_now(world.exchange.load)
    for node in world.nodes.values():
        node.worker = ExchangeWorker(
            node.federation, node.payees, node.book, DirectLine(world.exchange), chance=world.dice.random
        )
