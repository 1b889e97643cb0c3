"""The picture and the printed pass: what they show in both languages, that names are text, and that they are kept as drawn."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pikepdf
import pytest
from lxml import etree

from node.governance.passes.canonical_json import encode_json
from node.governance.passes.credentials import PNG, SVG
from node.governance.passes.data_integrity import add_proof
from node.governance.passes.errors import InvalidPass
from node.governance.passes.holders import Holder, derive_holder_code
from node.governance.passes.pass_pages import draw_pdf, draw_pictures
from node.governance.passes.pass_proofs import make_pass_proof
from node.governance.passes.pass_sheets import WORDS, write_day, write_picture_sheet
from node.governance.passes.passes import Pass
from node.governance.passes.png_baking import bake_png, unbake_png
from node.governance.passes.printed_lines import PRINTABLE, is_printed_line
from node.governance.passes.svg_baking import bake_svg, unbake_svg
from node.governance.passes.verification import verify_picture
from node.governance.passes.web_tokens import write_token
from protocol.identifiers import format_id
from tests.fund.pdf_text import read_text, squeeze
from tests.governance.pass_makers import (
    ACCOUNT,
    AT,
    ISSUER,
    KNOWN,
    NODE,
    SECRET,
    SKILLS,
    make_document,
    make_english,
    make_issued,
    make_work,
)

FRENCH = make_issued()
ENGLISH = make_english()
GROUP = make_issued(holder=Holder(account=ACCOUNT, people=24, label="CM2 de l’école de Kerinou"))
PICTURES = draw_pictures(FRENCH, issuer=ISSUER)


def drawn(issued: Pass, **how: Any) -> bytes:
    proof = make_pass_proof(NODE, issued.id, b"the signed credential")
    return draw_pdf(issued, issuer=ISSUER, picture=PICTURES[PNG], proof=proof, skills=SKILLS, **how)


def test_the_picture_is_drawn_the_same_again_and_carries_the_credential() -> None:
    assert draw_pictures(FRENCH, issuer=ISSUER) == PICTURES
    document = make_document(FRENCH, pictures=PICTURES)
    secured = encode_json(add_proof(document, ISSUER, at=AT)).decode()
    for credential in (secured, write_token(document, ISSUER)):
        for kind, bake, unbake in ((PNG, bake_png, unbake_png), (SVG, bake_svg, unbake_svg)):
            baked = bake(PICTURES[kind], credential)
            assert unbake(baked) == (PICTURES[kind], credential)
            assert verify_picture(baked, KNOWN).document == document


def test_the_picture_is_small_square_and_said_in_words() -> None:
    width, height = (int.from_bytes(PICTURES[PNG][at : at + 4], "big") for at in (16, 20))
    assert (width, height) == (512, 512)
    assert max(map(len, PICTURES.values())) < 150_000
    root = etree.fromstring(PICTURES[SVG])
    assert root.get("role") == "img"
    assert (
        root[0].text == "Citizen-Pass – 305\u00a0h\u00a030, Encadrante du chantier, Un verger pour l’école de Kerinou"
    )
    tags = {etree.QName(element).localname for element in root.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "foreignObject", "image", "a", "text"}  # letters are lines: no font is needed
    assert b"http://" not in PICTURES[SVG].replace(b"http://www.w3.org/", b"")


@pytest.mark.parametrize("issued", [FRENCH, ENGLISH, GROUP], ids=["French", "English", "group"])
def test_the_printed_pass_says_all_that_was_validated(issued: Pass) -> None:
    (page,) = read_text(drawn(issued, holder_code="ABCDE-FGHJK"))
    work = issued.work
    told = [
        work.project_name,
        work.bearer.name,
        work.bearer.number,
        work.role,
        work.tasks,
        "95 h 30",
        "210 h",
        "305 h 30",
    ]
    told += [SKILLS.require(code).words[issued.language] for code in work.skills]
    told += [SKILLS.require(code).own_code for code in work.skills]
    told += [write_day(day, issued.language) for day in (work.first_on, work.last_on)]
    assert issued.checked is not None
    assert issued.validated is not None
    told += [write_day(issued.checked.on, issued.language), write_day(issued.validated.on, issued.language)]
    told += [format_id(issued.id), str(make_pass_proof(NODE, issued.id, b"the signed credential")), "ABCDE-FGHJK"]
    told += [work.evidence[0].url, issued.validated.body.name]
    for words in told:
        assert squeeze(words.replace("\u00a0", " ")) in page, words
    assert (squeeze(GROUP.holder.label) in page) is (issued is GROUP)


def test_a_name_is_printed_only_where_it_is_asked_for() -> None:
    plain, named = read_text(drawn(FRENCH))[0], read_text(drawn(FRENCH, name="Maëlle Le Goff"))[0]
    assert squeeze("Maëlle Le Goff") not in plain
    assert squeeze(WORDS["fr"]["unnamed"]) in plain
    assert squeeze("Maëlle Le Goff") in named
    assert squeeze(WORDS["fr"]["name_note"]) in named
    assert ACCOUNT not in plain


def test_it_claims_pdf_a_and_pdf_ua_in_its_language() -> None:
    for issued, language in ((FRENCH, "fr-FR"), (ENGLISH, "en-GB")):
        with pikepdf.open(io.BytesIO(drawn(issued))) as document:
            root: Any = document.Root
            assert str(root.Lang) == language
            with document.open_metadata() as told:
                assert (told.get("pdfaid:part"), told.get("pdfaid:conformance"), told.get("pdfuaid:part")) == (
                    "2",
                    "A",
                    "1",
                )
            assert "/Names" not in root


@pytest.mark.parametrize(
    "attack", ['#panic("pris")', "#sys.inputs.sheet", "]#panic()[", "$ x^2 $ *gras* <label> @ref", '"; #panic(); "']
)
def test_words_that_look_like_code_are_shown_as_they_are(attack: str) -> None:
    issued = make_issued(work=make_work(role=attack, project_name=attack, tasks=attack))
    (page,) = read_text(drawn(issued, name=attack))
    assert page.count(squeeze(attack)) >= 4
    draw_pictures(issued, issuer=dataclasses.replace(ISSUER, name=attack))


def test_long_words_and_many_people_still_make_a_picture() -> None:
    role, name = ("Responsable " * 9).strip(), "Anticonstitutionnellement" * 4
    work = make_work(role=role, project_name=name, minutes=((2026, 500_000 * 60),))
    issued = make_issued(holder=Holder(account=ACCOUNT, people=9_999, label="x" * 80), work=work)
    assert draw_pictures(issued, issuer=dataclasses.replace(ISSUER, name="y" * 120))[PNG]


def test_both_languages_say_the_same_things() -> None:
    assert set(WORDS["fr"]) == set(WORDS["en"])
    assert all(WORDS["fr"][name] != WORDS["en"][name] for name in WORDS["fr"] if name not in {"title", "page", "code"})
    sheet = write_picture_sheet(ENGLISH, issuer="x")
    assert (sheet["year"], sheet["skills"], sheet["hours"], sheet["minutes"]) == ("2025–2026", "2 skills", "305", "30")
    assert derive_holder_code(SECRET, ACCOUNT, FRENCH.id) not in str(write_picture_sheet(FRENCH, issuer="x"))


@pytest.mark.parametrize("place", range(0, len(PRINTABLE)))
def test_every_letter_that_is_allowed_can_be_drawn(place: int) -> None:
    """In every weight that the templates use: PDF/A refuses a letter that the font does not have."""
    first, last = PRINTABLE[place]
    letters = [letter for letter in map(chr, range(first, last + 1)) if is_printed_line(f"a{letter}b", 3)]
    lines = ["a" + "".join(letters[at : at + 118]) + "b" for at in range(0, len(letters), 118)]
    for line in lines:
        issued = make_issued(work=make_work(role=line, project_name=line, tasks=line))
        assert len(read_text(drawn(issued, name=line))) >= 1


@pytest.mark.parametrize("text", ["\u0627\u0644", "\U0001f600", "e\u0301", "a\u00adb", "a\u2028b"])
def test_a_letter_that_cannot_be_drawn_is_refused_when_it_is_claimed(text: str) -> None:
    with pytest.raises(InvalidPass):
        make_work(role=text)
