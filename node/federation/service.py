"""The federation's use cases: cede, recall, and take what the hub answers. Each is an operation of the accounts base."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from msgspec import structs
from sqlalchemy import Connection, Row

from node.federation import arrivals, checkpoint_service, hub_recovery_service, recovery_service, store
from node.federation.arrivals import (
    NotProven,
    arrival_op,
    begin_ops,
    foreign_op,
    open_column,
    open_forward,
    sum_draws,
    sum_places,
)
from node.federation.hub_recovery_service import HubRecovery
from node.federation.outgoing import (
    Leaving,
    derive_op,
    group_leaving,
    make_conversion_slip,
    make_counterfoil,
    make_reference,
    make_slip,
)
from node.federation.recovery import BEHIND, FACT, Recovery, RecoveryPhase
from node.federation.senders import SENDER_NUMBER, read_arrival
from node.federation.statements import OwnView, compare
from node.federation.store import SentSlip
from node.ledger.accounts import BORDER, TRANSIT, UNCLAIMED, AccountKind, abroad
from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotId, LotName
from node.ledger.naming_service import find_lot_ids, load_lot_names
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.reading_service import load_balance, load_totals
from node.ledger.service import Ledger
from protocol import clearing, merkle
from protocol.amounts import Cents, require_amount
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.canonical import decode_typed
from protocol.cession import TERMINAL, CessionState, state_of
from protocol.directory import BrokenDirectory, Directory, Member, MemberKind, MemberStatus, apply_entries, decode_entry
from protocol.envelopes import ForwardedSlip, HeadStatement, Welcome
from protocol.errors import BadEnvelope, InvalidText, InvalidTime, Malformed, NotCanonical, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.service import Forked, Identity, Received
from protocol.findings import Finding
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, format_address, parse_address, require_id
from protocol.keys import Domain, PublicKeys, SecretKeys, Unreadable, sign
from protocol.messages import (
    KEEP_BESIDE_MS,
    WIRE_VERSION,
    WORDS_MAX,
    AddKey,
    Answer,
    AskStatement,
    Cede,
    Convert,
    Forward,
    HandedOver,
    Lot,
    Message,
    Moved,
    NetSettled,
    Netting,
    Recall,
    Restored,
    RetireKey,
    Settled,
    Slip,
    Statement,
    Stopped,
    Verdict,
    WindowClosed,
    decode_slip,
    draws_of,
    encode_slip,
)
from protocol.national import DirectoryChanged, SlipKey, encode_national, find_cede, find_convert
from protocol.times import Instant, require_instant

CEDED_AT_HOME: Final = "home"
FORGET_MAX: Final = 256

# What a Forward brought: the author's proved slip and what travels with it, or why it is not proved.
Opened = tuple[ForwardedSlip, Slip] | Refusal


class CessionUnknown(Refusal):
    """Facts: id."""

    code = "cession_unknown"


class NothingToGiveBack(Refusal):
    """No such arrival, one that was not delivered here, or from an anonymous giver. Facts: id, reason."""

    code = "nothing_to_give_back"


class TooLateToRecall(Refusal):
    """Facts: id, state."""

    code = "too_late_to_recall"


class NotAMember(Refusal):
    """This node is not enrolled, not accredited, or suspended. Facts: status."""

    code = "not_a_member"


class BookIsBehind(Refusal):
    """The hub holds more of our log than we do: this book is an old copy, and takes no new work. Facts: ours, theirs."""

    code = "book_is_behind"


class Reaching(NamedTuple):
    """Rights that arrive at a project's account: under which id, by which place of the slip, of which lots, from whom."""

    place: int
    op: bytes
    number: AccountNumber
    draws: tuple[tuple[LotId, Cents], ...]
    giver: str  # an address, or empty: anonymous


class ProjectArrivals(Protocol):
    """What the room of projects says of rights that reach a project, or that come back to one. Called in the page."""

    def judge(self, page: Page, reaching: Sequence[Reaching]) -> dict[int, str]:
        """Return, by place, the code of each that its project does not take."""

    def take(self, page: Page, reached: Sequence[Reaching]) -> None:
        """Note what was credited: it is directed now."""

    def come_back(self, page: Page, ops: Sequence[bytes]) -> None:
        """Note what had been given back and is in its project's account again."""

    def give_back(self, page: Page, op: bytes) -> CessionView:
        """Give back to its giver what is directed under the id of an arrival. Raises its Refusal."""


class WindowDesk(Protocol):
    """Netting between our fund and others. Written by `windows_service`."""

    def hear(self, page: Page, speaker: str, message: Netting | NetSettled) -> None:
        """Follow another fund's word to ours."""

    def take(self, page: Page, window: WindowClosed) -> None:
        """Follow the end of a window in which our fund stands."""


class ConversionDesk(Protocol):
    """What is different where cessions convert rights into a fund's euros. Called in the page."""

    def find_own(self, page: Page, sent: SentSlip) -> Convert | None:
        """Return what makes a slip of ours one of conversions, if it is one."""

    def come_back(self, page: Page, taker: str, convert: Convert, codes: Mapping[int, str]) -> None:
        """Note what is in its project's account again, by place, and why."""

    def reach(self, page: Page, taker: str, convert: Convert, places: Sequence[int]) -> None:
        """Note what the taker's fund owes now."""

    def receive(
        self,
        page: Page,
        forward: Forward,
        forwarded: ForwardedSlip,
        convert: Convert,
        cede: Cede,
        *,
        handed_at: int,
        given: Answer | None,
    ) -> int | None:
        """Ask our fund; return our Answer's place, or None where it comes later."""

    def hear(self, page: Page, speaker: str, settled: Settled) -> None:
        """Follow what the other side tells of the euros."""

    def hear_own(self, page: Page, index: int, slip: Slip) -> None:
        """Do again what a slip of ours says that is younger than this copy of the book."""


class AskCession:
    """What a holder asks: hand rights to an account, here or far. Validated when made."""

    __slots__ = (
        *("account", "beneficiary", "cents", "draws", "giver", "is_from_project", "op", "term", "told", "words"),
        "written",
    )

    def __init__(
        self,
        *,
        op: bytes,
        account: AccountNumber,
        beneficiary: Address,
        cents: int,
        words: str = "",
        giver: str = "",
        term: int = 0,
    ) -> None:
        """`giver` is the address shown to the beneficiary (empty: anonymous); `term` 0 is none."""
        self.op: Id16 = require_id(op)
        self.account = account
        self.beneficiary = beneficiary
        self.cents: Cents = require_amount(cents)
        if len(words) > WORDS_MAX or (words and not words.isprintable()):
            raise InvalidText(field="words", reason=f"at most {WORDS_MAX} printable characters")
        self.words = words
        self.giver = giver
        self.term: Instant = require_instant(term, "term")
        self.draws: tuple[tuple[LotId, Cents], ...] | None = None  # the very lots, where they are to be given back
        self.is_from_project = False  # what a project gives back; nothing else leaves its account
        self.written = format_address(beneficiary)
        # What the caller said beside the amount, in six bytes.
        self.told = hashlib.sha256(f"{term}/{giver}/{words}".encode()).digest()[:6]

    @property
    def reference(self) -> str:
        """The content beyond account and amount, so that an id reused for another cession is seen."""
        return make_reference(self.written, self.told)


