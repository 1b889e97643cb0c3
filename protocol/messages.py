"""The message catalogue: what may stand in a slip, as frozen typed structs. Pure.

On the wire every struct is a msgpack array in the order of its fields; a message is an array that begins with its tag.
Cessions travel as columns, not rows: one slip carries up to 1,000 of them to one territory. A cession has no id on the
wire: it *is* (origin, epoch, index of the slip in the origin's log, place in the slip), which nobody can use twice.
Fields are never added to a message of a version; a new version is a new catalogue, and two parties speak the lower
of what both know (`statement.speaks`). An `Extension` may be skipped by those who do not know it.
Source: SPEC.md, "Messages".
"""

from __future__ import annotations

import re
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.errors import Malformed, NotCanonical
from protocol.times import DAY_MS

WIRE_VERSION: Final = 1

CESSIONS_MAX: Final = 1_000
CONVERSIONS_MAX: Final = 128  # in one slip: their orders travel beside it
WINDOW_MAX: Final = 8_000  # obligations in one window of netting; the rest waits for the next
SEALED_ORDER_BYTES_MAX: Final = 6_144
DRAWS_MAX: Final = 8_000
LEAF_BYTES_MAX: Final = 512 * 1024
SEALED_BYTES_MAX: Final = 1024 * 1024
COUNTERFOIL_BYTES_MAX: Final = 64 * 1024
WORDS_MAX: Final = 280
# How old a backup may be and still be brought back to the present: so long author and hub keep what they sealed, or
# hold sealed, beside a slip whose cessions ended. Sealed columns are personal data: not longer.
KEEP_BESIDE_MS: Final = 35 * DAY_MS

# What no text holds: some databases cannot keep it, and screens obey it. The same characters in every Unicode version.
_CONTROL: Final = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")

Party = Annotated[str, Meta(min_length=6, max_length=9)]
Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
KeyName = Annotated[bytes, Meta(min_length=8, max_length=8)]
Id16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
Key32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Size = Annotated[int, Meta(ge=0, le=2**53)]
Epoch = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Millis = Annotated[int, Meta(ge=0, le=2**53)]
Amount = Annotated[int, Meta(ge=1, le=10**15)]
Total = Annotated[int, Meta(ge=0, le=10**18)]
Place = Annotated[int, Meta(ge=0, lt=CESSIONS_MAX)]
WindowNumber = Annotated[int, Meta(ge=1, le=10**6)]
_MemberPlace = Annotated[int, Meta(ge=0, lt=WINDOW_MAX)]
Code = Annotated[str, Meta(min_length=1, max_length=48)]
Words = Annotated[str, Meta(max_length=WORDS_MAX)]
Places = Annotated[tuple[Place, ...], Meta(max_length=CESSIONS_MAX)]
Codes = Annotated[tuple[Code, ...], Meta(max_length=CESSIONS_MAX)]


class Lot(Struct, frozen=True, array_like=True):
    """A class of miles, as the federation knows it: issuer, 16 opaque bytes, class flags, month (yyyymm)."""

    issuer: Party
    ref: Annotated[bytes, Meta(min_length=16, max_length=16)]
    kind: Annotated[int, Meta(ge=0, le=2**16)]
    month: Annotated[int, Meta(ge=190001, le=999912)]


class Cede(Struct, frozen=True, array_like=True, tag=1):
    """Rights handed to accounts of another territory, as columns.

    Cession k draws `counts[k]` times (once each where `counts` is empty) from `lots[lot_places[i]]`, `cents[i]`.
    `terms[k]` (0: none) is the instant after which the hub expires it if it was not handed over; empty: no terms.
    `commit` is SHA-256(salt ‖ sealed) of the sealed column that travels beside the leaf.
    """

    lots: Annotated[tuple[Lot, ...], Meta(min_length=1, max_length=DRAWS_MAX)]
    counts: Annotated[tuple[Annotated[int, Meta(ge=1, le=DRAWS_MAX)], ...], Meta(max_length=CESSIONS_MAX)]
    lot_places: Annotated[
        tuple[Annotated[int, Meta(ge=0, lt=DRAWS_MAX)], ...], Meta(min_length=1, max_length=DRAWS_MAX)
    ]
    cents: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=DRAWS_MAX)]
    terms: Annotated[tuple[Millis, ...], Meta(max_length=CESSIONS_MAX)]
    seal_key: KeyName
    commit: Hash

    @property
    def count(self) -> int:
        """How many cessions the message carries."""
        return len(self.counts) or len(self.cents)


