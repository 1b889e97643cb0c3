"""What the projects base asks of the accounts: open, commit, release and convert; and what the fund says of conversions.

Each message is answered the same when it comes again. A release is begun here and goes on in pages of its own
(`ReleaseService`), so that thousands of holders hold nobody up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from sqlalchemy import Connection

from node.federation.outgoing import derive_op
from node.ledger.accounts import CONVERTED, AccountKind
from node.ledger.draws import Draws
from node.ledger.errors import InsufficientRights, NumberTaken
from node.ledger.lots import LotId
from node.ledger.openings import OpenAccount, Opened
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import load_lot_names
from node.ledger.service import Ledger
from node.orientation import store
from node.orientation.again_service import RoundsAgain
from node.orientation.books_service import ProjectBooks, load_terms
from node.orientation.conversions import Directed, Round, choose_round, sum_by_lot
from node.orientation.errors import ProjectUnknown, RoundKnown
from node.orientation.projects import (
    OFFERS_MAX,
    Project,
    ProjectEvent,
    ProjectState,
    advance,
    compute_asked,
    derive_number,
    is_number_of,
    require_committed,
)
from node.orientation.release_service import ReleaseService
from node.orientation.store import KeptDue, KeptOrder
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Refusal
from protocol.house import (
    BaseName,
    CommitProject,
    ConvertProject,
    Due,
    DueSettled,
    DueState,
    DueTaken,
    HouseMessage,
    OpenProject,
    OrderReturned,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    make_due_id,
)
from protocol.identifiers import Id16, TerritoryCode, require_id

NOT_THE_PROJECTS: Final = "not_the_projects"
_AT_ONCE: Final = 500
_Asked = OpenProject | CommitProject | ReleaseProject | ConvertProject
_KINDS: Final = {OpenProject: "open", CommitProject: "commit", ReleaseProject: "release", ConvertProject: "convert"}


class ConvertAbroad(Protocol):
    """Tells the funds of other territories, through the hub, what they owe. Written by the federation's conversion."""

    def convert(
        self,
        page: Page,
        project: Project,
        round_id: bytes,
        lots: Mapping[TerritoryCode, Draws],
        orders: Mapping[TerritoryCode, bytes],
    ) -> Mapping[TerritoryCode, Refusal]:
        """Post what leaves the project's account, and write what tells each issuer; return why, of those that cannot be.

        What it refuses stays directed. It raises nothing. Rights that come back later are posted to the project's
        account, and told to `ProjectDesk.return_due` with the id that `make_due_id` gives.
        """


