"""How the base hides what it knows: keys under keys, and nothing in clear that somebody could look up. Pure.

    files of the folder     base key                    under the operator's passphrase, changed by `rotate`
    the book                book key, data keys         each sealed under a base key; one data key for each person
                            civil records, identities   each sealed under its person's data key
                            look-ups, row seals, chain  keyed digests under the book key

Why two steps? Changing the base key seals a few dozen bytes a person anew, and no record. Forgetting a person is
forgetting one data key: then no copy of the records can be opened, wherever it lies.

Everything sealed carries what it is and whose (`associated`): a record moved to another row does not open there.
Nonces are random, 24 bytes, given by the caller. Source: XChaCha20-Poly1305 (libsodium), BLAKE2b (RFC 7693).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from node.people.errors import RecordUnreadable
from protocol.identifiers import format_id
from protocol.keys import Keyring, SecretKeys

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
SEAL_BYTES: Final = 16
HASH_BYTES: Final = 32
PAD_BLOCK: Final = 128  # so that a length says little of a name


@dataclass(frozen=True, slots=True)
class BaseKey:
    """One base key: its public id, and the secret that wraps others."""

    id: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BaseKeys:
    """All base keys of the folder: `current` wraps, the older ones still open what they wrapped."""

    current: BaseKey
    older: tuple[BaseKey, ...] = ()

    def find(self, id_: bytes) -> BaseKey | None:
        return next((key for key in (self.current, *self.older) if key.id == id_), None)


def read_base_keys(keyring: Keyring) -> BaseKeys:
    """Return base keys from key files of the usual kind: each one is derived from all of its file."""
    return BaseKeys(_derive(keyring.current), tuple(map(_derive, keyring.older)))


def _derive(keys: SecretKeys) -> BaseKey:
    seeds = keys.signing_seed + keys.sealing_seed
    return BaseKey(keys.public.id, hashlib.blake2b(seeds, digest_size=KEY_BYTES, person=b"cm-people-base").digest())


def seal(key: bytes, plain: bytes, associated: bytes, nonce: bytes) -> bytes:
    """Return nonce and sealed bytes of `plain`, padded."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError("24 fresh random bytes make a nonce")
    return bytes(Aead(key).encrypt(_pad(plain), associated, nonce))


def open_sealed(key: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """Return what was sealed, or None where it is another key's, another row's, or altered."""
    try:
        return _unpad(Aead(key).decrypt(sealed, associated))
    except (CryptoError, ValueError, TypeError):
        return None


def _pad(plain: bytes) -> bytes:
    """Source: ISO/IEC 7816-4."""
    return plain + b"\x80" + bytes(-(len(plain) + 1) % PAD_BLOCK)


def _unpad(padded: bytes) -> bytes:
    return padded[: padded.rindex(b"\x80")]


def wrap(base_key: BaseKey, key: bytes, whose: bytes, nonce: bytes) -> bytes:
    """Return a data key, or the book's own (whose id is empty), sealed under a base key."""
    return seal(base_key.secret, key, _of_key(base_key, whose), nonce)


def unwrap(base_keys: BaseKeys, base_key: bytes, wrapped: bytes, whose: bytes) -> bytes | None:
    """Return the key that was wrapped for `whose`, or None where no base key opens it there."""
    found = base_keys.find(base_key)
    return None if found is None else open_sealed(found.secret, wrapped, _of_key(found, whose))


def _of_key(base_key: BaseKey, whose: bytes) -> bytes:
    return b"citizen-miles/people/key/v1\0" + base_key.id + whose


def of_record(person: bytes, version: int) -> bytes:
    """Return what binds a civil record to its row."""
    return b"citizen-miles/people/record/v1\0" + person + version.to_bytes(8, "big")


def of_identity(identity: bytes, person: bytes) -> bytes:
    """Return what binds an identity's own data to its row."""
    return b"citizen-miles/people/identity/v1\0" + identity + person


def require_open(plain: bytes | None, person: bytes) -> bytes:
    """Raises RecordUnreadable for what could not be opened."""
    if plain is None:
        raise RecordUnreadable(person=format_id(person))
    return plain


def compute_lookup(book_key: bytes, kind: str, value: str) -> bytes:
    """Return under which digest a value is found again: without the key nobody can try values."""
    told = msgspec.msgpack.encode([kind, value])
    return hashlib.blake2b(told, digest_size=HASH_BYTES, key=book_key, person=b"cm-people-look").digest()


def compute_seal(book_key: bytes, table: str, values: Sequence[Any]) -> bytes:
    """Return the keyed seal of a row: whoever writes the base without the key cannot make one."""
    told = msgspec.msgpack.encode([str(table), *(_plain(value) for value in values)])
    return hashlib.blake2b(told, digest_size=SEAL_BYTES, key=book_key, person=b"cm-people-row").digest()


def compute_link(book_key: bytes, previous: bytes, values: Sequence[Any]) -> bytes:
    """Return the hash of a journal entry, which holds that of the entry before it."""
    told = msgspec.msgpack.encode([previous, *(_plain(value) for value in values)])
    return hashlib.blake2b(told, digest_size=HASH_BYTES, key=book_key, person=b"cm-people-log").digest()


def compute_mark(book_key: bytes, place: str) -> bytes:
    """Return the mark of a row that ended: told to a neighbour, who cannot tell which row or whose it is."""
    return hashlib.blake2b(place.encode(), digest_size=HASH_BYTES, key=book_key, person=b"cm-people-end").digest()


def compute_content(book_key: bytes, kind: str, content: object) -> bytes:
    """Return the digest by which a request is known again: it may hold names, so it is keyed too."""
    told = _deterministic.encode([kind, content])
    return hashlib.blake2b(told, digest_size=HASH_BYTES, key=book_key, person=b"cm-people-ask").digest()


_deterministic: Final = msgspec.msgpack.Encoder(order="deterministic")


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str):
        return str(value)
    return None if value is None else bytes(value)
