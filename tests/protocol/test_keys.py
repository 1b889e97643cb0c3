"""Keys: what a signature covers, what a seal hides."""

from __future__ import annotations

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
