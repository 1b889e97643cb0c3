"""What a donor's euros did is the sum of what was converted of its lots, here and abroad, and of what the bank paid of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.fund.due_service import Decider
from node.fund.effects_service import DonorEffects, load_effects
from protocol.keys import make_keys
from tests.fund.dues_world import (
    PROJECT,
    accept,
    ask_pledge,
    fund_lot,
    make_due,
    make_order,
    order_and_confirm,
    owe,
    pay,
    proposals,
)
from tests.fund.fund_world import BREST, COMPANY, FundWorld

QUIMPER = "242900660"
KAYAK = b"a kayak, opaque."


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FundWorld]:
    made = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield made
    made.close()


def load(world: FundWorld, donor: bytes = COMPANY) -> DonorEffects:
    return world.book.read_now(lambda line: load_effects(line, donor))


async def test_a_donor_learns_what_its_euros_did_at_home_and_abroad(world: FundWorld) -> None:
    bread, books = await fund_lot(world, 10_000), await fund_lot(world, 3_000, campaign="books")
    assert await fund_lot(world, 500) == bread, "paid in twice, it is one lot"
    called = await accept(world, await ask_pledge(world, 800))
    decider = make_keys(world.entropy(64))
    world.write(world.fund.dues.add_deciders, Decider(territory=QUIMPER, keys=decider.public))
    abroad = make_order(territory=QUIMPER, project=KAYAK, title="Kayaks", bearer="W291000001")
    await owe(world, make_due(world, (bread, 4_000), (books, 1_500), (bread, 250)))
    await owe(world, make_due(world, (books, 700), (called, 300), order=abroad, signer=decider))
    refused = make_due(world, (bread, 10_000), order=make_order(round=2))
    await owe(world, refused)

    def told() -> list[tuple[str, str, bytes, str, int, int, int]]:
        return [
            (one.campaign, one.territory, one.project, one.title, one.converted, one.paid, one.netted)
            for one in load(world).effects
        ]

    home, away = (BREST, PROJECT, "Jardins partagés"), (QUIMPER, KAYAK, "Kayaks")
    assert load(world).paid_in == 13_500, "a pledge is no euro yet"
    assert told() == [
        ("books", *home, 1_500, 0, 0),
        ("books", *away, 700, 0, 0),
        ("bread", *home, 4_250, 0, 0),
        ("called bread", *away, 300, 0, 0),
    ]
    first = next(one for one in proposals(world) if one.cents == 5_750)
    pay(world, first)
    order_and_confirm(world, [first])
    assert told() == [
        ("books", *home, 1_500, 1_500, 0),
        ("books", *away, 700, 0, 0),
        ("bread", *home, 4_250, 4_250, 0),
        ("called bread", *away, 300, 0, 0),
    ]
    assert load(world, b"another, opaque.") == DonorEffects(paid_in=0, effects=())
