"""What every part of the federation room stands on: who we are, whom we know, our log for the hub, and what does not fit.

One `Room` belongs to one open book. What it holds in memory is read from the book again at each start (`load`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum
from functools import wraps
from typing import TypeVar

from sqlalchemy import Connection

from node.federation import store
from node.federation.errors import BookIsBehind, NotAMember
from node.federation.hub_recovery import HubRecovery
from node.federation.neighbours import ComeBack, ConversionDesk, ProjectArrivals, WindowDesk
from node.federation.recovery import BEHIND, Recovery
from node.federation.store import SentSlip
from node.ledger.lots import LotId, LotName
from node.ledger.postings import Posting
from node.ledger.service import Ledger
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.directory import Directory, Member, MemberKind, MemberStatus, apply_entries
from protocol.envelopes import Welcome
from protocol.errors import Refusal
from protocol.exchange.service import Identity
from protocol.identifiers import TerritoryCode
from protocol.keys import PublicKeys
from protocol.messages import WIRE_VERSION, Answer, Cede, Lot, Message, Slip, decode_slip, encode_slip
from protocol.national import SlipKey, find_cede

Item = TypeVar("Item")
Result = TypeVar("Result")
Operation = Callable[["Room", Page, Sequence[Item]], list[Result | Refusal]]


class Road(Enum):
    """Where a cession goes: to an account of ours, to a territory, or to the South, which not every lot may reach."""

    HOME = "home"
    OPEN = "open"
    SOUTH = "south"


class Room:
    """The federation as its parts see it. Only the book's writer thread writes with it."""

    def __init__(
        self,
        ledger: Ledger,
        identity: Identity,
        hub: Welcome,
        *,
        entropy: Callable[[int], bytes],
        on_outgoing: Callable[[], None],
    ) -> None:
        self.ledger = ledger
        self.identity = identity
        self.hub = hub
        self.directory = Directory()
        self.entropy = entropy
        self.on_outgoing = on_outgoing
        self.counts: dict[str, int] = {}
        self.behind: BookIsBehind | None = None
        self.recovery: Recovery | None = None
        self.hub_recovery: HubRecovery | None = None  # what a restored hub lacks of what it told us
        self.given_answers: dict[SlipKey, tuple[int, Answer]] | None = None
        self.conversions: ConversionDesk | None = None  # without it, nobody's fund is asked for anything
        self.windows: WindowDesk | None = None  # without it, nobody's fund nets anything
        self.come_back: ComeBack | None = None  # who else has something to do when an old copy comes back
        self.projects: ProjectArrivals | None = None  # who directs what reaches a project; without it, it is credited

    def load(self, connection: Connection) -> None:
        """Fold the directory that this book holds, and know whether it is an old copy."""
        self.directory = apply_entries(Directory(), store.load_entries(connection))
        told = store.find_fact(connection, BEHIND)
        self.behind = None if told is None else BookIsBehind(**json.loads(told))
        self.recovery = store.find_recovery(connection)
        self.hub_recovery = store.find_hub_recovery(connection)

    def use_recovery(self, recovery: Recovery | None) -> None:
        """A step of the way back is durable; with the last one the book is the present again."""
        self.recovery = recovery
        if recovery is None:
            self.given_answers = self.behind = None

    @property
    def trusted(self) -> Directory:
        """The directory to verify the hub with: before its first entry arrived, the keys that the invitation vouched for."""
        if self.directory.size:
            return self.directory
        keys = PublicKeys(self.hub.signing, self.hub.sealing)
        member = Member(self.hub.hub, "hub", MemberKind.HUB, MemberStatus.ACTIVE, (keys,))
        return Directory(0, self.directory.head, {self.hub.hub: member})

    def look_down_road(self, taker: str) -> Road | Refusal:
        """Return what kind of road leads to a territory, or why none is open."""
        if taker == self.identity.code:
            return Road.HOME
        if self.behind is not None:
            return self.behind
        own = self.directory.find(self.identity.code)
        if own is None or own.status is not MemberStatus.ACTIVE:
            return NotAMember(status="unknown" if own is None else str(own.status))
        try:
            member = self.directory.require_active(taker)
        except Refusal as refusal:
            return refusal
        return Road.SOUTH if member.kind is MemberKind.SOUTH else Road.OPEN

    def require_road(self, taker: TerritoryCode) -> bool:
        """Return whether the road to a territory is one to the South. Raises why none is open."""
        road = self.look_down_road(taker)
        if isinstance(road, Refusal):
            raise road
        return road is Road.SOUTH

    # Our log for the hub

    def open_own_log(self, connection: Connection) -> Log:
        """Return our log for the hub, to be appended to."""
        return log_store.open_log(connection, self.identity.code, self.hub.hub)

    def write_slip(self, page: Page, to: str, *messages: Message) -> int:
        """Append a slip without cessions to our log; return its index."""
        leaf = encode_slip(Slip(WIRE_VERSION, to, page.now, messages))
        page.after_commit("outgoing", self.on_outgoing)
        return log_store.append_leaves(page.connection, self.open_own_log(page.connection), [leaf], page.now)

    def load_own_slip(self, page: Page, sent: SentSlip) -> Slip:
        """Return a slip of ours as we wrote it."""
        own = self.open_own_log(page.connection)
        return decode_slip(log_store.load_leaf(page.connection, own.id, sent.index))

    def load_own_cede(self, page: Page, sent: SentSlip) -> Cede:
        """Return what a slip of ours ceded."""
        cede = find_cede(self.load_own_slip(page, sent))
        assert cede is not None, "what is kept as sent cedes"
        return cede

    # The lots of others, and what does not fit

    def ensure_lots(
        self, page: Page, lots: Sequence[Lot]
    ) -> tuple[dict[tuple[str, bytes], LotId], dict[tuple[str, bytes], str]]:
        """Return the ids here of lots, new ones among them, and the codes of those that cannot be."""
        ids: dict[tuple[str, bytes], LotId] = {}
        faults: dict[tuple[str, bytes], str] = {}
        for lot, found in zip(lots, self.ledger.ensure_lots(page, [name_of(lot) for lot in lots]), strict=True):
            if isinstance(found, Refusal):
                faults[lot.issuer, lot.ref] = found.code
            else:
                ids[lot.issuer, lot.ref] = found
        return ids, faults

    def ensure_any_lots(self, page: Page, lots: Sequence[Lot]) -> dict[tuple[str, bytes], LotId]:
        """Return the ids here of lots, home lots that this old copy does not know among them."""
        self.ledger.adopt_lots(page, [name_of(lot) for lot in lots])
        return self.ensure_lots(page, lots)[0]

    def post_or_break(self, page: Page, posting: Posting) -> None:
        """Post what the hub's log decided; where our book cannot follow, the books part here, and it is said."""
        (answer,) = self.ledger.post(page, [posting])
        if isinstance(answer, Refusal):
            self.note_break(page, posting.reference, f"{posting.kind} of {posting.cents} cents", str(answer))

    def note_break(self, page: Page, place: str, expected: str, found: str) -> None:
        """Keep what does not fit."""
        self.count("breaks")
        store.save_break(page.connection, page.now, place=place, expected=expected, found=found)

    def count(self, name: str, more: int = 1) -> None:
        """Add to what the operator's figures show."""
        self.counts[name] = self.counts.get(name, 0) + more


def refused_when_behind(operation: Operation[Item, Result]) -> Operation[Item, Result]:
    """Give an operation the rule that an old copy writes nothing: it refuses each item, until it is the present again."""

    @wraps(operation)
    def run(room: Room, page: Page, items: Sequence[Item]) -> list[Result | Refusal]:
        if room.behind is not None:
            return [room.behind] * len(items)
        return operation(room, page, items)

    return run


def name_of(lot: Lot) -> LotName:
    """Return a lot's name, as the ledger keeps it."""
    return LotName(TerritoryCode(lot.issuer), lot.ref, lot.kind, lot.month)
