"""The federation over HTTP: cede, follow, recall, receive, and see whom an address would reach."""

from __future__ import annotations

from aiohttp import web

from node.access.service import Scope
from node.desks.accounts.answers import (
    ArrivalsAnswer,
    CessionsAnswer,
    CessionsDoneAnswer,
    tell_arrival,
    tell_ceded,
    tell_cession,
    tell_directory,
    tell_payee,
)
from node.desks.accounts.calls_api import Call, answer
from node.desks.accounts.cession_service import load_cession_told
from node.desks.accounts.requests import read_cession, read_cession_lines
from node.federation import store as federation_store
from node.federation.cessions import AskCession, CessionView
from node.federation.reading_service import load_cessions
from protocol.errors import Refusal
from protocol.identifiers import parse_address, parse_id, tidy_address


async def cede(request: web.Request) -> web.Response:
    """Cede rights, one or many times, to accounts here or far; a bad line harms no other."""
    call = Call(request)
    app, language = call.app, call.language
    grant = await call.grant(Scope.CEDE)
    items = read_cession_lines(await request.read())
    done: list[tuple[str, CessionView | Refusal | None]] = []
    wanted: list[AskCession] = []
    for item in items:
        if isinstance(item, tuple):
            done.append(item)
            continue
        try:
            asked = read_cession(item, app.home)
            grant.require(Scope.CEDE, asked.account)
            await app.guides.require_unguided(asked.account)
        except Refusal as refusal:
            done.append((item.id, refusal))
        else:
            wanted.append(asked)
            done.append((item.id, None))
    # One wait for all of them: they are written in one page, in their order.
    ceded = iter(await app.book.write(app.federation.cede_groups, wanted) if wanted else ())
    lines = []
    for id_, view in done:
        told = next(ceded) if view is None else view
        if isinstance(told, Refusal):
            call.note_refused(told.code)
        lines.append(tell_ceded(id_, told, app.home, language))
    return answer(CessionsDoneAnswer(lines))


async def show_cession(request: web.Request) -> web.Response:
    """Show where a cession stands, each step with its time."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    op = parse_id(request.match_info["id"])
    await call.require_posting(grant, Scope.READ, op)
    return answer(
        await call.app.book.read(
            lambda connection: load_cession_told(connection, op, home=call.app.home, language=call.language)
        )
    )


async def list_cessions(request: web.Request) -> web.Response:
    """List cessions sent to other territories, the newest first."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    account = call.query_account(grant)
    grant.require(Scope.READ, account or "")
    before, limit = call.whole("cursor"), call.limit()
    views, cursor = await call.app.book.read(
        lambda connection: load_cessions(connection, account=account, before=before, limit=limit)
    )
    return answer(CessionsAnswer([tell_cession(view, call.app.home, call.language) for view in views], cursor))


async def list_arrivals(request: web.Request) -> web.Response:
    """List cessions received from other territories, the newest first."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    account = call.query_account(grant)
    grant.require(Scope.READ, account or "")
    before, limit = call.whole("cursor"), call.limit()
    rows = await call.app.book.read(
        lambda connection: federation_store.load_arrivals(connection, account=account, before=before, limit=limit)
    )
    cursor = rows[-1].id if len(rows) == limit else None
    return answer(ArrivalsAnswer([tell_arrival(row, call.language) for row in rows], cursor))


async def recall(request: web.Request) -> web.Response:
    """Ask that a cession be stopped before it is handed over."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    op = parse_id(request.match_info["id"])
    await call.require_posting(grant, Scope.CEDE, op)
    if grant.account:
        await call.app.guides.require_unguided(grant.account)
    view = await call.app.book.write(call.app.federation.recall, op)
    return answer(tell_cession(view, call.app.home, call.language))


async def give_back(request: web.Request) -> web.Response:
    """Give what arrived back to its giver: the very same lots."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    op = parse_id(request.match_info["id"])
    arrived = await call.app.book.read(lambda connection: federation_store.find_arrival(connection, op))
    grant.require(Scope.CEDE, "" if arrived is None else arrived.account)
    if arrived is not None:
        await call.app.guides.require_unguided(arrived.account)
    view = await call.app.book.write(call.app.federation.give_back, op)
    return answer(tell_cession(view, call.app.home, call.language))


async def show_payee(request: web.Request) -> web.Response:
    """See whom an address would reach, before anything is sent."""
    call = Call(request)
    await call.grant(Scope.CEDE)
    address = parse_address(tidy_address(request.query.get("address", "")))
    return answer(tell_payee(address, await call.app.payees.ask(address), call.language))


async def show_directory(request: web.Request) -> web.Response:
    """Show the members of the federation."""
    call = Call(request)
    await call.grant(Scope.READ)
    return answer(tell_directory(call.app.federation.directory))
