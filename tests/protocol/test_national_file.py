"""The national log as a file: what an honest hub exports holds, and whatever is bent in it is found and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from protocol import keys
from protocol.canonical import encode_typed
from protocol.directory import Accredited, Change, Directory, Enrolled, apply_entries, encode_entry
from protocol.envelopes import Checkpoint, HeadStatement, SignedCheckpoint, sign_checkpoint
from protocol.keys import Domain, SecretKeys, make_keys
from protocol.merkle import hash_leaf
from protocol.messages import AskStatement, Message, Slip, encode_slip
from protocol.national import DirectoryChanged, HubRestored, SlipKey, SlipRetaken, SlipTaken, encode_national
from protocol.national_file import (
    FRAME_BYTES,
    HEADER_BYTES_MAX,
    RECORD_BYTES_MAX,
    MemberHead,
    NationalFileReplay,
    NationalHeader,
    NationalRecord,
    find_slip_key,
    frame,
)
from tests.protocol import second_reader

HUB, BREST, LYON = "HUB-FR", "242900314", "200046977"
SECRETS = {HUB: make_keys(b"\1" * 64), BREST: make_keys(b"\2" * 64), LYON: make_keys(b"\3" * 64)}
STRANGER = make_keys(b"\4" * 64)
AT = 1_800_000_000_000


@dataclass
class Story:
    """Three enrolled parties, then slips of two of them: the records, and what each signed."""

    records: list[NationalRecord] = field(default_factory=list)
    slips: dict[SlipKey, bytes] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)

    def change(self, change: Change) -> None:
        entry = encode_entry(self.directory, change, AT)
        self.directory = apply_entries(self.directory, [entry])
        self.records.append(NationalRecord(encode_national(DirectoryChanged(AT, entry)), b""))

    def take(self, member: str, index: int, *messages: Message) -> None:
        slip = encode_slip(Slip(1, HUB, AT, messages or (AskStatement(),)))
        self.slips[member, 1, index] = slip
        leaf = encode_national(SlipTaken(AT, member, 1, index, hash_leaf(slip), "", (), ()))
        self.records.append(NationalRecord(leaf, slip))

    def log_of(self, member: str) -> list[bytes]:
        return [slip for (author, _, _), slip in sorted(self.slips.items()) if author == member]

    def replay(self, **header: Any) -> NationalFileReplay:
        whole = {"version": 1, "network": "test", "hub": HUB, "checkpoint": point(self.records), "heads": self.heads()}
        made = NationalFileReplay(NationalHeader(**{**whole, **header}), self.slips.get)
        for record in self.records:
            made.take(record)
        return made

    def heads(self) -> tuple[MemberHead, ...]:
        return tuple(head(member, self.log_of(member)) for member in (BREST, LYON))


def point(records: Sequence[NationalRecord], secret: SecretKeys = SECRETS[HUB], **other: Any) -> SignedCheckpoint:
    root = second_reader.tree_root([record.leaf for record in records])
    told = {"network": "test", "hub": HUB, "epoch": 1, "size": len(records), "root": root, "at": AT, **other}
    return sign_checkpoint(secret, Checkpoint(**told))


def head(member: str, log: list[bytes], secret: SecretKeys | None = None, **other: Any) -> MemberHead:
    signer = secret or SECRETS[member]
    told: dict[str, Any] = {
        **{"version": 1, "speaks": 1, "network": "test", "sender": member, "reader": HUB, "key": signer.public.id},
        **{"epoch": 1, "at": AT, "log_size": len(log), "log_root": second_reader.tree_root(log), "ack_epoch": 1},
        **{"ack_size": 0, "ack_root": bytes(32), "checkpoint": None, "payload": bytes(32), **other},
    }
    body = encode_typed(HeadStatement(**told))
    return MemberHead(member, body, keys.sign(signer, Domain.STATEMENT, body))


@pytest.fixture
def story() -> Story:
    made = Story()
    for code, kind in ((HUB, "hub"), (BREST, "territory"), (LYON, "territory")):
        public = SECRETS[code].public
        made.change(Enrolled(code, code, kind, public.signing, public.sealing))
    for code in (BREST, LYON):
        made.change(Accredited(code, "", ""))
    made.take(BREST, 0)
    made.take(LYON, 0)
    made.take(BREST, 1)
    return made


def findings(replay: NationalFileReplay) -> list[tuple[str, str, str]]:
    return [(one.invariant, one.place, one.found) for done in replay.finish() for one in done.findings]


def test_what_an_honest_hub_exports_holds(story: Story) -> None:
    done = story.replay().finish()
    assert [(one.invariant, one.rule, one.looked_at, one.is_held) for one in done] == [
        ("I5", "every leaf of the national log follows", 8, True),
        ("I7", "the national log is what the hub signed", 8, True),
        ("I7", "the slips are all that their authors signed", 2, True),
    ]


def test_two_readers_compare_the_root_and_the_hubs_key(story: Story) -> None:
    replay = story.replay()
    root = second_reader.tree_root([record.leaf for record in story.records]).hex()
    assert replay.root_is(root) is replay.root_is(root.upper()) is True
    assert replay.root_is(root[:-2]) is False
    assert replay.hub_key() == SECRETS[HUB].public.signing.hex()
    assert story.replay(hub="HUB-XX").hub_key() == ""
    assert story.replay(checkpoint=point(story.records, STRANGER)).hub_key() == ""


BENT_HEAD: list[tuple[dict[str, Any], str]] = [
    ({"hub": "HUB-XX"}, "no signature that fits"),
    ({"checkpoint": {"secret": STRANGER}}, "no signature that fits"),
    ({"checkpoint": {"secret": SECRETS[BREST]}}, "no signature that fits"),
    ({"checkpoint": {"network": "other"}}, "HUB-FR in other"),
    ({"network": "other"}, "HUB-FR in test"),
    ({"checkpoint": {"hub": BREST}}, f"{BREST} in test"),
    ({"checkpoint": {"size": 9}}, "8 leaves, "),
    ({"checkpoint": {"root": bytes(32)}}, "8 leaves, "),
]


@pytest.mark.parametrize(("bent", "found"), BENT_HEAD, ids=lambda one: str(one)[:60])
def test_a_head_that_the_hub_did_not_sign_over_this_log_is_found(
    story: Story, bent: dict[str, Any], found: str
) -> None:
    header = {**bent, "checkpoint": point(story.records, **bent.get("checkpoint", {}))}
    told = [one for one in findings(story.replay(**header)) if one[1] == "national log, head"]
    assert len(told) == 1
    assert told[0][0] == "I7"
    assert told[0][2].startswith(found)


def test_signed_bytes_that_are_no_head_are_found(story: Story) -> None:
    secret = SECRETS[HUB]
    nonsense = SignedCheckpoint(b"?", secret.public.id, keys.sign(secret, Domain.CHECKPOINT, b"?"))
    altered = msgspec.structs.replace(point(story.records), signature=bytes(64))
    (told,) = story.replay(checkpoint=nonsense).finish()[1].findings
    assert (told.invariant, told.place) == ("I7", "national log, head")
    assert (told.expected, told.found) == ("a checkpoint", "bytes that are none")
    assert findings(story.replay(checkpoint=altered)) == [("I7", "national log, head", "no signature that fits")]


NO_SIGNATURE = "no signature that fits"
BENT_MEMBER: list[tuple[Any, str]] = [
    (None, NO_SIGNATURE),
    ({"secret": STRANGER}, NO_SIGNATURE),
    ({"secret": SECRETS[LYON]}, NO_SIGNATURE),
    ({"network": "other"}, NO_SIGNATURE),
    ({"reader": LYON}, NO_SIGNATURE),
    ({"sender": LYON}, NO_SIGNATURE),
    ({"log_size": 3}, "it signed 3 others"),
    ({"log_root": bytes(32)}, "it signed 2 others"),
]


@pytest.mark.parametrize(("bent", "found"), BENT_MEMBER, ids=lambda one: str(one)[:60])
def test_slips_that_are_not_those_their_author_signed_are_found(story: Story, bent: Any, found: str) -> None:
    lyon = head(LYON, story.log_of(LYON))
    heads = (lyon,) if bent is None else (head(BREST, story.log_of(BREST), **bent), lyon)
    assert findings(story.replay(heads=heads)) == [("I7", f"log of {BREST}", found)]


def test_a_members_head_that_is_none_or_is_altered_is_found(story: Story) -> None:
    brest, lyon = story.heads()
    nonsense = MemberHead(BREST, b"?", keys.sign(SECRETS[BREST], Domain.STATEMENT, b"?"))
    for bent in (nonsense, replace_signature(brest)):
        assert findings(story.replay(heads=(bent, lyon))) == [("I7", f"log of {BREST}", NO_SIGNATURE)]


def replace_signature(signed: MemberHead) -> MemberHead:
    return msgspec.structs.replace(signed, signature=bytes(64))


def test_a_slip_left_out_is_found_at_the_next_one_of_its_author_and_the_tree_goes_on(story: Story) -> None:
    del story.records[5]
    story.take(LYON, 5)  # this does not follow either, and only the first is told
    replay = story.replay(heads=())
    assert findings(replay) == [("I5", "national log, leaf 6", f"slip 1 of {BREST} is taken where its slip 0 is due")]
    assert [one.looked_at for one in replay.finish()] == [6, 8, 1]
    assert replay.root_is(second_reader.tree_root([record.leaf for record in story.records]).hex())


def test_a_slip_exchanged_in_the_file_is_found_by_its_authors_head(story: Story) -> None:
    story.records[7] = NationalRecord(story.records[7].leaf, story.records[6].slip + b"?")
    assert findings(story.replay()) == [("I7", f"log of {BREST}", "it signed 2 others")]


def test_a_leaf_that_does_not_follow_is_told_with_its_reason(story: Story) -> None:
    story.records.append(NationalRecord(b"?", b""))
    broken = story.replay().broken
    assert broken is not None
    assert (broken.invariant, broken.place, broken.expected) == ("I5", "national log, leaf 8", "a leaf that follows")
    assert broken.found


def test_only_a_leaf_that_takes_a_slip_has_one() -> None:
    taken, again = (kind(AT, BREST, 2, 7, bytes(32), "", (), ()) for kind in (SlipTaken, SlipRetaken))
    assert find_slip_key(encode_national(taken)) == find_slip_key(encode_national(again)) == (BREST, 2, 7)
    assert find_slip_key(encode_national(HubRestored(AT, 2))) is None
    assert find_slip_key(b"?") is None


def test_each_part_is_framed_by_its_length_the_highest_byte_first() -> None:
    assert frame(b"") == b"\0\0\0\0"
    assert frame(b"x" * 258) == b"\0\0\1\2" + b"x" * 258
    assert (FRAME_BYTES, HEADER_BYTES_MAX, RECORD_BYTES_MAX) == (4, 67_108_864, 1_048_640)
