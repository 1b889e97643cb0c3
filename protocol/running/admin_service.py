"""The admin channel: named commands over a unix socket in the data folder, or in process where nobody runs.

One command is one function `(app, arguments) -> JSON value`; the command line does not know which way it went.
The socket is its owner's alone: whoever can open it may do everything.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from aiohttp import web

from protocol.book.store import BookInUse
from protocol.errors import Malformed, Refusal

log = structlog.get_logger("admin")
Command = Callable[[Any, Mapping[str, Any]], Awaitable[Any]]
SOCKET_NAME: Final = "admin.sock"
BODY_BYTES_MAX: Final = 64 * 1024 * 1024
App = TypeVar("App")
# A process that starts or stops holds its book without listening: that long we try again.
BETWEEN_SECONDS: Final = 5.0
_TRY_EVERY_SECONDS: Final = 0.05


class Refused(Refusal):
    """A refusal that came over the admin channel, with the code and facts it had there."""

    def __init__(self, code: str, facts: dict[str, Any]) -> None:
        self.code = code  # type: ignore[misc]
        super().__init__(**facts)


class UnknownCommand(Refusal):
    """Facts: command."""

    code = "unknown_command"


class NoAnswer(Refusal):
    """The running process stopped, or we may not speak to it: what was asked is done or is not. Facts: reason."""

    code = "no_answer"


async def run_command(commands: Mapping[str, Command], app: Any, name: str, arguments: Mapping[str, Any]) -> Any:
    """Run one command. Raises its Refusal."""
    command = commands.get(name)
    if command is None:
        raise UnknownCommand(command=name[:40])
    return await command(app, arguments)


class AdminServer:
    """Listens on the socket while the process runs."""

    def __init__(self, folder: Path, commands: Mapping[str, Command], app: Any) -> None:
        self._folder = folder
        self._commands = commands
        self._app = app
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_post("/", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            (self._folder / SOCKET_NAME).unlink(missing_ok=True)
            with _ShortPath(self._folder) as short:
                listener.bind(f"{short}/{SOCKET_NAME}")
        finally:
            os.umask(before)
        listener.setblocking(False)
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        (self._folder / SOCKET_NAME).unlink(missing_ok=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            name, arguments = _read_asked(await request.read())
            answer = await run_command(self._commands, self._app, name, arguments)
        except Refusal as refusal:
            return web.json_response({"refusal": {"code": refusal.code, "facts": refusal.facts}})
        except Exception:  # the top of a request: said in our log, numbered for the caller
            incident = secrets.token_hex(4)
            log.exception("incident", incident=incident)
            return web.json_response({"refusal": {"code": "incident", "facts": {"incident": incident}}})
        return web.json_response({"answer": answer})


def _read_asked(body: bytes) -> tuple[str, Mapping[str, Any]]:
    """Return the command's name and its arguments. Raises Malformed."""
    try:
        asked = json.loads(body)
        name, arguments = asked["command"], asked["arguments"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Malformed(reason="not a command and its arguments") from None
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise Malformed(reason="not a command and its arguments")
    return name, arguments


class _ShortPath:
    """A unix socket's path is 107 bytes at most: reach a deep folder through its descriptor."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle = -1

    def __enter__(self) -> str:
        self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._handle}"

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, folder: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._folder = folder

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with _ShortPath(self._folder) as short:
            self.sock.connect(f"{short}/{SOCKET_NAME}")


def wait_for_book(open_app: Callable[[], App]) -> App:
    """Open what serves the book, waiting a little for a command that holds it. Raises BookInUse where it stays held."""
    give_up = time.monotonic() + BETWEEN_SECONDS
    while True:
        try:
            return open_app()
        except BookInUse:
            if time.monotonic() > give_up:
                raise
            time.sleep(_TRY_EVERY_SECONDS)


def is_served(folder: Path) -> bool:
    """Tell whether a process answers on the folder's socket."""
    connection = _UnixConnection(folder, 1.0)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def call_running(folder: Path, name: str, arguments: Mapping[str, Any], *, seconds: float = 600) -> tuple[bool, Any]:
    """Return (True, the answer) of the process that runs in this folder, or (False, None) where none runs.

    Raises Refused, NoAnswer.
    """
    if not (folder / SOCKET_NAME).exists():
        return False, None
    connection = _UnixConnection(folder, seconds)
    try:
        connection.connect()
    except (ConnectionRefusedError, FileNotFoundError):
        connection.close()
        return False, None  # left behind by a process that was killed
    except OSError as error:
        connection.close()
        raise NoAnswer(reason=f"{folder / SOCKET_NAME}: {error.strerror or error}") from None
    try:
        connection.request("POST", "/", json.dumps({"command": name, "arguments": dict(arguments)}))
        told = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(reason=f"it did not answer ({type(error).__name__})") from None
    finally:
        connection.close()
    if "refusal" in told:
        raise Refused(told["refusal"]["code"], told["refusal"]["facts"])
    return True, told["answer"]


def call(
    folder: Path,
    name: str,
    arguments: Mapping[str, Any],
    *,
    commands: Mapping[str, Command],
    open_app: Callable[[], Any],
) -> Any:
    """Run a command in the running process, or open the book here, run it, and close. Raises its Refusal.

    `open_app` gives an object with `async start_quietly()` and `async stop()`.
    """

    async def run() -> Any:
        app = open_app()
        try:
            await app.start_quietly()
            return await run_command(commands, app, name, arguments)
        finally:
            await app.stop()

    give_up = time.monotonic() + BETWEEN_SECONDS
    while True:
        is_running, answer = call_running(folder, name, arguments)
        if is_running:
            return answer
        try:
            return asyncio.run(run())
        except BookInUse:
            if time.monotonic() > give_up:
                raise
            time.sleep(_TRY_EVERY_SECONDS)
