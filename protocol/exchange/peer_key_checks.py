"""Keys of a house against its logs: each change was announced by the key before it, in the leaf that the book names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.directory import Directory
from protocol.errors import NotCanonical
from protocol.exchange.peer_keys import KeyLink, is_new_key_signed
from protocol.exchange.peer_keys_store import load_links
from protocol.findings import Checked, Finding
from protocol.house import NewKey, decode_house_slip
from protocol.keys import PublicKeys

INVARIANT: Final = "I7"
RULE: Final = "each key of the house was announced by the one before it"
_CHUNK: Final = 512
_HEAD: Final = b"\x97\x50"  # how a NewKey begins on the wire: only leaves that hold it are read


def check_keys(connection: Connection, directory: Directory, network: str) -> list[Checked]:
    """Hold what a book keeps of its house's keys against the leaves. `directory`: the keys that persons entered."""
    findings: list[Finding] = []
    kept = load_links(connection)
    count = 0
    for log in log_store.load_logs(connection):
        if log.owner not in directory.members or log.reader not in directory.members:
            continue
        place = f"log {log.owner} to {log.reader}"
        links = tuple(_read_links(connection, log))
        count += len(links)
        if links != kept.get((log.owner, log.reader), ()):
            names = ", ".join(f"{link.told.number} at {link.index}" for link in links) or "none"
            findings.append(Finding(INVARIANT, f"{place}, keys", names, "others are kept"))
        findings += _check_chain(directory, network, log, links, place)[:1]
    return [Checked(INVARIANT, RULE, count, tuple(findings))]


def _read_links(connection: Connection, log: Log) -> Iterator[KeyLink]:
    for start in range(0, log.size, _CHUNK):
        for index, leaf in enumerate(log_store.load_leaves(connection, log.id, start, _CHUNK), start):
            if _HEAD not in leaf:
                continue
            try:
                messages = decode_house_slip(leaf).messages
            except NotCanonical:
                continue  # the log's own check names it
            for message in messages:
                if isinstance(message, NewKey):
                    yield KeyLink(index, message)


def _check_chain(directory: Directory, network: str, log: Log, links: tuple[KeyLink, ...], place: str) -> list[Finding]:
    member = directory.require(log.owner)
    known: dict[bytes, PublicKeys] = {key.id: key for key in (*member.keys, *member.retired)}
    entered = set(known)
    found = []
    for link in links:
        old = known.get(link.told.before)
        is_entered = (
            old is None and link.keys.id in entered
        )  # a person entered the new card, and never knew the old key
        if not is_entered and (old is None or not is_new_key_signed(network, log.owner, link.told, old)):
            found.append(Finding(INVARIANT, f"{place}, leaf {link.index}", "the old key's signature", "none that fits"))
        known[link.keys.id] = link.keys
    return found
