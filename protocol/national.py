"""The national log's leaves, and the rule by which anyone replays them. Pure.

The hub writes one leaf for each thing it decides: a slip taken with its verdict, slips handed over, cessions stopped
before hand-over, a directory change. Replaying the leaves with the members' slips gives the positions again.
Source: SPEC.md, "The national log".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol import clearing
from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.cession import CessionState
from protocol.clearing import Ceded, Ended, Outcome, Positions
from protocol.errors import Malformed, NotCanonical
from protocol.messages import (
    LEAF_BYTES_MAX,
    Answer,
    Cede,
    Codes,
    Convert,
    Epoch,
    Hash,
    Millis,
    Party,
    Places,
    Settled,
    Size,
    Slip,
    WindowClosed,
    decode_slip,
    require_window,
)
from protocol.obligations import Obligation, settle
from protocol.times import Instant

ENTRY_BYTES_MAX: Final = LEAF_BYTES_MAX

SlipKey = tuple[str, int, int]  # origin, epoch, index


class SlipTaken(Struct, frozen=True, array_like=True, tag=1):
    """A member's slip was taken; of its cessions, all were cleared but those refused."""

    at: Millis
    member: Party
    epoch: Size
    index: Size
    leaf_hash: Hash
    slip_code: Annotated[str, Meta(max_length=48)]
    refused: Places
    codes: Codes


class SlipsHandedOver(Struct, frozen=True, array_like=True, tag=2):
    """These slips were written into the receiver's log: from here on no recall."""

    at: Millis
    taker: Party
    slips: Annotated[tuple[tuple[Party, Size, Size], ...], Meta(min_length=1, max_length=4096)]


class CessionsStopped(Struct, frozen=True, array_like=True, tag=3):
    """Cessions of one slip ended before hand-over, by the sender's word or by its term."""

    at: Millis
    origin: Party
    epoch: Size
    index: Size
    recalled: Places
    expired: Places


class DirectoryChanged(Struct, frozen=True, array_like=True, tag=4):
    """A directory entry, whole: this part of the log is public."""

    at: Millis
    entry: Annotated[bytes, Meta(max_length=8_192)]


class HubRestored(Struct, frozen=True, array_like=True, tag=5):
    """The hub's book was an old copy: what this log once held beyond here is lost, and told again below as it was told."""

    at: Millis
    epoch: Epoch


class SlipRetaken(Struct, frozen=True, array_like=True, tag=6):
    """A slip that was taken before the hub's book was lost: what it was told then is true, whatever the order now."""

    at: Millis
    member: Party
    epoch: Size
    index: Size
    leaf_hash: Hash
    slip_code: Annotated[str, Meta(max_length=48)]
    refused: Places
    codes: Codes


class WindowNetted(Struct, frozen=True, array_like=True, tag=7):
    """A window of netting was closed: everybody in it is told the same."""

    at: Millis
    window: WindowClosed


NationalEntry = (
    SlipTaken | SlipsHandedOver | CessionsStopped | DirectoryChanged | HubRestored | SlipRetaken | WindowNetted
)


class _Leaf(Struct, frozen=True, array_like=True):
    entry: NationalEntry


def encode_national(entry: NationalEntry) -> bytes:
    return encode_typed(_Leaf(entry))


def decode_national(leaf: bytes) -> NationalEntry:
    """Raises NotCanonical."""
    entry = decode_typed(leaf, _Leaf, size_max=ENTRY_BYTES_MAX).entry
    if isinstance(entry, SlipTaken | SlipRetaken) and len(entry.refused) != len(entry.codes):
        raise NotCanonical(reason="refused and codes differ in length")
    if isinstance(entry, WindowNetted):
        try:
            require_window(entry.window)
        except Malformed as error:
            raise NotCanonical(reason=str(error)) from None
    return entry


@dataclass(frozen=True, slots=True)
class SlipRecord:
    """One slip of cessions as the hub follows it: the state of all but the exceptions."""

    taker: str
    count: int
    state: CessionState
    exceptions: Mapping[int, CessionState] = field(default_factory=dict)

    @property
    def remaining(self) -> frozenset[int]:
        """The places that follow the slip's own state."""
        return frozenset(range(self.count)).difference(self.exceptions)

    @property
    def skipped(self) -> tuple[int, ...]:
        """The places that the receiver must skip, in order."""
        return tuple(sorted(self.exceptions))


def begin_record(taker: str, cede: Cede, outcome: Outcome) -> SlipRecord:
    """Return the record of a slip just taken."""
    if outcome.slip_code or len(outcome.refused) == cede.count:
        return SlipRecord(taker, cede.count, CessionState.REFUSED)
    refused = {place: CessionState.REFUSED for place, _code in outcome.refused}
    return SlipRecord(taker, cede.count, CessionState.CLEARED, refused)


