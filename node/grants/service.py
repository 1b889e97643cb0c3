"""Open pools, grant and take back: what the companies' base asks of the accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from node.grants.pools import OFFERS_MAX, derive_number, is_pool_of
from node.ledger.accounts import AccountKey, AccountKind
from node.ledger.credits import CreditBatch, Credited
from node.ledger.errors import AccountUnknown, NothingToReverse, NumberTaken, PostingUnknown
from node.ledger.openings import OpenAccount, Opened
from node.ledger.postings import Posted
from node.ledger.reading_service import find_opening, find_operation
from node.ledger.reversals import Reverse, Reversed
from node.ledger.service import Ledger
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.house import (
    BaseName,
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

NOT_THE_PARTNERS: Final = "not_the_partners"

Lines = list[tuple[bytes, str, int, str]]  # id, account, cents, words


class GrantDesk:
    """Applies what the companies' base tells the accounts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Return the answers, in the order of the questions; what is not asked of us is passed over."""
        asked = [message for message in messages if isinstance(message, OpenPool | Grants | TakeBack)]
        if sender != BaseName.PARTNERS:
            return [Refused(id_, NOT_THE_PARTNERS) for message in asked for id_ in _ids_of(message)]
        answers: list[HouseMessage] = []
        for message in asked:
            match message:
                case OpenPool():
                    answers.append(self._open(page, message))
                case Grants():
                    answers += self._grant(page, message)
                case TakeBack():
                    answers.append(self._take_back(page, message))
        return answers

    def _open(self, page: Page, asked: OpenPool) -> HouseMessage:
        for offer in range(OFFERS_MAX):
            try:
                opening = OpenAccount(
                    op=Id16(asked.id),
                    number=derive_number(Id16(asked.id), offer),
                    kind=AccountKind.POOL,
                    shown_name=asked.shown_name,
                )
            except Refusal as refusal:
                return Refused(asked.id, refusal.code)
            [opened] = self._ledger.open_accounts(page, [opening])
            if isinstance(opened, Opened):
                # An account that somebody opened by hand under this id is no pool of the companies.
                is_theirs = is_pool_of(opened.op, opened.number)
                return PoolOpened(asked.id, opened.number) if is_theirs else Refused(asked.id, "id_mismatch")
            if not isinstance(opened, NumberTaken):
                return Refused(asked.id, opened.code)
        return Refused(asked.id, NumberTaken.code)

    def _grant(self, page: Page, grants: Grants) -> list[HouseMessage]:
        if not self._is_theirs(page, AccountNumber(grants.pool)):
            return [Refused(id_, AccountUnknown.code) for id_ in grants.ids]
        lines: Lines = list(zip(grants.ids, grants.accounts, grants.cents, grants.words, strict=True))
        try:
            batches = [_read(grants.pool, lines)]
        except Refusal:
            return self._grant_by_line(page, grants.pool, lines)
        [done] = self._ledger.credit(page, batches)
        return _tell(grants.ids, done)

    def _grant_by_line(self, page: Page, pool: str, lines: Lines) -> list[HouseMessage]:
        """Do the same where a line can never be right: the others are done."""
        good: Lines = []
        refused: list[HouseMessage] = []
        for line in lines:
            try:
                _read(pool, [line])
            except Refusal as refusal:
                refused.append(Refused(line[0], refusal.code))
            else:
                good.append(line)
        if not good:
            return refused
        [done] = self._ledger.credit(page, [_read(pool, good)])
        return [*_tell([line[0] for line in good], done), *refused]

    def _take_back(self, page: Page, asked: TakeBack) -> HouseMessage:
        try:
            reverse = Reverse(op=Id16(asked.id), undone=Id16(asked.grant), cents=Cents(asked.cents))
        except Refusal as refusal:
            return Refused(asked.id, refusal.code)
        self._ledger.flush(page)  # what was granted in this page is looked at in SQL
        granted = find_operation(page.connection, reverse.undone)
        if granted.state == "posted" and not self._is_theirs(page, granted.debit):
            return Refused(asked.id, PostingUnknown.code)
        [done] = self._ledger.reverse(page, [reverse])
        match done:
            case Reversed():
                return TakenBack(asked.id, done.taken)
            case NothingToReverse():
                return TakenBack(asked.id, 0)
            case Refusal():
                return Refused(asked.id, done.code)

    def _is_theirs(self, page: Page, account: AccountKey | None) -> bool:
        """Tell whether it is a pool that was opened for the companies."""
        if not isinstance(account, str):
            return False
        opened_under = find_opening(page.connection, AccountNumber(account))
        return opened_under is not None and is_pool_of(opened_under, AccountNumber(account))


def _ids_of(message: OpenPool | Grants | TakeBack) -> tuple[bytes, ...]:
    return message.ids if isinstance(message, Grants) else (message.id,)


def _read(pool: str, lines: Lines) -> CreditBatch:
    ids, accounts, cents, words = zip(*lines, strict=True)
    return CreditBatch(pool=AccountNumber(pool), ops=ids, accounts=accounts, cents=cents, references=words)


def _tell(ids: Sequence[bytes], done: Credited | Sequence[Posted | Refusal]) -> list[HouseMessage]:
    if isinstance(done, Credited):
        return [Granted(tuple(ids))]
    granted = tuple(id_ for id_, one in zip(ids, done, strict=True) if isinstance(one, Posted))
    refused = [Refused(id_, one.code) for id_, one in zip(ids, done, strict=True) if isinstance(one, Refusal)]
    return [*([Granted(granted)] if granted else []), *refused]
