"""The server's end of the admin channel: named commands over a unix socket in the data folder.

The socket is its owner's alone: whoever can open it may do everything.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from aiohttp import web

from protocol.book.store import BookInUse
from protocol.errors import Malformed, Refusal
from protocol.running.admin_client import (
    BETWEEN_SECONDS,
    SOCKET_NAME,
    TRY_EVERY_SECONDS,
    Command,
    ShortPath,
    run_command,
)
from protocol.running.logs_service import find_logger

log = find_logger("admin")
BODY_BYTES_MAX: Final = 64 * 1024 * 1024
App = TypeVar("App")


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
            with ShortPath(self._folder) as short:
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


def wait_for_book(open_app: Callable[[], App]) -> App:
    """Open what serves the book, waiting a little for a command that holds it. Raises BookInUse where it stays held."""
    give_up = time.monotonic() + BETWEEN_SECONDS
    while True:
        try:
            return open_app()
        except BookInUse:
            if time.monotonic() > give_up:
                raise
            time.sleep(TRY_EVERY_SECONDS)
