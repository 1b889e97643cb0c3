"""What each `citizen-miles node projects pass` command does in the process that holds the projects' book."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Protocol

from node.desks.projects.passes_requests import read_claim
from node.governance.days import local_day
from node.governance.passes import tables
from node.governance.passes.canonical_json import encode_json
from node.governance.passes.credentials import write_hours
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.engagement import write_year
from node.governance.passes.errors import InvalidPass
from node.governance.passes.holders import derive_holder_code
from node.governance.passes.issuers import decode_multikey
from node.governance.passes.pass_pages import draw_pdf
from node.governance.passes.pass_proofs import make_pass_proof
from node.governance.passes.pass_service import StepPass, tell_standing
from node.governance.passes.pass_store import KeptPass, list_passes, load_picture
from node.governance.passes.passes import PassEvent, PassState
from node.governance.passes.png_baking import bake_png, is_png
from node.governance.passes.printed_lines import is_printed_line
from node.governance.passes.status_lists import StatusPurpose
from node.governance.passes.svg_baking import bake_svg
from node.governance.passes.verification import Genuine, Standing, verify_credential, verify_picture
from node.governance.passes.web_tokens import write_token
from node.governance.service import Projects
from node.governance.skills_store import load_engagement_rules, load_skills
from protocol.book.service import Book
from protocol.errors import InvalidId
from protocol.identifiers import format_id, parse_id
from protocol.running.admin_client import Command
from protocol.times import Instant, format_instant

Asked = Mapping[str, Any]
NAME_MAX: Final = 120
# What the office says; that work was done and counts is signed by bearer and committee (`attestations_admin_commands`).
OFFICE_EVENTS: Final = frozenset({PassEvent.REFUSED, PassEvent.SUSPENDED, PassEvent.RESTORED, PassEvent.REVOKED})
FORMS: Final = ("png", "svg", "json", "jwt", "pdf")


class HoldsPasses(Protocol):
    """The app of the projects' base, as far as passes need it."""

    home: Any
    book: Book
    projects: Projects


