"""What the QR of a receipt holds: where to ask, the number, and a part of the digest that cannot be guessed. Pure.

    https://node.example/receipts/FD-200046977-2026-000001/4Q7D…

Whoever scans it asks the node, which compares with the digest it kept at issue: a receipt made by hand, or one whose
number was put on other values, is not known there. The check is 128 of the 256 bits, in base 32.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Final

from node.fund.frozen_receipts import DIGEST_BYTES
from node.fund.receipt_errors import InvalidReceiptNumber, InvalidReceiptProof
from node.fund.receipt_numbers import ReceiptNumber, parse_number

CHECK_BYTES: Final = 16
NODE_MAX: Final = 120
TEXT_MAX: Final = 220
_NODE: Final = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*", re.ASCII)
_CHECK: Final = re.compile(r"[A-Z2-7]{26}", re.ASCII)
_FOLDER: Final = "/receipts/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptProof:
    """Raises InvalidReceiptProof. `node` is the address of the node: https, no slash at the end."""

    node: str
    number: ReceiptNumber
    check: str

    def __post_init__(self) -> None:
        if type(self.node) is not str or len(self.node) > NODE_MAX or _NODE.fullmatch(self.node) is None:
            raise InvalidReceiptProof(reason="the node's address is https, in lower case, without a slash at the end")
        # Two trailing bits of the last symbol are always zero: one writing per check.
        if _CHECK.fullmatch(self.check) is None or self.check[-1] not in "AEIMQUY4":
            raise InvalidReceiptProof(reason="the check is 26 letters and digits")

    def __str__(self) -> str:
        return "".join(self.lines)

    @property
    def lines(self) -> tuple[str, str, str]:
        """The text in three parts, so that it can be copied from paper."""
        return f"{self.node}{_FOLDER}", f"{self.number}/", self.check


def make_proof(node: str, number: ReceiptNumber, digest: bytes) -> ReceiptProof:
    """Return the proof of a receipt whose digest was kept. Raises InvalidReceiptProof."""
    return ReceiptProof(node=node, number=number, check=_check_of(digest))


def parse_proof(text: object) -> ReceiptProof:
    """Return the proof that a QR holds. Raises InvalidReceiptProof."""
    if not isinstance(text, str) or len(text) > TEXT_MAX:
        raise InvalidReceiptProof(reason="not the address of a receipt")
    node, folder, rest = text.rpartition(_FOLDER)
    number, slash, check = rest.partition("/")
    if not folder or not slash:
        raise InvalidReceiptProof(reason="not the address of a receipt")
    try:
        return ReceiptProof(node=node, number=parse_number(number), check=check)
    except InvalidReceiptNumber as refusal:
        raise InvalidReceiptProof(reason=str(refusal.facts["reason"])) from None


def is_proven(proof: ReceiptProof, number: ReceiptNumber, digest: bytes) -> bool:
    """Tell whether a proof is that of the receipt kept under this number with this digest."""
    return proof.number == number and hmac.compare_digest(proof.check, _check_of(digest))


def _check_of(digest: bytes) -> str:
    if len(digest) != DIGEST_BYTES:
        raise ValueError("a digest is 32 bytes")
    return base64.b32encode(digest[:CHECK_BYTES]).decode().rstrip("=")
