"""Draws cards with their codes as a PDF, or writes them as text: account, code, and what to do with them, twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import typst

PER_PAGE: Final = 10
WORDS: Final = (
    ("Votre compte, gratuit", "Your account, free"),
    ("Donnez ce numéro à la caisse.", "Give this number at the till."),
    ("Code, à garder pour vous", "Code, keep it to yourself"),
    ("Il ouvre votre compte : ne le montrez à personne.", "It opens your account: show it to nobody."),
)
# Every card looks alike: nothing on it says who handed it out, or why.
_TEMPLATE: Final = b"""
#let cards = json(bytes(sys.inputs.cards))
#set document(title: "Citizen-Miles")
#set page(paper: "a4", margin: 12mm)
#set text(font: "Libertinus Serif", size: 9pt, lang: "fr")
#grid(
  columns: (1fr, 1fr), gutter: 4mm,
  ..cards.map(card => block(
    width: 100%, height: 50mm, inset: 4mm, stroke: 0.5pt + gray, breakable: false,
    [
      #strong[Citizen-Miles] \\
      #card.words.at(0).at(0) / #text(lang: "en", card.words.at(0).at(1)) \\
      #text(size: 13pt, card.account) \\
      #card.words.at(1).at(0) / #text(lang: "en", card.words.at(1).at(1))
      #v(2mm)
      #card.words.at(2).at(0) / #text(lang: "en", card.words.at(2).at(1)) \\
      #text(size: 11pt, card.code) \\
      #card.words.at(3).at(0) / #text(lang: "en", card.words.at(3).at(1))
    ],
  ))
)
"""


def draw_cards(cards: Sequence[tuple[str, str]]) -> bytes:
    """Return a PDF of (account, code), ten on a page, to be cut. What is drawn goes in as JSON, never as markup."""
    told = [{"account": account, "code": code, "words": WORDS} for account, code in cards]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)
    compiler = typst.Compiler(font_paths=fonts, ignore_system_fonts=True)
    drawn = compiler.compile(
        _TEMPLATE, sys_inputs={"cards": json.dumps(told, ensure_ascii=False)}, pdf_standards=["ua-1"]
    )
    assert isinstance(drawn, bytes)
    return drawn


def write_cards(cards: Sequence[tuple[str, str]]) -> str:
    """Return the same as text, a card after the other."""
    lines = ["Citizen-Miles", ""]
    for account, code in cards:
        for (french, english), value in ((WORDS[0], account), (WORDS[2], code)):
            lines += [f"{french} / {english}", f"    {value}"]
        lines += [f"{WORDS[1][0]} {WORDS[3][0]}", f"{WORDS[1][1]} {WORDS[3][1]}", "-" * 60, ""]
    return "\n".join(lines)
