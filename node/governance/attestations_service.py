"""Take what bearers and members say with their own key, and do what follows from it, in the page that keeps the words.

The committee's word on a pass is that of `pass_members` members, or of all who may say it where they are fewer. A bearer
is heard through a key that speaks for the body that carries the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.attestations import (
    AttestationKind,
    AttestationWords,
    compute_about,
    require_attestation,
    write_attestation,
)
from node.governance.committee_service import CommitteeDesk, DeclareConflict
from node.governance.days import format_day, local_day, write_day
from node.governance.errors import HasConflict, NotSeated, SignatureRefused
from node.governance.parameters_store import load_participation_rules
from node.governance.passes import tables as pass_tables
from node.governance.passes.canonical_json import encode_json
from node.governance.passes.errors import HoursUnknown, PassStepRefused, PassUnknown
from node.governance.passes.pass_service import PassDesk, StepPass
from node.governance.passes.passes import PassEvent, PassState
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import find_spoken_for, require_signature
from node.governance.store import load_project, save
from node.governance.volunteering import tables as volunteering_tables
from node.governance.volunteering.volunteering_service import JudgeHours, VolunteerDesk
from node.governance.votes import Seat
from node.governance.votes_service import load_seats
from protocol.book.worker import Page
from protocol.canonical import encode_typed
from protocol.errors import IdMismatch, Refusal
from protocol.identifiers import Id16, format_id, require_id
from protocol.keys import Domain

_attestations, _passes = tables.attestations, pass_tables.passes
_hours, _applications = volunteering_tables.told_hours, volunteering_tables.applications
_offers, _members = volunteering_tables.volunteer_offers, tables.members


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAttestation:
    """An attestation and the signature of who makes it."""

    words: AttestationWords
    key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an attestation is about: the project that it belongs to, where it stands, and what it says (JSON, or nothing)."""

    project: Id16
    state: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An attestation was taken: where its subject stands, and how many members more must say the same."""

    id: Id16
    state: str
    missing: int = 0


class AttestationDesk:
    """Operations for the book's writer, on signed attestations."""

    def __init__(
        self, settings: ProjectsSettings, *, passes: PassDesk, volunteers: VolunteerDesk, committee: CommitteeDesk
    ) -> None:
        self._settings = settings
        self._passes = passes
        self._volunteers = volunteers
        self._committee = committee

    def give(self, page: Page, items: Sequence[SignedAttestation]) -> list[Given | Refusal]:
        """Keep each attestation and do what follows; the same again is answered with where its subject stands now."""
        return answer_each(items, lambda item: self._give(page, item))

    # One at a time.

    def _give(self, page: Page, signed: SignedAttestation) -> Given:
        words, connection = signed.words, page.connection
        kind = require_attestation(words)
        id_ = require_id(words.id)
        if words.territory != self._settings.home:
            raise SignatureRefused(signer=signed.key.hex(), reason=f"signed for {words.territory}")
        subject = load_subject(connection, kind, words.subject)
        if self._was_given(connection, signed):
            return Given(id=id_, state=subject.state, missing=self._count_missing(page, kind, words, subject))
        role = SignerRole.BEARER if kind in (AttestationKind.WORK, AttestationKind.HOURS) else SignerRole.MEMBER
        require_signature(connection, signed.key, role, Domain.OFFICER, write_attestation(words), signed.signature)
        if words.about != compute_about(kind, subject.content):
            raise SignatureRefused(signer=signed.key.hex(), reason="signed for what it does not say")
        match kind:
            case AttestationKind.CONFLICT:
                return self._take_conflict(page, signed)
            case AttestationKind.HOURS:
                return self._take_hours(page, signed, subject)
            case AttestationKind.WORK:
                return self._take_work(page, signed, subject)
            case AttestationKind.VALIDATION:
                return self._take_pass(page, signed, subject)

    def _was_given(self, connection: Connection, signed: SignedAttestation) -> bool:
        row = connection.execute(select(_attestations).where(_attestations.c.id == signed.words.id)).first()
        if row is None:
            return False
        if bytes(row.words) != encode_typed(signed.words) or bytes(row.key) != signed.key:
            raise IdMismatch(id=format_id(Id16(signed.words.id)), field="attestation")
        return True

    def _keep(self, page: Page, signed: SignedAttestation) -> None:
        save(
            page.connection,
            _attestations,
            id=signed.words.id,
            kind=signed.words.kind,
            subject=signed.words.subject,
            words=encode_typed(signed.words),
            key=signed.key,
            signature=signed.signature,
            at=page.now,
        )

    def _take_conflict(self, page: Page, signed: SignedAttestation) -> Given:
        today = self._today(page)
        seats = page.connection.execute(
            select(_members.c.id)
            .where(_members.c.key == signed.key, _members.c.until_day >= today, _members.c.ended_at.is_(None))
            .order_by(_members.c.from_day)
        ).all()
        if not seats:
            raise NotSeated(member=signed.key.hex(), reason="no term that runs or is to come")
        for row in seats:
            told = DeclareConflict(
                member=Id16(bytes(row.id)), project=Id16(signed.words.subject), reason=signed.words.reason
            )
            self._committee.declare_one(page, told)
        self._keep(page, signed)
        return Given(id=Id16(signed.words.id), state="declared")

    def _take_hours(self, page: Page, signed: SignedAttestation, subject: Subject) -> Given:
        words = signed.words
        judged = JudgeHours(
            id=Id16(words.id),
            hours=Id16(words.subject),
            is_confirmed=words.is_affirmed,
            by=self._require_bearer(page.connection, signed, subject),
            reason=words.reason,
        )
        state = self._volunteers.judge_one(page, judged)
        self._keep(page, signed)
        return Given(id=judged.id, state=str(state))

    def _take_work(self, page: Page, signed: SignedAttestation, subject: Subject) -> Given:
        self._require_bearer(page.connection, signed, subject)
        return self._step_pass(page, signed, PassEvent.CHECKED)

    def _take_pass(self, page: Page, signed: SignedAttestation, subject: Subject) -> Given:
        seats = self._load_seats(page, subject)
        seat = next((seat for seat in seats if seat.key == signed.key), None)
        if seat is None:
            raise NotSeated(member=signed.key.hex(), reason="sits in no college today")
        if seat.conflict:
            raise HasConflict(member=seat.title, reason=seat.conflict)
        if not signed.words.is_affirmed:
            return self._step_pass(page, signed, PassEvent.VALIDATED)
        if subject.state not in (PassState.CHECKED, PassState.VALIDATED):
            raise PassStepRefused(state=PassState(subject.state), event=PassEvent.VALIDATED)
        said = list_said(page.connection, signed.words.subject)
        missing = compute_missing(seats, said | {signed.key}, self._today(page))
        if not missing:  # also where the same says it again, because those who were to say it too have left
            return self._step_pass(page, signed, PassEvent.VALIDATED)
        if signed.key in said:
            raise IdMismatch(id=format_id(Id16(signed.words.id)), field="attestation")
        self._keep(page, signed)
        return Given(id=Id16(signed.words.id), state=subject.state, missing=missing)

    def _step_pass(self, page: Page, signed: SignedAttestation, event: PassEvent) -> Given:
        words = signed.words
        step = StepPass(
            id=Id16(words.id),
            pass_id=Id16(words.subject),
            event=event if words.is_affirmed else PassEvent.REFUSED,
            decision=Id16(words.id) if words.is_affirmed else None,
            reason=words.reason,
        )
        state = self._passes.step_one(page, step)
        self._keep(page, signed)
        return Given(id=step.id, state=str(state))

    def _require_bearer(self, connection: Connection, signed: SignedAttestation, subject: Subject) -> str:
        """Return the registry number of the body that a key speaks for. Raises SignatureRefused."""
        spoken_for, carries = find_spoken_for(connection, signed.key), load_project(connection, subject.project).bearer
        if carries is None or spoken_for != carries:
            raise SignatureRefused(signer=signed.key.hex(), reason="speaks for another body than the project's bearer")
        bearers = tables.bearers
        return str(connection.execute(select(bearers.c.registry).where(bearers.c.id == carries)).scalar_one())

    def _load_seats(self, page: Page, subject: Subject) -> Sequence[Seat]:
        project = load_project(page.connection, subject.project)
        return load_seats(page.connection, project, page.now, self._settings.zone)

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _count_missing(self, page: Page, kind: AttestationKind, words: AttestationWords, subject: Subject) -> int:
        if kind is not AttestationKind.VALIDATION or subject.state != PassState.CHECKED:
            return 0
        return compute_missing(
            self._load_seats(page, subject), list_said(page.connection, words.subject), self._today(page)
        )


