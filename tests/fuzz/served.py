"""Targets with a book behind them: both HTTP doors byte by byte, and envelopes of parties who sign whatever they like.

Nothing of the product is replaced but the wire: requests go through aiohttp's own parser, over a socket pair. What an
envelope writes is undone by an error at the end of its page, so that every input meets the same book.
"""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import structs
from sqlalchemy import select

from hub import commands as hub_commands
from hub.api import make_api as make_hub_api
from hub.app import HubApp
from hub.app import load_config as load_hub_config
from hub.operators.api import make_operator_application
from hub.operators.keys import make_operator_key
from hub.operators.keys_store import save_operator_key
from node import commands as node_commands
from node.api import make_api
from node.app import NodeApp, load_config
from node.desks.accounts import requests
from node.desks.accounts.admin_commands import COMMANDS
from node.desks.accounts.answers import tell_credit, tell_credited
from node.ledger.credits import Credited
from node.ledger.postings import Posted
from node.ledger.tables import metadata
from protocol import envelopes, merkle
from protocol.book import log_store
from protocol.book.service import Book, Page
from protocol.canonical import decode_typed, encode_typed
from protocol.envelopes import HeadStatement, Payload
from protocol.errors import BadEnvelope, NotCanonical, Refusal
from protocol.exchange.service import Identity, Received, verify_envelope
from protocol.keys import SecretKeys
from protocol.running.logs_service import set_up_logs
from tests.federation.world import HUB, LYON
from tests.fuzz.story import make_world
from tests.fuzz.targets import BREST, NETWORK, NotItself, Run, require_same

# How long a request that may be whole is waited for: on a slow machine an answer is lost now and then, and no more.
PATIENCE_SECONDS: Final = 0.25
POOL_ID: Final = "00000000-0000-4000-8000-000000000001"
ANNA_ID: Final = "00000000-0000-4000-8000-000000000002"


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


