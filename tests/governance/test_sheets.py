"""Sheets, pictures, comments, instalments and states: rules of values alone, and what the base does with them."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.desks.projects.requests import read_degrees, read_sheet_request, write_degrees, write_sheet_request
from node.governance.comments import CommentKind, CommentState
from node.governance.comments_service import AddComment, Moderate, list_comments
from node.governance.errors import (
    CommentUnknown,
    FileUnknown,
    InvalidComment,
    InvalidPicture,
    InvalidSheet,
    ProjectStepRefused,
    ReasonMissing,
    RoundRefused,
)
from node.governance.instalments import AuditVerdict, Progress, choose_round, compute_cumulated, count_free
from node.governance.parameters_store import load_committee_rules, load_themes
from node.governance.pictures import JPEG, PICTURE_BYTES_MAX, PNG, require_picture
from node.governance.projects import NEXT_STATE, ProjectEvent, ProjectState, advance
from node.governance.sheets import (
    BudgetLine,
    Link,
    Milestone,
    Picture,
    compute_sheet_digest,
    find_money_change,
    read_sheet,
    require_sheet,
    write_sheet,
)
from protocol.errors import InvalidId, InvalidTime, NotCanonical
from tests.governance.world import World, make_sheet

THEMES = [one.key for one in load_themes(20261123)]


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int = 2, height: int = 3, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(b"\0" * 12)) + chunk(b"IEND")


def jpeg(width: int = 2, height: int = 3, before: bytes = b"") -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return (
        b"\xff\xd8\xff\xe0\x00\x04AB" + before + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"data\xff\xd9"
    )


# ---------------------------------------------------------------- sheets


def test_a_sheet_that_can_be_examined_is_let_through() -> None:
    require_sheet(make_sheet(None), themes=THEMES, today=20261123)
    linked = make_sheet(
        None, links=(Link("le sol", "https://example.org/sol?x=1"),), pictures=(Picture(b"d" * 32, "un pommier"),)
    )
    require_sheet(linked, themes=THEMES, today=20261123)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"need": "  "}, "need"),
        ({"need": "bell \x07"}, "need"),
        ({"commune": "2901"}, "commune"),
        ({"commune": "2C004"}, "commune"),
        ({"theme": "war"}, "theme"),
        ({"need_by": 20261123}, "need_by"),
        ({"need_by": 20291124}, "need_by"),
        ({"minimum": 0}, "minimum"),
        ({"minimum": 10_001}, "minimum"),
        ({"lines": (BudgetLine("arbres", 9_999),)}, "lines"),
        ({"lines": ()}, "lines"),
        ({"lines": (BudgetLine("", 10_000),)}, "lines"),
        ({"milestones": ()}, "milestones"),
        ({"milestones": (Milestone("a", 9_999, "b"),)}, "milestones"),
        ({"milestones": (Milestone("a", 10_000, "b"), Milestone("c", 0, "d"))}, "milestones"),
        ({"milestones": (Milestone("a", 10_000, ""),)}, "milestones"),
        ({"links": (Link("le sol", "http://example.org"),)}, "links"),
        ({"links": (Link("le sol", "javascript:alert(1)"),)}, "links"),
        ({"pictures": (Picture(b"short", "x"),)}, "pictures"),
        ({"pictures": (Picture(b"d" * 32, "x"), Picture(b"d" * 32, "y"))}, "pictures"),
        ({"bearer": b"short"}, "bearer"),
    ],
)
def test_a_sheet_that_cannot_be_examined_says_which_field(wrong: dict[str, Any], field: str) -> None:
    more = {"bearer": None} | wrong
    sheet = make_sheet(None, **{name: value for name, value in more.items() if name != "bearer"})
    if wrong.get("bearer"):
        sheet = type(sheet)(*(getattr(sheet, name) for name in sheet.__struct_fields__[:-1]), wrong["bearer"])
    with pytest.raises(InvalidSheet) as refused:
        require_sheet(sheet, themes=THEMES, today=20261123)
    assert refused.value.facts["field"] == field


def test_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidTime):
        require_sheet(make_sheet(None, need_by=20270230), themes=THEMES, today=20261123)


def test_corsica_and_lines_beyond_the_target_are_let_through() -> None:
    more = {"commune": "2A004", "lines": (BudgetLine("tout", 99_000),)}  # the rest comes from elsewhere
    require_sheet(make_sheet(None, **more), themes=THEMES, today=20261123)


def test_a_sheet_is_its_bytes() -> None:
    body = write_sheet(make_sheet(None))
    assert read_sheet(body) == make_sheet(None)
    assert compute_sheet_digest(body) != compute_sheet_digest(write_sheet(make_sheet(None, title="Autre")))
    for wrong in (body + b"\0", body[:-1], b""):
        with pytest.raises(NotCanonical):
            read_sheet(wrong)


def test_money_is_what_no_edit_changes() -> None:
    before = make_sheet(None)
    assert find_money_change(before, make_sheet(None, title="x", need="y", need_by=20270401, theme="sport")) is None
    assert find_money_change(before, make_sheet(None, minimum=1)) == "minimum"


def test_a_sheet_is_written_as_json_and_read_again() -> None:
    sheet = make_sheet(None, latitude=-1, longitude=179_999_999, pictures=(Picture(b"d" * 32, "x"),))
    assert read_sheet_request(msgspec.to_builtins(write_sheet_request(sheet))) == sheet


@given(st.integers(-90_000_000, 90_000_000))
def test_degrees_are_whole_millionths(value: int) -> None:
    assert read_degrees(write_degrees(value), "latitude", 90) == value


@pytest.mark.parametrize("text", ["90.000001", "1,5", "1.1234567", "+1", "", "1e3", "nan", "-", "--1"])
def test_what_is_no_latitude_is_refused(text: str) -> None:
    with pytest.raises(InvalidSheet):
        read_degrees(text, "latitude", 90)


@pytest.mark.parametrize("told", [None, [], {}, {"title": 1}, "x", {"title": "x", "surprise": 1}])
def test_json_that_is_no_sheet_is_refused(told: Any) -> None:
    with pytest.raises(InvalidSheet):
        read_sheet_request(told)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"target_cents": -1}, InvalidSheet),
        ({"budget": [{"words": "x", "cents": -5}]}, InvalidSheet),
        ({"pictures": [{"digest": "zz", "words": "x"}]}, InvalidSheet),
        ({"bearer": "x"}, InvalidId),
        ({"need_by": "1 mars"}, InvalidTime),
    ],
)
def test_json_that_no_sheet_can_be_made_of_is_refused(wrong: dict[str, Any], refusal: type[Exception]) -> None:
    told = msgspec.to_builtins(write_sheet_request(make_sheet(None))) | wrong
    with pytest.raises(refusal):
        read_sheet_request(told)


# ---------------------------------------------------------------- pictures


def test_pictures_are_known_by_their_bytes() -> None:
    assert require_picture(png()).media == PNG
    assert require_picture(jpeg()).media == JPEG


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "neither"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither"),
        (b"GIF89a" + bytes(40), "neither"),
        (png(5_000), "each side"),
        (png(0), "each side"),
        (png(2, 3, chunk(b"eXIf", b"GPS")), "metadata"),
        (png(2, 3, chunk(b"tEXt", b"Author\0me")), "metadata"),
        (png() + b"<script>", "whole"),
        (png()[:-12], "whole"),
        (png()[:40], "whole"),
        (jpeg(before=b"\xff\xe1\x00\x08Exif\0\0"), "metadata"),
        (jpeg(before=b"\xff\xfe\x00\x04hi"), "metadata"),
        (jpeg(9_000), "each side"),
        (jpeg()[:-2], "whole"),
        (jpeg()[:20], "whole"),
        (b"\xff\xd8\xff\xe0\x00\x00", "whole"),
        (png(2, 3, chunk(b"IDAT", bytes(PICTURE_BYTES_MAX))), "allowed"),
    ],
)
def test_what_is_no_picture_or_tells_too_much_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidPicture, match=reason):
        require_picture(body)


async def test_a_sheet_names_pictures_that_are_kept(world: World) -> None:
    picture = require_picture(png())
    with pytest.raises(FileUnknown):
        world.propose(None, pictures=(Picture(picture.digest, "un plan"),))
    for _ in range(2):
        assert world.write(world.projects.projects.keep_pictures, picture) == picture.digest
    world.propose(None, pictures=(Picture(picture.digest, "un plan"),))


# ---------------------------------------------------------------- comments


async def test_nothing_is_shown_before_somebody_looked_at_it(world: World) -> None:
    project = world.propose(world.bearer())
    who = world.account()

    def add(kind: CommentKind = CommentKind.COMMENT, **more: Any) -> AddComment:
        values = {"id": world.id(), "project": project, "kind": kind, "author": who, "text": "Qui arrose ?"}
        new = AddComment(**values | more)
        world.write(world.projects.comments.add, new)
        return new

    with pytest.raises(InvalidComment, match="not shown yet"):
        add()
    world.lead(project, ProjectEvent.EXAMINED)
    question = add(CommentKind.QUESTION)
    assert world.write(world.projects.comments.add, question) is CommentState.WAITING

    def shown() -> list[str]:
        return [row.text for row in world.read(lambda line: list_comments(line, project, CommentState.SHOWN))]

    def moderate(of: AddComment, state: CommentState, reason: str = "") -> None:
        told = Moderate(comment=of.id, state=state, by="the office", reason=reason)
        world.write(world.projects.comments.moderate, told)

    assert shown() == []
    moderate(question, CommentState.SHOWN)
    assert shown() == ["Qui arrose ?"]
    with pytest.raises(ReasonMissing):
        moderate(question, CommentState.HIDDEN)
    moderate(question, CommentState.HIDDEN, "insulte")
    assert shown() == []
    answer = add(CommentKind.ANSWER, author="W291000001", text="L'école.", answers=question.id)
    with pytest.raises(InvalidComment, match="no question"):
        add(CommentKind.ANSWER, answers=answer.id)
    with pytest.raises(CommentUnknown):
        add(CommentKind.ANSWER, answers=world.id())
    for wrong in ({"text": ""}, {"text": "x" * 2_001}, {"text": "\x1b[31m"}, {"answers": question.id}):
        with pytest.raises(InvalidComment):
            add(**wrong)


# ---------------------------------------------------------------- states and instalments


@given(st.sampled_from(list(ProjectState)), st.sampled_from(list(ProjectEvent)))
def test_every_step_is_in_the_table_or_refused(state: ProjectState, event: ProjectEvent) -> None:
    if event in NEXT_STATE[state]:
        assert advance(state, event) is NEXT_STATE[state][event]
    else:
        with pytest.raises(ProjectStepRefused):
            advance(state, event)


def test_what_ended_stays_ended_and_nothing_opens_without_a_vote() -> None:
    for state in (ProjectState.CLOSED, ProjectState.WITHDRAWN, ProjectState.MISSED):
        assert not NEXT_STATE[state]
    assert set(NEXT_STATE[ProjectState.REFUSED]) == {ProjectEvent.APPEALED}
    into_open = {state for state, table in NEXT_STATE.items() if ProjectState.OPEN in table.values()}
    assert into_open == {ProjectState.VALIDATED}
    into_valid = {state for state, table in NEXT_STATE.items() if ProjectState.VALIDATED in table.values()}
    assert into_valid == {ProjectState.UNDER_EXAMINATION}


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=12), st.integers(0, 200_000))
def test_instalments_never_fall_and_come_to_all_that_there_is(shares: list[int], total: int) -> None:
    sums = compute_cumulated(shares, total)
    assert len(sums) == len(shares)
    assert sums[-1] == total
    assert list(sums) == sorted(sums)
    for at in range(len(shares) - 1):
        exact = min(total, sum(shares)) * sum(shares[: at + 1]) / sum(shares)
        assert exact - 1 < sums[at] <= exact


def progress(**more: Any) -> Progress:
    values: dict[str, Any] = {
        "shares": (6_000, 4_000),
        "total": 10_000,
        "converted": 0,
        "accepted": frozenset(),
        "is_round_open": False,
        "verdict": None,
    }
    return Progress(**values | more)


def test_rounds_follow_instalments_proofs_and_audits() -> None:
    assert choose_round(progress()) == (1, 6_000)
    assert choose_round(progress(converted=1_000)) == (1, 5_000)
    assert choose_round(progress(converted=6_000, accepted=frozenset({1}))) == (2, 4_000)
    assert choose_round(progress(accepted=frozenset({1}), verdict=AuditVerdict.RESERVED)) == (2, 10_000)
    for refused in (
        progress(converted=6_000),
        progress(converted=6_000, accepted=frozenset({2})),  # proofs of what was not paid free nothing
        progress(converted=10_000, accepted=frozenset({1})),
        progress(is_round_open=True),
        progress(verdict=AuditVerdict.FAILED),
    ):
        with pytest.raises(RoundRefused):
            choose_round(refused)
    assert count_free(progress(shares=(1, 1, 1), accepted=frozenset({1, 2, 3}))) == 3


def test_vocabularies_have_their_dates() -> None:
    assert not load_themes(20251231)
    assert len({one.key for one in load_themes(20261123)}) == len(load_themes(20261123))
    with pytest.raises(LookupError):
        load_committee_rules(20251231)
