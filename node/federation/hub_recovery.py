"""What a restored hub lacks of what it told us. Pure."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

FACT: Final = "hub_recovery"


class HubRecovery(Struct, frozen=True):
    """What the hub still holds of what it told us: slips, and directory entries. Kept until it holds all again."""

    held: int
    entries: int


def encode_hub_recovery(recovery: HubRecovery) -> str:
    return msgspec.json.encode(recovery).decode()


# Made while modules are imported: see `prepare` of protocol/canonical.py.
_RECOVERIES: Final = msgspec.json.Decoder(HubRecovery)


def decode_hub_recovery(value: str) -> HubRecovery:
    return _RECOVERIES.decode(value)
