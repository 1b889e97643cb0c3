"""Envelopes: nothing in them can be altered unseen, and both readers say so in the same word."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import keys
from protocol.canonical import decode_typed, encode_typed
from protocol.directory import Directory, apply_entries
from protocol.envelopes import (
    Checkpoint,
    ForwardedSlip,
    HeadStatement,
    Payload,
    SignedCheckpoint,
    compute_digest,
    hash_sealed,
    open_checkpoint,
    open_envelope,
    open_payload,
    sign_checkpoint,
    sign_envelope,
)
from protocol.errors import BadEnvelope, NotCanonical
from protocol.exchange.service import Identity, verify_envelope
from protocol.keys import Keyring
from protocol.messages import SEALED_BYTES_MAX, SealedColumn
from protocol.times import Instant
from tests.protocol import second_reader
from tests.protocol.vectors import load, unhex

FILE = load("envelopes")
GOOD = [(case["reader"], bytes.fromhex(case["envelope"])) for case in FILE["good"]]
DIRECTORY = apply_entries(Directory(), unhex(FILE["directory"]))
MEMBERS, _HEAD = second_reader.fold(unhex(FILE["directory"]))
RING = Keyring(keys.make_keys(bytes(64)))
SECRETS = {case["id"]: case for case in load("keys")["sets"]}


def _both(data: bytes, reader: str) -> tuple[Any, Any]:
    try:
        received = verify_envelope(data, Identity(FILE["network"], reader, RING), DIRECTORY, Instant(FILE["now"]))
        ours: Any = msgpack.unpackb(received.envelope.statement), msgpack.unpackb(received.envelope.payload)
    except BadEnvelope as refusal:
        ours = refusal.facts["reason"]
    try:
        theirs: Any = second_reader.read_envelope(
            data, network=FILE["network"], reader=reader, members=MEMBERS, now=FILE["now"]
        )
    except second_reader.Refused as refusal:
        theirs = refusal.reason
    return ours, theirs


@given(st.sampled_from(GOOD), st.data())
def test_one_altered_byte_anywhere_is_refused_by_both_readers_in_the_same_word(
    good: tuple[str, bytes], data: st.DataObject
) -> None:
    reader, envelope = good
    place = data.draw(st.integers(0, len(envelope) - 1))
    altered = bytearray(envelope)
    altered[place] ^= data.draw(st.integers(1, 255))
    ours, theirs = _both(bytes(altered), reader)
    assert ours == theirs
    assert isinstance(ours, str)


@given(
    st.sampled_from([HeadStatement, Payload]),
    st.integers(0, 14),
    st.one_of(st.none(), st.integers(-1, 2**54), st.binary(max_size=40), st.text(max_size=40), st.just([])),
)
def test_a_signed_envelope_with_a_field_replaced_is_judged_alike(part: type, place: int, value: Any) -> None:
    reader, envelope = GOOD[1]
    outer, statement = open_envelope(envelope)
    fields = msgpack.unpackb(encode_typed(statement))
    payload = msgpack.unpackb(outer.payload)
    if part is Payload:
        payload[place % len(payload)] = value
    else:
        fields[place] = value
    body = msgpack.packb(payload)
    if part is Payload or place != 14:
        fields[14] = compute_digest(body)
    case = SECRETS[statement.key.hex()]
    secret = keys.make_keys(bytes.fromhex(case["signing_seed"] + case["sealing_seed"]))
    signed = msgpack.packb(fields)
    data = msgpack.packb([signed, keys.sign(secret, keys.Domain.STATEMENT, signed), body])
    ours, theirs = _both(data, reader)
    assert ours == theirs


def test_a_payload_that_was_not_signed_is_not_opened() -> None:
    outer, statement = open_envelope(GOOD[1][1])
    with pytest.raises(BadEnvelope):
        open_payload(msgspec.structs.replace(outer, payload=outer.payload + b"\0"), statement)


def test_a_statement_signed_under_another_reader_is_for_that_reader_only() -> None:
    _reader, envelope = GOOD[0]
    with pytest.raises(BadEnvelope) as refusal:
        verify_envelope(envelope, Identity(FILE["network"], "200046977", RING), DIRECTORY, Instant(FILE["now"]))
    assert refusal.value.facts["reason"] == "wrong_reader"


def test_a_retired_key_signs_no_new_envelope() -> None:
    case = FILE["good"][0]
    member = DIRECTORY.require("242900314")
    retired = replace(member, keys=member.keys[1:], retired=member.keys[:1])
    directory = replace(DIRECTORY, members={**DIRECTORY.members, "242900314": retired})
    with pytest.raises(BadEnvelope) as refusal:
        verify_envelope(
            bytes.fromhex(case["envelope"]),
            Identity(FILE["network"], case["reader"], RING),
            directory,
            Instant(FILE["now"]),
        )
    assert refusal.value.facts["reason"] == "unknown_key"


def test_the_checkpoint_a_member_carries_must_be_one_that_others_can_read() -> None:
    _outer, statement = open_envelope(GOOD[3][1])
    assert statement.checkpoint is not None
    broken = msgspec.structs.replace(statement, checkpoint=msgspec.structs.replace(statement.checkpoint, body=b"\xc1"))
    with pytest.raises(BadEnvelope):
        open_envelope(sign_envelope(keys.make_keys(bytes(64)), broken, b""))


def test_a_checkpoint_is_opened_as_its_hub_signed_it_and_names_the_key() -> None:
    secret, stranger = keys.make_keys(bytes(64)), keys.make_keys(b"\1" * 64)
    checkpoint = Checkpoint("test", "HUB-FR", 1, 7, bytes(32), 1_790_000_000_000)
    signed = sign_checkpoint(secret, checkpoint)
    assert open_checkpoint(signed, secret.public.signing) == checkpoint
    assert signed.key == secret.public.id
    with pytest.raises(BadEnvelope) as refusal:
        open_checkpoint(signed, stranger.public.signing)
    assert refusal.value.facts["reason"] == "bad_checkpoint"


def test_signed_nonsense_is_no_checkpoint() -> None:
    secret = keys.make_keys(bytes(64))
    signed = SignedCheckpoint(b"\xc1", secret.public.id, keys.sign(secret, keys.Domain.CHECKPOINT, b"\xc1"))
    with pytest.raises(BadEnvelope) as refusal:
        open_checkpoint(signed, secret.public.signing)
    assert refusal.value.facts["reason"] == "bad_checkpoint"


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=80))
def test_a_leaf_commits_to_the_salt_and_then_to_what_is_sealed(salt: bytes, sealed: bytes) -> None:
    whole = hashlib.sha256(salt)
    whole.update(sealed)
    assert hash_sealed(salt, sealed) == whole.digest()


def test_the_largest_sealed_column_that_the_hub_takes_can_be_handed_over() -> None:
    column = encode_typed(SealedColumn(bytes(16), bytes(SEALED_BYTES_MAX)))
    forwarded = encode_typed(ForwardedSlip(b"", b"", bytes(64), (), column))
    assert decode_typed(forwarded, ForwardedSlip, size_max=len(forwarded)).sealed == column
    larger = encode_typed(ForwardedSlip(b"", b"", bytes(64), (), bytes(SEALED_BYTES_MAX + 65)))
    with pytest.raises(NotCanonical):
        decode_typed(larger, ForwardedSlip, size_max=len(larger))
