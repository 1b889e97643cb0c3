"""Where a word stands in bytes: as text, in UTF-16, hexadecimal, base64 or grouped by fours, in any case.

Letters beyond ASCII are looked for as programs escape them too: in JSON, in an address, decomposed. `read_files` takes what
stands in files, what they are called, and what is packed in them.

Marks are long (eight bytes and more), so that none is found by chance in keys and digests. Decimal digits are found there in
one run of a thousand all the same, where digests are written in hexadecimal: such a word counts where it stands by itself.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

BYTES_MIN = 8
# What may stand before a word of digits, and after it: an area code, and nothing of a longer number, fraction or UUID.
_BEFORE = re.compile(rb"(?<![0-9a-z.])(?<![0-9a-f]{4}-)[0-9]{0,4}$")
_AFTER = re.compile(rb"(?![0-9a-z]|-[0-9a-f]{4}-)")
_NEAR = 12


@dataclass(frozen=True)
class Mark:
    """A word, or bytes, that somebody is known by; `places` are those where it may stand."""

    name: str
    word: str | bytes
    places: frozenset[str]
    _folded: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    _exact: tuple[bytes, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.word, bytes):
            texts: set[str] = {self.word.hex()}
            cores = {self.word}
        else:
            fours = [self.word[at : at + 4] for at in range(0, len(self.word), 4)]
            texts = {self.word, " ".join(fours), "-".join(fours)}  # as IBANs are written, and account numbers
            texts |= {json.dumps(self.word)[1:-1], quote(self.word), unicodedata.normalize("NFD", self.word)}
            texts |= {quote(self.word.lower()), json.dumps(self.word.upper())[1:-1], self.word.upper()}
            texts |= {text.lower() for text in texts}
            cores = {case.encode() for case in (self.word, self.word.lower(), self.word.upper())}
        assert min(map(len, cores)) >= BYTES_MIN, f"{self.name} could be found by chance"
        folded = {form.lower() for text in texts for form in _write_text(text)}
        folded |= {core.hex().encode() for core in cores}
        exact = {form for core in cores for form in _write_base64(core)}
        if isinstance(self.word, bytes):
            exact.add(self.word)
        object.__setattr__(self, "_folded", tuple(sorted(folded)))
        object.__setattr__(self, "_exact", tuple(sorted(exact)))

    def stands_in(self, data: bytes, folded: bytes) -> bool:
        """Tell whether it stands there; `folded` is the same in small letters."""
        return any(self._find(folded, form) for form in self._folded) or any(form in data for form in self._exact)

    def _find(self, folded: bytes, form: bytes) -> bool:
        if isinstance(self.word, str) and self.word.isdecimal() and len(form) < 2 * len(self.word):
            return _find_by_itself(folded, form)
        return form in folded


def find_marks(marks: Iterable[Mark], places: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """Return (name of the mark, place) for each that stands there."""
    small = {place: data.lower() for place, data in places.items()}
    return {
        (mark.name, place) for mark in marks for place, data in places.items() if mark.stands_in(data, small[place])
    }


def find_strays(marks: Iterable[Mark], places: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return those that stand where they may not."""
    allowed = {(mark.name, place) for mark in marks for place in mark.places}
    return sorted(find_marks(marks, places) - allowed)


def read_files(root: Path, files: Iterable[Path]) -> list[bytes]:
    """Return all bytes of these files, below `root`: their names, what stands in them, and what is packed in them."""
    parts: list[bytes] = []
    for file in files:
        data = file.read_bytes()
        parts += [str(file.relative_to(root)).encode(), data]
        if data.startswith(b"\x1f\x8b"):
            parts.append(gzip.decompress(data))
        elif data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                parts += [part for name in packed.namelist() for part in (name.encode(), packed.read(name))]
    return parts


def _find_by_itself(data: bytes, form: bytes) -> bool:
    """Tell whether it stands there, and not as a part of something longer that is made of digits and letters."""
    at = data.find(form)
    while at >= 0:
        if _BEFORE.search(data[max(0, at - _NEAR) : at]) and _AFTER.match(data[(end := at + len(form)) : end + _NEAR]):
            return True
        at = data.find(form, at + 1)
    return False


def _write_text(text: str) -> list[bytes]:
    return [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("utf-16-le").hex().encode()]


def _write_base64(core: bytes) -> list[bytes]:
    """Return what is the same of it in base64, wherever it begins in a longer text: in both alphabets."""
    found = []
    for shift in range(3):
        first, end = -(-8 * shift // 6), 8 * (shift + len(core)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.append(encode(bytes(shift) + core)[first:end])
    return found
