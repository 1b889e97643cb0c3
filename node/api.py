"""A node's HTTP API for programs: tills, portals, scripts. JSON in, JSON out, whole cents, the caller's own ids."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from node.access.service import Grant, NotAuthorised, Scope, find_grant
from node.app import NodeApp
from node.description import describe_api
from node.federation import store as federation_store
from node.federation.service import load_cession, load_cessions
from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.errors import AccountUnknown
from node.ledger.openings import ChangeState, OpenAccount, Opened, ShowName
from node.ledger.postings import Posted
from node.ledger.reading_service import (
    find_account,
    find_operation,
    load_balance,
    load_balance_at,
    load_history,
    load_statement,
    load_totals,
)
from node.ledger.reservations import Reserve
from node.ledger.reversals import Reverse
from node.rendering import (
    account_row,
    address_of,
    balance_row,
    cession_row,
    history_row,
    operation_row,
    statement_row,
    totals_row,
)
from node.requests import (
    CessionItem,
    CessionRequest,
    CreditItem,
    CreditRequest,
    NameRequest,
    OpenRequest,
    ReservationRequest,
    ReversalRequest,
    StateRequest,
    read_account,
    read_cession,
    read_credit,
)
from protocol.amounts import Cents, require_amount
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.identifiers import Id16, make_account_number, parse_address, parse_id, tidy_address
from protocol.running import clock_service
from protocol.running.explanations import explain
from protocol.running.http_service import choose_language, make_application
from protocol.times import format_instant, parse_instant

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
PAGE_MAX: Final = 200
Body = TypeVar("Body")
_APP: Final = web.AppKey("node", NodeApp)


async def _grant(request: web.Request, scope: Scope) -> Grant:
    """Return what the caller's key allows. Raises NotAuthorised, NotAllowed."""
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text:
        raise NotAuthorised
    grant = await request.app[_APP].book.read(lambda connection: find_grant(connection, text.strip()))
    grant.require(scope)
    return grant


async def _body(request: web.Request, type_: type[Body]) -> Body:
    """Return the typed body. Raises Malformed."""
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(reason=str(error)) from None


def _answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", status=status)


def _whole(request: web.Request, name: str, default: int | None) -> int | None:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Malformed(reason=f"{name} is a whole number")
    return int(text)


def _limit(request: web.Request) -> int:
    limit = _whole(request, "limit", 50) or 50
    if limit > PAGE_MAX:
        raise Malformed(reason=f"limit is {PAGE_MAX} at most")
    return limit


def _refused(id_: str, refusal: Refusal, language: str) -> dict[str, Any]:
    return {
        "id": id_,
        "status": "refused",
        "code": refusal.code,
        "facts": refusal.facts,
        "explanation": explain(refusal.code, refusal.facts, language),
    }


def _mark_repeats(lines: Sequence[CreditItem | CessionItem]) -> set[int]:
    """Return the places of lines that repeat an id of the same request with another content."""
    seen: dict[str, CreditItem | CessionItem] = {}
    wrong: set[int] = set()
    for place, line in enumerate(lines):
        before = seen.setdefault(line.id, line)
        if before is not line and before != line:
            wrong.add(place)
    return wrong


async def open_account(request: web.Request) -> web.Response:
    """Open an account; the number is ours, the id the caller's."""
    app = request.app[_APP]
    await _grant(request, Scope.ACCOUNTS)
    asked = await _body(request, OpenRequest)
    try:
        kind = AccountKind(asked.kind)
    except ValueError:
        raise Malformed(reason=f"no kind of account is called {asked.kind}") from None
    opened: Opened = await app.ledger.write(
        app.ledger.open_accounts,
        OpenAccount(
            op=parse_id(asked.id),
            number=make_account_number(clock_service.entropy(16)),
            kind=kind,
            shown_name=asked.shown_name,
        ),
    )
    return _answer(
        {
            "id": asked.id,
            "number": opened.number,
            "address": address_of(opened.number, app.home),
            "kind": str(opened.kind),
            "opened_at": format_instant(opened.opened_at),
            "repeated": opened.is_repeat,
        },
        200 if opened.is_repeat else 201,
    )