class Door:
    """An application served over socket pairs: one request each, then the line is closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, application: web.Application) -> None:
        self._loop = loop
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        loop.run_until_complete(self._runner.setup())

    async def close(self) -> None:
        await self._runner.cleanup()

    def ask(self, request: bytes) -> bytes:
        """Return all that is answered before the line ends."""
        return self._loop.run_until_complete(asyncio.wait_for(self._ask(request), 20))

    async def _ask(self, request: bytes) -> bytes:
        ours, theirs = socket.socketpair()
        assert self._runner.server is not None
        await self._loop.connect_accepted_socket(self._runner.server, theirs)
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(request)
        reading = asyncio.ensure_future(reader.read())
        # A line that ends while it is answered ends the answer as well: so only what is not whole is ended, and late.
        await asyncio.wait({reading}, timeout=PATIENCE_SECONDS)
        if not reading.done():
            writer.write_eof()
        try:
            return await reading
        finally:
            writer.close()


def frame(data: bytes) -> bytes:
    """Return the request of `POST /path\\nHeader: value\\n\\nbody`, its length said right unless it says one itself."""
    head, _, body = data.partition(b"\n\n")
    first, *headers = head.split(b"\n")
    lines = [first + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    if not any(line.lower().startswith((b"content-length", b"transfer-encoding")) for line in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _require_explained(answer: bytes, asked: bytes) -> None:
    """A caller gets an answer or a refusal that explains itself: never an incident, never our inside."""
    if not answer:
        return  # the line broke before a request was whole
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status == 500 or b"Traceback" in answer:
        raise NotItself(f"{asked!r:.300} is an incident: {answer!r:.300}")
    if status >= 400 and b"application/json" in head:
        told = json.loads(body)
        if set(told) != {"code", "facts", "explanation"} or not told["explanation"]:
            raise NotItself(f"{asked!r:.300} is refused without a word: {body!r:.300}")


def _open_node() -> tuple[NodeApp, asyncio.AbstractEventLoop, dict[bytes, bytes]]:
    """A node with a pool, an account and a key; `$KEY`, `$POOL` and `$ANNA` in an input stand for theirs."""
    set_up_logs(level="critical")
    folder, loop = _folder(), asyncio.new_event_loop()
    node_commands.init(
        folder,
        territory=BREST,
        name="Brest",
        network=NETWORK,
        hub="",
        listen="127.0.0.1:0",
        database="",
        back_off_ceiling_ms=500,
    )
    app = NodeApp(folder, load_config(folder))
    words: dict[bytes, bytes] = {}

    async def begin() -> None:
        await app.start_quietly()
        pool = await COMMANDS["open"](app, {"id": POOL_ID, "kind": "pool"})
        anna = await COMMANDS["open"](app, {"id": ANNA_ID, "kind": "person"})
        endowment = {"id": POOL_ID[:-1] + "3", "donor": POOL_ID[:-1] + "4", "campaign": "bread", "month": 202611}
        await COMMANDS["endow"](
            app, {**endowment, "lot_class": 5, "into": pool["number"], "cents": 10**9, "reason": "a test"}
        )
        key = await COMMANDS["new_key"](app, {"name": "fuzz", "scopes": "admin", "account": ""})
        words.update(
            {b"$KEY": key["key"].encode(), b"$POOL": pool["number"].encode(), b"$ANNA": anna["number"].encode()}
        )

    loop.run_until_complete(begin())
    return app, loop, words


def fill(data: bytes, words: Mapping[bytes, bytes]) -> bytes:
    for word, value in words.items():
        data = data.replace(word, value)
    return data


def node_api() -> Run:
    """Every door of a node."""
    app, loop, words = _open_node()
    door = Door(loop, make_api(app))

    def run(data: bytes) -> None:
        asked = fill(data, words)
        _require_explained(door.ask(frame(asked)), asked)

    return run


def credits_in_columns() -> Run:
    """Credits that can be read in columns: answered and written as the same lines, each posted alone.

    One of the ids is in the book already. Both ways are undone, so that every input meets the same book.
    """
    app, loop, words = _open_node()
    loop.close()  # the book has a thread of its own
    ledger, book = app.ledger, app.book
    before = {"id": POOL_ID, "to": words[b"$ANNA"].decode(), "cents": 12, "reference": "bread"}
    body = msgspec.json.encode({"from": words[b"$POOL"].decode(), "items": [before]})
    _, known = requests.read_credits(body, BREST) or (None, None)
    assert known is not None
    book.write_now(ledger.credit, known)

    def leave(page: Page, ids: Sequence[str], answers: Sequence[Credited | list[Posted | Refusal]]) -> Sequence[Any]:
        """Return what the callers are told and what stands in the ledger, without the instants: they are two pages."""
        told = [
            line
            for one in answers
            for line in (
                tell_credited(ids, one)
                if isinstance(one, Credited)
                else [tell_credit(id_, posted, "en") for id_, posted in zip(ids, one, strict=True)]
            )
        ]
        ledger.flush(page)
        rows = {
            table.name: sorted(map(repr, page.connection.execute(select(*(c for c in table.c if c.name != "at")))))
            for table in metadata.sorted_tables
        }
        lines = [msgspec.to_builtins(line) for line in told]
        return [([{name: value for name, value in line.items() if name != "at"} for line in lines], rows)]

    def run(data: bytes) -> None:
        read = requests.read_credits(fill(data, words), BREST)
        if read is None:
            return
        ids, batch = read
        for times in (1, 2):  # once, and followed by itself on the same page

            def in_columns(page: Page, _: Any, times: int = times) -> Sequence[Any]:
                return leave(page, ids, ledger.credit(page, [batch] * times))

            def one_by_one(page: Page, _: Any, times: int = times) -> Sequence[Any]:
                return leave(page, ids, [ledger.post(page, batch.make_postings()) for _ in range(times)])

            columns, alone = (_try_page(book, way, None) for way in (in_columns, one_by_one))
            require_same(_plain(columns[0]), _plain(alone[0]), "what is told of credits")
            for name, rows in alone[1].items():
                require_same(columns[1][name], rows, f"the rows of {name}")

    return run


def _plain(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what is empty: a line that is done may be told without the names that only refusals fill."""
    return [{name: value for name, value in line.items() if value not in ("", None, {})} for line in lines]


def hub_api() -> Run:
    """A hub without members: whoever knows its address may say anything to it. `$OPERATOR` is a key of the operator's doors."""
    set_up_logs(level="critical")
    folder, loop = _folder(), asyncio.new_event_loop()
    hub_commands.init(folder, network=NETWORK, listen="127.0.0.1:0", database="")
    app = HubApp(folder, load_hub_config(folder))
    loop.run_until_complete(app.start_quietly())
    key, text = make_operator_key(bytes(range(38)), officer="fuzz", duty="operator", since="")
    save_operator_key(folder, key)
    words = {b"$OPERATOR": text.encode()}
    members, operator = Door(loop, make_hub_api(app)), Door(loop, make_operator_application(app))

    def run(data: bytes) -> None:
        asked = fill(data, words)
        door = operator if b"/v1/operator/" in asked.partition(b"\n")[0] else members
        _require_explained(door.ask(frame(asked)), asked)

    return run


