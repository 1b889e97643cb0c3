"""What the bases of one territory tell each other: who they are, and the messages between them. Pure.

A territory keeps several bases: accounts, fund, companies. Each is a party with keys and logs of its own, and they meet
only in slips, exchanged as between a node and the hub: so one of them can be kept by somebody else, on another machine,
and neither can mint or pay alone. Their network is the territory's own (`house_of`): what is written in one house says
nothing in another.

    fund ── Deposit ──▶ accounts                  euros reached the bank account: a lot may grow by as much
    fund ◀── DepositTaken, Refused ── accounts
    partners ── OpenPool, Grants, TakeBack ──▶ accounts     a campaign's pool, what it gives, what a refund takes back
    partners ◀── PoolOpened, Granted, TakenBack, Refused ── accounts
    partners ── Donor, ExpectPayment ──▶ fund     who will pay, how much, for which campaign
    partners ◀── PaymentExpected, PaymentArrived, Refused ── fund

Ids are 16 opaque bytes, chosen by who asks; the same id with the same content is answered as before. The accounts never
learn who a donor is; the fund, which writes receipts, learns it from `Donor`, and never learns who was granted what.
Source: SPEC.md, "The house"; shared design, ARCHITECTURE.md, "One idea at three scales".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.directory import Directory, Member, MemberKind, MemberStatus
from protocol.errors import NotCanonical
from protocol.identifiers import TerritoryCode
from protocol.keys import PublicKeys
from protocol.messages import LEAF_BYTES_MAX, Amount, Code, Millis, Party

HOUSE_VERSION: Final = 1
MESSAGES_MAX: Final = 2_048
GRANTS_MAX: Final = 2_048

Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
Number = Annotated[str, Meta(min_length=8, max_length=8)]
Day = Annotated[int, Meta(ge=19000101, le=99991231)]  # yyyymmdd


class BaseName(StrEnum):
    """The parties of a house."""

    ACCOUNTS = "ACCOUNTS"
    FUND = "THE-FUND"
    PARTNERS = "PARTNERS"


class Deposit(Struct, frozen=True, array_like=True, tag=1):
    """Euros of a donor reached the fund's bank account: the lot that they belong to may grow by as much.

    `lot_class` and `restriction` say what the lot is good for, `month` is yyyymm, `into` the pool it is issued into.
    """

    id: Id
    donor: Id
    campaign: Annotated[str, Meta(max_length=80)]
    month: Annotated[int, Meta(ge=190001, le=999912)]
    lot_class: Annotated[int, Meta(ge=0, le=2**16)]
    restriction: Annotated[str, Meta(max_length=200)]
    into: Number
    cents: Amount


class DepositTaken(Struct, frozen=True, array_like=True, tag=2):
    """The lot grew; `ref` is its reference, by which every book of the federation knows it."""

    id: Id
    ref: Id


class Refused(Struct, frozen=True, array_like=True, tag=3):
    """Nothing was done of what was asked under this id, for this reason. Of a deposit: the euros stay in the fund."""

    id: Id
    code: Code


class OpenPool(Struct, frozen=True, array_like=True, tag=4):
    """A campaign needs an account that its lots are issued into and its grants are drawn from."""

    id: Id
    shown_name: Annotated[str, Meta(min_length=1, max_length=80)]


class PoolOpened(Struct, frozen=True, array_like=True, tag=5):
    """The pool has this account number."""

    id: Id
    number: Number


class Grants(Struct, frozen=True, array_like=True, tag=6):
    """Miles that one pool gives, as columns: line by line an id, the account credited, cents, and words for its holder."""

    pool: Number
    ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=GRANTS_MAX)]
    accounts: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=GRANTS_MAX)]
    cents: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=GRANTS_MAX)]
    words: Annotated[tuple[Annotated[str, Meta(max_length=80)], ...], Meta(min_length=1, max_length=GRANTS_MAX)]


class Granted(Struct, frozen=True, array_like=True, tag=7):
    """These grants were credited. What is missing here is in a `Refused` each."""

    ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=GRANTS_MAX)]


class TakeBack(Struct, frozen=True, array_like=True, tag=8):
    """A refund: take back up to `cents` of a grant, as far as its holder has not directed them on."""

    id: Id
    grant: Id
    cents: Amount


class TakenBack(Struct, frozen=True, array_like=True, tag=9):
    """So much came back into the pool: less than asked where the rest had gone on, perhaps nothing."""

    id: Id
    cents: Annotated[int, Meta(ge=0, le=10**15)]


class Donor(Struct, frozen=True, array_like=True, tag=10):
    """A company as its receipts must name it. Told again, it replaces what was told before, for receipts to come.

    `legal_form` is its label, `address` lines without postcode and commune, `year_end` (month, day) its fiscal year's.
    """

    id: Id
    siren: Annotated[str, Meta(min_length=9, max_length=9)]
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    legal_form: Annotated[str, Meta(min_length=1, max_length=60)]
    address: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=70)], ...], Meta(min_length=1, max_length=3)]
    postcode: Annotated[str, Meta(min_length=1, max_length=12)]
    commune: Annotated[str, Meta(min_length=1, max_length=60)]
    country: Annotated[str, Meta(min_length=2, max_length=2)]
    year_end: tuple[Annotated[int, Meta(ge=1, le=12)], Annotated[int, Meta(ge=1, le=31)]]


class ExpectPayment(Struct, frozen=True, array_like=True, tag=11):
    """A donor will pay so much for a campaign: tell it a reference, and issue what arrives into the pool."""

    id: Id
    donor: Id
    campaign: Annotated[str, Meta(min_length=1, max_length=80)]
    lot_class: Annotated[int, Meta(ge=0, le=2**16)]
    restriction: Annotated[str, Meta(max_length=200)]
    into: Number
    cents: Amount
    due: Day


class PaymentExpected(Struct, frozen=True, array_like=True, tag=12):
    """What the payer writes on its transfer, and where it pays to."""

    id: Id
    reference: Annotated[str, Meta(min_length=5, max_length=25)]
    iban: Annotated[str, Meta(min_length=15, max_length=34)]


class PaymentArrived(Struct, frozen=True, array_like=True, tag=13):
    """Euros of an expected payment reached the bank account on that day, and their rights are issued.

    `id` is the expectation's, `deposit` the deposit's: several may arrive for one expectation.
    """

    id: Id
    deposit: Id
    cents: Amount
    on: Day


HouseMessage = (
    Deposit
    | DepositTaken
    | Refused
    | OpenPool
    | PoolOpened
    | Grants
    | Granted
    | TakeBack
    | TakenBack
    | Donor
    | ExpectPayment
    | PaymentExpected
    | PaymentArrived
)


class HouseSlip(Struct, frozen=True, array_like=True):
    """One leaf of a log between two bases: messages of one commit. `at` is the writer's clock."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    to: Party
    at: Millis
    messages: Annotated[tuple[HouseMessage, ...], Meta(min_length=1, max_length=MESSAGES_MAX)]


