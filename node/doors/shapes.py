"""Words that what is asked at doors is made of: bounded texts, ids, days, sums. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from protocol.amounts import CENTS_MAX

# The caller's own id, a UUID in lower case: asked again with the same content, a step is answered and not done again.
OwnId = Annotated[str, Meta(min_length=36, max_length=36)]
# An id as it was answered, with or without hyphens.
KnownId = Annotated[str, Meta(pattern="^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$")]
Hex = Annotated[str, Meta(max_length=256, pattern="^([0-9a-f]{2})+$")]
Day = Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
MonthDay = Annotated[str, Meta(pattern="^[0-9]{2}-[0-9]{2}$")]
Month = Annotated[int, Meta(ge=200001, le=299912)]  # yyyymm
Year = Annotated[int, Meta(ge=2000, le=2999)]
Sum = Annotated[int, Meta(ge=1, le=CENTS_MAX)]
SumOrNone = Annotated[int, Meta(ge=0, le=CENTS_MAX)]
Balance = Annotated[int, Meta(ge=-CENTS_MAX, le=CENTS_MAX)]
Name = Annotated[str, Meta(min_length=1, max_length=140)]
Line = Annotated[str, Meta(max_length=280)]
SirenText = Annotated[str, Meta(pattern="^[0-9]{9}$")]
Account = Annotated[str, Meta(min_length=8, max_length=40)]
