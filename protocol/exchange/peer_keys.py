"""A base's key changes for a new one: the old key signs the new one, in the log to each neighbour. Pure.

    log to a neighbour   … slip … slip, NewKey │ slip … slip
    who signs            the old key ──────────┼─▶ the new key, once the neighbour holds the NewKey

The envelope that brings the statement is the last that the old key signs. A neighbour that holds the statement takes nothing
any more that the old key signs; what it signed before stays good. Source: SPEC.md, "The house"; decision 0031.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from protocol.canonical import encode_typed, prepare
from protocol.directory import Member
from protocol.errors import BadEnvelope, Refusal
from protocol.house import NewKey
from protocol.keys import Domain, InvalidKey, Keyring, PublicKeys, SecretKeys, is_signed, require_public_keys, sign
from protocol.messages import Key32, KeyName, Party

UNKNOWN_KEY: Final = "unknown_key"


class KeyWords(Struct, frozen=True, array_like=True):
    """What both keys sign: which base of which house changes its key, for the how manieth time, from which to which."""

    network: Annotated[str, Meta(min_length=1, max_length=64)]
    base: Party
    number: Annotated[int, Meta(ge=1, le=2**31)]
    before: KeyName
    signing: Key32
    sealing: Key32


class KeyLink(Struct, frozen=True):
    """A `NewKey` in one log, at leaf `index`."""

    index: int
    told: NewKey

    @property
    def keys(self) -> PublicKeys:
        return PublicKeys(self.told.signing, self.told.sealing)


class KeyMissing(Refusal):
    """The key that this base last announced is not in its folder. Facts: key."""

    code = "key_missing"


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is asked: sign with these keys from now on. `id` is the caller's."""

    id: bytes
    secret: SecretKeys


def make_new_key(network: str, base: str, number: int, old: SecretKeys, new: SecretKeys) -> NewKey:
    """Return the statement, signed by both."""
    public = new.public
    body = encode_typed(KeyWords(network, base, number, old.public.id, public.signing, public.sealing))
    return NewKey(
        number,
        old.public.id,
        public.signing,
        public.sealing,
        sign(old, Domain.BASE_KEY, body),
        sign(new, Domain.BASE_KEY, body),
    )


def is_new_key_signed(network: str, base: str, told: NewKey, old: PublicKeys) -> bool:
    """Tell whether this old key and the new one signed the statement."""
    body = encode_typed(KeyWords(network, base, told.number, told.before, told.signing, told.sealing))
    return (
        old.id == told.before
        and is_signed(old.signing, Domain.BASE_KEY, body, told.signature)
        and is_signed(told.signing, Domain.BASE_KEY, body, told.proof)
    )


def follow(member: Member, links: Iterable[KeyLink]) -> Member:
    """Return a base with the keys that sign new things after its statements, the newest last; the others are retired."""
    keys, retired = list(member.keys), list(member.retired)
    for link in links:
        retired += [key for key in keys if key.id == link.told.before]
        keys = [key for key in keys if key.id not in (link.told.before, link.keys.id)]
        keys.append(link.keys)
    return replace(member, keys=tuple(keys), retired=tuple(retired))


def require_new_key(network: str, member: Member, told: NewKey) -> None:
    """Raise BadEnvelope with reason `bad_key` unless a key that signs for this base today says so, and the new one."""
    try:
        fresh = require_public_keys(told.signing, told.sealing)
    except InvalidKey as refusal:
        raise BadEnvelope(f"a new key that is none: {refusal}", reason="bad_key") from None
    old = member.find_key(told.before)
    if old is None and member.find_key(fresh.id) is not None:
        return  # a person entered its card: it is believed already
    if old is None or not is_new_key_signed(network, member.code, told, old):
        raise BadEnvelope(f"key {fresh.id.hex()} was not announced by a key that signs for it", reason="bad_key")


def choose_signer(keyring: Keyring, links: Sequence[KeyLink], start: int) -> SecretKeys:
    """Return the keys that sign an envelope to a neighbour that holds our log to it as far as `start`."""
    if keyring.current.public.id not in {link.keys.id for link in links}:
        return keyring.current  # it was never announced there: the neighbour had our card, or our book is an old copy
    wanted = links[0].told.before
    for link in links:
        if link.index < start:
            wanted = link.keys.id
    return keyring.find(wanted) or keyring.current


def use_as_current(keyring: Keyring, key_id: bytes) -> Keyring:
    """Return the keyring that signs with one of its keys. Raises KeyMissing."""
    found = keyring.find(key_id)
    if found is None:
        raise KeyMissing(key=key_id.hex())
    return Keyring(found, tuple(keys for keys in (keyring.current, *keyring.older) if keys != found))


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_LINKS: Final = msgspec.json.Decoder(tuple[KeyLink, ...])
prepare(KeyWords)


def encode_links(links: Sequence[KeyLink]) -> str:
    return msgspec.json.encode(tuple(links)).decode()


def decode_links(value: str) -> tuple[KeyLink, ...]:
    return _LINKS.decode(value)
