"""What a fund owes for a conversion, and how far its euros are. Pure.

A conversion that its issuer took is an obligation of the issuer's fund. Two parties speak of it, each in its own log: the
issuer (paid, rejected by the bank, or put into a window of netting), and the territory that asked (the bearer has it).
The last word of each side is kept apart from the other's, so that the order in which two logs are read changes nothing:
a hub that reads its members' logs again after a loss finds the same.

                     PAID                 CONFIRMED
    OWED ─────────────────────▶ PAID ─────────────────▶ CONFIRMED
      ▲  ◀──── REJECTED ────────┘                          ▲
      └─────── NETTED ─────────▶ NETTED ───── CONFIRMED ───┘

NETTED is a last word: from then on the project's own fund pays, and the two funds settle in a window (windows.py).

Source: SPEC.md, "Conversion"; shared design, ARCHITECTURE.md, "Conversion and settlement".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from protocol.messages import SettledState


class ObligationState(StrEnum):
    """How far the euros of a conversion are."""

    OWED = "owed"
    PAID = "paid"
    REJECTED = "rejected"  # the bank sent it back: owed, and somebody has to look
    NETTED = "netted"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Obligation:
    """One conversion that was taken, or may yet be; or what one fund pays another at the end of a window (no project).

    `said_on` and `confirmed_on` are days (yyyymmdd); 0: nothing said. `window` is the one in which it was netted, or 0.
    """

    debtor: str  # the issuer, whose fund owes
    creditor: str  # the territory that asked
    project: bytes
    cents: int
    said: SettledState | None = None
    said_on: int = 0
    confirmed_on: int = 0
    window: int = 0

    @property
    def state(self) -> ObligationState:
        if self.said in (None, SettledState.REJECTED):
            # A confirmation of what is not paid is kept, and counts from the payment on.
            return ObligationState.OWED if self.said is None else ObligationState.REJECTED
        if self.confirmed_on:
            return ObligationState.CONFIRMED
        return ObligationState.PAID if self.said is SettledState.PAID else ObligationState.NETTED


def settle(obligation: Obligation, speaker: str, state: SettledState, day: int) -> Obligation | None:
    """Return the obligation after one party's word, or None where it is not that party's to say, or not any more."""
    if state is SettledState.CONFIRMED:
        return replace(obligation, confirmed_on=day) if speaker == obligation.creditor else None
    if speaker != obligation.debtor or obligation.said is SettledState.NETTED:
        return None
    return replace(obligation, said=state, said_on=day)
