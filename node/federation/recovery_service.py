"""Bringing an old copy of a node's book back to the present: use cases of the accounts base.

What the copy lacks is pulled from the hub and believed only because we once signed it ourselves; then it is booked
again. The hub's slips come first wherever they can, because they only ever bring rights: so what one of our slips spent
is there when it is booked. What is still missing was credited at home after the copy was made: nobody else can know
it. It is booked all the same, since it did leave, and named as `unplaced` until a person says whose it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from sqlalchemy import Connection

from node.federation import store
from node.federation.arrivals import arrival_op, begin_ops, foreign_op, open_column, sum_draws
from node.federation.outgoing import derive_op, make_reference
from node.federation.recovery import (
    BEHIND,
    FACT,
    SLIPS_AT_ONCE,
    NotBehind,
    Recovery,
    RecoveryPhase,
    decode_recovery,
    encode_recovery,
    find_needed,
)
from node.ledger.accounts import (
    BORDER,
    ISSUANCE,
    TRANSIT,
    UNCLAIMED,
    AccountEvent,
    AccountKey,
    AccountKind,
    AccountState,
    abroad,
)
from node.ledger.errors import AccountUnknown
from node.ledger.lots import LotId
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.postings import Posted, Posting, PostingKind
from node.ledger.reading_service import find_account, find_operation, load_balance, load_draws, load_lot_names
from protocol.amounts import Cents
from protocol.book import log_store
from protocol.book.log_store import Log
from protocol.book.service import Page
from protocol.envelopes import AskOwn, ForwardedSlip, OwnSlips
from protocol.errors import BadEnvelope, Malformed, NotCanonical, Refusal
from protocol.exchange.epochs import choose_epoch
from protocol.exchange.own_slips_service import verify_own_slips
from protocol.exchange.service import Received
from protocol.identifiers import AccountNumber, Address, Id16, TerritoryCode, format_address
from protocol.keys import Unreadable, unseal
from protocol.messages import (
    Answer,
    Cede,
    Counterfoil,
    Forward,
    Recall,
    Restored,
    Slip,
    decode_counterfoil,
    decode_slip,
    draws_of,
)
from protocol.national import SlipKey, find_cede
from protocol.times import Instant

if TYPE_CHECKING:
    from node.federation.service import Federation, Opened

# Whose rights left, where the slip's counterfoil is gone: they are taken from, and come back to, the unclaimed.
NOBODY: Final = ""
_LEAVES_AT_ONCE: Final = 512
# What leaves accounts of these kinds for another territory only goes back there.
_GIVE_BACK: Final = frozenset({AccountKind.PROJECT, AccountKind.SOLIDARITY})


@dataclass(slots=True)
class Step:
    """One commit's worth of booking again: how far it came, and what it could not do in silence."""

    booked: int
    epoch: int
    unplaced: int = 0
    reopened: int = 0


def load_recovery(connection: Connection) -> Recovery | None:
    """Return where a recovery stands, if one runs."""
    value = store.find_fact(connection, FACT)
    return None if value is None else decode_recovery(value)


def begin(federation: Federation, page: Page, items: Sequence[None]) -> list[Recovery | Refusal]:
    """Start the way back; asked twice it is begun once. Raises NotBehind where the hub never said that we are."""
    return [_begin(federation, page) for _ in items]


def _begin(federation: Federation, page: Page) -> Recovery | Refusal:
    running = load_recovery(page.connection)
    if running is not None:
        return running
    if federation.behind is None:
        return NotBehind()
    own = log_store.open_log(page.connection, federation.identity.code, federation.hub.hub)
    recovery = Recovery(
        phase=RecoveryPhase.PULLING,
        since=page.now,
        start=own.size,
        end=own.size,
        booked=own.size,
        epoch=own.epoch,
        nonce=federation.entropy(16).hex(),
    )
    _save(federation, page, recovery)
    return recovery