async def show_account(request: web.Request) -> web.Response:
    """Show an account."""
    app = request.app[_APP]
    number = read_account(request.match_info["account"], app.home)
    (await _grant(request, Scope.READ)).require(Scope.READ, number)
    account = await app.ledger.read(find_account, number)
    if account is None:
        raise AccountUnknown(account=number)
    return _answer(account_row(account, app.home))


async def change_state(request: web.Request) -> web.Response:
    """Freeze, reopen or close an account."""
    app = request.app[_APP]
    await _grant(request, Scope.ACCOUNTS)
    asked = await _body(request, StateRequest)
    try:
        event = AccountEvent(asked.event)
    except ValueError:
        raise Malformed(reason="event is freeze, reopen or close") from None
    number = read_account(request.match_info["account"], app.home)
    changed = await app.ledger.write(app.ledger.change_states, ChangeState(account=number, event=event))
    return _answer({"account": changed.account, "state": str(changed.state)})


async def show_name(request: web.Request) -> web.Response:
    """Choose the name that payers may see, masked."""
    app = request.app[_APP]
    await _grant(request, Scope.ACCOUNTS)
    asked = await _body(request, NameRequest)
    number = read_account(request.match_info["account"], app.home)
    await app.ledger.write(app.ledger.show_names, ShowName(account=number, shown_name=asked.shown_name))
    return _answer({"account": number, "shown_name": asked.shown_name})


async def show_balance(request: web.Request) -> web.Response:
    """Show a balance, now or at a past instant."""
    app = request.app[_APP]
    number = read_account(request.match_info["account"], app.home)
    (await _grant(request, Scope.READ)).require(Scope.READ, number)
    if "at" in request.query:
        instant = parse_instant(request.query["at"], "at")
        cents = await app.ledger.read(load_balance_at, number, instant)
        return _answer({"account": number, "at": format_instant(instant), "cents": int(cents)})
    return _answer({"account": number} | balance_row(await app.ledger.read(load_balance, number)))


async def show_history(request: web.Request) -> web.Response:
    """Show a page of an account's history, in either direction."""
    app = request.app[_APP]
    number = read_account(request.match_info["account"], app.home)
    (await _grant(request, Scope.READ)).require(Scope.READ, number)
    order = request.query.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise Malformed(reason="order is newest or oldest")
    page = await app.ledger.read(
        load_history,
        number,
        is_newest_first=order == "newest",
        cursor=_whole(request, "cursor", None),
        limit=_limit(request),
    )
    return _answer(history_row(page))


async def show_statement(request: web.Request) -> web.Response:
    """Show a period of an account: opening, entries, closing, totals by kind."""
    app = request.app[_APP]
    number = read_account(request.match_info["account"], app.home)
    (await _grant(request, Scope.READ)).require(Scope.READ, number)
    start = parse_instant(request.query.get("from", "1970-01-01T00:00:00Z"), "from")
    end = parse_instant(request.query["to"], "to") if "to" in request.query else app.book.clock()
    return _answer(statement_row(await app.ledger.read(load_statement, number, start, end)))


async def credit(request: web.Request) -> web.Response:
    """Credit one or many accounts from a pool; a bad line harms no other."""
    app = request.app[_APP]
    grant = await _grant(request, Scope.CREDIT)
    asked = await _body(request, CreditRequest)
    language = choose_language(request)
    pool = read_account(asked.pool, app.home)
    grant.require(Scope.CREDIT, pool)
    repeated = _mark_repeats(asked.items)
    answers: list[dict[str, Any] | None] = [None] * len(asked.items)
    postings = []
    places = []
    for place, item in enumerate(asked.items):
        try:
            if place in repeated:
                raise IdMismatch(id=item.id, field="line")
            postings.append(read_credit(pool, item, app.home))
            places.append(place)
        except Refusal as refusal:
            answers[place] = _refused(item.id, refusal, language)
    if postings:
        posted = await app.book.write(app.ledger.post_groups, postings)
        for place, one in zip(places, posted, strict=True):
            id_ = asked.items[place].id
            answers[place] = (
                {
                    "id": id_,
                    "status": "repeated" if one.is_repeat else "done",
                    "at": format_instant(one.at),
                    "after_cents": one.credit_after,
                }
                if isinstance(one, Posted)
                else _refused(id_, one, language)
            )
    return _answer({"items": answers})


