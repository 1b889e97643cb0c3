"""What one page tells the other bases, gathered until it closes.

Lines of one pool go out together, whatever operation they come from. Grants go before what takes them back: a refund of
what was granted in the same page finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from node.partners.grants import GrantLine, make_grants
from protocol.book.worker import Page
from protocol.house import BaseName, HouseMessage

# Appends a slip to the log for a base: (page, reader, messages). It is called in the page, from the writer's thread.
Tell = Callable[[Page, str, Sequence[HouseMessage]], object]

MESSAGES_AT_ONCE: Final = 500  # of one slip that is not grants


@dataclass(slots=True)
class _Waiting:
    grants: dict[str, list[GrantLine]] = field(default_factory=dict)
    messages: dict[str, list[HouseMessage]] = field(default_factory=dict)


class Outbox:
    """Gathers what operations tell, and tells it when the page closes."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def grant(self, page: Page, pool: str, line: GrantLine) -> None:
        """Tell the accounts to credit."""
        self._waiting(page).grants.setdefault(pool, []).append(line)

    def send(self, page: Page, reader: BaseName, message: HouseMessage) -> None:
        """Tell a base anything else."""
        self._waiting(page).messages.setdefault(reader, []).append(message)

    def _waiting(self, page: Page) -> _Waiting:
        waiting: _Waiting | None = page.memo.get(Outbox)
        if waiting is None:
            waiting = page.memo[Outbox] = _Waiting()
        page.at_close(Outbox, lambda: self._send_all(page))
        return waiting

    def _send_all(self, page: Page) -> None:
        waiting: _Waiting = page.memo.pop(Outbox)
        for pool, lines in waiting.grants.items():
            for message in make_grants(pool, lines):
                self._tell(page, BaseName.ACCOUNTS, [message])
        for reader, messages in waiting.messages.items():
            for start in range(0, len(messages), MESSAGES_AT_ONCE):
                self._tell(page, reader, messages[start : start + MESSAGES_AT_ONCE])
