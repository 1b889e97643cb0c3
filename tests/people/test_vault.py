"""Sealed under a key and for one place: what is moved, altered or under another key does not open."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.people.vault import (
    NONCE_BYTES,
    BaseKey,
    BaseKeys,
    compute_content,
    compute_link,
    compute_lookup,
    compute_seal,
    of_identity,
    of_record,
    open_sealed,
    read_base_keys,
    seal,
    unwrap,
    wrap,
)
from protocol.keys import Keyring, make_keys

KEY, OTHER, NONCE = b"k" * 32, b"o" * 32, b"n" * NONCE_BYTES
ZELIE, YANN = b"z" * 16, b"y" * 16
few = settings(max_examples=30)


@few
@given(st.binary(max_size=400), st.integers(min_value=1, max_value=9))
def test_what_is_sealed_opens_in_its_own_row_and_in_no_other(plain: bytes, version: int) -> None:
    sealed = seal(KEY, plain, of_record(ZELIE, version), NONCE)
    assert open_sealed(KEY, sealed, of_record(ZELIE, version)) == plain
    for key, place in (
        (OTHER, of_record(ZELIE, version)),
        (KEY, of_record(YANN, version)),
        (KEY, of_record(ZELIE, version + 1)),
        (KEY, of_identity(ZELIE, YANN)),
    ):
        assert open_sealed(key, sealed, place) is None
    assert len(sealed) == NONCE_BYTES + 16 + (len(plain) // 128 + 1) * 128, "its length says little"


@few
@given(st.data())
def test_one_bit_changed_anywhere_is_seen(data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, b"Quemener", b"place", NONCE))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert open_sealed(KEY, bytes(sealed), b"place") is None
    assert open_sealed(KEY, bytes(sealed[: data.draw(st.integers(0, len(sealed) - 1))]), b"place") is None


def test_a_wrapped_key_opens_for_its_person_under_its_base_key() -> None:
    first, second = BaseKey(b"first", KEY), BaseKey(b"second", OTHER)
    wrapped = wrap(first, b"d" * 32, ZELIE, NONCE)
    assert unwrap(BaseKeys(second, (first,)), b"first", wrapped, ZELIE) == b"d" * 32
    assert unwrap(BaseKeys(first), b"first", wrapped, YANN) is None
    assert unwrap(BaseKeys(second), b"first", wrapped, ZELIE) is None
    assert unwrap(BaseKeys(second, (first,)), b"second", wrapped, ZELIE) is None


def test_base_keys_come_from_key_files_and_are_neither_of_their_halves() -> None:
    keys = make_keys(bytes(range(64)))
    current = read_base_keys(Keyring(keys)).current
    assert current.id == keys.public.id
    assert current.secret not in (keys.signing_seed, keys.sealing_seed)
    assert current.secret.hex() not in repr(current)
    assert current != read_base_keys(Keyring(make_keys(bytes(range(1, 65))))).current


def test_digests_are_keyed_and_apart() -> None:
    told = compute_lookup(KEY, "email", "z@example.org")
    assert told == compute_lookup(KEY, "email", "z@example.org")
    assert told not in (
        compute_lookup(OTHER, "email", "z@example.org"),
        compute_lookup(KEY, "telephone", "z@example.org"),
        hashlib.blake2b(b"z@example.org", digest_size=32).digest(),
    )
    assert compute_seal(KEY, "roles", [1, "a", b"b", None]) != compute_seal(KEY, "rules", [1, "a", b"b", None])
    assert compute_seal(KEY, "roles", [1, "a"]) != compute_seal(KEY, "roles", ["a", 1])
    assert compute_link(KEY, b"before", [1]) != compute_link(KEY, b"another", [1])
    assert compute_content(KEY, "Enter", {"b": 1, "a": 2}) == compute_content(KEY, "Enter", {"a": 2, "b": 1})


def test_a_nonce_is_24_bytes() -> None:
    with pytest.raises(ValueError):
        seal(KEY, b"", b"", b"short")
