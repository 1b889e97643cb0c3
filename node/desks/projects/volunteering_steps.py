"""Steps of volunteering, as the doors of the projects' office describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.projects.duties import ALL
from node.desks.projects.office_kinds import AUTHOR, Author, office_step
from node.desks.projects.volunteering_answers import ApplicationLine, OfferLine
from node.desks.projects.volunteering_requests import OfferRequest, PlaceItem
from node.doors.shapes import Day, KnownId, Line, Name, OwnId
from node.governance.passes.passes import Duty as PassDuty
from node.governance.volunteering.offers import ApplicationEvent, OfferEvent, OfferState

Minutes = Annotated[int, Meta(ge=1, le=10**6)]
People = Annotated[int, Meta(ge=1, le=1_000)]


class OfferNewRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a bearer (`author`) asks of volunteers."""

    id: OwnId
    offer: OfferRequest
    author: Author


class OfferStateAnswer(Struct, frozen=True):
    """The offer's state."""

    offer: str
    state: str


class OfferStepRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of an offer, as its bearer says."""

    id: OwnId
    offer: KnownId
    event: OfferEvent
    author: Author
    reason: Line = ""


class OffersRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """By project and state."""

    project: KnownId | UnsetType = UNSET
    state: OfferState | UnsetType = UNSET


class OfficeOffersAnswer(Struct, frozen=True):
    """Offers."""

    rows: list[OfferLine]


class SearchText(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, or a group of `people`, looks for something to do near a place, until a day."""

    account: Author
    place: PlaceItem
    until: Day
    radius_km: Annotated[int, Meta(ge=1, le=1_000)] = 30
    skills: Annotated[list[Name], Meta(max_length=12)] = []
    takes_remote: bool = True
    people: People = 1


class SearchNewRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A request that is kept."""

    id: OwnId
    request: SearchText


class SearchAnswer(Struct, frozen=True):
    """The request as entered."""

    request: str


class SearchCloseRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The request that ends."""

    request: KnownId


class SearchClosedAnswer(Struct, frozen=True):
    """It ended."""

    request: str
    closed: bool


class MatchRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The offers that a request fits, or the requests that an offer fits."""

    offer: Line = ""
    request: Line = ""


class OfficeMatchLine(Struct, frozen=True):
    """An offer with the skills that are met, or a request."""

    metres: int | None
    score: int
    offer: OfferLine | UnsetType = UNSET
    skills: list[str] | UnsetType = UNSET
    request: str | UnsetType = UNSET
    account: str | UnsetType = UNSET
    people: int | UnsetType = UNSET
    until: str | UnsetType = UNSET


class OfficeMatchesAnswer(Struct, frozen=True):
    """The best first."""

    rows: list[OfficeMatchLine]


class ApplyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, or a group with a public name, offers to take part."""

    id: OwnId
    offer: KnownId
    account: Author
    words: Annotated[str, Meta(max_length=4_000)] = ""
    people: People = 1
    label: Annotated[str, Meta(max_length=80)] = ""


class ApplicationStateAnswer(Struct, frozen=True):
    """The application's state."""

    application: str
    state: str


class ApplicationDecideRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What the bearer decides."""

    id: OwnId
    application: KnownId
    event: ApplicationEvent
    author: Author
    reason: Line = ""


class OfferLeaveRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Who took part, and leaves."""

    id: OwnId
    application: KnownId
    account: Author


class OfficeApplicationsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Of an offer, or of an account."""

    offer: Line = ""
    account: Line = ""


class OfficeApplicationsAnswer(Struct, frozen=True):
    """Applications and their hours."""

    rows: list[ApplicationLine]


class HoursTellRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What was done on one day."""

    id: OwnId
    application: KnownId
    account: Author
    on: Day
    minutes: Minutes
    words: Annotated[str, Meta(min_length=1, max_length=200)]


class HoursStateAnswer(Struct, frozen=True):
    """The hours' state."""

    hours: str
    state: str


class HoursClaimRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Confirmed hours become a pass."""

    id: OwnId
    application: KnownId
    role: Name
    duty: PassDuty
    skills: Annotated[list[Name], Meta(max_length=12)] = []
    pass_language: Literal["fr", "en"] = "fr"  # noqa: S105 - a language, and no password


class HoursClaimAnswer(Struct, frozen=True, rename={"pass_id": "pass"}):
    """The pass that is claimed."""

    pass_id: str
    state: str


VOLUNTEERING_STEPS: Final = (
    office_step("volunteer_offer", "Enter an offer.", OfferNewRequest, OfferStateAnswer, passes=AUTHOR),
    office_step("volunteer_step", "Take one step with an offer.", OfferStepRequest, OfferStateAnswer, passes=AUTHOR),
    office_step("volunteer_offers", "List offers.", OffersRequest, OfficeOffersAnswer, duties=ALL, reads=True),
    office_step("volunteer_request", "Enter what somebody looks for.", SearchNewRequest, SearchAnswer),
    office_step("volunteer_close", "End a request.", SearchCloseRequest, SearchClosedAnswer),
    office_step("volunteer_match", "List what fits.", MatchRequest, OfficeMatchesAnswer, reads=True),
    office_step("volunteer_apply", "Enter an application.", ApplyRequest, ApplicationStateAnswer),
    office_step(
        "volunteer_decide",
        "Enter what the bearer decides.",
        ApplicationDecideRequest,
        ApplicationStateAnswer,
        passes=AUTHOR,
    ),
    office_step("volunteer_leave", "Enter that somebody leaves.", OfferLeaveRequest, ApplicationStateAnswer),
    office_step(
        "volunteer_applications",
        "List applications.",
        OfficeApplicationsRequest,
        OfficeApplicationsAnswer,
        reads=True,
    ),
    office_step("volunteer_hours", "Enter hours.", HoursTellRequest, HoursStateAnswer),
    office_step("volunteer_claim", "Claim a pass for hours.", HoursClaimRequest, HoursClaimAnswer),
)
