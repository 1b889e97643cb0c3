"""Solidarity's door: pools, who may give, who receives, operations, and the pages that share them or give back.

Each is an operation of the accounts base, decided and saved in one page. What was asked under an id is answered again as
it was, and what the books refused is refused for ever with the same words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from node.federation.outgoing import derive_op
from node.federation.service import Federation
from node.ledger.accounts import AccountKind, AccountState
from node.ledger.errors import AccountClosed, AccountFrozen, AccountUnknown, KindMisfit, LedgerRefusal, NumberTaken
from node.ledger.fingerprints import compute_fingerprint, find_difference
from node.ledger.openings import OpenAccount, Opened
from node.ledger.postings import DRAWS_MAX, Posting, PostingKind
from node.ledger.reading_service import Standing, load_standings
from node.ledger.service import Ledger
from node.solidarity import store
from node.solidarity.errors import (
    AskedBefore,
    ClassUnknown,
    GiftNotReturnable,
    GiftUnknown,
    OperationEnded,
    OperationUnknown,
    PoolUnknown,
    SolidarityRefusal,
    TooManyReceivers,
)
from node.solidarity.noting_service import Noting
from node.solidarity.operations import (
    OFFERS_MAX,
    OVER,
    GiftState,
    Operation,
    OperationEvent,
    OperationState,
    Origin,
    advance,
    derive_number,
    derive_opening,
)
from node.solidarity.rules import RECEIVERS_MAX, PoolRule, require_title
from node.solidarity.sharing_service import SHARES_AT_ONCE, SharingService
from node.solidarity.store import KeptAsk, Pool
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.identifiers import AccountNumber, Id16, require_id
from protocol.times import read_day

LINES_MAX: Final = 1_000
_RECEIVING: Final = frozenset({AccountKind.PERSON, AccountKind.GROUP})
_ENROLLED_AT_ONCE: Final = 1_000
Answer = TypeVar("Answer", bound=msgspec.Struct)


class OpenPool(msgspec.Struct, frozen=True, kw_only=True):
    """Open a pool."""

    op: Id16
    title: str
    rule: PoolRule

    def __post_init__(self) -> None:
        require_id(self.op)
        require_title(self.title)


class ListGivers(msgspec.Struct, frozen=True, kw_only=True):
    """Put givers on a pool's list (accounts here by number, others by address), or take them off it."""

    op: Id16
    pool: Id16
    givers: tuple[str, ...]
    is_listed: bool

    def __post_init__(self) -> None:
        require_id(self.op)
        _require_lines(self.givers)


class Enrol(msgspec.Struct, frozen=True, kw_only=True):
    """Enrol accounts in a pool, each under a class; 0 takes an account out."""

    op: Id16
    pool: Id16
    lines: tuple[tuple[AccountNumber, int], ...]

    def __post_init__(self) -> None:
        require_id(self.op)
        _require_lines(self.lines)
        if len({account for account, _ in self.lines}) != len(self.lines):
            raise Malformed(field="lines", reason="each account stands once")


