"""The directory as the hub tells it: believed as far as it is proved to be in the national log."""

from __future__ import annotations

from node.federation import checkpoint_service, hub_recovery_service, store
from node.federation.room_service import Room
from protocol import merkle
from protocol.book.service import Page
from protocol.directory import BrokenDirectory, Directory, apply_entries, decode_entry
from protocol.errors import BadEnvelope, NotCanonical
from protocol.exchange.service import Received
from protocol.keys import PublicKeys
from protocol.national import DirectoryChanged, encode_national


def take_directory(room: Room, page: Page, received: Received) -> Directory:
    """Return the directory after the envelope's entries, proved to be leaves of the national log."""
    directory: Directory = page.memo.get("directory", room.directory)
    part = received.payload.directory
    if part is None or part.start > directory.size or part.start + len(part.entries) <= directory.size:
        return directory
    checkpoint = checkpoint_service.open_hub_checkpoint(received)
    new = part.entries[directory.size - part.start :]
    try:
        after = apply_entries(directory, new)
        last = decode_entry(new[-1])
    except (BrokenDirectory, NotCanonical) as error:
        raise BadEnvelope(f"directory: {error}", reason="bad_directory") from None
    leaf = encode_national(DirectoryChanged(last.at, new[-1]))
    if checkpoint is None or not merkle.verify_inclusion(
        merkle.hash_leaf(leaf), part.index, checkpoint.size, list(part.proof), checkpoint.root
    ):
        raise BadEnvelope("the directory is not in the national log", reason="bad_directory")
    hub = after.find(room.hub.hub)
    if hub is None or hub.find_any_key(PublicKeys(room.hub.signing, room.hub.sealing).id) is None:
        raise BadEnvelope("the directory does not know the hub's key that we were invited with", reason="bad_directory")
    own = after.find(room.identity.code)
    known = {key.id for key in (directory.members[own.code].keys if own and own.code in directory.members else ())}
    for key in own.keys if own is not None else ():
        if key.id not in known and room.identity.keyring.find(key.id) is None:
            room.note_break(page, f"directory, {room.identity.code}", "our own keys", f"key {key.id.hex()}")
    store.insert_entries(page.connection, directory.size, new)
    signed = received.statement.checkpoint
    assert signed is not None, "the proof was verified under it"
    hub_recovery_service.keep_proof(page.connection, part, signed)
    page.memo["directory"] = after
    page.after_commit("directory", lambda: setattr(room, "directory", page.memo["directory"]))
    return after