class CessionView(msgspec.Struct, frozen=True, gc=False):
    """Where a cession stands, with the instant of each step."""

    op: bytes
    account: str
    beneficiary: str
    cents: int
    state: CessionState
    code: str
    reference: str
    recall: str
    queued_at: int
    cleared_at: int | None
    handed_at: int | None
    ended_at: int | None
    national: int | None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class TakenReply:
    """What came of the hub's envelope: new slips applied, whether anything waits to be sent, and if more may follow."""

    fresh: int
    cut_short: bool


class _Road(Enum):
    """Where a cession goes: to an account of ours, to a territory, or to the South, which not every lot may reach."""

    HOME = "home"
    OPEN = "open"
    SOUTH = "south"


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
        self.ledger = ledger
        self.identity = identity
        self.hub = hub
        self.directory = Directory()
        self.entropy = entropy
        self._on_outgoing = on_outgoing
        self.counts: dict[str, int] = {}
        self.behind: BookIsBehind | None = None
        self.recovery: Recovery | None = None
        self.hub_recovery: HubRecovery | None = None  # what a restored hub lacks of what it told us
        self.given_answers: dict[SlipKey, tuple[int, Answer]] | None = None
        self.conversions: ConversionDesk | None = None  # without it, nobody's fund is asked for anything
        self.windows: WindowDesk | None = None  # without it, nobody's fund nets anything
        self.projects: ProjectArrivals | None = None  # who directs what reaches a project; without it, it is credited

    def load(self, connection: Connection) -> None:
        """Fold the directory that this book holds, and know whether it is an old copy."""
        self.directory = apply_entries(Directory(), store.load_entries(connection))
        told = store.find_fact(connection, BEHIND)
        self.behind = None if told is None else BookIsBehind(**json.loads(told))
        self.recovery = recovery_service.load_recovery(connection)
        self.hub_recovery = hub_recovery_service.load_hub_recovery(connection)

    def use_recovery(self, recovery: Recovery | None) -> None:
        """A step of the way back is durable; with the last one the book is the present again."""
        self.recovery = recovery
        if recovery is None:
            self.given_answers = self.behind = None

    def begin_recovery(self, page: Page, items: Sequence[None]) -> list[Recovery | Refusal]:
        """Start bringing this old copy back to the present."""
        return recovery_service.begin(self, page, items)

    @property
    def trusted(self) -> Directory:
        """The directory to verify the hub with: before its first entry arrived, the keys that the invitation vouched for."""
        if self.directory.size:
            return self.directory
        keys = PublicKeys(self.hub.signing, self.hub.sealing)
        member = Member(self.hub.hub, "hub", MemberKind.HUB, MemberStatus.ACTIVE, (keys,))
        return Directory(0, self.directory.head, {self.hub.hub: member})

    def use_identity(self, identity: Identity) -> None:
        """Sign with other keys from now on."""
        self.identity = identity

    def settle_unplaced(self, page: Page, items: Sequence[tuple[int, AccountNumber]]) -> list[Posted | Refusal]:
        """Say from which account rights had come that an old copy of this book could not place."""
        return recovery_service.settle_unplaced(self, page, items)

    def _count(self, name: str, more: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    # Rights that leave

    def cede(self, page: Page, items: Sequence[AskCession]) -> list[CessionView | Refusal]:
        """Hand rights on. To an account of this territory it is done at once; to another it is queued, with its slip."""
        results: list[CessionView | Refusal | None] = [None] * len(items)
        roads = {taker: self._look_down_road(taker) for taker in {item.beneficiary.territory for item in items}}
        known = self._load_known(page, items, roads)
        postings: list[Posting] = []
        places: list[int] = []
        answers: list[Posted | Refusal] = []
        for place, item in enumerate(items):
            road = roads[item.beneficiary.territory]
            try:
                draws = item.draws
                if road is not _Road.HOME and item.op not in known:
                    if isinstance(road, Refusal):
                        raise road
                    if item.term and item.term <= page.now:
                        raise InvalidTime(field="term", reason="is already past")
                    if road is _Road.SOUTH and draws is None:
                        # What fits the South is chosen from what is really left: after everything asked before it.
                        answers += self.ledger.post(page, postings[len(answers) :])
                        draws = self._choose_south_draws(page, item)
                postings.append(
                    Posting(
                        op=item.op,
                        kind=_kind_of(item, road),
                        debit=item.account,
                        credit=item.beneficiary.number if road is _Road.HOME else TRANSIT,
                        cents=item.cents,
                        draws=draws,
                        reference=item.reference,
                    )
                )
                places.append(place)
            except Refusal as refusal:
                results[place] = refusal
        answers += self.ledger.post(page, postings[len(answers) :])
        left: list[tuple[int, Posted]] = []
        repeated: list[int] = []
        for place, posting, answer in zip(places, postings, answers, strict=True):
            if isinstance(answer, Refusal):
                results[place] = answer
            elif posting.kind is PostingKind.CESSION:
                results[place] = _home_view(items[place], answer)
            elif answer.is_repeat:
                repeated.append(place)
            else:
                left.append((place, answer))
        if left:
            written = self._write_slips(page, self._name_lots(page, [(items[place], posted) for place, posted in left]))
            for place, _ in left:
                results[place] = _queued_view(items[place], written[items[place].op], page.now)
        for place in repeated:  # the first may have left in this very page: its row is there by now
            row = store.find_cession(page.connection, items[place].op)
            assert row is not None, "a cession that left has its row"
            results[place] = structs.replace(_view(row), is_repeat=True)
        return [result for result in results if result is not None]

    def cede_groups(self, page: Page, items: Sequence[Sequence[AskCession]]) -> list[list[CessionView | Refusal]]:
        """The same for items that are groups: one wait for a whole group, one answer for each cession in it."""
        answers = iter(self.cede(page, [asked for group in items for asked in group]))
        return [list(islice(answers, len(group))) for group in items]

    def _load_known(
        self, page: Page, items: Sequence[AskCession], roads: Mapping[TerritoryCode, _Road | Refusal]
    ) -> Collection[bytes]:
        """Return which of those asked left before: looked up only where the road, or a term, might refuse them now."""
        doubtful = [
            item.op for item in items if item.term or roads[item.beneficiary.territory] not in (_Road.OPEN, _Road.HOME)
        ]
        return store.load_ops(page.connection, doubtful)

    def _look_down_road(self, taker: str) -> _Road | Refusal:
        """Return what kind of road leads to a territory, or why none is open."""
        if taker == self.identity.code:
            return _Road.HOME
        if self.behind is not None:
            return self.behind
        own = self.directory.find(self.identity.code)
        if own is None or own.status is not MemberStatus.ACTIVE:
            return NotAMember(status="unknown" if own is None else str(own.status))
        try:
            member = self.directory.require_active(taker)
        except Refusal as refusal:
            return refusal
        return _Road.SOUTH if member.kind is MemberKind.SOUTH else _Road.OPEN

    def require_road(self, taker: TerritoryCode) -> bool:
        """Return whether the road to a territory is one to the South. Raises why none is open."""
        road = self._look_down_road(taker)
        if isinstance(road, Refusal):
            raise road
        return road is _Road.SOUTH

    def _name_lots(self, page: Page, left: Sequence[tuple[AskCession, Posted]]) -> list[Leaving]:
        """Return the cessions that leave, their lots as others know them."""
        names = load_lot_names(page.connection, {lot for _, posted in left for lot, _ in posted.draws})
        return [
            Leaving(
                item.op,
                item.account,
                item.beneficiary,
                item.giver,
                item.words,
                item.term,
                tuple([(names[lot], cents) for lot, cents in posted.draws]),
                item.told,
                item.written,
            )
            for item, posted in left
        ]

    def _choose_south_draws(self, page: Page, item: AskCession) -> tuple[tuple[LotId, Cents], ...]:
        """Return the oldest lots whose class may reach the South. Raises InsufficientRights."""
        self.ledger.flush(page)
        left = int(item.cents)
        draws: list[tuple[LotId, Cents]] = []
        available = 0
        for held in load_balance(page.connection, item.account).lots:
            if held.lot_class & clearing.SOUTH_FIT:
                available += held.cents
                part = min(left, held.cents)
                if part:
                    draws.append((held.lot, Cents(part)))
                    left -= part
        if left:
            raise InsufficientRights(available=available, asked=int(item.cents), missing=left)
        return tuple(draws)

    def _write_slips(self, page: Page, leaving: Sequence[Leaving]) -> dict[bytes, str]:
        """Append one slip for each receiving territory, in the transaction that debited the holders.

        Return the reference of each cession: its place in our log.
        """
        written: dict[bytes, str] = {}
        connection = page.connection
        log = log_store.open_log(connection, self.identity.code, self.hub.hub)
        for taker, rows in group_leaving(leaving):
            keys = self.directory.require(taker).keys[-1]
            made = make_slip(self.identity.code, taker, keys, rows, now=page.now, entropy=self.entropy(48))
            written.update(self._append_cessions(page, log, taker, rows, *made))
        page.after_commit("outgoing", self._on_outgoing)
        return written

    def write_conversion(self, page: Page, taker: str, leaving: Leaving, convert: Convert, order: bytes) -> None:
        """Append a slip that asks the issuer's fund for what left a project's account."""
        log = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        keys = self.directory.require(taker).keys[-1]
        made = make_conversion_slip(
            self.identity.code, taker, keys, [leaving], convert, [order], now=page.now, entropy=self.entropy(48)
        )
        self._append_cessions(page, log, taker, [leaving], *made)
        page.after_commit("outgoing", self._on_outgoing)

    def _append_cessions(
        self, page: Page, log: Log, taker: str, rows: Sequence[Leaving], leaf: bytes, sealed: bytes
    ) -> dict[bytes, str]:
        """Append a slip of cessions with what travels beside it, and keep what left; return the reference of each."""
        connection = page.connection
        index = log_store.append_leaves(connection, log, [leaf], page.now)
        log_store.save_attachments(connection, log.id, [(index, sealed)])
        kept = make_counterfoil(self.identity.keyring.current.public, rows, entropy=self.entropy(32))
        log_store.save_counterfoils(connection, log.id, [(index, kept)])
        amounts = [row.cents for row in rows]
        store.insert_sent(
            connection,
            epoch=log.epoch,
            index=index,
            taker=taker,
            count=len(rows),
            cents=sum(amounts),
            now=page.now,
        )
        store.insert_cessions(
            connection,
            [
                (row.op, log.epoch, index, place, row.account, row.written, cents, row.term, "", "")
                for place, (row, cents) in enumerate(zip(rows, amounts, strict=True))
            ],
        )
        slip = f"{log.epoch}/{index}/"
        self._count("cessions_queued", len(rows))
        return {row.op: f"{slip}{place}" for place, row in enumerate(rows)}

    def _write(self, page: Page, to: str, *messages: Message) -> int:
        """Append a slip without cessions to our log for the hub; return its index."""
        log = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        leaf = encode_slip(Slip(WIRE_VERSION, to, page.now, messages))
        page.after_commit("outgoing", self._on_outgoing)
        return log_store.append_leaves(page.connection, log, [leaf], page.now)

    # What bringing an old copy back needs of us

    def write_slip(self, page: Page, to: str, *messages: Message) -> int:
        """Append a slip without cessions to our log; return its index."""
        return self._write(page, to, *messages)

    def apply_slip(self, page: Page, hub_index: int, slip: Slip, opened: Sequence[Opened]) -> None:
        """Act on one slip of the hub."""
        self._apply(page, hub_index, slip, opened)

    def load_own_slip(self, page: Page, sent: SentSlip) -> Slip:
        """Return a slip of ours as we wrote it."""
        own = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        return decode_slip(log_store.load_leaf(page.connection, own.id, sent.index))

    def post_or_break(self, page: Page, posting: Posting) -> None:
        """Post, or say that it could not be."""
        self._post_or_break(page, posting)

    def note_break(self, page: Page, place: str, expected: str, found: str) -> None:
        """Keep what does not fit."""
        self._note_break(page, place, expected, found)

    def ensure_any_lots(self, page: Page, lots: Sequence[Lot]) -> dict[tuple[str, bytes], LotId]:
        """Return the ids here of lots, home lots that this old copy does not know among them."""
        self.ledger.adopt_lots(page, [_name(lot) for lot in lots])
        return self._ensure_lots(page, lots)[0]

    def recall(self, page: Page, items: Sequence[bytes]) -> list[CessionView | Refusal]:
        """Ask the hub to stop cessions that were not handed over. Asking twice is asking once. An old copy asks nothing."""
        if self.behind is not None:
            return [self.behind] * len(items)
        results: list[CessionView | Refusal] = []
        for op in items:
            row = store.find_cession(page.connection, op)
            if row is None:
                results.append(CessionUnknown(id=op.hex()))
                continue
            view = _view(row)
            if view.state not in (CessionState.QUEUED, CessionState.CLEARED):
                results.append(TooLateToRecall(id=op.hex(), state=str(view.state)))
                continue
            if not view.recall:
                self._write(page, self.hub.hub, Recall(row.epoch, row.ix, (row.place,)))
                store.save_recall(page.connection, row.epoch, row.ix, [row.place], "asked")
                view = structs.replace(view, recall="asked")
            results.append(view)
        return results

    def give_back(self, page: Page, items: Sequence[bytes]) -> list[CessionView | Refusal]:
        """Give what arrived back to its giver, the very same lots: (id of the arrival). Done twice is done once."""
        results: list[CessionView | Refusal] = []
        for op in items:
            try:
                if (directed := self._give_back_directed(page, op)) is not None:
                    results.append(directed)
                    continue
                results += self.cede(page, [self._ask_back(page, op)])
            except Refusal as refusal:
                results.append(refusal)
        return results

    def _give_back_directed(self, page: Page, op: bytes) -> CessionView | None:
        """Give back an arrival that is directed to a project, or None where it is at a holder's."""
        row = store.find_arrival(page.connection, op)
        if row is None or row.state != "delivered":
            return None
        number = AccountNumber(row.account)
        if self.ledger.find_projects(page, (number,), (AccountKind.SOLIDARITY,)):
            raise NothingToGiveBack(
                id=op.hex(), reason="it is a gift to solidarity: solidarity take-back gives it back"
            )
        if self.projects is None or not self.ledger.find_projects(page, (number,)):
            return None
        return self.projects.give_back(page, op)

    def _ask_back(self, page: Page, op: bytes) -> AskCession:
        """Return the cession that undoes an arrival. Raises NothingToGiveBack."""
        row = store.find_arrival(page.connection, op)
        if row is None or row.state != "delivered":
            raise NothingToGiveBack(id=op.hex(), reason="it did not arrive here")
        if not row.giver:
            raise NothingToGiveBack(id=op.hex(), reason="its giver did not say who he is")
        leaf = store.find_received_leaf(page.connection, row.origin, row.epoch, row.ix)
        cede = None if leaf is None else find_cede(decode_slip(leaf))
        assert cede is not None, "what arrived has its slip"
        draws = draws_of(cede)[row.place]
        ids, _ = self._ensure_lots(page, list({(lot.issuer, lot.ref): lot for lot, _ in draws}.values()))
        asked = AskCession(
            op=derive_op("give back", op.hex()),
            account=AccountNumber(row.account),
            beneficiary=parse_address(row.giver),
            cents=row.cents,
        )
        asked.draws = tuple((ids[key], Cents(cents)) for key, cents in sum_draws(draws).items())
        return asked

    def ask_statement(self, page: Page, items: Sequence[None]) -> list[int | Refusal]:
        """Ask the hub for its view of us; return where the question stands in our log. An old copy asks nothing."""
        if self.behind is not None:
            return [self.behind] * len(items)
        index = self._write(page, self.hub.hub, AskStatement())
        return [index] * len(items)

    def announce_key(self, page: Page, items: Sequence[SecretKeys]) -> list[int | Refusal]:
        """Announce new keys, signed by themselves; they are used when the directory shows them. An old copy waits."""
        if self.behind is not None:
            return [self.behind] * len(items)
        return [
            self._write(
                page,
                self.hub.hub,
                AddKey(
                    keys.public.signing,
                    keys.public.sealing,
                    sign(keys, Domain.KEY, keys.public.signing + keys.public.sealing),
                ),
            )
            for keys in items
        ]

    def retire_key(self, page: Page, items: Sequence[bytes]) -> list[int | Refusal]:
        """Announce that a key signs nothing new. An old copy waits."""
        if self.behind is not None:
            return [self.behind] * len(items)
        return [self._write(page, self.hub.hub, RetireKey(key)) for key in items]

    def forget(self, page: Page, items: Sequence[None]) -> list[int]:
        """Delete what we sealed beside slips that ended long ago; run again until it returns 0.

        Until then a restored hub gets it again from us, and a restored receiver from the hub.
        """
        log = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        ended = store.load_ended(page.connection, log.id, page.now - KEEP_BESIDE_MS, FORGET_MAX)
        for index in ended:
            log_store.delete_attachment(page.connection, log.id, index)
        return [len(ended) if place == 0 else 0 for place in range(len(items))]

    # What the hub answers

    def take(self, page: Page, items: Sequence[Received]) -> list[TakenReply | Refusal]:
        """Apply envelopes of the hub whose signature was verified. A contradiction is kept as evidence and refused."""
        results: list[TakenReply | Refusal] = []
        for received in items:
            try:
                results.append(self._take_one(page, received))
            except Forked as forked:
                exchange.save_evidence(page.connection, forked, page.now)
                self._count("forks")
                results.append(forked)
            except BadEnvelope as refusal:
                if refusal.facts.get("reason") == "we_are_behind":
                    self._note_behind(page, received)
                results.append(refusal)
        return results

    def _note_behind(self, page: Page, received: Received) -> None:
        own = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        self.behind = BookIsBehind(ours=own.size, theirs=received.statement.ack_size)
        store.save_fact(page.connection, BEHIND, json.dumps(self.behind.facts))

    def _take_one(self, page: Page, received: Received) -> TakenReply:
        connection = page.connection
        hub, home = self.hub.hub, self.identity.code
        if received.statement.sender != hub:  # every member is in the directory, but only the hub answers us
            raise BadEnvelope(f"written by {received.statement.sender}, not by our hub", reason="unknown_member")
        recovery: Recovery | None = page.memo.get(FACT, self.recovery)
        if recovery is not None and recovery.phase is RecoveryPhase.PULLING:
            return TakenReply(recovery_service.pull(self, page, received, recovery), True)
        theirs, own = log_store.open_log(connection, hub, home), log_store.open_log(connection, home, hub)
        if recovery is not None and not recovery.is_heard:
            recovery = recovery_service.hear(self, page, received, recovery, own)
            if recovery.phase is RecoveryPhase.PULLING:
                return TakenReply(0, True)
        if received.statement.epoch > theirs.epoch:
            hub_recovery_service.notice(self, page, received, theirs, own)
        if recovery is not None and not recovery.is_heard:
            hub_recovery_service.follow(self, page, received, theirs)
            return TakenReply(0, True)
        before = exchange.find_head(connection, self.trusted, hub, home)
        fresh = exchange.find_new_slips(connection, theirs, received, before, page.now)
        exchange.take_ack(connection, self.identity, own, received, page.now)
        checkpoint_service.require_continued(connection, received, page.now)
        directory = self._take_directory(page, received)
        slips: list[tuple[Slip, list[Opened]]] = []
        for carried in fresh:
            try:
                slip = decode_slip(carried.leaf)
            except (NotCanonical, Malformed) as error:
                raise BadEnvelope(f"the hub signed a slip that cannot be read: {error}", reason="bad_slip") from None
            forwards = [message for message in slip.messages if isinstance(message, Forward)]
            if any(directory.find(forward.origin) is None for forward in forwards):
                break  # the directory that names its author comes with the next exchange
            # A contradiction must be seen before the first leaf is written: afterwards the page is kept.
            slips.append((slip, self._open_forwards(page, received, directory, forwards, carried.beside)))
        first = log_store.append_leaves(connection, theirs, [carried.leaf for carried in fresh[: len(slips)]], page.now)
        is_recovering = recovery is not None and recovery_service.replay(self, page, received, recovery, first, slips)
        for place, (slip, opened) in enumerate(slips if recovery is None else ()):
            self._apply(page, first + place, slip, opened)
        hub_recovery_service.follow(self, page, received, theirs)
        is_whole = len(slips) == len(fresh) and received.statement.log_size == theirs.size
        if is_whole and (before is None or slips or received.statement.ack_size > before[1].ack_size):
            exchange.save_head(connection, received, page.now)
        is_lacking = page.memo.get(hub_recovery_service.FACT, self.hub_recovery) is not None
        # A directory of a whole country comes in parts: there is more while they come.
        is_growing = self.directory.size < directory.size < received.payload.directory_size
        return TakenReply(len(slips), is_recovering or is_lacking or is_growing or len(slips) < len(fresh))

    def _take_directory(self, page: Page, received: Received) -> Directory:
        """Return the directory after the envelope's entries, proved to be leaves of the national log."""
        directory: Directory = page.memo.get("directory", self.directory)
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
        hub = after.find(self.hub.hub)
        if hub is None or hub.find_any_key(PublicKeys(self.hub.signing, self.hub.sealing).id) is None:
            raise BadEnvelope(
                "the directory does not know the hub's key that we were invited with", reason="bad_directory"
            )
        own = after.find(self.identity.code)
        known = {key.id for key in (directory.members[own.code].keys if own and own.code in directory.members else ())}
        for key in own.keys if own is not None else ():
            if key.id not in known and self.identity.keyring.find(key.id) is None:
                self._note_break(page, f"directory, {self.identity.code}", "our own keys", f"key {key.id.hex()}")
        store.insert_entries(page.connection, directory.size, new)
        signed = received.statement.checkpoint
        assert signed is not None, "the proof was verified under it"
        hub_recovery_service.keep_proof(page.connection, part, signed)
        page.memo["directory"] = after
        page.after_commit("directory", lambda: setattr(self, "directory", page.memo["directory"]))
        return after

    def _open_forwards(
        self,
        page: Page,
        received: Received,
        directory: Directory,
        forwards: Sequence[Forward],
        beside: Sequence[bytes],
    ) -> list[Opened]:
        """Return what each Forward brings, proved, or why it is not. Raises Forked where histories contradict."""
        opened: list[Opened] = []
        for place, forward in enumerate(forwards):
            body = beside[place] if place < len(beside) else b""
            try:
                forwarded = decode_typed(body, ForwardedSlip, size_max=len(body))
                slip, statement = open_forward(
                    forward,
                    forwarded,
                    network=self.identity.network,
                    home=self.identity.code,
                    hub=self.hub.hub,
                    directory=directory,
                )
            except (NotCanonical, NotProven) as refusal:
                opened.append(refusal)
                continue
            checkpoint_service.require_shared(page.connection, received, forwarded, statement, directory, page.now)
            opened.append((forwarded, slip))
        return opened

    def _apply(self, page: Page, hub_index: int, slip: Slip, opened: Sequence[Opened]) -> None:
        """Act on one slip of the hub, in order."""
        brought = iter(opened)
        for number, message in enumerate(slip.messages):
            match message:
                case Verdict():
                    self._apply_verdict(page, slip, message)
                case HandedOver():
                    self._apply_handed_over(page, slip, message)
                case Stopped():
                    self._apply_stopped(page, slip, message)
                case Forward():
                    self._apply_forward(page, hub_index, message, next(brought), handed_at=slip.at)
                case Moved():
                    self._apply_moved(page, hub_index, number, message)
                case Statement():
                    self._apply_statement(page, hub_index, message)
                case WindowClosed() if self.windows is not None:
                    self.windows.take(page, message)
                case Restored():
                    self._count("hub_restored")
                case _:
                    self._count("messages_ignored")

    def _find_sent(self, page: Page, index: int) -> SentSlip | None:
        """Return our slip at this place of our log, whatever its epoch."""
        own = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        return store.find_sent_at(page.connection, own.epoch, index)

    def _apply_verdict(self, page: Page, slip: Slip, verdict: Verdict) -> None:
        sent = self._find_sent(page, verdict.index)
        if sent is None or sent.state is not CessionState.QUEUED:
            if verdict.slip_code or sent is not None:
                self._note_break(page, f"our slip {verdict.index}", "queued", "unknown or judged before")
            return
        if verdict.slip_code:
            refused = [(place, verdict.slip_code) for place in range(sent.count)]
        else:
            refused = list(zip(verdict.refused, verdict.codes, strict=True))
        self._give_back(page, sent, dict(refused))
        store.save_exceptions(page.connection, sent, refused, CessionState.REFUSED, Instant(slip.at))
        if len(refused) == sent.count:
            store.save_sent(
                page.connection,
                sent,
                CessionState.REFUSED,
                code=verdict.slip_code,
                ended_at=slip.at,
                national=verdict.national,
            )
        else:
            store.save_sent(page.connection, sent, CessionState.CLEARED, cleared_at=slip.at, national=verdict.national)
        self._count("cessions_cleared", sent.count - len(refused))
        self._count("cessions_refused", len(refused))

    def _apply_handed_over(self, page: Page, slip: Slip, message: HandedOver) -> None:
        for index in message.indexes:
            sent = self._find_sent(page, index)
            if sent is None or sent.state is not CessionState.CLEARED:
                self._note_break(page, f"our slip {index}", "cleared", "handed over by the hub")
                continue
            store.save_sent(page.connection, sent, CessionState.HANDED_OVER, handed_at=slip.at)

    def _apply_stopped(self, page: Page, slip: Slip, message: Stopped) -> None:
        sent = self._find_sent(page, message.index)
        if sent is None:
            self._note_break(page, f"our slip {message.index}", "known", "stopped by the hub")
            return
        store.save_recall(page.connection, sent.epoch, sent.index, message.too_late, "too_late")
        for places, state in (
            (message.recalled, CessionState.RECALLED),
            (message.expired, CessionState.EXPIRED),
        ):
            fitting = [place for place in places if place in sent.remaining]
            if sent.state is not CessionState.CLEARED or len(fitting) != len(places):
                if places:
                    self._note_break(page, f"our slip {message.index}", "cleared", f"{state} by the hub")
                continue
            self._give_back(page, sent, dict.fromkeys(fitting, str(state)))
            store.save_exceptions(page.connection, sent, [(place, "") for place in fitting], state, Instant(slip.at))
            sent = replace(sent, exceptions={**sent.exceptions, **dict.fromkeys(fitting, state)})
            if fitting and not sent.remaining:
                store.save_sent(page.connection, sent, state, ended_at=slip.at)
                sent = replace(sent, state=state)
            self._count(f"cessions_{state}", len(fitting))

    def _apply_forward(self, page: Page, hub_index: int, forward: Forward, opened: Opened, *, handed_at: int) -> None:
        if isinstance(opened, Refusal):
            self._count("forwards_not_proven")
            self._note_break(page, f"hub slip {hub_index}", f"a proved slip of {forward.origin}", str(opened))
            return
        forwarded, slip = opened
        cede = find_cede(slip)
        if store.is_received(page.connection, forward.origin, forward.epoch, forward.index):
            self._note_break(page, f"hub slip {hub_index}", "a slip once", f"{forward.origin}/{forward.index} again")
            return
        for message in slip.messages:
            if isinstance(message, Answer):
                self._apply_answer(page, slip, forward.origin, message)
            elif isinstance(message, Settled) and self.conversions is not None:
                self.conversions.hear(page, forward.origin, message)
            elif isinstance(message, Netting | NetSettled) and self.windows is not None:
                self.windows.hear(page, forward.origin, message)
        answer_index = None
        if cede is not None:
            answer_index = self._credit_once(page, forward, forwarded, slip, cede, handed_at=handed_at)
        store.insert_received(
            page.connection,
            origin=forward.origin,
            epoch=forward.epoch,
            index=forward.index,
            hub_index=hub_index,
            answer_index=answer_index,
            leaf=forwarded.leaf,
            statement=forwarded.statement,
            signature=forwarded.signature,
            now=page.now,
        )

    def _credit_once(
        self, page: Page, forward: Forward, forwarded: ForwardedSlip, slip: Slip, cede: Cede, *, handed_at: int
    ) -> int | None:
        """Credit a slip and answer it; where an old copy of this book answered before, exactly as it did then.

        None where a fund has to be asked first.
        """
        given = recovery_service.find_given_answer(self, page.connection, forward)
        convert = find_convert(slip)
        if convert is not None and self.conversions is not None:
            answer_index, answer = given or (None, None)
            now = self.conversions.receive(page, forward, forwarded, convert, cede, handed_at=handed_at, given=answer)
            return now if given is None else answer_index
        if given is None:
            return self._credit(page, forward, forwarded, cede, handed_at=handed_at)
        answer_index, answer = given
        recovery_service.credit_again(self, page, forward, forwarded, cede, answer, handed_at=handed_at)
        return answer_index

    def _credit(self, page: Page, forward: Forward, forwarded: ForwardedSlip, cede: Cede, *, handed_at: int) -> int:
        """Credit the beneficiaries of a slip and answer what could not be delivered; return our Answer's place."""
        origin = forward.origin
        skipped = frozenset(forward.skipped)
        wanted = [place for place in range(cede.count) if place not in skipped]
        try:
            column = open_column(cede, forwarded.sealed, origin=origin, keyring=self.identity.keyring)
        except Unreadable:
            returned = dict.fromkeys(wanted, arrivals.UNREADABLE)
        else:
            beginning = begin_ops(forward, handed_at)
            ops = {place: arrival_op(beginning, place) for place in wanted}
            sums = sum_places(cede)
            nothing = ("",) * cede.count
            givers, words = column.givers or nothing, column.words or nothing
            numbers: Sequence[str] = column.numbers
            if SENDER_NUMBER in numbers:
                numbers = self._find_senders(page, origin, numbers, words)
            returned = self._credit_places(page, forward, cede, numbers, ops, sums, givers)
            store.insert_arrivals(
                page.connection,
                [
                    (
                        op,
                        origin,
                        forward.epoch,
                        forward.index,
                        place,
                        numbers[place],
                        sum(sums[place].values()),
                        givers[place],
                        words[place],
                        "returned" if place in returned else "delivered",
                        returned.get(place, ""),
                        page.now,
                    )
                    for place, op in ops.items()
                ],
            )
        places = tuple(sorted(returned))
        answer = Answer(
            forward.epoch,
            forward.index,
            forward.skipped,
            places,
            tuple(returned[place][:48] for place in places),
        )
        index = self._write(page, origin, answer)
        self._count("arrivals_delivered", len(wanted) - len(returned))
        self._count("arrivals_returned", len(returned))
        return index

    def _credit_places(
        self,
        page: Page,
        forward: Forward,
        cede: Cede,
        numbers: Sequence[str],
        ops: Mapping[int, bytes],
        sums: Sequence[Mapping[int, int]],
        givers: Sequence[str],
    ) -> dict[int, str]:
        """Post each cession of `ops`, home lots and others apart; return those that failed, by place, with the code."""
        # Only what the hub cleared: a lot that is listed and not drawn may be a lie about another issuer's.
        drawn = sorted({lot for place in ops for lot in sums[place]})
        found = self.ledger.ensure_lots(page, [_name(cede.lots[lot]) for lot in drawn])
        ids = {lot: id_ for lot, id_ in zip(drawn, found, strict=True) if not isinstance(id_, Refusal)}
        faults = {lot: fault.code for lot, fault in zip(drawn, found, strict=True) if isinstance(fault, Refusal)}
        returned: dict[int, str] = {}
        if faults:
            returned = {
                place: next(faults[lot] for lot in sums[place] if lot in faults)
                for place in ops
                if not faults.keys().isdisjoint(sums[place])
            }
        reaching: list[Reaching] = []
        if self.projects is not None:
            wanted = [place for place in ops if place not in returned]
            reaching = self._find_reaching(page, wanted, ops, numbers, sums, ids, givers)
            if reaching:
                returned.update(self.projects.judge(page, reaching))
        origin = f"from {forward.origin}/{forward.epoch}/{forward.index}/"
        for is_home, source in ((True, abroad(TerritoryCode(forward.origin))), (False, BORDER)):
            side = {lot: id_ for lot, id_ in ids.items() if (cede.lots[lot].issuer == self.identity.code) == is_home}
            places: list[int] = []
            postings: list[Posting] = []
            for place, op in ops.items() if side else ():
                part = tuple([(side[lot], Cents(cents)) for lot, cents in sums[place].items() if lot in side])
                if part and place not in returned:
                    places.append(place)
                    postings.append(
                        Posting(
                            op=Id16(op if is_home else foreign_op(op)),
                            kind=PostingKind.CEDE_IN,
                            debit=source,
                            credit=AccountNumber(numbers[place]),
                            cents=Cents(sum([cents for _, cents in part])),
                            draws=part,
                            reference=f"{origin}{place}",
                        )
                    )
            for place, answer in zip(places, self.ledger.post(page, postings), strict=True):
                if isinstance(answer, Refusal):
                    returned[place] = answer.code
        if reaching and self.projects is not None:
            self.projects.take(page, [one for one in reaching if one.place not in returned])
        return returned

    def _find_reaching(
        self,
        page: Page,
        places: Sequence[int],
        ops: Mapping[int, bytes],
        numbers: Sequence[str],
        sums: Sequence[Mapping[int, int]],
        ids: Mapping[int, LotId],
        givers: Sequence[str],
    ) -> list[Reaching]:
        """Return the arrivals among these that are for accounts of projects: the accounts are laid out to be credited anyway."""
        projects = self.ledger.find_projects(page, {AccountNumber(numbers[place]) for place in places})
        return [
            Reaching(
                place,
                ops[place],
                AccountNumber(numbers[place]),
                tuple([(ids[lot], Cents(cents)) for lot, cents in sums[place].items()]),
                givers[place],
            )
            for place in (places if projects else ())
            if numbers[place] in projects
        ]

    def _find_senders(self, page: Page, origin: str, numbers: Sequence[str], words: Sequence[str]) -> list[str]:
        """Return the numbers with those found that mean 'who sent you this'; one that names no cession of ours stays."""
        found = list(numbers)
        for place, number in enumerate(numbers):
            named = read_arrival(words[place]) if number == SENDER_NUMBER else None
            if named is None:
                continue
            epoch, index, at = named
            sent = store.find_sent(page.connection, epoch, index)
            if sent is None or sent.taker != origin or sent.state is not CessionState.DELIVERED:
                continue
            owner = store.load_cession_places(page.connection, epoch, index).get(at) if at in sent.remaining else None
            found[place] = owner[1] if owner is not None and owner[1] else number
        return found

    def _ensure_lots(
        self, page: Page, lots: Sequence[Lot]
    ) -> tuple[dict[tuple[str, bytes], LotId], dict[tuple[str, bytes], str]]:
        names = [_name(lot) for lot in lots]
        ids: dict[tuple[str, bytes], LotId] = {}
        faults: dict[tuple[str, bytes], str] = {}
        for lot, found in zip(lots, self.ledger.ensure_lots(page, names), strict=True):
            if isinstance(found, Refusal):
                faults[lot.issuer, lot.ref] = found.code
            else:
                ids[lot.issuer, lot.ref] = found
        return ids, faults

    def _apply_answer(self, page: Page, slip: Slip, taker: str, answer: Answer) -> None:
        """The receiver's own signed word on a slip of ours: rights arrived there, or came back."""
        sent = store.find_sent(page.connection, answer.epoch, answer.index)
        if sent is None or sent.taker != taker or sent.state is not CessionState.HANDED_OVER:
            self._note_break(page, f"our slip {answer.index}", "handed over", f"answered by {taker}")
            return
        if answer.skipped != tuple(sorted(sent.exceptions)) or not set(answer.returned) <= sent.remaining:
            self._note_break(
                page,
                f"our slip {answer.index}",
                f"skipped {sorted(sent.exceptions)}",
                f"{taker} was told to skip {list(answer.skipped)}, returned {list(answer.returned)}",
            )
            return
        returned = dict(zip(answer.returned, answer.codes, strict=True))
        delivered = sent.remaining - returned.keys()
        cede = self._load_own_cede(page, sent)
        ids, _ = self._ensure_lots(page, cede.lots)
        totals = clearing.sum_by_lot(cede, delivered)
        for is_home, credit in ((True, abroad(TerritoryCode(taker))), (False, BORDER)):
            part = tuple(
                (ids[key], Cents(cents)) for key, cents in totals.items() if (key[0] == self.identity.code) == is_home
            )
            if part:
                self._post_or_break(
                    page,
                    Posting(
                        op=Id16(derive_op("delivered", sent.epoch, sent.index, int(is_home))),
                        kind=PostingKind.DELIVERED,
                        debit=TRANSIT,
                        credit=credit,
                        cents=Cents(sum(cents for _, cents in part)),
                        draws=part,
                        reference=f"slip {sent.epoch}/{sent.index} to {taker}",
                    ),
                )
        self._give_back(page, sent, dict(sorted(returned.items())))
        self._reach(page, sent, cede, delivered)
        store.save_exceptions(page.connection, sent, returned.items(), CessionState.RETURNED, Instant(slip.at))
        state = CessionState.DELIVERED if delivered else CessionState.RETURNED
        store.save_sent(page.connection, sent, state, ended_at=slip.at)
        self._count("cessions_delivered", len(delivered))
        self._count("cessions_returned", len(returned))

    def _apply_moved(self, page: Page, hub_index: int, number: int, moved: Moved) -> None:
        """Rights on our lots moved between two other members."""
        names = [(self.identity.code, ref) for ref in moved.refs]
        ids = find_lot_ids(page.connection, names)
        if len(ids) != len(names):
            self._note_break(page, f"hub slip {hub_index}", "lots of ours", "a lot we never issued")
            return
        draws = tuple((LotId(ids[name]), Cents(cents)) for name, cents in zip(names, moved.cents, strict=True))
        self._post_or_break(
            page,
            Posting(
                op=Id16(derive_op("moved", hub_index, number)),
                kind=PostingKind.MOVED,
                debit=abroad(TerritoryCode(moved.giver)),
                credit=abroad(TerritoryCode(moved.taker)),
                cents=Cents(sum(moved.cents)),
                draws=draws,
                reference=f"hub slip {hub_index}",
            ),
        )

    def _apply_statement(self, page: Page, hub_index: int, statement: Statement) -> None:
        """Compare the hub's view with ours, here and now: both speak of this very point."""
        self.ledger.flush(page)
        own = self._own_view(page, statement.taken)
        found = compare(statement, own)
        store.insert_reconciliation(
            page.connection, hub_index=hub_index, taken=statement.taken, now=page.now, rows=found
        )
        self._count("statements_compared")

    def _own_view(self, page: Page, taken: int) -> OwnView:
        connection, home = page.connection, self.identity.code
        totals = load_totals(connection, TerritoryCode(home))
        foreign: dict[str, int] = {}
        for rows in (totals.foreign_held, totals.foreign_in_transit, totals.foreign_unclaimed):
            for row in rows:
                foreign[row.territory] = foreign.get(row.territory, 0) + row.cents
        for issuer, cents in recovery_service.sum_unplaced(connection).items():
            if issuer != home:
                foreign[issuer] = foreign.get(issuer, 0) - cents
        early: dict[tuple[str, str], int] = {}
        for origin, epoch, index, leaf in store.load_unanswered(connection, taken):
            cede = find_cede(decode_slip(leaf))
            assert cede is not None
            places = store.load_delivered_places(connection, origin, epoch, index)
            for (issuer, _), cents in clearing.sum_by_lot(cede, places).items():
                early[issuer, origin] = early.get((issuer, origin), 0) + cents
        late = 0
        for sent in store.load_unfinished(connection, taken):
            cede = self._load_own_cede(page, sent)
            late += sum(
                cents for (issuer, _), cents in clearing.sum_by_lot(cede, range(cede.count)).items() if issuer == home
            )
        return OwnView(
            home=home,
            foreign=foreign,
            abroad={row.territory: row.cents for row in totals.abroad},
            transit=totals.home_in_transit,
            early=early,
            late=late,
        )

    def _reach(self, page: Page, sent: SentSlip, cede: Cede, places: Collection[int]) -> None:
        """Where a slip converts, its rounds hear what is owed now. Only lots of the taker are ever converted."""
        if self.conversions is None or any(lot.issuer != sent.taker for lot in cede.lots):
            return
        if (convert := self.conversions.find_own(page, sent)) is not None:
            self.conversions.reach(page, sent.taker, convert, sorted(places))

    def _give_back(self, page: Page, sent: SentSlip, places: Mapping[int, str]) -> None:
        """Return rights on the way to the accounts they came from, the same lots to the cent. Places with their codes."""
        if not places:
            return
        cede = self._load_own_cede(page, sent)
        draws = draws_of(cede)
        ids, _ = self._ensure_lots(page, cede.lots)
        owners = store.load_cession_places(page.connection, sent.epoch, sent.index)
        for place in places:
            _, account, cents = owners[place]
            part = tuple((ids[key], Cents(amount)) for key, amount in sum_draws(draws[place]).items())
            self._post_or_break(
                page,
                Posting(
                    op=Id16(derive_op("returned", sent.epoch, sent.index, place)),
                    kind=PostingKind.RETURNED,
                    debit=TRANSIT,
                    credit=AccountNumber(account) if account else UNCLAIMED,
                    cents=Cents(cents),
                    draws=part,
                    reference=f"slip {sent.epoch}/{sent.index}/{place}",
                ),
            )
        if self.conversions is not None and (convert := self.conversions.find_own(page, sent)) is not None:
            self.conversions.come_back(page, sent.taker, convert, places)
        elif self.projects is not None:
            accounts = {AccountNumber(owners[place][1]) for place in places if owners[place][1]}
            if again := self.ledger.find_projects(page, accounts):
                self.projects.come_back(page, [owners[place][0] for place in places if owners[place][1] in again])

    def _post_or_break(self, page: Page, posting: Posting) -> None:
        """Post what the hub's log decided; where our book cannot follow, the books part here, and it is said."""
        (answer,) = self.ledger.post(page, [posting])
        if isinstance(answer, Refusal):
            self._note_break(page, posting.reference, f"{posting.kind} of {posting.cents} cents", str(answer))

    def _note_break(self, page: Page, place: str, expected: str, found: str) -> None:
        self._count("breaks")
        store.save_break(page.connection, page.now, place=place, expected=expected, found=found)

    def _load_own_cede(self, page: Page, sent: SentSlip) -> Cede:
        log = log_store.open_log(page.connection, self.identity.code, self.hub.hub)
        cede = find_cede(decode_slip(log_store.load_leaf(page.connection, log.id, sent.index)))
        assert cede is not None
        return cede


def _name(lot: Lot) -> LotName:
    return LotName(TerritoryCode(lot.issuer), lot.ref, lot.kind, lot.month)


def _kind_of(item: AskCession, road: _Road | Refusal) -> PostingKind:
    if item.is_from_project:
        return PostingKind.GIVEN_BACK
    return PostingKind.CESSION if road is _Road.HOME else PostingKind.CEDE_OUT


def _home_view(item: AskCession, posted: Posted) -> CessionView:
    return CessionView(
        op=item.op,
        account=item.account,
        beneficiary=item.written,
        cents=item.cents,
        state=CessionState.DELIVERED,
        code="",
        reference=CEDED_AT_HOME,
        recall="",
        queued_at=posted.at,
        cleared_at=posted.at,
        handed_at=posted.at,
        ended_at=posted.at,
        national=None,
        is_repeat=posted.is_repeat,
    )


def _queued_view(item: AskCession, reference: str, now: Instant) -> CessionView:
    return CessionView(
        op=item.op,
        account=item.account,
        beneficiary=item.written,
        cents=int(item.cents),
        state=CessionState.QUEUED,
        code="",
        reference=reference,
        recall="",
        queued_at=now,
        cleared_at=None,
        handed_at=None,
        ended_at=None,
        national=None,
    )


def _view(row: Row[Any]) -> CessionView:
    exception = None if row.exception is None else CessionState(row.exception)
    state = state_of(CessionState(row.state), exception)
    has_ended = state in TERMINAL
    return CessionView(
        op=bytes(row.op),
        account=row.account,
        beneficiary=row.beneficiary,
        cents=row.cents,
        state=state,
        code=row.code or (row.slip_code if state is CessionState.REFUSED else ""),
        reference=f"{row.epoch}/{row.ix}/{row.place}",
        recall=row.recall,
        queued_at=row.queued_at,
        cleared_at=None if state is CessionState.REFUSED else row.cleared_at,
        handed_at=row.handed_at if state not in (CessionState.RECALLED, CessionState.EXPIRED) else None,
        ended_at=(row.exception_at if exception is not None else row.ended_at) if has_ended else None,
        national=row.national,
    )


def load_cession(connection: Connection, op: bytes) -> CessionView:
    """Return where a cession stands. Raises CessionUnknown."""
    row = store.find_cession(connection, op)
    if row is None:
        raise CessionUnknown(id=op.hex())
    return _view(row)


def load_cessions(
    connection: Connection, *, account: str | None = None, before: int | None = None, limit: int = 50
) -> tuple[list[CessionView], int | None]:
    """Return cessions sent, the newest first, and the cursor for older ones."""
    rows = store.load_cessions(connection, account=account, before=before, limit=limit)
    cursor = rows[-1].id if len(rows) == limit else None
    return [_view(row) for row in rows], cursor


def load_findings(connection: Connection) -> list[Finding]:
    """Return what the hub told that does not fit our book."""
    return [Finding("I4", row.place, row.expected, row.found) for row in store.load_breaks(connection)]


def find_last_statement(head: HeadStatement) -> int:
    """Return how much of our log the hub said it holds."""
    return head.ack_size
