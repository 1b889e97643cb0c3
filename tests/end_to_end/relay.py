"""A line that keeps what passed on it: listens for one party, hands all on to another. Touches sockets and a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Final

_PIECE: Final = 1 << 16


class Relay:
    """Passes on to a port of this machine; `carried` is every byte of both directions."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._parts: dict[int, bytearray] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._lines: set[asyncio.Task[None]] = set()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def carried(self) -> bytes:
        """What passed, one connection after another, each direction by itself."""
        return b"\n".join(bytes(part) for part in list(self._parts.values()))

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            self._lines.discard(line)
            return
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        except asyncio.CancelledError:
            pass  # the relay stops
        finally:
            self._lines.discard(line)
            for end in (writer, far_writer):
                with contextlib.suppress(OSError):
                    end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        part = self._parts[len(self._parts)] = bytearray()
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                part += data
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.transport.abort()

    def stop(self) -> None:
        async def end() -> None:
            self._server.close()
            for line in list(self._lines):
                line.cancel()
            await asyncio.gather(*self._lines, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
