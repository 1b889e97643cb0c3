"""What a node tells of solidarity: counts to everybody, who is enrolled to the office, a gift to its giver. Pure."""

from __future__ import annotations

from msgspec import Struct

from node.desks.accounts.answers import address_of
from node.solidarity.reading_service import PoolSheet, PublicCount
from node.solidarity.service import EnrolledView, GiftBackView, OperationView, PoolView, ProgressView
from node.solidarity.store import Gift
from protocol.identifiers import format_id
from protocol.running.explanations import explain
from protocol.times import format_instant, read_day


class PoolDoneAnswer(Struct, frozen=True):
    """A pool was opened, or its list changed."""

    id: str
    pool: str
    at: str
    repeated: bool


class LineAnswer(Struct, frozen=True):
    """A line that was not done, by its place, and why."""

    line: int
    code: str
    explanation: str


class EnrolledAnswer(Struct, frozen=True):
    """How many lines were done, and which were not."""

    id: str
    pool: str
    at: str
    done: int
    refused: list[LineAnswer]
    repeated: bool


class OperationDoneAnswer(Struct, frozen=True):
    """An operation was opened, or something was decided of it. `address` is what people give to."""

    id: str
    operation: str
    state: str
    address: str
    at: str
    repeated: bool


class ProgressAnswer(Struct, frozen=True):
    """How far sharing is. `moved`: what was done in this page; 0 where nothing is left, or has to wait."""

    operation: str
    state: str
    done: int
    total: int
    moved: int


class CountAnswer(Struct, frozen=True):
    """What anybody may read of an operation. Cents; `givers` and `receivers` are null where they are too few."""

    id: str
    pool: str
    title: str
    address: str
    starts: str
    until: str
    state: str
    target_cents: int
    given_cents: int
    shared_cents: int
    givers: int | None
    receivers: int | None


class CountsAnswer(Struct, frozen=True):
    """The operations of this territory, the oldest first."""

    operations: list[CountAnswer]


class PoolAnswer(Struct, frozen=True):
    """A pool and its rule, as the office sees it."""

    id: str
    title: str
    givers: list[str]
    sharing: str
    classes: int
    units: list[int]
    ceiling_cents: int
    level_cents: int
    receivers: int
    opened_at: str


class PoolsAnswer(Struct, frozen=True):
    """The pools, the oldest first."""

    pools: list[PoolAnswer]


class ReceiverAnswer(Struct, frozen=True, rename={"receiver_class": "class"}):
    """An enrolled account and its class."""

    account: str
    receiver_class: int


class ReceiversAnswer(Struct, frozen=True):
    """Enrolled accounts in the order of their numbers; `after` goes on."""

    receivers: list[ReceiverAnswer]
    after: str | None


class GiftAnswer(Struct, frozen=True):
    """What became of a gift: held, waits (it goes back), back or kept; `code` says why it is not taken."""

    id: str
    at: str
    cents: int
    state: str
    code: str
    explanation: str


class GiftReturnAnswer(Struct, frozen=True):
    """What went back of a gift; to another territory it is on its way."""

    id: str
    gift: str
    at: str
    cents: int
    back: str
    repeated: bool


def tell_pool_done(view: PoolView) -> PoolDoneAnswer:
    return PoolDoneAnswer(format_id(view.op), format_id(view.pool), format_instant(view.at), view.is_repeat)


def tell_enrolled(view: EnrolledView, language: str) -> EnrolledAnswer:
    refused = [LineAnswer(line, code, explain(code, {}, language)) for line, code in enumerate(view.codes, 1) if code]
    return EnrolledAnswer(
        id=format_id(view.op),
        pool=format_id(view.pool),
        at=format_instant(view.at),
        done=len(view.codes) - len(refused),
        refused=refused,
        repeated=view.is_repeat,
    )


def tell_operation_done(view: OperationView, home: str) -> OperationDoneAnswer:
    return OperationDoneAnswer(
        id=format_id(view.op),
        operation=format_id(view.operation),
        state=view.state,
        address=address_of(view.number, home),
        at=format_instant(view.at),
        repeated=view.is_repeat,
    )


def tell_progress(view: ProgressView) -> ProgressAnswer:
    return ProgressAnswer(format_id(view.operation), view.state, view.done, view.total, view.moved)


def tell_count(count: PublicCount, home: str) -> CountAnswer:
    one = count.operation
    return CountAnswer(
        id=format_id(one.op),
        pool=format_id(count.pool),
        title=one.title,
        address=address_of(one.number, home),
        starts=read_day(one.starts).isoformat(),
        until=read_day(one.until).isoformat(),
        state=str(one.state),
        target_cents=one.target,
        given_cents=one.given,
        shared_cents=count.shared,
        givers=count.givers,
        receivers=count.receivers,
    )


def tell_pool(sheet: PoolSheet) -> PoolAnswer:
    rule = sheet.pool.rule
    return PoolAnswer(
        id=format_id(sheet.pool.op),
        title=sheet.pool.title,
        givers=[str(one) for one in rule.givers],
        sharing=str(rule.sharing),
        classes=rule.classes,
        units=list(rule.units),
        ceiling_cents=rule.ceiling,
        level_cents=rule.level,
        receivers=sheet.receivers,
        opened_at=format_instant(sheet.pool.at),
    )


def tell_gift(gift: Gift, language: str) -> GiftAnswer:
    return GiftAnswer(
        id=format_id(bytes(gift.op)),
        at=format_instant(gift.at),
        cents=gift.cents,
        state=gift.state,
        code=gift.code,
        explanation=explain(gift.code, {}, language) if gift.code else "",
    )


def tell_gift_back(view: GiftBackView) -> GiftReturnAnswer:
    return GiftReturnAnswer(
        id=format_id(view.op),
        gift=format_id(view.gift),
        at=format_instant(view.at),
        cents=view.cents,
        back=format_id(view.back_op),
        repeated=view.is_repeat,
    )
