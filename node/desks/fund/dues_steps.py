"""Steps of dues, who decides of them, and companies' pledges, as doors describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.fund.donors_steps import READS, TREASURER
from node.desks.fund.payments_steps import OFFICER, SIGNING, PayableWords
from node.desks.fund.rows import PageRequest
from node.doors.shapes import Hex, KnownId, Line, Name, Sum
from node.doors.steps import Step


class DuesRequest(PageRequest, frozen=True, forbid_unknown_fields=True):
    """All that was converted, or what is not paid yet."""

    open_only: bool = False


class DueLine(Struct, frozen=True):
    """What is owed for a conversion, and what the rest of it waits for."""

    due: str
    came: str
    days: int
    territory: str
    project: str
    round: int
    title: str
    bearer: str
    cents: int
    paid_cents: int
    on_its_way_cents: int
    waits_cents: int
    waits_for: dict[str, int]
    state: str
    code: str


class DuesAnswer(Struct, frozen=True):
    """A page of dues, its newest last; the first page has the newest ones."""

    rows: list[DueLine]
    next: str = ""


class ProposalLine(Struct, frozen=True):
    """A payment that dues make up."""

    id: str
    holder: str
    iban: str
    cents: int
    share: str
    text: str
    decision: str
    dues: int


class ProposalsAnswer(Struct, frozen=True):
    """What can be paid now: one for each bearer and round."""

    rows: list[ProposalLine]
    next: str = ""


class ProposalRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One proposal."""

    id: KnownId


class DeciderRevokeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A key of who decides elsewhere, that ends."""

    territory: Name
    key: Hex


class DeciderRevokedAnswer(Struct, frozen=True):
    """How many keys ended."""

    territory: str
    key: str
    revoked: int


class DeciderLine(Struct, frozen=True):
    """Who decides of projects in another territory."""

    territory: str
    key: str
    since: str
    revoked: str


class DecidersAnswer(Struct, frozen=True):
    """Deciders by territory."""

    rows: list[DeciderLine]


class PledgeLine(Struct, frozen=True):
    """A company's pledge: what was converted of it, called, and released."""

    id: str
    company: str
    campaign: str
    ceiling_cents: int
    until: str
    state: str
    code: str
    converted_cents: int
    called_cents: int
    released_cents: int
    unconverted_cents: int


class PledgesAnswer(Struct, frozen=True):
    """A page of pledges, its newest last; the first page has the newest ones."""

    rows: list[PledgeLine]
    next: str = ""


class PledgeWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A pledge, and the digest (SHA-256) of the engagement letter that is on file."""

    id: KnownId
    letter: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class PledgeWordsLine(Struct, frozen=True, forbid_unknown_fields=True):
    """What two officers sign to accept a pledge. `to_sign`: the bytes, in hexadecimal."""

    version: Annotated[int, Meta(ge=1, le=100)]
    fund: Name
    id: KnownId
    donor: KnownId
    campaign: Name
    cents: Sum
    until: int
    letter: Hex
    to_sign: Annotated[str, Meta(max_length=5_000)] | UnsetType = UNSET


class PledgeSignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature of a pledge."""

    words: PledgeWordsLine
    officer: Hex
    signature: Hex


class PledgeSignedAnswer(Struct, frozen=True):
    """The pledge as it stands."""

    id: str
    ceiling_cents: int
    state: str


class PledgeDeclineRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A pledge that the fund does not take: who says so, and why."""

    id: KnownId
    reason: Name
    by: Line = ""


class PledgeStateAnswer(Struct, frozen=True):
    """A pledge's state."""

    id: str
    state: str


class CallAnswer(Struct, frozen=True):
    """What was called now."""

    calls: int
    cents: int


class CalledLine(Struct, frozen=True):
    """A call: one payment and reference for a company and month."""

    id: str
    month: int
    company: str
    siren: str
    reference: str
    cents: int
    received_cents: int
    due: str
    state: str


class CallsAnswer(Struct, frozen=True):
    """A page of calls, its newest last; the first page has the newest ones."""

    rows: list[CalledLine]
    next: str = ""


DUES_STEPS: Final = (
    Step(
        command="dues",
        summary="List what is owed for what was converted, what of it is paid, and what the rest waits for.",
        asks=DuesRequest,
        answers=DuesAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="due_proposals",
        summary="List the payments that can be signed now.",
        asks=PageRequest,
        answers=ProposalsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="due_words",
        summary="Give out the words of a proposal, to be signed by two officers (payment-sign).",
        asks=ProposalRequest,
        answers=PayableWords,
        duties=SIGNING,
        reads=True,
    ),
    Step(
        command="decider_revoke",
        summary="End a key of who decides in another territory.",
        asks=DeciderRevokeRequest,
        answers=DeciderRevokedAnswer,
        duties=OFFICER,
    ),
    Step(
        command="deciders",
        summary="List who decides of projects in other territories.",
        answers=DecidersAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="pledges",
        summary="List companies' pledges.",
        answers=PledgesAnswer,
        duties=READS,
        reads=True,
        asks=PageRequest,
    ),
    Step(
        command="pledge_words",
        summary="Give out the words of a pledge, to be signed by two officers.",
        asks=PledgeWordsRequest,
        answers=PledgeWordsLine,
        duties=SIGNING,
        reads=True,
    ),
    Step(
        command="pledge_sign",
        summary="Bring an officer's signature of a pledge.",
        asks=PledgeSignRequest,
        answers=PledgeSignedAnswer,
        duties=OFFICER,
    ),
    Step(
        command="pledge_decline",
        summary="Do not take a pledge.",
        asks=PledgeDeclineRequest,
        by="by",
        answers=PledgeStateAnswer,
        duties=SIGNING,
    ),
    Step(
        command="call",
        summary="Call what was converted of pledges and is due to be called: what was called is not called again.",
        answers=CallAnswer,
        duties=TREASURER,
    ),
    Step(command="calls", summary="List calls.", answers=CallsAnswer, duties=READS, reads=True, asks=PageRequest),
)
