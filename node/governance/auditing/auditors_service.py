"""The register of auditors: who joins, who is away, who leaves, and what conflicts are told or found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables as base_tables
from node.governance.answering import answer_each
from node.governance.auditing import tables
from node.governance.auditing.auditors import Conflict, make_conflict, require_conflict, require_join
from node.governance.auditing.audits_service import AuditDesk, strike_out
from node.governance.auditing.audits_store import find_auditor_of, load_auditor
from node.governance.auditing.words import (
    ConflictWords,
    JoinWords,
    MissionWords,
    ReplyWords,
    ReportWords,
    SignedWords,
    read_words,
)
from node.governance.days import read_day
from node.governance.errors import AuditorUnknown, InvalidAudit, ReasonMissing, SignatureRefused
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import require_signature
from node.governance.skills_store import load_skills
from node.governance.store import change, load_project, note_asked, save, was_asked
from node.governance.texts import is_line
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import Id16, require_id
from protocol.keys import Domain

_auditors, _conflicts = tables.auditors, tables.audit_conflicts
REASON_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a signed text did: which kind it was, its id, and where things stand after it."""

    what: str
    id: Id16
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundConflict:
    """A conflict that somebody found of an auditor, who had not said it. `project` is empty where it is with a body."""

    id: Id16
    auditor: Id16
    kind: str
    project: bytes
    organisation: str
    reason: str
    by: str

    def __post_init__(self) -> None:
        require_id(self.id)
        if not is_line(self.by, REASON_MAX):
            raise ReasonMissing(what="by")


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAuditor:
    """An auditor is away until a day (0: is back), or leaves with a reason (`leaves`)."""

    id: Id16
    auditor: Id16
    away_until: int = 0
    leaves: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)
        if self.away_until:
            read_day(self.away_until)
        if self.leaves and not is_line(self.leaves, REASON_MAX):
            raise ReasonMissing(what="ended")