class OpenOperation(msgspec.Struct, frozen=True, kw_only=True):
    """Open an operation. `starts` and `until` are days, yyyymmdd; `salt` is fresh entropy, not part of the content."""

    op: Id16
    pool: Id16
    title: str
    starts: int
    until: int
    target: int
    salt: bytes

    def __post_init__(self) -> None:
        require_id(self.op)
        require_title(self.title)
        require_amount(self.target)
        read_day(self.starts)
        read_day(self.until)
        if self.until < self.starts:
            raise Malformed(field="until", reason="an operation ends after it starts")
        if len(self.salt) != 16:
            raise ValueError("a salt is 16 bytes of entropy")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the office decides of an operation: share, cancel or close."""

    op: Id16
    operation: Id16
    event: OperationEvent

    def __post_init__(self) -> None:
        require_id(self.op)
        if self.event is OperationEvent.END:
            raise ValueError("an operation ends by itself")


class TakeGiftBack(msgspec.Struct, frozen=True, kw_only=True):
    """A giver changes his mind before the operation is shared: all of a gift goes back to him."""

    op: Id16
    gift: Id16

    def __post_init__(self) -> None:
        require_id(self.op)
        if self.op == self.gift:
            raise Malformed(field="id", reason="a return has an id of its own")


class PoolView(msgspec.Struct, frozen=True):
    """A pool was opened, or its list changed."""

    op: bytes
    pool: bytes
    at: int
    is_repeat: bool = False


class EnrolledView(msgspec.Struct, frozen=True):
    """What became of each line: '' where it was done, or a code."""

    op: bytes
    pool: bytes
    at: int
    codes: tuple[str, ...]
    is_repeat: bool = False


class OperationView(msgspec.Struct, frozen=True):
    """An operation was opened, or something was decided of it."""

    op: bytes
    operation: bytes
    state: str
    number: str
    at: int
    is_repeat: bool = False


class GiftBackView(msgspec.Struct, frozen=True):
    """What went back of a gift; to another territory it is on its way."""

    op: bytes
    gift: bytes
    at: int
    cents: int
    giver: str
    back_op: bytes
    is_repeat: bool = False


class ProgressView(msgspec.Struct, frozen=True):
    """How far an operation is: shares looked at, or gifts that went back in this page. `moved` 0: nothing could be done."""

    operation: bytes
    state: str
    done: int
    total: int
    moved: int


class Solidarity:
    """The room of solidarity in the accounts base."""

    def __init__(
        self,
        ledger: Ledger,
        federation: Federation,
        *,
        at_once: int = SHARES_AT_ONCE,
        lots_at_once: int = DRAWS_MAX,
    ) -> None:
        self._ledger = ledger
        self._at_once = at_once
        self._noting = Noting(ledger, federation)
        self._sharing = SharingService(ledger, federation, self._noting, at_once=at_once, lots_at_once=lots_at_once)

    # What the office asks

    def open_pools(self, page: Page, items: Sequence[OpenPool]) -> list[PoolView | Refusal]:
        """Open pools."""
        return [
            _once(
                page,
                item.op,
                ("open pool", item.title, msgspec.json.encode(item.rule)),
                ("kind", "title", "rule"),
                PoolView,
                partial(self._open_pool, page, item),
            )
            for item in items
        ]

    def list_givers(self, page: Page, items: Sequence[ListGivers]) -> list[PoolView | Refusal]:
        """Change the lists of pools."""
        return [
            _once(
                page,
                item.op,
                ("list givers", item.pool, sorted(item.givers), item.is_listed),
                ("kind", "pool", "givers", "listed"),
                PoolView,
                partial(self._list_givers, page, item),
            )
            for item in items
        ]

    def enrol(self, page: Page, items: Sequence[Enrol]) -> list[EnrolledView | Refusal]:
        """Enrol accounts, change their class, or take them out. A bad line harms no other."""
        return [
            _once(
                page,
                item.op,
                ("enrol", item.pool, sorted(item.lines)),
                ("kind", "pool", "lines"),
                EnrolledView,
                partial(self._enrol, page, item),
            )
            for item in items
        ]

    def open_operations(self, page: Page, items: Sequence[OpenOperation]) -> list[OperationView | Refusal]:
        """Open operations, each with what earlier ones of its pool left."""
        return [
            _once(
                page,
                item.op,
                ("open operation", item.pool, item.title, item.starts, item.until, item.target),
                ("kind", "pool", "title", "starts", "until", "target"),
                OperationView,
                partial(self._open_operation, page, item),
            )
            for item in items
        ]

    def decide(self, page: Page, items: Sequence[Order]) -> list[OperationView | Refusal]:
        """Begin to share an operation, cancel it, or close it. Pages follow by `go_on`, or by themselves."""
        return [
            _once(
                page,
                item.op,
                ("decide", item.operation, str(item.event)),
                ("kind", "operation", "event"),
                OperationView,
                partial(self._decide, page, item),
            )
            for item in items
        ]

    def take_back(self, page: Page, items: Sequence[TakeGiftBack]) -> list[GiftBackView | Refusal]:
        """Let gifts go back to givers who changed their mind."""
        return [
            _once(
                page,
                item.op,
                ("take back", item.gift),
                ("kind", "gift"),
                GiftBackView,
                partial(self._take_back, page, item),
            )
            for item in items
        ]

    def _open_pool(self, page: Page, item: OpenPool) -> PoolView:
        store.insert_pool(page.connection, op=item.op, title=item.title, rule=item.rule, now=page.now)
        return PoolView(item.op, item.op, page.now)

    def _list_givers(self, page: Page, item: ListGivers) -> PoolView:
        pool = _load_pool(page, item.pool)
        store.save_givers(page.connection, pool.id, item.givers, is_listed=item.is_listed)
        return PoolView(item.op, item.pool, page.now)

    def _enrol(self, page: Page, item: Enrol) -> EnrolledView:
        pool = _load_pool(page, item.pool)
        self._ledger.flush(page)
        standings = load_standings(page.connection, {account for account, _ in item.lines})
        codes: list[str] = []
        fitting: dict[str, int] = {}
        for account, number in item.lines:
            try:
                if number:
                    _require_receiver(account, number, standings.get(account), pool.rule)
                    fitting[account] = number
            except Refusal as refusal:
                codes.append(refusal.code)
            else:
                codes.append("")
        known = store.load_classes(page.connection, pool.id, fitting)
        if store.count_receivers(page.connection, pool.id) + len(fitting) - len(known) > RECEIVERS_MAX:
            raise TooManyReceivers(most=RECEIVERS_MAX)
        store.delete_receivers(page.connection, pool.id, [account for account, number in item.lines if number == 0])
        store.save_receivers(page.connection, pool.id, fitting)
        return EnrolledView(item.op, item.pool, page.now, tuple(codes))

    def _open_operation(self, page: Page, item: OpenOperation) -> OperationView:
        pool = _load_pool(page, item.pool)
        number = self._open_account(page, item.op, "given to", AccountKind.SOLIDARITY)
        # Receivers see an account like others, whose number follows from the secret salt.
        outlet = self._open_account(page, item.salt, "outlet", AccountKind.GROUP)
        operation = Operation(
            id=store.load_next_operation(page.connection),
            op=item.op,
            pool_id=pool.id,
            title=item.title,
            number=number,
            outlet=outlet,
            salt=item.salt,
            starts=item.starts,
            until=item.until,
            target=item.target,
            state=OperationState.OPEN,
            opened_at=page.now,
            shared_at=None,
            ended_at=None,
            **dict.fromkeys(
                ("noted", "given", "gifts", "givers", "shared", "receivers", "handed", "missed", "places"), 0
            ),
        )
        store.insert_operation(page.connection, operation)
        self._carry_over(page, operation)
        return OperationView(item.op, item.op, str(operation.state), number, page.now)

    def _open_account(self, page: Page, seed: bytes, what: str, kind: AccountKind) -> AccountNumber:
        for offer in range(OFFERS_MAX):
            asked = OpenAccount(op=derive_opening(seed, what), number=derive_number(seed, what, offer), kind=kind)
            [opened] = self._ledger.open_accounts(page, [asked])
            if isinstance(opened, Opened):
                return opened.number
            if not isinstance(opened, NumberTaken):
                raise opened
        raise NumberTaken(number="-")

    def _carry_over(self, page: Page, operation: Operation) -> None:
        """Bring what is left in the pool's operations that are over into the new one."""
        for before in store.list_operations(page.connection):
            if before.pool_id != operation.pool_id or before.state not in OVER:
                continue
            before = self._noting.note(page, before)
            lots = self._sharing.find_free_lots(page, before)[:DRAWS_MAX]  # of more, the rest waits for the one after
            sheet = self._ledger.look_at(page, before.number)
            cents = sum(part for _, part in lots)
            if not cents or sheet is None or sheet.reserved or not self._noting.may_move(page, before):
                continue
            posting = Posting(
                op=Id16(derive_op("solidarity left", operation.op.hex(), before.op.hex())),
                kind=PostingKind.GIFT,
                debit=before.number,
                credit=operation.number,
                cents=Cents(cents),
                draws=tuple((lot, Cents(part)) for lot, part in lots),
            )
            self._ledger.post(page, [posting])

    def _decide(self, page: Page, item: Order) -> OperationView:
        operation = _load_operation(page, item.operation)
        match item.event:
            case OperationEvent.SHARE:
                operation = self._sharing.begin(page, operation)
            case OperationEvent.CANCEL:
                operation = self._cancel(page, operation)
            case _:
                after = advance(operation.state, item.event, operation=operation.op)
                store.save_operation(page.connection, operation.id, state=str(after))
                operation = store.load_operation(page.connection, operation.id)
        return OperationView(item.op, item.operation, str(operation.state), operation.number, page.now)

    def _cancel(self, page: Page, operation: Operation) -> Operation:
        after = advance(operation.state, OperationEvent.CANCEL, operation=operation.op)
        operation = self._noting.note(page, operation)
        store.let_all_wait(page.connection, operation.id, "operation_cancelled")
        store.save_operation(page.connection, operation.id, state=str(after))
        return self._noting.count(page, operation)

    def _take_back(self, page: Page, item: TakeGiftBack) -> GiftBackView:
        gifts = store.find_gifts(page.connection, item.gift)
        if not gifts:
            for operation in store.list_operations(page.connection):
                if operation.state is OperationState.OPEN:  # it may have reached one a moment ago
                    self._noting.note(page, operation)
            gifts = store.find_gifts(page.connection, item.gift)
        if not gifts:
            raise GiftUnknown(id=item.gift.hex())
        operation = store.load_operation(page.connection, gifts[0].operation_id)
        if operation.state is not OperationState.OPEN:
            raise OperationEnded(id=operation.op.hex(), state=str(operation.state))
        for gift in gifts:
            is_somebodys = gift.origin in (Origin.HOME, Origin.ABROAD)
            if gift.state not in (GiftState.HELD, GiftState.WAITS) or not is_somebodys:
                raise GiftNotReturnable(id=item.gift.hex(), state=gift.state)
        if not self._noting.may_move(page, operation):
            raise AccountFrozen(account=operation.number)
        if gifts[0].origin == Origin.ABROAD:
            self._noting.require_roads(page, gifts)
        done = self._noting.send_back(page, operation, gifts)
        for answer in done:
            if isinstance(answer, Refusal):
                raise answer
        cents = sum(gift.cents for gift in gifts)
        return GiftBackView(item.op, item.gift, page.now, cents, gifts[0].giver, bytes(done[0]))  # type: ignore[arg-type]

    # What follows by itself

    def go_on(self, page: Page, items: Sequence[Id16]) -> list[ProgressView | Refusal]:
        """Do the next page of each operation: note, share, give back."""
        answers: list[ProgressView | Refusal] = []
        for item in items:
            try:
                operation = _load_operation(page, item)
            except Refusal as refusal:
                answers.append(refusal)
            else:
                answers.append(self._go_on(page, operation))
        return answers

    def go_on_all(self, page: Page, items: Sequence[None]) -> list[int]:
        """Do a page of every operation; return how much was done. A worker repeats it until that is nothing."""
        answers: list[int] = []
        for _ in items:
            self._ledger.flush(page)
            operations = store.list_operations(page.connection)
            numbers = [number for one in operations for number in (one.number, one.outlet)]
            standings = load_standings(page.connection, numbers)
            busy = [one for one in operations if not _is_quiet(page, one, standings)]
            answers.append(sum(self._go_on(page, operation).moved for operation in busy))
        return answers

    def _go_on(self, page: Page, operation: Operation) -> ProgressView:
        operation = self._noting.note(page, operation)
        moved = self._noting.return_some(page, operation, limit=self._at_once)
        if operation.state is OperationState.SHARING:
            moved += self._sharing.pay_some(page, operation)
        elif operation.state is OperationState.CANCELLING and not store.list_gifts(
            page.connection, operation.id, state=str(GiftState.WAITS), limit=1
        ):
            state = advance(operation.state, OperationEvent.END, operation=operation.op)
            store.save_operation(page.connection, operation.id, state=str(state), ended_at=page.now)
        operation = store.load_operation(page.connection, operation.id)
        return ProgressView(operation.op, str(operation.state), operation.places, operation.receivers, moved)

    def forget_closed(self, page: Page, items: Sequence[str]) -> list[str]:
        """Take accounts that were closed out of every pool, after one of them; return where to go on, or '' at the end."""
        answers: list[str] = []
        for after in items:
            self._ledger.flush(page)
            accounts = store.load_enrolled(page.connection, after=after, limit=_ENROLLED_AT_ONCE)
            standings = load_standings(page.connection, accounts)
            closed = [account for account in accounts if standings[account].state is AccountState.CLOSED]
            for pool in store.list_pools(page.connection) if closed else ():
                store.delete_receivers(page.connection, pool.id, closed)
            answers.append(accounts[-1] if len(accounts) == _ENROLLED_AT_ONCE else "")
        return answers


