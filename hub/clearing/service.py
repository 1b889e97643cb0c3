"""Taking members' envelopes, handing slips over, expiring: the use cases of the sequencer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hub.clearing import store
from hub.clearing.store import StoredSlip
from hub.directory.service import ChangeRefused, Registry
from hub.settlement import store as settlement_store
from hub.transparency.service import note
from protocol import envelopes, keys, merkle
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.canonical import decode_typed
from protocol.cession import CessionState
from protocol.clearing import LotKey, Outcome, Positions
from protocol.directory import KeyAdded, KeyRetired, Member, MemberStatus
from protocol.envelopes import CarriedSlip
from protocol.errors import BadEnvelope, NotCanonical, Refusal
from protocol.exchange import service as exchange
from protocol.exchange.service import Forked, Identity, Received
from protocol.keys import Domain
from protocol.messages import (
    COUNTERFOIL_BYTES_MAX,
    KEEP_BESIDE_MS,
    LEAF_BYTES_MAX,
    SEALED_BYTES_MAX,
    WIRE_VERSION,
    AddKey,
    Answer,
    AskStatement,
    Cede,
    Convert,
    Forward,
    HandedOver,
    Message,
    Moved,
    NetSettled,
    Netting,
    Recall,
    RetireKey,
    SealedColumn,
    Settled,
    Slip,
    Statement,
    Stopped,
    Verdict,
    decode_slip,
    encode_slip,
)
from protocol.national import (
    CessionsStopped,
    SlipKey,
    SlipsHandedOver,
    SlipTaken,
    begin_obligations,
    begin_record,
    choose_stopped,
    clear_slip,
    end_slip,
    find_cede,
    read_slip,
    settle_answer,
    settle_words,
    stop,
)
from protocol.times import Instant, day_of
from protocol.windows import name_payment, settle_payment

MALFORMED: Final = "malformed"
SEALED_PART_MISSING: Final = "sealed_part_missing"
HAND_OVER_MAX: Final = 256
EXPIRE_MAX: Final = 256
FORGET_MAX: Final = 256
STATEMENT_ROWS_MAX: Final = 4_096
# What travels beside one of our slips: far below what an envelope may weigh, since a slip is never cut in two.
BESIDE_BYTES_MAX: Final = 2 * 1024 * 1024
HAND_OVER_BYTES_MAX: Final = 4 * 1024 * 1024
PROOF_BYTES: Final = 4 * 1024  # a statement, its signature and an inclusion proof, generously
_KEY: Final = "desk"
_SLIP_MESSAGES_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an envelope: how many of its slips were new, and how much of the sender's log is now held."""

    member: str
    fresh: int
    held: int


