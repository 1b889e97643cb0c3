"""What a pass says, as bytes that the base keeps: canonical JSON, read back into the same pass. Pure.

The state, the validations and what was issued are columns of their own; the words never change after the claim.
"""

from __future__ import annotations

import datetime
from typing import Any

from node.governance.passes.canonical_json import decode_json, encode_json
from node.governance.passes.holders import Holder
from node.governance.passes.passes import Body, Duty, Evidence, Pass, Work
from node.governance.skills import SkillCode
from protocol.identifiers import AccountNumber, Id16, format_id, parse_id


def write_words(claimed: Pass) -> bytes:
    """Return what a pass claims. The same claim gives the same bytes."""
    work, holder = claimed.work, claimed.holder
    return encode_json(
        {
            "holder": {
                "account": holder.account,
                "people": holder.people,
                "label": holder.label,
                "did": holder.did,
            },
            "project": format_id(work.project),
            "project_name": work.project_name,
            "bearer": {"number": work.bearer.number, "name": work.bearer.name},
            "role": work.role,
            "duty": str(work.duty),
            "first_on": work.first_on.isoformat(),
            "last_on": work.last_on.isoformat(),
            "minutes": [list(one) for one in work.minutes],
            "skills": list(work.skills),
            "tasks": work.tasks,
            "evidence": [[one.url, one.words] for one in work.evidence],
            "language": claimed.language,
            "valid_until": None if claimed.valid_until is None else claimed.valid_until.isoformat(),
            "replaces": None if claimed.replaces is None else format_id(claimed.replaces),
        }
    )


def read_words(id_: Id16, words: bytes) -> Pass:
    """Return the pass that was claimed, in its first state. Raises InvalidPass, InvalidCredential."""
    told: dict[str, Any] = decode_json(words)
    holder = told["holder"]
    return Pass(
        id=id_,
        holder=Holder(
            account=AccountNumber(holder["account"]),
            people=holder["people"],
            label=holder["label"],
            did=holder["did"],
        ),
        work=Work(
            project=parse_id(told["project"]),
            project_name=told["project_name"],
            bearer=Body(number=told["bearer"]["number"], name=told["bearer"]["name"]),
            role=told["role"],
            duty=Duty(told["duty"]),
            first_on=datetime.date.fromisoformat(told["first_on"]),
            last_on=datetime.date.fromisoformat(told["last_on"]),
            minutes=tuple((year, minutes) for year, minutes in told["minutes"]),
            skills=tuple(SkillCode(code) for code in told["skills"]),
            tasks=told["tasks"],
            evidence=tuple(Evidence(url=url, words=words) for url, words in told["evidence"]),
        ),
        language=told["language"],
        valid_until=None if told["valid_until"] is None else datetime.date.fromisoformat(told["valid_until"]),
        replaces=None if told["replaces"] is None else parse_id(told["replaces"]),
    )