def _word(kind: Any, text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise InvalidPass(field=field, reason=f"one of {', '.join(kind)}") from None


def _today(app: HoldsPasses) -> Any:
    return local_day(app.book.clock(), app.projects.settings.zone)


async def _load(app: HoldsPasses, asked: Asked) -> KeptPass:
    return await app.projects.passes.load(parse_id(asked["pass"]))


def _line(app: HoldsPasses, kept: KeptPass) -> dict[str, Any]:
    value = kept.value
    return {
        "pass": format_id(kept.id),
        "state": str(value.state),
        "standing": str(tell_standing(value, _today(app))) if kept.credential else "",
        "account": str(value.holder.account),
        "people": value.holder.people,
        "project": format_id(value.work.project),
        "role": value.work.role,
        "hours": write_hours(value.work.total),
        "valid_until": "" if value.valid_until is None else value.valid_until.isoformat(),
        "reason": value.reason,
    }


async def _claim(app: HoldsPasses, asked: Asked) -> Any:
    claim = read_claim(parse_id(asked["id"]), asked["claim"], app.home)
    state = await app.book.write(app.projects.passes.desk.claim, claim)
    return {"pass": format_id(claim.id), "state": str(state)}


async def _step(app: HoldsPasses, asked: Asked) -> Any:
    event = _word(PassEvent, asked["event"], "event")
    if event not in OFFICE_EVENTS:
        raise InvalidPass(field="event", reason=f"one of {', '.join(sorted(OFFICE_EVENTS))}: the others are signed")
    step = StepPass(
        id=parse_id(asked["id"]), pass_id=parse_id(asked["pass"]), event=event, reason=asked.get("reason", "")
    )
    state = await app.book.write(app.projects.passes.desk.step, step)
    return {"pass": format_id(step.pass_id), "state": str(state)}


async def _issue(app: HoldsPasses, asked: Asked) -> Any:
    pass_id = parse_id(asked["pass"])
    state = await app.projects.passes.issue(parse_id(asked["id"]), pass_id)
    return {"pass": format_id(pass_id), "state": str(state)}


async def _list(app: HoldsPasses, asked: Asked) -> Any:
    where = []
    if asked.get("project"):
        where.append(tables.passes.c.project == parse_id(asked["project"]))
    if asked.get("state"):
        where.append(tables.passes.c.state == _word(PassState, asked["state"], "state"))
    found = await app.book.read(lambda line: list_passes(line, *where, home=app.home))
    return [_line(app, kept) for kept in found]


async def _show(app: HoldsPasses, asked: Asked) -> Any:
    kept = await _load(app, asked)
    value, issuer = kept.value, app.projects.passes.issuer
    told: dict[str, Any] = _line(app, kept) | {
        "bearer": f"{value.work.bearer.name} ({value.work.bearer.number})",
        "duty": str(value.work.duty),
        "skills": ", ".join(value.work.skills),
        "from": value.work.first_on.isoformat(),
        "to": value.work.last_on.isoformat(),
        "checked": "" if value.checked is None else value.checked.on.isoformat(),
        "validated": "" if value.validated is None else value.validated.on.isoformat(),
        "replaces": "" if value.replaces is None else format_id(value.replaces),
    }
    if kept.credential and value.issued_at is not None:
        told["issued_at"] = format_instant(value.issued_at)
        told["issuer"] = issuer.did
        told["verify"] = str(make_pass_proof(issuer.node, kept.id, kept.credential))
        told["holder_code"] = derive_holder_code(kept.secret, value.holder.account, kept.id)
    return told


async def _export(app: HoldsPasses, asked: Asked) -> Any:
    kept = await _load(app, asked)
    if not kept.credential:
        raise InvalidPass(field="state", reason=f"it is {kept.value.state}, and not issued")
    form, name = asked["form"], asked.get("name", "")
    if form not in FORMS:
        raise InvalidPass(field="form", reason=f"one of {', '.join(FORMS)}")
    if name and not is_printed_line(name, NAME_MAX):
        raise InvalidPass(field="name", reason=f"one line of at most {NAME_MAX} letters that can be printed")
    # Platforms read the token; who wants the other proof in the picture says so.
    carried = kept.credential.decode() if asked.get("proof") == "json" else kept.token
    picture = await app.book.read(partial(load_picture, digest=kept.svg if form == "svg" else kept.png))
    match form:
        case "png":
            data = bake_png(picture, carried)
        case "svg":
            data = bake_svg(picture, carried)
        case "json":
            data = kept.credential
        case "jwt":
            data = kept.token.encode()
        case _:
            data = _draw(app, kept, picture, name)
    return {"pass": format_id(kept.id), "form": form, "bytes": len(data), "data": base64.b64encode(data).decode()}


def _draw(app: HoldsPasses, kept: KeptPass, picture: bytes, name: str) -> bytes:
    issuer, account = app.projects.passes.issuer, kept.value.holder.account
    return draw_pdf(
        kept.value,
        issuer=issuer,
        picture=picture,
        proof=make_pass_proof(issuer.node, kept.id, kept.credential),
        skills=load_skills(),
        holder_code="" if kept.value.holder.did else derive_holder_code(kept.secret, account, kept.id),
        name=name,
    )


async def _verify(app: HoldsPasses, asked: Asked) -> Any:
    data = base64.b64decode(asked["data"])
    known = await app.projects.passes.known_issuers()
    genuine = _read(data, known)
    standing = await _find_standing(app, genuine)
    return {
        "genuine": True,
        "standing": str(standing),
        "issuer": genuine.issuer,
        "credential": genuine.id,
        "name": genuine.document.get("name", ""),
        "description": genuine.document.get("description", ""),
    }


def _read(data: bytes, known: Any) -> Genuine:
    if is_png(data) or data.lstrip().startswith(b"<"):
        return verify_picture(data, known)
    return verify_credential(data.decode("utf-8", "surrogateescape"), known)


async def _find_standing(app: HoldsPasses, genuine: Genuine) -> Standing:
    written = genuine.id.rpartition("/")[2] if "/" in genuine.id else genuine.id.removeprefix("urn:uuid:")
    try:
        kept = await app.projects.passes.load(parse_id(written))
    except InvalidId:
        return Standing.UNKNOWN
    return tell_standing(kept.value, _today(app))


async def _status(app: HoldsPasses, asked: Asked) -> Any:
    passes = app.projects.passes
    document = await passes.write_list(_word(StatusPurpose, asked["purpose"], "purpose"), int(asked["number"]))
    if asked.get("form") == "jwt":
        data = write_token(document, passes.issuer).encode()
    else:
        data = encode_json(add_proof(document, passes.issuer, at=Instant(app.book.clock())))
    return {"list": document["id"], "until": document["validUntil"], "data": base64.b64encode(data).decode()}


async def _issuer(app: HoldsPasses, _asked: Asked) -> Any:
    passes = app.projects.passes
    known = await passes.known_issuers()
    return {"issuer": passes.issuer.did, "name": passes.issuer.name, "known": sorted(known)}


async def _retire(app: HoldsPasses, asked: Asked) -> Any:
    public = decode_multikey(asked["key"])
    if public == app.projects.passes.issuer.key.public:
        raise InvalidPass(field="key", reason="it still signs: make new keys for the base first")
    return {"key": asked["key"], "retired": await app.book.write(app.projects.passes.desk.retire_keys, public)}


async def _year(app: HoldsPasses, asked: Asked) -> Any:
    year = int(asked["year"])
    try:
        rules = load_engagement_rules(year)
    except LookupError:
        raise InvalidPass(field="year", reason="no rules of the CEC are known for it") from None
    rows = await app.projects.passes.tell_year(year)
    language = "en" if asked.get("language") == "en" else "fr"
    return {
        "year": year,
        "passes": len(rows),
        "accounts": len({row.issued.holder.account for row in rows}),
        "reached": len({row.issued.holder.account for row in rows if row.has_reached}),
        "csv": write_year(rows, rules=rules, language=language),
    }


async def _skills(_app: HoldsPasses, _asked: Asked) -> Any:
    known = load_skills()
    return [
        {
            "skill": code,
            "fr": skill.words["fr"],
            "en": skill.words["en"],
            "wider": skill.parent or "",
            "from": f"{known.vocabularies[skill.vocabulary].title} {known.vocabularies[skill.vocabulary].version}",
        }
        for code, skill in known.known.items()
    ]


PASSES_COMMANDS: Final[Mapping[str, Command]] = {
    "pass_claim": _claim,
    "pass_step": _step,
    "pass_issue": _issue,
    "passes": _list,
    "pass_show": _show,
    "pass_export": _export,
    "pass_verify": _verify,
    "pass_status": _status,
    "pass_issuer": _issuer,
    "pass_retire_key": _retire,
    "pass_year": _year,
    "pass_skills": _skills,
}
