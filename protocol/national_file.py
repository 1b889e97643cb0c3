"""The national log as a file that anybody can replay, without the hub's base and without believing the hub. Pure.

    header     whose log, its head as the hub signed it, and the newest head that each member signed of its own log
    record …   one for each leaf, in order: the leaf, and the member's slip that it speaks of (empty for other leaves)

Each is framed by its length in four bytes, the highest first. Who replays the file learns that every decision of the hub
follows from the slips before it by the rule of clearing, that these slips are all those that their authors signed, in
their authors' order, and what positions that gives. Source: SPEC.md, "The national log".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol import keys, merkle
from protocol.canonical import decode_typed, prepare
from protocol.directory import Directory
from protocol.envelopes import (
    STATEMENT_BYTES_MAX,
    Checkpoint,
    HeadStatement,
    SignedCheckpoint,
    is_statement_signed,
)
from protocol.errors import NotCanonical, Refusal
from protocol.findings import Checked, Finding
from protocol.keys import Domain
from protocol.merkle import Frontier
from protocol.messages import LEAF_BYTES_MAX, Party, Signature
from protocol.national import SlipKey, SlipRetaken, SlipTaken, decode_national
from protocol.replay import DoesNotFollow, LoadLeaf, Replay

FRAME_BYTES: Final = 4
HEADER_BYTES_MAX: Final = 64 * 1024 * 1024
RECORD_BYTES_MAX: Final = 2 * LEAF_BYTES_MAX + 64


class NotNationalFile(Refusal):
    """The file is not the national log. Facts: reason."""

    code = "not_national_file"


class MemberHead(Struct, frozen=True, array_like=True):
    """The newest head that a member signed of its log for the hub."""

    member: Party
    statement: Annotated[bytes, Meta(max_length=STATEMENT_BYTES_MAX)]
    signature: Signature


class NationalHeader(Struct, frozen=True, array_like=True):
    """Whose log this is, and the signed words that it must agree with."""

    version: Annotated[int, Meta(ge=1, le=1)]
    network: Annotated[str, Meta(min_length=1, max_length=32)]
    hub: Party
    checkpoint: SignedCheckpoint
    heads: Annotated[tuple[MemberHead, ...], Meta(max_length=65_536)]


class NationalRecord(Struct, frozen=True, array_like=True):
    """A leaf, and the slip that it takes."""

    leaf: Annotated[bytes, Meta(max_length=LEAF_BYTES_MAX)]
    slip: Annotated[bytes, Meta(max_length=LEAF_BYTES_MAX)]


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(FRAME_BYTES, "big") + data


def find_slip_key(leaf: bytes) -> SlipKey | None:
    """Return which member's slip a leaf takes; None for every other leaf, and for one that cannot be read."""
    try:
        entry = decode_national(leaf)
    except NotCanonical:
        return None
    return (entry.member, entry.epoch, entry.index) if isinstance(entry, SlipTaken | SlipRetaken) else None


@dataclass(slots=True)
class NationalFileReplay:
    """What the records taken so far give. `load_slip` finds again the slip of an earlier record."""

    header: NationalHeader
    load_slip: LoadLeaf
    state: Replay = field(init=False)
    frontier: Frontier = field(default_factory=Frontier)
    members: dict[str, Frontier] = field(default_factory=dict)
    broken: Finding | None = None

    def __post_init__(self) -> None:
        self.state = Replay(self.load_slip)

    def take(self, record: NationalRecord) -> None:
        """Take the next record; after the first that does not follow, only the tree goes on."""
        index = self.frontier.size
        self.frontier, _ = self.frontier.extend([merkle.hash_leaf(record.leaf)])
        if self.broken is not None:
            return
        key = find_slip_key(record.leaf)
        try:
            if key is not None:
                self._take_slip(key, record.slip, index)
            self.state.take(record.leaf)
        except DoesNotFollow as refusal:
            self.broken = Finding(
                "I5", f"national log, leaf {index}", "a leaf that follows", str(refusal.facts["reason"])
            )

    def _take_slip(self, key: SlipKey, slip: bytes, index: int) -> None:
        log = self.members.get(key[0], Frontier())
        if key[2] != log.size:
            raise DoesNotFollow(
                index=index, reason=f"slip {key[2]} of {key[0]} is taken where its slip {log.size} is due"
            )
        self.members[key[0]], _ = log.extend([merkle.hash_leaf(slip)])

    def root_is(self, root: str) -> bool:
        """Tell whether the log, as far as it was taken, has this root."""
        return merkle.root(self.frontier).hex() == root.lower()

    def finish(self) -> list[Checked]:
        """Return what holds and what does not, after the last record."""
        followed = () if self.broken is None else (self.broken,)
        head = self._check_head()
        heads = self._check_members() if self.broken is None else ()
        return [
            Checked("I5", "every leaf of the national log follows", self.state.size, followed),
            Checked(
                "I7", "the national log is what the hub signed", self.frontier.size, () if head is None else (head,)
            ),
            Checked("I7", "the slips are all that their authors signed", len(self.members), heads),
        ]

    def _check_head(self) -> Finding | None:
        signed = self.header.checkpoint
        place = "national log, head"
        member = self.state.directory.find(self.header.hub)
        key = None if member is None else member.find_any_key(signed.key)
        if key is None or not keys.is_signed(key.signing, Domain.CHECKPOINT, signed.body, signed.signature):
            return Finding("I7", place, f"signed by {self.header.hub}", "no signature that fits")
        try:
            told = decode_typed(signed.body, Checkpoint, size_max=256)
        except NotCanonical:
            return Finding("I7", place, "a checkpoint", "bytes that are none")
        if (told.network, told.hub) != (self.header.network, self.header.hub):
            return Finding("I7", place, f"{self.header.hub} in {self.header.network}", f"{told.hub} in {told.network}")
        here = merkle.root(self.frontier)
        if (told.size, told.root) != (self.frontier.size, here):
            return Finding(
                "I7", place, f"{told.size} leaves, {told.root.hex()}", f"{self.frontier.size} leaves, {here.hex()}"
            )
        return None

    def _check_members(self) -> tuple[Finding, ...]:
        heads = {head.member: head for head in self.header.heads}
        found: list[Finding] = []
        for member, log in sorted(self.members.items()):
            head = heads.get(member)
            told = None if head is None else _open_head(head, self.state.directory, self.header)
            expected = f"{log.size} slips as {member} signed them"
            if told is None:
                found.append(Finding("I7", f"log of {member}", expected, "no signature that fits"))
            elif (told.log_size, told.log_root) != (log.size, merkle.root(log)):
                found.append(Finding("I7", f"log of {member}", expected, f"it signed {told.log_size} others"))
        return tuple(found)

    def hub_key(self) -> str:
        """Return the public key under which the log's head is signed, to be compared; empty where there is none."""
        member = self.state.directory.find(self.header.hub)
        key = None if member is None else member.find_any_key(self.header.checkpoint.key)
        return "" if key is None else key.signing.hex()


def _open_head(head: MemberHead, directory: Directory, header: NationalHeader) -> HeadStatement | None:
    """Return the member's statement to this hub if it signed it."""
    try:
        told = decode_typed(head.statement, HeadStatement, size_max=STATEMENT_BYTES_MAX)
    except NotCanonical:
        return None
    member = directory.find(head.member)
    key = None if member is None else member.find_any_key(told.key)
    if key is None or not is_statement_signed(key.signing, head.statement, head.signature):
        return None
    is_to_hub = (told.network, told.sender, told.reader) == (header.network, head.member, header.hub)
    return told if is_to_hub else None


prepare(NationalRecord, NationalHeader)
