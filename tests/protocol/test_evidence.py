"""Evidence: whoever forks is convicted, whoever is honest never is, whatever is put into the file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import keys
from protocol.canonical import encode_typed
from protocol.envelopes import (
    CarriedSlip,
    Checkpoint,
    HeadStatement,
    Payload,
    SignedCheckpoint,
    compute_digest,
    sign_checkpoint,
)
from protocol.evidence import Evidence, EvidenceKind, NotEvidence, SignedStatement, encode_evidence, judge
from protocol.keys import Domain, make_keys
from tests.protocol import second_reader

SIGNER, READER = "242900314", "HUB-FR"
SECRET, OTHER = make_keys(b"\1" * 64), make_keys(b"\2" * 64)
AT = 1_800_000_000_000
LEAVES = [bytes([n]) for n in range(12)]


def say(
    size: int, *, leaves: list[bytes] = LEAVES, start: int | None = None, **more: Any
) -> tuple[SignedStatement, bytes]:
    """Return the signer's word on its log at `size`, and the payload with the slips from `start`."""
    begin = size if start is None else start
    payload = encode_typed(
        Payload(begin, tuple(CarriedSlip(leaf, ()) for leaf in leaves[begin:size]), 0, None, (), (), None)
    )
    told: dict[str, Any] = {
        "sender": SIGNER,
        "reader": READER,
        "at": AT + size,
        "checkpoint": None,
        "ack_size": size // 2,
        "ack_root": second_reader.tree_root(LEAVES[: size // 2]),
        **more,
    }
    statement = HeadStatement(
        version=1,
        speaks=1,
        network="test",
        key=SECRET.public.id,
        epoch=1,
        log_size=size,
        log_root=second_reader.tree_root(leaves[:size]),
        ack_epoch=1,
        payload=compute_digest(payload),
        **told,
    )
    body = encode_typed(statement)
    signature = keys.sign(SECRET, Domain.STATEMENT, body)
    return SignedStatement(statement.sender, SECRET.public.signing, body, signature), payload


def file(
    kind: EvidenceKind,
    first: SignedStatement,
    second: SignedStatement,
    *,
    peaks: tuple[bytes, ...] = (),
    payload: bytes = b"",
    accused: str = SIGNER,
) -> bytes:
    return encode_evidence(Evidence(1, str(kind), AT, accused, first, second, None, peaks, payload))


def subtree_roots() -> list[bytes]:
    """Return every hash that anybody who knows the leaves may try: roots of all ranges, leaves, and stretched parts."""
    roots = [second_reader.tree_root(LEAVES[a:b]) for a in range(8) for b in range(a + 1, 9)]
    return [*roots, roots[0] + roots[1][:1], roots[1][1:], bytes(32)]


@settings(max_examples=400)
@given(
    st.sampled_from(list(EvidenceKind)),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.lists(st.sampled_from(subtree_roots()), max_size=4),
    st.sampled_from([SIGNER, READER, "200046977"]),
)
def test_no_file_made_of_honest_statements_convicts_anybody(
    kind: EvidenceKind, one: int, two: int, start: int, peaks: list[bytes], accused: str
) -> None:
    first, _ = say(one)
    second, payload = say(two, start=min(start, two))
    with pytest.raises(NotEvidence):
        judge(file(kind, first, second, peaks=tuple(peaks), payload=payload, accused=accused))


@given(st.integers(0, 8), st.integers(1, 9))
def test_a_frontier_cut_otherwise_convicts_nobody(size: int, more: int) -> None:
    """Every way to cut an honest log of this size into roots of ranges that fold to the same root."""
    first, _ = say(size)
    stop = min(size + more, len(LEAVES))
    second, payload = say(stop, start=size)

    def cuts(leaves: list[bytes]) -> list[tuple[bytes, ...]]:
        found = [(second_reader.tree_root(leaves),)]
        if len(leaves) > 1:
            split = 1
            while split * 2 < len(leaves):
                split *= 2
            found += [(second_reader.tree_root(leaves[:split]), *rest) for rest in cuts(leaves[split:])]
        return found

    for peaks in cuts(LEAVES[:size]):
        with pytest.raises(NotEvidence):
            judge(file(EvidenceKind.BROKEN_LOG, first, second, peaks=peaks, payload=payload))


@given(st.integers(1, 12), st.integers(0, 11))
def test_two_roots_for_one_size_convict_their_signer(size: int, place: int) -> None:
    forked = [*LEAVES]
    forked[place % size] = b"another"
    first, second = say(size)[0], say(size, leaves=forked, at=AT + 99)[0]
    judgement = judge(file(EvidenceKind.TWO_HEADS, first, second))
    assert (judgement.accused, judgement.key_fingerprint) == (SIGNER, SECRET.public.signing.hex())
    with pytest.raises(NotEvidence):
        judge(file(EvidenceKind.TWO_HEADS, first, second, accused=READER))


@given(st.integers(1, 8), st.integers(1, 4))
def test_slips_that_do_not_follow_convict_their_signer(size: int, more: int) -> None:
    peaks: list[bytes] = []
    start = 0
    for bit in reversed(range(size.bit_length())):  # the frontier by its definition: complete subtrees, largest first
        if size >> bit & 1:
            peaks.append(second_reader.tree_root(LEAVES[start : start + (1 << bit)]))
            start += 1 << bit
    forked = [b"rewritten", *LEAVES[1:]]
    first = say(size)[0]
    second, payload = say(size + more, leaves=forked, start=size)
    assert judge(file(EvidenceKind.BROKEN_LOG, first, second, peaks=tuple(peaks), payload=payload)).accused == SIGNER


@given(st.integers(0, 5), st.integers(0, 5), st.integers(-10_000_000, 10_000_000), st.integers(0, 8))
def test_holding_less_convicts_only_where_the_national_log_grew(one: int, two: int, later: int, held: int) -> None:
    """Clocks say nothing: they may be set back, and an old answer may arrive late."""

    def carry(size: int) -> SignedCheckpoint:
        return sign_checkpoint(SECRET, Checkpoint("test", SIGNER, 1, size, bytes(32), 0))

    first = say(3, ack_size=5, at=AT, checkpoint=carry(one))[0]
    second = say(3, ack_size=held, at=AT + later, checkpoint=carry(two))[0]
    data = file(EvidenceKind.REWOUND, first, second)
    if two > one and held < 5:
        assert judge(data).kind is EvidenceKind.REWOUND
    else:
        with pytest.raises(NotEvidence):
            judge(data)


@given(st.binary(max_size=300))
def test_nonsense_proves_nothing(data: bytes) -> None:
    with pytest.raises(NotEvidence):
        judge(data)


@given(st.data())
def test_an_altered_file_never_convicts_another_key(data: st.DataObject) -> None:
    first, second = say(4)[0], say(4, leaves=[b"x", *LEAVES[1:]])[0]
    altered = bytearray(file(EvidenceKind.TWO_HEADS, first, second))
    altered[data.draw(st.integers(0, len(altered) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        judgement = judge(bytes(altered))
    except NotEvidence:
        return
    assert (judgement.accused, judgement.key_fingerprint) == (SIGNER, SECRET.public.signing.hex())
