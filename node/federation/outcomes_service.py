"""What became of our slips: the hub's verdicts and the receiver's own answer. What does not arrive comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from node.federation import store
from node.federation.arrivals import sum_draws
from node.federation.outgoing import derive_op
from node.federation.room_service import Room
from node.federation.store import SentSlip
from node.ledger.accounts import BORDER, TRANSIT, UNCLAIMED, abroad
from node.ledger.postings import Posting, PostingKind
from protocol import clearing
from protocol.amounts import Cents
from protocol.book.service import Page
from protocol.cession import CessionState
from protocol.identifiers import AccountNumber, Id16, TerritoryCode
from protocol.messages import Answer, Cede, HandedOver, Slip, Stopped, Verdict, draws_of
from protocol.times import Instant


def take_verdict(room: Room, page: Page, slip: Slip, verdict: Verdict) -> None:
    """The hub cleared a slip of ours, or refused it, whole or in places."""
    sent = _find_sent(room, page, verdict.index)
    if sent is None or sent.state is not CessionState.QUEUED:
        if verdict.slip_code or sent is not None:
            room.note_break(page, f"our slip {verdict.index}", "queued", "unknown or judged before")
        return
    if verdict.slip_code:
        refused = [(place, verdict.slip_code) for place in range(sent.count)]
    else:
        refused = list(zip(verdict.refused, verdict.codes, strict=True))
    bring_back(room, page, sent, dict(refused))
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
    room.count("cessions_cleared", sent.count - len(refused))
    room.count("cessions_refused", len(refused))


def take_handed_over(room: Room, page: Page, slip: Slip, message: HandedOver) -> None:
    """Slips of ours are with their receiver."""
    for index in message.indexes:
        sent = _find_sent(room, page, index)
        if sent is None or sent.state is not CessionState.CLEARED:
            room.note_break(page, f"our slip {index}", "cleared", "handed over by the hub")
            continue
        store.save_sent(page.connection, sent, CessionState.HANDED_OVER, handed_at=slip.at)


def take_stopped(room: Room, page: Page, slip: Slip, message: Stopped) -> None:
    """Cessions of ours were recalled or expired before the receiver called, or it was too late for that."""
    sent = _find_sent(room, page, message.index)
    if sent is None:
        room.note_break(page, f"our slip {message.index}", "known", "stopped by the hub")
        return
    store.save_recall(page.connection, sent.epoch, sent.index, message.too_late, "too_late")
    for places, state in (
        (message.recalled, CessionState.RECALLED),
        (message.expired, CessionState.EXPIRED),
    ):
        fitting = [place for place in places if place in sent.remaining]
        if sent.state is not CessionState.CLEARED or len(fitting) != len(places):
            if places:
                room.note_break(page, f"our slip {message.index}", "cleared", f"{state} by the hub")
            continue
        bring_back(room, page, sent, dict.fromkeys(fitting, str(state)))
        store.save_exceptions(page.connection, sent, [(place, "") for place in fitting], state, Instant(slip.at))
        sent = replace(sent, exceptions={**sent.exceptions, **dict.fromkeys(fitting, state)})
        if fitting and not sent.remaining:
            store.save_sent(page.connection, sent, state, ended_at=slip.at)
            sent = replace(sent, state=state)
        room.count(f"cessions_{state}", len(fitting))


def take_answer(room: Room, page: Page, slip: Slip, taker: str, answer: Answer) -> None:
    """The receiver's own signed word on a slip of ours: rights arrived there, or came back."""
    sent = store.find_sent(page.connection, answer.epoch, answer.index)
    if sent is None or sent.taker != taker or sent.state is not CessionState.HANDED_OVER:
        room.note_break(page, f"our slip {answer.index}", "handed over", f"answered by {taker}")
        return
    if answer.skipped != tuple(sorted(sent.exceptions)) or not set(answer.returned) <= sent.remaining:
        room.note_break(
            page,
            f"our slip {answer.index}",
            f"skipped {sorted(sent.exceptions)}",
            f"{taker} was told to skip {list(answer.skipped)}, returned {list(answer.returned)}",
        )
        return
    returned = dict(zip(answer.returned, answer.codes, strict=True))
    delivered = sent.remaining - returned.keys()
    cede = room.load_own_cede(page, sent)
    ids, _ = room.ensure_lots(page, cede.lots)
    totals = clearing.sum_by_lot(cede, delivered)
    for is_home, credit in ((True, abroad(TerritoryCode(taker))), (False, BORDER)):
        part = tuple(
            (ids[key], Cents(cents)) for key, cents in totals.items() if (key[0] == room.identity.code) == is_home
        )
        if part:
            room.post_or_break(
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
    bring_back(room, page, sent, dict(sorted(returned.items())))
    _reach(room, page, sent, cede, delivered)
    store.save_exceptions(page.connection, sent, returned.items(), CessionState.RETURNED, Instant(slip.at))
    state = CessionState.DELIVERED if delivered else CessionState.RETURNED
    store.save_sent(page.connection, sent, state, ended_at=slip.at)
    room.count("cessions_delivered", len(delivered))
    room.count("cessions_returned", len(returned))


def bring_back(room: Room, page: Page, sent: SentSlip, places: Mapping[int, str]) -> None:
    """Return rights on the way to the accounts they came from, the same lots to the cent. Places with their codes."""
    if not places:
        return
    cede = room.load_own_cede(page, sent)
    draws = draws_of(cede)
    ids, _ = room.ensure_lots(page, cede.lots)
    owners = store.load_cession_places(page.connection, sent.epoch, sent.index)
    for place in places:
        _, account, cents = owners[place]
        part = tuple((ids[key], Cents(amount)) for key, amount in sum_draws(draws[place]).items())
        room.post_or_break(
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
    if room.conversions is not None and (convert := room.conversions.find_own(page, sent)) is not None:
        room.conversions.come_back(page, sent.taker, convert, places)
    elif room.projects is not None:
        accounts = {AccountNumber(owners[place][1]) for place in places if owners[place][1]}
        if again := room.ledger.find_projects(page, accounts):
            room.projects.come_back(page, [owners[place][0] for place in places if owners[place][1] in again])


def _find_sent(room: Room, page: Page, index: int) -> SentSlip | None:
    """Return our slip at this place of our log, whatever its epoch."""
    own = room.open_own_log(page.connection)
    return store.find_sent_at(page.connection, own.epoch, index)


def _reach(room: Room, page: Page, sent: SentSlip, cede: Cede, places: Collection[int]) -> None:
    """Where a slip converts, its rounds hear what is owed now. Only lots of the taker are ever converted."""
    if room.conversions is None or any(lot.issuer != sent.taker for lot in cede.lots):
        return
    if (convert := room.conversions.find_own(page, sent)) is not None:
        room.conversions.reach(page, sent.taker, convert, sorted(places))