def choose_stopped(record: SlipRecord, places: tuple[int, ...]) -> tuple[int, ...]:
    """Return the places that can still be stopped: cleared and not handed over."""
    if record.state is not CessionState.CLEARED:
        return ()
    return tuple(place for place in places if place < record.count and place not in record.exceptions)


def stop(record: SlipRecord, places: tuple[int, ...], state: CessionState) -> SlipRecord:
    """Return the record after these cessions were recalled or expired; a slip with none left has ended."""
    exceptions = {**record.exceptions, **dict.fromkeys(places, state)}
    after = state if len(exceptions) == record.count else record.state
    return replace(record, exceptions=exceptions, state=after)


def settle_answer(record: SlipRecord, answer: Answer) -> tuple[SlipRecord, frozenset[int], frozenset[int]] | None:
    """Return the record after the receiver's answer, the places delivered and those returned.

    None where the answer has no effect: the slip was not handed over, was answered before, or the answer speaks of
    other places than those handed over.
    """
    if record.state is not CessionState.HANDED_OVER or answer.skipped != record.skipped:
        return None
    returned = frozenset(answer.returned)
    remaining = record.remaining
    if not returned <= remaining:
        return None
    exceptions = {**record.exceptions, **dict.fromkeys(returned, CessionState.RETURNED)}
    state = CessionState.RETURNED if returned == remaining else CessionState.DELIVERED
    return replace(record, state=state, exceptions=exceptions), remaining - returned, returned


def find_cede(slip: Slip) -> Cede | None:
    """Return the slip's cessions, if it carries any."""
    return next((message for message in slip.messages if isinstance(message, Cede)), None)


def find_convert(slip: Slip) -> Convert | None:
    """Return what makes conversions of the slip's cessions, if anything does."""
    return next((message for message in slip.messages if isinstance(message, Convert)), None)


def begin_obligations(key: SlipKey, slip: Slip, cede: Cede, outcome: Outcome) -> dict[tuple[SlipKey, int], Obligation]:
    """Return what may be owed for a slip just taken: a conversion for each place that was not refused."""
    convert = find_convert(slip)
    if convert is None or outcome.slip_code:
        return {}
    refused = {place for place, _ in outcome.refused}
    return {
        (key, place): Obligation(debtor=slip.to, creditor=key[0], project=convert.projects[place], cents=cents)
        for place, cents in enumerate(sum_cessions(cede))
        if place not in refused
    }


def sum_cessions(cede: Cede) -> list[int]:
    """Return the cents of each cession of a slip."""
    if not cede.counts:
        return list(cede.cents)
    draws = iter(cede.cents)
    return [sum(islice(draws, count)) for count in cede.counts]


def settle_words(
    find: Callable[[SlipKey, int], Obligation | None], speaker: str, settled: Settled
) -> Iterator[tuple[int, Obligation]]:
    """Go through the places whose obligation the speaker's words change, each with what it is then.

    Words about what nobody asked for, or that are another's to say, change nothing.
    """
    key = (settled.giver, settled.epoch, settled.index)
    for place, state, day in zip(settled.places, settled.states, settled.days, strict=True):
        obligation = find(key, place)
        after = None if obligation is None else settle(obligation, speaker, state, day)
        if after is not None:
            yield place, after


def read_slip(leaf: bytes) -> Slip | None:
    """Return the slip, or None where the leaf is signed nonsense, which is taken, refused and moves nothing."""
    try:
        return decode_slip(leaf)
    except (NotCanonical, Malformed):
        return None


def clear_slip(positions: Positions, giver: str, slip: Slip, cede: Cede, at: Instant) -> Outcome:
    """Return the outcome of a slip of cessions."""
    return clearing.clear(positions, Ceded(giver, slip.to, cede, at, is_conversion=find_convert(slip) is not None))


def repeat_slip(giver: str, cede: Cede, slip_code: str, refused: Iterable[tuple[int, str]]) -> Outcome:
    """Return the outcome that was told of a slip once: what it moves, without asking the rule again."""
    return clearing.repeat(giver, cede, slip_code, tuple(refused))


def end_slip(
    giver: str, record: SlipRecord, cede: Cede, *, delivered: frozenset[int], restored: frozenset[int]
) -> Outcome:
    """Return the outcome of the end of some cessions of a slip."""
    return clearing.clear(
        Positions(members={}), Ended(giver, record.taker, cede, delivered=delivered, restored=restored)
    )


prepare(_Leaf)
