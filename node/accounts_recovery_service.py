"""What the accounts owe to the other bases of the house is made true again on an old copy of their base.

What was answered stays answered: a deposit is issued under the lot that the fund was told, a grant that was confirmed is
credited, a refund takes back what it took, and what was refused stays undone. Only what nobody was told the end of is
decided afresh, and answered. An account that the copy does not know was younger than it: it is opened again as a
person's, without its shown name. Deposits come before what was given of them; the same wherever the slips stand.

Of projects: they are open, committed and closed as it was asked, under their numbers; a round is kept as it was told to the
funds (`node/orientation/again_service.py`), and paid as far as it was. What holders directed since the copy never left this
base: as far as it was not converted it is with them again, and how much stands is told anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from node.deposits.service import DepositDesk
from node.grants.service import GrantDesk
from node.holders.service import HolderDesk
from node.ledger.accounts import AccountEvent, AccountKind, AccountState
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.reading_service import find_account
from node.ledger.service import Ledger
from node.orientation.project_service import ProjectDesk
from protocol.book.worker import Page
from protocol.exchange.peer_recovery import Lost
from protocol.house import (
    AskHolder,
    BaseName,
    CloseHolder,
    CommitProject,
    ConvertProject,
    Deposit,
    DepositTaken,
    Due,
    DueConfirmed,
    DueSettled,
    DueTaken,
    DutyEnded,
    DutyHeard,
    FreezeHolder,
    Granted,
    Grants,
    GuideAccredited,
    GuideEnded,
    GuideKnown,
    HolderBusy,
    HolderClosed,
    HolderOpened,
    HolderTold,
    HouseMessage,
    NettedDue,
    OpenHolder,
    OpenPool,
    OpenProject,
    OrderNetted,
    OrderReturned,
    PoolOpened,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    ReleaseProject,
    Support,
    TakeBack,
    TakenBack,
    make_due_id,
)
from protocol.identifiers import AccountNumber, Id16

Answer = Callable[[Page, str, Sequence[HouseMessage]], None]
Hear = Callable[[Page, str, Sequence[HouseMessage]], list[HouseMessage]]
_OF_DUES: Final = (DueTaken, DueSettled, Refused)


@dataclass(slots=True)
class _Told:
    """How each thing ended that was asked of the lost base, by its id."""

    lots: dict[bytes, bytes] = field(default_factory=dict)
    pools: dict[bytes, str] = field(default_factory=dict)
    granted: set[bytes] = field(default_factory=set)
    taken: dict[bytes, int] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)
    holders: dict[bytes, str] = field(default_factory=dict)
    closed: dict[bytes, int] = field(default_factory=dict)
    answered: set[bytes] = field(default_factory=set)  # of people and projects, whatever was answered
    supported: dict[bytes, None] = field(default_factory=dict)
    converted: dict[bytes, ProjectConverted] = field(default_factory=dict)  # as it was answered first
    undone: set[bytes] = field(default_factory=set)  # what projects were refused
    dues: dict[bytes, Due] = field(default_factory=dict)
    netted: set[bytes] = field(default_factory=set)  # orders for what another fund netted, passed on or returned


def _read_told(lost: Lost) -> _Told:
    told = _Told()
    for message in _messages(lost, BaseName.FUND, is_own=True):
        match message:
            case DepositTaken():
                told.lots[message.id] = message.ref
            case Refused():
                told.refused.add(message.id)
            case Due():
                told.dues[message.id] = message
            case NettedDue():
                told.netted.add(message.id)
    for message in _messages(lost, BaseName.PARTNERS, is_own=True):
        match message:
            case PoolOpened():
                told.pools[message.id] = message.number
            case Granted():
                told.granted.update(message.ids)
            case TakenBack():
                told.taken[message.id] = message.cents
            case Refused():
                told.refused.add(message.id)
    for message in _messages(lost, BaseName.PEOPLE, is_own=True):
        if isinstance(message, HolderOpened):
            told.holders[message.id] = message.number
        elif isinstance(message, HolderClosed):
            told.closed[message.id] = message.moved
        if isinstance(message, HolderOpened | HolderClosed | HolderTold | HolderBusy | DutyHeard | Refused):
            told.answered.add(message.id)
    for message in _messages(lost, BaseName.PROJECTS, is_own=True):
        if isinstance(message, ProjectOpened | ProjectConverted | ProjectReleased | GuideKnown | Refused):
            told.answered.add(message.id)
        match message:
            case ProjectOpened():
                told.supported[message.id] = None
            case Support():
                told.supported[message.project] = None
            case ProjectConverted():
                told.converted.setdefault(message.id, message)
            case Refused():
                told.undone.add(message.id)
            case OrderReturned():
                told.netted.add(message.id)
    return told


def _messages(lost: Lost, neighbour: str, *, is_own: bool) -> Iterator[HouseMessage]:
    for slip in (lost.own if is_own else lost.theirs).get(neighbour, ()):
        yield from slip.messages


class AccountsRecovery:
    """Books again what the fund and the companies had told a base that was lost."""

    def __init__(
        self,
        ledger: Ledger,
        deposits: DepositDesk,
        grants: GrantDesk,
        *,
        holders: HolderDesk | None = None,
        projects: ProjectDesk | None = None,
        hear_fund: Callable[[Page, Sequence[HouseMessage]], None] = lambda _page, _messages: None,
        confirm: Callable[[Page, DueConfirmed], None] = lambda _page, _message: None,
        begin: Callable[[Page], None] = lambda _page: None,
        hear_guides: Hear = lambda _page, _sender, _messages: [],
        hear_endings: Hear = lambda _page, _sender, _messages: [],
        order_netted: Callable[[Page, OrderNetted], list[HouseMessage]] = lambda _page, _message: [],
    ) -> None:
        """`hear_fund` follows what the fund says of what it owes, `confirm` a bearer's word that it has the euros; `begin`
        ends what may have been withdrawn since the copy; `hear_guides` notes who is a guide, `hear_endings` ends keys whose
        duty is over, and `order_netted` asks our fund for what another one netted.
        """
        self._begin = begin
        self._hear_guides = hear_guides
        self._hear_endings = hear_endings
        self._order_netted = order_netted
        self._ledger = ledger
        self._deposits = deposits
        self._grants = grants
        self._holders = holders
        self._projects = projects
        self._hear_fund = hear_fund
        self._confirm = confirm

    def replay(self, page: Page, lost: Lost, answer: Answer) -> None:
        """Make true what was told, then do what was never answered; `answer` tells a base how that ended."""
        self._begin(page)
        told = _read_told(lost)
        fund = list(_messages(lost, BaseName.FUND, is_own=False))
        partners = list(_messages(lost, BaseName.PARTNERS, is_own=False))
        for message in partners:
            if isinstance(message, OpenPool) and message.id in told.pools:
                self._open_pool(page, message, told.pools[message.id])
        people = list(_messages(lost, BaseName.PEOPLE, is_own=False))
        for message in people:
            if isinstance(message, OpenHolder) and message.id in told.holders:
                self._open_holder(page, message, told.holders[message.id])
        for message in fund:
            if isinstance(message, Deposit) and message.id in told.lots:
                self._deposits.issue(page, [message], [told.lots[message.id]])
        for message in partners:
            if isinstance(message, Grants):
                self._grant(page, message, told)
            elif isinstance(message, TakeBack) and told.taken.get(message.id):
                self._take_back(page, message, told.taken[message.id])
        self._do_open(page, BaseName.FUND, fund, told, answer)
        self._do_open(page, BaseName.PARTNERS, partners, told, answer)
        self._follow_projects(page, lost, told, answer)
        # Last: what was given to an account came before it was closed.
        self._follow_people(page, people, told, answer)

    def _open_holder(self, page: Page, asked: OpenHolder, number: str) -> None:
        opening = OpenAccount(op=Id16(asked.id), number=AccountNumber(number), kind=AccountKind(asked.kind))
        self._ledger.open_accounts(page, [opening])

    def _follow_projects(self, page: Page, lost: Lost, told: _Told, answer: Answer) -> None:
        if self._projects is None:
            return
        dues = [one for one in _messages(lost, BaseName.FUND, is_own=False) if isinstance(one, _OF_DUES)]
        for message in _messages(lost, BaseName.PROJECTS, is_own=False):
            match message:
                case ConvertProject() if message.id in told.converted:
                    id_ = make_due_id(message.id, self._ledger.home)
                    self._projects.again.begin(page, message, told.converted[message.id], told.dues.get(id_))
                    # Before the next round, which may have taken what came back of this one.
                    self._hear_fund(page, [one for one in dues if one.id == id_])
                    dues = [one for one in dues if one.id != id_]
                case OpenProject() | CommitProject() | ReleaseProject() | ConvertProject() if message.id in told.undone:
                    continue
                case CommitProject():
                    answers = self._projects.apply(page, BaseName.PROJECTS, [message])
                    answer(page, BaseName.PROJECTS, [one for one in answers if isinstance(one, Refused)])
                    told.supported[message.project] = None  # which is its answer
                case OpenProject() | ReleaseProject() | ConvertProject():
                    answers = self._projects.apply(page, BaseName.PROJECTS, [message])
                    answer(page, BaseName.PROJECTS, [] if message.id in told.answered else answers)
                case GuideAccredited() | GuideEnded():
                    answers = self._hear_guides(page, BaseName.PROJECTS, [message])
                    answer(page, BaseName.PROJECTS, [] if message.id in told.answered else answers)
                case OrderNetted() if message.id not in told.netted:
                    answer(page, BaseName.PROJECTS, self._order_netted(page, message))
                case _:
                    continue
        self._hear_fund(page, dues)
        for message in _messages(lost, BaseName.PROJECTS, is_own=False):
            if isinstance(message, DueConfirmed):
                self._confirm(page, message)
        answer(page, BaseName.PROJECTS, self._projects.tell_standing_again(page, told.supported))

    def _follow_people(self, page: Page, people: Sequence[HouseMessage], told: _Told, answer: Answer) -> None:
        if self._holders is None:
            return
        for message in people:
            match message:
                case OpenHolder() | AskHolder() if message.id in told.answered:
                    continue
                case CloseHolder() if message.id in told.answered and message.id not in told.closed:
                    continue  # it was busy, or refused: so it stays
                case OpenHolder() | AskHolder() | FreezeHolder() | CloseHolder():
                    answers = self._holders.apply(page, BaseName.PEOPLE, [message])
                    answer(page, BaseName.PEOPLE, [] if message.id in told.answered else answers)
                case DutyEnded():
                    answers = self._hear_endings(page, BaseName.PEOPLE, [message])
                    answer(page, BaseName.PEOPLE, [] if message.id in told.answered else answers)
                case _:
                    continue

    def _open_pool(self, page: Page, asked: OpenPool, number: str) -> None:
        opening = OpenAccount(
            op=Id16(asked.id), number=AccountNumber(number), kind=AccountKind.POOL, shown_name=asked.shown_name
        )
        self._ledger.open_accounts(page, [opening])

    def _grant(self, page: Page, grants: Grants, told: _Told) -> None:
        done = _choose(grants, told.granted)
        if done is None:
            return
        for account in dict.fromkeys(done.accounts):
            self._ensure_open(page, AccountNumber(account))
        self._grants.apply(page, BaseName.PARTNERS, [done])

    def _take_back(self, page: Page, asked: TakeBack, cents: int) -> None:
        self._grants.apply(page, BaseName.PARTNERS, [TakeBack(asked.id, asked.grant, cents)])

    def _ensure_open(self, page: Page, number: AccountNumber) -> None:
        """See that an account of this number is there and takes what reached it."""
        self._ledger.flush(page)
        found = find_account(page.connection, number)
        if found is None:
            op = hashlib.blake2b(number.encode(), digest_size=16, person=b"cm-reopened").digest()
            self._ledger.open_accounts(page, [OpenAccount(op=Id16(op), number=number, kind=AccountKind.PERSON)])
        elif found.state is AccountState.FROZEN:
            self._ledger.change_states(page, [ChangeState(account=number, event=AccountEvent.REOPEN)])

    def _do_open(self, page: Page, sender: str, messages: Sequence[HouseMessage], told: _Told, answer: Answer) -> None:
        """Do what was asked and never answered, in its order."""
        done = told.lots.keys() | told.pools.keys() | told.taken.keys() | told.refused | told.granted
        for message in messages:
            rest: HouseMessage | None = None
            if isinstance(message, Grants):
                rest = _choose(message, set(message.ids) - done)
            elif isinstance(message, Deposit | OpenPool | TakeBack) and message.id not in done:
                rest = message
            if rest is not None:
                desk = self._deposits if sender == BaseName.FUND else self._grants
                answer(page, sender, desk.apply(page, sender, [rest]))


def _choose(grants: Grants, ids: set[bytes]) -> Grants | None:
    """Return the lines of these ids, or None where there is none."""
    lines = [
        line for line in zip(grants.ids, grants.accounts, grants.cents, grants.words, strict=True) if line[0] in ids
    ]
    return Grants(grants.pool, *zip(*lines, strict=True)) if lines else None
