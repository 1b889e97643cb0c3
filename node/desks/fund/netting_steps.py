"""Steps of netting with other funds, as doors describe them. Pure."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.fund.donors_steps import READS, TREASURER
from node.desks.fund.payments_steps import OFFICER, SIGNING, PayableWords
from node.desks.fund.rows import PageRequest
from node.doors.shapes import Hex, KnownId, Name, OwnId
from node.doors.steps import Step


class AgreementLine(Struct, frozen=True):
    """What our fund and another say of netting."""

    territory: str
    we_say: str
    they_say: str
    holds: bool
    since: str | None


class AgreementsAnswer(Struct, frozen=True):
    """Agreements by territory."""

    rows: list[AgreementLine]


class NettingWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be said to another territory's fund: that what we owe each other is netted, or not any more."""

    id: OwnId
    territory: Name
    is_netted: bool


class NettingWordsLine(Struct, frozen=True, forbid_unknown_fields=True):
    """What two officers sign of netting. `to_sign`: the bytes, in hexadecimal."""

    version: Annotated[int, Meta(ge=1, le=100)]
    fund: Name
    id: KnownId
    territory: Name
    is_netted: bool
    since: int
    to_sign: Annotated[str, Meta(max_length=5_000)] | UnsetType = UNSET


class NettingSignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature of netting."""

    words: NettingWordsLine
    officer: Hex
    signature: Hex


class NettingSignedAnswer(Struct, frozen=True):
    """What it waits for: 'a second officer', or nothing ('said')."""

    id: str
    territory: str
    is_netted: bool
    state: str


class NettedAnswer(Struct, frozen=True):
    """How many dues were netted now."""

    netted: int


class FundWindowLine(Struct, frozen=True):
    """A closed window: what we owed, were owed, pay and receive. `trouble`: what is wrong with it."""

    window: int
    closed_on: str | UnsetType = UNSET
    dues: int | UnsetType = UNSET
    we_owe_cents: int | UnsetType = UNSET
    we_are_owed_cents: int | UnsetType = UNSET
    we_pay_cents: int | UnsetType = UNSET
    we_receive_cents: int | UnsetType = UNSET
    bearers_may_be_paid: bool | UnsetType = UNSET
    trouble: str | UnsetType = UNSET


class FundWindowsAnswer(Struct, frozen=True):
    """A page of windows, the newest first."""

    rows: list[FundWindowLine]
    next: str = ""


class RetakeWindowRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A window that was told and did not fit. `id` is the caller's."""

    id: OwnId
    window: Annotated[int, Meta(ge=1, le=10**6)]


class RetakenAnswer(Struct, frozen=True):
    """The window is taken: 'taken'."""

    window: int
    state: str


class NetPaymentLine(Struct, frozen=True):
    """A payment between our fund and another at the end of a window."""

    window: int
    fund_of: str
    direction: str
    cents: int
    received_cents: int
    state: str
    they_say: str
    they_said_on: str
    payment: str


class NetPaymentsAnswer(Struct, frozen=True):
    """A page of payments by window, the newest last; the first page has the newest ones."""

    rows: list[NetPaymentLine]
    next: str = ""


class NetWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One payment to another fund."""

    id: KnownId


NETTING_STEPS: Final = (
    Step(
        command="netting_agreements",
        summary="List with which funds what we owe each other is netted: it holds where both say so.",
        answers=AgreementsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="netting_words",
        summary="Give out the words of netting with another fund, to be signed by two officers.",
        asks=NettingWordsRequest,
        answers=NettingWordsLine,
        duties=SIGNING,
        reads=True,
    ),
    Step(
        command="netting_sign",
        summary="Bring an officer's signature of netting; with the second the other fund is told.",
        asks=NettingSignRequest,
        answers=NettingSignedAnswer,
        duties=OFFICER,
    ),
    Step(
        command="net_dues",
        summary="Net what may be netted now: what was netted is not netted again.",
        answers=NettedAnswer,
        duties=TREASURER,
    ),
    Step(
        command="fund_windows",
        summary="List the closed windows in which our fund stood.",
        asks=PageRequest,
        answers=FundWindowsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="retake_window",
        summary="Take a window again that did not fit, once the book is mended: what does not fit still is said.",
        asks=RetakeWindowRequest,
        answers=RetakenAnswer,
        duties=TREASURER,
    ),
    Step(
        command="net_payments",
        summary="List what is paid between our fund and others at the end of windows, and how far it is.",
        asks=PageRequest,
        answers=NetPaymentsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="net_words",
        summary="Give out the words of a payment to another fund, to be signed by two officers (payment-sign).",
        asks=NetWordsRequest,
        answers=PayableWords,
        duties=SIGNING,
        reads=True,
    ),
)
