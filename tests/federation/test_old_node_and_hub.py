"""A node and the hub are lost together: each is put back from its own copy, and both find their way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from node.federation.store import load_unplaced
from protocol.cession import CessionState
from protocol.exchange.epochs import LEAP_BYTES
from protocol.identifiers import AccountNumber, Address
from tests.federation.old_copies import back_up, restore_hub, restore_node
from tests.federation.test_old_node import _two, files
from tests.federation.world import BREST, LYON, Node, World

_ = files  # the fixture


async def _story(world: World) -> tuple[Node, Node, AccountNumber, AccountNumber, list[Callable[[], object]]]:
    """Rights of Lyon reach Brest and leave it again; each step may be followed by a backup."""
    brest, lyon, ana, bea = await _two(world)
    await world.settle()
    return (
        *(brest, lyon, ana, bea),
        [
            lambda: lyon.cede(bea, Address(ana, BREST), 300),
            lambda: brest.cede(ana, Address(bea, LYON), 5_290),  # more than it held at home: what came leaves too
        ],
    )


def _begin(world: World, node: Node) -> None:
    """What `node restore` and `node recover` do."""

    def mark(page: object, items: list[None]) -> list[None]:
        line = page.connection  # type: ignore[attr-defined]
        line.execute(text("DELETE FROM facts WHERE name = 'behind'"))
        line.execute(text("INSERT INTO facts (name, value) VALUES ('behind', '{\"ours\": 0, \"theirs\": 0}')"))
        return items

    node.book.write_now(mark, None)
    node.book.read_now(node.federation.load)
    node.book.write_now(node.federation.begin_recovery, None)


@pytest.mark.parametrize(("node_at", "hub_at"), [(0, 2), (1, 2), (2, 0)])
async def test_a_node_and_the_hub_come_back_from_copies_of_different_days(
    files: World, node_at: int, hub_at: int
) -> None:
    """The copies are made after so many of the steps; nothing is told twice, and nothing is unplaced."""
    brest, lyon, ana, bea, steps = await _story(files)
    node_copy, hub_copy = back_up(brest.book), back_up(files.hub_book)
    for number, step in enumerate(steps, 1):
        step()
        await files.settle()
        if number == node_at:
            node_copy = back_up(brest.book)
        if number == hub_at:
            hub_copy = back_up(files.hub_book)
    before = (brest.balance(ana), lyon.balance(bea), brest.totals(), lyon.totals())
    restore_hub(files, hub_copy)
    restore_node(files, brest, node_copy)
    await files.exchange.begin_recovery(files.entropy(LEAP_BYTES))
    _begin(files, brest)
    for _ in range(4):  # Brest asks, as often as it likes, while the hub waits for Lyon
        await brest.worker.exchange_once()
    await files.settle(LYON)
    await files.settle()
    assert (files.exchange.recovery, brest.federation.recovery, brest.federation.behind) == (None, None, None)
    assert not brest.book.read_now(load_unplaced)
    assert (brest.balance(ana), lyon.balance(bea), brest.totals(), lyon.totals()) == before
    new = brest.cede(ana, Address(bea, LYON), 7)
    await files.settle()
    assert brest.cession(new.op).state is CessionState.DELIVERED
