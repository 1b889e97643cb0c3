"""Which ids are certainly new: what a book remembers of the newest, so that it need not look every id up. Pure.

Callers make their ids rise with time (UUIDv7), but many callers' clocks interleave, and one may be a year ahead. So the
greatest ids are remembered one by one, and below the least of them, the `floor`, nothing is known:

    0 ────────────── floor ──────────────────────────▶ greatest
      look it up           remembered: known, or new

A wild id stays among the remembered and harms nobody; only ids as old as the floor cost a look-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from protocol.identifiers import Id16

IDS_MAX: Final = 32_768  # about 3 MB


class RecentIds:
    """The greatest ids of a book. Whoever makes one gives each id of the book above `floor`, once."""

    __slots__ = ("_known", "_order", "floor")

    def __init__(self, newest: Iterable[bytes], floor: bytes) -> None:
        self.floor = floor
        self._known: set[bytes] = set()
        self._order: list[bytes] = []
        self.add(newest)

    def find_doubtful(self, ids: Iterable[Id16]) -> list[Id16]:
        """Return those that are in the book or may be; all others are new."""
        known, floor = self._known, self.floor
        return [id_ for id_ in ids if id_ <= floor or id_ in known]

    def add(self, ids: Iterable[bytes]) -> None:
        """Note ids that are in the book from now on."""
        known, floor = self._known, self.floor
        fresh = [id_ for id_ in ids if id_ > floor and id_ not in known]
        known.update(fresh)
        self._order += fresh
        if len(self._order) > IDS_MAX:
            self._forget()

    def _forget(self) -> None:
        """Let go of the lesser half. Ids come nearly in order, so sorting them is nearly free."""
        self._order.sort()
        lesser = self._order[: -IDS_MAX // 2]
        self._known.difference_update(lesser)
        del self._order[: len(lesser)]
        self.floor = max(self.floor, lesser[-1])

    def __len__(self) -> int:
        return len(self._known)
