"""What each `citizen-miles node projects audit` command does in the process that holds the projects' book."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

import msgspec

from node.desks.projects.audits_answers import tell_audit
from node.desks.projects.audits_requests import read_signed_request
from node.governance.auditing.auditors_service import FoundConflict, MoveAuditor, list_conflicts, list_register
from node.governance.auditing.audits_service import (
    AnswerReport,
    AskAudit,
    DrawAudit,
    DropAudit,
    ToldReminder,
    list_reminders,
)
from node.governance.auditing.audits_store import list_auditors, list_views, load_mission
from node.governance.auditing.missions import ReminderKind
from node.governance.auditing.rules_store import load_audit_rules
from node.governance.bearers import require_registry
from node.governance.days import format_day, local_day, parse_day, write_day
from node.governance.errors import InvalidAudit
from node.governance.projects_service import require_proposer
from node.governance.service import Projects
from node.governance.skills import SkillCode
from protocol.book.service import Book
from protocol.identifiers import Id16, format_id, parse_id
from protocol.running.admin_client import Command
from protocol.times import format_instant

Asked = Mapping[str, Any]


class HoldsAudits(Protocol):
    """The app of the projects' base, as far as audits need it."""

    home: Any
    book: Book
    projects: Projects


def _id(value: Any) -> str:
    return format_id(Id16(bytes(value))) if value else ""


async def _rules(app: HoldsAudits, _asked: Asked) -> Any:
    rules = load_audit_rules(write_day(local_day(app.book.clock(), app.projects.settings.zone)))
    return {
        "criteria": [{"key": one.key, "fr": one.french, "en": one.english} for one in rules.criteria],
        "answer_days": rules.answer_days,
        "mission_days_min": rules.mission_days_min,
        "required": [
            {
                "target_min_cents": one.target_min,
                "auditors": one.auditors_min,
                "before_second": one.before_second,
                "before_end": one.before_end,
            }
            for one in rules.tiers
        ],
    }


async def _hand_in(app: HoldsAudits, asked: Asked) -> Any:
    taken = await app.book.write(app.projects.auditors.take, read_signed_request(asked["signed"]))
    return {"what": taken.what, "id": format_id(taken.id), "state": taken.state}


async def _found(app: HoldsAudits, asked: Asked) -> Any:
    told = FoundConflict(
        id=parse_id(asked["id"]),
        auditor=parse_id(asked["auditor"]),
        kind=asked["kind"],
        project=parse_id(asked["project"]) if asked.get("project") else b"",
        organisation=require_registry(asked["organisation"]) if asked.get("organisation") else "",
        reason=asked["reason"],
        by=asked["by"],
    )
    return {"conflict": format_id(await app.book.write(app.projects.auditors.find, told))}


async def _move(app: HoldsAudits, asked: Asked) -> Any:
    until = asked.get("until", "")
    told = MoveAuditor(
        id=parse_id(asked["id"]),
        auditor=parse_id(asked["auditor"]),
        away_until=parse_day(until, "until") if until else 0,
        leaves=asked.get("leaves", ""),
    )
    return {"auditor": format_id(await app.book.write(app.projects.auditors.move, told))}


async def _auditors(app: HoldsAudits, _asked: Asked) -> Any:
    known = {one.id: one for one in await app.book.read(list_auditors)}
    told = []
    for row in await app.book.read(list_register):
        one = known[Id16(bytes(row.id))]
        conflicts = await app.book.read(partial(list_conflicts, auditor=one.id))
        told.append(
            {
                "auditor": format_id(one.id),
                "title": row.title,
                "account": one.account,
                "kind": str(one.kind),
                "key": one.key.hex(),
                "place": one.place.name,
                "radius_m": one.radius,
                "skills": " ".join(one.skills),
                "from": format_day(one.from_day),
                "until": format_day(one.until_day),
                "away_until": format_day(one.away_until) if one.away_until else "",
                "missions": f"{one.open} of {one.missions_max}",
                "conflicts": len(conflicts),
                "left": row.ended_reason or ("key revoked" if row.revoked_at else ""),
            }
        )
    return told