async def reverse(request: web.Request) -> web.Response:
    """Take back a credit as far as its rights are still there."""
    app = request.app[_APP]
    await _grant(request, Scope.CREDIT)
    asked = await _body(request, ReversalRequest)
    done = await app.ledger.write(
        app.ledger.reverse,
        Reverse(
            op=parse_id(asked.id),
            undone=parse_id(asked.credit),
            cents=None if asked.cents is None else Cents(require_amount(asked.cents)),
            reference=asked.reference,
        ),
    )
    return _answer(
        {
            "id": asked.id,
            "asked_cents": int(done.asked),
            "taken_cents": int(done.taken),
            "missing_cents": int(done.missing),
            "repeated": done.is_repeat,
        }
    )


async def reserve(request: web.Request) -> web.Response:
    """Set a sum aside."""
    app = request.app[_APP]
    grant = await _grant(request, Scope.CEDE)
    asked = await _body(request, ReservationRequest)
    number = read_account(asked.account, app.home)
    grant.require(Scope.CEDE, number)
    await app.ledger.write(
        app.ledger.reserve,
        Reserve(
            op=parse_id(asked.id),
            account=number,
            cents=Cents(require_amount(asked.cents)),
            expires_at=parse_instant(asked.expires_at, "expires_at"),
        ),
    )
    return _answer({"id": asked.id, "account": number, "cents": asked.cents}, 201)


async def release(request: web.Request) -> web.Response:
    """Free a reservation."""
    app = request.app[_APP]
    await _grant(request, Scope.CEDE)
    await app.ledger.write(app.ledger.release, parse_id(request.match_info["id"]))
    return _answer({"id": request.match_info["id"], "state": "released"})


async def cede(request: web.Request) -> web.Response:
    """Cede rights, one or many times, to accounts here or far."""
    app = request.app[_APP]
    grant = await _grant(request, Scope.CEDE)
    asked = await _body(request, CessionRequest)
    language = choose_language(request)
    repeated = _mark_repeats(asked.items)

    async def one(place: int, item: CessionItem) -> dict[str, Any]:
        try:
            if place in repeated:
                raise IdMismatch(id=item.id, field="line")
            number = read_account(item.giver, app.home)
            grant.require(Scope.CEDE, number)
            view = await app.book.write(app.federation.cede, read_cession(item, app.home, address_of(number, app.home)))
        except Refusal as refusal:
            return _refused(item.id, refusal, language)
        return {"status": "repeated" if view.is_repeat else "done"} | cession_row(view, language)

    rows = await asyncio.gather(*(one(place, item) for place, item in enumerate(asked.items)))
    return _answer({"items": rows})


async def show_cession(request: web.Request) -> web.Response:
    """Show where a cession stands."""
    app = request.app[_APP]
    await _grant(request, Scope.READ)
    op = parse_id(request.match_info["id"])
    view = await app.book.read(lambda connection: load_cession(connection, op))
    return _answer(cession_row(view, choose_language(request)))


async def list_cessions(request: web.Request) -> web.Response:
    """List cessions sent, the newest first."""
    app = request.app[_APP]
    grant = await _grant(request, Scope.READ)
    account = read_account(request.query["account"], app.home) if "account" in request.query else grant.account or None
    grant.require(Scope.READ, account or "")
    before, limit = _whole(request, "cursor", None), _limit(request)
    views, cursor = await app.book.read(
        lambda connection: load_cessions(connection, account=account, before=before, limit=limit)
    )
    language = choose_language(request)
    return _answer({"cessions": [cession_row(view, language) for view in views], "cursor": cursor})


async def list_arrivals(request: web.Request) -> web.Response:
    """List cessions received, the newest first."""
    app = request.app[_APP]
    grant = await _grant(request, Scope.READ)
    account = read_account(request.query["account"], app.home) if "account" in request.query else grant.account or None
    grant.require(Scope.READ, account or "")
    before, limit = _whole(request, "cursor", None), _limit(request)
    rows = await app.book.read(
        lambda connection: federation_store.load_arrivals(connection, account=account, before=before, limit=limit)
    )
    return _answer(
        {
            "arrivals": [
                {
                    "reference": f"{row.origin}/{row.epoch}/{row.ix}/{row.place}",
                    "account": row.account,
                    "cents": row.cents,
                    "from": row.giver,
                    "words": row.words,
                    "state": row.state,
                    "code": row.code,
                    "at": format_instant(row.at),
                }
                for row in rows
            ],
            "cursor": rows[-1].id if len(rows) == limit else None,
        }
    )