def _is_quiet(page: Page, operation: Operation, standings: dict[str, Standing]) -> bool:
    """Tell whether nothing is to be done for an operation."""
    return (
        standings[operation.number].length == operation.noted
        and not standings[operation.outlet].cents
        and operation.state not in (OperationState.SHARING, OperationState.CANCELLING)
        and not store.list_gifts(page.connection, operation.id, state=str(GiftState.WAITS), limit=1)
    )


def _require_receiver(account: str, number: int, found: Standing | None, rule: PoolRule) -> None:
    if not 1 <= number <= rule.classes:
        raise ClassUnknown(receiver_class=number, classes=rule.classes)
    if found is None:
        raise AccountUnknown(account=account)
    if found.kind not in _RECEIVING:
        raise KindMisfit(kind=PostingKind.CESSION, debit=AccountKind.GROUP, credit=found.kind)
    if found.state is AccountState.CLOSED:
        raise AccountClosed(account=account)


def _require_lines(lines: Sequence[object]) -> None:
    if not 1 <= len(lines) <= LINES_MAX:
        raise Malformed(field="lines", reason=f"1 to {LINES_MAX} lines at once")


def _load_pool(page: Page, op: bytes) -> Pool:
    pool = store.find_pool(page.connection, op)
    if pool is None:
        raise PoolUnknown(id=op.hex())
    return pool


