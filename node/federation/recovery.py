"""A node's book that is an old copy, on its way back to the present. Pure.

    (behind) ── begin ──▶ PULLING ── all our slips are here again, the epoch is raised ──▶ REPLAYING ──▶ (none)
                             ▲                                                                │
                             └── something of the lost book reached the hub before our word ──┘

PULLING: our own slips come back from the hub and are laid into our log, nothing is booked yet.
REPLAYING: once the hub has heard that we go on under another epoch, our slips and its own are booked again, in an order
in which they can have happened.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from protocol.errors import Refusal
from protocol.messages import Answer, HandedOver, Slip, Statement, Stopped, Verdict

FACT: Final = "recovery"
BEHIND: Final = "behind"
# Slips of ours booked again in one commit: others' work goes between, and progress is seen.
SLIPS_AT_ONCE: Final = 64


class RecoveryPhase(StrEnum):
    """How far the way back is."""

    PULLING = "pulling"
    REPLAYING = "replaying"


class Recovery(Struct, frozen=True, kw_only=True):
    """Where a recovery stands. `start`: our log's size in the old copy; `end`: with all that came back.

    `booked` is the index of the next of our slips to be booked again, `epoch` the one under which it was written.
    """

    phase: RecoveryPhase
    since: int
    start: int
    end: int
    booked: int
    epoch: int
    nonce: str  # hexadecimal: only an answer to this recovery's question counts
    before: int = 0  # the epoch under which our log stood when all had come back
    is_heard: bool = False  # the hub holds our `Restored`: nothing of the lost book can come before it any more
    unplaced: int = 0
    reopened: int = 0


class NotBehind(Refusal):
    """Nothing says that this book is an old copy. Facts: none."""

    code = "not_behind"


def encode_recovery(recovery: Recovery) -> str:
    return msgspec.json.encode(recovery).decode()


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_RECOVERIES: Final = msgspec.json.Decoder(Recovery)


def decode_recovery(value: str) -> Recovery:
    return _RECOVERIES.decode(value)


def find_needed(slip: Slip, opened: list[Slip]) -> int:
    """Return how many of our slips must be booked before this slip of the hub can be: those it speaks of.

    `opened` are the slips of others that it hands over.
    """
    needed = 0
    for message in slip.messages:
        match message:
            case Verdict() | Stopped():
                needed = max(needed, message.index + 1)
            case HandedOver():
                needed = max(needed, *(index + 1 for index in message.indexes))
            case Statement():
                needed = max(needed, message.taken)
            case _:
                continue
    for brought in opened:
        for message in brought.messages:
            if isinstance(message, Answer):
                needed = max(needed, message.index + 1)
    return needed
