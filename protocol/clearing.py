"""The clearing rule. Pure: whoever holds the log can replay it and must get the same positions.

`positions[lot, holder]` are the rights on a lot that sit delivered outside its issuer's territory. A cession that was
cleared and not answered is in transit: it left its giver's position and entered no other, and is named, not summed.

                      giver's position        abroad[issuer]          receiver's position
    cleared           - cents, unless issuer  + cents, if issuer gives
    delivered                                 - cents, if issuer takes  + cents, unless issuer
    returned,         + cents, unless issuer  - cents, if issuer gave
    recalled, expired

`abroad[issuer]` counts all rights on an issuer's lots that left it, in transit included: it is what the limit caps.
Source: SPEC.md, "Clearing".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from protocol.directory import Limits, Member, MemberKind, MemberStatus
from protocol.messages import Cede, Lot
from protocol.times import Instant, day_of

# Class flags of a lot, as far as the hub must understand them. Source: SPEC.md, "Lots".
SOUTH_FIT: Final = 4

# Reasons of the hub, as they travel and are explained to people.
EXPIRED_TERM: Final = "expired"
POSITION_TOO_SMALL: Final = "position_too_small"
LOT_CLASS_MISMATCH: Final = "lot_class_mismatch"
CLASS_DOES_NOT_FIT: Final = "class_does_not_fit"
ABROAD_LIMIT: Final = "abroad_limit"
MESSAGE_LIMIT: Final = "message_limit"
DAY_LIMIT: Final = "day_limit"
UNKNOWN_MEMBER: Final = "unknown_member"
SENDER_NOT_ACTIVE: Final = "sender_not_active"
RECEIVER_NOT_ACTIVE: Final = "receiver_not_active"
TO_ITSELF: Final = "to_itself"
NOT_THE_ISSUER: Final = "not_the_issuer"

LotKey = tuple[str, bytes]


@dataclass(slots=True)
class Positions:
    """What the hub knows of rights, or the part of it that a message touches. Changed only by `apply_outcome`."""

    members: Mapping[str, Member]
    cents: dict[tuple[LotKey, str], int] = field(default_factory=dict)
    lots: dict[LotKey, tuple[int, int]] = field(default_factory=dict)  # class flags and month, as first announced
    abroad: dict[str, int] = field(default_factory=dict)
    ceded: dict[tuple[str, int], int] = field(default_factory=dict)  # by member and UTC day


@dataclass(frozen=True, slots=True)
class Ceded:
    """A slip of cessions arrives from `giver` for `taker`. A conversion draws on lots of its taker only."""

    giver: str
    taker: str
    cede: Cede
    at: Instant
    is_conversion: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """Cessions of a cleared slip end: `delivered` reach the taker, `restored` go back to the giver."""

    giver: str
    taker: str
    cede: Cede
    delivered: frozenset[int]
    restored: frozenset[int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a message does: who is refused and why, and the exact movements."""

    slip_code: str = ""
    refused: tuple[tuple[int, str], ...] = ()
    cents: Mapping[tuple[LotKey, str], int] = field(default_factory=dict)
    abroad: Mapping[str, int] = field(default_factory=dict)
    ceded: Mapping[tuple[str, int], int] = field(default_factory=dict)
    lots: Mapping[LotKey, tuple[int, int]] = field(default_factory=dict)
    transit: Mapping[LotKey, int] = field(default_factory=dict)  # onto the road (+) or off it (-), by lot


def clear(positions: Positions, message: Ceded | Ended) -> Outcome:
    """Return what the message does to these positions, which are not changed."""
    if isinstance(message, Ceded):
        return _clear_ceded(positions, message)
    return _clear_ended(message)


def repeat(giver: str, cede: Cede, slip_code: str, refused: tuple[tuple[int, str], ...]) -> Outcome:
    """Return what a slip of cessions moved when it was decided so. Its day's limit is not used a second time."""
    if slip_code:
        return Outcome(slip_code=slip_code)
    gone = {place for place, _ in refused}
    sums = sum_by_lot(cede, (place for place in range(cede.count) if place not in gone))
    home = sum(cents for (issuer, _), cents in sums.items() if issuer == giver)
    return Outcome(
        refused=refused,
        cents={(key, giver): -cents for key, cents in sums.items() if key[0] != giver},
        abroad={giver: home} if home else {},
        lots={(lot.issuer, lot.ref): (lot.kind, lot.month) for lot in cede.lots if (lot.issuer, lot.ref) in sums},
        transit=sums,
    )


