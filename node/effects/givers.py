"""Whose gifts a conversion elsewhere took, as far as it can be counted from here. Pure.

The territory of a project takes whole orientations, the oldest first (decision 0022), and tells lots, not people: so each
conversion of a campaign's lots takes the oldest gifts of accounts here that were there by then. Whoever gave from elsewhere is
not known: what he gave is taken for gifts of accounts here, where there are such.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Given(NamedTuple):
    """What an account here gave to a project elsewhere at an instant, of a campaign's lots; below zero: what came back to it."""

    address: str
    campaign: str
    account: str
    cents: int
    at: int


def find_givers(taken: Sequence[tuple[int, int]], given: Iterable[Given]) -> list[frozenset[str]]:
    """Return for each conversion, as (instant, cents) in order, whose gifts it took. What comes after it changes nothing."""
    coming = sorted(given, key=lambda one: one.at)
    there: deque[tuple[str, int]] = deque()  # gifts that nothing took yet, the oldest first
    read, found = 0, []
    for at, cents in taken:
        while read < len(coming) and coming[read].at <= at:
            gift = coming[read]
            read += 1
            if gift.cents > 0:
                there.append((gift.account, gift.cents))
            else:
                there = _take_back(there, gift)
        behind = set()
        while cents > 0 and there:
            account, here = there.popleft()
            behind.add(account)
            if here > cents:
                there.appendleft((account, here - cents))
            cents -= here
        found.append(frozenset(behind))
    return found


def _take_back(there: deque[tuple[str, int]], back: Given) -> deque[tuple[str, int]]:
    """Return what is left of gifts after some came back to an account: its newest go first."""
    left, kept = -back.cents, deque[tuple[str, int]]()
    for account, cents in reversed(there):
        gone = min(left, cents) if account == back.account else 0
        left -= gone
        if cents > gone:
            kept.appendleft((account, cents - gone))
    return kept