class Answer(Struct, frozen=True, array_like=True, tag=2):
    """The receiver's word on a slip of cessions: all delivered, but for those named.

    `skipped` repeats the places that the hub told it to skip, so that the sender sees what the receiver was told.
    """

    epoch: Epoch
    index: Size
    skipped: Places
    returned: Places
    codes: Codes


class Recall(Struct, frozen=True, array_like=True, tag=3):
    """The sender asks the hub to stop cessions that were not handed over yet."""

    epoch: Epoch
    index: Size
    places: Annotated[tuple[Place, ...], Meta(min_length=1, max_length=CESSIONS_MAX)]


class AddKey(Struct, frozen=True, array_like=True, tag=4):
    """A new pair of public keys, valid beside the old; `proof` is the new key's own signature over both."""

    signing: Key32
    sealing: Key32
    proof: Signature


class RetireKey(Struct, frozen=True, array_like=True, tag=5):
    """From here on this key signs nothing new. What it signed before stays good."""

    key: KeyName


class AskStatement(Struct, frozen=True, array_like=True, tag=6):
    """Asks the hub for its view of our positions."""


class Verdict(Struct, frozen=True, array_like=True, tag=7):
    """The hub's word on a slip of cessions: all cleared, but for those refused.

    `slip_code` is empty, or the reason why the whole slip was refused. `national` is the index of the outcome's leaf.
    """

    index: Size
    national: Size
    slip_code: Annotated[str, Meta(max_length=48)]
    refused: Places
    codes: Codes


class Forward(Struct, frozen=True, array_like=True, tag=8):
    """Another member's slip, handed over. The slip itself travels beside, with the proof of its author."""

    origin: Party
    epoch: Epoch
    index: Size
    leaf_hash: Hash
    skipped: Places


class HandedOver(Struct, frozen=True, array_like=True, tag=9):
    """Slips of yours that were handed to their receiver."""

    indexes: Annotated[tuple[Size, ...], Meta(min_length=1, max_length=4096)]


class Stopped(Struct, frozen=True, array_like=True, tag=10):
    """Cessions of one of your slips that ended before hand-over; `too_late` names recalls that lost the race."""

    index: Size
    recalled: Places
    expired: Places
    too_late: Places


class Moved(Struct, frozen=True, array_like=True, tag=11):
    """To an issuer: rights on its lots moved between two other members, by the giver's slip at (epoch, index)."""

    giver: Party
    taker: Party
    epoch: Epoch
    index: Size
    refs: Annotated[
        tuple[Annotated[bytes, Meta(min_length=16, max_length=16)], ...], Meta(min_length=1, max_length=DRAWS_MAX)
    ]
    cents: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=DRAWS_MAX)]


class Statement(Struct, frozen=True, array_like=True, tag=12):
    """The hub's view of a member, exact when it has taken `taken` of the member's slips.

    Rows are (issuer, holder, cents): every position on this member's lots, and every position it holds.
    Transit rows are (issuer, sender, receiver, cents) on the way and not answered.
    """

    taken: Size
    issuers: Annotated[tuple[Party, ...], Meta(max_length=4096)]
    holders: Annotated[tuple[Party, ...], Meta(max_length=4096)]
    cents: Annotated[tuple[Total, ...], Meta(max_length=4096)]
    transit: Annotated[tuple[tuple[Party, Party, Party, Total], ...], Meta(max_length=4096)]


class Restored(Struct, frozen=True, array_like=True, tag=14):
    """The writer's book was an old copy: from here on, after `size` slips, its log goes on under this epoch.

    Whatever an earlier epoch said beyond `size` was never taken and never will be.
    """

    epoch: Epoch
    size: Size


class Extension(Struct, frozen=True, array_like=True, tag=13):
    """Something newer than this version that may be skipped: kept in the log, counted, not acted on."""

    name: Code
    body: Annotated[bytes, Meta(max_length=64 * 1024)]


class Convert(Struct, frozen=True, array_like=True, tag=15):
    """The cessions beside it convert rights: each goes to the issuer of its lots, whose fund then owes their euros.

    `projects[k]` is the project that cession k is for, `rounds[k]` the round of it: opaque ids. Whom the fund pays, and
    why it may, stands in the sealed column, which is an `Orders` here.
    """

    projects: Annotated[tuple[Id16, ...], Meta(min_length=1, max_length=CONVERSIONS_MAX)]
    rounds: Annotated[tuple[Id16, ...], Meta(min_length=1, max_length=CONVERSIONS_MAX)]


