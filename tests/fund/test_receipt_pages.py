"""The receipt as a PDF: the claims of its format, every mention in its text, names that are never code, golden text.

Pictures of these receipts were looked at; what is kept is the text of each page (as a digest) and the number of pages.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import io
import struct
import unicodedata
import zlib
from functools import cache
from typing import Any

import pikepdf
import pytest
import typst
from hypothesis import Phase, given, settings
from lxml import etree

from node.fund import receipt_pages
from node.fund.issued_receipts import Cancellation, IssuedReceipt, cancel, issue, mark_duplicate
from node.fund.printed_text import PRINTABLE
from node.fund.receipt_errors import InvalidReceipt, InvalidReceiptProof
from node.fund.receipt_forms import ReceiptForm
from node.fund.receipt_pages import draw_pdf, draw_png, require_signature
from node.fund.receipt_parameters_store import load_form
from node.fund.receipt_proof import make_proof
from node.fund.receipt_sheet import write_day, write_sheet
from node.fund.receipts import Company, Individual, Receipt, Signatory
from protocol.amounts import CENTS_MAX, Cents
from tests.fund.pdf_text import read_text, squeeze
from tests.fund.receipt_makers import (
    COMPANY,
    FUND,
    NODE,
    PERSON,
    make_gift_in_kind,
    make_number,
    make_payments,
    make_receipt,
    receipts,
)


def _form(receipt: Receipt) -> ReceiptForm:
    return load_form(receipt.kind, receipt.form_version)


def _draw(issued: IssuedReceipt, signature: bytes = b"") -> bytes:
    return draw_pdf(issued, form=_form(issued.receipt), node=NODE, signature=signature)


@cache
def _drawn(name: str) -> bytes:
    return _draw(CASES[name])


def _png(width: int = 40, height: int = 20, data: bytes | None = None) -> bytes:
    """A grey picture, written by hand."""
    rows = b"".join(b"\x00" + bytes([128]) * width for _ in range(height)) if data is None else data
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


LONG_PERSON = Individual(
    name="Vandenbroucke-de la Rochefoucauld-Montmorency " * 3 + "Fin",
    first_name="A" * 200,
    address=dataclasses.replace(
        PERSON.address,
        number="1234 quater",
        street="avenue du Général de Gaulle et des Fusillés " * 2 + "prolongée",
        complement="Résidence Les Jardins, bâtiment C, escalier 4, appartement 1203",
        postcode="LL61 5UJ",
        town="Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
        country="Royaume-Uni",
    ),
)
GOODS = make_gift_in_kind(
    description="Dix ordinateurs portables reconditionnés ;\ndeux techniciens pendant une journée."
)
LONG_GOODS = tuple(make_gift_in_kind(100 + place, "Ordinateurs reconditionnés. " * 100 + "Fin") for place in range(4))
CANCELLATION = Cancellation(on=datetime.date(2027, 3, 1), reason="Adresse erronée", replaced_by=make_number(2))

CASES = {
    "one payment": issue(make_receipt()),
    "13 payments, a copy": mark_duplicate(issue(make_receipt(payments=make_payments(13))), datetime.date(2027, 2, 1)),
    "long names, cancelled": cancel(issue(make_receipt(LONG_PERSON, payments=make_payments(2, 10**12))), CANCELLATION),
    "a company, 300 payments, goods": issue(
        make_receipt(COMPANY, payments=make_payments(300), gifts_in_kind=(GOODS,), replaces=make_number(9))
    ),
    "a company, goods in an annex": issue(make_receipt(COMPANY, gifts_in_kind=LONG_GOODS)),
}
GOLDEN = {  # pages, and the first half of the digest of their text
    "one payment": (1, "94b5c58dc83add55"),
    "13 payments, a copy": (2, "ad1be09c4cf8f9f1"),
    "long names, cancelled": (2, "da74d90d6a6d2fc1"),
    "a company, 300 payments, goods": (7, "f8092f320212b3a7"),
    "a company, goods in an annex": (3, "0b0041f08780cdd4"),
}


# ---------------------------------------------------------------- golden


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_each_page_is_as_it_was_looked_at(name: str) -> None:
    pages = read_text(_drawn(name))
    digest = hashlib.sha256("\f".join(pages).encode()).hexdigest()[:16]
    assert (len(pages), digest) == GOLDEN[name], "\f".join(pages)[:4000]


@pytest.mark.parametrize("name", ["13 payments, a copy", "a company, goods in an annex"])
def test_the_same_receipt_gives_the_same_bytes(name: str) -> None:
    issued = CASES[name]
    assert _draw(issued) == _draw(dataclasses.replace(issued))
    other = dataclasses.replace(issued.receipt, signatory=Signatory(name="Autre", quality="Président"))
    assert _draw(issue(other)) != _draw(issue(issued.receipt))


def test_nothing_leaves_the_page() -> None:
    """The widest of everything stays inside the margins: no dark point in the outer 10 mm of any page."""
    payments = tuple(
        dataclasses.replace(payment, cents=Cents(CENTS_MAX // 2), reference="W" * 119 + str(place))
        for place, payment in enumerate(make_payments(2))
    )
    widest = make_receipt(
        dataclasses.replace(COMPANY, name="W" * 200, legal_form="W" * 120),
        payments=payments,
        signatory=Signatory(name="W" * 200, quality="W" * 200),
        issuer=dataclasses.replace(FUND, purpose="W" * 600, category="general_interest", category_detail="W" * 600),
    )
    width_mm = 210
    pages = draw_png(
        issue(widest), form=_form(widest), node=f"https://{'w' * 100}", signature=_png(400, 120), dots_per_inch=40
    )
    assert len(pages) == 3
    for page in pages:
        rows, width = _read_picture(page)
        margin = width * 10 // width_mm
        outer = [row[at] for row in rows for at in (*range(margin), *range(width - margin, width))]
        assert min(outer) > 100


def _read_picture(png: bytes) -> tuple[list[list[int]], int]:
    """Return the green of each point, row by row, of an RGBA picture of 8 bits."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (depth, kind) == (8, 6)
    body, place = b"", 8
    while place < len(png):
        length = struct.unpack(">I", png[place : place + 4])[0]
        if png[place + 4 : place + 8] == b"IDAT":
            body += png[place + 8 : place + 8 + length]
        place += 12 + length
    raw, stride = zlib.decompress(body), width * 4
    rows: list[list[int]] = []
    before = bytearray(stride)
    for line in range(height):
        filter_, row = raw[line * (stride + 1)], bytearray(raw[line * (stride + 1) + 1 : (line + 1) * (stride + 1)])
        for at in range(stride):
            left, up = (row[at - 4] if at >= 4 else 0), before[at]
            corner = before[at - 4] if at >= 4 else 0
            row[at] = (row[at] + _predict(filter_, left, up, corner)) % 256
        rows.append(list(row[1::4]))
        before = row
    return rows, width


