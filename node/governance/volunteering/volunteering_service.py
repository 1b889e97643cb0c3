"""Offers and requests, who applies and who is taken, hours told and confirmed, and the pass that is claimed of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from node.governance.answering import answer_each
from node.governance.days import local_day, read_day, write_day
from node.governance.passes.errors import (
    ApplicationStepRefused,
    HoursRefused,
    HoursUnknown,
    InvalidOffer,
    OfferStepRefused,
    ValidatorRefused,
)
from node.governance.passes.pass_service import WORKED, ClaimPass, PassDesk
from node.governance.passes.passes import Duty, PassState
from node.governance.passes.printed_lines import is_line
from node.governance.settings import ProjectsSettings
from node.governance.skills import SkillCode
from node.governance.skills_store import load_skills
from node.governance.store import change, load_bearer, load_project, note_asked, save, was_asked
from node.governance.volunteering import tables
from node.governance.volunteering.hours import Hours, HoursState, collect_claim, require_hours
from node.governance.volunteering.matching import RADIUS_MAX, Match, Wishes, match_offers
from node.governance.volunteering.offers import (
    PEOPLE_MAX,
    REASON_MAX,
    Application,
    ApplicationEvent,
    ApplicationState,
    Offer,
    OfferEvent,
    OfferState,
    accept,
    advance_application,
    advance_offer,
    apply,
    leave,
)
from node.governance.volunteering.places import Place
from node.governance.volunteering.volunteering_store import (
    count_placed,
    list_applications,
    list_hours,
    list_offers,
    list_requests,
    load_application,
    load_offer,
    load_request,
    make_wishes,
    save_offer,
)
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Id16, require_id, require_number

_offers, _requests = tables.volunteer_offers, tables.volunteer_requests
_applications, _hours = tables.applications, tables.told_hours
REQUEST_YEARS_MAX: Final = 2
_ASKED: Final = frozenset({ApplicationState.SENT, ApplicationState.ACCEPTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOffer:
    """An offer of a project's bearer, named by its registry number; the offer's id is the request's."""

    offer: Offer
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOffer:
    """The bearer publishes an offer, ends it or withdraws it; withdrawn with a reason."""

    id: Id16
    offer: Id16
    event: OfferEvent
    by: str
    reason: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)
        if self.event not in (OfferEvent.PUBLISHED, OfferEvent.ENDED, OfferEvent.WITHDRAWN):
            raise OfferStepRefused(state="any", event=self.event)
        if (self.event is OfferEvent.WITHDRAWN) is not is_line(self.reason, REASON_MAX):
            raise InvalidOffer(field="reason", reason="an offer that is withdrawn, and no other, says why in one line")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """Somebody, or a group of `people`, looks for something to do near a place (`radius` in metres), until a day."""

    id: Id16
    account: AccountNumber
    home: Place
    radius: int
    skills: tuple[SkillCode, ...]
    takes_remote: bool
    people: int
    until_day: int

    def __post_init__(self) -> None:
        require_id(self.id)
        require_number(self.account)
        read_day(self.until_day)
        if not 0 <= self.radius <= RADIUS_MAX or not 1 <= self.people <= PEOPLE_MAX:
            raise InvalidOffer(field="radius", reason=f"metres on Earth, and 1 to {PEOPLE_MAX} people")
        if len(self.skills) > 12 or len(set(self.skills)) != len(self.skills):
            raise InvalidOffer(field="skills", reason="at most 12, each once")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepApplication:
    """The bearer (`by`) accepts, declines, says that it is done or that nobody came; a declined one has a reason."""

    id: Id16
    application: Id16
    event: ApplicationEvent
    by: str
    reason: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOffer:
    """A volunteer leaves; no reason is asked."""

    id: Id16
    application: Id16
    account: AccountNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class TellHours:
    """What a volunteer says to have done on one day."""

    hours: Hours
    application: Id16
    account: AccountNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeHours:
    """The bearer confirms hours, or refuses them with a reason."""

    id: Id16
    hours: Id16
    is_confirmed: bool
    by: str
    reason: str = ""

    def __post_init__(self) -> None:
        require_id(self.id)
        if self.is_confirmed is is_line(self.reason, REASON_MAX):
            raise InvalidOffer(field="reason", reason="hours that are refused, and no others, say why in one line")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimHours:
    """A pass of all confirmed hours of an application that stand in none yet. `skills` empty: those of the offer."""

    id: Id16
    application: Id16
    role: str
    duty: Duty
    skills: tuple[SkillCode, ...] = ()
    language: str = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    pass_id: Id16
    state: PassState


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMatch:
    """A request that an offer fits, as a row, with why."""

    request: Any
    match: Match


