"""Where a hub's recovery stands, and what its lost slips had told. Pure.

    (running) ── begin ──▶ COLLECTING ── every member gave back what it holds ──▶ rebuilt ──▶ (running)

While it collects, the hub answers every call, takes back its own slips and the members' slips, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct

from protocol.errors import Refusal
from protocol.messages import Forward, HandedOver, Message, Moved, Slip, Stopped, Verdict, WindowClosed
from protocol.national import SlipKey

FACT: Final = "recovery"
RESTORED: Final = "restored"  # the book was put back from a copy, and did not begin to recover yet


class HubRecovering(Refusal):
    """The hub's book was an old copy: until its members gave back what they hold, nothing new is decided. Facts: waiting."""

    code = "hub_recovering"


class NotRecovering(Refusal):
    """No recovery runs."""

    code = "not_recovering"


class MembersMissing(Refusal):
    """Members have not given back what they hold. Facts: members."""

    code = "members_missing"


class RecoveryStuck(Refusal):
    """What was told of a slip cannot be true without what another member still holds. Facts: slips."""

    code = "recovery_stuck"


class Returning(Struct, frozen=True, kw_only=True):
    """One member's line. `told`, `taken`, `epoch`: the sizes of both logs, and the epoch of its own, in the old copy."""

    told: int
    taken: int
    epoch: int
    is_met: bool = False  # it spoke since it had heard of the recovery under its present epoch
    is_done: bool = False


class HubRecovery(Struct, frozen=True, kw_only=True):
    """A recovery that runs: under which epoch, what it drew to choose it, since when, and each member's line."""

    epoch: int
    drawn: str  # hexadecimal: no other recovery from the same copy drew the same, by chance
    since: int
    members: dict[str, Returning]

    def with_member(self, code: str, line: Returning) -> HubRecovery:
        """Return the recovery with this member's line changed."""
        return msgspec.structs.replace(self, members={**self.members, code: line})

    @property
    def waiting(self) -> list[str]:
        """The members that have not given everything back."""
        return sorted(code for code, line in self.members.items() if not line.is_done)


def encode_recovery(recovery: HubRecovery) -> str:
    return msgspec.json.encode(recovery).decode()


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_RECOVERIES: Final = msgspec.json.Decoder(HubRecovery)


def decode_recovery(value: str) -> HubRecovery:
    return _RECOVERIES.decode(value)


@dataclass(slots=True)
class Told:
    """What the slips that came back had told their readers. Whatever is in it stands, and is not told again."""

    verdicts: dict[tuple[str, int], Verdict] = field(default_factory=dict)
    stopped: dict[tuple[str, int], list[Stopped]] = field(default_factory=dict)
    handed: set[tuple[str, int]] = field(default_factory=set)
    forwards: dict[SlipKey, tuple[str, Forward]] = field(default_factory=dict)
    moved: set[tuple[str, str, int, int]] = field(default_factory=set)
    windows: dict[int, WindowClosed] = field(default_factory=dict)  # whoever was told one was told it whole
    windows_told: set[tuple[str, int]] = field(default_factory=set)

    def add(self, reader: str, slip: Slip) -> None:
        """Note everything that one of our slips told its reader."""
        for message in slip.messages:
            match message:
                case Verdict():
                    self.verdicts[reader, message.index] = message
                case Stopped():
                    self.stopped.setdefault((reader, message.index), []).append(message)
                case HandedOver():
                    self.handed.update((reader, index) for index in message.indexes)
                case Forward():
                    self.forwards[message.origin, message.epoch, message.index] = (reader, message)
                case Moved():
                    self.moved.add((reader, message.giver, message.epoch, message.index))
                case WindowClosed():
                    self.windows[message.window] = message
                    self.windows_told.add((reader, message.window))
                case _:
                    continue

    def leave_out(self, reader: str, message: Message) -> Message | None:
        """Return what of a message its reader does not know yet, or None."""
        match message:
            case Verdict():
                return None if (reader, message.index) in self.verdicts else message
            case Stopped():
                return None if message in self.stopped.get((reader, message.index), ()) else message
            case HandedOver():
                left = tuple(index for index in message.indexes if (reader, index) not in self.handed)
                return HandedOver(left) if left else None
            case Forward():
                told = self.forwards.get((message.origin, message.epoch, message.index))
                return None if told is not None and told[0] == reader else message
            case Moved():
                known = (reader, message.giver, message.epoch, message.index) in self.moved
                return None if known else message
            case WindowClosed():
                return None if (reader, message.window) in self.windows_told else message
            case _:
                return message

    def find_refused(self, key: SlipKey) -> tuple[str, tuple[tuple[int, str], ...]] | None:
        """Return (slip code, refused) as the giver was told, or as the hand-over shows; None where nobody was told."""
        verdict = self.verdicts.get((key[0], key[2]))
        if verdict is not None:
            return verdict.slip_code, tuple(zip(verdict.refused, verdict.codes, strict=True))
        forwarded = self.forwards.get(key)
        if forwarded is None:
            return None
        stopped = self.find_stopped(key[0], key[2])
        return "", tuple((place, LOST_REASON) for place in forwarded[1].skipped if place not in stopped)

    def find_stopped(self, giver: str, index: int) -> dict[int, bool]:
        """Return the places that ended before hand-over: whether by a recall (or else by their term)."""
        found: dict[int, bool] = {}
        for message in self.stopped.get((giver, index), ()):
            found.update(dict.fromkeys(message.recalled, True))
            found.update(dict.fromkeys(message.expired, False))
        return found

    def has_answered(self, giver: str, index: int, places: Iterable[int]) -> bool:
        """Tell whether a recall of these places was answered."""
        known: set[int] = set()
        for message in self.stopped.get((giver, index), ()):
            known.update(message.recalled, message.too_late)
        return known.issuperset(places)


# The verdict was never told to the giver and its reason is lost with the book: the receiver was told to skip it.
LOST_REASON: Final = "reason_lost"