def _predict(filter_: int, left: int, up: int, corner: int) -> int:
    if filter_ == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2)[filter_]


# ---------------------------------------------------------------- the format


@pytest.mark.parametrize("name", CASES)
def test_it_claims_pdf_a_and_pdf_ua_in_french_with_its_fonts(name: str) -> None:
    issued = CASES[name]
    with pikepdf.open(io.BytesIO(_drawn(name))) as document:
        with document.open_metadata() as told:
            assert (told.get("pdfaid:part"), told.get("pdfaid:conformance")) == ("2", "A")
            assert told.get("pdfuaid:part") == "1"
            assert told.get("dc:title") == f"Reçu n° {issued.receipt.number}"
            assert told.get("xmp:CreateDate", "").startswith("2027-01-15")
        root: Any = document.Root
        assert str(root.Lang) == "fr-FR"
        assert bool(root.MarkInfo.Marked)
        assert root.ViewerPreferences.DisplayDocTitle
        assert root.OutputIntents[0].S == "/GTS_PDFA1"
        assert "/AcroForm" not in root
        assert "/Names" not in root  # nothing attached, no script
        fonts = {str(font.BaseFont): font for page in document.pages for font in page.Resources.Font.values()}
        assert fonts
        for font in fonts.values():
            descriptor = font.DescendantFonts[0].FontDescriptor
            assert any(f"/FontFile{kind}" in descriptor for kind in ("2", "3"))
        pictures = [element for element in _elements(root.StructTreeRoot) if element.get("/S") == "/Figure"]
        assert len(pictures) == 1  # the code
        assert str(make_proof(NODE, issued.receipt.number, issued.digest)) in str(pictures[0].Alt)


def _elements(element: Any) -> list[Any]:
    children = element.get("/K", [])
    children = list(children) if isinstance(children, pikepdf.Array) else [children]
    found = [element]
    for child in children:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            found += _elements(child)
    return found


def test_the_payments_are_a_table_with_heads() -> None:
    with pikepdf.open(io.BytesIO(_drawn("13 payments, a copy"))) as document:
        root: Any = document.Root
        kinds = [str(element.get("/S")) for element in _elements(root.StructTreeRoot)]
    assert kinds.count("/Table") == 1
    assert kinds.count("/TH") == 5
    assert kinds.count("/TD") == 13 * 5 + 2


# ---------------------------------------------------------------- every mention


