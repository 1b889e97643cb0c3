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
    History,
    Payload,
    SignedCheckpoint,
    compute_digest,
    sign_checkpoint,
)
from protocol.evidence import (
    EVIDENCE_BYTES_MAX,
    Evidence,
    EvidenceKind,
    Judgement,
    NotEvidence,
    SignedStatement,
    encode_evidence,
    judge,
)
from protocol.keys import Domain, SecretKeys, make_keys
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


def test_a_file_longer_than_any_proof_is_not_read() -> None:
    assert EVIDENCE_BYTES_MAX == 32 * 1024 * 1024
    with pytest.raises(NotEvidence, match="33554433 bytes, 33554432 allowed"):
        judge(bytes(EVIDENCE_BYTES_MAX + 1))


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


# One convicting file of each kind, and every single thing that, bent, leaves it without a proof.


def point(size: int, root: bytes = bytes(32), **more: Any) -> SignedCheckpoint:
    told: dict[str, Any] = {"network": "test", "hub": SIGNER, "epoch": 1, "at": AT, **more}
    return sign_checkpoint(SECRET, Checkpoint(size=size, root=root, **told))


def convict(case: str, /, *, one: Any = (), two: Any = (), body: Any = (), **more: Any) -> Judgement:
    """Judge a file of this kind; `one`, `two`, `body` and the rest change the statements, the payload and the file."""
    forked = [b"another", *LEAVES[1:]]
    first: dict[str, Any] = {"at": AT, "log_size": 4, "log_root": second_reader.tree_root(LEAVES[:4])}
    second: dict[str, Any] = {**first, "at": AT + 1, "log_root": second_reader.tree_root(forked[:4])}
    carried: dict[str, Any] = {"start": 4, "slips": (), "histories": ()}
    whole: dict[str, Any] = {"accused": SIGNER, "first_checkpoint": None, "peaks": ()}
    match case:
        case "rewound":
            first |= {"checkpoint": point(3), "ack_size": 5}
            second |= {"checkpoint": point(4), "ack_size": 4}
        case "broken_log":
            second |= {"log_size": 5, "log_root": second_reader.tree_root(forked[:5])}
            carried |= {"slips": (CarriedSlip(LEAVES[4], ()),)}
            whole |= {"peaks": (second_reader.tree_root(LEAVES[:4]),)}
        case "broken_history":
            second |= {"checkpoint": point(5, b"2" * 32)}
            carried |= {"histories": (History(3, ()), History(4, (bytes(32),)))}
            whole |= {"first_checkpoint": point(4, b"1" * 32)}
        case "two_points":
            second |= {"checkpoint": point(4, b"2" * 32)}
            whole |= {"first_checkpoint": point(4, b"1" * 32)}
        case "disputed_ack":
            first |= {"sender": READER, "reader": SIGNER}
            second |= {"ack_epoch": 1, "ack_size": 4, "ack_root": bytes(32)}
    carried |= dict(body)
    payload = encode_typed(
        Payload(carried["start"], carried["slips"], 0, None, carried["histories"], (), carried.get("recovery"))
    )
    second["payload"] = compute_digest(payload)
    whole |= {"payload": payload}
    words = [speak(**{**first, **dict(one)}), speak(**{**second, **dict(two)})]
    told = {"version": 1, "kind": {"two_points": "two_heads"}.get(case, case), "found_at": AT, **whole}
    return judge(encode_evidence(Evidence(**{"first": words[0], "second": words[1], **told, **more})))


def speak(secret: SecretKeys = SECRET, signer: str = "", signature: bytes = b"", **more: Any) -> SignedStatement:
    told: dict[str, Any] = {
        **{"version": 1, "speaks": 1, "network": "test", "sender": SIGNER, "reader": READER, "key": secret.public.id},
        **{"epoch": 1, "ack_epoch": 1, "ack_size": 0, "ack_root": bytes(32), "checkpoint": None, "payload": bytes(32)},
        **more,
    }
    body = encode_typed(HeadStatement(**told))
    signature = signature or keys.sign(secret, Domain.STATEMENT, body)
    return SignedStatement(signer or told["sender"], secret.public.signing, body, signature)


