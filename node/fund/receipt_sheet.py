"""What is written where on a receipt, as texts: the template lays out, and decides nothing. Pure.

The mentions are those of the models 2041-RD and 2041-MEC-SD, in their order. Source: shared design, DOMAIN.md, 1.3, 1.4.
"""

from __future__ import annotations

import datetime
import io
from typing import Any, Final

import segno

from node.fund.amounts_in_letters import write_in_letters
from node.fund.issued_receipts import IssuedReceipt
from node.fund.receipt_forms import ReceiptForm
from node.fund.receipt_proof import ReceiptProof
from node.fund.receipts import (
    Company,
    GiftForm,
    Issuer,
    PaymentMeans,
    PostalAddress,
    Receipt,
    ReceiptKind,
)
from protocol.amounts import format_cents

_MONTHS: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)
_GIFT_FORMS: Final = (
    (GiftForm.AUTHENTIC_DEED, "Acte authentique"),
    (GiftForm.PRIVATE_DEED, "Acte sous seing privé"),
    (GiftForm.MANUAL_GIFT, "Déclaration de don manuel"),
    (GiftForm.OTHER, "Autres"),
)
_BANK: Final = frozenset({PaymentMeans.TRANSFER, PaymentMeans.DIRECT_DEBIT, PaymentMeans.CARD})
_MEANS_BOXES: Final = (
    (frozenset({PaymentMeans.CASH}), "Remise d’espèces", "Espèces"),
    (frozenset({PaymentMeans.CHEQUE}), "Chèque", "Chèque"),
    (_BANK, "Virement, prélèvement, carte bancaire", "Virement, prélèvement ou carte bancaire"),
    (frozenset({PaymentMeans.OTHER}), "", "Autre"),
)
_MEANS: Final = {
    PaymentMeans.CASH: "Espèces",
    PaymentMeans.CHEQUE: "Chèque",
    PaymentMeans.TRANSFER: "Virement",
    PaymentMeans.DIRECT_DEBIT: "Prélèvement",
    PaymentMeans.CARD: "Carte bancaire",
    PaymentMeans.OTHER: "Autre",
}
DESCRIPTION_ON_PAGE_MAX: Final = 400  # longer ones go to an annex, as the form allows


def write_sheet(issued: IssuedReceipt, form: ReceiptForm, proof: ReceiptProof) -> dict[str, Any]:
    """Return all that the template shows. Raises InvalidReceipt when the form is not the receipt's."""
    receipt = issued.receipt
    box = form.require_fit(receipt)
    if proof.number != receipt.number:
        raise ValueError("the proof is that of another receipt")
    is_company = receipt.kind is ReceiptKind.COMPANY
    return {
        "number": str(receipt.number),
        "title": form.title,
        "model": f"{form.model} – Cerfa n° {form.version}",
        "mark": _mark_of(issued),
        "notices": _notices_of(issued),
        "issuer": _issuer_rows(receipt.issuer),
        "category": _ticked(box.words, receipt.issuer.category_detail),
        "donor_title": "Entreprise donatrice" if is_company else "Donateur",
        "donor": _donor_rows(receipt),
        "gift_title": "Dons et versements effectués par l’entreprise" if is_company else "Dons et versements",
        "acknowledgement": _ACKNOWLEDGED[receipt.kind],
        "amounts": _amounts_of(receipt),
        "dates": _dates_of(receipt),
        "boxes": _boxes_of(receipt),
        "certification": form.certification,
        "article": f"{form.article} du CGI",
        "in_kind": _in_kind_of(receipt),
        "issued_on": write_day(receipt.issued_on),
        "signatory": {"name": receipt.signatory.name, "quality": receipt.signatory.quality},
        "annex": _annex_of(receipt),
        "annex_total": f"{format_cents(receipt.cents)} €",
        "proof": {"text": str(proof), "lines": list(proof.lines), "svg": draw_code(str(proof))},
        "date": {"year": receipt.issued_on.year, "month": receipt.issued_on.month, "day": receipt.issued_on.day},
    }


_ACKNOWLEDGED: Final = {
    ReceiptKind.INDIVIDUAL: "Le bénéficiaire reconnaît avoir reçu au titre des dons et versements ouvrant droit à "
    "réduction d’impôt la somme de :",
    ReceiptKind.COMPANY: "L’organisme bénéficiaire reconnaît avoir reçu de l’entreprise donatrice, au titre des dons et "
    "versements ouvrant droit à réduction d’impôt :",
}


def write_day(day: datetime.date) -> str:
    """Return 27 novembre 2026; the first of a month is 1er."""
    return f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"


