"""The doors of a base over HTTP, made from its steps: read what is asked, run the command, write what it answers."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import BadHttpMessage
from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from node.doors.bodies import read_body
from node.doors.duties import AnotherCompany, Caller, KeyNotKnown
from node.doors.rates import CallRates, CallsUsedUp
from node.doors.steps import Step, Steps, fit_answer, write_asked
from protocol.book.store import storage_reason
from protocol.errors import Malformed, Refusal
from protocol.running.admin_client import Command
from protocol.running.http_service import AS_PROBLEM, JsonResponse, TooLarge, choose_language, read_larger
from protocol.times import Instant

PIECE: Final = 256 * 1024
UPLOADS: Final = "uploads"
UPLOADS_AT_ONCE: Final = 4
WAIT_SECONDS: Final = 5.0
Authorise = Callable[[str], Awaitable[Caller]]
# Raises its Refusal where the thing that a step names is not this company's.
RequireOwn = Callable[[Step, Mapping[str, Any], str], Awaitable[None]]
Asked = TypeVar("Asked", bound=Struct)


class DoorFailed(Exception):
    """A bug of ours behind a silent door."""


async def own_nothing(step: Step, _asked: Mapping[str, Any], company: str) -> None:
    """For a base in which nothing is a company's own. Raises AnotherCompany."""
    raise AnotherCompany(company=company, step=step.called)


class Doors:
    """The doors of one base: its steps, its commands, and who may."""

    def __init__(
        self,
        app: Any,
        commands: Mapping[str, Command],
        steps: Steps,
        *,
        folder: Path,
        clock: Callable[[], Instant],
        authorise: Authorise,
        require_own: RequireOwn = own_nothing,
        wait_seconds: float = WAIT_SECONDS,
        is_silent: bool = False,
    ) -> None:
        """`is_silent`: of an error of ours the log learns where it was, and not what it says: that may quote somebody."""
        self.steps = steps
        self._app = app
        self._commands = commands
        self._folder = folder / UPLOADS
        self._clock = clock
        self._authorise = authorise
        self._require_own = require_own
        self._wait_seconds = wait_seconds
        self._is_silent = is_silent
        self._rates = CallRates()
        self._uploads = 0
        self._working: set[asyncio.Task[Any]] = set()

    def add(self, application: web.Application) -> None:
        """Serve them in an application, beside what it serves already."""
        for step in self.steps.steps:
            route = self.steps.make_route(step)
            application.router.add_route(route.method, route.path, self._make_handler(step))
        document = msgspec.json.encode(self.steps.describe())

        async def show_description(_request: web.Request) -> web.Response:
            return JsonResponse(document)

        application.router.add_get(f"{self.steps.prefix}/openapi.json", show_description)

    def bodies(self) -> dict[str, int]:
        """Return the paths whose bodies may be larger, and how large."""
        return {
            f"{self.steps.prefix}/{step.called}": step.upload.bytes_max
            for step in self.steps.steps
            if step.upload is not None
        }

    def _make_handler(self, step: Step) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def take(request: web.Request) -> web.StreamResponse:
            caller = await self._find_caller(request)
            caller.require(step.duties)
            self._rates.take(caller.key, self._clock())
            if step.upload is not None:
                return await self._take_upload(request, caller, step)
            asked = _bind(caller, step, await self._read(request, step))
            await self._require_company(caller, step, asked)
            return await self._answer(request, step, asked)

        async def handle(request: web.Request) -> web.StreamResponse:
            if not self._is_silent:
                return await take(request)
            try:
                return await take(request)
            except (Refusal, web.HTTPException, ConnectionError, ClientPayloadError, BadHttpMessage):
                raise
            except Exception as error:
                if isinstance(error, DBAPIError) and storage_reason(error):
                    raise
                silenced = DoorFailed(_tell_where(error))
            raise silenced

        setattr(handle, AS_PROBLEM, True)
        return handle

    async def _find_caller(self, request: web.Request) -> Caller:
        """Return who calls; asked before anything else is read. Raises KeyNotKnown."""
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not text:
            raise KeyNotKnown
        return await self._authorise(text.strip())

    async def _require_company(self, caller: Caller, step: Step, asked: Mapping[str, Any]) -> None:
        """A key that is bound to a company touches what is that company's, and nothing of all companies."""
        if not caller.company:
            return
        if not step.of_company:
            raise AnotherCompany(company=caller.company, step=step.called)
        await self._require_own(step, asked, caller.company)

    async def _read(self, request: web.Request, step: Step) -> dict[str, Any]:
        """Return the arguments of the command, as they were read by the step's struct. Raises Malformed."""
        asked: Struct | None = None
        if step.reads or step.upload is not None:
            asked = _read_query(request, step.asks)
        elif step.asks is not None:
            asked = read_body(await request.read(), step.asks)
        return write_asked(step, asked) | {"language": choose_language(request)}

    async def _answer(self, request: web.Request, step: Step, asked: Mapping[str, Any]) -> web.Response:
        if step.shows is None:
            return _write(request, step, await self._commands[step.command](self._app, asked))
        return await self._work(step, asked, self._commands[step.command](self._app, asked))

    async def _work(
        self, step: Step, asked: Mapping[str, Any], work: Any, done: Callable[[], None] | None = None
    ) -> web.Response:
        """Do what may take minutes, whoever hangs up. While it lasts longer than a caller waits, tell how far it is."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        task.add_done_callback(lambda _task: done() if done is not None else None)
        while not (await asyncio.wait({task}, timeout=self._wait_seconds))[0]:
            if step.shows is None:
                continue
            command, argument, ours = step.shows
            try:
                told = await self._commands[command](self._app, {argument: asked[ours]})
            except Refusal:
                continue  # it has not begun yet
            return JsonResponse(msgspec.json.encode(fit_answer(step, told)), 202)
        return JsonResponse(msgspec.json.encode(fit_answer(step, task.result())))

    async def _take_upload(self, request: web.Request, caller: Caller, step: Step) -> web.StreamResponse:
        """Take a file, no larger than the step takes and no more at once than there is room for."""
        assert step.upload is not None
        asked = _bind(caller, step, await self._read(request, step))
        await self._require_company(caller, step, asked)
        if not step.upload.is_kept:
            data = await read_larger(request, step.upload.bytes_max)
            return await self._answer(request, step, asked | {step.upload.argument: base64.b64encode(data).decode()})
        if self._uploads >= UPLOADS_AT_ONCE:
            raise CallsUsedUp(retry_after_seconds=60)
        self._uploads += 1
        file: Path | None = None
        try:
            file = await self._keep(request, step.upload.bytes_max)
        finally:
            if file is None:
                self._uploads -= 1
        kept = file

        def done() -> None:
            self._uploads -= 1
            kept.unlink(missing_ok=True)

        work = self._commands[step.command](self._app, asked | {step.upload.argument: str(kept)})
        return await self._work(step, asked, work, done)

    async def _keep(self, request: web.Request, bytes_max: int) -> Path:
        """Write the body into a file of its own, its owner's alone. Raises TooLarge."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / secrets.token_hex(16)
        loop = asyncio.get_running_loop()
        size = 0
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            async for piece in request.content.iter_chunked(PIECE):
                size += len(piece)
                if size > bytes_max:
                    raise TooLarge(bytes_max=bytes_max)
                await loop.run_in_executor(None, _write_all, handle, piece)
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        return file


