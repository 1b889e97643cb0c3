"""A projects' base on a real book, and accounts that say what the test lets them say. Fakes keep what they were told."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from node.governance.attestations import (
    ATTESTATION_VERSION,
    AttestationKind,
    AttestationWords,
    compute_about,
    write_attestation,
)
from node.governance.attestations_service import Given, SignedAttestation, load_subject
from node.governance.bearers import Bearer, Proof, ProofKind, Registry
from node.governance.checks import check_projects, list_rules
from node.governance.committee_service import SeatMember
from node.governance.days import write_day
from node.governance.projects import ProjectEvent, ProjectState
from node.governance.projects_service import LeadProject, ProposeProject
from node.governance.rules_checks import INVARIANT
from node.governance.service import PROJECTS_HISTORY, Projects
from node.governance.settings import ProjectsSettings
from node.governance.sheets import BudgetLine, Milestone, Sheet
from node.governance.signers import SignerRole
from node.governance.signers_service import NewSigner
from node.governance.store import Project, load_bearer, load_project
from node.governance.votes import BALLOT_VERSION, BallotWords, Choice, College, SignedBallot, sign_ballot
from node.governance.votes_service import CallVote, CloseVote, Session, load_session
from node.ledger.service import ledger_history
from protocol.book.checks import guarded
from protocol.book.service import Book
from protocol.book.worker import Page
from protocol.exchange.peer_service import PeerExchange
from protocol.exchange.service import Identity
from protocol.findings import Finding
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    DueSettled,
    DueState,
    GuideAccredited,
    GuideEnded,
    HouseMessage,
    OpenProject,
    OrderNetted,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    ReleaseProject,
    Support,
    house_of,
    make_due_id,
    make_neighbours,
)
from protocol.identifiers import Id16, TerritoryCode, make_account_number
from protocol.keys import Domain, Keyring, SecretKeys, make_keys, sign
from protocol.times import DAY_MS, HOUR_MS, Instant
from tests.templates import lay

BREST = TerritoryCode("242900314")
RENNES = TerritoryCode("243500139")
ACCOUNTS, FUND, PROJECTS = str(BaseName.ACCOUNTS), str(BaseName.FUND), str(BaseName.PROJECTS)
TODAY = datetime.date(2026, 11, 23)
NOON = (TODAY - datetime.date(1970, 1, 1)).days * DAY_MS + 12 * HOUR_MS
OURS = "FR1420041010050500013M02606"
OTHER = "DE75512108001245126199"
ASSOCIATION = Registry("W291000001")
FOR = (3, 4, 2, 4)


class Direct:
    """Carries an envelope to the other base and its answer back."""

    def __init__(self, answerer: PeerExchange) -> None:
        self._answerer = answerer

    async def call(self, envelope: bytes, wait_ms: int) -> bytes:
        return await self._answerer.answer(envelope)


class FakeAccounts:
    """Accounts that open projects and give back, and say the rest when the test says so."""

    def __init__(self) -> None:
        self.opened: dict[bytes, OpenProject] = {}
        self.committed: dict[bytes, CommitProject] = {}
        self.released: dict[bytes, ReleaseProject] = {}
        self.asked: dict[bytes, ConvertProject] = {}
        self.directed: dict[bytes, int] = {}
        self.converted: dict[bytes, int] = {}
        self.ordered: list[OrderNetted] = []
        self.guides: list[GuideAccredited | GuideEnded] = []
        self.heard: list[HouseMessage] = []
        self.peer: PeerExchange

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        answers: list[HouseMessage] = []
        self.heard += messages
        for message in messages:
            match message:
                case OpenProject():
                    self.opened[message.id] = message
                    answers.append(ProjectOpened(message.id, f"PR{len(self.opened):06d}"))
                case CommitProject():
                    self.committed[message.project] = message
                case ReleaseProject():
                    self.released[message.project] = message
                    left = self.directed.get(message.project, 0) - self.converted.get(message.project, 0)
                    answers.append(ProjectReleased(message.id, left))
                case ConvertProject():
                    self.asked[message.id] = message
                case OrderNetted():
                    self.ordered.append(message)
                case GuideAccredited() | GuideEnded():
                    self.guides.append(message)
        return answers

    def say(self, *messages: HouseMessage) -> None:
        """Tell the projects' base, from the page of a command."""

        def write(page: Page, items: Sequence[Sequence[HouseMessage]]) -> list[int]:
            return [self.peer.tell(page, PROJECTS, item) for item in items]

        self.peer.book.write_now(write, messages)

    def support(self, project: bytes, cents: int, supporters: int = 1) -> None:
        self.directed[project] = cents
        self.say(Support(project, cents, supporters))

    def convert(self, round_: bytes, shares: dict[str, int], waiting: int = 0) -> None:
        asked = self.asked[round_]
        self.converted[asked.project] = self.converted.get(asked.project, 0) + sum(shares.values())
        self.say(ProjectConverted(round_, tuple(shares), tuple(shares.values()), waiting))

    def settle(self, round_: bytes, payer: str, cents: int, state: DueState = DueState.PAID) -> None:
        self.say(DueSettled(make_due_id(round_, payer), state, cents, write_day(TODAY)))


