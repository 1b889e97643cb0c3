"""Claim, check, validate and issue passes; suspend, restore, revoke and correct them; answer who asks. On the base's book.

Pictures are drawn before the page that issues is written: what they show does not change after the claim.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Connection, select

from node.governance import tables as base_tables
from node.governance.answering import answer_each
from node.governance.bearers import ProofKind, Verdict, find_rule
from node.governance.days import local_day, read_day, write_day
from node.governance.parameters_store import load_eligibility
from node.governance.passes import passes, tables
from node.governance.passes.canonical_json import Document, encode_json
from node.governance.passes.credentials import PNG, SVG, write_credential
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.engagement import Association, EngagementRow, tell_year
from node.governance.passes.errors import InvalidPass, PassStepRefused, PassUnknown, StatusListFull
from node.governance.passes.holders import Holder
from node.governance.passes.issuers import Issuer, encode_multikey, write_did_document
from node.governance.passes.kept_words import write_words
from node.governance.passes.pass_pages import draw_pictures
from node.governance.passes.pass_proofs import PassProof, is_pass_proven
from node.governance.passes.pass_store import (
    KeptPass,
    last_list,
    list_keys,
    list_passes,
    list_places,
    load_pass,
    load_set_places,
)
from node.governance.passes.passes import (
    Body,
    Duty,
    Evidence,
    Pass,
    PassEvent,
    PassState,
    Validation,
    Work,
    has_ended,
)
from node.governance.passes.status_lists import StatusIndex, StatusPurpose, draw_index, write_list
from node.governance.passes.verification import KnownIssuers, Standing
from node.governance.passes.web_tokens import write_token
from node.governance.projects import ProjectState
from node.governance.settings import ProjectsSettings
from node.governance.skills import SkillCode
from node.governance.skills_store import load_engagement_rules, load_skills
from node.governance.store import change, load_bearer, load_project, note_asked, save, was_asked
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16, format_id, require_id
from protocol.times import DAY_MS, HOUR_MS, Instant

_passes = tables.passes
SECRET_BYTES: Final = 32
LIST_GOOD_MS: Final = 2 * DAY_MS
# In which states of a project people have worked for it.
WORKED: Final = frozenset(
    {
        *(ProjectState.OPEN, ProjectState.FUNDED, ProjectState.IN_PROGRESS),
        *(ProjectState.AUDITED, ProjectState.CLOSED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPass:
    """Work that somebody says to have done. The id is the request's, and becomes the pass's."""

    id: Id16
    project: Id16
    account: AccountNumber
    role: str
    duty: Duty
    first_on: datetime.date
    last_on: datetime.date
    minutes: tuple[tuple[int, int], ...]
    skills: tuple[SkillCode, ...] = ()
    tasks: str = ""
    evidence: tuple[Evidence, ...] = ()
    people: int = 1
    label: str = ""
    did: str = ""
    language: str = "fr"
    valid_until: datetime.date | None = None
    replaces: Id16 | None = None

    def __post_init__(self) -> None:
        require_id(self.id)
        require_id(self.project)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPass:
    """One step of a pass. `decision` is the number of what was decided, for a check or a validation; `reason` says why."""

    id: Id16
    pass_id: Id16
    event: PassEvent
    decision: Id16 | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePass:
    """A validated pass is issued, in the pictures that were drawn of it."""

    id: Id16
    pass_id: Id16
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPass:
    """What is answered to who has the paper: the credential as it was issued, and where the pass stands."""

    kept: KeptPass
    standing: Standing


class PassDesk:
    """Operations for the book's writer, on passes."""

    def __init__(self, settings: ProjectsSettings, *, issuer: Issuer, entropy: Callable[[int], bytes]) -> None:
        self._settings = settings
        self._entropy = entropy
        self.issuer = issuer

    def claim(self, page: Page, items: Sequence[ClaimPass]) -> list[PassState | Refusal]:
        """Enter each claim; the same again is answered with where it stands."""
        return answer_each(items, lambda item: self.claim_one(page, item))

    def step(self, page: Page, items: Sequence[StepPass]) -> list[PassState | Refusal]:
        """Take each pass one step on: all but issuing."""
        return answer_each(items, lambda item: self.step_one(page, item))

    def issue(self, page: Page, items: Sequence[IssuePass]) -> list[PassState | Refusal]:
        """Sign and keep each pass; what it replaces is revoked in the same page."""
        return answer_each(items, lambda item: self._issue(page, item))

    def retire_keys(self, page: Page, items: Sequence[bytes]) -> list[int]:
        """Take keys out of what is trusted, from now on; return how many there were. Passes that they signed count no more."""
        keys = tables.pass_keys
        return [
            change(page.connection, keys, keys.c.public == public, keys.c.retired_at.is_(None), retired_at=page.now)
            for public in items
        ]

    # One at a time.

    def _load(self, page: Page, id_: bytes) -> KeptPass:
        return load_pass(page.connection, id_, home=self._settings.home)

    def load_state(self, page: Page, id_: Id16) -> PassState:
        """Return where a pass stands in a page. Raises PassUnknown."""
        return self._load(page, id_).value.state

    def claim_one(self, page: Page, asked: ClaimPass) -> PassState:
        """Enter one claim; raises its refusal before anything is written."""
        content = ("pass_claim", _content_of(asked))
        if was_asked(page.connection, asked.id, *content):
            return self._load(page, asked.id).value.state
        project = load_project(page.connection, asked.project)
        if project.state not in WORKED or project.bearer is None:
            raise InvalidPass(field="project", reason=f"nobody works for a project that is {project.state}")
        bearer = load_bearer(page.connection, project.bearer)
        for code in asked.skills:
            load_skills().require(code)
        today = local_day(page.now, self._settings.zone)
        if asked.last_on > today:
            raise InvalidPass(field="last_on", reason="work that is not done yet")
        new = Pass(
            id=asked.id,
            holder=Holder(account=asked.account, people=asked.people, label=asked.label, did=asked.did),
            work=Work(
                project=asked.project,
                project_name=project.sheet.title,
                bearer=Body(number=bearer.registry, name=bearer.name),
                role=asked.role,
                duty=asked.duty,
                first_on=asked.first_on,
                last_on=asked.last_on,
                minutes=asked.minutes,
                skills=asked.skills,
                tasks=asked.tasks,
                evidence=asked.evidence,
            ),
            language=asked.language,
            valid_until=asked.valid_until,
        )
        if asked.replaces is not None:
            new = passes.reissue(self._load(page, asked.replaces).value, new)
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _passes,
            id=new.id,
            project=asked.project,
            account=new.holder.account,
            words=write_words(new),
            secret=self._entropy(SECRET_BYTES),
            replaces=new.replaces,
            state=new.state,
            reason="",
            at=page.now,
        )
        return new.state

    def step_one(self, page: Page, asked: StepPass) -> PassState:
        """Take one pass one step on; raises its refusal before anything is written."""
        content = ("pass_step", asked.pass_id, str(asked.event), asked.decision or b"", asked.reason)
        kept = self._load(page, asked.pass_id)
        if was_asked(page.connection, asked.id, *content):
            return kept.value.state
        after = self._take(page, kept.value, asked)
        note_asked(page, asked.id, *content)
        if after is kept.value:
            return after.state
        changes: dict[str, Any] = {"state": after.state, "reason": after.reason}
        if after.checked is not None and kept.value.checked is None:
            changes |= {"checked_on": write_day(after.checked.on), "checked_decision": after.checked.decision}
        if after.validated is not None and kept.value.validated is None:
            changes |= {
                "validated_on": write_day(after.validated.on),
                "validated_decision": after.validated.decision,
                "validated_by": after.validated.body.name,
            }
        change(page.connection, _passes, _passes.c.id == asked.pass_id, **changes)
        return after.state

    def _take(self, page: Page, before: Pass, asked: StepPass) -> Pass:
        match asked.event:
            case PassEvent.CHECKED:
                return passes.check(before, self._validation(page, before.work.bearer, asked))
            case PassEvent.VALIDATED:
                committee = Body(number=self._settings.home, name=self.issuer.name)
                return passes.validate(before, self._validation(page, committee, asked))
            case PassEvent.REFUSED:
                return passes.refuse(before, reason=asked.reason)
            case PassEvent.SUSPENDED:
                return passes.suspend(before, reason=asked.reason)
            case PassEvent.RESTORED:
                return passes.restore(before)
            case PassEvent.REVOKED:
                return passes.revoke(before, reason=asked.reason)
            case PassEvent.ISSUED:
                raise PassStepRefused(state=before.state, event=asked.event)

    def _validation(self, page: Page, body: Body, asked: StepPass) -> Validation:
        if asked.decision is None:
            raise InvalidPass(field="decision", reason="the id of what was decided")
        return Validation(body=body, on=local_day(page.now, self._settings.zone), decision=asked.decision)

    def _issue(self, page: Page, asked: IssuePass) -> PassState:
        content = ("pass_issue", asked.pass_id)
        kept = self._load(page, asked.pass_id)
        if was_asked(page.connection, asked.id, *content):
            return kept.value.state
        issued = passes.issue(kept.value, at=Instant(page.now))
        old = None if issued.replaces is None else self._load(page, issued.replaces)
        if issued is not kept.value:
            if old is not None and old.value.state not in {PassState.ISSUED, PassState.SUSPENDED}:
                raise PassStepRefused(state=old.value.state, event="reissued")
            self._keep_issued(page, kept, issued, asked.pictures)
            if old is not None:
                reason = f"replaced by {format_id(issued.id)}"
                gone = passes.revoke(old.value, reason=reason)
                change(page.connection, _passes, _passes.c.id == old.id, state=gone.state, reason=gone.reason)
        note_asked(page, asked.id, *content)
        return issued.state

    def _keep_issued(self, page: Page, kept: KeptPass, issued: Pass, pictures: Mapping[str, bytes]) -> None:
        number, place = self._draw_place(page.connection, kept)
        document = write_credential(
            issued,
            issuer=self.issuer,
            secret=kept.secret,
            list_number=number,
            index=place,
            skills=load_skills(),
            pictures=pictures,
        )
        digests = {kind: self._keep_picture(page, kind, picture) for kind, picture in pictures.items()}
        self._keep_key(page)
        assert issued.issued_at is not None
        change(
            page.connection,
            _passes,
            _passes.c.id == issued.id,
            state=issued.state,
            issued_at=issued.issued_at,
            list=number,
            place=place,
            credential=encode_json(add_proof(document, self.issuer, at=issued.issued_at)),
            token=write_token(document, self.issuer),
            key=self.issuer.key.public,
            png=digests[PNG],
            svg=digests[SVG],
        )

    def _draw_place(self, connection: Connection, kept: KeptPass) -> tuple[int, StatusIndex]:
        number = last_list(connection)
        try:
            return number, draw_index(kept.secret, kept.id, number, list_places(connection, number))
        except StatusListFull:
            return number + 1, draw_index(kept.secret, kept.id, number + 1, set())

    def _keep_picture(self, page: Page, kind: str, picture: bytes) -> bytes:
        files, digest = base_tables.files, hashlib.sha256(picture).digest()
        if page.connection.execute(select(files.c.at).where(files.c.digest == digest)).first() is None:
            save(page.connection, files, digest=digest, media=kind, body=picture, at=page.now)
        return digest

    def _keep_key(self, page: Page) -> None:
        keys, public = tables.pass_keys, self.issuer.key.public
        if page.connection.execute(select(keys.c.at).where(keys.c.public == public)).first() is None:
            save(page.connection, keys, public=public, at=page.now)


