"""Call a vote on a project's sheet, take signed ballots, close it and write its minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance import tables
from node.governance.answering import answer_each
from node.governance.days import local_day, write_day
from node.governance.errors import (
    AlreadyVoted,
    CommitteeTooSmall,
    HasConflict,
    InvalidBallot,
    NotSeated,
    ProjectStepRefused,
    ReasonMissing,
    SessionUnknown,
    SignatureRefused,
    VoteClosed,
    VoteNotOpen,
    VoteRunning,
    VoteStillOpen,
)
from node.governance.minutes import MINUTES_VERSION, Minutes, compute_decision, write_minutes
from node.governance.parameters_store import load_committee_rules
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.projects_service import find_open_session, require_eligible_now
from node.governance.settings import ProjectsSettings
from node.governance.signers import SignerRole
from node.governance.signers_service import require_signer
from node.governance.store import Project, change, load_bearer, load_project, note_asked, save, save_step, was_asked
from node.governance.texts import is_line
from node.governance.votes import (
    REASON_MAX,
    Outcome,
    Seat,
    SignedBallot,
    VoteRules,
    count,
    find_short,
    is_ballot_signed,
    read_words,
    require_ballot,
)
from protocol.book.worker import Page
from protocol.canonical import decode_typed, encode_typed
from protocol.errors import Refusal
from protocol.identifiers import Id16, format_id, require_id
from protocol.keys import Domain, SecretKeys, sign
from protocol.times import DAY_MS, MINUTE_MS

_sessions, _ballots = tables.sessions, tables.ballots
RULES_BYTES_MAX: Final = 8_192
DAYS_MAX: Final = 60
# Minutes say from when to when members could vote; a call that took a moment to come is not late.
LATE_MS: Final = 5 * MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class CallVote:
    """A vote on the sheet of a project as it stands, from one instant to another."""

    id: Id16
    project: Id16
    opens_at: int
    closes_at: int

    def __post_init__(self) -> None:
        require_id(self.id)
        if not self.opens_at < self.closes_at <= self.opens_at + DAYS_MAX * DAY_MS:
            raise InvalidBallot(reason=f"a vote is open for {DAYS_MAX} days at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseVote:
    """Count a vote whose time is over. `reason` is what the minutes say where the project is refused."""

    session: Id16
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A vote as it stands."""

    id: Id16
    project: Id16
    version: int
    sheet: bytes
    is_appeal: bool
    rules: VoteRules
    opens_at: int
    closes_at: int
    outcome: Outcome | None
    reason: str
    minutes: bytes | None
    decision: bytes | None
    signature: bytes | None
    signer: bytes | None  # the key of this base that signed


