"""A base of a house that is an old copy, on its way back to the present. Pure.

With each neighbour:

    PULLING ── all our slips are here again ──▶ PULLED ── with all of them ──▶ TELLING ── it holds our `Resumed` ──▶ HEARD
       ▲                                          │                              │
       └───────── something of the lost base reached the neighbour before our word ┘

When all have heard, the base's own pages are written again and what the neighbours said since is done, in one page: then
there is no recovery any more. Source: SPEC.md, "The house"; decision 0018.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from protocol.errors import Refusal
from protocol.house import HouseSlip

BEHIND: Final = "house_behind"
FACT: Final = "house_recovery"
PAGE: Final = "house_page"
NONCE_BYTES: Final = 16
DRAWN_BYTES: Final = 32


class BaseIsBehind(Refusal):
    """Others hold more of our log than we do: this base is an old copy, and takes no new work. Facts: base."""

    code = "base_is_behind"


class BaseNotBehind(Refusal):
    """Nothing says that this base is an old copy. Facts: base."""

    code = "base_not_behind"


class TalkStage(StrEnum):
    """How far the way back is with one neighbour."""

    PULLING = "pulling"
    PULLED = "pulled"
    TELLING = "telling"
    HEARD = "heard"


class Talk(Struct, frozen=True, kw_only=True):
    """With one neighbour. `start`: our log's size in the old copy; `end`: with all that came back; `heard`: how much of
    theirs was done in the copy. `before`: the epoch of our log then; `known`: the latest that the neighbour knows.
    """

    nonce: str  # hexadecimal: only an answer to this question counts
    start: int
    end: int
    heard: int
    before: int
    known: int
    stage: TalkStage = TalkStage.PULLING


class PeerRecovery(Struct, frozen=True, kw_only=True):
    """Where a recovery stands. `trouble`: why it cannot end, or nothing."""

    since: int
    drawn: str  # hexadecimal: what this recovery drew
    talks: dict[str, Talk]
    trouble: str = ""

    def having(self, neighbour: str, talk: Talk) -> PeerRecovery:
        return msgspec.structs.replace(self, talks={**self.talks, neighbour: talk})

    def is_all(self, stage: TalkStage) -> bool:
        return all(talk.stage is stage for talk in self.talks.values())

    def has_any(self, stage: TalkStage) -> bool:
        return any(talk.stage is stage for talk in self.talks.values())


@dataclass(frozen=True, slots=True)
class Lost:
    """What an old copy lacked: its own slips by reader, and by writer those that it had not done, each in order."""

    own: Mapping[str, list[HouseSlip]] = field(default_factory=dict)
    theirs: Mapping[str, list[HouseSlip]] = field(default_factory=dict)


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_RECOVERIES: Final = msgspec.json.Decoder(PeerRecovery)


def encode_recovery(recovery: PeerRecovery) -> str:
    return msgspec.json.encode(recovery).decode()


def decode_recovery(value: str) -> PeerRecovery:
    return _RECOVERIES.decode(value)


def derive_nonce(drawn: str, neighbour: str, before: str) -> str:
    """Return the nonce of the next question to a neighbour, after `before`."""
    words = f"{drawn} {neighbour} {before}".encode()
    return hashlib.blake2b(words, digest_size=NONCE_BYTES, person=b"cm-house-nonce").hexdigest()
