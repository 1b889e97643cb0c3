"""The catalogue that the projects' base signs, and the keys of funds elsewhere that come by card."""

from __future__ import annotations

from typing import Any

from node.governance.catalogue_service import PayerWords, choose_payers, load_payer_words
from node.governance.projects import ProjectEvent
from node.governance.rounds_service import Payer
from protocol.catalogue import verify_catalogue
from protocol.errors import Refusal
from protocol.house import CataloguePublished, PayerKey
from protocol.keys import PublicKeys, SecretKeys, make_keys
from tests.governance.world import BREST, PROJECTS, RENNES, World

FIRST, SECOND, THIRD = (make_keys(bytes([number]) * 64) for number in (41, 42, 43))


def told(world: World, keys: SecretKeys, number: int, territory: str = RENNES) -> None:
    world.accounts.say(PayerKey(territory, number, 20261128, keys.public.signing, keys.public.sealing))


def words(world: World) -> dict[str, PayerWords]:
    return {one.territory: one for one in world.read(lambda line: load_payer_words(line, world.now))}


def key(world: World) -> PublicKeys | None:
    found = words(world).get(RENNES)
    return None if found is None else found.keys


async def test_a_fund_elsewhere_is_known_by_card_and_a_change_waits_two_days(world: World) -> None:
    told(world, FIRST, 5)
    await world.settle()
    assert key(world) == FIRST.public
    told(world, SECOND, 4)
    told(world, FIRST, 6)
    told(world, SECOND, 7)
    told(world, THIRD, 8, BREST)
    await world.settle()
    found = words(world)
    assert (list(found), found[RENNES].keys, found[RENNES].waiting) == ([RENNES], FIRST.public, SECOND.public.id)
    world.later(hours=47)
    assert key(world) == FIRST.public
    world.later(hours=2)
    assert key(world) == SECOND.public
    assert world.find_wrongs() == []


async def test_what_a_person_entered_stands_until_it_is_taken_back(world: World) -> None:
    world.write(world.projects.rounds.save_payers, Payer(territory=RENNES, keys=THIRD.public))
    told(world, FIRST, 1)
    await world.settle()
    found = words(world)[RENNES]
    assert (found.keys, found.is_entered, found.is_disputed) == (THIRD.public, True, True)
    assert world.find_wrongs() == [], "it is shown, and breaks nothing"
    assert world.write(world.projects.catalogue.forget_payers, RENNES) == RENNES
    assert key(world) == FIRST.public
    [refusal] = world.book.write_all_now(world.projects.catalogue.forget_payers, [RENNES])
    assert isinstance(refusal, Refusal)
    world.write(world.projects.rounds.save_payers, Payer(territory=RENNES, keys=FIRST.public))
    told(world, FIRST, 2)
    await world.settle()
    assert not words(world)[RENNES].is_entered, "confirmed by the card: it changes with the card"
    told(world, SECOND, 3)
    await world.settle()
    world.later(days=2, hours=1)
    assert key(world) == SECOND.public


def test_more_funds_than_orders_take_turns() -> None:
    many = [
        PayerWords(
            territory=f"{at:09}",
            keys=FIRST.public,
            is_entered=False,
            waiting=None,
            waiting_from=None,
            is_disputed=False,
            at=0,
        )
        for at in range(7)
    ]
    assert len(choose_payers(many, 1, 7)) == 7
    turns = [set(choose_payers(many, number, 3)) for number in (1, 2, 3)]
    assert [len(turn) for turn in turns] == [3, 3, 3]
    assert set.union(*turns) == {one.territory for one in many}


async def test_open_projects_are_listed_at_once_and_support_seldom(world: World) -> None:
    def published() -> list[Any]:
        keys = [world.keys[PROJECTS].public]
        return [
            verify_catalogue(one.signed, keys, BREST)
            for one in world.accounts.heard
            if isinstance(one, CataloguePublished)
        ]

    assert await world.projects.catch_up() == 0
    project = world.propose(world.bearer())
    await world.open(project, list(world.committee()))
    await world.projects.catch_up()
    await world.settle()
    [catalogue] = published()
    [listed] = catalogue.projects
    found = world.project(project)
    assert (listed.number, listed.title, listed.need_by) == (found.number, found.sheet.title, 20270301)
    assert (listed.support, listed.latitude, listed.urgency) == (0, 48_390_400, 1)
    world.accounts.support(project, 500)
    await world.settle()
    await world.projects.catch_up()
    world.later(hours=7)
    await world.projects.catch_up()
    await world.projects.catch_up()
    world.later(hours=20)
    await world.projects.catch_up()
    world.later(hours=5)
    await world.projects.catch_up()
    await world.settle()
    assert [one.projects[0].support for one in published()] == [0, 500, 500]
    assert [one.number for one in published()] == sorted({one.number for one in published()})
    world.lead(project, ProjectEvent.WITHDRAWN, "ended")
    await world.projects.catch_up()
    world.later(days=3)
    await world.projects.catch_up()
    await world.settle()
    assert [len(one.projects) for one in published()] == [1, 1, 1, 0], "an empty one is told once"
    assert world.find_wrongs() == []
