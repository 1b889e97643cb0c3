"""Every refusal is explained in French and in English."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import string
from collections import Counter
from pathlib import Path

import hub
import node
import protocol
from hub.clearing import service as sequencer
from protocol import clearing
from protocol.errors import Refusal
from protocol.running import sentences
from protocol.running.explanations import SENTENCES, WAY_BACK_SENTENCES, explain, explain_way_back


def _codes() -> set[str]:
    for package in (protocol, node, hub):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not any(part in found.name for part in ("alembic", "migrations")):
                importlib.import_module(found.name)
    codes: set[str] = set()
    waiting = [Refusal]
    while waiting:
        kind = waiting.pop()
        codes.add(kind.code)
        waiting += kind.__subclasses__()
    return codes


def test_every_refusal_of_every_room_has_a_sentence_in_both_languages() -> None:
    missing = _codes() - SENTENCES.keys()
    assert missing == set()


def test_every_verdict_of_the_hub_has_a_sentence() -> None:
    verdicts = {
        value
        for module in (clearing, sequencer)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("_") and name == value.upper()
    }
    verdicts |= {
        clearing.ABROAD_LIMIT,
        clearing.CLASS_DOES_NOT_FIT,
        clearing.DAY_LIMIT,
        clearing.EXPIRED_TERM,
        clearing.LOT_CLASS_MISMATCH,
        clearing.MESSAGE_LIMIT,
        clearing.POSITION_TOO_SMALL,
        clearing.RECEIVER_NOT_ACTIVE,
        clearing.SENDER_NOT_ACTIVE,
        clearing.TO_ITSELF,
        clearing.UNKNOWN_MEMBER,
        sequencer.MALFORMED,
        sequencer.SEALED_PART_MISSING,
    }
    assert verdicts - SENTENCES.keys() == set()


def test_what_an_operator_is_told_of_the_way_back_is_told_in_both_languages() -> None:
    for french, english in WAY_BACK_SENTENCES.values():
        named = [[name for _, name, _, _ in string.Formatter().parse(one) if name] for one in (french, english)]
        assert sorted(named[0]) == sorted(named[1])
        assert french != english
    assert explain_way_back("serve", "fr", command="x").endswith(": x")
    assert explain_way_back("serve", "en", command="x") == "1. Start it, and leave it running: x"


def test_both_languages_name_the_same_facts_and_differ_in_words() -> None:
    for code, (french, english) in SENTENCES.items():
        facts = [
            {field for _, field, _, _ in string.Formatter().parse(sentence) if field} for sentence in (french, english)
        ]
        assert facts[0] == facts[1], code
        assert french != english, code


def test_a_missing_fact_and_an_unknown_code_are_told_honestly() -> None:
    assert "…" in explain("account_closed", {}, "fr")
    assert explain("something_new", {}, "en") == "Refused: something_new."


def test_no_code_is_explained_twice_and_every_base_is_listened_to() -> None:
    # Read as text: a dictionary keeps the last of two and says nothing.
    files = Path(sentences.__path__[0]).glob("*.py")
    tables = [node for file in files for node in ast.parse(file.read_text()).body if isinstance(node, ast.AnnAssign)]
    codes = Counter(
        key.value
        for table in tables
        if isinstance(table.value, ast.Dict)
        for key in table.value.keys
        if isinstance(key, ast.Constant)
    )
    assert len(tables) == 7
    assert codes == Counter(SENTENCES.keys())
