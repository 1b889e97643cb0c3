"""Who may do what to whose record: the person, a delegate, or an officer, and nobody else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from node.people.delegations import Delegation, Power
from node.people.errors import NotEntitled
from node.people.roles import Duty, Role, has_duty
from protocol.house import BaseName
from protocol.identifiers import Id16

HERE: Final = BaseName.PEOPLE.name


class Action(StrEnum):
    """What is done; the journal names it too."""

    FOUND = "found"
    ENTER = "enter"
    READ = "read"
    FIND = "find"
    RECTIFY = "rectify"
    EXPORT = "export"
    CONSENT = "consent"
    OPEN_ACCOUNT = "open_account"
    LINK_ACCOUNT = "link_account"
    JOIN = "join"
    ERASE = "erase"
    DECLARE = "declare"
    SETTLE = "settle"
    DELEGATE = "delegate"
    IDENTIFY = "identify"
    SIGN_IN = "sign_in"
    HAND_OUT = "hand_out"
    PROPOSE = "propose"
    DECIDE = "decide"
    LOOK_AT_LOG = "look_at_log"
    HEAR = "hear"  # what the accounts answered
    ROTATE = "rotate"


class Purpose(StrEnum):
    """Why it is done: one of a closed set, so that nobody writes a name or a story into the journal."""

    ENROLMENT = "enrolment"
    REQUEST_OF_PERSON = "request_of_person"
    SUPPORT = "support"
    SIGN_IN = "sign_in"
    SOLIDARITY = "solidarity"
    LEGAL_DUTY = "legal_duty"
    GOVERNANCE = "governance"
    SECURITY = "security"


OF_PERSON: Final = frozenset(
    {
        *(Action.READ, Action.RECTIFY, Action.EXPORT, Action.CONSENT, Action.OPEN_ACCOUNT, Action.ERASE),
        *(Action.DELEGATE, Action.IDENTIFY, Action.LOOK_AT_LOG),
    }
)
OF_DELEGATE: Final[Mapping[Action, Power]] = {
    Action.READ: Power.READ,
    Action.EXPORT: Power.READ,
    Action.RECTIFY: Power.RECTIFY,
}
OF_OFFICER: Final = frozenset(Action) - {Action.FOUND, Action.SIGN_IN, Action.HEAR}
OF_AUDITOR: Final = frozenset({Action.LOOK_AT_LOG})


def require_entitled(
    action: Action,
    actor: Id16,
    subject: Id16 | None,
    *,
    roles: Iterable[Role],
    delegations: Iterable[Delegation],
    day: int,
) -> None:
    """Raises NotEntitled unless the actor may do this to the subject (to nobody in particular where that is None)."""
    held = list(roles)
    if subject is not None and actor == subject and action in OF_PERSON:
        return
    if action in OF_OFFICER and has_duty(held, actor, Duty.PEOPLE_OFFICER, HERE, day):
        return
    if action in OF_AUDITOR and has_duty(held, actor, Duty.AUDITOR, HERE, day):
        return
    power = OF_DELEGATE.get(action)
    if power is not None and any(one.person == subject and one.allows(actor, power, day) for one in delegations):
        return
    raise NotEntitled(action=str(action))