class _Undone(Exception):
    """Ends a page so that nothing of it is written."""

    def __init__(self, results: Sequence[Any]) -> None:
        self.results = results


def _try_page(book: Book, operation: Callable[[Page, Sequence[Any]], Sequence[Any]], item: Any) -> Any:
    """Return what the operation answers for the item, or the Refusal; its page is undone."""

    def undone(page: Page, items: Sequence[Any]) -> Sequence[Any]:
        raise _Undone(operation(page, items))

    try:
        book.write_now(undone, item)
    except _Undone as done:
        return done.results[0]
    raise AssertionError("unreachable")


def _sign(
    data: bytes,
    secret: SecretKeys,
    *,
    sender: str,
    reader: str,
    epoch: int,
    frontier: merkle.Frontier,
    ack: Any,
    at: int,
) -> bytes:
    """Return the envelope of a payload whose slips follow on what the reader holds, whatever is in them."""
    size = frontier.size
    try:
        payload = decode_typed(data, Payload, size_max=64 * 1024)
        payload = structs.replace(payload, start=size)
        frontier, _ = frontier.extend([merkle.hash_leaf(slip.leaf) for slip in payload.slips])
        data = encode_typed(payload)
    except NotCanonical:
        pass
    said = HeadStatement(
        version=1,
        speaks=1,
        network=NETWORK,
        sender=sender,
        reader=reader,
        key=secret.public.id,
        epoch=epoch,
        at=at,
        log_size=frontier.size,
        log_root=merkle.root(frontier),
        ack_epoch=ack.epoch,
        ack_size=ack.size,
        ack_root=ack.root,
        checkpoint=None,
        payload=envelopes.compute_digest(data),
    )
    return envelopes.sign_envelope(secret, said, data)


def _logs(book: Book, owner: str, reader: str) -> tuple[Any, Any]:
    return book.read_now(
        lambda line: (
            log_store.open_log_or_empty(line, owner, reader),
            log_store.open_log_or_empty(line, reader, owner),
        )
    )


def _verify(data: bytes, identity: Identity, known: Any, now: Any) -> Received | None:
    try:
        return verify_envelope(data, identity, known, now)
    except BadEnvelope:
        return None


def hub_takes() -> Run:
    """A member whose slips are well signed and hold anything: the hub takes them, and hands over what they bring."""
    set_up_logs(level="critical")
    world = make_world(_folder())
    secret = world.nodes[BREST].federation.identity.keyring.current
    theirs, own = _logs(world.hub_book, BREST, HUB)
    known, identity = world.registry.directory, world.registry.identity

    def take(page: Page, items: Sequence[Received]) -> Sequence[Any]:
        results = world.sequencer.take(page, items)
        world.sequencer.hand_over(page, [LYON])
        world.sequencer.hand_over(page, [BREST])
        return results

    def run(data: bytes) -> None:
        now = world.clock()
        signed = _sign(
            data,
            secret,
            sender=BREST,
            reader=HUB,
            epoch=theirs.epoch,
            frontier=theirs.frontier,
            ack=own,
            at=now,
        )
        received = _verify(signed, identity, known, now)
        if received is not None:
            answer = _try_page(world.hub_book, take, received)
            if isinstance(answer, Exception) and not isinstance(answer, Refusal):
                raise answer

    return run


def node_takes() -> Run:
    """A hub whose envelopes are well signed and hold anything: a node takes them."""
    set_up_logs(level="critical")
    world = make_world(_folder())
    node = world.nodes[LYON]
    secret = world.registry.identity.keyring.current
    theirs, own = _logs(node.book, HUB, LYON)

    def run(data: bytes) -> None:
        now = world.clock()
        signed = _sign(
            data,
            secret,
            sender=HUB,
            reader=LYON,
            epoch=theirs.epoch,
            frontier=theirs.frontier,
            ack=own,
            at=now,
        )
        received = _verify(signed, node.federation.identity, node.federation.room.trusted, now)
        if received is not None:
            for whisper in received.payload.whispers:
                asyncio.run(node.payees.hear(whisper))
            answer = _try_page(node.book, node.federation.take, received)
            if isinstance(answer, Exception) and not isinstance(answer, Refusal):
                raise answer

    return run