def write_short_day(day: datetime.date) -> str:
    """Return 27/11/2026."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def draw_code(text: str) -> str:
    """Return the QR of a text as SVG: error correction M, quiet zone of four modules, no size in pixels."""
    drawing = io.BytesIO()
    segno.make_qr(text, error="m").save(drawing, kind="svg", border=4, xmldecl=False, omitsize=True, nl=False)
    return drawing.getvalue().decode()


def _mark_of(issued: IssuedReceipt) -> str:
    if issued.cancellation is not None:
        return "ANNULÉ"
    return "DUPLICATA" if issued.duplicates else ""


def _notices_of(issued: IssuedReceipt) -> list[str]:
    notices = []
    if issued.cancellation is not None:
        told = issued.cancellation
        notices.append(f"Reçu annulé le {write_day(told.on)}. Motif : {told.reason}")
        if told.replaced_by is not None:
            notices.append(f"Remplacé par le reçu n° {told.replaced_by}")
    elif issued.duplicates:
        notices.append(
            f"Duplicata établi le {write_day(issued.duplicates[-1])} du reçu délivré le "
            f"{write_day(issued.receipt.issued_on)} : le même numéro, à ne compter qu’une fois"
        )
    if issued.receipt.replaces is not None:
        notices.append(f"Annule et remplace le reçu n° {issued.receipt.replaces}")
    return notices


def _issuer_rows(issuer: Issuer) -> list[list[str]]:
    rows = [["Nom ou dénomination", issuer.name]]
    rows += [["Numéro SIREN", _space_siren(issuer.siren)]] if issuer.siren else []
    rows += [["Numéro RNA", issuer.rna]] if issuer.rna else []
    rows += [["Registre (Alsace-Moselle)", issuer.registry]] if issuer.registry else []
    return [*rows, *_address_rows(issuer.address, with_country=True), ["Objet", issuer.purpose]]


def _donor_rows(receipt: Receipt) -> list[list[str]]:
    donor = receipt.donor
    if isinstance(donor, Company):
        named = [
            ["Dénomination", donor.name],
            ["Forme juridique", donor.legal_form],
            ["Numéro SIREN", _space_siren(donor.siren)],
        ]
    else:
        named = [["Nom", donor.name], ["Prénom", donor.first_name]]
    return [*named, *_address_rows(donor.address, with_country=donor.address.country != "France")]


def _address_rows(address: PostalAddress, *, with_country: bool) -> list[list[str]]:
    rows = [["N° et rue", f"{address.number} {address.street}".strip()]]
    rows += [["Complément", address.complement]] if address.complement else []
    rows.append(["Code postal et commune", f"{address.postcode} {address.town}".strip()])
    return [*rows, ["Pays", address.country]] if with_country else rows


def _amounts_of(receipt: Receipt) -> list[dict[str, Any]]:
    """Return the amounts in the form's order; the last one is what the receipt is worth."""
    if receipt.kind is ReceiptKind.INDIVIDUAL:
        return [_amount("Somme", receipt.cents, is_total=True)]
    amounts = [_amount("Total des dons en nature", receipt.cents_in_kind)] if receipt.gifts_in_kind else []
    amounts.append(_amount("Total des versements", receipt.cents))
    return [*amounts, _amount("Montant total des dons et versements", receipt.total, is_total=True)]


def _amount(label: str, cents: int, *, is_total: bool = False) -> dict[str, Any]:
    return {
        "label": label,
        "figures": f"***{format_cents(cents)} €***",
        "letters": write_in_letters(cents),
        "is_total": is_total,
    }


def _dates_of(receipt: Receipt) -> list[str]:
    label = "Date ou période" if receipt.kind is ReceiptKind.COMPANY else "Date du versement ou du don"
    if receipt.first_on == receipt.last_on:
        return [label, f"le {write_day(receipt.first_on)}"]
    return [label, f"du {write_day(receipt.first_on)} au {write_day(receipt.last_on)}"]


def _boxes_of(receipt: Receipt) -> list[dict[str, Any]]:
    used = {payment.means for payment in receipt.payments}
    if receipt.kind is ReceiptKind.COMPANY:
        means = [_box(words, is_ticked=bool(used & of)) for of, _, words in _MEANS_BOXES]
        return [{"label": "Forme des versements", "choices": means}]
    means = [_box(words, is_ticked=bool(used & of)) for of, words, _ in _MEANS_BOXES if words]
    forms = [_box(words, is_ticked=form is receipt.gift_form) for form, words in _GIFT_FORMS]
    # A receipt of ours hangs on euros received: the other natures are never ticked.
    natures = [
        _box("Numéraire", is_ticked=True),
        _box("Titres de sociétés cotés", is_ticked=False),
        _box("Autres", is_ticked=False),
    ]
    return [
        {"label": "Forme du don", "choices": forms},
        {"label": "Nature du don", "choices": natures},
        {"label": "En cas de don en numéraire, mode de versement du don", "choices": means},
    ]


def _box(words: str, *, is_ticked: bool) -> dict[str, Any]:
    return {"words": words, "ticked": is_ticked}


def _ticked(words: str, detail: str) -> dict[str, Any]:
    return _box(f"{words} : {detail}" if detail else words, is_ticked=True)


def _in_kind_of(receipt: Receipt) -> dict[str, Any]:
    gifts = [
        {
            "day": write_short_day(gift.given_on),
            "amount": f"{format_cents(gift.cents)} €",
            "description": gift.description,
        }
        for gift in receipt.gifts_in_kind
    ]
    is_short = sum(len(gift.description) for gift in receipt.gifts_in_kind) <= DESCRIPTION_ON_PAGE_MAX
    return {"gifts": gifts, "on_page": is_short}


def _annex_of(receipt: Receipt) -> list[list[str]]:
    """Return the payments in the order of their days, when there are several."""
    if len(receipt.payments) == 1:
        return []
    ordered = sorted(receipt.payments, key=lambda payment: (payment.received_on, payment.reference))
    return [
        [
            str(place),
            write_short_day(payment.received_on),
            _MEANS[payment.means],
            payment.reference,
            f"{format_cents(payment.cents)} €",
        ]
        for place, payment in enumerate(ordered, start=1)
    ]


def _space_siren(siren: str) -> str:
    return f"{siren[:3]} {siren[3:6]} {siren[6:]}"
