"""Accounts over HTTP: open them, change them, read what they hold and what happened to them."""

from __future__ import annotations

from aiohttp import web

from node.access.service import Scope
from node.desks.accounts.answers import (
    NameAnswer,
    PastBalanceAnswer,
    StateAnswer,
    tell_account,
    tell_balance,
    tell_history,
    tell_opened,
    tell_statement,
)
from node.desks.accounts.calls_api import Call, answer
from node.desks.accounts.requests import NameRequest, OpenRequest, StateRequest, read_event, read_kind
from node.ledger.accounts import AccountEvent
from node.ledger.errors import AccountUnknown
from node.ledger.openings import ChangeState, ShowName
from node.ledger.reading_service import find_account, load_balance, load_balance_at, load_history, load_statement
from protocol.errors import Malformed
from protocol.identifiers import parse_id
from protocol.times import format_instant, parse_instant


async def open_account(request: web.Request) -> web.Response:
    """Open an account; the number is ours, the id the caller's."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    asked = await call.body(OpenRequest)
    opened = await call.app.open_account(parse_id(asked.id), read_kind(asked.kind), asked.shown_name)
    return answer(tell_opened(opened, call.app.home), 200 if opened.is_repeat else 201)


async def show_account(request: web.Request) -> web.Response:
    """Show an account."""
    call = Call(request)
    number = await call.grant_account(Scope.READ)
    found = await call.app.ledger.read(find_account, number)
    if found is None:
        raise AccountUnknown(account=number)
    return answer(tell_account(found, call.app.home))


async def change_state(request: web.Request) -> web.Response:
    """Freeze, reopen or close an account."""
    call = Call(request)
    number = await call.grant_account(Scope.ACCOUNTS)
    event = read_event((await call.body(StateRequest)).event)
    if event is AccountEvent.REOPEN:
        await call.grant_unbound(Scope.ACCOUNTS)  # who froze it may have done so because this very key was stolen
    ledger = call.app.ledger
    changed = await ledger.write(ledger.change_states, ChangeState(account=number, event=event))
    return answer(StateAnswer(changed.account, str(changed.state)))


async def show_name(request: web.Request) -> web.Response:
    """Choose the name that payers may see, masked; none with null."""
    call = Call(request)
    number = await call.grant_account(Scope.ACCOUNTS)
    asked = await call.body(NameRequest)
    ledger = call.app.ledger
    shown = await ledger.write(ledger.show_names, ShowName(account=number, shown_name=asked.shown_name))
    return answer(NameAnswer(shown.account, shown.shown_name))


async def show_balance(request: web.Request) -> web.Response:
    """Show a balance, lot by lot; or the sum at a past instant, `at`."""
    call = Call(request)
    number = await call.grant_account(Scope.READ)
    if "at" in request.query:
        instant = parse_instant(request.query["at"], "at")
        cents = await call.app.ledger.read(load_balance_at, number, instant)
        return answer(PastBalanceAnswer(number, format_instant(instant), int(cents)))
    return answer(tell_balance(number, await call.app.ledger.read(load_balance, number)))


async def show_history(request: web.Request) -> web.Response:
    """Show a page of an account's history, in either direction."""
    call = Call(request)
    number = await call.grant_account(Scope.READ)
    order = request.query.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise Malformed(field="order", reason="order is newest or oldest")
    page = await call.app.ledger.read(
        load_history,
        number,
        is_newest_first=order == "newest",
        cursor=call.whole("cursor"),
        limit=call.limit(),
    )
    return answer(tell_history(page))


async def show_statement(request: web.Request) -> web.Response:
    """Show a period of an account: opening, entries, closing, totals by kind."""
    call = Call(request)
    number = await call.grant_account(Scope.READ)
    start = parse_instant(request.query.get("from", "1970-01-01T00:00:00Z"), "from")
    end = parse_instant(request.query["to"], "to") if "to" in request.query else call.app.book.clock()
    return answer(tell_statement(await call.app.ledger.read(load_statement, number, start, end)))
