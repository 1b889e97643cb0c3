"""What the bases of one territory tell each other: who they are, and the messages between them. Pure.

A territory keeps several bases: accounts, fund, companies, people. Each is a party with keys and logs of its own, and they meet
only in slips, exchanged as between a node and the hub: so one of them can be kept by somebody else, on another machine,
and neither can mint or pay alone. Their network is the territory's own (`house_of`): what is written in one house says
nothing in another.

    fund ── Deposit ──▶ accounts                  euros reached the bank account: a lot may grow by as much
    fund ◀── DepositTaken, Refused ── accounts
    partners ── OpenPool, Grants, TakeBack ──▶ accounts     a campaign's pool, what it gives, what a refund takes back
    partners ◀── PoolOpened, Granted, TakenBack, Refused ── accounts
    partners ── Donor, ExpectPayment ──▶ fund     who will pay, how much, for which campaign
    partners ◀── PaymentExpected, PaymentArrived, ExpectationClosed, Refused ── fund
    partners ── Pledge, PledgeSpent ──▶ fund      a called campaign: euros are promised, and called once miles are converted
    partners ◀── PledgeAccepted, PaymentCalled, PledgeEnded, Refused ── fund
    accounts ── EffectTold ──▶ partners           what became of a campaign's miles, where enough people are behind it
    projects ── OpenProject, CommitProject, ReleaseProject, ConvertProject ──▶ accounts     see "Conversion" in SPEC.md
    projects ◀── ProjectOpened, Support, ProjectReleased, ProjectConverted, DueSettled, Refused ── accounts
    projects ── GuideAccredited, GuideEnded ──▶ accounts    who may act for groups that consent, and who no more
    projects ◀── GuideKnown, Refused ── accounts
    accounts ── Due ──▶ fund                      rights on these lots were converted: the order says who is to be paid
    accounts ◀── DueTaken, DueSettled, Refused ── fund
    fund ── SettlementPublished ──▶ accounts      what it wants known of itself: see "Cards and catalogues" in SPEC.md
    projects ── CataloguePublished ──▶ accounts
    accounts ── PayerKey ──▶ projects             what the cards of other territories say of their bases
    accounts ── DeciderKey, SettlementAccount ──▶ fund
    fund ── NettingTold, NetPaid ──▶ accounts     words to other funds; and what other funds said: the same, back
    projects ── OrderNetted ──▶ accounts ── NettedDue, WindowTold ──▶ fund; back: OrderReturned     see "Windows of netting"
    people ── OpenHolder, AskHolder, FreezeHolder, CloseHolder ──▶ accounts    a holder's account, by its number alone
    people ◀── HolderOpened, HolderTold, HolderBusy, HolderClosed, Refused ── accounts
    people ── Ended ──▶ accounts                  a mark that only its writer reads: what ended, for the day its disk is lost
    people ── DutyEnded ──▶ accounts, fund, partners, projects     whose keys end, by the word of who reads it
    people ◀── DutyHeard ── accounts, fund, partners, projects

Ids are 16 opaque bytes, chosen by who asks; the same id with the same content is answered as before. The accounts never
learn who a donor or a holder is; the fund, which writes receipts, learns it from `Donor`, and never learns who was granted what.
Source: SPEC.md, "The house"; shared design, ARCHITECTURE.md, "One idea at three scales".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.catalogue import CATALOGUE_BYTES_MAX
from protocol.directory import Directory, Member, MemberKind, MemberStatus
from protocol.errors import NotCanonical
from protocol.identifiers import TerritoryCode
from protocol.keys import PublicKeys
from protocol.messages import (
    LEAF_BYTES_MAX,
    SEALED_ORDER_BYTES_MAX,
    WINDOW_MAX,
    Amount,
    Code,
    Key32,
    KeyName,
    Millis,
    Party,
    SettledState,
    Signature,
    WindowNumber,
)
from protocol.territory_card import SETTLEMENT_BYTES_MAX

HOUSE_VERSION: Final = 1
MESSAGES_MAX: Final = 2_048
GRANTS_MAX: Final = 2_048
PAYERS_MAX: Final = 64
DUE_LOTS_MAX: Final = 8_000
PLEDGES_MAX: Final = 500
KEY_NAME_BYTES: Final = 8

Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
Number = Annotated[str, Meta(min_length=8, max_length=8)]
Day = Annotated[int, Meta(ge=19000101, le=99991231)]  # yyyymmdd
Net = Annotated[int, Meta(ge=-(10**15), le=10**15)]
SealedOrder = Annotated[bytes, Meta(min_length=1, max_length=SEALED_ORDER_BYTES_MAX)]


class BaseName(StrEnum):
    """The parties of a house."""

    ACCOUNTS = "ACCOUNTS"
    FUND = "THE-FUND"
    PARTNERS = "PARTNERS"
    PROJECTS = "PROJECTS"
    PEOPLE = "PEOPLE"


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


class Pledge(Struct, frozen=True, array_like=True, tag=14):
    """A donor promises up to `cents` for a campaign that gives until the day `until` is over: what is converted is called.

    `lot_class` has the flag of called lots. `into` is the pool that the lot is issued into once the fund accepts.
    """

    id: Id
    donor: Id
    campaign: Annotated[str, Meta(min_length=1, max_length=80)]
    lot_class: Annotated[int, Meta(ge=0, le=2**16)]
    restriction: Annotated[str, Meta(max_length=200)]
    into: Number
    cents: Amount
    until: Day


class PledgeAccepted(Struct, frozen=True, array_like=True, tag=15):
    """Two officers of the fund accepted the pledge, and its lot is issued: the campaign may give."""

    id: Id


class PaymentCalled(Struct, frozen=True, array_like=True, tag=16):
    """What was converted of a donor's pledges in a month (yyyymm) is to be paid now: one transfer, under this reference.

    `pledges` and `parts` are columns: how much of each pledge is called.
    """

    id: Id
    donor: Id
    month: Annotated[int, Meta(ge=190001, le=999912)]
    cents: Amount
    due: Day
    reference: Annotated[str, Meta(min_length=5, max_length=25)]
    iban: Annotated[str, Meta(min_length=15, max_length=34)]
    pledges: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=PLEDGES_MAX)]
    parts: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=PLEDGES_MAX)]


class PledgeSpent(Struct, frozen=True, array_like=True, tag=17):
    """The campaign is over, and gave so much: the rest of the pledge is free. Told again where a late sale changes it."""

    id: Id
    pledge: Id
    cents: Annotated[int, Meta(ge=0, le=10**15)]


class PledgeEnded(Struct, frozen=True, array_like=True, tag=18):
    """So much of the pledge is released; `unconverted` was given and not converted: it is called when it is.

    `id` is that of the PledgeSpent.
    """

    id: Id
    released: Annotated[int, Meta(ge=0, le=10**15)]
    unconverted: Annotated[int, Meta(ge=0, le=10**15)]


class ExpectationClosed(Struct, frozen=True, array_like=True, tag=20):
    """Since that day the fund waits no more for what has not come of an expected payment. `id` is the expectation's.

    What comes all the same is put by a person, and told by `PaymentArrived` where it is counted for it.
    """

    id: Id
    on: Day


class OpenProject(Struct, frozen=True, array_like=True, tag=40):
    """A project is open: holders may direct rights to it, up to `target` cents, until the day `until` is over.

    `id` is the project's. `theme` is compared with the restriction of lots that are bound to one.
    """

    id: Id
    shown_name: Annotated[str, Meta(min_length=1, max_length=80)]
    theme: Annotated[str, Meta(max_length=40)]
    target: Amount
    until: Day


class ProjectOpened(Struct, frozen=True, array_like=True, tag=41):
    """The project has this account number: rights are directed to it, from here and from elsewhere."""

    id: Id
    number: Number


class CommitProject(Struct, frozen=True, array_like=True, tag=42):
    """The project is funded: nothing more is directed to it, and nobody changes his mind. `id` is this operation's."""

    id: Id
    project: Id