def _load_operation(page: Page, op: bytes) -> Operation:
    operation = store.find_operation(page.connection, op)
    if operation is None:
        raise OperationUnknown(id=op.hex())
    return operation


def _once(
    page: Page,
    op: Id16,
    values: Sequence[object],
    fields: Sequence[str],
    kind: type[Answer],
    do: Callable[[], Answer],
) -> Any:
    """Do what is asked under an id, or answer again what came of it. What stood in the book's way is remembered."""
    asked = compute_fingerprint("solidarity", values)
    kept = store.find_ask(page.connection, op)
    if kept is not None:
        field = find_difference(bytes(kept.asked), asked, fields)
        if field is not None:
            return IdMismatch(id=op.hex(), field=field)
        if kept.code:
            return AskedBefore(kept.code, json.loads(kept.facts))
        return msgspec.structs.replace(msgspec.json.decode(kept.answer, type=kind), is_repeat=True)
    try:
        done = do()
    except Refusal as refusal:
        if isinstance(refusal, SolidarityRefusal | LedgerRefusal):
            facts = json.dumps(refusal.facts, sort_keys=True, ensure_ascii=False)
            store.insert_ask(page.connection, KeptAsk(op, asked, refusal.code, facts, ""), page.now)
        return refusal
    store.insert_ask(page.connection, KeptAsk(op, asked, "", "", msgspec.json.encode(done).decode()), page.now)
    return done
