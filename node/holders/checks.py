"""What the people's base asked of the accounts, and what they answered, against the ledger: for `check`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from node.holders.numbers import is_holder_of
from node.ledger.accounts import AccountKind, AccountState
from node.ledger.reading_service import find_account, find_opening
from protocol.exchange.talk_store import load_placed_talk, load_talk
from protocol.findings import Checked, Finding
from protocol.house import (
    BaseName,
    HolderClosed,
    HolderKind,
    HolderOpened,
    OpenHolder,
)
from protocol.identifiers import AccountNumber, Id16

INVARIANT: Final = "holders"


def check_holders(connection: Connection) -> list[Checked]:
    """Hold each account that we said was opened or closed against the ledger. One snapshot; the first break is named."""
    asked: dict[bytes, HolderKind] = {}
    for message in load_talk(connection, BaseName.PEOPLE, BaseName.ACCOUNTS):
        if isinstance(message, OpenHolder):
            asked.setdefault(message.id, message.kind)
    first: Finding | None = None
    looked_at = 0
    for index, message in load_placed_talk(connection, BaseName.ACCOUNTS, BaseName.PEOPLE):
        match message:
            case HolderOpened():
                wrong = _compare_opened(connection, message, asked.get(message.id))
            case HolderClosed():
                wrong = _compare_closed(connection, message)
            case _:
                continue
        looked_at += 1
        if wrong is not None and first is None:
            place = f"log {BaseName.ACCOUNTS} to {BaseName.PEOPLE}, leaf {index}"
            first = Finding(INVARIANT, place, *wrong)
    rule = "holders' accounts are opened as they were asked, and closed where we said so"
    return [Checked(INVARIANT, rule, looked_at, () if first is None else (first,))]


def _compare_opened(connection: Connection, opened: HolderOpened, kind: HolderKind | None) -> tuple[str, str] | None:
    number = AccountNumber(opened.number)
    view = find_account(connection, number)
    under = find_opening(connection, number)
    if view is None or under != opened.id or not is_holder_of(Id16(opened.id), number):
        return f"account {number}, opened under {opened.id.hex()}", "none" if under is None else under.hex()
    if kind is None or view.kind is not AccountKind(kind):
        return f"{number} is a {kind or 'holder that was asked'}", str(view.kind)
    return None


def _compare_closed(connection: Connection, closed: HolderClosed) -> tuple[str, str] | None:
    view = find_account(connection, AccountNumber(closed.account))
    if view is None or view.state is not AccountState.CLOSED or view.shown_name is not None:
        found = "no account" if view is None else f"{view.state}, {'a name' if view.shown_name else 'no name'} shown"
        return f"{closed.account} closed, no name shown", found
    return None