class VolunteerDesk:
    """Operations for the book's writer, on volunteering."""

    def __init__(self, settings: ProjectsSettings, passes: PassDesk) -> None:
        self._settings = settings
        self._passes = passes

    def offer(self, page: Page, items: Sequence[NewOffer]) -> list[OfferState | Refusal]:
        """Keep each new offer as a draft; the same again is answered with where it stands."""
        return answer_each(items, lambda item: self._offer(page, item))

    def step_offers(self, page: Page, items: Sequence[StepOffer]) -> list[OfferState | Refusal]:
        """Publish, end or withdraw offers."""
        return answer_each(items, lambda item: self._step_offer(page, item))

    def request(self, page: Page, items: Sequence[NewRequest]) -> list[Id16 | Refusal]:
        """Keep who looks for something to do."""
        return answer_each(items, lambda item: self._request(page, item))

    def close_requests(self, page: Page, items: Sequence[Id16]) -> list[Id16 | Refusal]:
        """Take requests away: they are matched no more."""
        return answer_each(items, lambda item: self._close_request(page, item))

    def apply(self, page: Page, items: Sequence[Application]) -> list[ApplicationState | Refusal]:
        """Take each application, once for an account and an offer."""
        return answer_each(items, lambda item: self._apply(page, item))

    def step_applications(self, page: Page, items: Sequence[StepApplication]) -> list[ApplicationState | Refusal]:
        """Do what the bearer decided of each application."""
        return answer_each(items, lambda item: self._step_application(page, item))

    def leave(self, page: Page, items: Sequence[LeaveOffer]) -> list[ApplicationState | Refusal]:
        """Let volunteers leave: their places are free again."""
        return answer_each(items, lambda item: self._leave(page, item))

    def tell_hours(self, page: Page, items: Sequence[TellHours]) -> list[HoursState | Refusal]:
        """Keep hours until the bearer looks at them."""
        return answer_each(items, lambda item: self._tell(page, item))

    def judge_hours(self, page: Page, items: Sequence[JudgeHours]) -> list[HoursState | Refusal]:
        """Confirm or refuse hours, once."""
        return answer_each(items, lambda item: self.judge_one(page, item))

    def claim(self, page: Page, items: Sequence[ClaimHours]) -> list[Claimed | Refusal]:
        """Claim a pass of confirmed hours: the bearer checks it and the committee validates it as any other."""
        return answer_each(items, lambda item: self._claim(page, item))

    def catch_up(self, page: Page, items: Sequence[None]) -> list[int]:
        """End offers whose last day is over, or whose project is; return how many. Run twice is run once."""
        today, done = local_day(page.now, self._settings.zone), 0
        for offer in list_offers(page.connection, _offers.c.state.in_((OfferState.OPEN, OfferState.FULL))):
            if offer.last_on < today or load_project(page.connection, offer.project).state not in WORKED:
                self._keep_offer(page, advance_offer(offer, OfferEvent.ENDED))
                done += 1
        return [done for _ in items]

    # One at a time.

    def _today(self, page: Page) -> int:
        return write_day(local_day(page.now, self._settings.zone))

    def _require_bearer(self, connection: Connection, project: Id16, by: str) -> None:
        found = load_project(connection, project)
        if found.bearer is None or load_bearer(connection, found.bearer).registry != by:
            raise ValidatorRefused(reason="only the bearer of the project decides on its volunteers")

    def _keep_offer(self, page: Page, offer: Offer, reason: str = "") -> None:
        change(page.connection, _offers, _offers.c.id == offer.id, state=offer.state, reason=reason)

    def _offer(self, page: Page, asked: NewOffer) -> OfferState:
        offer = asked.offer
        content = ("offer", *_content_of(offer), asked.by)
        if was_asked(page.connection, offer.id, *content):
            return load_offer(page.connection, offer.id).state
        project = load_project(page.connection, offer.project)
        if project.state not in WORKED:
            raise InvalidOffer(field="project", reason=f"nobody works for a project that is {project.state}")
        self._require_bearer(page.connection, offer.project, asked.by)
        for code in (*offer.needed, *offer.wanted):
            load_skills().require(code)
        if offer.state is not OfferState.DRAFT or write_day(offer.last_on) < self._today(page):
            raise InvalidOffer(field="last_on", reason="a draft of something to come")
        note_asked(page, offer.id, *content)
        save_offer(page, offer, by=asked.by)
        return offer.state

    def _step_offer(self, page: Page, asked: StepOffer) -> OfferState:
        content = ("offer_step", asked.offer, str(asked.event), asked.by, asked.reason)
        offer = load_offer(page.connection, asked.offer)
        if was_asked(page.connection, asked.id, *content):
            return offer.state
        self._require_bearer(page.connection, offer.project, asked.by)
        after = advance_offer(offer, asked.event)
        note_asked(page, asked.id, *content)
        if after is not offer:
            self._keep_offer(page, after, asked.reason)
        return after.state

    def _request(self, page: Page, asked: NewRequest) -> Id16:
        home = asked.home
        content = (
            *("request", asked.account, home.code, home.name, home.latitude, home.longitude, asked.radius),
            *(list(asked.skills), asked.takes_remote, asked.people, asked.until_day),
        )
        if was_asked(page.connection, asked.id, *content):
            return asked.id
        for code in asked.skills:
            load_skills().require(code)
        today = self._today(page)
        if not today <= asked.until_day <= today + REQUEST_YEARS_MAX * 10_000:
            raise InvalidOffer(field="until_day", reason=f"from today to {REQUEST_YEARS_MAX} years later")
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _requests,
            id=asked.id,
            account=asked.account,
            place=home.code,
            place_name=home.name,
            latitude=home.latitude,
            longitude=home.longitude,
            radius=asked.radius,
            skills=" ".join(asked.skills),
            takes_remote=int(asked.takes_remote),
            people=asked.people,
            until_day=asked.until_day,
            at=page.now,
        )
        return asked.id

    def _close_request(self, page: Page, id_: Id16) -> Id16:
        load_request(page.connection, id_)
        change(page.connection, _requests, _requests.c.id == id_, _requests.c.closed_at.is_(None), closed_at=page.now)
        return id_

    def _apply(self, page: Page, asked: Application) -> ApplicationState:
        content = ("apply", asked.offer, asked.account, asked.people, asked.label, asked.words)
        if was_asked(page.connection, asked.id, *content):
            return load_application(page.connection, asked.id).state
        offer = load_offer(page.connection, asked.offer)
        apply(offer, asked, today=local_day(page.now, self._settings.zone))
        known = list_applications(
            page.connection,
            _applications.c.offer == asked.offer,
            _applications.c.account == asked.account,
            _applications.c.state.in_(_ASKED),
        )
        if known:
            raise ApplicationStepRefused(state=known[0].state, event="sent")
        note_asked(page, asked.id, *content)
        save(
            page.connection,
            _applications,
            id=asked.id,
            offer=asked.offer,
            account=asked.account,
            people=asked.people,
            label=asked.label,
            words=asked.words,
            state=ApplicationState.SENT,
            reason="",
            by="",
            at=page.now,
        )
        return ApplicationState.SENT

    def _step_application(self, page: Page, asked: StepApplication) -> ApplicationState:
        content = ("application_step", asked.application, str(asked.event), asked.by, asked.reason)
        application = load_application(page.connection, asked.application)
        if was_asked(page.connection, asked.id, *content):
            return application.state
        offer = load_offer(page.connection, application.offer)
        self._require_bearer(page.connection, offer.project, asked.by)
        if asked.event is ApplicationEvent.LEFT:
            raise ApplicationStepRefused(state=application.state, event=asked.event)
        after_offer = offer
        if asked.event is ApplicationEvent.ACCEPTED:
            after_offer, after = accept(offer, application, placed=count_placed(page.connection, offer.id))
        else:
            after = advance_application(application, asked.event, reason=asked.reason)
        note_asked(page, asked.id, *content)
        self._keep(page, application, after, by=asked.by)
        if after_offer is not offer:
            self._keep_offer(page, after_offer)
        return after.state

    def _leave(self, page: Page, asked: LeaveOffer) -> ApplicationState:
        content = ("leave", asked.application, asked.account)
        application = self._load_own(page.connection, asked.application, asked.account)
        if was_asked(page.connection, asked.id, *content):
            return application.state
        offer = load_offer(page.connection, application.offer)
        after_offer, after = leave(offer, application)
        note_asked(page, asked.id, *content)
        self._keep(page, application, after, by="")
        if after_offer is not offer:
            self._keep_offer(page, after_offer)
        return after.state

    def _keep(self, page: Page, before: Application, after: Application, *, by: str) -> None:
        if after is not before:
            change(
                page.connection,
                _applications,
                _applications.c.id == after.id,
                state=after.state,
                reason=after.reason,
                by=by,
                decided_at=page.now,
            )

    def _load_own(self, connection: Connection, id_: Id16, account: AccountNumber) -> Application:
        application = load_application(connection, id_)
        if application.account != account:
            raise ValidatorRefused(reason="another account's application")
        return application

    def _tell(self, page: Page, asked: TellHours) -> HoursState:
        new = asked.hours
        content = ("hours", asked.application, asked.account, new.on_day, new.minutes, new.words)
        application = self._load_own(page.connection, asked.application, asked.account)
        if was_asked(page.connection, new.id, *content):
            return HoursState(page.connection.execute(select(_hours.c.state).where(_hours.c.id == new.id)).scalar_one())
        offer = load_offer(page.connection, application.offer)
        require_hours(new, list_hours(page.connection, application.id), offer, application, self._today(page))
        note_asked(page, new.id, *content)
        save(
            page.connection,
            _hours,
            id=new.id,
            application=application.id,
            on_day=new.on_day,
            minutes=new.minutes,
            words=new.words,
            state=HoursState.TOLD,
            reason="",
            by="",
            at=page.now,
        )
        return HoursState.TOLD

    def judge_one(self, page: Page, asked: JudgeHours) -> HoursState:
        """Confirm or refuse hours; raises its refusal before anything is written."""
        content = ("hours_judge", asked.hours, asked.is_confirmed, asked.by, asked.reason)
        row = page.connection.execute(select(_hours).where(_hours.c.id == asked.hours)).first()
        if row is None:
            raise HoursUnknown(hours=asked.hours.hex())
        if was_asked(page.connection, asked.id, *content):
            return HoursState(row.state)
        application = load_application(page.connection, row.application)
        self._require_bearer(page.connection, load_offer(page.connection, application.offer).project, asked.by)
        after = HoursState.CONFIRMED if asked.is_confirmed else HoursState.REFUSED
        if row.state not in (HoursState.TOLD, after):
            raise HoursRefused(reason=f"they are {row.state} already")
        note_asked(page, asked.id, *content)
        if row.state != after:
            change(
                page.connection,
                _hours,
                _hours.c.id == asked.hours,
                state=after,
                reason=asked.reason,
                by=asked.by,
                decided_at=page.now,
            )
        return after

    def _claim(self, page: Page, asked: ClaimHours) -> Claimed:
        content = (
            *("hours_claim", asked.application, asked.role, str(asked.duty), list(asked.skills)),
            asked.language,
        )
        # The claim of a pass has an id of its own: it follows from this request's.
        pass_id = Id16(hashlib.sha256(b"citizen-miles/hours-pass/v1\0" + require_id(asked.id)).digest()[:16])
        application = load_application(page.connection, asked.application)
        offer = load_offer(page.connection, application.offer)
        if was_asked(page.connection, asked.id, *content):
            return Claimed(pass_id=pass_id, state=self._passes.load_state(page, pass_id))
        work = collect_claim(list_hours(page.connection, application.id))
        claim = ClaimPass(
            id=pass_id,
            project=offer.project,
            account=application.account,
            role=asked.role,
            duty=asked.duty,
            first_on=read_day(work.first_on),
            last_on=read_day(work.last_on),
            minutes=work.minutes,
            skills=asked.skills or (*offer.needed, *offer.wanted),
            tasks=offer.title,
            people=application.people,
            label=application.label,
            language=asked.language,
        )
        state = self._passes.claim_one(page, claim)
        note_asked(page, asked.id, *content)
        for id_ in work.hours:
            change(page.connection, _hours, _hours.c.id == id_, **{"pass": pass_id})
        return Claimed(pass_id=pass_id, state=state)