class VoteDesk:
    """Operations for the book's writer, on votes."""

    def __init__(self, settings: ProjectsSettings, *, keys: SecretKeys) -> None:
        self._settings = settings
        self._keys = keys

    def use_keys(self, keys: SecretKeys) -> None:
        """Sign with these keys from now on."""
        self._keys = keys

    def call(self, page: Page, items: Sequence[CallVote]) -> list[Session | Refusal]:
        """Open each vote, under the rules of today."""
        return answer_each(items, lambda item: self._call(page, item))

    def cast(self, page: Page, items: Sequence[SignedBallot]) -> list[Id16 | Refusal]:
        """Take each ballot; return whose it is. The same again is the same, another of the same member is refused."""
        return answer_each(items, lambda item: self._cast(page, item))

    def close(self, page: Page, items: Sequence[CloseVote]) -> list[Session | Refusal]:
        """Count each vote, write and sign its minutes, and take the project where they lead."""
        return answer_each(items, lambda item: self._close(page, item))

    # One at a time.

    def _call(self, page: Page, asked: CallVote) -> Session:
        content = ("vote", asked.project, asked.opens_at, asked.closes_at)
        if was_asked(page.connection, asked.id, *content):
            return load_session(page.connection, asked.id)
        project = load_project(page.connection, asked.project)
        if project.state is not ProjectState.UNDER_EXAMINATION:
            raise ProjectStepRefused(state=project.state, event="voted")
        running = find_open_session(page, project.id)
        if running is not None:
            raise VoteRunning(session=format_id(Id16(bytes(running.id))))
        if asked.closes_at <= page.now:
            raise InvalidBallot(reason="it would be over before it begins")
        if asked.opens_at < page.now - LATE_MS:
            raise InvalidBallot(reason="it cannot have been open before it was called")
        require_eligible_now(page, project, self._settings.zone)
        rules = load_committee_rules(write_day(local_day(page.now, self._settings.zone))).vote
        short = find_short(load_seats(page.connection, project, page.now, self._settings.zone), rules)
        if short is not None:
            raise CommitteeTooSmall(college=short[0], members=short[1], least=short[2])
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _sessions,
            id=asked.id,
            project=project.id,
            version=project.version,
            sheet=project.digest,
            is_appeal=project.appeals,
            rules=encode_typed(rules),
            opens_at=asked.opens_at,
            closes_at=asked.closes_at,
            at=page.now,
            reason="",
        )
        return load_session(page.connection, asked.id)

    def _cast(self, page: Page, ballot: SignedBallot) -> Id16:
        words, connection = read_words(ballot), page.connection
        session = load_session(connection, Id16(words.session))
        signer = require_signer(connection, ballot.key)
        if signer.role != SignerRole.MEMBER or not is_ballot_signed(ballot, bytes(signer.signing)):
            raise SignatureRefused(signer=signer.title, reason="the signature does not fit this ballot")
        told = (words.territory, words.project, words.sheet)
        if told != (self._settings.home, session.project, session.sheet):
            raise InvalidBallot(reason="a ballot on another project, or on another sheet of it")
        known = connection.execute(
            select(_ballots).where(_ballots.c.session == session.id, _ballots.c.key == ballot.key)
        ).first()
        if known is not None:
            if bytes(known.words) != ballot.words:
                raise AlreadyVoted(member=signer.title)
            return Id16(bytes(known.member))
        if page.now < session.opens_at:
            raise VoteNotOpen(opens_at=session.opens_at)
        if page.now >= session.closes_at or session.outcome is not None:
            raise VoteClosed(closed_at=session.closes_at)
        project = load_project(connection, session.project)
        seat = next(
            (one for one in load_seats(connection, project, page.now, self._settings.zone) if one.key == ballot.key),
            None,
        )
        if seat is None:
            raise NotSeated(member=signer.title, reason="no term holds today")
        if seat.conflict:
            raise HasConflict(member=signer.title, reason=seat.conflict)
        require_ballot(words, session.rules)
        save(
            connection,
            _ballots,
            session=session.id,
            member=seat.member,
            words=ballot.words,
            key=ballot.key,
            signature=ballot.signature,
            at=page.now,
        )
        return Id16(seat.member)

    def _close(self, page: Page, asked: CloseVote) -> Session:
        session = load_session(page.connection, asked.session)
        if session.outcome is not None:
            return session
        if page.now < session.closes_at:
            raise VoteStillOpen(closes_at=session.closes_at)
        project = load_project(page.connection, session.project)
        minutes = self._count(page, session, project, asked.reason)
        outcome = Outcome(minutes.outcome)
        event = {Outcome.VALIDATED: ProjectEvent.VALIDATED, Outcome.REFUSED: ProjectEvent.REFUSED}.get(outcome)
        if outcome is Outcome.REFUSED and not is_line(asked.reason, REASON_MAX):
            raise ReasonMissing(what="refused")
        body = write_minutes(minutes)
        decision = compute_decision(body)
        change(
            page.connection,
            _sessions,
            _sessions.c.id == session.id,
            outcome=outcome,
            reason=minutes.reason,
            minutes=body,
            decision=decision,
            signature=sign(self._keys, Domain.MINUTES, body),
            signer=self._keys.public.id,
            decided_at=page.now,
        )
        if event is not None:
            save_step(
                page,
                project,
                event,
                by="the committee",
                reason=minutes.reason,
                decision=decision,
                decided_on=minutes.decided_on,
            )
        return load_session(page.connection, session.id)

    def _count(self, page: Page, session: Session, project: Project, reason: str) -> Minutes:
        seats = load_seats(page.connection, project, session.closes_at, self._settings.zone)
        may_vote = {seat.member for seat in seats if not seat.conflict}
        counted = [row for row in list_ballots(page.connection, session.id) if bytes(row.member) in may_vote]
        ballots = tuple(SignedBallot(bytes(row.words), bytes(row.key), bytes(row.signature)) for row in counted)
        choices = {bytes(row.member): read_words(one).choice for row, one in zip(counted, ballots, strict=True)}
        tallies, outcome = count(seats, choices, session.rules)
        return Minutes(
            version=MINUTES_VERSION,
            territory=self._settings.home,
            session=session.id,
            project=project.id,
            title=project.sheet.title,
            sheet=session.sheet,
            is_appeal=session.is_appeal,
            opened_at=session.opens_at,
            closed_at=session.closes_at,
            decided_on=write_day(local_day(page.now, self._settings.zone)),
            rules=session.rules,
            seats=seats,
            ballots=ballots,
            tallies=tallies,
            outcome=outcome,
            reason=reason if outcome is Outcome.REFUSED else "",
        )


