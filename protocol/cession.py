"""The life of a cession. The hub and the nodes run this same file.

    QUEUED ──▶ CLEARED ──▶ HANDED_OVER ──▶ DELIVERED
       │          │             └────────▶ RETURNED   receiver: unknown or closed account, refused, unreadable
       │          ├──▶ RECALLED                       the sender's word, by the hub's log, before hand-over
       │          └──▶ EXPIRED                        the sender's term, by the hub's log, before hand-over
       └──▶ REFUSED                                   hub: limit, suspended, unknown member, position too small, expired

Pure, and blind to who is asking. A whole slip usually moves together: parties keep one state per slip and name the
exceptions, and `state_of` says what that means for one cession. Source: SPEC.md, "Life of a cession".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from protocol.errors import Refusal
from protocol.times import Instant


class CessionState(StrEnum):
    """Where a cession stands."""

    QUEUED = "queued"
    CLEARED = "cleared"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    RETURNED = "returned"
    RECALLED = "recalled"
    EXPIRED = "expired"
    REFUSED = "refused"


class Event(StrEnum):
    """What happened, in the past tense."""

    CLEARED = "cleared"
    REFUSED = "refused"
    HANDED_OVER = "handed_over"
    RECALLED = "recalled"
    EXPIRED = "expired"
    DELIVERED = "delivered"
    RETURNED = "returned"


class IllegalTransition(Refusal):
    """Facts: state, event."""

    code = "illegal_transition"


_S = CessionState
_E = Event

NEXT_STATE: Final[Mapping[CessionState, Mapping[Event, CessionState]]] = {
    _S.QUEUED: {_E.CLEARED: _S.CLEARED, _E.REFUSED: _S.REFUSED},
    _S.CLEARED: {
        _E.CLEARED: _S.CLEARED,
        _E.HANDED_OVER: _S.HANDED_OVER,
        _E.RECALLED: _S.RECALLED,
        _E.EXPIRED: _S.EXPIRED,
    },
    _S.HANDED_OVER: {
        _E.HANDED_OVER: _S.HANDED_OVER,
        _E.DELIVERED: _S.DELIVERED,
        _E.RETURNED: _S.RETURNED,
    },
    _S.DELIVERED: {_E.DELIVERED: _S.DELIVERED},
    _S.RETURNED: {_E.RETURNED: _S.RETURNED},
    _S.RECALLED: {_E.RECALLED: _S.RECALLED},
    _S.EXPIRED: {_E.EXPIRED: _S.EXPIRED},
    _S.REFUSED: {_E.REFUSED: _S.REFUSED},
}

TERMINAL: Final = frozenset({_S.DELIVERED, _S.RETURNED, _S.RECALLED, _S.EXPIRED, _S.REFUSED})
RIGHTS_COME_BACK: Final = TERMINAL - {_S.DELIVERED}


@dataclass(frozen=True, slots=True)
class Cession:
    """One cession as one party sees it; `since` is when it entered its state."""

    state: CessionState
    since: Instant
    code: str = ""


def advance(cession: Cession, event: Event, at: Instant, code: str = "") -> Cession:
    """Return the cession as it stands after `event`; a resend returns it unchanged.

    Raises IllegalTransition; the cession given is never modified.
    """
    after = NEXT_STATE[cession.state].get(event)
    if after is None:
        raise IllegalTransition(state=cession.state, event=event)
    if after is cession.state:
        return cession
    return replace(cession, state=after, since=at, code=code)


def state_of(slip_state: CessionState, exception: CessionState | None) -> CessionState:
    """Return the state of one cession from its slip's state and its own exception, if it has one."""
    return slip_state if exception is None else exception
