"""Turn what was directed to a project into euros, round by round, and follow them to the bearer.

The accounts say how much of which lot; the order says who is to be paid, and only the paying fund can read it. A round
needs an eligible bearer, an account that nobody is changing, and what `instalments` asks.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.auditing.audits_store import list_standings
from node.governance.auditing.gate import find_missing, find_running, find_tier
from node.governance.auditing.rules_store import load_audit_rules
from node.governance.bearers import DIGEST_BYTES
from node.governance.days import end_of, local_day, read_day, write_day
from node.governance.errors import (
    DueNotPaid,
    InvalidMember,
    InvalidProof,
    ProjectStepRefused,
    ProofUnknown,
    ReasonMissing,
    RoundRefused,
    RoundUnknown,
    SignatureRefused,
)
from node.governance.instalments import (
    AWAITED,
    AuditVerdict,
    DueMark,
    Progress,
    ProofState,
    RoundState,
    choose_round,
    compute_cumulated,
    count_free,
)
from node.governance.letters_service import Letters, find_verdict
from node.governance.orders_service import OrderWriter
from node.governance.parameters_store import load_committee_rules
from node.governance.projects import ProjectState
from node.governance.settings import ProjectsSettings
from node.governance.signers import FindingWords, SignerRole, write_words
from node.governance.signers_service import require_signature
from node.governance.south.programme_service import require_nothing_missing
from node.governance.store import (
    Project,
    change,
    load_project,
    note_asked,
    save,
    was_asked,
)
from node.governance.texts import is_line
from protocol.amounts import require_amount
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import PAYERS_MAX, ConvertProject, DueConfirmed
from protocol.identifiers import Id16, format_id, require_id, require_territory
from protocol.keys import Domain, PublicKeys

WORDS_MAX: Final = 200
FINDING_MAX: Final = 2_000
_SEED_BYTES: Final = 32
_rounds, _dues, _spendings, _findings = tables.rounds, tables.dues, tables.spendings, tables.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertRound:
    """Ask for the next round of a project; the id is the round's."""

    id: Id16
    project: Id16

    def __post_init__(self) -> None:
        require_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDue:
    """The bearer has the euros of one fund for one round. `on` is yyyymmdd."""

    round: Id16
    payer: str
    on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSpending:
    """A proof of what an instalment was spent on: its file's SHA-256."""

    id: Id16
    project: Id16
    instalment: int
    words: str
    cents: int
    digest: bytes

    def __post_init__(self) -> None:
        require_id(self.id)
        require_amount(self.cents)
        if len(self.digest) != DIGEST_BYTES:
            raise InvalidProof(field="digest", reason="the SHA-256 of the file")
        if not is_line(self.words, WORDS_MAX):
            raise InvalidProof(field="words", reason=f"one line of 1 to {WORDS_MAX} symbols")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSpending:
    """Accept or refuse a proof; refused with a reason."""

    id: Id16
    is_accepted: bool
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFinding:
    """An auditor's finding, with the auditor's signature of its words."""

    words: FindingWords
    key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """A fund elsewhere, by its territory, with the key that orders are sealed for."""

    territory: str
    keys: PublicKeys

    def __post_init__(self) -> None:
        require_territory(self.territory)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport:
    """How far a project's euros are. `open_reason`: why it cannot be audited to its end yet, or nothing.

    `waits` is the refusal of whoever tries, where it is an audit that is not there.
    """

    progress: Progress
    free: int  # instalments
    confirmed: int  # cents
    open_reason: str
    waits: RoundRefused | None = None


