"""What the fund writes to donors, as plain text in French or English: notices before a debit, reminders. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Final, TypeVar

from node.fund.fund_errors import ReminderRefused

Words = TypeVar("Words")
_NOTICE: Final[Mapping[str, str]] = {
    "fr": (
        "Le {day} ou le premier jour ouvré suivant, {fund} prélèvera {euros} € sur votre compte {iban} pour votre don "
        "mensuel.\nRéférence du mandat : {umr}. Identifiant créancier : {creditor_id}.\n"
        "Pour suspendre ou arrêter, répondez à ce message. Vous pouvez demander le remboursement à votre banque dans "
        "les huit semaines qui suivent le débit."
    ),
    "en": (
        "On {day} or the first working day after it, {fund} will collect {euros} € from your account {iban} for your "
        "monthly gift.\nMandate reference: {umr}. Creditor identifier: {creditor_id}.\n"
        "To pause or stop, answer this message. You may ask your bank for a refund within eight weeks of the debit."
    ),
}
_REMINDERS: Final[Mapping[str, tuple[str, str]]] = {
    "fr": (
        "Madame, Monsieur,\n\nSauf erreur de notre part, {left} € restent attendus au titre de votre versement annoncé "
        "pour le {due} ({received} € reçus sur {cents} €).\n"
        "Vous pouvez les verser sur le compte {iban} au nom de {holder}, avec la référence {reference}.\n"
        "Si votre versement est parti, ce message est sans objet.\n\n{fund}",
        "Madame, Monsieur,\n\nNotre message du {before} est resté sans suite : {left} € restent attendus au titre de "
        "votre versement annoncé pour le {due}.\n"
        "Compte : {iban}, au nom de {holder}. Référence : {reference}.\n"
        "Si vous ne souhaitez plus donner, dites-le-nous : nous cesserons d'attendre ce versement.\n\n{fund}",
    ),
    "en": (
        "Dear Sir or Madam,\n\nUnless we are mistaken, {left} € are still expected of your payment announced for {due} "
        "({received} € received of {cents} €).\n"
        "You may pay to the account {iban} in the name of {holder}, with the reference {reference}.\n"
        "If your payment is on its way, please disregard this message.\n\n{fund}",
        "Dear Sir or Madam,\n\nOur message of {before} had no answer: {left} € are still expected of your payment "
        "announced for {due}.\n"
        "Account: {iban}, in the name of {holder}. Reference: {reference}.\n"
        "If you do not wish to give any more, tell us: we shall wait for it no longer.\n\n{fund}",
    ),
}


def write_notice(
    language: str, *, fund: str, creditor_id: str, umr: str, iban: str, cents: int, on: datetime.date
) -> str:
    """Return what a donor is told before a debit; the account shows its last four symbols. Raises ReminderRefused."""
    return _choose(_NOTICE, language).format(
        day=_day(on, language),
        fund=fund,
        euros=_euros(cents, language),
        iban=f"…{iban[-4:]}",
        umr=umr,
        creditor_id=creditor_id,
    )


def write_reminder(
    language: str,
    rank: int,
    *,
    fund: str,
    holder: str,
    iban: str,
    reference: str,
    cents: int,
    received: int,
    due: datetime.date,
    before: datetime.date | None,
) -> str:
    """Return the first or second reminder of a payment; the second names the day of the first. Raises ReminderRefused."""
    return _choose(_REMINDERS, language)[rank - 1].format(
        left=_euros(cents - received, language),
        received=_euros(received, language),
        cents=_euros(cents, language),
        due=_day(due, language),
        before="" if before is None else _day(before, language),
        iban=" ".join(iban[start : start + 4] for start in range(0, len(iban), 4)),
        holder=holder,
        reference=" ".join(reference[start : start + 4] for start in range(0, len(reference), 4)),
        fund=fund,
    )


def require_language(language: str) -> None:
    """Raises ReminderRefused."""
    _choose(_NOTICE, language)


def _choose(known: Mapping[str, Words], language: str) -> Words:
    if language not in known:
        raise ReminderRefused(payment=language[:10], reason="letters are written in fr or en")
    return known[language]


def _euros(cents: int, language: str) -> str:
    comma = "," if language == "fr" else "."
    return f"{cents // 100}{comma}{cents % 100:02d}"


def _day(day: datetime.date, language: str) -> str:
    return f"{day:%d/%m/%Y}" if language == "fr" else day.isoformat()
