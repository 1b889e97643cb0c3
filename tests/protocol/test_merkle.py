"""Merkle trees: told again slowly from RFC 9162 here, and by pymerkle, whose roots and inclusion proofs are ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from protocol.merkle import (
    EMPTY_ROOT,
    Frontier,
    build_consistency,
    build_inclusion,
    consistency_nodes,
    frontier_at,
    hash_leaf,
    hash_node,
    inclusion_nodes,
    root,
    root_at,
    root_from_inclusion,
    root_nodes,
    verify_consistency,
    verify_inclusion,
)

SIZE = 33
ENTRIES = [bytes([place]) * (place % 5) for place in range(SIZE)]  # the first is empty; some are equal in length only


# --- The RFC, written down slowly -----------------------------------------------------------------------------------


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def split_of(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(entries: Sequence[bytes]) -> bytes:
    """2.1.1, the Merkle Tree Hash."""
    if not entries:
        return sha(b"")
    if len(entries) == 1:
        return sha(b"\x00" + entries[0])
    k = split_of(len(entries))
    return sha(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """2.1.3.1, the inclusion path."""
    if len(entries) == 1:
        return []
    k = split_of(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """2.1.4.1, the consistency proof is `subproof(m, entries, whole=True)`."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split_of(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def stored(entries: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """Every complete node of the tree, hashed from its leaves."""
    return {
        (level, index): mth(entries[index << level : (index + 1) << level])
        for level in range(len(entries).bit_length())
        for index in range(len(entries) >> level)
    }


ROOTS = [mth(ENTRIES[:size]) for size in range(SIZE + 1)]
LEAVES = [sha(b"\x00" + entry) for entry in ENTRIES]
NODES = stored(ENTRIES)

logs = st.lists(st.binary(max_size=8), min_size=1, max_size=80)


# --- Roots ----------------------------------------------------------------------------------------------------------


def test_the_roots_known_from_certificate_transparency() -> None:
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    known = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    frontier = Frontier()
    assert root(frontier).hex() == EMPTY_ROOT.hex() == known[0]
    for entry, expected in zip(entries, known[1:], strict=True):
        frontier = frontier.append(hash_leaf(bytes.fromhex(entry)))
        assert root(frontier).hex() == expected


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert hash_leaf(b"ab") == sha(b"\x00ab")
    assert hash_node(b"a", b"b") == sha(b"\x01ab")


@given(logs)
def test_roots_are_those_of_the_rfc_and_of_pymerkle(entries: list[bytes]) -> None:
    other = InmemoryTree(algorithm="sha256")
    frontier = Frontier()
    for size, entry in enumerate(entries, start=1):
        other.append_entry(entry)
        frontier = frontier.append(hash_leaf(entry))
        assert frontier.size == size
        assert root(frontier) == other.get_root(size)
    assert root(frontier) == mth(entries)


@given(logs, st.data())
def test_leaves_may_come_one_by_one_or_in_lots(entries: list[bytes], data: st.DataObject) -> None:
    leaves = [hash_leaf(entry) for entry in entries]
    frontier, kept = Frontier(), {}
    while frontier.size < len(leaves):
        before = (frontier.size, frontier.peaks)
        stop = data.draw(st.integers(frontier.size, len(leaves)))
        after, completed = frontier.extend(leaves[frontier.size : stop] or leaves[frontier.size : frontier.size + 1])
        assert (frontier.size, frontier.peaks) == before
        for level, index, node in completed:
            assert (level, index) not in kept
            kept[level, index] = node
        frontier = after
    assert kept == stored(entries)
    one_by_one = Frontier()
    for leaf in leaves:
        one_by_one = one_by_one.append(leaf)
    assert frontier == one_by_one


def test_extending_by_nothing_changes_nothing() -> None:
    frontier, _ = Frontier().extend(LEAVES)
    assert frontier.extend([]) == (frontier, [])


def test_the_root_and_frontier_of_any_earlier_size_come_from_the_stored_nodes() -> None:
    frontier = Frontier()
    for size in range(SIZE + 1):
        places = root_nodes(size)
        assert len(places) == size.bit_count()
        needed = {place: NODES[place] for place in places}
        assert root_at(size, needed) == ROOTS[size]
        assert frontier_at(size, needed) == frontier
        if size < SIZE:
            frontier = frontier.append(LEAVES[size])


# --- Inclusion ------------------------------------------------------------------------------------------------------


def test_inclusion_proofs_are_those_of_the_rfc() -> None:
    for size in range(1, SIZE + 1):
        for index in range(size):
            needed = {place: NODES[place] for place in inclusion_nodes(index, size)}
            proof = build_inclusion(index, size, needed)
            assert proof == path(index, ENTRIES[:size])
            assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            assert root_from_inclusion(LEAVES[index], index, size, proof) == ROOTS[size]


@given(logs, st.data())
def test_inclusion_proofs_are_those_of_pymerkle(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    other = InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    theirs = other.prove_inclusion(index + 1, size)  # pymerkle counts leaves from one and begins with the leaf
    leaf, *rest = [bytes.fromhex(part) for part in theirs.serialize()["path"]]
    assert leaf == hash_leaf(entries[index])
    assert build_inclusion(index, size, stored(entries)) == rest
    assert verify_inclusion(leaf, index, size, rest, other.get_root(size))


def test_an_altered_inclusion_proof_proves_nothing() -> None:
    for size in range(1, 18):
        for index in range(size):
            leaf, proof, head = LEAVES[index], path(index, ENTRIES[:size]), ROOTS[size]
            for wrong in altered(proof):
                assert not verify_inclusion(leaf, index, size, wrong, head)
            for other in range(-2, size + 3):
                assert verify_inclusion(leaf, other, size, proof, head) == (other == index)
            assert not verify_inclusion(flip(leaf), index, size, proof, head)
            assert not verify_inclusion(leaf, index, size, proof, flip(head))
            assert not verify_inclusion(leaf, index, size, proof, b"")


def test_a_node_is_not_taken_for_a_leaf() -> None:
    proof = path(0, ENTRIES[:8])
    inner = NODES[1, 0]
    assert verify_inclusion(inner, 0, 4, proof[1:], ROOTS[8])  # the hash fits: only a leaf's bytes tell them apart
    assert hash_leaf(NODES[0, 0] + NODES[0, 1]) != inner


# --- Consistency ----------------------------------------------------------------------------------------------------


def test_consistency_proofs_are_those_of_the_rfc() -> None:
    for size2 in range(1, SIZE + 1):
        for size1 in range(1, size2 + 1):
            needed = {place: NODES[place] for place in consistency_nodes(size1, size2)}
            proof = build_consistency(size1, size2, needed)
            assert proof == subproof(size1, ENTRIES[:size2], whole=True)
            assert verify_consistency(size1, ROOTS[size1], size2, ROOTS[size2], proof)


@given(logs, st.data())
def test_our_consistency_proofs_hold_between_the_roots_of_pymerkle(entries: list[bytes], data: st.DataObject) -> None:
    size2 = data.draw(st.integers(1, len(entries)))
    size1 = data.draw(st.integers(1, size2))
    other = InmemoryTree(algorithm="sha256")
    for entry in entries:
        other.append_entry(entry)
    ours = build_consistency(size1, size2, stored(entries))
    assert verify_consistency(size1, other.get_root(size1), size2, other.get_root(size2), ours)


def test_an_altered_consistency_proof_proves_nothing() -> None:
    for size2 in range(1, 18):
        for size1 in range(1, size2 + 1):
            root1, root2 = ROOTS[size1], ROOTS[size2]
            proof = subproof(size1, ENTRIES[:size2], whole=True)
            for wrong in altered(proof):
                assert not verify_consistency(size1, root1, size2, root2, wrong)
            assert not verify_consistency(size1, flip(root1), size2, root2, proof)
            assert not verify_consistency(size1, root1, size2, flip(root2), proof)
            assert not verify_consistency(size2 + 1, root1, size2, root2, proof)
            if size1 != size2:
                assert not verify_consistency(size1, root2, size2, root1, proof)
                assert not verify_consistency(size2, root2, size1, root1, proof)


def test_a_fork_has_no_consistency_proof() -> None:
    forked = [*ENTRIES[:4], b"another", *ENTRIES[5:]]
    for size2 in range(6, SIZE + 1):
        honest = subproof(5, ENTRIES[:size2], whole=True)
        dishonest = subproof(5, forked[:size2], whole=True)
        for proof in (honest, dishonest):
            assert not verify_consistency(5, ROOTS[5], size2, mth(forked[:size2]), proof)


def test_nothing_is_consistent_with_an_empty_tree() -> None:
    for size2 in range(SIZE + 1):
        for size1 in (0, -1):
            for head in (EMPTY_ROOT, ROOTS[size2]):
                assert not verify_consistency(size1, head, size2, ROOTS[size2], [])


def test_no_proof_at_all_ties_a_size_to_itself_only() -> None:
    for size2 in range(1, SIZE + 1):
        for size1 in range(SIZE + 2):
            assert verify_consistency(size1, ROOTS[min(size1, SIZE)], size2, ROOTS[size2], []) is (size1 == size2)


def test_a_proof_of_another_shape_is_false_and_not_nothing() -> None:
    proof = subproof(3, ENTRIES[:5], whole=True)
    assert verify_consistency(3, ROOTS[3], 5, ROOTS[5], proof) is True
    assert verify_consistency(3, ROOTS[3], 5, ROOTS[5], [*proof, bytes(32)]) is False
    assert verify_consistency(3, ROOTS[3], 5, ROOTS[5], [*proof[:-1], proof[-1] + b"\0"]) is False
    assert verify_consistency(6, ROOTS[6], 5, ROOTS[5], proof) is False


# --- Both -----------------------------------------------------------------------------------------------------------


def flip(part: bytes) -> bytes:
    return bytes([part[0] ^ 1]) + part[1:]


def altered(proof: list[bytes]) -> list[list[bytes]]:
    """Return proofs that differ from a good one: one part flipped, cut, doubled, swapped, shifted or added."""
    found = []
    for at, part in enumerate(proof):
        found.append([*proof[:at], flip(part), *proof[at + 1 :]])
        found.append([*proof[:at], part[:-1] + bytes([part[-1] ^ 128]), *proof[at + 1 :]])
        found.append([*proof[:at], part[:-1], *proof[at + 1 :]])
        found.append([*proof[:at], part + b"\0", *proof[at + 1 :]])
        found.append([*proof[:at], *proof[at + 1 :]])
        found.append([*proof[:at], part, *proof[at:]])
        if at and proof[at - 1] != part:
            found.append([*proof[: at - 1], part, proof[at - 1], *proof[at + 1 :]])
    return [*found, [*proof, bytes(32)], [bytes(32), *proof], [*proof, b""], [b"", *proof]]


def test_a_byte_moved_from_one_part_to_its_neighbour_is_seen() -> None:
    leaf, proof = LEAVES[1], path(1, ENTRIES[:2])
    joined = proof[0] + leaf  # what is hashed is the left and the right, one after the other
    assert verify_inclusion(joined[32:], 1, 2, [joined[:32]], ROOTS[2])
    for cut in (0, 31, 33, 64):
        assert not verify_inclusion(joined[cut:], 1, 2, [joined[:cut]], ROOTS[2])
        assert root_from_inclusion(joined[cut:], 1, 2, [joined[:cut]]) is None


def test_a_byte_moved_from_the_first_root_to_the_proof_is_seen() -> None:
    joined = ROOTS[1] + LEAVES[1]
    assert verify_consistency(1, joined[:32], 2, ROOTS[2], [joined[32:]])
    for cut in (0, 31, 33, 64):
        assert not verify_consistency(1, joined[:cut], 2, ROOTS[2], [joined[cut:]])


def test_a_proof_too_short_for_the_size_it_names_proves_nothing() -> None:
    for size2 in range(1, 18):
        for claimed in range((1 << (size2 - 1).bit_length()) * 2, 70):
            for size1 in range(1, size2):
                proof = subproof(size1, ENTRIES[:size2], whole=True)
                assert not verify_consistency(size1, ROOTS[size1], claimed, ROOTS[size2], proof)
            for index in range(size2 - 1):
                assert not verify_inclusion(LEAVES[index], index, claimed, path(index, ENTRIES[:size2]), ROOTS[size2])


@given(st.integers(1, 2**62), st.data())
def test_plans_name_complete_nodes_and_few_of_them(size: int, data: st.DataObject) -> None:
    size1 = data.draw(st.integers(1, size))
    for places in (inclusion_nodes(size1 - 1, size), consistency_nodes(size1, size), root_nodes(size)):
        assert len(places) == len(set(places)) <= 2 * size.bit_length()
        assert all((index + 1) << level <= size for level, index in places)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_plan_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="leaf"):
        inclusion_nodes(index, size)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 3), (-1, 3), (4, 3)])
def test_there_is_no_plan_from_nothing_or_backwards(size1: int, size2: int) -> None:
    with pytest.raises(ValueError, match="consistency"):
        consistency_nodes(size1, size2)
