"""An operator says that evidence is no news to him any more, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from protocol.book.seen_store import save_seen
from protocol.book.service import Page
from protocol.errors import InvalidText, Refusal
from protocol.exchange.evidence_store import load_evidence_file

REASON_MAX: Final = 280


@dataclass(frozen=True, slots=True)
class SayEvidenceSeen:
    """What the operator says of one evidence file. Raises InvalidText where he says nothing."""

    number: int
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > REASON_MAX or not self.reason.isprintable():
            raise InvalidText(field="reason", reason=f"1 to {REASON_MAX} printable characters")


def say_seen(page: Page, items: Sequence[SayEvidenceSeen]) -> list[int | Refusal]:
    """Keep what is said; the evidence stays as it is, and `check` goes on showing it, as seen."""
    results: list[int | Refusal] = []
    for item in items:
        try:
            load_evidence_file(page.connection, item.number)
        except Refusal as refusal:
            results.append(refusal)
            continue
        save_seen(page.connection, item.number, item.reason, page.now)
        results.append(item.number)
    return results
