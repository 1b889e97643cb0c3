"""At the close of a year: what of each earmark's euros is bound and not spent is put aside, what was and is spent is used. Pure.

Euros that companies paid for miles are bound until those are converted and paid for (6896/196, use 196/7896); what another fund
owes ours for a project here is bound to that project until its bearer is paid (6895/195, use 195/7895). They are in the fund, and
not its own to spend otherwise. Source: ANC 2018-06, dedicated funds by what a third party bound them to; shared design,
DOMAIN.md, 2.3 [D].
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_SHOWN: Final = 24  # digits of a project's id


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedication:
    """How much more is put aside for an earmark (above zero), or used of what was (below), where it had `kept`. Cents."""

    earmark: str
    cents: int
    kept: int


def campaign_code(donor: bytes, campaign: str) -> str:
    """Return how the books name what a donor paid for a campaign: opaque, and the same every year."""
    told = donor + campaign.encode()
    return "C" + hashlib.blake2b(told, digest_size=6, person=b"cm-earmark").hexdigest().upper()


def project_code(project: bytes) -> str:
    """Return how the books name a project that another fund contributes to: the beginning of its id."""
    return "P" + project.hex()[:_SHOWN].upper()


def fund_code(territory: str) -> str:
    """Return how the books name what another fund contributes to a project that is not known here yet."""
    return f"F{territory}"


def compute_dedications(
    received: Mapping[str, int], spent: Mapping[str, int], kept: Mapping[str, int]
) -> list[Dedication]:
    """Return what changes, by earmark: afterwards each has what came for it less what was spent of it.

    Raises ValueError where more was spent of an earmark than came.
    """
    found = []
    for earmark in sorted(received.keys() | kept.keys()):
        bound = received.get(earmark, 0) - spent.get(earmark, 0)
        if bound < 0:
            raise ValueError(f"{earmark}: more was spent than came")
        before = kept.get(earmark, 0)
        if bound != before:
            found.append(Dedication(earmark=earmark, cents=bound - before, kept=before))
    return found
