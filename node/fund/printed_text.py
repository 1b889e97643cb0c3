"""Texts that a document shows: one form of each letter, and only letters that the document's fonts have. Pure.

PDF/A wants every character embedded. What cannot be drawn is refused before a number is taken, not when it is printed.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# First and last of what the serif font that typst carries has in its weights (tests draw all of it).
PRINTABLE: Final = (
    (0x20, 0x7E),  # Latin
    (0xA0, 0xAC),
    (0xAE, 0x23F),  # without the soft hyphen, which is not seen
    (0x386, 0x386),  # Greek
    (0x388, 0x38A),
    (0x38C, 0x38C),
    (0x38E, 0x3A1),
    (0x3A3, 0x3CE),
    (0x400, 0x45F),  # Cyrillic
    (0x490, 0x4C4),
    (0x1E00, 0x1E99),  # Latin of Vietnam and others
    (0x1EA0, 0x1EF9),
    (0x2009, 0x2009),
    (0x2010, 0x2015),
    (0x2018, 0x201E),
    (0x2020, 0x2022),
    (0x2026, 0x2026),
    (0x202F, 0x202F),
    (0x2030, 0x2030),
    (0x2032, 0x2033),
    (0x2039, 0x203A),
    (0x20AC, 0x20AC),
    (0x2116, 0x2116),
    (0x2122, 0x2122),
)
_KNOWN: Final = frozenset(chr(code) for first, last in PRINTABLE for code in range(first, last + 1))


def tidy_text(text: str) -> str:
    """Return a typed line in the one form of its letters, without blanks around or doubled."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def find_fault(text: object, length_max: int, *, is_long: bool = False) -> str | None:
    """Return why a text cannot be shown, or None. A long text may have several lines."""
    if type(text) is not str or not text.strip():
        return "it is missing"
    if len(text) > length_max:
        return f"more than {length_max} characters"
    if text != text.strip():
        return "blanks before or after it"
    if unicodedata.normalize("NFC", text) != text:
        return "its accents are apart from their letters"
    for character in text:
        if character not in _KNOWN and not (is_long and character == "\n"):
            return f"U+{ord(character):04X} cannot be printed: Latin, Greek or Cyrillic letters"
    return None
