"""What arrived before an old copy's book was lost: credited again, exactly as our own answer said."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from node.federation import store
from node.federation.arrivals import arrival_op, begin_ops, foreign_op, open_column, sum_draws
from node.federation.recovery import Recovery
from node.federation.reopening_service import NOBODY, ensure_open, find_home_lots, key_of
from node.federation.room_service import Room
from node.ledger.accounts import BORDER, abroad
from node.ledger.postings import Posting, PostingKind
from protocol.amounts import Cents
from protocol.book import log_store
from protocol.book.service import Page
from protocol.envelopes import ForwardedSlip
from protocol.errors import Refusal
from protocol.identifiers import Id16, TerritoryCode
from protocol.keys import Unreadable
from protocol.messages import Answer, Cede, Forward, decode_slip, draws_of
from protocol.national import SlipKey

_LEAVES_AT_ONCE: Final = 512


def find_given_answer(room: Room, connection: Connection, forward: Forward) -> tuple[int, Answer] | None:
    """Return the answer that we gave to this slip before our book was lost, and where it stands in our log."""
    recovery = room.recovery
    if recovery is None:
        return None
    answers = room.given_answers
    if answers is None:
        own = log_store.open_log_or_empty(connection, room.identity.code, room.hub.hub)
        answers = room.given_answers = _index_answers(connection, own.id, recovery)
    return answers.get((forward.origin, forward.epoch, forward.index))


def _index_answers(connection: Connection, log_id: int, recovery: Recovery) -> dict[SlipKey, tuple[int, Answer]]:
    found: dict[SlipKey, tuple[int, Answer]] = {}
    for start in range(recovery.start, recovery.end, _LEAVES_AT_ONCE):
        count = min(_LEAVES_AT_ONCE, recovery.end - start)
        for index, leaf in enumerate(log_store.load_leaves(connection, log_id, start, count), start):
            slip = decode_slip(leaf)
            for message in slip.messages:
                if isinstance(message, Answer):
                    found[slip.to, message.epoch, message.index] = (index, message)
    return found


def credit_again(
    room: Room,
    page: Page,
    forward: Forward,
    forwarded: ForwardedSlip,
    cede: Cede,
    answer: Answer,
    *,
    handed_at: int,
) -> None:
    """Credit what our answer said was delivered, to the same accounts; what it returned stays returned."""
    origin = forward.origin
    try:
        column = open_column(cede, forwarded.sealed, origin=origin, keyring=room.identity.keyring)
    except Unreadable:
        column = None  # too old to be kept by the hub: it is known that rights arrived, no longer for whom
    codes = dict(zip(answer.returned, answer.codes, strict=True))
    ids = room.ensure_any_lots(page, cede.lots)
    home = find_home_lots(room, ids)
    beginning = begin_ops(forward, handed_at)
    postings: list[Posting] = []
    rows: list[tuple[object, ...]] = []
    for place, draws in enumerate(draws_of(cede)):
        if place in forward.skipped:
            continue
        account = NOBODY if column is None else column.numbers[place]
        op = arrival_op(beginning, place)
        if place not in codes:
            ensure_open(room, page, account)
            drawn = [(ids[key], Cents(cents)) for key, cents in sum_draws(draws).items()]
            for is_home, source in ((True, abroad(TerritoryCode(origin))), (False, BORDER)):
                part = tuple((lot, cents) for lot, cents in drawn if (lot in home) == is_home)
                if part:
                    postings.append(
                        Posting(
                            op=Id16(op if is_home else foreign_op(op)),
                            kind=PostingKind.CEDE_IN,
                            debit=source,
                            credit=key_of(account),
                            cents=Cents(sum(cents for _, cents in part)),
                            draws=part,
                            reference=f"from {origin}/{forward.epoch}/{forward.index}/{place}",
                        )
                    )
        rows.append(
            (
                op,
                origin,
                forward.epoch,
                forward.index,
                place,
                account,
                sum(cents for _, cents in draws),
                column.givers[place] if column is not None and column.givers else "",
                column.words[place] if column is not None and column.words else "",
                "returned" if place in codes else "delivered",
                codes.get(place, ""),
                page.now,
            )
        )
    for answered in room.ledger.post(page, postings):
        if isinstance(answered, Refusal):
            room.note_break(page, f"slip {forward.index} of {origin}", "credited again", str(answered))
    if column is not None or codes:
        store.insert_arrivals(page.connection, rows)
