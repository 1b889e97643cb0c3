"""What is written where on the picture and on the printed pass, as texts in French or English: templates lay out only. Pure."""

from __future__ import annotations

import datetime
import io
from collections.abc import Mapping
from typing import Any, Final

import segno

from node.governance.passes.credentials import write_hours
from node.governance.passes.pass_proofs import PassProof
from node.governance.passes.passes import Duty, Pass
from node.governance.skills import Skills
from protocol.identifiers import format_id

MONTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
        *("août", "septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "validated": "travail bénévole validé",
        "hours": "heures",
        "people": "{people} personnes",
        "skills_one": "1 compétence",
        "skills": "{count} compétences",
        "title": "Citizen-Pass",
        "subtitle": "Attestation de travail bénévole validé",
        "holder": "Titulaire",
        "unnamed": "la personne qui détient le code de titulaire",
        "unnamed_did": "la personne qui détient l’identité {did}",
        "a_group": "un groupe de {people} personnes",
        "a_named_group": "{label}, un groupe de {people} personnes",
        "project": "Projet",
        "bearer": "Porteur",
        "role": "Rôle",
        "duty": "Fonction",
        "governing": "membre d’une instance dirigeante",
        "supervising": "encadrement de bénévoles",
        "other": "bénévole",
        "when": "Période",
        "from_to": "du {first} au {last}",
        "on_day": "le {first}",
        "total": "Total : {hours}",
        "hours_title": "Heures",
        "year": "Année",
        "tasks": "Travail accompli",
        "skills_title": "Compétences confirmées",
        "code": "code",
        "evidence": "À l’appui",
        "who": "Qui l’atteste",
        "checked": "Confirmé par le porteur",
        "validated_by": "Validé par le comité",
        "by": "{body} ({number}), le {day}",
        "issued": "Délivré le {day} par {issuer}",
        "until": "Valable jusqu’au {day}",
        "for_ever": "Sans date de fin",
        "number": "Pass n°",
        "verify": "Vérifier : scannez ce code, ou recopiez l’adresse.",
        "verify_alt": "Code QR : adresse de vérification du pass, {proof}",
        "standing": "Un pass peut être suspendu ou révoqué après son impression : seule la vérification dit s’il compte encore.",
        "holder_code": "Code de titulaire (à garder pour soi) :",
        "name_note": "Le nom est imprimé à la demande du titulaire. Il n’est ni signé, ni conservé.",
        "page": "Page",
        "of": "sur",
    },
    "en": {
        "validated": "validated volunteer work",
        "hours": "hours",
        "people": "{people} people",
        "skills_one": "1 skill",
        "skills": "{count} skills",
        "title": "Citizen-Pass",
        "subtitle": "Certificate of validated volunteer work",
        "holder": "Holder",
        "unnamed": "the person who has the holder’s code",
        "unnamed_did": "the person who has the identity {did}",
        "a_group": "a group of {people} people",
        "a_named_group": "{label}, a group of {people} people",
        "project": "Project",
        "bearer": "Bearer",
        "role": "Role",
        "duty": "Duty",
        "governing": "member of a governing body",
        "supervising": "supervision of volunteers",
        "other": "volunteer",
        "when": "Period",
        "from_to": "from {first} to {last}",
        "on_day": "on {first}",
        "total": "Total: {hours}",
        "hours_title": "Hours",
        "year": "Year",
        "tasks": "Work done",
        "skills_title": "Confirmed skills",
        "code": "code",
        "evidence": "In support",
        "who": "Who certifies it",
        "checked": "Confirmed by the bearer",
        "validated_by": "Validated by the committee",
        "by": "{body} ({number}), on {day}",
        "issued": "Issued on {day} by {issuer}",
        "until": "Valid until {day}",
        "for_ever": "Without an end",
        "number": "Pass no.",
        "verify": "To verify: scan this code, or copy the address.",
        "verify_alt": "QR code: address where the pass is verified, {proof}",
        "standing": "A pass can be suspended or revoked after it was printed: only verifying tells whether it still counts.",
        "holder_code": "Holder’s code (keep it to yourself):",
        "name_note": "The name is printed because the holder asked for it. It is neither signed nor kept.",
        "page": "Page",
        "of": "of",
    },
}
_DUTIES: Final = {Duty.GOVERNING: "governing", Duty.SUPERVISING: "supervising", Duty.OTHER: "other"}


