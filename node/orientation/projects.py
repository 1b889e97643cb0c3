"""A project as the accounts see it: an account that rights are directed to, up to a target and until a day. Pure.

                ┌──────────── release ───────────┐
    OPEN ── commit ──▶ COMMITTED ── release ──▶ CLOSED
    directed, and        converted in            all that is not
    taken back           rounds                  converted goes back

Committee, bearer and reasons are the projects base's; here is only what moves rights.
Source: SPEC.md, "The house".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from node.ledger.lots import LotClass
from node.orientation.errors import (
    OrientationRefusal,
    ProjectClosed,
    ProjectCommitted,
    ProjectFull,
    ProjectOpen,
    ProjectPast,
)
from protocol.canonical import encode_typed
from protocol.house import HouseMessage
from protocol.identifiers import AccountNumber, Id16, make_account_number

OFFERS_MAX: Final = 8  # how often another account may have the number already
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ProjectState(StrEnum):
    """What may be done with what is directed to it."""

    OPEN = "open"
    COMMITTED = "committed"
    CLOSED = "closed"


class ProjectEvent(StrEnum):
    """What the projects base says of it."""

    COMMIT = "commit"
    RELEASE = "release"


_S = ProjectState
_E = ProjectEvent

NEXT_STATE: Final[Mapping[ProjectState, Mapping[ProjectEvent, ProjectState]]] = {
    _S.OPEN: {_E.COMMIT: _S.COMMITTED, _E.RELEASE: _S.CLOSED},
    _S.COMMITTED: {_E.COMMIT: _S.COMMITTED, _E.RELEASE: _S.CLOSED},
    _S.CLOSED: {_E.RELEASE: _S.CLOSED},
}


class Project(Struct, frozen=True, kw_only=True):
    """One project. `directed` is what stands directed to it, `converted` the part of it that became euros."""

    id: int
    op: bytes
    number: AccountNumber
    shown_name: str
    theme: str
    target: int
    until: int  # yyyymmdd: its last day
    state: ProjectState
    code: str = ""  # why it was released
    directed: int = 0
    converted: int = 0
    supporters: int = 0

    @property
    def room(self) -> int:
        """How many cents it still takes."""
        return self.target - self.directed

    @property
    def held(self) -> int:
        """What is directed and not converted: the balance of its account."""
        return self.directed - self.converted


class LotTerms(Struct, frozen=True):
    """What a lot may be used for. `restriction` is known of home lots only: its text never leaves its issuer."""

    issuer: str
    lot_class: int
    month: int
    restriction: str


def advance(project: Project, event: ProjectEvent) -> ProjectState:
    """Return the state after `event`; a resend returns it unchanged. Raises ProjectClosed."""
    after = NEXT_STATE[project.state].get(event)
    if after is None:
        raise ProjectClosed(account=project.number)
    return after


def day_at(now: int) -> int:
    """Return the UTC day of an instant, as yyyymmdd."""
    day = _EPOCH + timedelta(milliseconds=now)
    return day.year * 10_000 + day.month * 100 + day.day


def find_hindrance(project: Project, today: int) -> OrientationRefusal | None:
    """Return why nothing can be directed to it today, whatever is offered, or None."""
    if project.state is ProjectState.CLOSED:
        return ProjectClosed(account=project.number)
    if project.state is ProjectState.COMMITTED:
        return ProjectCommitted(account=project.number)
    if today > project.until:
        return ProjectPast(account=project.number, until=project.until)
    if project.room <= 0:
        return ProjectFull(account=project.number, room=0)
    return None


def require_undecided(project: Project) -> None:
    """Raise ProjectCommitted or ProjectClosed where it is too late to change one's mind. Its last day does not matter."""
    if project.state is ProjectState.COMMITTED:
        raise ProjectCommitted(account=project.number)
    if project.state is ProjectState.CLOSED:
        raise ProjectClosed(account=project.number)


def require_committed(project: Project) -> None:
    """Raise ProjectOpen or ProjectClosed unless it can be converted."""
    if project.state is ProjectState.OPEN:
        raise ProjectOpen(account=project.number)
    if project.state is ProjectState.CLOSED:
        raise ProjectClosed(account=project.number)


def is_fit(terms: LotTerms, *, theme: str, territory: str) -> bool:
    """Tell whether a lot may go to a project of this theme in this territory.

    A lot that is bound, and whose restriction we cannot read, fits nothing here: its issuer alone knows what it is for.
    """
    if not terms.lot_class & LotClass.RESTRICTED:
        return True
    bound_to = terms.restriction.strip().casefold()
    return bound_to != "" and bound_to in (theme.strip().casefold(), territory.casefold())


def is_fit_abroad(terms: LotTerms, *, is_south: bool) -> bool:
    """Tell whether a lot may go to a project elsewhere: nobody there can read what it is bound to."""
    if terms.lot_class & LotClass.RESTRICTED:
        return False
    return not is_south or bool(terms.lot_class & LotClass.SOUTH_FIT)


def compute_asked(message: HouseMessage) -> bytes:
    """Return the digest of what the projects base asked: the same id with another one is refused."""
    return hashlib.blake2b(encode_typed(message), digest_size=16).digest()


def derive_number(opened_under: Id16, offer: int) -> AccountNumber:
    """Return the number that is offered for a project's account; the next `offer` where somebody has it."""
    digest = hashlib.blake2b(opened_under, digest_size=16, salt=offer.to_bytes(1, "big"), person=b"cm-project").digest()
    return make_account_number(digest)


def is_number_of(opened_under: Id16, number: AccountNumber) -> bool:
    """Tell whether this number was derived for the project; one opened by hand has another, but for a chance of 10^-11."""
    return any(derive_number(opened_under, offer) == number for offer in range(OFFERS_MAX))
