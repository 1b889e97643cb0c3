"""Orientation: a holder directs rights to projects and changes his mind; rights that come from elsewhere are directed too.

Each is an operation of the accounts base. What is decided is in `directions` and `projects`; here it is loaded, posted
and noted, in one page. An id that was refused for how the books stood is refused for ever with the same words, and one
that was done is answered again as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from node.federation import store as federation_store
from node.federation.cessions import AskCession, CessionView
from node.federation.neighbours import Reaching
from node.federation.outgoing import derive_op
from node.federation.reading_service import load_cession
from node.federation.senders import SENDER_NUMBER, name_arrival, read_giver
from node.federation.service import Federation
from node.ledger.accounts import UNCLAIMED, AccountKind, AccountState
from node.ledger.desk import refuse_state
from node.ledger.errors import AccountUnknown, KindMisfit, LedgerRefusal
from node.ledger.fingerprints import compute_fingerprint, find_difference
from node.ledger.postings import JOINS, Posted, Posting, PostingKind
from node.ledger.reading_service import load_draws
from node.ledger.service import Ledger
from node.orientation import directions, store
from node.orientation.books_service import ABROAD, HOME, Given, Gone, ProjectBooks, load_terms
from node.orientation.directions import Direct, Held, Overflow, Placement, Road, choose_back, derive_placed_op, plan
from node.orientation.errors import (
    AskedBefore,
    LotsUnfit,
    OrientationRefusal,
    OrientationUnknown,
    ProjectFull,
    ProjectUnknown,
)
from node.orientation.projects import Project, day_at, find_hindrance, is_fit, is_fit_abroad, require_undecided
from node.orientation.store import KeptAsk, Oriented
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import IdMismatch, Malformed, Refusal
from protocol.identifiers import (
    AccountNumber,
    Address,
    Id16,
    TerritoryCode,
    format_address,
    format_id,
    require_id,
    write_address,
)

_DIRECT: Final = "direct"
_TAKE_BACK: Final = "take back"
_BACK_FIELDS: Final = ("orientation", "cents")
Answer = TypeVar("Answer", bound=msgspec.Struct)
_HOLDERS: Final = JOINS[PostingKind.ORIENTATION][0]


class Placed(msgspec.Struct, frozen=True):
    """What one choice got: under which id, how much, and why not all that was wished. `state`: directed, sent or none."""

    id: str
    to: str
    cents: int
    state: str
    code: str = ""
    facts: dict[str, int | str] = {}


class DirectedView(msgspec.Struct, frozen=True):
    """What became of what a holder asked. What is not placed stayed with him."""

    op: bytes
    account: str
    at: int
    placements: tuple[Placed, ...]
    is_repeat: bool = False

    @property
    def cents(self) -> int:
        return sum(placed.cents for placed in self.placements)


class TakeBackAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A holder changes his mind: so much of an orientation comes back, or all that is still there."""

    op: Id16
    orientation: Id16
    cents: int | None = None

    def __post_init__(self) -> None:
        require_id(self.op)
        require_id(self.orientation)
        if self.op == self.orientation:
            raise Malformed(field="id", reason="a return has an id of its own")
        if self.cents is not None:
            require_amount(self.cents)


class BackAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A holder of another territory changes his mind: of what came by this place of its log, so much, or all that is left."""

    origin: str
    epoch: int
    index: int
    place: int
    id: bytes
    cents: int | None = None


class FarBack(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder of ours asked of a project far away, once it is answered: so much is on its way back."""

    asked: TakeBackAsked
    account: AccountNumber
    cents: int


class TakenBackView(msgspec.Struct, frozen=True):
    """What came back to the account, or (to another territory) is on its way."""

    op: bytes
    orientation: bytes
    at: int
    cents: int
    account: str
    is_unclaimed: bool = False
    is_repeat: bool = False


