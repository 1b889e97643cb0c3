"""South programmes: declared, proven, budgeted, reported; and the gate that each opening and each round goes through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from node.governance import tables as base_tables
from node.governance.answering import answer_each
from node.governance.days import format_day, local_day, write_day
from node.governance.errors import FileUnknown, ProjectStepRefused, ReasonMissing, SignatureRefused
from node.governance.parameters_store import load_purposes, load_south_rules
from node.governance.projects import MAY_BE_EDITED, ProjectState
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import require_another, require_signature, require_signer
from node.governance.south import tables
from node.governance.south.clearances import read_clearance, require_clearance
from node.governance.south.errors import InvalidProgramme, ProgrammeBlocked, ProgrammeStands
from node.governance.south.gate import Gap, GapCode, missing
from node.governance.south.guide_service import find_accredited
from node.governance.south.programme_store import (
    find_programme_row,
    find_version,
    load_agreement_row,
    load_lines,
    load_partner_row,
    load_programme,
    load_programme_row,
    load_told,
)
from node.governance.south.programmes import (
    PARTNERS_MAX,
    REASON_MAX,
    Agreement,
    Line,
    Partner,
    PartnerProof,
    is_abroad,
    require_country,
    require_lines,
    write_clauses,
)
from node.governance.south.reports import read_report, require_report
from node.governance.south.signed import SignedWords
from node.governance.store import Project, change, load_project, note_asked, save, was_asked
from node.governance.texts import is_line
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id, require_id
from protocol.keys import Domain

ENDED_STATES = frozenset({ProjectState.CLOSED, ProjectState.REFUSED, ProjectState.WITHDRAWN, ProjectState.MISSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclareProgramme:
    """A project works abroad: where, and by which kind of action. Never undone."""

    id: Id16
    project: Id16
    country: str
    purpose: str

    def __post_init__(self) -> None:
        require_id(self.id)
        require_country(self.country)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPartner:
    project: Id16
    partner: Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class EndIt:
    """A partner, or an agreement, is none any more from today on."""

    id: Id16
    what: Id16
    reason: str

    def __post_init__(self) -> None:
        require_id(self.id)
        if not is_line(self.reason, REASON_MAX):
            raise ReasonMissing(what="ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveBudget:
    """The lines of a programme's budget, all of them."""

    id: Id16
    project: Id16
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        require_id(self.id)
        require_lines(self.lines)


