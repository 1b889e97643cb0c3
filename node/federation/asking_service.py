"""What we tell the hub of ourselves, and ask of it. An old copy does neither."""

from __future__ import annotations

from collections.abc import Sequence

from node.federation.room_service import Room, refused_when_behind
from protocol.book.service import Page
from protocol.errors import Refusal
from protocol.keys import Domain, SecretKeys, sign
from protocol.messages import AddKey, AskStatement, RetireKey


@refused_when_behind
def ask_statement(room: Room, page: Page, items: Sequence[None]) -> list[int | Refusal]:
    """Ask the hub for its view of us; return where the question stands in our log."""
    index = room.write_slip(page, room.hub.hub, AskStatement())
    return [index] * len(items)


@refused_when_behind
def announce_key(room: Room, page: Page, items: Sequence[SecretKeys]) -> list[int | Refusal]:
    """Announce new keys, signed by themselves; they are used when the directory shows them."""
    return [
        room.write_slip(
            page,
            room.hub.hub,
            AddKey(
                keys.public.signing,
                keys.public.sealing,
                sign(keys, Domain.KEY, keys.public.signing + keys.public.sealing),
            ),
        )
        for keys in items
    ]


@refused_when_behind
def retire_key(room: Room, page: Page, items: Sequence[bytes]) -> list[int | Refusal]:
    """Announce that a key signs nothing new."""
    return [room.write_slip(page, room.hub.hub, RetireKey(key)) for key in items]
