"""How cards and catalogues travel: to the hub, from it in pages, and in files. Pure.

Who carries them is believed in nothing: each card and each catalogue carries its own signature, and every reader looks at
it again (`territory_card`, `catalogue`). What is here is only how much comes at once, and which of two replaces the other.
Source: SPEC.md, "Cards and catalogues".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from protocol.canonical import decode_typed, encode_typed, prepare
from protocol.catalogue import CATALOGUE_BYTES_MAX
from protocol.errors import NotCanonical, Refusal
from protocol.messages import Millis, Party, Size
from protocol.national_file import FRAME_BYTES, frame
from protocol.territory_card import CARD_BYTES_MAX

PAGES_VERSION: Final = 1
PUBLICATION_BYTES_MAX: Final = CARD_BYTES_MAX + CATALOGUE_BYTES_MAX + 64
ENTRIES_MAX: Final = 128
PAGE_BYTES_AIM: Final = 2 * 1024 * 1024  # a page that has so much is full
FILE_BYTES_MAX: Final = 128 * 1024 * 1024
PAGE_BYTES_MAX: Final = PAGE_BYTES_AIM + PUBLICATION_BYTES_MAX + 1_024


class PublicationRefused(Refusal):
    """Bytes that are no publication. Facts: reason."""

    code = "publication_refused"


class PublicationOlder(Refusal):
    """A newer one is kept. Facts: territory, what (card or catalogue), number, kept."""

    code = "publication_older"


class PublicationConflict(Refusal):
    """Another content under a number that is kept: its signer said two things. Facts: territory, what, number."""

    code = "publication_conflict"


class Publication(Struct, frozen=True, array_like=True):
    """A territory's card and its catalogue, each with its signature; `catalogue` is empty where it has none."""

    territory: Party
    card: Annotated[bytes, Meta(min_length=1, max_length=CARD_BYTES_MAX)]
    catalogue: Annotated[bytes, Meta(max_length=CATALOGUE_BYTES_MAX)]


class PageEntry(Struct, frozen=True, array_like=True):
    """One publication as the hub keeps it: its place in the order in which they came, and when it came."""

    place: Size
    at: Millis
    publication: Publication


class CataloguePage(Struct, frozen=True, array_like=True):
    """Publications after a place, in their order. `next`: the last place here; `has_more`: ask again from there."""

    version: Annotated[int, Meta(ge=1, le=2**16)]
    next: Size
    has_more: bool
    entries: Annotated[tuple[PageEntry, ...], Meta(max_length=ENTRIES_MAX)]


def encode_publication(publication: Publication) -> bytes:
    """Return what is sent to the hub."""
    return encode_typed(publication)


def decode_publication(data: bytes) -> Publication:
    """Raises PublicationRefused."""
    try:
        return decode_typed(data, Publication, size_max=PUBLICATION_BYTES_MAX)
    except NotCanonical:
        raise PublicationRefused(reason="unreadable") from None


def encode_page(page: CataloguePage) -> bytes:
    """Return a page, as the hub answers it and as it stands in a file."""
    return encode_typed(page)


def decode_page(data: bytes) -> CataloguePage:
    """Raises PublicationRefused."""
    try:
        page = decode_typed(data, CataloguePage, size_max=PAGE_BYTES_MAX)
    except NotCanonical:
        raise PublicationRefused(reason="unreadable") from None
    if page.version != PAGES_VERSION:
        raise PublicationRefused(reason=f"version {page.version} is not spoken here")
    places = [one.place for one in page.entries]
    if places != sorted(set(places)) or (places and places[-1] > page.next):
        raise PublicationRefused(reason="publications out of order")
    return page


def write_pages(publications: Sequence[Publication], at: int) -> bytes:
    """Return a file of publications: pages, each framed by its length in four bytes, the highest first."""
    pages: list[CataloguePage] = []
    entries: list[PageEntry] = []
    size = 0
    for place, one in enumerate(publications, 1):
        entries.append(PageEntry(place, at, one))
        size += len(one.card) + len(one.catalogue)
        if len(entries) == ENTRIES_MAX or size >= PAGE_BYTES_AIM or place == len(publications):
            pages.append(CataloguePage(PAGES_VERSION, place, place < len(publications), tuple(entries)))
            entries, size = [], 0
    return b"".join(frame(encode_page(page)) for page in pages)


def read_pages(data: bytes) -> list[Publication]:
    """Return the publications of such a file. Raises PublicationRefused."""
    if len(data) > FILE_BYTES_MAX:
        raise PublicationRefused(reason=f"a file of more than {FILE_BYTES_MAX} bytes")
    found: list[Publication] = []
    start = 0
    while start < len(data):
        end = start + FRAME_BYTES + int.from_bytes(data[start : start + FRAME_BYTES], "big")
        if end > len(data):
            raise PublicationRefused(reason="the file is cut off")
        found += [one.publication for one in decode_page(data[start + FRAME_BYTES : end]).entries]
        start = end
    return found


def is_replacing(territory: str, what: str, kept: tuple[int, bytes] | None, told: tuple[int, bytes]) -> bool:
    """Tell whether what is told, number and bytes, replaces what is kept; the same again does not.

    Raises PublicationOlder, PublicationConflict.
    """
    if kept is None or told[0] > kept[0]:
        return True
    if told[0] < kept[0]:
        raise PublicationOlder(territory=territory, what=what, number=told[0], kept=kept[0])
    if told[1] != kept[1]:
        raise PublicationConflict(territory=territory, what=what, number=told[0])
    return False


prepare(Publication, CataloguePage)
