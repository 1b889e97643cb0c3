"""Movements at home over HTTP: credits, reversals, reservations, and what became of an id."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from node.access.service import Grant, Scope
from node.desks.accounts.answers import (
    CreditAnswer,
    CreditLine,
    ReleaseAnswer,
    tell_credit,
    tell_credited,
    tell_operation,
    tell_reservation,
    tell_reversal,
    tell_totals,
)
from node.desks.accounts.calls_api import Call, answer
from node.desks.accounts.requests import (
    CreditItem,
    CreditLines,
    ReservationRequest,
    ReversalRequest,
    read_account,
    read_credit,
    read_credits,
)
from node.doors.bodies import read_lines
from node.federation import store as federation_store
from node.ledger.credits import Credited
from node.ledger.postings import Posted, Posting
from node.ledger.reading_service import find_operation, load_totals
from node.ledger.reservations import Reserve
from node.ledger.reversals import Reverse
from protocol.amounts import Cents, require_amount
from protocol.errors import Refusal
from protocol.identifiers import format_id, parse_id
from protocol.times import parse_instant


class OperationUnknown(Refusal):
    """Facts: id."""

    code = "operation_unknown"


async def credit(request: web.Request) -> web.Response:
    """Credit one or many accounts from a pool; a bad line harms no other."""
    call = Call(request)
    grant = await call.grant(Scope.CREDIT)
    read = read_credits(await request.read(), call.app.home)
    if read is None:
        return answer(CreditAnswer(await _credit_by_line(call, grant)))
    ids, batch = read
    grant.require(Scope.CREDIT, batch.pool)
    return answer(CreditAnswer(_tell(call, ids, await call.app.ledger.write(call.app.ledger.credit, batch))))


async def _credit_by_line(call: Call, grant: Grant) -> list[CreditLine]:
    """Do the same where a line cannot be read: the others are done, and each bad one is told why."""
    asked = await call.body(CreditLines)
    pool = read_account(asked.pool, call.app.home)
    grant.require(Scope.CREDIT, pool)
    lines: list[CreditLine | None] = [None] * len(asked.items)
    postings: list[Posting] = []
    places: list[int] = []
    ids: list[str] = []
    for place, item in enumerate(read_lines(asked.items, CreditItem)):
        if isinstance(item, tuple):
            [lines[place]] = _tell(call, [item[0]], [item[1]])
            continue
        try:
            postings.append(read_credit(pool, item, call.app.home))
            places.append(place)
            ids.append(item.id)
        except Refusal as refusal:
            [lines[place]] = _tell(call, [item.id], [refusal])
    if postings:
        posted = await call.app.ledger.write(call.app.ledger.post_groups, postings)
        for place, line in zip(places, _tell(call, ids, posted), strict=True):
            lines[place] = line
    return [line for line in lines if line is not None]


def _tell(call: Call, ids: Sequence[str], done: Credited | Sequence[Posted | Refusal]) -> list[CreditLine]:
    """Return the line of each id; count what was refused."""
    if isinstance(done, Credited):
        return tell_credited(ids, done)
    lines = [tell_credit(id_, one, call.language) for id_, one in zip(ids, done, strict=True)]
    for line in lines:
        if line.code:
            call.note_refused(line.code)
    return lines


async def reverse(request: web.Request) -> web.Response:
    """Take back a credit, or a part of it, as far as its rights are still there."""
    call = Call(request)
    grant = await call.grant(Scope.CREDIT)
    asked = await call.body(ReversalRequest)
    credit_id = parse_id(asked.credit)
    await call.require_posting(grant, Scope.CREDIT, credit_id)
    wanted = Reverse(
        op=parse_id(asked.id),
        undone=credit_id,
        cents=None if asked.cents is None else Cents(require_amount(asked.cents)),
        reference=asked.reference,
    )
    return answer(tell_reversal(await call.app.ledger.write(call.app.ledger.reverse, wanted)))


async def reserve(request: web.Request) -> web.Response:
    """Set a sum aside until it is released or its time is over."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = await call.body(ReservationRequest)
    number = read_account(asked.account, call.app.home)
    grant.require(Scope.CEDE, number)
    await call.app.guides.require_unguided(number)
    wanted = Reserve(
        op=parse_id(asked.id),
        account=number,
        cents=Cents(require_amount(asked.cents)),
        expires_at=parse_instant(asked.expires_at, "expires_at"),
    )
    made = await call.app.ledger.write(call.app.ledger.reserve, wanted)
    return answer(tell_reservation(made), 200 if made.is_repeat else 201)


async def release(request: web.Request) -> web.Response:
    """Free a reservation."""
    call = Call(request)
    await call.grant_unbound(Scope.CEDE)  # a reservation is named by its id alone: its account is not asked here
    released = await call.app.ledger.write(call.app.ledger.release, parse_id(request.match_info["id"]))
    return answer(ReleaseAnswer(format_id(released.op), str(released.state)))


async def show_operation(request: web.Request) -> web.Response:
    """Show what became of an id: posted, or refused and why."""
    call = Call(request)
    grant = await call.grant(Scope.READ)
    op = parse_id(request.match_info["id"])
    await call.require_posting(grant, Scope.READ, op)
    view = await call.app.ledger.read(find_operation, op)
    if view.state == "unknown":
        raise OperationUnknown(id=request.match_info["id"])
    return answer(tell_operation(view, call.language))


async def show_totals(request: web.Request) -> web.Response:
    """Show the territory's figures."""
    call = Call(request)
    await call.grant_unbound(Scope.READ)
    return answer(
        await call.app.book.read(
            lambda connection: tell_totals(
                load_totals(connection, call.app.home),
                federation_store.count_states(connection),
                federation_store.count_arrivals(connection),
            )
        )
    )
