"""The payment QR that a banking application reads: EPC069-12, version 002, and its drawing as SVG. Pure.

Twelve lines in UTF-8: service tag, version, character set, identification, BIC, name, IBAN, amount, purpose,
reference, text, note. A reference and a text exclude each other. Source: EPC069-12 v2.1 [R].
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import segno

from node.fund.bank_errors import InvalidPaymentText
from node.fund.references import NAME_MAX, TEXT_MAX, Bic, Iban, Reference, require_bic, require_iban, require_reference
from protocol.amounts import Cents, require_amount
from protocol.errors import InvalidAmount

PAYLOAD_MAX: Final = 331
QR_VERSION_MAX: Final = 13
CENTS_MAX: Final = 99_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What a payer is asked: by an RF reference or by a text, never both.

    Raises InvalidIban, InvalidBic, InvalidReference, InvalidAmount, InvalidPaymentText.
    """

    name: str
    iban: Iban
    cents: Cents
    reference: Reference | None = None
    text: str = ""
    bic: Bic | None = None

    def __post_init__(self) -> None:
        if require_iban(self.iban) != self.iban:
            raise InvalidPaymentText(field="iban", reason="it is written without spaces")
        if self.bic is not None:
            require_bic(self.bic)
        if require_amount(self.cents) > CENTS_MAX:
            raise InvalidAmount(amount=self.cents, reason=f"more than {CENTS_MAX} cents in a payment QR")
        if self.reference is not None and require_reference(self.reference) and self.text:
            raise InvalidPaymentText(field="text", reason="a reference and a text exclude each other")
        _require_line("name", self.name, NAME_MAX)
        if self.text:
            _require_line("text", self.text, TEXT_MAX)


def write_payload(request: PaymentRequest) -> bytes:
    """Return the bytes of the code. Raises InvalidPaymentText beyond PAYLOAD_MAX bytes."""
    lines = (
        *("BCD", "002", "1", "SCT", request.bic or "", request.name, request.iban),
        *(f"EUR{request.cents // 100}.{request.cents % 100:02d}", "", request.reference or "", request.text),
    )
    payload = "\n".join(lines).rstrip("\n").encode()
    if len(payload) > PAYLOAD_MAX:
        raise InvalidPaymentText(field="text", reason=f"{len(payload)} bytes in all, {PAYLOAD_MAX} at most")
    return payload


def draw_svg(payload: bytes) -> str:
    """Return the code as an SVG document: error correction M, quiet zone of four modules, no size in pixels."""
    code = segno.make_qr(payload, error="m", boost_error=False, mode="byte")
    assert isinstance(code.version, int)
    assert code.version <= QR_VERSION_MAX
    drawing = io.BytesIO()
    code.save(drawing, kind="svg", border=4, xmldecl=False, omitsize=True, nl=False)
    return drawing.getvalue().decode()


def _require_line(field: str, text: str, length_max: int) -> None:
    if not text.strip() or not text.isprintable():
        raise InvalidPaymentText(field=field, reason="it is empty, or holds characters that are not text")
    if len(text) > length_max:
        raise InvalidPaymentText(field=field, reason=f"more than {length_max} characters")
