"""What a base that came back from an old copy does not know of itself: named, for a person to act on. Pure.

The accounts know numbers, and no names. So an account that was opened since the copy is there, and whose it is stands on
paper alone; a person's account that was frozen tells that something was declared, and not what.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class LostKind(StrEnum):
    """What is lost; what a person does then: `explain_lost`."""

    OPENED = "opened"  # an account was opened since
    LINKED = "linked"  # an account that was there already became somebody's since
    FREE = "free"  # it was free on the copy, and may be on a card since
    CLOSING = "closing"  # a person's accounts were asked to be closed since
    FROZEN = "frozen"  # a person's account was frozen since
    ERASED = "erased"  # the base erased this person again by itself
    ROLE = "role"  # the base ended this role again by itself


# Settled by the base itself, once somebody is linked to the account again.
BY_LINK: Final = frozenset({LostKind.OPENED, LostKind.LINKED, LostKind.FREE})
# Nothing is left to be done: they are told because they were done without anybody.
DONE: Final = frozenset({LostKind.ERASED, LostKind.ROLE})
_WORDS: Final[Mapping[LostKind, tuple[str, str]]] = {
    LostKind.OPENED: (
        "compte ouvert depuis la copie, plus lié à personne : retrouvez la demande sur papier et liez-le (account link)",
        "account opened since the copy, linked to nobody: find the request on paper and link it (account link)",
    ),
    LostKind.LINKED: (
        "compte lié à quelqu'un depuis la copie : retrouvez à qui sur papier et liez-le de nouveau (account link)",
        "account linked to somebody since the copy: find whom on paper and link it again (account link)",
    ),
    LostKind.FREE: (
        "compte libre sur la copie, peut-être sur une carte depuis : aucune carte n'est plus imprimée dessus ; si quelqu'un"
        " vient avec cette carte, liez le compte (account link) et donnez-lui-en une autre",
        "account free on the copy, perhaps on a card since: no card is printed on it any more; if somebody comes with that"
        " card, link the account (account link) and give him another",
    ),
    LostKind.CLOSING: (
        "fermeture demandée depuis la copie : effacement ou règle après un décès ? Refaites la demande, puis lost settle",
        "asked to be closed since the copy: an erasure, or the rule after a death? Ask again, then lost settle",
    ),
    LostKind.FROZEN: (
        "compte gelé depuis la copie : un décès a été déclaré. Déclarez-le de nouveau, puis lost settle",
        "account frozen since the copy: a death was declared. Declare it again, then lost settle",
    ),
    LostKind.ERASED: (
        "personne effacée depuis la copie : la base l'a effacée de nouveau. Rien à faire ; lost settle l'ôte de la liste",
        "person erased since the copy: the base erased her again. Nothing to do; lost settle takes it off the list",
    ),
    LostKind.ROLE: (
        "rôle terminé depuis la copie : la base l'a terminé de nouveau. Rien à faire ; lost settle l'ôte de la liste",
        "role ended since the copy: the base ended it again. Nothing to do; lost settle takes it off the list",
    ),
}


def explain_lost(kind: str, language: str) -> str:
    """Return what happened and what a person does, in French or English."""
    french, english = _WORDS[LostKind(kind)]
    return french if language == "fr" else english