class SettledState(IntEnum):
    """What is said of the euros of a conversion: by the issuer who owes them, and by the territory that asked."""

    PAID = 1  # the issuer's fund paid the bearer, and its bank carried it out
    REJECTED = 2  # the bank sent it back: it is owed again
    NETTED = 3  # it stands in a window: the funds owe each other, the project's own fund pays
    CONFIRMED = 4  # the bearer has it: the word of the territory that asked


class Settled(Struct, frozen=True, array_like=True, tag=16):
    """What became of the euros of conversions of one slip, as columns. `giver` is whose slip it is, `days` yyyymmdd.

    The last word of each side counts. The issuer says PAID, REJECTED or NETTED, the giver CONFIRMED.
    """

    giver: Party
    epoch: Epoch
    index: Size
    places: Annotated[tuple[Place, ...], Meta(min_length=1, max_length=CONVERSIONS_MAX)]
    states: Annotated[tuple[SettledState, ...], Meta(min_length=1, max_length=CONVERSIONS_MAX)]
    days: Annotated[
        tuple[Annotated[int, Meta(ge=19000101, le=99991231)], ...], Meta(min_length=1, max_length=CONVERSIONS_MAX)
    ]


class Netting(Struct, frozen=True, array_like=True, tag=17):
    """The word of the writer's fund to the fund of `to`: whether what one owes the other may stand in windows of netting.

    It holds where both say so; the last word of each counts. `since` is the day it was signed (yyyymmdd).
    """

    is_netted: bool
    since: Annotated[int, Meta(ge=19000101, le=99991231)]


