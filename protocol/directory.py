"""The directory: who is a member, with which keys, rights and limits. The hub and every node fold the same entries. Pure.

Entries are numbered without a gap, each names the hash of the one before, and each is a leaf of the national log: a
node that holds the last entry's inclusion proof holds proof of all of them. Source: SPEC.md, "Directory".

    INVITED (at the hub only) ──▶ ENROLLED ──▶ ACTIVE ◀──▶ SUSPENDED
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import Refusal
from protocol.keys import PublicKeys
from protocol.messages import Key32, KeyName, Millis, Party, Size, Total
from protocol.times import Instant

ENTRY_BYTES_MAX: Final = 8_192
FIRST_PREVIOUS: Final = bytes(32)

Name = Annotated[str, Meta(min_length=1, max_length=120)]
Reason = Annotated[str, Meta(max_length=280)]


class UnknownMember(Refusal):
    """Nobody of that code in the directory. Facts: member."""

    code = "unknown_member"


class MemberNotActive(Refusal):
    """Enrolled but not accredited, or suspended. Facts: member, status."""

    code = "member_not_active"


class BrokenDirectory(Refusal):
    """An entry that does not follow the one before. Facts: number, reason."""

    code = "broken_directory"


class MemberStatus(StrEnum):
    """May it send and receive rights?"""

    ENROLLED = "enrolled"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class MemberKind(StrEnum):
    """A French territory, a community of the global South, or the hub itself."""

    TERRITORY = "territory"
    SOUTH = "south"
    HUB = "hub"


class Enrolled(Struct, frozen=True, array_like=True, tag=1):
    """A party came in with its first keys."""

    member: Party
    name: Name
    kind: Annotated[str, Meta(pattern=r"^(territory|south|hub)\Z")]
    signing: Key32
    sealing: Key32


class Accredited(Struct, frozen=True, array_like=True, tag=2):
    """It may take part. A South community has a sponsor territory and an accredited guide."""

    member: Party
    sponsor: Annotated[str, Meta(max_length=9)]
    guide: Annotated[str, Meta(max_length=120)]


class LimitsSet(Struct, frozen=True, array_like=True, tag=3):
    """Ceilings in cents: rights on its lots held abroad, one cession, all it cedes in one UTC day."""

    member: Party
    abroad_max: Total
    message_max: Total
    day_max: Total


class KeyAdded(Struct, frozen=True, array_like=True, tag=4):
    """A key valid beside the others."""

    member: Party
    signing: Key32
    sealing: Key32


class KeyRetired(Struct, frozen=True, array_like=True, tag=5):
    """Signs nothing new from here on. `compromised_since` (0: never): slips from this log index need confirmation."""

    member: Party
    key: KeyName
    is_compromised: bool
    compromised_since: Size


class Suspended(Struct, frozen=True, array_like=True, tag=6):
    """May not send or receive new rights; what is on the way still ends."""

    member: Party
    reason: Reason


class Reinstated(Struct, frozen=True, array_like=True, tag=7):
    """May again."""

    member: Party


Change = Enrolled | Accredited | LimitsSet | KeyAdded | KeyRetired | Suspended | Reinstated


class DirectoryEntry(Struct, frozen=True, array_like=True):
    """One numbered change, chained to the one before."""

    number: Size
    previous: Annotated[bytes, Meta(min_length=32, max_length=32)]
    at: Millis
    change: Change


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings in cents."""

    abroad_max: int
    message_max: int
    day_max: int


DEFAULT_LIMITS: Final = Limits(abroad_max=100_000_000, message_max=1_000_000, day_max=20_000_000)


@dataclass(frozen=True, slots=True)
class Member:
    """A party as the directory knows it now. `keys` are those valid for new signatures, newest last."""

    code: str
    name: str
    kind: MemberKind
    status: MemberStatus
    keys: tuple[PublicKeys, ...]
    retired: tuple[PublicKeys, ...] = ()
    limits: Limits = DEFAULT_LIMITS
    sponsor: str = ""
    guide: str = ""
    reason: str = ""

    def find_key(self, key_id: bytes) -> PublicKeys | None:
        """Return the key of that id if it may sign new statements."""
        return next((key for key in self.keys if key.id == key_id), None)

    def find_any_key(self, key_id: bytes) -> PublicKeys | None:
        """The same, retired keys included: what they signed before stays good."""
        return next((key for key in (*self.keys, *self.retired) if key.id == key_id), None)