class World:
    """The projects of one territory, and accounts beside them."""

    def __init__(self, url_of: Callable[[str], str]) -> None:
        self.dice = random.Random(11)
        self._now = NOON
        self.url_of = url_of
        self.settings = ProjectsSettings(home=BREST)
        self.keys = {name: make_keys(self.entropy(64)) for name in (ACCOUNTS, FUND, PROJECTS)}
        self.neighbours = make_neighbours({name: [secret.public] for name, secret in self.keys.items()})
        self.accounts = FakeAccounts()
        histories = {ACCOUNTS: ledger_history(), PROJECTS: PROJECTS_HISTORY}
        self.books = {
            name: Book(lay(url_of(name), history), history=history, clock=self.clock)
            for name, history in histories.items()
        }
        self.book = self.books[PROJECTS]
        self.projects = Projects(
            self.book,
            lambda page, reader, messages: self.peer.tell(page, reader, messages),
            self.settings,
            keys=self.keys[PROJECTS],
            find_fund=lambda: self.keys[FUND].public,
            entropy=self.entropy,
        )
        self.peer = self._peer(PROJECTS, self.projects.apply)
        self.accounts.peer = self._peer(ACCOUNTS, self.accounts.apply)
        self.people: dict[str, SecretKeys] = {}

    def _peer(self, name: str, apply: Callable[..., Sequence[HouseMessage]]) -> PeerExchange:
        identity = Identity(house_of(BREST), name, Keyring(self.keys[name]))
        return PeerExchange(self.books[name], identity, self.neighbours, apply)

    def close(self) -> None:
        for book in self.books.values():
            book.close()

    def clock(self) -> Instant:
        self._now += 1
        return Instant(self._now)

    @property
    def now(self) -> int:
        return self._now

    def later(self, *, days: int = 0, hours: int = 0) -> None:
        self._now += days * DAY_MS + hours * HOUR_MS

    def entropy(self, count: int) -> bytes:
        return self.dice.randbytes(count)

    def id(self) -> Id16:
        return Id16(self.entropy(16))

    def account(self) -> str:
        return make_account_number(self.entropy(16))

    def write(self, operation: Callable[..., Any], item: Any) -> Any:
        return self.book.write_now(operation, item)

    def write_all(self, operation: Callable[..., Any], items: Sequence[Any]) -> list[Any]:
        """Write many items at once; none of them may be refused."""
        answers = self.book.write_all_now(operation, items)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def read(self, find: Callable[[Connection], Any]) -> Any:
        return self.book.read_now(find)

    async def settle(self) -> None:
        """Let the two bases say all that they have to say."""
        await self.peer.call(ACCOUNTS, Direct(self.accounts.peer))

    # People.

    def signer(self, name: str, role: SignerRole = SignerRole.MEMBER) -> SecretKeys:
        keys = self.people.setdefault(name, make_keys(self.entropy(64)))
        self.write(self.projects.signers.add, NewSigner(role=role, title=name, keys=keys.public))
        return keys

    def seat(self, name: str, college: College, **more: Any) -> Id16:
        self.signer(name)
        return self.seat_key(name, college, **more)

    def seat_key(self, name: str, college: College, **more: Any) -> Id16:
        """Let somebody sit whose key is registered."""
        keys = self.people[name]
        values: dict[str, Any] = {
            "id": self.id(),
            "key": keys.public.id,
            "college": college,
            "from_day": 20260101,
            "until_day": 20281231,
        }
        seated: Id16 = self.write(self.projects.committee.seat, SeatMember(**values | more))
        return seated

    def committee(self, each: int = 1) -> dict[str, Id16]:
        """A member or more in each college: citizens-1, citizens-2, …"""
        names = {f"{college}-{at}": college for college in College for at in range(1, each + 1)}
        self.people |= {name: make_keys(self.entropy(64)) for name in names}
        new = [NewSigner(role=SignerRole.MEMBER, title=name, keys=self.people[name].public) for name in names]
        self.write_all(self.projects.signers.add, new)
        seats = [
            SeatMember(
                id=self.id(),
                key=self.people[name].public.id,
                college=college,
                from_day=20260101,
                until_day=20281231,
            )
            for name, college in names.items()
        ]
        return dict(zip(names, self.write_all(self.projects.committee.seat, seats), strict=True))

    # Bearers and projects.

    def bearer(self, registry: Registry = ASSOCIATION, *, iban: str = OURS, until: int = 20271231) -> Bearer:
        bearer = Bearer(
            id=self.id(), registry=registry, name="Les Blés", category="9220", holder_name="LES BLES", iban=iban
        )
        self.write(self.projects.signers.save_bearers, bearer)
        proofs = [self.proof(bearer, kind, until) for kind in (ProofKind.STATUTES, ProofKind.DECLARATION)]
        self.write_all(self.projects.signers.add_proofs, proofs)
        return bearer

    def prove(self, bearer: Bearer, kind: ProofKind, until: int) -> Proof:
        proof = self.proof(bearer, kind, until)
        self.write(self.projects.signers.add_proofs, proof)
        return proof

    def proof(self, bearer: Bearer, kind: ProofKind, until: int) -> Proof:
        return Proof(
            id=self.id(),
            bearer=bearer.id,
            kind=kind,
            digest=self.entropy(32),
            issued_on=20260101,
            valid_until=until,
        )

    def propose(self, bearer: Bearer | None, **more: Any) -> Id16:
        new = ProposeProject(id=self.id(), sheet=make_sheet(bearer, **more), by=self.account())
        self.write(self.projects.projects.propose, new)
        return new.id

    def lead(self, project: Id16, event: ProjectEvent, reason: str = "") -> ProjectState:
        step = LeadProject(id=self.id(), project=project, event=event, by="the office", reason=reason)
        state: ProjectState = self.write(self.projects.projects.lead, step)
        return state

    def project(self, id_: Id16) -> Project:
        found: Project = self.read(lambda line: load_project(line, id_))
        return found

    def bearer_of(self, project: Id16) -> Bearer:
        found: Bearer = self.read(lambda line: load_bearer(line, self.project(project).sheet.bearer))
        return found

    # Votes.

    def call(self, project: Id16, days: int = 7) -> Session:
        called = CallVote(id=self.id(), project=project, opens_at=self._now, closes_at=self._now + days * DAY_MS)
        session: Session = self.write(self.projects.votes.call, called)
        return session

    def ballot(
        self, name: str, session: Session, choice: Choice = Choice.FOR, reason: str = "", **more: Any
    ) -> SignedBallot:
        values: dict[str, Any] = {
            "version": BALLOT_VERSION,
            "territory": BREST,
            "session": session.id,
            "project": session.project,
            "sheet": session.sheet,
            "choice": choice,
            "grid": FOR,
            "reason": reason or ("too dear" if choice is Choice.AGAINST else ""),
        }
        return sign_ballot(BallotWords(**values | more), self.people[name])

    def cast(self, name: str, session: Session, choice: Choice = Choice.FOR, **more: Any) -> Id16:
        member: Id16 = self.write(self.projects.votes.cast, self.ballot(name, session, choice, **more))
        return member

    def close_vote(self, session: Session, reason: str = "") -> Session:
        closed: Session = self.write(
            self.projects.votes.close, CloseVote(session=session.id, by="chair", reason=reason)
        )
        return closed

    def session(self, id_: Id16) -> Session:
        found: Session = self.read(lambda line: load_session(line, id_))
        return found

    def validate(self, project: Id16, names: Sequence[str]) -> Session:
        """Let these vote for it."""
        self.lead(project, ProjectEvent.EXAMINED)
        session = self.call(project)
        self.write_all(self.projects.votes.cast, [self.ballot(name, session) for name in names])
        self.later(days=8)
        return self.close_vote(session)

    async def open(self, project: Id16, names: Sequence[str]) -> None:
        self.validate(project, names)
        self.lead(project, ProjectEvent.OPENED)
        await self.settle()

    # What bearers and members say with their keys.

    def speaker(self, bearer: Bearer) -> str:
        """Return under which name somebody of `people` speaks for a bearer; the key is registered once."""
        name = f"speaks for {bearer.registry}"
        if name not in self.people:
            self.people[name] = make_keys(self.entropy(64))
            new = NewSigner(role=SignerRole.BEARER, title=name, keys=self.people[name].public, bearer=bearer.id)
            self.write(self.projects.signers.add, new)
        return name

    def attestation(
        self, name: str, what: AttestationKind, subject: bytes, refused: str = "", **more: Any
    ) -> SignedAttestation:
        """Sign what the subject says today: yes, or no where a reason is given; a conflict always has one."""
        content = self.read(lambda line: load_subject(line, what, subject)).content
        told: dict[str, Any] = {
            "version": ATTESTATION_VERSION,
            "territory": BREST,
            "id": self.id(),
            "kind": what,
            "subject": subject,
            "about": compute_about(what, content),
            "is_affirmed": what is AttestationKind.CONFLICT or not refused,
            "reason": refused,
        }
        words, keys = AttestationWords(**told | more), self.people[name]
        signature = sign(keys, Domain.OFFICER, write_attestation(words))
        return SignedAttestation(words=words, key=keys.public.id, signature=signature)

    def attest(self, name: str, what: AttestationKind, subject: bytes, refused: str = "", **more: Any) -> Given:
        given: Given = self.write(
            self.projects.attestations.give, self.attestation(name, what, subject, refused, **more)
        )
        return given

    # What must always be true.

    def find_wrong_row(self, *, likely: str = "", skipped: str = "") -> tuple[str, Finding] | None:
        """Return the first rule of rows alone that something breaks, and what; the likely one is looked at first."""
        keys = (self.keys[PROJECTS].public,)
        rules = [one for one in list_rules(keys, home=BREST, zone=self.settings.zone) if one[0] != skipped]
        rules.sort(key=lambda one: one[0] != likely)

        def look(connection: Connection) -> tuple[str, Finding] | None:
            for rule, check in rules:
                for checked in guarded(INVARIANT, rule, lambda check=check: [check(connection)]):  # type: ignore[misc]
                    if checked.findings:
                        return rule, checked.findings[0]
            return None

        return self.book.read_now(look)

    def find_wrongs(self) -> list[Finding]:
        def look(connection: Connection) -> list[Finding]:
            checked = check_projects(connection, self.neighbours, lambda _where: None, home=BREST)
            return [finding for one in checked for finding in one.findings]

        return self.book.read_now(look)


def make_sheet(bearer: Bearer | None, **more: Any) -> Sheet:
    values: dict[str, Any] = {
        "title": "Un verger pour l'école",
        "need": "Vingt arbres, des outils\net de quoi apprendre.",
        "commune": "29019",
        "latitude": 48_390_400,
        "longitude": -4_486_100,
        "theme": "environment",
        "need_by": 20270301,
        "target": 10_000,
        "minimum": 4_000,
        "lines": (BudgetLine("arbres", 7_000), BudgetLine("outils", 3_000)),
        "milestones": (
            Milestone("arbres", 6_000, "facture du pépiniériste"),
            Milestone("outils", 4_000, "facture des outils"),
        ),
        "links": (),
        "pictures": (),
        "bearer": bearer.id if bearer else b"",
    }
    return Sheet(**values | more)
