"""An endowment: euros reached the fund, so a home lot grows by as much. The only way that rights are issued. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from node.ledger.draws import Draws
from node.ledger.lots import (
    REF_BYTES,
    RESTRICTION_MAX,
    LotClass,
    LotId,
    require_lot_class,
    require_month,
)
from protocol.amounts import Cents, require_amount
from protocol.errors import InvalidText, Malformed
from protocol.identifiers import AccountNumber, Id16, require_id
from protocol.times import Instant

CAMPAIGN_MAX: Final = 80
REASON_MAX: Final = 280


class Endow(msgspec.Struct, frozen=True, kw_only=True):
    """Issue `cents` into a pool. The same donor, campaign, month and class are the same lot, which grows.

    `donor` is opaque here. `new_ref` is 16 fresh random bytes, used where the lot is new; it is not part of the
    content. `reason` says which euros these are, for those who audit.
    """

    op: Id16
    donor: Id16
    campaign: str
    month: int
    lot_class: LotClass
    into: AccountNumber
    cents: Cents
    reason: str
    new_ref: bytes
    restriction: str = ""

    def __post_init__(self) -> None:
        require_id(self.op)
        require_id(self.donor)
        require_amount(self.cents)
        require_month(self.month)
        require_lot_class(self.lot_class)
        _require_text("campaign", self.campaign, CAMPAIGN_MAX)
        _require_text("reason", self.reason, REASON_MAX)
        _require_text("restriction", self.restriction, RESTRICTION_MAX)
        if not self.reason:
            raise InvalidText(field="reason", reason="an endowment says which euros it stands for")
        if bool(self.lot_class & LotClass.RESTRICTED) is not bool(self.restriction):
            raise Malformed(field="restriction", reason="a restricted lot, and no other, says what it is bound to")
        if type(self.new_ref) is not bytes or len(self.new_ref) != REF_BYTES:
            raise Malformed(field="new_ref", reason="a lot's reference is 16 bytes")


class Endowed(msgspec.Struct, frozen=True, kw_only=True):
    """What was issued; `after` is the pool's balance."""

    op: Id16
    at: Instant
    lot: LotId
    draws: Draws
    transfer: int
    after: Cents
    is_repeat: bool


LotOrigin = tuple[bytes, str, int, int, str]
ASKED_FIELDS: Final = (
    "donor",
    "campaign",
    "month",
    "lot_class",
    "restriction",
    "into",
    "cents",
    "reason",
)


def origin_of(asked: Endow) -> LotOrigin:
    """Return what makes a home lot: donor, campaign, month, class and restriction."""
    return (asked.donor, asked.campaign, asked.month, int(asked.lot_class), asked.restriction)


def asked_values(asked: Endow) -> tuple[object, ...]:
    """Return the content in the order of ASKED_FIELDS."""
    return (*origin_of(asked), asked.into, asked.cents, asked.reason)


def _require_text(field: str, text: str, length_max: int) -> None:
    if type(text) is not str or len(text) > length_max:
        raise InvalidText(field=field, reason=f"longer than {length_max} characters")
    if not text.isprintable():
        raise InvalidText(field=field, reason="holds characters that are not text")
