"""Makes passes for tests: values only."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Final

from node.governance.passes.credentials import write_credential
from node.governance.passes.holders import Holder
from node.governance.passes.issuers import Issuer, derive_issuer_key
from node.governance.passes.passes import Body, Duty, Evidence, Pass, Validation, Work, check, issue, validate
from node.governance.passes.status_lists import StatusIndex
from node.governance.skills import SkillCode
from node.governance.skills_store import load_skills
from protocol.identifiers import Id16, make_account_number
from protocol.keys import make_keys
from protocol.times import Instant

NODE: Final = "https://miles.brest.example"
KEYS: Final = make_keys(b"the keys of the projects' base, " * 2)
KEY: Final = derive_issuer_key(KEYS)
OTHER_KEY: Final = derive_issuer_key(make_keys(b"the keys of another base, again " * 2))
ISSUER: Final = Issuer(key=KEY, name="Comité de Brest Métropole", node=NODE)
NAMELESS: Final = Issuer(key=KEY, name="Communauté de Podor")
SECRET: Final = b"a secret of tests, of 32 bytes !"
AT: Final = Instant(1_795_248_900_123)  # 2026-11-21
BEARER: Final = Body(number="W291000001", name="Les Jardins du Ponant")
COMMITTEE: Final = Body(number="242900314", name="Comité de Brest Métropole")
ACCOUNT: Final = make_account_number(b"an account of one of the tests")
INDEX: Final = StatusIndex(94_567)
SKILLS: Final = load_skills()
KNOWN: Final = {ISSUER.did: [KEY.public]}


def make_work(**changes: Any) -> Work:
    told: dict[str, Any] = {
        "project": Id16(b"a project of 16."),
        "project_name": "Un verger pour l’école de Kerinou",
        "bearer": BEARER,
        "role": "Encadrante du chantier",
        "duty": Duty.SUPERVISING,
        "first_on": datetime.date(2025, 11, 3),
        "last_on": datetime.date(2026, 10, 24),
        "minutes": ((2025, 95 * 60 + 30), (2026, 210 * 60)),
        "skills": (SkillCode("esco:699e7c26-6502-4e78-a823-3656ff5a5b8b"), SkillCode("rome:300031")),
        "tasks": "Préparation du sol, plantation de 40 fruitiers avec les classes de CM1 et CM2, suivi de l’arrosage.",
        "evidence": (Evidence(url=f"{NODE}/projects/42", words="Fiche du projet"),),
    }
    return Work(**{**told, **changes})


def make_pass(*, holder: Holder | None = None, work: Work | None = None, **changes: Any) -> Pass:
    """A pass that was claimed."""
    told: dict[str, Any] = {
        "id": Id16(b"\x01\x92\xaa\xbb\xcc\xdd\x7e\xff\x80\x11\x22\x33\x44\x55\x66\x77"),
        "holder": holder or Holder(account=ACCOUNT),
        "work": work or make_work(),
        "valid_until": datetime.date(2036, 10, 24),
    }
    return Pass(**{**told, **changes})


def make_issued(asked: Pass | None = None, *, at: Instant = AT, **changes: Any) -> Pass:
    """A pass that was checked, validated and issued."""
    asked = asked or make_pass(**changes)
    checked = Validation(body=asked.work.bearer, on=datetime.date(2026, 11, 2), decision=Id16(b"bearer's word 16"))
    validated = Validation(body=COMMITTEE, on=datetime.date(2026, 11, 20), decision=Id16(b"committee, no 16"))
    return issue(validate(check(asked, checked), validated), at=at)


def make_document(issued: Pass | None = None, *, issuer: Issuer = ISSUER, pictures: Any = None) -> dict[str, Any]:
    return write_credential(
        issued or make_issued(),
        issuer=issuer,
        secret=SECRET,
        list_number=1,
        index=INDEX,
        skills=SKILLS,
        pictures=pictures or {"image/png": b"a png", "image/svg+xml": b"an svg"},
    )


def make_english(**changes: Any) -> Pass:
    work = make_work(
        project_name="An orchard for Kerinou school", role="Site leader", tasks="Soil, 40 fruit trees, watering."
    )
    return make_issued(dataclasses.replace(make_pass(work=work, language="en"), **changes))