class ReleaseProject(Struct, frozen=True, array_like=True, tag=43):
    """The project ends: what was directed to it and not converted goes back to who directed it, lot by lot.

    `code` is the reason, as holders are told: `withdrawn`, `minimum_missed`, `refused`, `audit_failed`.
    """

    id: Id
    project: Id
    code: Code


class ConvertProject(Struct, frozen=True, array_like=True, tag=44):
    """One round: convert `cents` of what was directed to a committed project, the oldest first.

    `payers` and `orders` are columns: for the fund of each territory whose lots may be among them, the order sealed for
    it (`protocol/conversion.py`). Lots of an issuer that has no order here wait for another round, and are named.
    """

    id: Id
    project: Id
    round: Annotated[int, Meta(ge=1, le=999)]
    cents: Amount
    payers: Annotated[tuple[Party, ...], Meta(min_length=1, max_length=PAYERS_MAX)]
    orders: Annotated[tuple[SealedOrder, ...], Meta(min_length=1, max_length=PAYERS_MAX)]


class ProjectConverted(Struct, frozen=True, array_like=True, tag=45):
    """The round was done: cents by the territory whose fund owes them; `waiting` had no order, and stay directed."""

    id: Id
    payers: Annotated[tuple[Party, ...], Meta(max_length=PAYERS_MAX)]
    cents: Annotated[tuple[Amount, ...], Meta(max_length=PAYERS_MAX)]
    waiting: Annotated[int, Meta(ge=0, le=10**15)]