def _tell_where(error: BaseException) -> str:
    """Return what kind of error it is and where it was, innermost last: code, and no value."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {' '.join(places)}"


def _bind(caller: Caller, step: Step, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what is asked with the officer of the key as who does it. Raises AnotherOfficer."""
    return asked | {step.by: caller.require_self(asked.get(step.by, ""), step.by)} if step.by else asked


def forget_uploads(folder: Path) -> None:
    """Remove what a stop left of files that were being taken."""
    for file in (folder / UPLOADS).glob("*"):
        file.unlink(missing_ok=True)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _read_query(request: web.Request, type_: type[Asked] | None) -> Asked | None:
    """Return the query as the struct that says what may stand in it. Raises Malformed."""
    query = request.query
    if len(set(query)) != len(query):
        raise Malformed(reason="a word of the query is given twice")
    if type_ is None:
        if query:
            raise Malformed(reason="there is nothing to ask by a query")
        return None
    try:
        return msgspec.convert(dict(query), type=type_, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Malformed(reason=str(error)[:200]) from None


def _write(request: web.Request, step: Step, told: Any) -> web.Response:
    """Return the answer as JSON, or its file where the caller accepts that."""
    file = step.file
    if file is None or file.media not in request.headers.get("Accept", ""):
        return JsonResponse(msgspec.json.encode(fit_answer(step, told)))
    part = told[file.part]
    data = base64.b64decode(part) if file.is_base64 else str(part).encode()
    return web.Response(
        body=data,
        headers={
            "Content-Type": f"{file.media}; charset={file.charset}" if file.charset else file.media,
            "Content-Disposition": f'attachment; filename="{file.name.format_map(told)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