CONVICTED = {
    "two_heads": "signed two logs of 4 slips",
    "two_points": "signed two national logs of 4 leaves",
    "rewound": "acknowledged 5 slips of HUB-FR, later only 4",
    "broken_log": "signed 5 slips for HUB-FR that do not follow from its first 4",
    "broken_history": "signed national logs of 4 and 5 leaves",
    "disputed_ack": "HUB-FR signed root",
}
SAME_VOICE: Any = (
    {"two": {"network": "other"}},
    {"one": {"sender": READER}},
    {"two": {"sender": READER}},
    {"accused": READER},
    {"one": {"secret": OTHER}},
    {"one": {"reader": "200046977"}},
    {"one": {"epoch": 2}},
    {"two": {"epoch": 2}},
)
EMPTY_PAYLOAD = encode_typed(Payload(4, (), 0, None, (), (), None))
BENT: Any = {
    "two_heads": (
        *SAME_VOICE,
        {"two": {"log_root": second_reader.tree_root(LEAVES[:4])}},
        {"two": {"log_size": 3}},
        {"two": {"log_size": 3}, "peaks": (bytes(32), bytes(32))},
    ),
    "two_points": (
        {"two": {"checkpoint": None}},
        {"two": {"checkpoint": point(4, b"1" * 32)}},
        {"two": {"checkpoint": point(5, b"2" * 32)}},
        {"two": {"checkpoint": point(4, b"2" * 32, epoch=2)}},
        {"two": {"checkpoint": point(4, b"2" * 32, network="other")}},
        {"two": {"checkpoint": point(4, b"2" * 32, hub=READER)}},
        {"first_checkpoint": point(4, b"1" * 32, hub=READER)},
        {"first_checkpoint": sign_checkpoint(OTHER, Checkpoint("test", SIGNER, 1, 4, b"1" * 32, AT))},
        {"first_checkpoint": SignedCheckpoint(b"?", bytes(8), keys.sign(SECRET, Domain.CHECKPOINT, b"?"))},
    ),
    "rewound": (
        *SAME_VOICE,
        {"one": {"ack_epoch": 2}},
        {"one": {"checkpoint": None}},
        {"two": {"checkpoint": None}},
        {"two": {"checkpoint": point(3)}},
        {"two": {"checkpoint": point(4, epoch=2)}},
        {"two": {"ack_size": 5}},
    ),
    "broken_log": (
        *SAME_VOICE,
        {"peaks": ()},
        {"peaks": (bytes(32),)},
        {"peaks": (second_reader.tree_root(LEAVES[:2]), second_reader.tree_root(LEAVES[2:4]))},
        {"payload": EMPTY_PAYLOAD},
        {"body": {"start": 5}},
        {"body": {"slips": (CarriedSlip(LEAVES[4], ()),) * 2}},
        {"two": {"log_root": second_reader.tree_root(LEAVES[:5])}},
        {"two": {"log_size": 3}},
        {
            "two": {"log_size": 3, "log_root": second_reader.tree_root(LEAVES[:3])},
            "body": {"start": 3, "slips": ()},
        },
        {"two": {"payload": compute_digest(b"?")}, "payload": b"?"},
    ),
    "broken_history": (
        {"first_checkpoint": None},
        {"two": {"checkpoint": None}},
        {"two": {"sender": READER}},
        {"two": {"checkpoint": point(5, b"2" * 32, network="other")}},
        {"two": {"checkpoint": point(5, b"2" * 32, epoch=2)}},
        {"two": {"checkpoint": point(3, b"2" * 32)}},
        {"body": {"histories": (History(3, ()),)}},
        {"body": {"histories": ()}},
        {"first_checkpoint": point(5, b"2" * 32), "body": {"histories": (History(5, ()),)}},
        {"two": {"checkpoint": point(4, b"1" * 32, at=AT + 1)}, "body": {"histories": ()}},  # the same, said again
        {"payload": EMPTY_PAYLOAD},
    ),
    "disputed_ack": (
        {"one": {"reader": "200046977"}},
        {"one": {"sender": "200046977"}},
        {"two": {"network": "other"}},
        {"accused": READER},
        {"two": {"ack_epoch": 2}},
        {"two": {"ack_size": 5}},
        {"two": {"ack_root": second_reader.tree_root(LEAVES[:4])}},
    ),
}
FILES: Any = (
    {"version": 2},
    {"kind": "nothing"},
    {"one": {"signature": bytes(64)}},
    {"two": {"signature": bytes(64)}},
    {"one": {"signer": "200046977"}},
    {"two": {"signer": "200046977"}},
    {"first": SignedStatement(SIGNER, SECRET.public.signing, b"?", keys.sign(SECRET, Domain.STATEMENT, b"?"))},
    {"second": SignedStatement(SIGNER, SECRET.public.signing, b"?", bytes(64))},
)


@pytest.mark.parametrize("kind", CONVICTED)
def test_each_contradiction_convicts_in_words_of_its_own(kind: str) -> None:
    judgement = convict(kind)
    assert judgement.kind == {"two_points": "two_heads"}.get(kind, kind)
    assert (judgement.accused, judgement.key_fingerprint) == (SIGNER, SECRET.public.signing.hex())
    assert CONVICTED[kind] in judgement.summary


@pytest.mark.parametrize(
    ("kind", "bent"),
    [(kind, bent) for kind in CONVICTED for bent in (*BENT[kind], *FILES)],
    ids=lambda one: str(one)[:70],
)
def test_a_proof_with_one_thing_bent_proves_nothing(kind: str, bent: Any) -> None:
    with pytest.raises(NotEvidence):
        convict(kind, **bent)


def test_an_older_national_log_signed_later_convicts_its_hub() -> None:
    told = convict("broken_history", two={"checkpoint": point(3, b"2" * 32, at=AT + 1)})
    assert "a national log of 4 leaves, then one of 3" in told.summary


def test_a_shorter_head_with_a_proof_that_it_is_no_prefix_convicts() -> None:
    """`peaks` holds the root that the longer log had at the shorter one's size, then the proof."""
    prefix = second_reader.tree_root(LEAVES[:2])
    proof = (prefix, second_reader.tree_root(LEAVES[2:4]))
    assert "signed two logs of 2 slips" in convict("two_heads", two={"log_size": 2}, peaks=proof).summary
    with pytest.raises(NotEvidence):
        convict("two_heads", two={"log_size": 2, "log_root": prefix}, peaks=proof)


def test_another_head_of_the_same_size_does_not_follow_either() -> None:
    other = second_reader.tree_root([b"another", *LEAVES[1:4]])
    told = convict("broken_log", two={"log_size": 4, "log_root": other}, body={"slips": ()})
    assert "signed 4 slips for HUB-FR that do not follow from its first 4" in told.summary
