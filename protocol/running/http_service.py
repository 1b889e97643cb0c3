"""What every HTTP service of ours has: bounded bodies, one table of refusals, health, metrics, and no trace for a peer."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import secrets
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from aiohttp import ClientPayloadError, web, web_response
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import HttpVersion11
from aiohttp.http_exceptions import BadHttpMessage
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError

from protocol.book.store import StorageUnavailable, storage_reason
from protocol.errors import BadEnvelope, Malformed, Refusal
from protocol.running.explanations import explain
from protocol.running.logs_service import find_logger
from protocol.running.settings import NotConfigured
from protocol.running.statuses import status_of

log = find_logger("http")
# What aiohttp itself answers, to bytes that are no request, never comes through our hands: it must not tell versions.
web_response.SERVER_SOFTWARE = "citizen-miles"  # type: ignore[attr-defined]
RETRY_AFTER_SECONDS: Final = 2
STOP_SECONDS: Final = 5.0
SWITCH_SECONDS: Final = 0.02
# What strangers are told; paths and names of machines are for our log.
STORAGE_TROUBLE: Final = "the disk or the database does not answer as it should"
BROKEN_BODY: Final = "the body broke off, or is not what its headers say"

Probe = Callable[[], str | None]
Figures = Callable[[], Iterable[tuple[str, str, dict[str, str], float]]]


class NotFound(Refusal):
    """Facts: path."""

    code = "not_found"


class WrongMethod(Refusal):
    """Facts: method, allowed."""

    code = "wrong_method"


class TooLarge(Refusal):
    """Facts: bytes_max."""

    code = "too_large"


def choose_language(request: web.Request) -> str:
    """Return fr or en, as the caller prefers; French unless English comes first."""
    wanted = request.headers.get("Accept-Language", "fr").lower()
    return "en" if wanted.startswith("en") else "fr"


def refusal_body(refusal: Refusal, language: str) -> dict[str, Any]:
    """Return what a caller is told: code, facts, and a sentence."""
    return {
        "code": refusal.code,
        "facts": refusal.facts,
        "explanation": explain(refusal.code, refusal.facts, language),
    }


# The attribute of a handler whose refusals are told as RFC 9457 says.
AS_PROBLEM: Final = "as_problem"


def problem_body(refusal: Refusal, status: int, language: str) -> dict[str, Any]:
    """Return the same as a problem (RFC 9457): its own members, and ours."""
    told = refusal_body(refusal, language)
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": told["explanation"], **told}


class Metrics(Collector):
    """Figures read when somebody asks for them: (name, kind, labels, value); kind is counter or gauge."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.refusals: dict[str, int] = {}
        self.incidents = 0

    def collect(self) -> Iterable[Any]:
        families: dict[str, Any] = {}
        told = [("refusals", "counter", {"code": code}, float(count)) for code, count in self.refusals.items()]
        told.append(("incidents", "counter", {}, float(self.incidents)))
        for name, kind, labels, value in (*self._figures(), *told):
            family = families.get(name)
            if family is None:
                maker = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
                family = families[name] = maker(f"citizen_miles_{name}", name.replace("_", " "), labels=sorted(labels))
            family.add_metric([labels[label] for label in sorted(labels)], value)
        return families.values()


