"""A claim for a pass as people and programs write it: JSON with days as yyyy-mm-dd and whole minutes by year. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from node.governance.days import parse_day, read_day
from node.governance.passes.errors import InvalidPass
from node.governance.passes.pass_service import ClaimPass
from node.governance.passes.passes import Duty, Evidence
from node.governance.skills import SkillCode
from protocol.identifiers import Id16, parse_address, parse_id, require_number


class YearItem(Struct, frozen=True, forbid_unknown_fields=True):
    year: int
    minutes: int


class EvidenceItem(Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    words: str


class ClaimRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`duty` is governing, supervising or other. `did` replaces the holder's code. `valid_until` may be empty."""

    project: str
    account: str
    role: str
    first_on: str
    last_on: str
    hours: list[YearItem]
    duty: Duty = Duty.OTHER
    skills: list[str] = []
    tasks: str = ""
    evidence: list[EvidenceItem] = []
    people: int = 1
    label: str = ""
    did: str = ""
    language: str = "fr"
    valid_until: str = ""
    replaces: str = ""


def read_claim(id_: Id16, told: Any, home: str) -> ClaimPass:
    """Return what is claimed, from JSON that was read. Raises InvalidPass, InvalidId, InvalidTime, InvalidAddress."""
    try:
        asked = msgspec.convert(told, ClaimRequest)
    except msgspec.ValidationError as error:
        raise InvalidPass(field="file", reason=str(error)[:200]) from None
    account = asked.account
    if "@" in account:
        address = parse_address(account)
        if address.territory != home:
            raise InvalidPass(field="account", reason=f"an account of {home}")
        account = address.number
    return ClaimPass(
        id=id_,
        project=parse_id(asked.project),
        account=require_number(account),
        role=asked.role,
        duty=asked.duty,
        first_on=read_day(parse_day(asked.first_on, "first_on")),
        last_on=read_day(parse_day(asked.last_on, "last_on")),
        minutes=tuple((one.year, one.minutes) for one in asked.hours),
        skills=tuple(SkillCode(code) for code in asked.skills),
        tasks=asked.tasks,
        evidence=tuple(Evidence(url=one.url, words=one.words) for one in asked.evidence),
        people=asked.people,
        label=asked.label,
        did=asked.did,
        language=asked.language,
        valid_until=read_day(parse_day(asked.valid_until, "valid_until")) if asked.valid_until else None,
        replaces=parse_id(asked.replaces) if asked.replaces else None,
    )
