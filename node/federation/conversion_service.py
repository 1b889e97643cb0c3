"""Conversions between territories: what our projects ask of the funds of others, and what others ask of ours.

On the wire a conversion is a cession to the issuer of its lots (SPEC.md, "Conversion"), so it is written, handed over,
delivered or returned by the federation like any other. Here is what is different: it leaves a project's account, its
receiver is a fund, the answer waits for that fund's word, and afterwards both sides tell each other where the euros are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from msgspec import structs
from sqlalchemy import Connection

from node.federation import conversions_store, leaving_service, store
from node.federation.arrivals import UNREADABLE, arrival_op, begin_ops, open_orders, sum_places
from node.federation.conversions_store import Asked
from node.federation.outgoing import Leaving, derive_op, make_reference
from node.federation.room_service import Room
from node.federation.store import SentSlip
from node.ledger.accounts import CONVERTED, TRANSIT, abroad
from node.ledger.draws import Draws
from node.ledger.lots import LotId
from node.ledger.naming_service import find_lot_ids, load_lot_names
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.book import log_store
from protocol.book.worker import Page
from protocol.envelopes import ForwardedSlip
from protocol.errors import Refusal
from protocol.house import (
    BaseName,
    Due,
    DueConfirmed,
    DueSettled,
    DueState,
    DueTaken,
    HouseMessage,
    Refused,
    make_due_id,
)
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, format_address
from protocol.keys import Unreadable
from protocol.messages import Answer, Cede, Convert, Forward, Settled, SettledState, Slip, decode_slip
from protocol.national import SlipKey, find_cede, find_convert, read_slip, sum_cessions
from protocol.times import Instant

NO_FUND: Final = "no_fund"
LOT_UNKNOWN: Final = "lot_unknown"
ID_MISMATCH: Final = "id_mismatch"
_LEAVES_AT_ONCE: Final = 512
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]


class Numbered(Protocol):
    """A project as far as a conversion needs it."""

    @property
    def op(self) -> bytes: ...
    @property
    def number(self) -> AccountNumber: ...


class Rounds(Protocol):
    """The room of projects, whose rounds hear what became of what others owe for them."""

    def take_due(self, page: Page, id_: bytes) -> None: ...
    def convert_again(
        self, page: Page, round_id: bytes, payer: str, lots: Mapping[LotId, int], brought: bytes
    ) -> None: ...
    def return_due(self, page: Page, id_: bytes, code: str) -> None: ...
    def settle_due(self, page: Page, message: DueSettled) -> bool:
        """Return False where its payer had refused it."""
        ...

    def find_round_of(self, connection: Connection, id_: bytes) -> tuple[bytes, str] | None:
        """Return the round and the payer of a due, or None."""


class Conversions:
    """Both sides of a conversion in the accounts base. Only the book's writer thread runs its operations.

    Without a fund in the house nothing is owed: what others ask is returned.
    """

    def __init__(self, room: Room, rounds: Rounds, tell: Tell, *, has_fund: bool) -> None:
        self._room = room
        self._rounds = rounds
        self._tell = tell
        self._has_fund = has_fund

    @property
    def _home(self) -> str:
        return self._room.identity.code

    # What our projects ask of others

    def convert(
        self,
        page: Page,
        project: Numbered,
        round_id: bytes,
        lots: Mapping[TerritoryCode, Draws],
        orders: Mapping[TerritoryCode, bytes],
    ) -> Mapping[TerritoryCode, Refusal]:
        """Post what leaves the project's account and write what tells each issuer; return why, of those that cannot be."""
        refused: dict[TerritoryCode, Refusal] = {}
        for issuer, draws in lots.items():
            try:
                self._room.require_road(issuer)
                self._ask(page, project, round_id, issuer, draws, orders[issuer])
            except Refusal as refusal:
                refused[issuer] = refusal
        return refused

    def _ask(
        self, page: Page, project: Numbered, round_id: bytes, issuer: TerritoryCode, draws: Draws, order: bytes
    ) -> None:
        op = _op_of(round_id, issuer)
        payee = Address(project.number, issuer)
        written, told = format_address(payee), order[:6]
        [posted] = self._room.ledger.post(
            page,
            [
                Posting(
                    op=op,
                    kind=PostingKind.GIVEN_BACK,
                    debit=project.number,
                    credit=TRANSIT,
                    cents=Cents(sum(cents for _, cents in draws)),
                    draws=draws,
                    reference=make_reference(written, told),
                )
            ],
        )
        if isinstance(posted, Refusal):
            raise posted
        if posted.is_repeat:
            return
        names = load_lot_names(page.connection, {lot for lot, _ in draws})
        leaving = Leaving(
            op=op,
            account=project.number,
            beneficiary=payee,
            giver="",
            words="",
            term=Instant(0),
            draws=tuple((names[lot], cents) for lot, cents in draws),
            told=told,
            written=written,
        )
        leaving_service.write_conversion(self._room, page, issuer, leaving, Convert((project.op,), (round_id,)), order)

    def find_own(self, page: Page, sent: SentSlip) -> Convert | None:
        """Return what makes a slip of ours one of conversions, if it is one."""
        return find_convert(self._room.load_own_slip(page, sent))

    def come_back(self, page: Page, taker: str, convert: Convert, codes: Mapping[int, str]) -> None:
        """Rights that were refused, stopped or returned are in the project's account again: its round is told, by place."""
        for place, code in codes.items():
            self._rounds.return_due(page, make_due_id(convert.rounds[place], taker), code or "recalled")

    def reach(self, page: Page, taker: str, convert: Convert, places: Sequence[int]) -> None:
        """The issuer's fund owes what was asked at these places."""
        for place in places:
            self._rounds.take_due(page, make_due_id(convert.rounds[place], taker))

    def confirm(self, page: Page, message: DueConfirmed) -> None:
        """The bearer has the euros of a due of ours: its payer is told. What is no due of ours is passed over."""
        found = self._rounds.find_round_of(page.connection, message.id)
        if found is None:
            return
        round_id, payer = found
        if payer == self._home:
            self._tell(page, BaseName.FUND, [message])
            return
        row = store.load_ops(page.connection, [_op_of(round_id, payer)]).get(_op_of(round_id, payer))
        if row is not None:
            epoch, index, place = row
            settled = Settled(self._home, epoch, index, (place,), (SettledState.CONFIRMED,), (message.on,))
            self._room.write_slip(page, payer, settled)

    # What others ask of our fund

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
        """Ask our fund for each conversion of a slip; return our Answer's place, or None where it waits for the fund.

        `given` is the answer that we gave before this book, an old copy, was lost: then it stands.
        """
        origin, wanted = forward.origin, [place for place in range(cede.count) if place not in forward.skipped]
        beginning = begin_ops(forward, handed_at)
        cents = sum_cessions(cede)
        codes = {} if given is None else dict(zip(given.returned, given.codes, strict=True))
        orders: Sequence[bytes] = ()
        if given is None:
            try:
                orders = open_orders(cede, forwarded.sealed, origin=origin, keyring=self._room.identity.keyring).orders
            except Unreadable:
                codes = dict.fromkeys(wanted, UNREADABLE)
            else:
                codes = self._find_faults(page, convert, cede, wanted)
        rows = [
            Asked(
                *(origin, forward.epoch, forward.index, place, make_due_id(convert.rounds[place], self._home)),
                *(arrival_op(beginning, place), convert.projects[place], cents[place]),
                *(("refused", codes[place]) if place in codes else ("asked" if given is None else "owed", "")),
            )
            for place in wanted
        ]
        conversions_store.insert(page.connection, rows, page.now)
        if given is not None:
            self._post_owed(page, cede, rows)
            self._say_again(page, (origin, forward.epoch, forward.index))
            return None
        asked = [row for row in rows if row.state == "asked"]
        if not asked:
            return self._write_answer(page, (origin, forward.epoch, forward.index), cede, rows)
        self._tell(page, BaseName.FUND, [_make_due(row, cede, orders[row.place]) for row in asked])
        return None

    # Bringing an old copy back

    def hear_own(self, page: Page, index: int, slip: Slip) -> None:
        """Do again what a slip of ours says that was written after the copy was made.

        What it answers and this book does not hold yet comes with the hub's slips, and is answered so again there.
        """
        self._convert_again(page, index, slip)
        for message in slip.messages:
            if isinstance(message, Answer):
                key = (slip.to, message.epoch, message.index)
                asked = [row for row in conversions_store.load_slip(page.connection, key) if row.state == "asked"]
                codes = dict(zip(message.returned, message.codes, strict=True))
                decided = [
                    row._replace(state="refused" if row.place in codes else "owed", code=codes.get(row.place, ""))
                    for row in asked
                ]
                for row in decided:
                    conversions_store.save_state(page.connection, row, row.state, row.code)
                if asked:
                    self._post_owed(page, self._load_cede(page, key), decided)
                    conversions_store.save_answer(page.connection, key, index)
            elif isinstance(message, Settled) and message.giver != self._home:
                rows = {row.place: row for row in conversions_store.load_slip(page.connection, _key_of(message))}
                for place, state, day in zip(message.places, message.states, message.days, strict=True):
                    if place in rows:
                        conversions_store.save_said(page.connection, rows[place], int(state), day)

    def _convert_again(self, page: Page, index: int, slip: Slip) -> None:
        """What a slip of ours asked of another fund has left its project's account again: its round is told."""
        convert, cede = find_convert(slip), find_cede(slip)
        if convert is None or cede is None:
            return
        ids = find_lot_ids(page.connection, [(lot.issuer, lot.ref) for lot in cede.lots])
        brought = {
            row.place: bytes(row.op)
            for row in store.load_unplaced(page.connection, open_only=False)
            if row.ix == index and row.epoch
        }
        for place, drawn in enumerate(sum_places(cede)):
            lots = {LotId(ids[cede.lots[lot].issuer, cede.lots[lot].ref]): cents for lot, cents in drawn.items()}
            self._rounds.convert_again(page, convert.rounds[place], slip.to, lots, brought.get(place, b""))

    def _say_again(self, page: Page, key: SlipKey) -> None:
        """Keep what we told of a slip's euros before the copy was lost: our log holds it already."""
        own = log_store.open_log(page.connection, self._home, self._room.hub.hub)
        for start in range(0, own.size, _LEAVES_AT_ONCE):
            for index, leaf in enumerate(log_store.load_leaves(page.connection, own.id, start, _LEAVES_AT_ONCE), start):
                slip = decode_slip(leaf)
                told = [one for one in slip.messages if isinstance(one, Settled) and _key_of(one) == key]
                if told:
                    self.hear_own(page, index, structs.replace(slip, messages=tuple(told)))

    def _load_cede(self, page: Page, key: SlipKey) -> Cede:
        leaf = store.find_received_leaf(page.connection, *key)
        slip = None if leaf is None else read_slip(leaf)
        cede = None if slip is None else find_cede(slip)
        assert cede is not None, "a conversion was received with its slip"
        return cede

    # What our fund decides

    def _find_faults(self, page: Page, convert: Convert, cede: Cede, wanted: Sequence[int]) -> dict[int, str]:
        """Return why conversions cannot be asked of our fund, by place."""
        if not self._has_fund:
            return dict.fromkeys(wanted, NO_FUND)
        known = find_lot_ids(page.connection, [(lot.issuer, lot.ref) for lot in cede.lots])
        codes: dict[int, str] = {}
        seen: set[bytes] = set()
        for place, drawn in enumerate(sum_places(cede)):
            id_ = make_due_id(convert.rounds[place], self._home)
            lots = [cede.lots[lot] for lot in drawn]
            if any(lot.issuer != self._home or (lot.issuer, lot.ref) not in known for lot in lots):
                codes[place] = LOT_UNKNOWN
            elif id_ in seen or conversions_store.find(page.connection, id_) is not None:
                codes[place] = ID_MISMATCH
            elif self._rounds.find_round_of(page.connection, id_) is not None:
                # A round of our own projects: every fund that pays a part of it knows its id.
                codes[place] = ID_MISMATCH
            seen.add(id_)
        return {place: code for place, code in codes.items() if place in wanted}

    def hear_fund(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Follow what our fund says of what others ask. What is not of a conversion of theirs is passed over."""
        for message in messages:
            if not isinstance(message, DueTaken | DueSettled | Refused):
                continue
            one = conversions_store.find(page.connection, message.id)
            if one is None:
                continue
            match message:
                case DueTaken() if one.state == "asked":
                    self._decide(page, one, "owed", "")
                case Refused() if one.state == "asked":
                    self._decide(page, one, "refused", message.code)
                case DueSettled() if one.state == "owed":
                    self._tell_settled(page, one, message)

    def _decide(self, page: Page, one: Asked, state: str, code: str) -> None:
        """Keep our fund's word on one conversion; with the last of its slip the slip is answered."""
        conversions_store.save_state(page.connection, one, state, code)
        key = (one.origin, one.epoch, one.ix)
        rows = conversions_store.load_slip(page.connection, key)
        if any(row.state == "asked" for row in rows):
            return
        answer_index = self._write_answer(page, key, self._load_cede(page, key), rows)
        conversions_store.save_answer(page.connection, key, answer_index)

    def _write_answer(self, page: Page, key: SlipKey, cede: Cede, rows: Sequence[Asked]) -> int:
        """Post what our fund owes, and tell who asked; return our Answer's place."""
        self._post_owed(page, cede, rows)
        refused = [row for row in rows if row.state == "refused"]
        skipped = tuple(sorted(set(range(cede.count)) - {row.place for row in rows}))
        answer = Answer(
            key[1], key[2], skipped, tuple(row.place for row in refused), tuple(row.code[:48] for row in refused)
        )
        return self._room.write_slip(page, key[0], answer)

    def _post_owed(self, page: Page, cede: Cede, rows: Sequence[Asked]) -> None:
        ids = find_lot_ids(page.connection, [(lot.issuer, lot.ref) for lot in cede.lots])
        drawn = sum_places(cede)
        for row in rows:
            if row.state != "owed":
                continue
            lots = [(cede.lots[lot], cents) for lot, cents in drawn[row.place].items()]
            self._room.post_or_break(
                page,
                Posting(
                    op=Id16(row.op),
                    kind=PostingKind.CONVERSION,
                    debit=abroad(TerritoryCode(row.origin)),
                    credit=CONVERTED,
                    cents=Cents(row.cents),
                    draws=tuple((LotId(ids[lot.issuer, lot.ref]), Cents(cents)) for lot, cents in lots),
                    reference=f"from {row.origin}/{row.epoch}/{row.ix}/{row.place}",
                ),
            )

    def _tell_settled(self, page: Page, one: Asked, message: DueSettled) -> None:
        conversions_store.save_said(page.connection, one, int(message.state), message.on)
        settled = Settled(
            *(one.origin, one.epoch, one.ix, (one.place,)), (SettledState(int(message.state)),), (message.on,)
        )
        self._room.write_slip(page, one.origin, settled)

    # What the other side of a conversion tells of its euros

    def hear(self, page: Page, speaker: str, settled: Settled) -> None:
        """Follow the word of the other side. What is not its to say, or of no conversion, is kept as a break."""
        if settled.giver == self._home:
            self._hear_payer(page, speaker, settled)
        elif settled.giver == speaker:
            rows = {row.place: row for row in conversions_store.load_slip(page.connection, _key_of(settled))}
            for place, state, day in zip(settled.places, settled.states, settled.days, strict=True):
                if place in rows and state is SettledState.CONFIRMED:
                    conversions_store.save_confirmed(page.connection, rows[place], day)
                else:
                    self._note_break(page, settled, place, speaker)
        else:
            self._note_break(page, settled, settled.places[0], speaker)

    def _hear_payer(self, page: Page, speaker: str, settled: Settled) -> None:
        sent = store.find_sent(page.connection, settled.epoch, settled.index)
        slip = None if sent is None or sent.taker != speaker else self._room.load_own_slip(page, sent)
        convert = None if slip is None else find_convert(slip)
        cede = None if slip is None else find_cede(slip)
        for place, state, day in zip(settled.places, settled.states, settled.days, strict=True):
            if convert is None or cede is None or place >= cede.count or state is SettledState.CONFIRMED:
                self._note_break(page, settled, place, speaker)
                continue
            id_ = make_due_id(convert.rounds[place], speaker)
            cents = sum_cessions(cede)[place]
            if not self._rounds.settle_due(page, DueSettled(id_, DueState(int(state)), cents, day)):
                self._note_break(page, settled, place, speaker)

    def _note_break(self, page: Page, settled: Settled, place: int, speaker: str) -> None:
        where = f"slip {settled.giver}/{settled.epoch}/{settled.index}/{place}"
        self._room.note_break(page, where, "a conversion that is the speaker's to tell of", f"told by {speaker}")


def _op_of(round_id: bytes, issuer: str) -> Id16:
    return Id16(derive_op("convert", round_id.hex(), issuer))


def _key_of(settled: Settled) -> SlipKey:
    return settled.giver, settled.epoch, settled.index


def _make_due(row: Asked, cede: Cede, order: bytes) -> Due:
    drawn = sum_places(cede)[row.place]
    return Due(
        id=row.id,
        territory=row.origin,
        project=row.project,
        refs=tuple(cede.lots[lot].ref for lot in drawn),
        cents=tuple(drawn.values()),
        order=order,
    )
