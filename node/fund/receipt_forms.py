"""What a version of a form is called and says: title, article, certification, boxes of the issuer's category. Pure.

A copy of an old receipt is drawn with the words of its own version. Art. 978 (IFI) is on no form of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from node.fund.receipt_errors import InvalidReceipt
from node.fund.receipts import Receipt, ReceiptKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryBox:
    """One box of the issuer's category; `needs_detail` where the form asks for more beside it."""

    words: str
    needs_detail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptForm:
    """One version of a form. `article` is what the donor's reduction rests on: 200, or 238 bis."""

    kind: ReceiptKind
    model: str
    version: str
    title: str
    article: str
    certification: str
    categories: Mapping[str, CategoryBox]

    def __post_init__(self) -> None:
        if "978" in self.article or "978" in self.title or "978" in self.certification:
            raise ValueError("an endowment fund gives no receipt for art. 978")

    def require_fit(self, receipt: Receipt) -> CategoryBox:
        """Return the box of the receipt's issuer. Raises InvalidReceipt: to be asked before the number is taken."""
        if receipt.kind is not self.kind or receipt.form_version != self.version:
            raise InvalidReceipt(field="form_version", reason=f"this form is {self.model}, {self.version}")
        box = self.categories.get(receipt.issuer.category)
        if box is None:
            raise InvalidReceipt(field="issuer.category", reason=f"no box of the form {self.version}")
        if box.needs_detail and not receipt.issuer.category_detail:
            raise InvalidReceipt(field="issuer.category_detail", reason="the form asks for it beside this box")
        return box
