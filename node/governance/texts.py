"""Texts that people write: bounded, of symbols that can be shown. Pure."""

from __future__ import annotations

import unicodedata

_ALLOWED = frozenset("\n\t")


def is_line(text: object, length_max: int) -> bool:
    """Tell whether a text is one line that can be shown: neither empty, padded, too long nor of control symbols."""
    return isinstance(text, str) and 0 < len(text) <= length_max and text == text.strip() and text.isprintable()


def is_prose(text: object, length_max: int) -> bool:
    """Tell whether a text of several lines can be shown: not empty, not too long, no control symbol but line ends."""
    return (
        isinstance(text, str)
        and 0 < len(text.strip()) <= len(text) <= length_max
        and all(symbol in _ALLOWED or unicodedata.category(symbol) not in ("Cc", "Cs", "Cn") for symbol in text)
    )


def show_value(value: object) -> str:
    """Return a refused value for the facts: short, and text that can be logged and sent."""
    return value[:40].encode(errors="backslashreplace").decode() if isinstance(value, str) else type(value).__name__
