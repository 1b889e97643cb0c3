"""Accounts: their kinds, their states, and the accounts that belong to the book itself. Pure.

        ┌─ freeze ─▶         ─ close ─▶
    OPEN             FROZEN              CLOSED     an account closes empty, once, for ever: a number is never reused
        ◀─ reopen ─┘                                (OPEN ─ close ─▶ CLOSED as well)

Ordinary accounts have a number. System accounts have none, and are named by their kind:

    issuance   where home lots come from           a source: it holds nothing, its debits raise `lots.issued`
    border     where foreign lots come from and go  a source too
    transit    home rights on their way to another territory, not yet delivered
    abroad     home lots held in another territory, one account for each peer
    unclaimed  what came back to an account that had closed meanwhile
    converted  home lots that became a project's euros: they are held here for ever, so that a lot still adds up

The account of a solidarity operation has a number like a project's, and lets rights go as its rule says only.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from node.ledger.errors import AccountClosed
from protocol.identifiers import AccountNumber, TerritoryCode

SHOWN_NAME_MAX = 80


class AccountKind(StrEnum):
    """Who or what holds the account."""

    PERSON = "person"
    ENTITY = "entity"
    GROUP = "group"
    PROJECT = "project"
    POOL = "pool"
    SOLIDARITY = "solidarity"
    ISSUANCE = "issuance"
    BORDER = "border"
    TRANSIT = "transit"
    ABROAD = "abroad"
    UNCLAIMED = "unclaimed"
    CONVERTED = "converted"


SOURCES: Final = frozenset({AccountKind.ISSUANCE, AccountKind.BORDER})
SYSTEM: Final = SOURCES | {AccountKind.TRANSIT, AccountKind.ABROAD, AccountKind.UNCLAIMED, AccountKind.CONVERTED}
ORDINARY: Final = frozenset(AccountKind) - SYSTEM
# At home: ordinary accounts, and what waits for one.
AT_HOME: Final = ORDINARY | {AccountKind.UNCLAIMED}
# Accounts from which nothing leaves unless the caller names the lots.
NAMED_DRAWS_ONLY: Final = SYSTEM - {AccountKind.UNCLAIMED}


class AccountState(StrEnum):
    """Whether rights may move."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class AccountEvent(StrEnum):
    """What is asked of an account."""

    FREEZE = "freeze"
    REOPEN = "reopen"
    CLOSE = "close"


_S = AccountState
_E = AccountEvent

NEXT_STATE: Final[Mapping[AccountState, Mapping[AccountEvent, AccountState]]] = {
    _S.OPEN: {_E.REOPEN: _S.OPEN, _E.FREEZE: _S.FROZEN, _E.CLOSE: _S.CLOSED},
    _S.FROZEN: {_E.FREEZE: _S.FROZEN, _E.REOPEN: _S.OPEN, _E.CLOSE: _S.CLOSED},
    _S.CLOSED: {_E.CLOSE: _S.CLOSED},
}


def advance(state: AccountState, event: AccountEvent, *, account: AccountNumber) -> AccountState:
    """Return the state after `event`; a resend returns it unchanged. Raises AccountClosed."""
    after = NEXT_STATE[state].get(event)
    if after is None:
        raise AccountClosed(account=account)
    return after


class SystemAccount(NamedTuple):
    """An account of the book itself. Never equal to an account number, whatever text comes from outside."""

    kind: AccountKind
    peer: str = ""


ISSUANCE: Final = SystemAccount(AccountKind.ISSUANCE)
BORDER: Final = SystemAccount(AccountKind.BORDER)
TRANSIT: Final = SystemAccount(AccountKind.TRANSIT)
UNCLAIMED: Final = SystemAccount(AccountKind.UNCLAIMED)
CONVERTED: Final = SystemAccount(AccountKind.CONVERTED)


def abroad(peer: TerritoryCode) -> SystemAccount:
    """Return the account of home lots held in the territory `peer`."""
    return SystemAccount(AccountKind.ABROAD, peer)


AccountKey = AccountNumber | SystemAccount


def describe(key: AccountKey) -> str:
    """Return the key as text for facts and findings: the number, or the kind and the peer."""
    if isinstance(key, SystemAccount):
        return f"{key.kind}/{key.peer}" if key.peer else str(key.kind)
    return key