def _content_of(offer: Offer) -> tuple[Any, ...]:
    place = offer.place
    return (
        *(offer.project, offer.title, offer.words, str(offer.domain), str(offer.remote)),
        None if place is None else [place.code, place.name, place.latitude, place.longitude],
        *(write_day(offer.first_on), write_day(offer.last_on), offer.minutes, offer.places),
        *(list(offer.needed), list(offer.wanted)),
    )


def find_matches(connection: Connection, wishes: Wishes, *, people: int = 1) -> list[Match]:
    """Return the offers that fit, the best first, where so many people still find a place."""
    offers = list_offers(connection, _offers.c.state == OfferState.OPEN, _offers.c.last_on >= write_day(wishes.today))
    free = [one for one in offers if one.places - count_placed(connection, one.id) >= people]
    return match_offers(wishes, free, load_skills())


def find_requests(connection: Connection, offer: bytes, today: int) -> list[RequestMatch]:
    """Return the open requests that an offer fits, the best first."""
    of = load_offer(connection, offer)
    free = of.places - count_placed(connection, offer)
    found = []
    for row in list_requests(connection, today):
        matches = match_offers(make_wishes(row, read_day(today)), [of], load_skills()) if row.people <= free else []
        found += [RequestMatch(request=row, match=one) for one in matches]
    return sorted(found, key=lambda one: (-one.match.score, one.match.metres or 0, one.request.at))