class RoundDesk:
    """Operations for the book's writer, on rounds of conversion and what follows them."""

    def __init__(
        self,
        letters: Letters,
        settings: ProjectsSettings,
        orders: OrderWriter,
    ) -> None:
        self._letters = letters
        self._settings = settings
        self._orders = orders

    def save_payers(self, page: Page, items: Sequence[Payer]) -> list[str | Refusal]:
        """Keep the key of each fund elsewhere; a newer one replaces the older."""
        return answer_each(items, lambda item: self._save_payer(page, item))

    def convert(self, page: Page, items: Sequence[ConvertRound]) -> list[int | Refusal]:
        """Ask the accounts for the next round of each project; return its cents."""
        return answer_each(items, lambda item: self._convert(page, item))

    def confirm(self, page: Page, items: Sequence[ConfirmDue]) -> list[DueMark | Refusal]:
        """Note that the bearer has the euros."""
        return answer_each(items, lambda item: self._confirm(page, item))

    def give_spendings(self, page: Page, items: Sequence[GiveSpending]) -> list[ProofState | Refusal]:
        """Keep each proof of what an instalment was spent on."""
        return answer_each(items, lambda item: self._give(page, item))

    def judge_spendings(self, page: Page, items: Sequence[JudgeSpending]) -> list[ProofState | Refusal]:
        """Accept or refuse each proof, once."""
        return answer_each(items, lambda item: self._judge(page, item))

    def take_findings(self, page: Page, items: Sequence[SignedFinding]) -> list[AuditVerdict | Refusal]:
        """Keep what auditors found and signed: the last finding of a project counts."""
        return answer_each(items, lambda item: self._take_finding(page, item))

    # One at a time.

    def _save_payer(self, page: Page, one: Payer) -> str:
        table = tables.payers
        values = {"signing": one.keys.signing, "sealing": one.keys.sealing, "at": page.now}
        if one.territory == self._settings.home:
            raise InvalidMember(field="territory", reason="the own fund's key is in house.toml")
        if change(page.connection, table, table.c.territory == one.territory, **values):
            return one.territory
        held = page.connection.execute(select(func.count()).select_from(table)).scalar_one()
        if held >= PAYERS_MAX - 1:
            raise InvalidMember(field="territory", reason=f"{PAYERS_MAX - 1} funds elsewhere at most")
        save(page.connection, table, territory=one.territory, **values)
        return one.territory

    def _convert(self, page: Page, asked: ConvertRound) -> int:
        content = ("convert", asked.project)
        project = load_project(page.connection, asked.project)
        if was_asked(page.connection, asked.id, *content):
            return int(page.connection.execute(select(_rounds.c.cents).where(_rounds.c.id == asked.id)).scalar_one())
        if project.state is not ProjectState.IN_PROGRESS:
            raise ProjectStepRefused(state=project.state, event="converted")
        require_nothing_missing(page.connection, project, page.now, self._settings.zone)
        today = write_day(local_day(page.now, self._settings.zone))
        instalment, cents = choose_round(load_progress(page.connection, project, today))
        number = self._next_number(page, project)
        orders, iban = self._orders.write(page, project, number, today)
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _rounds,
            id=asked.id,
            project=project.id,
            round=number,
            instalment=instalment,
            cents=cents,
            iban=iban,
            state=RoundState.ASKED,
            waiting=0,
            code="",
            at=page.now,
        )
        message = ConvertProject(asked.id, project.id, number, cents, tuple(orders), tuple(orders.values()))
        self._letters.send(page, message)
        return cents

    def _next_number(self, page: Page, project: Project) -> int:
        last = page.connection.execute(
            select(func.max(_rounds.c.round)).where(_rounds.c.project == project.id)
        ).scalar()
        return int(last or 0) + 1

    def _confirm(self, page: Page, asked: ConfirmDue) -> DueMark:
        read_day(asked.on)
        row = page.connection.execute(
            select(_dues).where(_dues.c.round == asked.round, _dues.c.payer == asked.payer)
        ).first()
        if row is None:
            raise RoundUnknown(round=format_id(asked.round))
        if row.mark == DueMark.CONFIRMED:
            return DueMark.CONFIRMED
        if row.mark != DueMark.PAID:  # one that is netted is paid later, by our own fund
            raise DueNotPaid(state=row.mark)
        change(page.connection, _dues, _dues.c.id == row.id, mark=DueMark.CONFIRMED, confirmed_on=asked.on)
        self._letters.send(page, DueConfirmed(bytes(row.id), asked.on))
        return DueMark.CONFIRMED

    def _give(self, page: Page, asked: GiveSpending) -> ProofState:
        content = ("spending", asked.project, asked.instalment, asked.words, asked.cents, asked.digest)
        project = load_project(page.connection, asked.project)
        if was_asked(page.connection, asked.id, *content):
            return ProofState(
                page.connection.execute(select(_spendings.c.state).where(_spendings.c.id == asked.id)).scalar_one()
            )
        if project.state is not ProjectState.IN_PROGRESS:
            raise ProjectStepRefused(state=project.state, event="spent")
        today = write_day(local_day(page.now, self._settings.zone))
        if not 1 <= asked.instalment <= count_free(load_progress(page.connection, project, today)):
            raise InvalidProof(field="instalment", reason="of one that is free")
        same = (_spendings.c.digest == asked.digest, _spendings.c.state != ProofState.REFUSED)
        if page.connection.execute(select(_spendings.c.id).where(*same)).first() is not None:
            raise InvalidProof(field="digest", reason="this file was given before: one file proves once")
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _spendings,
            id=asked.id,
            project=project.id,
            instalment=asked.instalment,
            words=asked.words,
            cents=asked.cents,
            digest=asked.digest,
            state=ProofState.GIVEN,
            reason="",
            by="",
            at=page.now,
        )
        return ProofState.GIVEN

    def _judge(self, page: Page, asked: JudgeSpending) -> ProofState:
        row = page.connection.execute(select(_spendings).where(_spendings.c.id == asked.id)).first()
        if row is None:
            raise ProofUnknown(proof=format_id(asked.id))
        after = ProofState.ACCEPTED if asked.is_accepted else ProofState.REFUSED
        if row.state == after:
            return after
        if row.state != ProofState.GIVEN:
            raise ProjectStepRefused(state=row.state, event=after)
        if not is_line(asked.by, WORDS_MAX):
            raise ReasonMissing(what="by")
        if not asked.is_accepted and not is_line(asked.reason, WORDS_MAX):
            raise ReasonMissing(what="refused")
        change(
            page.connection,
            _spendings,
            _spendings.c.id == asked.id,
            state=after,
            by=asked.by,
            reason=asked.reason,
            decided_at=page.now,
        )
        return after

    def _take_finding(self, page: Page, asked: SignedFinding) -> AuditVerdict:
        words = asked.words
        content = ("finding", write_words(words), asked.key)
        project = load_project(page.connection, words.project)
        if was_asked(page.connection, Id16(words.id), *content):
            return AuditVerdict(words.verdict)
        if words.territory != self._settings.home:
            raise SignatureRefused(signer=asked.key.hex(), reason=f"signed for {words.territory}")
        require_signature(
            page.connection,
            asked.key,
            SignerRole.AUDITOR,
            Domain.AUDIT,
            write_words(words),
            asked.signature,
        )
        if words.verdict not in tuple(AuditVerdict) or not 0 < len(words.text) <= FINDING_MAX:
            raise InvalidProof(field="finding", reason=f"a verdict, and a text of up to {FINDING_MAX} symbols")
        if project.state is not ProjectState.IN_PROGRESS:
            raise ProjectStepRefused(state=project.state, event="found")
        note_asked(page, Id16(words.id), *content)
        save(
            page.connection,
            _findings,
            id=words.id,
            project=project.id,
            verdict=words.verdict,
            words=write_words(words),
            key=asked.key,
            signature=asked.signature,
            at=page.now,
        )
        return AuditVerdict(words.verdict)


