"""Which epoch a book that was an old copy goes on under: later than every known one, and no other recovery's. Pure.

A recovery that is lost in its turn may have spoken already, in an envelope that is still under way. The next one from the
same copy knows nothing of it, and says something else at the same place: under the same epoch it would seem to be one
author who contradicts himself, and there would be evidence against somebody honest. So the leap is drawn by each
recovery for itself. Source: SPEC.md, "Old copies".
"""

from __future__ import annotations

from typing import Final

# Epochs are columns of 32 bits: room for thousands of recoveries.
LEAP_BYTES: Final = 2


def choose_epoch(known: int, drawn: bytes) -> int:
    """Return an epoch 1 to 65 536 after the latest known one, by what the recovery drew (two bytes at least)."""
    return known + 1 + int.from_bytes(drawn[:LEAP_BYTES], "big")
