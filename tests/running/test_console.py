"""What a terminal shows of words that others wrote, and in which language it speaks."""

from __future__ import annotations

import json
import sqlite3

import pytest
import typer
from sqlalchemy.exc import DBAPIError

from protocol.errors import InvalidText
from protocol.findings import Checked, Finding
from protocol.running.console_commands import (
    choose_language,
    plain,
    progress,
    refusals_explained,
    say,
    show,
    show_checked,
)

HOSTILE = ("[/red]", "[bold]x", "[link=http://x]y", "\x1b[2Jgone", "\x1b]0;title\x07", "a\rb", "\u202eabc", "\\[x", "[")


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_others_are_shown_as_they_are_and_move_no_terminal(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CITIZEN_MILES_LANG", "en")
    show({"name": words}, as_json=False, title="one")
    show([{"name": words, "cents": 5}], as_json=False, title="rows")
    show(words, as_json=False)
    say(words)
    finding = Finding("I1", words, words, words)
    show_checked([Checked("I1", words, 1, (finding,))], as_json=False)
    with progress("check") as tell:
        tell(words)
    with pytest.raises(typer.Exit) as left, refusals_explained():
        raise InvalidText(field=words, reason=words)
    assert left.value.exit_code == 1
    told = capsys.readouterr()
    assert told.out.count(plain(words)) >= 5
    assert plain(words) in told.err
    assert not any(symbol in told.out for symbol in "\x1b\x07\r\u202e")


def test_letters_of_every_script_are_shown() -> None:
    for name in ("Brest métropole", "ශ්‍රී ලංකා", "می‌خواهم", "Ñuñoa", "日本", "L’Haÿ-les-Roses"):
        assert plain(name) == name


def test_json_is_json_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    for value in ([], {}, None, [{"name": word} for word in HOSTILE], {"é": 1}):
        show(value, as_json=True)
        assert json.loads(capsys.readouterr().out) == value


def test_what_the_machine_refuses_is_a_sentence_too(capsys: pytest.CaptureFixture[str]) -> None:
    busy = sqlite3.OperationalError("disk I/O error")
    busy.sqlite_errorcode = sqlite3.SQLITE_IOERR
    for error, code in (
        (FileNotFoundError(2, "No such file", "/where"), "not_configured"),
        (DBAPIError("SELECT", {}, busy), "storage_unavailable"),
        (DBAPIError("SELECT", {}, sqlite3.OperationalError("no such table")), "storage_unavailable"),
    ):
        with pytest.raises(typer.Exit), refusals_explained():
            raise error
        assert code in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "fr"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "ca_ES.UTF-8"}, "fr"),
        ({"LANG": "en_US", "LC_ALL": "fr_FR"}, "fr"),
        ({"LANG": "en_US", "LC_ALL": "fr_FR", "CITIZEN_MILES_LANG": "en"}, "en"),
    ],
)
def test_the_language_is_the_environments(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANG", "LC_ALL", "CITIZEN_MILES_LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert choose_language() == language