# ---------------------------------------------------------------- how far it is


def load_progress(connection: Connection, project: Project, today: int) -> Progress:
    """Return what decides of a project's next round."""
    rows = connection.execute(select(_rounds).where(_rounds.c.project == project.id)).all()
    taken = connection.execute(
        select(func.sum(_dues.c.cents))
        .join_from(_dues, _rounds, _rounds.c.id == _dues.c.round)
        .where(_rounds.c.project == project.id, _dues.c.mark != DueMark.REFUSED)
    ).scalar()
    shares = tuple(one.cents for one in project.sheet.milestones)
    accepted = dict.fromkeys(range(1, len(shares) + 1), 0)
    for instalment, cents in connection.execute(
        select(_spendings.c.instalment, func.sum(_spendings.c.cents))
        .where(_spendings.c.project == project.id, _spendings.c.state == ProofState.ACCEPTED)
        .group_by(_spendings.c.instalment)
    ):
        accepted[instalment] = int(cents)
    sums = compute_cumulated(shares, project.support)
    percent = load_committee_rules(today).proof_percent
    enough = {
        instalment
        for instalment, cents in accepted.items()
        if cents and cents * 100 >= percent * (sums[instalment - 1] - (sums[instalment - 2] if instalment > 1 else 0))
    }
    audits, tier = list_standings(connection, project.id), find_tier(load_audit_rules(today).tiers, sum(shares))
    return Progress(
        shares=shares,
        total=project.support,
        converted=int(taken or 0),
        accepted=frozenset(enough),
        is_round_open=any(row.state == RoundState.ASKED for row in rows),
        verdict=find_verdict(connection, project.id),
        audit_running=find_running(audits),
        audit_missing=find_missing(audits, tier, is_end=False),
    )