class Support(Struct, frozen=True, array_like=True, tag=46):
    """What is directed to a project now, converted or not, and how many gave: never who. Told when it changed."""

    project: Id
    cents: Annotated[int, Meta(ge=0, le=10**15)]
    supporters: Annotated[int, Meta(ge=0, le=2**31)]


class ProjectReleased(Struct, frozen=True, array_like=True, tag=47):
    """So much went back to its holders, or is on its way to them."""

    id: Id
    cents: Annotated[int, Meta(ge=0, le=10**15)]


class Due(Struct, frozen=True, array_like=True, tag=50):
    """Rights on lots of this fund were converted: it owes their euros to the bearer that the order names.

    `id` is the conversion's: `make_due_id` of the round and the payer, wherever the project is.
    `territory` is where the project is, `refs` and `cents` are columns: the lots, and how much of each.
    """

    id: Id
    territory: Party
    project: Id
    refs: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=DUE_LOTS_MAX)]
    cents: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=DUE_LOTS_MAX)]
    order: SealedOrder


class DueTaken(Struct, frozen=True, array_like=True, tag=51):
    """The fund owes it, and will pay. What it does not owe is in a `Refused`: then the rights go back."""

    id: Id


class DueState(IntEnum):
    """How far the euros of a conversion are."""

    PAID = 1  # the bank carried it out
    REJECTED = 2  # the bank sent it back; it stays owed
    NETTED = 3  # the project's own fund pays it, against what the funds owe each other


class DueSettled(Struct, frozen=True, array_like=True, tag=52):
    """Euros of a conversion: fund to accounts, and from there to who decided.

    What donors had paid in and what is called of them is paid apart: PAID is told once the last part is, with all its cents.
    REJECTED is one payment that the bank did not carry out, or sent back, perhaps after PAID: its cents stay owed.
    """

    id: Id
    state: DueState
    cents: Amount
    on: Day


class SettlementPublished(Struct, frozen=True, array_like=True, tag=54):
    """The fund's settlement account, as it signed it (`protocol/territory_card.py`), to stand in the territory's card."""

    signed: Annotated[bytes, Meta(min_length=1, max_length=SETTLEMENT_BYTES_MAX)]


class CataloguePublished(Struct, frozen=True, array_like=True, tag=55):
    """The open projects of the territory, as the projects' base signed them (`protocol/catalogue.py`)."""

    signed: Annotated[bytes, Meta(min_length=1, max_length=CATALOGUE_BYTES_MAX)]


class PayerKey(Struct, frozen=True, array_like=True, tag=56):
    """By card `number` of a territory, these are the keys of its fund: orders are sealed for them. `since`: known since."""

    territory: Party
    number: Annotated[int, Meta(ge=1, le=2**53)]
    since: Day
    signing: Key32
    sealing: Key32


class DeciderKey(Struct, frozen=True, array_like=True, tag=57):
    """By card `number` of a territory, these are the keys of its projects' base: who decides there signs with them."""

    territory: Party
    number: Annotated[int, Meta(ge=1, le=2**53)]
    since: Day
    signing: Key32
    sealing: Key32


