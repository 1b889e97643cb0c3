"""One item after another: a refusal of one is its answer, and harms no other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from protocol.errors import Refusal

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


def answer_each(items: Iterable[Asked], do: Callable[[Asked], Answer]) -> list[Answer | Refusal]:
    """Return what `do` returns for each item, or the refusal that it raises: before it writes anything."""
    answers: list[Answer | Refusal] = []
    for item in items:
        try:
            answers.append(do(item))
        except Refusal as refusal:
            answers.append(refusal)
    return answers
