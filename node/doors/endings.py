"""A duty that ended among the people ends here: which keys of a base it is about. Pure.

The people's base tells the word under which this base writes an officer down, never who he is. What was made before the duty
ended holds no more; what is made afterwards is a successor's, or his own by a duty given anew, and stays. So the same telling
may come twice, or again to an old copy, and ends the same keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from node.doors.duties import Duty
from protocol.house import DutyEnded

# Which duties of doors go with a duty among the people. One that is not named here ends all keys of its word.
DOORS_OF: Final[Mapping[str, frozenset[str]]] = {
    "treasurer": frozenset({Duty.TREASURER, Duty.ACCOUNTANT}),
    "signatory": frozenset({Duty.OFFICER}),
    "committee_secretary": frozenset({Duty.SECRETARY}),
    "moderator": frozenset({Duty.MODERATOR}),
    "auditor": frozenset({Duty.AUDITOR, Duty.READER}),
    "campaign_officer": frozenset({Duty.CLERK, Duty.COMPANY}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A key of this base: the word of its officer, the duties it is for, when it was made, and whether it is in force."""

    id: str
    name: str
    duties: frozenset[str]
    made_at: int
    is_live: bool


def is_ended_by(ended: DutyEnded, key: HeldKey) -> bool:
    """Tell whether a key holds no more once that duty is over."""
    if not ended.word or key.name != ended.word or key.made_at > ended.at:
        return False
    of_duty = DOORS_OF.get(ended.duty)
    return ended.is_last or of_duty is None or not of_duty.isdisjoint(key.duties)


def find_newest(told: Iterable[DutyEnded]) -> dict[bytes, DutyEnded]:
    """Return what was told last of each role."""
    return {one.role: one for one in told}


def find_live(told: Iterable[DutyEnded], keys: Iterable[HeldKey]) -> Iterator[tuple[DutyEnded, HeldKey]]:
    """Yield each key that is in force although the duty it was made for has ended."""
    live = [key for key in keys if key.is_live]
    return ((ended, key) for ended in told for key in live if is_ended_by(ended, key))