async def _ask(app: HoldsAudits, asked: Asked) -> Any:
    told = AskAudit(
        id=parse_id(asked["id"]),
        project=parse_id(asked["project"]),
        instalment=int(asked["instalment"]),
        seats=int(asked["auditors"]),
        source=asked["source"],
        drawn_on=parse_day(asked["drawn_on"], "drawn_on"),
        due_on=parse_day(asked["due_on"], "due_on"),
        reason=asked["reason"],
        by=asked["by"],
        needed=tuple(SkillCode(one) for one in asked.get("skills", ())),
    )
    state = await app.book.write(app.projects.audits.ask, told)
    return {"audit": format_id(told.id), "state": str(state)}


async def _number(app: HoldsAudits, asked: Asked) -> Any:
    told = DrawAudit(audit=parse_id(asked["audit"]), number=asked["number"])
    state = await app.book.write(app.projects.audits.draw, told)
    return {"audit": format_id(told.audit), "state": str(state)}


async def _drop(app: HoldsAudits, asked: Asked) -> Any:
    told = DropAudit(id=parse_id(asked["id"]), audit=parse_id(asked["audit"]), by=asked["by"], reason=asked["reason"])
    state = await app.book.write(app.projects.audits.drop, told)
    return {"audit": format_id(told.audit), "state": str(state)}


async def _audits(app: HoldsAudits, asked: Asked) -> Any:
    views = await app.book.read(partial(list_views, project=parse_id(asked["project"])))
    return [msgspec.to_builtins(tell_audit(one)) for one in views]


async def _mission(app: HoldsAudits, asked: Asked) -> Any:
    row = await app.book.read(partial(load_mission, id_=parse_id(asked["mission"])))
    return {
        "mission": _id(row.id),
        "audit": _id(row.audit),
        "state": row.state,
        "answer_by": format_day(row.answer_by),
        "due_on": format_day(row.due_on),
        "reason": row.reason,
        "body": bytes(row.words).hex(),
        "key": bytes(row.signer).hex(),
        "signature": bytes(row.signature).hex(),
    }


async def _answer(app: HoldsAudits, asked: Asked) -> Any:
    try:
        digest = bytes.fromhex(asked.get("sha256", ""))
    except ValueError:
        raise InvalidAudit(field="sha256", reason="hexadecimal digits") from None
    told = AnswerReport(
        id=parse_id(asked["id"]),
        report=parse_id(asked["report"]),
        by=require_proposer(asked["by"]),
        text=asked["text"],
        digest=digest,
    )
    return {"answer": format_id(await app.book.write(app.projects.audits.answer, told))}


async def _reminders(app: HoldsAudits, _asked: Asked) -> Any:
    return [
        {
            "mission": _id(row.mission),
            "kind": row.kind,
            "account": row.account,
            "answer_by": format_day(row.answer_by),
            "due_on": format_day(row.due_on),
            "since": format_instant(row.at),
        }
        for row in await app.book.read(list_reminders)
    ]


async def _told(app: HoldsAudits, asked: Asked) -> Any:
    try:
        kind = ReminderKind(asked["kind"])
    except ValueError:
        raise InvalidAudit(field="kind", reason=f"one of {', '.join(ReminderKind)}") from None
    told = ToldReminder(mission=parse_id(asked["mission"]), kind=kind)
    return {"mission": asked["mission"], "told": await app.book.write(app.projects.audits.tell_reminders, told)}


AUDITS_COMMANDS: Final[Mapping[str, Command]] = {
    "audit_rules": _rules,
    "audit_hand_in": _hand_in,
    "audit_found": _found,
    "audit_move": _move,
    "auditors": _auditors,
    "audit_ask": _ask,
    "audit_number": _number,
    "audit_drop": _drop,
    "audits": _audits,
    "audit_mission": _mission,
    "audit_answer": _answer,
    "audit_reminders": _reminders,
    "audit_told": _told,
}
