"""Solidarity over HTTP: counts for everybody, gifts for their givers, pools, receivers and operations for the office."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from node.access.service import Scope
from node.desks.accounts.calls_api import NODE, Call, answer
from node.desks.accounts.solidarity_answers import (
    CountsAnswer,
    PoolsAnswer,
    ReceiverAnswer,
    ReceiversAnswer,
    tell_count,
    tell_enrolled,
    tell_gift,
    tell_gift_back,
    tell_operation_done,
    tell_pool,
    tell_pool_done,
)
from node.desks.accounts.solidarity_requests import (
    EnrolRequest,
    GiftReturnRequest,
    GiversRequest,
    OperationRequest,
    OrderRequest,
    PoolRequest,
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


async def list_solidarity(request: web.Request) -> web.Response:
    """List solidarity operations: what was given, by how many, and to how many where they are enough to hide in."""
    app = request.app[NODE]
    counts = await app.book.read(partial(list_counts, people_min=app.config.people_min))
    return answer(CountsAnswer([tell_count(one, app.home) for one in counts]))


async def show_solidarity(request: web.Request) -> web.Response:
    """Show the public count of one operation."""
    app = request.app[NODE]
    op = parse_id(request.match_info["id"])
    count = await app.book.read(partial(load_count, op=op, people_min=app.config.people_min))
    return answer(tell_count(count, app.home))


async def open_pool(request: web.Request) -> web.Response:
    """Open a pool: a rule that stands. It never changes."""
    call = Call(request)
    await call.grant_unbound(Scope.ADMIN)
    view = await call.app.book.write(call.app.solidarity.open_pools, read_pool(await call.body(PoolRequest)))
    return answer(tell_pool_done(view), 200 if view.is_repeat else 201)


async def list_pools(request: web.Request) -> web.Response:
    """List the pools with their rules."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    sheets = await call.app.book.read(list_pool_sheets)
    return answer(PoolsAnswer([tell_pool(one) for one in sheets]))


async def change_givers(request: web.Request) -> web.Response:
    """Put givers on a pool's list, or take them off it."""
    call = Call(request)
    await call.grant_unbound(Scope.ADMIN)
    asked = read_givers(await call.body(GiversRequest), request.match_info["id"], call.app.home)
    view = await call.app.book.write(call.app.solidarity.list_givers, asked)
    return answer(tell_pool_done(view), 200 if view.is_repeat else 201)


async def enrol_receivers(request: web.Request) -> web.Response:
    """Enrol accounts in a pool, each under a class that is a number. A bad line harms no other."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    asked = read_enrolment(await call.body(EnrolRequest), request.match_info["id"], call.app.home)
    view = await call.app.book.write(call.app.solidarity.enrol, asked)
    return answer(tell_enrolled(view, call.language), 200 if view.is_repeat else 201)


async def show_receivers(request: web.Request) -> web.Response:
    """List the accounts that are enrolled in a pool."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    pool, after, limit = parse_id(request.match_info["id"]), request.query.get("after", ""), call.limit()
    found = await call.app.book.read(partial(list_receivers, pool=pool, after=after, limit=limit))
    rows = [ReceiverAnswer(account, number) for account, number in found.items()]
    return answer(ReceiversAnswer(rows, rows[-1].account if len(rows) == limit else None))


async def open_solidarity(request: web.Request) -> web.Response:
    """Open an operation of a pool: days, a target, and an address to give to."""
    call = Call(request)
    await call.grant_unbound(Scope.ADMIN)
    asked = read_operation(await call.body(OperationRequest), clock_service.entropy(16))
    view = await call.app.book.write(call.app.solidarity.open_operations, asked)
    return answer(tell_operation_done(view, call.app.home), 200 if view.is_repeat else 201)


async def decide_solidarity(request: web.Request) -> web.Response:
    """Share an operation, cancel it, or close it. What takes many pages goes on by itself."""
    call = Call(request)
    await call.grant_unbound(Scope.ADMIN)
    asked = read_order(await call.body(OrderRequest), request.match_info["id"])
    view = await call.app.book.write(call.app.solidarity.decide, asked)
    return answer(tell_operation_done(view, call.app.home), 200 if view.is_repeat else 201)


async def show_gift(request: web.Request) -> web.Response:
    """Show what became of a gift, under the id of the cession that brought it."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    gift = await call.app.book.read(partial(load_gift, op=parse_id(request.match_info["id"])))
    grant.require(Scope.READ, gift.giver)
    return answer(tell_gift(gift, call.language))


async def take_gift_back(request: web.Request) -> web.Response:
    """Change one's mind before the operation is shared: the very lots come back."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = read_gift_return(await call.body(GiftReturnRequest), request.match_info["id"])
    await call.require_posting(grant, Scope.CEDE, asked.gift)
    if grant.account:
        await call.app.guides.require_unguided(grant.account)
    view = await call.app.book.write(call.app.solidarity.take_back, asked)
    return answer(tell_gift_back(view), 200 if view.is_repeat else 201)
