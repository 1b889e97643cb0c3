"""What each `citizen-miles node solidarity` command does in the process that holds the book."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from node.app import NodeApp
from node.desks.accounts.solidarity_answers import (
    ReceiverAnswer,
    tell_count,
    tell_enrolled,
    tell_gift,
    tell_gift_back,
    tell_operation_done,
    tell_pool,
    tell_pool_done,
    tell_progress,
)
from node.desks.accounts.solidarity_requests import (
    EnrolRequest,
    GiftReturnRequest,
    GiversRequest,
    OperationRequest,
    OrderRequest,
    PoolRequest,
    ReceiverLine,
    read_enrolment,
    read_gift_return,
    read_givers,
    read_operation,
    read_order,
    read_pool,
)
from node.solidarity.reading_service import list_counts, list_pool_sheets, list_receivers, load_count, load_gift
from protocol.identifiers import parse_id
from protocol.running import clock_service
from protocol.running.admin_client import Command

Asked = Mapping[str, Any]


def _language(asked: Asked) -> str:
    return str(asked.get("language", "fr"))


async def _open_pool(app: NodeApp, asked: Asked) -> Any:
    request = PoolRequest(**{name: asked[name] for name in PoolRequest.__struct_fields__})
    return msgspec.to_builtins(tell_pool_done(await app.book.write(app.solidarity.open_pools, read_pool(request))))


async def _pools(app: NodeApp, _asked: Asked) -> Any:
    return [msgspec.to_builtins(tell_pool(one)) for one in await app.book.read(list_pool_sheets)]


async def _givers(app: NodeApp, asked: Asked) -> Any:
    request = GiversRequest(id=asked["id"], givers=asked["givers"], listed=asked["listed"])
    wanted = read_givers(request, asked["pool"], app.home)
    return msgspec.to_builtins(tell_pool_done(await app.book.write(app.solidarity.list_givers, wanted)))


async def _enrol(app: NodeApp, asked: Asked) -> Any:
    lines = [ReceiverLine(account, number) for account, number in asked["receivers"]]
    wanted = read_enrolment(EnrolRequest(id=asked["id"], receivers=lines), asked["pool"], app.home)
    view = await app.book.write(app.solidarity.enrol, wanted)
    return msgspec.to_builtins(tell_enrolled(view, _language(asked)))


async def _receivers(app: NodeApp, asked: Asked) -> Any:
    find = partial(list_receivers, pool=parse_id(asked["pool"]), after=asked["after"], limit=asked["limit"])
    found = await app.book.read(find)
    return [msgspec.to_builtins(ReceiverAnswer(account, number)) for account, number in found.items()]


async def _open(app: NodeApp, asked: Asked) -> Any:
    request = OperationRequest(**{name: asked[name] for name in OperationRequest.__struct_fields__})
    wanted = read_operation(request, clock_service.entropy(16))
    view = await app.book.write(app.solidarity.open_operations, wanted)
    return msgspec.to_builtins(tell_operation_done(view, app.home))


async def _decide(app: NodeApp, asked: Asked) -> Any:
    wanted = read_order(OrderRequest(asked["id"], asked["event"]), asked["operation"])
    return msgspec.to_builtins(tell_operation_done(await app.book.write(app.solidarity.decide, wanted), app.home))


async def _go_on(app: NodeApp, asked: Asked) -> Any:
    view = await app.book.write(app.solidarity.go_on, parse_id(asked["operation"]))
    return msgspec.to_builtins(tell_progress(view))


async def _operations(app: NodeApp, _asked: Asked) -> Any:
    counts = await app.book.read(partial(list_counts, people_min=app.config.people_min))
    return [msgspec.to_builtins(tell_count(one, app.home)) for one in counts]


async def _operation(app: NodeApp, asked: Asked) -> Any:
    find = partial(load_count, op=parse_id(asked["operation"]), people_min=app.config.people_min)
    return msgspec.to_builtins(tell_count(await app.book.read(find), app.home))


async def _gift(app: NodeApp, asked: Asked) -> Any:
    return msgspec.to_builtins(
        tell_gift(await app.book.read(partial(load_gift, op=parse_id(asked["gift"]))), _language(asked))
    )


async def _take_back(app: NodeApp, asked: Asked) -> Any:
    wanted = read_gift_return(GiftReturnRequest(asked["id"]), asked["gift"])
    return msgspec.to_builtins(tell_gift_back(await app.book.write(app.solidarity.take_back, wanted)))


# What an old copy of the book does not do before it is the present again.
SOLIDARITY_WRITING: Final[Mapping[str, Command]] = {
    "solidarity_open_pool": _open_pool,
    "solidarity_givers": _givers,
    "solidarity_enrol": _enrol,
    "solidarity_open": _open,
    "solidarity_decide": _decide,
    "solidarity_go_on": _go_on,
    "solidarity_take_back": _take_back,
}
SOLIDARITY_READING: Final[Mapping[str, Command]] = {
    "solidarity_pools": _pools,
    "solidarity_receivers": _receivers,
    "solidarity_operations": _operations,
    "solidarity_operation": _operation,
    "solidarity_gift": _gift,
}
