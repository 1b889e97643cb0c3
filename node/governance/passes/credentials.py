"""A pass as an Open Badge 3.0: the document before it is signed. Pure.

The public contexts are named by their addresses, never copied. All words are in the pass's language. What says the hours
is exact: ISO 8601 durations, one for each calendar year. Who confirmed stands in the evidence, by body and decision.
The pictures are bound by their digests: a genuine credential in another picture is seen.
Source: Open Badges 3.0 (AchievementCredential); VC Data Model 2.0, 5.3 (relatedResource).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from node.governance.passes.canonical_json import Document
from node.governance.passes.holders import derive_holder_code, derive_salt, hash_identity
from node.governance.passes.issuers import Issuer
from node.governance.passes.passes import Pass, PassState, Validation
from node.governance.passes.status_lists import StatusIndex, write_entries
from node.governance.passes.times import write_time
from node.governance.skills import Skills, write_skill_url
from protocol.identifiers import format_id

CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
TYPES: Final = ("VerifiableCredential", "AchievementCredential")
IDENTITY_TYPE: Final = "ext:holderCode"
PNG: Final = "image/png"
SVG: Final = "image/svg+xml"
PICTURES: Final[Mapping[str, str]] = {PNG: "picture.png", SVG: "picture.svg"}

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "about": "Travail bénévole validé : {hours}, « {role} », pour le projet « {project} » porté par {bearer}.",
        "group": "Travail bénévole validé d’un groupe de {people} personnes : {hours}, « {role} », pour le projet "
        "« {project} » porté par {bearer}.",
        "criteria": "Les heures, le rôle et les compétences sont confirmés par le porteur du projet, puis validés par le "
        "comité du territoire.",
        "hours": "Heures en {year}",
        "people": "Personnes",
        "checked": "Confirmé par le porteur",
        "validated": "Validé par le comité",
        "by": "{body} ({number}), le {day}, décision {decision}",
        "picture": "Citizen-Pass : {hours}, {role}, {project}",
    },
    "en": {
        "about": "Validated volunteer work: {hours}, “{role}”, for the project “{project}” of {bearer}.",
        "group": "Validated volunteer work of a group of {people} people: {hours}, “{role}”, for the project "
        "“{project}” of {bearer}.",
        "criteria": "Hours, role and skills are confirmed by the project’s bearer, then validated by the territory’s "
        "committee.",
        "hours": "Hours in {year}",
        "people": "People",
        "checked": "Confirmed by the bearer",
        "validated": "Validated by the committee",
        "by": "{body} ({number}), on {day}, decision {decision}",
        "picture": "Citizen-Pass: {hours}, {role}, {project}",
    },
}


def write_credential(
    issued: Pass,
    *,
    issuer: Issuer,
    secret: bytes,
    list_number: int,
    index: StatusIndex,
    skills: Skills,
    pictures: Mapping[str, bytes],
) -> Document:
    """Return the credential of an issued pass, without proof. `pictures` are the unbaked ones, by their media type.

    The same pass gives the same document. Raises ValueError where it is not issued, InvalidSkill.
    """
    if issued.issued_at is None or issued.state not in {PassState.ISSUED, PassState.SUSPENDED, PassState.REVOKED}:
        raise ValueError("a pass that was not issued has no credential")
    words, work = _WORDS[issued.language], issued.work
    place = place_of_pass(issuer, issued)
    facts = facts_of(issued)
    about = words["group" if issued.holder.is_group else "about"].format(**facts)
    document: Document = {
        "@context": list(CONTEXTS),
        "id": place,
        "type": list(TYPES),
        "name": f"Citizen-Pass – {work.project_name}",
        "description": about,
        "issuer": _profile(issuer),
        "validFrom": write_time(issued.issued_at),
        "awardedDate": write_time(issued.issued_at),
        "credentialSubject": {
            "id": issued.holder.did or f"{place}#holder",
            "type": ["AchievementSubject"],
            "role": work.role,
            "activityStartDate": work.first_on.isoformat(),
            "activityEndDate": work.last_on.isoformat(),
            "achievement": {
                "id": f"{place}#achievement",
                "type": ["Achievement"],
                "achievementType": "CommunityService",
                "inLanguage": issued.language,
                "name": f"{work.role} – {work.project_name}",
                "description": work.tasks or about,
                "criteria": {"narrative": words["criteria"]},
                "creator": _profile(issuer),
                "image": {
                    "id": place_of_picture(place, PNG),
                    "type": "Image",
                    "caption": words["picture"].format(**facts),
                },
                "resultDescription": [
                    *(
                        {
                            **_described(f"{place}#hours-{year}", "ext:Duration"),
                            "name": words["hours"].format(year=year),
                        }
                        for year, _ in work.minutes
                    ),
                    *(
                        [{**_described(f"{place}#people", "ext:Count"), "name": words["people"]}]
                        if issued.holder.is_group
                        else []
                    ),
                ],
            },
            "result": [
                *(_result(f"{place}#hours-{year}", write_duration(minutes)) for year, minutes in work.minutes),
                *([_result(f"{place}#people", str(issued.holder.people))] if issued.holder.is_group else []),
            ],
        },
        "evidence": [
            *({"id": one.url, "type": ["Evidence"], "name": one.words} for one in work.evidence),
            *_validations(issued, place, words),
        ],
        "credentialStatus": write_entries(issuer, list_number, index),
        "relatedResource": [
            {"id": place_of_picture(place, kind), "mediaType": kind, "digestSRI": digest_of(pictures[kind])}
            for kind in sorted(pictures)
        ],
    }
    subject = document["credentialSubject"]
    if not issued.holder.did:
        salt = derive_salt(secret, issued.holder.account, issued.id)
        code = derive_holder_code(secret, issued.holder.account, issued.id)
        subject["identifier"] = [
            {
                "type": "IdentityObject",
                "hashed": True,
                "identityHash": hash_identity(code, salt),
                "identityType": IDENTITY_TYPE,
                "salt": salt,
            }
        ]
    if work.skills:
        subject["achievement"]["alignment"] = [_alignment(skills, code, issued.language) for code in work.skills]
    if issued.valid_until is not None:
        document["validUntil"] = f"{issued.valid_until.isoformat()}T23:59:59Z"
    return document


def place_of_pass(issuer: Issuer, issued: Pass) -> str:
    """Return the id of the credential: an address of the node, or an URN where it has none."""
    return f"{issuer.node}/passes/{format_id(issued.id)}" if issuer.node else f"urn:uuid:{format_id(issued.id)}"


def place_of_picture(place: str, kind: str) -> str:
    """Return where the picture of that media type is."""
    return f"{place}#{PICTURES[kind]}" if place.startswith("urn:") else f"{place}/{PICTURES[kind]}"


def digest_of(picture: bytes) -> str:
    """Return the digest of a picture as Subresource Integrity writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(picture).digest()).decode()