class SettlementAccount(Struct, frozen=True, array_like=True, tag=58):
    """By card `number` of a territory, its fund's account for what funds owe each other. `iban` is empty where it has none.

    `signing` and `sealing` are that fund's keys, `signed` its own SignedSettlement of these very words: no accounts' base can say another
    account. `since` is the day since when it is known here.
    """

    territory: Party
    name: Annotated[str, Meta(max_length=70)]
    siren: Annotated[str, Meta(max_length=9)]
    iban: Annotated[str, Meta(max_length=34)]
    bic: Annotated[str, Meta(max_length=11)]
    number: Annotated[int, Meta(ge=1, le=2**53)]
    since: Day
    signing: Annotated[bytes, Meta(max_length=32)]
    sealing: Annotated[bytes, Meta(max_length=32)]
    signed: Annotated[bytes, Meta(max_length=SETTLEMENT_BYTES_MAX)]


class HolderKind(StrEnum):
    """For whom a holder's account is."""

    PERSON = "person"
    GROUP = "group"


class HolderState(StrEnum):
    """Whether rights of a holder's account may move."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class OpenHolder(Struct, frozen=True, array_like=True, tag=30):
    """Somebody needs an account. No name goes with it: the accounts know a number, and the people's base knows whose."""

    id: Id
    kind: HolderKind


class HolderOpened(Struct, frozen=True, array_like=True, tag=31):
    """The account has this number."""

    id: Id
    number: Number


class AskHolder(Struct, frozen=True, array_like=True, tag=32):
    """Tell what there is of a holder's account: for its holder's own reading, or before it is closed."""

    id: Id
    account: Number


class HolderTold(Struct, frozen=True, array_like=True, tag=33):
    """What there is of it: cents held, those reserved among them, those on their way elsewhere, how many movements.

    `shows_name` says whether its holder shows some name to payers, never which. `closed_at` is 0 before it is.
    """

    id: Id
    account: Number
    kind: HolderKind
    state: HolderState
    cents: Annotated[int, Meta(ge=0, le=10**15)]
    reserved: Annotated[int, Meta(ge=0, le=10**15)]
    in_flight: Annotated[int, Meta(ge=0, le=10**15)]
    movements: Annotated[int, Meta(ge=0, le=2**53)]
    shows_name: bool
    opened_at: Millis
    closed_at: Millis


class FreezeHolder(Struct, frozen=True, array_like=True, tag=34):
    """From now on nothing leaves or reaches a holder's account, or it does again. Answered by `HolderTold`."""

    id: Id
    account: Number
    is_frozen: bool


class CloseHolder(Struct, frozen=True, array_like=True, tag=35):
    """Close a holder's account, after moving what it holds `into` another; where that is empty, it must hold nothing."""

    id: Id
    account: Number
    into: Annotated[str, Meta(max_length=8)]


class HolderBusy(Struct, frozen=True, array_like=True, tag=36):
    """It cannot be closed yet, and nothing was changed: rights are held, reserved or on their way."""

    id: Id
    account: Number
    cents: Annotated[int, Meta(ge=0, le=10**15)]
    reserved: Annotated[int, Meta(ge=0, le=10**15)]
    in_flight: Annotated[int, Meta(ge=0, le=10**15)]


class HolderClosed(Struct, frozen=True, array_like=True, tag=37):
    """It is closed for ever; so much went into the account that was named. No name is shown of it any more."""

    id: Id
    account: Number
    moved: Annotated[int, Meta(ge=0, le=10**15)]


class Ended(Struct, frozen=True, array_like=True, tag=98):
    """Something of the people's base ended: an erasure was done, a role, a consent or a key taken back.

    `mark` is a digest under a key that no other base has: it says nothing to whoever hears it. It stands in the log for a
    writer who is put back from an old copy, and must not bring back what had ended.
    """

    mark: Annotated[bytes, Meta(min_length=32, max_length=32)]


class GuideAccredited(Struct, frozen=True, array_like=True, tag=70):
    """The committee accredited a guide: with this key somebody may act for groups that consent, in this term.

    `id` is the accreditation's. No name goes with it, and nobody says here for whom a guide acts.
    """

    id: Id
    key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    from_day: Day
    until_day: Day


class GuideEnded(Struct, frozen=True, array_like=True, tag=71):
    """From now on this accreditation is none: `guide_withdrawn`, `guide_left` or `guide_key_revoked`."""

    id: Id
    code: Code


class GuideKnown(Struct, frozen=True, array_like=True, tag=72):
    """The accounts have an accreditation as it was told, or know that it ended."""

    id: Id
    is_ended: bool


