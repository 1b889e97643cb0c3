"""The year of volunteers for the compte d'engagement citoyen: hours, duties, and who may ask for what. Pure.

The law counts calendar years: 200 hours in all, of which 100 in one association, as somebody who governs it or leads other
volunteers. The volunteer declares, the association attests; this file only tells both what the passes say. A group's pass
counts for nobody: it does not say whose hours they were.
Source: shared design, DOMAIN.md, 6; parameters/engagement.toml.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from node.governance.passes.passes import Duty, Pass, PassState
from protocol.identifiers import AccountNumber, format_id

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
HEADS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": (
        *("Année", "Compte", "Association", "SIREN ou RNA", "Rôle", "Fonction", "Premier jour", "Dernier jour"),
        *("Minutes", "Heures", "Confirmé le", "Validé par", "Validé le", "Citizen-Pass", "Compte pour le CEC"),
        *("Heures de l’année qui comptent", "Seuils atteints", "À déclarer avant le", "À attester avant le"),
    ),
    "en": (
        *("Year", "Account", "Association", "SIREN or RNA", "Role", "Duty", "First day", "Last day"),
        *("Minutes", "Hours", "Confirmed on", "Validated by", "Validated on", "Citizen-Pass", "Counts for the CEC"),
        *("Hours of the year that count", "Thresholds reached", "To be declared by", "To be attested by"),
    ),
}
_DUTIES: Final[Mapping[str, Mapping[Duty, str]]] = {
    "fr": {Duty.GOVERNING: "instance dirigeante", Duty.SUPERVISING: "encadrement", Duty.OTHER: "autre"},
    "en": {Duty.GOVERNING: "governing body", Duty.SUPERVISING: "supervision", Duty.OTHER: "other"},
}
_YES_NO: Final[Mapping[str, tuple[str, str]]] = {"fr": ("non", "oui"), "en": ("no", "yes")}


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementRules:
    """What the law asks for a year. The last days to declare and to attest are (month, day) of the year after."""

    minutes_total: int
    minutes_in_one: int
    association_years: int
    declare_by: tuple[int, int]
    attest_by: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """What the law asks of the body: association of 1901 or of Alsace-Moselle, of an activity of art. 200, declared when."""

    number: str
    is_association: bool
    is_of_general_interest: bool
    declared_on: datetime.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementRow:
    """One pass in one year. `counts` says whether its minutes count; the last two are of the holder's whole year."""

    year: int
    issued: Pass
    minutes: int
    counts: bool
    minutes_that_count: int
    has_reached: bool


def is_fit(association: Association, rules: EngagementRules, year: int) -> bool:
    """Tell whether volunteers of this body can have the CEC for that year: it was declared long enough at its end."""
    if not association.is_association or not association.is_of_general_interest or association.declared_on is None:
        return False
    declared = association.declared_on
    return (declared.year + rules.association_years, declared.month, declared.day) <= (year, 12, 31)


def tell_year(
    passes: Iterable[Pass], *, year: int, rules: EngagementRules, associations: Mapping[str, Association]
) -> list[EngagementRow]:
    """Return a row for each issued pass of a person with minutes in that year, by account and association.

    `associations` are by SIREN or RNA; one that is not there does not count.
    """
    told = [
        (one, minutes, _counts(one, year, rules, associations))
        for one in passes
        if one.state is PassState.ISSUED and not one.holder.is_group
        for of_year, minutes in one.work.minutes
        if of_year == year
    ]
    by_account: dict[AccountNumber, dict[str, int]] = {}
    for one, minutes, counts in told:
        if counts:
            per_body = by_account.setdefault(one.holder.account, {})
            per_body[one.work.bearer.number] = per_body.get(one.work.bearer.number, 0) + minutes
    rows = []
    for one, minutes, counts in sorted(told, key=_order):
        per_body = by_account.get(one.holder.account, {})
        total, most = sum(per_body.values()), max(per_body.values(), default=0)
        rows.append(
            EngagementRow(
                year=year,
                issued=one,
                minutes=minutes,
                counts=counts,
                minutes_that_count=total,
                has_reached=total >= rules.minutes_total and most >= rules.minutes_in_one,
            )
        )
    return rows


def write_year(rows: Iterable[EngagementRow], *, rules: EngagementRules, language: str = "fr") -> str:
    """Return the rows as CSV for a spreadsheet: semicolons, days as 2026-12-31, hours rounded down to the minute."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADS[language])
    for row in rows:
        writer.writerow([_cell(cell) for cell in _cells(row, rules, language)])
    return out.getvalue()


def _cells(row: EngagementRow, rules: EngagementRules, language: str) -> tuple[object, ...]:
    one, work = row.issued, row.issued.work
    assert one.checked is not None  # every issued pass was
    assert one.validated is not None
    return (
        row.year,
        one.holder.account,
        work.bearer.name,
        work.bearer.number,
        work.role,
        _DUTIES[language][work.duty],
        work.first_on,
        work.last_on,
        row.minutes,
        write_clock(row.minutes),
        one.checked.on,
        one.validated.body.name,
        one.validated.on,
        format_id(one.id),
        _YES_NO[language][row.counts],
        write_clock(row.minutes_that_count),
        _YES_NO[language][row.has_reached],
        datetime.date(row.year + 1, *rules.declare_by),
        datetime.date(row.year + 1, *rules.attest_by),
    )


def write_clock(minutes: int) -> str:
    """Return 12:30 for 750 minutes."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def _cell(value: object) -> str:
    text = str(value)
    # A spreadsheet would take it for a formula.
    return f"'{text}" if text.startswith(_FORMULA) else text


def _counts(one: Pass, year: int, rules: EngagementRules, associations: Mapping[str, Association]) -> bool:
    association = associations.get(one.work.bearer.number)
    return one.work.duty is not Duty.OTHER and association is not None and is_fit(association, rules, year)


def _order(told: tuple[Pass, int, bool]) -> tuple[str, str, datetime.date, bytes]:
    one = told[0]
    return one.holder.account, one.work.bearer.number, one.work.first_on, one.id
