"""What the accounts owe to the other bases of the house is made true again on an old copy of their base.

What was answered stays answered: a deposit is issued under the lot that the fund was told, a grant that was confirmed is
credited, a refund takes back what it took, and what was refused stays undone. Only what nobody was told the end of is
decided afresh, and answered. An account that the copy does not know was younger than it: it is opened again as a
person's, without its shown name. Deposits come before what was given of them; the same wherever the slips stand.

Of projects: they are open again under their numbers, and what the fund paid of earlier rounds is paid. What holders directed
since the copy never left this base, and is with them again: how much stands is told anew. A commitment, a round or a release
since the copy hangs on those directions: there the accounts have no way back (`PROJECTS_AGAIN` is what they have one for).
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
    Deposit,
    DepositTaken,
    DueConfirmed,
    DueSettled,
    DueTaken,
    FreezeHolder,
    Granted,
    Grants,
    HolderBusy,
    HolderClosed,
    HolderOpened,
    HolderTold,
    HouseMessage,
    OpenHolder,
    OpenPool,
    OpenProject,
    PoolOpened,
    ProjectOpened,
    Refused,
    Support,
    TakeBack,
    TakenBack,
)
from protocol.identifiers import AccountNumber, Id16

Answer = Callable[[Page, str, Sequence[HouseMessage]], None]
# What may have been said with the projects' base since a copy, so that the accounts can come back from it.
PROJECTS_AGAIN: Final = (OpenProject, ProjectOpened, Support, DueSettled, DueConfirmed, Refused)


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


def _read_told(lost: Lost) -> _Told:
    told = _Told()
    for message in _messages(lost, BaseName.FUND, is_own=True):
        match message:
            case DepositTaken():
                told.lots[message.id] = message.ref
            case Refused():
                told.refused.add(message.id)
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
        if isinstance(message, HolderOpened | HolderClosed | HolderTold | HolderBusy | Refused):
            told.answered.add(message.id)
    for message in _messages(lost, BaseName.PROJECTS, is_own=True):
        if isinstance(message, ProjectOpened | Refused):
            told.answered.add(message.id)
        if isinstance(message, ProjectOpened):
            told.supported[message.id] = None
        elif isinstance(message, Support):
            told.supported[message.project] = None
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
    ) -> None:
        """`hear_fund` follows what the fund says of what it owes, `confirm` a bearer's word that it has the euros; `begin`
        ends what may have been withdrawn since the copy.
        """
        self._begin = begin
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
        for message in _messages(lost, BaseName.PROJECTS, is_own=False):
            if isinstance(message, OpenProject):
                answers = self._projects.apply(page, BaseName.PROJECTS, [message])
                answer(page, BaseName.PROJECTS, [] if message.id in told.answered else answers)
        dues = [one for one in _messages(lost, BaseName.FUND, is_own=False) if isinstance(one, _OF_DUES)]
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