def load_progress_report(connection: Connection, project: Project, today: int) -> ProgressReport:
    """Return how far a project's euros are, and what is missing before its end."""
    progress = load_progress(connection, project, today)
    by_mark: dict[str, int] = {}
    for mark, cents in connection.execute(
        select(_dues.c.mark, func.sum(_dues.c.cents))
        .join_from(_dues, _rounds, _rounds.c.id == _dues.c.round)
        .where(_rounds.c.project == project.id)
        .group_by(_dues.c.mark)
    ):
        by_mark[mark] = int(cents)
    confirmed = by_mark.get(DueMark.CONFIRMED, 0)
    missing = len(progress.shares) - len(progress.accepted)
    reason, waits = "", None
    if progress.converted < progress.total or progress.is_round_open:
        reason = f"{progress.total - progress.converted} cents are not converted yet"
    elif confirmed < progress.converted:
        reason = f"the bearer has not confirmed {progress.converted - confirmed} cents"
    elif missing:
        reason = f"{missing} instalments without accepted proofs"
    elif progress.verdict is not AuditVerdict.SOUND:
        reason = "no audit has found it sound"
    else:
        tier = find_tier(load_audit_rules(today).tiers, sum(progress.shares))
        audits = list_standings(connection, project.id)
        waits = progress.audit_running or find_missing(audits, tier, is_end=True)
        reason = "" if waits is None else str(waits.facts["reason"])
    return ProgressReport(
        progress=progress, free=count_free(progress), confirmed=confirmed, open_reason=reason, waits=waits
    )


def list_rounds(connection: Connection, project: bytes) -> list[Any]:
    """Return the rounds of a project as rows, the first one first."""
    return list(connection.execute(select(_rounds).where(_rounds.c.project == project).order_by(_rounds.c.round)).all())


def list_late_dues(connection: Connection, today: int) -> list[Any]:
    """Return what bearers have waited for too long on a day, the longest first: rows with `project` and `number` of the round."""
    before = read_day(today) - datetime.timedelta(days=load_committee_rules(today).payment_days)
    rows = connection.execute(
        select(_dues, _rounds.c.round.label("number"), _rounds.c.project)
        .join_from(_dues, _rounds, _rounds.c.id == _dues.c.round)
        .where(
            _dues.c.mark.in_(tuple(AWAITED)), _dues.c.at < end_of(write_day(before - datetime.timedelta(days=1)), "UTC")
        )
        .order_by(_dues.c.at, _dues.c.id)
    )
    return list(rows.all())


def list_dues(connection: Connection, project: bytes) -> list[Any]:
    """Return what funds owe or paid for a project, by round and payer."""
    return list(
        connection.execute(
            select(_dues, _rounds.c.round.label("number"))
            .join_from(_dues, _rounds, _rounds.c.id == _dues.c.round)
            .where(_rounds.c.project == project)
            .order_by(_rounds.c.round, _dues.c.payer)
        ).all()
    )