class Passes:
    """The passes of one territory, in the book of its projects."""

    def __init__(
        self, book: Book, settings: ProjectsSettings, *, issuer: Issuer, entropy: Callable[[int], bytes]
    ) -> None:
        self.book = book
        self.issuer = issuer
        self.desk = PassDesk(settings, issuer=issuer, entropy=entropy)
        self._settings = settings

    async def issue(self, id_: Id16, pass_id: Id16) -> PassState:
        """Draw and issue a validated pass. Raises PassUnknown, PassStepRefused, IdMismatch."""
        kept = await self.load(pass_id)
        # On a thread of its own: drawing takes a tenth of a second, and nobody else should wait for it.
        pictures = await asyncio.to_thread(draw_pictures, kept.value, issuer=self.issuer)
        return cast(
            PassState, await self.book.write(self.desk.issue, IssuePass(id=id_, pass_id=pass_id, pictures=pictures))
        )

    async def load(self, pass_id: bytes) -> KeptPass:
        """Raises PassUnknown."""
        return await self.book.read(partial(load_pass, id_=pass_id, home=self._settings.home))

    async def show(self, proof: PassProof) -> ShownPass:
        """Return the pass whose paper is shown, and where it stands. Raises PassUnknown, also where the check is not its own."""
        kept = await self.load(proof.pass_id)
        if not kept.credential or not is_pass_proven(proof, kept.id, kept.credential):
            raise PassUnknown(pass_id=format_id(proof.pass_id))
        today = local_day(self.book.clock(), self._settings.zone)
        return ShownPass(kept=kept, standing=tell_standing(kept.value, today))

    async def write_list(self, purpose: StatusPurpose, number: int) -> Document:
        """Return a status list without proof, good from this hour for two days. Raises StatusListUnknown."""
        places = await self.book.read(partial(load_set_places, purpose=purpose, number=number))
        hour = Instant(self.book.clock() // HOUR_MS * HOUR_MS)
        return write_list(self.issuer, purpose, number, places, at=hour, until=Instant(hour + LIST_GOOD_MS))

    async def write_did(self) -> Document | None:
        """Return the did:web document: today's key, and older ones that are not retired. None without an address."""
        if not self.issuer.node:
            return None
        return write_did_document(self.issuer.node, await self._list_public())

    async def known_issuers(self) -> KnownIssuers:
        """Return whose passes are taken here: our own, by did:web and by did:key."""
        public = await self._list_public()
        return {self.issuer.did: public, **{f"did:key:{encode_multikey(one)}": [one] for one in public}}

    async def _list_public(self) -> list[bytes]:
        kept = await self.book.read(partial(list_keys, with_retired=True))
        standing = await self.book.read(list_keys)
        own = self.issuer.key.public
        first = [own] if own in standing or own not in kept else []
        return [*first, *(public for public in standing if public != own)]

    async def tell_year(self, year: int) -> list[EngagementRow]:
        """Return the year's hours for the CEC. Raises LookupError where no rules are known for it."""
        rules = load_engagement_rules(year)
        issued = await self.book.read(
            lambda line: [
                one.value for one in list_passes(line, _passes.c.state == PassState.ISSUED, home=self._settings.home)
            ]
        )
        associations = await self.book.read(partial(load_associations, year=year))
        return tell_year(issued, year=year, rules=rules, associations=associations)


def tell_standing(value: Pass, today: datetime.date) -> Standing:
    """Return where a pass of ours stands on a day."""
    if value.state is PassState.REVOKED:
        return Standing.REVOKED
    if has_ended(value, today):
        return Standing.EXPIRED
    return Standing.SUSPENDED if value.state is PassState.SUSPENDED else Standing.GOOD


# Associations declared under the law of 1901 or of Alsace-Moselle, by INSEE's legal categories.
ASSOCIATIONS: Final = frozenset({"9210", "9220", "9221", "9222", "9223", "9224", "9230", "9260"})


def load_associations(connection: Connection, year: int) -> dict[str, Association]:
    """Return what is known of each bearer for the CEC: the day of its oldest statutes or declaration counts as declared."""
    rules = load_eligibility(write_day(datetime.date(year, 12, 31)))
    bearers, proofs = base_tables.bearers, base_tables.proofs
    declared: dict[bytes, int] = {}
    kinds = (ProofKind.STATUTES, ProofKind.DECLARATION)
    for row in connection.execute(select(proofs.c.bearer, proofs.c.issued_on).where(proofs.c.kind.in_(kinds))):
        declared[bytes(row.bearer)] = min(declared.get(bytes(row.bearer), row.issued_on), row.issued_on)
    return {
        row.registry: Association(
            number=row.registry,
            is_association=row.category in ASSOCIATIONS,
            is_of_general_interest=find_rule(row.category, rules.categories).verdict is Verdict.ELIGIBLE,
            declared_on=read_day(declared[bytes(row.id)]) if bytes(row.id) in declared else None,
        )
        for row in connection.execute(select(bearers.c.id, bearers.c.registry, bearers.c.category))
    }


def _content_of(asked: ClaimPass) -> bytes:
    return encode_json(
        {
            "project": format_id(asked.project),
            "holder": [asked.account, asked.people, asked.label, asked.did],
            "work": [asked.role, str(asked.duty), asked.first_on.isoformat(), asked.last_on.isoformat(), asked.tasks],
            "minutes": [list(one) for one in asked.minutes],
            "skills": list(asked.skills),
            "evidence": [[one.url, one.words] for one in asked.evidence],
            "language": asked.language,
            "valid_until": None if asked.valid_until is None else asked.valid_until.isoformat(),
            "replaces": None if asked.replaces is None else format_id(asked.replaces),
        }
    )