class JsonResponse(web.Response):
    """A JSON answer without headers of its own. To a kept HTTP/1.1 connection it goes out in one write.

    aiohttp builds every answer's headers in a dictionary, asks who would change them, and writes them out again: that is
    a sixth of what a small call costs. Where anything is not the common case, this is an ordinary Response.
    """

    def __init__(self, body: bytes, status: int = 200) -> None:
        super().__init__(body=body, content_type="application/json", status=status)
        self._json = body
        self._asked: web.BaseRequest | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Remember who asked; where it is not the common case, begin to write as any response does."""
        is_kept = request.keep_alive and super().keep_alive is None
        if is_kept and request.version == HttpVersion11 and request.method != "HEAD":
            self._asked = request
            return None
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Write head and body together. Raises ConnectionResetError where nobody is there any more."""
        if self._asked is None:
            await super().write_eof(data)
            return
        transport = self._asked.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        head = (
            f"HTTP/1.1 {self.status} {self.reason}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self._json)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n"
        )
        transport.write(head.encode("ascii") + self._json)

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection stays, once it is known."""
        return super().keep_alive if self._asked is None else True


def make_application(
    *, body_bytes_max: int, probe: Probe, metrics: Metrics, larger: Mapping[str, int] = MappingProxyType({})
) -> web.Application:
    """Return an application with refusals, health and metrics; `probe` says why we are not ready, or nothing.

    `larger` names paths whose bodies may be larger, and how large: one that ends with / is the beginning of others. See
    `read_larger`.
    """

    @web.middleware
    async def answer_refusals(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        bytes_max = next((most for path, most in larger.items() if _is_at(request.path, path)), body_bytes_max)
        try:
            if (request.content_length or 0) > bytes_max:
                raise TooLarge(bytes_max=bytes_max)  # before a byte of it is read
            return await handler(request)
        except Exception as error:
            if isinstance(error, web.HTTPException) and error.status < 400:
                raise  # a page sends the caller elsewhere
            language = choose_language(request)
            refusal = _find_refusal(error, request, bytes_max)
            if refusal is None:
                return _tell_incident(request, language, metrics)
            return _refuse(
                refusal, language, metrics, as_problem=getattr(request.match_info.handler, AS_PROBLEM, False)
            )

    application = web.Application(client_max_size=body_bytes_max, middlewares=[answer_refusals])
    registry = CollectorRegistry()
    registry.register(metrics)

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def readyz(_request: web.Request) -> web.Response:
        reason = probe()
        return web.json_response({"ready": reason is None, "reason": reason}, status=200 if reason is None else 503)

    async def show_metrics(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def name_nothing(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)  # the versions we run are nobody's business

    application.on_response_prepare.append(name_nothing)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/readyz", readyz)
    application.router.add_get("/metrics", show_metrics)
    return application


def _is_at(path: str, named: str) -> bool:
    return path.startswith(named) if named.endswith("/") else path == named


async def read_larger(request: web.Request, bytes_max: int) -> bytes:
    """Return a body that may be larger than what the application takes elsewhere. Raises HTTPRequestEntityTooLarge."""
    return await request.clone(client_max_size=bytes_max).read()


def _find_refusal(error: Exception, request: web.Request, body_bytes_max: int) -> Refusal | None:
    """Return what a failure means for a stranger, or None where it is a bug of ours."""
    match error:
        case StorageUnavailable():
            log.error("storage", reason=str(error))
            return StorageUnavailable(reason=STORAGE_TROUBLE)
        case Refusal():
            return error
        case web.HTTPRequestEntityTooLarge():
            return TooLarge(bytes_max=body_bytes_max)
        case web.HTTPNotFound():
            return NotFound(path=request.path[:200])
        case web.HTTPMethodNotAllowed():
            return WrongMethod(method=error.method[:20], allowed=", ".join(sorted(error.allowed_methods)))
        case web.HTTPException() if error.status < 500:
            return Malformed(reason=error.reason)
        case ClientPayloadError() | web.RequestPayloadError() | BadHttpMessage():
            return Malformed(reason=BROKEN_BODY)
        case ConnectionResetError() if request.transport is None or request.transport.is_closing():
            return Malformed(reason=BROKEN_BODY)  # nobody is there to read it
        case DBAPIError() if reason := storage_reason(error):
            log.error("storage", reason=reason)
            return StorageUnavailable(reason=STORAGE_TROUBLE)
    return None


def _tell_incident(request: web.Request, language: str, metrics: Metrics) -> web.Response:
    """Log the bug that is being handled, and give the caller its number: nothing of the inside."""
    incident = secrets.token_hex(4)
    metrics.incidents += 1
    log.exception("incident", incident=incident, path=request.path[:200])
    facts: dict[str, Any] = {"incident": incident}
    body = {"code": "incident", "facts": facts, "explanation": explain("incident", facts, language)}
    return web.json_response(body, status=500)


def _refuse(refusal: Refusal, language: str, metrics: Metrics, *, as_problem: bool = False) -> web.Response:
    metrics.refusals[refusal.code] = metrics.refusals.get(refusal.code, 0) + 1
    status = status_of(refusal)
    if isinstance(refusal, BadEnvelope):
        log.warning("refused", code=refusal.code, cause=refusal.cause)
    retry_after = refusal.facts.get("retry_after_seconds", RETRY_AFTER_SECONDS)
    headers = {"Retry-After": str(retry_after)} if status in (429, 503) else {}
    if isinstance(refusal, WrongMethod):
        headers["Allow"] = str(refusal.facts["allowed"])
    response = web.json_response(
        problem_body(refusal, status, language) if as_problem else refusal_body(refusal, language),
        status=status,
        headers=headers,
        content_type="application/problem+json" if as_problem else "application/json",
        dumps=lambda body: json.dumps(body, ensure_ascii=False),
    )
    if isinstance(refusal, TooLarge):
        response.force_close()  # what is still on its way belongs to no next request
    return response


def make_tls(certificate: str, key: str) -> ssl.SSLContext | None:
    """Return the TLS context of a certificate and its key, or None behind a reverse proxy. Raises NotConfigured."""
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key or None)
    except OSError as error:  # an SSLError is one too
        raise NotConfigured(reason=f"tls_certificate or tls_key: {error.strerror or error}") from None
    return context


def _settle_in() -> None:
    """Make this process one that serves.

    What is loaded by now stays: the collector need not look at it again and again. And the event loop and the book's
    writer hand Python's lock to each other when one has nothing to do, or after 20 ms instead of 5: each handing over
    costs both, a writer that waits finds more to write at once, and a fifth more small calls are answered.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another application of the same process, at an address of its own."""

    application: web.Application
    host: str
    port: int
    tls: ssl.SSLContext | None
    on_ready: Callable[[int], None]  # told the port


async def serve_until_stopped(
    application: web.Application,
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext | None,
    on_ready: Callable[[int], None],
    on_stop: Callable[[], None],
    beside: Sequence[Beside] = (),
) -> None:
    """Serve until SIGTERM or SIGINT; then take no new calls and let `on_stop` wake those that wait.

    What is served `beside` answers by the time `on_ready` is told the port of the first.

    Raises NotConfigured where the address cannot be listened on.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError, ValueError):
            loop.add_signal_handler(number, stopping.set)
    runners: list[web.AppRunner] = []
    served = (Beside(application=application, host=host, port=port, tls=tls, on_ready=on_ready), *beside)
    try:
        for one in served:
            # A caller who hung up is not waited for: what was meant for him is not handed over to nobody.
            runner = web.AppRunner(
                one.application,
                access_log=None,
                shutdown_timeout=STOP_SECONDS,
                handle_signals=False,
                handler_cancellation=True,
            )
            await runner.setup()
            runners.append(runner)
            try:
                await web.TCPSite(runner, one.host, one.port, ssl_context=one.tls).start()
            except OSError as error:
                raise NotConfigured(reason=f"listen {one.host}:{one.port}: {error.strerror or error}") from None
        _settle_in()
        for one, runner in reversed(list(zip(served, runners, strict=True))):  # the first is told last
            one.on_ready(int(runner.addresses[0][1]))
        await stopping.wait()
    finally:
        on_stop()
        await asyncio.gather(*(runner.cleanup() for runner in runners))