class AuditorDesk:
    """Operations for the book's writer, on the register of auditors."""

    def __init__(self, settings: ProjectsSettings, audits: AuditDesk) -> None:
        self._settings = settings
        self._audits = audits

    def take(self, page: Page, items: Sequence[SignedWords]) -> list[Taken | Refusal]:
        """Do what each auditor signed, whatever it is: join, say a conflict, reply to a mission, report."""
        return answer_each(items, lambda item: self._take(page, item))

    def join(self, page: Page, items: Sequence[SignedWords]) -> list[Id16 | Refusal]:
        """Enter who signed to join; the same again is the same."""
        return answer_each(items, lambda item: self._join(page, item))

    def declare(self, page: Page, items: Sequence[SignedWords]) -> list[Id16 | Refusal]:
        """Keep each conflict that an auditor signed; missions that run, and reports, fall where it is with them."""
        return answer_each(items, lambda item: self._declare(page, item))

    def find(self, page: Page, items: Sequence[FoundConflict]) -> list[Id16 | Refusal]:
        """Keep each conflict that somebody found: the same follows."""
        return answer_each(items, lambda item: self._find(page, item))

    def move(self, page: Page, items: Sequence[MoveAuditor]) -> list[Id16 | Refusal]:
        """Let auditors be away, come back, or leave: who leaves gives open missions to who comes next."""
        return answer_each(items, lambda item: self._move(page, item))

    # One at a time.

    def _take(self, page: Page, signed: SignedWords) -> Taken:
        words = read_words(signed.body)
        match words:
            case JoinWords():
                self._join(page, signed)
                return Taken(what="join", id=Id16(words.id), state="in the register")
            case ConflictWords():
                self._declare(page, signed)
                return Taken(what="conflict", id=Id16(words.id), state="kept")
            case ReplyWords():
                return Taken(what="reply", id=Id16(words.id), state=str(self._audits.take_reply(page, signed)))
            case ReportWords():
                return Taken(what="report", id=Id16(words.id), state=str(self._audits.take_report(page, signed)))
            case MissionWords():
                raise InvalidAudit(field="words", reason="this base alone signs missions")

    def _join(self, page: Page, signed: SignedWords) -> Id16:
        words = read_words(signed.body)
        if not isinstance(words, JoinWords):
            raise InvalidAudit(field="words", reason="to join, an auditor signs what says who joins")
        self._require_home(signed, words.territory)
        require_signature(page.connection, signed.key, SignerRole.AUDITOR, Domain.AUDIT, signed.body, signed.signature)
        id_, content = Id16(words.id), ("audit_join", signed.body, signed.key)
        if was_asked(page.connection, id_, *content):
            return id_
        require_join(words, load_skills())
        overlapping = page.connection.execute(
            select(_auditors.c.id).where(
                (_auditors.c.key == signed.key) | (_auditors.c.account == words.account),
                _auditors.c.from_day <= words.until_day,
                _auditors.c.until_day >= words.from_day,
                _auditors.c.ended_at.is_(None),
            )
        ).first()
        if overlapping is not None:
            raise InvalidAudit(field="term", reason="this key or account is in the register at that time already")
        note_asked(page, id_, *content)
        save(
            page.connection,
            _auditors,
            id=words.id,
            key=signed.key,
            account=words.account,
            kind=words.kind,
            from_day=words.from_day,
            until_day=words.until_day,
            words=signed.body,
            signature=signed.signature,
            away_until=0,
            at=page.now,
            ended_reason="",
        )
        return id_

    def _declare(self, page: Page, signed: SignedWords) -> Id16:
        words = read_words(signed.body)
        if not isinstance(words, ConflictWords):
            raise InvalidAudit(field="words", reason="an auditor signs what conflict there is")
        self._require_home(signed, words.territory)
        require_signature(page.connection, signed.key, SignerRole.AUDITOR, Domain.AUDIT, signed.body, signed.signature)
        id_, content = Id16(words.id), ("audit_conflict", signed.body, signed.key)
        if was_asked(page.connection, id_, *content):
            return id_
        conflict = require_conflict(words)
        auditor = find_auditor_of(page.connection, _auditors.c.key == signed.key)
        if auditor is None:
            raise AuditorUnknown(auditor=signed.key.hex())
        self._require_project(page.connection, conflict)
        note_asked(page, id_, *content)
        self._keep(page, id_, auditor.id, conflict, words=signed.body, signature=signed.signature, by="")
        return id_

    def _find(self, page: Page, one: FoundConflict) -> Id16:
        content = ("audit_found", one.auditor, one.kind, one.project, one.organisation, one.reason, one.by)
        if was_asked(page.connection, one.id, *content):
            return one.id
        load_auditor(page.connection, one.auditor)
        conflict = make_conflict(one.kind, one.project, one.organisation, one.reason)
        self._require_project(page.connection, conflict)
        note_asked(page, one.id, *content)
        self._keep(page, one.id, one.auditor, conflict, words=None, signature=None, by=one.by)
        return one.id

    def _keep(
        self,
        page: Page,
        id_: Id16,
        auditor: Id16,
        conflict: Conflict,
        *,
        words: bytes | None,
        signature: bytes | None,
        by: str,
    ) -> None:
        save(
            page.connection,
            _conflicts,
            id=id_,
            auditor=auditor,
            kind=conflict.kind,
            project=conflict.project or None,
            organisation=conflict.organisation,
            reason=conflict.reason,
            words=words,
            signature=signature,
            by=by,
            at=page.now,
        )
        strike_out(page, self._audits, auditor)

    def _move(self, page: Page, one: MoveAuditor) -> Id16:
        content = ("audit_move", one.auditor, one.away_until, one.leaves)
        if was_asked(page.connection, one.id, *content):
            return one.auditor
        auditor = load_auditor(page.connection, one.auditor)
        note_asked(page, one.id, *content)
        if auditor.has_left:
            return auditor.id
        is_it = _auditors.c.id == auditor.id
        if one.leaves:
            change(page.connection, _auditors, is_it, ended_at=page.now, ended_reason=one.leaves)
            strike_out(page, self._audits, auditor.id)
        else:
            change(page.connection, _auditors, is_it, away_until=one.away_until)
        return auditor.id

    def _require_home(self, signed: SignedWords, territory: str) -> None:
        if territory != self._settings.home:
            raise SignatureRefused(signer=signed.key.hex(), reason=f"signed for {territory}")

    def _require_project(self, connection: Connection, conflict: Conflict) -> None:
        if conflict.project:
            load_project(connection, conflict.project)


def list_conflicts(connection: Connection, auditor: bytes) -> list[Any]:
    """Return what an auditor said or what was found of him, as rows."""
    return list(
        connection.execute(select(_conflicts).where(_conflicts.c.auditor == auditor).order_by(_conflicts.c.at)).all()
    )


def list_register(connection: Connection) -> list[Any]:
    """Return the register as rows, with what each is called."""
    signers = base_tables.signers
    return list(
        connection.execute(
            select(_auditors, signers.c.title, signers.c.revoked_at)
            .join(signers, signers.c.key == _auditors.c.key)
            .order_by(_auditors.c.at, _auditors.c.id)
        ).all()
    )
