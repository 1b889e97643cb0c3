"""The federation's use cases: cede, recall, and take what the hub answers. Each is an operation of the accounts base.

This is the door: what each operation does stands in the part that is named for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from node.federation import (
    asking_service,
    give_back_service,
    hearing_service,
    leaving_service,
    recovery_service,
    unplaced_service,
)
from node.federation.cessions import AskCession, CessionView
from node.federation.errors import BookIsBehind
from node.federation.hearing_service import TakenReply
from node.federation.recovery import Recovery
from node.federation.room_service import Room
from node.ledger.postings import Posted
from node.ledger.service import Ledger
from protocol.book.service import Page
from protocol.directory import Directory
from protocol.envelopes import Welcome
from protocol.errors import Refusal
from protocol.exchange.service import Identity, Received
from protocol.identifiers import AccountNumber, TerritoryCode
from protocol.keys import SecretKeys


class Federation:
    """The federation room of one node. Only the book's writer thread runs its operations."""

    def __init__(
        self,
        ledger: Ledger,
        identity: Identity,
        hub: Welcome,
        *,
        entropy: Callable[[int], bytes],
        on_outgoing: Callable[[], None],
    ) -> None:
        self.room = Room(ledger, identity, hub, entropy=entropy, on_outgoing=on_outgoing)

    def load(self, connection: Connection) -> None:
        """Fold the directory that this book holds, and know whether it is an old copy."""
        self.room.load(connection)

    @property
    def identity(self) -> Identity:
        return self.room.identity

    def use_identity(self, identity: Identity) -> None:
        """Sign with other keys from now on."""
        self.room.identity = identity

    @property
    def hub(self) -> Welcome:
        return self.room.hub

    @property
    def directory(self) -> Directory:
        return self.room.directory

    @property
    def behind(self) -> BookIsBehind | None:
        """Why this book, an old copy, takes no new work."""
        return self.room.behind

    @property
    def recovery(self) -> Recovery | None:
        return self.room.recovery

    @property
    def counts(self) -> dict[str, int]:
        """What happened since the start, by its name in the figures."""
        return self.room.counts

    # Rights that leave

    def cede(self, page: Page, items: Sequence[AskCession]) -> list[CessionView | Refusal]:
        """Hand rights on. To an account of this territory it is done at once; to another it is queued, with its slip."""
        return leaving_service.cede(self.room, page, items)

    def cede_groups(self, page: Page, items: Sequence[Sequence[AskCession]]) -> list[list[CessionView | Refusal]]:
        """The same for items that are groups: one wait for a whole group, one answer for each cession in it."""
        return leaving_service.cede_groups(self.room, page, items)

    def recall(self, page: Page, items: Sequence[bytes]) -> list[CessionView | Refusal]:
        """Ask the hub to stop cessions that were not handed over. Asking twice is asking once."""
        return leaving_service.recall(self.room, page, items)

    def give_back(self, page: Page, items: Sequence[bytes]) -> list[CessionView | Refusal]:
        """Give what arrived back to its giver, the very same lots: (id of the arrival). Done twice is done once."""
        return give_back_service.give_back(self.room, page, items)

    def require_road(self, taker: TerritoryCode) -> bool:
        """Return whether the road to a territory is one to the South. Raises why none is open."""
        return self.room.require_road(taker)

    def forget(self, page: Page, items: Sequence[None]) -> list[int]:
        """Delete what we sealed beside slips that ended long ago; run again until it returns 0."""
        return leaving_service.forget(self.room, page, items)

    # What we ask of the hub, and what it answers

    def ask_statement(self, page: Page, items: Sequence[None]) -> list[int | Refusal]:
        """Ask the hub for its view of us; return where the question stands in our log."""
        return asking_service.ask_statement(self.room, page, items)

    def announce_key(self, page: Page, items: Sequence[SecretKeys]) -> list[int | Refusal]:
        """Announce new keys, signed by themselves; they are used when the directory shows them."""
        return asking_service.announce_key(self.room, page, items)

    def retire_key(self, page: Page, items: Sequence[bytes]) -> list[int | Refusal]:
        """Announce that a key signs nothing new."""
        return asking_service.retire_key(self.room, page, items)

    def take(self, page: Page, items: Sequence[Received]) -> list[TakenReply | Refusal]:
        """Apply envelopes of the hub whose signature was verified. A contradiction is kept as evidence and refused."""
        return hearing_service.take(self.room, page, items)

    def note_break(self, page: Page, place: str, expected: str, found: str) -> None:
        """Keep what does not fit."""
        self.room.note_break(page, place, expected, found)

    # An old copy, and its way back

    def begin_recovery(self, page: Page, items: Sequence[None]) -> list[Recovery | Refusal]:
        """Start bringing this old copy back to the present."""
        return recovery_service.begin(self.room, page, items)

    def settle_unplaced(self, page: Page, items: Sequence[tuple[int, AccountNumber]]) -> list[Posted | Refusal]:
        """Say from which account rights had come that an old copy of this book could not place."""
        return unplaced_service.settle_unplaced(self.room, page, items)
