"""What anybody is answered about a South programme and about guides, as typed structs. Pure. Bodies are named, nobody else is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from node.governance.days import format_day
from node.governance.south.gate import Gap, Programme
from node.governance.south.guide_service import make_accreditation
from node.governance.south.guides import read_guide, tell_guide
from node.governance.south.programmes import Line
from node.governance.south.reports import read_report
from protocol.errors import Fact
from protocol.identifiers import Id16, format_id
from protocol.running.explanations import explain


class GapLine(Struct, frozen=True):
    """One thing that is missing, with its sentence."""

    code: str
    facts: dict[str, Fact]
    explanation: str


class PartnerLine(Struct, frozen=True):
    """A partner; `proven_until` and `agreed_until` are the last days on which a proof and an agreement hold, or nothing."""

    partner: str
    name: str
    country: str
    kind: str
    registration: str
    ended_on: str
    proven_until: str
    agreed_until: str
    lists_checked_on: str


class BudgetAnswerLine(Struct, frozen=True):
    """`rate_millionths` of the currency's unit for one euro, as it was told; `reported_cents` of all reports."""

    line: int
    words: str
    country: str
    currency: str
    rate_millionths: int
    cents: int
    reported_cents: int


class ReportLine(Struct, frozen=True):
    from_day: str
    until_day: str
    cents: list[int]
    pictures: list[str]
    text: str


class ProgrammeAnswer(Struct, frozen=True):
    """A South programme: nothing of it is converted while `missing` names something."""

    project: str
    country: str
    purpose: str
    missing: list[GapLine]
    partners: list[PartnerLine]
    lines: list[BudgetAnswerLine]
    reports: list[ReportLine]


class GuideLine(Struct, frozen=True):
    """An accreditation; `title` is a function or a pseudonym."""

    guide: str
    title: str
    training: str
    from_day: str
    until_day: str
    state: str


class GuidesAnswer(Struct, frozen=True):
    guides: list[GuideLine]


def tell_gaps(gaps: Sequence[Gap], language: str) -> list[GapLine]:
    return [GapLine(gap.code, dict(gap.facts), explain(gap.code, gap.facts, language)) for gap in gaps]


def _day(number: int) -> str:
    return format_day(number) if number else ""


def _tell_partners(programme: Programme, today: int) -> list[PartnerLine]:
    lines: list[PartnerLine] = []
    for one in programme.partners:
        proofs = [proof.valid_until for proof in programme.proofs if proof.partner == one.id]
        agreed = [
            agreement.until_day
            for agreement in programme.agreements
            if agreement.partner == one.id and not agreement.is_over(today)
        ]
        checked = [told.checked_on for told in programme.clearances.get(one.id, ()) if told.is_confirmed]
        lines.append(
            PartnerLine(
                partner=format_id(one.id),
                name=one.name,
                country=one.country,
                kind=one.kind,
                registration=one.registration,
                ended_on=_day(one.ended_on),
                proven_until=_day(max(proofs, default=0)),
                agreed_until=_day(max(agreed, default=0)),
                lists_checked_on=_day(max(checked, default=0)),
            )
        )
    return lines


def _tell_lines(lines: Sequence[Line], reports: Sequence[ReportLine]) -> list[BudgetAnswerLine]:
    return [
        BudgetAnswerLine(
            line=at + 1,
            words=one.words,
            country=one.country,
            currency=one.currency,
            rate_millionths=one.rate,
            cents=one.cents,
            reported_cents=sum(report.cents[at] for report in reports),
        )
        for at, one in enumerate(lines)
    ]


def tell_report(row: Any) -> ReportLine:
    words = read_report(bytes(row.words))
    pictures = [digest.hex() for digest in words.pictures]
    return ReportLine(format_day(words.from_day), format_day(words.until_day), list(words.cents), pictures, words.text)


def tell_programme(
    row: Any, programme: Programme, reports: Sequence[Any], gaps: Sequence[Gap], *, today: int, language: str
) -> ProgrammeAnswer:
    told = [tell_report(one) for one in reports]
    return ProgrammeAnswer(
        project=format_id(Id16(bytes(row.project))),
        country=row.country,
        purpose=row.purpose,
        missing=tell_gaps(gaps, language),
        partners=_tell_partners(programme, today),
        lines=_tell_lines(programme.lines, told),
        reports=told,
    )


def tell_guide_row(row: Any, today: int) -> GuideLine:
    words = read_guide(bytes(row.words))
    return GuideLine(
        guide=format_id(Id16(bytes(row.id))),
        title=row.title,
        training=words.training,
        from_day=format_day(row.from_day),
        until_day=format_day(row.until_day),
        state=tell_guide(make_accreditation(row), today),
    )