@dataclass(frozen=True, slots=True)
class Directory:
    """All members after `size` entries; `head` is the hash of the last."""

    size: int = 0
    head: bytes = FIRST_PREVIOUS
    members: Mapping[str, Member] = field(default_factory=dict)

    def find(self, code: str) -> Member | None:
        return self.members.get(code)

    def require(self, code: str) -> Member:
        """Return the member. Raises UnknownMember."""
        member = self.members.get(code)
        if member is None:
            raise UnknownMember(member=code)
        return member

    def require_active(self, code: str) -> Member:
        """Return the member if it may send and receive. Raises UnknownMember, MemberNotActive."""
        member = self.require(code)
        if member.status is not MemberStatus.ACTIVE or member.kind is MemberKind.HUB:
            raise MemberNotActive(member=code, status=member.status)
        return member


def hash_entry(entry: bytes) -> bytes:
    """Return the chain hash of an entry's exact bytes."""
    return hashlib.sha256(b"citizen-miles/directory/v1\0" + entry).digest()


def encode_entry(directory: Directory, change: Change, at: int) -> bytes:
    """Return the bytes of the entry that records `change` next."""
    return encode_typed(DirectoryEntry(directory.size, directory.head, at, change))


def decode_entry(entry: bytes) -> DirectoryEntry:
    """Raises NotCanonical."""
    return decode_typed(entry, DirectoryEntry, size_max=ENTRY_BYTES_MAX)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a stolen key signed: from this slip of its owner's log on, until it was retired."""

    member: str
    key: bytes
    since: int
    until: Instant


def find_doubts(entries: Iterable[bytes]) -> list[Doubt]:
    """Return what the directory says is to be confirmed again. Raises NotCanonical."""
    told = [decode_entry(entry) for entry in entries]
    return [
        Doubt(entry.change.member, entry.change.key, entry.change.compromised_since, Instant(entry.at))
        for entry in told
        if isinstance(entry.change, KeyRetired) and entry.change.is_compromised
    ]


def apply_entries(directory: Directory, entries: Iterable[bytes]) -> Directory:
    """Return the directory after these entries. Raises BrokenDirectory where one does not follow; NotCanonical."""
    members = dict(directory.members)
    size, head = directory.size, directory.head
    for data in entries:
        entry = decode_entry(data)
        if entry.number != size:
            raise BrokenDirectory(number=entry.number, reason=f"expected number {size}")
        if entry.previous != head:
            raise BrokenDirectory(number=entry.number, reason="it does not name the entry before it")
        member = _advance(members.get(entry.change.member), entry.change, size)
        members[member.code] = member
        size, head = size + 1, hash_entry(data)
    return Directory(size, head, members)


def _advance(member: Member | None, change: Change, number: int) -> Member:
    """Return the member after one change. Raises BrokenDirectory where the change cannot be."""
    if isinstance(change, Enrolled):
        if member is not None:
            raise BrokenDirectory(number=number, reason=f"{change.member} is already enrolled")
        kind = MemberKind(change.kind)
        status = MemberStatus.ACTIVE if kind is MemberKind.HUB else MemberStatus.ENROLLED
        keys = (PublicKeys(change.signing, change.sealing),)
        return Member(change.member, change.name, kind, status, keys)
    if member is None:
        raise BrokenDirectory(number=number, reason=f"{change.member} is not enrolled")
    match change:
        case Accredited():
            if member.status is MemberStatus.SUSPENDED:
                raise BrokenDirectory(number=number, reason="a suspended member is reinstated, not accredited")
            if member.kind is MemberKind.SOUTH and not (change.sponsor and change.guide):
                raise BrokenDirectory(number=number, reason="a South community has a sponsor and a guide")
            return replace(member, status=MemberStatus.ACTIVE, sponsor=change.sponsor, guide=change.guide)
        case LimitsSet():
            return replace(member, limits=Limits(change.abroad_max, change.message_max, change.day_max))
        case KeyAdded():
            added = PublicKeys(change.signing, change.sealing)
            if member.find_any_key(added.id) is not None:
                raise BrokenDirectory(number=number, reason="that key was announced before")
            return replace(member, keys=(*member.keys, added))
        case KeyRetired():
            gone = member.find_key(change.key)
            if gone is None or len(member.keys) == 1:
                raise BrokenDirectory(number=number, reason="no such key, or the only one")
            kept = tuple(key for key in member.keys if key.id != change.key)
            return replace(member, keys=kept, retired=(*member.retired, gone))
        case Suspended():
            if member.status is MemberStatus.ENROLLED:
                raise BrokenDirectory(number=number, reason="it was never accredited: nothing to suspend")
            return replace(member, status=MemberStatus.SUSPENDED, reason=change.reason)
        case Reinstated():
            if member.status is not MemberStatus.SUSPENDED:
                raise BrokenDirectory(number=number, reason="only a suspended member is reinstated")
            return replace(member, status=MemberStatus.ACTIVE, reason="")


prepare(DirectoryEntry)