class ProgrammeDesk:
    """Operations for the book's writer, on South programmes."""

    def __init__(self, settings: ProjectsSettings) -> None:
        self._settings = settings

    def declare(self, page: Page, items: Sequence[DeclareProgramme]) -> list[Id16 | Refusal]:
        """Make each project a programme, before it is validated."""
        return answer_each(items, lambda item: self._declare(page, item))

    def add_partners(self, page: Page, items: Sequence[AddPartner]) -> list[Id16 | Refusal]:
        """Enter each partner of a programme."""
        return answer_each(items, lambda item: self._add_partner(page, item))

    def end_partners(self, page: Page, items: Sequence[EndIt]) -> list[Id16 | Refusal]:
        """Let partners go: what they did stays, and another one is needed."""
        return answer_each(items, lambda item: self._end(page, tables.programme_partners, item))

    def add_proofs(self, page: Page, items: Sequence[PartnerProof]) -> list[Id16 | Refusal]:
        """Keep what shows that partners are what they say."""
        return answer_each(items, lambda item: self._add_proof(page, item))

    def add_agreements(self, page: Page, items: Sequence[Agreement]) -> list[Id16 | Refusal]:
        """Keep each control agreement."""
        return answer_each(items, lambda item: self._add_agreement(page, item))

    def end_agreements(self, page: Page, items: Sequence[EndIt]) -> list[Id16 | Refusal]:
        """End agreements before their term: the next round is blocked."""
        return answer_each(items, lambda item: self._end(page, tables.control_agreements, item))

    def save_budgets(self, page: Page, items: Sequence[SaveBudget]) -> list[int | Refusal]:
        """Keep each budget, whole; return its version. It stands from the first round on."""
        return answer_each(items, lambda item: self._save_budget(page, item))

    def sign_clearances(self, page: Page, items: Sequence[SignedWords]) -> list[bool | Refusal]:
        """Take one steward's statement on sanctions lists, or a second one's; return whether both have signed."""
        return answer_each(items, lambda item: self._sign_clearance(page, item))

    def take_reports(self, page: Page, items: Sequence[SignedWords]) -> list[Id16 | Refusal]:
        """Take each field report."""
        return answer_each(items, lambda item: self._take_report(page, item))

    # One at a time.

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _require_living(self, page: Page, project: bytes) -> Project:
        load_programme_row(page.connection, project)
        found = load_project(page.connection, project)
        if found.state in ENDED_STATES:
            raise ProjectStepRefused(state=found.state, event="programme")
        return found

    def _declare(self, page: Page, asked: DeclareProgramme) -> Id16:
        content = ("programme", asked.project, asked.country, asked.purpose)
        project = load_project(page.connection, asked.project)
        if was_asked(page.connection, asked.id, *content):
            return project.id
        if find_programme_row(page.connection, project.id) is not None:
            raise ProgrammeStands(field="programme", reason="it was declared already")
        if project.state not in MAY_BE_EDITED or project.state is ProjectState.VALIDATED:
            raise ProgrammeStands(
                field="programme", reason=f"the project is {project.state}: the committee must know of it"
            )
        purposes = [word.key for word in load_purposes(self._today(page))]
        if asked.purpose not in purposes:
            raise InvalidProgramme(field="purpose", reason=f"one of {', '.join(purposes)}")
        note_asked(page, asked.id, *content)
        values = {"project": project.id, "country": asked.country, "purpose": asked.purpose, "at": page.now}
        save(page.connection, tables.programmes, **values)
        return project.id

    def _add_partner(self, page: Page, asked: AddPartner) -> Id16:
        one = asked.partner
        content = ("partner", asked.project, one.name, one.country, str(one.kind), one.registration, one.key)
        if was_asked(page.connection, one.id, *content):
            return one.id
        self._require_living(page, asked.project)
        table = tables.programme_partners
        count = select(func.count()).select_from(table).where(table.c.programme == asked.project)
        if page.connection.execute(count).scalar_one() >= PARTNERS_MAX:
            raise ProgrammeStands(field="partner", reason=f"{PARTNERS_MAX} partners at most")
        if one.key:
            signer = require_signer(page.connection, one.key)
            if signer.role != SignerRole.PARTNER:
                raise SignatureRefused(
                    signer=signer.title, reason=f"signs as {signer.role}, not as {SignerRole.PARTNER}"
                )
        note_asked(page, one.id, *content)
        save(
            page.connection,
            table,
            id=one.id,
            programme=asked.project,
            name=one.name,
            country=one.country,
            kind=one.kind,
            registration=one.registration,
            key=one.key or None,
            at=page.now,
            ended_reason="",
        )
        return one.id

    def _end(self, page: Page, table: Any, asked: EndIt) -> Id16:
        content = (f"end {table.name}", asked.what, asked.reason)
        load = load_partner_row if table is tables.programme_partners else load_agreement_row
        row = load(page.connection, asked.what)
        if was_asked(page.connection, asked.id, *content):
            return asked.what
        if row.ended_at is not None:
            raise ProgrammeStands(field="ended", reason=row.ended_reason)
        note_asked(page, asked.id, *content)
        change(page.connection, table, table.c.id == asked.what, ended_at=page.now, ended_reason=asked.reason)
        return asked.what

    def _add_proof(self, page: Page, one: PartnerProof) -> Id16:
        content = ("partner proof", one.partner, one.words, one.digest, one.issued_on, one.valid_until)
        if was_asked(page.connection, one.id, *content):
            return one.id
        self._require_living(page, load_partner_row(page.connection, one.partner).programme)
        note_asked(page, one.id, *content)
        save(
            page.connection,
            tables.partner_proofs,
            id=one.id,
            partner=one.partner,
            words=one.words,
            digest=one.digest,
            issued_on=one.issued_on,
            valid_until=one.valid_until,
            at=page.now,
        )
        return one.id

    def _add_agreement(self, page: Page, one: Agreement) -> Id16:
        clauses = write_clauses(one.clauses)
        content = ("agreement", one.partner, one.digest, one.signed_on, one.from_day, one.until_day, clauses)
        if was_asked(page.connection, one.id, *content):
            return one.id
        self._require_living(page, load_partner_row(page.connection, one.partner).programme)
        if one.signed_on > self._today(page):
            raise InvalidProgramme(field="signed_on", reason="a day to come: it is entered once it is signed")
        note_asked(page, one.id, *content)
        save(
            page.connection,
            tables.control_agreements,
            id=one.id,
            partner=one.partner,
            digest=one.digest,
            signed_on=one.signed_on,
            from_day=one.from_day,
            until_day=one.until_day,
            clauses=clauses,
            at=page.now,
            ended_reason="",
        )
        return one.id

    def _save_budget(self, page: Page, asked: SaveBudget) -> int:
        lines = [(one.words, one.country, one.currency, one.rate, one.cents) for one in asked.lines]
        content = ("programme budget", asked.project, lines)
        if was_asked(page.connection, asked.id, *content):
            return find_version(page.connection, asked.project, page.now)
        self._require_living(page, asked.project)
        rounds = base_tables.rounds
        if page.connection.execute(select(rounds.c.id).where(rounds.c.project == asked.project)).first():
            raise ProgrammeStands(field="lines", reason="a round was converted on this budget")
        note_asked(page, asked.id, *content)
        version = find_version(page.connection, asked.project, page.now) + 1
        for number, one in enumerate(asked.lines, 1):
            save(
                page.connection,
                tables.programme_lines,
                programme=asked.project,
                version=version,
                line=number,
                words=one.words,
                country=one.country,
                currency=one.currency,
                rate=one.rate,
                cents=one.cents,
                at=page.now,
            )
        return version

    def _sign_clearance(self, page: Page, signed: SignedWords) -> bool:
        connection, table = page.connection, tables.clearances
        words = read_clearance(signed.words)
        self._require_home(words.territory, signed)
        steward = require_signature(
            connection, signed.key, SignerRole.STEWARD, Domain.OFFICER, signed.words, signed.signature
        )
        known = connection.execute(select(table).where(table.c.id == words.id)).first()
        if known is None:
            require_clearance(words, today=self._today(page))
            self._require_living(page, load_partner_row(connection, words.partner).programme)
            was_asked(connection, Id16(words.id), "clearance", signed.words)
            note_asked(page, Id16(words.id), "clearance", signed.words)
            save(
                connection,
                table,
                id=words.id,
                partner=words.partner,
                words=signed.words,
                asked_by=signed.key,
                asked_signature=signed.signature,
                at=page.now,
            )
            return False
        if bytes(known.words) != signed.words:
            raise IdMismatch(id=format_id(Id16(words.id)), field="words")
        if bytes(known.asked_by) == signed.key:
            return known.confirmed_by is not None
        if known.confirmed_by is None:
            require_another(require_signer(connection, known.asked_by), steward)
            change(
                connection,
                table,
                table.c.id == words.id,
                confirmed_by=signed.key,
                confirmed_signature=signed.signature,
                confirmed_at=page.now,
            )
        return True

    def _require_home(self, territory: str, signed: SignedWords) -> None:
        if territory != self._settings.home:
            raise SignatureRefused(signer=signed.key.hex(), reason=f"signed for {territory}")

    def _take_report(self, page: Page, signed: SignedWords) -> Id16:
        connection = page.connection
        words = read_report(signed.words)
        id_, project = Id16(words.id), Id16(words.project)
        if was_asked(connection, id_, "report", signed.words, signed.key):
            return id_
        self._require_home(words.territory, signed)
        require_reporter(connection, project, signed, self._today(page))
        found = self._require_living(page, project)
        if found.state is not ProjectState.IN_PROGRESS:
            raise ProjectStepRefused(state=found.state, event="reported")
        require_report(words, load_told(connection, project, page.now), today=self._today(page))
        files = base_tables.files
        for digest in words.pictures:
            if connection.execute(select(files.c.at).where(files.c.digest == digest)).first() is None:
                raise FileUnknown(digest=digest.hex())
        note_asked(page, id_, "report", signed.words, signed.key)
        save(
            connection,
            tables.field_reports,
            id=id_,
            programme=project,
            from_day=words.from_day,
            until_day=words.until_day,
            cents=sum(words.cents),
            words=signed.words,
            key=signed.key,
            signature=signed.signature,
            at=page.now,
        )
        return id_


