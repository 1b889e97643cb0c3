"""One invariant of the projects' base while it is looked at: what was expected, and the first place where it is not so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from protocol.errors import Refusal
from protocol.findings import Checked, Finding

INVARIANT: Final = "I6"  # each euro paid: one conversion, one eligible bearer, and the decision that it follows from


class Rule:
    """One invariant being checked: keeps its first finding and counts what it looked at."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._looked_at = 0
        self._first: Finding | None = None

    def compare(self, place: str, expected: object, found: object) -> None:
        """Look at one place, and note it if what is found is not what is expected."""
        self._looked_at += 1
        if self._first is None and expected != found:
            self._first = Finding(INVARIANT, place, str(expected), str(found))

    def require(self, place: str, expected: str, is_so: bool) -> None:
        self.compare(place, expected, expected if is_so else f"not {expected}")

    def refuse(self, place: str, expected: str, do: Callable[[], object]) -> None:
        """Look at what raises its Refusal where it is wrong."""
        try:
            do()
        except Refusal as refusal:
            self.compare(place, expected, str(refusal))
        else:
            self.compare(place, expected, expected)

    def close(self) -> Checked:
        return Checked(INVARIANT, self._rule, self._looked_at, () if self._first is None else (self._first,))
