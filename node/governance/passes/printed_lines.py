"""Lines of text: those that people write, and those that a pass shows in letters its font has. Pure.

A pass is printed as PDF/A, which wants every letter embedded: what cannot be drawn is refused when it is claimed, not when
it is printed.
"""

from __future__ import annotations

import unicodedata
from typing import Final

# First and last of what the serif font that typst carries has in its weights (a test draws all of it).
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
    (0x2010, 0x2015),  # dashes, quotation marks, and other signs of French and English
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


def is_line(text: object, length_max: int) -> bool:
    """Tell whether a text is one line: neither empty, padded, too long nor of control symbols."""
    return isinstance(text, str) and 0 < len(text) <= length_max and text == text.strip() and text.isprintable()


def is_printed_line(text: object, length_max: int) -> bool:
    """Tell whether a text is one line, each letter in its one form, and can be drawn: Latin, Greek or Cyrillic."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= length_max
        and text == text.strip()
        and unicodedata.is_normalized("NFC", text)
        and _KNOWN.issuperset(text)
    )
