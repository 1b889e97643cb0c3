"""What programs send to solidarity, as typed structs. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from node.desks.accounts.requests import AccountText, Id, read_account
from node.solidarity.operations import OperationEvent
from node.solidarity.rules import RECEIVERS_MAX, Givers, PoolRule, Sharing
from node.solidarity.service import LINES_MAX, Enrol, ListGivers, OpenOperation, OpenPool, Order, TakeGiftBack
from protocol.errors import Malformed
from protocol.identifiers import TerritoryCode, format_address, parse_address, parse_id, tidy_address
from protocol.times import parse_day, write_day

Word = Annotated[str, Meta(max_length=20)]
Title = Annotated[str, Meta(max_length=200)]
DayText = Annotated[str, Meta(max_length=10)]


class PoolRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Open a pool. `givers`: anybody, listed, companies. `sharing`: equal, weighted, fill. `units`: tenths, one a class."""

    id: Id
    title: Title
    givers: Annotated[list[Word], Meta(max_length=3)]
    sharing: Word = "equal"
    classes: int = 1
    units: Annotated[list[int], Meta(max_length=9)] = []
    ceiling_cents: int = 0
    level_cents: int = 0


class GiversRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Put givers on a pool's list (accounts here, or addresses elsewhere), or take them off it."""

    id: Id
    givers: Annotated[list[AccountText], Meta(min_length=1, max_length=LINES_MAX)]
    listed: bool = True


class ReceiverLine(Struct, frozen=True, forbid_unknown_fields=True, rename={"receiver_class": "class"}):
    """An account and its class; 0 takes it out."""

    account: AccountText
    receiver_class: int


class EnrolRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Enrol accounts in a pool. No reason is asked, and none is kept."""

    id: Id
    receivers: Annotated[list[ReceiverLine], Meta(min_length=1, max_length=LINES_MAX)]


class OperationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Open an operation of a pool. Days are yyyy-mm-dd, both included."""

    id: Id
    pool: Id
    title: Title
    starts: DayText
    until: DayText
    target_cents: int


class OrderRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """share, cancel or close."""

    id: Id
    event: Word


class GiftReturnRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Take a gift back: all of it, before the operation is shared."""

    id: Id


def read_pool(asked: PoolRequest) -> OpenPool:
    """Return what is asked. Raises Malformed."""
    try:
        givers = tuple(sorted({Givers(one) for one in asked.givers}))
        sharing = Sharing(asked.sharing)
    except ValueError:
        raise Malformed(field="givers", reason="anybody, listed, companies; equal, weighted or fill") from None
    rule = PoolRule(
        givers=givers,
        classes=asked.classes,
        sharing=sharing,
        units=tuple(asked.units),
        ceiling=asked.ceiling_cents,
        level=asked.level_cents,
    )
    return OpenPool(op=parse_id(asked.id), title=asked.title, rule=rule)


def read_givers(asked: GiversRequest, pool: str, home: TerritoryCode) -> ListGivers:
    """Return what is asked. Raises Malformed, InvalidAddress."""
    givers = tuple(_read_giver(one, home) for one in asked.givers)
    return ListGivers(op=parse_id(asked.id), pool=parse_id(pool), givers=givers, is_listed=asked.listed)


def _read_giver(text: str, home: TerritoryCode) -> str:
    """Return an account here by its number, one elsewhere by its address: as gifts name their givers."""
    tidy = tidy_address(text)
    if "@" in tidy and (address := parse_address(tidy)).territory != home:
        return format_address(address)
    return read_account(tidy, home)


def read_enrolment(asked: EnrolRequest, pool: str, home: TerritoryCode) -> Enrol:
    """Return what is asked. Raises Malformed, InvalidAddress."""
    lines = tuple((read_account(one.account, home), one.receiver_class) for one in asked.receivers)
    return Enrol(op=parse_id(asked.id), pool=parse_id(pool), lines=lines)


def read_receiver_lines(data: bytes) -> list[tuple[str, int]]:
    """Return account and class of each line `account;class` of a file. Raises Malformed, naming the line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed(field="file", reason="a file is UTF-8 text") from None
    lines: list[tuple[str, int]] = []
    for place, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        account, _, number = (part.strip() for part in line.partition(";"))
        if not account.isascii() or not 8 <= len(account) <= 40 or not (number.isascii() and number.isdigit()):
            raise Malformed(field="file", reason=f"line {place} is not account;class")
        if len(number) > 1:
            raise Malformed(field="file", reason=f"line {place}: a class is one digit")
        lines.append((account, int(number)))
        if len(lines) > RECEIVERS_MAX:
            raise Malformed(field="file", reason=f"at most {RECEIVERS_MAX} lines")
    if not lines:
        raise Malformed(field="file", reason="no line")
    return lines


def read_operation(asked: OperationRequest, salt: bytes) -> OpenOperation:
    """Return what is asked; `salt` is fresh entropy. Raises Malformed, InvalidTime, InvalidAmount."""
    return OpenOperation(
        op=parse_id(asked.id),
        pool=parse_id(asked.pool),
        title=asked.title,
        starts=write_day(parse_day(asked.starts, "starts")),
        until=write_day(parse_day(asked.until, "until")),
        target=asked.target_cents,
        salt=salt,
    )


def read_order(asked: OrderRequest, operation: str) -> Order:
    """Return what is asked. Raises Malformed."""
    if asked.event not in ("share", "cancel", "close"):
        raise Malformed(field="event", reason="event is share, cancel or close")
    return Order(op=parse_id(asked.id), operation=parse_id(operation), event=OperationEvent(asked.event))


def read_gift_return(asked: GiftReturnRequest, gift: str) -> TakeGiftBack:
    """Return what is asked. Raises Malformed."""
    return TakeGiftBack(op=parse_id(asked.id), gift=parse_id(gift))