# Told as it is found: to make a failing receipt smaller would take minutes of drawing.
@settings(max_examples=30, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(receipts())
def test_every_mention_is_in_the_text(receipt: Receipt) -> None:
    """Any name, with what a template would read as code: it stands there as it was told."""
    issued = issue(receipt)
    pages = read_text(_draw(issued))
    text = squeeze(unicodedata.normalize("NFKC", "".join(pages)))  # ligatures come back as letters
    for mention in _mentions(receipt):
        assert squeeze(unicodedata.normalize("NFKC", mention)) in text, mention
    assert squeeze(str(make_proof(NODE, receipt.number, issued.digest))) in text


def _mentions(receipt: Receipt) -> list[str]:
    """What DOMAIN.md, 1.3 and 1.4, asks, said again from the values."""
    donor, issuer = receipt.donor, receipt.issuer
    found = [str(receipt.number), receipt.form_version, issuer.name, issuer.purpose, "× Fonds de dotation"]
    found += [code for code in (issuer.siren, issuer.rna) if code]
    found += [issuer.address.number + issuer.address.street, issuer.address.postcode + issuer.address.town, "France"]
    found += [donor.name, donor.address.number + donor.address.street, donor.address.postcode + donor.address.town]
    found += [donor.address.complement]
    if isinstance(donor, Company):
        found += [donor.legal_form, donor.siren, "2041-MEC-SD", "238 bis du CGI"]
    else:
        found += [donor.first_name, "2041-RD", "200 du CGI", "× Numéraire"]
    found += [_euros(receipt.cents), _euros(receipt.total)]
    found += [write_day(day) for day in (min(receipt.days), max(receipt.days), receipt.issued_on)]
    found += [receipt.signatory.name, receipt.signatory.quality]
    for gift in receipt.gifts_in_kind:
        found += [gift.description, _euros(gift.cents)]
    if len(receipt.payments) > 1:
        for payment in receipt.payments:
            found += [payment.reference, _euros(payment.cents)]
    return found


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d} €"


@pytest.mark.parametrize("donor", [PERSON, COMPANY])
def test_nothing_speaks_of_the_tax_on_fortunes(donor: Any) -> None:
    text = "".join(read_text(_draw(issue(make_receipt(donor)))))
    assert "978" not in text
    assert "IFI" not in text
    assert "ISF" not in text


@pytest.mark.parametrize("name", CASES)
def test_marks_are_on_every_page_of_a_copy_or_a_cancelled_receipt_and_of_no_other(name: str) -> None:
    for page in read_text(_drawn(name)):
        assert ("DUPLICATA" in page) == (name == "13 payments, a copy")
        assert ("ANNULÉ" in page) == (name == "long names, cancelled")


def test_a_cancelled_receipt_says_why_and_what_replaces_it() -> None:
    first = read_text(_drawn("long names, cancelled"))[0]
    assert squeeze("Reçu annulé le 1er mars 2027. Motif : Adresse erronée") in first
    assert squeeze("Remplacé par le reçu n° FD-732829320-2026-000002") in first
    company = read_text(_drawn("a company, 300 payments, goods"))[0]
    assert squeeze("Annule et remplace le reçu n° FD-732829320-2026-000009") in company


def test_only_the_means_used_are_ticked() -> None:
    ticks = {}
    for name in ("one payment", "a company, 300 payments, goods"):
        issued = CASES[name]
        proof = make_proof(NODE, issued.receipt.number, issued.digest)
        sheet = write_sheet(issued, _form(issued.receipt), proof)
        ticks[name] = {
            group["label"]: [choice["words"] for choice in group["choices"] if choice["ticked"]]
            for group in sheet["boxes"]
        }
    assert ticks["one payment"] == {
        "Forme du don": ["Déclaration de don manuel"],
        "Nature du don": ["Numéraire"],
        "En cas de don en numéraire, mode de versement du don": ["Virement, prélèvement, carte bancaire"],
    }
    assert ticks["a company, 300 payments, goods"] == {
        "Forme des versements": ["Virement, prélèvement ou carte bancaire"]
    }


def test_the_annex_has_every_payment_and_their_total() -> None:
    issued = CASES["a company, 300 payments, goods"]
    pages = read_text(_drawn("a company, 300 payments, goods"))
    annex = "".join(pages[1:])
    assert all(payment.reference in annex for payment in issued.receipt.payments)
    assert squeeze(f"Total des versements{_euros(sum(payment.cents for payment in issued.receipt.payments))}") in annex
    assert all(squeeze("N° Reçu le Mode Référence Montant") in page for page in pages[1:])
    assert [f"Page{at}sur{len(pages)}" in page for at, page in enumerate(pages, start=1)] == [True] * len(pages)


# ---------------------------------------------------------------- names are never code

