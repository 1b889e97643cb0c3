"""The operator's doors: an application of their own, apart from where members call. Each runs the operator's command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from hub.admin_commands import COMMANDS
from hub.app import HubApp
from hub.operators.answers import AgreementsAnswer, OpenedAnswer, WindowAnswer, WindowsAnswer
from hub.operators.keys import OperatorDuty, OperatorDutyMissing, OperatorKeyNotKnown, parse_operator_key
from hub.operators.keys_store import load_operator_key
from protocol.errors import Malformed
from protocol.running.http_service import AS_PROBLEM, Beside, JsonResponse, Metrics, make_application, make_tls
from protocol.running.keys_store import write_private
from protocol.running.logs_service import find_logger
from protocol.running.openapi import Api, Route, describe_api
from protocol.running.settings import LOOPBACK, NotConfigured, parse_listen

log = find_logger("operators")
BODY_BYTES_MAX: Final = 1_024  # nothing is asked by a body
WINDOW_DIGITS_MAX: Final = 9
PORT: Final = "operator-port"
_READS: Final = (OperatorDuty.READER, OperatorDuty.OPERATOR)
_ACTS: Final = (OperatorDuty.OPERATOR,)
_API: Final = Api(
    title="Citizen-Miles hub: the operator",
    words=(
        "Windows in which funds net what they owe each other. A window is opened and closed by its number, the one after the last:"
        " asked again, it is answered as before. Amounts are whole cents."
    ),
    key="cmo_<id>_<secret>",
)


def _route(method: str, path: str, name: str, summary: str, answers: type[Struct], *duties: OperatorDuty) -> Route:
    return Route(
        method=method,
        path=f"/v1/operator/{path}",
        name=name,
        summary=summary,
        scope=", ".join(duties),
        answers=(answers,),
        is_problem=True,
    )


# Each door, the duties that open it, and the operator's command behind it.
OPERATOR_DOORS: Final[tuple[tuple[Route, tuple[OperatorDuty, ...], str], ...]] = (
    (_route("GET", "windows", "windows", "List windows.", WindowsAnswer, *_READS), _READS, "windows"),
    (_route("GET", "windows/{window}", "window", "Report a window.", WindowAnswer, *_READS), _READS, "window"),
    (
        _route("POST", "windows/{window}/open", "open_window", "Open the next window.", OpenedAnswer, *_ACTS),
        _ACTS,
        "open_window",
    ),
    (
        _route("POST", "windows/{window}/close", "close_window", "Close the open window.", WindowAnswer, *_ACTS),
        _ACTS,
        "close_window",
    ),
    (
        _route("GET", "agreements", "agreements", "List which funds net.", AgreementsAnswer, *_READS),
        _READS,
        "agreements",
    ),
)


def make_operator_application(app: HubApp) -> web.Application:
    """Return what is served at the operator's address, and nothing of what members call."""
    application = make_application(body_bytes_max=BODY_BYTES_MAX, probe=app.probe, metrics=Metrics(app.figures))
    for route, duties, command in OPERATOR_DOORS:
        application.router.add_route(route.method, route.path, _make_handler(app, route, duties, command))
    document = msgspec.json.encode(describe_api([route for route, _, _ in OPERATOR_DOORS], _API))

    async def show_description(_request: web.Request) -> web.Response:
        return JsonResponse(document)

    application.router.add_get("/v1/operator/openapi.json", show_description)
    return application


def make_operators_beside(app: HubApp) -> list[Beside]:
    """Return what is served at the operator's address, where there is one. Raises NotConfigured."""
    config = app.config
    if not config.operator:
        return []
    host, port = parse_listen(config.operator)
    if host not in LOOPBACK and not config.operator_tls_certificate:
        raise NotConfigured(
            reason="operator away from this machine needs operator_tls_certificate: a key never travels bare"
        )
    return [
        Beside(
            application=make_operator_application(app),
            host=host,
            port=port,
            tls=make_tls(config.operator_tls_certificate, config.operator_tls_key),
            on_ready=lambda taken: write_private(app.folder / PORT, str(taken).encode()),
        )
    ]


def _make_handler(
    app: HubApp, route: Route, duties: tuple[OperatorDuty, ...], command: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    (answers,) = route.answers

    async def handle(request: web.Request) -> web.StreamResponse:
        officer = _find_officer(app, request, duties)
        if request.query:
            raise Malformed(reason="there is nothing to ask by a query")
        asked = {"window": parse_window(request.match_info["window"])} if "{window}" in route.path else {}
        told = await COMMANDS[command](app, asked)
        if route.method == "POST":
            log.info("done", door=route.name, window=asked["window"], officer=officer)
        return JsonResponse(_write(told, answers))

    setattr(handle, AS_PROBLEM, True)
    return handle


def _find_officer(app: HubApp, request: web.Request, duties: tuple[OperatorDuty, ...]) -> str:
    """Return whose key it is, with its id; asked before anything else is read. Raises OperatorKeyNotKnown, OperatorDutyMissing."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise OperatorKeyNotKnown
    id_, secret = parse_operator_key(text.strip())
    key = load_operator_key(app.folder, id_)
    if not key.opens(secret, duties):
        raise OperatorDutyMissing
    return f"{key.officer} ({key.id})"


def parse_window(text: str) -> int:
    """Return the number of a window. Raises Malformed."""
    if not text.isascii() or not text.isdigit() or len(text) > WINDOW_DIGITS_MAX or text.startswith("0"):
        raise Malformed(field="window", reason=f"a window's number, from 1, of {WINDOW_DIGITS_MAX} digits at most")
    return int(text)


def _write(told: Any, type_: type[Struct]) -> bytes:
    """Return what a command answered as the struct that says so: a list as its `rows`."""
    return msgspec.json.encode(msgspec.convert({"rows": told} if isinstance(told, list) else told, type=type_))
