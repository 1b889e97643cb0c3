"""What is missing before a South programme is opened, and before each of its rounds. Pure.

`missing` names all that is missing on a day, not only the first: who mends it should not have to ask again and again.
An agreement that ends, a proof that runs out, a statement that is too old or a report that is late blocks from that day on,
whatever was converted before. Source: DOMAIN.md 1.7 (define and control, finance directly, justify the expenses).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from node.governance.days import add_days, format_day
from node.governance.south.clearances import Clearance
from node.governance.south.programmes import Agreement, Line, Partner, PartnerProof
from node.governance.south.rules import SouthRules
from protocol.errors import Fact


class GapCode(StrEnum):
    """What may be missing; each is explained in French and English."""

    NOT_DECLARED = "south_not_declared"
    PURPOSE = "south_purpose_not_eligible"
    BEARER = "south_bearer_missing"
    BEARER_NOT_ELIGIBLE = "south_bearer_not_eligible"
    ACCOUNT_ABROAD = "south_account_abroad"
    PARTNER = "south_partner_missing"
    PARTNER_PROOF = "south_partner_proof_missing"
    PARTNER_PROOF_OVER = "south_partner_proof_over"
    AGREEMENT = "south_agreement_missing"
    AGREEMENT_NOT_BEGUN = "south_agreement_not_begun"
    AGREEMENT_OVER = "south_agreement_over"
    CLAUSE = "south_clause_missing"
    BUDGET = "south_budget_missing"
    BUDGET_DIFFERS = "south_budget_differs"
    CLEARANCE = "south_clearance_missing"
    CLEARANCE_HIT = "south_clearance_hit"
    CLEARANCE_OLD = "south_clearance_old"
    REPORT_LATE = "south_report_late"


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing, with its facts."""

    code: GapCode
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme as it stands. `bearer` is a registry number, or nothing; `bearer_code` and `bearer_reason` say why the
    law lets no fund pay it today, or nothing; `account_country` is where its account is. `clearances` and `proofs` stand by
    partner. `paid_since` is the day of the first round, `told_until` the last day of the last report; 0: none.
    """

    purpose: str
    target: int
    bearer: str = ""
    bearer_code: str = ""
    bearer_reason: str = ""
    account_country: str = ""
    partners: tuple[Partner, ...] = ()
    proofs: tuple[PartnerProof, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    clearances: Mapping[bytes, tuple[Clearance, ...]] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    paid_since: int = 0
    told_until: int = 0


def missing(programme: Programme, today: int, rules: SouthRules) -> tuple[Gap, ...]:
    """Return all that is missing on that day, in the order in which it is mended; nothing where the programme may go on."""
    gaps: list[Gap] = []
    if programme.purpose not in rules.purposes:
        gaps.append(Gap(GapCode.PURPOSE, {"purpose": programme.purpose}))
    gaps += _of_bearer(programme, rules)
    partners = [one for one in programme.partners if not (one.ended_on and today >= one.ended_on)]
    if not partners:
        gaps.append(Gap(GapCode.PARTNER))
    for partner in partners:
        gaps += _of_proofs(partner, [one for one in programme.proofs if one.partner == partner.id], today)
        own = [one for one in programme.agreements if one.partner == partner.id]
        gaps += _of_agreements(partner, own, today, rules)
        gaps += _of_clearances(partner, programme.clearances.get(partner.id, ()), today, rules)
    gaps += _of_budget(programme)
    return (*gaps, *_of_reports(programme, today, rules))


def _of_bearer(programme: Programme, rules: SouthRules) -> list[Gap]:
    if not programme.bearer:
        return [Gap(GapCode.BEARER)]
    gaps: list[Gap] = []
    if programme.bearer_code:
        facts: dict[str, Fact] = {
            "bearer": programme.bearer,
            "reason": programme.bearer_reason or programme.bearer_code,
        }
        gaps.append(Gap(GapCode.BEARER_NOT_ELIGIBLE, facts))
    if programme.account_country not in rules.account_countries:
        gaps.append(Gap(GapCode.ACCOUNT_ABROAD, {"bearer": programme.bearer, "country": programme.account_country}))
    return gaps


def _of_proofs(partner: Partner, proofs: Sequence[PartnerProof], today: int) -> list[Gap]:
    if any(one.issued_on <= today <= one.valid_until for one in proofs):
        return []
    over = [one.valid_until for one in proofs if one.valid_until < today]
    if over:
        return [Gap(GapCode.PARTNER_PROOF_OVER, {"partner": partner.name, "day": format_day(max(over))})]
    return [Gap(GapCode.PARTNER_PROOF, {"partner": partner.name})]


def _of_agreements(partner: Partner, agreements: Sequence[Agreement], today: int, rules: SouthRules) -> list[Gap]:
    if not agreements:
        return [Gap(GapCode.AGREEMENT, {"partner": partner.name})]
    living = [one for one in agreements if not one.is_over(today)]
    begun = [one for one in living if one.first_day <= today]
    if begun:
        lacking = min((sorted(rules.clauses - one.clauses) for one in begun), key=lambda one: (len(one), one))
        facts: dict[str, Fact] = {"partner": partner.name, "clauses": ", ".join(lacking)}
        return [Gap(GapCode.CLAUSE, facts)] if lacking else []
    if living:
        day = min(one.first_day for one in living)
        return [Gap(GapCode.AGREEMENT_NOT_BEGUN, {"partner": partner.name, "day": format_day(day)})]
    day = max(min(one.until_day, one.ended_on or one.until_day) for one in agreements)
    return [Gap(GapCode.AGREEMENT_OVER, {"partner": partner.name, "day": format_day(day)})]


def _of_clearances(partner: Partner, clearances: Sequence[Clearance], today: int, rules: SouthRules) -> list[Gap]:
    clear = max((one.checked_on for one in clearances if one.is_clear and one.is_confirmed), default=0)
    hit = max((one.checked_on for one in clearances if not one.is_clear), default=0)
    if hit and hit >= clear:
        return [Gap(GapCode.CLEARANCE_HIT, {"partner": partner.name, "day": format_day(hit)})]
    if not clear:
        return [Gap(GapCode.CLEARANCE, {"partner": partner.name, "signatures": min(1, len(clearances))})]
    if today > add_days(clear, rules.clearance_days):
        return [Gap(GapCode.CLEARANCE_OLD, {"partner": partner.name, "day": format_day(clear)})]
    return []


def _of_budget(programme: Programme) -> list[Gap]:
    if not programme.lines:
        return [Gap(GapCode.BUDGET)]
    planned = sum(one.cents for one in programme.lines)
    if planned != programme.target:
        return [Gap(GapCode.BUDGET_DIFFERS, {"planned": planned, "target": programme.target})]
    return []


def _of_reports(programme: Programme, today: int, rules: SouthRules) -> list[Gap]:
    if not programme.paid_since:
        return []
    since = max(programme.paid_since, add_days(programme.told_until, 1) if programme.told_until else 0)
    due = add_days(since, rules.report_every_days + rules.report_grace_days)
    if today <= due:
        return []
    return [Gap(GapCode.REPORT_LATE, {"since": format_day(since), "day": format_day(due)})]