def _save(federation: Federation, page: Page, recovery: Recovery | None) -> None:
    page.memo[FACT] = recovery  # another envelope of this page goes on from here
    store.save_fact(page.connection, FACT, None if recovery is None else encode_recovery(recovery))
    if recovery is None:
        store.save_fact(page.connection, BEHIND, None)
    page.after_commit("recovery", lambda: federation.use_recovery(recovery))


def ask_own(federation: Federation, connection: Connection) -> AskOwn | None:
    """Return what our next envelope asks the hub for."""
    if federation.recovery is None:
        return None
    own = log_store.open_log_or_empty(connection, federation.identity.code, federation.hub.hub)
    return AskOwn(own.size, bytes.fromhex(federation.recovery.nonce))


def pull(federation: Federation, page: Page, received: Received, recovery: Recovery) -> int:
    """Lay the slips that the hub gave back into our log; return how many. With the last one the epoch is raised."""
    part, statement = received.payload.recovery, received.statement
    connection = page.connection
    own = log_store.open_log(connection, federation.identity.code, federation.hub.hub)
    if not isinstance(part, OwnSlips) or not _answers(received, recovery):
        return 0
    if not part.statement and not own.size and not statement.ack_size:  # we never told the hub anything
        _go_on(federation, page, recovery, own, statement.ack_epoch)
        return 0
    ring = federation.identity.keyring
    member = federation.directory.find(own.owner)
    keys = [
        *(keys.public for keys in (ring.current, *ring.older)),
        *(() if member is None else (*member.keys, *member.retired)),
    ]
    fresh, head = verify_own_slips(own, part, federation.identity, keys)
    first = log_store.append_leaves(connection, own, [slip.leaf for slip in fresh], page.now)
    beside = [(first + place, slip.beside) for place, slip in enumerate(fresh) if len(slip.beside) == 2]
    log_store.save_attachments(connection, own.id, [(index, sealed) for index, (sealed, _) in beside if sealed])
    log_store.save_counterfoils(connection, own.id, [(index, kept) for index, (_, kept) in beside if kept])
    if own.size < head.log_size:
        _save(federation, page, msgspec.structs.replace(recovery, end=own.size))
        return len(fresh)
    if statement.ack_size != own.size or statement.ack_root != own.root:
        raise BadEnvelope("the hub acknowledges other slips than it gave back", reason="bad_own_slips")
    log_store.save_acked(connection, own, own.size)
    _go_on(federation, page, recovery, own, statement.ack_epoch)
    return len(fresh)


def _answers(received: Received, recovery: Recovery) -> bool:
    part = received.payload.recovery
    return isinstance(part, OwnSlips) and part.nonce.hex() == recovery.nonce


def _go_on(federation: Federation, page: Page, recovery: Recovery, own: Log, known_epoch: int) -> None:
    """All our slips are here again: the log goes on under an epoch that nobody has heard of."""
    before = own.epoch
    epoch = choose_epoch(max(before, known_epoch), bytes.fromhex(recovery.nonce))
    log_store.raise_epoch(page.connection, own, epoch)
    end = own.size
    federation.write_slip(page, federation.hub.hub, Restored(own.epoch, end))
    _save(federation, page, msgspec.structs.replace(recovery, phase=RecoveryPhase.REPLAYING, end=end, before=before))


def hear(federation: Federation, page: Page, received: Received, recovery: Recovery, own: Log) -> Recovery:
    """Return the recovery after the hub's word on whether it holds our `Restored`.

    Where it took something else in its place, an envelope of the lost book or of an earlier recovery was on its way and
    arrived first. Then our word is taken back, unheard, and what arrived is pulled like the rest.
    """
    statement = received.statement
    if statement.ack_size <= recovery.end:
        return recovery
    if statement.ack_epoch == own.epoch:
        after = msgspec.structs.replace(recovery, is_heard=True)
    else:
        log_store.cut_back(page.connection, own, recovery.end, recovery.before)
        nonce = federation.entropy(16).hex()
        after = msgspec.structs.replace(recovery, phase=RecoveryPhase.PULLING, nonce=nonce)
    _save(federation, page, after)
    return after


