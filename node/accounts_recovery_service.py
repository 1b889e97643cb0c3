"""What the accounts owe to the fund and the companies is made true again on an old copy of their base.

What was answered stays answered: a deposit is issued under the lot that the fund was told, a grant that was confirmed is
credited, a refund takes back what it took, and what was refused stays undone. Only what nobody was told the end of is
decided afresh, and answered. An account that the copy does not know was younger than it: it is opened again as a
person's, without its shown name. Deposits come before what was given of them; the same wherever the slips stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from node.deposits.service import DepositDesk
from node.grants.service import GrantDesk
from node.ledger.accounts import AccountEvent, AccountKind, AccountState
from node.ledger.openings import ChangeState, OpenAccount
from node.ledger.reading_service import find_account
from node.ledger.service import Ledger
from protocol.book.worker import Page
from protocol.exchange.peer_recovery import Lost
from protocol.house import (
    BaseName,
    Deposit,
    DepositTaken,
    Granted,
    Grants,
    HouseMessage,
    OpenPool,
    PoolOpened,
    Refused,
    TakeBack,
    TakenBack,
)
from protocol.identifiers import AccountNumber, Id16

Answer = Callable[[Page, str, Sequence[HouseMessage]], None]


@dataclass(slots=True)
class _Told:
    """How each thing ended that was asked of the lost base, by its id."""

    lots: dict[bytes, bytes] = field(default_factory=dict)
    pools: dict[bytes, str] = field(default_factory=dict)
    granted: set[bytes] = field(default_factory=set)
    taken: dict[bytes, int] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)


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
    return told


def _messages(lost: Lost, neighbour: str, *, is_own: bool) -> Iterator[HouseMessage]:
    for slip in (lost.own if is_own else lost.theirs).get(neighbour, ()):
        yield from slip.messages


class AccountsRecovery:
    """Books again what the fund and the companies had told a base that was lost."""

    def __init__(self, ledger: Ledger, deposits: DepositDesk, grants: GrantDesk) -> None:
        self._ledger = ledger
        self._deposits = deposits
        self._grants = grants

    def replay(self, page: Page, lost: Lost, answer: Answer) -> None:
        """Make true what was told, then do what was never answered; `answer` tells a base how that ended."""
        told = _read_told(lost)
        fund = list(_messages(lost, BaseName.FUND, is_own=False))
        partners = list(_messages(lost, BaseName.PARTNERS, is_own=False))
        for message in partners:
            if isinstance(message, OpenPool) and message.id in told.pools:
                self._open_pool(page, message, told.pools[message.id])
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