@dataclass(slots=True)
class Desk:
    """The sequencer's working set on one page: loaded as needed, saved once when the page closes."""

    page: Page
    hub: str
    members: dict[str, Member]
    positions: Positions
    logs: dict[tuple[str, str], Log] = field(default_factory=dict)
    lot_ids: dict[LotKey, int] = field(default_factory=dict)
    loaded: set[tuple[LotKey, str]] = field(default_factory=set)
    moves: dict[tuple[LotKey, str], int] = field(default_factory=dict)
    abroad_moves: dict[str, int] = field(default_factory=dict)
    ceded_moves: dict[tuple[str, int], int] = field(default_factory=dict)
    new_lots: dict[LotKey, tuple[int, int]] = field(default_factory=dict)
    transit: dict[tuple[int, LotKey], int] = field(default_factory=dict)
    outgoing: dict[str, list[tuple[Message, int]]] = field(default_factory=dict)
    asking: set[str] = field(default_factory=set)
    awake: set[str] = field(default_factory=set)
    takers: set[str] = field(default_factory=set)  # for whom something was cleared that was not handed over

    def log(self, owner: str, reader: str) -> Log:
        found = self.logs.get((owner, reader))
        if found is None:
            found = log_store.open_log(self.page.connection, owner, reader)
            self.logs[owner, reader] = found
        return found

    def tell(self, member: str, message: Message, *, beside_bytes: int = 0) -> None:
        """Write to a member; its slip is made when the page closes. `beside_bytes` will travel with the message."""
        self.outgoing.setdefault(member, []).append((message, beside_bytes))
        self.awake.add(member)

    def load_for(self, giver: str, cedes: Iterable[Cede]) -> None:
        """Load what clearing these cessions of one giver will touch, in few statements."""
        connection = self.page.connection
        wanted = {(lot.issuer, lot.ref) for cede in cedes for lot in cede.lots}
        for key, (id_, kind, month) in store.load_lots(connection, wanted - self.lot_ids.keys()).items():
            self.lot_ids[key] = id_
            self.positions.lots[key] = (kind, month)
        foreign = {
            self.lot_ids[key]: key
            for key in wanted
            if key[0] != giver and key in self.lot_ids and (key, giver) not in self.loaded
        }
        held = store.load_positions(connection, foreign, giver)
        for lot_id, key in foreign.items():
            self.loaded.add((key, giver))
            self.positions.cents[key, giver] = held.get(lot_id, 0) + self.moves.get((key, giver), 0)
        if giver not in self.positions.abroad:
            self.positions.abroad[giver] = store.find_abroad(connection, giver) + self.abroad_moves.get(giver, 0)
        day = (giver, day_of(self.page.now))
        if day not in self.positions.ceded:
            self.positions.ceded[day] = store.find_ceded(connection, *day)

    def apply(self, slip_id: int, outcome: Outcome) -> None:
        """Keep an outcome's movements for the end of the page, and let what is loaded follow."""
        for key, cents in outcome.cents.items():
            self.moves[key] = self.moves.get(key, 0) + cents
            if key in self.loaded:
                self.positions.cents[key] += cents
        for issuer, cents in outcome.abroad.items():
            self.abroad_moves[issuer] = self.abroad_moves.get(issuer, 0) + cents
            if issuer in self.positions.abroad:
                self.positions.abroad[issuer] += cents
        for day, cents in outcome.ceded.items():
            self.ceded_moves[day] = self.ceded_moves.get(day, 0) + cents
            self.positions.ceded[day] += cents
        self.new_lots.update(outcome.lots)
        self.positions.lots.update(outcome.lots)
        for lot, cents in outcome.transit.items():  # parts of a slip may end in one page by several messages
            self.transit[slip_id, lot] = self.transit.get((slip_id, lot), 0) + cents

    def save(self) -> None:
        """Save the movements so far, so that what follows on this page is loaded with them."""
        connection = self.page.connection
        if self.new_lots:
            store.insert_lots(connection, self.new_lots)
        touched = {key for key, _ in self.moves} | {key for _, key in self.transit}
        for key, (id_, kind, month) in store.load_lots(connection, touched - self.lot_ids.keys()).items():
            self.lot_ids[key] = id_
            self.positions.lots[key] = (kind, month)
        store.move_positions(
            connection, {(self.lot_ids[key], holder): cents for (key, holder), cents in self.moves.items() if cents}
        )
        store.move_totals(connection, self.abroad_moves, self.ceded_moves)
        on_the_way = [(slip_id, self.lot_ids[key], cents) for (slip_id, key), cents in self.transit.items()]
        store.add_transit(connection, [row for row in on_the_way if row[2] > 0])
        store.take_transit(connection, [(slip_id, lot, -cents) for slip_id, lot, cents in on_the_way if cents < 0])
        self.new_lots, self.moves, self.abroad_moves, self.ceded_moves, self.transit = {}, {}, {}, {}, {}

    def close(self) -> None:
        """Save movements, then write what members must know into their logs."""
        connection = self.page.connection
        self.save()
        for member in sorted(self.asking):
            statement = self._statement(member)
            if max(len(statement.issuers), len(statement.transit)) <= STATEMENT_ROWS_MAX:
                self.tell(member, statement)
        for member, messages in self.outgoing.items():
            log_store.append_leaves(
                connection, self.log(self.hub, member), _make_leaves(member, messages, self.page.now), self.page.now
            )
        self.outgoing, self.asking = {}, set()

    def _statement(self, member: str) -> Statement:
        rows = store.load_statement(self.page.connection, member)
        return Statement(
            taken=self.log(member, self.hub).size,
            issuers=tuple(row[0] for row in rows),
            holders=tuple(row[1] for row in rows),
            cents=tuple(row[2] for row in rows),
            transit=tuple(store.load_transit(self.page.connection, member)),
        )