def encode_house_slip(slip: HouseSlip) -> bytes:
    """Return the leaf: the canonical bytes of a slip."""
    return encode_typed(slip)


def decode_house_slip(leaf: bytes) -> HouseSlip:
    """Return the slip of a leaf. Raises NotCanonical."""
    slip = decode_typed(leaf, HouseSlip, size_max=LEAF_BYTES_MAX)
    if slip.version != HOUSE_VERSION:
        raise NotCanonical(reason=f"house slip version {slip.version} is not spoken here")
    for message in slip.messages:
        if isinstance(message, Grants):
            _require_one_length(message)
    return slip


def _require_one_length(grants: Grants) -> None:
    if not len(grants.ids) == len(grants.accounts) == len(grants.cents) == len(grants.words):
        raise NotCanonical(reason="columns of grants have one length")


def house_of(territory: TerritoryCode) -> str:
    """Return the name of the network in which the bases of a territory speak."""
    return f"house of {territory}"


def make_neighbours(keys: Mapping[str, Sequence[PublicKeys]]) -> Directory:
    """Return the bases of a house as a directory, each with the keys that it signs with, the newest last."""
    return Directory(
        size=0,
        members={
            code: Member(code, code.lower(), MemberKind.TERRITORY, MemberStatus.ACTIVE, tuple(held))
            for code, held in keys.items()
        },
    )


prepare(HouseSlip)
