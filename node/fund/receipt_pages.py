"""Draws a receipt as a PDF that keeps and that everybody can read: PDF/A-2a and PDF/UA-1, in French.

The template is ours and packaged; what it shows goes in as JSON, so that no name can be read as markup. Fonts are those
that typst carries, dates are the receipt's: the same receipt gives the same bytes with the same version of typst.
"""

from __future__ import annotations

import datetime
import json
from functools import cache
from importlib import resources
from typing import Any, Final

import typst

from node.fund.issued_receipts import IssuedReceipt
from node.fund.receipt_errors import InvalidReceipt
from node.fund.receipt_forms import ReceiptForm
from node.fund.receipt_proof import make_proof
from node.fund.receipt_sheet import write_sheet

STANDARDS: Final = ["a-2a", "ua-1"]
SIGNATURE_BYTES_MAX: Final = 200_000
SIGNATURE_SIDE_MAX: Final = 2_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SHOWN_ALONE: Final = b'#image(bytes(json(bytes(sys.inputs.sheet)).signature), format: "png")'


def draw_pdf(issued: IssuedReceipt, *, form: ReceiptForm, node: str, signature: bytes = b"") -> bytes:
    """Return the receipt as one PDF. `node` is the address that the QR names, `signature` a PNG, or nothing.

    Raises InvalidReceipt, InvalidReceiptProof.
    """
    return _compile(_load_template(), _sheet_of(issued, form, node, signature), issued, pdf_standards=STANDARDS)[0]


def draw_png(
    issued: IssuedReceipt, *, form: ReceiptForm, node: str, signature: bytes = b"", dots_per_inch: int = 96
) -> list[bytes]:
    """Return the receipt as pictures, a page each. Raises as `draw_pdf`."""
    sheet = _sheet_of(issued, form, node, signature)
    return _compile(_load_template(), sheet, issued, format="png", ppi=dots_per_inch)


def require_signature(signature: bytes) -> bytes:
    """Return the picture of a signature if it is a PNG of a fair size that can be drawn. Raises InvalidReceipt."""
    if len(signature) > SIGNATURE_BYTES_MAX:
        raise InvalidReceipt(field="signature", reason=f"more than {SIGNATURE_BYTES_MAX} bytes")
    # The sizes stand first in a PNG: a picture that would fill the memory is not even opened.
    sides = (int.from_bytes(signature[16:20], "big"), int.from_bytes(signature[20:24], "big"))
    if (
        not signature.startswith(_PNG)
        or len(signature) < 24
        or not all(0 < side <= SIGNATURE_SIDE_MAX for side in sides)
    ):
        raise InvalidReceipt(field="signature", reason=f"a PNG of at most {SIGNATURE_SIDE_MAX} pixels a side")
    try:
        _compiler().compile(
            _SHOWN_ALONE, sys_inputs={"sheet": json.dumps({"signature": list(signature)})}, format="png"
        )
    except typst.TypstError:
        raise InvalidReceipt(field="signature", reason="it cannot be read as a PNG") from None
    return signature


def _sheet_of(issued: IssuedReceipt, form: ReceiptForm, node: str, signature: bytes) -> str:
    proof = make_proof(node, issued.receipt.number, issued.digest)
    sheet = write_sheet(issued, form, proof)
    if signature:
        require_signature(signature)
    return json.dumps({**sheet, "signature": list(signature)}, ensure_ascii=False)


def _compile(template: bytes, sheet: str, issued: IssuedReceipt, **how: Any) -> list[bytes]:
    midnight = datetime.datetime.combine(issued.receipt.issued_on, datetime.time(), datetime.UTC)
    drawn = _compiler().compile(template, sys_inputs={"sheet": sheet}, timestamp=midnight, **how)
    assert drawn is not None  # None goes with an output file
    return drawn if isinstance(drawn, list) else [drawn]


def _load_template() -> bytes:
    return (resources.files("node.fund") / "templates" / "receipt.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def _compiler() -> typst.Compiler:
    # A new one each time: it keeps no state of another donor's receipt. The template reads no file of the folder.
    return typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
