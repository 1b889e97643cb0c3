"""Vocabularies: dated, sourced, without holes; what is narrower answers to what is wider, and not the other way."""

from __future__ import annotations

import datetime
import re
import tomllib
from importlib import resources

import pytest

from node.governance.passes.errors import InvalidSkill
from node.governance.skills import Skill, SkillCode, Skills, Vocabulary, write_skill_url
from node.governance.skills_store import load_engagement_rules, load_skills

CODES = {"esco": r"[SAL][0-9](\.[0-9]{1,2}){0,2}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "rome": r"[0-9]{6}"}


def test_every_row_has_its_words_its_source_and_a_code_of_its_vocabulary() -> None:
    told = tomllib.loads(
        (resources.files("node.governance") / "parameters" / "skills.toml").read_text(encoding="utf-8")
    )
    skills = load_skills()
    assert len(told["skill"]) == len(skills.known), "no code stands twice"
    for vocabulary in skills.vocabularies.values():
        assert vocabulary.source
        assert datetime.date(2010, 1, 1) < vocabulary.dated < datetime.date(2027, 1, 1)
    for row in told["skill"]:
        skill = skills.require(row["code"])
        assert re.fullmatch(CODES[skill.vocabulary], skill.own_code, re.ASCII), row
        assert skill.words["fr"]
        assert skill.words["en"]
        assert row["mark"] in {"V", "R", "D"}


def test_the_narrower_answers_to_the_wider() -> None:
    skills = load_skills()
    instruct, teaching, widest = (
        SkillCode("esco:699e7c26-6502-4e78-a823-3656ff5a5b8b"),
        SkillCode("esco:S1.3"),
        SkillCode("esco:S1"),
    )
    assert skills.widen(instruct) == (instruct, teaching, widest)
    assert skills.steps_between(instruct, instruct) == 0
    assert skills.steps_between(instruct, widest) == 2
    assert skills.steps_between(widest, instruct) is None
    assert skills.steps_between(SkillCode("rome:300021"), teaching) == 1
    assert write_skill_url(skills.require(instruct)).endswith("/skill/699e7c26-6502-4e78-a823-3656ff5a5b8b")


@pytest.mark.parametrize("code", ["", "esco:nothing", "rome:1", 7, None, "x" * 61, "esco:\udc80"])
def test_a_code_that_no_vocabulary_has_is_refused(code: object) -> None:
    with pytest.raises(InvalidSkill) as refusal:
        load_skills().require(code)
    str(refusal.value).encode()


def test_a_skill_that_is_its_own_parent_or_has_none_that_is_here_is_a_bug() -> None:
    vocabulary = Vocabulary(name="a", title="A", version="1", dated=datetime.date(2026, 1, 1), url="", source="s")
    for parent in ("a:1", "a:3"):
        skill = Skill(code=SkillCode("a:1"), words={}, parent=SkillCode(parent))
        with pytest.raises(ValueError, match="a:"):
            Skills(vocabularies={"a": vocabulary}, known={skill.code: skill})


def test_the_rules_of_the_cec_have_their_years() -> None:
    rules = load_engagement_rules(2026)
    assert (rules.minutes_total, rules.minutes_in_one, rules.association_years) == (12_000, 6_000, 1)
    with pytest.raises(LookupError):
        load_engagement_rules(2016)