def _make_leaves(member: str, messages: Sequence[tuple[Message, int]], now: Instant) -> list[bytes]:
    """Return slips that hold these messages in order, each small enough to travel with what goes beside it."""
    leaves: list[bytes] = []
    part: list[Message] = []
    weight = 0
    for message, beside_bytes in messages:
        weight += beside_bytes
        if part and (len(part) == _SLIP_MESSAGES_MAX or weight > BESIDE_BYTES_MAX):
            leaves += _encode_part(member, part, now)
            part, weight = [], beside_bytes
        part.append(message)
    return leaves + _encode_part(member, part, now)


def _encode_part(member: str, part: Sequence[Message], now: Instant) -> list[bytes]:
    leaf = encode_slip(Slip(WIRE_VERSION, member, now, tuple(part)))
    if len(leaf) <= LEAF_BYTES_MAX:
        return [leaf]
    if len(part) == 1:
        raise ValueError(f"one message of {len(leaf)} bytes fits no slip")
    half = len(part) // 2
    return _encode_part(member, part[:half], now) + _encode_part(member, part[half:], now)


class Sequencer:
    """Decides the order. Only the book's writer thread runs its operations.

    `on_news` is told, after the commit, which members have something new to fetch. `is_on_line` tells whether a member
    is waiting for our answer right now: what is cleared for it is handed over in the same page.
    """

    def __init__(
        self, registry: Registry, on_news: Callable[[set[str]], None], is_on_line: Callable[[str], bool]
    ) -> None:
        self._registry = registry
        self._on_news = on_news
        self._is_on_line = is_on_line
        self.counts: dict[str, int] = {}  # what happened since start, by name: for the metrics page

    @property
    def _identity(self) -> Identity:
        return self._registry.identity

    def _count(self, name: str, more: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    def desk(self, page: Page) -> Desk:
        """Return the working set of this page; it is saved and told when the page closes."""
        desk: Desk | None = page.memo.get(_KEY)
        if desk is None:
            members = dict(self._registry.on_page(page).members)
            desk = Desk(page, self._identity.code, members, Positions(members))
            page.memo[_KEY] = desk
        desk.members.clear()  # another operation of this page may have changed the directory
        desk.members.update(self._registry.on_page(page).members)
        open_desk = desk
        page.at_close(_KEY, open_desk.close)
        page.after_commit(_KEY, lambda: self._on_news(open_desk.awake))
        return desk

    # Operations

    def take(self, page: Page, items: Sequence[Received]) -> list[Taken | Refusal]:
        """Take envelopes whose authors were verified. A fork is kept as evidence and refused."""
        results: list[Taken | Refusal] = []
        for received in items:
            try:
                results.append(self._take_one(page, received))
            except Forked as forked:
                exchange.save_evidence(page.connection, forked, page.now)
                self._count("forks")
                results.append(forked)
            except BadEnvelope as refusal:
                results.append(refusal)
        desk = self.desk(page)
        ready = [taker for taker in sorted(desk.takers) if self._is_on_line(taker)]
        desk.takers.clear()
        self.hand_over(page, ready)
        return results

    def _take_one(self, page: Page, received: Received) -> Taken:
        desk = self.desk(page)
        connection = page.connection
        statement = received.statement
        member = statement.sender
        theirs, own = desk.log(member, desk.hub), desk.log(desk.hub, member)
        directory = self._registry.on_page(page)
        before = exchange.find_head(connection, directory, member, desk.hub)
        is_stray = False
        try:
            fresh = exchange.find_new_slips(connection, theirs, received, before, page.now, may_rewind=True)
        except BadEnvelope as refusal:
            if refusal.facts.get("reason") != "wrong_epoch":
                raise
            # An old copy; or one that goes on, and something of its lost book came before its word. Nothing of it is
            # taken, but it is answered: what we hold of it is what it has to know.
            fresh, is_stray = [], True
        exchange.take_ack(connection, self._identity, own, received, page.now)
        # The head is what proves this member's slips to others: it must reach over all that we hold, and no further.
        is_whole = statement.log_size == theirs.size and not is_stray
        if fresh or (is_whole and (before is None or _tells_more(before[1], received))):
            exchange.save_head(connection, received, page.now)
        if fresh:
            if statement.epoch > theirs.epoch:
                log_store.raise_epoch(connection, theirs, statement.epoch)
                self._count("epochs_raised")
            first = log_store.append_leaves(connection, theirs, [slip.leaf for slip in fresh], page.now)
            slips = [read_slip(carried.leaf) for carried in fresh]
            desk.load_for(
                member, [cede for slip in slips if slip is not None and (cede := find_cede(slip)) is not None]
            )
            for place, (slip, carried) in enumerate(zip(slips, fresh, strict=True)):
                key = (member, theirs.epoch, first + place)
                outcome = self._take_slip(desk, member, key, slip, carried)
                cede = None if slip is None else find_cede(slip)
                if cede is not None:
                    self._keep_beside(desk, key, outcome, cede, carried)
        desk.awake.add(member)
        return Taken(member, len(fresh), theirs.size)

    # What a recovery needs of us

    def use_desk(self, page: Page, desk: Desk) -> None:
        """Work on this desk for the rest of the page."""
        page.memo[_KEY] = desk
        self.desk(page)

    def take_slip(self, desk: Desk, member: str, key: SlipKey, slip: Slip, carried: CarriedSlip) -> None:
        """Decide a slip whose leaf is stored, with what travels beside it."""
        self._take_slip(desk, member, key, slip, carried)

    def keep_cede(
        self, desk: Desk, key: SlipKey, slip: Slip, cede: Cede, outcome: Outcome, carried: CarriedSlip
    ) -> None:
        """Keep a slip of cessions with its outcome, and move the positions."""
        self._keep_cede(desk, key, slip, cede, outcome, carried)

    def act(self, desk: Desk, member: str, key: SlipKey, slip: Slip, carried: CarriedSlip) -> None:
        """Act on everything in a slip but its cessions."""
        self._act(desk, member, key, slip, carried)

    def stop(self, desk: Desk, stored: StoredSlip, places: tuple[int, ...], state: CessionState) -> None:
        """End cessions before hand-over."""
        self._stop(desk, stored, places, state)

    def _take_slip(self, desk: Desk, member: str, key: SlipKey, slip: Slip | None, carried: CarriedSlip) -> Outcome:
        cede = None if slip is None else find_cede(slip)
        outcome = Outcome()
        if slip is None:
            outcome = Outcome(slip_code=MALFORMED)
        elif cede is not None:
            if not _is_sealed_part_right(cede, carried):
                outcome = Outcome(slip_code=SEALED_PART_MISSING)
            else:
                outcome = clear_slip(desk.positions, member, slip, cede, desk.page.now)
        national = note(
            desk.page,
            desk.hub,
            SlipTaken(
                desk.page.now,
                member,
                key[1],
                key[2],
                merkle.hash_leaf(carried.leaf),
                outcome.slip_code,
                tuple(place for place, _ in outcome.refused),
                tuple(code for _, code in outcome.refused),
            ),
        )
        self._count("slips_taken")
        if slip is None or cede is not None:
            desk.tell(
                member,
                Verdict(
                    key[2],
                    national,
                    outcome.slip_code,
                    tuple(place for place, _ in outcome.refused),
                    tuple(code for _, code in outcome.refused),
                ),
            )
        if slip is None:
            self._count("slips_malformed")
            return outcome
        if cede is not None:
            self._keep_cede(desk, key, slip, cede, outcome, carried)
        self._act(desk, member, key, slip, carried)
        return outcome

    def _keep_cede(
        self, desk: Desk, key: SlipKey, slip: Slip, cede: Cede, outcome: Outcome, carried: CarriedSlip
    ) -> None:
        record = begin_record(slip.to, cede, outcome)
        stored = store.insert_slip(
            desk.page.connection,
            key,
            record,
            code=outcome.slip_code,
            term=min((term for term in cede.terms if term), default=0),
            now=desk.page.now,
        )
        store.insert_exceptions(
            desk.page.connection,
            [(stored.id, place, CessionState.REFUSED, code) for place, code in outcome.refused],
            desk.page.now,
        )
        desk.apply(stored.id, outcome)
        may_owe = begin_obligations(key, slip, cede, outcome)
        settlement_store.insert(desk.page.connection, stored.id, {place: one for (_, place), one in may_owe.items()})
        refused = cede.count if outcome.slip_code else len(outcome.refused)
        self._count("cessions_cleared", cede.count - refused)
        self._count("cessions_refused", refused)
        if record.state is CessionState.CLEARED:
            desk.awake.add(slip.to)
            desk.takers.add(slip.to)

    def _keep_beside(self, desk: Desk, key: SlipKey, outcome: Outcome, cede: Cede, carried: CarriedSlip) -> None:
        """Keep what travelled beside a slip: for its receiver, if there is anything to hand over; for its author, always."""
        log = desk.log(key[0], desk.hub)
        if not outcome.slip_code and len(outcome.refused) < cede.count:
            log_store.save_attachments(desk.page.connection, log.id, [(key[2], carried.beside[0])])
        if len(carried.beside) == 2 and len(carried.beside[1]) <= COUNTERFOIL_BYTES_MAX:
            log_store.save_counterfoils(desk.page.connection, log.id, [(key[2], carried.beside[1])])

    def _act(self, desk: Desk, member: str, key: SlipKey, slip: Slip, carried: CarriedSlip) -> None:
        """Act on everything in a slip but its cessions."""
        is_told_on = False
        for message in slip.messages:
            match message:
                case Answer():
                    is_told_on = self._take_answer(desk, member, slip.to, message) or is_told_on
                case Settled():
                    is_told_on = self._take_settled(desk, member, slip.to, message) or is_told_on
                case Netting():
                    is_told_on = self._take_netting(desk, member, slip.to, message) or is_told_on
                case NetSettled():
                    is_told_on = self._take_net_settled(desk, member, slip.to, message) or is_told_on
                case Recall():
                    self._take_recall(desk, member, message)
                case AddKey():
                    self._take_key(desk, member, message)
                case RetireKey():
                    self._attempt_change(desk, KeyRetired(member, message.key, False, 0))
                case AskStatement():
                    desk.asking.add(member)
                case Cede() | Convert():
                    pass
                case _:
                    self._count("messages_ignored")
        if is_told_on:
            desk.tell(
                slip.to,
                Forward(member, key[1], key[2], merkle.hash_leaf(carried.leaf), ()),
                beside_bytes=len(carried.leaf) + PROOF_BYTES,
            )

    def _take_answer(self, desk: Desk, taker: str, giver: str, answer: Answer) -> bool:
        connection = desk.page.connection
        stored = store.find_slip(connection, (giver, answer.epoch, answer.index))
        if stored is None or stored.record.taker != taker:
            self._count("answers_ignored")
            return False
        settled = settle_answer(stored.record, answer)
        if settled is None:
            self._count("answers_ignored")
            return False
        record, delivered, returned = settled
        cede = self._load_cede(desk, stored)
        outcome = end_slip(giver, record, cede, delivered=delivered, restored=returned)
        desk.apply(stored.id, outcome)
        stored.record = record
        store.save_state(connection, stored, desk.page.now)
        store.insert_exceptions(
            connection,
            [
                (stored.id, place, CessionState.RETURNED, code)
                for place, code in zip(answer.returned, answer.codes, strict=True)
            ],
            desk.page.now,
        )
        self._tell_issuers(desk, stored, outcome)
        self._count("cessions_delivered", len(delivered))
        self._count("cessions_returned", len(returned))
        return True

    def _take_settled(self, desk: Desk, speaker: str, reader: str, settled: Settled) -> bool:
        """Keep what a party says of the euros of conversions; True where the other party is to hear of it."""
        connection = desk.page.connection
        stored = store.find_slip(connection, (settled.giver, settled.epoch, settled.index))
        if stored is None or {speaker, reader} != {stored.origin, stored.record.taker}:
            self._count("settlements_ignored")
            return False
        changed = list(settle_words(lambda key, place: settlement_store.find(connection, key, place), speaker, settled))
        settlement_store.save_words(connection, stored.id, changed)
        self._count("settlements_told", len(changed))
        self._count("settlements_ignored", len(settled.places) - len(changed))
        return bool(changed)

    def _take_netting(self, desk: Desk, speaker: str, reader: str, netting: Netting) -> bool:
        """Keep a fund's word to another, who is to hear of it."""
        if reader in (speaker, desk.hub):
            self._count("nettings_ignored")
            return False
        settlement_store.save_netting(desk.page.connection, speaker, reader, netting)
        return reader in desk.members

    def _take_net_settled(self, desk: Desk, speaker: str, reader: str, told: NetSettled) -> bool:
        """Keep what a fund says of a payment at the end of a window; True where the other fund is to hear of it."""
        key = name_payment(speaker, reader, told)
        after = settle_payment(settlement_store.find_payment(desk.page.connection, key), speaker, told)
        if after is None:
            self._count("net_settlements_ignored")
            return False
        settlement_store.save_payment(desk.page.connection, key, after)
        return True

    def _tell_issuers(self, desk: Desk, stored: StoredSlip, outcome: Outcome) -> None:
        """Tell an issuer when rights on its lots moved between two other members."""
        giver, taker = stored.origin, stored.record.taker
        by_issuer: dict[str, list[tuple[bytes, int]]] = {}
        for (key, holder), cents in outcome.cents.items():
            if holder == taker and key[0] != giver and cents > 0:
                by_issuer.setdefault(key[0], []).append((key[1], cents))
        for issuer, rows in by_issuer.items():
            refs, amounts = zip(*rows, strict=True)
            desk.tell(issuer, Moved(giver, taker, stored.epoch, stored.index, refs, amounts))

    def _take_recall(self, desk: Desk, member: str, recall: Recall) -> None:
        stored = store.find_slip(desk.page.connection, (member, recall.epoch, recall.index))
        stopped = () if stored is None else choose_stopped(stored.record, recall.places)
        if stored is not None and stopped:
            self._stop(desk, stored, stopped, CessionState.RECALLED)
        too_late = tuple(place for place in recall.places if place not in stopped)
        desk.tell(member, Stopped(recall.index, stopped, (), too_late))
        self._count("cessions_recalled", len(stopped))

    def _stop(self, desk: Desk, stored: StoredSlip, places: tuple[int, ...], state: CessionState) -> None:
        """End cessions before hand-over; their rights go back to the giver."""
        cede = self._load_cede(desk, stored)
        outcome = end_slip(stored.origin, stored.record, cede, delivered=frozenset(), restored=frozenset(places))
        desk.apply(stored.id, outcome)
        stored.record = stop(stored.record, places, state)
        terms = [cede.terms[place] for place in stored.record.remaining if cede.terms and cede.terms[place]]
        store.save_state(desk.page.connection, stored, desk.page.now, term=min(terms, default=0))
        store.insert_exceptions(
            desk.page.connection, [(stored.id, place, state, "") for place in places], desk.page.now
        )
        is_recall = state is CessionState.RECALLED
        note(
            desk.page,
            desk.hub,
            CessionsStopped(
                desk.page.now,
                stored.origin,
                stored.epoch,
                stored.index,
                places if is_recall else (),
                () if is_recall else places,
            ),
        )

    def _load_cede(self, desk: Desk, stored: StoredSlip) -> Cede:
        leaf = log_store.load_leaf(desk.page.connection, desk.log(stored.origin, desk.hub).id, stored.index)
        cede = find_cede(decode_slip(leaf))
        assert cede is not None
        return cede

    def _take_key(self, desk: Desk, member: str, message: AddKey) -> None:
        body = message.signing + message.sealing
        if not keys.is_signed(message.signing, Domain.KEY, body, message.proof):
            self._count("keys_refused")
            return
        self._attempt_change(desk, KeyAdded(member, message.signing, message.sealing))

    def _attempt_change(self, desk: Desk, change: KeyAdded | KeyRetired) -> None:
        (result,) = self._registry.change(desk.page, [change])
        if isinstance(result, ChangeRefused | Refusal):
            self._count("keys_refused")
        else:
            desk.members[result.code] = result

    def hand_over(self, page: Page, items: Sequence[str]) -> list[int | Refusal]:
        """Write the slips that wait for each of these members into its log; return how many."""
        desk = self.desk(page)
        results: list[int | Refusal] = []
        for taker in items:
            member = desk.members.get(taker)
            if member is None or member.status is not MemberStatus.ACTIVE:
                results.append(0)
                continue
            self._expire_due(desk, taker)
            waiting = self._choose_waiting(desk, taker)
            told: dict[str, list[int]] = {}
            for stored, leaf_hash, weight in waiting:
                desk.tell(
                    taker,
                    Forward(stored.origin, stored.epoch, stored.index, leaf_hash, stored.record.skipped),
                    beside_bytes=weight,
                )
                stored.record = replace(stored.record, state=CessionState.HANDED_OVER)
                store.save_state(page.connection, stored, page.now)
                told.setdefault(stored.origin, []).append(stored.index)
            if waiting:
                note(
                    page,
                    desk.hub,
                    SlipsHandedOver(
                        page.now, taker, tuple((one.origin, one.epoch, one.index) for one, _, _ in waiting)
                    ),
                )
            for origin, indexes in told.items():
                desk.tell(origin, HandedOver(tuple(indexes)))
            self._count("slips_handed_over", len(waiting))
            results.append(len(waiting))
        return results

    def _choose_waiting(self, desk: Desk, taker: str) -> list[tuple[StoredSlip, bytes, int]]:
        """Return the oldest slips that wait for a member, with their leaf hash and the bytes they will weigh.

        What an envelope cannot carry stays where it can still be recalled; the next call brings it.
        """
        chosen: list[tuple[StoredSlip, bytes, int]] = []
        total = 0
        for stored in store.load_waiting(desk.page.connection, taker, HAND_OVER_MAX):
            leaf_hash, weight = self.weigh(desk, stored)
            total += weight
            if chosen and total > HAND_OVER_BYTES_MAX:
                break
            chosen.append((stored, leaf_hash, weight))
        return chosen

    def weigh(self, desk: Desk, stored: StoredSlip) -> tuple[bytes, int]:
        """Return the hash of a slip's leaf, and the bytes that its hand-over will weigh in an envelope."""
        log = desk.log(stored.origin, desk.hub)
        leaf = log_store.load_leaf(desk.page.connection, log.id, stored.index)
        beside = log_store.load_attachments(desk.page.connection, log.id, stored.index, 1)
        return merkle.hash_leaf(leaf), len(leaf) + sum(map(len, beside.values())) + PROOF_BYTES

    def expire(self, page: Page, items: Sequence[None]) -> list[int | Refusal]:
        """End cessions whose term has passed before hand-over; run again until it returns 0."""
        done = self._expire_due(self.desk(page), None)
        return [done if place == 0 else 0 for place in range(len(items))]

    def forget(self, page: Page, items: Sequence[None]) -> list[int | Refusal]:
        """Delete what lay beside slips that ended long ago; run again until it returns 0.

        Until then a receiver, or a giver, whose book is restored from an old copy can learn again what it lost.
        """
        ended = store.load_ended(page.connection, page.now - KEEP_BESIDE_MS, FORGET_MAX)
        desk = self.desk(page)
        for origin, index in ended:
            log = desk.log(origin, desk.hub)
            log_store.delete_attachment(page.connection, log.id, index)
            log_store.delete_counterfoil(page.connection, log.id, index)
        return [len(ended) if place == 0 else 0 for place in range(len(items))]

    def _expire_due(self, desk: Desk, taker: str | None) -> int:
        done = 0
        for stored in store.load_expiring(desk.page.connection, desk.page.now, taker, EXPIRE_MAX):
            terms = self._load_cede(desk, stored).terms
            places = tuple(place for place in sorted(stored.record.remaining) if 0 < terms[place] <= desk.page.now)
            self._stop(desk, stored, places, CessionState.EXPIRED)
            desk.tell(stored.origin, Stopped(stored.index, (), places, ()))
            done += len(places)
        self._count("cessions_expired", done)
        return done


def _tells_more(before: envelopes.HeadStatement, received: Received) -> bool:
    """Tell whether a statement is worth keeping in place of the one before: more slips, more acknowledged."""
    after = received.statement
    return (
        after.log_size > before.log_size
        or after.ack_size > before.ack_size
        or (after.checkpoint != before.checkpoint and after.log_size >= before.log_size)
    )


def _is_sealed_part_right(cede: Cede, carried: CarriedSlip) -> bool:
    if len(carried.beside) not in (1, 2) or any(len(body) > COUNTERFOIL_BYTES_MAX for body in carried.beside[1:]):
        return False
    try:
        column = decode_typed(carried.beside[0], SealedColumn, size_max=SEALED_BYTES_MAX + 64)
    except NotCanonical:
        return False
    return envelopes.hash_sealed(column.salt, column.sealed) == cede.commit


__all__ = ["Desk", "Sequencer", "Taken"]
