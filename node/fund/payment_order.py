"""What orders to the bank have in common: our account, and one way to make sepaxml repeatable. Pure.

sepaxml writes its own clock and random ids into a message. Here they are replaced before anybody sees the message:
the same payments, message id and instant give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from node.fund.bank_errors import PaymentOrderRefused
from node.fund.references import Bic, EndToEndId, Iban, require_bic, require_end_to_end_id, require_iban
from protocol.amounts import CENTS_MAX
from protocol.times import Instant, format_instant, require_instant

MESSAGE_ID_MAX: Final = 31  # leaves room for the number of the group: "-001"
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAccount:
    """The fund's account: the name as the bank knows it. Raises InvalidIban, InvalidBic."""

    name: str
    iban: Iban
    bic: Bic

    def __post_init__(self) -> None:
        require_iban(self.iban)
        require_bic(self.bic)


def require_message_id(text: str) -> str:
    """Return a message id of 1 to 31 letters, digits and hyphens. Raises PaymentOrderRefused."""
    if not _MESSAGE_ID.fullmatch(text):
        raise PaymentOrderRefused(reason="a message id has 1 to 31 letters, digits and hyphens")
    return text


def require_together(ids: Sequence[EndToEndId], total: int) -> None:
    """Hold that a message is not empty, names no payment twice, and sums to what we can count.

    Raises PaymentOrderRefused, InvalidEndToEndId.
    """
    if not ids:
        raise PaymentOrderRefused(reason="there is nothing to send")
    seen: set[str] = set()
    for id_ in ids:
        require_end_to_end_id(id_)
        if id_ in seen:
            raise PaymentOrderRefused(reason=f"{id_} is there twice")
        seen.add(id_)
    if total > CENTS_MAX:
        raise PaymentOrderRefused(reason=f"more than {CENTS_MAX} cents in one message")


def group_id(message_id: str, number: int) -> str:
    """Return the id of a group of payments in a message, from 1: what a status report names it by."""
    return f"{message_id}-{number:03d}"


def settle(exported: bytes, *, message_id: str, made_at: Instant) -> bytes:
    """Return what sepaxml made with our ids and instant in the place of its own."""
    root = etree.fromstring(exported)
    for element in root.iterfind(".//{*}GrpHdr/{*}MsgId"):
        element.text = require_message_id(message_id)
    for element in root.iterfind(".//{*}GrpHdr/{*}CreDtTm"):
        element.text = format_instant(require_instant(made_at, "made_at"))[:19] + "Z"
    for number, element in enumerate(root.iterfind(".//{*}PmtInf/{*}PmtInfId"), start=1):
        element.text = group_id(message_id, number)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written
