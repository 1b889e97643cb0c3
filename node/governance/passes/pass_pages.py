"""Draws a pass: the picture that carries the credential, and the page to print (PDF/A-2a, PDF/UA-1), in French or English.

The templates are ours and packaged; what they show goes in as JSON, so that no name can be read as markup. Fonts are those
that typst carries: the same pass gives the same bytes with the same version of typst. The pictures of an issued pass are
kept as they were drawn, because its credential binds their digests.
"""

from __future__ import annotations

import datetime
import json
import re
from functools import cache
from importlib import resources
from typing import Any, Final
from xml.sax.saxutils import escape

import typst

from node.governance.passes.credentials import PNG, SVG, facts_of
from node.governance.passes.issuers import Issuer
from node.governance.passes.pass_proofs import PassProof
from node.governance.passes.pass_sheets import WORDS, write_pass_sheet, write_picture_sheet
from node.governance.passes.passes import Pass
from node.governance.passes.times import seconds_of
from node.governance.skills import Skills
from protocol.times import Instant

STANDARDS: Final = ["a-2a", "ua-1"]
DOTS_PER_INCH: Final = 144  # 512 pixels a side
_ROOT: Final = re.compile(r"<svg\b[^<>]*>", re.ASCII)


def draw_pictures(issued: Pass, *, issuer: Issuer) -> dict[str, bytes]:
    """Return the picture of a pass, issued or not yet, as PNG (512 pixels a side) and as SVG, by media type, without credential."""
    sheet = json.dumps(write_picture_sheet(issued, issuer=issuer.name), ensure_ascii=False)
    template = _load_template("picture.typ")
    (png,) = _compile(template, sheet, Instant(0), format="png", ppi=DOTS_PER_INCH)
    (svg,) = _compile(template, sheet, Instant(0), format="svg")
    return {PNG: png, SVG: _entitle(svg.decode(), describe(issued)).encode()}


def describe(issued: Pass) -> str:
    """Return the picture in words, for who cannot see it."""
    facts, words = facts_of(issued), WORDS[issued.language]
    return f"{words['title']} – {facts['hours']}, {facts['role']}, {facts['project']}"


def draw_pdf(
    issued: Pass,
    *,
    issuer: Issuer,
    picture: bytes,
    proof: PassProof,
    skills: Skills,
    holder_code: str = "",
    name: str = "",
) -> bytes:
    """Return the pass as a PDF to print. `picture` is its PNG; `name` only where the holder asks for it."""
    sheet = write_pass_sheet(issued, issuer=issuer.name, proof=proof, skills=skills, holder_code=holder_code, name=name)
    told = json.dumps({**sheet, "picture": list(picture), "picture_alt": describe(issued)}, ensure_ascii=False)
    assert issued.issued_at is not None  # its sheet was refused otherwise
    return _compile(_load_template("pass.typ"), told, issued.issued_at, pdf_standards=STANDARDS)[0]


def _entitle(svg: str, words: str) -> str:
    """Give the picture its words: letters are drawn as lines, so that they look the same without any font."""
    root = _ROOT.search(svg)
    assert root is not None  # typst made it
    title = escape(words)
    return f'{svg[: root.end() - 1]} role="img"><title>{title}</title>{svg[root.end() :]}'


def _compile(template: bytes, sheet: str, at: Instant, **how: Any) -> list[bytes]:
    moment = datetime.datetime.fromtimestamp(seconds_of(at), datetime.UTC)
    drawn = _compiler().compile(template, sys_inputs={"sheet": sheet}, timestamp=moment, **how)
    assert drawn is not None  # None goes with an output file
    return drawn if isinstance(drawn, list) else [drawn]


def _load_template(name: str) -> bytes:
    return (resources.files("node.governance") / "templates" / name).read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def _compiler() -> typst.Compiler:
    # A new one each time: it keeps no state of another holder's pass. The templates read no file of the folder.
    return typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)
