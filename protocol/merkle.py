"""Merkle trees of RFC 9162: leaves, frontier, inclusion and consistency proofs. Pure.

A log keeps its *frontier*: the roots of the complete subtrees that its size is made of, largest first. Appending costs
O(log n) hashes at worst and one on average. Completed nodes (level, index) cover the leaves index·2^level up to
(index+1)·2^level; whoever stores them can prove anything about any earlier size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

# (level, index)
Node = tuple[int, int]

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


def hash_leaf(data: bytes) -> bytes:
    """Return the hash of a leaf; its prefix keeps it apart from a node's."""
    return sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from those of its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The peaks of a tree of `size` leaves: one for each bit set in its size, largest subtree first.

    Whoever takes peaks from outside compares their number and their root: the same root can be cut into another number.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf_hash: bytes) -> Frontier:
        """Return the frontier with one leaf more."""
        return self.extend((leaf_hash,))[0]

    def extend(self, leaf_hashes: Iterable[bytes]) -> tuple[Frontier, list[tuple[int, int, bytes]]]:
        """Return the frontier with these leaves more, and every node completed on the way: (level, index, hash)."""
        peaks, size = list(self.peaks), self.size
        completed: list[tuple[int, int, bytes]] = []
        for leaf_hash in leaf_hashes:
            node, level, index = leaf_hash, 0, size
            completed.append((0, index, node))
            while index & 1:
                node = hash_node(peaks.pop(), node)
                index >>= 1
                level += 1
                completed.append((level, index, node))
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks)), completed


def root(frontier: Frontier) -> bytes:
    """Return the tree head of a frontier."""
    return _bag(frontier.peaks)


def _bag(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = hash_node(peak, node)
    return node


def root_nodes(size: int) -> list[Node]:
    """Return the places of the peaks of a tree of `size`, largest first."""
    return _range_nodes(0, size)


def _range_nodes(start: int, stop: int) -> list[Node]:
    """Return the complete nodes that cover leaves start..stop-1, where `start` is aligned to the subtree's size."""
    found: list[Node] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def root_at(size: int, nodes: Mapping[Node, bytes]) -> bytes:
    """Return the root a log had at `size` from its stored nodes."""
    return _bag([nodes[place] for place in root_nodes(size)])


def frontier_at(size: int, nodes: Mapping[Node, bytes]) -> Frontier:
    """Return the frontier a log had at `size` from its stored nodes."""
    return Frontier(size, tuple(nodes[place] for place in root_nodes(size)))


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges whose roots form the proof, deepest first."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    ranges: list[tuple[int, int]] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    ranges.reverse()
    return ranges


def _consistency_ranges(size1: int, size2: int) -> list[tuple[int, int]]:
    if not 0 < size1 <= size2:
        raise ValueError("a consistency proof goes from a size of at least 1 to one not smaller")
    ranges: list[tuple[int, int]] = []
    start, stop = 0, size2
    while stop != size1:
        middle = start + _split(stop - start)
        if size1 <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, stop))
    ranges.reverse()
    return ranges


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """Return the places that `build_inclusion` needs."""
    return [place for start, stop in _inclusion_ranges(index, size) for place in _range_nodes(start, stop)]


def consistency_nodes(size1: int, size2: int) -> list[Node]:
    """Return the places that `build_consistency` needs."""
    return [place for start, stop in _consistency_ranges(size1, size2) for place in _range_nodes(start, stop)]


def _build(ranges: Iterable[tuple[int, int]], nodes: Mapping[Node, bytes]) -> list[bytes]:
    return [_bag([nodes[place] for place in _range_nodes(start, stop)]) for start, stop in ranges]


def build_inclusion(index: int, size: int, nodes: Mapping[Node, bytes]) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size`. Source: RFC 9162, 2.1.3.1."""
    return _build(_inclusion_ranges(index, size), nodes)


def build_consistency(size1: int, size2: int, nodes: Mapping[Node, bytes]) -> list[bytes]:
    """Return the proof that the tree of `size1` is a prefix of that of `size2`. Source: RFC 9162, 2.1.4.1."""
    return _build(_consistency_ranges(size1, size2), nodes)


def _are_hashes(*parts: bytes) -> bool:
    """Tell whether each part has a hash's length: a byte moved from one to its neighbour would hash the same."""
    return all(len(part) == HASH_BYTES for part in parts)


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root that a proof leads to, or None where its shape is wrong. Source: RFC 9162, 2.1.3.2."""
    if not 0 <= index < size or not _are_hashes(leaf_hash, *proof):
        return None
    fn, sn, node = index, size - 1, leaf_hash
    for part in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            node = hash_node(part, node)
            while fn and not fn & 1:
                fn >>= 1
                sn >>= 1
        else:
            node = hash_node(node, part)
        fn >>= 1
        sn >>= 1
    return node if sn == 0 else None


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the proof shows the leaf at `index` under `root`."""
    return root_from_inclusion(leaf_hash, index, size, proof) == root


def verify_consistency(size1: int, root1: bytes, size2: int, root2: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the proof shows that the tree of `size1` is a prefix of that of `size2`.

    An empty first tree proves nothing and is refused. Source: RFC 9162, 2.1.4.2.
    """
    if size1 < 1 or size1 > size2:
        return False
    if size1 == size2:
        return not proof and root1 == root2
    if not _are_hashes(root1, *proof):
        return False
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    if not path:
        return False
    fn, sn = size1 - 1, size2 - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = path[0]
    for part in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = hash_node(part, first), hash_node(part, second)
            while fn and not fn & 1:
                fn >>= 1
                sn >>= 1
        else:
            second = hash_node(second, part)
        fn >>= 1
        sn >>= 1
    return sn == 0 and first == root1 and second == root2
