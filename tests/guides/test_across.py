"""A group's cession to another territory, when its guide leaves while it waits: it stays until it is recalled, by who may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.federation.errors import CessionUnknown
from node.guides.acts import ActWords, CedeAct, RecallAct, sign_act
from node.guides.errors import ActRefused, GuideNotAccredited
from node.guides.service import DeclareGroup, GiveConsent, GuideDesk
from node.ledger.accounts import AccountKind
from protocol.cession import CessionState
from protocol.house import GuideAccredited, GuideEnded
from protocol.identifiers import Address, Id16, format_address
from protocol.keys import make_keys
from tests.federation.world import BREST, LYON, World
from tests.orientation.test_across import Projects


class Story:
    """A group in Lyon with a paper for two guides; somebody in Brest."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.brest, self.lyon = world.join(BREST), world.join(LYON)
        rooms = Projects(self.lyon)
        Projects(self.brest)
        self.logs = rooms.logs
        self.desk = GuideDesk(self.lyon.book, self.lyon.ledger, self.lyon.federation, rooms.room)
        self.group = self.lyon.open(AccountKind.GROUP)
        self.lyon.endow(1_000)
        self.lyon.credit(self.group, 1_000)
        self.do(self.desk.declare, DeclareGroup(op=self.id(), account=self.group))
        self.there = Address(self.brest.open(), self.brest.code)
        self.keys = {}
        for _ in range(2):
            guide = self.id()
            self.keys[guide] = make_keys(self.lyon.entropy(64))
            self.tell(GuideAccredited(guide, self.keys[guide].public.signing, 20200101, 20991231))
            paper = GiveConsent(op=self.id(), account=self.group, guide=guide, days=30, digest=bytes(range(32)))
            self.do(self.desk.consent, paper)

    def id(self) -> Id16:
        return Id16(self.lyon.entropy(16))

    def do(self, operation: Any, item: Any) -> Any:
        return self.lyon.book.write_now(operation, item)

    def tell(self, message: Any) -> None:
        def write(page: Any, items: Any) -> list[Any]:
            for item in items:
                self.logs["PROJECTS"].tell(page, "ACCOUNTS", [item])
                self.logs["ACCOUNTS"].tell(page, "PROJECTS", self.desk.apply(page, "PROJECTS", [item]))
            return [None for _ in items]

        self.lyon.book.write_now(write, message)

    def act(self, guide: Id16, act: Any, op: Id16 | None = None) -> Any:
        words = ActWords(1, self.lyon.code, op or self.id(), guide, self.group, 2**50, act)
        return self.do(self.desk.act, sign_act(words, self.keys[guide]))


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    world = World(lambda name: f"sqlite:///{tmp_path / name}.db")
    yield Story(world)
    findings = world.check()
    world.close()
    assert findings == []


async def test_what_waits_when_a_guide_leaves_stays_until_it_is_recalled(story: Story) -> None:
    await story.world.settle()
    guide, next_guide = story.keys
    stopped, taken = (
        story.act(guide, CedeAct(format_address(story.there), cents, "pour vous")) for cents in (300, 200)
    )
    assert (stopped.state, story.lyon.balance(story.group)) == ("queued", 500)
    story.tell(GuideEnded(guide, "guide_left"))
    assert story.lyon.cession(stopped.op).state is CessionState.QUEUED, "what is under way stays"
    with pytest.raises(GuideNotAccredited):
        story.act(guide, RecallAct(stopped.op))
    with pytest.raises(GuideNotAccredited):
        story.act(guide, CedeAct(format_address(story.there), 1, ""))
    one = story.id()
    assert story.act(next_guide, RecallAct(stopped.op), one).state == "asked"
    assert story.act(next_guide, RecallAct(stopped.op), one).is_repeat
    await story.world.settle()
    assert story.lyon.cession(stopped.op).state is CessionState.RECALLED
    assert story.lyon.cession(taken.op).state is CessionState.DELIVERED
    assert (story.lyon.balance(story.group), story.brest.balance(story.there.number)) == (800, 200)


async def test_a_guide_recalls_no_cession_of_somebody_else(story: Story) -> None:
    await story.world.settle()
    guide, _ = story.keys
    person = story.lyon.open()
    story.lyon.endow(100)
    story.lyon.credit(person, 100)
    theirs = story.lyon.cede(person, story.there, 50)
    with pytest.raises(ActRefused, match="another account"):
        story.act(guide, RecallAct(theirs.op))
    with pytest.raises(CessionUnknown):
        story.act(guide, RecallAct(story.id()))
