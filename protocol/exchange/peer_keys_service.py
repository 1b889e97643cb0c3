"""Changing a base's key, and taking note of the neighbours' new ones: use cases in the pages of the talk.

A key is announced in the page that makes it ours, in the log to every neighbour. Whoever holds the announcement believes the
new key and takes nothing of the old one, from the same page on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protocol.book import log_store
from protocol.book.service import Page
from protocol.directory import Member
from protocol.errors import BadEnvelope, Refusal
from protocol.exchange import peer_keys_store as store
from protocol.exchange.peer_keys import (
    UNKNOWN_KEY,
    KeyLink,
    Rotation,
    follow,
    make_new_key,
    require_new_key,
    use_as_current,
)
from protocol.exchange.service import Received
from protocol.house import HouseSlip, NewKey
from protocol.keys import Keyring

if TYPE_CHECKING:
    from protocol.exchange.peer_service import PeerExchange


@dataclass(frozen=True, slots=True)
class Rotated:
    """A base signs with its `number`th new keys: their id, and whether it was so before."""

    number: int
    key: bytes
    is_repeated: bool


def links_in(peer: PeerExchange, page: Page, owner: str, reader: str) -> tuple[KeyLink, ...]:
    """Return what was announced in a log, as this page has it."""
    found: tuple[KeyLink, ...] = page.memo.get((KeyLink, owner, reader), peer.links.get((owner, reader), ()))
    return found


def _save(peer: PeerExchange, page: Page, owner: str, reader: str, links: tuple[KeyLink, ...]) -> None:
    page.memo[KeyLink, owner, reader] = links
    store.save_links(page.connection, owner, reader, links)
    page.after_commit((KeyLink, owner, reader), lambda: peer.use_links(owner, reader, links))


def find_chain(peer: PeerExchange, page: Page) -> list[NewKey]:
    """Return all changes of our key that any neighbour was told of, in order."""
    told = {link.told.number: link.told for other in peer.others for link in links_in(peer, page, peer.code, other)}
    return [told[number] for number in sorted(told)]


# Our own keys


def rotate(peer: PeerExchange, page: Page, items: Sequence[Rotation]) -> list[Rotated | Refusal]:
    """Sign with other keys from now on, and tell every neighbour; asked again under the same id it is answered as before."""
    results: list[Rotated | Refusal] = []
    for asked in items:
        done = store.find_rotation(page.connection, asked.id)
        chain = find_chain(peer, page)
        if done is not None:
            key = next((told for told in chain if told.number == done), None)
            name = asked.secret.public.id if key is None else link_id(key)
            results.append(Rotated(done, name, is_repeated=True))
            continue
        keyring = _keyring_in(peer, page)
        number = chain[-1].number + 1 if chain else 1
        told = make_new_key(peer.identity.network, peer.code, number, keyring.current, asked.secret)
        _announce(peer, page, [told])
        _use(peer, page, Keyring(asked.secret, (keyring.current, *keyring.older)))
        store.save_rotation(page.connection, asked.id, number)
        results.append(Rotated(number, asked.secret.public.id, is_repeated=False))
    return results


def link_id(told: NewKey) -> bytes:
    return KeyLink(0, told).keys.id


def _keyring_in(peer: PeerExchange, page: Page) -> Keyring:
    found: Keyring = page.memo.get(Keyring, peer.identity.keyring)
    return found


def _use(peer: PeerExchange, page: Page, keyring: Keyring) -> None:
    page.memo[Keyring] = keyring
    page.after_commit(Keyring, lambda: peer.use_keyring(keyring))


def _announce(peer: PeerExchange, page: Page, chain: Sequence[NewKey]) -> None:
    """Tell each neighbour what it was not told yet."""
    for other in peer.others:
        links = links_in(peer, page, peer.code, other)
        last = links[-1].told.number if links else 0
        for told in chain:
            if told.number > last:
                index = log_store.open_log(page.connection, peer.code, other).size
                peer.append(page, other, [told])
                links = (*links, KeyLink(index, told))
        if links != links_in(peer, page, peer.code, other):
            _save(peer, page, peer.code, other, links)


def announce_again(peer: PeerExchange, page: Page) -> None:
    """After an old copy came back: what a neighbour was told of our keys and lost with our book is told again.

    A key that nobody had heard of is announced anew by the one before it.
    """
    chain = find_chain(peer, page)
    keyring = _keyring_in(peer, page)
    own = peer.base_directory.find(peer.code)
    earlier = [] if own is None else [key.id for key in own.keys if key.id != keyring.current.public.id]
    last = link_id(chain[-1]) if chain else (earlier[-1] if earlier else None)
    if last is not None and last != keyring.current.public.id:
        old = keyring.find(last)
        known = {told.before for told in chain} | {link_id(told) for told in chain}
        if old is not None and keyring.current.public.id not in known:
            number = chain[-1].number + 1 if chain else 1
            chain.append(make_new_key(peer.identity.network, peer.code, number, old, keyring.current))
    _announce(peer, page, chain)


def find_current(peer: PeerExchange) -> Keyring:
    """Return our keyring signing with the key that our book announced last. Raises KeyMissing.

    A process that was killed between the page and the key's folder left the folder behind.
    """
    told = {link.told.number: link.told for other in peer.others for link in peer.links.get((peer.code, other), ())}
    keyring = peer.identity.keyring
    if not told:
        return keyring
    last = link_id(told[max(told)])
    known = {one.before for one in told.values()} | {link_id(one) for one in told.values()}
    return use_as_current(keyring, last) if keyring.current.public.id in known else keyring


# The neighbours' keys, and ours as they come back


def require_signer(peer: PeerExchange, page: Page, received: Received) -> None:
    """Raise BadEnvelope where a key was retired by what another envelope of this page brought."""
    if _member_in(peer, page, received.statement.sender).find_key(received.statement.key) is None:
        raise BadEnvelope(f"key {received.statement.key.hex()} is not valid", reason=UNKNOWN_KEY)


def require_announced(peer: PeerExchange, page: Page, sender: str, slips: Sequence[HouseSlip]) -> None:
    """Raise BadEnvelope where slips announce a key that nobody has to believe."""
    member = _member_in(peer, page, sender)
    for slip in slips:
        for told in slip.messages:
            if isinstance(told, NewKey):
                require_new_key(peer.identity.network, member, told)
                member = follow(member, [KeyLink(0, told)])


def _member_in(peer: PeerExchange, page: Page, sender: str) -> Member:
    return follow(peer.base_directory.require(sender), links_in(peer, page, sender, peer.code))


def note(peer: PeerExchange, page: Page, owner: str, reader: str, first: int, slips: Sequence[HouseSlip]) -> None:
    """Keep what these leaves, from index `first` on, announce."""
    fresh = [
        KeyLink(index, told)
        for index, slip in enumerate(slips, first)
        for told in slip.messages
        if isinstance(told, NewKey)
    ]
    if fresh:
        _save(peer, page, owner, reader, (*links_in(peer, page, owner, reader), *fresh))
