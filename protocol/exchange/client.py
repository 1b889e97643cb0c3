"""Calling the hub over HTTP, and waiting well when it does not answer."""

from __future__ import annotations

import asyncio
import io
from typing import Final, Protocol

import aiohttp
import msgspec

from protocol.envelopes import ENVELOPE_BYTES_MAX
from protocol.errors import Refusal

WAIT_HEADER: Final = "Citizen-Miles-Wait-Ms"
CONTENT_TYPE: Final = "application/msgpack"
_CONNECT_SECONDS: Final = 10.0
_REASON_CHARACTERS_MAX: Final = 200
SILENCE_MS: Final = 15_000  # how long a hub may say nothing, past the wait that was agreed
# A larger body is read piece by piece in another thread, so that the loop goes on; for a small one that costs more.
_AT_ONCE_BYTES: Final = 256 * 1024


class HubUnreachable(Refusal):
    """No answer, or none that can be read. Facts: reason."""

    code = "hub_unreachable"


class HubRefused(Refusal):
    """The hub answered with a refusal. Facts: hub_code, reason, status."""

    code = "hub_refused"


class Transport(Protocol):
    """Whatever carries one envelope there and one back."""

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        """Return the answering envelope. Raises HubUnreachable, HubRefused."""
        ...


class HttpTransport:
    """POST to `path`, one connection kept open. After `silence_ms` without a byte a line counts as dead."""

    def __init__(self, url: str, *, silence_ms: int = SILENCE_MS, path: str = "/v1/exchange") -> None:
        self._url = url.rstrip("/")
        self._path = path
        self._silence = silence_ms / 1000
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(trust_env=True)
        return self._session

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        return await self.post(self._path, envelope, {WAIT_HEADER: str(wait_ms)}, wait_ms)

    async def post(self, path: str, body: bytes, headers: dict[str, str] | None = None, wait_ms: int = 0) -> bytes:
        """Return the body of the answer. Raises HubUnreachable, HubRefused."""
        return await self.ask("POST", path, body, headers, wait_ms)

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, wait_ms: int = 0
    ) -> bytes:
        """The same with another method."""
        wait = wait_ms / 1000
        connect = min(_CONNECT_SECONDS, self._silence)
        # A line that swallows everything is found by `sock_read`; one that brings a byte now and then, by `total`.
        timeout = aiohttp.ClientTimeout(
            total=connect + wait + 2 * self._silence, sock_connect=connect, sock_read=wait + self._silence
        )
        try:
            async with self._open().request(
                method,
                self._url + path,
                data=body if len(body) <= _AT_ONCE_BYTES else io.BytesIO(body),
                headers={"Content-Type": CONTENT_TYPE, **(headers or {})},
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                data = await _read_bounded(response)
                if response.status == 200:
                    if response.content_type == "text/html":
                        raise HubUnreachable(reason="an HTML page instead of the hub's answer: a proxy or a portal?")
                    return data
                raise _refusal_of(response.status, data)
        except TimeoutError as error:
            waited = f"no whole answer within {wait + self._silence:g} to {timeout.total:g} seconds"
            raise HubUnreachable(reason=f"{waited}: the line or the hub is silent") from error
        except (aiohttp.ClientError, OSError, EOFError, ValueError) as error:
            raise HubUnreachable(reason=_reason_of(error)) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def _reason_of(error: Exception) -> str:
    """Say in one line why there was no answer; what came instead may be any bytes, of any length."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was cut before an answer came"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what came is not an answer in HTTP"
    said = " ".join(str(error).split()) or type(error).__name__
    return said[:_REASON_CHARACTERS_MAX]


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(256 * 1024):
        size += len(part)
        if size > ENVELOPE_BYTES_MAX:
            raise HubUnreachable(reason=f"an answer of more than {ENVELOPE_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


def _refusal_of(status: int, data: bytes) -> Refusal:
    try:
        told = msgspec.json.decode(data)  # it refuses halves of characters, which no log can write
        code, facts = str(told["code"])[:48], told.get("facts") or {}
        reason = str(facts.get("reason", ""))[:200]
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return HubUnreachable(reason=f"HTTP status {status}")
    return HubRefused(hub_code=code, reason=reason, status=status)


class BackOff:
    """Waits with full jitter, doubling up to a ceiling; contact resets it. Source: CLEARING.md, 4.4."""

    def __init__(self, *, first_ms: int = 500, ceiling_ms: int = 15 * 60 * 1000) -> None:
        self._first = first_ms
        self._ceiling = ceiling_ms
        self._tries = 0

    @property
    def tries(self) -> int:
        """How many calls failed since the last contact."""
        return self._tries

    def reset(self) -> None:
        self._tries = 0

    def next_wait_ms(self, chance: float) -> int:
        """Return how long to wait now; `chance` is a fresh random number from 0 to 1."""
        bound = min(self._ceiling, self._first * 2 ** min(self._tries, 20))
        self._tries += 1
        return max(50, int(bound * chance))


async def wait_or_wake(wake: asyncio.Event, milliseconds: int) -> None:
    """Wait, but not longer than until somebody wakes us."""
    try:
        await asyncio.wait_for(wake.wait(), milliseconds / 1000)
    except TimeoutError:
        return
