"""Steps of citizens' gifts, mandates and collections, as doors describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.fund.donors_steps import READS, TREASURER, ExpectationLine
from node.desks.fund.rows import PageRequest
from node.doors.shapes import Day, Line, Month, Name, OwnId, Sum
from node.doors.steps import FileAnswer, Step
from node.fund.monthly_gifts import MandateState


class GiftRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A citizen's gift to be announced: a receipt can be had, no miles are issued."""

    id: OwnId
    donor: Name
    due: Day
    cents: Sum


class MandateRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A mandate that a person signed: one debit a month, shared among projects as (label, cents)."""

    id: OwnId
    donor: Name
    holder: Name
    iban: Name
    signed_on: Day
    shares: Annotated[list[tuple[Name, Sum]], Meta(min_length=1, max_length=50)]
    umr: Line = ""


class MandateLine(Struct, frozen=True):
    """A mandate, and what each project gets of a debit."""

    id: str
    umr: str
    donor: str
    holder: str
    iban: str
    signed_on: str
    cents: int
    shares: dict[str, int]
    state: str


class MandatesAnswer(Struct, frozen=True):
    """A page of mandates, its newest last; the first page has the newest ones."""

    rows: list[MandateLine]
    next: str = ""


class MandateChangeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Pause, take up again or end a mandate, by its id or its UMR."""

    mandate: Name
    state: MandateState


class CollectRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which month's collection; the last one where none is named."""

    month: Month | UnsetType = UNSET


class CollectionAnswer(Struct, frozen=True):
    """What is collected; the order itself (pain.008) as application/xml."""

    collection: str
    month: int
    collected_on: str
    debits: int
    cents: int
    announced: list[int]
    lapsed: list[str]


class CollectionLine(Struct, frozen=True):
    """One month's collection."""

    collection: str
    month: int
    announced_on: str
    collected_on: str
    state: str
    debits: int
    cents: int


class CollectionsAnswer(Struct, frozen=True):
    """Collections by month."""

    rows: list[CollectionLine]


class DebitLine(Struct, frozen=True):
    """One debit, and what its donor is told beforehand."""

    umr: str
    holder: str
    cents: int
    shares: dict[str, int]
    state: str
    code: str
    end_to_end_id: str
    notice: str


class DebitsAnswer(Struct, frozen=True):
    """The debits of a month."""

    rows: list[DebitLine]


GIFTS_STEPS: Final = (
    Step(
        command="expect_gift",
        summary="Announce a citizen's gift.",
        asks=GiftRequest,
        answers=ExpectationLine,
        duties=TREASURER,
    ),
    Step(
        command="mandate_add",
        summary="Enter a mandate for monthly gifts.",
        asks=MandateRequest,
        answers=MandateLine,
        duties=TREASURER,
    ),
    Step(
        command="mandates", summary="List mandates.", answers=MandatesAnswer, duties=READS, reads=True, asks=PageRequest
    ),
    Step(
        command="mandate_change",
        summary="Pause, take up again or end a mandate.",
        asks=MandateChangeRequest,
        answers=MandateLine,
        duties=TREASURER,
    ),
    Step(
        command="collect",
        summary="Make what is due of a month's direct debits, and give out the order (pain.008): asked again, the same.",
        asks=CollectRequest,
        answers=CollectionAnswer,
        duties=TREASURER,
        file=FileAnswer(part="xml", media="application/xml", name="{collection}.xml"),
    ),
    Step(command="collections", summary="List collections.", answers=CollectionsAnswer, duties=READS, reads=True),
    Step(
        command="gift_debits",
        summary="List the debits of a month with the notices to their donors.",
        asks=CollectRequest,
        answers=DebitsAnswer,
        duties=READS,
        reads=True,
    ),
)
