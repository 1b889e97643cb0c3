"""Rights that leave: handed on at home at once, to others as slips of our log; and recalled while the hub still may."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import structs

from node.federation import store
from node.federation.cessions import AskCession, CessionView, view_at_home, view_queued
from node.federation.errors import CessionUnknown, TooLateToRecall
from node.federation.outgoing import Leaving, group_leaving, make_conversion_slip, make_counterfoil, make_slip
from node.federation.reading_service import view_of
from node.federation.room_service import Road, Room, refused_when_behind
from node.ledger.accounts import TRANSIT
from node.ledger.errors import InsufficientRights
from node.ledger.lots import LotId
from node.ledger.naming_service import load_lot_names
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.reading_service import load_balance
from protocol import clearing
from protocol.amounts import Cents
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.cession import CessionState
from protocol.errors import InvalidTime, Refusal
from protocol.identifiers import TerritoryCode
from protocol.messages import KEEP_BESIDE_MS, Convert, Recall

FORGET_MAX: Final = 256


def cede(room: Room, page: Page, items: Sequence[AskCession]) -> list[CessionView | Refusal]:
    """Hand rights on. To an account of this territory it is done at once; to another it is queued, with its slip."""
    results: list[CessionView | Refusal | None] = [None] * len(items)
    roads = {taker: room.look_down_road(taker) for taker in {item.beneficiary.territory for item in items}}
    known = _load_known(room, page, items, roads)
    postings: list[Posting] = []
    places: list[int] = []
    answers: list[Posted | Refusal] = []
    for place, item in enumerate(items):
        road = roads[item.beneficiary.territory]
        try:
            draws = item.draws
            if road is not Road.HOME and item.op not in known:
                if isinstance(road, Refusal):
                    raise road
                if item.term and item.term <= page.now:
                    raise InvalidTime(field="term", reason="is already past")
                if road is Road.SOUTH and draws is None:
                    # What fits the South is chosen from what is really left: after everything asked before it.
                    answers += room.ledger.post(page, postings[len(answers) :])
                    draws = _choose_south_draws(room, page, item)
            postings.append(
                Posting(
                    op=item.op,
                    kind=_kind_of(item, road),
                    debit=item.account,
                    credit=item.beneficiary.number if road is Road.HOME else TRANSIT,
                    cents=item.cents,
                    draws=draws,
                    reference=item.reference,
                )
            )
            places.append(place)
        except Refusal as refusal:
            results[place] = refusal
    answers += room.ledger.post(page, postings[len(answers) :])
    left: list[tuple[int, Posted]] = []
    repeated: list[int] = []
    for place, posting, answer in zip(places, postings, answers, strict=True):
        if isinstance(answer, Refusal):
            results[place] = answer
        elif posting.kind is PostingKind.CESSION:
            results[place] = view_at_home(items[place], answer)
        elif answer.is_repeat:
            repeated.append(place)
        else:
            left.append((place, answer))
    if left:
        written = _write_slips(room, page, _name_lots(room, page, [(items[place], posted) for place, posted in left]))
        for place, _ in left:
            results[place] = view_queued(items[place], written[items[place].op], page.now)
    for place in repeated:  # the first may have left in this very page: its row is there by now
        row = store.find_cession(page.connection, items[place].op)
        assert row is not None, "a cession that left has its row"
        results[place] = structs.replace(view_of(row), is_repeat=True)
    return [result for result in results if result is not None]


def cede_groups(room: Room, page: Page, items: Sequence[Sequence[AskCession]]) -> list[list[CessionView | Refusal]]:
    """The same for items that are groups: one wait for a whole group, one answer for each cession in it."""
    answers = iter(cede(room, page, [asked for group in items for asked in group]))
    return [list(islice(answers, len(group))) for group in items]


@refused_when_behind
def recall(room: Room, page: Page, items: Sequence[bytes]) -> list[CessionView | Refusal]:
    """Ask the hub to stop cessions that were not handed over. Asking twice is asking once."""
    results: list[CessionView | Refusal] = []
    for op in items:
        row = store.find_cession(page.connection, op)
        if row is None:
            results.append(CessionUnknown(id=op.hex()))
            continue
        view = view_of(row)
        if view.state not in (CessionState.QUEUED, CessionState.CLEARED):
            results.append(TooLateToRecall(id=op.hex(), state=str(view.state)))
            continue
        if not view.recall:
            room.write_slip(page, room.hub.hub, Recall(row.epoch, row.ix, (row.place,)))
            store.save_recall(page.connection, row.epoch, row.ix, [row.place], "asked")
            view = structs.replace(view, recall="asked")
        results.append(view)
    return results


def forget(room: Room, page: Page, items: Sequence[None]) -> list[int]:
    """Delete what we sealed beside slips that ended long ago; run again until it returns 0.

    Until then a restored hub gets it again from us, and a restored receiver from the hub.
    """
    log = room.open_own_log(page.connection)
    ended = store.load_ended(page.connection, log.id, page.now - KEEP_BESIDE_MS, FORGET_MAX)
    for index in ended:
        log_store.delete_attachment(page.connection, log.id, index)
    return [len(ended) if place == 0 else 0 for place in range(len(items))]


def write_conversion(room: Room, page: Page, taker: str, leaving: Leaving, convert: Convert, order: bytes) -> None:
    """Append a slip that asks the issuer's fund for what left a project's account."""
    log = room.open_own_log(page.connection)
    keys = room.directory.require(taker).keys[-1]
    made = make_conversion_slip(
        room.identity.code, taker, keys, [leaving], convert, [order], now=page.now, entropy=room.entropy(48)
    )
    _append_cessions(room, page, log, taker, [leaving], *made)
    page.after_commit("outgoing", room.on_outgoing)


def _load_known(
    room: Room, page: Page, items: Sequence[AskCession], roads: Mapping[TerritoryCode, Road | Refusal]
) -> Collection[bytes]:
    """Return which of those asked left before: looked up only where the road, or a term, might refuse them now."""
    doubtful = [
        item.op for item in items if item.term or roads[item.beneficiary.territory] not in (Road.OPEN, Road.HOME)
    ]
    return store.load_ops(page.connection, doubtful)


def _name_lots(room: Room, page: Page, left: Sequence[tuple[AskCession, Posted]]) -> list[Leaving]:
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


def _choose_south_draws(room: Room, page: Page, item: AskCession) -> tuple[tuple[LotId, Cents], ...]:
    """Return the oldest lots whose class may reach the South. Raises InsufficientRights."""
    room.ledger.flush(page)
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


def _write_slips(room: Room, page: Page, leaving: Sequence[Leaving]) -> dict[bytes, str]:
    """Append one slip for each receiving territory, in the transaction that debited the holders.

    Return the reference of each cession: its place in our log.
    """
    written: dict[bytes, str] = {}
    connection = page.connection
    log = room.open_own_log(connection)
    for taker, rows in group_leaving(leaving):
        keys = room.directory.require(taker).keys[-1]
        made = make_slip(room.identity.code, taker, keys, rows, now=page.now, entropy=room.entropy(48))
        written.update(_append_cessions(room, page, log, taker, rows, *made))
    page.after_commit("outgoing", room.on_outgoing)
    return written


def _append_cessions(
    room: Room, page: Page, log: Log, taker: str, rows: Sequence[Leaving], leaf: bytes, sealed: bytes
) -> dict[bytes, str]:
    """Append a slip of cessions with what travels beside it, and keep what left; return the reference of each."""
    connection = page.connection
    index = log_store.append_leaves(connection, log, [leaf], page.now)
    log_store.save_attachments(connection, log.id, [(index, sealed)])
    kept = make_counterfoil(room.identity.keyring.current.public, rows, entropy=room.entropy(32))
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
    room.count("cessions_queued", len(rows))
    return {row.op: f"{slip}{place}" for place, row in enumerate(rows)}


def _kind_of(item: AskCession, road: Road | Refusal) -> PostingKind:
    if item.is_from_project:
        return PostingKind.GIVEN_BACK
    return PostingKind.CESSION if road is Road.HOME else PostingKind.CEDE_OUT
