"""What each `citizen-miles node group …` command does in the process that holds the accounts' book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from node.app import NodeApp
from node.desks.accounts.groups_answers import tell_act, tell_consent_row, tell_group
from node.desks.accounts.groups_requests import (
    ConsentRequest,
    GroupRequest,
    MandateRequest,
    MemberRequest,
    read_consent,
    read_group,
    read_mandate,
    read_member,
)
from node.desks.accounts.requests import read_account
from node.guides.acts import read_signed_act
from node.guides.reading_service import list_acts, list_consents, load_group
from node.guides.service import LeaveGroup, Withdraw
from protocol.identifiers import format_id, parse_id
from protocol.running.admin_client import Command

Asked = Mapping[str, Any]


def _language(asked: Asked) -> str:
    return str(asked.get("language", "fr"))


async def _declare(app: NodeApp, asked: Asked) -> Any:
    wanted = read_group(GroupRequest(id=asked["id"], account=asked["account"]), app.home)
    account = await app.book.write(app.guides.declare, wanted)
    return {"account": account, "guided": True}


async def _join(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home)
    wanted = read_member(MemberRequest(id=asked["id"], member=asked["member"]), account, app.home)
    return {"group": account, "member": await app.book.write(app.guides.join, wanted), "is_member": True}


async def _leave(app: NodeApp, asked: Asked) -> Any:
    account, member = (read_account(asked[name], app.home) for name in ("account", "member"))
    await app.book.write(app.guides.leave, LeaveGroup(account=account, member=member))
    return {"group": account, "member": member, "is_member": False}


async def _consent(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home)
    if asked.get("sha256"):
        paper = MandateRequest(id=asked["id"], guide=asked["guide"], sha256=asked["sha256"], days=asked["days"])
        wanted = read_mandate(paper, account)
    else:
        told = ConsentRequest(id=asked["id"], guide=asked["guide"], member=asked["member"], days=asked["days"])
        wanted = read_consent(told, account, app.home)
    op = await app.book.write(app.guides.consent, wanted)
    return {"consent": format_id(op), "group": account, "days": wanted.days}


async def _withdraw(app: NodeApp, asked: Asked) -> Any:
    account, op = read_account(asked["account"], app.home), parse_id(asked["consent"])
    await app.book.write(app.guides.withdraw, Withdraw(account=account, consent=op))
    return {"consent": format_id(op), "withdrawn": True}


async def _show(app: NodeApp, asked: Asked) -> Any:
    account, now = read_account(asked["account"], app.home), app.book.clock()
    view, acts, consents = await app.book.read(
        lambda line: (load_group(line, account, now), list_acts(line, account), list_consents(line, account))
    )
    told: dict[str, Any] = msgspec.to_builtins(tell_group(view, acts, app.home, _language(asked)))
    told["consents"] = [tell_consent_row(one) for one in consents]
    told["member_accounts"] = list(view.members)
    return told


async def _act(app: NodeApp, asked: Asked) -> Any:
    view = await app.book.write(app.guides.act, read_signed_act(asked["signed"]))
    return msgspec.to_builtins(tell_act(view, app.home))


GROUP_COMMANDS: Final[Mapping[str, Command]] = {
    "group_declare": _declare,
    "group_join": _join,
    "group_leave": _leave,
    "group_consent": _consent,
    "group_withdraw": _withdraw,
    "group_show": _show,
    "group_act": _act,
}
