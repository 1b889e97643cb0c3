"""The hub's HTTP doors: exchange and enrolment for nodes, the directory and the checkpoint for everybody."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from hub.app import HubApp
from hub.catalogue.service import load_page
from protocol.canonical import decode_typed, encode_typed
from protocol.envelopes import ENVELOPE_BYTES_MAX, Checkpoint
from protocol.errors import InvalidTime, Malformed
from protocol.exchange.client import CONTENT_TYPE, WAIT_HEADER
from protocol.publications import PUBLICATION_BYTES_MAX, decode_publication, encode_page
from protocol.running.http_service import TooLarge, make_application
from protocol.times import format_instant

WAIT_MS_MAX: Final = 25_000
SINCE_DIGITS_MAX: Final = 15


def make_api(app: HubApp) -> web.Application:
    """Return the hub's application."""
    application = make_application(body_bytes_max=ENVELOPE_BYTES_MAX, probe=app.probe, metrics=app.metrics)

    async def exchange(request: web.Request) -> web.Response:
        wait = request.headers.get(WAIT_HEADER, "0")
        if not wait.isascii() or not wait.isdigit() or len(wait) > 5 or int(wait) > WAIT_MS_MAX:
            raise InvalidTime(field=WAIT_HEADER, reason=f"whole milliseconds, {WAIT_MS_MAX} at most")
        answer = await app.exchange.answer(await request.read(), wait_ms=int(wait))
        return web.Response(body=answer, content_type=CONTENT_TYPE)

    async def enrol(request: web.Request) -> web.Response:
        app.exchange.require_running()
        welcome = await app.book.write(app.registry.enrol, await request.read())
        app.exchange.wake_all()
        return web.Response(body=encode_typed(welcome), content_type=CONTENT_TYPE)

    async def directory(_request: web.Request) -> web.Response:
        known = app.registry.directory
        members = [
            {
                "member": member.code,
                "name": member.name,
                "kind": member.kind,
                "status": member.status,
                "sponsor": member.sponsor,
                "keys": [key.id.hex() for key in member.keys],
            }
            for member in sorted(known.members.values(), key=lambda one: one.code)
        ]
        return web.json_response({"entries": known.size, "members": members})

    async def checkpoint(_request: web.Request) -> web.Response:
        signed = await app.book.read(app.exchange.sign_checkpoint)
        body = decode_typed(signed.body, Checkpoint, size_max=256)
        return web.json_response(
            {
                "network": body.network,
                "hub": body.hub,
                "size": body.size,
                "root": body.root.hex(),
                "at": format_instant(body.at),
                "body": signed.body.hex(),
                "key": signed.key.hex(),
                "signature": signed.signature.hex(),
            }
        )

    async def publish(request: web.Request) -> web.Response:
        app.exchange.require_running()
        if (request.content_length or 0) > PUBLICATION_BYTES_MAX:
            raise TooLarge(bytes_max=PUBLICATION_BYTES_MAX)
        told = decode_publication(await request.clone(client_max_size=PUBLICATION_BYTES_MAX).read())
        kept = await app.book.write(app.catalogue.publish, told)
        return web.json_response({"card": kept.card_number, "catalogue": kept.catalogue_number, "new": kept.is_new})

    async def catalogue(request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isascii() or not since.isdigit() or len(since) > SINCE_DIGITS_MAX:
            raise Malformed(field="since", reason="the last place that was read, or 0")
        page = await app.book.read(lambda line: load_page(line, int(since)))
        return web.Response(body=encode_page(page), content_type=CONTENT_TYPE)

    application.router.add_post("/v1/exchange", exchange)
    application.router.add_put("/v1/catalogue", publish)
    application.router.add_get("/v1/catalogue", catalogue)
    application.router.add_post("/v1/enrol", enrol)
    application.router.add_get("/v1/directory", directory)
    application.router.add_get("/v1/checkpoint", checkpoint)
    return application
