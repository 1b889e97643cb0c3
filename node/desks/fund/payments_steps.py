"""Steps of officers, bearers and payments, as doors describe them. Pure.

Words are read here, signed elsewhere with a key that no base holds, and brought back with the signature. Who officers are is
said on the machine: whoever stole a key of doors names nobody who may sign.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from node.desks.fund.donors_steps import READS, TREASURER
from node.desks.fund.rows import PageRequest
from node.doors.duties import Duty
from node.doors.shapes import Day, Hex, KnownId, Line, Name, OwnId, Sum, SumOrNone
from node.doors.steps import FileAnswer, Step

OFFICER: Final = (Duty.OFFICER,)
SIGNING: Final = (Duty.OFFICER, Duty.TREASURER)


class OfficerLine(Struct, frozen=True):
    """Who may sign."""

    key: str
    name: str
    since: str
    revoked: str


class OfficersAnswer(Struct, frozen=True):
    """Officers, the oldest first."""

    rows: list[OfficerLine]


class OfficerRevokeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The officer's key that ends."""

    id: OwnId
    key: Hex


class OfficerRevokedAnswer(Struct, frozen=True):
    """Which key ended."""

    key: str
    revoked: bool


class BearerLine(Struct, frozen=True):
    """A body that may be paid."""

    id: str
    name: str
    registry: str
    category: str
    proof: str
    proven_until: str
    holder: str
    iban: str


class BearersAnswer(Struct, frozen=True):
    """Bearers by name."""

    rows: list[BearerLine]


class FundBearerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A body that may be paid, with the proof that it is eligible."""

    id: OwnId
    name: Name
    registry: Name
    category: Name
    proof: Name
    proven_until: Day
    holder: Name
    iban: Name
    seat: Line = ""
    mail: Line = ""
    phone: Line = ""


class FundBearerAnswer(Struct, frozen=True):
    """The body as entered."""

    id: str
    name: str


class PaymentWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A payment to be signed: to whom, how much, for what, by which decision. Who signs second gives its id alone."""

    id: OwnId
    bearer: KnownId = "0" * 32
    cents: SumOrNone = 0
    text: Line = ""
    decision: Line = ""


class RefundWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What waits and goes back to its payer: all of it, or so much."""

    id: OwnId
    movement: Name
    text: Line = "Remboursement"
    decision: Line = ""
    cents: Sum | UnsetType = UNSET


class PayableWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What two officers sign: a payment, a refund (`movement`), dues (`share`, `dues`), another fund (`window`, `paid_fund`).

    `to_sign`: the bytes, in hexadecimal; who signs makes them again from the words, and is not asked to believe them.
    """

    version: Annotated[int, Meta(ge=1, le=100)]
    fund: Name
    id: KnownId
    holder_name: Line
    iban: Line
    cents: Sum
    text: Line
    decision: Line
    bearer: KnownId | UnsetType = UNSET
    movement: Name | UnsetType = UNSET
    share: Name | UnsetType = UNSET
    dues: Annotated[list[tuple[KnownId, Sum]], Meta(min_length=1, max_length=2_000)] | UnsetType = UNSET
    window: Annotated[int, Meta(ge=1, le=10**6)] | UnsetType = UNSET
    paid_fund: Name | UnsetType = UNSET
    to_sign: Annotated[str, Meta(max_length=500_000)] | UnsetType = UNSET


class PaymentSignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature of the words."""

    words: PayableWords
    officer: Hex
    signature: Hex


class PaymentSignedAnswer(Struct, frozen=True):
    """The payment as it stands."""

    id: str
    cents: int
    state: str


class PaymentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One payment."""

    id: KnownId


class PaymentStateAnswer(Struct, frozen=True):
    """A payment's state."""

    id: str
    state: str


class IbanWordsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Another account of a bearer."""

    id: OwnId
    bearer: KnownId
    holder: Name
    iban: Name


class IbanWordsLine(Struct, frozen=True, forbid_unknown_fields=True):
    """What two officers sign to change where a bearer is paid. `to_sign`: the bytes, in hexadecimal."""

    version: Annotated[int, Meta(ge=1, le=100)]
    fund: Name
    id: KnownId
    bearer: KnownId
    holder_name: Name
    iban: Name
    to_sign: Annotated[str, Meta(max_length=5_000)] | UnsetType = UNSET


class IbanSignRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's signature of the change."""

    words: IbanWordsLine
    officer: Hex
    signature: Hex


class IbanSignedAnswer(Struct, frozen=True):
    """What the change waits for."""

    id: str
    waits_for: str


class PaymentLine(Struct, frozen=True):
    """A payment and where it is."""

    id: str
    holder: str
    cents: int
    words: str
    decision: str
    state: str
    signatures: int
    order: str
    end_to_end_id: str
    code: str


class PaymentsAnswer(Struct, frozen=True):
    """A page of payments, its newest last; the first page has the newest ones."""

    rows: list[PaymentLine]
    next: str = ""


class OrderRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Which day's order; today's where none is named."""

    day: Day | UnsetType = UNSET


class OrderAnswer(Struct, frozen=True):
    """The order of a day; the order itself (pain.001.001.09) as application/xml."""

    order: str
    day: str
    payments: int
    cents: int


class OrderLine(Struct, frozen=True):
    """An order that was made."""

    order: str
    day: str
    payments: int
    cents: int


class OrdersAnswer(Struct, frozen=True):
    """Orders by day."""

    rows: list[OrderLine]


PAYMENTS_STEPS: Final = (
    Step(command="officers", summary="List who may sign.", answers=OfficersAnswer, duties=READS, reads=True),
    Step(
        command="officer_revoke",
        summary="End an officer's key at once.",
        asks=OfficerRevokeRequest,
        answers=OfficerRevokedAnswer,
        duties=OFFICER,
    ),
    Step(command="bearers", summary="List who may be paid.", answers=BearersAnswer, duties=READS, reads=True),
    Step(
        command="bearer_add",
        summary="Enter a body that may be paid, with its proof.",
        asks=FundBearerRequest,
        answers=FundBearerAnswer,
        duties=TREASURER,
    ),
    Step(
        command="payment_words",
        summary="Give out the words of a payment, to be signed by two officers.",
        asks=PaymentWordsRequest,
        answers=PayableWords,
        duties=SIGNING,
        reads=True,
    ),
    Step(
        command="refund_words",
        summary="Give out the words that send back what waits, to be signed by two officers.",
        asks=RefundWordsRequest,
        answers=PayableWords,
        duties=SIGNING,
        reads=True,
    ),
    Step(
        command="payment_sign",
        summary="Bring an officer's signature of a payment, made with his own key.",
        asks=PaymentSignRequest,
        answers=PaymentSignedAnswer,
        duties=OFFICER,
    ),
    Step(
        command="payment_cancel",
        summary="Take back a payment that is in no order yet.",
        asks=PaymentRequest,
        answers=PaymentStateAnswer,
        duties=SIGNING,
    ),
    Step(
        command="iban_words",
        summary="Give out the words that change where a bearer is paid. Nothing is kept.",
        asks=IbanWordsRequest,
        answers=IbanWordsLine,
        duties=SIGNING,
    ),
    Step(
        command="iban_sign",
        summary="Bring an officer's signature of another account of a bearer.",
        asks=IbanSignRequest,
        answers=IbanSignedAnswer,
        duties=OFFICER,
    ),
    Step(
        command="payments", summary="List payments.", answers=PaymentsAnswer, duties=READS, reads=True, asks=PageRequest
    ),
    Step(
        command="order",
        summary="Make the day's order of all payments that two officers signed: asked again, it is the same.",
        asks=OrderRequest,
        answers=OrderAnswer,
        duties=TREASURER,
        file=FileAnswer(part="xml", media="application/xml", name="{order}.xml"),
    ),
    Step(command="orders", summary="List orders.", answers=OrdersAnswer, duties=READS, reads=True),
)
