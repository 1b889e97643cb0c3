"""What each `citizen-miles node projects` command does in the process that holds the projects' book."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import select

from node.desks.projects.answers import tell_drawing, tell_line, tell_project
from node.desks.projects.attestations_admin_commands import ATTESTATIONS_COMMANDS
from node.desks.projects.audits_admin_commands import AUDITS_COMMANDS
from node.desks.projects.passes_admin_commands import PASSES_COMMANDS
from node.desks.projects.requests import read_hex, read_sheet_request
from node.desks.projects.south_admin_commands import SOUTH_COMMANDS
from node.desks.projects.volunteering_admin_commands import VOLUNTEERS_COMMANDS
from node.doors.keys_admin_commands import KEY_COMMANDS
from node.governance import tables
from node.governance.bearers import Bearer, Proof, ProofKind, require_iban, require_registry
from node.governance.catalogue_service import load_payer_words
from node.governance.comments import CommentKind, CommentState
from node.governance.comments_service import AddComment, Moderate, list_comments
from node.governance.committee_service import (
    CloseList,
    DeclareConflict,
    EndMember,
    SeatMember,
    TellNumber,
    list_drawings,
    list_members,
)
from node.governance.days import format_day, local_day, parse_day, write_day
from node.governance.errors import InvalidBallot, InvalidProof, InvalidSheet
from node.governance.instalments import DueMark, count_waiting_days
from node.governance.parameters_store import load_committee_rules, load_themes
from node.governance.pictures import PICTURE_BYTES_MAX, CheckedPicture, require_picture
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.projects_service import EditProject, LeadProject, ProposeProject
from node.governance.reading_service import list_by, load_view
from node.governance.rounds_service import (
    ConfirmDue,
    ConvertRound,
    GiveSpending,
    JudgeSpending,
    Payer,
    SignedFinding,
    list_late_dues,
)
from node.governance.sheets import SHEET_BYTES_MAX
from node.governance.signers import FindingWords, IbanWords, SignerRole, read_public
from node.governance.signers_service import NewSigner, SignedChange, list_bearers, list_signers
from node.governance.store import load_bearer, load_proofs
from node.governance.votes import BALLOT_VERSION, College, read_ballot
from node.governance.votes_service import CallVote, CloseVote, Session, list_sessions, load_session
from node.projects_app import ProjectsApp
from protocol.amounts import require_amount
from protocol.errors import Malformed
from protocol.identifiers import Id16, format_id, parse_address, parse_id
from protocol.running.admin_client import Command
from protocol.times import format_instant, parse_instant

Asked = Mapping[str, Any]


def _today(app: ProjectsApp) -> int:
    return write_day(local_day(app.book.clock(), app.settings.zone))


def _id(text: str) -> Id16:
    """Return an id written with or without hyphens. Raises InvalidId."""
    return parse_id(text if "-" in text else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


def _optional_id(text: str) -> Id16 | None:
    return _id(text) if text else None


def _account(text: str, home: str) -> str:
    """Return an account's number, from its number or its address here."""
    if "@" not in text:
        return text
    address = parse_address(text)
    if address.territory != home:
        raise Malformed(field="account", reason=f"an account of {home}")
    return address.number