def write_duration(minutes: int) -> str:
    """Return minutes as ISO 8601, in hours and minutes: PT12H30M."""
    hours, rest = divmod(minutes, 60)
    return "PT" + (f"{hours}H" if hours or not rest else "") + (f"{rest}M" if rest else "")


def write_hours(minutes: int) -> str:
    """Return minutes for people: 12 h 30, with blanks that do not break."""
    hours, rest = divmod(minutes, 60)
    return f"{hours}\u00a0h" + (f"\u00a0{rest:02d}" if rest else "")


def facts_of(issued: Pass) -> dict[str, Any]:
    """Return what sentences about a pass name."""
    return {
        "hours": write_hours(issued.work.total),
        "role": issued.work.role,
        "project": issued.work.project_name,
        "bearer": issued.work.bearer.name,
        "people": issued.holder.people,
    }


def _profile(issuer: Issuer) -> Document:
    profile: Document = {"id": issuer.did, "type": ["Profile"], "name": issuer.name}
    return {**profile, "url": issuer.node} if issuer.node else profile


def _described(place: str, kind: str) -> Document:
    return {"id": place, "type": ["ResultDescription"], "resultType": kind}


def _result(place: str, value: str) -> Document:
    return {"type": ["Result"], "resultDescription": place, "value": value}


def _alignment(skills: Skills, code: str, language: str) -> Document:
    skill = skills.require(code)
    vocabulary = skills.vocabularies[skill.vocabulary]
    return {
        "type": ["Alignment"],
        "targetCode": skill.own_code,
        "targetName": skill.words[language],
        "targetFramework": f"{vocabulary.title} {vocabulary.version}"
        if vocabulary.version not in vocabulary.title
        else vocabulary.title,
        "targetType": "ext:Skill",
        "targetUrl": write_skill_url(skill),
    }


def _validations(issued: Pass, place: str, words: Mapping[str, str]) -> list[Document]:
    told: tuple[tuple[str, Validation | None], ...] = (("checked", issued.checked), ("validated", issued.validated))
    return [
        {
            "id": f"{place}#{name}",
            "type": ["Evidence"],
            "name": words[name],
            "narrative": words["by"].format(
                body=one.body.name, number=one.body.number, day=one.on.isoformat(), decision=format_id(one.decision)
            ),
        }
        for name, one in told
        if one is not None
    ]
