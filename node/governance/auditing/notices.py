"""What an auditor is told of a mission: that it is offered, that it waits, that it is due. French or English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.governance.auditing.missions import MissionState, ReminderKind
from node.governance.days import format_day


class NoticeKind(StrEnum):
    OFFERED = "offered"  # until it is answered: nobody has to be reminded first
    ANSWER = ReminderKind.ANSWER.value
    DUE_SOON = ReminderKind.DUE_SOON.value
    OVERDUE = ReminderKind.OVERDUE.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell an auditor of one mission, since `at` (milliseconds). Days are yyyymmdd."""

    mission: bytes
    title: str
    kind: NoticeKind
    answer_by: int
    due_on: int
    at: int


# What a reminder says holds as long as the mission stands so.
_SAID: Final[Mapping[MissionState, tuple[NoticeKind, ...]]] = {
    MissionState.OFFERED: (NoticeKind.ANSWER,),
    MissionState.ACCEPTED: (NoticeKind.DUE_SOON, NoticeKind.OVERDUE),
}


def choose_notices(state: MissionState, offered_at: int, reminders: Mapping[str, int]) -> list[tuple[NoticeKind, int]]:
    """Return what is to be told of a mission, and since when: `reminders` are those not passed on, by kind.

    Of several the last one alone; an offer is told until it is answered.
    """
    said = [kind for kind in _SAID.get(state, ()) if kind in reminders]
    if said:
        return [(said[-1], reminders[said[-1]])]
    return [(NoticeKind.OFFERED, offered_at)] if state is MissionState.OFFERED else []


_SENTENCES: Final[Mapping[NoticeKind, tuple[str, str]]] = {
    NoticeKind.OFFERED: (
        "Vous êtes tiré au sort pour auditer « {title} ». Répondez avant le {answer_by} inclus.",
        "You were drawn to audit “{title}”. Answer by {answer_by}.",
    ),
    NoticeKind.ANSWER: (
        "La mission sur « {title} » attend votre réponse jusqu'au {answer_by} inclus ; ensuite quelqu'un d'autre est appelé.",
        "The mission on “{title}” waits for your answer until {answer_by}; then somebody else is called.",
    ),
    NoticeKind.DUE_SOON: (
        "Votre rapport sur « {title} » est attendu le {due_on}.",
        "Your report on “{title}” is due on {due_on}.",
    ),
    NoticeKind.OVERDUE: (
        "Votre rapport sur « {title} » était attendu le {due_on} ; sans lui, quelqu'un d'autre est appelé.",
        "Your report on “{title}” was due on {due_on}; without it somebody else is called.",
    ),
}


def write_notice(notice: Notice, language: str) -> str:
    """Return the sentence, in French unless `language` is en."""
    sentence = _SENTENCES[notice.kind][language == "en"]
    days = {"answer_by": format_day(notice.answer_by), "due_on": format_day(notice.due_on)}
    return sentence.format(title=notice.title, **days)
