"""docs/behaviours.md holds what it promises: every situation has its outcome, its code in both languages, and its test."""

from __future__ import annotations

import re
from typing import Final

from protocol.running.explanations import SENTENCES
from tests.architecture.named_tests import ROOT, is_test

TEXT: Final = (ROOT / "docs" / "behaviours.md").read_text(encoding="utf-8")
NAMED: Final = re.compile(r"`([\w/]+\.py::\w+)`")
CODE: Final = re.compile(r"`([a-z_]+)`")
# What issues 4 and 5 name under "How it must behave".
SITUATIONS: Final = (
    *("vote after closing", "vote twice", "by a conflicted member", "by an expired member", "quorum reached and lost"),
    *(
        "edited after validation",
        "racing the closing",
        "racing a recall",
        "racing a cession",
        "racing its own cancellation",
    ),
    *("message replayed", "message altered", "lot never issued", "a company or a person", "IBAN the day before"),
    *(
        "rights in flight",
        "a guide who leaves",
        "wrong SIREN",
        "wrong IBAN",
        "wrong RF",
        "entities",
        "wrong version",
        "twice the size",
    ),
    *("a gap", "another account", "three decimals", "two payments for one", "over-payment", "under-payment"),
    *("refund after orientation", "over budget in the middle", "clock is wrong", "revoked an hour ago"),
    *("claimed twice at once", "million lines", "two processes of one node", "days on which nothing ran"),
)


def find_rows() -> list[list[str]]:
    lines = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines if not set("".join(line)) <= set("- ")]


def test_every_situation_has_a_line() -> None:
    said = [row[0] for row in find_rows()]
    assert [one for one in SITUATIONS if not any(one in line for line in said)] == []


def test_every_line_is_whole_and_names_tests_that_exist() -> None:
    for row in find_rows():
        if row[0] == "situation":
            continue
        assert len(row) == 4, row
        assert row[1]
        named = NAMED.findall(row[3])
        assert named, row[0]
        assert [one for one in named if not is_test(f"tests/{one}")] == []
    assert [one for one in NAMED.findall(TEXT) if not is_test(f"tests/{one}")] == []


def test_every_code_has_its_sentence_in_both_languages() -> None:
    codes = {
        code
        for row in find_rows()
        if not row[2].startswith(("outcome", "state", "waits"))
        for code in CODE.findall(row[2])
    }
    assert len(codes) > 30
    assert [code for code in codes if code not in SENTENCES] == []
    assert all(len(set(SENTENCES[code])) == 2 for code in codes)
