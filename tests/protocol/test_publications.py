"""Publications: golden bytes, what no page is, files of many, and which of two replaces the other."""

from __future__ import annotations

import msgpack
import pytest
from msgspec import structs

from protocol import publications
from protocol.publications import (
    ENTRIES_MAX,
    PAGE_BYTES_MAX,
    PUBLICATION_BYTES_MAX,
    CataloguePage,
    PageEntry,
    Publication,
    PublicationConflict,
    PublicationOlder,
    PublicationRefused,
    decode_page,
    decode_publication,
    encode_page,
    encode_publication,
    is_replacing,
    read_pages,
    write_pages,
)

ONE = Publication("242900314", b"card", b"catalogue")
PAGE = CataloguePage(1, 7, False, (PageEntry(3, 100, ONE), PageEntry(7, 200, structs.replace(ONE, catalogue=b""))))


def test_publications_have_the_bytes_that_are_written_down() -> None:
    assert encode_publication(ONE) == msgpack.packb(["242900314", b"card", b"catalogue"], use_bin_type=True)
    rows = [[3, 100, ["242900314", b"card", b"catalogue"]], [7, 200, ["242900314", b"card", b""]]]
    assert encode_page(PAGE) == msgpack.packb([1, 7, False, rows], use_bin_type=True)
    assert decode_publication(encode_publication(ONE)) == ONE
    assert decode_page(encode_page(PAGE)) == PAGE


def test_what_is_no_page_is_refused() -> None:
    first, last = PAGE.entries
    for bent in (
        structs.replace(PAGE, version=2),
        structs.replace(PAGE, entries=(last, first)),
        structs.replace(PAGE, entries=(first, first)),
        structs.replace(PAGE, next=6),
        structs.replace(
            PAGE, entries=tuple(structs.replace(first, place=at) for at in range(ENTRIES_MAX + 1)), next=999
        ),
    ):
        with pytest.raises(PublicationRefused):
            decode_page(encode_page(bent))
    decode_page(encode_page(structs.replace(PAGE, entries=(), next=0)))
    for data in (b"", encode_page(PAGE)[:-1], bytes(PAGE_BYTES_MAX + 1)):
        with pytest.raises(PublicationRefused, match="unreadable"):
            decode_page(data)
    for data in (b"", encode_publication(ONE) + b"\0", bytes(PUBLICATION_BYTES_MAX + 1)):
        with pytest.raises(PublicationRefused, match="unreadable"):
            decode_publication(data)


@pytest.mark.parametrize("count", [0, 1, ENTRIES_MAX, ENTRIES_MAX + 1])
def test_a_file_holds_as_many_as_there_are(count: int) -> None:
    many = [structs.replace(ONE, card=bytes([at % 251 + 1, at // 251])) for at in range(count)]
    data = write_pages(many, 100)
    assert read_pages(data) == many
    if count:
        with pytest.raises(PublicationRefused):
            read_pages(data[:-1])
        with pytest.raises(PublicationRefused):
            read_pages(data + b"\0\0\0")


def test_large_ones_stand_on_pages_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publications, "PAGE_BYTES_AIM", 20)
    many = [structs.replace(ONE, catalogue=b"x" * size) for size in (15, 16, 17, 1)]
    data = write_pages(many, 100)
    assert int.from_bytes(data[:4], "big") == len(
        encode_page(CataloguePage(1, 2, True, (PageEntry(1, 100, many[0]), PageEntry(2, 100, many[1]))))
    )
    assert read_pages(data) == many
    monkeypatch.setattr(publications, "FILE_BYTES_MAX", len(data) - 1)
    with pytest.raises(PublicationRefused):
        read_pages(data)


def test_a_higher_number_replaces_and_nothing_else_does() -> None:
    kept = (5, b"five")
    assert is_replacing("T", "card", None, (1, b"one"))
    assert is_replacing("T", "card", kept, (6, b"five"))
    assert not is_replacing("T", "card", kept, (5, b"five"))
    with pytest.raises(PublicationOlder) as older:
        is_replacing("T", "card", kept, (4, b"five"))
    assert older.value.facts == {"territory": "T", "what": "card", "number": 4, "kept": 5}
    with pytest.raises(PublicationConflict) as conflict:
        is_replacing("T", "card", kept, (5, b"six"))
    assert conflict.value.facts == {"territory": "T", "what": "card", "number": 5}