def apply_outcome(positions: Positions, outcome: Outcome) -> None:
    """Move the positions as the outcome says. Raises ValueError where one would fall below zero: a broken book."""
    for key, delta in outcome.cents.items():
        after = positions.cents.get(key, 0) + delta
        if after < 0:
            raise ValueError(f"position {key} below zero")
        positions.cents[key] = after
    for issuer, delta in outcome.abroad.items():
        positions.abroad[issuer] = positions.abroad.get(issuer, 0) + delta
    for used, delta in outcome.ceded.items():
        positions.ceded[used] = positions.ceded.get(used, 0) + delta
    positions.lots.update(outcome.lots)


def _slip_code(positions: Positions, message: Ceded) -> str:
    """Return why the whole slip is refused, or nothing."""
    giver = positions.members.get(message.giver)
    taker = positions.members.get(message.taker)
    if giver is None or giver.status is not MemberStatus.ACTIVE:
        return SENDER_NOT_ACTIVE
    if taker is None:
        return UNKNOWN_MEMBER
    if message.giver == message.taker:
        return TO_ITSELF
    if taker.kind is MemberKind.HUB or taker.status is not MemberStatus.ACTIVE:
        return RECEIVER_NOT_ACTIVE
    return ""


def _clear_ceded(positions: Positions, message: Ceded) -> Outcome:
    slip_code = _slip_code(positions, message)
    if slip_code:
        return Outcome(slip_code=slip_code)
    giver, cede, now = message.giver, message.cede, message.at
    day = (giver, day_of(now))
    giving = _Giving(
        limits=positions.members[giver].limits,
        now=now,
        keys=[(lot.issuer, lot.ref) for lot in cede.lots],
        is_home=[lot.issuer == giver for lot in cede.lots],
        faults=[
            NOT_THE_ISSUER
            if message.is_conversion and lot.issuer != message.taker
            else _lot_fault(positions, lot, giver, is_south=positions.members[message.taker].kind is MemberKind.SOUTH)
            for lot in cede.lots
        ],
        left={
            (lot.issuer, lot.ref): positions.cents.get(((lot.issuer, lot.ref), giver), 0)
            for lot in cede.lots
            if lot.issuer != giver
        },
        used=positions.ceded.get(day, 0),
        abroad=positions.abroad.get(giver, 0),
    )
    refused: list[tuple[int, str]] = []
    cleared = _sum_by_place(cede)
    if not _is_all_clear(giving, cede, cleared):
        refused, cleared = _clear_one_by_one(giving, cede)
    keys, is_home = giving.keys, giving.is_home
    used = sum(cleared.values())
    abroad = sum(cents for place, cents in cleared.items() if is_home[place])
    return Outcome(
        refused=tuple(refused),
        cents={(keys[place], giver): -cents for place, cents in cleared.items() if not is_home[place]},
        abroad={giver: abroad} if abroad else {},
        ceded={day: used} if used else {},
        lots={
            keys[place]: (cede.lots[place].kind, cede.lots[place].month)
            for place in sorted(cleared)
            if keys[place] not in positions.lots
        },
        transit={keys[place]: cents for place, cents in cleared.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Giving:
    """What a giver may still do, and the slip's lots by their place in it."""

    limits: Limits
    now: Instant
    keys: list[LotKey]
    is_home: list[bool]
    faults: list[str]
    left: dict[LotKey, int]
    used: int
    abroad: int


def _is_all_clear(giving: _Giving, cede: Cede, sums: Mapping[int, int]) -> bool:
    """Tell whether the cessions of a slip all clear, in any order: what they draw in all fits, so each does."""
    total = sum(sums.values())
    home = sum(cents for place, cents in sums.items() if giving.is_home[place])
    return (
        not any(0 < term <= giving.now for term in cede.terms)
        and not any(giving.faults[place] for place in sums)
        and (total if cede.counts else max(cede.cents)) <= giving.limits.message_max
        and giving.used + total <= giving.limits.day_max
        and (not home or giving.abroad + home <= giving.limits.abroad_max)
        and all(giving.is_home[place] or giving.left[giving.keys[place]] >= cents for place, cents in sums.items())
    )


def _clear_one_by_one(giving: _Giving, cede: Cede) -> tuple[list[tuple[int, str]], dict[int, int]]:
    """Return which cessions are refused and why, and the cents of the others by place in the slip's list of lots."""
    limits, is_home, faults = giving.limits, giving.is_home, giving.faults
    left, used, abroad = dict(giving.left), giving.used, giving.abroad
    refused: list[tuple[int, str]] = []
    cleared: dict[int, int] = {}
    places, amounts, terms = cede.lot_places, cede.cents, cede.terms
    at = 0
    for place, count in enumerate(cede.counts or (1,) * len(amounts)):
        stop = at + count
        total = sum(amounts[at:stop])
        home_total = 0
        code = EXPIRED_TERM if terms and 0 < terms[place] <= giving.now else _limit_fault(limits, total, used)
        if not code:
            for draw in range(at, stop):
                lot_place = places[draw]
                if faults[lot_place]:
                    code = faults[lot_place]
                    break
                if is_home[lot_place]:
                    home_total += amounts[draw]
            else:
                if home_total and abroad + home_total > limits.abroad_max:
                    code = ABROAD_LIMIT
                elif home_total != total:
                    code = _take_foreign(left, giving.keys, is_home, places[at:stop], amounts[at:stop])
        if code:
            refused.append((place, code))
        else:
            used += total
            abroad += home_total
            for draw in range(at, stop):
                lot_place = places[draw]
                cleared[lot_place] = cleared.get(lot_place, 0) + amounts[draw]
        at = stop
    return refused, cleared


def _lot_fault(positions: Positions, lot: Lot, giver: str, *, is_south: bool) -> str:
    """Return why no cession may draw on this lot, or nothing. A foreign lot must have been announced by its issuer."""
    known = positions.lots.get((lot.issuer, lot.ref))
    if known is None and lot.issuer != giver:
        return POSITION_TOO_SMALL
    if known is not None and known != (lot.kind, lot.month):
        return LOT_CLASS_MISMATCH
    if is_south and not lot.kind & SOUTH_FIT:
        return CLASS_DOES_NOT_FIT
    return ""


def _limit_fault(limits: Limits, total: int, used: int) -> str:
    if total > limits.message_max:
        return MESSAGE_LIMIT
    if used + total > limits.day_max:
        return DAY_LIMIT
    return ""


def _take_foreign(
    left: dict[LotKey, int],
    keys: list[LotKey],
    is_home: list[bool],
    places: tuple[int, ...],
    amounts: tuple[int, ...],
) -> str:
    """Draw one cession's foreign parts from what is left, all or nothing."""
    wanted: dict[LotKey, int] = {}
    for place, cents in zip(places, amounts, strict=True):
        if not is_home[place]:
            wanted[keys[place]] = wanted.get(keys[place], 0) + cents
    if any(left[key] < cents for key, cents in wanted.items()):
        return POSITION_TOO_SMALL
    for key, cents in wanted.items():
        left[key] -= cents
    return ""


def _clear_ended(message: Ended) -> Outcome:
    giver, taker, cede = message.giver, message.taker, message.cede
    delivered = _sum_by_lot(cede, message.delivered)
    restored = _sum_by_lot(cede, message.restored)
    cents: dict[tuple[LotKey, str], int] = {}
    abroad: dict[str, int] = {}
    for key, amount in delivered.items():
        if key[0] == taker:
            abroad[taker] = abroad.get(taker, 0) - amount
        else:
            cents[key, taker] = cents.get((key, taker), 0) + amount
    for key, amount in restored.items():
        if key[0] == giver:
            abroad[giver] = abroad.get(giver, 0) - amount
        else:
            cents[key, giver] = cents.get((key, giver), 0) + amount
    transit = {key: -amount for key, amount in delivered.items()}
    for key, amount in restored.items():
        transit[key] = transit.get(key, 0) - amount
    return Outcome(cents=cents, abroad=abroad, transit=transit)


def _sum_by_place(cede: Cede) -> dict[int, int]:
    """Return the cents of all draws, by place in the slip's list of lots."""
    if len(cede.lots) == 1:
        return {0: sum(cede.cents)}
    sums: dict[int, int] = {}
    for place, cents in zip(cede.lot_places, cede.cents, strict=True):
        sums[place] = sums.get(place, 0) + cents
    return sums


def _sum_by_lot(cede: Cede, chosen: frozenset[int]) -> dict[LotKey, int]:
    """Return the cents per lot of the chosen cessions."""
    sums: dict[int, int] = {}
    if len(chosen) == cede.count:
        sums = _sum_by_place(cede)
    elif not cede.counts:
        for at in chosen:
            place = cede.lot_places[at]
            sums[place] = sums.get(place, 0) + cede.cents[at]
    else:
        at = 0
        for number, count in enumerate(cede.counts):
            stop = at + count
            if number in chosen:
                for place, cents in zip(cede.lot_places[at:stop], cede.cents[at:stop], strict=True):
                    sums[place] = sums.get(place, 0) + cents
            at = stop
    return {(cede.lots[place].issuer, cede.lots[place].ref): sums[place] for place in sorted(sums)}


def sum_by_lot(cede: Cede, chosen: Iterable[int]) -> dict[LotKey, int]:
    """Return the cents per lot of the cessions at these places."""
    return _sum_by_lot(cede, frozenset(chosen))
