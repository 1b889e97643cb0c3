"""Our own slips booked again on an old copy, one after the other.

The hub's slips come first wherever they can, because they only ever bring rights: so what one of our slips spent is
there when it is booked. What is still missing was credited at home after the copy was made: nobody else can know it. It
is booked all the same, since it did leave, and named as `unplaced` until a person says whose it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from node.federation import store
from node.federation.arrivals import sum_draws
from node.federation.outgoing import derive_op, make_reference
from node.federation.reopening_service import NOBODY, ensure_open, find_home_lots, key_of
from node.federation.room_service import Room
from node.ledger.accounts import BORDER, ISSUANCE, TRANSIT, AccountKind
from node.ledger.errors import AccountUnknown
from node.ledger.lots import LotId
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_balance
from protocol.amounts import Cents
from protocol.book import log_store
from protocol.book.service import Page
from protocol.errors import Malformed, NotCanonical, Refusal
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, format_address
from protocol.keys import Unreadable, unseal
from protocol.messages import Cede, Counterfoil, Recall, Restored, Slip, decode_counterfoil, decode_slip, draws_of
from protocol.national import find_cede
from protocol.times import Instant

# What leaves accounts of these kinds for another territory only goes back there.
_GIVE_BACK: Final = frozenset({AccountKind.PROJECT, AccountKind.SOLIDARITY})


@dataclass(slots=True)
class Step:
    """One commit's worth of booking again: how far it came, and what it could not do in silence."""

    booked: int
    epoch: int
    unplaced: int = 0
    reopened: int = 0


def book_own(room: Room, page: Page, step: Step, *, may_wait: bool) -> bool:
    """Book our next slip again; False, with nothing done, where it spends what may still come."""
    own = room.open_own_log(page.connection)
    index = step.booked
    slip = decode_slip(log_store.load_leaf(page.connection, own.id, index))
    for message in slip.messages:
        if isinstance(message, Restored):
            step.epoch = message.epoch
    cede = find_cede(slip)
    if cede is not None and not _book_cede(room, page, step, slip, cede, may_wait=may_wait):
        return False
    for message in slip.messages:
        if isinstance(message, Recall):
            store.save_recall(page.connection, message.epoch, message.index, message.places, "asked")
    if room.conversions is not None:
        room.conversions.hear_own(page, index, slip)
    step.booked += 1
    return True


def _book_cede(room: Room, page: Page, step: Step, slip: Slip, cede: Cede, *, may_wait: bool) -> bool:
    """Debit again what a slip of ours took from its givers, and keep its cessions."""
    connection, index = page.connection, step.booked
    kept = _open_counterfoil(room, connection, index, cede)
    amounts = draws_of(cede)
    ids = room.ensure_any_lots(page, cede.lots)
    parts = [tuple((ids[key], Cents(cents)) for key, cents in sum_draws(draws).items()) for draws in amounts]
    accounts = (NOBODY,) * cede.count if kept is None else kept.accounts
    room.ledger.flush(page)
    missing = _find_missing(connection, accounts, parts)
    if missing and may_wait:
        return False
    home = find_home_lots(room, ids)
    for place, shortage in missing.items():
        _bring(room, page, step, place, accounts[place], shortage, home)
    taker = TerritoryCode(slip.to)
    numbers = {AccountNumber(account) for account in accounts if account}
    projects = room.ledger.find_projects(page, numbers, _GIVE_BACK)
    postings: list[Posting] = []
    rows: list[tuple[object, ...]] = []
    for place, part in enumerate(parts):
        cents = sum(amount for _, amount in part)
        op = derive_op("booked again", step.epoch, index, place) if kept is None else kept.ops[place]
        beneficiary = (
            f"?/{taker}" if kept is None else format_address(Address(AccountNumber(kept.numbers[place]), taker))
        )
        reference = f"to {beneficiary} #" if kept is None else make_reference(beneficiary, kept.told[place])
        postings.append(
            Posting(
                op=Id16(op),
                kind=PostingKind.GIVEN_BACK if accounts[place] in projects else PostingKind.CEDE_OUT,
                debit=key_of(accounts[place]),
                credit=TRANSIT,
                cents=Cents(cents),
                draws=part,
                reference=reference,
            )
        )
        term = cede.terms[place] if cede.terms else 0
        rows.append((op, step.epoch, index, place, accounts[place], beneficiary, cents, term, "", ""))
    for answer in room.ledger.post(page, postings):
        if isinstance(answer, Refusal):
            room.note_break(page, f"our slip {index}", "cessions booked again", str(answer))
    store.insert_sent(
        connection,
        epoch=step.epoch,
        index=index,
        taker=taker,
        count=cede.count,
        cents=sum(cede.cents),
        now=Instant(slip.at),
    )
    store.insert_cessions(connection, rows)
    return True