class ProjectDesk:
    """Applies what the projects base tells the accounts, and what the fund tells of what they owe together."""

    def __init__(
        self,
        ledger: Ledger,
        books: ProjectBooks,
        releases: ReleaseService,
        *,
        has_fund: bool,
        abroad: ConvertAbroad | None = None,
    ) -> None:
        """Without a fund in the house, home lots wait; without `abroad`, those of others do."""
        self._ledger = ledger
        self._books = books
        self._releases = releases
        self._has_fund = has_fund
        self.abroad = abroad
        self.again = RoundsAgain(ledger, books)

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Return the answers, in the order of the questions; what is not asked of us is passed over."""
        asked = [message for message in messages if isinstance(message, _Asked)]
        if sender != BaseName.PROJECTS:
            return [Refused(message.id, NOT_THE_PROJECTS) for message in asked]
        answers: list[HouseMessage] = []
        for message in asked:
            try:
                answers += self._apply_one(page, message)
            except Refusal as refusal:
                answers.append(Refused(message.id, refusal.code))
        return answers

    def _apply_one(self, page: Page, message: _Asked) -> list[HouseMessage]:
        require_id(message.id)
        kind = _KINDS[type(message)]
        digest = compute_asked(message)
        kept = store.find_order(page.connection, message.id)
        if kept is not None:
            if (kept.kind, bytes(kept.asked)) != (kind, digest):
                raise IdMismatch(id=message.id.hex(), field="kind" if kept.kind != kind else "content")
            return self._answer_again(page, message, kept)
        project = self._open(page, message) if isinstance(message, OpenProject) else self._find(page, message)
        order = KeptOrder(message.id, project.id, kind, digest, 0, None)
        match message:
            case OpenProject():
                store.insert_order(page.connection, order, page.now)
                return [ProjectOpened(message.id, project.number)]
            case CommitProject():
                state = advance(project, ProjectEvent.COMMIT)
                store.save_state(page.connection, project.id, state, "")
                store.insert_order(page.connection, order, page.now)
                return [self._tell_standing(page, project.id)]
            case ReleaseProject():
                return self._release(page, message, project, order)
            case ConvertProject():
                return self._convert(page, message, project, order)

    def _answer_again(self, page: Page, message: _Asked, kept: KeptOrder) -> list[HouseMessage]:
        match message:
            case OpenProject():
                return [ProjectOpened(message.id, store.load_project(page.connection, kept.project_id).number)]
            case CommitProject():
                return [self._tell_standing(page, kept.project_id)]
            case ReleaseProject():
                return [] if kept.done_at is None else [ProjectReleased(message.id, kept.cents)]
            case ConvertProject():
                return [self._tell_round(page, message.id)]

    def _find(self, page: Page, message: CommitProject | ReleaseProject | ConvertProject) -> Project:
        project = store.find_project(page.connection, message.project)
        if project is None:
            raise ProjectUnknown(account=message.project.hex())
        return project

    def _open(self, page: Page, asked: OpenProject) -> Project:
        for offer in range(OFFERS_MAX):
            number = derive_number(Id16(asked.id), offer)
            opening = OpenAccount(
                op=Id16(asked.id), number=number, kind=AccountKind.PROJECT, shown_name=asked.shown_name
            )
            [opened] = self._ledger.open_accounts(page, [opening])
            if isinstance(opened, Opened):
                if not is_number_of(opened.op, opened.number):
                    raise IdMismatch(id=asked.id.hex(), field="kind")  # an account that somebody opened by hand
                project = Project(
                    id=store.load_next_project(page.connection),
                    op=asked.id,
                    number=opened.number,
                    shown_name=asked.shown_name,
                    theme=asked.theme,
                    target=asked.target,
                    until=asked.until,
                    state=ProjectState.OPEN,
                )
                store.insert_project(page.connection, project, page.now)
                return project
            if not isinstance(opened, NumberTaken):
                raise opened
        raise NumberTaken(number="-")

    def _tell_standing(self, page: Page, project_id: int) -> Support:
        """Return what is directed now: a commitment is answered by it, as nothing is added to it any more."""
        project = store.load_project(page.connection, project_id)
        standing = (project.id, project.op, project.directed, project.supporters)
        store.save_told(page.connection, [standing])
        return Support(project.op, project.directed, project.supporters)

    def tell_standing_again(self, page: Page, projects: Iterable[bytes]) -> list[HouseMessage]:
        """Return what is directed to these projects now: an old copy of this base may hold less than it had told."""
        found = [store.find_project(page.connection, op) for op in projects]
        return [self._tell_standing(page, project.id) for project in found if project is not None]

    # What goes back

    def _release(self, page: Page, message: ReleaseProject, project: Project, order: KeptOrder) -> list[HouseMessage]:
        state = advance(project, ProjectEvent.RELEASE)
        if project.state is not ProjectState.CLOSED:
            store.save_state(page.connection, project.id, state, message.code or "released")
        store.insert_order(page.connection, order, page.now)
        # A project of few holders is done with at once; the rest goes in pages of its own.
        return self._releases.go_on(page, project.id)

    # What becomes euros

    def _convert(self, page: Page, message: ConvertProject, project: Project, order: KeptOrder) -> list[HouseMessage]:
        require_committed(project)
        if store.is_round_known(page.connection, project.id, message.round):
            raise RoundKnown(account=project.number, round=message.round)
        orders = {TerritoryCode(payer): sealed for payer, sealed in zip(message.payers, message.orders, strict=True)}
        if message.cents > project.held:
            held = project.held
            raise InsufficientRights(available=held, asked=message.cents, missing=message.cents - held)
        chosen = choose_round(self._gather(page, project, message.cents), message.cents, self._find_payers(orders))
        home = sum_by_lot(chosen.taken).get(self._ledger.home, {})
        if home:  # first: it alone may refuse the whole round, while nothing of it is written
            self._post_home(page, project, message.id, home)
        refused = self._post_abroad(page, project, message.id, chosen, orders)
        taken = tuple(one for one in chosen.taken if one.issuer not in refused)
        waiting = message.cents - sum(one.cents for one in taken)
        connection = page.connection
        store.insert_order(connection, order._replace(cents=message.cents), page.now)
        store.insert_round(
            connection,
            op=message.id,
            project_id=project.id,
            number=message.round,
            cents=message.cents,
            waiting=waiting,
            now=page.now,
        )
        store.insert_round_lots(connection, message.id, taken)
        for payer, lots in sum_by_lot(taken).items():
            due = KeptDue(make_due_id(message.id, payer), message.id, payer, sum(lots.values()), "told")
            store.insert_due(connection, due, page.now)
            if payer == self._ledger.home:
                self._tell_due(page, project, due.id, lots, orders[TerritoryCode(payer)])
        self._books.note_converted(page, project.id, [(one.orientation, one.lot, one.cents) for one in taken], 1)
        return [self._tell_round(page, message.id)]

    def _find_payers(self, orders: Mapping[TerritoryCode, bytes]) -> set[str]:
        """Return whose lots can be converted now: our fund's where there is one, others' where there is a way to them."""
        home = self._ledger.home
        return {payer for payer in orders if (self._has_fund if payer == home else self.abroad is not None)}

    def _gather(self, page: Page, project: Project, cents: int) -> list[Directed]:
        """Return what is directed, the oldest orientations first, until there is enough."""
        found: list[Directed] = []
        last, total = 0, 0
        while total < cents:
            rows = store.load_held(page.connection, project.id, after=last, limit=_AT_ONCE)
            if not rows:
                break
            last = rows[-1][0]
            terms = load_terms(page, [lot for _, lot, _ in rows])
            total += sum(held for _, _, held in rows)
            found += [
                Directed(orientation, terms[lot].month, lot, held, terms[lot].issuer) for orientation, lot, held in rows
            ]
        return found

    def _post_home(self, page: Page, project: Project, round_id: bytes, lots: Mapping[LotId, int]) -> None:
        draws = tuple((lot, Cents(cents)) for lot, cents in lots.items())
        posting = Posting(
            op=Id16(derive_op("converted", round_id.hex())),
            kind=PostingKind.CONVERSION,
            debit=project.number,
            credit=CONVERTED,
            cents=Cents(sum(lots.values())),
            draws=draws,
        )
        [posted] = self._ledger.post(page, [posting])
        if isinstance(posted, Refusal):
            raise posted  # nothing of the round is noted yet: a frozen account is refused by its own code

    def _post_abroad(
        self, page: Page, project: Project, round_id: bytes, chosen: Round, orders: Mapping[TerritoryCode, bytes]
    ) -> Mapping[TerritoryCode, Refusal]:
        lots = {
            TerritoryCode(issuer): tuple((lot, Cents(cents)) for lot, cents in drawn.items())
            for issuer, drawn in sum_by_lot(chosen.taken).items()
            if issuer != self._ledger.home
        }
        if not lots or self.abroad is None:
            return {}
        return self.abroad.convert(page, project, round_id, lots, {issuer: orders[issuer] for issuer in lots})

    def _tell_due(self, page: Page, project: Project, id_: bytes, lots: Mapping[LotId, int], order: bytes) -> None:
        names = load_lot_names(page.connection, lots.keys())
        due = Due(
            id=id_,
            territory=self._ledger.home,
            project=project.op,
            refs=tuple(names[lot].ref for lot in lots),
            cents=tuple(lots.values()),
            order=order,
        )
        self._books.tell(page, BaseName.FUND, [due])

    def _tell_round(self, page: Page, op: bytes) -> ProjectConverted:
        """Return how a round stands now: what its payers owe, and what waits for another one."""
        owed = [due for due in store.load_dues(page.connection, op) if due.state != "refused"]
        _, _, waiting = store.load_round(page.connection, op)
        return ProjectConverted(op, tuple(due.payer for due in owed), tuple(due.cents for due in owed), waiting)

    # What the fund answers

    def hear_fund(self, page: Page, messages: Sequence[HouseMessage]) -> None:
        """Follow what our fund says of what it owes. What is not of a round here is passed over."""
        for message in messages:
            if not isinstance(message, DueTaken | DueSettled | Refused):
                continue
            due = store.find_due(page.connection, message.id)
            if due is None or due.state == "refused":
                continue
            if due.payer != self._ledger.home:
                self._hear_netted(page, due, message)
                continue
            match message:
                case DueTaken():
                    self.take_due(page, due.id)
                case DueSettled():
                    self.settle_due(page, message)
                # What it took it owes: whatever it refuses under this id since then was asked by somebody else.
                case Refused() if due.state == "told":
                    self._refuse_home(page, due, message.code)

    def _hear_netted(self, page: Page, due: KeptDue, message: DueTaken | DueSettled | Refused) -> None:
        """Our own fund speaks of what another fund netted: it pays the bearer. Rights never come back from there."""
        if isinstance(message, DueSettled) and message.state is not DueState.NETTED:
            self._books.tell(page, BaseName.PROJECTS, [message])
        elif isinstance(message, Refused):
            self._books.tell(page, BaseName.PROJECTS, [OrderReturned(message.id, message.code)])

    def find_owed(self, connection: Connection, id_: bytes) -> tuple[bytes, str, int] | None:
        """Return the project of a due, whose fund owes it, and its cents; None where nobody does."""
        due = store.find_due(connection, id_)
        if due is None or due.state == "refused":
            return None
        project_id, _, _ = store.load_round(connection, due.round_op)
        return store.load_project(connection, project_id).op, due.payer, due.cents

    def convert_again(self, page: Page, round_id: bytes, payer: str, lots: Mapping[LotId, int], brought: bytes) -> None:
        """Keep again what another fund was asked for a round, after an old copy: see `RoundsAgain`."""
        self.again.take_abroad(page, round_id, payer, lots, brought)

    def take_due(self, page: Page, id_: bytes) -> None:
        """A payer owes it now."""
        due = store.find_due(page.connection, id_)
        if due is not None and due.state == "told":
            store.save_due(page.connection, id_, "taken")

    def find_round_of(self, connection: Connection, id_: bytes) -> tuple[bytes, str] | None:
        """Return the round and the payer of a due, or None."""
        due = store.find_due(connection, id_)
        return None if due is None else (bytes(due.round_op), due.payer)

    def settle_due(self, page: Page, message: DueSettled) -> bool:
        """The euros of a round moved: whoever decided it is told. False where its payer refused it before: nobody is."""
        due = store.find_due(page.connection, message.id)
        if due is not None and due.state == "refused":
            return False
        if message.state in (DueState.PAID, DueState.NETTED):
            store.save_due(page.connection, message.id, "paid")
        self._books.tell(page, BaseName.PROJECTS, [message])
        return True

    def _refuse_home(self, page: Page, due: KeptDue, code: str) -> None:
        """Our fund does not pay: the very lots go back to the project."""
        project_id, _, _ = store.load_round(page.connection, due.round_op)
        project = store.load_project(page.connection, project_id)
        lots = sum_by_lot(store.load_round_lots(page.connection, due.round_op, due.payer))[due.payer]
        posting = Posting(
            op=Id16(derive_op("not converted", due.id.hex())),
            kind=PostingKind.RETURNED,
            debit=CONVERTED,
            credit=project.number,
            cents=Cents(due.cents),
            draws=tuple((lot, Cents(cents)) for lot, cents in lots.items()),
            reference=code,
        )
        [posted] = self._ledger.post(page, [posting])
        if isinstance(posted, Refusal):
            raise ValueError(f"rights of {due.id.hex()} do not come back: {posted}")
        self.return_due(page, due.id, code)

    def return_due(self, page: Page, id_: bytes, code: str) -> None:
        """What a payer refused is in the project's account again: it stands directed as before, and that is told."""
        due = store.find_due(page.connection, id_)
        if due is None or due.state == "refused":
            return
        connection = page.connection
        project_id, _, _ = store.load_round(connection, due.round_op)
        taken = store.load_round_lots(connection, due.round_op, due.payer)
        store.save_due(connection, id_, "refused", code)
        store.add_waiting(connection, due.round_op, due.cents)
        self._books.note_converted(page, project_id, [(one.orientation, one.lot, one.cents) for one in taken], -1)
        told: list[HouseMessage] = [Refused(bytes(due.id), code), self._tell_round(page, bytes(due.round_op))]
        if store.load_project(connection, project_id).state is ProjectState.CLOSED:
            self._releases.begin_again(page, project_id)
            told += self._releases.go_on(page, project_id)
        self._books.tell(page, BaseName.PROJECTS, told)
