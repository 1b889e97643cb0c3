"""The caller's end of the admin channel: a command runs in the process that holds the book, or here where nobody does.

One command is one function `(app, arguments) -> JSON value`; the command line does not know which way it went. What a book
needs is loaded only where it is opened here: whoever asks a running process need not wait for its libraries.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from protocol.errors import Refusal

Command = Callable[[Any, Mapping[str, Any]], Awaitable[Any]]
SOCKET_NAME: Final = "admin.sock"
# A process that starts or stops holds its book without listening: that long we try again.
BETWEEN_SECONDS: Final = 5.0
TRY_EVERY_SECONDS: Final = 0.05
BOOK_IN_USE: Final = "book_in_use"  # by its code: its class is found beside the database


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


class ShortPath:
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
        with ShortPath(self._folder) as short:
            self.sock.connect(f"{short}/{SOCKET_NAME}")


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
    open_app: Callable[[], tuple[Any, Mapping[str, Command]]],
) -> Any:
    """Run a command in the running process, or open the book here, run it, and close. Raises its Refusal.

    `open_app` gives an object with `async start_quietly()` and `async stop()`, and its commands.
    """

    async def run() -> Any:
        app, commands = open_app()
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
        except Refusal as refusal:
            if refusal.code != BOOK_IN_USE or time.monotonic() > give_up:
                raise
            time.sleep(TRY_EVERY_SECONDS)