def replay(
    federation: Federation,
    page: Page,
    received: Received,
    recovery: Recovery,
    first: int,
    slips: Sequence[tuple[Slip, list[Opened]]],
) -> bool:
    """Book the hub's slips and our own again, each when it can have happened; return whether more is to come."""
    # An older envelope, delivered late, may hold nothing new although the hub has more for us: only an answer to this
    # recovery's question says that nothing from before the loss is still to come.
    is_end_of_log = _answers(received, recovery) and not slips
    queue = [(first + place, slip, opened) for place, (slip, opened) in enumerate(slips)]
    step = Step(recovery.booked, recovery.epoch)
    pause_at = recovery.booked + SLIPS_AT_ONCE
    while True:
        while queue and (step.booked == recovery.end or _needs(queue[0]) <= step.booked):
            federation.apply_slip(page, *queue.pop(0))
        if step.booked == recovery.end or (step.booked >= pause_at and not queue):
            break
        # Rights that one of our slips spent may come with the hub's next slips: they are waited for.
        if not _book_own(federation, page, step, may_wait=not is_end_of_log and not queue):
            break
    is_done = step.booked == recovery.end and is_end_of_log
    after = msgspec.structs.replace(
        recovery,
        booked=step.booked,
        epoch=step.epoch,
        unplaced=recovery.unplaced + step.unplaced,
        reopened=recovery.reopened + step.reopened,
    )
    _save(federation, page, None if is_done else after)
    return not is_done


def _needs(waiting: tuple[int, Slip, list[Opened]]) -> int:
    _, slip, opened = waiting
    return find_needed(slip, [one[1] for one in opened if not isinstance(one, Refusal)])


def _book_own(federation: Federation, page: Page, step: Step, *, may_wait: bool) -> bool:
    """Book our next slip again; False, with nothing done, where it spends what may still come."""
    own = log_store.open_log(page.connection, federation.identity.code, federation.hub.hub)
    index = step.booked
    slip = decode_slip(log_store.load_leaf(page.connection, own.id, index))
    for message in slip.messages:
        if isinstance(message, Restored):
            step.epoch = message.epoch
    cede = find_cede(slip)
    if cede is not None and not _book_cede(federation, page, step, slip, cede, may_wait=may_wait):
        return False
    for message in slip.messages:
        if isinstance(message, Recall):
            store.save_recall(page.connection, message.epoch, message.index, message.places, "asked")
    if federation.conversions is not None:
        federation.conversions.hear_own(page, index, slip)
    step.booked += 1
    return True


def _book_cede(federation: Federation, page: Page, step: Step, slip: Slip, cede: Cede, *, may_wait: bool) -> bool:
    """Debit again what a slip of ours took from its givers, and keep its cessions."""
    connection, index = page.connection, step.booked
    kept = _open_counterfoil(federation, connection, index, cede)
    amounts = draws_of(cede)
    ids = federation.ensure_any_lots(page, cede.lots)
    parts = [tuple((ids[key], Cents(cents)) for key, cents in sum_draws(draws).items()) for draws in amounts]
    accounts = (NOBODY,) * cede.count if kept is None else kept.accounts
    federation.ledger.flush(page)
    missing = _find_missing(connection, accounts, parts)
    if missing and may_wait:
        return False
    home = _home_lots(federation, ids)
    for place, shortage in missing.items():
        _bring(federation, page, step, place, accounts[place], shortage, home)
    taker = TerritoryCode(slip.to)
    numbers = {AccountNumber(account) for account in accounts if account}
    projects = federation.ledger.find_projects(page, numbers, _GIVE_BACK)
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
                debit=_key_of(accounts[place]),
                credit=TRANSIT,
                cents=Cents(cents),
                draws=part,
                reference=reference,
            )
        )
        term = cede.terms[place] if cede.terms else 0
        rows.append((op, step.epoch, index, place, accounts[place], beneficiary, cents, term, "", ""))
    for answer in federation.ledger.post(page, postings):
        if isinstance(answer, Refusal):
            federation.note_break(page, f"our slip {index}", "cessions booked again", str(answer))
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


