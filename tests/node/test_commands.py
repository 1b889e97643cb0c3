"""The command line: on a sleeping node, in both languages, with exit codes that mean something."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from node.commands import app
from node.config import NodeConfig
from protocol.running.settings import NotConfigured, format_settings, parse_settings
from tests.node.place import BREST, LYON, new_id


class Terminal:
    """Runs `citizen-miles node …` in process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runner = CliRunner()

    def run(self, *words: object, language: str = "en") -> Result:
        result = self.runner.invoke(
            app, [str(word) for word in words], env={"CITIZEN_MILES_LANG": language, "COLUMNS": "200"}
        )
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *words: object) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path / "brest")
    result = made.run("init", made.folder, "--territory", BREST, "--name", "Brest métropole")
    assert result.exit_code == 0
    return made


def test_a_folder_is_private_and_made_once(terminal: Terminal) -> None:
    for path in (terminal.folder, terminal.folder / "keys", terminal.folder / "node.toml"):
        assert path.stat().st_mode & 0o077 == 0
    again = terminal.run("init", terminal.folder, "--territory", BREST, "--name", "x")
    assert (again.exit_code, "not_configured" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--territory", "242900315", "invalid_territory"),
        ("--listen", "8461", "not_configured"),
        ("--database", "mysql://here", "not_configured"),
        ("--database", "nonsense", "not_configured"),
    ],
)
def test_a_wrong_setting_makes_no_folder(tmp_path: Path, option: str, value: str, code: str) -> None:
    terminal = Terminal(tmp_path / "new")
    words = ["--territory", BREST, "--name", "x", option, value]
    result = terminal.run("init", terminal.folder, *words)
    assert (result.exit_code, code in result.stderr) == (1, True)
    assert not terminal.folder.exists()


def test_the_settings_survive_their_file_and_unknown_ones_are_refused() -> None:
    config = NodeConfig(network="n", territory=BREST, name='Brest "métropole"\\', hub_url="https://hub.example")
    assert parse_settings(format_settings(config), NodeConfig) == config
    with pytest.raises(NotConfigured):
        parse_settings(format_settings(config) + 'colour = "red"\n', NodeConfig)
    with pytest.raises(NotConfigured):
        parse_settings(format_settings(config).replace("900000", "0"), NodeConfig)


def test_a_day_at_the_town_hall(terminal: Terminal) -> None:
    folder = terminal.folder
    pool = terminal.json("account", "open", folder, "--kind", "pool")["number"]
    person = terminal.json("account", "open", folder, "--name", "Marie Dupont")["address"]
    other = terminal.json("account", "open", folder)["address"]
    endowed = terminal.json("endow", folder, "--into", pool, "--euros", "1 234,50", "--reason", "bank statement 11")
    assert endowed["pool_cents"] == 123_450
    id_ = new_id()
    for repeated in (False, True):
        told = terminal.json("credit", folder, pool, person, "--cents", 500, "--id", id_)
        assert (told["after_cents"], told["repeated"]) == (500, repeated)
    ceded = terminal.json("cede", folder, person, other, "--euros", "1,20", "--words", "merci")
    assert ceded["state"] == "delivered"
    assert terminal.json("status", folder, ceded["id"])["cents"] == 120
    assert terminal.json("reverse", folder, id_, "--cents", 100)["taken_cents"] == 100
    assert terminal.json("operation", folder, id_)["kind"] == "credit"
    assert terminal.json("balance", folder, person)["cents"] == 280
    assert [row["cents"] for row in terminal.json("history", folder, person)["entries"]] == [-100, -120, 500]
    assert terminal.json("statement", folder, person)["closing_cents"] == 280
    assert terminal.json("totals", folder)["issued_cents"] == 123_450
    assert terminal.json("payee", folder, person)["shown"] == "M•••• D•••••"
    assert terminal.json("account", "show", folder, person)["entries"] == 3
    for event, state in (("freeze", "frozen"), ("reopen", "open")):
        assert terminal.json("account", event, folder, other)["state"] == state
    assert terminal.json("check", folder)["ok"]
    for words in (("balance", folder, person), ("history", folder, person), ("totals", folder), ("check", folder)):
        assert terminal.run(*words).exit_code == 0