class Kept(Struct, frozen=True, array_like=True, tag=60):
    """One page of the writer's base, sealed for itself: part `part` of `parts` lies beside this slip, with this SHA-256.

    Whoever reads it keeps it for a while and gives it back to a writer whose base was lost. It says nothing to others.
    """

    page: Annotated[int, Meta(ge=1, le=2**53)]
    part: Annotated[int, Meta(ge=0, le=2**16)]
    parts: Annotated[int, Meta(ge=1, le=2**16)]
    digest: Annotated[bytes, Meta(min_length=32, max_length=32)]


class Resumed(Struct, frozen=True, array_like=True, tag=61):
    """The writer's base was an old copy, and goes on under this epoch: this slip is `index` of its log, as before."""

    epoch: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    index: Annotated[int, Meta(ge=0, le=2**53)]


class NewKey(Struct, frozen=True, array_like=True, tag=80):
    """From here on the writer signs with these keys, and seals for itself with them; it changes keys for the `number`th time.

    `before` names the keys that signed until now: `signature` is theirs, `proof` that of the new ones, over the same words.
    """

    number: Annotated[int, Meta(ge=1, le=2**31)]
    before: KeyName
    signing: Key32
    sealing: Key32
    signature: Signature
    proof: Signature


class DueConfirmed(Struct, frozen=True, array_like=True, tag=53):
    """The bearer has the euros of a due, says the base that decided: projects to accounts, and on to the fund that paid."""

    id: Id
    on: Day


class NettingTold(Struct, frozen=True, array_like=True, tag=85):
    """Whether what two funds owe each other is netted. Fund to accounts: our fund's word to `other`; back: that one's to ours."""

    other: Party
    is_netted: bool
    since: Day


class OrderNetted(Struct, frozen=True, array_like=True, tag=86):
    """Another fund called a due netted: our own fund pays the bearer, by this order. Projects to accounts. `id` is the due's."""

    id: Id
    order: SealedOrder


class OrderReturned(Struct, frozen=True, array_like=True, tag=90):
    """Our own fund cannot pay a netted due by this order: accounts to projects, who write another. `id` is the due's."""

    id: Id
    code: Code


class NettedDue(Struct, frozen=True, array_like=True, tag=87):
    """What `debtor`'s fund owes for a project here, and our fund is to pay once its window is paid. Accounts to fund.

    `id` is the conversion's, the same as its debtor's fund knows it by.
    """

    id: Id
    debtor: Party
    project: Id
    cents: Amount
    order: SealedOrder


