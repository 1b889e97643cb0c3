"""Times as credentials write them: whole seconds in UTC. Pure.

Source: VC Data Model 2.0, 4.9 (XML Schema dateTimeStamp); RFC 7519 (NumericDate).
"""

from __future__ import annotations

import re
from typing import Final

from node.governance.passes.errors import InvalidCredential
from protocol.errors import InvalidTime
from protocol.times import Instant, format_instant, parse_instant

_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)


def write_time(at: Instant) -> str:
    """Return 2026-11-28T08:15:00Z; what is finer than a second is dropped."""
    return format_instant(at // 1_000 * 1_000).removesuffix(".000Z") + "Z"


def read_time(text: object) -> Instant:
    """Return the instant of 2026-11-28T08:15:00Z, and of no other writing. Raises InvalidCredential."""
    if not isinstance(text, str) or _TIME.fullmatch(text) is None:
        raise InvalidCredential(reason="a time is written 2026-11-28T08:15:00Z")
    try:
        return parse_instant(text)
    except InvalidTime:
        raise InvalidCredential(reason="no such time") from None


def seconds_of(at: Instant) -> int:
    """Return the whole seconds since 1970 of an instant."""
    return at // 1_000
