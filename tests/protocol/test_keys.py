"""Keys: what a signature covers, what a seal hides."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import keys
from protocol.keys import Domain, InvalidKey, Keyring, PublicKeys, SecretKeys, Unreadable
from tests.protocol import second_reader

seeds = st.binary(min_size=64, max_size=64)
bodies = st.binary(max_size=700)


@given(seeds, bodies, st.sampled_from(list(Domain)), st.sampled_from(list(Domain)))
def test_a_signature_serves_one_purpose_only(seed: bytes, body: bytes, made_for: Domain, used_for: Domain) -> None:
    secret = keys.make_keys(seed)
    signature = keys.sign(secret, made_for, body)
    assert keys.is_signed(secret.public.signing, used_for, body, signature) is (made_for is used_for)
    assert second_reader.is_signed(secret.public.signing, str(used_for), body, signature) is (made_for is used_for)


@given(seeds, bodies, st.integers(0, 511))
def test_one_bit_of_a_signature_breaks_it(seed: bytes, body: bytes, bit: int) -> None:
    secret = keys.make_keys(seed)
    number = int.from_bytes(keys.sign(secret, Domain.STATEMENT, body), "little") ^ (1 << bit)
    altered = number.to_bytes(64, "little")
    assert not keys.is_signed(secret.public.signing, Domain.STATEMENT, body, altered)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    secret = keys.make_keys(bytes(64))
    signature = keys.sign(secret, Domain.KEY, b"body")
    assert keys.is_signed(secret.public.signing, Domain.KEY, b"body", signature) is True
    assert keys.is_signed(secret.public.signing, Domain.KEY, b"body", (signature * 2)[:length]) is False


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_public_key_has_32_bytes(length: int) -> None:
    secret = keys.make_keys(bytes(64))
    signing, sealing = (secret.public.signing * 2)[:length], (secret.public.sealing * 2)[:length]
    assert keys.is_signed(signing, Domain.KEY, b"body", keys.sign(secret, Domain.KEY, b"body")) is False
    assert keys.require_public_keys(secret.public.signing, secret.public.sealing) == secret.public
    for pair in ((signing, secret.public.sealing), (secret.public.signing, sealing)):
        with pytest.raises(InvalidKey):
            keys.require_public_keys(*pair)


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_nonsense_is_no_signature_and_no_crash(signing: bytes, signature: bytes) -> None:
    assert not keys.is_signed(signing, Domain.KEY, b"body", signature)


@given(seeds, bodies, st.binary(min_size=32, max_size=32))
def test_what_is_sealed_opens_for_its_reader_and_shows_only_its_size_class(
    seed: bytes, plain: bytes, ephemeral: bytes
) -> None:
    secret = keys.make_keys(seed)
    sealed = keys.seal(secret.public.sealing, plain, ephemeral_seed=ephemeral)
    assert keys.unseal(secret, sealed) == plain
    assert second_reader.unseal(secret.sealing_seed, sealed) == plain
    assert second_reader.seal(secret.public.sealing, plain, ephemeral) == sealed
    assert len(sealed) == 32 + 16 + 256 * (len(plain) // 256 + 1)


@given(st.binary(max_size=600))
def test_nonsense_cannot_be_unsealed(sealed: bytes) -> None:
    with pytest.raises(Unreadable):
        keys.unseal(keys.make_keys(bytes(64)), sealed)


def test_secret_keys_do_not_print_themselves() -> None:
    secret = keys.make_keys(bytes(range(64)))
    assert secret.signing_seed.hex() not in repr(secret) + str(secret)
    assert secret.public.id.hex() in repr(secret)


def test_older_keys_still_open_and_strangers_are_not_found() -> None:
    old, new = (keys.make_keys(bytes([n]) * 64) for n in (1, 2))
    ring = Keyring(new, (old,))
    assert (ring.find(old.public.id), ring.find(new.public.id), ring.find(bytes(8))) == (old, new, None)


def test_keys_want_all_their_entropy() -> None:
    with pytest.raises(ValueError):
        keys.make_keys(bytes(63))


def test_two_key_pairs_share_no_name() -> None:
    one, two = PublicKeys(bytes(32), b"\1" * 32), PublicKeys(b"\1" * 32, bytes(32))
    assert one.id != two.id
    assert SecretKeys(bytes(32), bytes(32)).public.id == keys.make_keys(bytes(64)).public.id


# ---------------------------------------------------------------- formats of others


def test_a_plain_signature_is_that_of_rfc_8032() -> None:
    """RFC 8032, 7.1, test 2."""
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert keys.compute_plain_public(seed) == public
    assert keys.sign_plain(seed, b"\x72") == signature
    assert keys.is_signed_plain(public, b"\x72", signature) is True
    assert keys.is_signed_plain(public, b"\x73", signature) is False
    assert keys.is_signed_plain(public, b"\x72", signature[:63]) is False
    assert keys.is_signed_plain(public[:31], b"\x72", signature) is False


def test_a_key_of_small_order_signs_nothing() -> None:
    identity = b"\1" + bytes(31)
    assert keys.is_signed_plain(identity, b"whatever", identity + bytes(32)) is False


def test_a_derived_seed_follows_from_the_signing_seed_and_its_purpose() -> None:
    secret = keys.make_keys(bytes(range(64)))
    seed = keys.derive_plain_seed(secret, "pass")
    assert seed == hashlib.blake2b(b"citizen-miles/derived/pass/v1", key=bytes(range(32)), digest_size=32).digest()
    assert seed == keys.derive_plain_seed(SecretKeys(secret.signing_seed, bytes(32)), "pass")
    assert seed != keys.derive_plain_seed(secret, "other")
    assert seed != secret.signing_seed