def compute_missing(seats: Sequence[Seat], said: set[bytes], day: int) -> int:
    """Return how many members more must say yes on a day: a word counts while who said it sits and has no conflict."""
    may = [seat for seat in seats if not seat.conflict]
    wanted = min(load_participation_rules(day).pass_members, len(may))
    return max(0, wanted - sum(seat.key in said for seat in may))


def list_said(connection: Connection, pass_id: bytes, until: int | None = None) -> set[bytes]:
    """Return whose keys said for the committee that a pass counts, by an instant. A no ends the pass: all others are a yes."""
    query = select(_attestations.c.key).where(
        _attestations.c.subject == pass_id, _attestations.c.kind == AttestationKind.VALIDATION
    )
    if until is not None:
        query = query.where(_attestations.c.at <= until)
    return {bytes(key) for key in connection.execute(query).scalars()}


def load_subject(connection: Connection, kind: AttestationKind, id_: bytes) -> Subject:
    """Return what an attestation of that kind is about. Raises PassUnknown, HoursUnknown, ProjectUnknown."""
    match kind:
        case AttestationKind.CONFLICT:
            project = load_project(connection, id_)
            return Subject(project=project.id, state=str(project.state), content=b"")
        case AttestationKind.HOURS:
            row = connection.execute(
                select(_hours, _applications.c.account, _offers.c.project, _offers.c.title)
                .join(_applications, _applications.c.id == _hours.c.application)
                .join(_offers, _offers.c.id == _applications.c.offer)
                .where(_hours.c.id == id_)
            ).first()
            if row is None:
                raise HoursUnknown(hours=id_.hex())
            told = {
                "account": row.account,
                "task": row.title,
                "on": format_day(row.on_day),
                "minutes": row.minutes,
                "words": row.words,
            }
            return Subject(project=Id16(bytes(row.project)), state=row.state, content=encode_json(told))
        case AttestationKind.WORK | AttestationKind.VALIDATION:
            row = connection.execute(select(_passes).where(_passes.c.id == id_)).first()
            if row is None:
                raise PassUnknown(pass_id=id_.hex())
            return Subject(project=Id16(bytes(row.project)), state=row.state, content=bytes(row.words))


def list_attestations(connection: Connection, subject: bytes) -> list[Any]:
    """Return what was said about a pass, hours or a project, as rows, the oldest first, with who said it."""
    signers = tables.signers
    return list(
        connection.execute(
            select(_attestations, signers.c.title, signers.c.role)
            .join(signers, signers.c.key == _attestations.c.key)
            .where(_attestations.c.subject == subject)
            .order_by(_attestations.c.at, _attestations.c.id)
        ).all()
    )
