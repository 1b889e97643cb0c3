"""Groups with a guide over HTTP: declared by the office, consented to by members, moved by what their guide signed."""

from __future__ import annotations

from aiohttp import web

from node.access.service import Scope
from node.desks.accounts.calls_api import Call, answer
from node.desks.accounts.groups_answers import (
    ConsentAnswer,
    GroupMadeAnswer,
    GroupMemberAnswer,
    tell_act,
    tell_group,
)
from node.desks.accounts.groups_requests import (
    ActRequest,
    ConsentRequest,
    GroupRequest,
    MandateRequest,
    MemberRequest,
    read_act_request,
    read_consent,
    read_group,
    read_mandate,
    read_member,
)
from node.desks.accounts.requests import read_account
from node.guides.acts import read_act
from node.guides.reading_service import find_consent, list_acts, load_group
from node.guides.service import LeaveGroup, Withdraw
from protocol.identifiers import AccountNumber, format_id, parse_id


def _group(call: Call) -> AccountNumber:
    return read_account(call.request.match_info["account"], call.app.home)


async def declare_group(request: web.Request) -> web.Response:
    """Let a group's account be moved by a guide alone, from now on."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    asked = read_group(await call.body(GroupRequest), call.app.home)
    account = await call.app.book.write(call.app.guides.declare, asked)
    return answer(GroupMadeAnswer(account, True))


async def show_group(request: web.Request) -> web.Response:
    """Show how many are in a group, and which guides may act for it today, or why not. Never who consents."""
    call = Call(request)
    account = await call.grant_account(Scope.READ)
    now = call.app.book.clock()
    view, acts = await call.app.book.read(lambda line: (load_group(line, account, now), list_acts(line, account)))
    return answer(tell_group(view, acts, call.app.home, call.language))


async def join_group(request: web.Request) -> web.Response:
    """Enter a member of a group."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    asked = read_member(await call.body(MemberRequest), _group(call), call.app.home)
    member = await call.app.book.write(call.app.guides.join, asked)
    return answer(GroupMemberAnswer(asked.account, member, True))


async def leave_group(request: web.Request) -> web.Response:
    """Let a member go, by the office or by a key bound to his own account: his consent counts no more."""
    call = Call(request)
    grant = await call.grant(Scope.ACCOUNTS)
    member = read_account(request.match_info["member"], call.app.home)
    grant.require(Scope.ACCOUNTS, member)
    asked = LeaveGroup(account=_group(call), member=member)
    await call.app.book.write(call.app.guides.leave, asked)
    return answer(GroupMemberAnswer(asked.account, member, False))


async def consent(request: web.Request) -> web.Response:
    """Consent to a guide, as a member."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    asked = read_consent(await call.body(ConsentRequest), _group(call), call.app.home)
    grant.require(Scope.CEDE, asked.member)
    op = await call.app.book.write(call.app.guides.consent, asked)
    return answer(ConsentAnswer(format_id(op), asked.account, False))


async def give_mandate(request: web.Request) -> web.Response:
    """Keep the digest of a paper by which the whole group consents to a guide."""
    call = Call(request)
    await call.grant_unbound(Scope.ACCOUNTS)
    asked = read_mandate(await call.body(MandateRequest), _group(call))
    op = await call.app.book.write(call.app.guides.consent, asked)
    return answer(ConsentAnswer(format_id(op), asked.account, False))


async def withdraw_consent(request: web.Request) -> web.Response:
    """Withdraw a consent, from the next act on: a member his own, the office a paper's."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    op = parse_id(request.match_info["id"])
    found = await call.app.book.read(lambda line: find_consent(line, op))
    grant.require(Scope.CEDE, "" if found is None else found.member)
    asked = Withdraw(account=_group(call), consent=op)
    await call.app.book.write(call.app.guides.withdraw, asked)
    return answer(ConsentAnswer(format_id(op), asked.account, True))


async def act_for_group(request: web.Request) -> web.Response:
    """Do what a guide signed, if he is one today and the group consents today."""
    call = Call(request)
    grant = await call.grant(Scope.CEDE)
    signed = read_act_request(await call.body(ActRequest))
    grant.require(Scope.CEDE, read_act(signed.words).account)
    view = await call.app.book.write(call.app.guides.act, signed)
    return answer(tell_act(view, call.app.home), 200 if view.is_repeat else 201)
