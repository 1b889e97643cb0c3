"""How many calls a key has. Pure: whoever asks brings the time.

For each key one instant is kept: when all its calls are worked off. While it lies further ahead than a burst takes, there
are no more. A clock that was set back makes nobody wait longer than a burst. Lost with the process: then all may call.
"""

from __future__ import annotations

from typing import Final

from protocol.errors import Refusal
from protocol.times import Instant

BURST: Final = 300
EVERY_MS: Final = 100  # ten a second, and a burst for a page that asks for much
SECOND_MS: Final = 1_000


class CallsUsedUp(Refusal):
    """Facts: retry_after_seconds."""

    code = "calls_used_up"


class CallRates:
    """The calls of each key that are not worked off yet: as many entries as there are keys in force."""

    def __init__(self, burst: int = BURST, every_ms: int = EVERY_MS) -> None:
        self._window_ms = burst * every_ms
        self._every_ms = every_ms
        self._done_at: dict[str, int] = {}

    def take(self, key: str, now: Instant) -> None:
        """Count a call. Raises CallsUsedUp, and then counts nothing."""
        before = self._done_at[key] = min(self._done_at.get(key, 0), now + self._window_ms)
        after = max(now, before) + self._every_ms
        wait_ms = after - now - self._window_ms
        if wait_ms > 0:
            raise CallsUsedUp(retry_after_seconds=-(-wait_ms // SECOND_MS))
        self._done_at[key] = after
