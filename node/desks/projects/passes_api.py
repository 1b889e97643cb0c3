"""What anybody may ask of passes: keys of the issuer, status lists, and the pass whose paper is shown. Read only.

The addresses are those that credentials name: they stay for as long as passes are to be verified. A pass is shown to who
has its paper or its QR, whose check nobody can guess; its picture, which names nobody, to who has its address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from node.governance.passes.canonical_json import encode_json
from node.governance.passes.credentials import PICTURES
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.errors import PassUnknown, StatusListUnknown
from node.governance.passes.pass_proofs import PassProof
from node.governance.passes.pass_service import Passes
from node.governance.passes.pass_store import load_picture
from node.governance.passes.status_lists import StatusPurpose
from node.governance.passes.web_tokens import write_token
from protocol.errors import Malformed
from protocol.identifiers import parse_id
from protocol.running.http_service import JsonResponse
from protocol.running.openapi import Api, Route, describe_api
from protocol.times import Instant

API: Final = Api(
    title="Citizen-Miles passes",
    words=(
        "Open Badges of one territory: the issuer's keys, the status lists, and each pass for who has its paper."
        " Nobody is named."
    ),
    key="",
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PASSES: Final = web.AppKey("passes", Passes)
NUMBER_DIGITS_MAX: Final = 6
TOKENS: Final = ("application/jwt", "application/vc+jwt", "text/plain")


class ShownAnswer(Struct, frozen=True):
    """`standing` is good, not_yet, expired, suspended or revoked; `reason` says why where there is one."""

    pass_id: str
    standing: str
    reason: str
    credential: dict[str, Any]


async def show_did(request: web.Request) -> web.Response:
    """Show the keys that sign passes, as a did:web document."""
    document = await request.app[PASSES].write_did()
    if document is None:
        raise web.HTTPNotFound
    return _document(encode_json(document), "application/did+json")


async def show_list(request: web.Request) -> web.Response:
    """Show a status list, signed: as JSON, or as a token to who accepts application/jwt."""
    passes, number = request.app[PASSES], request.match_info["number"]
    if not (number.isascii() and number.isdecimal() and len(number) <= NUMBER_DIGITS_MAX):
        raise StatusListUnknown(list=number[:NUMBER_DIGITS_MAX])
    wanted = request.match_info["purpose"]
    purpose = next((one for one in StatusPurpose if one == wanted), None)
    if purpose is None:
        raise StatusListUnknown(list=wanted[:20])
    document = await passes.write_list(purpose, int(number))
    accepted = request.headers.get("Accept", "")
    if any(kind in accepted for kind in TOKENS):
        return _document(write_token(document, passes.issuer).encode(), "application/jwt")
    signed = add_proof(document, passes.issuer, at=Instant(passes.book.clock()))
    return _document(encode_json(signed), "application/vc+ld+json")


async def show_pass(request: web.Request) -> web.Response:
    """Show a pass and where it stands, to who has its paper."""
    passes = request.app[PASSES]
    try:
        proof = PassProof(node="", pass_id=parse_id(request.match_info["pass_id"]), check=request.match_info["check"])
    except Malformed:
        raise PassUnknown(pass_id=request.match_info["pass_id"][:36]) from None
    shown = await passes.show(proof)
    answer = ShownAnswer(
        pass_id=request.match_info["pass_id"],
        standing=str(shown.standing),
        reason=shown.kept.value.reason,
        credential=msgspec.json.decode(shown.kept.credential),
    )
    return JsonResponse(msgspec.json.encode(answer), 200)


async def show_picture(request: web.Request) -> web.Response:
    """Show the picture of an issued pass, without its credential."""
    passes = request.app[PASSES]
    kept = await passes.load(parse_id(request.match_info["pass_id"]))
    if not kept.credential:
        raise PassUnknown(pass_id=request.match_info["pass_id"])
    is_png = request.path.endswith(".png")
    body = await passes.book.read(partial(load_picture, digest=kept.png if is_png else kept.svg))
    kind = next(kind for kind, name in PICTURES.items() if name.endswith(".png") is is_png)
    headers = {
        "Cache-Control": "public, max-age=86400",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return web.Response(body=body, content_type=kind, headers=headers)


async def show_description(_request: web.Request) -> web.Response:
    """Describe this API (OpenAPI 3.1)."""
    return JsonResponse(msgspec.json.encode(describe_api([route for route, _ in DOORS], API)), 200)


def _document(body: bytes, kind: str) -> web.Response:
    headers = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
    return web.Response(body=body, content_type=kind, headers=headers)


def _door(path: str, handler: Handler, *answers: type[Struct], name: str = "") -> tuple[Route, Handler]:
    summary = (handler.__doc__ or "").strip()
    return Route(method="GET", path=path, name=name or handler.__name__, summary=summary, answers=answers), handler


# A node whose address has a folder serves its document there: a proxy cuts the folder off.
DOORS: Final = (
    _door("/passes/openapi.json", show_description),
    _door("/.well-known/did.json", show_did),
    _door("/did.json", show_did, name="show_did_of_folder"),
    _door("/passes/status/{purpose}/{number}", show_list),
    *(
        _door(f"/passes/{{pass_id}}/{file}", show_picture, name=f"show_{file.replace('.', '_')}")
        for file in PICTURES.values()
    ),
    _door("/passes/{pass_id}/{check}", show_pass, ShownAnswer),
)


def add_passes_doors(application: web.Application, passes: Passes) -> None:
    """Serve what anybody may ask of passes, in an application, beside what it serves already."""
    application[PASSES] = passes
    for route, handler in DOORS:
        application.router.add_route(route.method, route.path, handler)
