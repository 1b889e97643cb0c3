"""Reads the text layer of a PDF, as the page draws it: for tests only. Glyphs become letters by the fonts' own maps."""

from __future__ import annotations

import io
import re
from typing import Any

import pikepdf

_HEX = re.compile(rb"<([0-9A-Fa-f]+)>")
_BLOCK = re.compile(rb"begin(bfchar|bfrange)(.*?)endbf(?:char|range)", re.DOTALL)


def read_text(pdf: bytes) -> list[str]:
    """Return the text of each page, without any blanks: lines are cut where the layout wants."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return [re.sub(r"[\s\u200b]+", "", _page_text(page)) for page in document.pages]


def squeeze(text: str) -> str:
    """Return a text without blanks, as it is looked for in a page."""
    return re.sub(r"[\s\u200b]+", "", text)


def _page_text(page: Any) -> str:
    maps = {str(name): _letters(font) for name, font in page.Resources.Font.items()}
    found: list[str] = []
    current: dict[int, str] = {}
    replaced = 0  # inside a span whose real text is told beside it
    marks: list[bool] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "Tf":
                current = maps[str(operands[0])]
            case "BDC" | "BMC":
                has_text = (
                    len(operands) > 1 and isinstance(operands[1], pikepdf.Dictionary) and "/ActualText" in operands[1]
                )
                marks.append(has_text)
                if has_text:
                    found.append(str(operands[1].ActualText))
                    replaced += 1
            case "EMC":
                replaced -= marks.pop()
            case "Tj" | "TJ" if not replaced:
                pieces = operands[0] if str(operator) == "TJ" else [operands[0]]
                for piece in pieces:
                    if isinstance(piece, pikepdf.String):
                        codes = bytes(piece)
                        found += [current[int.from_bytes(codes[at : at + 2], "big")] for at in range(0, len(codes), 2)]
            case _:
                pass
    return "".join(found)


def _letters(font: Any) -> dict[int, str]:
    letters: dict[int, str] = {}
    for kind, body in _BLOCK.findall(font.ToUnicode.read_bytes()):
        codes = [bytes.fromhex(code.decode()) for code in _HEX.findall(body)]
        if kind == b"bfchar":
            for code, text in zip(codes[::2], codes[1::2], strict=True):
                letters[int.from_bytes(code, "big")] = text.decode("utf-16-be")
        else:
            for first, last, text in zip(codes[::3], codes[1::3], codes[2::3], strict=True):
                start, end = int.from_bytes(first, "big"), int.from_bytes(last, "big")
                for step in range(end - start + 1):
                    letters[start + step] = chr(int.from_bytes(text, "big") + step)
    return letters