def _key_of(account: str) -> AccountKey:
    return AccountNumber(account) if account else UNCLAIMED


def _open_counterfoil(federation: Federation, connection: Connection, index: int, cede: Cede) -> Counterfoil | None:
    """Return what we kept of the slip, or None where it is gone or cannot be read any more."""
    own = log_store.open_log_or_empty(connection, federation.identity.code, federation.hub.hub)
    sealed = log_store.load_counterfoils(connection, own.id, index, 1).get(index)
    ring = federation.identity.keyring
    for keys in (ring.current, *ring.older) if sealed is not None else ():
        try:
            return decode_counterfoil(unseal(keys, sealed or b""), cede)
        except (Unreadable, NotCanonical, Malformed):
            continue
    return None


def _find_missing(
    connection: Connection, accounts: Sequence[str], parts: Sequence[tuple[tuple[LotId, Cents], ...]]
) -> dict[int, dict[LotId, int]]:
    """Return, by place, the cents of each lot that its giver does not hold, after the places before it."""
    held: dict[str, dict[LotId, int]] = {}
    free: dict[str, int] = {}
    for account in set(accounts):
        try:
            balance = load_balance(connection, _key_of(account))
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


def _home_lots(federation: Federation, ids: Mapping[tuple[str, bytes], LotId]) -> frozenset[LotId]:
    return frozenset(lot for (issuer, _), lot in ids.items() if issuer == federation.identity.code)


def _bring(
    federation: Federation,
    page: Page,
    step: Step,
    place: int,
    account: str,
    missing: Mapping[LotId, int],
    home: frozenset[LotId],
) -> None:
    """Give an account what it must have had, and name it until a person says where it came from."""
    ensure_open(federation, page, step, account)
    for is_home, source in ((True, ISSUANCE), (False, BORDER)):
        part = tuple((lot, Cents(cents)) for lot, cents in missing.items() if (lot in home) == is_home)
        if not part:
            continue
        cents = Cents(sum(cents for _, cents in part))
        op = derive_op("unplaced", step.epoch, step.booked, place, int(is_home))
        federation.post_or_break(
            page,
            Posting(
                op=Id16(op),
                kind=PostingKind.CEDE_IN,
                debit=source,
                credit=_key_of(account),
                cents=cents,
                draws=part,
                reference=f"unplaced, our slip {step.epoch}/{step.booked}/{place}",
            ),
        )
        store.insert_unplaced(
            page.connection, op=op, account=account, cents=cents, epoch=step.epoch, index=step.booked, place=place
        )
        step.unplaced += 1


def ensure_open(federation: Federation, page: Page, step: Step | None, account: str) -> None:
    """See that an account of this number is there and open, as it was when rights left it or reached it."""
    if not account:
        return
    number = AccountNumber(account)
    federation.ledger.flush(page)
    found = find_account(page.connection, number)
    if found is None:
        federation.ledger.open_accounts(
            page,
            [OpenAccount(op=Id16(derive_op("reopened", account)), number=number, kind=AccountKind.PERSON)],
        )
        if step is not None:
            step.reopened += 1
    elif found.state is AccountState.FROZEN:
        federation.ledger.change_states(page, [ChangeState(account=number, event=AccountEvent.REOPEN)])


# What arrived before the copy was lost: credited again, exactly as our own answer said.


