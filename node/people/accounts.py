"""How far a person's account is: asked of the accounts base, open, on its way to be closed. Pure.

ASKED ──▶ OPEN ──▶ CLOSING ──▶ CLOSED
   │        ▲          │
   │        └── BUSY ◀─┘        rights are held, reserved or on their way: it is asked again
   └──▶ REFUSED
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LinkState(StrEnum):
    ASKED = "asked"
    OPEN = "open"
    CLOSING = "closing"
    BUSY = "busy"
    CLOSED = "closed"
    REFUSED = "refused"


ENDED: Final = frozenset({LinkState.CLOSED, LinkState.REFUSED})
LIVING: Final = frozenset({LinkState.OPEN, LinkState.BUSY})