def write_picture_sheet(issued: Pass, *, issuer: str) -> dict[str, Any]:
    """Return what the picture shows; it names nobody but a group that has a public name."""
    words, work = WORDS[issued.language], issued.work
    hours, minutes = divmod(work.total, 60)
    skills = len(work.skills)
    people = words["people"].format(people=issued.holder.people) if issued.holder.is_group else ""
    first, last = work.first_on.year, work.last_on.year
    return {
        "lang": issued.language,
        "title": words["title"],
        "hours": str(hours),
        "minutes": f"{minutes:02d}" if minutes else "",
        "unit": words["hours"],
        "role": work.role,
        "project": work.project_name,
        "year": str(first) if first == last else f"{first}–{last}",
        "skills": ("" if not skills else words["skills_one"] if skills == 1 else words["skills"].format(count=skills)),
        "people": people,
        "label": issued.holder.label,
        "issuer": issuer,
        "validated": words["validated"],
    }


def write_pass_sheet(
    issued: Pass,
    *,
    issuer: str,
    proof: PassProof,
    skills: Skills,
    holder_code: str = "",
    name: str = "",
) -> dict[str, Any]:
    """Return what the printed pass shows. `name` only where the holder asks for it; nobody keeps it.

    Raises ValueError where the pass was not issued, InvalidSkill.
    """
    if issued.issued_at is None or issued.checked is None or issued.validated is None:
        raise ValueError("a pass that was not issued is not printed")
    words, work, language = WORDS[issued.language], issued.work, issued.language
    issued_on = datetime.date(1970, 1, 1) + datetime.timedelta(milliseconds=issued.issued_at)
    first, last = write_day(work.first_on, language), write_day(work.last_on, language)
    period = words["on_day" if first == last else "from_to"].format(first=first, last=last)
    return {
        "lang": language,
        "words": dict(words),
        "number": format_id(issued.id),
        "holder": name or _holder(issued, words),
        "name_note": words["name_note"] if name else "",
        "facts": [
            [words["project"], work.project_name],
            [words["bearer"], f"{work.bearer.name} ({work.bearer.number})"],
            [words["role"], work.role],
            [words["duty"], words[_DUTIES[work.duty]]],
            [words["when"], period],
        ],
        "hours": [[str(year), write_hours(minutes)] for year, minutes in work.minutes],
        "total": words["total"].format(hours=write_hours(work.total)),
        "tasks": work.tasks,
        "skills": [_skill(skills, code, language) for code in work.skills],
        "evidence": [[one.words, one.url] for one in work.evidence],
        "validations": [
            [
                words[label],
                words["by"].format(body=one.body.name, number=one.body.number, day=write_day(one.on, language)),
            ]
            for label, one in (("checked", issued.checked), ("validated_by", issued.validated))
        ],
        "issued": words["issued"].format(day=write_day(issued_on, language), issuer=issuer),
        "until": (
            words["for_ever"]
            if issued.valid_until is None
            else words["until"].format(day=write_day(issued.valid_until, language))
        ),
        "holder_code": holder_code,
        "proof": {
            "svg": _draw_code(proof),
            "lines": list(proof.lines),
            "alt": words["verify_alt"].format(proof=proof),
        },
        "date": {"year": issued_on.year, "month": issued_on.month, "day": issued_on.day},
    }


def write_day(day: datetime.date, language: str) -> str:
    """Return 1er mars 2027, or 1 March 2027."""
    number = "1er" if day.day == 1 and language == "fr" else str(day.day)
    return f"{number} {MONTHS[language][day.month - 1]} {day.year}"


def _holder(issued: Pass, words: Mapping[str, str]) -> str:
    holder = issued.holder
    if holder.label:
        return words["a_named_group"].format(label=holder.label, people=holder.people)
    if holder.is_group:
        return words["a_group"].format(people=holder.people)
    return words["unnamed_did"].format(did=holder.did) if holder.did else words["unnamed"]


def _skill(skills: Skills, code: str, language: str) -> list[str]:
    skill = skills.require(code)
    vocabulary = skills.vocabularies[skill.vocabulary]
    title = vocabulary.title if vocabulary.version in vocabulary.title else f"{vocabulary.title} {vocabulary.version}"
    return [skill.words[language], f"{title}, {WORDS[language]['code']} {skill.own_code}"]


def _draw_code(proof: PassProof) -> str:
    out = io.BytesIO()
    segno.make(str(proof), error="m", micro=False).save(out, kind="svg", border=4, xmldecl=False, svgns=True)
    return out.getvalue().decode()
