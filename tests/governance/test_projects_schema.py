"""The projects' base on SQLite and on PostgreSQL: the schema is what the tables say, and the same story is the same."""

from __future__ import annotations

from pathlib import Path

from node.governance.projects import ProjectState
from node.governance.service import PROJECTS_HISTORY
from node.governance.store import list_projects
from protocol.book.migration_service import pending_changes
from protocol.book.store import open_engine
from tests.governance.test_tampering import live
from tests.governance.world import PROJECTS, World


async def test_a_whole_story_is_the_same_on_both_kinds_of_base(book_url: str, tmp_path: Path) -> None:
    world = World(lambda name: book_url if name == PROJECTS else f"sqlite:///{tmp_path / name}.db")
    await live(world)
    found = {one.state for one in world.read(list_projects)}
    wrongs = world.find_wrongs()
    world.close()
    engine = open_engine(book_url)
    changes = pending_changes(engine, PROJECTS_HISTORY)
    engine.dispose()
    assert found == {ProjectState.UNDER_EXAMINATION, ProjectState.IN_PROGRESS, ProjectState.WITHDRAWN}
    assert wrongs == []
    assert changes == []