class Orientations:
    """The room of projects in the accounts base. It is what the federation asks about rights that reach a project."""

    def __init__(self, ledger: Ledger, federation: Federation, books: ProjectBooks) -> None:
        self._ledger = ledger
        self._federation = federation
        self._books = books

    # What holders ask

    def direct(self, page: Page, items: Sequence[Direct]) -> list[DirectedView | Refusal]:
        """Direct rights to projects. A refused item changes nothing and harms no other."""
        answers: list[DirectedView | Refusal] = []
        for item in items:
            asked = compute_fingerprint(_DIRECT, directions.asked_values(item))
            do = partial(self._direct, page, item)
            answers.append(_once(page, item.op, item.account, asked, directions.ASKED_FIELDS, DirectedView, do))
        return answers

    def take_back(self, page: Page, items: Sequence[TakeBackAsked]) -> list[TakenBackView | Refusal]:
        """Take back what was directed, as long as its project is not committed: the very lots that went."""
        answers: list[TakenBackView | Refusal] = []
        for item in items:
            asked = compute_fingerprint(_TAKE_BACK, (item.orientation, item.cents))
            do = partial(self._take_back, page, item)
            answers.append(_once(page, item.op, "", asked, _BACK_FIELDS, TakenBackView, do))
        return answers

    def take_back_far(self, page: Page, items: Sequence[BackAsked]) -> list[TakenBackView | Refusal]:
        """Take back what another territory's holder directed here, whose node asks for him: under an id of that node's."""
        answers: list[TakenBackView | Refusal] = []
        for item in items:
            arrived = federation_store.find_arrival_at(page.connection, item.origin, item.epoch, item.index, item.place)
            if arrived is None:
                answers.append(OrientationUnknown(id=item.id.hex()))
                continue
            op = Id16(derive_op("take back", item.origin, item.id.hex()))
            asked = TakeBackAsked(op=op, orientation=Id16(bytes(arrived.op)), cents=item.cents)
            answers += self.take_back(page, [asked])
        return answers

    def note_far(self, page: Page, items: Sequence[FarBack]) -> list[TakenBackView | Refusal]:
        """Keep what a project's territory answered a holder of ours."""
        answers: list[TakenBackView | Refusal] = []
        for item in items:
            asked = item.asked
            view = TakenBackView(asked.op, asked.orientation, page.now, item.cents, item.account)
            do = partial(_same, view)
            content = compute_fingerprint(_TAKE_BACK, (asked.orientation, asked.cents))
            answers.append(_once(page, asked.op, item.account, content, _BACK_FIELDS, TakenBackView, do))
        return answers

    def find_answered(self, page: Page, items: Sequence[TakeBackAsked]) -> list[TakenBackView | Refusal | None]:
        """Return what was answered under each id, or None. Changes nothing."""
        answers: list[TakenBackView | Refusal | None] = []
        for item in items:
            content = compute_fingerprint(_TAKE_BACK, (item.orientation, item.cents))
            answers.append(_find_answer(page, item.op, content, _BACK_FIELDS, TakenBackView))
        return answers

    def _direct(self, page: Page, item: Direct) -> DirectedView:
        sheet = self._ledger.look_at(page, item.account)
        if sheet is None:
            raise AccountUnknown(account=item.account)
        if sheet.kind not in _HOLDERS:
            raise KindMisfit(kind=PostingKind.ORIENTATION, debit=sheet.kind, credit=AccountKind.PROJECT)
        if sheet.state is not AccountState.OPEN:
            raise refuse_state(sheet)
        terms = load_terms(page, sheet.holdings)
        held = [Held(lot, cents, terms[lot]) for lot, cents in sheet.holdings.items() if cents]
        roads, projects = self._find_roads(page, item)
        placements = plan(item, roads, held, available=sheet.available)
        placed = self._place(page, item, placements, projects)
        return DirectedView(item.op, item.account, page.now, tuple(placed))

    def _find_roads(self, page: Page, item: Direct) -> tuple[list[Road], dict[str, Project]]:
        """Return what each choice can take, and the projects of this territory among them."""
        home = self._ledger.home
        numbers = [choice.to.number for choice in item.choices if choice.to.territory == home]
        projects = store.load_projects(page.connection, numbers)
        today = day_at(page.now)
        roads: list[Road] = []
        for choice in item.choices:
            if choice.to.territory == home:
                project = projects.get(choice.to.number)
                if project is None:
                    roads.append(Road(hindrance=ProjectUnknown(account=choice.to.number)))
                    continue
                fits = partial(is_fit, theme=project.theme, territory=home)
                roads.append(Road(project.room, fits, find_hindrance(project, today)))
                continue
            try:
                is_south = self._federation.require_road(choice.to.territory)
            except Refusal as refusal:
                roads.append(Road(hindrance=refusal))
            else:
                roads.append(Road(None, partial(is_fit_abroad, is_south=is_south)))
        return roads, projects

    def _place(
        self, page: Page, item: Direct, placements: Sequence[Placement], projects: dict[str, Project]
    ) -> list[Placed]:
        """Post each placement: here an orientation, elsewhere a cession. Raises what refuses the first, if it is the id."""
        placed: list[Placed] = []
        for placement in placements:
            to = item.choices[placement.place].to
            op = derive_placed_op(item.op, placement.place)
            done: Refusal | str = "none"
            if placement.cents:
                project = projects.get(to.number) if to.territory == self._ledger.home else None
                done = self._give(page, item, op, to, placement, project)
            if isinstance(done, IdMismatch) and not any(one.cents for one in placed):
                raise done  # the id was used for something else: nothing was done under it here
            if isinstance(done, Refusal):
                placed.append(Placed(format_id(op), format_address(to), 0, "none", done.code, done.facts))
                continue
            cents, code = placement.cents, placement.code
            placed.append(Placed(format_id(op), format_address(to), cents, done, code, placement.facts))
        return placed

    def _give(
        self, page: Page, item: Direct, op: Id16, to: Address, placement: Placement, project: Project | None
    ) -> str | Refusal:
        if project is None:
            asked = AskCession(op=op, account=item.account, beneficiary=to, cents=placement.cents, giver=item.giver)
            asked.draws = placement.draws
            [left] = self._federation.cede(page, [asked])
            if isinstance(left, Refusal):
                return left
            if item.overflow is Overflow.NEXT and not left.is_repeat:
                later = [choice.to for choice in item.choices[placement.place + 1 :]]
                store.insert_onward(page.connection, op, item.account, later, item.giver, page.now)
            return "sent"
        posting = Posting(
            op=op,
            kind=PostingKind.ORIENTATION,
            debit=item.account,
            credit=project.number,
            cents=Cents(placement.cents),
            draws=placement.draws,
        )
        [posted] = self._ledger.post(page, [posting])
        if isinstance(posted, Refusal):
            return posted
        if posted.is_repeat:  # an orientation that was not asked for here
            return IdMismatch(id=op.hex(), field="kind")
        self._books.note_given(page, project.id, [Given(op, HOME, item.account, item.account, placement.draws)])
        return "directed"

    def _take_back(self, page: Page, item: TakeBackAsked) -> TakenBackView:
        oriented, project = self._load(page, item.orientation)
        require_undecided(project)
        gone = self._choose_back(page, item.op, oriented, item.cents)
        [done] = self.send_back(page, project, [gone], "")
        if isinstance(done, Refusal):
            raise done
        cents = sum(cents for _, cents in gone.draws)
        is_unclaimed = isinstance(done, Posted) and done.is_unclaimed
        return TakenBackView(item.op, item.orientation, page.now, cents, oriented.account, is_unclaimed)

    def _load(self, page: Page, op: bytes) -> tuple[Oriented, Project]:
        oriented = store.find_orientations(page.connection, (op,)).get(op)
        if oriented is None:
            raise OrientationUnknown(id=op.hex())
        return oriented, store.load_project(page.connection, oriented.project_id)

    def _choose_back(self, page: Page, op: Id16, oriented: Oriented, cents: int | None) -> Gone:
        parts = store.load_parts(page.connection, (oriented.id,))[oriented.id]
        terms = load_terms(page, [part.lot for part in parts])
        held = [(part.lot, terms[part.lot].month, part.held) for part in parts]
        return Gone(op, oriented, choose_back(oriented.op, held, cents))

    def may_leave(self, page: Page, project: Project) -> bool:
        """Tell whether anything may leave the project's account: somebody may have frozen it."""
        return self._ledger.is_open(page, project.number)

    def send_back(
        self, page: Page, project: Project, wanted: Sequence[Gone], why: str
    ) -> list[Posted | CessionView | Refusal]:
        """Let rights go back to who directed them: to an account here at once, elsewhere by a cession of the same lots."""
        home = [one for one in wanted if one.oriented.account]
        abroad = [one for one in wanted if not one.oriented.account]
        postings = [
            Posting(
                op=Id16(one.op),
                kind=PostingKind.RETURNED,
                debit=project.number,
                credit=AccountNumber(one.oriented.account),
                cents=Cents(sum(cents for _, cents in one.draws)),
                draws=one.draws,
                reference=why,
            )
            for one in home
        ]
        done: dict[bytes, Posted | CessionView | Refusal] = {}
        done.update(zip([one.op for one in home], self._ledger.post(page, postings), strict=True))
        asked = self._ask_cessions(page, project, abroad, why)
        done.update(zip([one.op for one in abroad], self._federation.cede(page, asked), strict=True))
        gone = [one for one in wanted if not isinstance(done[one.op], Refusal)]
        if gone:
            self._books.note_gone(page, project.id, gone, why)
        return [done[one.op] for one in wanted]

    def _ask_cessions(self, page: Page, project: Project, wanted: Sequence[Gone], why: str) -> list[AskCession]:
        """Return the cessions that give arrivals back: to the giver's address, or to 'who sent us this'."""
        if not wanted:
            return []
        arrived = federation_store.find_arrivals(page.connection, [one.oriented.op for one in wanted])
        asked: list[AskCession] = []
        for one in wanted:
            row = arrived[one.oriented.op]
            to = read_giver(row.giver) or Address(SENDER_NUMBER, TerritoryCode(row.origin))
            cession = AskCession(
                op=one.op,
                account=project.number,
                beneficiary=to,
                cents=sum(cents for _, cents in one.draws),
                words=name_arrival(row.epoch, row.ix, row.place, why),
                giver=write_address(project.number, self._ledger.home),
            )
            cession.draws, cession.is_from_project = one.draws, True
            asked.append(cession)
        return asked

    # What the federation asks

    def judge(self, page: Page, reaching: Sequence[Reaching]) -> dict[int, str]:
        """Return, by place, the code of each arrival that its project does not take: whole, or not at all."""
        projects = store.load_projects(page.connection, {one.number for one in reaching})
        terms = load_terms(page, [lot for one in reaching for lot, _ in one.draws])
        today, home = day_at(page.now), self._ledger.home
        rooms = {number: project.room for number, project in projects.items()}
        codes: dict[int, str] = {}
        for one in reaching:
            project = projects.get(one.number)
            if project is None:  # an account that somebody opened by hand: no project of the projects base
                continue
            cents = sum(cents for _, cents in one.draws)
            hindrance = find_hindrance(project, today)
            if hindrance is not None:
                codes[one.place] = hindrance.code
            elif not all(is_fit(terms[lot], theme=project.theme, territory=home) for lot, _ in one.draws):
                codes[one.place] = LotsUnfit.code
            elif cents > rooms[one.number]:
                codes[one.place] = ProjectFull.code
            else:
                rooms[one.number] -= cents
        return codes

    def take(self, page: Page, reached: Sequence[Reaching]) -> None:
        """Note what was credited to projects: it is directed now, by who gave it."""
        given: dict[AccountNumber, list[Given]] = {}
        for one in reached:
            holder = one.giver or f"arrival {one.op.hex()}"
            given.setdefault(one.number, []).append(Given(one.op, ABROAD, "", holder, one.draws))
        for number, project in store.load_projects(page.connection, given.keys()).items():
            self._books.note_given(page, project.id, given[AccountNumber(number)])

    def come_back(self, page: Page, ops: Sequence[bytes]) -> None:
        """What had been given back could not be delivered, and is in its project's account.

        It is directed again where the project still takes it; otherwise it waits among the unclaimed.
        """
        self._ledger.flush(page)
        kept = store.find_returns(page.connection, ops)
        oriented = store.load_orientations(page.connection, {one.orientation for one in kept.values()})
        for op in ops:
            one = oriented[kept[op].orientation]
            project = store.load_project(page.connection, one.project_id)
            gone = Gone(op, one, load_draws(page.connection, Id16(op)))
            if find_hindrance(project, day_at(page.now)) is None and kept[op].cents <= project.room:
                self._books.note_again(page, project.id, [gone])
                continue
            unclaimed = Posting(
                op=Id16(derive_op("unclaimed", op.hex())),
                kind=PostingKind.RETURNED,
                debit=project.number,
                credit=UNCLAIMED,
                cents=Cents(kept[op].cents),
                draws=gone.draws,
                reference=f"not delivered, project {project.number}",
            )
            [posted] = self._ledger.post(page, [unclaimed])
            if isinstance(posted, Refusal):
                self._federation.note_break(page, f"project {project.number}", "rights not delivered", str(posted))

    def give_back(self, page: Page, op: bytes) -> CessionView:
        """Give back to its giver all that is directed under the id of an arrival. Done twice is done once."""
        back = Id16(derive_op("give back", op.hex()))
        if back not in store.find_returns(page.connection, (back,)):
            oriented, project = self._load(page, op)
            require_undecided(project)
            [done] = self.send_back(page, project, [self._choose_back(page, back, oriented, None)], "")
            if isinstance(done, Refusal):
                raise done
        return load_cession(page.connection, back)