def _word(kind: Any, text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise Malformed(field=field, reason=f"one of {', '.join(kind)}") from None


# ---------------------------------------------------------------- projects


async def _words(app: ProjectsApp, _asked: Asked) -> Any:
    rules = load_committee_rules(_today(app))
    rows = [("theme", one) for one in load_themes(_today(app))] + [("criterion", one) for one in rules.criteria]
    return [{"kind": kind, "key": one.key, "fr": one.french, "en": one.english} for kind, one in rows]


def _read_picture(file: Path) -> CheckedPicture:
    with file.open("rb") as data:
        return require_picture(data.read(PICTURE_BYTES_MAX + 1))


async def _picture(app: ProjectsApp, asked: Asked) -> Any:
    picture = _read_picture(Path(asked["file"]))
    await app.book.write(app.projects.projects.keep_pictures, picture)
    return {"digest": picture.digest.hex(), "media": picture.media, "bytes": len(picture.body)}


def _read_sheet(asked: Asked) -> Any:
    if "sheet" in asked:
        return read_sheet_request(asked["sheet"])
    file = Path(asked["file"])
    if file.stat().st_size > SHEET_BYTES_MAX:
        raise InvalidSheet(field="file", reason=f"at most {SHEET_BYTES_MAX} bytes")
    try:
        return read_sheet_request(json.loads(file.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSheet(field="file", reason=f"not JSON: {error}"[:200]) from None


async def _propose(app: ProjectsApp, asked: Asked) -> Any:
    new = ProposeProject(id=_id(asked["id"]), sheet=_read_sheet(asked), by=_account(asked["by"], app.home))
    state = await app.book.write(app.projects.projects.propose, new)
    return {"project": format_id(new.id), "state": str(state)}


async def _edit(app: ProjectsApp, asked: Asked) -> Any:
    edit = EditProject(
        id=_id(asked["id"]), project=_id(asked["project"]), sheet=_read_sheet(asked), by=_account(asked["by"], app.home)
    )
    state = await app.book.write(app.projects.projects.edit, edit)
    return {"project": format_id(edit.project), "state": str(state)}


async def _lead(app: ProjectsApp, asked: Asked) -> Any:
    step = LeadProject(
        id=_id(asked["id"]),
        project=_id(asked["project"]),
        event=_word(ProjectEvent, asked["event"], "event"),
        by=asked["by"],
        reason=asked.get("reason", ""),
    )
    desk = app.projects.projects
    do = desk.appeal if step.event is ProjectEvent.APPEALED else desk.lead
    state = await app.book.write(do, step)
    return {"project": format_id(step.project), "state": str(state)}


async def _retry(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["project"])
    state = await app.book.write(app.projects.projects.retry, id_)
    return {"project": format_id(id_), "state": str(state)}


async def _list(app: ProjectsApp, asked: Asked) -> Any:
    states = (_word(ProjectState, asked["state"], "state"),) if asked.get("state") else ()
    found = await app.book.read(partial(list_by, states=states, theme=asked.get("theme", "")))
    return [msgspec.to_builtins(tell_line(one, app.home)) for one in found]


async def _show(app: ProjectsApp, asked: Asked) -> Any:
    view = await app.book.read(partial(load_view, id_=_id(asked["project"]), today=_today(app)))
    told: dict[str, Any] = msgspec.to_builtins(tell_project(view, app.home))
    told["proposer"] = view.project.proposer
    told["accounts_said"] = view.project.code
    told["open"] = view.report.open_reason
    waits = view.report.progress.audit_running or view.report.progress.audit_missing
    told["waits_for_audit"] = "" if waits is None else str(waits.facts["reason"])
    told["spendings"] = [
        one | {"id": format_id(Id16(bytes(row.id)))} for one, row in zip(told["spendings"], view.spendings, strict=True)
    ]
    told["rounds"] = [
        one | {"id": format_id(Id16(bytes(row.id))), "code": row.code, "iban": row.iban}
        for one, row in zip(told["rounds"], view.rounds, strict=True)
    ]
    told["payments"] = [one | {"code": row.code} for one, row in zip(told["payments"], view.dues, strict=True)]
    return told


async def _late(app: ProjectsApp, _asked: Asked) -> Any:
    today = local_day(app.book.clock(), app.settings.zone)
    return [
        {
            "project": format_id(Id16(bytes(row.project))),
            "round": row.number,
            "payer": row.payer,
            "cents": row.cents,
            "state": row.mark,
            "code": row.code,
            "waiting_days": count_waiting_days(DueMark(row.mark), local_day(row.at, "UTC"), today),
        }
        for row in await app.book.read(partial(list_late_dues, today=write_day(today)))
    ]


async def _catch_up(app: ProjectsApp, _asked: Asked) -> Any:
    return {"done": await app.projects.catch_up()}


# ---------------------------------------------------------------- bearers


async def _bearer_save(app: ProjectsApp, asked: Asked) -> Any:
    bearer = Bearer(
        id=_id(asked["id"]),
        registry=require_registry(asked["registry"]),
        name=asked["name"],
        category=asked["category"],
        holder_name=asked["holder"],
        iban=require_iban(asked["iban"]),
    )
    await app.book.write(app.projects.signers.save_bearers, bearer)
    return {"bearer": format_id(bearer.id), "registry": bearer.registry, "name": bearer.name}


async def _bearers(app: ProjectsApp, _asked: Asked) -> Any:
    return [
        {
            "bearer": format_id(one.id),
            "registry": one.registry,
            "name": one.name,
            "category": one.category,
            "holder": one.holder_name,
            "iban": one.iban,
        }
        for one in await app.book.read(list_bearers)
    ]


async def _proof_add(app: ProjectsApp, asked: Asked) -> Any:
    proof = Proof(
        id=_id(asked["id"]),
        bearer=_id(asked["bearer"]),
        kind=_word(ProofKind, asked["kind"], "kind"),
        digest=read_hex(asked["sha256"], "sha256"),
        issued_on=parse_day(asked["issued_on"], "issued_on"),
        valid_until=parse_day(asked["valid_until"], "valid_until"),
    )
    await app.book.write(app.projects.signers.add_proofs, proof)
    return {"proof": format_id(proof.id), "sha256": proof.digest.hex(), "valid_until": format_day(proof.valid_until)}


async def _proofs(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["bearer"])
    found = await app.book.read(lambda line: load_proofs(line, id_))
    return [
        {
            "proof": format_id(one.id),
            "kind": str(one.kind),
            "sha256": one.digest.hex(),
            "issued_on": format_day(one.issued_on),
            "valid_until": format_day(one.valid_until),
        }
        for one in found
    ]


async def _iban_words(app: ProjectsApp, asked: Asked) -> Any:
    """Return what is to be signed: of a change that is known, its own words."""
    id_ = _id(asked["id"])
    table = tables.iban_changes
    row = await app.book.read(lambda line: line.execute(select(table).where(table.c.id == id_)).first())
    if row is not None:
        bearer, holder, iban = Id16(bytes(row.bearer)), row.holder_name, row.iban
    else:
        bearer, holder, iban = _id(asked["bearer"]), asked["holder"], require_iban(asked["iban"])
        await app.book.read(lambda line: load_bearer(line, bearer))
    return {
        "id": format_id(id_),
        "territory": app.home,
        "bearer": format_id(bearer),
        "holder": holder,
        "iban": iban,
    }


async def _iban_sign(app: ProjectsApp, asked: Asked) -> Any:
    told = asked["words"]
    words = IbanWords(1, told["territory"], _id(told["id"]), _id(told["bearer"]), told["holder"], told["iban"])
    signed = SignedChange(
        words=words, key=read_hex(asked["key"], "key"), signature=read_hex(asked["signature"], "signature")
    )
    at = await app.book.write(app.projects.signers.change_ibans, signed)
    return {"id": told["id"], "waits_for": "" if at else "a second steward", "from": format_instant(at) if at else ""}


async def _iban_drop(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["id"])
    await app.book.write(app.projects.signers.drop_changes, id_)
    return {"id": format_id(id_), "dropped": True}


# ---------------------------------------------------------------- committee


async def _signer_add(app: ProjectsApp, asked: Asked) -> Any:
    new = NewSigner(
        role=_word(SignerRole, asked["role"], "role"),
        title=asked["title"],
        keys=read_public(asked["public"]),
        bearer=_optional_id(asked.get("bearer", "")),
    )
    key = await app.book.write(app.projects.signers.add, new)
    return {"key": key.hex(), "role": str(new.role), "title": new.title}


async def _signers(app: ProjectsApp, _asked: Asked) -> Any:
    return [
        {
            "key": bytes(row.key).hex(),
            "role": row.role,
            "title": row.title,
            "for": row.registry or "",
            "revoked": format_instant(row.revoked_at) if row.revoked_at else "",
        }
        for row in await app.book.read(list_signers)
    ]


async def _signer_revoke(app: ProjectsApp, asked: Asked) -> Any:
    key = await app.book.write(app.projects.signers.revoke, read_hex(asked["key"], "key"))
    return {"key": key.hex(), "revoked": True}


async def _member_seat(app: ProjectsApp, asked: Asked) -> Any:
    organisation = asked.get("organisation", "")
    member = SeatMember(
        id=_id(asked["id"]),
        key=read_hex(asked["key"], "key"),
        college=_word(College, asked["college"], "college"),
        from_day=parse_day(asked["from_day"], "from"),
        until_day=parse_day(asked["until_day"], "until"),
        organisation=require_registry(organisation) if organisation else "",
        account=_account(asked.get("account", ""), app.home),
        draw=_optional_id(asked.get("draw", "")),
    )
    await app.book.write(app.projects.committee.seat, member)
    return {"member": format_id(member.id), "college": str(member.college)}


async def _member_end(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["member"])
    await app.book.write(app.projects.committee.end, EndMember(id=id_, reason=asked["reason"]))
    return {"member": format_id(id_), "ended": True}


async def _members(app: ProjectsApp, _asked: Asked) -> Any:
    return [
        {
            "member": format_id(Id16(bytes(row.id))),
            "college": row.college,
            "title": row.title,
            "key": bytes(row.key).hex(),
            "from": format_day(row.from_day),
            "until": format_day(row.until_day),
            "organisation": row.organisation,
            "ended": format_instant(row.ended_at) if row.ended_at else "",
        }
        for row in await app.book.read(list_members)
    ]


async def _conflict(app: ProjectsApp, asked: Asked) -> Any:
    told = DeclareConflict(member=_id(asked["member"]), project=_id(asked["project"]), reason=asked["reason"])
    await app.book.write(app.projects.committee.declare, told)
    return {"member": format_id(told.member), "project": format_id(told.project), "abstains": True}


async def _draw_close(app: ProjectsApp, asked: Asked) -> Any:
    closed = CloseList(
        id=_id(asked["id"]),
        college=asked["college"],
        seats=int(asked["seats"]),
        source=asked["source"],
        drawn_on=parse_day(asked["drawn_on"], "drawn_on"),
        candidates=tuple(_account(one, app.home) for one in asked["candidates"]),
    )
    return msgspec.to_builtins(tell_drawing(await app.book.write(app.projects.committee.close_lists, closed)))


async def _draw_number(app: ProjectsApp, asked: Asked) -> Any:
    told = TellNumber(id=_id(asked["draw"]), number=asked["number"])
    return msgspec.to_builtins(tell_drawing(await app.book.write(app.projects.committee.draw, told)))


async def _draws(app: ProjectsApp, _asked: Asked) -> Any:
    return [msgspec.to_builtins(tell_drawing(one)) for one in await app.book.read(list_drawings)]


def _tell_session(one: Session) -> dict[str, Any]:
    return {
        "session": format_id(one.id),
        "project": format_id(one.project),
        "opens_at": format_instant(one.opens_at),
        "closes_at": format_instant(one.closes_at),
        "appeal": one.is_appeal,
        "outcome": one.outcome or "",
        "reason": one.reason,
        "decision": one.decision.hex() if one.decision else "",
    }


async def _vote_call(app: ProjectsApp, asked: Asked) -> Any:
    now = app.book.clock()
    opens_at = parse_instant(asked["opens_at"], "opens_at") if asked.get("opens_at") else now
    called = CallVote(
        id=_id(asked["id"]),
        project=_id(asked["project"]),
        opens_at=opens_at,
        closes_at=parse_instant(asked["closes_at"], "closes_at"),
    )
    return _tell_session(await app.book.write(app.projects.votes.call, called))


async def _vote_words(app: ProjectsApp, asked: Asked) -> Any:
    """Return what a member needs to sign a ballot at home."""
    id_ = _id(asked["session"])
    session = await app.book.read(lambda line: load_session(line, id_))
    return {
        "version": BALLOT_VERSION,
        "territory": app.home,
        "session": format_id(session.id),
        "project": format_id(session.project),
        "sheet": session.sheet.hex(),
        "closes_at": format_instant(session.closes_at),
        "criteria": [{"key": one.key, "max": one.max} for one in session.rules.criteria],
    }


async def _vote_cast(app: ProjectsApp, asked: Asked) -> Any:
    try:
        data = bytes.fromhex("".join(asked["ballot"].split()))
    except ValueError:
        raise InvalidBallot(reason="a ballot is hexadecimal digits") from None
    member = await app.book.write(app.projects.votes.cast, read_ballot(data))
    return {"member": format_id(member), "taken": True}


async def _vote_close(app: ProjectsApp, asked: Asked) -> Any:
    closed = CloseVote(session=_id(asked["session"]), by=asked.get("by", ""), reason=asked.get("reason", ""))
    return _tell_session(await app.book.write(app.projects.votes.close, closed))


async def _votes(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["project"])
    return [_tell_session(one) for one in await app.book.read(lambda line: list_sessions(line, id_))]


async def _minutes(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["session"])
    session = await app.book.read(lambda line: load_session(line, id_))
    return _tell_session(session) | {
        "document": (session.minutes or b"").hex(),
        "signature": (session.signature or b"").hex(),
        "signer": (session.signer or b"").hex(),
    }


# ---------------------------------------------------------------- comments


async def _comment(app: ProjectsApp, asked: Asked) -> Any:
    new = AddComment(
        id=_id(asked["id"]),
        project=_id(asked["project"]),
        kind=_word(CommentKind, asked["kind"], "kind"),
        author=_account(asked["by"], app.home),
        text=asked["text"],
        answers=_optional_id(asked.get("answers", "")),
    )
    state = await app.book.write(app.projects.comments.add, new)
    return {"comment": format_id(new.id), "state": str(state)}


async def _comments(app: ProjectsApp, asked: Asked) -> Any:
    id_ = _id(asked["project"])
    return [
        {
            "comment": format_id(Id16(bytes(row.id))),
            "kind": row.kind,
            "author": row.author,
            "state": row.state,
            "text": row.text,
            "reason": row.reason,
        }
        for row in await app.book.read(lambda line: list_comments(line, id_))
    ]


async def _moderate(app: ProjectsApp, asked: Asked) -> Any:
    told = Moderate(
        comment=_id(asked["comment"]),
        state=_word(CommentState, asked["state"], "state"),
        by=asked["by"],
        reason=asked.get("reason", ""),
    )
    state = await app.book.write(app.projects.comments.moderate, told)
    return {"comment": format_id(told.comment), "state": str(state)}


# ---------------------------------------------------------------- money


async def _payer_add(app: ProjectsApp, asked: Asked) -> Any:
    payer = Payer(territory=asked["territory"], keys=read_public(asked["public"]))
    await app.book.write(app.projects.rounds.save_payers, payer)
    return {"territory": payer.territory, "key": payer.keys.id.hex()}


async def _payers(app: ProjectsApp, _asked: Asked) -> Any:
    words = await app.book.read(lambda line: load_payer_words(line, app.book.clock()))
    fund = app.find_fund()
    own = [] if fund is None else [{"territory": str(app.home), "public": (fund.signing + fund.sealing).hex()}]
    return own + [
        {
            "territory": one.territory,
            "public": (one.keys.signing + one.keys.sealing).hex(),
            "by": "person" if one.is_entered else "card",
            "waiting": None if one.waiting is None else one.waiting.hex(),
            "counts_from": None if one.waiting_from is None else format_instant(one.waiting_from),
            "disputed": one.is_disputed,
        }
        for one in words
    ]


async def _payer_forget(app: ProjectsApp, asked: Asked) -> Any:
    return {"territory": await app.book.write(app.projects.catalogue.forget_payers, asked["territory"])}


async def _catalogue_publish(app: ProjectsApp, _asked: Asked) -> Any:
    return {"number": await app.book.write(app.projects.catalogue.publish, True)}


async def _convert(app: ProjectsApp, asked: Asked) -> Any:
    # An account whose change is due holds from now on: the order must name it.
    await app.book.write(app.projects.signers.apply_changes, None)
    told = ConvertRound(id=_id(asked["id"]), project=_id(asked["project"]))
    cents = await app.book.write(app.projects.rounds.convert, told)
    return {"round": format_id(told.id), "cents": cents}


async def _confirm(app: ProjectsApp, asked: Asked) -> Any:
    told = ConfirmDue(round=_id(asked["round"]), payer=asked.get("payer") or app.home, on=parse_day(asked["on"], "on"))
    mark = await app.book.write(app.projects.rounds.confirm, told)
    return {"round": format_id(told.round), "payer": told.payer, "state": str(mark)}


async def _spending(app: ProjectsApp, asked: Asked) -> Any:
    new = GiveSpending(
        id=_id(asked["id"]),
        project=_id(asked["project"]),
        instalment=int(asked["instalment"]),
        words=asked["words"],
        cents=require_amount(asked["cents"]),
        digest=read_hex(asked["sha256"], "sha256"),
    )
    state = await app.book.write(app.projects.rounds.give_spendings, new)
    return {"proof": format_id(new.id), "state": str(state)}


async def _spending_judge(app: ProjectsApp, asked: Asked) -> Any:
    told = JudgeSpending(
        id=_id(asked["proof"]), is_accepted=bool(asked["accept"]), by=asked["by"], reason=asked.get("reason", "")
    )
    state = await app.book.write(app.projects.rounds.judge_spendings, told)
    return {"proof": format_id(told.id), "state": str(state)}


async def _finding(app: ProjectsApp, asked: Asked) -> Any:
    told = asked["words"]
    try:
        words = FindingWords(
            1,
            told["territory"],
            _id(told["id"]),
            _id(told["project"]),
            int(told["instalment"]),
            told["verdict"],
            told["text"],
        )
    except (KeyError, TypeError):
        raise InvalidProof(field="finding", reason="territory, id, project, instalment, verdict, text") from None
    signed = SignedFinding(
        words=words, key=read_hex(asked["key"], "key"), signature=read_hex(asked["signature"], "signature")
    )
    verdict = await app.book.write(app.projects.rounds.take_findings, signed)
    return {"finding": told["id"], "verdict": str(verdict)}


async def _home(app: ProjectsApp, _asked: Asked) -> Any:
    return {"territory": str(app.home), "day": format_day(_today(app))}


PROJECTS_COMMANDS: Final[Mapping[str, Command]] = {
    "words": _words,
    "picture": _picture,
    "propose": _propose,
    "edit": _edit,
    "lead": _lead,
    "retry": _retry,
    "list": _list,
    "show": _show,
    "late": _late,
    "catch_up": _catch_up,
    "bearer_save": _bearer_save,
    "bearers": _bearers,
    "proof_add": _proof_add,
    "proofs": _proofs,
    "iban_words": _iban_words,
    "iban_sign": _iban_sign,
    "iban_drop": _iban_drop,
    "signer_add": _signer_add,
    "signers": _signers,
    "signer_revoke": _signer_revoke,
    "member_seat": _member_seat,
    "member_end": _member_end,
    "members": _members,
    "conflict": _conflict,
    "draw_close": _draw_close,
    "draw_number": _draw_number,
    "draws": _draws,
    "vote_call": _vote_call,
    "vote_words": _vote_words,
    "vote_cast": _vote_cast,
    "vote_close": _vote_close,
    "votes": _votes,
    "minutes": _minutes,
    "comment": _comment,
    "comments": _comments,
    "moderate": _moderate,
    "payer_add": _payer_add,
    "payers": _payers,
    "payer_forget": _payer_forget,
    "catalogue_publish": _catalogue_publish,
    "convert": _convert,
    "confirm": _confirm,
    "spending": _spending,
    "spending_judge": _spending_judge,
    "finding": _finding,
    "home": _home,
    **PASSES_COMMANDS,
    **ATTESTATIONS_COMMANDS,
    **AUDITS_COMMANDS,
    **SOUTH_COMMANDS,
    **VOLUNTEERS_COMMANDS,
    **KEY_COMMANDS,
}
