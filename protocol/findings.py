"""What a check finds: the invariant, the place, what should stand there and what does. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant at its first row or leaf. `place` names table and key, or log and leaf index."""

    invariant: str
    place: str
    expected: str
    found: str

    def as_row(self) -> dict[str, str]:
        return {"invariant": self.invariant, "place": self.place, "expected": self.expected, "found": self.found}


@dataclass(frozen=True, slots=True)
class Checked:
    """One invariant checked: how many rows or leaves were looked at, and what was wrong with them.

    `seen` is wrong too, but its operator has said that he knows, and why: it is shown, and does not count.
    """

    invariant: str
    rule: str
    looked_at: int
    findings: tuple[Finding, ...] = ()
    seen: tuple[Finding, ...] = ()

    @property
    def is_held(self) -> bool:
        return not self.findings
