"""A node with a bug planted: it answers, and commits a moment later. Tests start it in place of the product's program."""

from __future__ import annotations

import sys
import time
from typing import Any

from protocol.book import worker
from protocol.commands import main
from protocol.errors import Refusal

LATER_SECONDS = 0.3
# Only what callers ask for under load: the setting up of the story is left alone.
EARLY = ("credit", "post_groups", "cede_groups")


def try_page(self: Any, group: list[worker.Waiting]) -> list[Any]:
    """Decide the page, answer whoever waits over HTTP, and only then commit."""
    if self._connection is None:
        self._connection = self._engine.connect()
    answers: list[Any] = []
    early = worker._Answers()
    with self._connection.begin():
        page = worker.Page(self._connection, self._clock())
        for waiting in group:
            [answer] = waiting.operation(page, [waiting.item])
            answers.append(answer)
        page.close()
        for waiting, answer in zip(group, answers, strict=True):
            if waiting.loop is not None and waiting.operation.__name__ in EARLY:
                early.give(waiting, answer, failed=isinstance(answer, Refusal))
        early.send()
        if any(waiting.operation.__name__ in EARLY for waiting in group):
            time.sleep(LATER_SECONDS)
    page.tell()
    return answers


def resolve(answers: list[tuple[Any, Any, bool]]) -> None:
    """Answer once: the second time is after the commit."""
    answer([one for one in answers if not one[0].done()])


answer = worker._resolve
worker._resolve = resolve
worker.Writer._try_page = try_page  # type: ignore[method-assign]

if __name__ == "__main__":
    sys.exit(main())
