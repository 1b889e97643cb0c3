"""What the accounts say became of a company's miles is kept, shown to that company, and in its public sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from node.effects import store
from node.effects.effects import Figures, Line, Place
from node.effects.tables import metadata
from node.house_checks import check_told
from node.partners.checks import check_partners
from node.partners.effects_service import Effect, load_all_effects, load_company_effects
from node.partners.errors import CompanyUnknown
from node.partners.reading_service import load_public_sheet
from node.partners.tables import effects
from protocol.book.worker import Page
from protocol.house import EffectTold, HouseMessage
from protocol.identifiers import Id16
from tests.partners.house import ACCOUNTS, BAKERY, BREST, FUND, OTHER, PARTNERS, House

LYON = "200046977"
GARDEN, WELL = b"a garden, opaque", b"a well, opaque.."


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()


def tell(house: House, *messages: HouseMessage, base: str = ACCOUNTS) -> None:
    """Write to the companies' base, which hears it with the next exchange."""

    def write(page: Page, items: Sequence[tuple[HouseMessage, ...]]) -> list[int]:
        return [house.peers[base].tell(page, PARTNERS, item) for item in items]

    house.books[base].write_now(write, messages)


async def say(house: House, *messages: HouseMessage, base: str = ACCOUNTS) -> None:
    tell(house, *messages, base=base)
    await house.exchange()


def read_effects(house: House, siren: Any = BAKERY) -> list[tuple[Any, ...]]:
    told: list[Effect] = house.read(lambda line: load_company_effects(line, siren))
    return [
        (one.campaign, one.territory, one.title, one.waiting, one.converted, one.owed, one.paid, one.netted)
        for one in told
    ]


def find_broken(house: House) -> list[str]:
    """Return the tables that the check of the companies' base names."""
    return [finding.place.split(",")[0] for one in house.read(check_partners) for finding in one.findings]


async def test_a_company_learns_what_became_of_its_own_miles(house: House) -> None:
    uid, other = await house.run(), await house.run(siren=OTHER)
    till, _ = house.till()
    for number in range(10):
        house.sell(till, uid, f"s{number}", house.account(), 500_000)
    await house.exchange()

    def find(least: int) -> Any:
        return house.read(lambda line: load_public_sheet(line, BAKERY, holders_min=least))

    assert (read_effects(house), find(10).oriented) == ([], None), "nobody told anything"
    first = EffectTold(uid, BREST, GARDEN, "A garden", 10_000, 0, 0, 0, 0)
    await say(
        house,
        first,
        EffectTold(uid, LYON, WELL, "", 0, 900, 200, 300, 100),
        EffectTold(other, BREST, GARDEN, "A garden", 0, 77, 77, 0, 0),
        EffectTold(Id16(b"no campaign here"), BREST, GARDEN, "", 0, 5, 0, 0, 0),
    )
    assert read_effects(house) == [
        (uid, LYON, "", 0, 900, 400, 200, 300),
        (uid, BREST, "A garden", 10_000, 0, 0, 0, 0),
    ]
    assert read_effects(house, OTHER) == [(other, BREST, "A garden", 0, 77, 0, 77, 0)]
    assert find(10).oriented == 10_900
    assert (find(11).oriented, find(11).holders) == (None, None), "ten holders are too few for this sheet"
    # The later word replaces the earlier one, and the fund has no say in it.
    await say(house, EffectTold(uid, BREST, GARDEN, "A garden", 0, 8_000, 8_000, 0, 8_000))
    await say(house, first, base=FUND)
    assert read_effects(house)[1:] == [(uid, BREST, "A garden", 0, 8_000, 0, 8_000, 0)]
    await say(house, EffectTold(uid, BREST, GARDEN, "A garden", 0, 0, 0, 0, 0))
    assert read_effects(house) == [(uid, LYON, "", 0, 900, 400, 200, 300)]
    assert house.read(load_all_effects)[uid, BREST, GARDEN] == ("A garden", 0, 0, 0, 0, 0)
    with pytest.raises(CompanyUnknown):
        read_effects(house, "404833048")
    assert find_broken(house) == []
    lines = [(uid, LYON, WELL, "", 0, 900, 200, 300, 100), (other, BREST, GARDEN, "A garden", 0, 77, 77, 0, 0)]
    lines += [(uid, BREST, GARDEN, "A garden", 0, 0, 0, 0, 0), (b"no campaign here", BREST, GARDEN, "", 0, 5, 0, 0, 0)]
    house.books[ACCOUNTS].write_now(_remember, lines)
    assert compare_bases(house) == (3, "")
    house.write(_spoil, 901)
    assert find_broken(house) == ["effects"]
    assert compare_bases(house) == (3, str(("", 0, 901, 200, 300, 100)))
    tell(house, first)
    assert compare_bases(house) == (0, ""), "what is on its way is compared once it is heard"


async def test_the_sheet_counts_no_more_as_directed_than_it_says_was_given_out(house: House) -> None:
    """What a pool gave to solidarity is directed by people whom no till credited."""
    uid = await house.run()
    till, _ = house.till()
    house.sell(till, uid, "s", house.account(), 1_000_000)
    await house.exchange()
    await say(house, EffectTold(uid, BREST, GARDEN, "A garden", 0, 10**9, 0, 0, 0))
    sheet = house.read(lambda line: load_public_sheet(line, BAKERY, holders_min=1))
    assert sheet.oriented == sheet.granted < 10**9


def compare_bases(house: House) -> tuple[int, str]:
    """Return how many lines of both bases were compared, and what companies are shown that the accounts did not tell."""
    checked = house.books[ACCOUNTS].read_now(lambda ours: house.read(lambda theirs: check_told(ours, theirs)))
    return checked.looked_at, "".join(finding.found for finding in checked.findings)


def _remember(page: Page, items: Sequence[list[tuple[Any, ...]]]) -> list[None]:
    """Note in the accounts what they told; this house's accounts have the ledger's tables alone."""
    metadata.create_all(page.connection)
    for item in items:
        store.save_told(page.connection, [Line(Place(*one[:3]), one[3], Figures(*one[4:])) for one in item], page.now)
    return [None for _ in items]


def _spoil(page: Page, items: Sequence[int]) -> list[int]:
    return [
        page.connection.execute(update(effects).where(effects.c.project == WELL).values(converted=one)).rowcount
        for one in items
    ]
