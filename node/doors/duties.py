"""Whose duty a step is, and what a caller may. Pure.

A duty is what a person does in a base, not a rank: who keeps the books does not sign, and who signs does not enter
statements. A key may have several.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import Malformed, Refusal


class Duty(StrEnum):
    READER = "reader"  # sees, and changes nothing
    ACCOUNTANT = "accountant"  # books, declarations
    TREASURER = "treasurer"  # what comes, what goes out, receipts
    OFFICER = "officer"  # brings signatures that were made with a key of his own
    SECRETARY = "secretary"  # the projects' office: projects, bearers, committee, audits, passes, volunteers
    MODERATOR = "moderator"  # lets comments through
    CLERK = "clerk"  # the office that keeps the companies
    COMPANY = "company"  # a company's own office
    REGISTRAR = "registrar"  # who is behind a number: records, accounts, consents, declarations, erasure
    DISTRIBUTOR = "distributor"  # free accounts on paper
    GOVERNOR = "governor"  # roles, rules and texts, by four eyes
    AUDITOR = "auditor"  # who looked at a record


class KeyNotKnown(Refusal):
    """No key, or none that is known and in force."""

    code = "key_not_known"


class DutyMissing(Refusal):
    """The key is for something else. Facts: needs."""

    code = "duty_missing"


class AnotherCompany(Refusal):
    """The key is one company's, and this is another's, or all companies'. Facts: company."""

    code = "another_company"


class AnotherOfficer(Refusal):
    """The key was issued to one officer, and the request says that another does it. Facts: field."""

    code = "another_officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who shows a key in force: `officer` is who it was issued to, `company` the SIREN it is bound to, or empty."""

    key: str
    duties: frozenset[Duty]
    officer: str
    company: str = ""

    def require(self, duties: Collection[Duty]) -> None:
        """Raise DutyMissing unless one of these is a duty of the caller."""
        if self.duties.isdisjoint(duties):
            raise DutyMissing(needs=", ".join(sorted(duties)))

    def require_self(self, told: str, field: str) -> str:
        """Return who does it: the officer of the key. Raises AnotherOfficer where somebody else is named."""
        if told and told != self.officer:
            raise AnotherOfficer(field=field)
        return self.officer


def require_duties(words: str, known: Sequence[Duty]) -> tuple[Duty, ...]:
    """Return the duties of a comma-separated text, each once. Raises Malformed."""
    try:
        duties = tuple(dict.fromkeys(Duty(word.strip()) for word in words.split(",") if word.strip()))
    except ValueError:
        duties = ()
    if not duties or not set(duties) <= set(known):
        raise Malformed(field="duties", reason=f"duties are some of {', '.join(known)}, with commas")
    return duties
