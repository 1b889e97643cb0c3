"""Audits by the doors: anybody reads what was asked and found; what auditors signed is handed in by any program with a key."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from node.desks.accounts.requests import AccountText, Id
from node.desks.projects.audits_answers import AuditsAnswer, MissionAnswer, tell_audit
from node.desks.projects.audits_requests import SignedRequest, read_mission, read_signed
from node.desks.projects.calls_api import Call, answer, door
from node.governance.auditing.audits_service import AnswerReport, ToldReminder
from node.governance.auditing.audits_store import list_missions_of, list_notices, list_views, load_mission
from node.governance.auditing.missions import ReminderKind
from node.governance.auditing.notices import write_notice
from node.governance.days import format_day
from node.governance.errors import InvalidAudit, MissionUnknown
from node.governance.reading_service import load_public_view
from protocol.identifiers import Id16, format_id, parse_id
from protocol.running.http_service import choose_language
from protocol.times import format_instant


class TakenAnswer(Struct, frozen=True):
    """Which kind of text it was, its id, and where things stand after it."""

    what: str
    id: str
    state: str


class AnswerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says to a report. `sha256` is of a file that proves it, or empty."""

    id: Id
    account: AccountText
    text: Annotated[str, Meta(max_length=2_000)]
    sha256: Annotated[str, Meta(max_length=64)] = ""


class AnsweredAnswer(Struct, frozen=True):
    answer: str


class NoticeLine(Struct, frozen=True):
    """What an auditor is told of a mission: `kind` offered, answer, due_soon or overdue, and a sentence in the caller's language."""

    mission: str
    title: str
    kind: str
    text: str
    answer_by: str
    due_on: str
    since: str


class NoticesAnswer(Struct, frozen=True):
    notices: list[NoticeLine]


class PassedOnRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which reminder the auditor of that account was told: answer, due_soon or overdue."""

    account: AccountText
    kind: ReminderKind


class PassedOnAnswer(Struct, frozen=True):
    """`passed_on` is false where it had been before, or there was none."""

    mission: str
    passed_on: bool


async def show_audits(request: web.Request) -> web.Response:
    """Show the audits of a project: missions in the order of their drawings, reports, and answers to them."""
    call = Call(request)
    id_ = parse_id(request.match_info["project"])
    await call.book.read(partial(load_public_view, id_=id_, today=call.today))
    views = await call.book.read(partial(list_views, project=id_))
    return answer(AuditsAnswer([tell_audit(one) for one in views]))


async def show_mission(request: web.Request) -> web.Response:
    """Show a mission as the base signed it, so that its auditor can reply and report."""
    call = Call(request)
    row = await call.book.read(partial(load_mission, id_=parse_id(request.match_info["mission"])))
    body = bytes(row.words).hex()
    words, digest = read_mission(body)
    return answer(
        MissionAnswer(
            mission=format_id(Id16(words.id)),
            audit=format_id(Id16(words.audit)),
            project=format_id(Id16(words.project)),
            title=words.title,
            territory=words.territory,
            instalment=words.instalment,
            criteria=list(words.criteria),
            answer_by=format_day(words.answer_by),
            due_on=format_day(words.due_on),
            state=row.state,
            digest=digest.hex(),
            body=body,
            key=bytes(row.signer).hex(),
            signature=bytes(row.signature).hex(),
        )
    )


async def hand_in(request: web.Request) -> web.Response:
    """Hand in what an auditor signed: to join, a conflict, a reply to a mission, a report."""
    call = Call(request)
    await call.grant()
    signed = read_signed(await call.body(SignedRequest))
    taken = await call.book.write(call.projects.auditors.take, signed)
    return answer(TakenAnswer(taken.what, format_id(taken.id), taken.state))


async def answer_report(request: web.Request) -> web.Response:
    """Say something to a report, so that its auditor may look again."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(AnswerRequest)
    try:
        digest = bytes.fromhex(asked.sha256)
    except ValueError:
        raise InvalidAudit(field="sha256", reason="hexadecimal digits") from None
    told = AnswerReport(
        id=parse_id(asked.id),
        report=parse_id(request.match_info["report"]),
        by=call.require_account(grant, asked.account),
        text=asked.text,
        digest=digest,
    )
    return answer(AnsweredAnswer(format_id(await call.book.write(call.projects.audits.answer, told))))


async def list_own_notices(request: web.Request) -> web.Response:
    """List what the auditor of an account is to be told: missions that are offered, and reminders that nobody passed on yet."""
    call = Call(request)
    grant = await call.grant()
    account = call.require_account(grant, request.query.get("account", ""))
    language = choose_language(request)
    return answer(
        NoticesAnswer(
            [
                NoticeLine(
                    mission=format_id(Id16(one.mission)),
                    title=one.title,
                    kind=one.kind,
                    text=write_notice(one, language),
                    answer_by=format_day(one.answer_by),
                    due_on=format_day(one.due_on),
                    since=format_instant(one.at),
                )
                for one in await call.book.read(partial(list_notices, account=account))
            ]
        )
    )


async def pass_on(request: web.Request) -> web.Response:
    """Say that a reminder reached its auditor: it is listed no more. Said again, it changes nothing."""
    call = Call(request)
    grant = await call.grant()
    asked = await call.body(PassedOnRequest)
    account, mission = call.require_account(grant, asked.account), parse_id(request.match_info["mission"])
    own = await call.book.read(partial(list_missions_of, account=account))
    if mission not in own:
        raise MissionUnknown(mission=format_id(mission))
    told = await call.book.write(call.projects.audits.tell_reminders, ToldReminder(mission=mission, kind=asked.kind))
    return answer(PassedOnAnswer(format_id(mission), told))


DOORS: Final = (
    door("/audit-notices", list_own_notices, NoticesAnswer, query="account", is_own=True),
    door("/audit-notices/{mission}", pass_on, PassedOnAnswer, body=PassedOnRequest),
    door("/audit-words", hand_in, TakenAnswer, body=SignedRequest),
    door("/missions/{mission}", show_mission, MissionAnswer),
    door("/reports/{report}/answers", answer_report, AnsweredAnswer, body=AnswerRequest),
    door("/{project}/audits", show_audits, AuditsAnswer),
)
