"""A catalogue: golden bytes, whose word it is, and what no catalogue holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgpack
import pytest
from msgspec import structs

from protocol.catalogue import (
    CATALOGUE_BYTES_MAX,
    CATALOGUE_VERSION,
    PROJECTS_MAX,
    Catalogue,
    CatalogueRefused,
    ListedProject,
    Urgency,
    compute_urgency,
    fold_text,
    open_catalogue,
    sign_catalogue,
    verify_catalogue,
)
from protocol.errors import InvalidTime
from protocol.identifiers import ALPHABET
from protocol.keys import Domain, is_signed, make_keys

BREST = "242900314"
PROJECTS, OLDER, STRANGER = (make_keys(bytes([number]) * 64) for number in range(1, 4))
GARDEN = ListedProject(
    "0A1B2C3D",
    "Jardins partagés",
    "Brest",
    "29019",
    "nature",
    100_000,
    60_000,
    12_345,
    20261215,
    2,
    48_390_000,
    -4_486_000,
)
HALL = ListedProject("1A1B2C3D", "Une halle", "", "29019", "", 5, 5, 0, 20270401, 0, None, None)
CATALOGUE = Catalogue(CATALOGUE_VERSION, BREST, 9, 20261128, (GARDEN, HALL))
KEYS = [OLDER.public, PROJECTS.public]


def reason_of(data: bytes, territory: str = BREST) -> str:
    with pytest.raises(CatalogueRefused) as refused:
        verify_catalogue(data, KEYS, territory)
    return str(refused.value.facts["reason"])


def test_a_catalogue_has_the_bytes_that_are_written_down() -> None:
    rows = [list(structs.astuple(GARDEN)), list(structs.astuple(HALL))]
    body = msgpack.packb([1, BREST, 9, 20261128, rows], use_bin_type=True)
    data = sign_catalogue(CATALOGUE, PROJECTS)
    told, key, signature = msgpack.unpackb(data)
    assert (told, key) == (body, PROJECTS.public.id)
    assert is_signed(PROJECTS.public.signing, Domain.CATALOGUE, body, signature)
    assert verify_catalogue(data, KEYS, BREST) == CATALOGUE
    assert open_catalogue(data)[1] == CATALOGUE


def test_only_the_projects_that_the_card_names_say_it() -> None:
    assert "not signed" in reason_of(sign_catalogue(CATALOGUE, STRANGER))
    assert "another territory" in reason_of(sign_catalogue(CATALOGUE, PROJECTS), "200046977")
    assert "version 2" in reason_of(sign_catalogue(structs.replace(CATALOGUE, version=2), PROJECTS))
    data = sign_catalogue(CATALOGUE, PROJECTS)
    for place in range(0, len(data), 11):
        with pytest.raises(CatalogueRefused):
            verify_catalogue(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], KEYS, BREST)
    assert reason_of(b"") == reason_of(bytes(CATALOGUE_BYTES_MAX + 1)) == "unreadable"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": "0A1B2C3U"}, "8 symbols"),
        ({"need_by": 20261131}, "no such day"),
        ({"title": "Une\u202ehalle"}, "no text"),
        ({"place": "a\x00"}, "no text"),
        ({"theme": "a\n"}, "no text"),
        ({"commune": "\u2028"}, "no text"),
        ({"minimum": 100_001}, "more than its target"),
        ({"longitude": None}, "a place"),
        ({"latitude": None}, "a place"),
        ({"latitude": -90_000_001}, "a place"),
    ],
)
def test_what_is_no_project_is_refused(change: dict[str, Any], reason: str) -> None:
    bent = structs.replace(GARDEN, **change)
    assert reason in reason_of(sign_catalogue(structs.replace(CATALOGUE, projects=(bent,)), PROJECTS))


def test_projects_stand_by_number_each_once() -> None:
    for projects in ((HALL, GARDEN), (GARDEN, GARDEN)):
        assert "each once" in reason_of(sign_catalogue(structs.replace(CATALOGUE, projects=projects), PROJECTS))
    edge = structs.replace(GARDEN, latitude=90_000_000, longitude=180_000_000, minimum=GARDEN.target)
    verify_catalogue(sign_catalogue(structs.replace(CATALOGUE, projects=(edge,)), PROJECTS), KEYS, BREST)


def test_a_full_catalogue_has_room() -> None:
    numbers = sorted(f"{ALPHABET[n // 31]}{ALPHABET[n % 31]}000000" for n in range(PROJECTS_MAX))
    projects = tuple(
        structs.replace(GARDEN, number=number, title="é" * 80, place="é" * 80, commune="9" * 12, theme="é" * 40)
        for number in numbers
    )
    data = sign_catalogue(structs.replace(CATALOGUE, projects=projects), PROJECTS)
    assert len(data) <= CATALOGUE_BYTES_MAX
    assert len(verify_catalogue(data, KEYS, BREST).projects) == PROJECTS_MAX
    one_more = (*projects, structs.replace(GARDEN, number="ZZZZZZZZ"))
    assert reason_of(sign_catalogue(structs.replace(CATALOGUE, projects=one_more), PROJECTS)) == "unreadable"


def test_urgency_is_how_many_days_are_left() -> None:
    today = date(2026, 11, 28)
    told = {20261128: 3, 20261212: 3, 20261213: 2, 20270112: 2, 20270113: 1, 20270328: 1, 20270329: 0, 20261101: 3}
    assert {day: int(compute_urgency(today, day)) for day in told} == told
    assert Urgency.DAYS > Urgency.WEEKS > Urgency.SEASON > Urgency.CALM
    with pytest.raises(InvalidTime):
        compute_urgency(today, 20261301)


def test_texts_are_searched_without_accents_and_capitals() -> None:
    assert fold_text("  Forêt  de l'ÉPÉE\tŒuvre ") == "foret de l'epee œuvre"
    assert fold_text("STRASSE") == fold_text("straße")
