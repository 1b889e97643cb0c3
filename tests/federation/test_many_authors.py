"""Slips of very many authors wait for one member: no envelope carries more proofs than one may hold."""

from __future__ import annotations

import pytest

from hub.clearing.service import _SLIP_MESSAGES_MAX
from hub.exchange.service import AUTHORS_MAX
from protocol.cession import CessionState
from protocol.envelopes import HISTORIES_MAX
from protocol.identifiers import Address, TerritoryCode
from tests.federation.world import BREST, LILLE, LYON, World
from tests.security.attackers import open_words

NANTES = TerritoryCode("244400404")


def test_one_slip_of_the_hub_never_names_more_authors_than_an_envelope_can_prove() -> None:
    assert _SLIP_MESSAGES_MAX <= AUTHORS_MAX < HISTORIES_MAX


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
async def test_what_one_envelope_cannot_prove_comes_with_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.exchange.service.AUTHORS_MAX", 2)
    brest = world.join(BREST)
    others = [world.join(code) for code in (LYON, LILLE, NANTES)]
    await world.settle()
    ana = brest.open()
    brest.endow(10_000)
    brest.credit(ana, 5_000)
    views = [brest.cede(ana, Address(node.open(), node.code), 100) for node in others]
    await brest.worker.exchange_all()
    for node in others:  # Brest sleeps; the answers come one by one, each under another checkpoint
        await node.worker.exchange_all()
    held = 0
    for _ in range(10):
        _, payload = open_words(await world.exchange.answer(await brest.worker.export()))
        authors = {body for slip in payload.slips for body in slip.beside}
        assert len(authors) <= 2
        assert len(payload.histories) <= 3
        held = max(held, len(authors))
        await brest.worker.exchange_once()
    assert held == 2
    assert [brest.cession(view.op).state for view in views] == [CessionState.DELIVERED] * 3
