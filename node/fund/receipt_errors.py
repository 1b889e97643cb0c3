"""What is refused about receipts and declarations, as one tree. Pure.

Malformed
├── InvalidReceipt               a mention is missing or wrong; says which
├── InvalidReceiptNumber         not FD-<SIREN or RNA>-<year>-<six digits>
├── InvalidReceiptProof          not the text of a receipt's QR
└── InvalidDeclaration           a row of a declaration is missing a mention, or has a wrong one
Refusal
└── ReceiptCancelled             it is cancelled already, and stays so
"""

from __future__ import annotations

from protocol.errors import Malformed, Refusal


class InvalidReceipt(Malformed):
    """Facts: field, reason."""

    code = "invalid_receipt"


class InvalidReceiptNumber(Malformed):
    """Facts: number, reason."""

    code = "invalid_receipt_number"


class InvalidReceiptProof(Malformed):
    """Facts: reason."""

    code = "invalid_receipt_proof"


class InvalidDeclaration(Malformed):
    """Facts: field, reason."""

    code = "invalid_declaration"


class ReceiptCancelled(Refusal):
    """Facts: number."""

    code = "receipt_cancelled"