def test_refusals_are_sentences_in_two_languages(terminal: Terminal) -> None:
    folder = terminal.folder
    french = terminal.run("account", "show", folder, "00000000", language="fr")
    english = terminal.run("account", "show", folder, "00000000", language="en")
    assert french.exit_code == english.exit_code == 1
    assert "Aucun compte 00000000 ici" in french.stderr
    assert "No account 00000000 here" in english.stderr
    for words in (
        ("balance", folder, "nobody"),
        ("credit", folder, "00000000", "00000000", "--cents", 5),
        ("credit", folder, "00000000", "11111111"),
        ("credit", folder, "00000000", "11111111", "--cents", 5, "--euros", "0,05"),
        ("credit", folder, "00000000", "11111111", "--euros", "0,055"),
        ("credit", folder, "00000000", "11111111", "--cents=-5"),
        ("cede", folder, "00000000", f"0000-0000-0@{LYON}", "--cents", 5),
        ("account", "open", folder, "--kind", "king"),
        ("endow", folder, "--into", "00000000", "--cents", 5, "--reason", "x", "--class", "green"),
        ("endow", folder, "--into", "00000000", "--cents", 5, "--reason", "x", "--month", 202613),
        ("history", folder, "00000000", "--order", "sideways"),
        ("status", folder, "42"),
        ("api-key", "new", folder, "till", "--scopes", "everything"),
        ("api-key", "revoke", folder, "nobody"),
        ("api-key", "new", folder, "till", "--account", "00000000"),
        ("evidence", "export", folder, 1, folder / "out"),
        ("evidence", "seen", folder, 1, "--reason", "a second machine"),
        ("evidence", "seen", folder, 1, "--reason", "  "),
    ):
        result = terminal.run(*words)
        assert (result.exit_code, bool(result.stderr.strip())) == (1, True), words
    assert terminal.run("account", "show").exit_code == 2


def test_before_enrolment_nothing_is_said_to_a_hub(terminal: Terminal) -> None:
    folder = terminal.folder
    for words in (
        ("federation", "now", folder),
        ("federation", "export", folder, folder / "out"),
        ("federation", "statement", folder),
        ("rotate-key", folder),
        ("retire-key", folder, "00"),
        ("enrol", folder, "cm1-nonsense"),
    ):
        assert terminal.run(*words).exit_code == 1, words
    assert len(list((folder / "keys").glob("*.key"))) == 1
    told = terminal.json("federation", "status", folder)
    assert (told["hub"], told["slips_waiting"]) == ("", 0)
    assert terminal.json("federation", "members", folder) == []


def test_keys_of_programs_are_shown_once(terminal: Terminal) -> None:
    made = terminal.json("api-key", "new", terminal.folder, "till 7", "--scopes", "credit,read")
    assert made["key"].startswith(f"cmk_{made['id']}_")
    listed = terminal.run("api-key", "list", terminal.folder, "--json").stdout
    assert made["key"].split("_")[2] not in listed
    assert json.loads(listed)[0]["name"] == "till 7"
    assert terminal.json("api-key", "revoke", terminal.folder, made["id"])["revoked_at"]


def test_a_check_finds_what_was_changed_by_hand(terminal: Terminal) -> None:
    folder = terminal.folder
    assert terminal.run("check", folder).exit_code == 1  # no base yet: said, and none is made
    assert not (folder / "accounts.db").exists()
    pool = terminal.json("account", "open", folder, "--kind", "pool")["number"]
    terminal.json("endow", folder, "--into", pool, "--cents", 1_000, "--reason", "bank statement 11")
    assert terminal.json("check", folder)["ok"]
    assert terminal.json("doubtful", folder) == terminal.json("evidence", "list", folder) == []
    with sqlite3.connect(folder / "accounts.db") as base:
        base.execute("UPDATE holdings SET cents = cents + 1")
    base.close()
    result = terminal.run("check", folder, "--json")
    assert result.exit_code == 1
    assert not json.loads(result.stdout)["ok"]


def test_a_key_file_that_others_can_read_is_not_used(terminal: Terminal) -> None:
    file = next((terminal.folder / "keys").glob("*.key"))
    os.chmod(file, 0o644)
    result = terminal.run("totals", terminal.folder)
    assert (result.exit_code, "keys_unusable" in result.stderr) == (1, True)


def test_a_folder_without_a_node_says_what_to_do(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for words in (("serve", tmp_path), ("totals", tmp_path), ("check", tmp_path)):
        result = terminal.run(*words)
        assert (result.exit_code, "node init" in result.stderr) == (1, True)