def _bring(
    room: Room,
    page: Page,
    step: Step,
    place: int,
    account: str,
    missing: Mapping[LotId, int],
    home: frozenset[LotId],
) -> None:
    """Give an account what it must have had, and name it until a person says where it came from."""
    step.reopened += ensure_open(room, page, account)
    for is_home, source in ((True, ISSUANCE), (False, BORDER)):
        part = tuple((lot, Cents(cents)) for lot, cents in missing.items() if (lot in home) == is_home)
        if not part:
            continue
        cents = Cents(sum(cents for _, cents in part))
        op = derive_op("unplaced", step.epoch, step.booked, place, int(is_home))
        room.post_or_break(
            page,
            Posting(
                op=Id16(op),
                kind=PostingKind.CEDE_IN,
                debit=source,
                credit=key_of(account),
                cents=cents,
                draws=part,
                reference=f"unplaced, our slip {step.epoch}/{step.booked}/{place}",
            ),
        )
        store.insert_unplaced(
            page.connection, op=op, account=account, cents=cents, epoch=step.epoch, index=step.booked, place=place
        )
        step.unplaced += 1


def _find_missing(
    connection: Connection, accounts: Sequence[str], parts: Sequence[tuple[tuple[LotId, Cents], ...]]
) -> dict[int, dict[LotId, int]]:
    """Return, by place, the cents of each lot that its giver does not hold, after the places before it."""
    held: dict[str, dict[LotId, int]] = {}
    free: dict[str, int] = {}
    for account in set(accounts):
        try:
            balance = load_balance(connection, key_of(account))
        except AccountUnknown:
            held[account], free[account] = {}, 0
            continue
        held[account] = {lot.lot: int(lot.cents) for lot in balance.lots}
        free[account] = int(balance.cents) - int(balance.reserved)
    missing: dict[int, dict[LotId, int]] = {}
    for place, (account, part) in enumerate(zip(accounts, parts, strict=True)):
        short = {lot: cents - held[account].get(lot, 0) for lot, cents in part if held[account].get(lot, 0) < cents}
        total = sum(cents for _, cents in part)
        reserved = total - sum(short.values()) - free[account]
        if reserved > 0:  # set aside by a reservation of yesterday, which was released or used since
            short[part[0][0]] = short.get(part[0][0], 0) + reserved
        for lot, cents in part:
            held[account][lot] = held[account].get(lot, 0) + short.get(lot, 0) - cents
        free[account] += sum(short.values()) - total
        if short:
            missing[place] = short
    return missing


def _open_counterfoil(room: Room, connection: Connection, index: int, cede: Cede) -> Counterfoil | None:
    """Return what we kept of the slip, or None where it is gone or cannot be read any more."""
    own = log_store.open_log_or_empty(connection, room.identity.code, room.hub.hub)
    sealed = log_store.load_counterfoils(connection, own.id, index, 1).get(index)
    ring = room.identity.keyring
    for keys in (ring.current, *ring.older) if sealed is not None else ():
        try:
            return decode_counterfoil(unseal(keys, sealed or b""), cede)
        except (Unreadable, NotCanonical, Malformed):
            continue
    return None