def find_given_answer(federation: Federation, connection: Connection, forward: Forward) -> tuple[int, Answer] | None:
    """Return the answer that we gave to this slip before our book was lost, and where it stands in our log."""
    recovery = federation.recovery
    if recovery is None:
        return None
    answers = federation.given_answers
    if answers is None:
        own = log_store.open_log_or_empty(connection, federation.identity.code, federation.hub.hub)
        answers = federation.given_answers = _index_answers(connection, own.id, recovery)
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
    federation: Federation,
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
        column = open_column(cede, forwarded.sealed, origin=origin, keyring=federation.identity.keyring)
    except Unreadable:
        column = None  # too old to be kept by the hub: it is known that rights arrived, no longer for whom
    codes = dict(zip(answer.returned, answer.codes, strict=True))
    ids = federation.ensure_any_lots(page, cede.lots)
    home = _home_lots(federation, ids)
    beginning = begin_ops(forward, handed_at)
    postings: list[Posting] = []
    rows: list[tuple[object, ...]] = []
    for place, draws in enumerate(draws_of(cede)):
        if place in forward.skipped:
            continue
        account = NOBODY if column is None else column.numbers[place]
        op = arrival_op(beginning, place)
        if place not in codes:
            ensure_open(federation, page, None, account)
            drawn = [(ids[key], Cents(cents)) for key, cents in sum_draws(draws).items()]
            for is_home, source in ((True, abroad(TerritoryCode(origin))), (False, BORDER)):
                part = tuple((lot, cents) for lot, cents in drawn if (lot in home) == is_home)
                if part:
                    postings.append(
                        Posting(
                            op=Id16(op if is_home else foreign_op(op)),
                            kind=PostingKind.CEDE_IN,
                            debit=source,
                            credit=_key_of(account),
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
    for answered in federation.ledger.post(page, postings):
        if isinstance(answered, Refusal):
            federation.note_break(page, f"slip {forward.index} of {origin}", "credited again", str(answered))
    if column is not None or codes:
        store.insert_arrivals(page.connection, rows)


# What could not be placed: a person says from which account it had come.


class UnplacedUnknown(Refusal):
    """Facts: id."""

    code = "unplaced_unknown"


def sum_unplaced(connection: Connection) -> dict[str, int]:
    """Return, by issuer, the cents that stand here twice until somebody says from which account they had come."""
    drawn = [draw for row in store.load_unplaced(connection) for draw in load_draws(connection, Id16(bytes(row.op)))]
    names = load_lot_names(connection, {lot for lot, _ in drawn})
    sums: dict[str, int] = {}
    for lot, cents in drawn:
        sums[names[lot].issuer] = sums.get(names[lot].issuer, 0) + cents
    return sums


def settle_unplaced(
    federation: Federation, page: Page, items: Sequence[tuple[int, AccountNumber]]
) -> list[Posted | Refusal]:
    """Take from an account the rights that it had given at home, by an operation that the old copy had lost.

    Items: (id of the unplaced row, the account that rights were credited from: a pool, most often).
    """
    return [_settle_one(federation, page, id_, account) for id_, account in items]


def _settle_one(federation: Federation, page: Page, id_: int, account: AccountNumber) -> Posted | Refusal:
    row = store.find_unplaced(page.connection, id_)
    if row is None:
        return UnplacedUnknown(id=id_)
    brought = find_operation(page.connection, Id16(bytes(row.op)))
    assert brought.debit is not None, "what was brought has its posting"
    op = Id16(derive_op("settled", bytes(row.op).hex(), account))
    (answer,) = federation.ledger.post(
        page,
        [
            Posting(
                op=op,
                kind=PostingKind.CEDE_OUT,
                debit=account,
                credit=brought.debit,
                cents=Cents(row.cents),
                draws=load_draws(page.connection, Id16(bytes(row.op))),
                reference=f"settles unplaced {id_}",
            )
        ],
    )
    if isinstance(answer, Posted):
        store.save_settled(page.connection, id_, op, page.now)
    return answer
