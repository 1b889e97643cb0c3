"""Steps of what the fund knows of other territories, as doors describe them. Pure."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.desks.fund.donors_steps import READS, TREASURER
from node.doors.steps import Step


class SettlementLine(Struct, frozen=True):
    """An account that a fund settles by, and since when it is known."""

    name: str
    siren: str
    iban: str
    bic: str
    since: str


class CardLine(Struct, frozen=True):
    """Who decides in a territory and where its fund is paid, as its card says; what waits, and from when it counts."""

    territory: str
    decider: str | None
    account: SettlementLine | None
    waiting_decider: str | None
    waiting_account: SettlementLine | None
    counts_from: str | None
    disputed: bool


class CardsAnswer(Struct, frozen=True):
    """Territories by their codes."""

    rows: list[CardLine]


class OwnCardAnswer(Struct, frozen=True):
    """Our own account, as it was told last."""

    name: str
    siren: str
    iban: str
    bic: str
    day: str
    told_now: bool


CARDS_STEPS: Final = (
    Step(
        command="cards",
        summary="List what is known of other territories by their cards.",
        answers=CardsAnswer,
        duties=READS,
        reads=True,
    ),
    Step(
        command="card_own",
        summary="Tell our settlement account where it changed, and show what was told last.",
        answers=OwnCardAnswer,
        duties=TREASURER,
    ),
)