def load_seats(connection: Connection, project: Project, at: int, zone: str) -> tuple[Seat, ...]:
    """Return who sits at an instant, with the conflicts that were known by then: declared ones, and those that show."""
    members, signers, conflicts = tables.members, tables.signers, tables.conflicts
    day = write_day(local_day(at, zone))
    # Whose key it is, or whose account, has the conflict, in this seat or in another: who is seated anew has it still.
    said = connection.execute(
        select(members.c.key, members.c.account, conflicts.c.reason)
        .join_from(conflicts, members, members.c.id == conflicts.c.member)
        .where(conflicts.c.project == project.id, conflicts.c.at <= at)
    ).all()
    declared = {bytes(row.key): row.reason for row in said}
    of_account = {row.account: row.reason for row in said if row.account}
    bearer = None if project.bearer is None else load_bearer(connection, project.bearer).registry
    rows = connection.execute(
        select(members, signers.c.title, signers.c.signing)
        .join(signers, signers.c.key == members.c.key)
        .where(
            members.c.from_day <= day,
            members.c.until_day >= day,
            (members.c.ended_at.is_(None)) | (members.c.ended_at > at),
            (signers.c.revoked_at.is_(None)) | (signers.c.revoked_at > at),
        )
        .order_by(members.c.college, members.c.id)
    )
    return tuple(
        Seat(
            bytes(row.id),
            row.college,
            row.title,
            bytes(row.key),
            bytes(row.signing),
            declared.get(bytes(row.key)) or of_account.get(row.account) or _find_conflict(row, project, bearer),
        )
        for row in rows
    )


def _find_conflict(member: Any, project: Project, bearer: str | None) -> str:
    """Return the conflict that shows by itself, or nothing."""
    if member.organisation and member.organisation in (bearer, project.proposer):
        return "comes from the body that carries or proposed the project"
    if member.account and member.account == project.proposer:
        return "proposed the project"
    return ""


def list_ballots(connection: Connection, session: bytes) -> list[Any]:
    """Return the ballots of a vote as rows, in the order of their members."""
    return list(
        connection.execute(select(_ballots).where(_ballots.c.session == session).order_by(_ballots.c.member)).all()
    )


def load_session(connection: Connection, id_: Id16) -> Session:
    """Return the vote. Raises SessionUnknown."""
    row = connection.execute(select(_sessions).where(_sessions.c.id == id_)).first()
    if row is None:
        raise SessionUnknown(session=format_id(id_))
    return make_session(row)


def list_sessions(connection: Connection, project: bytes) -> list[Session]:
    """Return the votes on a project, the oldest first."""
    rows = connection.execute(
        select(_sessions).where(_sessions.c.project == project).order_by(_sessions.c.at, _sessions.c.id)
    )
    return [make_session(row) for row in rows]


def make_session(row: Any) -> Session:
    return Session(
        id=Id16(bytes(row.id)),
        project=Id16(bytes(row.project)),
        version=row.version,
        sheet=bytes(row.sheet),
        is_appeal=bool(row.is_appeal),
        rules=decode_typed(bytes(row.rules), VoteRules, size_max=RULES_BYTES_MAX),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        reason=row.reason,
        minutes=None if row.minutes is None else bytes(row.minutes),
        decision=None if row.decision is None else bytes(row.decision),
        signature=None if row.signature is None else bytes(row.signature),
        signer=None if row.signer is None else bytes(row.signer),
    )
