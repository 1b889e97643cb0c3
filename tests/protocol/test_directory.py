"""The directory: any sequence of changes, folded by us and by the second reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.canonical import encode_typed
from protocol.directory import (
    ENTRY_BYTES_MAX,
    Accredited,
    BrokenDirectory,
    Change,
    Directory,
    DirectoryEntry,
    Doubt,
    Enrolled,
    KeyAdded,
    KeyRetired,
    LimitsSet,
    MemberNotActive,
    MemberStatus,
    Reinstated,
    Suspended,
    UnknownMember,
    apply_entries,
    encode_entry,
    find_doubts,
)
from protocol.errors import NotCanonical
from protocol.keys import PublicKeys, compute_key_id
from protocol.times import Instant
from tests.protocol import second_reader

CODES = ("HUB-FR", "242900314", "200046977", "S00000000")
parties = st.sampled_from(CODES)
key_bytes = st.sampled_from([bytes([n]) * 32 for n in range(4)])
texts = st.sampled_from(["", "somebody"])

changes = st.one_of(
    st.builds(Enrolled, parties, st.just("Name"), st.sampled_from(["territory", "south", "hub"]), key_bytes, key_bytes),
    st.builds(Accredited, parties, st.sampled_from(["", "242900314"]), texts),
    st.builds(LimitsSet, parties, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    st.builds(KeyAdded, parties, key_bytes, key_bytes),
    st.builds(KeyRetired, parties, st.builds(compute_key_id, key_bytes, key_bytes), st.booleans(), st.just(0)),
    st.builds(Suspended, parties, texts),
    st.builds(Reinstated, parties),
)


@given(st.lists(changes, max_size=25))
def test_both_readers_fold_every_sequence_of_changes_alike(wanted: list[Change]) -> None:
    directory, entries = Directory(), []
    for change in wanted:
        entry = encode_entry(directory, change, 5)
        try:
            second_reader.fold([*entries, entry])
        except second_reader.Refused:
            before = dict(directory.members)
            with pytest.raises(BrokenDirectory):
                apply_entries(directory, [entry])
            assert directory.members == before
        else:
            entries.append(entry)
            directory = apply_entries(directory, [entry])
    members, head = second_reader.fold(entries)
    assert (directory.size, directory.head) == (len(entries), head)
    assert directory == apply_entries(Directory(), entries)
    for code, member in members.items():
        ours = directory.require(code)
        assert (ours.kind, ours.status) == (member.kind, member.status)
        assert [(key.signing, key.sealing) for key in ours.keys] == member.keys
        assert [(key.signing, key.sealing) for key in ours.retired] == member.retired
        assert [ours.limits.abroad_max, ours.limits.message_max, ours.limits.day_max] == member.limits
        assert (ours.sponsor, ours.guide, ours.reason) == (member.sponsor, member.guide, member.reason)


@given(st.lists(changes, max_size=25))
def test_nobody_becomes_active_without_having_been_accredited(wanted: list[Change]) -> None:
    directory = Directory()
    accredited: set[str] = set()
    for change in wanted:
        try:
            directory = apply_entries(directory, [encode_entry(directory, change, 5)])
        except BrokenDirectory:
            continue
        if isinstance(change, Accredited):
            accredited.add(change.member)
        for member in directory.members.values():
            if member.status is not MemberStatus.ENROLLED and member.kind != "hub":
                assert member.code in accredited
            assert member.keys


def test_an_entry_left_out_or_exchanged_breaks_the_chain() -> None:
    directory, entries = Directory(), []
    for code in CODES:
        entries.append(encode_entry(directory, Enrolled(code, "Name", "territory", bytes(32), bytes(32)), 5))
        directory = apply_entries(directory, entries[-1:])
    for wrong in (entries[1:], [entries[0], *entries[2:]], [entries[0], entries[2], entries[1]], entries[:1] * 2):
        with pytest.raises(BrokenDirectory):
            apply_entries(Directory(), wrong)


def test_who_is_unknown_or_not_active_is_told_apart() -> None:
    enrolled = Enrolled("242900314", "Brest", "territory", bytes(32), bytes(32))
    hub = Enrolled("HUB-FR", "the hub", "hub", bytes(32), bytes(32))
    directory = apply_entries(Directory(), [encode_entry(Directory(), enrolled, 5)])
    directory = apply_entries(directory, [encode_entry(directory, hub, 5)])
    with pytest.raises(UnknownMember):
        directory.require_active("200046977")
    for code in ("242900314", "HUB-FR"):
        with pytest.raises(MemberNotActive):
            directory.require_active(code)
    directory = apply_entries(directory, [encode_entry(directory, Accredited("242900314", "", ""), 5)])
    assert directory.require_active("242900314").name == "Brest"


BREST = "242900314"


def fold(*wanted: Change) -> Directory:
    directory = Directory()
    for change in wanted:
        directory = apply_entries(directory, [encode_entry(directory, change, 5)])
    return directory


def enrolled(seed: int = 1) -> Enrolled:
    return Enrolled(BREST, "Brest", "territory", bytes([seed]) * 32, bytes([seed]) * 32)


@pytest.mark.parametrize(("number", "is_chained"), [(2, True), (0, True), (1, False)])
def test_a_wrong_number_and_a_wrong_link_are_each_refused(number: int, is_chained: bool) -> None:
    directory = fold(enrolled())
    entry = DirectoryEntry(number, directory.head if is_chained else bytes(32), 5, Accredited(BREST, "", ""))
    with pytest.raises(BrokenDirectory) as refusal:
        apply_entries(directory, [encode_typed(entry)])
    assert refusal.value.facts["number"] == number


def test_an_entry_longer_than_any_entry_is_not_read() -> None:
    assert ENTRY_BYTES_MAX == 8_192
    with pytest.raises(NotCanonical, match="8193 bytes, 8192 allowed"):
        apply_entries(Directory(), [bytes(8_193)])


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ((Accredited(BREST, "", ""), Suspended(BREST, "late")), Accredited(BREST, "", "")),
        ((Accredited(BREST, "", ""),), Reinstated(BREST)),
        ((), Suspended(BREST, "late")),
        ((), KeyAdded(BREST, bytes([1]) * 32, bytes([1]) * 32)),
        ((), enrolled(2)),
        ((), KeyRetired(BREST, bytes(8), False, 0)),
        ((), KeyRetired(BREST, compute_key_id(bytes([1]) * 32, bytes([1]) * 32), False, 0)),
    ],
)
def test_a_change_that_cannot_be_is_refused(before: tuple[Change, ...], wrong: Change) -> None:
    directory = fold(enrolled(), *before)
    with pytest.raises(BrokenDirectory):
        apply_entries(directory, [encode_entry(directory, wrong, 5)])


def test_a_retired_key_is_found_for_what_it_signed_and_not_for_more() -> None:
    first, second = (PublicKeys(bytes([seed]) * 32, bytes([seed]) * 32) for seed in (1, 2))
    directory = fold(enrolled(), KeyAdded(BREST, second.signing, second.sealing), KeyRetired(BREST, first.id, False, 0))
    member = directory.find(BREST)
    assert member is not None
    assert (member.find_key(second.id), member.find_any_key(second.id)) == (second, second)
    assert (member.find_key(first.id), member.find_any_key(first.id)) == (None, first)
    assert (member.find_key(bytes(8)), member.find_any_key(bytes(8)), directory.find("HUB-FR")) == (None, None, None)
    with pytest.raises(BrokenDirectory):
        apply_entries(directory, [encode_entry(directory, KeyAdded(BREST, first.signing, first.sealing), 5)])


def test_only_what_a_stolen_key_signed_is_doubted_from_the_slip_and_until_the_instant_that_are_told() -> None:
    first, second = (compute_key_id(bytes([seed]) * 32, bytes([seed]) * 32) for seed in (1, 2))
    told: list[tuple[Change, int]] = [
        (enrolled(), 5),
        (KeyAdded(BREST, bytes([2]) * 32, bytes([2]) * 32), 6),
        (KeyAdded(BREST, bytes([3]) * 32, bytes([3]) * 32), 7),
        (KeyRetired(BREST, first, False, 0), 8),
        (KeyRetired(BREST, second, True, 41), 9),
    ]
    directory, entries = Directory(), []
    for change, at in told:
        entries.append(encode_entry(directory, change, at))
        directory = apply_entries(directory, entries[-1:])
    assert find_doubts(entries) == [Doubt(member=BREST, key=second, since=41, until=Instant(9))]
    assert find_doubts(entries[:4]) == []
