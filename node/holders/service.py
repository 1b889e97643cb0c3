"""Open, tell, freeze and close holders' accounts: what the people's base asks of the accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from node.holders.numbers import OFFERS_MAX, derive_move, derive_number, is_holder_of
from node.ledger.accounts import AccountEvent, AccountKind, AccountState
from node.ledger.errors import AccountClosed, AccountUnknown, NumberTaken
from node.ledger.openings import ChangeState, OpenAccount, Opened, ShowName
from node.ledger.postings import Posting, PostingKind
from node.ledger.reading_service import find_account
from node.ledger.service import Ledger
from node.ledger.statements import AccountView
from protocol.amounts import Cents
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.exchange.talk_store import load_talk
from protocol.house import (
    AskHolder,
    BaseName,
    CloseHolder,
    FreezeHolder,
    HolderBusy,
    HolderClosed,
    HolderKind,
    HolderOpened,
    HolderState,
    HolderTold,
    HouseMessage,
    OpenHolder,
    Refused,
)
from protocol.identifiers import AccountNumber, Id16

NOT_THE_PEOPLE: Final = "not_the_people"

Asked = OpenHolder | AskHolder | FreezeHolder | CloseHolder
# Cents of an account that are on their way to another territory.
InFlight = Callable[[Connection, AccountNumber], int]


class HolderDesk:
    """Applies what the people's base asks of the accounts."""

    def __init__(self, ledger: Ledger, *, in_flight: InFlight, is_behind: Callable[[], bool] = lambda: False) -> None:
        """`is_behind`: this book is an old copy, and what left the territory since is not booked again yet."""
        self._ledger = ledger
        self._in_flight = in_flight
        self._is_behind = is_behind

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Return an answer for each question, in their order; what is not asked of us is passed over."""
        answers: list[HouseMessage] = []
        for message in messages:
            if not isinstance(message, Asked):
                continue
            if sender != BaseName.PEOPLE:
                answers.append(Refused(message.id, NOT_THE_PEOPLE))
                continue
            if isinstance(message, CloseHolder) and self._is_behind():
                continue  # what it holds here may have left long ago: `close_again` answers when that is known
            try:
                answers.append(self._answer(page, message))
            except Refusal as refusal:
                answers.append(Refused(message.id, refusal.code))
        return answers

    def close_again(self, page: Page) -> list[HouseMessage]:
        """Close what was told to be closed and is not, on a book that came back whole from an old copy; and what was asked
        to be closed meanwhile. Return the answers that nobody was given yet. An account that still holds something stays.
        """
        told = list(load_talk(page.connection, BaseName.ACCOUNTS, BaseName.PEOPLE))
        closed = {one.id for one in told if isinstance(one, HolderClosed)}
        answered = {one.id for one in told if isinstance(one, HolderClosed | HolderBusy | Refused)}
        answers: list[HouseMessage] = []
        for asked in load_talk(page.connection, BaseName.PEOPLE, BaseName.ACCOUNTS):
            if not isinstance(asked, CloseHolder) or (asked.id in answered and asked.id not in closed):
                continue
            try:
                answer = self._answer(page, asked)
            except Refusal as refusal:
                answer = Refused(asked.id, refusal.code)
            if asked.id not in answered:
                answers.append(answer)
        return answers

    def _answer(self, page: Page, message: Asked) -> HouseMessage:
        match message:
            case OpenHolder():
                return self._open(page, message)
            case AskHolder():
                return self._tell(page, message.id, self._load(page, message.account))
            case FreezeHolder():
                return self._freeze(page, message)
            case CloseHolder():
                return self._close(page, message)

    def _open(self, page: Page, asked: OpenHolder) -> HouseMessage:
        for offer in range(OFFERS_MAX):
            opening = OpenAccount(
                op=Id16(asked.id), number=derive_number(Id16(asked.id), offer), kind=AccountKind(asked.kind)
            )
            [opened] = self._ledger.open_accounts(page, [opening])
            if isinstance(opened, Opened):
                # An account that somebody opened by hand under this id is none that was asked for a holder.
                is_theirs = is_holder_of(opened.op, opened.number)
                return HolderOpened(asked.id, opened.number) if is_theirs else Refused(asked.id, "id_mismatch")
            if not isinstance(opened, NumberTaken):
                return Refused(asked.id, opened.code)
        return Refused(asked.id, NumberTaken.code)

    def _load(self, page: Page, number: str) -> AccountView:
        """Return a person's or a group's account: of pools, projects and companies nothing is told. Raises AccountUnknown."""
        self._ledger.flush(page)  # what was decided in this page is looked at in SQL
        found = find_account(page.connection, AccountNumber(number))
        if found is None or found.kind not in (AccountKind.PERSON, AccountKind.GROUP):
            raise AccountUnknown(account=number)
        return found

    def _tell(self, page: Page, id_: bytes, view: AccountView) -> HolderTold:
        return HolderTold(
            id=id_,
            account=view.number,
            kind=HolderKind(view.kind),
            state=HolderState(view.state),
            cents=view.cents,
            reserved=view.reserved,
            in_flight=self._in_flight(page.connection, view.number),
            movements=view.length,
            shows_name=view.shown_name is not None,
            opened_at=view.opened_at,
            closed_at=view.closed_at or 0,
        )

    def _freeze(self, page: Page, asked: FreezeHolder) -> HolderTold:
        view = self._load(page, asked.account)
        self._change(page, view.number, AccountEvent.FREEZE if asked.is_frozen else AccountEvent.REOPEN)
        return self._tell(page, asked.id, self._load(page, asked.account))

    def _close(self, page: Page, asked: CloseHolder) -> HouseMessage:
        view = self._load(page, asked.account)
        if view.state is AccountState.CLOSED:
            return HolderClosed(asked.id, view.number, 0)
        in_flight = self._in_flight(page.connection, view.number)
        if view.reserved or in_flight or (view.cents and not asked.into):
            return HolderBusy(asked.id, view.number, view.cents, view.reserved, in_flight)
        if view.cents:
            self._require_taker(page, asked.into)
            posting = Posting(
                op=derive_move(Id16(asked.id)),
                kind=PostingKind.CESSION,
                debit=view.number,
                credit=AccountNumber(asked.into),
                cents=Cents(view.cents),
            )
            # Nothing leaves a frozen account: it is opened for this, and closed in the same page.
            self._change(page, view.number, AccountEvent.REOPEN)
            [posted] = self._ledger.post(page, [posting])
            if isinstance(posted, Refusal):
                self._change(
                    page,
                    view.number,
                    AccountEvent.FREEZE if view.state is AccountState.FROZEN else AccountEvent.REOPEN,
                )
                raise posted
        if view.shown_name is not None:
            self._ledger.show_names(page, [ShowName(account=view.number, shown_name=None)])
        self._change(page, view.number, AccountEvent.CLOSE)
        return HolderClosed(asked.id, view.number, view.cents)

    def _require_taker(self, page: Page, into: str) -> None:
        found = find_account(page.connection, AccountNumber(into))
        if found is None:
            raise AccountUnknown(account=into)
        if found.state is AccountState.CLOSED:
            raise AccountClosed(account=into)

    def _change(self, page: Page, account: AccountNumber, event: AccountEvent) -> None:
        [changed] = self._ledger.change_states(page, [ChangeState(account=account, event=event)])
        if isinstance(changed, Refusal):
            raise changed
