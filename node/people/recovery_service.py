"""The base comes back from an old copy: what the accounts heard of it since is made true again, and the rest is named.

The accounts know ids and numbers. What was asked of them since the copy, and what they answered, says which accounts were
opened, linked, frozen and closed; what ended since has a mark with them (`endings`). Of records, consents and cards that
were entered since nothing is anywhere but on paper: no page of this base ever leaves it (decision 0044).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, select

from node.people import store, tables
from node.people.accounts import ENDED, LIVING, LinkState
from node.people.accounts_service import AccountDesk
from node.people.authority import Action, Purpose
from node.people.consents import compute_standing
from node.people.declarations import DeclarationKind, DeclarationState
from node.people.endings import has_ended, name_consent
from node.people.erasures import OVER, ErasureState
from node.people.erasures_service import ErasureDesk
from node.people.four_eyes import ProposalState
from node.people.identities import IdentityState
from node.people.journal_store import Journal, name_row
from node.people.lost import LostKind
from node.people.lost_service import LostDesk
from node.people.records import PersonState
from node.people.room_service import Room
from node.people.rules import RuleName, find_pool
from node.people.vault import compute_mark
from protocol.book.stream_store import stream
from protocol.book.worker import Page
from protocol.exchange.peer_recovery import Lost
from protocol.house import (
    AskHolder,
    BaseName,
    CloseHolder,
    Ended,
    FreezeHolder,
    HolderClosed,
    HolderOpened,
    HouseMessage,
    OpenHolder,
    Refused,
)
from protocol.identifiers import Id16
from protocol.times import Instant

GoOn = Callable[[Page, Journal, bytes], None]
_ID_BYTES: Final = 16
_accounts = tables.accounts
_RULES: Final = (RuleName.RIGHTS_AFTER_DEATH, RuleName.RIGHTS_AFTER_DORMANCY)


@dataclass(frozen=True, slots=True)
class _Closing:
    """One account that was asked to be closed since the copy."""

    at: int
    into: str
    was_frozen: bool


@dataclass(slots=True)
class _Since:
    """What was told since the copy, as far as this base cannot simply do it again."""

    unknown: dict[str, tuple[bytes, LostKind]] = field(
        default_factory=dict
    )  # by number: accounts of nobody who is known
    gone: dict[bytes, str] = field(default_factory=dict)  # those of them that were closed, or refused, by id
    closings: dict[str, _Closing] = field(default_factory=dict)  # by number, the first: of accounts that the copy knows
    open_closings: dict[int, set[str]] = field(
        default_factory=dict
    )  # by instant: unknown ones that were asked to close
    touched: set[bytes] = field(default_factory=set)  # persons whose accounts were asked about


class PeopleRecovery:
    """Brings an old copy to the present, in the page that ends its way back."""

    def __init__(
        self, room: Room, accounts: AccountDesk, erasures: ErasureDesk, lost: LostDesk, *, go_on: GoOn
    ) -> None:
        """`go_on` does what waited for an answer about one of a person's accounts."""
        self._room = room
        self._accounts = accounts
        self._erasures = erasures
        self._lost = lost
        self._go_on = go_on

    def replay(self, page: Page, lost: Lost) -> frozenset[bytes]:
        """Make true again what was told since the copy, name what only a person knows; return the marks of what ended."""
        journal = self._room.open_journal(page, Action.HEAR, Purpose.SECURITY)
        frozen = self._list_frozen(page)
        since = self._do_again(page, journal, lost)
        marks = {message.mark: at for at, message in _said(lost) if isinstance(message, Ended)}
        if marks:
            self._end_again(page, journal, marks, since)
        for person in sorted(since.touched):
            self._go_on(page, journal, person)
        self._close_again(page, journal, since)
        self._name_frozen(page, journal, frozen)
        self._name_accounts(page, journal, since)
        return frozenset(marks)

    # Accounts.

    def _do_again(self, page: Page, journal: Journal, lost: Lost) -> _Since:
        """Ask and hear again, without asking: each question is followed by its answer."""
        heard = [message for slip in lost.theirs.get(BaseName.ACCOUNTS, ()) for message in slip.messages]
        answers = {message.id: message for message in heard if hasattr(message, "id")}
        since = _Since()
        for message in heard:  # to what had been asked before the copy
            self._hear(page, journal, message, since)
        for at, asked in _said(lost):
            answer = answers.get(getattr(asked, "id", b""))
            match asked:
                case OpenHolder():
                    self._note_opened(page, asked, answer, since)
                case AskHolder() | FreezeHolder() | CloseHolder():
                    self._ask_again(page, journal, at, asked, answer, since)
        return since

    def _hear(self, page: Page, journal: Journal, message: HouseMessage, since: _Since) -> None:
        row = self._accounts.hear(page, journal, message)
        if row is not None and row.person is not None:
            since.touched.add(bytes(row.person))

    def _note_opened(self, page: Page, asked: OpenHolder, answer: HouseMessage | None, since: _Since) -> None:
        if store.find_row(page.connection, _accounts, id=asked.id) is not None:
            return
        if isinstance(answer, HolderOpened):
            since.unknown[answer.number] = (asked.id, LostKind.OPENED)
        else:
            since.gone[asked.id] = ""

    def _ask_again(
        self,
        page: Page,
        journal: Journal,
        at: int,
        asked: AskHolder | FreezeHolder | CloseHolder,
        answer: HouseMessage | None,
        since: _Since,
    ) -> None:
        row = store.find_row(page.connection, _accounts, number=asked.account)
        if row is None:
            self._follow_unknown(at, asked, answer, since)
            return
        changes: dict[str, Any] = {"question": asked.id}
        if isinstance(asked, FreezeHolder):
            changes["is_frozen"] = int(asked.is_frozen)
        elif isinstance(asked, CloseHolder) and row.state in LIVING:
            changes |= {"state": str(LinkState.CLOSING), "code": ""}
            closing = _Closing(at, asked.into, bool(row.is_frozen))
            since.closings.setdefault(asked.account, closing)
        journal.change(_accounts, row, _whose(row), **changes)
        if row.person is not None:
            since.touched.add(bytes(row.person))
        if answer is not None:
            self._hear(page, journal, answer, since)

    def _follow_unknown(
        self, at: int, asked: AskHolder | FreezeHolder | CloseHolder, answer: HouseMessage | None, since: _Since
    ) -> None:
        if isinstance(asked, AskHolder) and not isinstance(answer, Refused):
            since.unknown.setdefault(asked.account, (asked.id, LostKind.LINKED))
        elif isinstance(asked, CloseHolder) and isinstance(answer, HolderClosed):
            id_, _ = since.unknown.pop(asked.account, (asked.id, LostKind.LINKED))
            since.gone[id_] = asked.account
            for numbers in since.open_closings.values():
                numbers.discard(asked.account)
        elif isinstance(asked, CloseHolder):
            since.open_closings.setdefault(at, set()).add(asked.account)

    def _name_accounts(self, page: Page, journal: Journal, since: _Since) -> None:
        """Name the accounts of which nobody knows whose they are. What was free may be on a card by now: it is printed on none."""
        for number, (id_, kind) in since.unknown.items():
            self._lost.note(journal, id_, kind, number=number)
        for id_, number in since.gone.items():
            self._lost.note(journal, id_, LostKind.OPENED, number=number or None, is_settled=True)
        used = select(tables.identities.c.account).where(tables.identities.c.account.is_not(None))
        free = select(_accounts).where(
            _accounts.c.person.is_(None), _accounts.c.state == str(LinkState.OPEN), _accounts.c.id.not_in(used)
        )
        for row in page.connection.execute(free.order_by(_accounts.c.id)).all():
            journal.remove(_accounts, row, None)
            self._lost.note(journal, bytes(row.id), LostKind.FREE, number=row.number)

    def _list_frozen(self, page: Page) -> set[bytes]:
        return {bytes(row.id) for row in store.list_rows(page.connection, _accounts, is_frozen=1)}

    def _name_frozen(self, page: Page, journal: Journal, before: set[bytes]) -> None:
        """Name whose account was frozen since: a death was declared, and by whom and when stands on paper."""
        for row in store.list_rows(page.connection, _accounts, is_frozen=1):
            if row.person is None or bytes(row.id) in before or row.state in ENDED:
                continue
            person = bytes(row.person)
            if not self._is_declared(page, person):
                id_ = compute_mark(self._room.book_key, f"frozen {bytes(row.id).hex()} {page.now}")[:_ID_BYTES]
                self._lost.note(journal, id_, LostKind.FROZEN, number=row.number, person=person)

    def _is_declared(self, page: Page, person: bytes, kind: DeclarationKind | None = DeclarationKind.DEATH) -> bool:
        """Tell whether a declaration (of any kind where that is None) stands, as this base knows it."""
        return any(
            (kind is None or row.kind == kind) and row.state != DeclarationState.REVERSED
            for row in store.list_rows(page.connection, tables.declarations, person=person)
        )

    # What had ended.

    def _end_again(self, page: Page, journal: Journal, marks: Mapping[bytes, int], since: _Since) -> None:
        """End what has a mark, in an order in which one end does not hinder another: persons come last."""
        for table in (*(one for one in tables.JOURNALED if one is not tables.persons), tables.persons):
            found = []
            for row in stream(page.connection, select(table).order_by(*table.primary_key)):
                values = dict(row._mapping)
                if has_ended(table.name, values):
                    continue
                mark = compute_mark(self._room.book_key, name_row(table, values))
                if mark in marks:
                    found.append((row, mark, self._room.day(Instant(marks[mark]))))
            for row, mark, day in found:
                self._end_row(page, journal, table.name, row, mark, day)
                if table is tables.erasures or table is tables.declarations:
                    since.touched.add(bytes(row.person))
        self._withdraw_again(page, journal, marks)

    def _end_row(self, page: Page, journal: Journal, name: str, row: Row[Any], mark: bytes, day: int) -> None:
        match name:
            case "persons":
                self._erasures.erase_again(page, journal, bytes(row.id), id_=Id16(mark[:_ID_BYTES]), day=day)
                self._lost.note(journal, mark[:_ID_BYTES], LostKind.ERASED, person=bytes(row.id))
            case "proposals":
                # Who decided is not known any more: it is as if its proposer had withdrawn it, and is proposed again.
                ended = {"state": str(ProposalState.WITHDRAWN), "decided_by": row.proposed_by, "decided_at": page.now}
                journal.change(tables.proposals, row, _whose(row, "subject"), **ended)
            case "roles":
                journal.change(tables.roles, row, _whose(row), ended_on=day)
                place = name_row(tables.roles, dict(row._mapping))
                self._lost.note(journal, mark[:_ID_BYTES], LostKind.ROLE, person=_whose(row), place=place)
            case "declarations":
                reversed_ = {"state": str(DeclarationState.REVERSED), "ended_on": day}
                journal.change(tables.declarations, row, _whose(row), **reversed_)
            case "delegations":
                journal.change(tables.delegations, row, _whose(row), revoked_on=day)
            case "members":
                journal.change(tables.members, row, _whose(row, "member"), ended_on=day)
            case "identities":
                journal.change(tables.identities, row, _whose(row), state=str(IdentityState.REVOKED))
            case "erasures":
                cancelled = {"state": str(ErasureState.CANCELLED), "ended_on": day}
                journal.change(tables.erasures, row, _whose(row), **cancelled)

    def _withdraw_again(self, page: Page, journal: Journal, marks: Mapping[bytes, int]) -> None:
        """Take back the consents that were taken back: each is a row more."""
        people = page.connection.execute(select(tables.consents.c.person).distinct()).scalars()
        for person in sorted(bytes(one) for one in people):
            for said in compute_standing(store.list_consents(page.connection, person)).values():
                mark = compute_mark(self._room.book_key, name_consent(said.id))
                if not said.is_given or mark not in marks:
                    continue
                values = {
                    "seq": store.next_number(page.connection, tables.consents, "seq"),
                    "id": mark[:_ID_BYTES],
                    "person": person,
                    "purpose": str(said.purpose),
                    "version": said.version,
                    "is_given": 0,
                    "at": marks[mark],
                }
                journal.insert(tables.consents, person, values)

    def _close_again(self, page: Page, journal: Journal, since: _Since) -> None:
        """Look at whose accounts were asked to be closed since: forget again who is sure to have asked for it."""
        pools = {find_pool(store.load_rule(page.connection, name)) for name in _RULES}
        by_person: dict[bytes, list[_Closing]] = {}
        for number, closing in since.closings.items():
            row = store.find_row(page.connection, _accounts, number=number)
            assert row is not None  # it was found before, in this page
            if row.person is not None:
                by_person.setdefault(bytes(row.person), []).append(closing)
        for person, closings in sorted(by_person.items()):
            known = store.load_person(page.connection, person, is_erased_allowed=True)
            if known.state == PersonState.ERASED or self._is_erasing(page, person):
                continue
            is_declared = self._is_declared(page, person, None)
            if is_declared and all(one.into in pools for one in closings):
                continue  # the rule of what was declared closed them
            id_ = compute_mark(self._room.book_key, f"closing {person.hex()} {closings[0].at}")[:_ID_BYTES]
            rows = store.list_rows(page.connection, _accounts, person=person)
            # A rule closes into a pool, and both rule and declaration may be younger than the copy.
            is_sure = not is_declared and all(row.state in ENDED for row in rows)
            is_sure = is_sure and not any(
                one.was_frozen or one.into or since.open_closings.get(one.at) for one in closings
            )
            if is_sure:
                # Nobody else closes all accounts of somebody: it was done, or would have been with the last answer.
                day = self._room.day(Instant(closings[0].at))
                self._erasures.erase_again(page, journal, person, id_=Id16(id_), day=day)
            kind = LostKind.ERASED if is_sure else LostKind.CLOSING
            self._lost.note(journal, id_, kind, person=person)

    def _is_erasing(self, page: Page, person: bytes) -> bool:
        return any(row.state not in OVER for row in store.list_rows(page.connection, tables.erasures, person=person))


def _said(lost: Lost) -> Iterator[tuple[int, HouseMessage]]:
    """Yield what this base told the accounts since the copy, each with the instant of its page."""
    for slip in lost.own.get(BaseName.ACCOUNTS, ()):
        for message in slip.messages:
            yield slip.at, message


def _whose(row: Row[Any], column: str = "person") -> bytes | None:
    value = row._mapping[column]
    return None if value is None else bytes(value)
