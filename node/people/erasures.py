"""Erasure: when it can be done, what is kept all the same and why, and the letter that says so. Pure.

    CLOSING ◀──▶ IN_FLIGHT        rights are on their way: nobody is cut off from what he gave; asked again until they came
       ▲ │
       │ ├────▶ RIGHTS_HELD       rights are held, or that account takes none: the person says into which they go
       │ └────▶ DONE              every account is closed: the person's data key is destroyed
       └──────▶ CANCELLED         by the person, before it is done

Source: RGPD art. 17 and 17-3-b; what is kept, for how long, stands in parameters/retention.toml with its law.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from node.people.accounts import ENDED, LinkState
from node.people.days import format_day, read_day, write_day
from node.people.errors import ErasureEnded
from protocol.identifiers import Id16, format_id


class ErasureState(StrEnum):
    CLOSING = "closing"
    IN_FLIGHT = "in_flight"
    RIGHTS_HELD = "rights_held"
    DONE = "done"
    CANCELLED = "cancelled"


OVER: Final = frozenset({ErasureState.DONE, ErasureState.CANCELLED})


class Standing(NamedTuple):
    """One account of somebody who wants to be erased: `moving` is what is reserved or on its way, in cents."""

    state: LinkState
    moving: int


def judge(accounts: Iterable[Standing]) -> ErasureState:
    """Return where an erasure stands, by what the accounts said of each account."""
    told = [one for one in accounts if one.state not in ENDED]
    if not told:
        return ErasureState.DONE
    if any(one.state is LinkState.BUSY and one.moving for one in told):
        return ErasureState.IN_FLIGHT
    if any(one.state is LinkState.BUSY for one in told):
        return ErasureState.RIGHTS_HELD
    return ErasureState.CLOSING


def require_running(state: ErasureState, id_: Id16) -> None:
    """Raises ErasureEnded."""
    if state in OVER:
        raise ErasureEnded(erasure=format_id(id_), state=str(state))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """What is kept for so many years after the end of the year; 0: as long as its base exists, without any name.

    `needs`: kept only where this is so: `accounts`, `gifts` (we cannot know: said with an "if"), or nothing.
    """

    what: str
    base: str
    years: int
    needs: str
    source: str
    is_verified: bool
    french: str
    english: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One line of what is kept: `until` is yyyymmdd, the latest day, or 0."""

    what: str
    base: str
    until: int
    source: str
    is_verified: bool
    french: str
    english: str


def plan(rules: Sequence[RetentionRule], *, day: int, has_accounts: bool) -> tuple[Kept, ...]:
    """Return what is kept of somebody who is erased on that day, in the order of the rules."""
    kept: list[Kept] = []
    for rule in rules:
        if rule.needs == "accounts" and not has_accounts:
            continue
        year = read_day(day).year
        kept.append(
            Kept(
                what=rule.what,
                base=rule.base,
                until=write_day(read_day(day).replace(year=year + rule.years, month=12, day=31)) if rule.years else 0,
                source=rule.source,
                is_verified=rule.is_verified,
                french=rule.french,
                english=rule.english,
            )
        )
    return tuple(kept)


_OPENING: Final[Mapping[str, str]] = {
    "fr": (
        "Vous avez demandé l'effacement de vos données (règlement (UE) 2016/679, article 17). C'est fait le {day} : la clé"
        " qui ouvrait votre fiche, son historique et vos moyens de connexion est détruite ; plus personne ne peut les lire,"
        " nous non plus. Vos comptes sont fermés."
    ),
    "en": (
        "You asked for the erasure of your data (regulation (EU) 2016/679, article 17). It was done on {day}: the key that"
        " opened your record, its history and your means of sign-in is destroyed; nobody can read them any more, nor can"
        " we. Your accounts are closed."
    ),
}
_KEPT: Final[Mapping[str, str]] = {
    "fr": "La loi nous oblige ou nous autorise à garder ceci (article 17, paragraphe 3) :",
    "en": "The law obliges or allows us to keep this (article 17, paragraph 3):",
}
_UNTIL: Final[Mapping[str, tuple[str, str]]] = {
    "fr": ("au plus tard jusqu'au {until}", "sans terme, et sans rien qui vous nomme"),
    "en": ("until {until} at the latest", "without a term, and without anything that names you"),
}
_TO_CHECK: Final[Mapping[str, str]] = {"fr": "référence à vérifier", "en": "reference to be checked"}
_CLOSING: Final[Mapping[str, str]] = {
    "fr": (
        "Les copies de sauvegarde faites avant ce jour s'effacent à leur rythme ; la clé de base est renouvelée avec elles."
        " Vous pouvez saisir la CNIL (www.cnil.fr)."
    ),
    "en": (
        "Backup copies made before that day go at their own pace; the base key is renewed with them. You may lodge a"
        " complaint with the CNIL (www.cnil.fr)."
    ),
}


def write_letter(kept: Sequence[Kept], *, day: int, language: str) -> str:
    """Return the answer to whoever was erased, in French or English."""
    lines = [_OPENING[language].format(day=format_day(day)), "", _KEPT[language], ""]
    for one in kept:
        until, without = _UNTIL[language]
        term = until.format(until=format_day(one.until)) if one.until else without
        words = one.french if language == "fr" else one.english
        source = one.source if one.is_verified else f"{one.source}, {_TO_CHECK[language]}"
        lines.append(f"- {words} ({term} ; {source})" if language == "fr" else f"- {words} ({term}; {source})")
    return "\n".join([*lines, "", _CLOSING[language], ""])