async def recall(request: web.Request) -> web.Response:
    """Ask that a cession be stopped before it is handed over."""
    app = request.app[_APP]
    await _grant(request, Scope.CEDE)
    view = await app.book.write(app.federation.recall, parse_id(request.match_info["id"]))
    return _answer(cession_row(view, choose_language(request)))


async def show_payee(request: web.Request) -> web.Response:
    """See whom an address would reach, before anything is sent."""
    app = request.app[_APP]
    await _grant(request, Scope.CEDE)
    address = parse_address(tidy_address(request.query.get("address", "")))
    reply = await app.payees.ask(address)
    return _answer(
        {
            "address": str(address),
            "answered": reply is not None,
            "takes_rights": None if reply is None else reply.takes_rights,
            "shown": "" if reply is None else reply.shown,
        }
    )


async def show_operation(request: web.Request) -> web.Response:
    """Show what became of an id."""
    app = request.app[_APP]
    await _grant(request, Scope.READ)
    op: Id16 = parse_id(request.match_info["id"])
    view = await app.ledger.read(find_operation, op)
    return _answer(operation_row(view, choose_language(request)), 404 if view.state == "unknown" else 200)


async def show_totals(request: web.Request) -> web.Response:
    """Show the territory's figures."""
    app = request.app[_APP]
    await _grant(request, Scope.READ)
    return _answer(totals_row(await app.ledger.read(load_totals, app.home)))


async def show_directory(request: web.Request) -> web.Response:
    """Show the members of the federation."""
    app = request.app[_APP]
    await _grant(request, Scope.READ)
    known = app.federation.directory
    return _answer(
        {
            "entries": known.size,
            "members": [
                {"member": member.code, "name": member.name, "kind": str(member.kind), "status": str(member.status)}
                for member in sorted(known.members.values(), key=lambda one: one.code)
            ],
        }
    )


async def show_description(_request: web.Request) -> web.Response:
    """Describe this API (OpenAPI 3.1)."""
    return _answer(describe_api(ROUTES))


ROUTES: Final = (
    ("POST", "/v1/accounts", open_account, OpenRequest),
    ("GET", "/v1/accounts/{account}", show_account, None),
    ("POST", "/v1/accounts/{account}/state", change_state, StateRequest),
    ("PUT", "/v1/accounts/{account}/shown-name", show_name, NameRequest),
    ("GET", "/v1/accounts/{account}/balance", show_balance, None),
    ("GET", "/v1/accounts/{account}/history", show_history, None),
    ("GET", "/v1/accounts/{account}/statement", show_statement, None),
    ("POST", "/v1/credits", credit, CreditRequest),
    ("POST", "/v1/reversals", reverse, ReversalRequest),
    ("POST", "/v1/reservations", reserve, ReservationRequest),
    ("DELETE", "/v1/reservations/{id}", release, None),
    ("POST", "/v1/cessions", cede, CessionRequest),
    ("GET", "/v1/cessions", list_cessions, None),
    ("GET", "/v1/cessions/{id}", show_cession, None),
    ("POST", "/v1/cessions/{id}/recall", recall, None),
    ("GET", "/v1/arrivals", list_arrivals, None),
    ("GET", "/v1/payee", show_payee, None),
    ("GET", "/v1/operations/{id}", show_operation, None),
    ("GET", "/v1/totals", show_totals, None),
    ("GET", "/v1/directory", show_directory, None),
    ("GET", "/v1/openapi.json", show_description, None),
)


def make_api(app: NodeApp) -> web.Application:
    """Return the node's application."""
    application = make_application(body_bytes_max=BODY_BYTES_MAX, probe=app.probe, metrics=app.metrics)
    application[_APP] = app
    for method, path, handler, _ in ROUTES:
        application.router.add_route(method, path, handler)
    return application
