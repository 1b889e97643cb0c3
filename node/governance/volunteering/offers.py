"""The life of an offer of volunteering, and of each application to it. Pure.

    offer         DRAFT ──published──▶ OPEN ──filled──▶ FULL ──reopened──▶ OPEN       OPEN, FULL ──ended──▶ ENDED
                    └───withdrawn──▶ WITHDRAWN ◀──withdrawn── OPEN, FULL

    application   SENT ──accepted──▶ ACCEPTED ──done──▶ DONE
                    ├────declined──▶ DECLINED   └──absent──▶ ABSENT
                    └────left──────▶ LEFT ◀──left── ACCEPTED

An offer is full when as many people are accepted as it has places; who leaves opens it again. A group applies as one, and
holds a place for each of its people. Declining gives a reason; leaving asks for none.
Source: words of API Engagement (domain, remote, places); shared design, DOMAIN.md, 6.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from node.governance.passes.errors import (
    ApplicationStepRefused,
    InvalidOffer,
    OfferFull,
    OfferStepRefused,
)
from node.governance.passes.printed_lines import is_line
from node.governance.skills import SkillCode
from node.governance.volunteering.places import Place
from protocol.identifiers import AccountNumber, Id16, require_id, require_number

TITLE_MAX: Final = 120
WORDS_MAX: Final = 4_000
PLACES_MAX: Final = 1_000
PEOPLE_MAX: Final = PLACES_MAX
LABEL_MAX: Final = 80
SKILLS_MAX: Final = 12
MINUTES_MAX: Final = 60 * 24 * 366
REASON_MAX: Final = 200


class Domain(StrEnum):
    """The 14 domains of API Engagement, in its own words."""

    ENVIRONMENT = "environnement"
    SOLIDARITY = "solidarite-insertion"
    PREVENTION = "prevention-protection"
    HEALTH = "sante"
    CULTURE = "culture-loisirs"
    EDUCATION = "education"
    EMPLOYMENT = "emploi"
    SPORT = "sport"
    HUMANITARIAN = "humanitaire"
    ANIMALS = "animaux"
    LIVING_TOGETHER = "vivre-ensemble"
    MEMORY = "memoire-et-citoyennete"
    SKILLS = "benevolat-competences"
    OTHER = "autre"


class Remote(StrEnum):
    NO = "no"
    POSSIBLE = "possible"
    FULL = "full"


class OfferState(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    FULL = "full"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class OfferEvent(StrEnum):
    PUBLISHED = "published"
    FILLED = "filled"
    REOPENED = "reopened"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


class ApplicationState(StrEnum):
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LEFT = "left"
    DONE = "done"
    ABSENT = "absent"


class ApplicationEvent(StrEnum):
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LEFT = "left"
    DONE = "done"
    ABSENT = "absent"


_S, _E = OfferState, OfferEvent
_A, _D = ApplicationState, ApplicationEvent

NEXT_OFFER: Final[Mapping[OfferState, Mapping[OfferEvent, OfferState]]] = {
    _S.DRAFT: {_E.PUBLISHED: _S.OPEN, _E.WITHDRAWN: _S.WITHDRAWN},
    _S.OPEN: {
        _E.PUBLISHED: _S.OPEN,
        _E.FILLED: _S.FULL,
        _E.REOPENED: _S.OPEN,
        _E.ENDED: _S.ENDED,
        _E.WITHDRAWN: _S.WITHDRAWN,
    },
    _S.FULL: {_E.FILLED: _S.FULL, _E.REOPENED: _S.OPEN, _E.ENDED: _S.ENDED, _E.WITHDRAWN: _S.WITHDRAWN},
    _S.ENDED: {_E.ENDED: _S.ENDED},
    _S.WITHDRAWN: {_E.WITHDRAWN: _S.WITHDRAWN},
}
NEXT_APPLICATION: Final[Mapping[ApplicationState, Mapping[ApplicationEvent, ApplicationState]]] = {
    _A.SENT: {_D.ACCEPTED: _A.ACCEPTED, _D.DECLINED: _A.DECLINED, _D.LEFT: _A.LEFT},
    _A.ACCEPTED: {_D.ACCEPTED: _A.ACCEPTED, _D.LEFT: _A.LEFT, _D.DONE: _A.DONE, _D.ABSENT: _A.ABSENT},
    _A.DECLINED: {_D.DECLINED: _A.DECLINED},
    _A.LEFT: {_D.LEFT: _A.LEFT},
    _A.DONE: {_D.DONE: _A.DONE},
    _A.ABSENT: {_D.ABSENT: _A.ABSENT},
}
# Who holds a place of the offer.
PLACED: Final = frozenset({_A.ACCEPTED, _A.DONE, _A.ABSENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a project asks of volunteers. Both days are included; `minutes` are for one person.

    `needed` are skills without which nobody is taken, `wanted` those that make it better. Raises InvalidOffer, InvalidId.
    """

    id: Id16
    project: Id16
    title: str
    words: str
    domain: Domain
    remote: Remote
    place: Place | None
    first_on: datetime.date
    last_on: datetime.date
    minutes: int
    places: int
    needed: tuple[SkillCode, ...] = ()
    wanted: tuple[SkillCode, ...] = ()
    state: OfferState = OfferState.DRAFT

    def __post_init__(self) -> None:
        require_id(self.id)
        require_id(self.project)
        if not is_line(self.title, TITLE_MAX):
            raise InvalidOffer(field="title", reason=f"one line of 1 to {TITLE_MAX} symbols")
        if not is_line(self.words, WORDS_MAX):
            raise InvalidOffer(field="words", reason=f"one paragraph of 1 to {WORDS_MAX} symbols")
        if (self.remote is Remote.FULL) is not (self.place is None):
            raise InvalidOffer(field="place", reason="all but what is wholly done from afar has a place")
        if self.last_on < self.first_on:
            raise InvalidOffer(field="last_on", reason="it ends before it begins")
        for name, number, number_max in (
            ("minutes", self.minutes, MINUTES_MAX),
            ("places", self.places, PLACES_MAX),
        ):
            if type(number) is not int or not 1 <= number <= number_max:
                raise InvalidOffer(field=name, reason=f"1 to {number_max}")
        named = (*self.needed, *self.wanted)
        if len(named) > SKILLS_MAX or len(set(named)) != len(named):
            raise InvalidOffer(field="skills", reason=f"at most {SKILLS_MAX}, each once, needed or wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Somebody, or a group of `people` with a public `label`, offers to take part. Its id is that of the request.

    Raises InvalidOffer, InvalidId, InvalidAddress.
    """

    id: Id16
    offer: Id16
    account: AccountNumber
    words: str = ""
    people: int = 1
    label: str = ""
    state: ApplicationState = ApplicationState.SENT
    reason: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)
        require_id(self.offer)
        require_number(self.account)
        if self.words and not is_line(self.words, WORDS_MAX):
            raise InvalidOffer(field="words", reason=f"one paragraph of at most {WORDS_MAX} symbols")
        if type(self.people) is not int or not 1 <= self.people <= PEOPLE_MAX:
            raise InvalidOffer(field="people", reason=f"1 to {PEOPLE_MAX}")
        if self.label and (self.people == 1 or not is_line(self.label, LABEL_MAX)):
            raise InvalidOffer(field="label", reason=f"a group's public name, in one line of {LABEL_MAX} symbols")
        if (self.state is _A.DECLINED) is not bool(self.reason):
            raise InvalidOffer(field="reason", reason="a declined application, and no other, gives a reason")
        if self.reason and not is_line(self.reason, REASON_MAX):
            raise InvalidOffer(field="reason", reason=f"one line of at most {REASON_MAX} symbols")


def advance_offer(offer: Offer, event: OfferEvent) -> Offer:
    """Return the offer as it stands after `event`; a resend returns it unchanged. Raises OfferStepRefused."""
    after = NEXT_OFFER[offer.state].get(event)
    if after is None:
        raise OfferStepRefused(state=offer.state, event=event)
    return offer if after is offer.state else replace(offer, state=after)


def advance_application(application: Application, event: ApplicationEvent, *, reason: str = "") -> Application:
    """Return the application as it stands after `event`; a resend returns it unchanged.

    Raises ApplicationStepRefused, InvalidOffer where a declined one has no reason, or another one has.
    """
    after = NEXT_APPLICATION[application.state].get(event)
    if after is None:
        raise ApplicationStepRefused(state=application.state, event=event)
    return application if after is application.state else replace(application, state=after, reason=reason)


def apply(offer: Offer, application: Application, *, today: datetime.date) -> Application:
    """Return an application that the offer takes: it is open, or full and waited for, and not over.

    Raises OfferStepRefused, InvalidOffer.
    """
    if application.offer != offer.id:
        raise InvalidOffer(field="offer", reason="an application to another offer")
    if offer.state not in {_S.OPEN, _S.FULL} or today > offer.last_on:
        raise OfferStepRefused(state=offer.state, event="applied")
    return application


def accept(offer: Offer, application: Application, *, placed: int) -> tuple[Offer, Application]:
    """Return both after the bearer accepted an application; `placed` people hold a place before it.

    Raises OfferFull, OfferStepRefused, ApplicationStepRefused.
    """
    accepted = advance_application(application, _D.ACCEPTED)
    if accepted is application:
        return offer, application
    if placed + application.people > offer.places:
        raise OfferFull(places=offer.places)
    if offer.state is not _S.OPEN:
        raise OfferStepRefused(state=offer.state, event="accepted")
    return (advance_offer(offer, _E.FILLED) if placed + application.people == offer.places else offer), accepted


def leave(offer: Offer, application: Application) -> tuple[Offer, Application]:
    """Return both after somebody left: a place that was held is free again, if the offer still runs.

    Raises ApplicationStepRefused.
    """
    left = advance_application(application, _D.LEFT)
    frees = application.state in PLACED and offer.state is _S.FULL
    return (advance_offer(offer, _E.REOPENED) if frees else offer), left