class WindowTold(Struct, frozen=True, array_like=True, tag=88):
    """A window was closed in which our fund stands. Accounts to fund.

    `members` and `net` are columns: what each fund is owed in all (below zero: it owes). `ids` are our dues, as columns with
    `others` (a place in `members`) and `cents`: above zero we are owed it, below zero we owe it.
    """

    window: WindowNumber
    on: Day
    members: Annotated[tuple[Party, ...], Meta(min_length=2, max_length=WINDOW_MAX)]
    net: Annotated[tuple[Net, ...], Meta(min_length=2, max_length=WINDOW_MAX)]
    ids: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    others: Annotated[tuple[Annotated[int, Meta(ge=0, lt=WINDOW_MAX)], ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    cents: Annotated[tuple[Net, ...], Meta(min_length=1, max_length=WINDOW_MAX)]


class NetPaid(Struct, frozen=True, array_like=True, tag=89):
    """What became of our payment to `other` in a window, or of its payment to us: fund to accounts; and back, its word.

    Who pays says PAID or REJECTED, who is paid says CONFIRMED; NETTED is no word of a payment.
    """

    window: WindowNumber
    other: Party
    state: SettledState
    on: Day


class EffectTold(Struct, frozen=True, array_like=True, tag=91):
    """What citizens made of a campaign's miles in one project: the later word replaces the earlier one.

    Cents. `waiting`: directed and not converted, in whole hundreds of euros. Of what was `converted` so much is `paid` to the
    bearer, `netted` with the project's own fund, or owed still; of so much the bearer has `confirmed` that it has the euros.
    `title` is empty where it was never heard here.
    """

    campaign: Id
    territory: Party
    project: Id
    title: Annotated[str, Meta(max_length=80)]
    waiting: Annotated[int, Meta(ge=0, le=10**15)]
    converted: Annotated[int, Meta(ge=0, le=10**15)]
    paid: Annotated[int, Meta(ge=0, le=10**15)]
    netted: Annotated[int, Meta(ge=0, le=10**15)]
    confirmed: Annotated[int, Meta(ge=0, le=10**15)]


class DutyEnded(Struct, frozen=True, array_like=True, tag=94):
    """A duty at the reader's base is over: keys that were made before `at` hold no more. People to the base concerned.

    `word` is how that base writes the officer down, `key` names the key that he signs with; empty is what he has not. Where it
    was his last duty there (`is_last`) all doors of that word close, else those of the duty. `role` is the same whenever something
    is told of one duty: the newest counts, and with neither word nor key nothing is left to end. No name goes with it.
    """

    id: Id
    role: Id
    duty: Code
    word: Annotated[str, Meta(max_length=80)]
    key: Annotated[bytes, Meta(max_length=8)]
    at: Millis
    is_last: bool


class DutyHeard(Struct, frozen=True, array_like=True, tag=95):
    """So many keys of doors and of signing hold no more by what was told under this id.

    `is_placed` is false where the base knows no such word, or no such key: then somebody has to look.
    """

    id: Id
    doors: Annotated[int, Meta(ge=0, le=2**31)]
    signers: Annotated[int, Meta(ge=0, le=2**31)]
    is_placed: bool


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
    | ExpectationClosed
    | Pledge
    | PledgeAccepted
    | PaymentCalled
    | PledgeSpent
    | PledgeEnded
    | OpenProject
    | ProjectOpened
    | CommitProject
    | ReleaseProject
    | ConvertProject
    | ProjectConverted
    | Support
    | ProjectReleased
    | Due
    | DueTaken
    | DueSettled
    | SettlementPublished
    | CataloguePublished
    | PayerKey
    | DeciderKey
    | SettlementAccount
    | OpenHolder
    | HolderOpened
    | AskHolder
    | HolderTold
    | FreezeHolder
    | CloseHolder
    | HolderBusy
    | HolderClosed
    | Ended
    | GuideAccredited
    | GuideEnded
    | GuideKnown
    | Kept
    | Resumed
    | DueConfirmed
    | NettingTold
    | OrderNetted
    | OrderReturned
    | NettedDue
    | WindowTold
    | NetPaid
    | DutyEnded
    | DutyHeard
    | NewKey
    | EffectTold
)

# What concerns the talk itself, and no desk.
ABOUT_THE_TALK: Final = (Kept, Resumed, NewKey)


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
        _require_sound(message)
    return slip


def _require_sound(message: HouseMessage) -> None:
    columns: tuple[Sequence[object], ...]
    match message:
        case Grants():
            columns = (message.ids, message.accounts, message.cents, message.words)
        case ConvertProject():
            columns = (message.payers, message.orders)
        case ProjectConverted():
            columns = (message.payers, message.cents)
        case Due():
            columns = (message.refs, message.cents)
        case PaymentCalled():
            columns = (message.pledges, message.parts)
        case WindowTold():
            if len(message.members) != len(message.net) or max(message.others) >= len(message.members):
                raise NotCanonical(reason="each fund of a window has one position")
            columns = (message.ids, message.others, message.cents)
        case DutyEnded(key=key) if len(key) not in (0, KEY_NAME_BYTES):
            raise NotCanonical(reason="a key has a name of 8 bytes, or none is meant")
        case NetPaid(state=SettledState.NETTED):
            raise NotCanonical(reason="a payment between funds is paid, rejected or confirmed")
        case EffectTold():
            if max(message.paid + message.netted, message.confirmed) > message.converted:
                raise NotCanonical(reason="no more is paid or confirmed than was converted")
            return
        case _:
            return
    if len({len(column) for column in columns}) != 1:
        raise NotCanonical(reason="columns of one message have one length")


def house_of(territory: TerritoryCode) -> str:
    """Return the name of the network in which the bases of a territory speak."""
    return f"house of {territory}"


def make_due_id(round_id: bytes, payer: str) -> bytes:
    """Return the id of what one territory's fund owes for a round: accounts, fund and projects compute the same."""
    return hashlib.sha256(b"citizen-miles/due/v1\0" + round_id + payer.encode()).digest()[:16]


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
