"""How a file of the bank is opened: ISO 20022 XML from outside, taken for hostile until proven tame. Pure.

A ladder, one refusal a step: size (before anything is parsed), UTF-8, no document type, well formed, depth, the
message and its version, one namespace. After it, `Place` walks the tree and says where a field is missing.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from lxml import etree

from node.fund.bank_errors import (
    BankFieldWrong,
    BankFileTooLarge,
    BankFileUnreadable,
    BankFileUnsafe,
    BankFileVersion,
    CurrencyRefused,
    TooManyDecimals,
)
from protocol.amounts import CENTS_MAX

DEPTH_MAX: Final = 40
CURRENCY: Final = "EUR"

_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
_DECLARED_ENCODING: Final = re.compile(r"\A\s*<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"']*)[\"']")
_AMOUNT: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]*))?")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[TZ+\-].*)?")


class Place:
    """An element of the file, with the way to it for messages. Paths are local names parted by slashes."""

    __slots__ = ("_element", "_namespace", "way")

    def __init__(self, element: Any, namespace: str, way: str) -> None:
        self._element = element
        self._namespace = namespace
        self.way = way

    def each(self, path: str) -> Iterator[Place]:
        """The elements at this path, in order; the way of each carries its place from 1."""
        steps = "/".join(f"{{{self._namespace}}}{step}" for step in path.split("/"))
        for place, element in enumerate(self._element.iterfind(steps), start=1):
            yield Place(element, self._namespace, f"{self.way}/{path}[{place}]")

    def find(self, path: str) -> Place | None:
        return next(self.each(path), None)

    def need(self, path: str) -> Place:
        """Raises BankFieldWrong when it is not there."""
        found = self.find(path)
        if found is None:
            raise self.wrong(path, "missing")
        return found

    def text(self, *paths: str) -> str:
        """Return the text at the first of these paths that has one, spaces of its ends cut; else nothing."""
        for path in paths:
            found = self.find(path)
            if found is not None and (text := found.own_text()):
                return text
        return ""

    def need_text(self, *paths: str) -> str:
        """Raises BankFieldWrong when it is missing or empty."""
        text = self.text(*paths)
        if not text:
            raise self.wrong(paths[0], "missing or empty")
        return text

    def own_text(self) -> str:
        return (self._element.text or "").strip()

    def day(self, path: str) -> datetime.date | None:
        """Return the day of a Dt or DtTm below this path, as the bank writes it. Raises BankFieldWrong."""
        written = self.text(f"{path}/Dt", f"{path}/DtTm")
        if not written:
            return None
        match = _DAY.fullmatch(written)
        try:
            return datetime.date.fromisoformat(match.group(1) if match else "")
        except ValueError:
            raise self.wrong(path, "not a day") from None

    def cents(self, path: str) -> int:
        """Return an amount of euros in cents, without a sign.

        Raises BankFieldWrong, CurrencyRefused, and TooManyDecimals on a third decimal, were it a zero.
        """
        found = self.need(path)
        currency = found._element.get("Ccy", "")
        if currency != CURRENCY:
            raise CurrencyRefused(place=found.way, currency=currency[:10])
        return found.own_cents()

    def own_cents(self) -> int:
        written = self.own_text()
        match = _AMOUNT.fullmatch(written)
        if match is None:
            raise BankFieldWrong(place=self.way, field="amount", reason="not an amount")
        euros, decimals = match.group(1), match.group(2) or ""
        if len(decimals) > 2:
            raise TooManyDecimals(place=self.way, amount=written[:40])
        cents = int(euros) * 100 + int(decimals.ljust(2, "0"))
        if cents > CENTS_MAX:
            raise BankFieldWrong(place=self.way, field="amount", reason=f"more than {CENTS_MAX} cents")
        return cents

    def sign(self) -> int:
        """Return 1 for a credit of the account, -1 for a debit. Raises BankFieldWrong."""
        told = self.need_text("CdtDbtInd")
        if told not in {"CRDT", "DBIT"}:
            raise self.wrong("CdtDbtInd", "neither CRDT nor DBIT")
        return 1 if told == "CRDT" else -1

    def count(self, path: str) -> int | None:
        """Return a whole number, or None where it is absent. Raises BankFieldWrong."""
        written = self.text(path)
        if not written:
            return None
        if not re.fullmatch(r"[0-9]{1,18}", written):
            raise self.wrong(path, "not a whole number")
        return int(written)

    def flag(self, path: str) -> bool:
        """Return a truth value; absent is false. Raises BankFieldWrong."""
        written = self.text(path)
        if written not in {"", "true", "false", "1", "0"}:
            raise self.wrong(path, "neither true nor false")
        return written in {"true", "1"}

    def wrong(self, field: str, reason: str) -> BankFieldWrong:
        return BankFieldWrong(place=self.way, field=field, reason=reason)


def open_message(data: bytes, *, known: Collection[str], bytes_max: int) -> tuple[str, Place]:
    """Return the message's name with its version, one of `known` (as camt.053.001.08), and its document.

    Raises BankFileTooLarge, BankFileUnsafe, BankFileUnreadable, BankFileVersion.
    """
    if len(data) > bytes_max:
        raise BankFileTooLarge(bytes=len(data), bytes_max=bytes_max)
    _require_tame(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BankFileUnreadable(reason=_show(str(error))) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BankFileUnsafe(reason="it has a document type")
    name = etree.QName(root)
    namespace = name.namespace or ""
    message = namespace.removeprefix(_NAMESPACE)
    if name.localname != "Document" or not namespace.startswith(_NAMESPACE) or message not in known:
        raise BankFileVersion(met=_show(message or name.localname), known=", ".join(sorted(known)))
    _require_shape(root, namespace)
    return message, Place(root, namespace, message)


def _require_tame(data: bytes) -> None:
    # Other encodings could hide a document type from the look below, so they are not read at all.
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BankFileUnsafe(reason="it is not UTF-8") from None
    declared = _DECLARED_ENCODING.match(text)
    if declared and declared.group(1).lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise BankFileUnsafe(reason="it says that it is not UTF-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BankFileUnsafe(reason="it has a document type or entities")


def _require_shape(root: Any, namespace: str) -> None:
    depth = 0
    foreign = 0  # how deep inside what another namespace may hold: SplmtryData
    supplement = f"{{{namespace}}}SplmtryData"
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            foreign -= 1 if foreign else 0
            continue
        depth += 1
        if depth > DEPTH_MAX:
            raise BankFileUnreadable(reason=f"more than {DEPTH_MAX} elements inside each other")
        if foreign or element.tag == supplement:
            foreign += 1
        elif not isinstance(element.tag, str) or etree.QName(element).namespace != namespace:
            raise BankFileUnreadable(reason=f"an element of another namespace: {_show(str(element.tag))}")


def _show(text: str) -> str:
    return text[:120].encode("ascii", errors="backslashreplace").decode()