def require_reporter(connection: Connection, project: bytes, signed: SignedWords, today: int) -> None:
    """Require that a living partner of the programme, or a guide in his term, signed. Raises SignatureRefused."""
    signer = require_signer(connection, signed.key)
    role = SignerRole.GUIDE if signer.role == SignerRole.GUIDE else SignerRole.PARTNER
    require_signature(connection, signed.key, role, Domain.AUDIT, signed.words, signed.signature)
    if role is SignerRole.GUIDE:
        if find_accredited(connection, signed.key, today) is None:
            raise SignatureRefused(signer=signer.title, reason=f"no accredited guide on {format_day(today)}")
        return
    table = tables.programme_partners
    own = select(table.c.id).where(table.c.programme == project, table.c.key == signed.key, table.c.ended_at.is_(None))
    if connection.execute(own).first() is None:
        raise SignatureRefused(signer=signer.title, reason="no partner of this programme")


# ---------------------------------------------------------------- the gate


def find_missing(
    connection: Connection, project: Project, as_of: int, zone: str, *, is_past: bool = False
) -> tuple[Gap, ...]:
    """Return all that a project lacks as a programme; nothing where it is none. `is_past`: of an instant that is over."""
    programme = load_programme(connection, project, as_of, zone, is_past=is_past)
    if programme is None:
        return (
            (Gap(GapCode.NOT_DECLARED, {"commune": project.sheet.commune}),) if is_abroad(project.sheet.commune) else ()
        )
    today = write_day(local_day(as_of, zone))
    return missing(programme, today, load_south_rules(today))


def require_nothing_missing(connection: Connection, project: Project, as_of: int, zone: str) -> None:
    """Let through what is no programme, and a programme that lacks nothing. Raises ProgrammeBlocked."""
    gaps = find_missing(connection, project, as_of, zone)
    if gaps:
        raise ProgrammeBlocked(
            project=format_id(project.id), reasons=", ".join(dict.fromkeys(gap.code for gap in gaps))
        )


def load_budget(connection: Connection, project: bytes, as_of: int) -> tuple[Line, ...]:
    """Return the newest budget of a programme."""
    return load_lines(connection, project, find_version(connection, project, as_of))
