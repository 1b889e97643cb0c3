"""Words and refusals of the catalogue's room. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from protocol.errors import Refusal
from protocol.times import DAY_MS

CARD_EVERY_MS: Final = 7 * DAY_MS  # a card is signed anew, so that its age says something
OLD_AFTER_DAYS: Final = 8  # a catalogue is signed anew each day where projects are open
LIMIT_MAX: Final = 200


# By urgency: French, English.
URGENCY_WORDS: Final = (
    ("sans urgence", "not urgent"),
    ("dans la saison", "this season"),
    ("dans quelques semaines", "within weeks"),
    ("dans quelques jours", "within days"),
)


class OwnWord(StrEnum):
    """What bases of our house sign for the card or beside it."""

    SETTLEMENT = "settlement"
    CATALOGUE = "catalogue"


class Line(StrEnum):
    """What is kept of the line to the hub."""

    SINCE = "since"  # the last place that was read
    FETCHED_AT = "fetched_at"
    PUSHED_AT = "pushed_at"
    PUSHED_CARD = "pushed_card"  # numbers that the hub said it has
    PUSHED_CATALOGUE = "pushed_catalogue"


class ProjectNotListed(Refusal):
    """No catalogue that is shown lists it. Facts: address."""

    code = "project_not_listed"


class NothingToPublish(Refusal):
    """This territory has neither a fund nor a projects' base."""

    code = "nothing_to_publish"


class KeyNotShown(Refusal):
    """The directory does not show the key that this node signs with: nobody could verify what it publishes."""

    code = "key_not_shown"
