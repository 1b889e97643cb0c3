"""Take what the accounts say of projects: their number, their support, what was converted, paid and given back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from node.governance import tables
from node.governance.deadlines_service import fund_if_reached
from node.governance.instalments import DueMark, RoundState
from node.governance.letters_service import Letters
from node.governance.netted_service import NettedOrders
from node.governance.store import change, find_project, save
from protocol.book.worker import Page
from protocol.house import (
    BaseName,
    DueSettled,
    DueState,
    HouseMessage,
    OrderReturned,
    ProjectConverted,
    ProjectOpened,
    ProjectReleased,
    Refused,
    Support,
    make_due_id,
)

_projects, _rounds, _dues = tables.projects, tables.rounds, tables.dues
_MARKS: Final = {
    DueState.PAID: DueMark.PAID,
    DueState.REJECTED: DueMark.REJECTED,
    DueState.NETTED: DueMark.NETTED,
}


class AnswerDesk:
    """Applies what the accounts tell the projects. Said again, it changes nothing; of nothing that is here, neither."""

    def __init__(self, letters: Letters, netted: NettedOrders) -> None:
        self._letters = letters
        self._netted = netted

    def apply(self, page: Page, sender: str, messages: Sequence[HouseMessage]) -> list[HouseMessage]:
        """Do what another base tells us, in the page that stores it: there is nothing to answer."""
        if sender != BaseName.ACCOUNTS:
            return []
        for message in messages:
            match message:
                case ProjectOpened():
                    change(
                        page.connection,
                        _projects,
                        _projects.c.id == message.id,
                        _projects.c.number.is_(None),
                        number=message.number,
                        code="",
                    )
                case Support():
                    self._take_support(page, message)
                case ProjectConverted():
                    self._take_converted(page, message)
                case ProjectReleased():
                    self._take_released(page, message)
                case DueSettled():
                    self._take_settled(page, message)
                case OrderReturned():
                    self._netted.come_back(page, message.id, message.code)
                case Refused():
                    self._take_refused(page, message)
                case _:
                    continue
        return []

    def _take_support(self, page: Page, told: Support) -> None:
        done = change(
            page.connection,
            _projects,
            _projects.c.id == told.project,
            support=told.cents,
            supporters=told.supporters,
        )
        project = find_project(page.connection, _projects.c.id == told.project) if done else None
        if project is not None:
            fund_if_reached(page, self._letters, project, project.sheet.target, by="the accounts")

    def _take_converted(self, page: Page, told: ProjectConverted) -> None:
        row = page.connection.execute(select(_rounds).where(_rounds.c.id == told.id)).first()
        if row is None:
            return
        if row.state == RoundState.CONVERTED:  # told again: what a fund does not owe waits with the rest
            change(page.connection, _rounds, _rounds.c.id == told.id, waiting=told.waiting)
            return
        change(
            page.connection,
            _rounds,
            _rounds.c.id == told.id,
            state=RoundState.CONVERTED,
            waiting=told.waiting,
            code="",
            answered_at=page.now,
        )
        for payer, cents in zip(told.payers, told.cents, strict=True):
            save(
                page.connection,
                _dues,
                id=make_due_id(told.id, payer),
                round=told.id,
                payer=payer,
                cents=cents,
                mark=DueMark.OWED,
                code="",
                at=page.now,
            )

    def _take_settled(self, page: Page, told: DueSettled) -> None:
        row = page.connection.execute(select(_dues).where(_dues.c.id == told.id)).first()
        if row is None or row.mark == DueMark.REFUSED:
            return
        mark = _MARKS[told.state]
        if row.mark == DueMark.CONFIRMED and mark is not DueMark.REJECTED:
            mark = DueMark.CONFIRMED  # the bearer's own word stands, unless the bank took the euros back afterwards
        confirmed_on = row.confirmed_on if mark is DueMark.CONFIRMED else None
        change(page.connection, _dues, _dues.c.id == told.id, mark=mark, on_day=told.on, confirmed_on=confirmed_on)
        if mark is DueMark.NETTED:
            self._netted.begin(page, row)

    def _take_released(self, page: Page, told: ProjectReleased) -> None:
        change(page.connection, _projects, _projects.c.release_id == told.id, released=told.cents)

    def _take_refused(self, page: Page, told: Refused) -> None:
        connection, code = page.connection, told.code
        if change(connection, _dues, _dues.c.id == told.id, mark=DueMark.REFUSED, code=code):
            return
        is_round = _rounds.c.id == told.id
        if change(
            connection,
            _rounds,
            is_round,
            _rounds.c.state == RoundState.ASKED,
            state=RoundState.REFUSED,
            code=code,
            answered_at=page.now,
        ):
            return
        for column in (_projects.c.id, _projects.c.commit_id, _projects.c.release_id):
            change(connection, _projects, column == told.id, code=code)