class WindowClosed(Struct, frozen=True, array_like=True, tag=18):
    """A window of netting, whole: the same for all who stand in it, and in the national log. Columns, one row for each
    obligation, in the order of its conversion (giver, epoch, index, place).

    `members` are named once, in rising order; `givers` (who is owed) and `debtors` point there. `on` is yyyymmdd. What each
    pays whom follows from it by the rule of netting.
    """

    window: WindowNumber
    on: Annotated[int, Meta(ge=19000101, le=99991231)]
    members: Annotated[tuple[Party, ...], Meta(min_length=2, max_length=WINDOW_MAX)]
    givers: Annotated[tuple[_MemberPlace, ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    epochs: Annotated[tuple[Epoch, ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    indexes: Annotated[tuple[Size, ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    places: Annotated[tuple[Place, ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    debtors: Annotated[tuple[_MemberPlace, ...], Meta(min_length=1, max_length=WINDOW_MAX)]
    cents: Annotated[tuple[Amount, ...], Meta(min_length=1, max_length=WINDOW_MAX)]


class NetSettled(Struct, frozen=True, array_like=True, tag=19):
    """What became of the payment between the writer's fund and the fund of `to` in a closed window.

    Who pays says PAID or REJECTED, who is paid says CONFIRMED; the last word of each counts. `on` is yyyymmdd.
    """

    window: WindowNumber
    state: SettledState
    on: Annotated[int, Meta(ge=19000101, le=99991231)]


Message = (
    Cede
    | Answer
    | Recall
    | AddKey
    | RetireKey
    | AskStatement
    | Verdict
    | Forward
    | HandedOver
    | Stopped
    | Moved
    | Statement
    | Restored
    | Convert
    | Settled
    | Netting
    | WindowClosed
    | NetSettled
    | Extension
)


class Slip(Struct, frozen=True, array_like=True):
    """One leaf of a log: messages to one destination in one commit. `to` is its last reader, `at` the writer's clock."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    to: Party
    at: Millis
    messages: Annotated[tuple[Message, ...], Meta(min_length=1, max_length=2_048)]


class Beneficiaries(Struct, frozen=True, array_like=True):
    """The sealed column of a Cede: for each cession who receives, who gives (empty: anonymous), and words."""

    origin: Party
    numbers: Annotated[
        tuple[Annotated[str, Meta(min_length=8, max_length=8)], ...], Meta(min_length=1, max_length=CESSIONS_MAX)
    ]
    givers: Annotated[tuple[Annotated[str, Meta(max_length=24)], ...], Meta(max_length=CESSIONS_MAX)]
    words: Annotated[tuple[Words, ...], Meta(max_length=CESSIONS_MAX)]


class Orders(Struct, frozen=True, array_like=True):
    """The sealed column of a Cede that converts: for each cession the order for the fund.

    An order is sealed a second time, for the fund alone: whoever keeps the issuer's accounts carries it unread.
    """

    origin: Party
    orders: Annotated[
        tuple[Annotated[bytes, Meta(min_length=1, max_length=SEALED_ORDER_BYTES_MAX)], ...],
        Meta(min_length=1, max_length=CONVERSIONS_MAX),
    ]


class SealedColumn(Struct, frozen=True, array_like=True):
    """What travels beside a Cede and is deleted once delivered."""

    salt: Annotated[bytes, Meta(min_length=16, max_length=16)]
    sealed: Annotated[bytes, Meta(max_length=SEALED_BYTES_MAX)]


class Counterfoil(Struct, frozen=True, array_like=True):
    """What the giver keeps of each cession of a slip, sealed for itself: so that an old copy of its book learns it again.

    `told` begins the digest of what the caller said beside the amount, by which a resend is known again.
    """

    ops: Annotated[
        tuple[Annotated[bytes, Meta(min_length=16, max_length=16)], ...], Meta(min_length=1, max_length=CESSIONS_MAX)
    ]
    accounts: Annotated[
        tuple[Annotated[str, Meta(min_length=8, max_length=8)], ...], Meta(min_length=1, max_length=CESSIONS_MAX)
    ]
    numbers: Annotated[
        tuple[Annotated[str, Meta(min_length=8, max_length=8)], ...], Meta(min_length=1, max_length=CESSIONS_MAX)
    ]
    told: Annotated[
        tuple[Annotated[bytes, Meta(min_length=6, max_length=6)], ...], Meta(min_length=1, max_length=CESSIONS_MAX)
    ]


def encode_slip(slip: Slip) -> bytes:
    """Return the leaf: the canonical bytes of a slip."""
    return encode_typed(slip)


def decode_slip(leaf: bytes) -> Slip:
    """Return the slip of a leaf. Raises NotCanonical, or Malformed where its columns do not fit together."""
    slip = decode_typed(leaf, Slip, size_max=LEAF_BYTES_MAX)
    if slip.version != WIRE_VERSION:
        raise NotCanonical(reason=f"slip version {slip.version} is not spoken here")
    if not (slip.to.isascii() and slip.to.isprintable()):
        raise Malformed(reason="a slip is for a party, whose name is plain")
    for message in slip.messages:
        _require_columns(message)
    if sum(isinstance(message, Cede) for message in slip.messages) > 1:
        raise Malformed(reason="a slip carries one Cede at most")
    kinds = {type(message) for message in slip.messages}
    if Cede in kinds and not kinds.isdisjoint({Answer, Settled, Netting, NetSettled}):
        # What is passed on at once would bring a Cede beside it to its receiver before it was cleared.
        raise Malformed(reason="a slip carries no Cede beside what is passed on at once")
    if Convert in kinds:
        _require_conversions(slip)
    return slip


def _require_conversions(slip: Slip) -> None:
    """Raise Malformed where a Convert does not speak of the cessions beside it."""
    converts = [message for message in slip.messages if isinstance(message, Convert)]
    cede = next((message for message in slip.messages if isinstance(message, Cede)), None)
    if cede is None or len(converts) != 1 or not len(converts[0].projects) == len(converts[0].rounds) == cede.count:
        raise Malformed(reason="one Convert stands beside a Cede, with a project and a round for each cession")


def _require_columns(message: Message) -> None:
    """Raise Malformed where columns that belong together differ in length or point nowhere."""
    if isinstance(message, Cede):
        if len(message.lot_places) != len(message.cents):
            raise Malformed(reason="lot_places and cents differ in length")
        if message.counts and sum(message.counts) != len(message.cents):
            raise Malformed(reason="counts do not add up to the draws")
        if message.count > CESSIONS_MAX:
            raise Malformed(reason="too many cessions in one slip")
        if message.terms and len(message.terms) != message.count:
            raise Malformed(reason="terms and cessions differ in number")
        if max(message.lot_places) >= len(message.lots):
            raise Malformed(reason="a draw names a lot that is not listed")
        if len({(lot.issuer, lot.ref) for lot in message.lots}) != len(message.lots):
            raise Malformed(reason="a lot is listed twice")
    elif isinstance(message, Answer):
        if len(message.returned) != len(message.codes):
            raise Malformed(reason="returned and codes differ in length")
        _require_plain(message.codes)
        _require_rising(message.returned, message.skipped)
    elif isinstance(message, Verdict):
        if len(message.refused) != len(message.codes):
            raise Malformed(reason="refused and codes differ in length")
        _require_plain(message.codes)
        _require_rising(message.refused)
    elif isinstance(message, Recall):
        _require_rising(message.places)
    elif isinstance(message, Settled):
        if not len(message.places) == len(message.states) == len(message.days):
            raise Malformed(reason="places, states and days differ in length")
        _require_rising(message.places)
    elif isinstance(message, WindowClosed):
        require_window(message)
    elif isinstance(message, Forward):
        _require_rising(message.skipped)
    elif isinstance(message, Stopped):
        _require_rising(message.recalled, message.expired, message.too_late)
    elif isinstance(message, Moved):
        if len(message.refs) != len(message.cents):
            raise Malformed(reason="refs and cents differ in length")
    elif isinstance(message, Statement) and not (len(message.issuers) == len(message.holders) == len(message.cents)):
        raise Malformed(reason="columns differ in length")


def require_window(window: WindowClosed) -> None:
    """Raise Malformed where a window's columns do not fit together, or a conversion stands in it twice."""
    columns = (window.epochs, window.indexes, window.places, window.debtors, window.cents)
    if any(len(column) != len(window.givers) for column in columns):
        raise Malformed(reason="columns differ in length")
    if {*window.givers, *window.debtors} != set(range(len(window.members))):
        raise Malformed(reason="members are those that owe or are owed")
    if any(a >= b for a, b in pairwise(window.members)) or not all(one.isascii() for one in window.members):
        raise Malformed(reason="members are plain names in rising order")
    if any(giver == debtor for giver, debtor in zip(window.givers, window.debtors, strict=True)):
        raise Malformed(reason="nobody owes himself")
    keys = zip(window.givers, window.epochs, window.indexes, window.places, strict=True)
    if any(a >= b for a, b in pairwise(keys)):
        raise Malformed(reason="obligations are not in rising order")


def _require_rising(*columns: tuple[int, ...]) -> None:
    for column in columns:
        if any(a >= b for a, b in pairwise(column)):
            raise Malformed(reason="places are not in rising order")


def _require_plain(codes: tuple[str, ...]) -> None:
    if not all(code.isascii() and code.isprintable() for code in codes):
        raise Malformed(reason="a code is plain text")


def draws_of(cede: Cede) -> list[list[tuple[Lot, int]]]:
    """Return, for each cession, its draws as (lot, cents)."""
    lots = cede.lots
    if not cede.counts:
        return [[(lots[place], cents)] for place, cents in zip(cede.lot_places, cede.cents, strict=True)]
    found: list[list[tuple[Lot, int]]] = []
    at = 0
    for count in cede.counts:
        stop = at + count
        found.append(
            [(lots[place], cents) for place, cents in zip(cede.lot_places[at:stop], cede.cents[at:stop], strict=True)]
        )
        at = stop
    return found


def decode_beneficiaries(plain: bytes, cede: Cede, origin: str) -> Beneficiaries:
    """Return the opened column if it fits the Cede and was sealed by its origin. Raises Malformed."""
    opened = decode_typed(plain, Beneficiaries, size_max=SEALED_BYTES_MAX)
    if opened.origin != origin:
        raise Malformed(reason="the sealed column names another origin")
    if len(opened.numbers) != cede.count:
        raise Malformed(reason="the sealed column and the cessions differ in number")
    if any(column and len(column) != cede.count for column in (opened.givers, opened.words)):
        raise Malformed(reason="the sealed column is ragged")
    if any(_CONTROL.search(text) for column in (opened.numbers, opened.givers, opened.words) for text in column):
        raise Malformed(reason="the sealed column holds control characters")
    return opened


def decode_orders(plain: bytes, cede: Cede, origin: str) -> Orders:
    """Return the opened column of a Cede that converts, if it fits and was sealed by its origin.

    Raises NotCanonical; Malformed where it does not fit.
    """
    opened = decode_typed(plain, Orders, size_max=SEALED_BYTES_MAX)
    if opened.origin != origin:
        raise Malformed(reason="the sealed column names another origin")
    if len(opened.orders) != cede.count:
        raise Malformed(reason="the sealed column and the conversions differ in number")
    return opened


def decode_counterfoil(plain: bytes, cede: Cede) -> Counterfoil:
    """Return the giver's own copy. Raises NotCanonical; Malformed where it does not fit the cessions beside it."""
    opened = decode_typed(plain, Counterfoil, size_max=COUNTERFOIL_BYTES_MAX)
    if any(len(column) != cede.count for column in (opened.ops, opened.accounts, opened.numbers, opened.told)):
        raise Malformed(reason="the counterfoil and the cessions differ in number")
    return opened


prepare(Slip, Beneficiaries, Orders, Counterfoil, SealedColumn)