ATTACKS = [
    '#panic("pris")',
    "#sys.inputs.sheet",
    '#read("/etc/passwd")',
    '#image("/etc/passwd")',
    '#import "@preview/x:1.0.0"',
    '#eval("1+1")',
    "]#panic()[",
    '"; #panic(); "',
    '\\"}, "mark": "ANNULÉ", "x": {"',
    "$ x^2 $",
    "= Titre",
    "*gras* _italique_ `code`",
    "<label> @ref",
    "// commentaire",
    "/* commentaire */",
    "https://ailleurs.example",
    "--- ... ~ -?",
    "'apostrophe' \"guillemets\"",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_name_that_looks_like_code_is_shown_as_it_is(attack: str) -> None:
    donor = dataclasses.replace(PERSON, name=attack)
    pdf = _draw(issue(make_receipt(donor, signatory=Signatory(name=attack, quality=attack))))
    page = read_text(pdf)[0]
    assert page.count(squeeze(attack)) == 3
    assert not page.startswith("ANNULÉ")
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert all("/Annots" not in page.obj for page in document.pages)  # no link of the donor's making


def test_the_attacks_would_work_on_a_template_that_pastes_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same attack, where the name is pasted into the code: so that the tests above can fail."""
    monkeypatch.setattr(receipt_pages, "_load_template", lambda: f"#set document(title: [x])\n{ATTACKS[0]}".encode())
    with pytest.raises(typst.TypstError, match="pris"):
        _draw(CASES["one payment"])


# ---------------------------------------------------------------- letters, node, signature


@pytest.mark.parametrize("place", range(len(PRINTABLE)))
def test_every_letter_that_is_allowed_can_be_drawn(place: int) -> None:
    """In regular, semibold and italic: PDF/A refuses a letter that the font does not have."""
    first, last = PRINTABLE[place]
    letters = [chr(code) for code in range(first, last + 1)]
    letters = [letter for letter in letters if unicodedata.normalize("NFC", letter) == letter and not letter.isspace()]
    lines = ["".join(letters[at : at + 60]) for at in range(0, len(letters), 60)]
    for line in lines:
        goods = (make_gift_in_kind(description=line),)
        receipt = make_receipt(dataclasses.replace(COMPANY, name=line), gifts_in_kind=goods)
        cancelled = cancel(issue(receipt), Cancellation(on=datetime.date(2027, 2, 1), reason=line))
        assert len(read_text(_draw(cancelled))) == 1


@pytest.mark.parametrize("node", ["", "http://miles.example", "https://miles.example/", "javascript:alert(1)"])
def test_the_code_names_a_node_by_https(node: str) -> None:
    issued = CASES["one payment"]
    with pytest.raises(InvalidReceiptProof):
        draw_pdf(issued, form=_form(issued.receipt), node=node)


def test_the_code_is_drawn_as_it_reads() -> None:
    issued = CASES["one payment"]
    proof = make_proof(NODE, issued.receipt.number, issued.digest)
    sheet = write_sheet(issued, _form(issued.receipt), proof)
    svg = etree.fromstring(sheet["proof"]["svg"].encode())
    assert svg.get("viewBox") == "0 0 45 45"  # version 5: 37 modules and a quiet zone of four on each side
    with pytest.raises(ValueError, match="another receipt"):
        write_sheet(issue(make_receipt(number=make_number(2))), _form(issued.receipt), proof)


def test_the_signature_is_a_picture_with_its_words() -> None:
    with pikepdf.open(io.BytesIO(_draw(CASES["one payment"], _png()))) as document:
        root: Any = document.Root
        alts = [str(element.Alt) for element in _elements(root.StructTreeRoot) if "/Alt" in element]
        assert "Signature de Jeanne Martin-Dubois" in alts


@pytest.mark.parametrize(
    "picture",
    [
        *(b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>", _png()[:40], _png(data=b"\x00" * 3)[:-20]),
        _png(0, 1),
        _png(2_001, 1),
        _png(60_000, 60_000, data=b""),  # a bomb: refused by its sizes
        _png() + bytes(200_000),
    ],
)
def test_a_picture_that_is_no_signature_is_refused(picture: bytes) -> None:
    with pytest.raises(InvalidReceipt) as refusal:
        require_signature(picture)
    assert refusal.value.facts["field"] == "signature"
    if picture:
        with pytest.raises(InvalidReceipt):
            _draw(CASES["one payment"], picture)


def test_a_long_purpose_and_category_are_shown_whole() -> None:
    fund = dataclasses.replace(
        FUND,
        purpose="Culture et solidarité. " * 25 + "Fin",
        category="general_interest",
        category_detail="Association loi 1901",
    )
    page = "".join(read_text(_draw(issue(make_receipt(COMPANY, issuer=fund)))))
    assert squeeze(fund.purpose) in page
    assert squeeze("et des connaissances scientifiques françaises : Association loi 1901") in page