def _once(
    page: Page,
    op: Id16,
    account: str,
    asked: bytes,
    fields: Sequence[str],
    kind: type[Answer],
    do: Callable[[], Answer],
) -> Any:
    """Do what is asked under an id, or answer again what came of it. What stood in the book's way is remembered."""
    answered = _find_answer(page, op, asked, fields, kind)
    if answered is not None:
        return answered
    try:
        done = do()
    except Refusal as refusal:
        if isinstance(refusal, OrientationRefusal | LedgerRefusal):
            facts = json.dumps(refusal.facts, sort_keys=True, ensure_ascii=False)
            store.insert_ask(page.connection, KeptAsk(op, account, asked, refusal.code, facts, ""), page.now)
        return refusal
    answer = msgspec.json.encode(done).decode()
    store.insert_ask(page.connection, KeptAsk(op, account, asked, "", "", answer), page.now)
    return done


def _find_answer(page: Page, op: Id16, asked: bytes, fields: Sequence[str], kind: type[Answer]) -> Any:
    """Return what came of an id, with this content or as a mismatch; None where it is new."""
    kept = store.find_ask(page.connection, op)
    if kept is None:
        return None
    field = find_difference(bytes(kept.asked), asked, fields)
    if field is not None:
        return IdMismatch(id=op.hex(), field=field)
    if kept.code:
        return AskedBefore(kept.code, json.loads(kept.facts))
    return msgspec.structs.replace(msgspec.json.decode(kept.answer, type=kind), is_repeat=True)


def _same(view: TakenBackView) -> TakenBackView:
    return view
