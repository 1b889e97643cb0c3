"""What each `citizen-miles node projects south …` and `… guide …` command does in the process that holds the projects' book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from node.desks.projects.requests import read_hex
from node.desks.projects.south_answers import ProgrammeAnswer, tell_guide_row
from node.desks.projects.south_service import load_programme_told
from node.governance.days import local_day, parse_day, write_day
from node.governance.parameters_store import load_purposes
from node.governance.service import Projects
from node.governance.south.errors import InvalidGuide, InvalidProgramme
from node.governance.south.guide_service import EndGuide, list_guides
from node.governance.south.guides import GuideEnd
from node.governance.south.programme_service import AddPartner, DeclareProgramme, EndIt, SaveBudget
from node.governance.south.programme_store import load_partner_row
from node.governance.south.programmes import Agreement, Line, Partner, PartnerKind, PartnerProof, read_clauses
from node.governance.south.signed import read_signed
from node.governance.store import load_bearer, load_project
from protocol.book.service import Book
from protocol.identifiers import Id16, format_id, parse_id
from protocol.running.admin_client import Command

Asked = Mapping[str, Any]


class HoldsProgrammes(Protocol):
    """The app of the projects' base, as far as South programmes need it."""

    home: Any
    book: Book
    projects: Projects


class BudgetItem(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the file that `south budget` reads; the rate is millionths of the currency's unit for one euro."""

    words: str
    country: str
    cents: int
    currency: str = "EUR"
    rate: int = 1_000_000


def _language(asked: Asked) -> str:
    return str(asked.get("language", "fr"))


def _today(app: HoldsProgrammes) -> int:
    return write_day(local_day(app.book.clock(), app.projects.settings.zone))


async def _purposes(app: HoldsProgrammes, _asked: Asked) -> Any:
    return [{"purpose": one.key, "fr": one.french, "en": one.english} for one in load_purposes(_today(app))]


async def _declare(app: HoldsProgrammes, asked: Asked) -> Any:
    told = DeclareProgramme(
        id=parse_id(asked["id"]),
        project=parse_id(asked["project"]),
        country=asked["country"],
        purpose=asked["purpose"],
    )
    await app.book.write(app.projects.programmes.declare, told)
    return {"project": format_id(told.project), "country": told.country, "purpose": told.purpose}


async def _partner(app: HoldsProgrammes, asked: Asked) -> Any:
    try:
        kind = PartnerKind(asked["kind"])
    except ValueError:
        raise InvalidProgramme(field="kind", reason=f"one of {', '.join(PartnerKind)}") from None
    partner = Partner(
        id=parse_id(asked["id"]),
        name=asked["name"],
        country=asked["country"],
        kind=kind,
        registration=asked["registration"],
        key=read_hex(asked.get("key", ""), "key"),
    )
    told = AddPartner(project=parse_id(asked["project"]), partner=partner)
    await app.book.write(app.projects.programmes.add_partners, told)
    return {"partner": format_id(partner.id), "name": partner.name, "country": partner.country}


async def _partner_proof(app: HoldsProgrammes, asked: Asked) -> Any:
    proof = PartnerProof(
        id=parse_id(asked["id"]),
        partner=parse_id(asked["partner"]),
        words=asked["words"],
        digest=read_hex(asked["sha256"], "sha256"),
        issued_on=parse_day(asked["issued_on"], "issued_on"),
        valid_until=parse_day(asked["valid_until"], "valid_until"),
    )
    await app.book.write(app.projects.programmes.add_proofs, proof)
    return {"proof": format_id(proof.id), "sha256": asked["sha256"], "valid_until": asked["valid_until"]}


async def _agreement(app: HoldsProgrammes, asked: Asked) -> Any:
    agreement = Agreement(
        id=parse_id(asked["id"]),
        partner=parse_id(asked["partner"]),
        digest=read_hex(asked["sha256"], "sha256"),
        signed_on=parse_day(asked["signed_on"], "signed_on"),
        from_day=parse_day(asked["from_day"], "from"),
        until_day=parse_day(asked["until_day"], "until"),
        clauses=read_clauses(asked["clauses"]),
    )
    await app.book.write(app.projects.programmes.add_agreements, agreement)
    return {"agreement": format_id(agreement.id), "sha256": asked["sha256"], "until": asked["until_day"]}


async def _end(app: HoldsProgrammes, asked: Asked) -> Any:
    desk = app.projects.programmes
    operation = desk.end_partners if asked["kind"] == "partner" else desk.end_agreements
    told = EndIt(id=parse_id(asked["id"]), what=parse_id(asked["what"]), reason=asked["reason"])
    await app.book.write(operation, told)
    return {asked["kind"]: format_id(told.what), "ended": True}


async def _budget(app: HoldsProgrammes, asked: Asked) -> Any:
    try:
        items = msgspec.convert(asked["lines"], list[BudgetItem])
    except msgspec.ValidationError as error:
        raise InvalidProgramme(field="lines", reason=str(error)[:200]) from None
    lines = tuple(
        Line(words=one.words, country=one.country, currency=one.currency, rate=one.rate, cents=one.cents)
        for one in items
    )
    told = SaveBudget(id=parse_id(asked["id"]), project=parse_id(asked["project"]), lines=lines)
    version = await app.book.write(app.projects.programmes.save_budgets, told)
    return {"project": format_id(told.project), "version": version, "cents": sum(one.cents for one in lines)}


async def _clearance_words(app: HoldsProgrammes, asked: Asked) -> Any:
    id_ = parse_id(asked["partner"])
    row = await app.book.read(lambda line: load_partner_row(line, id_))
    return {"territory": str(app.home), "partner": format_id(id_), "name": row.name, "country": row.country}


async def _clearance(app: HoldsProgrammes, asked: Asked) -> Any:
    is_done = await app.book.write(app.projects.programmes.sign_clearances, read_signed(asked["signed"]))
    return {"taken": True, "waits_for": "" if is_done else "a second steward"}


async def _report_words(app: HoldsProgrammes, asked: Asked) -> Any:
    """Return what who reports needs to sign: the lines, and where the next period begins."""
    id_ = parse_id(asked["project"])
    told = await _read(app, id_, _language(asked))
    last = told.reports[-1].until_day if told.reports else ""
    lines = [{"line": one.line, "words": one.words, "cents": one.cents} for one in told.lines]
    return {"territory": str(app.home), "project": format_id(id_), "told_until": last, "lines": lines}


async def _report(app: HoldsProgrammes, asked: Asked) -> Any:
    id_ = await app.book.write(app.projects.programmes.take_reports, read_signed(asked["signed"]))
    return {"report": format_id(id_), "taken": True}


async def _read(app: HoldsProgrammes, id_: Id16, language: str) -> ProgrammeAnswer:
    now, zone = app.book.clock(), app.projects.settings.zone
    return await app.book.read(lambda line: load_programme_told(line, id_, now=now, zone=zone, language=language))


async def _show(app: HoldsProgrammes, asked: Asked) -> Any:
    id_ = parse_id(asked["project"])
    told: dict[str, Any] = msgspec.to_builtins(await _read(app, id_, _language(asked)))
    project = await app.book.read(lambda line: load_project(line, id_))
    bearer = None
    if project.bearer is not None:
        of = project.bearer
        bearer = await app.book.read(lambda line: load_bearer(line, of))
    return told | {"bearer": "" if bearer is None else bearer.name, "state": str(project.state)}


async def _guide_approve(app: HoldsProgrammes, asked: Asked) -> Any:
    state = await app.book.write(app.projects.guides.approve, read_signed(asked["signed"]))
    return {"taken": True, "state": str(state)}


async def _guide_end(app: HoldsProgrammes, asked: Asked) -> Any:
    try:
        code = GuideEnd(f"guide_{asked['why']}")
    except ValueError:
        raise InvalidGuide(field="why", reason="withdrawn or left") from None
    told = EndGuide(id=parse_id(asked["id"]), guide=parse_id(asked["guide"]), code=code, reason=asked["reason"])
    state = await app.book.write(app.projects.guides.end, told)
    return {"guide": format_id(told.guide), "state": str(state)}


async def _guides(app: HoldsProgrammes, _asked: Asked) -> Any:
    today = _today(app)
    rows = await app.book.read(list_guides)
    return [
        msgspec.to_builtins(tell_guide_row(row, today))
        | {
            "accounts_know": row.heard_at is not None and not row.refused,
            "accounts_refused": row.refused,
            "ended": row.ended_code,
        }
        for row in rows
    ]


SOUTH_COMMANDS: Final[Mapping[str, Command]] = {
    "south_purposes": _purposes,
    "south_declare": _declare,
    "south_partner": _partner,
    "south_partner_proof": _partner_proof,
    "south_agreement": _agreement,
    "south_end": _end,
    "south_budget": _budget,
    "south_clearance_words": _clearance_words,
    "south_clearance": _clearance,
    "south_report_words": _report_words,
    "south_report": _report,
    "south_show": _show,
    "guide_approve": _guide_approve,
    "guide_end": _guide_end,
    "guides": _guides,
}
